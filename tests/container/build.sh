#!/bin/bash
# build.sh [SUITE]: makes the Debian tree that the container tests boot, unless it is there already,
# and prints where it is. Needs root, debootstrap and a Debian mirror; takes a few minutes once.
# SUITE is bookworm (the default, systemd 252: most tests) or trixie (systemd 257: what is newer).
#
# IMPTRACE_TEST_CACHE   where to keep it (default: $XDG_CACHE_HOME/imptrace-test)
# IMPTRACE_TEST_MIRROR  the Debian mirror (default: http://deb.debian.org/debian)
# PYTHON                a Python with pip, 3.11 or newer (default: that of .venv)
set -euo pipefail
here=$(dirname "$(realpath "$0")")
project=$here/../..
cache=${IMPTRACE_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/imptrace-test}
mirror=${IMPTRACE_TEST_MIRROR:-http://deb.debian.org/debian}
suite=${1:-bookworm}
python=${PYTHON:-$project/.venv/bin/python}

packages=(
    systemd systemd-sysv                           # the machine itself
    python3 python3-venv python3-dev gcc libc6-dev # imptrace is built inside
)
case $suite in
bookworm)
    suite_python=3.11
    packages+=(
        dbus dbus-user-session libpam-systemd                # users with managers of their own
        network-manager cron postgresql bubblewrap squashfs-tools # real things to record
        iproute2 procps socat ca-certificates
    )
    ;;
trixie) suite_python=3.13 ;;
*) echo "build.sh: no test needs the suite $suite" >&2 && exit 2 ;;
esac

# The tree belongs to what it was made from: this script, and the libraries that imptrace needs.
mapfile -t libraries < <("$python" -c '
import sys, tomllib
with open(sys.argv[1], "rb") as file:
    project = tomllib.load(file)
print(*project["project"]["dependencies"], *project["build-system"]["requires"], sep="\n")
' "$project/pyproject.toml")
key=$(cat "$0" - <<<"${libraries[*]}" | sha256sum | cut -c1-16)
tree=$cache/$suite-$key

if [[ ! -d $tree ]]; then
    mkdir -p "$cache"
    making=$(mktemp -d "$cache/making.XXXXXX")
    trap 'rm -rf "$making"' EXIT
    include=$(IFS=, && echo "${packages[*]}")
    debootstrap --variant=minbase --include="$include" "$suite" "$making" "$mirror" >&2
    rm -rf "$making"/var/cache/apt/archives/*.deb "$making"/var/lib/apt/lists/*
    "$python" -m pip download --quiet --dest "$making/opt/wheels" --only-binary=:all: \
        --python-version "$suite_python" --implementation cp \
        --platform "manylinux2014_$(uname -m)" --platform "manylinux_2_28_$(uname -m)" \
        --platform any "${libraries[@]}" >&2
    chroot "$making" python3 -m venv /opt/imptrace
    chroot "$making" /opt/imptrace/bin/pip install --quiet --no-index --find-links /opt/wheels \
        "${libraries[@]}" >&2
    ln -s /opt/imptrace/bin/imptrace "$making/usr/local/bin/imptrace"
    chroot "$making" useradd --create-home --shell /bin/bash tester
    chmod 755 "$making"
    mv "$making" "$tree"
    trap - EXIT
fi
echo "$tree"
