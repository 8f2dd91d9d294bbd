#!/bin/sh
# Makes a checkout ready: Debian packages, .venv, third-party C sources. Safe to run again.
set -eu
cd "$(dirname "$0")/.."
python="${PYTHON:-python3}"

stop() {
    echo "setup: $1" >&2
    exit 4
}

[ "$(uname -s)" = Linux ] ||
    stop "runec runs on Linux only: use WSL 2 on Windows, a Linux virtual machine or container on macOS (README.md)"
[ "$(uname -m)" = x86_64 ] ||
    stop "runec runs on x86-64 processors only: TensorFlow Lite Micro is not published for $(uname -m)"

debian=$(sed -n 's/^VERSION_ID="\([0-9]*\)"$/\1/p' /etc/os-release 2>/dev/null)
[ -n "$debian" ] || debian=12

missing=""
while IFS= read -r line; do
    package=$(printf '%s' "$line" | sed 's/[ #].*//')
    instead=$(printf '%s' "$line" | sed -n 's/.*| //p')
    [ -n "$package" ] || continue
    case $package in */*) [ "$debian" -ge 13 ] && package=${package#*/} || package=${package%/*} ;; esac
    if [ -n "$instead" ] && sh -c "$instead" >/dev/null 2>&1; then continue; fi
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=""
    [ "$state" = installed ] || missing="$missing $package"
done < tools/debian-packages.txt

if [ -n "$missing" ]; then
    command -v apt-get >/dev/null || stop "install the equivalents of these Debian packages:$missing"
    root=""
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || stop "run as root: apt-get install$missing"
        root=sudo
    fi
    echo "setup: installing$missing" >&2
    $root apt-get update -qq >&2 || stop "apt-get update failed; with a network, run: apt-get install$missing"
    # shellcheck disable=SC2086 # a list of names
    DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends $missing >&2 ||
        stop "apt-get could not install:$missing"
fi

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    stop "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11"
if [ ! -x .venv/bin/python ]; then
    rm -rf .venv
    "$python" -m venv .venv || stop "cannot make .venv with $python; install python3-venv"
fi
echo "setup: installing Python packages into .venv" >&2
# pywasm3 0.5.0 is compiled here; GCC 14 and later take two of its pointers for errors.
CFLAGS="${CFLAGS:-} -Wno-error=incompatible-pointer-types" \
    .venv/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev,emulators,litert]' >&2 ||
    stop "pip could not install runec's dependencies; check the network and run make setup again"
# Else every start compiles runec anew where Python may write no byte code, or the tree is read-only.
.venv/bin/python -m compileall -q runec >&2
.venv/bin/runec components fetch >&2
touch .venv/.ready
