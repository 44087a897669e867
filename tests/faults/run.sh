#!/usr/bin/env bash
# run.sh [NAME…]: plants each fault of tests/faults (or the named ones) in a copy of the source, one at a time,
# builds, and demands that a test fails. README.md says how a fault is written.
#
# Prints `fault NAME: caught by TEST` for each and `N of N caught` at the end; status 1 when one was not caught, or
# when a test that caught one fails on the copy without faults as well (it would prove nothing). Only what the tests
# to be run need is built. JOBS: how many compilers and tests run side by side (default: cores).
set -euo pipefail

source=$(cd "$(dirname "$0")/../.." && pwd)
faults="$source/tests/faults"
work=$(mktemp -d "${TMPDIR:-/tmp}/retort-faults.XXXXXX")
trap 'rm -rf "$work"' EXIT
tree="$work/tree"
build="$work/build"
jobs=${JOBS:-$(nproc)}
# The copy lies elsewhere each time, which ccache should not see.
export CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1

names=("$@")
if [ ${#names[@]} -eq 0 ]; then
    for file in "$faults"/*.fault; do
        [ -e "$file" ] || continue
        names+=("$(basename "$file" .fault)")
    done
fi
if [ ${#names[@]} -eq 0 ]; then
    echo "run.sh: there is no fault in $faults" >&2
    exit 1
fi

mkdir "$tree"
(cd "$source" && tar -cf - --exclude='./build*' --exclude=./runs --exclude=./.git .) | tar -xf - -C "$tree"
generator=()
command -v ninja >/dev/null && generator=(-G Ninja)
# Warnings are no errors here: a fault may well leave a variable unused, and it is for the tests to find it.
cmake -S "$tree" -B "$build" "${generator[@]}" -DRETORT_WERROR=OFF >"$work/configure.log"
# make_for REGEX: builds what the tests with such names need: programs in C are targets of the test's name, scripts run
# the program. An empty REGEX: everything.
make_for() {
    local targets=() test
    for test in $([ -z "$1" ] || ctest --test-dir "$build" -N -R "$1" | sed -n 's/^ *Test *#[0-9]*: //p'); do
        grep -qx "$test" "$work/programs" || test=retort
        targets+=(--target "$test")
    done
    cmake --build "$build" -j "$jobs" "${targets[@]}" >"$work/build.log" 2>&1
}
cmake --build "$build" --target help | grep -oE '(^|[ /])test_[a-z0-9_]+' | tr -d ' /' | sort -u >"$work/programs"

# hint_of NAME: which tests come first.
hint_of() {
    sed -n 's/^tests:[[:space:]]*//p' "$faults/$1.fault" | head -1
}
hints=$(for name in "${names[@]}"; do hint_of "$name"; done | sort -u | paste -sd '|')
if ! make_for "$hints"; then
    tail -20 "$work/build.log" >&2
    echo "run.sh: the source without faults does not build" >&2
    exit 1
fi

# run_tests OPTIONS…: cheapest first (the order of registration; ctest would start with what took longest), until one
# fails. The house checks look at how the source is written, not at what it does. Prints the names of failed tests.
run_tests() {
    rm -f "$build/Testing/Temporary/CTestCostData.txt"
    (cd "$build" && ctest -j "$jobs" --stop-on-failure -E '^test_house_' "$@") >"$work/test.log" 2>&1 || true
    if ! grep -qE 'tests passed, [0-9]+ tests failed out of' "$work/test.log" &&
        ! grep -q 'No tests were found' "$work/test.log"; then
        tail -20 "$work/test.log" >&2
        echo "run.sh: ctest did not run" >&2
        return 1
    fi
    sed -n '/^The following tests FAILED:/,$s/^[[:space:]]*[0-9]* - \([^ ]*\) (.*/\1/p' "$work/test.log"
}

caught=0
catching=()
for name in "${names[@]}"; do
    fault="$faults/$name.fault"
    # Kept from the copy: somebody may be at work in the source meanwhile.
    mapfile -t files < <(sed -n 's/^file:[[:space:]]*//p' "$fault" | sort -u)
    tar -cf "$work/kept.tar" -C "$tree" "${files[@]}" 2>"$work/kept.log" || true # apply.py says what is not there
    mapfile -t changed < <(/usr/bin/python3 "$faults/apply.py" "$tree" "$fault")
    if [ ${#changed[@]} -eq 0 ]; then
        echo "fault $name: NOT PLANTED"
    elif hint=$(hint_of "$name") && ! make_for "$hint"; then
        grep -m 3 -E 'error:|FAILED' "$work/build.log" >&2 || true
        echo "fault $name: DOES NOT BUILD"
    else
        failed=""
        [ -z "$hint" ] || failed=$(run_tests -R "$hint")
        [ -n "$failed" ] || { make_for "" && failed=$(run_tests); } || true
        if [ -n "$failed" ]; then
            echo "fault $name: caught by $(echo "$failed" | paste -sd ' ')"
            caught=$((caught + 1))
            while IFS= read -r test; do catching+=("$test"); done <<<"$failed"
        else
            echo "fault $name: NOT CAUGHT"
        fi
    fi
    # Back to the source as it was, with a new date, so that it is built again.
    tar -xmf "$work/kept.tar" -C "$tree"
done

status=0
if [ ${#catching[@]} -gt 0 ]; then
    pattern="^($(printf '%s\n' "${catching[@]}" | sort -u | paste -sd '|'))\$"
    make_for "$pattern"
    wrong=$(run_tests -R "$pattern")
    if [ -n "$wrong" ]; then
        echo "these tests fail without any fault: $(echo "$wrong" | paste -sd ' ')"
        status=1
    fi
fi
echo "$caught of ${#names[@]} caught"
[ "$caught" -eq ${#names[@]} ] || status=1
exit $status
