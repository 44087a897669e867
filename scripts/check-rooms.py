#!/usr/bin/python3
"""check-rooms.py [SOURCE [BUILD]]: holds src/ to src/ROOMS.

Sources: an include names a room that the file's room may see, or a header of the C library, or a header of
an outside library that belongs to the room. Objects (when BUILD is given): each undefined
symbol of a room is defined in a room that it may see, in the C library, or in an outside library of the room's.

Prints FILE:LINE: or ROOM: and what is wrong, one a line; ends with 1 when something is. Needs no module."""
import os
import re
import subprocess
import sys

# The C library: what a room may include as <...> besides its own outside headers.
C11 = """assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic
stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype""".split()
POSIX = """dirent fcntl fnmatch glob libgen poll pthread pwd sched semaphore spawn strings sys/file sys/ioctl sys/mman
sys/resource sys/stat sys/statvfs sys/time sys/types sys/uio sys/utsname sys/wait termios unistd""".split()
SYSTEM = {name + ".h" for name in C11 + POSIX}

# Which shared library stands behind a header prefix of src/ROOMS; None: no library of its own.
LIBRARY = {"jansson": "jansson", "zlib": "z", "spng": "spng", "jpeglib": "jpeg", "yaml": "yaml", "sqlite3": "sqlite3",
           "dnnl": "dnnl", "oneapi": "dnnl", "lapacke": "lapacke", "cblas": "cblas", "omp": "gomp", "immintrin": None,
           "onnx.pb-c": None, "protobuf-c": "protobuf-c", "retort": None}


def read_rooms(path, faults):
    """[(name, rooms it may see, prefixes of outside headers)], bottom first."""
    rooms = []
    for number, line in enumerate(open(path), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        columns = [column.split() for column in line.split(":")]
        if len(columns) != 3 or len(columns[0]) != 1:
            faults.append(f"src/ROOMS:{number}: expected 'room : rooms : header prefixes', found '{line}'")
            continue
        name = columns[0][0]
        above = [room for room, _, _ in rooms]
        if name in above:
            faults.append(f"src/ROOMS:{number}: room {name} stands here twice")
        for other in columns[1]:
            if other not in above:
                faults.append(f"src/ROOMS:{number}: room {name} lists {other}, which is not a room above it")
        rooms.append((name, set(columns[1]), columns[2]))
    return rooms


def without_comments(text):
    """The text with comments blanked and line ends kept; strings are left as they are."""
    pattern = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m[0]) if m[0][0] == "/" else m[0], text)


def check_includes(source, rooms, faults):
    visible = {name: seen for name, seen, _ in rooms}
    owners = [(prefix, name) for name, _, prefixes in rooms for prefix in prefixes]
    for folder in sorted(os.listdir(os.path.join(source, "src"))):
        path = os.path.join(source, "src", folder)
        if os.path.isdir(path) and folder not in visible:
            faults.append(f"src/{folder}: no line of src/ROOMS says what this room may see")
            continue
        for root, _, names in os.walk(path):
            for name in sorted(names):
                if name.endswith((".c", ".h", ".def")):
                    check_file(source, os.path.join(root, name), folder, visible, owners, faults)


def check_file(source, path, room, visible, owners, faults):
    where = os.path.relpath(path, source)
    text = without_comments(open(path, encoding="utf-8").read())
    for number, line in enumerate(text.replace("\\\n", " \n").split("\n"), 1):
        if not re.match(r"\s*(#|%:|\?\?=)\s*(include|import)", line):
            continue

        def fault(what):
            faults.append(f"{where}:{number}: {what}")

        match = re.fullmatch(r'#include ("([^"]*)"|<([^>]*)>)\s*', line)
        if not match:
            fault(f"write an include as '#include \"room/file.h\"' or '#include <header.h>', found '{line.strip()}'")
            continue
        header = match[2] or match[3] or ""
        owner = [name for prefix, name in owners if os.path.basename(header).startswith(prefix)
                 or header.startswith(prefix)]
        if ".." in header.split("/"):
            fault(f"'..' in an include: write '{header}' from src/")
        elif match[2] and "/" in header and header.split("/")[0] in visible:
            other = header.split("/")[0]
            if other != room and other not in visible[room]:
                fault(f"room {room} may not include room {other} ({header})")
            elif not os.path.exists(os.path.join(source, "src", header)):
                fault(f"there is no src/{header}")
        elif owner:
            if room not in owner:
                fault(f"<{header}> belongs to room {' and '.join(owner)} alone")
        elif match[3]:
            if header not in SYSTEM:
                fault(f"<{header}> is neither the C library's nor an outside header of room {room} in src/ROOMS")
        else:
            fault(f"'{header}' is not written from src/ (room/file.h)")


def symbols(*command):
    """({defined}, {undefined}) as nm prints them."""
    defined, undefined = set(), set()
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    for line in out.splitlines():
        words = line.split()
        if len(words) < 2 or len(words[-2]) != 1:
            continue
        name = words[-1].split("@")[0]
        (undefined if words[-2] in "Uvw" else defined).add(name)
    return defined, undefined - defined


def library_symbols(name):
    found = subprocess.run(["gcc", f"-print-file-name={name}"], check=True, stdout=subprocess.PIPE,
                           text=True).stdout.strip()
    if not os.path.isabs(found):
        return set()
    return symbols("nm", *([] if name.endswith(".a") else ["-D"]), "--defined-only", found)[0]


def check_objects(build, rooms, faults):
    needed = {}
    home = {}
    for name, _, _ in rooms:
        archive = os.path.join(build, f"libretort_{name}.a")
        if os.path.exists(archive):
            defined, needed[name] = symbols("nm", "-g", archive)
            for symbol in defined:
                home.setdefault(symbol, set()).add(name)
    if not needed:
        faults.append(f"{build}: no libretort_ROOM.a here; build first")
    system = {"_GLOBAL_OFFSET_TABLE_", "__dso_handle", "_DYNAMIC"}
    for name in ("libc.so.6", "libm.so.6", "libgcc.a", "libc_nonshared.a"):
        system |= library_symbols(name)
    for name, seen, prefixes in rooms:
        outside = set()
        for library in {LIBRARY.get(prefix) for prefix in prefixes} - {None}:
            outside |= library_symbols(f"lib{library}.so")
        for symbol in sorted(needed.get(name, ())):
            homes = home.get(symbol, set())
            if name in homes or homes & seen or symbol in system and not homes:
                continue
            if re.match(r"__(asan|ubsan|lsan|sanitizer)_", symbol):
                continue
            if "retort" in prefixes and "api" in homes and symbol.startswith("retort_"):
                continue
            if homes:
                faults.append(f"{name}: its objects use {symbol} of room {' and '.join(sorted(homes))}, "
                              f"which {name} may not see")
            elif symbol not in outside and symbol not in system:
                faults.append(f"{name}: its objects use {symbol}, which is defined in no room that {name} may see, "
                              "nor in the C library, nor in an outside library of its own")


def main():
    source = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    faults = []
    rooms = read_rooms(os.path.join(source, "src", "ROOMS"), faults)
    check_includes(source, rooms, faults)
    if len(sys.argv) > 2:
        check_objects(sys.argv[2], rooms, faults)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
