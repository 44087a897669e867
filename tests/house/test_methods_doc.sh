#!/usr/bin/env bash
# The reference in docs/methods.md is what the program says, and the check finds a page that says something else.
set -euo pipefail

"$RETORT_SOURCE/scripts/methods-doc.py" --check

mkdir -p tree/docs tree/scripts
cp -r "$RETORT_SOURCE/recipes" tree
cp "$RETORT_SOURCE/scripts/methods-doc.py" tree/scripts

# must_fail SED EXPECTED: the check of a page changed so fails, and its output holds EXPECTED.
must_fail() {
    sed "$1" "$RETORT_SOURCE/docs/methods.md" >tree/docs/methods.md
    if tree/scripts/methods-doc.py --check >found.txt 2>&1 || ! grep -qF -- "$2" found.txt; then
        echo "a page changed by '$1' was not found:" >&2
        cat found.txt >&2
        exit 1
    fi
}

must_fail 's/default `4`/default `3`/' 'run scripts/methods-doc.py'
must_fail '/^#### kd$/d' 'run scripts/methods-doc.py'
must_fail '/^<!-- up to here/d' 'expected one line'

# Written anew, the page is the committed one.
sed '/^#### kd$/d' "$RETORT_SOURCE/docs/methods.md" >tree/docs/methods.md
tree/scripts/methods-doc.py
cmp tree/docs/methods.md "$RETORT_SOURCE/docs/methods.md"
