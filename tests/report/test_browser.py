#!/usr/bin/python3
"""The report in headless Chromium, on a phone and on a desk: no error, nothing overflows, every chart is drawn and
every axis has a title. The pages are those of tests/report/test_page.c's made-up runs."""

import html
import json
import os
import re
import shutil
import subprocess
import sys

PAGES = ["better/report.html", "undecided/report.html", "evil/report.html", "several.html"]
WIDTHS = [390, 1280]

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
  parent.postMessage(JSON.stringify({inner: innerWidth, scroll: root.scrollWidth, wide, charts,
    tables: [...document.querySelectorAll('table')].filter(table => !table.closest('.scroll')).length}), '*');
}, 100));
</script>
"""

# A window of Chromium has a least width of 500 pixels; a frame has none.
FRAME = """<!doctype html><meta charset="utf-8"><style>body{margin:0}iframe{border:0;width:%dpx;height:900px}</style>
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


def browse(chromium, path, width):
    """The page's probe and what was written to the console."""
    with open("frame.html", "w", encoding="utf-8") as file:
        file.write(FRAME % (width, path))
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
               f"--user-data-dir={os.getcwd()}/profile", "--window-size=1400,1000", "--virtual-time-budget=4000",
               "--enable-logging=stderr", "--dump-dom", f"file://{os.getcwd()}/frame.html"]
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
    if seen["tables"]:
        faults.append(f"{seen['tables']} tables without a container that scrolls")
    for chart in seen["charts"]:
        if not chart["drawn"] or not chart["points"]:
            faults.append(f"chart {chart['id']} is empty")
        if len(chart["axes"]) < 2 or not all(chart["axes"]):
            faults.append(f"chart {chart['id']} has an axis without title: {chart['axes']}")
    return faults


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
            check(len(seen["charts"]) == (2 if page == "several.html" else 5),
                  f"{page}: {len(seen['charts'])} charts")
    # The test can fail: an error, a wide element, a chart that is not drawn, an axis without title.
    planted = [
        ("console", lambda text: text.replace("draw();\nmatch", "draw(); undefinedFunction();\nmatch")),
        ("overflows", lambda text: text.replace("<section>", "<section><div style='width:2000px'>x</div>", 1)),
        ("is empty", lambda text: text.replace("drawPairs();\n", "", 1)),
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
