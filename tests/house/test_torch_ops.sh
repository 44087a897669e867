#!/usr/bin/env bash
# Every op of ops.def is said in PyTorch's words in bench/torch_ops.py, or is named there as one that PyTorch lacks; and
# the check finds a name that is missing. The numbers are bench/parity.py --ops's business.
set -euo pipefail

names=$(sed -n 's/^OP(\([a-z0-9_]*\)).*/\1/p' "$RETORT_SOURCE/src/graph/ops.def")
[ "$(echo "$names" | wc -l)" -ge 40 ] || {
    echo "expected at least 40 ops in src/graph/ops.def, found: $names"
    exit 1
}
missing() { # LIST: those that torch_ops.py does not name
    local name
    for name in $1; do
        grep -q "\"$name\"" "$RETORT_SOURCE/bench/torch_ops.py" || echo "$name"
    done
}
found=$(missing "$names")
if [ -n "$found" ]; then
    echo "bench/torch_ops.py has neither an expression nor a reason for:" "$found"
    exit 1
fi
[ "$(missing "no_such_op")" = no_such_op ] || {
    echo "a missing op is not found"
    exit 1
}
