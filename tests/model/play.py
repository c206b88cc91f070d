# SPDX-License-Identifier: Apache-2.0
"""Plays lines on the bridge and on every model that the contract allows, until none is left that agrees."""
import io
import os
import pathlib
import pickle
import shutil
import subprocess
import sys
import tempfile

from model import Model, span

BUILD = pathlib.Path(os.environ.get("HF_BUILD", "build"))
MANY = 48  # models that are kept


class Seen:
    def __init__(self, words):
        self.addr, flags, self.source, self.first, self.rcode, self.ede = (
            words[1], int(words[2]), words[3], int(words[4]), int(words[5]), int(words[6]))
        self.held, self.withdrawn, self.restored = bool(flags & 1), bool(flags & 4), bool(flags & 8)


class View:
    """What show.c says."""

    def __init__(self, lines):
        self.names, self.ptrs, self.asked, self.holds, self.clients = {}, {}, [], [], {}
        self.refused, self.store, self.gen, self.epoch = 0, None, 0, None
        self.ready, self.zone_gen, self.zone_epoch, self.copy, self.trouble = None, 0, None, None, None
        for line in lines:
            what, *words = line.split()
            if what == "n":
                self.names.setdefault(words[0], []).append(Seen(words))
            elif what == "a":
                self.asked.append((words[0], int(words[1]), int(words[2]), words[3]))
            elif what == "p":
                self.ptrs[words[0]] = words[1]
            elif what == "h":
                self.holds.append((words[0], int(words[1]), words[2], int(words[3]), bool(int(words[4]))))
            elif what == "c":
                self.clients[words[0]] = tuple(bool(int(w)) for w in words[1:4]) + ({int(w) for w in words[4:]},)
            elif what == "r":
                self.refused = int(words[0])
            elif what == "z":
                self.ready, self.zone_gen, self.zone_epoch = bool(int(words[0])), int(words[1]), words[2]
            elif what == "s":
                self.store, self.gen, self.epoch = words[0], int(words[1]), words[2]
            elif what == "t":
                self.boot, self.wall = int(words[0]), int(words[1])
            elif what == "y":
                self.copy = words[0]
            elif what == "x":
                self.trouble = " ".join(words)

    def names_only(self):
        return {n: s[0].addr for n, s in self.names.items()}


class Died(Exception):
    pass


class Driver:
    def __init__(self, log=None):
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = tempfile.mkdtemp(prefix="holdfast-model-", dir=base)
        env = dict(os.environ)
        if log:
            env["HF_MODEL_LOG"] = log
        self.errors = open(os.path.join(self.folder, "errors"), "w+")
        self.process = subprocess.Popen([BUILD / "tests/model/model_driver", self.folder], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True, env=env)

    def say(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            self.process.wait()
            self.errors.seek(0)
            raise Died(f"the bridge died ({self.process.returncode}): {self.errors.read()[:2000]}")
        return answer.strip()

    def look(self, names=()):
        lines = []
        answer = self.say("? " + " ".join(names))
        while answer != ".":
            lines.append(answer)
            answer = self.process.stdout.readline().strip()
        return View(lines)

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Over(Exception):
    """Nothing more is said of what comes now: another life begins."""


class Wrong(Exception):
    """What was seen is not what the contract allows."""


def same(model):
    """Equal for two models that know the same."""
    out = io.BytesIO()
    pickler = pickle.Pickler(out)
    pickler.fast = True
    pickler.dump(model)
    return out.getvalue()


class Play:
    """One life. `step()` raises Wrong."""

    def __init__(self, log=None):
        self.driver = Driver(log)
        self.models = [Model()]
        self.view, self.answer = None, ""
        self.lines = []

    def step(self, line):
        self.lines.append(line)
        if line.startswith("calm "):
            self.calm(line)
        else:
            self.one(line)

    def calm(self, line):
        """A good server for as long as everything that waits for its word may wait, and a client that does what is wanted."""
        told, *owners = line[5:].split(" | ")
        name = told.split()[0]
        conf = self.models[0].typed.get(name, {})
        minutes = (self.models[0].grace() + 3 * span(conf.get("snapshot-interval", "10m"))) // 60000 if conf else 0
        snapshots = [f"snapshot {name} {owner}" for owner in owners]
        self.one(f"away {name}")
        ways = 0
        for minute in range(min(minutes, 100)):
            connected, live, connection, wanted = self.view.clients.get(name, (False, False, False, set()))
            if not connected or connection or minute % 10 == 0:
                ways += 1
                if connection and connected:
                    self.one(f"redial {name}")
                for one in [f"told {told}"] + snapshots:
                    self.one(one)
            elif wanted:
                for one in snapshots:
                    if int(one.split()[2]) in wanted:
                        self.one(one)
            self.one("after 1m")
        for model in self.models:
            bad = model.check_calm(self.view, name, minutes)
            if bad:
                raise Wrong(f"calm {name}\n  after {minutes} minutes, {ways} connections\n  {bad}")

    def one(self, line):
        try:
            answer = self.driver.say(line)
            ask = sorted(self.models[0].questions()) if line.split()[0] != "slices" else []
            self.view = self.driver.look(ask)
        except Died as died:
            raise Wrong(str(died)) from died
        self.answer = answer
        if self.models[0].failed and self.view.store == "ok":
            raise Over
        self.models = self.judge(line, answer)

    def judge(self, line, answer):
        first, good, keys = None, [], set()
        for model in self.models:
            before = pickle.dumps(model)
            todo = [[]]
            while todo:
                choices = todo.pop(0)
                m, model = model or pickle.loads(before), None
                m.choices, m.made, m.before_line = choices, [], before
                m.line(line, answer)
                m.note_clients(self.view)
                m.note_waiting(self.view)
                bad = m.check(self.view)
                for at in range(len(choices), len(m.made)):
                    todo.append([c for c, _ in m.made[:at]] + [True])
                if bad and (first is None or len(bad) < len(first)):
                    first = bad
                if os.environ.get("HF_MODEL_ALL") and bad:
                    print(line, [w for c, w in m.made if c], *bad[:6], sep="\n    ")
                key = None if bad else same(m)
                if key and key not in keys:
                    keys.add(key)
                    good.append(m)
        if not good:
            raise Wrong(f"{line}\n  answered '{answer}'\n  " + "\n  ".join(first))
        return good[:MANY]

    def close(self):
        self.driver.close()


def play(lines, log=None):
    """What is wrong, or None."""
    p = Play(log)
    try:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                p.step(line.strip())
    except Wrong as wrong:
        return str(wrong)
    except Over:
        pass
    finally:
        p.close()
    return None


if __name__ == "__main__":
    worst = 0
    for path in sys.argv[1:]:
        wrong = play(open(path).read().splitlines(), os.environ.get("HF_MODEL_LOG"))
        print(path, wrong or "agrees")
        worst = worst or bool(wrong)
    sys.exit(worst)
