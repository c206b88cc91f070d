# SPDX-License-Identifier: Apache-2.0
"""
The line to the server under ordinary trouble: servers that fall silent, slow links, storms of events, ways that die. Time limits are about
silence and rate, and nothing earns credit for later or for others; what dials does so by the backoff.
"""
import contextlib
import os
import subprocess
import threading
import time

import pytest

from bridge import Bridge
from netns import Machine
from peer import Simulator
from relay import Relay
from server import Responder, addresses, wait_for
from test_stream import ALICE, Sleeper
from zone import program

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
QUICK = ", ping-interval: 1s, ping-timeout: 2s, first-message: 3s"
BIG = "user alice 1\nsnapshot alice 1..20000=dev:main\n"


@contextlib.contextmanager
def line(folder, script=ALICE, relay=None, **more):
    with Simulator(folder, script) as sim, Relay(sim.port, **(relay or {})) as r, Bridge(folder, r.url, **more) as bridge:
        yield sim, r, bridge


def source(bridge):
    return bridge.ask("status")[0]["sources"][0]


def owner(bridge, name):
    return next(o for o in source(bridge)["owners"] if o["name"] == name)


@contextlib.contextmanager
def repeated(what, every):
    over = threading.Event()

    def run():
        while not over.wait(every):
            what()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


# --- silence

def test_a_server_that_falls_silent_within_a_snapshot_is_left_in_time(tmp_path):
    """200 kB that came quickly are no credit for what does not come."""
    with line(tmp_path, BIG, relay={"stall_after": 200_000, "rate": 100_000}, timeouts=QUICK) as (sim, relay, bridge):
        wait_for(lambda: relay.streams >= 1)
        wait_for(lambda: relay.streams >= 2, 15)
        assert "the server fell silent" in bridge.log() or "no first message" in bridge.log()
        relay.stall_after = relay.rate = None
        bridge.wait_log("live with", 20)


def test_a_live_server_that_falls_silent_within_a_snapshot_is_left_in_time(tmp_path):
    with line(tmp_path, relay={"stall_after": 200_000, "rate": 100_000}, timeouts=QUICK + ", second-snapshot: 500ms") as (sim, relay, bridge):
        bridge.wait_log("live with")
        sim.say(BIG.splitlines()[1])
        wait_for(lambda: relay.streams >= 2, 15)
        relay.stall_after = relay.rate = None
        bridge.wait_log("live with", 20, 2)
        assert len(bridge.ask("records")) >= 20000


def test_a_second_snapshot_that_never_comes_costs_its_owner_no_change(tmp_path):
    """Others' bytes are no sign of life of a call: what runs is read on."""
    script = ALICE + "user bob 2\nsnapshot bob 5=web:20=main\n"
    with line(tmp_path, script, source="    owners: [me, bob]\n", timeouts=", first-message: 2s, second-snapshot: 500ms") as (sim, _, bridge):
        bridge.wait_log("live with")
        sim.say("late bob 1h")
        with repeated(lambda: sim.say("diff alice +2=gpu:9=main"), 0.02):
            time.sleep(1.5)  # bob's second call is out
            sim.say("diff bob +8=newone:50=main")
            wait_for(lambda: any("newone" in row["name"] for row in bridge.ask("records")), 15)
            assert owner(bridge, "bob")["state"] == "live"


def test_a_slow_link_gets_its_snapshot_also_among_events(tmp_path):
    """A byte after an event proves the way; the pong may stand behind a long snapshot."""
    sleeper = Sleeper(tmp_path)
    with line(tmp_path, "user alice 1\nsnapshot alice 1..5000=dev:main\n", relay={"rate": 60_000}, env=sleeper.env,
              timeouts=", ping-interval: 1s, ping-timeout: 2s, first-message: 3s, doubt: 1s") as (sim, relay, bridge):
        wait_for(lambda: relay.streams == 1)
        with repeated(lambda: sleeper.slept(0), 0.3):  # a clock that is set doubts as the network does
            bridge.wait_log("live with", 30)
        assert relay.streams == 1 and "fell silent" not in bridge.log()


@needs_root
def test_a_change_at_an_interface_that_is_not_used_is_passed_over(tmp_path):
    with Machine() as machine, line(tmp_path) as (sim, relay, bridge):
        bridge.wait_log("live with")
        machine.ip("-n", machine.name, "link", "add", "other0", "type", "veth", "peer", "name", "other1")
        machine.ip("-n", machine.name, "link", "set", "other0", "up")
        machine.ip("-n", machine.name, "address", "add", "192.0.2.7/24", "dev", "other0")
        bridge.wait_log("network or routes changed")
        time.sleep(0.5)
        assert "is doubted" not in bridge.log()
        machine.ip("-n", machine.name, "address", "add", "127.0.0.77/8", "dev", "lo")
        bridge.wait_log("is doubted")
        assert relay.streams == 1


def test_an_event_while_the_upgrade_is_awaited_harms_nothing(tmp_path):
    sleeper = Sleeper(tmp_path)
    with line(tmp_path, relay={"hold": 1}, env=sleeper.env, timeouts=", ping-interval: 4s, doubt: 500ms") as (sim, relay, bridge):
        wait_for(lambda: relay.streams == 1)
        sleeper.slept(0)
        bridge.wait_log("live with")
        relay.hold = 0
        time.sleep(5)
        assert relay.streams == 1 and "fell silent" not in bridge.log()


def test_a_way_that_died_is_not_asked_again(tmp_path):
    """REST goes by a new connection, too: a request on a dead one would cost its whole time."""
    with line(tmp_path, timeouts=", ping-interval: 300ms, ping-timeout: 1s") as (sim, relay, bridge):
        bridge.wait_log("live with")
        relay.silence()
        bridge.wait_log("live with", 10, 2)
        assert "fell silent" in bridge.log() and "does not answer" not in bridge.log()


# --- storms

DEFAULT = "floor: 50ms, cap: 10s, events: 5s, steady: 10s"


def test_events_without_end_dial_twenty_times_a_minute_at_most(tmp_path):
    sleeper = Sleeper(tmp_path)
    with line(tmp_path, env=sleeper.env, waits="floor: 50ms, cap: 10s, events: 50ms, steady: 10s") as (sim, relay, bridge):
        bridge.wait_log("live with")
        sim.say("down")
        with repeated(lambda: sleeper.slept(0), 0.1):
            time.sleep(12)
        assert 15 <= bridge.log().count("-> connecting") <= 20


def test_events_between_two_that_count_leave_the_backoff_alone(tmp_path):
    sleeper = Sleeper(tmp_path)
    with line(tmp_path, env=sleeper.env, waits=DEFAULT) as (sim, relay, bridge):
        bridge.wait_log("live with")
        sim.say("down")
        with repeated(lambda: sleeper.slept(0), 0.1):
            time.sleep(4)
        # One that counts, and the backoff: 50 ms and its doubles.
        assert bridge.log().count("-> connecting") <= 12


@pytest.mark.parametrize("refusal, times", [("429 Retry-After=60", 1), ("503 Retry-After=60", 1), ("401", 2)])
def test_events_do_not_shorten_what_the_server_asked_for(tmp_path, refusal, times):
    sleeper = Sleeper(tmp_path)
    with line(tmp_path, env=sleeper.env) as (sim, relay, bridge):
        bridge.wait_log("live with")
        sim.say(f"refuse {refusal}")
        sim.say("cut tcp")
        bridge.wait_log("-> connecting", 10, 1 + times)
        with repeated(lambda: sleeper.slept(0), 0.1):
            time.sleep(3)
        # The first was the good one.
        assert bridge.log().count("-> connecting") == 1 + times


def test_goaway_at_each_connection_serves_all_owners_and_is_no_storm(tmp_path):
    users = [f"u{n:02}" for n in range(12)]
    script = "".join(f"user {u} {n + 1}\nsnapshot {u} {100 + n}=dev:{1000 + n}=main\nlate {u} 100ms\n" for n, u in enumerate(users))
    # The bound of dials a minute is out of the way: it is the backoff that is looked at.
    with Simulator(tmp_path, script) as sim, Bridge(tmp_path, sim.url, f"    owners: [{', '.join(users)}]\n",
                                                    waits=DEFAULT + ", per-minute: 1000"):
        with Responder(tmp_path, tmp_path / "zone") as responder, repeated(lambda: sim.say("cut goaway"), 0.02):
            for user in users:
                wait_for(lambda user=user: addresses(responder.ask(f"main.dev.{user}.coder")), 20)
            time.sleep(3)
            assert sim.status()["upgrades"] <= 20


# --- one owner

@pytest.mark.parametrize("how, said", [("close", "the server ended the call"), ("error", "the server ended the call"),
                                       ("reset", "the server ended the call")])
def test_an_owner_who_is_refused_is_told_with_reason_and_next_try(tmp_path, how, said):
    script = ALICE + f"user bob 2\nsnapshot bob 5=web:20=main\ndeny bob {how}\n"
    with line(tmp_path, script, source="    owners: [me, bob]\n") as (sim, _, bridge):
        bridge.wait_log("live with")
        wait_for(lambda: owner(bridge, "bob")["line"]["reason"])
        told = owner(bridge, "bob")["line"]
        assert told["state"] == "waiting" and told["reason"] == said and told["next_try"]
        assert owner(bridge, "alice")["line"] == {"state": "live", "reason": None, "next_try": None}
        text = subprocess.run([program("bridge/holdfastctl"), "-c", bridge.config, "status"], capture_output=True, text=True, check=False).stdout
        assert f"not followed: {said}, tried again at " in text, text


# --- REST

def test_an_error_of_rest_about_one_owner_stops_no_stream(tmp_path):
    script = ALICE + "user bob 2\nsnapshot bob 5=web:20=main\n"
    with line(tmp_path, script, source="    owners: [me, bob]\n    snapshot-interval: 1m\n") as (sim, _, bridge):
        bridge.wait_log("live with")
        wait_for(lambda: owner(bridge, "bob")["state"] == "live")
        sim.say("refuse 503 /api/v2/users/bob")
        bridge.ask("resync")
        wait_for(lambda: source(bridge)["state"] == "live", 20)
        sim.say("diff bob +8=newone:50=main")
        wait_for(lambda: any("newone" in row["name"] for row in bridge.ask("records")), 15)
