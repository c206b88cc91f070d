# SPDX-License-Identifier: Apache-2.0
"""A wrong expectation fails, and says where, what was expected, and what is there; README.md names cases that exist."""
import fnmatch
import os
import pathlib
import re
import subprocess

import pytest

BUILD = pathlib.Path(os.environ.get("HF_BUILD", "build"))
HERE = pathlib.Path(__file__).parent
STORY = "source main coder\nstart\nlogin main alice\nsnapshot main alice 1=dev:7=main\n"


def run(folder, line):
    path = folder / "story.txt"
    path.write_text(STORY + line + "\n")
    done = subprocess.run([BUILD / "tests/scenario/runner", path], text=True, capture_output=True)
    return path, done


@pytest.mark.parametrize("line, why", [
    ("expect names 6", "names: expected 6, but there are 3"),
    ("expect held 1", "held: expected 1, but there are 0"),
    ("expect main.dev.me.coder 8",
     "main.dev.me.coder: expected fd60:627a:a42b::8, but it is fd60:627a:a42b::7"),
    ("expect main.dev.me.coder 7 stale", "main.dev.me.coder: expected 'stale', but it is 'live'"),
    ("expect main.dev.me.coder none",
     "main.dev.me.coder: expected 'none', but it is 'an address'"),
    ("expect web.dev.me.coder 7",
     "web.dev.me.coder: expected fd60:627a:a42b::7, but it is none"),
    ("expect ptr 7 dev.coder", "the PTR: expected 'dev.coder', but it is 'main.dev.me.coder'"),
    ("expect history dev.coder removed diff",
     "dev.coder: expected 'removed diff', but it is 'added snapshot'"),
    ("expect seen dev.coder 1h", "dev.coder: expected to be first seen 3600 s ago, but it is 0 s"),
    ("expect log no such words", "expected a line of the log with 'no such words'"),
    ("expect store failed", "the store: expected 'failed', but it is 'ok'"),
    ("snapshot! main alice 1=dev:7=main", "it was accepted ()"),
    ("diff main alice +5:9=x", "it was refused (an agent of an unknown workspace)"),
    ("accept main", "nothing was held"),
    ("frobnicate", "there is no word 'frobnicate'"),
])
def test_what_is_wrong_is_told(tmp_path, line, why):
    path, done = run(tmp_path, line)
    assert done.returncode == 1
    assert done.stdout == f"not ok 1 - {path}:5: {why}\n1..1\n"


def test_what_is_right_passes(tmp_path):
    path, done = run(tmp_path, "expect names 3")
    assert done.returncode == 0
    assert done.stdout == f"ok 1 - {path}\n1..1\n"


def test_a_file_that_is_not_there_fails(tmp_path):
    done = subprocess.run([BUILD / "tests/scenario/runner", tmp_path / "none.txt"], text=True,
                          capture_output=True)
    assert done.returncode == 1 and "cannot be read" in done.stdout


def test_the_table_of_rules_names_cases_that_exist():
    cases = [c.stem for c in (HERE / "cases").glob("*.txt")]
    table = (HERE / "README.md").read_text().split("## Which rule")[1].split("## The model")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    named = {}
    for row in rows:
        for pattern in re.findall(r"`([a-z][\w.*]*)`", row.split("|")[2]):
            named[pattern] = fnmatch.filter(cases, pattern)
    assert len(rows) > 25 and all(named.values()), [p for p in named if not named[p]]
