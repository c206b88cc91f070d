#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
How long answers of holdfast-dns take: at rest, at half of what it can, while the whole zone is rewritten, and from the publication of a change
to the first answer that has it. Needs a build (HF_BUILD, default ./build). --json for machines.
"""
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "lib"))
from server import LOOPBACK, Responder, addresses, question  # noqa: E402
from zone import Zone, address, program  # noqa: E402

NAMES, SECONDS, CHANGES = 300_000, 10, 300


def flood(port, seconds, *options):
    return subprocess.Popen([program("tests/bench/flood"), *options, LOOPBACK, str(port), str(seconds), str(NAMES)],
                            stdout=subprocess.PIPE, text=True)


def result(process):
    words = process.communicate()[0].split()
    return {k: float(v) for k, v in zip(words[::2], words[1::2])}


def rewrite_while(zone, process):
    while process.poll() is None:
        zone.publish("clear", f"many {NAMES}")
    return result(process)


def change_us(zone, port):
    """Microseconds from the end of a publication to the answer that shows it, for many changes."""
    taken = []
    packet = question("changing.dev.me.coder").to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((LOOPBACK, port))
        for n in range(1, CHANGES + 1):
            want = socket.inet_pton(socket.AF_INET6, address(n))
            zone.publish(f"changing.dev.me.coder #{n}")
            start = time.perf_counter()
            while True:
                s.send(packet)
                if want in s.recv(2000):
                    break
            taken.append((time.perf_counter() - start) * 1e6)
            time.sleep(0.003 * (n % 7))
    return sorted(taken)


def main():
    table = {}
    with tempfile.TemporaryDirectory(prefix="hf-bench-") as folder:
        path = pathlib.Path(folder)
        path.chmod(0o755)
        with Zone(path / "zone", f"many {NAMES}") as zone, Responder(path, zone.folder) as dns:
            assert addresses(dns.ask("a7.w7.me.coder")) == [address(7)]
            most = result(flood(dns.port, 4))["qps"]
            table["5,000 queries/s, at rest"] = result(flood(dns.port, SECONDS, "-r", "5000"))
            table["5,000 queries/s, zone rewritten all the time"] = rewrite_while(zone, flood(dns.port, SECONDS, "-r", "5000"))
            half = str(int(most / 2))
            table[f"half of its {int(most)} queries/s"] = result(flood(dns.port, SECONDS, "-r", half))
            taken = change_us(zone, dns.port)
    if "--json" in sys.argv:
        print(json.dumps({"load": table, "change_us": {"p50": taken[len(taken) // 2], "p99": taken[len(taken) * 99 // 100],
                                                       "max": taken[-1]}}))
        return
    print(f"{NAMES} names; microseconds\n{'':46} {'p50':>8} {'p99':>8} {'p99.9':>8} {'max':>8} {'lost':>6} {'wrong':>6}")
    for what, r in table.items():
        print(f"{what:46} {r['p50_us']:8.0f} {r['p99_us']:8.0f} {r['p999_us']:8.0f} {r['max_us']:8.0f} {r['lost']:6.0f} "
              f"{r['wrong']:6.0f}")
    print(f"{f'{CHANGES} changes, published to answered':46} {taken[len(taken) // 2]:8.0f} "
          f"{taken[len(taken) * 99 // 100]:8.0f} {'':8} {taken[-1]:8.0f}")


if __name__ == "__main__":
    main()
