# SPDX-License-Identifier: Apache-2.0
"""tests/run.sh: the parts of a run are together the whole run, each has the builds that it needs, and what others ask it for is there."""
import pathlib
import subprocess

import pytest

RUN = pathlib.Path(__file__).parents[1] / "run.sh"
ROOTS = subprocess.run([RUN.parent / "distro" / "run.sh", "--list"], capture_output=True, text=True, check=True).stdout


def listed(*args):
    done = subprocess.run([RUN, "--list", *args], capture_output=True, text=True, check=True)
    return [tuple(line.split(None, 4)) for line in done.stdout.splitlines()]


def makes(row):
    return row[3] == "compile" or row[4].split()[0].endswith("/build.sh") if len(row) > 4 else row[3] == "compile"


@pytest.mark.parametrize("mode", ["--quick", "--long", "--coverage", None])
@pytest.mark.parametrize("parts", [1, 2, 3, 7])
def test_parts_are_together_the_whole_and_each_suite_runs_once(mode, parts):
    mode = [mode] if mode else []
    whole = listed(*mode)
    each = [listed(*mode, "--part", f"{n}/{parts}") for n in range(1, parts + 1)]
    assert {row for part in each for row in part} == set(whole)
    assert sorted(row for part in each for row in part if not makes(row)) == sorted(row for row in whole if not makes(row))
    for part in each:
        # All that is made in a folder comes before what runs there, in the order of the table.
        assert [row for row in whole if row in part] == part
        folders = {row[2] for row in part if not makes(row)}
        assert {row for row in whole if makes(row) and row[2] in folders} <= set(part)


def test_no_part_of_a_long_run_has_nearly_all_of_it():
    whole = [row[0] for row in listed("--long")]
    assert all(len(listed("--long", "--part", f"{n}/3")) < 0.7 * len(whole) for n in (1, 2, 3))


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/0", ""])
def test_what_is_no_part_is_refused(text):
    done = subprocess.run([RUN, "--list", "--part", text], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "N/M" in done.stderr


@pytest.mark.parametrize("row", [line for line in ROOTS.splitlines() if not line.startswith("#")])
def test_a_root_is_asked_for_suites_that_a_normal_run_has(row):
    release, *suites = row.replace("|", " ").split()
    assert release and listed(*suites) and {row[0] for row in listed(*suites)} == set(suites)
