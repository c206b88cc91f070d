# SPDX-License-Identifier: Apache-2.0
"""tests/check_circles goes red on what it is there for: each rule is broken in a small tree of its own."""
import pathlib
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
TODO = "tests/circles_todo"
# base/top calls base/low, which has a private header; the module and the program of the same tree call both.
SOUND = {
    "base/low.h": "int hf_low_get(void);\nint hf_top_get(void);\nextern int hf_low_count;\n",
    "base/low.c": '#include "base/top.h"\nint hf_low_count;\n/* hf_top_get() */\nint hf_low_get(void)\n'
                  '{\n\tint init = 0, main = 1;\n\treturn init + main + sizeof("hf_top_get");\n}\n',
    "base/top.h": '#include "base/low.h"\nstatic inline int hf_top_more(void)\n{\n\treturn hf_low_get();\n}\n',
    "base/top.c": "static int top_of(int x)\n{\n\treturn x ? top_of(x - 1) : hf_low_get();\n}\n"
                  "int hf_top_get(void)\n{\n\treturn top_of(hf_low_count);\n}\n",
    "base/low_private.h": "static inline int low_end(void)\n{\n\treturn hf_top_get();\n}\n",
    "plugin/unbound/module.c": "int init(void)\n{\n\treturn hf_low_get();\n}\n",
    "bridge/main.c": "int main(void)\n{\n\treturn hf_low_get();\n}\n",
    "tests/unit/low_test.c": "int hf_low_test(void)\n{\n\treturn hf_low_get();\n}\n",
    "tests/data/low.c": "{ not a source of ours",
    "build/low.c": "int hf_low_get(void)\n{\n\treturn hf_top_get();\n}\n",
}
AB = "base/low base/top"


def run(tree, *words):
    done = subprocess.run([TOP / "tests/check_circles", *words, tree], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def plant(tree, files, *words):
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    return run(tree, *words)


def test_what_has_no_circle_is_silent(tmp_path):
    assert plant(tmp_path, SOUND) == (0, "7 files, 0 wrong, 0 to do\n")
    assert run(tmp_path, "--arrows") == (0, "")


def test_an_empty_tree_is_not_a_success(tmp_path):
    assert run(tmp_path)[0] == 1
    assert run(tmp_path, "--arrows")[0] == 1


def test_an_option_that_it_has_not_is_refused(tmp_path):
    assert plant(tmp_path, SOUND, "--arrow")[0] == 2


@pytest.mark.parametrize("files, circle", [
    ({"base/low.c": "int hf_low_get(void)\n{\n\treturn hf_top_get();\n}\n"}, AB),
    # an object, in both directions that there are of naming one
    ({"base/low.c": "int hf_low_get(void)\n{\n\treturn hf_top_last;\n}\n",
      "base/top.c": "int hf_top_last;\nint hf_top_get(void)\n{\n\treturn hf_low_get();\n}\n"}, AB),
    ({"base/low.c": "const struct x hf_low_get = { .act = hf_top_get };\n"}, AB),
    # the address of a function is a need too, and so is a name that comes out of a macro
    ({"base/low.c": "int hf_low_get(void)\n{\n\treturn call(hf_top_get);\n}\n"}, AB),
    ({"base/low.c": "#define GET() \\\n\thf_top_get()\nint hf_low_get(void)\n{\n\treturn GET();\n}\n"}, AB),
    # a header is one with its file: an inline function, a macro
    ({"base/low.h": "static inline int hf_low_more(void)\n{\n\treturn hf_top_get();\n}\n"}, AB),
    ({"base/low.h": "#define HF_LOW_MORE() hf_top_get()\n"}, AB),
    # over a third one, and over two rooms
    ({"base/low.c": "int hf_low_get(void)\n{\n\treturn hf_third();\n}\n",
      "config/third.c": "int hf_third(void)\n{\n\treturn hf_top_get();\n}\n"}, AB + " config/third"),
])
def test_a_circle_is_found(tmp_path, files, circle):
    status, out = plant(tmp_path, {**SOUND, **files})
    assert status == 1
    assert out.startswith(f"a circle of files: {circle} (")
    assert out.endswith(" 1 wrong, 0 to do\n")


def test_arrows_tell_who_names_what(tmp_path):
    files = {"base/low.c": "int hf_low_get(void)\n{\n\treturn hf_top_get() + hf_third;\n}\n",
             "config/third.c": "int hf_third;\n"}
    status, out = plant(tmp_path, {**SOUND, **files}, "--arrows")
    assert (status, out) == (0, AB + "\n  low -> top: hf_top_get\n  top -> low: hf_low_get\n")


@pytest.mark.parametrize("files", [
    {"base/low.c": "static int hf_top_get(void)\n{\n}\nint hf_low_get(void)\n{\n\treturn hf_top_get();\n}\n"},
    {"base/low.c": "int hf_low_get(void)\n{\n\treturn top_of(1);\n}\n"},
    {"zone/writer_state.h": "static inline int low_end(void)\n{\n\treturn hf_reader_get();\n}\n",
     "zone/writer_state.c": "int hf_writer_state_get(void)\n{\n}\n",
     "zone/reader.c": "int hf_reader_get(void)\n{\n\treturn hf_writer_state_get();\n}\n"},
    {"tests/unit/a.c": "int hf_a(void)\n{\n\treturn hf_b();\n}\n",
     "tests/unit/b.c": "int hf_b(void)\n{\n\treturn hf_a();\n}\n"},
])
def test_what_looks_like_a_circle_and_is_none(tmp_path, files):
    status, out = plant(tmp_path, {**SOUND, **files})
    assert status == 0, out


TWO = {
    **SOUND,
    "base/low.c": "int hf_low_get(void)\n{\n\treturn hf_top_get();\n}\n",
    "zone/x.c": "int hf_x(void)\n{\n\treturn hf_y();\n}\n",
    "zone/y.c": "int hf_y(void)\n{\n\treturn hf_x();\n}\n",
}
XY = "zone/x zone/y"


def test_what_is_listed_is_silent(tmp_path):
    assert plant(tmp_path, {**TWO, TODO: f"{AB}\n{XY}\n"}) == (0, "9 files, 0 wrong, 2 to do\n")


@pytest.mark.parametrize("listed, said", [
    ("", ["a circle of files: " + AB, "a circle of files: " + XY]),
    (f"{AB}\n", ["a circle of files: " + XY]),
    (f"{AB}\nconfig/a config/b\n{XY}\n", ["'config/a config/b' is a circle no more"]),
    # one that lost a file is another circle
    (f"{AB}\nzone/x zone/y zone/z\n", ["a circle of files: " + XY, "'zone/x zone/y zone/z' is a circle no more"]),
    (f"{AB}\nzone/y zone/x\n", ["a circle of files: " + XY, "'zone/y zone/x' is a circle no more"]),
    (f"{XY}\n{AB}\n", ["not sorted"]),
    (f"{AB}\n{AB}\n{XY}\n", ["a line twice"]),
])
def test_the_list_may_only_shrink(tmp_path, listed, said):
    status, out = plant(tmp_path, {**TWO, TODO: listed})
    assert status == 1
    for text in said:
        assert text in out
    assert f", {len(said)} wrong, " in out
