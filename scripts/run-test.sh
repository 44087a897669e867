#!/usr/bin/env bash
# run-test.sh COMMAND…: runs a test in a fresh temporary folder, removes the folder, passes the status on.
set -euo pipefail

folder=$(mktemp -d "${TMPDIR:-/tmp}/retort-test.XXXXXX")
# A test may have left folders that cannot be written to.
trap 'chmod -R u+rwX "$folder" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
TMPDIR=$folder XDG_CACHE_HOME=$folder/.cache "$@"
