#!/usr/bin/env bash
# check-lengths.sh [SOURCE]: a file of src/ over 500 lines does more than one thing; names each and fails.
set -euo pipefail

source=${1:-$(dirname "$0")/..}
long=$(find "$source/src" -type f \( -name '*.c' -o -name '*.h' -o -name '*.def' \) -exec wc -l {} + |
    awk '$2 != "total" && $1 > 500 { print $2 ": " $1 " lines; at most 500: split it into files of one thing each" }')
if [ -n "$long" ]; then
    echo "$long"
    exit 1
fi
