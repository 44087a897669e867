#!/usr/bin/env bash
# run.sh [--quick]: what `make bench` runs. First training beside PyTorch, speed and memory (throughput.py); then our
# kernels beside the machine's own limits (kernels.c, memory_bound.c). About five minutes on two cores of a machine that
# does nothing else; --quick (a minute) only shows that it works. Build folder: RETORT_BUILD, default build.
# Measures and does not judge: the status is 0 whatever the ratios, and 1 when something failed to run.
set -euo pipefail

cd "$(dirname "$0")/.."
build=${RETORT_BUILD:-build}
case "$*" in
"") how=() ;;
--quick) how=(--seconds 0.3 --repeats 1) ;;
*)
    echo "run.sh: unknown option '$*'; expected --quick, or nothing" >&2
    exit 2
    ;;
esac
if [ ! -x "$build/retort" ]; then
    echo "run.sh: no $build/retort; run make build, or set RETORT_BUILD" >&2
    exit 1
fi
# Before anything is measured: a compiler at work would be measured with it.
if ! log=$(cmake --build "$build" --target bench_programs 2>&1); then
    echo "$log" >&2
    exit 1
fi

/usr/bin/python3 bench/throughput.py --retort "$build/retort" "${how[@]}"
for program in kernels memory_bound; do
    printf '\n%s\n' "$program"
    "$build/bench/$program"
done
