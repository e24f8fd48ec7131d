#!/bin/sh
# Installs the Debian or Ubuntu packages that this machine lacks for `make run`, `make test` or `make check`:
#     sh deploy/bootstrap.sh run|test|check
# As root, or by sudo; else it prints the one line to type and stops. Says nothing when nothing is missing.
# Services that come with a package (nginx, Redis, PostgreSQL) are neither started nor enabled, because we start
# our own processes; those that were here before are left alone.
set -eu

# A normal user's PATH lacks the folders of servers; later children see it too.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
here=$(dirname "$0")

die() {
    echo "parley: $*" >&2
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# want PROGRAM PACKAGE...: the packages, unless the program is here
missing=
want() {
    have "$1" || { shift && missing="$missing $*"; }
}

look_for_run() {
    have python3 || die "python3 is missing. Type: sudo apt-get install -y python3 python3-venv"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        die "Python 3.11 or newer is needed; this is $(python3 --version)."
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
    want nginx nginx
    want redis-server redis-server
}

look_for_test() {
    look_for_run
    have postgres || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
    # Recommended packages stay out, but without the sandbox it starts for root only, without fonts it draws boxes.
    want chromium chromium chromium-sandbox fonts-liberation
    want curl curl
    want openssl openssl
    want testssl testssl.sh
    want certutil libnss3-tools
}

look_for_check() {
    look_for_run
    want shellcheck shellcheck
    want node nodejs
    want npm npm
    want xgettext gettext
    if have node; then
        node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' ||
            die "Node.js 18 or newer is needed for the checks; this is $(node --version)."
    fi
}

# The ids of the services that these packages bring.
services_of() {
    for package; do
        case $package in
            nginx | redis-server | postgresql | nats-server) printf '%s ' "$package" ;;
        esac
    done
}

install() {
    have apt-get || die "no apt-get here. Install these with your own package manager: $*"
    services=$(services_of "$@")
    policy=/usr/sbin/policy-rc.d ours='' log=$(mktemp)
    trap 'rm -f "$log" $ours' EXIT
    trap 'exit 1' HUP INT TERM
    if [ -n "$services" ] && [ ! -e "$policy" ]; then
        # Debian asks this file whether a service may start. Ours refuses only what we are installing: another
        # service that apt has to restart meanwhile is restarted.
        ours=$policy
        cat >"$policy" <<END
#!/bin/sh
# Here only while Parley's deploy/bootstrap.sh installs packages.
for word; do
    word=\${word%.service}
    case " $services" in *" \${word%%@*} "*) exit 101 ;; esac
done
exit 0
END
        chmod 755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    # Another apt may be at work: wait for it, seconds.
    set -- -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 --no-install-recommends install "$@"
    apt-get -q -o DPkg::Lock::Timeout=300 update >"$log" 2>&1 || echo "parley: apt-get update failed; going on" >&2
    apt-get "$@" >>"$log" 2>&1 || {
        cat "$log" >&2
        die "apt-get could not install them"
    }
    for service in $services; do
        # --now for machines whose own policy let it start.
        if have systemctl; then systemctl --quiet disable --now "$service" 2>/dev/null || true; fi
    done
}

case ${1:-} in
    run) look_for_run ;;
    test) look_for_test ;;
    check) look_for_check ;;
    install)
        shift
        [ "$(id -u)" -eq 0 ] || die "installing packages needs root"
        install "$@"
        exit
        ;;
    *) die "usage: sh deploy/bootstrap.sh run|test|check" ;;
esac

[ -n "$missing" ] || exit 0
echo "parley: installing$missing"
# shellcheck disable=SC2086  # a list of words
if [ "$(id -u)" -eq 0 ]; then
    install $missing
elif have sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    sudo sh "$here/bootstrap.sh" install $missing || die "not installed. Type: sudo sh deploy/bootstrap.sh install$missing"
else
    die "this needs root. Type: sudo sh deploy/bootstrap.sh install$missing"
fi
