# SPDX-License-Identifier: Apache-2.0
"""tests/lib/count.py: whatever way a suite fails, it is counted as failed."""
import json
import pathlib
import subprocess

import pytest

COUNT = pathlib.Path(__file__).with_name("count.py")


def count(tmp_path, how, status=0, log="", **results):
    (tmp_path / "log").write_text(log)
    for ending, text in results.items():
        (tmp_path / f"suite.{ending}").write_text(text)
    done = subprocess.run([COUNT, "--status", str(status), "--log", tmp_path / "log", how, tmp_path / "suite"],
                          capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def meson(stdout, result="OK", status=0):
    return json.dumps({"name": "unit-x", "stdout": stdout, "result": result, "returncode": status}) + "\n"


@pytest.mark.parametrize("log, want", [
    (meson("ok 1 - a\nok 2 - b\n1..2\n"), ["2 0 0"]),
    (meson("ok 1 - a\nnot ok 2 - b: x != y\n", "ERROR", 1), ["1 1 0", "failed: unit-x: b: x != y"]),
    (meson("ok 1 - a # SKIP no rights\n"), ["0 0 1", "skipped: unit-x: a: no rights"]),
    (meson("ok 1 - a # SKIP no rights\nok 2 - b # SKIP no rights\nok 3 - c # SKIP no Go\n"),
     ["0 0 3", "skipped: unit-x: a and 1 more: no rights", "skipped: unit-x: c: no Go"]),
    (meson("ok 1 - a\n", "ERROR", -11), ["1 1 0", "failed: unit-x: ERROR, exit status -11"]),
    (meson("ok 1 - a\n", "TIMEOUT", -15), ["1 1 0", "failed: unit-x: TIMEOUT, exit status -15"]),
    (meson("", "SKIP", 0), ["0 1 0", "failed: unit-x: ran nothing"]),
    (meson("no such device\n", "SKIP", 77), ["0 0 1", "skipped: unit-x: no such device"]),
    (meson("anything\n"), ["1 0 0"]),
    (meson("ok 1 - a\n") + meson("ok 1 - b\nok 2 - c\n"), ["3 0 0"]),
])
def test_meson(tmp_path, log, want):
    assert count(tmp_path, "meson", json=log) == want


JUNIT = """<testsuites><testsuite><testcase classname="a" name="good"/>{}</testsuite></testsuites>"""


@pytest.mark.parametrize("case, want", [
    ("", ["1 0 0"]),
    ('<testcase classname="a" name="b"><failure/></testcase>', ["1 1 0", "failed: a.b"]),
    ('<testcase classname="a" name="b"><error/></testcase>', ["1 1 0", "failed: a.b"]),
    ('<testcase classname="a" name="b"><skipped message="why"/></testcase>', ["1 0 1", "skipped: a.b: why"]),
])
def test_pytest(tmp_path, case, want):
    assert count(tmp_path, "pytest", xml=JUNIT.format(case)) == want


@pytest.mark.parametrize("how, status, log, want", [
    ("command", 0, "", ["1 0 0"]),
    ("command", 1, "", ["0 1 0", "failed: exit status 1"]),
    ("distro", 0, "2 passed, 0 failed, 0 skipped\n3 passed, 0 failed, 1 skipped\n", ["3 0 1", "skipped: some: the log has the reasons"]),
    ("distro", 1, "        failed: x: y\n3 passed, 1 failed, 0 skipped\n", ["3 1 0", "failed: x: y"]),
    ("distro", 1, "it broke\n", ["0 1 0", "failed: exit status 1"]),
    ("distro", 77, "no debootstrap\n", ["0 0 1", "skipped: all: no debootstrap"]),
    ("command", 77, "first\nno rights here\n\n", ["0 0 1", "skipped: all: no rights here"]),
    ("compile", 1, "", ["0 1 0", "failed: exit status 1"]),
    ("meson", 0, "", ["0 1 0", "failed: ran nothing"]),
    ("pytest", 5, "", ["0 1 0", "failed: exit status 5"]),
    ("pytest", 124, "", ["0 1 0", "failed: took too long"]),
    ("fuzz", 0, "ok - name\nok - frame\n", ["2 0 0"]),
    ("fuzz", 1, "ok - name\nnot ok - frame\n", ["1 1 0", "failed: fuzz: frame"]),
    ("fuzz", 0, "", ["0 1 0", "failed: ran nothing"]),
])
def test_a_suite_without_results_is_told_by_its_exit_status(tmp_path, how, status, log, want):
    assert count(tmp_path, how, status, log) == want


def test_a_good_report_does_not_hide_a_bad_end(tmp_path):
    assert count(tmp_path, "pytest", 3, xml=JUNIT.format("")) == ["1 1 0", "failed: exit status 3"]
