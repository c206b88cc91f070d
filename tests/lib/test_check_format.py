# SPDX-License-Identifier: Apache-2.0
"""tests/check_format finds what is not formatted, in git's files or all, and says when it cannot."""
import os
import pathlib
import shutil
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
GOOD = "int hf_x(void)\n{\n\treturn 0;\n}\n"
BAD = "int hf_x( void ) {\n  return 0; }\n"


def run(tree, **env):
    done = subprocess.run(["/usr/bin/python3", TOP / "tests/check_format", tree], capture_output=True, text=True,
                          env={**os.environ, **env})
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "t" / "base").mkdir(parents=True)
    shutil.copy(TOP / ".clang-format", tmp_path / "t")
    for name in ("base/a.c", "base/a.h", "base/b.c", "c.c"):
        (tmp_path / "t" / name).write_text(GOOD)
    return tmp_path / "t"


def program(folder, name, said, rc=0):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho '{said}'\nexit {rc}\n")
    (folder / name).chmod(0o755)
    return str(folder)


@pytest.fixture
def real():
    if not shutil.which("clang-format-14"):
        pytest.skip("clang-format-14 is missing")


def test_what_is_formatted_is_silent(real, tree):
    assert run(tree) == (0, "4 files, 0 not formatted\n")


def test_each_file_that_is_not_is_named_once(real, tree):
    for name in ("base/a.h", "base/b.c", "c.c"):
        (tree / name).write_text(BAD)
    assert run(tree) == (1, "base/a.h\nbase/b.c\nc.c\n4 files, 3 not formatted\n")
    assert (tree / "c.c").read_text() == BAD


def test_in_a_repository_it_looks_at_what_git_knows(real, tree):
    if not shutil.which("git"):
        pytest.skip("git is missing")
    (tree / "base/b.c").write_text(BAD)
    (tree / "c.c").write_text(BAD)
    subprocess.run(["git", "init", "-q", tree], check=True)
    subprocess.run(["git", "-C", tree, "add", "base"], check=True)
    (tree / "base/a.c").unlink()
    assert run(tree) == (1, "base/b.c\n2 files, 1 not formatted\n")


def test_what_is_built_is_left_out(real, tree):
    (tree / "build").mkdir()
    (tree / "build/x.c").write_text(BAD)
    assert run(tree)[0] == 0


def test_a_style_that_cannot_be_read_is_not_a_success(real, tree):
    (tree / ".clang-format").write_text("NoSuchKey: 1\n")
    assert run(tree)[0] == 1
    (tree / ".clang-format").unlink()
    status, said = run(tree)
    assert status == 1 and "no .clang-format" in said


def test_an_empty_tree_is_not_a_success(real, tmp_path):
    shutil.copy(TOP / ".clang-format", tmp_path)
    assert run(tmp_path) == (1, "0 files, 0 not formatted\n")


def test_without_the_program_it_is_skipped_with_its_reason(tree, tmp_path):
    (tmp_path / "bin").mkdir()
    assert run(tree, PATH=str(tmp_path / "bin")) == (
        77, "clang-format version 14 is missing (Debian package clang-format-14)\n")


def test_another_version_will_not_do(tree, tmp_path):
    path = program(tmp_path / "bin", "clang-format", "Debian clang-format version 19.1.7 (3)")
    status, said = run(tree, PATH=path)
    assert status == 77 and said.endswith("; clang-format is version 19\n"), said


def test_version_14_by_its_plain_name_will_do(real, tree, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/clang-format").symlink_to(shutil.which("clang-format-14"))
    assert run(tree, PATH=str(tmp_path / "bin")) == (0, "4 files, 0 not formatted\n")


def test_one_that_fails_is_not_a_success(tree, tmp_path):
    path = program(tmp_path / "bin", "clang-format-14", "clang-format version 14.0.6", 3)
    assert run(tree, PATH=path)[0] == 1
