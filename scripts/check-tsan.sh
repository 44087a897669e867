#!/usr/bin/env bash
# check-tsan.sh: the tests in which our own threads meet (jobs side by side, contexts in several threads, interruptions)
# under ThreadSanitizer. The first race ends a program and fails its test.
set -euo pipefail

cd "$(dirname "$0")/.."
build=build-tsan
tests='test_base_thread|test_base_crew|test_graph_lanes|test_base_context|test_base_process|test_api_|test_record_record|test_train_checkpoint|test_cli_bits|test_cli_blocks|test_cli_progress|test_cli_interrupt'
generator=()
command -v ninja >/dev/null && generator=(-G Ninja)
cmake -S . -B $build "${generator[@]}" -DRETORT_TESTS=ON -DRETORT_SANITIZE=thread >/dev/null
# GNU's OpenMP runtime is not instrumented: ThreadSanitizer sees neither the start nor the end of a parallel region and
# takes each hand-over of an array for a race. So regions have one thread here, and no suppression is needed: that each
# thread of a region writes its own part is shown by the bits, which do not depend on the number of threads.
export OMP_THREAD_LIMIT=1
mapfile -t programs < <(cd $build && ctest -N -R "^($tests)" | sed -n 's/^ *Test *#[0-9]*: //p' | while read -r name; do
    [ -f ../tests/"$(echo "$name" | sed 's/^test_\([a-z]*\)_/\1\/test_/')".c ] && echo "$name"
done)
cmake --build $build -j "$(nproc)" --target retort "${programs[@]}"
cd $build
TSAN_OPTIONS="halt_on_error=1 exitcode=66" ctest --output-on-failure -j "$(nproc)" -R "^($tests)"
