# SPDX-License-Identifier: Apache-2.0
"""
What waits is decided with open eyes: who types `accept` sees first what goes, a suffix or a deployment is accepted only by its own
option, a rejection stays visible, and why something waits (rights that the token lost, another user's token) is said.
"""
import json
import os
import pty
import subprocess

import pytest

from bridge import Bridge
from peer import Simulator
from server import wait_for
from zone import program

WORLD = "user alice\nuser bob\nsnapshot alice 1=dev:7=main 10..16=ws:main\nsnapshot bob 30..35=b:main\n"
ALL = 8 * 3  # names of alice's workspaces


class World:
    def __init__(self, sim, bridge):
        self.sim, self.bridge = sim, bridge

    def ctl(self, *args):
        return subprocess.run([program("bridge/holdfastctl"), "-c", self.bridge.config, *args], capture_output=True, text=True,
                              timeout=60, check=False, stdin=subprocess.DEVNULL)

    def typed(self, answer, *args):
        """What a person sees at a terminal who answers so."""
        main, side = pty.openpty()
        process = subprocess.Popen([program("bridge/holdfastctl"), "-c", self.bridge.config, *args], stdin=side, stdout=side,
                                   stderr=side, env={**os.environ, "TERM": "dumb"})
        os.close(side)
        os.write(main, answer.encode())
        text = b""
        try:
            while piece := os.read(main, 65536):
                text += piece
        except OSError:
            pass
        os.close(main)
        return process.wait(20), text.decode().replace("\r\n", "\n")

    def status(self):
        return self.bridge.ask("status")[0]

    def warnings(self, code="held"):
        return [w["text"] for w in self.status()["warnings"] if w["code"] == code]

    def held(self, n=1):
        wait_for(lambda: self.status()["held_removals"] == n and self.status()["fresh"])

    def lose_seven(self):
        self.sim.say("snapshot alice 1=dev:7=main")
        self.sim.say("cut tcp")
        self.held()


def world_of(tmp_path, source="", script=WORLD, top=""):
    sim = Simulator(tmp_path, script)
    bridge = Bridge(tmp_path, sim.url, source, top=top)
    bridge.wait_log("live with")
    return World(sim, bridge)


@pytest.fixture
def world(tmp_path):
    w = world_of(tmp_path)
    with w.sim, w.bridge:
        wait_for(lambda: w.status()["names"] == ALL)
        yield w


def test_what_would_go_is_shown_and_nothing_goes_unasked(world):
    world.lose_seven()
    for args in ["accept"], ["accept", "main"], ["accept", "main", "alice"], ["accept", "--json"]:
        done = world.ctl(*args)
        assert done.returncode == 2 and world.status()["names"] == ALL
        assert done.stderr.endswith(f"holdfastctl {' '.join(a for a in args if a != '--json')} --yes\n")
    done = world.ctl("accept", "main", "alice")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("  alice (source main): Coder no longer lists 7 workspaces (")
    assert lines[1] == "accepting removes 21 names:" and lines[-1] == "    and 11 more"
    assert len(lines) == 13 and all(line.endswith(".coder") for line in lines[2:12])
    done = world.ctl("accept", "--dry-run")
    assert done.returncode == 0 and done.stderr == "" and done.stdout.splitlines() == lines and world.status()["names"] == ALL
    seen = json.loads(world.ctl("--json", "accept", "--dry-run").stdout)
    assert (seen["removed"], seen["workspaces"], len(seen["names"]), seen["holds"]) == (21, 7, 10, 1)
    status, text = world.typed("n\n", "accept")
    assert status == 1 and "accepting removes 21 names:" in text and text.endswith("nothing was done\n")
    status, text = world.typed("\n", "accept")
    assert status == 1 and world.status()["names"] == ALL
    status, text = world.typed("y\n", "accept")
    assert status == 0 and text.endswith("accepted: 21 names of alice (source main) removed\n")
    wait_for(lambda: world.status()["names"] == 3)
    done = world.ctl("accept")
    assert (done.returncode, done.stdout) == (1, "nothing waits for a decision\n")


def test_a_rejection_is_seen_and_can_be_taken_back(world):
    world.lose_seven()
    (said,) = world.warnings()
    assert "Coder no longer lists 7 of alice's 8 workspaces (ws" in said and " and 2 more): their names are kept" in said
    assert "let them go: holdfastctl accept main alice" in said and "keep them: holdfastctl reject main alice" in said
    assert "(a removal waits for you)" in world.ctl("status").stdout.splitlines()[0]
    done = world.ctl("reject", "--dry-run")
    assert done.returncode == 0 and "rejecting keeps what there is" in done.stdout
    done = world.ctl("reject", "main", "alice", "--yes")
    assert (done.returncode, done.stdout) == (0, "rejected: the names of alice (source main) are kept\n")
    guard = world.status()["guard"][0]
    assert guard["rejected"] and guard["reject"] is None and guard["accept"] == "holdfastctl accept main alice"
    (said,) = world.warnings()
    assert "you rejected the removal of 7 of alice's 8 workspaces" in said and "let them go after all: holdfastctl accept main" in said
    assert "waits for you" not in world.ctl("status").stdout
    assert "you rejected the removal" in world.ctl("doctor").stdout
    done = world.ctl("accept", "--dry-run")
    assert "; rejected before" in done.stdout
    assert world.ctl("accept", "--yes").returncode == 0
    wait_for(lambda: world.status()["names"] == 3)


def test_a_suffix_is_accepted_by_its_own_option_only(world):
    world.sim.say("suffix corp")
    world.sim.say("cut tcp")
    world.held()
    (said,) = world.warnings()
    assert "Coder now says suffix 'corp' instead of 'coder': accepting renames all names: holdfastctl accept main --suffix (24 names" in said
    for args in ["accept"], ["accept", "main"], ["accept", "--yes"], ["reject", "--yes"]:
        done = world.ctl(*args)
        assert done.returncode == 1 and "no removal waits for a decision; what waits is decided by:" in done.stdout
        assert f"holdfastctl {args[0]} main --suffix" in done.stdout
    # Nor by whoever talks to the socket: the bridge itself wants the kind to be named.
    for request in {"command": "accept"}, {"command": "accept", "source": "main"}, {"command": "accept", "what": "removal"}:
        assert world.bridge.ask(request)[0]["settled"] == 0
    assert world.status()["sources"][0]["suffix"] == "coder"
    done = world.ctl("accept", "main", "--suffix")
    assert done.returncode == 2 and "accepting renames 24 names, that is all of this source:" in done.stdout
    done = world.ctl("accept", "main", "--suffix", "--yes")
    assert (done.returncode, done.stdout) == (0, "accepted: 24 names of source main renamed\n")
    wait_for(lambda: world.status()["sources"][0]["suffix"] == "corp")


def test_a_removal_that_waits_beside_a_suffix_leaves_that_alone(world):
    world.lose_seven()
    world.sim.say("suffix corp")
    world.sim.say("cut tcp")
    world.held(2)
    assert world.ctl("accept", "main", "--yes").stdout == "accepted: 21 names of alice (source main) removed\n"
    wait_for(lambda: world.status()["names"] == 3)
    assert [g["reason"] for g in world.status()["guard"]] == ["suffix"] and world.status()["sources"][0]["suffix"] == "coder"


def test_what_was_not_shown_is_not_accepted(world):
    """Between the look and the yes more workspaces were lost."""
    world.sim.say("diff alice +50..53=x:main")
    wait_for(lambda: world.status()["names"] == ALL + 12)
    world.sim.say("snapshot alice 1=dev:7=main 50..53=x:main")
    world.sim.say("cut tcp")
    world.held()
    seen = world.bridge.ask({"command": "preview", "decision": "accept"})[0]
    assert seen["removed"] == 21
    world.sim.say("snapshot alice 1=dev:7=main")
    world.sim.say("cut tcp")
    wait_for(lambda: world.status()["guard"][0]["workspaces"] == 11)
    with pytest.raises(AssertionError, match="has changed since it was shown"):
        world.bridge.ask({"command": "accept", "ticket": seen["ticket"]})
    assert world.status()["names"] == ALL + 12
    seen = world.bridge.ask({"command": "preview", "decision": "accept"})[0]
    assert seen["removed"] == 33 and world.bridge.ask({"command": "accept", "ticket": seen["ticket"]})[0]["settled"] == 1


def test_of_several_owners_one_is_named(tmp_path):
    w = world_of(tmp_path, "    owners: [me, bob]\n")
    with w.sim, w.bridge:
        wait_for(lambda: w.status()["names"] == ALL + 6)
        w.sim.say("snapshot alice 1=dev:7=main")
        w.sim.say("snapshot bob")
        w.sim.say("cut tcp")
        w.held(2)
        done = w.ctl("accept")
        assert done.returncode == 1 and "name the source" in done.stderr
        assert "(2 removals wait for you)" in w.ctl("status").stdout.splitlines()[0]
        done = w.ctl("accept", "main", "bob", "--yes")
        assert (done.returncode, done.stdout) == (0, "accepted: 6 names of bob (source main) removed\n")
        wait_for(lambda: w.status()["held_removals"] == 1)
        assert "accepting removes 21 names" in w.ctl("accept", "main").stdout


# --- why it waits

def test_rights_that_the_token_lost_are_named(tmp_path):
    w = world_of(tmp_path, "    owners: [me, bob]\n    snapshot-interval: 1s\n", WORLD + "roles alice template-admin\n")
    with w.sim, w.bridge:
        wait_for(lambda: w.status()["names"] == ALL + 6)
        assert w.status()["sources"][0]["user"] == "alice" and w.status()["sources"][0]["missing_rights"] is None
        w.sim.say("roles alice")
        w.sim.say("cut tcp")
        wait_for(lambda: w.status()["sources"][0]["missing_rights"] and w.status()["held_removals"], 20)
        assert w.status()["names"] == ALL + 6 and "role:template-admin" in w.status()["sources"][0]["missing_rights"]
        (said,) = w.warnings("rights-less")
        assert "the token of alice reads less than before, it lacks " in said and "role:template-admin" in said
        assert "holdfastctl accept main" in said
        assert "Coder no longer lists 6 of bob's 6 workspaces" in w.warnings()[0]
        text = w.ctl("status").stdout
        assert "as alice" in text and "reads less than before" in text
        found = {f["area"] for f in json.loads(w.ctl("--json", "doctor").stdout) if f["grade"] == "bad"}
        assert {"rights", "guard"} <= found
        w.sim.say("roles alice template-admin")
        wait_for(lambda: not w.status()["held_removals"] and not w.status()["sources"][0]["missing_rights"], 30)


def test_an_owner_who_may_not_be_read_is_named(tmp_path):
    w = world_of(tmp_path, "    owners: [me, bob]\n    snapshot-interval: 1s\n", WORLD + "roles alice template-admin\n")
    with w.sim, w.bridge:
        wait_for(lambda: w.status()["names"] == ALL + 6)
        w.sim.say("unreadable bob")
        w.sim.say("cut tcp")
        wait_for(lambda: w.warnings("rights-owner"), 20)
        assert "the workspaces of bob may not be read with this token" in w.warnings("rights-owner")[0]
        owner = next(o for o in w.status()["sources"][0]["owners"] if o["name"] == "bob")
        assert owner["readable"] is False and w.status()["names"] == ALL + 6


def test_a_token_of_another_user_is_named(world):
    world.sim.say("me bob")
    world.sim.say("cut tcp")
    wait_for(lambda: world.status()["sources"][0]["user"] == "bob")
    wait_for(lambda: [g for g in world.status()["guard"] if g["reason"] == "user"])
    said = " ".join(world.warnings())
    assert "the token is bob's now, before it was alice's" in said and "holdfastctl accept main alice" in said
    assert "as bob" in world.ctl("sources").stdout
