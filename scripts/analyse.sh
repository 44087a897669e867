#!/usr/bin/env bash
# analyse.sh: cppcheck and gcc's -fanalyzer find nothing in src/. What is suppressed stands here, with its reason.
set -euo pipefail

cd "$(dirname "$0")/.."
options=(-std=c11 -D_DEFAULT_SOURCE -D_POSIX_C_SOURCE=200809L -DKERNEL_LEVEL=v2 -Isrc -Iinclude)
status=0

# gzip.c: a library fills it through the pointer. npy.c: the loop that reads has as many turns as the one that writes.
# normalise_sums.c: scratch memory that holds first doubles, then reals. kd.c: NULL + offset is not read before the test
# behind it. site.c: the node is in the graph, `site` is only read. classify.c: the limit is checked where the loop ends;
# and a sum with exp(0) in it is not 0.
suppressed=(
    uninitvar:src/format/gzip.c
    uninitvar:src/format/npy.c
    invalidPointerCast:src/kernel/level/normalise_sums.c
    nullPointerArithmeticRedundantCheck:src/knowledge/response/kd.c
    returnDanglingLifetime:src/nn/site.c
    invalidFunctionArg:src/train/metric/classify.c
    arrayIndexThenCheck:src/train/metric/classify.c
)
cppcheck --enable=warning,performance,portability --std=c11 --quiet --error-exitcode=1 -j "$(nproc)" \
    --template='{file}:{line}: {severity}: {message} [{id}]' "${suppressed[@]/#/--suppress=}" \
    "${options[@]:1}" src || status=1

# The version is a text: only its presence matters here. The level kernels are plain loops over arrays, on which the analyser only spends time.
analyse() {
    local file failed=0
    for file in "$@"; do
        gcc -fanalyzer -Werror -O1 -c -o /dev/null $OPTIONS "$file" || failed=1
    done
    return $failed
}
export -f analyse
export OPTIONS="${options[*]} -DRETORT_VERSION=__DATE__ -fopenmp"
find src -name '*.c' -not -path 'src/kernel/level/*' -print0 |
    xargs -0 -P "$(nproc)" -n 10 bash -c 'analyse "$@"' analyse || status=1
exit $status
