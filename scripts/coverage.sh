#!/usr/bin/env bash
# coverage.sh [PERCENT]: runs the tests in a build that counts lines, prints the coverage of each room of src/, and fails
# below PERCENT (default 90) of all lines. The listing by file is build-coverage/coverage.txt.
set -euo pipefail

cd "$(dirname "$0")/.."
least=${1:-90}
build=build-coverage
generator=()
command -v ninja >/dev/null && generator=(-G Ninja)
cmake -S . -B $build "${generator[@]}" -DRETORT_TESTS=ON -DRETORT_COVERAGE=ON >/dev/null
cmake --build $build -j "$(nproc)"
find $build -name '*.gcda' -delete
# The house checks look at the source, not at what it does; what is killed on purpose loses its counts.
(cd $build && ctest --output-on-failure -j "$(nproc)" -E '^test_house_')
gcovr --root . --object-directory $build --filter 'src/' --exclude-throw-branches --gcov-ignore-parse-errors \
    -j "$(nproc)" --csv $build/coverage.csv --txt $build/coverage.txt --fail-under-line "$least" --print-summary >$build/summary.txt ||
    status=$?
awk -F, 'NR > 1 { split($1, part, "/"); lines[part[2]] += $2; covered[part[2]] += $3 }
    END { for (room in lines) printf "%-10s %5.1f %% of %d lines\n", room, 100 * covered[room] / lines[room], lines[room] }' \
    $build/coverage.csv | sort
grep '^lines' $build/summary.txt
if [ "${status:-0}" -ne 0 ]; then
    echo "coverage.sh: fewer than $least % of the lines of src/ run in tests; see $build/coverage.txt" >&2
    exit 1
fi
