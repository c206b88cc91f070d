# SPDX-License-Identifier: Apache-2.0
"""tests/lib/again.py: what failed by chance is told and counted as passed, and a fault stays a failure."""
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent
TOP = HERE.parents[1]

# The first time "once" fails and "always" as well; later only "always".
TESTS = """
import pathlib
import pytest

@pytest.mark.parametrize("how", ["a.b", "c d"])
def test_once(how):
    seen = pathlib.Path("seen-" + how[0])
    was = seen.exists()
    seen.touch()
    assert was

def test_good():
    pathlib.Path("good").open("a").write("x")

def test_always():
    assert not pathlib.Path("broken").exists(), pathlib.Path("broken").read_text()
"""

PROJECT = """
project('p', 'c')
test('unit-a', find_program('./once.sh'), suite: 'unit', protocol: 'tap')
test('unit-b', find_program('./good.sh'), suite: 'unit', protocol: 'tap')
"""
ONCE = "#!/bin/sh\n[ -e seen ] && echo 'ok 1 - x' || { touch seen; echo 'not ok 1 - x: late'; }\necho 1..1\n"
GOOD = "#!/bin/sh\necho x >>good\necho 'ok 1 - y'\necho 1..1\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "tests").symlink_to(TOP / "tests")
    (tmp_path / "logs").mkdir()
    (tmp_path / "timed").mkdir()
    (tmp_path / "timed" / "test_it.py").write_text(TESTS)
    (tmp_path / "meson.build").write_text(PROJECT)
    for name, text in ("once.sh", ONCE), ("good.sh", GOOD):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def suite(folder, name, how, what):
    """As tests/run.sh does it: its log, its results and its count."""
    with open(folder / "logs" / f"{name}.log", "wb") as log:
        status = subprocess.run(["bash", HERE / "suite.sh", "logs", name, "build", how, what], stdout=log, stderr=log,
                                timeout=120, check=False).returncode
    with open(folder / "logs" / f"{name}.count", "wb") as counted:
        subprocess.run([HERE / "count.py", "--status", str(status), "--log", f"logs/{name}.log", how, f"logs/{name}"],
                       stdout=counted, check=True)
    return f"{name} build {how} {what}\n"


def again(rows):
    done = subprocess.run([HERE / "again.py", "logs"], input=rows, capture_output=True, text=True, timeout=120, check=True)
    *said, good = done.stdout.splitlines()
    return said, int(good)


def test_what_passes_alone_is_told_and_is_no_failure(folder):
    said, good = again(suite(folder, "e2e", "pytest", "timed"))
    assert good == 2
    assert [line.split(":")[2].strip() for line in said if line.startswith("unsteady: e2e")] == [
        "timed.test_it.test_once[a.b]", "timed.test_it.test_once[c d]"]
    assert (folder / "good").read_text() == "x"  # what was right was not run again


def test_what_fails_again_has_failed(folder):
    (folder / "broken").write_text("really")
    said, good = again(suite(folder, "e2e", "pytest", "timed"))
    assert good == 2 and "failed twice: e2e: timed.test_it.test_always" in said


def test_a_program_is_run_again_without_its_neighbours(folder):
    subprocess.run(["meson", "setup", "build"], check=True, capture_output=True)
    said, good = again(suite(folder, "unit", "meson", "unit:1"))
    assert good == 1 and said[0].startswith("unsteady: unit: unit-a: x: late")
    assert (folder / "build/good").read_text() == "x\n"


def test_many_failures_are_no_accident(folder):
    (folder / "broken").write_text("really")
    rows = suite(folder, "e2e", "pytest", "timed")
    for seen in folder.glob("seen-*"):
        seen.unlink()
    said, good = again(rows + suite(folder, "chaos", "pytest", "timed"))
    assert good == 0 and said == ["no second look: more than 3 failed"]


@pytest.mark.parametrize("name, word", [("model", "late"), ("e2e", "ERROR: AddressSanitizer: heap-use-after-free"),
                                        ("e2e", "WARNING: ThreadSanitizer: data race"), ("e2e", "x.c:3:1: runtime error: index 3"),
                                        ("e2e", "the bridge ended with exit status -11")])
def test_what_no_chance_explains_gets_no_second_look(folder, name, word):
    rows = suite(folder, name, "pytest", "timed")
    with open(folder / "logs" / f"{name}.log", "a", encoding="utf-8") as log:
        log.write(word + "\n")
    assert again(rows) == ([], 0)


def test_a_random_life_gets_no_second_look_whatever_suite_it_is_in(folder):
    with open(folder / "timed" / "test_it.py", "a", encoding="utf-8") as file:
        file.write("# HF_SEED=N repeats it\n")
    assert again(suite(folder, "chaos", "pytest", "timed")) == ([], 0)


def test_a_suite_that_hung_gets_no_second_look(folder):
    row = suite(folder, "e2e", "pytest", "timed")
    counted = (folder / "logs" / "e2e.count").read_text().splitlines()
    counted[0] = "1 3 0"
    (folder / "logs" / "e2e.count").write_text("\n".join([*counted, "failed: took too long"]))
    assert again(row) == ([], 0)
