#!/bin/sh
# The nginx image runs this before nginx starts. It writes the parts of the configuration that come from the variables
# of docker/compose.yaml.
set -eu

# The port in redirects from http to https.
port=${SITE_HTTPS_PORT:-443} # an address may precede it
port=:${port##*:}
[ "$port" != :443 ] || port=
cat >/tmp/https-port.conf <<END
map "" \$https_port {
    default "$port";
}
END

# Networks whose addresses are not rate limited, with commas between them.
networks=${RATE_LIMIT_EXEMPT_NETWORKS:-}
case $networks in
    *[!0-9a-fA-F.:/,\ ]*)
        echo "environment.sh: RATE_LIMIT_EXEMPT_NETWORKS is '$networks': it must be networks with commas, such as 172.16.0.0/12" >&2
        exit 1
        ;;
esac
for network in $(printf '%s' "$networks" | tr , ' '); do
    echo "$network 0;"
done >/tmp/rate-limit-exempt.conf
