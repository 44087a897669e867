#!/usr/bin/env bash
# install-deps.sh [--demo|--check|--bench|--all]: installs the Debian packages that Retort needs.
#
#   --demo   build and run (the default): compiler, libraries, the Fashion-MNIST images
#   --check  the same and what the tests use
#   --bench  the same and the peers that benchmarks compare with
#   --all    everything
#
# Asks no question, and calls apt only when a package is missing. Not root: uses sudo.
set -euo pipefail

build="build-essential cmake ninja-build pkg-config libdnnl-dev liblapacke-dev libyaml-dev libjansson-dev libsqlite3-dev zlib1g-dev libjs-chart.js"
data="dataset-fashion-mnist"
check="clang clang-format clang-tidy libclang-rt-14-dev libcmocka-dev python3 python3-numpy sqlite3 chromium doxygen cppcheck gcovr"
bench="python3-torch python3-venv python3-yaml"

case "${1:---demo}" in
--demo) wanted="$build $data" ;;
--check) wanted="$build $data $check" ;;
--bench) wanted="$build $data $bench python3 python3-numpy" ;;
--all) wanted="$build $data $check $bench" ;;
*)
    echo "install-deps.sh: unknown option '$1'; expected --demo, --check, --bench or --all" >&2
    exit 2
    ;;
esac

missing=""
for package in $wanted; do
    if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
        missing="$missing $package"
    fi
done
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "install-deps.sh: these packages are missing, and there is no apt-get to install them:$missing" >&2
    exit 1
fi
sudo=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "install-deps.sh: run as root, or install sudo; missing packages:$missing" >&2
        exit 1
    fi
    sudo=sudo
fi
echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get -o DPkg::Lock::Timeout=300 update -qq
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $missing >/dev/null
