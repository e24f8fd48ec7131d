#!/bin/sh
# Run by the nginx image before nginx starts: what only docker/compose.yaml knows.
set -eu

# Where plain http is sent to.
port=${PARLEY_HTTPS_PORT:-443} # may come with an address before it
port=:${port##*:}
[ "$port" != :443 ] || port=
cat >/tmp/https-port.conf <<END
map "" \$https_port {
    default "$port";
}
END

# Networks without limits per address, with commas.
case ${PARLEY_TRUSTED:-} in
    *[!0-9a-fA-F.:/,\ ]*)
        echo "parley: PARLEY_TRUSTED is '$PARLEY_TRUSTED': it must be networks with commas, such as 172.16.0.0/12" >&2
        exit 1
        ;;
esac
for network in $(printf '%s' "${PARLEY_TRUSTED:-}" | tr , ' '); do
    echo "$network 0;"
done >/tmp/trusted.conf
