#!/bin/sh
# The nginx image runs this before nginx starts. Once a minute it checks whether the certificate has been replaced, and
# then reloads nginx; open sockets stay with the workers that they have.
set -eu

certificate=/etc/nginx/tls/fullchain.pem
[ -r "$certificate" ] || {
    echo "nginx: the volume mounted at /etc/nginx/tls has no certificate" >&2
    exit 1
}

(
    known=$(cksum "$certificate")
    while sleep 60; do
        now=$(cksum "$certificate") || continue
        if [ "$now" != "$known" ] && nginx -t -q; then
            known=$now
            nginx -s reload
        fi
    done
) &
