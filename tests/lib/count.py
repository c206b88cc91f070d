#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Counts the tests of one suite: `count.py --status N --log FILE HOW BASE`.

BASE.json is a log of `meson test` (an object a line), BASE.xml a JUnit file of pytest; the log of a fuzz run
holds TAP lines. Meson's own JUnit file is not used: it has neither the reasons of skips nor a program
that died after its last good line.

Prints "PASSED FAILED SKIPPED", then a line for each test that failed and for each reason to skip some. A suite that ended
badly without a failed test is a failure, and so is one that ran nothing.
"""
import argparse
import json
import os
import re
import xml.etree.ElementTree as et

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
TAP_LINE = re.compile(r"^(?P<bad>not )?ok\b\s*\d*\s*(?:- )?(?P<name>.*?)"
                      r"(?:\s+#\s*(?P<word>SKIP|TODO)\S*\s*(?P<why>.*))?$", re.IGNORECASE)


def last_line(text):
    return next((line for line in reversed((text or "").splitlines()) if line.strip()), "ran nothing")


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def tap_results(name, text):
    for line in text.splitlines():
        m = TAP_LINE.match(line)
        if not m:
            continue
        test = f"{name}: {m['name']}"
        word = (m["word"] or "").upper()
        if word == "SKIP":
            yield SKIPPED, (test, m["why"] or "no reason given")
        elif word == "TODO" or m["bad"]:
            yield FAILED, test
        else:
            yield PASSED, test


def meson_results(path):
    """A program is one test, or as many as the TAP lines that it wrote."""
    for run in map(json.loads, read(path).splitlines()):
        name, outcome = run["name"], run["result"]
        results = list(tap_results(name, run.get("stdout") or ""))
        yield from results
        if outcome == "SKIP" and not results:
            yield (SKIPPED, (name, last_line(run.get("stdout")))) if run["returncode"] else (FAILED, f"{name}: ran nothing")
        elif outcome in ("OK", "EXPECTEDFAIL") and not results:
            yield PASSED, name
        elif outcome not in ("OK", "EXPECTEDFAIL", "SKIP") and FAILED not in dict(results):
            yield FAILED, f"{name}: {outcome}, exit status {run['returncode']}"


def junit_results(path):
    for case in et.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}".strip(".")
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            yield FAILED, name
        elif skip is not None:
            yield SKIPPED, (name, skip.get("message") or "no reason given")
        else:
            yield PASSED, name


def distro_results(text):
    """tests/run.sh inside another release: its counts, and the names that it gives."""
    counts = re.findall(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", text, re.MULTILINE)
    if not counts:
        return
    passed, failed, skipped = map(int, counts[-1])
    names = re.findall(r"^ +failed: (.*)$", text, re.MULTILINE)
    yield from ((PASSED, "one") for _ in range(passed))
    yield from ((FAILED, names[i] if i < len(names) else "one that the log names") for i in range(failed))
    yield from ((SKIPPED, ("some", "the log has the reasons")) for _ in range(skipped))


def suite_results(how, base, status, log):
    if os.path.exists(base + ".json"):
        results = list(meson_results(base + ".json"))
    elif os.path.exists(base + ".xml"):
        results = list(junit_results(base + ".xml"))
    elif how == "fuzz":
        results = list(tap_results("fuzz", read(log)))
    elif how == "distro" and status != 77:
        results = list(distro_results(read(log)))
    elif how in ("meson", "valgrind", "pytest"):
        results = []
    elif status == 77:
        return [(SKIPPED, ("all", last_line(read(log))))]
    else:
        return [(FAILED if status else PASSED, f"exit status {status}")]
    if status == 124:
        results.append((FAILED, "took too long"))
    elif status and FAILED not in dict(results):
        results.append((FAILED, f"exit status {status}"))
    return results or [(FAILED, "ran nothing")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--status", type=int, required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("how")
    parser.add_argument("base")
    args = parser.parse_args()
    results = suite_results(args.how, args.base, args.status, args.log)
    print(*(sum(kind == k for kind, _ in results) for k in (PASSED, FAILED, SKIPPED)))
    for kind, name in results:
        if kind == FAILED:
            print(f"failed: {name}")
    reasons = {}
    for name, why in (result for kind, result in results if kind == SKIPPED):
        reasons.setdefault(why, []).append(name)
    for why, names in reasons.items():
        print(f"skipped: {names[0]}" + (f" and {len(names) - 1} more" if len(names) > 1 else "") + f": {why}")


if __name__ == "__main__":
    main()
