#!/usr/bin/env bash
# libretort.a and libretort.so have no global name but retort_…, so that they can stand in any program (tests/api
# links one); the sanitised build makes none.
set -euo pipefail

# only_ours ARCHIVE: fails naming the first other symbol.
only_ours() {
    nm -g --defined-only "$1" | awk 'NF == 3 && $3 !~ /^retort_/ { print "global name: " $3; bad = 1 } END { exit bad }'
}

# (grep -q would leave at its first find, and nm, cut off, would fail the pipe.)
if nm -g "$RETORT_BUILD/libretort_api.a" | grep ' U __asan_' >/dev/null; then
    echo "a sanitised build: the rooms are linked as they are"
    [ ! -e "$RETORT_BUILD/libretort.a" ]
    exit 0
fi

only_ours "$RETORT_BUILD/libretort.a"
nm -g --defined-only "$RETORT_BUILD/libretort.a" | grep ' T retort_version$' >/dev/null

# The check can fail.
echo 'void graph_free(void) { }' >planted.c
cc -c planted.c -o planted.o
cp "$RETORT_BUILD/libretort.a" planted.a
ar q planted.a planted.o
if only_ours planted.a >found.txt || ! grep -q 'graph_free' found.txt; then
    echo "a planted global name was not found" >&2
    exit 1
fi

# The shared library shows the same names, all of the header's and no other.
names() {
    awk 'NF == 3 && $2 == "T" { print $3 }' | sort
}
nm -D --defined-only "$RETORT_BUILD/libretort.so" | names >shared.txt
nm -g --defined-only "$RETORT_BUILD/libretort.a" | names >static.txt
[ -s shared.txt ] && diff shared.txt static.txt
