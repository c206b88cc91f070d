#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
The second look: `again.py LOGS < ROWS`, with rows of tests/run.sh's table whose suites failed in this run.

Two cores that do the work of five can make a test late that is right. So what failed is run once more, alone, with nothing beside
it. What passes now was unsteady: it is told by name, its first failure stays in the log of its suite, and it is counted as
passed. What fails again has failed. More than MOST failures are no accident and get no second look, nor does a program that died
or hung, a suite in whose log a sanitizer speaks, or one that rolls its own dice: another seed passing tells nothing about the one
that failed.

The last line is the number of tests that passed the second time.
"""
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import count  # noqa: E402

MOST = 3
DICE = {"model", "model-asan"}  # suites of random lives
# What leaks when a test ends in its middle is the test's; the rest is never chance.
FACTS = re.compile(r"ERROR: AddressSanitizer|WARNING: ThreadSanitizer|: runtime error: |exit status -\d|, exit status \d|"
                   r"Segmentation fault|core dumped")


def pytest_id(name):
    """tests.e2e.test_x.test_y[a.b] is tests/e2e/test_x.py::test_y[a.b]"""
    head, bracket, parameter = name.partition("[")
    module, _, test = head.rpartition(".")
    return f"{module.replace('.', '/')}.py::{test}{bracket}{parameter}"


def program(name):
    """holdfast:unit / unit-zone: suite: test: why is the program unit-zone; tests of one program run together."""
    return name.split(": ")[0].split(" / ")[-1]


def failures(logs, name, how):
    base = str(logs / name)
    if how == "meson" and os.path.exists(base + ".json"):
        return [n for kind, n in count.meson_results(base + ".json") if kind == count.FAILED]
    if how == "pytest" and os.path.exists(base + ".xml"):
        return [n for kind, n in count.junit_results(base + ".xml") if kind == count.FAILED]
    return []


def rolls_dice(name):
    """A file of random lives names the variable that its seed can be given in."""
    path = pathlib.Path(pytest_id(name).split("::")[0])
    return path.is_file() and "HF_SEED" in path.read_text(encoding="utf-8")


def is_fact(logs, name):
    return any(FACTS.search((logs / f"{name}.{ending}").read_text(encoding="utf-8", errors="replace")) for ending in ("log", "count"))


def told(logs, name):
    return int((logs / f"{name}.count").read_text(encoding="utf-8").split()[1])


def run_again(logs, row, failed):
    name, folder, how, what = row
    ids = sorted(set(map(pytest_id if how == "pytest" else program, failed)))
    again = f"{name}-again"
    for ending in ("json", "xml"):
        (logs / f"{again}.{ending}").unlink(missing_ok=True)
    with open(logs / f"{again}.log", "wb") as log:
        done = subprocess.run(["bash", "tests/lib/suite.sh", str(logs), again, folder, how, what], stdin=subprocess.DEVNULL,
                              stdout=log, stderr=log, env={**os.environ, "HF_AGAIN": "\n".join(ids)}, check=False)
    left = failures(logs, again, how)
    if done.returncode and not left:
        return failed  # it ended badly
    return [f for f in failed if f in left or (how == "meson" and program(f) in map(program, left))]


def main():
    logs = pathlib.Path(sys.argv[1])
    rows = [line.split(None, 3) for line in sys.stdin.read().splitlines()]
    found = [(row, failures(logs, row[0], row[2])) for row in rows]
    good = 0
    if sum(told(logs, row[0]) for row in rows) > MOST:
        print(f"no second look: more than {MOST} failed")
    else:
        for row, failed in found:
            # What is not a failed test of its own is counted beside them.
            if not failed or row[0] in DICE or len(failed) != told(logs, row[0]) or is_fact(logs, row[0]):
                continue
            failed = [name for name in failed if row[2] != "pytest" or not rolls_dice(name)]
            if not failed:
                continue
            left = run_again(logs, row, failed)
            for name in failed:
                if name in left:
                    print(f"failed twice: {row[0]}: {name}")
                else:
                    print(f"unsteady: {row[0]}: {name}: failed, and passed alone afterwards; see {logs}/{row[0]}.log")
            good += len(failed) - len(left)
    print(good)


if __name__ == "__main__":
    main()
