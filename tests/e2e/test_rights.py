# SPDX-License-Identifier: Apache-2.0
"""
What the token may read changes, and what the server says gets lost: the whole bridge beside a server that keeps the rights
of a connection's first second, as Coder does, while REST speaks with today's. Of the table of faults: 41 (another user, or none), 42
(a role lost and given back), 43 (REST is down, slow or wrong), 44 (a source renamed) and 51 (a lost event, a rename without one).
"""
import contextlib
import os
import time

import dns.exception
import dns.rcode
import pytest

from bridge import Bridge
from peer import GoPeer, Simulator, go_peer
from prober import Prober
from server import Responder, addresses, ede, wait_for
from zone import address

LONG = os.environ.get("HF_LONG") == "1"

WORLD = "user alice 1\nsnapshot alice 1=dev:7=main\nuser bob 2\nsnapshot bob 5=web:20=main\n"
BOTH = "    owners: [me, bob]\n    snapshot-interval: 1s\n"
OWN, BOBS = "main.dev.me.coder", "main.web.bob.coder"


@contextlib.contextmanager
def world_of(folder, source=BOTH, script=WORLD, kind=Simulator, timeouts="", top="", **more):
    with kind(folder, script) as sim, Bridge(folder, sim.url, source, timeouts=timeouts, top=top, **more) as bridge:
        with Responder(folder, folder / "zone") as r:
            yield sim, bridge, r


@pytest.fixture(params=[Simulator, pytest.param(GoPeer, marks=pytest.mark.skipif(
    not go_peer(), reason="tests/peer is not built: it needs Go 1.25 or newer"))])
def kind(request):
    return request.param


def is_live(r, name):
    try:
        answer = r.ask(name)
    except dns.exception.Timeout:  # a busy machine; that none is lost is the probers' to see
        return False
    return addresses(answer) and not ede(answer)


def lives(r, name, seconds=10):
    """Answered, and as what is so now."""
    wait_for(lambda: is_live(r, name), seconds)


def is_gone(r, name):
    return r.ask(name).rcode() == dns.rcode.NXDOMAIN


# --- what was granted later comes by itself

@pytest.mark.parametrize("before, after", [
    ("roles alice", "roles alice template-admin"),
    ("roles alice auditor", "roles alice auditor 1/organization-admin"),
    ("unreadable bob", "readable bob"),
    ("scopes workspace:read user:read\nunreadable bob", "scopes\nreadable bob"),
])
def test_a_right_given_later_brings_the_names_without_a_human(tmp_path, kind, before, after):
    with world_of(tmp_path, script=WORLD + before + "\n", kind=kind) as (sim, bridge, r):
        lives(r, OWN)
        time.sleep(1.5)
        assert is_gone(r, BOBS)
        for line in after.splitlines():
            sim.say(line)
        lives(r, BOBS, 3)
        lives(r, OWN)
        assert "what the token may read has changed" in bridge.log()
        # And then there is peace.
        upgrades = sim.status()["upgrades"]
        time.sleep(2.5)
        assert sim.status()["upgrades"] == upgrades <= 3


def test_an_organisation_joined_later_brings_its_workspaces(tmp_path, kind):
    """authcheck says yes all the while: the role in the first organisation is enough for that."""
    script = WORLD + "place 2 5\nroles alice 1/organization-admin\nsnapshot bob 5=web:20=main 6=own:21=main\nplace 2 5\n"
    with world_of(tmp_path, script=script, kind=kind) as (sim, bridge, r):
        lives(r, "main.own.bob.coder")
        time.sleep(1.2)
        assert is_gone(r, BOBS)
        sim.say("roles alice 1/organization-admin 2/organization-admin")
        sim.say("orgs alice 1 2")
        lives(r, BOBS, 3)


def test_the_same_rights_in_another_order_or_untold_make_no_new_connection(tmp_path):
    with world_of(tmp_path, script=WORLD + "roles alice owner auditor\n", source=BOTH.replace("1s", "300ms")) as (sim, bridge, r):
        lives(r, BOBS)
        sim.say("roles alice auditor owner")
        time.sleep(0.6)
        for path in "users/me/roles", "authcheck", "users/me/keys/tokenid000":
            sim.say(f"refuse 500 /api/v2/{path}")
            time.sleep(0.6)
        sim.say("refuse off")
        time.sleep(0.6)
        assert sim.status()["upgrades"] == 1
        assert "warn" not in bridge.log()


def test_rights_that_could_not_be_learnt_at_first_are_taken_for_new_once(tmp_path):
    script = WORLD + "refuse 500 /api/v2/authcheck\n"
    with world_of(tmp_path, script=script, source=BOTH.replace("1s", "300ms")) as (sim, bridge, r):
        lives(r, BOBS)
        time.sleep(0.7)
        assert sim.status()["upgrades"] == 1
        sim.say("refuse off")
        sim.say("await upgrades 2")
        time.sleep(1)
        assert sim.status()["upgrades"] == 2
        lives(r, BOBS)


# --- what got lost

SLOW = "    owners: [me, bob]\n"  # with the default interval of ten minutes


def test_an_event_lost_while_a_stream_began_is_found_soon(tmp_path, kind):
    with world_of(tmp_path, source=SLOW, timeouts=", second-snapshot: 500ms", kind=kind) as (sim, bridge, r):
        sim.say("await streams 2")
        sim.say("lose bob +6=lost:21=main")
        sim.say("lose alice -:7 +1=dev:8=main")
        lives(r, "main.lost.bob.coder", 3)
        wait_for(lambda: addresses(r.ask(OWN))[0].endswith(":8"), 3)
        time.sleep(1.2)
        assert sim.status()["calls"] == 4 and sim.status()["upgrades"] == 1


def test_the_second_snapshots_are_spread_and_few_at_once(tmp_path):
    n = 60
    script = "".join(f"user u{i} {i}\nsnapshot u{i} {i}=w:{i}=main\n" for i in range(1, n + 1))
    source = "    owners: [all]\n    snapshot-interval: 4s\n"
    with world_of(tmp_path, source, script, timeouts=", second-snapshot: 1s") as (sim, bridge, r):
        sim.say(f"await calls {n}")
        start, calls = time.monotonic(), []
        while time.monotonic() - start < 6:
            calls.append((time.monotonic() - start, sim.status()["calls"]))
            assert sim.status()["streams"] <= n + 8
            time.sleep(0.05)
        assert calls[-1][1] >= 2 * n, "each had a second one"
        early = [c for t, c in calls if t < 0.9]
        assert early[-1] == n, "none before its time"
        # In no tenth of a second came more than a third of them.
        for (t, c) in calls:
            later = [d for u, d in calls if u <= t + 0.1]
            assert later[-1] - c <= n // 3, (t, c, later[-1])
        assert sim.status()["upgrades"] == 1


def test_a_rename_without_an_event_is_found_by_the_next_snapshot(tmp_path, kind):
    with world_of(tmp_path, kind=kind) as (sim, bridge, r):
        lives(r, BOBS)
        sim.say("lose bob +5=renamed")
        lives(r, "main.renamed.bob.coder", 3)
        wait_for(lambda: is_gone(r, BOBS))


def test_sub_agents_come_and_go_and_the_short_name_with_them(tmp_path, kind):
    with world_of(tmp_path, kind=kind) as (sim, bridge, r):
        lives(r, "dev.coder")
        sim.say("diff alice +1=dev:9=devcontainer")
        lives(r, "devcontainer.dev.me.coder")
        wait_for(lambda: is_gone(r, "dev.coder") or not addresses(r.ask("dev.coder")))
        lives(r, OWN)
        sim.say("diff alice -:9")
        lives(r, "dev.coder")
        wait_for(lambda: is_gone(r, "devcontainer.dev.me.coder"))
        lives(r, OWN)


# --- whose a workspace is

def asked(sim, n):
    """How often REST was asked whose workspace n is."""
    return sim.log().count(f"GET /api/v2/workspaces/10000000-0000-0000-0000-{n:012d}\n")


def test_a_workspace_in_two_owners_streams_is_its_owners(tmp_path, kind):
    with world_of(tmp_path, kind=kind) as (sim, bridge, r):
        lives(r, BOBS)
        lives(r, OWN)
        sim.say("share 5 alice")
        wait_for(lambda: asked(sim, 5) == 1, 3)
        time.sleep(0.5)
        assert is_live(r, BOBS) and is_gone(r, "main.web.me.coder") and is_gone(r, "web.coder")
        # Each new snapshot lists it again; that is no reason to ask each time.
        calls = sim.status()["calls"]
        wait_for(lambda: sim.status()["calls"] >= calls + 4)
        assert asked(sim, 5) <= 3
        assert any(w["code"] == "disputed" for w in bridge.ask("status")[0]["warnings"])
        sim.say("unshare 5 alice")
        wait_for(lambda: not any(w["code"] == "disputed" for w in bridge.ask("status")[0]["warnings"]))
        lives(r, BOBS)


def test_a_workspace_that_moved_without_a_delete_is_followed_by_rests_word(tmp_path, kind):
    with world_of(tmp_path, source=SLOW, kind=kind) as (sim, bridge, r):
        lives(r, BOBS)
        lives(r, OWN)
        sim.say("diff alice +5=web")
        lives(r, "main.web.me.coder", 3)
        assert asked(sim, 5) == 1
        wait_for(lambda: is_gone(r, BOBS))


def test_a_dispute_that_rest_does_not_settle_is_asked_seldom_and_holds_nothing_up(tmp_path):
    script = WORLD + "refuse 500 /api/v2/workspaces/10000000-0000-0000-0000-000000000005\n"
    with world_of(tmp_path, script=script, source=SLOW) as (sim, bridge, r):
        lives(r, BOBS)
        sim.say("share 5 alice")
        wait_for(lambda: asked(sim, 5) == 1, 3)
        for n in range(6):  # each is a message, and a reason to look
            sim.say(f"diff alice +1=dev{n}")
            time.sleep(0.3)
        lives(r, "main.dev5.me.coder", 3)
        assert asked(sim, 5) == 1
        lives(r, BOBS)


# --- what REST says of one owner is of that owner

@pytest.mark.parametrize("line", ["refuse 500 /api/v2/users/bob", "refuse 404 html /api/v2/users/bob", "refuse 403 /api/v2/users/bob",
                                  "refuse 502 html /api/v2/users/bob"])
def test_an_error_of_rest_on_one_owner_stops_no_stream(tmp_path, kind, line):
    with world_of(tmp_path, kind=kind) as (sim, bridge, r):
        lives(r, BOBS)
        sim.say(line)
        asked = sim.log().count("GET /api/v2/users/bob\n")
        wait_for(lambda: sim.log().count("GET /api/v2/users/bob\n") >= asked + 2)
        sim.say("diff bob +6=later:21=main")
        lives(r, "main.later.bob.coder", 3)
        lives(r, BOBS)
        assert sim.status()["upgrades"] == 1


def test_an_error_of_rest_on_one_owner_keeps_nobody_away(tmp_path, kind):
    """From the start, and over a connection that ends."""
    with world_of(tmp_path, script=WORLD + "refuse 500 /api/v2/users/bob\n", kind=kind) as (sim, bridge, r):
        lives(r, OWN)
        assert is_gone(r, BOBS)
        sim.say("refuse off")
        lives(r, BOBS, 3)
        sim.say("refuse 500 /api/v2/users/bob")
        sim.say("cut tcp")
        bridge.wait_log("live with", times=2)
        sim.say("diff bob +6=later:21=main")
        lives(r, "main.later.bob.coder", 3)


def test_a_page_of_users_that_fails_stops_no_stream(tmp_path, kind):
    script = WORLD + "".join(f"user u{i} {i}\nsnapshot u{i} {i}=w:{i}=main\n" for i in range(30, 40))
    with world_of(tmp_path, "    owners: [all]\n    snapshot-interval: 1s\n", script, kind=kind) as (sim, bridge, r):
        lives(r, "main.w.u39.coder")
        sim.say("refuse 502 /api/v2/users")
        sim.say("cut tcp")
        bridge.wait_log("live with", times=2)
        sim.say("diff u39 +100=later:100=main")
        lives(r, "main.later.u39.coder", 3)


@pytest.mark.parametrize("how", ["close", "error", "reset"])
def test_a_refused_owner_keeps_nobody_away(tmp_path, kind, how):
    """However quick the refusal is, and however late the others' snapshots."""
    script = WORLD + f"user carol 3\nsnapshot carol 9=x:9=main\ndeny carol {how}\nlate alice 200ms\n"
    with world_of(tmp_path, "    owners: [carol, me]\n    snapshot-interval: 1s\n", script, kind=kind) as (sim, bridge, r):
        lives(r, OWN, 5)
        assert sim.status()["upgrades"] == 1
        sim.say("cut tcp")
        bridge.wait_log("live with", 5, 2)
        calls = sim.status()["calls"]
        time.sleep(2)
        assert sim.status()["calls"] - calls <= 8, "it is asked again, and not at once"
        sim.say("deny carol off")
        lives(r, "main.x.carol.coder", 3)
        lives(r, OWN)


def test_nobody_left_is_a_failure_as_with_one_owner(tmp_path):
    with world_of(tmp_path, script=WORLD + "deny alice close\ndeny bob error\n") as (sim, bridge, r):
        bridge.wait_log("attempt 2 failed (call-failed)")
        sim.say("deny bob off")
        lives(r, BOBS, 5)


def test_an_owner_whose_snapshot_never_comes_keeps_nobody_away(tmp_path):
    n = 12
    script = "user alice 1\nsnapshot alice 1=dev:77=main\n" + "".join(
        f"user u{i} {i}\nsnapshot u{i} {i}=w:{i}=main\nlate u{i} {'1h' if i < 12 else 'off'}\n" for i in range(2, n + 1))
    source = "    owners: [" + ", ".join(f"u{i}" for i in range(2, n + 1)) + ", me]\n    snapshot-interval: 2s\n"
    with world_of(tmp_path, source, script, timeouts=", first-message: 500ms") as (sim, bridge, r):
        lives(r, OWN, 8)
        lives(r, "main.w.u12.coder", 8)
        assert sim.status()["upgrades"] == 1


# --- what the token may no longer read is held

GUARD = "guard: { grace: 500ms }\n"


def held(bridge):
    with contextlib.suppress(OSError):  # it may begin just now
        return bridge.ask("status")[0]["held_removals"]
    return 0


def test_a_role_lost_the_server_restarted_and_the_role_given_back(tmp_path, kind):
    with world_of(tmp_path, top=GUARD, kind=kind) as (sim, bridge, r):
        lives(r, BOBS)
        lives(r, OWN)
        sim.say("roles alice")
        sim.say("cut ws 1012")
        wait_for(lambda: held(bridge) == 1)
        time.sleep(2.5)  # much more than the grace
        assert held(bridge) == 1 and addresses(r.ask(BOBS))
        sim.say("roles alice owner")
        lives(r, BOBS, 4)
        wait_for(lambda: not held(bridge))
        lives(r, OWN)
        assert "removed" not in str([row for row in bridge.ask("history") if BOBS in str(row)])


@pytest.mark.parametrize("line", ["remake bob 9", "forget bob", "me bob"])
@pytest.mark.parametrize("then", ["nothing", "restart", "reload", "kill"])
def test_another_user_or_none_behind_a_name_or_the_token_removes_nothing(tmp_path, line, then):
    with Simulator(tmp_path, WORLD) as sim, Responder(tmp_path, tmp_path / "zone", wait=False) as r:
        bridge = Bridge(tmp_path, sim.url, BOTH, top=GUARD)
        name = OWN if line == "me bob" else BOBS
        try:
            lives(r, name)
            sim.say(line)
            time.sleep(1.5)
            if then == "reload":
                bridge.configure(sim.url, BOTH.replace("1s", "900ms"), top=GUARD)
                bridge.reload()
            elif then != "nothing":
                if then == "kill":
                    bridge.process.kill()
                    bridge.process.wait(10)
                bridge.stop()
                bridge = Bridge(tmp_path, sim.url, BOTH, top=GUARD)
            wait_for(lambda: held(bridge) >= 1)
            time.sleep(2.5)
            assert addresses(r.ask(name)) and held(bridge) >= 1
        finally:
            bridge.stop()


# --- 43: REST is down, slow or wrong while something is held

HOUSE = 160
CROWD = f"deployment d1\nuser alice 1\nsnapshot alice 1..{HOUSE}=dev:main\nuser bob 2\nsnapshot bob {HOUSE + 1}..{2 * HOUSE}=web:main\n"
ALICES = {form.format(n): address(n) for n in range(1, HOUSE + 1) for form in ("main.dev{}.me.coder", "dev{}.coder", "main.dev{}.alice.coder")}
LAST = f"main.web{2 * HOUSE}.bob.coder"
ALL = ALICES | {f"main.web{n}.bob.coder": address(n) for n in range(HOUSE + 1, 2 * HOUSE + 1)}
PAST = 3.5  # seconds, in which a good server would have the hold released

# What is wrong, and what ends it. `first`: it is so before the hold opens, so that no word from after that is a good one.
WRONG = [("refuse 500", "refuse off", True), ("slow 1h", "slow off", True), ("refuse 500 /api/v2/authcheck", "refuse off", True),
         ("refuse 200 html /api/v2/users/bob", "refuse off", True), ("deployment -", "deployment d1", False)]
if LONG:
    WRONG += [("refuse 200 html", "refuse off", True), ("refuse 404 /api/v2/users/bob", "refuse off", True),
              ("slow 1h /api/v2/users/bob", "slow off", True),
              ("remake bob 9", "remake bob 2", False), ("deployment d2", "deployment d1", False), ("unreadable bob", "readable bob", False)]


@pytest.mark.parametrize("wrong, good, first", WRONG, ids=[w[0].replace("/", "_") for w in WRONG])
def test_43_what_rest_says_wrong_releases_nothing(tmp_path, wrong, good, first):
    source = "    owners: [me, bob]\n    snapshot-interval: 400ms\n"
    with world_of(tmp_path, source, CROWD, top="guard: { grace: 1s }\n", timeouts=", ping-interval: 200ms") as (sim, bridge, r):
        wait_for(lambda: all(addresses(r.ask(name)) for name in ("dev1.coder", LAST)), 20)
        if first:
            sim.say(wrong)
        sim.say("snapshot bob")
        wait_for(lambda: held(bridge) == 1, 20)
        if not first:
            sim.say(wrong)
        with Prober(r.port, ALL, 10000 if LONG else 1000):
            time.sleep(PAST)
            assert held(bridge) >= 1 and bridge.ask("status")[0]["names"] == len(ALL)
        sim.say(good)
        bridge.ask("resync")  # what will not mend itself is tried again in minutes
        wait_for(lambda: is_gone(r, LAST) and not held(bridge), 30)
        assert bridge.ask("status")[0]["names"] == len(ALICES)
        lives(r, "dev1.coder")


# --- 44: a source renamed, at the same URL

@pytest.mark.parametrize("first", ["empty", "unreadable", "odd", "half"])
def test_44_a_renamed_source_keeps_what_its_first_snapshot_lacks(tmp_path, first):
    source = "    owners: [me, bob]\n    snapshot-interval: 1s\n"
    with world_of(tmp_path, source, CROWD, top="guard: { grace: 1h }\n") as (sim, bridge, r):
        wait_for(lambda: all(addresses(r.ask(name)) for name in ("dev1.coder", LAST)), 20)
        with Prober(r.port, ALL, 10000 if LONG else 1000):
            if first == "unreadable":
                sim.say("unreadable bob")
            elif first == "half":
                sim.say("late alice 1h")
                sim.say(f"snapshot bob {HOUSE + 1}..{HOUSE + HOUSE // 4}=web:main")
            elif first == "odd":
                sim.say("snapshot bob 900=bad..name:900=main")
            else:
                sim.say("snapshot bob")
            bridge.config.write_text(bridge.config.read_text().replace("- name: main", "- name: prod"))
            bridge.reload()
            bridge.wait_log("source 'prod': live with", 20)
            if first != "odd":  # one with a refused record confirms nothing: what it lacks is not yet said to be gone
                wait_for(lambda: held(bridge) == 1, 20)
            time.sleep(1.5)  # one more snapshot, of the interval
            status = bridge.ask("status")[0]
            assert [s["name"] for s in status["sources"]] == ["prod"] and status["names"] == len(ALL), status
            # Over a restart, too.
            bridge.process.kill()
            bridge.process.wait(10)
            bridge.start()
            bridge.wait_log("live with", 20, 3)
            time.sleep(1)
            assert bridge.ask("status")[0]["names"] == len(ALL)
