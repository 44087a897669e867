#!/usr/bin/env python3
"""coverage.py BUILD OUT: which lines of src/ ran, from gcov's counts in BUILD, as a tracefile for gcovr.

gcovr 5 reads gcov's text, trips over branches that were never reached and is slow where one source is compiled many
times; gcov's own JSON has neither trouble. Prints the share of each room."""
import collections
import glob
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor


def lines_of(objects):
    """{file: {line: runs}} of some .gcda files."""
    done = subprocess.run(["gcov", "--json-format", "--stdout", *objects], capture_output=True, check=True)
    found = collections.defaultdict(collections.Counter)
    for document in done.stdout.splitlines():
        if not document.strip():
            continue
        for file in json.loads(document)["files"]:
            path = os.path.relpath(file["file"])
            if path.startswith("src/"):
                for line in file["lines"]:
                    found[path][line["line_number"]] += line["count"]
    return found


def main():
    build, out = sys.argv[1:]
    objects = sorted(glob.glob(f"{build}/CMakeFiles/retort_*.dir/**/*.gcda", recursive=True) +
                     glob.glob(f"{build}/CMakeFiles/kernel_*.dir/**/*.gcda", recursive=True))
    total = collections.defaultdict(collections.Counter)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for part in pool.map(lines_of, [objects[i:i + 20] for i in range(0, len(objects), 20)]):
            for path, lines in part.items():
                total[path].update(lines)

    files, rooms = [], collections.defaultdict(lambda: [0, 0])
    for path, lines in sorted(total.items()):
        files.append({"file": path, "functions": [], "lines": [
            {"branches": [], "count": count, "line_number": number, "gcovr/noncode": False, "gcovr/excluded": False}
            for number, count in sorted(lines.items())]})
        room = rooms[path.split("/")[1]]
        room[0] += sum(count > 0 for count in lines.values())
        room[1] += len(lines)
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"gcovr/format_version": "0.3", "files": files}, file)
    for room, (ran, all_lines) in sorted(rooms.items()):
        print(f"{room:<10} {100 * ran / all_lines:5.1f} % of {all_lines} lines")


main()
