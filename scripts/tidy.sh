#!/usr/bin/env bash
# tidy.sh: clang-tidy (.clang-tidy) finds nothing in src/.
set -euo pipefail

cd "$(dirname "$0")/.."
options=(-std=c11 -D_DEFAULT_SOURCE -D_POSIX_C_SOURCE=200809L "-DRETORT_VERSION=\"0\"" -DKERNEL_LEVEL=v2 -Isrc -Iinclude)
# shellcheck disable=SC2016
find src -name '*.c' -print0 | xargs -0 -r -P "$(nproc)" -n 8 bash -c \
    'n=$1; shift; clang-tidy --quiet --warnings-as-errors="*" "${@:n+1}" -- "${@:1:n}" 2> >(grep -v "warnings\? generated" >&2)' \
    tidy "${#options[@]}" "${options[@]}"
