# SPDX-License-Identifier: Apache-2.0
"""
A whole bridge for tests of what a resolver has: simulator, holdfastd, the resolvers that it feeds, and one question, asked both
ways: does a resolver answer what it should, and nothing of what is gone? What is asserted is what a user sees: addresses, pointers
and codes, files, and what holdfastctl says.
"""
import contextlib
import json
import re
import signal
import socket
import subprocess
import time

import dns.exception
import dns.rcode
import dns.reversename

from bridge import Bridge
from fed_dnsmasq import Dnsmasq
from fed_unbound import Between, Unbound
from peer import Simulator
from server import ask_at, wait_for
from zone import address, program

WORLD = "user alice\nsnapshot alice 1=dev:7=main 2=web:8=main 3=tri:9=main\n"
ALL = {"dev": 7, "web": 8, "tri": 9}
WITHOUT_WEB = {"dev": 7, "tri": 9}
soon_s = 10  # what must be so "soon" is so within 2 s where nothing else runs; see tests/resolver/conftest.py


def names(workspace, suffix="coder", owner="alice"):
    """All names of a workspace with the one agent `main`; the first is where the pointer goes."""
    return [f"main.{workspace}.me.{suffix}", f"main.{workspace}.{owner}.{suffix}", f"{workspace}.{suffix}"]


def ask(port, name, rdtype="AAAA", timeout=1):
    """The records as texts, sorted and with commas; the code's name where there is none."""
    try:
        message = ask_at("127.0.0.1", port, name, rdtype, timeout=timeout)
    except (dns.exception.DNSException, OSError) as e:
        return type(e).__name__
    records = sorted(str(r) for rrset in message.answer for r in rrset)
    return ",".join(records) or ("NODATA" if not message.rcode() else dns.rcode.to_text(message.rcode()))


def pointer(port, n):
    return ask(port, dns.reversename.from_address(address(n)).to_text(), "PTR")


def answered(port, has, gone=(), suffix="coder"):
    """What is not as it should be at that port; "" where nothing is. has: {workspace: agent}; gone: workspaces, or {workspace: agent}."""
    wrong = []
    for workspace, agent in has.items():
        for name in names(workspace, suffix):
            if (got := ask(port, name)) != address(agent):
                wrong.append(f"{name} is {got}, not {address(agent)}")
        if (got := pointer(port, agent)) != names(workspace, suffix)[0] + ".":
            wrong.append(f"the pointer of {address(agent)} is {got}, not {names(workspace, suffix)[0]}.")
    for workspace in gone:
        for name in names(workspace, suffix):
            if (got := ask(port, name)) != "NXDOMAIN":
                wrong.append(f"{name} is gone, and is {got}")
        # What is said instead is the resolver's own matter: dnsmasq asks on.
        if isinstance(gone, dict) and (got := pointer(port, gone[workspace])).endswith("."):
            wrong.append(f"the pointer of {address(gone[workspace])} is gone, and is {got}")
    return "; ".join(wrong)


def written(path, has, gone=(), suffix="coder"):
    """The same of a hosts file."""
    lines = [line.split("#")[0].split() for line in path.read_text().splitlines()]
    pairs = {(name, words[0]) for words in lines if words for name in words[1:]}
    wrong = [f"{name} {address(agent)} is not in it" for workspace, agent in has.items() for name in names(workspace, suffix)
             if (name, address(agent)) not in pairs]
    wrong += [f"{name} is gone, and is in it" for workspace in gone for name in names(workspace, suffix)
              if name in {n for n, _ in pairs}]
    return "; ".join(wrong)


def until(problem, seconds=None):
    """Until problem() is empty; else fails with what it said last."""
    seconds = seconds or soon_s
    end = time.monotonic() + seconds
    while said := problem():
        assert time.monotonic() < end, f"after {seconds} s: {said}"
        time.sleep(0.02)


def stays(problem, seconds):
    """Nothing becomes wrong for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        said = problem()
        assert not said, said
        time.sleep(0.02)


class Gate(Between):
    """
    A control socket between the bridge and unbound. Of the commands that have `word` in them the nth calls `hook` before unbound gets
    it, or, with `after`, before the bridge hears what it said. `slow_s` is a pause before each. `listed` are the sizes of the listings
    that the bridge took.
    """

    def __init__(self, path, target):
        self.word, self.nth, self.hook, self.after, self.slow_s, self.listed = None, 1, None, False, 0, []
        super().__init__(path, target)

    def at(self, word, hook, nth=1, after=False):
        self.word, self.nth, self.hook, self.after = word.encode(), nth, hook, after

    def is_it(self, command):
        if not self.hook or self.word not in command:
            return False
        self.nth -= 1
        return self.nth == 0

    def run_hook(self):
        hook, self.hook = self.hook, None
        hook()

    def one(self, peer):
        command = b""
        with peer, contextlib.suppress(OSError):
            while not self.is_whole(command):
                part = peer.recv(65536)
                if not part:
                    return
                command += part
            self.commands.append(command)
            time.sleep(self.slow_s)
            now = self.is_it(command)
            if now and not self.after:
                self.run_hook()
            n = 0
            try:
                with socket.socket(socket.AF_UNIX) as s:
                    s.connect(self.target)
                    s.sendall(command)
                    said = b""
                    while part := s.recv(16384):
                        if now and self.after:
                            said += part
                            continue
                        peer.sendall(part)
                        n += len(part)
                    if now and self.after:
                        self.run_hook()
                        peer.sendall(said)
            finally:
                if b" list_" in command:
                    self.listed.append(n)


class Stand:
    """
    `feeds` are the adapters: names of UB, DM, HO (see adapter()), or YAML of other entries. What a test needs is started by it: unbound(),
    dnsmasq(), bridge(). All of it ends with the with block, whatever became of it.
    """

    def __init__(self, folder, world=WORLD, suffix="coder"):
        self.folder, self.suffix = folder, suffix
        self.server = Simulator(folder, world)
        self.servers = [self.server]
        self.bridge = self.ub = self.dm = self.gate = None
        self.start = folder / "start"
        self.start.mkdir()
        self.hostsdir = folder / "hostsdir"
        self.hostsdir.mkdir()
        self.hosts = folder / "hosts"
        self.hosts.write_text("127.0.0.1 localhost\n")
        self.sources = [("main", self.server.url, suffix)]
        self.feeds = []

    # --- resolvers

    def unbound(self, more="", server="", gate=False):
        self.ub = Unbound(self.folder, more, server).start()
        if gate:
            self.gate = Gate(self.folder / "gate.ctl", self.ub.control)
        return self.ub

    def reload_unbound(self):
        """As `systemctl reload unbound`; returns when it answers again."""
        assert self.ub.command("reload") == "ok\n"
        wait_for(lambda: ask(self.ub.port, "localhost") == "::1")

    def dnsmasq(self, *more, local=True):
        options = [f"--hostsdir={self.hostsdir}", "--local-ttl=30", *([f"--local=/{self.suffix}/"] if local else []), *more]
        self.dm = Dnsmasq(self.folder, *options).start()
        return self.dm

    def restart_dnsmasq(self, how=signal.SIGTERM):
        self.dm.stop(how)
        self.dm.start()

    # --- the bridge

    def control(self):
        return self.gate.path if self.gate else self.ub.control

    def unbound_entry(self, form=None, interval="100ms", file="start.conf", more="", name="ub"):
        """Of the configuration. form: include, zonefile; None: no start file."""
        start = f", start-file: {self.start / file}, start-form: {form}, start-interval: {interval}" if form else ""
        return f"{{ type: unbound, name: {name}, control: {self.control()}, ask: 127.0.0.1@{self.ub.port}{start}{more} }}"

    def dnsmasq_entry(self, folder=None, more="", name="dm"):
        return f"{{ type: dnsmasq, name: {name}, hostsdir: {folder or self.hostsdir}, ask: 127.0.0.1@{self.dm.port}{more} }}"

    def hosts_entry(self, path=None, more="", name="ho"):
        return f"{{ type: hosts, name: {name}, path: {path or self.hosts}{more} }}"

    def include(self):
        """What an unbound with a start file in the form `include` has in its configuration; no file is no error."""
        return f'  include: "{self.start}/*.conf"\n'

    def top(self):
        return "adapters:\n" + "".join(f"  - {entry}\n" for entry in self.feeds) if self.feeds else ""

    def source_text(self):
        (_, _, suffix), *others = self.sources
        return f"    suffix: {suffix}\n" + "".join(
            f"  - name: {name}\n    url: '{url}'\n    token-file: {self.folder / 'token'}\n    suffix: {of}\n" for name, url, of in others)

    def configure(self, *feeds, reload=True):
        """Other adapters; the bridge reads it at once, if it runs."""
        self.feeds = list(feeds)
        self.bridge.configure(self.sources[0][1], self.source_text(), top=self.top())
        if reload:
            self.bridge.reload()

    def run(self, *feeds, synced=True):
        """A bridge, the first or the next one. Without `feeds` those of before."""
        self.feeds = list(feeds) or self.feeds
        if not self.bridge:
            self.bridge = Bridge(self.folder, self.sources[0][1], self.source_text(), top=self.top())
        else:
            self.configure(*self.feeds, reload=False)
            self.bridge.start()
        if synced:
            self.synced()

    @contextlib.contextmanager
    def hung(self):
        """The bridge sees nothing of what is done meanwhile."""
        self.bridge.process.send_signal(signal.SIGSTOP)
        yield
        self.bridge.process.send_signal(signal.SIGCONT)

    def end(self, how=signal.SIGTERM):
        self.bridge.process.send_signal(how)
        return self.bridge.process.wait(20)

    def tell(self, words):
        self.server.say(f"diff alice {words}")

    # --- what people see

    def ctl(self, *words):
        return subprocess.run([program("bridge/holdfastctl"), "-c", self.bridge.config, *words], capture_output=True, text=True,
                              timeout=60, check=False)

    def status(self):
        """{} while nobody answers."""
        said = self.ctl("--json", "status").stdout
        status = json.loads(said) if said else {}
        return status if status.get("bridge") == "running" else {}

    def adapter(self, name="ub"):
        return next((a for a in self.status().get("adapters", ()) if a["name"] == name), {"state": "not there"})

    def synced(self, seconds=20):
        """Live, and each adapter has what the store has."""
        def problem():
            status = self.status()
            if not status or any(s["state"] != "live" for s in status["sources"]):
                return f"not live: {status.get('sources')}"
            bad = [a for a in status["adapters"] if a["state"] != "synced" or a["generation"] != status["generation"]]
            return f"not synced: {bad}" if bad or len(status["adapters"]) < len(self.feeds) else ""
        until(problem, seconds)

    def told(self):
        """All that status tells of trouble: warnings, and each adapter's last error."""
        status = self.status()
        return " ".join([w["text"] for w in status.get("warnings", ())] +
                        [f"{a['name']}: {a['last_error']}" for a in status.get("adapters", ()) if a["last_error"]])

    def verify(self, adapter="ub"):
        """The exit status, and what is told of that adapter."""
        done = self.ctl("--json", "verify", adapter, "--full")
        (row,) = json.loads(done.stdout)
        return done.returncode, row

    def resync(self, adapter="ub"):
        done = self.ctl("resync", adapter)
        assert done.returncode == 0, done.stderr

    # --- resolvers, both ways

    def in_unbound(self, has, gone=(), suffix=None):
        return answered(self.ub.port, has, gone, suffix or self.suffix)

    def in_dnsmasq(self, has, gone=(), suffix=None):
        return answered(self.dm.port, has, gone, suffix or self.suffix)

    def in_hosts(self, has, gone=(), path=None):
        return written(path or self.hosts, has, gone, self.suffix)

    def zones_below(self):
        """unbound's local zones at and below our suffix."""
        return sorted(z for z in self.ub.zones() if z == f"{self.suffix}." or z.endswith(f".{self.suffix}."))

    def setup_lines(self):
        """What `holdfastctl setup unbound` says, without how the control socket is to be: that is there."""
        said = self.ctl("setup", "unbound").stdout
        return re.sub(r"remote-control:\n(  control-.*\n)+", "", said[said.index("remote-control:"):])

    def __enter__(self):
        return self

    def __exit__(self, *what):
        if self.bridge and self.bridge.process.poll() is None:
            self.bridge.process.send_signal(signal.SIGCONT)
            self.bridge.process.terminate()
            try:
                self.bridge.process.wait(2)
            except subprocess.TimeoutExpired:
                self.bridge.process.kill()
                self.bridge.process.wait()
        for resolver in self.ub, self.dm:
            if resolver:
                resolver.stop(signal.SIGKILL)
        if self.gate:
            self.gate.deafen()
            self.gate.close()
        for server in self.servers:
            server.stop()
