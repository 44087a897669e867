#!/usr/bin/python3
"""methods-doc.py [--check]: writes the reference of all methods into docs/methods.md, between its two marker lines, from what the
program says (`retort list methods`, `retort help method NAME`). --check: writes nothing, fails where the page is another.

The program is build/retort, or RETORT of the environment. Needs no module."""
import difflib
import json
import os
import re
import subprocess
import sys
import textwrap

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = os.path.join(SOURCE, "docs", "methods.md")
PROGRAM = os.environ.get("RETORT", os.path.join(SOURCE, "build", "retort"))
BEGIN = "<!-- from here on made by scripts/methods-doc.py -->"
END = "<!-- up to here made by scripts/methods-doc.py -->"
WIDTH = 120
FAMILIES = {"response": "Response knowledge", "feature": "Feature knowledge", "relation": "Relation knowledge"}


def ask(*words):
    done = subprocess.run([PROGRAM, *words, "--json"], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def wrapped(text):
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def number(value):
    return f"{value:g}" if isinstance(value, float) else str(value)


def reads(entry):
    """"student: map (1 to 16); teacher: …"."""
    words = []
    for item in entry["inputs"]:
        fewest, most = item["min"], item["max"]
        count = "" if fewest == most == 1 else f" ({fewest} to {most})" if fewest != most else f" ({fewest})"
        words.append(f"{item['side']}: {item['role']}{count}")
    return "; ".join(words)


def values(option):
    """Type, default and range of an option."""
    words = option["type"] if option["type"] != "choice" else ", ".join(f"`{value}`" for value in option["values"])
    words += f" ({option['form']})" if "form" in option else ""
    if option["default"] is not None:
        words += f"; default `{number(option['default'])}`"
    if "min" in option:
        words += f"; {'above' if option.get('min_excluded') else 'at least'} {number(option['min'])}"
    if "max" in option:
        words += f", {'below' if option.get('max_excluded') else 'at most'} {number(option['max'])}"
    return words


def paper(text):
    return re.sub(r"arXiv (\d{4}\.\d{4,5})", r"[arXiv \1](https://arxiv.org/abs/\1)", text)


def entry_text(entry):
    name = entry["name"]
    parts = [f"#### {name}", wrapped(f"{entry['summary'][0].upper()}{entry['summary'][1:]}. {entry['when']}"),
             f"```\n{wrapped(entry['formula'])}\n```", wrapped(f"Reads {reads(entry)}.")]
    if entry["options"]:
        rows = [f"| `{option['name']}` | {values(option)} | {option['help']} |" for option in entry["options"]]
        parts.append("\n".join(["| option | values | |", "|---|---|---|"] + rows))
    recipe = f"recipes/methods/{name}.yaml"
    sources = [paper(entry["paper"])] if entry.get("paper") else []
    if os.path.exists(os.path.join(SOURCE, recipe)):
        sources.append(f"Recipe: [{recipe}](../{recipe})")
    if sources:
        parts.append(". ".join(sources) + ".")
    return "\n\n".join(parts)


def reference():
    entries = [ask("help", "method", method["name"]) for method in ask("list", "methods")]
    parts = []
    for family, title in FAMILIES.items():
        members = [entry for entry in entries if entry["family"] == family]
        rows = [f"| [`{entry['name']}`](#{entry['name']}) | {entry['summary']} |" for entry in members]
        parts.append("\n".join([f"### {title}", "", "| method | |", "|---|---|"] + rows))
        parts += [entry_text(entry) for entry in members]
    return "\n\n".join(parts)


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(f"methods-doc.py: expected nothing or --check, found {' '.join(sys.argv[1:])}")
    with open(PAGE, encoding="utf-8") as file:
        before = file.read()
    if before.count(BEGIN) != 1 or before.count(END) != 1 or before.index(BEGIN) > before.index(END):
        sys.exit(f"docs/methods.md: expected one line '{BEGIN}' and after it one '{END}'")
    after = f"{before[:before.index(BEGIN)]}{BEGIN}\n\n{reference()}\n\n{before[before.index(END):]}"
    if sys.argv[1:] == []:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(after)
    elif after != before:
        sys.stdout.writelines(difflib.unified_diff(before.splitlines(True), after.splitlines(True), "docs/methods.md",
                                                   "what the program says"))
        sys.exit("docs/methods.md: expected what the program says of its methods; run scripts/methods-doc.py")


main()
