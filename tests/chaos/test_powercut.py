# SPDX-License-Identifier: Apache-2.0
"""A power cut at any moment loses nothing that was acknowledged, and leaves one whole generation."""
import shutil

import pytest

import chaos
import powercut

STATES = 4000 if chaos.LONG else 300


def wrong_states(driver, tmp_path, n, steps):
    """Two runs are recorded, the second upon what the first left."""
    folder = tmp_path / "it"
    folder.mkdir()
    wrong, tried = [], 0
    for seed in (1, 2):
        recording = powercut.record(driver, folder, seed, steps, tmp_path)

        def check(state):
            how, acked, tree = state
            place = tmp_path / how.split(" (", 1)[0].replace(" ", "-")
            powercut.write_tree(place, tree)
            why = driver.wrong(place, acked)
            shutil.rmtree(place)
            return why and f"seed {seed}, {how}: {why}"

        states = list(powercut.crash_states(recording, n // 2, seed))
        tried += len(states)
        wrong += chaos.in_parallel(check, states)
    assert tried > n // 10, "hardly any states: the recording is too short"
    return wrong


@pytest.mark.parametrize("name", chaos.DRIVERS)
def test_nothing_acknowledged_is_lost(name, tmp_path):
    assert wrong_states(chaos.DRIVERS[name], tmp_path, STATES, 40) == []


@pytest.mark.parametrize("kind", ["no-sync", "no-folder-sync", "in-place"])
def test_a_missing_sync_is_found(kind, tmp_path):
    assert wrong_states(chaos.saver(kind), tmp_path, 300, 12)


def test_a_change_that_the_recorder_cannot_see_is_refused(tmp_path):
    folder = tmp_path / "it"
    folder.mkdir()
    with pytest.raises(AssertionError, match="missed changes of: unseen"):
        unseen = chaos.Driver(["env", "-u", "LD_PRELOAD", "sh", "-c", 'echo x > "$0/unseen"'], [])
        powercut.record(unseen, folder, 1, 1, tmp_path)
