"""The table of promises in tests/README.md names tests that are there."""
import pathlib
import re

TESTS = pathlib.Path(__file__).parents[1]


def named():
    rows = [line for line in (TESTS / "README.md").read_text().splitlines() if re.match(r"\| \d+ \|", line)]
    return [(int(row.split("|")[1]), re.findall(r"`([^`]+)`", row)) for row in rows]


def is_there(name):
    if name.startswith("cases/"):
        return (TESTS / "scenario" / name).is_file()
    file, _, test = name.partition("::")
    if file.endswith(".py"):
        path = TESTS / file
        return path.is_file() and (not test or f"def {test}(" in path.read_text())
    room, suite = file.split("/")
    path = TESTS / "unit" / room / f"test_{suite}.c"
    return path.is_file() and f"START_TEST({test})" in path.read_text()


def test_each_promise_has_its_tests():
    rows = named()
    assert [number for number, _ in rows] == list(range(1, 17))
    missing = [name for _, names in rows for name in names if not is_there(name)]
    assert not missing, missing
    assert all(len(names) for _, names in rows)


def test_every_reason_of_a_source_is_explained():
    """docs/unreachable.md has each code of the table."""
    top = pathlib.Path(__file__).resolve().parents[2]
    table = (top / "bridge/stream/problem.h").read_text()
    codes = set(re.findall(r'X\(\w+, \w+, "([a-z-]+)"', table)) - {"none"}
    page = (top / "docs/unreachable.md").read_text()
    missing = {code for code in codes if f"`{code}`" not in page}
    assert codes and not missing, missing
