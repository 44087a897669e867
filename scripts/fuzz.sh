#!/usr/bin/env bash
# fuzz.sh [SECONDS [TARGET…]]: builds the libFuzzer targets and runs each for SECONDS (default 60), as many side by side
# as there are cores, from tests/fuzz/corpus on. $SEED: where its random numbers start (default 0: anew each time).
#
# What is found along the way is kept in build-fuzz/corpus/TARGET, so that the next run goes on from there. Prints a line
# for each target; an input that crashes one is kept as build-fuzz/TARGET-crash-…, and the status is 1.
set -euo pipefail

cd "$(dirname "$0")/.."
seconds=${1:-60}
seed=${SEED:-0}
shift || true
build=$PWD/build-fuzz
generator=()
command -v ninja >/dev/null && generator=(-G Ninja)
mkdir -p "$build"
log=$build/configure.log
cmake -S . -B "$build" "${generator[@]}" -DCMAKE_C_COMPILER=clang -DRETORT_FUZZ=ON >"$log" 2>&1 || {
    cat "$log" >&2
    exit 1
}
cmake --build "$build" --target fuzz -j "$(nproc)"

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for file in tests/fuzz/fuzz_*.c; do
        targets+=("$(basename "$file" .c | sed 's/^fuzz_//')")
    done
fi

# run_target NAME: one line on standard output.
run_target() {
    local name=$1 log="$build/$1.log" status=0
    mkdir -p "$build/corpus/$name"
    "$build/tests/fuzz_$name" -seed="$seed" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3000 -print_final_stats=1 \
        -artifact_prefix="$build/$name-" "$build/corpus/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1 || status=$?
    if [ "$status" -eq 0 ]; then
        echo "fuzz $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s, no finding"
    else
        tail -40 "$log" >&2
        echo "fuzz $name: FAILED; the input is $(sed -n 's/.*Test unit written to //p' "$log" | tail -1)"
        return 1
    fi
}
export -f run_target
export build seconds seed
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I '{}' bash -c 'run_target {}'
