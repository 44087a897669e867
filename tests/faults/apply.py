#!/usr/bin/python3
"""apply.py TREE FILE.fault: plants the fault in TREE and prints the files that it changed, one a line.

Refuses a block that does not stand exactly once in its file. README.md has the form."""
import os
import sys


def blocks_of(path):
    """[(file, old, new)] of a .fault file."""
    blocks, file, part = [], None, None
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        if part is None and line.startswith("file:"):
            file = line[len("file:"):].strip()
        elif line.rstrip() == "<<<<" and part is None:
            part, old, new = "old", [], []
        elif line.rstrip() == "====" and part == "old":
            part = "new"
        elif line.rstrip() == ">>>>" and part == "new":
            if not file:
                sys.exit(f"{path}:{number}: a block before any 'file:'")
            blocks.append((file, "".join(old), "".join(new)))
            part = None
        elif part:
            (old if part == "old" else new).append(line)
    if part or not blocks:
        sys.exit(f"{path}: expected blocks of <<<< old ==== new >>>>")
    return blocks


def main():
    tree, path = sys.argv[1:]
    changed = []
    for file, old, new in blocks_of(path):
        where = os.path.join(tree, file)
        if not os.path.exists(where):
            sys.exit(f"{path}: there is no {file}")
        text = open(where, encoding="utf-8").read()
        found = text.count(old) if old else 0
        if found != 1 or old == new:
            sys.exit(f"{path}: the block must stand exactly once in {file} and change it; it stands there {found} times")
        with open(where, "w", encoding="utf-8") as out:
            out.write(text.replace(old, new))
        if file not in changed:
            changed.append(file)
    print("\n".join(changed))


if __name__ == "__main__":
    main()
