#!/usr/bin/env bash
# check-shell.sh: every shell script can be parsed, and every Python script too.
set -euo pipefail

cd "$(dirname "$0")/.."
find_scripts() {
    find .ci scripts tests bench examples -type f "$@" -print0 2>/dev/null || true # a folder may not be there yet
}

while IFS= read -r -d '' file; do
    bash -n "$file"
done < <(find_scripts '(' -name '*.sh' -o -path .ci/run ')')
find_scripts -name '*.py' | xargs -0 -r -n 1 /usr/bin/python3 -c \
    'import sys; compile(open(sys.argv[1], encoding="utf-8").read(), sys.argv[1], "exec")'
