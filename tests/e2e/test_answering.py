# SPDX-License-Identifier: Apache-2.0
"""
Published is not answered: when holdfast-dns dies, nobody may say that all is well. status, why, doctor, /readyz, the service
manager's line and the log say the same.
"""
import contextlib
import json
import os
import subprocess

import pytest

from bridge import Bridge
from fed_dnsmasq import Dnsmasq
from manager import Manager, get
from netns import Machine
from peer import Simulator
from server import Responder, free_port, wait_for
from zone import Zone, program

WORLD = "user alice\nsnapshot alice 1=dev:7=main,8=gpu 2=web:9=main\n"
NAME = "main.dev.me.coder"


class Front:
    """A bridge and what a person sees of it."""

    def __init__(self, folder, bridge, port):
        self.folder, self.bridge, self.port = folder, bridge, port

    def ctl(self, *args):
        return subprocess.run([program("bridge/holdfastctl"), "-c", self.bridge.config, *args], capture_output=True, text=True,
                              timeout=60, check=False)

    def json(self, *args):
        done = self.ctl("--json", *args)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def responder(self, **more):
        return Responder(self.folder, more.pop("zone", self.folder / "zone"), port=self.port, listen=[f"127.0.0.1@{self.port}"],
                         **more)

    def bad(self):
        """What doctor finds bad: {area: text}."""
        return {f["area"]: f["text"] for f in self.json("doctor") if f["grade"] == "bad"}


@pytest.fixture
def sim(tmp_path):
    with Simulator(tmp_path, WORLD) as s:
        yield s


def front(tmp_path, sim, top="", dns="", **more):
    """`dns` is YAML of its dns: map after listen."""
    port = free_port()
    bridge = Bridge(tmp_path, sim.url, top=f"dns: {{ listen: ['127.0.0.1@{port}'], probe-interval: 100ms{dns} }}\n{top}", **more)
    return Front(tmp_path, bridge, port)


def test_a_responder_that_died_is_seen_by_everybody(tmp_path, sim):
    health, manager = free_port(), Manager(tmp_path)
    f = front(tmp_path, sim, f"status: {{ listen: 127.0.0.1@{health} }}\n", env={"NOTIFY_SOCKET": str(manager.path)})
    with f.bridge:
        with f.responder():
            wait_for(lambda: get(health, "/readyz") == (200, "serving 7 names, live\n"))
            wait_for(lambda: f.ctl("status").returncode == 0)
            assert f.ctl("status").stdout.startswith("serving 7 names, live\n") and f.ctl("why", NAME).returncode == 0
            assert not f.bad()
            assert get(health, "/healthz")[0] == 200
        said = f"NOT ANSWERING: holdfast-dns at 127.0.0.1@{f.port} (Connection refused); 7 names published, live"
        done = f.ctl("status")
        assert (done.returncode, done.stdout.splitlines()[0]) == (1, said)
        status = f.json("status")
        assert status["not_answering"] and [w["code"] for w in status["warnings"]] == ["not-answering"]
        assert "systemctl start holdfast-dns" in status["warnings"][0]["text"] and status["names"] == 7 and status["fresh"]
        assert [(l["state"], l["expected"], l["seen"]) for l in status["listeners"]] == [("silent", True, True)]
        done = f.ctl("why", NAME)
        assert done.returncode == 1 and done.stdout.startswith(f"{NAME} does not resolve: nobody answers at 127.0.0.1@{f.port}")
        assert set(f.bad()) == {"holdfast-dns"}
        wait_for(lambda: get(health, "/readyz") == (503, said + "\n"))
        assert get(health, "/healthz") == (200, "ok\n")
        manager.wait("STATUS=" + said)
        f.bridge.wait_log("no answer to queries: holdfast-dns at 127.0.0.1@")
        with f.responder():
            wait_for(lambda: get(health, "/readyz")[0] == 200)
            f.bridge.wait_log("every listener answers again")
            assert f.ctl("status").returncode == 0
    assert f.bridge.log().count("no answer to queries") <= 2  # at the begin perhaps, and when it died


def test_with_the_bridge_dead_a_dead_responder_is_seen_too(tmp_path, sim):
    f = front(tmp_path, sim)
    with f.bridge:
        f.bridge.wait_log("live with")
        wait_for(lambda: f.json("status")["names"] == 7)
        with f.responder():
            f.bridge.process.kill()
            f.bridge.process.wait()
            done = f.ctl("status")
            assert done.returncode == 1
            assert done.stdout.startswith("7 names published, the bridge is down: last confirmed ")
        assert f.ctl("status").stdout.startswith(f"NOT ANSWERING: holdfast-dns at 127.0.0.1@{f.port} (Connection refused); 7 names ")
        assert f.ctl("why", NAME).returncode == 1
        f.bridge.process = subprocess.Popen([program("bridge/holdfastd"), "-c", f.bridge.config], stderr=subprocess.DEVNULL)
        wait_for(lambda: f.json("status")["bridge"] == "running")


def test_a_responder_of_another_zone_does_not_answer_for_us(tmp_path, sim):
    health = free_port()
    f = front(tmp_path, sim, f"status: {{ listen: 127.0.0.1@{health} }}\n")
    with f.bridge, Zone(tmp_path / "other", "source main lab", "main.dev.me.lab #1"), f.responder(zone=tmp_path / "other"):
        wait_for(lambda: "(it answers REFUSED); 7 names published" in get(health, "/readyz")[1])
        assert get(health, "/readyz")[0] == 503
        assert "(it answers REFUSED); 7 names published" in f.ctl("status").stdout.splitlines()[0]
        assert "answers REFUSED for the suffix" in f.bad()["holdfast-dns"]


def test_a_responder_that_does_not_serve_this_machine_answers_all_the_same(tmp_path, sim):
    f = front(tmp_path, sim, dns=", allow: [192.0.2.0/24]")
    with f.bridge, f.responder(config="allow: [192.0.2.0/24]"):
        f.bridge.wait_log("live with")
        wait_for(lambda: f.ctl("status").returncode == 0)
        assert f.json("status")["listeners"][0]["state"] == "answers"


def test_whoever_only_feeds_hears_nothing_of_a_responder(tmp_path, sim):
    """dns.listen has a default: that alone says nothing about what the operator wants."""
    health, hook = free_port(), tmp_path / "hook"
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o700)
    top = (f"dns: {{ probe-interval: 100ms }}\nstatus: {{ listen: 127.0.0.1@{health} }}\n"
           f"adapters: [{{ type: hook, command: [{hook}] }}]\n")
    with Bridge(tmp_path, sim.url, top=top) as bridge:
        f = Front(tmp_path, bridge, 0)
        bridge.wait_log("live with")
        wait_for(lambda: f.json("status")["adapters"][0]["state"] == "synced" and f.json("status")["names"] == 7)
        if any(l["state"] == "answers" for l in f.json("status")["listeners"]):
            pytest.skip("a holdfast-dns of this machine's own answers at the default port")
        done = f.ctl("status")
        assert (done.returncode, done.stdout.splitlines()[0]) == (0, "serving 7 names, live")
        assert get(health, "/readyz") == (200, "serving 7 names, live\n")
        assert "holdfast-dns" not in f.bad() and "no answer to queries" not in bridge.log()
        found = [x for x in f.json("doctor") if x["area"] == "holdfast-dns"]
        assert {x["grade"] for x in found} == {"note"}
        # But a fed resolver that is the only one, and fails, is somebody who does not answer.
        hook.write_text("#!/bin/sh\nexit 1\n")
        sim.say("diff alice +3=new:10=main")
        wait_for(lambda: f.json("status")["adapters"][0]["state"] in ("retrying", "failed"))
        wait_for(lambda: get(health, "/readyz")[0] == 503)


def test_the_names_are_counted_by_their_state(tmp_path, sim):
    """21 of 24 names held is not "serving 24 names, live"."""
    f = front(tmp_path, sim)
    with f.bridge, f.responder():
        f.bridge.wait_log("live with")
        wait_for(lambda: f.json("status")["names"] == 7)
        sim.say("diff alice +100..104=many:main")
        wait_for(lambda: f.json("status")["names"] == 22)
        sim.say("snapshot alice 2=web:9=main")
        sim.say("cut tcp")
        wait_for(lambda: f.json("status")["held_removals"] == 1 and f.json("status")["fresh"])
        status = f.json("status")
        assert status["name_states"] == {"live": 3, "stale": 0, "held": 19, "withdrawn": 0}
        assert f.ctl("status").stdout.splitlines()[0] == "serving 22 names: 3 live, 19 held (a removal waits for you)"
        assert status["sources"][0]["names"] == 22


def test_a_source_that_was_never_reached_makes_no_live_name_stale(tmp_path, sim):
    health = free_port()
    token = tmp_path / "token2"
    token.write_text("x\n")
    token.chmod(0o600)
    second = f"  - {{ name: lab, url: 'http://127.0.0.1:9', token-file: {token}, allow-http: true, suffix: lab }}\n"
    f = front(tmp_path, sim, f"status: {{ listen: 127.0.0.1@{health} }}\n", source=second)
    with f.bridge, f.responder():
        wait_for(lambda: f.json("status")["names"] == 7)
        wait_for(lambda: get(health, "/readyz") == (200, "serving 7 names, live\n"))
        # A responder that has just started may be a second behind.
        wait_for(lambda: f.ctl("status").stdout.startswith("serving 7 names, live; source lab: "))
        assert f.ctl("status").returncode == 1
        assert set(f.bad()) == {"source lab"}


def test_stale_begins_when_the_connection_is_lost_and_never_in_the_future(tmp_path, sim):
    f = front(tmp_path, sim)
    with f.bridge, f.responder():
        f.bridge.wait_log("live with")
        wait_for(lambda: f.json("status")["names"] == 7 and not f.json("status")["not_answering"])
        sim.say("down")
        wait_for(lambda: f.json("status")["stale_since"])
        headline = f.ctl("status").stdout.splitlines()[0]
        assert "serving 7 names, stale since " in headline and " ago)" in headline and "(in " not in headline


def test_each_suffix_has_to_be_served(tmp_path, sim):
    """One that answers for the first suffix alone, out of an older zone, leaves the second one's names unanswered."""
    token = tmp_path / "token2"
    token.write_text("x\n")
    token.chmod(0o600)
    second = f"  - {{ name: lab, url: 'http://127.0.0.1:9', token-file: {token}, allow-http: true, suffix: lab }}\n"
    health = free_port()
    f = front(tmp_path, sim, f"status: {{ listen: 127.0.0.1@{health} }}\n", source=second)
    with f.bridge:
        f.bridge.wait_log("live with")
        with Zone(tmp_path / "other", "source main coder", "main.dev.me.coder #1"), f.responder(zone=tmp_path / "other"):
            said = f"NOT ANSWERING: holdfast-dns at 127.0.0.1@{f.port} (it answers REFUSED for lab); 7 names published"
            wait_for(lambda: get(health, "/readyz")[1].startswith(said))
            assert f.ctl("status").stdout.startswith(said)
            assert [l["state"] for l in f.json("status")["listeners"]] == ["wrong"]
            assert "answers REFUSED for the suffix lab" in f.bad()["holdfast-dns"]
        with f.responder():
            wait_for(lambda: get(health, "/readyz")[0] == 200)
            wait_for(lambda: [l["state"] for l in f.json("status")["listeners"]] == ["answers"])


def test_an_empty_list_expects_nobody(tmp_path, sim):
    """Names that others fetch out of the zone, such as a holdfast-dns of another file, in another container."""
    health = free_port()
    top = f"dns: {{ listen: [], probe-interval: 100ms }}\nstatus: {{ listen: 127.0.0.1@{health} }}\n"
    with Bridge(tmp_path, sim.url, top=top) as bridge:
        f = Front(tmp_path, bridge, 0)
        bridge.wait_log("live with")
        wait_for(lambda: f.json("status")["names"] == 7)
        wait_for(lambda: get(health, "/readyz") == (200, "serving 7 names, live\n"))
        done = f.ctl("status")
        assert (done.returncode, done.stdout.splitlines()[0]) == (0, "serving 7 names, live"), done.stdout
        assert f.json("status")["listeners"] == [] and f.json("status")["not_answering"] is None
        assert not f.bad() and "no answer to queries" not in bridge.log()
        assert "nobody is asked" in next(x["text"] for x in f.json("doctor") if x["area"] == "holdfast-dns")
        # The file of the one who runs holdfastctl may be another, with the default: the bridge's counts.
        other = tmp_path / "other.yaml"
        other.write_text(bridge.config.read_text().replace("listen: [], ", ""))
        other.chmod(0o600)
        done = subprocess.run([program("bridge/holdfastctl"), "-c", other, "status"], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout
        # holdfast-dns itself has nothing to do with such a file.
        done = subprocess.run([program("plugin/holdfast-dns"), "-c", bridge.config], capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 2 and "dns.listen is empty: expected an address to answer at" in done.stderr


def test_a_bridge_in_another_container_is_believed(tmp_path):
    """127.0.0.1 there is not 127.0.0.1 here: who answers is what the bridge says, and that can be that nobody does."""
    hosts = tmp_path / "hosts.d"
    hosts.mkdir()
    with contextlib.ExitStack() as stack:
        machine = stack.enter_context(Machine())
        sim = stack.enter_context(Simulator(tmp_path, WORLD))
        dnsmasq = Dnsmasq(tmp_path, "--local=/coder/", "--local-ttl=30", f"--hostsdir={hosts}")
        stack.callback(dnsmasq.stop)
        dnsmasq.start()
        f = front(tmp_path, sim, f"adapters: [{{ type: dnsmasq, hostsdir: {hosts}, ask: 127.0.0.1@{dnsmasq.port} }}]\n")
        stack.enter_context(f.bridge)
        outside = ["nsenter", f"--net=/proc/{os.getpid()}/fd/{machine.home}", program("bridge/holdfastctl"), "-c", f.bridge.config]

        def ctl(*args):
            return subprocess.run([*outside, *args], capture_output=True, text=True, timeout=60, check=False)

        with f.responder():
            wait_for(lambda: f.ctl("status").stdout.startswith("serving 7 names, live"))
            wait_for(lambda: f.bridge.ask("status")[0]["listeners"][0]["state"] == "answers")
            done = ctl("status")
            assert done.stdout.startswith("serving 7 names, live") and "another network namespace" in done.stdout, done.stdout
            status = json.loads(ctl("--json", "status").stdout)
            assert [(l["state"], l["expected"]) for l in status["listeners"]] == [("answers", True)]
            assert status["not_answering"] is None and [n["code"] for n in status["notes"] if n["code"] == "elsewhere"]
            done = ctl("why", NAME)
            assert f"holdfast-dns answers at 127.0.0.1@{f.port}, says the bridge" in done.stdout, done.stdout
            doctor = json.loads(ctl("--json", "doctor").stdout)
            assert {x["grade"] for x in doctor if x["area"] == "holdfast-dns"} == {"note"}, doctor
        wait_for(lambda: f.bridge.ask("status")[0]["listeners"][0]["state"] == "silent")
        said = f"NOT ANSWERING: holdfast-dns at 127.0.0.1@{f.port} (Connection refused); 7 names published, live"
        done = ctl("status")
        assert (done.returncode, done.stdout.splitlines()[0]) == (1, said)
        assert "(Connection refused), says the bridge" in ctl("why", NAME).stdout
