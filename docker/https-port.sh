#!/bin/sh
# Run by the nginx image before nginx starts: where plain http is sent to, which only docker/compose.yaml knows.
set -eu

port=${PARLEY_HTTPS_PORT:-443} # may come with an address before it
port=:${port##*:}
[ "$port" != :443 ] || port=
cat >/tmp/https-port.conf <<END
map "" \$https_port {
    default "$port";
}
END
