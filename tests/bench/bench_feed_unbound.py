#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
What feeding a real unbound costs those who ask it. A prober asks at a steady rate, each question at its planned time: first an
unbound that nobody feeds, then while names are filled in, then while single names change.

    bench_feed_unbound.py [--names 100000] [--rate 5000] [--changes 300] [--realtime]

--realtime: all that is measured goes before what else the machine does, where that is allowed (root, some ten seconds of a core).
"""
import argparse
import pathlib
import socket
import statistics
import struct
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "lib"))
from driver import Driver
from fed_unbound import Unbound
from realtime import Realtime
from server import question, wait_for
from zone import address
import subprocess

PROBER = pathlib.Path(__file__).with_name("bench_feed_unbound.py")


def probe(port, rate, seconds):
    """The prober, in a process of its own: writes each latency in microseconds, -1 for what is lost."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setblocking(False)
    s.connect(("127.0.0.1", port))
    packet = question("localhost", edns=False).to_wire()[2:]
    begin, n, took, read = time.monotonic(), 0, [], 0
    total = int(rate * seconds)
    took = [-1.0] * total
    end = begin + seconds + 1
    while (now := time.monotonic()) < end and (n < total or read < n):
        while n < total and begin + n / rate <= now:
            s.send(struct.pack("!H", n & 0xffff) + packet)
            n += 1
        try:
            while True:
                i = struct.unpack("!H", s.recv(512)[:2])[0]
                i += (n - 1 - i) & ~0xffff if n > 0x10000 else 0
                took[i if i < n else i - 0x10000] = (time.monotonic() - begin - (i if i < n else i - 0x10000) / rate) * 1e6
                read += 1
        except BlockingIOError:
            pass
        time.sleep(0.0001)
    sys.stdout.write("\n".join(f"{t:.0f}" for t in took))


class Probe:
    def __init__(self, realtime, port, rate, seconds):
        self.process = subprocess.Popen([sys.executable, PROBER, "--probe", str(port), str(rate), str(seconds)],
                                        stdout=subprocess.PIPE, text=True)
        realtime.go_first(self.process.pid)

    def result(self, label):
        took = [float(x) for x in self.process.communicate()[0].split()]
        good = sorted(t for t in took if t >= 0)
        lost = len(took) - len(good)
        at = [good[min(len(good) - 1, int(p * len(good)))] / 1000 for p in (0.5, 0.99, 0.999)]
        print(f"{label:34} p50 {at[0]:6.2f}  p99 {at[1]:6.2f}  p99.9 {at[2]:6.2f}  max {good[-1] / 1000:6.2f} ms  lost {lost}", flush=True)
        return at, good[-1] / 1000, lost


def fill(d, lines, label):
    begin = time.monotonic()
    d.send(*lines)
    d.send("apply")
    receipts = [e for e in d.until("applied", 300) if e["event"] == "receipt"]
    assert not any(r["code"] for r in receipts), [r["text"] for r in receipts if r["code"]][:1]
    took = (receipts[-1]["ms"] - receipts[0]["ms"]) / 1000
    print(f"{label:34} {took:6.2f} s from the first receipt to the last, {time.monotonic() - begin:.2f} s in all", flush=True)
    return took


def changes(d, unbound, n, count, label):
    """From the line that asks for a change until unbound answers it, asked by the driver's own verify, in ms."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(("127.0.0.1", unbound.port))
    took = []
    for i in range(count):
        at = i * (n // count)
        want = address(10000000 + i)
        packet = question(f"a{at}.w{at}.u.coder", edns=False).to_wire()
        raw = socket.inet_pton(socket.AF_INET6, want)
        begin = time.monotonic()
        d.send(f"put a{at}.w{at}.u.coder {want}", "apply")
        while True:
            s.send(packet)
            if s.recv(512)[-16:] == raw:
                break
        took.append((time.monotonic() - begin) * 1000)
        d.until("applied")
        time.sleep(0.01)
    took.sort()
    p99 = took[min(count - 1, int(count * 0.99))]
    print(f"{label:34} p50 {statistics.median(took):6.2f}  p99 {p99:6.2f}  max {took[-1]:6.2f} ms", flush=True)
    return p99


def run(args):
    realtime = Realtime(args.realtime)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with Unbound(folder) as unbound:
            realtime.go_first(unbound.server.process.pid, 0)
            idle = Probe(realtime, unbound.port, args.rate, 5).result("idle")
            with Driver(folder, f"type: unbound, control: {unbound.control}, ask: 127.0.0.1@{unbound.port}") as d:
                small = [f"put a{i}.w{i}.u.coder {address(1000 + i)}" for i in range(1000)]
                realtime.go_first(d.process.pid)
                fill(d, small, "1,000 names")
                d.complete()
                wait_for(lambda: unbound.canary() == "w")
                few = changes(d, unbound, 1000, args.changes, "one change at 1,000 names")
                lines = [f"put a{i}.w{i}.u.coder {address(1000 + i)}" for i in range(1000, args.names)]
                file = folder / "lines"
                file.write_text("\n".join(lines) + "\n")
                p = Probe(realtime, unbound.port, args.rate, args.names / 7000)
                took = fill(d, [f"load {file}"], f"{args.names} names, looks and all")
                full = p.result("while they are filled in")
                many = changes(d, unbound, args.names, args.changes, f"one change at {args.names} names")
    print(f"names a second {(args.names - 1000) / took:.0f}; p99.9 {full[0][2]:.1f} ms ({full[0][2] / max(idle[0][2], 0.01):.1f} times idle), "
          f"change {many / few:.2f} times that at 1,000")
    # On a machine that others use, too, an idle resolver is the measure.
    calm = full[2] <= idle[2] and full[0][2] <= max(10, 1.5 * idle[0][2]) and full[1] <= max(50, 1.5 * idle[1])
    return 0 if calm and took <= args.names / 10000 and (many <= 20 or many <= 1.5 * few) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--probe"]:
        probe(int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
        sys.exit(0)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", type=int, default=100000)
    parser.add_argument("--rate", type=float, default=5000)
    parser.add_argument("--changes", type=int, default=300)
    parser.add_argument("--realtime", action="store_true")
    sys.exit(run(parser.parse_args()))
