# SPDX-License-Identifier: Apache-2.0
"""Faults at chosen system calls of a driver, by strace."""
import functools
import re
import signal
import subprocess
from typing import NamedTuple

import pytest

import chaos

# Calls by which a folder's contents change, as x86-64 and arm64 name them.
STORAGE = ("openat", "write", "pwrite64", "writev", "ftruncate", "fallocate", "rename", "renameat", "renameat2", "link",
           "linkat", "unlink", "unlinkat", "mkdir", "mkdirat", "fsync", "fdatasync")


class Point(NamedTuple):
    """The nth call of this name in a thread."""
    call: str
    n: int


@functools.lru_cache
def need_strace():
    done = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("strace may not trace here")


def points(command, folder, log, calls=STORAGE):
    """
    Runs the command and returns its calls that touch the folder. strace counts the calls of each thread apart and so
    strikes in every thread: a call is taken only if in all threads that come as far it touches the folder.
    """
    need_strace()
    known = ",".join("?" + c for c in calls)
    subprocess.run(["strace", "-f", "-y", "-qq", "-s", "0", "-e", "trace=" + known, "-e", "signal=none", "-o", log,
                    *command], stdout=subprocess.DEVNULL, check=True, timeout=300)
    counts, found = {}, {}
    with open(log, encoding="utf-8", errors="replace") as f:
        for line in f:
            m = re.match(r"(\d+)\s+(\w+)\((.*)", line)
            if not m:
                continue  # the second half of a call that another thread interrupted
            thread, call, args = m.groups()
            n = counts[thread, call] = counts.get((thread, call), 0) + 1
            touches = str(folder) in args
            found[Point(call, n)] = touches and found.get(Point(call, n), True)
    return [point for point, touches in found.items() if touches]


class Outcome(NamedTuple):
    status: int
    acked: int
    hit: bool  # False: the fault did not come about, as threads ran otherwise than before


def with_fault(command, point, fault, work, more=False):
    """Runs the command with `fault` ("signal=KILL", "error=EIO") at this point, and at all later ones if `more`."""
    inject = f"inject={point.call}:{fault}:when={point.n}{'+' if more else ''}"
    log, out = f"{work}.strace", f"{work}.out"
    with open(out, "wb") as stdout:
        status = subprocess.run(["strace", "-f", "-qq", "-e", "trace=" + point.call, "-e", inject, "-o", log, *command],
                                stdout=stdout, stderr=subprocess.DEVNULL, timeout=300, check=False).returncode
    with open(log, encoding="utf-8", errors="replace") as f:
        hit = status == -signal.SIGKILL or "(INJECTED)" in f.read()
    with open(out, "rb") as f:
        return Outcome(status, chaos.last_ack(f.read()), hit)


def spread(items, n):
    """n of the items, evenly, or all if there are fewer."""
    return items if len(items) <= n else [items[i * len(items) // n] for i in range(n)]
