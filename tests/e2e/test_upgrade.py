# SPDX-License-Identifier: Apache-2.0
"""
Row 35 of the faults: an upgrade and the way back on one store. The bridge before is the last one of the store's schema before this one,
built out of the history of this tree: only where that is there, and in the long run.
"""
import contextlib
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from bridge import Bridge
from peer import Simulator
from prober import Prober
from server import Responder, addresses, wait_for
from zone import address

TOP = pathlib.Path(__file__).resolve().parents[2]
N = 340
WORLD = f"deployment d1\nsuffix coder\nuser alice 1\nsnapshot alice 1..{N}=dev:main\nuser bob 2\nsnapshot bob 900=web:900=main\n"
NAMES = {form.format(n): address(n) for n in range(1, N + 1) for form in ("main.dev{}.me.coder", "main.dev{}.alice.coder", "dev{}.coder")}
SOURCE = "    owners: [me, bob]\n"
WAITS = "floor: 20ms, cap: 200ms, steady: 1s"  # keys that the bridge before knows
pytestmark = pytest.mark.skipif(os.environ.get("HF_LONG") != "1", reason="builds another bridge: HF_LONG=1")


def git(*words):
    return subprocess.run(["git", "-C", TOP, *words], capture_output=True, text=True, check=False).stdout.strip()


def answer(bridge):
    with contextlib.suppress(OSError):  # its socket is that of the life before, for a moment
        return bridge.ask("status")[0]
    return None


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """holdfastd as it was before the schema's newest version."""
    version = re.search(r"\.version = (\d+)", (TOP / "bridge/store/schema.c").read_text())[1]
    commit = git("log", "-1", "--format=%H", f"-S.to = {version},", "--", "bridge/store/schema.c")
    if not commit or not git("rev-parse", "--verify", "-q", commit + "^"):
        pytest.skip(f"no history has the bridge before version {version} of the schema")
    tree = tmp_path_factory.mktemp("before")
    subprocess.run(f"git -C {TOP} archive {commit}^ | tar -x -C {tree}", shell=True, check=True)
    env = {**os.environ, "CC": "ccache cc" if shutil.which("ccache") else "cc"}
    subprocess.run(["meson", "setup", tree / "build", tree], env=env, check=True, capture_output=True)
    subprocess.run(["ninja", "-C", tree / "build", "-j2", "bridge/holdfastd"], env=env, check=True, capture_output=True)
    return tree / "build/bridge/holdfastd"


def test_35_an_upgrade_and_the_way_back_lose_no_name(tmp_path, before):
    """With the server away, so that the names are those of the store; then with it, which brings one more in each life."""
    with Simulator(tmp_path, WORLD) as sim, Bridge(tmp_path, sim.url, SOURCE, waits=WAITS) as bridge:
        bridge.stop()
        for f in tmp_path.glob("store.db*"):
            f.unlink()
        shutil.rmtree(tmp_path / "zone", ignore_errors=True)
        bridge.start(daemon=before)
        with Responder(tmp_path, tmp_path / "zone") as r:
            wait_for(lambda: all(addresses(r.ask(n)) for n in ("dev1.coder", "main.web.bob.coder")), 20)
            # What waits is of the store alone: it has to survive both ways.
            sim.say("snapshot bob")
            sim.say("cut tcp")
            wait_for(lambda: bridge.ask("status")[0]["held_removals"] == 1, 20)
            generation, epoch = (bridge.ask("status")[0][k] for k in ("generation", "epoch"))
            with Prober(r.port, NAMES, 10000):
                for life, daemon in enumerate([None, before, None]):
                    sim.say("down")
                    bridge.stop()
                    bridge.start(daemon=daemon)
                    bridge.wait_log("re-applying DNS hosts from previous session", 20, life + 1)
                    status = wait_for(lambda: answer(bridge), 20)
                    assert status["store"]["state"] == "ok" and status["epoch"] == epoch and status["generation"] >= generation
                    assert status["held_removals"] == 1 and status["names"] == len(NAMES) + 1 + life
                    sim.say("up")
                    wait_for(lambda: bridge.ask("status")[0]["fresh"], 30)
                    sim.say(f"diff bob +{950 + life}=more{life}:{950 + life}=main")
                    wait_for(lambda n=life: addresses(r.ask(f"main.more{n}.bob.coder")), 20)
                    generation = bridge.ask("status")[0]["generation"]
            assert "damaged" not in bridge.log() and r.alive()
