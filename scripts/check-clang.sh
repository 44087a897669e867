#!/usr/bin/env bash
# check-clang.sh [SOURCE]: clang sees no warning in any room or test, at each level and precision of the kernels.
# Reads the sources only (no code is made), so it takes seconds.
set -euo pipefail

cd "${1:-$(dirname "$0")/..}"
common=(-std=c11 -D_DEFAULT_SOURCE -D_POSIX_C_SOURCE=200809L "-DRETORT_VERSION=\"0\"" -fopenmp-simd -fsyntax-only
    -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Werror -Wno-unknown-pragmas)

# each OPTIONS…: clang over the files named on standard input; all are read, also after a finding.
each() {
    xargs -r -P "$(nproc)" -n 8 clang "${common[@]}" "$@"
}

find src -name '*.c' -not -path 'src/kernel/level/*' -not -path 'src/cli/*' | each -Isrc -Iinclude
find src/cli -name '*.c' | each -Isrc -Iinclude
find tests -name '*.c' -not -path '*/fixtures/*' | each -Isrc -Itests -Iinclude
find examples -name '*.c' | each -Iinclude
case $(uname -m) in
x86_64 | amd64) levels="v2 v3 v4" ;;
*) levels=generic ;;
esac
for level in $levels; do
    march=()
    [ "$level" = generic ] || march=("-march=x86-64-$level")
    for precision in -UKERNEL_F64 -DKERNEL_F64; do
        find src/kernel -path 'src/kernel/level/*.c' | each -Isrc -DKERNEL_LEVEL="$level" "${march[@]}" "$precision"
    done
done
