# SPDX-License-Identifier: Apache-2.0
"""
A reload at any moment: while a change is on its way into the store the model is lent to it, and a reload has to wait
(guard rule 10). After it the zone has what the model has, the bridge is the same process, and nothing was lost.
"""
import concurrent.futures
import os
import pathlib
import random
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
# pylint: disable=wrong-import-position
from bridge import Bridge
from peer import Simulator
from prober import Prober
from published import wait_same
from server import Responder, free_port
from zone import BUILD, address, program

ASAN = "asan" in BUILD.name
LONG = os.environ.get("HF_LONG") == "1"
SLOW = 10 if ASAN else 1
SEED = int(os.environ.get("HF_SEED", "0")) or random.randrange(1, 1 << 30)


def bridge_of(folder, server, **more):
    folder.mkdir(exist_ok=True)
    return Bridge(folder, server.url, **more)


def reloads(bridge):
    """What status counts. The log cannot tell: of many lines it leaves some out."""
    return bridge.ask("status")[0]["reloads"]


def world(n):
    return f"suffix coder\nuser alice 1\nsnapshot alice 1..{n}=dev:main\n"


def configure(bridge, server, source="", top=""):
    """Another configuration, as an editor that renames leaves it."""
    bridge.configure(server.url, source, top=top)


def test_a_reload_while_the_first_snapshot_is_written(tmp_path):
    with Simulator(tmp_path, world(6000)) as server, bridge_of(tmp_path / "b", server) as bridge:
        bridge.wait_log("live with", 60)
        configure(bridge, server, "    suffix: corp.test\n")
        bridge.reload()
        wait_same(bridge, 5 * SLOW, lambda m: len(m) == 18000 and all(n.endswith(".corp.test") for n in m))


def test_a_reload_while_a_large_change_is_written(tmp_path):
    with Simulator(tmp_path, world(30000)) as server, bridge_of(tmp_path / "b", server) as bridge:
        wait_same(bridge, 30 * SLOW, lambda m: len(m) == 90000)
        configure(bridge, server, "    suffix: corp.test\n")
        # The change may be on its way, or over, while these come: then another one.
        for turn in range(20):
            server.say(f"diff alice +1..29000=nev{turn}w:main")
            for _ in range(60):
                bridge.reload()
                time.sleep(0.005)
            if reloads(bridge)["waited"]:
                break
        wait_same(bridge, 10 * SLOW, lambda m: len(m) == 90000 and all(n.endswith(".corp.test") for n in m))
        assert "cannot be published" not in bridge.log()
        assert reloads(bridge)["waited"] > 0 and reloads(bridge)["rejected"] == 0


def test_orders_wait_for_their_turn_and_are_done(tmp_path):
    with Simulator(tmp_path, world(20000)) as server, bridge_of(tmp_path / "b", server) as bridge:
        wait_same(bridge, 30 * SLOW, lambda m: len(m) == 60000)
        server.say("diff alice +1..20000=nev:main")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            orders = []
            for n in range(60):
                orders.append(pool.submit(bridge.ask, ("accept", "reject", "resync")[n % 3]))
                time.sleep(0.005)
            rows = [order.result(20) for order in orders]  # ask() fails where one was refused
        assert [len(r) for r in rows] == [1] * 60
        wait_same(bridge, 5 * SLOW, lambda m: len(m) == 60000 and "main.nev7.me.coder" in m)


def test_what_a_reload_brings_is_not_lost_to_the_store(tmp_path):
    sentinel = "is.coder--connect--enabled--right--now.coder"
    with Simulator(tmp_path, world(6000)) as server:
        with bridge_of(tmp_path / "b", server) as bridge:
            bridge.wait_log("live with", 60)
            configure(bridge, server, "    sentinel: true\n")
            bridge.reload()
            wait_same(bridge, 5 * SLOW, lambda m: sentinel in m)
        # As the store has it, before any word of the server.
        server.say("down")
        with bridge_of(tmp_path / "b", server, source="    sentinel: true\n") as bridge:
            bridge.wait_log("re-applying DNS hosts", 10 * SLOW)
            wait_same(bridge, 5, lambda m: sentinel in m)


# --- each key, at any moment ---

STEADY = {f"main.dev{n}.{owner}.steady.test": address(n) for n in range(60001, 60401) for owner in ("me", "alice")}


class Changing:
    """A bridge with two servers: one whose source is there in all configurations, and one whose keys change."""

    def __init__(self, folder, size):
        self.folder, self.size = folder, size
        self.main = Simulator(folder, world(size) + "user bob 2\nsnapshot bob 50001..50020=bobs:main\n")
        self.steady = Simulator(folder, "user alice 1\nsnapshot alice 60001..60400=dev:main\n")
        self.health = [free_port(), free_port()]
        self.bridge = bridge_of(folder / "b", self.main)
        self.write(self.text({}))

    def write(self, text):
        new = self.bridge.config.with_suffix(".new")
        new.write_text(text)
        new.chmod(0o600)
        new.rename(self.bridge.config)

    def source(self, name, server, keys):
        head = {"name": name, "url": f"'{server.url}'", "token-file": self.bridge.token,
                "retry": "{ floor: 20ms, cap: 200ms, events: 50ms, steady: 1s }"}
        return "  - " + "\n    ".join(f"{k}: {v}" for k, v in {**head, **keys}.items()) + "\n"

    def text(self, c):
        """The configuration with these choices; what is not chosen is as at the start."""
        b = self.folder / "b"
        sources = [self.source("steady", self.steady, {"suffix": "steady.test"})]
        if c.get("main", True):
            keys = {"suffix": c.get("suffix", "coder"), "sentinel": c.get("sentinel", "false"), "owners": c.get("owners", "[me]"),
                    "fresh-window": c.get("fresh", "1m"), "snapshot-interval": c.get("interval", "10m")}
            sources.insert(c.get("at", 0), self.source(c.get("name", "main"), self.main, keys))
        if c.get("more"):
            sources.append(self.source("more", self.steady, {"suffix": "more.test"}))
        lines = [f"store: {b}/store.db", f"zone: {b}/zone", f"control: {b}/control.sock", "pulse-interval: 100ms"]
        lines += c.get("top", []) + ["sources:"]
        return "\n".join(lines) + "\n" + "".join(sources)

    def choose(self, rng):
        """Any configuration, and what of the chosen top level keys it has."""
        hosts = f"{{ type: hosts, path: {self.folder}/hosts, max-names: 10000, teardown: {rng.choice(['keep', 'clean'])} }}"
        hook = "{ type: hook, command: /usr/bin/true, form: json }"
        tops = ([f"ttl: {rng.randrange(1, 31)}"],
                [f"guard: {{ max-removal: {rng.randrange(1, 101)}%, min-workspaces: {rng.randrange(1, 9)}, grace: 1s }}"],
                ["hold: { policy: max-age, max-age: 1h }"], ["hold: { policy: forever }"],
                [f"adapters: [{hosts}]"], [f"adapters: [{hosts}, {hook}]"], [f"adapters: [{hook}]"],
                ["dns: { allow: [127.0.0.0/8, '::1', 10.0.0.0/8] }"], ["control-group: users"],
                ["control-group: games", "read-group: users"], ["read-group: users"],
                [f"log: {{ level: {rng.choice(['debug', 'info'])} }}"], ["not-ready: nxdomain"],
                [f"provenance: {rng.choice(['off', 'on'])}"], [f"status: {{ listen: 127.0.0.1@{rng.choice(self.health)} }}"])
        keys = {}
        for lines in rng.sample(tops, rng.randrange(len(tops))):
            keys.update({line.split(":")[0]: line for line in lines})
        wild = {"suffix": ["corp.test", "ws.office.example", "coder"], "sentinel": ["true", "false"], "owners": ["[me, bob]", "[me]"],
                "fresh": ["30s", "2m"], "interval": ["1m", "5m"], "name": ["prod", "main"], "at": [0, 1], "main": [True, False, True],
                "more": [True, False]}
        chosen = {k: rng.choice(v) for k, v in wild.items() if rng.random() < 0.4}
        return {**chosen, "top": list(keys.values())}

    def another_life(self):
        """The bridge is killed and begins again, with no server to ask: it has what the store has."""
        self.bridge.process.kill()
        self.bridge.process.wait()
        self.main.say("down")
        self.steady.say("down")
        with open(self.bridge.log_path, "ab") as log:
            self.bridge.process = subprocess.Popen([program("bridge/holdfastd"), "-c", self.bridge.config], stderr=log)

    def __enter__(self):
        return self

    def __exit__(self, kind, *what):
        try:
            self.bridge.__exit__(kind, *what)
        finally:
            self.main.stop()
            self.steady.stop()


def hup_through_a_change(c, rng, run):
    """A change of all workspaces of the server, and a reload each 5 ms from before it to behind it."""
    c.main.say(f"diff alice +1..{c.size}=r{run}w:main")
    for _ in range(rng.randrange(4, 10) + c.size // 400):
        c.write(c.text(c.choose(rng)))
        c.bridge.reload()
        time.sleep(0.005)


RUNS = [(1, 150), (1000, 44), (30000, 6)] if not ASAN else [(1, 15), (1000, 6), (30000, 1)]


@pytest.mark.parametrize("size, runs", RUNS)
def test_any_key_may_change_at_any_moment(tmp_path, size, runs):
    rng = random.Random(SEED + size)
    patience = (2 + size / 5000) * SLOW  # the two seconds, and what a change of so many names costs by itself
    with Changing(tmp_path, size) as c:
        wait_same(c.bridge, 30 * SLOW, lambda m: len(m) == 3 * size + 3 * 400)
        with Responder(tmp_path, c.bridge.folder / "zone") as responder, \
                Prober(responder.port, STEADY, 1000, pause=0.002 * SLOW) as prober:
            try:
                for run in range(runs * (10 if LONG else 1)):
                    hup_through_a_change(c, rng, run)
                    wait_same(c.bridge, patience)
                    assert prober.wrong == [] and prober.lost == 0
                # And at rest all is as the last configuration and the servers have it.
                c.write(c.text({}))
                c.bridge.reload()
                c.bridge.ask("resync")
                wanted = {f"r{run}w{n}.{owner}.coder" for n in range(1, size + 1) for owner in ("me", "alice")}

                def is_last(model):
                    return {n.split(".", 1)[1] for n in model if n.startswith("main.r")} == wanted

                # They may have been so before the last reload and the last answers: what is there a while later stays.
                wait_same(c.bridge, patience + 5 * SLOW, is_last)
                time.sleep(1 + SLOW / 2)
                names = wait_same(c.bridge, patience + 5 * SLOW, is_last)
            except BaseException:
                print(f"HF_SEED={SEED}")
                raise
        counted, log = reloads(c.bridge), c.bridge.log()
        # Its command answers nothing: where a configuration stays for half a minute, it is given up, as it is to be.
        log = "\n".join(line for line in log.splitlines() if "adapter 'hook'" not in line)
        assert counted["rejected"] == 0 and "rejected" not in log and " error: " not in log
        # A change of one workspace may be on the disk too soon to be met.
        assert counted["done"] > runs and (size == 1 or counted["waited"] > 0), counted
        c.another_life()
        wait_same(c.bridge, patience + 10 * SLOW, lambda m: m == names)
