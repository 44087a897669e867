"""retort.py: runs the program as a user would, and counts what was not as expected."""
import json
import os
import subprocess
import sys

PROGRAM = os.environ["RETORT"]


class Done:
    def __init__(self, words, done):
        self.words, self.status = words, done.returncode
        self.out, self.err = done.stdout, done.stderr

    def __str__(self):
        return f"retort {' '.join(self.words)}\n  status {self.status}\n  out: {self.out[-600:]}\n  err: {self.err[-1200:]}"

    def document(self):
        """The one JSON document that standard output is."""
        return json.loads(self.out, parse_constant=lambda name: fail(f"{name} is not JSON", self))


def run(*words, **options):
    done = subprocess.run([PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **options)
    return Done(words, done)


failures = []
checks = 0


def fail(what, done=None):
    failures.append(what)
    print(f"FAIL {what}\n{done if done else ''}")


def expect(condition, what, done=None):
    global checks
    checks += 1
    if not condition:
        fail(what, done)


def fails(status, words, *parts, **options):
    """The call ends with this status and one message that holds all parts; nothing on standard output."""
    done = run(*words, **options)
    expect(done.status == status, f"expected status {status}, found {done.status}", done)
    expect(done.out == "", "nothing belongs on standard output", done)
    lines = done.err.splitlines()
    expect(len(lines) == 1, f"expected one message, found {len(lines)} lines", done)
    for part in parts:
        expect(part in done.err, f"expected '{part}' in the message", done)
    return done


def finish():
    print(f"{checks} checks, {len(failures)} failed")
    sys.exit(1 if failures or checks == 0 else 0)
