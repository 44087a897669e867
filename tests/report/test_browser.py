#!/usr/bin/python3
"""The report in headless Chromium, on a phone and on a desk, in the dark and on paper: no error, nothing overflows, every
chart is drawn and every axis has a title; the tables' numbers are the record's, and the temperature moves them. The pages are those of tests/report/test_page.c's made-up runs."""

import html
import json
import math
import os
import re
import shutil
import sqlite3
import struct
import subprocess
import sys

PAGES = ["better/report.html", "undecided/report.html", "evil/report.html", "several.html"]
WIDTHS = [390, 1280]
PAPER = 690  # A4 less its margins
DARK = "--blink-settings=preferredColorScheme=0"
ROLES = ["teacher", "alone", "distilled"]

# Appended to a copy of the page; runs after the page's own script, and tells the frame around it what it saw.
PROBE = """
<script>
window.addEventListener('load', () => setTimeout(() => {
  const root = document.documentElement, wide = [];
  for (const element of document.body.querySelectorAll('*')) {
    if (element.closest('.scroll') || element.closest('pre')) continue;
    const box = element.getBoundingClientRect();
    if (box.width > 0 && (box.right > innerWidth + 0.5 || box.left < -0.5))
      wide.push(element.tagName + '.' + element.className);
  }
  const charts = [...document.querySelectorAll('canvas')].map(canvas => {
    const chart = window.Chart ? Chart.getChart(canvas) : null;
    if (!chart) return {id: canvas.id, drawn: false, axes: []};
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let inked = 0;
    for (let i = 3; i < pixels.length; i += 4) inked += pixels[i] > 0;
    return {id: canvas.id, drawn: inked > 500, points: chart.data.datasets.reduce((n, set) => n + set.data.length, 0),
      axes: Object.values(chart.options.scales).map(scale => scale.title.display ? scale.title.text : '')};
  });
  const cells = () => Object.fromEntries([...document.querySelectorAll('table.matrix')].map(table =>
    [table.id, [...table.tBodies[0].rows].map(row => [...row.querySelectorAll('td')].map(cell => cell.textContent))]));
  const text = id => (document.getElementById(id) || {}).textContent;
  const said = () => ({cells: cells(), temperature: text('temperature'),
    alone: text('divergence-alone'), distilled: text('divergence-distilled')});
  const slider = document.getElementById('temperature-slider'), first = said();
  const shown = slider && getComputedStyle(slider).display !== 'none';
  if (slider) {
    slider.value = 0;
    slider.dispatchEvent(new Event('input'));
  }
  const tables = [...document.querySelectorAll('table')].map(table => table.getBoundingClientRect().right);
  const broken = [...document.images].filter(image => !image.complete || !image.naturalWidth).length;
  parent.postMessage(JSON.stringify({inner: innerWidth, scroll: root.scrollWidth, wide, charts, shown, first,
    moved: said(), right: Math.max(...tables), broken, images: document.images.length,
    paper: getComputedStyle(document.body).backgroundColor,
    tables: [...document.querySelectorAll('table')].filter(table => !table.closest('.scroll')).length}), '*');
}, 100));
</script>
"""

# A window of Chromium has a least width of 500 pixels; a frame has none.
FRAME = """<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light dark"><style>body{margin:0}iframe{border:0;width:%dpx;height:900px}</style>
<script>
addEventListener('message', event => {
  const probe = document.createElement('div');
  probe.id = 'probe';
  probe.textContent = event.data;
  document.body.appendChild(probe);
});
</script>
<iframe src="file://%s"></iframe>
"""

failures = []


def check(fine, what):
    if not fine:
        failures.append(what)
        print("FAIL", what)


def chromium_of():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    sys.exit("test_browser.py: no chromium: install the Debian package chromium, or run scripts/install-deps.sh --check")


def browse(chromium, path, width, *flags):
    """The page's probe and what was written to the console."""
    with open("frame.html", "w", encoding="utf-8") as file:
        file.write(FRAME % (width, path))
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
               f"--user-data-dir={os.getcwd()}/profile", "--window-size=1400,1000", "--virtual-time-budget=4000",
               *flags, "--enable-logging=stderr", "--dump-dom", f"file://{os.getcwd()}/frame.html"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    console = [line for line in ran.stderr.splitlines() if "CONSOLE" in line]
    found = re.search(r'<div id="probe">(.*?)</div>', ran.stdout, re.S)
    if not found:
        sys.exit(f"test_browser.py: {path} at {width} px gave no probe; chromium ended with {ran.returncode}:\n"
                 + "\n".join(console) + "\n" + ran.stderr[-2000:])
    return json.loads(html.unescape(found.group(1))), console


def probed_copy(path, change=lambda text: text):
    with open(path, encoding="utf-8") as file:
        text = change(file.read())
    copy = path.replace(".html", ".probed.html")
    with open(copy, "w", encoding="utf-8") as file:
        file.write(text.replace("</body>", PROBE + "</body>"))
    return os.path.abspath(copy)


def faults_of(seen, console, width):
    """What is wrong with a page, as a list of texts."""
    faults = [f"console: {line}" for line in console]
    if seen["inner"] != width:
        faults.append(f"the page is {seen['inner']} px wide")
    if seen["scroll"] > seen["inner"] or seen["wide"]:
        faults.append(f"overflows: {seen['scroll']} px; {seen['wide'][:5]}")
    if seen["broken"]:
        faults.append(f"{seen['broken']} of {seen['images']} images are broken")
    if seen["tables"]:
        faults.append(f"{seen['tables']} tables without a container that scrolls")
    for chart in seen["charts"]:
        if not chart["drawn"] or not chart["points"]:
            faults.append(f"chart {chart['id']} is empty")
        if len(chart["axes"]) < 2 or not all(chart["axes"]):
            faults.append(f"chart {chart['id']} has an axis without title: {chart['axes']}")
    return faults


class Record:
    """What a made-up run's record holds, read by itself."""

    def __init__(self, folder):
        self.rows = {}
        with sqlite3.connect(os.path.join(folder, "record.sqlite")) as record:
            for stage, name, element, shape, data in record.execute("SELECT stage, name, element, shape, data FROM arrays"):
                letter, size = {"u8": ("B", 1), "i32": ("i", 4), "f32": ("f", 4)}[element]
                values = struct.unpack(f"={len(data) // size}{letter}", data)
                row = int(shape.split(",")[-1])
                self.rows[stage, name] = [values[i:i + row] for i in range(0, len(values), row)]

    def confusion(self, role):
        """[K][K] percentages over the role's stages; None: no samples."""
        stages = [rows for (stage, name), rows in self.rows.items() if name == "confusion" and stage.split("-")[0] == role]
        sums = [[sum(stage[i][j] for stage in stages) for j in range(len(stages[0]))] for i in range(len(stages[0]))]
        return [[100 * n / sum(row) if sum(row) else None for n in row] for row in sums]

    def logits(self, role):
        return self.rows["teacher" if role == "teacher" else f"{role}-0", "class_logits"]

    def labels(self):
        return self.rows["teacher", "class_labels"][0]

    def similarity(self, role, temperature):
        labels, k = self.labels(), len(self.logits(role)[0])
        sums = [[0.0] * k for _ in range(k)]
        for label, row in zip(labels, self.logits(role)):
            for j, p in enumerate(softmax(row, temperature)):
                sums[label][j] += 100 * p / labels.count(label)
        return sums

    def divergence(self, role, temperature):
        total = 0
        for ours, theirs in zip(self.logits(role), self.logits("teacher")):
            q, p = softmax(ours, temperature), softmax(theirs, temperature)
            total += sum(a * math.log(a / b) for a, b in zip(p, q))
        return total / len(self.labels())


def softmax(row, temperature):
    powers = [math.exp(z / temperature) for z in row]
    return [power / sum(powers) for power in powers]


def number(text):
    return None if text == "–" else 0.0 if text == "·" else float(text.replace("−", "-"))


def compare_cells(cells, expected, what):
    """Cells have one decimal."""
    found = [[number(text) for text in row] for row in cells]
    fine = len(found) == len(expected) and all(
        len(a) == len(b) and all(x is y is None or (None not in (x, y) and abs(x - y) < 0.0501) for x, y in zip(a, b))
        for a, b in zip(found, expected))
    check(fine, f"{what}: found {found[:2]}…, expected {expected[:2]}…")


def check_numbers(seen, record, what):
    """The tables against the record, before and after the temperature was moved from 4 to 1."""
    alone, distilled = record.confusion("alone"), record.confusion("distilled")
    for role in ROLES:
        compare_cells(seen["first"]["cells"][f"confusion-{role}"], record.confusion(role), f"{what}: confusion, {role}")
    difference = [[b - a if a is not None else None for a, b in zip(*rows)] for rows in zip(alone, distilled)]
    compare_cells(seen["first"]["cells"]["confusion-difference"], difference, f"{what}: confusion, difference")
    for said, temperature in ((seen["first"], 4), (seen["moved"], 1)):
        check(said["temperature"] == str(temperature), f"{what}: temperature {said['temperature']}, expected {temperature}")
        for role in ROLES:
            compare_cells(said["cells"][f"similarity-{role}"], record.similarity(role, temperature),
                          f"{what}: similarity, {role}, temperature {temperature}")
        for role in ROLES[1:]:
            expected = record.divergence(role, temperature)
            check(abs(float(said[role]) - expected) < 2e-4, f"{what}: divergence, {role}: {said[role]}, expected {expected}")
    check(seen["first"]["cells"]["similarity-teacher"] != seen["moved"]["cells"]["similarity-teacher"],
          f"{what}: the temperature changes the table")


def check_dark_and_paper(chromium, page):
    """In the dark the page is dark; on paper it is light, whole, and without what can only be moved on a screen."""
    seen, console = browse(chromium, probed_copy(page), WIDTHS[0], DARK)
    for fault in faults_of(seen, console, WIDTHS[0]):
        check(False, f"{page} in the dark: {fault}")
    check(seen["paper"] == "rgb(20, 23, 27)", f"{page} in the dark is {seen['paper']}")
    printed = probed_copy(page, lambda text: text.replace("@media print", "@media all").replace(
        "</body>", "<script>dispatchEvent(new Event('beforeprint'))</script></body>"))
    seen, console = browse(chromium, printed, PAPER, DARK)
    for fault in faults_of(seen, console, PAPER):
        check(False, f"{page} on paper: {fault}")
    check(seen["paper"] == "rgb(255, 255, 255)", f"{page} on paper is {seen['paper']}")
    check(seen["shown"] is not True, f"{page} on paper has a slider")
    check(seen["right"] <= PAPER + 0.5, f"{page} on paper: a table ends at {seen['right']} px")
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-pdf-header-footer",
               f"--user-data-dir={os.getcwd()}/profile", "--enable-logging=stderr", f"--print-to-pdf={os.getcwd()}/page.pdf",
               f"file://{os.path.abspath(page)}"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    check("CONSOLE" not in ran.stderr, f"{page} printed: {ran.stderr[-500:]}")
    with open("page.pdf", "rb") as file:
        pages = file.read().count(b"/Type /Page\n")
    check(1 <= pages <= 12, f"{page}: {pages} pages of paper")


def main():
    chromium = chromium_of()
    writer = os.path.join(os.environ["RETORT_BUILD"], "tests", "test_report_page")
    os.mkdir("pages")
    subprocess.run([writer, "--write", "pages"], check=True)
    for page in PAGES:
        path = probed_copy(os.path.join("pages", page))
        for width in WIDTHS:
            seen, console = browse(chromium, path, width)
            for fault in faults_of(seen, console, width):
                check(False, f"{page} at {width} px: {fault}")
            check(len(seen["charts"]) == (3 if page == "several.html" else 6),
                  f"{page}: {len(seen['charts'])} charts")
            if page != "several.html":
                check(seen["shown"], f"{page} at {width} px has no slider")
                check(seen["images"] == 5, f"{page}: {seen['images']} images")
                check_numbers(seen, Record(os.path.dirname(path)), f"{page} at {width} px")
    for page in ("undecided/report.html", "several.html"):
        check_dark_and_paper(chromium, os.path.join("pages", page))
    # The test can fail: an error, a wide element, a chart that is not drawn, an axis without title.
    planted = [
        ("console", lambda text: text.replace("draw();\nmatch", "draw(); undefinedFunction();\nmatch")),
        ("overflows", lambda text: text.replace("<section>", "<section><div style='width:2000px'>x</div>", 1)),
        ("is empty", lambda text: text.replace("drawPairs();\n", "", 1)),
        ("are broken", lambda text: text.replace("data:image/png;base64,iVBORw0K", "data:image/png;base64,aaaaaaaa", 1)),
        ("without title", lambda text: text.replace("axis('Epoch'", "axis(''")),
    ]
    source = os.path.join("pages", PAGES[0])
    for expected, change in planted:
        seen, console = browse(chromium, probed_copy(source, change), WIDTHS[0])
        check(any(expected in fault for fault in faults_of(seen, console, WIDTHS[0])),
              f"a planted fault was not seen: {expected}")
    print(f"{len(PAGES) * len(WIDTHS)} views and {len(planted)} planted faults, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
