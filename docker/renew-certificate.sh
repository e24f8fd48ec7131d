#!/bin/sh
# Run by the nginx image before nginx starts. Once a minute it looks whether the certificate has been replaced, and
# has nginx read it again; open sockets stay with the workers they have.
set -eu

certificate=/etc/nginx/tls/fullchain.pem
[ -r "$certificate" ] || {
    echo "parley: there is no certificate in the volume mounted at /etc/nginx/tls" >&2
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
