# SPDX-License-Identifier: Apache-2.0
"""holdfastctl why, resync, readers, suggestions, colours and completions, on a running bridge and responder."""
import json
import os
import pathlib
import pty
import re
import shutil
import socket
import subprocess

import dns.reversename as reversename
import pytest

from bridge import Bridge
from peer import Simulator
from server import Responder, Server, free_port, wait_for
from zone import program

WORLD = "user alice 1\nuser bob 2\nsnapshot alice 1=dev:7=main,8=gpu 2=web:9=main 3=idle\nsnapshot bob 5=app:20=main\n"
NAME = "main.web.me.coder"
COMPLETION = pathlib.Path(__file__).parents[2] / "bridge" / "ctl" / "completion"
QUICK = ", ping-interval: 200ms, ping-timeout: 600ms"


class World:
    def __init__(self, sim, bridge, port):
        self.sim, self.bridge, self.port = sim, bridge, port

    def ctl(self, *args, env=None):
        return subprocess.run([program("bridge/holdfastctl"), "-c", self.bridge.config, *args], capture_output=True, text=True,
                              timeout=30, check=False, env={**os.environ, **(env or {})})

    def json(self, *args):
        done = self.ctl("--json", *args)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def hops(self, name):
        """What `why` says: each hop's state, and the first that is broken."""
        answer = self.json("why", name)
        return {h["hop"]: h["state"] for h in answer["hops"]}, answer["broken"], {h["hop"]: h["text"] for h in answer["hops"]}


@pytest.fixture
def world(tmp_path):
    port = free_port()
    with Simulator(tmp_path, WORLD) as sim:
        with Bridge(tmp_path, sim.url, "    owners: [me, bob]\n    fresh-window: 1s\n", timeouts=QUICK,
                    top=f"dns: {{ listen: [ '127.0.0.1@{port}' ] }}\n") as bridge:
            bridge.wait_log("live with")
            w = World(sim, bridge, port)
            wait_for(lambda: w.json("status")["fresh"])
            yield w


@pytest.fixture
def responder(tmp_path, world):
    with Responder(tmp_path, tmp_path / "zone", port=world.port, listen=[f"127.0.0.1@{world.port}"]) as r:
        yield r


def test_all_hops_of_a_live_name_are_well(world, responder):
    states, broken, texts = world.hops(NAME)
    assert set(states.values()) == {"ok"} and broken is None
    assert list(states) == ["stream", "state", "store", "zone", "answer"]  # no resolver is known here
    assert "agent 'main' of workspace 'web' of alice" in texts["state"] and "added" in texts["store"]
    assert "fd60:627a:a42b::9" in texts["answer"] and "TTL" in texts["answer"]
    done = world.ctl("why", NAME.upper())
    assert done.returncode == 0 and done.stdout.startswith(f"{NAME} is answered by 127.0.0.1@{world.port}\n")


def test_a_server_that_is_away_is_the_first_broken_hop(world, responder):
    world.sim.say("down")
    wait_for(lambda: world.hops(NAME)[0]["stream"] == "broken")
    wait_for(lambda: "as stale" in world.hops(NAME)[2]["answer"])
    states, broken, _ = world.hops(NAME)
    assert broken == "stream" and states["answer"] == "ok"
    assert world.ctl("why", NAME).returncode == 1


@pytest.mark.parametrize("name, said", [
    ("idle.coder", "workspace 'idle' of alice is known (stopped) "), ("main.idle.me.coder", "workspace 'idle' of alice is "),
    ("main.wbe.me.coder", "did you mean 'main.web.me.coder'?"), ("no.such.thing.coder", "Coder knows no such workspace or agent"),
])
def test_what_is_not_there_is_explained(world, responder, name, said):
    said = said.split("known (stopped)")[0]
    states, broken, texts = world.hops(name)
    assert (states["stream"], broken) == ("ok", "state") and said in texts["state"]
    assert "NXDOMAIN" in texts["answer"] or "without an address" in texts["answer"]
    assert world.ctl("why", name).stdout.startswith(f"{name} does not resolve: ")
    done = world.ctl("records", "--name", name)
    assert done.stdout == "" and said in done.stderr
    assert said in world.ctl("history", "--name", name).stderr


def test_a_stopped_workspace_is_told_as_stopped(world):
    world.sim.say("diff alice -:9")
    wait_for(lambda: world.json("status")["sources"][0]["owners"][0]["without_agents"] == 2)
    assert "2 stopped or without agents, so without names" in world.ctl("status").stdout
    assert world.hops(NAME)[1] == "state" and "workspace 'web' of alice is " in world.hops(NAME)[2]["state"]


def test_a_name_of_no_suffix_is_told_the_suffixes(world):
    states, broken, texts = world.hops("main.dev.me.other")
    assert (states, broken) == ({"name": "broken"}, "name") and texts["name"] == "not a Holdfast name (suffix: coder)"
    done = world.ctl("why", "main.dev")
    assert done.returncode == 1 and "did you mean 'main.dev.me.coder'?" in done.stdout.splitlines()[0]
    done = world.ctl("why", "web")
    assert "did you mean 'web.coder'?" in done.stdout.splitlines()[0]
    assert world.ctl("why", "no name").returncode == 2


def test_without_a_responder_the_answer_is_the_broken_hop(world):
    states, broken, texts = world.hops(NAME)
    assert broken == "answer" and "is holdfast-dns running?" in texts["answer"]


def test_with_a_dead_bridge_zone_and_answer_are_looked_at(world, responder):
    world.bridge.process.kill()
    world.bridge.process.wait(10)
    states, broken, _ = world.hops(NAME)
    assert states == {"stream": "unknown", "state": "unknown", "store": "unknown", "zone": "ok", "answer": "ok"}
    done = world.ctl("why", NAME)
    assert done.returncode == 0 and "as far as could be checked" in done.stdout
    world.bridge.process = subprocess.Popen([program("bridge/holdfastd"), "-c", world.bridge.config],
                                            stderr=subprocess.DEVNULL)
    wait_for(lambda: world.json("status")["bridge"] == "running")


def test_readers_are_in_status(world, responder):
    for _ in range(3):
        responder.ask(NAME)
    responder.ask("nothing.coder")
    reader = world.json("status")["readers"][0]
    assert set(reader) == {"name", "address", "answers", "negative", "stale", "refused", "errors"}
    assert reader["name"] == "holdfast-dns" and reader["address"] == f"127.0.0.1@{world.port}"
    assert reader["answers"] >= 4 and reader["negative"] >= 1 and reader["errors"] == 0
    assert f"reader holdfast-dns at 127.0.0.1@{world.port}: " in world.ctl("status").stdout
    responder.stop()
    assert world.json("status")["readers"] == []


def test_an_address_of_a_log_is_looked_up(world, responder):
    address = "fd60:627a:a42b::9"
    names = sorted(r["name"] for r in world.json("records") if r["data"] == address)
    for asked in address, "FD60:627A:A42B:0::9", reversename.from_address(address).to_text():
        done = world.ctl("why", asked)
        first, second = done.stdout.splitlines()[:2]
        assert done.returncode == 0 and sorted(first.replace(",", "").split()[2:]) == names and first.startswith(f"{address} is ")
        assert second.split()[0] in names and second.endswith(f" is answered by 127.0.0.1@{world.port}")
    assert world.json("why", address)["address"] == address
    done = world.ctl("why", "fd60:627a:a42b::999")
    assert (done.returncode, done.stdout) == (1, "fd60:627a:a42b::999: no published name has this address\n")
    assert "not an address of Coder's network" in world.ctl("why", "2001:db8::1").stdout
    assert world.json("why", "2001:db8::1")["broken"] == "name"
    world.bridge.process.kill()
    world.bridge.process.wait(10)
    assert world.ctl("why", address).stdout.startswith(f"{address} is ")
    world.bridge.process = subprocess.Popen([program("bridge/holdfastd"), "-c", world.bridge.config], stderr=subprocess.DEVNULL)
    wait_for(lambda: world.json("status")["bridge"] == "running")


def test_resync_asks_for_everything_anew(world):
    before = world.sim.status()["upgrades"]
    done = world.ctl("resync")
    assert (done.returncode, done.stdout) == (0, "requested everything again from 1 source\n")
    wait_for(lambda: world.sim.status()["upgrades"] > before)
    wait_for(lambda: world.json("status")["sources"][0]["state"] == "live")
    done = world.ctl("resync", "--recover")
    assert done.returncode == 0 and "allowed again" in done.stdout
    assert world.ctl("status", "--recover").returncode == 2


def test_a_store_damaged_while_it_runs_costs_no_answer(world, responder, tmp_path):
    store = tmp_path / "store.db"
    with open(store, "r+b") as f:
        f.write(b"this is no database" * 500)
    for n in range(50):
        world.sim.say(f"diff alice +{100 + n}=new{n}:{1000 + n}=main")
        world.ctl("history")
        if "was made anew out of memory" in world.bridge.log():
            break
    world.bridge.wait_log("was made anew out of memory")
    wait_for(lambda: world.json("status")["store"]["state"] == "ok")
    assert responder.ask(NAME).answer and list(tmp_path.glob("store.db.damaged-*"))
    wait_for(lambda: responder.ask(f"main.new{n}.me.coder").answer)
    # What the new store has is whole.
    names = world.json("status")["names"]
    world.sim.say("down")
    world.bridge.stop()
    with Bridge(tmp_path, world.sim.url, "    owners: [me, bob]\n") as again:
        again.wait_log(f"re-applying DNS hosts from previous session: {names} names")


def on_terminal(command, **env):
    """What it prints where a person looks."""
    main, side = pty.openpty()
    process = subprocess.Popen(command, stdout=side, stderr=subprocess.DEVNULL, env={**os.environ, "TERM": "xterm", **env})
    os.close(side)
    text = b""
    try:
        while piece := os.read(main, 65536):
            text += piece
    except OSError:
        pass
    process.wait(10)
    os.close(main)
    return text.decode()


def test_colours_are_for_terminals_and_not_where_they_are_unwanted(world):
    command = [program("bridge/holdfastctl"), "-c", world.bridge.config, "status"]
    assert "\033[32mlive\033[0m" in on_terminal(command)
    assert "\033" not in on_terminal(command, NO_COLOR="1")
    assert "\033" not in on_terminal(command, TERM="dumb")
    assert "\033" in on_terminal(command, NO_COLOR="")
    assert "\033" not in world.ctl("status").stdout


def complete(line, path):
    """What bash offers for the last word of `line`."""
    script = (f'PATH={path}:$PATH; . {COMPLETION}/holdfastctl.bash; COMP_WORDS=({line}); '
              '[ "${COMP_LINE: -1}" = " " ] && COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _holdfastctl; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=30, check=True,
                          env={**os.environ, "COMP_LINE": line})
    return done.stdout.split()


def test_completion_knows_commands_and_names(world):
    path = program("bridge/holdfastctl").parent
    commands = re.findall(r"^  ([a-z|]+)", world.ctl("--help").stdout, re.M)
    commands = sorted({c for group in commands for c in group.split("|")})
    assert sorted(complete("holdfastctl ", path)) == commands
    zsh = (COMPLETION / "_holdfastctl").read_text()
    assert sorted(re.findall(r"^\t\t'([a-z]+):", zsh, re.M)) == commands
    assert complete("holdfastctl re", path) == ["records", "resync", "reject"]
    config = f"-c {world.bridge.config}"
    assert complete(f"holdfastctl {config} why main.w", path) == ["main.web.me.coder", "main.web.alice.coder"]
    assert complete(f"holdfastctl {config} accept m", path) == ["main"]
    assert complete("holdfastctl export z", path) == ["zone"]
    assert complete("holdfastctl setup knot", path) == ["knot-resolver"]
    assert complete("holdfastctl records --st", path) == ["--stale"]


# --- the hops behind the zone: a dnsmasq that an adapter feeds

@pytest.fixture
def fed(tmp_path):
    dnsmasq = shutil.which("dnsmasq", path=os.environ["PATH"] + ":/usr/sbin") or pytest.skip("dnsmasq is not installed")
    with socket.socket() as s:
        if s.connect_ex(("127.0.0.1", 5453)) == 0:
            pytest.skip("something answers at port 5453, which these tests leave at its default")
    port, folder = free_port(), tmp_path / "hosts"
    folder.mkdir()
    tmp_path.chmod(0o755)
    (tmp_path / "dnsmasq.conf").write_text(f"user=\nport={port}\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\n"
                                           f"hostsdir={folder}\nlocal=/coder/\nlocal-ttl=30\n")
    command = [dnsmasq, "--keep-in-foreground", "--pid-file=", "--log-facility=-", f"--conf-file={tmp_path}/dnsmasq.conf"]
    with Simulator(tmp_path, WORLD) as sim, Server(tmp_path, command, port) as server, Bridge(
            tmp_path, sim.url, top="dns: { threads: 1 }\n" +
            f"adapters: [{{ type: dnsmasq, hostsdir: {folder}, ask: 127.0.0.1@{port} }}]\n") as bridge:
        w = World(sim, bridge, 0)
        wait_for(lambda: w.hops(NAME)[0].get("resolver") == "ok", 20)
        w.server = server
        yield w


def test_the_feed_and_the_resolver_are_hops(fed):
    states, broken, texts = fed.hops(NAME)
    # No holdfast-dns runs here, and nobody wrote that one should.
    assert list(states) == ["stream", "state", "store", "zone", "feed", "resolver"]
    assert broken is None and set(states.values()) == {"ok"}
    assert "adapter 'dnsmasq' has generation" in texts["feed"] and "answers fd60:627a:a42b::9" in texts["resolver"]


def test_a_resolver_that_is_gone_is_a_broken_hop(fed):
    fed.server.stop()
    states, _, texts = fed.hops(NAME)
    assert states["resolver"] == "broken" and "nobody answers at" in texts["resolver"]


def test_without_the_bridge_the_resolver_is_still_asked(fed):
    fed.bridge.stop()
    states, _, texts = fed.hops(NAME)
    assert states["resolver"] == "ok" and states["feed"] == "unknown" and "without the bridge" in texts["feed"]
