#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
What a change of one workspace costs the bridge, at 10 owners and at thousands: `bench_owners.py [OWNERS]`. A line each: owners, CPU until all
are live, of an idle second, of a change, and how long `status` takes.
"""
import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from bridge import Bridge  # noqa: E402
from peer import Simulator  # noqa: E402

CHANGES = 100


def cpu_ms(bridge):
    """Of all threads, by the scheduler's own clock."""
    tasks = pathlib.Path(f"/proc/{bridge.process.pid}/task").iterdir()
    return sum(int((t / "schedstat").read_text().split()[0]) for t in tasks) / 1e6


def live(bridge):
    return sum(o["state"] == "live" for o in bridge.ask("status")[0]["sources"][0]["owners"])


def measure(owners):
    script = "".join(f"user u{n} {n + 1}\nsnapshot u{n} {n + 1}=dev:{n + 1}=main\n" for n in range(owners))
    with tempfile.TemporaryDirectory() as folder, Simulator(folder, script, verbose=False) as sim, Bridge(
            folder, sim.url, source="    owners: [all]\n", timeouts=", first-message: 30s") as bridge:

        bridge.wait_log("live with", 60)
        begun = time.monotonic()
        while live(bridge) < owners:
            assert time.monotonic() - begun < 300, "not all are live"
            time.sleep(0.5)
        fill = cpu_ms(bridge)
        time.sleep(3)
        before = cpu_ms(bridge)
        time.sleep(5)
        idle = (cpu_ms(bridge) - before) / 5
        before, began = cpu_ms(bridge), time.monotonic()
        for n in range(CHANGES):
            sim.say(f"diff u0 +{owners + 1 + n}=new{n}:{owners + 1 + n}=main")
            time.sleep(0.06)
        time.sleep(1)
        change = (cpu_ms(bridge) - before - idle * (time.monotonic() - began)) / CHANGES
        began = time.monotonic()
        bridge.ask("status")
        status = (time.monotonic() - began) * 1000
        print(f"{owners:6} owners: fill {fill:8.0f} ms, idle {idle:6.1f} ms/s, change {change:6.2f} ms, status {status:6.0f} ms", flush=True)
    return change


def main():
    few = measure(10)
    many = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
    print(f"a change costs {many / few:.2f} times that at 10 owners (goal: 1.5)")


if __name__ == "__main__":
    main()
