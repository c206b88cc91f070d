# SPDX-License-Identifier: Apache-2.0
"""
What the tests of this folder share: the drivers and checks of the rooms, and how they are run.

A driver, `DRIVER DIR SEED STEPS`, makes STEPS changes to what is in the folder DIR, going on from what is there, and
prints `ack GENERATION` at once when a change is durable. It ends with 0 when all are, or with 3 and a line on
standard error when the disk still refuses; with nothing else, whatever the disk does.
A check, `CHECK DIR LAST_ACK`, ends with 0 if what is in DIR is one whole generation not older than LAST_ACK; else it prints why,
in a line, and ends with 1.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("HF_BUILD", HERE.parents[1] / "build")) / "tests/chaos"
LONG = os.environ.get("HF_LONG") == "1"
REFUSED = 3


class Driver(NamedTuple):
    drive: list  # the command; DIR SEED STEPS follow
    check: list  # the command; DIR LAST_ACK follow

    def command(self, folder, seed, steps):
        return [*self.drive, str(folder), str(seed), str(steps)]

    def wrong(self, folder, acked):
        """Why what is in the folder is not good, or None."""
        done = subprocess.run([*self.check, str(folder), str(acked)], capture_output=True, text=True,
                              errors="replace", timeout=60, check=False)
        if done.returncode == 0:
            return None
        said = " ".join((done.stdout + done.stderr).split())[-400:]
        return f"acknowledged {acked}: exit status {done.returncode}: {said}"


def saver(kind):
    return Driver([BUILD / "saver", kind], [BUILD / "saver", "check"])


# What must keep its promise: the rooms that have something on disk, and first the tools' own measure.
DRIVERS = {
    "saver": saver("right"),
    "store": Driver([BUILD / "store_driver"], [BUILD / "store_check"]),
    "zone": Driver([BUILD / "zone_driver"], [BUILD / "zone_check"]),
}


def last_ack(text):
    """Of what a driver printed; 0 if it acknowledged nothing. A line without its end was not printed."""
    acks = re.findall(r"^ack (\d+)\n", text if isinstance(text, str) else text.decode(), re.MULTILINE)
    return int(acks[-1]) if acks else 0


def in_parallel(function, items):
    """function(item) of all items, on both cores; the results that are not None."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return [result for result in pool.map(function, items) if result is not None]
