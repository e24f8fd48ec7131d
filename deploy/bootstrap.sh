#!/bin/sh
# Installs the Debian or Ubuntu packages that this machine lacks for `make run`, `make test` or `make check`:
#     sh deploy/bootstrap.sh run|test|check
# It installs as root or by sudo; without either it prints the command to type and stops. When nothing is missing, it
# prints nothing. It neither starts nor enables the services of these packages (nginx, Redis, PostgreSQL), because
# `make run` starts processes of its own; services that were installed before stay as they are.
set -eu

# A normal user's PATH lacks the folders where servers are installed.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
here=$(dirname "$0")
program=parley

die() {
    echo "$program: $*" >&2
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# require PROGRAM PACKAGE...: note the packages as missing, unless the program is installed
missing=
require() {
    have "$1" || { shift && missing="$missing $*"; }
}

check_for_run() {
    have python3 || die "python3 is missing. Type: sudo apt-get install -y python3 python3-venv"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        die "Python 3.11 or newer is needed; this is $(python3 --version)."
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
    require nginx nginx
    require redis-server redis-server
}

check_for_test() {
    check_for_run
    have postgres || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
    # Without the sandbox Chromium starts for root only, and without fonts it draws boxes.
    require chromium chromium chromium-sandbox fonts-liberation
    require curl curl
    require openssl openssl
    require testssl testssl.sh
    require certutil libnss3-tools
    require nft nftables
}

check_for_check() {
    check_for_run
    require shellcheck shellcheck
    require node nodejs
    require npm npm
    require xgettext gettext
    if have node; then
        node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' ||
            die "Node.js 18 or newer is needed for the checks; this is $(node --version)."
    fi
}

# Prints the services that these packages install.
services_of() {
    for package; do
        case $package in
            nginx | redis-server | postgresql | nats-server) printf '%s ' "$package" ;;
        esac
    done
}

install() {
    have apt-get || die "this machine has no apt-get. Install these with its own package manager: $*"
    services=$(services_of "$@")
    policy=/usr/sbin/policy-rc.d ours='' log=$(mktemp)
    trap 'rm -f "$log" $ours' EXIT
    trap 'exit 1' HUP INT TERM
    if [ -n "$services" ] && [ ! -e "$policy" ]; then
        # Debian runs this file before it starts a service. This one refuses only the services that are being installed:
        # apt may still restart another one.
        ours=$policy
        cat >"$policy" <<END
#!/bin/sh
# deploy/bootstrap.sh of $program removes this file when it has installed its packages.
for word; do
    word=\${word%.service}
    case " $services" in *" \${word%%@*} "*) exit 101 ;; esac
done
exit 0
END
        chmod 755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    # Wait for another apt, in seconds.
    set -- -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 --no-install-recommends install "$@"
    apt-get -q -o DPkg::Lock::Timeout=300 update >"$log" 2>&1 || echo "$program: apt-get update failed; continuing" >&2
    apt-get "$@" >>"$log" 2>&1 || {
        cat "$log" >&2
        die "apt-get could not install the packages; its output is above"
    }
    for service in $services; do
        # --now, because the machine's own policy may have started it.
        if have systemctl; then systemctl --quiet disable --now "$service" 2>/dev/null || true; fi
    done
}

case ${1:-} in
    run) check_for_run ;;
    test) check_for_test ;;
    check) check_for_check ;;
    install)
        shift
        [ "$(id -u)" -eq 0 ] || die "only root can install packages"
        install "$@"
        exit
        ;;
    *) die "usage: sh deploy/bootstrap.sh run|test|check" ;;
esac

[ -n "$missing" ] || exit 0
echo "$program: installing$missing"
# shellcheck disable=SC2086  # a list of packages
if [ "$(id -u)" -eq 0 ]; then
    install $missing
elif have sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    sudo sh "$here/bootstrap.sh" install $missing || die "the packages are not installed. Type: sudo sh deploy/bootstrap.sh install$missing"
else
    die "only root can install packages. Type: sudo sh deploy/bootstrap.sh install$missing"
fi
