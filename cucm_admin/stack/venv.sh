#!/bin/sh
# Bring .venv up to date: sh venv.sh [--in FOLDER] requirements.txt [requirements-dev.txt]
# With --in an environment in another folder than .venv.
# Makes it with the first Python that is new enough, and installs only when a list of requirements has changed:
# what its lock names (requirements.lock for requirements.txt), and only files with the hashes that stand there.
# PYTHON chooses the interpreter. Every failure is one line.
set -eu

fail() {
    echo "$*" >&2
    exit 1
}

# Prints the version and the home of an interpreter; fails when it does not run (a shim of pyenv may not) or is too old.
describe() {
    "$1" -c 'import sys; sys.version_info >= (3, 11) or sys.exit(1); print(sys.version, sys.base_prefix)' 2>/dev/null
}

need="Python 3.11 or newer is needed"
venv=.venv
if [ "${1-}" = --in ]; then
    venv=$2
    shift 2
fi
asked=${PYTHON:-}
if [ "$asked" ]; then
    command -v "$asked" >/dev/null || fail "$need; PYTHON=$asked is not there"
    wanted=$(describe "$asked") || fail "$need; PYTHON=$asked is $("$asked" -V 2>&1 | head -n 1)"
else
    for candidate in python3.13 python3.12 python3.11 python3; do
        describe "$candidate" >/dev/null && PYTHON=$candidate && break
    done
fi

# A .venv that works is kept, unless another interpreter was asked for by name.
if ! present=$(describe "$venv/bin/python") || { [ "$asked" ] && [ "$present" != "$wanted" ]; }; then
    [ "${PYTHON:-}" ] || fail "$need, and none is on the PATH; name one with PYTHON=/path/to/python3"
    if [ -e "$venv" ] && [ ! -e "$venv/pyvenv.cfg" ]; then
        fail "$venv is there but is no Python environment; move it away"
    fi
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$PYTHON has no venv module; on Debian and Ubuntu it is in the package python3-venv"
    echo "Making $venv with $PYTHON"
    "$PYTHON" -m venv --clear "$venv" || fail "Cannot make $venv with $PYTHON"
fi

for list in "$@"; do
    stamp="$venv/installed-${list##*/}"
    lock="${list%.txt}.lock"
    sum=$(cat "$lock" | cksum)
    [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ] && continue
    echo "Installing $list into $venv (once)"
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes -r "$lock" ||
        fail "Installing $list failed; the reason is above"
    echo "$sum" >"$stamp"
done
