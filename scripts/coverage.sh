#!/usr/bin/env bash
# coverage.sh [PERCENT]: runs the tests in a build that counts lines, prints the share of each room of src/ that ran, and
# fails below PERCENT (default 90) of all lines. The listing by file is build-coverage/coverage.txt.
set -euo pipefail

cd "$(dirname "$0")/.."
least=${1:-90}
build=build-coverage
generator=()
command -v ninja >/dev/null && generator=(-G Ninja)
cmake -S . -B $build "${generator[@]}" -DRETORT_TESTS=ON -DRETORT_COVERAGE=ON >/dev/null
cmake --build $build -j "$(nproc)"
find $build -name '*.gcda' -delete
# Left out: what looks at the source alone, or at the installed library; pages in a browser, which take time and run no
# line that others do not; runs of every example and recipe. Whether tests pass is for `make check`: here a disk that is full on purpose keeps the
# counters from being written, and the program says so where the tests expect one message.
(cd $build && ctest -j "$(nproc)" -E '^test_house_|^test_report_browser|^test_api_(install|reference)|^test_cli_(list|method_recipes)' >ctest.log 2>&1) || true
/usr/bin/python3 scripts/coverage.py $build $build/trace.json
if ! gcovr --root . --add-tracefile $build/trace.json --txt $build/coverage.txt --fail-under-line "$least" \
    --print-summary | grep '^lines'; then
    echo "coverage.sh: fewer than $least % of the lines of src/ run in tests; see $build/coverage.txt" >&2
    exit 1
fi
