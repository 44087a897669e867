#!/usr/bin/env bash
# The room check passes on the tree and its objects, and fails, naming the place, on one planted fault of each kind.
set -euo pipefail

check="$RETORT_SOURCE/scripts/check-rooms.py"
/usr/bin/python3 "$check" "$RETORT_SOURCE" "$RETORT_BUILD"

mkdir -p pure/src build
cp -r "$RETORT_SOURCE/src/." pure/src
cp "$RETORT_BUILD"/libretort_*.a build
mkdir -p pure/src/tensor pure/src/cli
planted=0

# must_fail EXPECTED-START [BUILD]: the check on ./tree prints a line that starts so.
must_fail() {
    if /usr/bin/python3 "$check" tree ${2:+"$2"} >found.txt 2>&1; then
        echo "not found: $1" >&2
        exit 1
    fi
    if ! grep -qF -- "$1" found.txt; then
        echo "expected a line with '$1', found:" >&2
        cat found.txt >&2
        exit 1
    fi
    planted=$((planted + 1))
}

# plant FILE LINE EXPECTED: the tree with one file more that holds LINE.
plant() {
    rm -rf tree
    cp -r pure tree
    mkdir -p "tree/$(dirname "$1")"
    printf '%s\n' "$2" >"tree/$1"
    must_fail "$3"
}

plant src/tensor/planted.c '#include "graph/planted.h"' 'src/tensor/planted.c:1: room tensor may not include room graph'
plant src/tensor/planted.h '#include "../base/status.h"' "src/tensor/planted.h:1: '..' in an include"
plant src/tensor/planted.c '#include <../tensor/shape.h>' "src/tensor/planted.c:1: '..' in an include"
plant src/tensor/planted.c '# include "base/status.h"' 'src/tensor/planted.c:1: write an include as'
plant src/tensor/planted.c '/* */ #include "base/status.h"' 'src/tensor/planted.c:1: write an include as'
plant src/tensor/planted.c '#include HEADER' 'src/tensor/planted.c:1: write an include as'
plant src/tensor/planted.c '#include_next <stdio.h>' 'src/tensor/planted.c:1: write an include as'
plant src/tensor/planted.def '#include "shape.h"' "src/tensor/planted.def:1: 'shape.h' is not written from src/"
plant src/tensor/planted.c '#include "base/nowhere.h"' 'src/tensor/planted.c:1: there is no src/base/nowhere.h'
plant src/tensor/planted.c '#include <sqlite3.h>' 'src/tensor/planted.c:1: <sqlite3.h> belongs to room record alone'
plant src/graph/planted.c '#include <oneapi/dnnl/dnnl.h>' 'src/graph/planted.c:1: <oneapi/dnnl/dnnl.h> belongs to room kernel'
plant src/base/planted.c '#include "zlib.h"' 'src/base/planted.c:1: <zlib.h> belongs to room format alone'
plant src/base/planted.c '#include <curl/curl.h>' 'src/base/planted.c:1: <curl/curl.h> is neither'
plant src/cli/planted.c '#include "base/status.h"' 'src/cli/planted.c:1: room cli may not include room base'
plant src/base/planted.c '#include <retort.h>' 'src/base/planted.c:1: <retort.h> belongs to room api and cli alone'
plant src/attic/planted.c '#include <stdio.h>' 'src/attic: no line of src/ROOMS'
plant src/ROOMS 'base : tensor :' 'src/ROOMS:1: room base lists tensor, which is not a room above it'
plant src/ROOMS 'base tensor' "src/ROOMS:1: expected 'room : rooms : header prefixes'"
plant src/ROOMS "$(printf 'base : :\nbase : :')" 'src/ROOMS:2: room base stands here twice'

# plant_object ROOM CODE EXPECTED: the room's archive with one object more, which names no header.
plant_object() {
    rm -rf tree
    cp -r pure tree
    printf '%s\n' "$2" >planted.c
    cc -c planted.c -o planted.o
    cp "build/libretort_$1.a" kept.a
    ar q "build/libretort_$1.a" planted.o
    must_fail "$3" build
    mv kept.a "build/libretort_$1.a"
}

[ -e build/libretort_base.a ]
below=$(nm -g --defined-only build/libretort_tensor.a | awk '$2 == "T" { print $3; exit }')
plant_object base "void $below(void); void planted(void) { $below(); }" \
    "base: its objects use $below of room tensor, which base may not see"
plant_object tensor 'int sqlite3_libversion_number(void); int planted(void) { return sqlite3_libversion_number(); }' \
    'tensor: its objects use sqlite3_libversion_number, which is defined in no room'
plant_object tensor 'int nowhere(void); int planted(void) { return nowhere(); }' 'tensor: its objects use nowhere,'

echo "$planted planted faults found"
