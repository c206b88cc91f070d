#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
What feeding a real dnsmasq through its hostsdir costs those who ask it. A prober asks at a steady rate, each question at its planned
time: first while nobody feeds, then while names are filled in, then while single names change.

    bench_feed_dnsmasq.py [--names 10000] [--rate 5000] [--changes 300] [--realtime] [--check]

--realtime: all that is measured goes before what else the machine does, where that is allowed (root, some ten seconds of half a core).

--check: fails where a change takes more than 15 ms (99 of 100; more on a disk that others use, which is measured beside it), or
dnsmasq is silent for more than 20 ms (changes) or 50 ms (fill).
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[2]
os.environ.setdefault("HF_BUILD", str(ROOT / "build"))
sys.path.insert(0, str(ROOT / "tests" / "lib"))
from driver import Driver  # noqa: E402
from realtime import Realtime  # noqa: E402
from server import free_port  # noqa: E402
from stock import need, run  # noqa: E402
from zone import address, program  # noqa: E402

PROBED = 100  # names that are there from the beginning, and asked for


class Flood:
    """A prober of its own; its figures by name, in the end."""

    def __init__(self, realtime, port, rate, seconds):
        self.process = subprocess.Popen([program("tests/bench/flood"), "-w", str(rate), "-r", str(rate), "127.0.0.1", str(port),
                                         str(seconds), str(PROBED)], stdout=subprocess.PIPE, text=True)
        realtime.go_first(self.process.pid)

    def figures(self):
        words = self.process.communicate()[0].split()
        return dict(zip(words[::2], (float(w) for w in words[1::2])))


def row(what, f):
    print(f"{what:34} {f['sent']:8.0f} asked {f['lost']:5.0f} lost {f['wrong']:5.0f} wrong   p50 {f['p50_us'] / 1000:6.2f}"
          f"   p99 {f['p99_us'] / 1000:6.2f}   p99.9 {f['p999_us'] / 1000:6.2f}   max {f['max_us'] / 1000:6.2f} ms", flush=True)
    return f


def agent(i, at):
    """An agent's three names."""
    return [f"put a{i}.w{i}.u{i % 50}.coder {address(at)} primary", f"put a{i}.w{i}.v{i % 50}.coder {address(at)}",
            f"put w{i}.coder {address(at)}"]


def timed(feed, lines):
    began = time.monotonic()
    feed.good(*lines, seconds=300)
    return time.monotonic() - began


def milliseconds(times, part):
    return sorted(times)[int(len(times) * part)] * 1000


def write_one(path):
    """What the disk takes, at the same time, to keep one small file for sure."""
    began = time.monotonic()
    new = path.with_suffix(".new")
    with open(new, "wb") as f:
        f.write(b"x" * 100)
        os.fdatasync(f.fileno())
    new.rename(path)
    fd = os.open(path.parent, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
    return time.monotonic() - began


def measure(folder, args):
    realtime = Realtime(args.realtime)
    hostsdir = folder / "hosts.d"
    hostsdir.mkdir()
    port = free_port()
    server = run(folder, [need("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--user=", "--no-resolv",
                          "--no-hosts", "--log-facility=-", "--listen-address=127.0.0.1", "--bind-interfaces", f"--port={port}",
                          "--local=/coder/", "--local-ttl=30", "--cache-size=10000", f"--hostsdir={hostsdir}"], port)
    with server, Driver(folder, f"type: dnsmasq, hostsdir: {hostsdir}, ask: 127.0.0.1@{port}") as feed:
        realtime.go_first(server.process.pid, feed.process.pid, 0)
        feed.good(*(f"put a{n}.w{n}.me.coder {address(n)} primary" for n in range(1, PROBED + 1)))
        row("nobody feeds", Flood(realtime, port, args.rate, 5).figures())
        agents = args.names // 3
        flood = Flood(realtime, port, args.rate, 12)
        took = timed(feed, [line for i in range(agents) for line in agent(i, 1000 + i)])
        fill = row(f"{agents * 3} names filled in {took:.1f} s", flood.figures())
        row(f"{agents * 3} names, nobody feeds", Flood(realtime, port, args.rate, 5).figures())
        flood = Flood(realtime, port, args.rate, 10)
        began, times, disk = time.monotonic(), [], []
        while len(times) < args.changes and time.monotonic() - began < 9:
            times.append(timed(feed, agent(len(times), 500000 + len(times))))
            time.sleep(0.015)
            disk.append(write_one(folder / "one"))
        changed = row(f"{len(times)} agents change their address", flood.figures())
        p50, p99 = milliseconds(times, 0.5), milliseconds(times, 0.99)
        disk = milliseconds(disk, 0.99)
        print(f"a change, until it is answered and the old address gone: p50 {p50:.1f} p99 {p99:.1f} max {max(times) * 1000:.1f} ms")
        print(f"a small file of ours on this disk meanwhile, for sure: p99 {disk:.1f} ms")
        if args.check:
            assert p99 <= max(15, 3 * disk)
            assert changed["max_us"] <= 20000 and fill["max_us"] <= 50000
            assert not changed["lost"] and not fill["lost"] and not changed["wrong"] and not fill["wrong"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", type=int, default=10000)
    parser.add_argument("--rate", type=int, default=5000)
    parser.add_argument("--changes", type=int, default=300)
    parser.add_argument("--realtime", action="store_true")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        path.chmod(0o755)
        measure(path, args)


if __name__ == "__main__":
    main()
