# SPDX-License-Identifier: Apache-2.0
"""
Promise 16, of what is fresh: what status says of a source and its owners is what holdfast-dns says of their names, by EDE 3, at the
same time: while a bridge begins again beside the stamps that the one before left, and when the folder of the zone is replaced.
"""
import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import dns.exception
import pytest

from bridge import Bridge
from peer import Simulator
from server import Responder, addresses, ede, wait_for
from users import BRIDGE
from zone import address, program

WORLD = "user alice 1\nsnapshot alice 1=dev:7=main\nuser bob 2\nsnapshot bob 5=web:20=main\n"
BOTH = "    owners: [me, bob]\n"
NAMES = {"alice": "main.dev.me.coder", "bob": "main.web.bob.coder"}


def said(bridge):
    """Whose names are live, as status says."""
    with contextlib.suppress(OSError):
        status = bridge.ask("status")[0]["sources"][0]
        return status["fresh"], {o["name"]: o["state"] == "live" for o in status["owners"]}
    return False, {}


def answered(r):
    """... and as a resolver sees it."""
    with contextlib.suppress(dns.exception.Timeout):
        answers = {who: r.ask(name) for who, name in NAMES.items()}
        return {who: ede(m) == [] for who, m in answers.items() if addresses(m)}
    return {}


def agree(bridge, r, want, seconds=10):
    wait_for(lambda: said(bridge)[1] == answered(r) == want, seconds, 0.02)


def look_for(bridge, r, seconds):
    """At no moment of so many seconds do they differ; a reader may be a second behind, so both are asked before and after."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        before = said(bridge)[1]
        answers = answered(r)
        if before and answers and before == said(bridge)[1]:
            late = time.monotonic() + 1.5
            while answers != before == said(bridge)[1]:
                assert time.monotonic() < late, f"status says {before}, answers say {answers}"
                time.sleep(0.05)
                answers = answered(r)
        time.sleep(0.02)


@pytest.mark.parametrize("how", ["stop", "kill"])
@pytest.mark.parametrize("late", ["alice", "bob"])
def test_a_bridge_that_began_again_says_what_is_answered(tmp_path, how, late):
    with Simulator(tmp_path, WORLD) as sim, Responder(tmp_path, tmp_path / "zone", wait=False) as r:
        with Bridge(tmp_path, sim.url, BOTH) as bridge:
            agree(bridge, r, {"alice": True, "bob": True})
            if how == "kill":
                bridge.process.kill()
                bridge.process.wait(10)
                bridge.process.returncode = 0
        sim.say(f"late {late} 1h")
        want = {"alice": late != "alice", "bob": late != "bob"}
        with Bridge(tmp_path, sim.url, BOTH) as bridge:
            # The source is live again, by the other owner's snapshot; the late one's stamp is some seconds old.
            wait_for(lambda: said(bridge)[0])
            look_for(bridge, r, 1)
            agree(bridge, r, want)
            sim.say(f"late {late} off")
            sim.say("cut tcp")
            agree(bridge, r, {"alice": True, "bob": True})


def test_another_folder_of_the_zone_has_what_status_says(tmp_path):
    with Simulator(tmp_path, WORLD) as sim, Responder(tmp_path, tmp_path / "zone", wait=False) as r:
        with Bridge(tmp_path, sim.url, BOTH) as bridge:
            agree(bridge, r, {"alice": True, "bob": True})
            shutil.rmtree(tmp_path / "zone")
            sim.say("diff alice +9=more:9=main")  # it looks for its folder
            bridge.wait_log("was removed or replaced")
            agree(bridge, r, {"alice": True, "bob": True})
            # One that begins now knows nothing but what is in the new folder.
            with Responder(tmp_path, tmp_path / "zone") as other:
                agree(bridge, other, {"alice": True, "bob": True})
            assert sim.status()["calls"] == 2  # by no new snapshot


def test_46_refused_streams_make_names_stale_whatever_diffs_come(tmp_path):
    """Diffs on an old stream prove that it lives, not that nothing was missed."""
    source = BOTH + "    snapshot-interval: 500ms\n"
    with Simulator(tmp_path, WORLD) as sim, Responder(tmp_path, tmp_path / "zone", wait=False) as r, Bridge(tmp_path, sim.url, source) as bridge:
        agree(bridge, r, {"alice": True, "bob": True})
        sim.say("deny bob close")
        changed = 0

        def stale():
            nonlocal changed
            changed += 1
            sim.say(f"diff bob +6=more:{100 + changed}=main")
            time.sleep(0.1)
            return said(bridge)[1] == answered(r) == {"alice": True, "bob": False}
        wait_for(stale, 10)
        # They are applied all the same, on the connection that there is.
        wait_for(lambda: addresses(r.ask("main.more.bob.coder")) == [address(100 + changed)])
        sim.say("deny bob off")
        agree(bridge, r, {"alice": True, "bob": True})
        assert sim.status()["upgrades"] == 1


# --- a pulse that cannot be written ---

SHORT = BOTH + "    fresh-window: 1500ms\n"
PINGS = ", ping-interval: 200ms"
WARNING = "zone-pulse"


def codes(bridge):
    return [w["code"] for w in bridge.ask("status")[0]["warnings"]]


@contextlib.contextmanager
def no_rights(zone):
    """Its folder is read-only, and the file is gone."""
    (zone / "pulse").unlink()
    zone.chmod(0o550)
    yield
    zone.chmod(0o750)


@contextlib.contextmanager
def a_folder_in_its_place(zone):
    """... that cannot make way."""
    aside = [zone / f"pulse.aside-{n}" for n in range(1, 10)]
    for file in aside:
        file.touch()
    (zone / "pulse").unlink()
    (zone / "pulse" / "x").mkdir(parents=True)
    yield
    (zone / "pulse" / "x").rmdir()
    (zone / "pulse").rmdir()
    for file in aside:
        file.unlink()


@contextlib.contextmanager
def a_full_disk(zone):
    """... and the file is gone, but its room is not free."""
    with open(zone / "pulse", "rb"), open(zone / "fill", "wb", buffering=0) as f:
        with contextlib.suppress(OSError):
            while True:
                f.write(bytes(4096))
        (zone / "pulse").unlink()
        yield
    (zone / "fill").unlink()


class BridgeOfAnother(Bridge):
    """As a service has it: a user of its own, to whom its folder belongs."""
    AS = ["setpriv", f"--reuid={BRIDGE}", f"--regid={BRIDGE}", "--clear-groups"]

    def start(self, env=None, wrap=(), daemon=None):
        daemon = self.folder / "holdfastd"
        shutil.copy2(program("bridge/holdfastd"), daemon)
        for file in self.folder.rglob("*"):
            os.chown(file, BRIDGE, BRIDGE)
        os.chown(self.folder, BRIDGE, BRIDGE)
        super().start(env, self.AS, daemon)


@pytest.fixture(name="place")
def fixture_place():
    """A folder that other users reach, which those of pytest are not; in it is one for the bridge."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        pathlib.Path(folder, "own").mkdir()
        yield pathlib.Path(folder)


@contextlib.contextmanager
def small_disk(zone):
    zone.mkdir(mode=0o750)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=750", "tmpfs", zone], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no right to mount here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", zone], check=True)


def harmed_and_mended(place, bridge, harm):
    zone = bridge.folder / "zone"
    wait_for((zone / "current").exists)  # root's responder takes the group of the folder that is there
    with Responder(place, zone, wait=False) as r:
        agree(bridge, r, {"alice": True, "bob": True})
        with harm(zone):
            # At once, and not when answers are stale already.
            wait_for(lambda: WARNING in codes(bridge), 10, 0.02)
            look_for_none_too_fresh(bridge, r, 1)
            agree(bridge, r, {"alice": False, "bob": False})
            assert bridge.ask("status")[0]["fresh"] is False
            look_for_none_too_fresh(bridge, r, 1)
            assert WARNING in codes(bridge) and said(bridge)[1] == {"alice": False, "bob": False}
        agree(bridge, r, {"alice": True, "bob": True})
        assert WARNING not in codes(bridge)
        assert bridge.log().count("pulse cannot be written") == 1  # one line, however often it is tried


def look_for_none_too_fresh(bridge, r, seconds):
    """Nobody's names are live by status and stale by an answer that came before and after."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        first, shown, second = answered(r), said(bridge)[1], answered(r)
        assert not [who for who in shown if shown[who] and first.get(who) is False and second.get(who) is False], (first, shown)
        time.sleep(0.02)


@pytest.mark.parametrize("harm", [a_folder_in_its_place, a_full_disk], ids=lambda f: f.__name__)
def test_a_pulse_that_cannot_be_written(place, harm):
    with contextlib.ExitStack() as stack:
        if harm is a_full_disk:
            stack.enter_context(small_disk(place / "own/zone"))
        sim = stack.enter_context(Simulator(place, WORLD))
        harmed_and_mended(place, stack.enter_context(Bridge(place / "own", sim.url, SHORT, timeouts=PINGS)), harm)


@pytest.mark.parametrize("harm", [a_folder_in_its_place, no_rights], ids=lambda f: f.__name__)
def test_a_pulse_that_cannot_be_written_by_a_user_of_its_own(place, harm):
    bridge = BridgeOfAnother if os.geteuid() == 0 else Bridge
    with Simulator(place, WORLD) as sim, bridge(place / "own", sim.url, SHORT, timeouts=PINGS) as running:
        harmed_and_mended(place, running, harm)
