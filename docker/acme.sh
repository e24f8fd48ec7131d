#!/bin/sh
# Obtains a certificate for SITE_DOMAIN, copies it to where nginx reads it (docker/renew-certificate.sh), and renews
# it in time. The authority writes to ACME_EMAIL when something is wrong; ACME_SERVER selects another authority than
# certbot's default.
set -eu

[ "$SITE_DOMAIN" != localhost ] || {
    echo "acme: the site has no domain, which a certificate needs (DOMAIN, or domain in stack.toml)" >&2
    exit 1
}

contact=--register-unsafely-without-email
[ -z "$ACME_EMAIL" ] || contact=--email=$ACME_EMAIL

obtain() {
    certbot certonly --non-interactive --agree-tos --keep-until-expiring --webroot --webroot-path /srv/acme \
        --cert-name "$SITE_NAME" --domain "$SITE_DOMAIN" \
        --config-dir /state --work-dir /tmp/work --logs-dir /tmp/logs \
        ${ACME_SERVER:+--server "$ACME_SERVER"} "$contact"
}

# Copies the key first: nginx reads both files when the chain has changed. The volume's group is nginx's.
publish() {
    cmp -s "/state/live/$SITE_NAME/fullchain.pem" /made/tls/fullchain.pem && return
    umask 027
    for name in privkey.pem fullchain.pem; do
        cat "/state/live/$SITE_NAME/$name" >"/made/tls/.$name.new"
        mv "/made/tls/.$name.new" "/made/tls/$name"
    done
}

trap 'exit 0' TERM INT
while :; do
    wait=43200 # seconds: half a day, as authorities advise
    if obtain; then publish; else wait=600; fi
    sleep "$wait" &
    wait $!
done
