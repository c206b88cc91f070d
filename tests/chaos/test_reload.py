"""
A reload at any moment: while a change is on its way into the store the model is lent to it, and a reload has to wait
(guard rule 10). After it the zone has what the model has, the bridge is the same process, and nothing was lost.
"""
import concurrent.futures
import pathlib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
# pylint: disable=wrong-import-position
from bridge import Bridge
from peer import Simulator
from published import wait_same
from zone import BUILD

ASAN = "asan" in BUILD.name
SLOW = 10 if ASAN else 1


def bridge_of(folder, server, **more):
    folder.mkdir(exist_ok=True)
    return Bridge(folder, server.url, **more)


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
        server.say("diff alice +1..29000=nev:main")
        configure(bridge, server, "    suffix: corp.test\n")
        for _ in range(60):
            bridge.reload()
            time.sleep(0.005)
        wait_same(bridge, 10 * SLOW, lambda m: len(m) == 90000 and all(n.endswith(".corp.test") for n in m))
        assert "cannot be published" not in bridge.log()


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
