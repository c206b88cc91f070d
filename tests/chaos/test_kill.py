# SPDX-License-Identifier: Apache-2.0
"""A driver that is killed at any moment has lost nothing that it acknowledged, and goes on from there."""
import random
import subprocess
import time

import pytest

import chaos
import faults

POINTS = 100000 if chaos.LONG else 100
KILLS = 10000 if chaos.LONG else 300
STEPS = 6


def go_on(driver, folder, acked):
    """Why it does not go on from what is there, or None."""
    done = subprocess.run(driver.command(folder, 99, 2), capture_output=True, timeout=60, check=False)
    if done.returncode:
        return f"does not go on: exit status {done.returncode}: {done.stderr.decode(errors='replace')}"
    return driver.wrong(folder, max(acked + 1, chaos.last_ack(done.stdout)))


def wrong_points(driver, tmp_path, most):
    (tmp_path / "first").mkdir()
    command = driver.command(tmp_path / "first", 1, STEPS)
    found = faults.spread(faults.points(command, tmp_path / "first", tmp_path / "strace"), most)
    assert len(found) > STEPS
    hits = []

    def check(point):
        folder = tmp_path / f"{point.call}-{point.n}"
        folder.mkdir()
        done = faults.with_fault(driver.command(folder, 1, STEPS), point, "signal=KILL", folder)
        hits.append(done.hit)
        why = driver.wrong(folder, done.acked) or go_on(driver, folder, done.acked)
        return why and f"killed at {point.call} {point.n}: {why}"

    wrong = chaos.in_parallel(check, found)
    assert sum(hits) > len(hits) * 0.8, "most of the kills did not come about"
    return wrong


@pytest.mark.parametrize("name", chaos.DRIVERS)
def test_killed_at_each_storage_call(name, tmp_path):
    assert wrong_points(chaos.DRIVERS[name], tmp_path, POINTS) == []


def test_a_value_written_in_place_is_found_broken(tmp_path):
    assert wrong_points(chaos.saver("in-place"), tmp_path, 100)


def wrong_moments(driver, tmp_path, kills, seed):
    """Kills at random moments, each run going on from what the one before left; a new folder now and then."""
    rng, acked, folder, killed = random.Random(seed), 0, None, 0
    for i in range(kills):
        if i % 20 == 0:
            folder, acked = tmp_path / f"{seed}-{i}", 0
            folder.mkdir()
        out = tmp_path / f"{seed}.out"
        with open(out, "wb") as stdout:
            with subprocess.Popen(driver.command(folder, i, 1000000), stdout=stdout) as running:
                time.sleep(rng.uniform(0, 0.03))
                running.kill()
                killed += running.wait() < 0
        acked = max(acked, chaos.last_ack(out.read_bytes()))
        why = driver.wrong(folder, acked)
        if why:
            return f"seed {seed}, kill {i}, in {folder}: {why}"
    return None if killed == kills else f"only {killed} of {kills} runs lasted until they were killed"


@pytest.mark.parametrize("name", chaos.DRIVERS)
def test_killed_at_random_moments(name, tmp_path):
    def half(seed):
        return wrong_moments(chaos.DRIVERS[name], tmp_path, KILLS // 2, seed)

    assert chaos.in_parallel(half, [1, 2]) == []
