#!/usr/bin/env bash
# The reference of include/retort.h is complete: Doxygen has nothing to warn of, and it says so when it has.
set -euo pipefail

mkdir -p source/docs source/include source/build
cp "$RETORT_SOURCE/docs/Doxyfile" source/docs
cp "$RETORT_SOURCE/include/retort.h" source/include
cd source
doxygen docs/Doxyfile
for name in retort_distill retort_register_method retort_op_log_softmax RETORT_BAD_FILE; do
    grep -q "$name" build/reference/html/retort_8h.html
done
# The text of a list's entry reaches the builder that it declares.
grep -q 'sum e^x over the last axis' build/reference/html/retort_8h.html

sed -i 's|^const char \*retort_version(void);|&\nint retort_undocumented(int which);|' include/retort.h
if doxygen docs/Doxyfile >found.txt 2>&1 || ! grep -q 'retort_undocumented.* is not documented' found.txt; then
    echo "a function without a comment was not found" >&2
    exit 1
fi
