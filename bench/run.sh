#!/usr/bin/env bash
# run.sh [--quick] [--only NAME]: what `make bench` runs. First training and inference beside PyTorch, speed and memory,
# and the training step beside a matrix product (throughput.py); then a whole offline distillation beside PyTorch
# (offline.py), the memory of a large record (record.py), schemes (schemes.py), methods (methods.py), and our kernels beside the machine's own
# limits (kernels.c, memory_bound.c). About three quarters of an hour on two cores of a machine that does nothing else. The
# first run also installs PyTorch (python.sh) and lets it compile its networks, which takes minutes more. --quick only shows
# that it works; --only: `offline`, `record`, `schemes`, or the networks whose name contains NAME, nothing else. Build folder:
# RETORT_BUILD, default build.
# Measures and does not judge: the status is 0 whatever the ratios, and 1 when something failed to run.
set -euo pipefail

cd "$(dirname "$0")/.."
build=${RETORT_BUILD:-build}
how=()
offline=()
record=()
schemes=()
only=
while [ $# -gt 0 ]; do
    case "$1 ${2-}" in
    --quick*)
        how+=(--seconds 0.3 --repeats 1)
        offline+=(--seconds 0.3 --repeats 1 --epochs 1)
        record+=(--quick)
        schemes+=(--steps 10 --repeats 1)
        ;;
    "--only "?*)
        only=$2
        how+=(--only "$only")
        shift
        ;;
    *)
        echo "run.sh: unknown option '$1'; expected --quick, --only NAME, or nothing" >&2
        exit 2
        ;;
    esac
    shift
done
if [ ! -x "$build/retort" ]; then
    echo "run.sh: no $build/retort; run make build, or set RETORT_BUILD" >&2
    exit 1
fi
# Before anything is measured: a compiler at work would be measured with it.
if ! log=$(cmake --build "$build" --target bench_programs 2>&1); then
    echo "$log" >&2
    exit 1
fi

case $only in
offline) exec /usr/bin/python3 bench/offline.py --retort "$build/retort" "${offline[@]}" ;;
record) exec /usr/bin/python3 bench/record.py --retort "$build/retort" "${record[@]}" ;;
schemes) exec /usr/bin/python3 bench/schemes.py --retort "$build/retort" "${schemes[@]}" ;;
esac
/usr/bin/python3 bench/throughput.py --retort "$build/retort" "${how[@]}"
[ -z "$only" ] || exit 0
printf '\noffline\n'
/usr/bin/python3 bench/offline.py --retort "$build/retort" "${offline[@]}"
printf '\nrecord\n'
/usr/bin/python3 bench/record.py --retort "$build/retort" "${record[@]}"
printf '\nschemes\n'
/usr/bin/python3 bench/schemes.py --retort "$build/retort" "${schemes[@]}"
printf '\nmethods\n'
/usr/bin/python3 bench/methods.py --retort "$build/retort" "${how[@]}"
printf '\nkernels\n'
"$build/bench/kernels"
for maps in "128 28 12" "2 28 12"; do
    printf '\nmemory_bound %s\n' "$maps"
    # shellcheck disable=SC2086
    "$build/bench/memory_bound" $maps
done
