# SPDX-License-Identifier: Apache-2.0
"""tests/lib/suite.sh: what a build folder lacks is noticed, and tests that are not built are not silently absent."""
import json
import os
import pathlib
import subprocess

import pytest

SUITE = pathlib.Path(__file__).with_name("suite.sh")
TOP = SUITE.parents[2]

# As meson.build and tests/unit/meson.build of the project do it.
PROJECT = """
project('p', 'c')
check = dependency('holdfast-check-of-a-test', required: false)
if check.found()
  test('unit-a', find_program('printf'), args: ['ok 1 - x\\nok 2 - y\\n1..2\\n'], suite: 'unit', protocol: 'tap')
else
  test('unit-not-built', find_program('sh'), args: ['-c', 'echo "Check was missing"; exit 77'], suite: 'unit')
endif
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "meson.build").write_text(PROJECT)
    (tmp_path / "tests").symlink_to(TOP / "tests")
    (tmp_path / "pc").mkdir()
    (tmp_path / "logs").mkdir()
    (tmp_path / "bin").mkdir()
    # Whether "check" is there: the one that the project asks for is.
    pkg_config = tmp_path / "bin" / "pkg-config"
    pkg_config.write_text('#!/bin/sh\n[ "$*" = "--exists check" ] && set -- --exists holdfast-check-of-a-test\nexec /usr/bin/pkg-config "$@"\n')
    pkg_config.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("PKG_CONFIG_PATH", str(tmp_path / "pc"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def install_check(folder):
    (folder / "pc" / "holdfast-check-of-a-test.pc").write_text("Name: x\nDescription: x\nVersion: 1\nLibs:\nCflags:\n")


def run(folder, how, what=""):
    done = subprocess.run(["bash", SUITE, folder / "logs", "it", "build", how, what], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def names(folder):
    return [json.loads(line)["name"].split()[-1] for line in (folder / "logs" / "it.json").read_text().splitlines()]


def test_a_folder_that_was_set_up_before_check_was_installed_gets_its_unit_tests(folder):
    assert run(folder, "compile")[0] == 0
    assert run(folder, "meson", "unit:2")[0] == 0 and names(folder) == ["unit-not-built"]  # which counts as skipped
    assert "set up again" not in run(folder, "compile")[1]
    install_check(folder)
    status, said = run(folder, "compile")
    assert status == 0 and "set up again" in said, said
    assert run(folder, "meson", "unit:2")[0] == 0 and names(folder) == ["unit-a"]


def test_only_what_a_suite_runs_is_built_where_that_is_asked_for(folder):
    (folder / "main.c").write_text("int main(void) { return 0; }\n")
    with open(folder / "meson.build", "a", encoding="utf-8") as f:
        for name, suite in ("one", "threads"), ("two", "threads"), ("three", "other"), ("four", "other"):
            f.write(f"test('{name}', executable('{name}', 'main.c'), suite: '{suite}')\n")
    assert run(folder, "compile", "suite:threads four")[0] == 0
    assert [name for name in ("one", "two", "three", "four") if (folder / "build" / name).exists()] == ["one", "two", "four"]
    assert run(folder, "compile")[0] == 0 and (folder / "build" / "three").exists()


def test_fewer_tests_than_there_must_be_is_a_failure(folder):
    install_check(folder)
    assert run(folder, "compile")[0] == 0
    status, said = run(folder, "meson", "unit:3")
    assert status != 0 and "only 2 tests of suite unit passed, of at least 3" in said, said


def test_warnings_are_errors_also_in_a_folder_of_somebody_else(folder):
    install_check(folder)
    subprocess.run(["meson", "setup", "build"], check=True, capture_output=True)
    assert run(folder, "compile")[0] == 0
    options = json.loads(subprocess.run(["meson", "introspect", "--buildoptions", "build"], capture_output=True, text=True).stdout)
    assert {o["name"]: o["value"] for o in options}["werror"] is True


def test_fuzz_targets_run_beside_each_other_and_each_has_its_line(tmp_path, monkeypatch):
    targets = tmp_path / "build" / "tests" / "fuzz"
    targets.mkdir(parents=True)
    (tmp_path / "tests").symlink_to(TOP / "tests")
    for name, ends in ("good", 0), ("bad", 77), ("other", 0):
        # Each waits for another one: alone it would wait for ever.
        (targets / f"fuzz_{name}").write_text(f"""#!/bin/sh
echo "$@" >{tmp_path}/{name}.args
for i in $(seq 600); do [ "$(ls {tmp_path}/*.args | wc -l)" -ge 2 ] && break; sleep 0.1; done
[ $i != 600 ] || exit 1
printf 'not ok in the middle'
exit {ends}
""")
        (targets / f"fuzz_{name}").chmod(0o755)
    (targets / "fuzz_good.p").mkdir()
    monkeypatch.chdir(tmp_path)
    status, said = run(tmp_path, "fuzz", "7")
    lines = [line for line in said.splitlines() if line.startswith(("ok - ", "not ok - "))]
    assert status == 1 and sorted(lines) == ["not ok - bad", "ok - good", "ok - other"], said
    words = (tmp_path / "good.args").read_text().split()
    assert "-max_total_time=7" in words and words[-2:] == ["build/found/good", "tests/fuzz/corpus/good"]
