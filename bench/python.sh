#!/usr/bin/env bash
# python.sh SCRIPT ...: runs Python with the newest PyTorch that can be installed; --which only prints its path.
#
# The first call makes a virtual environment, RETORT_BENCH_VENV (default build/bench-venv), and installs PyTorch there
# with pip: a download of some gigabytes. Where that fails, Debian's PyTorch serves, and a note says so.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
venv=${RETORT_BENCH_VENV:-$root/build/bench-venv}
debian=/usr/bin/python3
log=$venv.log

if [ ! -e "$venv/ready" ]; then
    if [ -x "$venv/bin/python" ] && "$venv/bin/python" -c 'import numpy, torch' 2>/dev/null; then
        touch "$venv/ready"
    elif [ -e "$venv/failed" ]; then
        :
    else
        echo "python.sh: installing PyTorch in $venv (log: $log)" >&2
        mkdir -p "$(dirname "$venv")"
        if { "$debian" -m venv "$venv" && "$venv/bin/python" -m pip install --quiet torch numpy &&
            "$venv/bin/python" -c 'import numpy, torch'; } >"$log" 2>&1; then
            touch "$venv/ready"
        else
            mkdir -p "$venv"
            touch "$venv/failed"
        fi
    fi
fi
python=$venv/bin/python
if [ ! -e "$venv/ready" ]; then
    python=$debian
    echo "python.sh: no newer PyTorch (see $log; remove $venv to try again): Debian's is used" >&2
    if ! "$debian" -c 'import numpy, torch' 2>/dev/null; then
        echo "python.sh: and that is not installed either: run scripts/install-deps.sh --bench" >&2
        exit 1
    fi
fi
if [ "${1:-}" = --which ]; then
    echo "$python"
else
    RETORT_BENCH_PYTHON=$python exec "$python" "$@"
fi
