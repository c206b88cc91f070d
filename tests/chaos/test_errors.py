# SPDX-License-Identifier: Apache-2.0
"""
A disk that fails: nothing acknowledged is lost, what is there stays whole, and it goes on when the disk does.
"""
import resource
import shutil
import signal
import subprocess

import pytest

import chaos
import faults

POINTS = 100000 if chaos.LONG else 40
STEPS = 8
ERRORS = {"ENOSPC": ("openat", "write", "pwrite64", "ftruncate", "fallocate", "rename", "renameat", "renameat2",
                     "link", "linkat", "mkdir", "mkdirat", "fdatasync", "fsync"),
          "EIO": ("openat", "write", "pwrite64", "ftruncate", "rename", "renameat", "renameat2", "unlink", "unlinkat",
                  "fdatasync", "fsync")}


def after_fault(driver, folder, status, acked):
    """Why this was not a good way to end, or what is there is not good, or it does not go on; or None."""
    if status not in (0, chaos.REFUSED):
        return f"exit status {status}"
    why = driver.wrong(folder, acked)
    if why:
        return why
    done = subprocess.run(driver.command(folder, 99, 2), capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        return f"does not go on when the disk is good again: exit status {done.returncode}: {done.stderr}"
    return driver.wrong(folder, max(acked + 1, chaos.last_ack(done.stdout)))


def wrong_points(driver, tmp_path, error, more, most):
    (tmp_path / "first").mkdir()
    command = driver.command(tmp_path / "first", 1, STEPS)
    found = faults.spread(faults.points(command, tmp_path / "first", tmp_path / "strace", ERRORS[error]), most)
    assert found
    hits = []

    def check(point):
        folder = tmp_path / f"{point.call}-{point.n}"
        folder.mkdir()
        done = faults.with_fault(driver.command(folder, 1, STEPS), point, "error=" + error, folder, more)
        hits.append(done.hit)
        why = after_fault(driver, folder, done.status, done.acked)
        if done.status and done.acked and not more:
            why = why or "a single failure ended it"
        shutil.rmtree(folder)
        return why and f"{error} at {point.call} {point.n}{' and after' if more else ''}: {why}"

    wrong = chaos.in_parallel(check, found)
    assert sum(hits) > len(hits) * 0.8, "most of the failures did not come about"
    return wrong


@pytest.mark.parametrize("more", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("name", chaos.DRIVERS)
def test_a_storage_call_fails(name, error, more, tmp_path):
    assert wrong_points(chaos.DRIVERS[name], tmp_path, error, more, POINTS) == []


def test_a_value_written_in_place_is_found_broken(tmp_path):
    assert wrong_points(chaos.saver("in-place"), tmp_path, "ENOSPC", True, 40)


# --- disks that are full, limited, or not to be written ---

def sizes(driver, tmp_path):
    """What the files of a whole run come to: in all, and the largest."""
    folder = tmp_path / "whole"
    folder.mkdir()
    subprocess.run(driver.command(folder, 1, STEPS), stdout=subprocess.DEVNULL, check=True, timeout=60)
    each = [f.stat().st_size for f in folder.rglob("*") if f.is_file()]
    return sum(each), max(each)


def drive(driver, folder, seed, stdout, **kwargs):
    with open(stdout, "wb") as out:
        return subprocess.run(driver.command(folder, seed, STEPS), stdout=out, stderr=subprocess.PIPE, timeout=120,
                              check=False, **kwargs)


@pytest.fixture(name="mounts")
def fixture_mounts(tmp_path):
    """mounts(options...): mounts something over a new folder, for the time of the test."""
    made = []

    def mount(*options):
        folder = tmp_path / f"mount-{len(made)}"
        folder.mkdir()
        remount(folder, *options)
        made.append(folder)
        return folder

    def remount(folder, *options):
        done = subprocess.run(["mount", *[str(o) for o in options], folder], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no right to mount here: {done.stderr.strip()}")

    mount.remount = remount
    yield mount
    for folder in made:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("part", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("name", chaos.DRIVERS)
def test_a_full_disk(name, part, tmp_path, mounts):
    driver = chaos.DRIVERS[name]
    total = sizes(driver, tmp_path)[0]
    folder = mounts("-t", "tmpfs", "-o", f"size={max(4096, int(total * part))}", "tmpfs")
    done = drive(driver, folder, 1, tmp_path / "out")
    mounts.remount(folder, "-o", "remount,size=1g")
    assert done.returncode == chaos.REFUSED and done.stderr
    assert after_fault(driver, folder, done.returncode, chaos.last_ack((tmp_path / "out").read_bytes())) is None


@pytest.mark.parametrize("part", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("name", chaos.DRIVERS)
def test_a_limit_on_the_size_of_a_file(name, part, tmp_path):
    driver, folder = chaos.DRIVERS[name], tmp_path / "it"
    limit = int(sizes(driver, tmp_path)[1] * part)
    folder.mkdir()

    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = drive(driver, folder, 1, tmp_path / "out", preexec_fn=limited, restore_signals=False)
    assert after_fault(driver, folder, done.returncode, chaos.last_ack((tmp_path / "out").read_bytes())) is None


@pytest.mark.parametrize("name", chaos.DRIVERS)
def test_a_read_only_disk(name, tmp_path, mounts):
    driver = chaos.DRIVERS[name]
    folder = mounts("-t", "tmpfs", "tmpfs")
    assert drive(driver, folder, 1, tmp_path / "out").returncode == 0
    mounts.remount(folder, "-o", "remount,ro")
    done = drive(driver, folder, 2, tmp_path / "out2")
    assert done.returncode == chaos.REFUSED and done.stderr and not (tmp_path / "out2").read_bytes()
    mounts.remount(folder, "-o", "remount,rw")
    assert after_fault(driver, folder, done.returncode, chaos.last_ack((tmp_path / "out").read_bytes())) is None
