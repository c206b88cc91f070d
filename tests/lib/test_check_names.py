# SPDX-License-Identifier: Apache-2.0
"""tests/check_names goes red on what it is there for: each rule is broken in a small tree of its own."""
import pathlib
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
C = "/* SPDX-License-Identifier: Apache-2.0 */\n"
SH = "# SPDX-License-Identifier: Apache-2.0\n"
LOG = r"""
#define BRACE(x) { /* a macro may have \
	what it likes: { */
static const char braces[] = "{\"", one = '"', two = '{'; /* serve() { */
static int (*on_line)(int), (*on_end)(void);
typedef int (*hf_any_cb)(void);
extern int elsewhere;
struct hf_log_line { union { int a; } u; struct { int b; } v; };
struct hf_log_line hf_log_last, hf_log_all[2] = { { { 0 }, { 1 } } };
enum { LOG_MAX = 2 };
int serve(int);
__attribute__((format(printf, 1, 2))) static void log_put(const char *format, ...)
{
	struct local_line { int n; } l = { 1 };
}
_Static_assert(sizeof(int) == 4, "int");
HF_PRINTF(1, 2)
int hf_log(const char *format, ...)
{
	return 0;
}
static int (*log_way(void))(int)
{
	return on_line;
}
int main(void)
{
	return 0;
}
"""
SOUND = {
    "base/log.h": C + "static inline int hf_log_is_on(void)\n{\n\treturn 1;\n}\n",
    "base/log.c": C + LOG,
    "bridge/store/store.c": C + "int hf_store_open(void)\n{\n}\nint hf_stmt_run(void)\n{\n}\n",
    "bridge/stream/wire/yamux.c": C + "int hf_yamux_feed(void)\n{\n}\n",
    "adapters/unbound/ub_apply.c": C + "int hf_ub_end(void)\n{\n}\nint hf_ub_apply_end(void)\n{\n}\n",
    "plugin/unbound/module.c": C + "EXPORT int init(void)\n{\n}\nEXPORT long get_mem(void)\n{\n}\n",
    "base/meson.build": SH + "x\n",
    "tools/run": "#!/bin/sh\n" + SH,
    "tests/unit/test_log.c": C + "static int one(void)\n{\n}\nint two(void)\n{\n}\nstruct hf_log_line { int x; };\n",
    "tests/unit/more/test_log.c": C + "static int one(void)\n{\n}\n",
    "tests/lib/x.py": SH,
    "tests/data/dump.c": "not a source of ours",
    "build/made.c": "",
    "docs/x.md": "text",
}


def run(tree, *words):
    done = subprocess.run([TOP / "tests/check_names", *words, tree], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def plant(tree, files):
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    return run(tree)


def test_what_follows_the_rules_is_silent(tmp_path):
    assert plant(tmp_path, SOUND) == (0, "8 files, 0 wrong, 0 to do\n")


def test_an_empty_tree_is_not_a_success(tmp_path):
    assert run(tmp_path)[0] == 1


@pytest.mark.parametrize("path, text, lines", [
    ("config/log.c", "", ["file config/log.c log.c", "file base/log.c log.c"]),
    ("config/x.c", "struct hf_log_line { int x; };", ["tag config/x.c hf_log_line", "tag base/log.c hf_log_line"]),
    ("config/x.c", "enum local_line { X };", ["tag config/x.c local_line", "tag base/log.c local_line"]),
    ("config/x.c", "int hf_x(void)\n{\n\tunion __attribute__((packed)) local_line { int x; } l;\n}",
     ["tag config/x.c local_line", "tag base/log.c local_line"]),
    ("config/x.c", "int hf_log_get(void)\n{\n}", ["symbol config/x.c hf_log_get"]),
    ("config/x.c", "int hf_y_get(void)\n{\n}", ["symbol config/x.c hf_y_get"]),
    ("config/x.c", "int hf_xy(void)\n{\n}", ["symbol config/x.c hf_xy"]),
    ("config/x.c", "int x_get(void)\n{\n}", ["symbol config/x.c x_get"]),
    ("config/x.c", "const char *const hf_names[2] = { 0 };", ["symbol config/x.c hf_names"]),
    ("config/x.c", "struct x { int a; } hf_value;", ["symbol config/x.c hf_value"]),
    ("config/x.c", "enum e { A } hf_a, *hf_b;", ["symbol config/x.c hf_a", "symbol config/x.c hf_b"]),
    ("config/x.c", "int hf_x, *hf_b[] = { 0, 0 }, hf_c = 3;", ["symbol config/x.c hf_b", "symbol config/x.c hf_c"]),
    ("config/x.c", "extern int hf_c = 3;", ["symbol config/x.c hf_c"]),
    ("config/x.c", "int (*hf_c)(void) = 0;", ["symbol config/x.c hf_c"]),
    ("config/x.c", "int (*hf_way(int a))(int b)\n{\n}", ["symbol config/x.c hf_way"]),
    ("config/x.c", "int hf_x(void) { /* } */ return '}' + \"}\"[0]; }\nint hf_next(void)\n{\n}",
     ["symbol config/x.c hf_next"]),
    ("config/x.c", "int GET(void)\n{\n}", ["symbol config/x.c GET"]),
    ("config/x.h", "static inline int hf_get(void)\n{\n}", ["symbol config/x.h hf_get"]),
    ("bridge/store/log_store.c", "int hf_log_get(void)\n{\n}", ["symbol bridge/store/log_store.c hf_log_get"]),
    ("adapters/unbound/unbound.c", "int hf_unbound_end(void)\n{\n}", ["symbol adapters/unbound/unbound.c hf_unbound_end"]),
    ("plugin/unbound/x.c", "int init(void)\n{\n}", ["symbol plugin/unbound/x.c init"]),
    ("config/x.c", "static int log_put(void)\n{\n}", ["twice config/x.c log_put", "twice base/log.c log_put"]),
    ("config/x.c", "static int\nserve(int (*a)(void))\n{\n}", ["words config/x.c serve"]),
    ("config/x.c", "static int *_serve(void) {}", ["words config/x.c _serve"]),
    ("config/x.c", "int hf_x(void)\n{\n", ["braces config/x.c -"]),
    ("config/x.c", "/* " + 95 * "x" + " */", ["columns config/x.c 1"]),
    ("config/x.c", "/*\n * ok\n *\t\t" + 90 * "x" + "\n*/\n#define X 1 /* " + 90 * "y" + " */\n// " + 98 * "z",
     ["columns config/x.c 3"]),
    ("tests/unit/test_wide.c", "static int one; /* " + 95 * "x" + " */", ["columns tests/unit/test_wide.c 1"]),
    ("zone/novel.c", "", ["room zone/novel.c -"]),
])
def test_a_broken_rule_is_found(tmp_path, path, text, lines):
    status, out = plant(tmp_path, {**SOUND, path: C + text + "\n"})
    assert status == 1
    for line in lines:
        assert f"[{line}]" in out
    assert out.endswith(f"{len(lines)} wrong, 0 to do\n"), out


@pytest.mark.parametrize("path, text", [
    ("config/x.c", "/* short */ static const char x_text[] = \"" + 100 * "x" + "\";"),
    ("config/x.c", "static int x_one, x_two; /* " + 69 * "\u00e9" + " */"),
    ("config/x.c", "struct hf_name;\nint hf_name_len(struct hf_name *n);\nHF_LIST(a, b);\nenum e;"),
    ("config/x.c", "#if 1\nint hf_x(int a)\n#else\nint hf_x(void)\n#endif\n{\n}"),
    ("config/x.c", "struct hf_any *hf_x = CAST(1){ 1 };"),
    ("bridge/store/log_store.c", "int hf_log_store_get(void)\n{\n}"),
    ("config/x.c", "#define SERVE \\\n\tint serve(void) \\\n\t{ \\\n\t}"),
])
def test_what_looks_wrong_and_is_not(tmp_path, path, text):
    status, out = plant(tmp_path, {**SOUND, path: C + text + "\n"})
    assert status == 0, out


@pytest.mark.parametrize("path, text", [
    ("config/x.c", "int a;\n"), ("config/x.h", "#pragma once\n" + C), ("config/meson.build", "x\n"), ("tools/x.sh", SH[2:]),
    ("tools/x", "#!/bin/bash\necho\n" + SH), ("tests/x.py", ""), ("tests/peer/x.go", SH), (".ci/run", "#!/bin/sh\n"),
])
def test_a_source_without_its_licence_is_found(tmp_path, path, text):
    status, out = plant(tmp_path, {**SOUND, path: text})
    assert status == 1 and f"[licence {path} -]" in out


TODO = "tests/names_todo"
WIDE = C + 3 * ("/* " + 95 * "x" + " */\n")
BAD = {"config/x.c": WIDE + "static int serve(void)\n{\n}\n"}


def test_what_is_listed_is_silent_and_the_list_is_what_todo_prints(tmp_path):
    plant(tmp_path, {**SOUND, **BAD})
    listed = "columns config/x.c 3\nwords config/x.c serve\n"
    assert run(tmp_path, "--todo") == (0, listed + "2 lines, +2\n")
    assert plant(tmp_path, {TODO: listed}) == (0, "9 files, 0 wrong, 2 to do\n")


@pytest.mark.parametrize("listed, said", [
    ("columns config/x.c 3\n", "[words config/x.c serve]"),
    ("columns config/x.c 2\nwords config/x.c serve\n", "[columns config/x.c 3]"),
    ("columns config/x.c 4\nwords config/x.c serve\n", "is less now: write 'columns config/x.c 3'"),
    ("columns config/x.c 3\nwords config/x.c serve\nwords config/y.c serve\n", "'words config/y.c serve' is wrong no more"),
    ("columns base/log.c 1\ncolumns config/x.c 3\nwords config/x.c serve\n", "'columns base/log.c 1' is wrong no more"),
    ("words config/x.c serve\ncolumns config/x.c 3\n", "not sorted"),
    ("columns config/x.c 3\ncolumns config/x.c 3\nwords config/x.c serve\n", "a line twice"),
    ("columns config/x.c 3\n\nwords config/x.c serve\n", "is not RULE PATH NAME"),
])
def test_the_list_may_only_shrink(tmp_path, listed, said):
    status, out = plant(tmp_path, {**SOUND, **BAD, TODO: listed})
    assert status == 1 and said in out
