# SPDX-License-Identifier: Apache-2.0
"""
Every adapter, fed by the bridge, through everything that happens to names, bridge and resolver: what resolves is exactly what should,
what is others' stays, and a resolver that serves DNS never stops answering.
"""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from bridge import Bridge
from fed_dnsmasq import Dnsmasq
from fed_unbound import Prober, Unbound
from peer import Simulator
from server import wait_for
from zone import address, program

LONG = bool(os.environ.get("HF_LONG"))
EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
FOREIGN = "printer.coder"
FOREIGN_ADDRESS = "fd00::1"


class FedUnbound:
    serves = True

    def __init__(self, folder):
        self.unbound = Unbound(folder, server=f'  local-data: "{FOREIGN}. 30 AAAA {FOREIGN_ADDRESS}"')
        self.keys = f"type: unbound, control: {self.unbound.control}, ask: 127.0.0.1@{self.unbound.port}"
        self.start, self.stop, self.lookup, self.port = (
            self.unbound.start, self.unbound.stop, lambda name: set(self.unbound.addresses(name)), self.unbound.port)

    def remove(self, name):
        self.unbound.command(f"local_data_remove {name}")

    def reload(self):
        self.unbound.command("reload")

    def process(self):
        return self.unbound.server.process


class FedDnsmasq:
    serves = True

    def __init__(self, folder):
        self.dir = folder / "hosts.d"
        self.dir.mkdir(exist_ok=True)
        self.dnsmasq = Dnsmasq(folder, f"--hostsdir={self.dir}", "--local=/coder/", "--local=/lab/", "--local-ttl=30",
                               f"--host-record={FOREIGN},{FOREIGN_ADDRESS}")
        self.keys = f"type: dnsmasq, hostsdir: {self.dir}, ask: 127.0.0.1@{self.dnsmasq.port}"
        self.start, self.stop, self.lookup, self.port = (
            self.dnsmasq.start, self.dnsmasq.stop, lambda name: set(self.dnsmasq.addresses(name)), self.dnsmasq.port)

    def remove(self, name):
        for path in self.dir.iterdir():
            if path.is_file() and f"{name}" in path.read_text():
                path.unlink()

    def reload(self):
        self.process().send_signal(signal.SIGHUP)

    def process(self):
        return self.dnsmasq.server.process


class FedHosts:
    serves = False

    def __init__(self, folder):
        self.path = folder / "etc-hosts"
        self.path.write_text(f"127.0.0.1 localhost\n{FOREIGN_ADDRESS} {FOREIGN}\n")
        self.keys = f"type: hosts, path: {self.path}"

    def lookup(self, name):
        lines = [line.split("#")[0].split() for line in self.path.read_text().splitlines()]
        return {words[0] for words in lines if name in words[1:]}

    def remove(self, name):
        lines = self.path.read_text().splitlines(keepends=True)
        self.path.write_text("".join(line for line in lines if name not in line.split()))


class FedHook:
    serves = False

    def __init__(self, folder):
        self.path = folder / "names.json"
        self.path.write_text(json.dumps({FOREIGN: {"address": FOREIGN_ADDRESS, "by": "hand"}}))
        program_path = folder / "adapter.py"
        shutil.copy(EXAMPLES / "hooks" / "adapter.py", program_path)
        program_path.chmod(0o755)
        self.keys = f"type: hook, form: json, command: [{program_path}, {self.path}]"

    def lookup(self, name):
        entry = json.loads(self.path.read_text()).get(name)
        return {entry["address"]} if entry else set()


KINDS = {"unbound": FedUnbound, "dnsmasq": FedDnsmasq, "hosts": FedHosts, "hook": FedHook}


class World:
    """Workspaces with one agent each, in a server, a bridge and a resolver."""

    def __init__(self, folder, kind):
        self.folder = folder
        self.kind = kind
        self.fed = KINDS[kind](folder)
        self.want = {}   # workspace number -> (name, agent)
        self.gone = set()
        self.suffix = "coder"
        self.more = ""
        self.guard = ""
        self.bridge = None

    # -- the server

    def names(self, number):
        name, agent = self.want[number]
        return {f"{n}.{self.suffix}": address(agent) for n in (f"main.{name}.me", f"main.{name}.alice", name)}

    def expected(self):
        return {n: a for number in self.want for n, a in self.names(number).items()}

    def begin(self, n):
        self.want = {i: (f"w{i}", 1000 + i) for i in range(1, n + 1)}
        words = " ".join(f"{i}={name}:{agent}=main" for i, (name, agent) in self.want.items())
        self.sim = Simulator(self.folder, f"user alice 1\nsnapshot alice {words}\n")

    def diff(self, *changes):
        """(number, name, agent), or (number,) for one that goes."""
        words = []
        before = set(self.expected())
        for number, *rest in changes:
            if number in self.want and rest:
                words.append(f"-:{self.want[number][1]}")
            if rest:
                words.append(f"+{number}={rest[0]}:{rest[1]}=main")
                self.want[number] = tuple(rest)
            else:
                words.append(f"-{number}")
                del self.want[number]
        self.gone = (self.gone | before) - set(self.expected())
        self.sim.say("diff alice " + " ".join(words))

    # -- the bridge

    def top(self):
        return (f"{self.guard}adapters:\n  - {{ name: fed, {self.fed.keys}{self.more}, verify-interval: 300ms,"
                " retry: { floor: 20ms, cap: 200ms, failed-after: 1s, skipped: 500ms } }\n")

    def source(self):
        return f"    owners: [me]\n    suffix: {self.suffix}\n"

    def start_bridge(self):
        self.bridge = Bridge(self.folder, self.sim.url, self.source(), top=self.top())
        self.bridge.wait_log("live with")
        return self.bridge

    def reconfigure(self, top=None):
        self.bridge.configure(self.sim.url, self.source(), top=self.top() if top is None else top)
        self.bridge.reload()

    def kill(self):
        self.bridge.process.kill()
        self.bridge.process.wait(10)

    def ctl(self, *args):
        done = subprocess.run([program("bridge/holdfastctl"), "-c", self.bridge.config, "--json", *args], capture_output=True,
                              text=True, timeout=60, check=False)
        assert done.stdout, done.stderr
        return json.loads(done.stdout), done.returncode

    def status(self):
        return self.ctl("status")[0]["adapters"][0]

    # -- the resolver

    def wrong(self):
        """What does not resolve as it should."""
        wrong = {n: self.fed.lookup(n) for n, a in self.expected().items() if self.fed.lookup(n) != {a}}
        wrong.update({n: got for n in self.gone if (got := self.fed.lookup(n))})
        if (got := self.fed.lookup(FOREIGN)) != {FOREIGN_ADDRESS}:
            wrong[FOREIGN] = got
        return wrong

    def check(self, seconds=10):
        end = time.monotonic() + seconds
        while wrong := self.wrong():
            assert time.monotonic() < end, f"{dict(list(wrong.items())[:5])}\n{self.bridge.log()[-8000:]}"
            time.sleep(0.02)

    def settled(self, seconds=10):
        self.check(seconds)
        wait_for(lambda: self.status()["state"] == "synced", seconds)
        self.check(1)


@pytest.fixture
def folder():
    """One that every user can reach, as resolvers must."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def make(folder, kind, n=10):
    world = World(folder, kind)
    world.begin(n)
    if world.fed.serves:
        world.fed.start()
    world.start_bridge()
    world.settled()
    return world


@pytest.fixture(params=KINDS)
def world(folder, request):
    world = make(folder, request.param)
    yield world
    world.end()


@pytest.fixture(params=[k for k in KINDS if KINDS[k].serves])
def serving(folder, request):
    world = make(folder, request.param)
    yield world
    world.end()


def end(self):
    try:
        self.bridge.process.send_signal(signal.SIGCONT)
        status = self.bridge.stop()
        assert status == 0 and "Sanitizer" not in self.bridge.log(), self.bridge.log()[-4000:]
    finally:
        self.sim.stop()
        if self.fed.serves:
            self.fed.stop()


World.end = end


def test_names_that_come_change_and_go(world):
    world.diff((11, "new", 2000))
    world.check()
    world.diff((1, "w1", 2001))  # a rebuild: another agent, another address
    world.check()
    world.diff((2, "renamed", 1002))
    world.check()
    world.diff((3,))
    world.check()
    world.sim.say("cut tcp")
    world.bridge.wait_log("live with", times=2)
    world.settled()
    adapters, status = world.ctl("verify", "--full")
    assert status == 0 and adapters[0]["check"]["wrong"] == 0
    assert world.kind == "hook" or adapters[0]["check"]["asked"] == len(world.expected())
    state = world.status()
    assert state["owned"] == len(world.expected()) and state["state"] == "synced" and state["skipped"] == 0


@pytest.mark.parametrize("how", ["restart", "kill", "stop"])
def test_whatever_becomes_of_the_bridge_the_resolver_answers(world, how):
    names = list(world.expected())
    with Prober(world.fed.port, names, rate=500) if world.fed.serves else open(os.devnull) as prober:
        if how == "stop":
            world.bridge.process.send_signal(signal.SIGSTOP)
            world.sim.say("diff alice +11=new:2000=main")
            world.want[11] = ("new", 2000)
            time.sleep(1)
            world.bridge.process.send_signal(signal.SIGCONT)
        else:
            world.kill() if how == "kill" else world.bridge.stop()
            time.sleep(0.3)
            world.diff((11, "new", 2000), (4,))
            world.start_bridge()
        world.settled()
    if world.fed.serves:
        assert not prober.lost
        bad = [a for a in prober.answers if a[1] and not names[a[0]].startswith(("main.w4.", "w4."))]
        assert not bad, bad[:3]


def test_killed_at_random_while_it_applies(world):
    rnd = random.Random(7)
    # A kill before the message makes absences of its deletes: with four of thirty the guard would hold them, as it is to do.
    world.guard = "guard: { max-removal: 100% }\n"
    for turn in range(100 if LONG else 10):
        numbers = rnd.sample(range(1, 40), 12)
        changes = []
        for i in numbers:
            if i in world.want and len(world.want) > 8 and rnd.random() < 0.3:
                changes.append((i,))
            else:
                changes.append((i, f"w{i}" if rnd.random() < 0.8 else f"r{turn}x{i}", 3000 + turn * 100 + i))
        world.diff(*changes)
        time.sleep(rnd.random() * 0.15)
        world.kill()
        world.start_bridge()
        world.check(15)
    world.settled()
    assert world.status()["owned"] == len(world.expected())


@pytest.mark.parametrize("how", ["restart", "kill", "reload"])
def test_a_resolver_that_begins_anew_is_filled_again(serving, how):
    if how == "reload":
        serving.fed.reload()
    else:
        serving.fed.stop(signal.SIGKILL if how == "kill" else signal.SIGTERM)
        serving.fed.start()
    serving.settled(15)


def test_a_resolver_that_is_away_is_waited_for(serving):
    serving.fed.stop()
    serving.diff((1, "w1", 2001), (2,), (11, "new", 2000))
    if serving.kind == "unbound":  # dnsmasq is fed by files, and finds them
        wait_for(lambda: serving.status()["state"] == "failed", 10)
    wait_for(lambda: serving.status()["attempts"], 10)
    report = serving.ctl("status")
    assert report[1] == 1
    serving.fed.start()
    serving.settled(15)


def test_a_resolver_that_hangs_holds_up_nobody_else(folder, serving):
    names = folder / "others.json"
    names.write_text("{}")
    other = folder / "other.py"
    shutil.copy(EXAMPLES / "hooks" / "adapter.py", other)
    other.chmod(0o755)
    serving.reconfigure(serving.top() + f"  - {{ name: other, type: hook, form: json, command: [{other}, {names}] }}\n")
    wait_for(lambda: set(json.loads(names.read_text())) == set(serving.expected()))
    serving.fed.process().send_signal(signal.SIGSTOP)
    serving.diff((1, "w1", 2001), (2,), (11, "new", 2000))
    began = time.monotonic()
    wait_for(lambda: {n: e["address"] for n, e in json.loads(names.read_text()).items()} == serving.expected())
    assert time.monotonic() - began < 2
    wait_for(lambda: serving.status()["attempts"], 15)
    serving.fed.process().send_signal(signal.SIGCONT)
    serving.settled(20)


def test_what_others_remove_is_put_again(world):
    if not hasattr(world.fed, "remove"):
        pytest.skip("a hook cannot be asked")
    for name in ("main.w3.me.coder", "w5.coder"):
        world.fed.remove(name)
    world.settled()


def test_what_others_have_is_left_alone(world):
    """A workspace that would have the name of a printer."""
    world.want[12] = ("other", 2012)
    world.sim.say("diff alice +12=printer:2012=main")
    world.want[12] = ("printer", 2012)
    want = world.expected()
    ours = {n: a for n, a in want.items() if n != FOREIGN}
    wait_for(lambda: all(world.fed.lookup(n) == {a} for n, a in ours.items()))
    wait_for(lambda: world.status()["state"] == "synced")
    assert world.fed.lookup(FOREIGN) == {FOREIGN_ADDRESS}
    wait_for(lambda: world.status()["skipped"] == 1)
    world.diff((12,))
    world.gone.discard(FOREIGN)
    world.settled()


def test_another_suffix_takes_the_old_names_out(world):
    if world.kind == "unbound":
        wait_for(lambda: world.fed.unbound.zones().get("coder.") == "static")
    world.gone |= set(world.expected())
    world.suffix = "lab"
    world.reconfigure()
    world.settled(15)
    if world.kind == "unbound":
        wait_for(lambda: world.fed.unbound.zones().get("coder.") != "static")
        assert world.fed.unbound.zones()["lab."] == "static"


def test_with_the_store_lost_only_what_is_wanted_is_left(world):
    world.bridge.stop()
    for path in world.folder.glob("store.db*"):
        path.unlink()
    world.diff((2,), (3, "w3", 2003))
    world.start_bridge()
    world.settled(15)
    if world.kind != "hook":  # what cannot be listed cannot be adopted
        assert world.status()["leaving"] == 0
        assert world.status()["owned"] == len(world.expected())


def test_kept_at_the_end_and_taken_out_where_that_is_wanted(world):
    ours = set(world.expected())
    world.bridge.stop()
    world.check(1)
    world.more = ", teardown: clean"
    world.start_bridge()
    world.settled()
    assert world.bridge.stop() == 0
    assert not [n for n in ours if world.fed.lookup(n)] and world.fed.lookup(FOREIGN) == {FOREIGN_ADDRESS}
    world.start_bridge()
    world.settled()
    world.reconfigure("")
    wait_for(lambda: not [n for n in ours if world.fed.lookup(n)])
    assert world.fed.lookup(FOREIGN) == {FOREIGN_ADDRESS}
    world.reconfigure()
    world.settled()


def test_a_changed_setting_loses_nothing(world):
    before = world.status()["owned"]
    world.more = ", teardown: clean"
    world.reconfigure()
    world.bridge.wait_log("adapters[fed].teardown: keep -> clean")
    world.settled()
    assert world.status()["owned"] == before
    world.more = ""
    world.reconfigure()
    world.bridge.wait_log("adapters[fed].teardown: clean -> keep")
    world.settled()


def test_reconnects_with_the_same_snapshot_write_nothing(folder):
    world = make(folder, "hosts")
    try:
        before = world.fed.path.stat()
        commits = world.bridge.log().count("fed': idle -> passing")
        for _ in range(1000 if LONG else 50):
            world.sim.say("cut tcp")
            world.sim.say("await streams 1")
        time.sleep(0.5)
        after = world.fed.path.stat()
        assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
        assert world.status()["state"] == "synced" and commits
    finally:
        world.end()


def test_an_operator_fills_one_adapter_anew(world):
    answer, status = world.ctl("resync", "fed")
    assert status == 0 and answer["name"] == "fed"
    world.bridge.wait_log("the operator asks for it")
    world.settled()
    done = subprocess.run([program("bridge/holdfastctl"), "-c", world.bridge.config, "resync", "nobody"], capture_output=True,
                          text=True, timeout=10, check=False)
    assert done.returncode != 0 and "no adapter of that name" in done.stderr


