# SPDX-License-Identifier: Apache-2.0
"""
Does this machine find the names? The machine is a network namespace with a resolv.conf of its own and a real unbound or dnsmasq
behind it; `getent` says what a program there finds, and holdfastctl has to say the same.
"""
import json
import shutil

import pytest

from bridge import Bridge
from module import MODULE, UNBOUND, need_module, setup_lines
from netns import Machine
from peer import Simulator
from server import Responder, Server, wait_for
from setup import setup_text
from stock import need, question
from zone import program

WORLD = "user alice\nsnapshot alice 1=dev:7=main\n"
NAME, ADDRESS, DNS = "main.dev.me.coder", "fd60:627a:a42b::7", 5453


class World:
    def __init__(self, folder, machine, bridge):
        self.folder, self.machine, self.bridge = folder, machine, bridge

    def ctl(self, *args):
        return self.machine.run("env", "-u", "HOLDFAST_RESOLV_CONF", program("bridge/holdfastctl"), "-c", self.bridge.config, *args)

    def json(self, *args):
        done = self.ctl("--json", *args)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def unbound(self, lines, address="127.0.0.1", program_path=None, **more):
        path = self.folder / f"unbound-{address}.conf"
        path.write_text(f"""
server:
  directory: "{self.folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  interface: {address}@53
  do-ip6: no
  num-threads: 1
  access-control: 127.0.0.0/8 allow
remote-control:
  control-enable: no
{lines}""")
        server = Server(self.folder, [program_path or need("unbound"), "-d", "-c", path], 53, **more)
        wait_for(lambda: server.alive() and server.raw(question("localhost").to_wire(), timeout=0.3, host=address), 20)
        return server

    def forwarding(self):
        """As `holdfastctl setup unbound-forward` says."""
        return self.unbound(setup_text(self.folder, "unbound-forward", DNS))

    def dnsmasq(self, address="127.0.0.1", more=""):
        """One that was not told of us: it answers REFUSED."""
        path = self.folder / f"dnsmasq-{address}.conf"
        path.write_text(f"no-resolv\nno-hosts\nuser=\nport=53\nlisten-address={address}\nbind-interfaces\nlog-facility=-\n{more}")
        server = Server(self.folder, [need("dnsmasq"), "--keep-in-foreground", "--pid-file=", f"--conf-file={path}"], 53)
        wait_for(lambda: server.alive() and server.raw(question("localhost").to_wire(), timeout=0.3, host=address), 20)
        return server

    def agrees(self, finds):
        """getent, status, why and doctor: is it found by programs on this machine?"""
        assert self.machine.finds(NAME) == ([ADDRESS] if finds else [])
        status, why = self.json("status"), self.json("why", NAME)
        assert (not status["notes"]) == finds and why["answered"] == finds
        assert self.ctl("status").returncode == 0  # on a server it may well be meant so
        assert self.ctl("why", NAME).returncode == (0 if finds else 1)
        bad = [f for f in self.json("doctor") if f["area"] == "resolv.conf" and f["grade"] == "bad"]
        assert (not bad) == finds and self.ctl("doctor").returncode == (0 if finds else 1)
        return status, why, bad


@pytest.fixture
def world(tmp_path):
    tmp_path.chmod(0o755)
    with Machine() as machine, Simulator(tmp_path, WORLD) as sim, \
            Bridge(tmp_path, sim.url, top=f"dns: {{ listen: ['127.0.0.1@{DNS}'] }}\n") as bridge, \
            Responder(tmp_path, tmp_path / "zone", port=DNS, listen=[f"127.0.0.1@{DNS}"]) as responder:
        bridge.wait_log("live with")
        wait_for(lambda: responder.ask(NAME).answer)
        yield World(tmp_path, machine, bridge)


def test_a_resolver_that_was_told_of_us(world):
    world.machine.resolvers("127.0.0.1")
    with world.forwarding():
        _, why, _ = world.agrees(True)
        assert {h["hop"]: h["state"] for h in why["hops"]}["machine"] == "ok"
        assert world.ctl("why", NAME).stdout.startswith(f"{NAME} is answered by 127.0.0.1@{DNS}\n")


def test_a_resolver_that_is_down(world):
    world.machine.resolvers("127.0.0.1")
    status, why, bad = world.agrees(False)
    assert status["notes"][0]["code"] == "own-resolver" and "nobody answers at 127.0.0.1@53" in status["notes"][0]["text"]
    assert why["broken"] == "machine" and why["answered_by"] == f"127.0.0.1@{DNS}"
    first = world.ctl("why", NAME).stdout.splitlines()[0]
    assert first.startswith(f"{NAME} is answered by 127.0.0.1@{DNS}, but this machine's own resolver (resolv.conf) does not find it")
    assert "note: programs on this machine do not find" in world.ctl("status").stdout
    assert "programs on this machine do not find our names" in bad[0]["text"] and bad[0]["line"]


def test_a_resolver_that_was_not_told_of_us(world):
    world.machine.resolvers("127.0.0.1")
    with world.dnsmasq():
        status, _, bad = world.agrees(False)
        assert "127.0.0.1@53 answers REFUSED" in status["notes"][0]["text"]
        assert "REFUSED: programs on this machine do not find our names" in bad[0]["text"] and bad[0]["line"] == "holdfastctl setup"


def test_the_first_name_server_that_answers_decides(world):
    with world.forwarding():
        world.machine.resolvers("127.0.0.9", "127.0.0.1")  # nobody, then ours
        world.agrees(True)
        with world.dnsmasq("127.0.0.8"), world.dnsmasq("127.0.0.7", "local=/coder/\n"):
            world.machine.resolvers("127.0.0.1", "127.0.0.8")
            world.agrees(True)
            world.machine.resolvers("127.0.0.8", "127.0.0.1")  # REFUSED: the next one is asked
            world.agrees(True)
            world.machine.resolvers("127.0.0.7", "127.0.0.1")  # NXDOMAIN is an answer
            status, _, _ = world.agrees(False)
            assert "127.0.0.7@53 answers NXDOMAIN" in status["notes"][0]["text"]


def test_a_hosts_file_counts(world):
    world.machine.resolvers("127.0.0.1")
    world.machine.hosts(f"# a comment {NAME}", f"{ADDRESS}\tother.example {NAME} # of Holdfast")
    world.agrees(True)
    world.machine.hosts(f"fd60:627a:a42b::8 {NAME}")
    assert world.machine.finds(NAME) == ["fd60:627a:a42b::8"] and world.json("why", NAME)["answered"] is False


def test_without_a_resolv_conf_nothing_is_said(world):
    world.machine.resolvers()
    status, why = world.json("status"), world.json("why", NAME)
    assert status["notes"] == [] and why["answered"] and "machine" not in [h["hop"] for h in why["hops"]]


# --- unbound with the module, and nothing else

def test_the_module_alone_is_enough(tmp_path):
    need_module()
    tmp_path.chmod(0o755)
    health = "status: { listen: 127.0.0.1@9453 }\ndns: { probe-interval: 100ms }\n"
    with Machine() as machine, Simulator(tmp_path, WORLD) as sim, Bridge(tmp_path, sim.url, top=health) as bridge:
        w = World(tmp_path, machine, bridge)
        bridge.wait_log("live with")
        shutil.copy(MODULE, tmp_path / "holdfast_unbound.so")
        lines = setup_lines(tmp_path / "holdfast_unbound.so", tmp_path / "zone", f"127.0.0.1@{DNS}")
        machine.resolvers("127.0.0.1")
        # Nobody answers yet: no module, no adapter, and the responder that dns.listen has by default was never started.
        assert w.ctl("status").stdout.startswith("NOT ANSWERING: holdfast-dns at 127.0.0.1@5453, ::1@5453 (Connection refused)")
        wait_for(lambda: machine.run("curl", "-s", "http://127.0.0.1:9453/readyz").stdout.startswith("NOT ANSWERING"))
        with w.unbound(lines, program_path=UNBOUND, env={"HOLDFAST_ZONE": str(tmp_path / "zone")}):
            wait_for(lambda: machine.finds(NAME) == [ADDRESS])
            done = w.ctl("status")
            assert (done.returncode, done.stdout.splitlines()[0]) == (0, "serving 3 names, live"), done.stdout
            (reader,) = w.json("status")["readers"]
            assert reader["address"] == "127.0.0.1@53" and "unbound" in reader["name"]
            assert w.ctl("why", NAME).returncode == 0
            wait_for(lambda: machine.run("curl", "-s", "http://127.0.0.1:9453/readyz").stdout == "serving 3 names, live\n")
            bad = [f for f in w.json("doctor") if f["grade"] == "bad"]
            assert not bad, bad
        wait_for(lambda: machine.run("curl", "-s", "http://127.0.0.1:9453/readyz").stdout.startswith("NOT ANSWERING"))
        assert w.ctl("status").returncode == 1
