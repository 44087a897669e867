#!/usr/bin/env bash
# analyse.sh: cppcheck and gcc's -fanalyzer find nothing in src/. What is suppressed stands here, with its reason.
set -euo pipefail

cd "$(dirname "$0")/.."
options=(-D_DEFAULT_SOURCE -D_POSIX_C_SOURCE=200809L -DKERNEL_LEVEL=v2 -Isrc -Iinclude)
status=0

# arrayIndexThenCheck: takes the rule for ties (`equal and i < label`) for a check of the index. gzip.c: a library fills
# it through the pointer. npy.c: the loop that reads has as many turns as the one that writes. normalise_sums.c: scratch
# memory that holds first doubles, then reals. kd.c: NULL + offset is not read before the test behind it. site.c,
# table.c: the site that made a node is only read, and not kept. classify.c: a sum with exp(0) in it is not 0.
suppressed=(
    arrayIndexThenCheck
    uninitvar:src/format/gzip.c
    uninitvar:src/format/npy.c
    invalidPointerCast:src/kernel/level/normalise_sums.c
    nullPointerArithmeticRedundantCheck:src/knowledge/response/kd.c
    returnDanglingLifetime:src/nn/site.c
    returnDanglingLifetime:src/knowledge/table.c
    invalidFunctionArg:src/train/metric/classify.c
)
cppcheck --enable=warning,performance,portability --std=c11 --quiet --error-exitcode=1 -j "$(nproc)" \
    --template='{file}:{line}: {severity}: {message} [{id}]' "${suppressed[@]/#/--suppress=}" "${options[@]}" src ||
    status=1

# gcc sees one file at a time: it does not know that a function that returns NULL has recorded an error, and goes on
# behind `return ctx->error.status` as if that could be STATUS_OK. So null-dereference and null-argument are left out.
# OpenMP, which it does not understand, is off. Level kernels are plain loops, on which it would only spend time.
analysed=(-std=c11 -O1 -fanalyzer -Werror -Wno-analyzer-null-dereference -Wno-analyzer-null-argument "${options[@]}")
find src -name '*.c' -not -path 'src/kernel/level/*' -print0 | xargs -0 -P "$(nproc)" -n 1 \
    gcc "${analysed[@]}" '-DRETORT_VERSION="0"' -c -o /dev/null || status=1
exit $status
