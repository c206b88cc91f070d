#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Changes the bridge's code in one place at a time, as a careless hand would, and looks whether a test goes red.

    tests/model/mutate.py [--all | --n 100] [--seed N] [--area state] [FILE...]

Works in a copy of the tree (--tree, by default beside the build folder in /var/tmp), which it keeps for the next run. A mutant that
does not compile, or compiles to the same code, is none. Each of the others is given to the unit tests, the model's cases, the
scenarios and at last random lives, until one of them fails. Those that all of them let live are listed at the end, with the place and the change.
Takes long, runs on one processor, and is in no suite of tests/run.sh.
"""
import argparse
import glob
import hashlib
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
AREAS = {
    "state": (["bridge/state/*.c"], ["state/test_state", "bridge/test_engine"]),
    "engine": (["bridge/follow/source.c", "bridge/engine/*.c"], ["bridge/test_engine", "bridge/test_bridge"]),
    "store": (["bridge/store/recovery.c", "bridge/store/recovery_note.c", "bridge/store/rebuild.c", "bridge/store/store_open.c",
               "bridge/store/store_attach.c"],
              ["store/test_store", "store/test_store_disk", "bridge/test_engine"]),
    "zone": (["zone/folder_watch.c", "zone/picture.c", "zone/reader.c", "zone/answer.c"], ["zone/test_zone"]),
}
TOKEN = re.compile(r'''(?P<skip>\s+|/\*.*?\*/|//[^\n]*)|(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<number>\b\d[\w.]*)'''
                   r'''|(?P<word>[A-Za-z_]\w*)|(?P<op><<=|>>=|\.\.\.|->|\+\+|--|&&|\|\||[-+*/%&|^!=<>]=|<<|>>|[^\w\s])''', re.S)
SWAPS = {"<": ["<="], "<=": ["<"], ">": [">="], ">=": [">"], "==": ["!="], "!=": ["=="], "&&": ["||"], "||": ["&&"],
         "+": ["-"], "-": ["+"], "++": ["--"], "+=": ["-="], "-=": ["+="], "|=": ["="], "&": ["|"], "|": ["&"]}
NOT_STATEMENTS = set("return if for while switch case default break continue goto else do struct const static unsigned int bool "
                     "char enum void long double typedef sizeof".split())


def tokens(text):
    """(kind, text, start) of each token outside of comments and of the preprocessor's lines."""
    out, at = [], 0
    while at < len(text):
        if text[at] == "#" and text[:at].rsplit("\n", 1)[-1].strip() == "":
            while True:
                end = text.find("\n", at)
                line, at = text[at:end], end + 1
                if not line.endswith("\\"):
                    break
            continue
        m = TOKEN.match(text, at)
        at = m.end()
        if not m["skip"]:
            out.append((m.lastgroup, m[0], m.start()))
    return out


def closing(toks, i, left="(", right=")"):
    depth = 0
    while i < len(toks):
        depth += (toks[i][1] == left) - (toks[i][1] == right)
        if depth == 0:
            return i
        i += 1
    return None


def bodies(toks):
    """Ranges of tokens that are bodies of functions."""
    i = 0
    while i < len(toks):
        if toks[i][1] == "{":
            end = closing(toks, i, "{", "}")
            if i and toks[i - 1][1] == ")":
                yield i, end
            i = end
        i += 1


def mutants(text):
    """(start, end, new text) of each change."""
    toks = tokens(text)
    for first, last in bodies(toks):
        inside = 0
        for i in range(first, last):
            kind, word, at = toks[i]
            inside += (word == "(") - (word == ")")
            before, after = toks[i - 1], toks[i + 1]
            end = at + len(word)
            if kind == "op" and word in SWAPS:
                unary = before[0] == "op" and before[1] not in ")]" and word in "+-&"
                if not unary and not (word == "&" and before[1] in "(,="):
                    for new in SWAPS[word]:
                        yield at, end, new
            elif word == "!" and after[1] != "=":
                yield at, end, ""
            elif kind == "number" and re.fullmatch(r"\d+", word):
                yield at, end, str(int(word) + 1)
            elif word in ("true", "false"):
                yield at, end, "false" if word == "true" else "true"
            elif word in ("if", "while") and after[1] == "(":
                close = closing(toks, i + 1)
                yield after[2], toks[close][2] + 1, f"(!{text[after[2]:toks[close][2] + 1]})"
                if word == "if":
                    yield after[2], toks[close][2] + 1, f"(({text[after[2] + 1:toks[close][2]]}) || 1)"
            elif word in ("break", "continue") and after[1] == ";":
                yield at, end, ""
            elif word == "return" and after[1] != ";":
                stop = next(j for j in range(i, last + 1) if toks[j][1] == ";")
                value = text[after[2]:toks[stop][2]]
                if not re.fullmatch(r"\d+|true|false|NULL", value):
                    yield after[2], toks[stop][2], "0"
                    if not re.match(r"-?(HF_)?E[A-Z]+", value):
                        yield after[2], toks[stop][2], f"!({value})"
            elif not inside and before[1] in ";{}" and kind == "word" and word not in NOT_STATEMENTS and after[1] != ":" and \
                    not (after[0] == "word" or (after[1] == "*" and toks[i + 2][0] == "word" and toks[i + 3][1] in "=;,")):
                stop = next(j for j in range(i, last + 1) if toks[j][1] == ";")
                yield at, toks[stop][2], ""


class Tree:
    """A copy of the sources with a build folder."""

    def __init__(self, path, targets):
        self.path, self.targets = path, targets
        self.build = path / "build"
        path.mkdir(parents=True, exist_ok=True)
        self.fill()
        if not (self.build / "build.ninja").exists():
            subprocess.run(["meson", "setup", self.build, path, "-Ddebug=false", "-Doptimization=1", "-Dwerror=false"], check=True,
                           stdout=subprocess.DEVNULL, env=dict(os.environ, CCACHE_DISABLE="1"))
        if not self.compile():
            raise SystemExit("the tree does not build")

    def fill(self):
        """The sources as they are now; what has not changed keeps its time, so that it is not built again."""
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=TOP, check=True, capture_output=True, text=True)
        names = set(listed.stdout.splitlines())
        for old in [p for p in self.path.rglob("*") if p.is_file() and self.build not in p.parents]:
            if str(old.relative_to(self.path)) not in names:
                old.unlink()
        for name in names:
            source, copy = TOP / name, self.path / name
            if not source.is_file() or (copy.exists() and copy.read_bytes() == source.read_bytes()):
                continue
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)

    def compile(self, *targets):
        """All of its targets, or these."""
        done = subprocess.run(["ninja", "-C", self.build, "-j1", *(targets or self.targets)], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
        return done.returncode == 0

    def object(self, file):
        """What became of a source file."""
        found = glob.glob(f"{self.build}/**/*{file.replace('/', '_')}.o", recursive=True) + \
            glob.glob(f"{self.build}/{os.path.dirname(file)}/**/{os.path.basename(file)}.o", recursive=True)
        return [hashlib.sha256(open(f, "rb").read()).hexdigest() for f in sorted(found)]

    def run(self, command, seconds, **env):
        with subprocess.Popen(command, cwd=self.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                              env=dict(os.environ, HF_BUILD=str(self.build), TMPDIR="/dev/shm", CK_VERBOSITY="silent", CK_FORK="no",
                                       **env)) as process:
            try:
                return process.wait(seconds) == 0
            except subprocess.TimeoutExpired:
                # With all that it began: a change may have made a loop without an end of it.
                os.killpg(process.pid, signal.SIGKILL)
                return False


def tests(tree, units, lives):
    """(name, what it is built of, whether it passes), quickest first; random lives are asked last, about what all others let live."""
    first = f"tests/unit/{units[0]}"
    text = re.search(rf"build {first}\.p/.*?SUITES=((?:X\(\w+\))+)", (tree.build / "build.ninja").read_text(), re.S)[1]
    suites = re.findall(r"X\((\w+)\)", text)
    slow = [s for s in suites if s.endswith("hostile")]
    for suite in [s for s in suites if s not in slow]:
        yield first, first, lambda suite=suite: tree.run([tree.build / first], 100, CK_RUN_SUITE=suite)
    yield "cases", "tests/model/model_driver", lambda: tree.run(
        [sys.executable, "tests/model/play.py", *sorted(glob.glob(f"{tree.path}/tests/model/cases/*.txt"))], 100)
    yield "scenario", "tests/scenario/runner", lambda: tree.run(
        [tree.build / "tests/scenario/runner", *sorted(glob.glob(f"{tree.path}/tests/scenario/cases/*.txt"))], 200)
    for unit in units[1:]:
        yield unit, f"tests/unit/{unit}", lambda unit=unit: tree.run([tree.build / "tests/unit" / unit], 300)
    for suite in slow:
        yield first, first, lambda suite=suite: tree.run([tree.build / first], 300, CK_RUN_SUITE=suite)
    if lives:
        yield "model", "tests/model/model_driver", lambda: tree.run(
            [sys.executable, "tests/model/test_model.py", "--quick", "1000", str(1000 + lives)], 60 + 2 * lives)


def sample(todo, n, rng):
    """Spread over all files by the number of changes in each, and at least five of each file."""
    files = {}
    for one in todo:
        files.setdefault(one[0], []).append(one)
    out = []
    for of in files.values():
        rng.shuffle(of)
        out += of[:max(5, round(n * len(of) / len(todo)))]
    rng.shuffle(out)
    return out


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--all", action="store_true")
    ap.add_argument("--n", type=int, default=100)
    ap.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10 ** 6))
    ap.add_argument("--area", default="state", choices=sorted(AREAS))
    ap.add_argument("--lives", type=int, default=20, help="of the model, for each mutant")
    ap.add_argument("--tree", type=pathlib.Path, default=pathlib.Path("/var/tmp/holdfast-mutate"))
    ap.add_argument("--log", type=pathlib.Path, help="one line a mutant; those that it has already are left out")
    ap.add_argument("files", nargs="*")
    args = ap.parse_args()
    os.nice(10)
    patterns, units = AREAS[args.area]
    tree = Tree(args.tree, [f"tests/unit/{u}" for u in units] + ["tests/scenario/runner", "tests/model/model_driver"])
    files = args.files or sorted(os.path.relpath(f, tree.path) for p in patterns for f in glob.glob(f"{tree.path}/{p}"))
    todo = [(f, *m) for f in files for m in mutants((tree.path / f).read_text())]
    print(f"{len(todo)} changes in {len(files)} files, seed {args.seed}", flush=True)
    todo = sample(todo, len(todo) if args.all else args.n, random.Random(args.seed))
    was = {f: ((tree.path / f).read_text(), tree.object(f)) for f in files}
    for name, _, passes in tests(tree, units, args.lives):
        if not passes():
            raise SystemExit(f"{name} fails without any change")
    done = set(line.split("\t")[1] for line in args.log.read_text().splitlines()) if args.log and args.log.exists() else set()
    count, alive = {}, []
    for file, start, end, new in todo:
        text, objects = was[file]
        line = text.count("\n", 0, start) + 1
        old = text[start:end]
        place = f"{file}:{line}:{start - text.rfind(chr(10), 0, start)}: {' '.join(old.split())[:60]} -> {' '.join(new.split())[:60] or 'nothing'}"
        if place in done:
            continue
        begin = time.monotonic()
        (tree.path / file).write_text(text[:start] + new + text[end:])
        if not tree.compile(f"tests/unit/{units[0]}"):
            result = "does not compile"
        elif tree.object(file) == objects:
            result = "same code"
        else:
            result = next((name for name, target, passes in tests(tree, units, args.lives) if not tree.compile(target) or not passes()), "LIVES")
        (tree.path / file).write_text(text)
        count[result] = count.get(result, 0) + 1
        if result == "LIVES":
            alive.append(place)
        print(f"{time.monotonic() - begin:5.1f} s  {result:16} {place}", flush=True)
        if args.log:
            with args.log.open("a") as log:
                log.write(f"{result}\t{place}\n")
    tree.compile()
    real = sum(n for r, n in count.items() if r not in ("does not compile", "same code"))
    print(f"\n{count}\n{real - len(alive)} of {real} die ({100 * (real - len(alive)) // max(1, real)} %); alive:")
    print("\n".join(alive))


if __name__ == "__main__":
    main()
