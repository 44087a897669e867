#!/usr/bin/env bash
# What `make install` puts down can be moved, and an outside program of ten lines builds and runs against it: through
# pkg-config and through CMake, in C and from C++, shared and static. The sanitised builds make no library.
set -euo pipefail

if [ ! -e "$RETORT_BUILD/libretort.a" ]; then
    echo "no library in this build: nothing to install"
    exit 0
fi

cmake --install "$RETORT_BUILD" --prefix "$PWD/prefix" >/dev/null
mkdir moved
mv prefix moved/here
prefix=$PWD/moved/here
pc=$(find "$prefix" -name retort.pc)
library=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH=${pc%/*}

cat >ten.c <<'C'
#include <retort.h>

int main(void)
{
    struct retort_context *context = retort_context_new();
    struct retort_list_params params = retort_list_defaults();
    struct retort_result *result = NULL;
    params.kind = "methods";
    if (retort_list(context, &params, &result) != RETORT_OK)
        return 1;
    printf("%s %s\n", retort_version(), retort_value_text(retort_value_get(retort_result_root(result), "1.name")));
    retort_result_free(result);
    retort_context_free(context);
    return 0;
}
C
# C++ sees the same file, and the parts of the interface for extensions.
cp ten.c ten.cpp
cat >>ten.cpp <<'C'
extern "C" retort_node *build(const retort_method_site *site);
extern "C" retort_node *build(const retort_method_site *site)
{
    return retort_op_mean_all(retort_op_square(retort_op_sub(site->student[0], site->teacher[0])));
}
C
# Names like ours inside are the program's own.
cat >own.c <<'C'
#include <retort.h>

int graph_free(int value);
int graph_free(int value)
{
    return value + 1;
}

int fail(void);
int fail(void)
{
    return 3;
}

int main(void)
{
    return printf("%s kd %d\n", retort_version(), graph_free(fail())) > 0 ? 0 : 1;
}
C

version=$(pkg-config --modversion retort)
flags="-Wall -Wextra -Wpedantic -Werror"
shared=$(pkg-config --cflags --libs retort)
static=$(pkg-config --cflags --libs --static --define-variable=library=-l:libretort.a retort)

# said COMMAND…: it says version and a method, and nothing else.
said() {
    [ "$("$@")" = "$version kd" ] || { echo "$*: expected '$version kd', found '$("$@" || true)'" >&2; exit 1; }
}

# shellcheck disable=SC2086
{
    cc -std=c11 $flags ten.c $shared -o shared-c
    c++ -std=c++11 $flags ten.cpp $shared -o shared-cpp
    cc -std=c11 $flags ten.c $static -o static-c
    c++ -std=c++11 $flags ten.cpp $static -o static-cpp
    cc -std=c11 $flags own.c $static -o static-own
}
# The program that the README shows.
sed -n '/^```c$/,/^```$/p' "$RETORT_SOURCE/README.md" | sed '1d;$d' >readme.c
# shellcheck disable=SC2086
cc -std=c11 $flags readme.c $shared -o readme
if LD_LIBRARY_PATH="$library" ./readme 2>&1 | grep -v 'recipe.yaml'; then
    echo "the README's program: expected a message about recipe.yaml" >&2
    exit 1
fi
said env LD_LIBRARY_PATH="$library" ./shared-c
said env LD_LIBRARY_PATH="$library" ./shared-cpp
said ./static-c
said ./static-cpp
[ "$(./static-own)" = "$version kd 4" ]
readelf -d shared-c | grep -q 'NEEDED.*libretort\.so\.'
if readelf -d static-c | grep 'NEEDED.*libretort' || ./shared-c 2>/dev/null; then
    echo "which program has which library?" >&2
    exit 1
fi

mkdir project
cp ten.c ten.cpp project
cat >project/CMakeLists.txt <<'C'
cmake_minimum_required(VERSION 3.18)
project(ten LANGUAGES C CXX)
find_package(retort 0.1 REQUIRED)
foreach(kind retort static)
    add_executable(${kind}-c ten.c)
    add_executable(${kind}-cpp ten.cpp)
    target_link_libraries(${kind}-c PRIVATE retort::${kind})
    target_link_libraries(${kind}-cpp PRIVATE retort::${kind})
endforeach()
C
cmake -S project -B project/build -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build project/build >/dev/null
for program in retort-c retort-cpp static-c static-cpp; do
    said "project/build/$program"
done
sed -i 's/retort 0.1/retort 9.9/' project/CMakeLists.txt
if cmake -S project -B project/other -DCMAKE_PREFIX_PATH="$prefix" >/dev/null 2>wrong.txt; then
    echo "a version that is not there was found" >&2
    exit 1
fi
grep -q 'version: 0.1.0' wrong.txt

"$prefix/bin/retort" --version | grep -q "$version"
[ "$(find "$prefix/include" -type f | wc -l)" -eq 1 ]
