#!/usr/bin/env bash
# The length check passes on the tree and names a file of 501 lines.
set -euo pipefail

check="$RETORT_SOURCE/scripts/check-lengths.sh"
"$check" "$RETORT_SOURCE"
mkdir -p tree/src/base
seq 500 >tree/src/base/fits.c
"$check" tree
seq 501 >tree/src/base/long.c
if "$check" tree >found.txt || ! grep -q 'src/base/long.c: 501 lines' found.txt; then
    echo "a file of 501 lines was not found" >&2
    exit 1
fi
