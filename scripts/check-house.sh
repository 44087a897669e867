#!/usr/bin/env bash
# check-house.sh: the checks that need no build, all of them also after one failed: rooms, lengths, format, scripts,
# clang's warnings, clang-tidy, cppcheck and gcc's analyser.
set -uo pipefail

cd "$(dirname "$0")/.." || exit 1
failed=0
for check in "check-rooms.py" "check-lengths.sh" "check-shell.sh" "format.sh --check" "check-clang.sh" "tidy.sh" "analyse.sh"; do
    # shellcheck disable=SC2086
    if scripts/$check; then
        echo "ok      scripts/$check"
    else
        echo "FAILED  scripts/$check"
        failed=$((failed + 1))
    fi
done
[ "$failed" -eq 0 ]
