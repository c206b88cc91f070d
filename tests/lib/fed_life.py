# SPDX-License-Identifier: Apache-2.0
"""
A random life of a bridge with adapters, of all that they feed, and of who else is there. After each step all that each resolver has is what
`records` shows, no more and no less, within PATIENCE_S; what differs for a reason is told by status. tests/resolver/test_feed_lives.py has more.
"""
import contextlib
import json
import random
import re
import signal
import subprocess
import time

from bridge import Bridge
from fed_outputs import KINDS, Wanted
from fed_world import Source
from zone import program

PATIENCE_S = 10  # what must be so "soon" is so within 2 s where nothing else runs
STEPS = 6
EVENTS = []      # (how often, for which outputs, function): what a step may do


class Wrong(AssertionError):
    """Something is not as it should be."""


def event(often=1, only=""):
    """`only`: for lives with one of these outputs."""
    def note(function):
        EVENTS.append((often, only.split(), function))
        return function
    return note


class LifeBridge(Bridge):
    """holdfastd with all of its configuration from `text()`."""

    def __init__(self, folder, text):
        self.text = text
        super().__init__(folder, "")

    def configure(self, *_):
        # As a person with care would: a reload that was asked for before reads one or the other.
        fresh = self.config.with_suffix(".new")
        fresh.write_text(self.text(self))
        fresh.chmod(0o600)
        fresh.rename(self.config)


class Life:
    """What there is, and what it should have. `only` are numbers of steps: the others are left out."""

    SUFFIXES = "coder", "lab.example", "lab2.example", "work.example"

    may = staticmethod(lambda word: True)

    def __init__(self, folder, seed, only=None, steps=STEPS):
        self.folder, self.seed, self.only, self.n_steps = folder, seed, only, steps
        self.rnd = rnd = random.Random(seed)
        self.story, self.ever, self.took, self.serial = [], set(), [], 0
        self.bridge, self.settled = None, False
        # Names are asked for in turn all the time, or as good as never: what is noticed then is noticed by the watch.
        self.rounds = rnd.random() < 0.75
        self.waits = (f"verify-interval: {'100ms' if self.rounds else '1h'}, "
                      "retry: { floor: 20ms, cap: 200ms, skipped: 200ms }")
        n = rnd.choice([1, 1, 2])
        self.sources = [Source(folder, name, user, suffix, first, rnd) for name, user, suffix, first in
                        [("main", "alice", "coder", 0), ("two", "bob", "lab.example", 5000)][:n]]
        self.away = []  # sources that the configuration does not name now
        kinds = rnd.sample(["ub", "ub", "dm", "ho", "hk"], rnd.choice([1, 2, 2]))
        self.outputs = [KINDS[kind](self, rnd) for kind in dict.fromkeys(kinds)]

    # -- what should be so

    def suffixes(self):
        return [s.suffix for s in self.sources]

    def want(self):
        names, pointers = {}, {}
        for source in self.sources:
            more, at = source.names()
            names.update(more)
            pointers.update(at)
        return Wanted(names, pointers, self.suffixes(), self.ever)

    def config(self, bridge):
        fed = [o for o in self.outputs if o.configured]
        return (f"store: {self.folder}/store.db\nzone: {self.folder}/zone\ncontrol: {self.folder}/control.sock\n"
                f"log: {{ level: debug }}\npulse-interval: 1s\nguard: {{ min-workspaces: 1000, max-removal: 100% }}\n"
                f"dns: {{ listen: 127.0.0.1@{bridge.dns_port}, probe-interval: 1h }}\n" +
                ("adapters:\n" if fed else "") + "".join(f"  - {o.entry()}\n" for o in fed) + "sources:\n" +
                "".join(f"  - name: {s.name}\n    url: '{s.sim.url}'\n    token-file: {bridge.token}\n    suffix: {s.suffix}\n"
                        "    retry: { floor: 20ms, cap: 200ms, events: 50ms, steady: 1s, per-minute: 1000 }\n"
                        "    timeouts: { connect: 2s, request: 3s, head: 2s }\n" for s in self.sources))

    # -- the bridge

    def start_bridge(self):
        """As the service manager does."""
        self.bridge.configure()
        self.bridge.start()
        self.answers()

    def answers(self):
        """The bridge takes commands."""
        end = time.monotonic() + PATIENCE_S
        while True:
            with contextlib.suppress(OSError, AssertionError):
                return self.bridge.ask("status")
            self.alive()
            if time.monotonic() > end:
                raise Wrong("the control socket does not answer")
            time.sleep(0.01)

    def alive(self):
        if self.bridge.process.poll() is not None:
            raise Wrong(f"the bridge has ended: {self.bridge.process.returncode}")

    def kill(self):
        self.bridge.process.kill()
        self.bridge.process.wait()

    def stop_bridge(self):
        """
        As the service manager does; what is to be clean is clean then, if it was settled: "until the store is ready no adapter removes
        anything".
        """
        self.bridge.process.terminate()
        try:
            status = self.bridge.process.wait(20)
        except subprocess.TimeoutExpired:
            raise Wrong("the bridge does not end") from None
        if status:
            raise Wrong(f"the bridge ended with status {status}")
        for o in self.outputs if self.settled else ():
            if o.configured and o.up and o.teardown == "clean" and not o.foreign and (left := o.left()):
                raise Wrong(f"{o.name} after the bridge's end: {left[:4]}")

    def reload(self):
        self.bridge.configure()
        self.bridge.reload()

    def ctl(self, *words):
        return subprocess.run([program("bridge/holdfastctl"), "-c", self.bridge.config, *words], capture_output=True, text=True,
                              timeout=60, check=False)

    def setup_lines(self):
        said = self.ctl("setup", "unbound").stdout
        return re.sub(r"remote-control:\n(  control-.*\n)+", "", said[said.index("remote-control:"):])

    # -- what is so

    def told(self, status, output):
        """Whether status tells of what differs at this adapter: left out and counted, or named."""
        row = next(a for a in status["adapters"] if a["name"] == output.name)
        text = " ".join([w["text"] for w in status["warnings"]] + [row["last_error"] or ""])
        return row["skipped"] or any(name in text for name in output.foreign)

    def adapter_wrong(self, status, output):
        row = next((a for a in status["adapters"] if a["name"] == output.name), None)
        if not row:
            return [f"status has no adapter {output.name}"]
        if output.foreign:
            # What is wanted no longer is theirs alone: the log says so, status does not.
            words = {f"{w[0]}." for source in self.sources for w in source.workspaces.values()}
            gone = not output.foreign & (set(self.want().names) | words)
            return [] if output.quiet or gone or self.told(status, output) else [f"status tells nothing of {sorted(output.foreign)}"]
        # What was seen of others is told until the name's next turn.
        if row["state"] != "synced" or row["leaving"] or (row["skipped"] and self.rounds):
            return [f"status: {row}"]
        return []

    def wrong(self):
        want = self.want()
        try:
            (status,), records = self.bridge.ask("status"), self.bridge.ask("records")
        except (OSError, AssertionError) as e:
            self.alive()
            return [f"control socket: {e!r}"]
        has = {(r["name"], r["data"]) for r in records if r["type"] == "AAAA"}
        wrong = [f"records: {pair} {'should not be there' if pair in has else 'is missing'}" for pair in sorted(has ^ set(want.names.items()))]
        names = [o.name for o in self.outputs if o.configured]
        wrong += [f"status has adapter {a['name']}" for a in status["adapters"] if a["name"] not in names]
        for o in self.outputs if not wrong else ():
            if o.configured and o.up:
                wrong += [f"{o.name}: {line}" for line in o.wrong(want) + self.adapter_wrong(status, o)]
        return wrong

    def until(self, wrong, seconds=PATIENCE_S):
        begin = time.monotonic()
        while lines := wrong():
            if time.monotonic() > begin + seconds:
                raise Wrong("; ".join(lines[:5]) + (f"; and {len(lines) - 5} more" if len(lines) > 5 else ""))
            time.sleep(0.05)
        return time.monotonic() - begin

    def check(self):
        """All of it agrees, soon, but with resolvers that are not there."""
        took = self.until(self.wrong)
        self.note()
        self.settled = True
        return took

    def note(self):
        want = self.want()
        self.ever |= set(want.names) | set(want.pointers)
        for o in self.outputs:
            if o.word != "hk" and o.configured and not o.foreign and self.rnd.random() < 0.5:
                with contextlib.suppress(FileNotFoundError):
                    o.backups = [*o.backups[-3:], o.backup()]

    # -- a life

    def begin(self):
        for o in self.outputs:
            o.begin()
        self.bridge = LifeBridge(self.folder, self.config)
        self.answers()
        self.check()
        for o in self.outputs:
            o.fed()
        self.check()

    def step(self, n):
        """Up to three things at once, and then a look. What a step does depends on nothing before it but the state."""
        self.rnd = random.Random(f"{self.seed}/{n}")
        words = [o.word for o in self.outputs]
        events = [function for often, only, function in EVENTS for _ in range(often) if not only or set(only) & set(words)]
        for _ in range(self.rnd.choice([1, 1, 2, 3])):
            function = self.rnd.choice(events)
            self.story.append(f"{n}:{function.__name__}")
            self.settled = False
            function(self)
            if self.rnd.random() < 0.5:
                time.sleep(self.rnd.random() * 0.06)
        self.took.append((self.check(), self.story[-1]))

    def run(self):
        """None, or what is wrong."""
        try:
            self.story.append("begin")
            self.begin()
            for n in range(self.n_steps) if self.only is None else self.only:
                self.step(n)
            # What was noticed too late, or is done again and again: longer than the watch's second.
            self.story.append("stays")
            time.sleep(1.2)
            if lines := self.wrong():
                raise Wrong(f"after a while: {'; '.join(lines[:5])}")
            self.story.append("end")
            self.last_things()
        except Wrong as e:
            return str(e)
        finally:
            self.end()
        log = self.bridge.log()
        return "a sanitizer speaks" if "Sanitizer" in log or "runtime error" in log else None

    def last_things(self):
        """Half of the lives end with everything taken out."""
        for o in self.outputs:
            if not o.foreign and o.configured and (done := self.ctl("verify", o.name, "--full")).returncode:
                raise Wrong(f"verify {o.name}: {done.stdout}{done.stderr}")
        self.stop_bridge()

    def end(self):
        if self.bridge and self.bridge.process.poll() is None:
            self.bridge.process.send_signal(signal.SIGCONT)
            self.bridge.process.kill()
            self.bridge.process.wait()
        for o in self.outputs:
            o.end()
        for source in self.sources + self.away:
            source.sim.stop()

    def shape(self):
        return f"{' '.join(o.shape() for o in self.outputs)}, {len(self.sources) + len(self.away)} sources, rounds {self.rounds}"

    def pick(self, *words):
        """An output of these kinds that is fed and runs, if there is one."""
        fitting = [o for o in self.outputs if o.configured and o.up and o.word in (words or KINDS)]
        return self.rnd.choice(fitting) if fitting else None

    def status_says(self, output, good):
        """Until status tells that it is so with this adapter."""
        def wrong():
            status = self.bridge.ask("status")[0]
            row = next((a for a in status["adapters"] if a["name"] == output.name), {})
            return [] if good(row) else [f"status: {json.dumps(row)}"]
        self.until(wrong)
