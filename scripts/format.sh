#!/usr/bin/env bash
# format.sh [--check]: formats the C sources by .clang-format, or fails naming the first place that differs.
set -euo pipefail

cd "$(dirname "$0")/.."
mode=-i
[ "${1:-}" != --check ] || mode="--dry-run -Werror --ferror-limit=1"
# shellcheck disable=SC2086
{ find src include tests bench examples -name '*.[ch]' -not -path '*/fixtures/*' -print0 2>/dev/null || true; } |
    xargs -0 -r -P "$(nproc)" -n 16 clang-format $mode
