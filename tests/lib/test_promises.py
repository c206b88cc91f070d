# SPDX-License-Identifier: Apache-2.0
"""The tables of promises and of faults in tests/README.md name tests that are there."""
import pathlib
import re

TESTS = pathlib.Path(__file__).parents[1]


def named(heading):
    section = (TESTS / "README.md").read_text().split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if re.match(r"\| \d+ \|", line)]
    return [(int(row.split("|")[1]), re.findall(r"`([^`]+)`", row)) for row in rows]


def is_there(name):
    if name.startswith("cases/"):
        return (TESTS / "scenario" / name).is_file()
    file, _, test = name.partition("::")
    if file.endswith(".sh"):
        return (TESTS / file).is_file()
    if file.endswith(".py"):
        path = TESTS / file
        return path.is_file() and (not test or f"def {test}(" in path.read_text())
    room, suite = file.split("/")
    path = TESTS / "unit" / room / f"test_{suite}.c"
    return path.is_file() and f"START_TEST({test})" in path.read_text()


# Zone transfers are not built, and so is no secondary.
NOT_BUILT = {50}


def check(heading, last, without=()):
    rows = named(heading)
    assert [number for number, _ in rows] == list(range(1, last + 1))
    missing = [name for _, names in rows for name in names if not is_there(name)]
    assert not missing, missing
    assert {number for number, names in rows if not names} == set(without)


def test_each_promise_has_its_tests():
    check("What Holdfast promises", 17)


def test_each_fault_has_its_tests():
    check("The faults that it survives", 51, NOT_BUILT)


def test_a_test_that_has_the_number_of_a_fault_is_in_its_row():
    rows = dict(named("The faults that it survives"))
    for file in "e2e/test_faults.py", "e2e/test_rights.py", "e2e/test_fresh.py", "e2e/test_upgrade.py", "chaos/test_world.py":
        for number, rest in re.findall(r"^def test_(\d+)_(\w+)", (TESTS / file).read_text(), re.MULTILINE):
            if (TESTS / file).read_text().count(f"def test_{number}_") == 1:
                assert f"{file}::test_{number}_{rest}" in rows[int(number)], (file, number)


def test_every_reason_of_a_source_is_explained():
    """docs/unreachable.md has each code of the table."""
    top = pathlib.Path(__file__).resolve().parents[2]
    table = (top / "bridge/stream/wire/problem.h").read_text()
    codes = set(re.findall(r'X\(\w+, \w+, "([a-z-]+)"', table)) - {"none"}
    page = (top / "docs/unreachable.md").read_text()
    missing = {code for code in codes if f"`{code}`" not in page}
    assert codes and not missing, missing
