#!/usr/bin/env bash
# libretort.a has no global name but retort_…, so that it can stand in any program; the sanitised build makes none.
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

# A program with names of its own like ours links and runs.
cat >own.c <<'C'
#include <retort.h>
#include <stdio.h>

int fail(void);
int fail(void)
{
    return 3;
}

int main(void)
{
    return printf("%s %d\n", retort_version(), fail()) > 0 ? 0 : 1;
}
C
libraries="-ldnnl -ljansson -lz -lyaml -lsqlite3 -lm -lpthread -fopenmp"
# shellcheck disable=SC2086
cc -std=c11 -I"$RETORT_SOURCE/include" own.c "$RETORT_BUILD/libretort.a" $libraries -o own
./own | grep -q ' 3$'
