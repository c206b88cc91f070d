# SPDX-License-Identifier: Apache-2.0
"""
One life, all outputs: what happens to a server, a bridge and the machine around it, at random, and what becomes of it everywhere at once:
in holdfast-dns, in unbound with the module, in a stock unbound and a dnsmasq that the bridge feeds, and in a hosts file. After each event all
of them give the same addresses, PTR names and codes: those that the server listed last, and that `records` shows.

Meanwhile a prober asks the responder for names that stay through the whole life, and in every other life the module too: none is ever lost,
wrong or missing. In the lives in between nobody asks the module but the test, and its first answer must be right: a reader is never more than
a second behind what is published, asked or not.
"""
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time

import dns.exception
import dns.rcode
import dns.rdatatype
import dns.reversename
import pytest

import module
from bridge import Bridge
from fed_dnsmasq import Dnsmasq
from fed_unbound import Unbound as FedUnbound
from peer import Simulator
from prober import Prober
from server import Responder, addresses, wait_for
from stock import need
from zone import address, program

LONG = bool(os.environ.get("HF_LONG"))
LIVES, STEPS = (6, 60) if LONG else (2, 26)
SEED = int(os.environ.get("HF_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
PILLARS = 20     # workspaces of alice that no event touches
CROWD = 350      # workspaces of alice that change all at once: that makes a new base of the zone
SEEN_S = 2.5     # a second, and what a busy machine may add
QUIET_S = 8      # an event and all that follows from it are over by then, on a machine that has much else to do
SUFFIXES = "coder", "lab.example", "lab2.example"
GUARD = "guard: { min-workspaces: 3, max-removal: 50%, grace: 30s }\n"


class Person:
    """A user of the server and what it lists of them: {number: (name, [(agent, name)])}."""

    def __init__(self, name):
        self.name, self.workspaces = name, {}

    def words(self):
        return " ".join(f"{n}={name}" + (":" + ",".join(f"{a}={label}" for a, label in agents) if agents else "")
                        for n, (name, agents) in sorted(self.workspaces.items()))

    def names(self, suffix, own):
        """{name: address} and {address: its first name}."""
        names, ptr = {}, {}
        for name, agents in self.workspaces.values():
            for a, label in agents:
                forms = [f"{label}.{name}.me.{suffix}"] if own else []
                forms.append(f"{label}.{name}.{self.name}.{suffix}")
                if own and len(agents) == 1:
                    forms.append(f"{name}.{suffix}")
                names.update((form, address(a)) for form in forms)
                ptr[address(a)] = forms[0]
        return names, ptr


class Life:
    """The server, the bridge, every output, and what they must agree on."""

    def __init__(self, folder, seed):
        self.folder, self.rnd = folder, random.Random(seed)
        self.alice, self.bob = Person("alice"), Person("bob")
        self.number = 100  # of workspaces and agents
        self.suffix, self.ttl, self.bob_followed, self.down = SUFFIXES[1], 30, True, False
        self.gone = set()  # names that were there once
        self.story = []
        self.prober_of_module = None
        for n in range(1, PILLARS + 1):
            self.alice.workspaces[n] = f"pillar{n}", [(n, "main")]
        self.pillars = self.alice.names(SUFFIXES[0], True)[0]
        self.crowd = {10000 + i: 200000 for i in range(CROWD)}  # number: what its agent's number begins with
        for n in self.crowd:
            self.alice.workspaces[n] = f"c{n}", [(self.crowd[n] + n, "main")]
        for _ in range(12):
            self.new(self.alice)
            self.new(self.bob)

    # -- what is where

    def new(self, person, name=None, agents=None):
        self.number += 1
        n = self.number
        agents = agents if agents is not None else self.rnd.choice([1, 1, 1, 2, 0])
        person.workspaces[n] = name or f"w{n}", [(n * 10 + i, ("main", "gpu")[i]) for i in range(agents)]
        return n

    def expected(self):
        names, ptr = self.alice.names(SUFFIXES[0], True)
        if self.bob_followed:
            more, more_ptr = self.bob.names(self.suffix, False)
            names.update(more)
            ptr.update(more_ptr)
        return names, ptr

    def movable(self, person):
        return [n for n in person.workspaces if n > PILLARS and n not in self.crowd]

    # -- start and end

    def config(self):
        adapters = (
            f"  - {{ name: ub, type: unbound, control: {self.unbound.control}, ask: 127.0.0.1@{self.unbound.port}, {self.waits} }}\n"
            f"  - {{ name: dm, type: dnsmasq, hostsdir: {self.hostsdir}, ask: 127.0.0.1@{self.dnsmasq.port}, {self.waits} }}\n"
            f"  - {{ name: ho, type: hosts, path: {self.hosts}, max-names: 5000, {self.waits} }}\n")
        sources = (
            "    owners: [me]\n    suffix: coder\n    snapshot-interval: 2s\n"
            + (f"  - name: lab\n    url: '{self.sim.url}'\n    token-file: {self.folder}/token\n    owners: [bob]\n"
               f"    suffix: {self.suffix}\n    snapshot-interval: 2s\n"
               "    retry: { floor: 20ms, cap: 200ms, events: 50ms, steady: 1s, per-minute: 1000 }\n"
               "    timeouts: { connect: 2s, request: 3s, head: 2s, ping-interval: 300ms, ping-timeout: 1s }\n"
               if self.bob_followed else ""))
        return dict(source=sources, top=f"ttl: {self.ttl}\n{GUARD}adapters:\n{adapters}",
                    timeouts=", ping-interval: 300ms, ping-timeout: 1s")

    waits = "verify-interval: 300ms, retry: { floor: 20ms, cap: 200ms, failed-after: 1s, skipped: 500ms }"

    def start(self):
        module.need_module()
        need("unbound")
        self.sim = Simulator(self.folder, f"user alice 1\nuser bob 2\nsnapshot alice {self.alice.words()}\n"
                                          f"snapshot bob {self.bob.words()}\n", verbose=False)
        self.hostsdir = self.folder / "hosts.d"
        self.hostsdir.mkdir()
        self.hosts = self.folder / "hosts"
        self.hosts.write_text("127.0.0.1 localhost\n::1 localhost\n192.0.2.1 www.coder.example\n")
        zones = "".join(f'  private-domain: "{s}"\n' for s in SUFFIXES)
        self.unbound = FedUnbound(self.folder, server=zones).start()
        self.dnsmasq = Dnsmasq(self.folder, f"--hostsdir={self.hostsdir}", "--local-ttl=30",
                               *(f"--local=/{s}/" for s in SUFFIXES),
                               "--local=/b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa/").start()
        self.bridge = Bridge(self.folder, self.sim.url, **self.config())
        self.bridge.wait_log("live with")
        self.responder = Responder(self.folder, self.folder / "zone")
        self.responder.__enter__()
        self.start_module()

    def start_module(self):
        self.plugin = module.Unbound(self.folder, self.folder / "zone", dns=self.responder.port, suffixes=SUFFIXES)

    def start_bridge(self):
        self.bridge = Bridge(self.folder, self.sim.url, **self.config())

    def end(self):
        for last in (lambda: self.bridge.stop(), lambda: self.plugin.stop(), lambda: self.responder.stop(),
                     lambda: self.unbound.stop(), lambda: self.dnsmasq.stop(), lambda: self.sim.stop()):
            try:
                last()
            except (subprocess.TimeoutExpired, AttributeError):
                pass

    # -- events of the server

    def tell(self, person, words):
        """A change, which reaches the streams that are there; else the next snapshot has it."""
        self.sim.say(f"diff {person.name} {words}")

    def pick(self):
        return self.rnd.choice([self.alice, self.bob])

    def change(self, person):
        rnd = self.rnd
        n = rnd.choice(self.movable(person)) if self.movable(person) else self.new(person)
        name, agents = person.workspaces[n]
        what = rnd.choice(["new", "new", "delete", "rebuild", "rename", "stop", "start"])
        if what == "new" or len(self.movable(person)) < 4:
            n = self.new(person)
            name, agents = person.workspaces[n]
            return f"+{n}={name}" + (":" + ",".join(f"{a}={x}" for a, x in agents) if agents else "")
        if what == "delete":
            del person.workspaces[n]
            return f"-{n}"
        if what == "rename":
            person.workspaces[n] = f"r{n}x{rnd.randrange(100)}", agents
            return f"+{n}={person.workspaces[n][0]}"
        old = " ".join(f"-:{a}" for a, _ in agents)
        if what == "stop":
            person.workspaces[n] = name, []
            return old or f"+{n}={name}"
        self.number += 1
        agents = [(self.number * 10 + i, ("main", "gpu")[i]) for i in range(rnd.choice([1, 2]))]
        person.workspaces[n] = name, agents
        return f"{old} +{n}={name}:" + ",".join(f"{a}={x}" for a, x in agents)

    def some_changes(self):
        for _ in range(self.rnd.randrange(1, 4)):
            person = self.pick()
            self.tell(person, self.change(person))

    def taken_over(self):
        """A workspace goes and another one has its name at once."""
        person = self.pick()
        n = self.rnd.choice(self.movable(person))
        name, _ = person.workspaces.pop(n)
        m = self.new(person, name, 1)
        self.tell(person, f"+{m}={name}:{m * 10}=main -{n}")

    def the_crowd_is_rebuilt(self):
        """Another agent, another address for each of them."""
        words = []
        for n in self.crowd:
            old, self.crowd[n] = self.crowd[n] + n, self.crowd[n] + 20000
            self.alice.workspaces[n] = f"c{n}", [(self.crowd[n] + n, "main")]
            words.append(f"-:{old} +{n}=c{n}:{self.crowd[n] + n}=main")
        self.tell(self.alice, " ".join(words))

    def cut(self):
        self.sim.say(self.rnd.choice(["cut tcp", "cut rst", "cut ws 1012", "cut yamux", "cut call", "cut goaway"]))

    def away_with_changes(self):
        """What changes while nobody listens comes with the next snapshots."""
        self.sim.say("down")
        for person in (self.alice, self.bob):
            # Not more than the guard lets pass.
            for _ in range(2):
                self.change(person)
            self.sim.say(f"snapshot {person.name} {person.words()}")
        time.sleep(self.rnd.random())
        self.sim.say("up")

    def frozen(self):
        self.sim.say("freeze")
        time.sleep(self.rnd.random() * 2)
        self.sim.say("thaw")

    def refused(self):
        self.sim.say(f"refuse {self.rnd.choice([401, 403, 404, 500, 502, 503])}")
        self.sim.say("cut tcp")
        time.sleep(self.rnd.random())
        self.sim.say("refuse off")
        self.bridge.reload()

    def empty_snapshots(self):
        """Held: nothing changes, and the next good snapshots end it."""
        for person in (self.alice, self.bob):
            self.sim.say(f"snapshot {person.name}")
        self.sim.say("cut tcp")
        wait_for(lambda: self.status().get("held_removals"), QUIET_S)
        self.check(allowed_held=True)
        for person in (self.alice, self.bob):
            self.sim.say(f"snapshot {person.name} {person.words()}")
        self.sim.say("cut tcp")

    # -- events of the bridge and the machine

    def kill_bridge(self):
        self.bridge.process.kill()
        self.bridge.process.wait(10)
        if self.rnd.random() < 0.5:
            self.some_changes()
        self.start_bridge()

    def kill_bridge_in_a_commit(self):
        self.some_changes()
        time.sleep(self.rnd.random() * 0.06)
        self.kill_bridge()

    def restart_bridge(self):
        assert self.bridge.stop() == 0, self.bridge.log()[-4000:]
        self.check(bridge=False)
        self.start_bridge()

    def lose_store(self):
        self.bridge.stop()
        for path in self.folder.glob("store.db*"):
            path.unlink()
        self.start_bridge()

    def other_suffix(self):
        self.suffix = SUFFIXES[3 - SUFFIXES.index(self.suffix)]
        self.reconfigure()

    def other_ttl(self):
        self.ttl = self.rnd.choice([5, 17, 30])
        self.reconfigure()

    def bob_out_or_in(self):
        self.bob_followed = not self.bob_followed
        self.reconfigure()

    def reconfigure(self):
        self.bridge.configure(self.sim.url, **self.config())
        self.bridge.reload()

    def storm_of_reloads(self):
        for _ in range(20):
            self.bridge.reload()
            time.sleep(0.005)
        self.some_changes()
        self.bridge.reload()

    def stop_and_go(self):
        self.bridge.process.send_signal(signal.SIGSTOP)
        self.some_changes()
        time.sleep(self.rnd.random())
        self.bridge.process.send_signal(signal.SIGCONT)

    # -- events of the resolvers

    def restart_fed_unbound(self):
        self.unbound.restart(self.rnd.choice([signal.SIGTERM, signal.SIGKILL]))

    def reload_fed_unbound(self):
        self.unbound.command("reload")

    def restart_dnsmasq(self):
        self.dnsmasq.stop(self.rnd.choice([signal.SIGTERM, signal.SIGKILL]))
        self.dnsmasq.start()

    def reload_module(self):
        with self.prober_of_module.rests() if self.prober_of_module else contextlib.nullcontext():
            self.plugin.control("reload")
            wait_for(self.plugin.is_up)

    # -- what must be so

    def status(self):
        done = subprocess.run([program("bridge/holdfastctl"), "-c", self.bridge.config, "--json", "status"], capture_output=True,
                              text=True, timeout=30, check=False)
        return json.loads(done.stdout) if done.stdout else {}

    def suffixes(self):
        return (SUFFIXES[0], self.suffix) if self.bob_followed else SUFFIXES[:1]

    def is_ours(self, name):
        return name.endswith(tuple("." + s for s in self.suffixes()))

    def dns_view(self, ask, names, gone, ptr):
        """What a server that answers DNS says, in the words of expected_view()."""
        view = {}
        for name in sorted(names) + sorted(gone):
            answer = ask(name, "AAAA")
            # Below a suffix that is served no longer somebody else says what there is; here nobody.
            view[name] = addresses(answer) or (dns.rcode.to_text(answer.rcode()) if self.is_ours(name) else "none")
        for name in sorted(names)[::7]:
            answer = ask(name, "A")
            view[name, "A"] = dns.rcode.to_text(answer.rcode()), len(answer.answer)
        for a in ptr:
            answer = ask(dns.reversename.from_address(a), "PTR")
            view[a] = [r.target.to_text(True) for rrset in answer.answer for r in rrset if r.rdtype == dns.rdatatype.PTR]
        return view

    def expected_view(self, names, gone, ptr):
        view = {name: [a] for name, a in names.items()}
        view.update((name, "NXDOMAIN" if self.is_ours(name) else "none") for name in gone)
        view.update(((name, "A"), ("NOERROR", 0)) for name in sorted(names)[::7])
        view.update((a, [name]) for a, name in ptr.items())
        return view

    def hosts_wrong(self, names):
        lines = [line.split("#")[0].split() for line in self.hosts.read_text().splitlines()]
        has = {name: line[0] for line in lines for name in line[1:] if name != "localhost"}
        return {k: (has.get(k), names.get(k)) for k in has.keys() | names.keys()
                if has.get(k) != names.get(k) and k != "www.coder.example"}

    def records(self):
        return {r["name"]: r["data"] for r in self.bridge.ask("records") if r["type"] == "AAAA"}

    def first_answers(self):
        """When the bridge has published what it should, whoever was not asked meanwhile answers it, too."""
        names, _ = self.expected()
        wait_for(lambda: self.has_records(names), QUIET_S)
        time.sleep(SEEN_S)
        some = self.rnd.sample(sorted(names), 1) + self.rnd.sample([n for n in sorted(names) if ".c1" in n], 5)
        for output in self.plugin, self.responder:
            got = {name: addresses(output.ask(name)) for name in some}
            assert got == {name: [names[name]] for name in some}, f"seed {SEED}, {self.story}: {output.log_path}: {got}"

    def has_records(self, names):
        try:
            return self.records() == names
        except (OSError, AssertionError):  # the control socket of a bridge that begins
            return False

    def wrong(self, names, ptr, bridge=True):
        crowd = self.rnd.sample(sorted(n for n in names if ".c1" in n or n.startswith("c1")), 600)
        names, ptr, all_names = dict(names), dict(ptr), names
        for name in crowd:  # each has its turn
            ptr.pop(names.pop(name), None)
        gone = sorted(self.gone - set(all_names))
        gone = self.rnd.sample(gone, min(len(gone), 60))
        want = self.expected_view(names, gone, ptr)
        wrong = {}
        for output, ask in (("holdfast-dns", self.responder.ask), ("module", self.plugin.ask), ("unbound", self.unbound.server.ask),
                            ("dnsmasq", self.dnsmasq.server.ask)):
            try:
                view = self.dns_view(ask, names, gone, ptr)
            except (dns.exception.DNSException, OSError) as error:
                wrong[output] = repr(error)
                continue
            if view != want:
                wrong[output] = {k: (view.get(k), v) for k, v in want.items() if view.get(k) != v}
        if hosts := self.hosts_wrong(all_names):
            wrong["hosts"] = hosts
        if bridge and (records := self.records()) != all_names:
            wrong["records"] = {k: (records.get(k), all_names.get(k)) for k in records.keys() | all_names.keys()
                                if records.get(k) != all_names.get(k)}
        return wrong

    def check(self, bridge=True, allowed_held=False):
        names, ptr = self.expected()
        end = time.monotonic() + QUIET_S
        while True:
            try:
                wrong = self.wrong(names, ptr, bridge)
            except (OSError, AssertionError) as error:  # the control socket of a bridge that begins
                wrong = {"bridge": repr(error)}
            if not wrong:
                break
            few = {output: dict(list(w.items())[:4]) if isinstance(w, dict) else w for output, w in wrong.items()}
            assert time.monotonic() < end, f"seed {SEED}, {self.story}: (there, wanted) {few}\n{self.bridge.log()[-6000:]}"
            time.sleep(0.1)
        self.gone |= set(names)
        if bridge and not allowed_held:
            wait_for(lambda: not self.status().get("held_removals"), QUIET_S)

    EVENTS = (some_changes, some_changes, some_changes, taken_over, the_crowd_is_rebuilt, cut, away_with_changes, frozen, refused,
              empty_snapshots, kill_bridge, kill_bridge_in_a_commit, restart_bridge, lose_store, other_suffix, other_ttl,
              bob_out_or_in, storm_of_reloads, stop_and_go, restart_fed_unbound, reload_fed_unbound, restart_dnsmasq,
              reload_module)

    def live(self, steps, first_answers=False):
        # All of them come, in an order of this life's own.
        events = list(self.EVENTS) * (steps // len(self.EVENTS) + 1)
        self.rnd.shuffle(events)
        for event in events[:steps]:
            self.story.append(event.__name__)
            event(self)
            if first_answers:
                self.first_answers()
            self.check()
            assert self.responder.alive() and self.plugin.alive()


@pytest.fixture
def folder():
    """One that every user can reach, as resolvers must."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.mark.parametrize("turn", range(LIVES))
def test_all_outputs_agree_after_each_event_of_a_random_life(folder, turn):
    print(f"HF_SEED={SEED + turn}")
    life = Life(folder, SEED + turn)
    try:
        life.start()
        life.check()
        with contextlib.ExitStack() as stack:
            if asked := turn % 2 == 0:
                life.prober_of_module = stack.enter_context(Prober(life.plugin.port, life.pillars, pause=0.004))
                stack.enter_context(Prober(life.responder.port, life.pillars, pause=0.004))
            life.live(STEPS, first_answers=not asked)
    finally:
        life.end()
    assert "Sanitizer" not in life.bridge.log() and "runtime error" not in life.bridge.log()
