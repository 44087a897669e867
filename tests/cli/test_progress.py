#!/usr/bin/python3
"""Progress: on a terminal a line for each running stage, redrawn and never wider than the terminal; elsewhere plain lines."""
import fcntl
import os
import pty
import re
import struct
import sys
import termios

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import PROGRAM, expect, finish, run  # noqa: E402


def on_terminal(words, columns):
    """(exit status, all that was written to a terminal of this width)."""
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.environ.pop("NO_COLOR", None)
        os.execve(PROGRAM, [PROGRAM, *words], dict(os.environ, TERM="xterm"))
    written = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        written += piece
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), written.decode()


def main():
    with open("recipe.yaml", "w", encoding="utf-8") as file:
        file.write(f"data: {small_data.make()}\n"
                   "teacher: {network: {name: mlp, widths: [16]}, train: {epochs: 3, batch: 32}}\n"
                   "student: {network: {name: mlp, widths: [8]}, train: {epochs: 3, batch: 32}}\nseeds: [0]\n")
    for columns in (30, 60, 120):
        status, text = on_terminal(["distill", "recipe.yaml", "-o", f"run{columns}"], columns)
        expect(status == 0, f"status {status}: {text}")
        bars = re.findall(r"\033\[36m(.*?)\033\[0m", text)
        expect(len(bars) > 5 and all(len(bar) < columns for bar in bars), f"{columns}: {max(map(len, bars), default=0)} wide")
        shares = {share for bar in bars for share in re.findall(r"(\d+)%", bar)}
        expect(len(shares) >= 2 and "\033[1A" in text, f"a bar is redrawn as it grows: {shares}")
        expect(columns < 60 or any(" left" in bar for bar in bars), "time left")
        expect(columns < 120 or any("loss" in bar and "samples/s" in bar and "epoch" in bar for bar in bars), "figures")
        for stage in ("teacher", "alone-0", "distilled-0"):
            expect(re.search(rf"{stage}: .*, done", text), f"{stage} stays when it is done")
        expect("verdict" in text.split("done")[-1], "the table comes last")
    status, text = on_terminal(["distill", "recipe.yaml", "-o", "plain", "--no-color"], 100)
    expect(status == 0 and "\033[36m" not in text and "\033[1A" in text, "--no-color: a bar without colours")
    status, text = on_terminal(["distill", "recipe.yaml", "-o", "quiet", "--quiet"], 100)
    expect(status == 0 and "\033" not in text and text.startswith("stage"), "--quiet: the table alone")
    done = run("distill", "recipe.yaml", "-o", "piped")
    lines = done.err.splitlines()
    for stage in ("teacher", "alone-0", "distilled-0"):
        expect(len([line for line in lines if line.startswith(f"{stage}: ")]) == 3, f"{stage}: a line an epoch", done)
    expect("\033" not in done.err, "no escapes in a file", done)
    finish()


main()
