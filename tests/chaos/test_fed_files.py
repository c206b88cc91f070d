# SPDX-License-Identifier: Apache-2.0
"""
A power cut while a feed writes a hosts file, or the files that a dnsmasq reads: others' lines are there, a hosts file is the old or
the new whole, and whoever begins again ends with what is wanted and nothing else.
"""
import contextlib
import os
import shutil
import signal
import subprocess

import pytest

import chaos
import powercut
from fed_dnsmasq import Dnsmasq

DRIVER = chaos.BUILD / "feed_driver"
STATES = 1000 if chaos.LONG else 24
STEPS = 60 if chaos.LONG else 12
MINE = "127.0.0.1 localhost\n# mine\n192.0.2.1 main.web.me.example\n"
MARK = "# Holdfast wrote this file"


def records(text):
    """(name, address) of all lines that have some."""
    lines = [line.split("#")[0].split() for line in text.splitlines()]
    return {(name, words[0]) for words in lines if words for name in words[1:]}


class World:
    """What `heal` tells: the records of the step at which the store is and of the one before it."""

    def __init__(self, said, acked):
        lines = [line.split() for line in said.splitlines()]
        (step, generation), = ((int(words[1]), int(words[2])) for words in lines if words[0] == "step")
        self.before, self.now = ({(words[1], words[2]) for words in lines if words[0] == which} for which in ("before", "now"))
        # The step that was acknowledged: each has one generation.
        self.step, self.acked = step, max(0, step - (generation - acked)) if acked else 0


class Hosts:
    kind = "hosts"

    @staticmethod
    def prepare(folder):
        (folder / "hosts").write_text(MINE)

    @staticmethod
    @contextlib.contextmanager
    def resolver(folder):
        yield {}

    @staticmethod
    def read(folder):
        return (folder / "hosts").read_bytes()

    @staticmethod
    def parts(data):
        """Others' part and ours; none of it is torn."""
        text = data.decode()
        others, rest = text.split("# BEGIN HOLDFAST", 1) if "# BEGIN" in text else (text, "")
        ours, after = rest.split("# END HOLDFAST\n", 1) if rest else ("", "")
        assert rest.count("\n# END HOLDFAST\n") == (1 if rest else 0) and "\0" not in text
        return others + after, records(ours.split("\n", 1)[1] if ours else "")

    def wrong_before(self, data, world):
        others, ours = self.parts(data)
        allowed, needed = world.before | world.now, world.before & world.now
        if world.acked == world.step:
            allowed = needed = world.now
        if ours - allowed or (world.acked and needed - ours):
            return f"step {world.step}, {world.acked} acknowledged: {ours - allowed} too many, {needed - ours} missing"
        return self.wrong_others(others, world)

    @staticmethod
    def wrong_others(others, world):
        lines = others.splitlines(keepends=True)
        added = [line for line in lines if " other" in line]
        for k in range(3, world.step + 1, 3):
            n = added.count(f"10.9.{k // 250}.{k % 250} other{k}\n")
            if n > 1 or (k <= world.acked and not n):
                return f"the line that somebody added at step {k} of {world.acked} is there {n} times"
        return None if "".join(line for line in lines if " other" not in line) == MINE else f"others' lines are {others!r}"

    def wrong_after(self, folder, world):
        others, ours = self.parts(self.read(folder))
        left = sorted(set(os.listdir(folder)) - {"hosts", "store.db", "store.db.lock", "store.db.good", "store.db-wal", "store.db-shm"})
        if ours != world.now or left:
            return f"{ours - world.now} too many, {world.now - ours} missing, {left} left"
        return self.wrong_others(others, world)


class Hostsdir:
    kind = "hostsdir"

    @staticmethod
    def prepare(folder):
        (folder / "hostsdir").mkdir(exist_ok=True)
        (folder / "hostsdir/mine.hosts").write_text(MINE)

    @staticmethod
    @contextlib.contextmanager
    def resolver(folder):
        dnsmasq = Dnsmasq(folder.parent, f"--hostsdir={folder / 'hostsdir'}", "--local=/coder/")
        dnsmasq.pid_file = folder.parent / f"{folder.name}.pid"
        try:
            yield {"HF_ASK_PORT": str(dnsmasq.start().port)}
        finally:
            dnsmasq.stop(signal.SIGKILL)

    @staticmethod
    def read(folder):
        return {path.name: path.read_bytes() for path in (folder / "hostsdir").iterdir()}

    @staticmethod
    def wrong_before(files, world):
        return None if files["mine.hosts"].decode() == MINE else "others' file is another one"

    def wrong_after(self, folder, world):
        files = self.read(folder)
        ours = {name: data.decode() for name, data in files.items() if name != "mine.hosts"}
        odd = [name for name, text in ours.items() if not name.startswith("holdfast-") or not text.startswith(MARK)]
        has = [record for text in ours.values() for record in records(text)]
        if odd or sorted(has) != sorted(world.now):
            return f"{odd} are odd, {set(has) - world.now} too many, {world.now - set(has)} missing"
        return self.wrong_before(files, world)


def wrong(how, folder, acked):
    """What is not good of this state, or None: as it was found, and after a feed has begun again on it."""
    found = how.read(folder)
    with how.resolver(folder) as env:
        done = subprocess.run([DRIVER, how.kind, "heal", folder], env=dict(os.environ, **env), capture_output=True, text=True,
                              errors="replace", timeout=60, check=False)
    if done.returncode:
        return f"acknowledged {acked}: exit status {done.returncode}: {(done.stdout + done.stderr)[-400:]}"
    world = World(done.stdout, acked)
    return how.wrong_before(found, world) or how.wrong_after(folder, world)


def wrong_states(how, tmp_path, n, steps):
    folder = tmp_path / "it"
    folder.mkdir()
    how.prepare(folder)
    problems, tried = [], 0
    for seed in (1, 2):
        with how.resolver(folder) as env:
            driver = chaos.Driver(["env", *(f"{key}={value}" for key, value in env.items()), DRIVER, how.kind], [])
            recording = powercut.record(driver, folder, seed, steps, tmp_path)

        def check(state):
            name, acked, tree = state
            place = tmp_path / name.split(" (", 1)[0].replace(" ", "-")
            powercut.write_tree(place, tree)
            try:
                why = wrong(how, place, acked)
            except (AssertionError, UnicodeDecodeError, OSError, KeyError, ValueError) as e:
                why = repr(e)
            shutil.rmtree(place)
            return why and f"seed {seed}, {name}: {why}"

        states = list(powercut.crash_states(recording, n // 2, seed))
        tried += len(states)
        problems += chaos.in_parallel(check, states)
    assert tried > n // 4, "hardly any states: the recording is too short"
    return problems


@pytest.mark.parametrize("how", [Hosts(), Hostsdir()], ids=lambda how: how.kind)
def test_a_power_cut_leaves_others_lines_and_what_can_be_made_right(how, tmp_path):
    assert wrong_states(how, tmp_path, STATES, STEPS) == []
