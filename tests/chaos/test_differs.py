# SPDX-License-Identifier: Apache-2.0
"""Status tells what is answered (promise 16): what harms the published zone under a running bridge is said, and heals."""
import pathlib
import shutil
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
# pylint: disable=wrong-import-position
from bridge import Bridge
from peer import Simulator
from published import difference, wait_same

WORLD = "suffix coder\nuser alice 1\nsnapshot alice 1..200=dev:main\n"


def files_gone(zone, _):
    for f in zone.iterdir():
        f.unlink()


def current_gone(zone, _):
    (zone / "current").unlink(missing_ok=True)


def an_older_copy(zone, copy):
    for f in copy.iterdir():
        shutil.copy2(f, zone)


def base_cut(zone, _):
    base = next(zone.glob("base-*.cdb"))
    with open(base, "r+b") as f:
        f.truncate(base.stat().st_size // 2)


def copy_of(zone, to):
    """The bridge may replace a file meanwhile: then once more."""
    while True:
        try:
            shutil.copytree(zone, to)
            return
        except shutil.Error:
            shutil.rmtree(to)


@pytest.mark.parametrize("harm", [files_gone, current_gone, an_older_copy, base_cut], ids=lambda f: f.__name__)
def test_what_harms_the_zone_is_said_and_heals(tmp_path, harm):
    with Simulator(tmp_path, WORLD) as server, Bridge(tmp_path, server.url) as bridge:
        names = wait_same(bridge, 10, lambda m: len(m) == 600)
        copy_of(tmp_path / "zone", tmp_path / "copy")
        server.say("diff alice +300=new:300=main")
        names = wait_same(bridge, 10, lambda m: len(m) == 603)
        # What the bridge writes at that moment may be the whole again: then once more.
        for _ in range(20):
            harm(tmp_path / "zone", tmp_path / "copy")
            if difference(bridge)[0] or "all names are published again" in bridge.log():
                break
        else:
            raise AssertionError("it cannot be harmed")
        end = time.monotonic() + 25
        while "all names are published again" not in bridge.log():
            assert time.monotonic() < end, bridge.log()
            time.sleep(0.1)
        assert wait_same(bridge, 5) == names
        assert [w for w in bridge.ask("status")[0]["warnings"] if w["code"] == "zone-differs"] == []
        assert bridge.log().count(" error: zone:") <= 2
