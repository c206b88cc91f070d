#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
What the module's zone costs unbound: memory above an unbound without it, also when threads are idle while bases change; how
long answers take while the zone is rewritten, against at rest. 100,000 agents of three names. HF_BUILD names the build; with
a second build folder (of an older version) everything is measured there as well, in turn.

    tests/bench/bench_module_zone.py [BEFORE]
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "lib"))
import module  # noqa: E402
from zone import BUILD, Zone  # noqa: E402

AGENTS = int(os.environ.get("HF_BENCH_AGENTS", "100000"))
ROUNDS = 3
SECONDS = 6
RATE = 3000


def memory_mb(pid, key="VmRSS"):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.split(key + ":")[1].split()[0]) / 1024


def ask_all_threads(u):
    for i in range(64):
        u.ask("a1.w1.me.coder", tcp=i % 2 == 0)


def memory(folder):
    """MB above an empty unbound: at rest, and after bases changed while all threads but one were idle."""
    with module.Unbound(folder, None, threads=4, program=module.UNBOUND) as u:
        time.sleep(0.5)
        empty = memory_mb(u.process.pid)
    with Zone(folder / "zone", f"agents {AGENTS}") as z, module.Unbound(folder, z.folder, threads=4, module=module.MODULE, program=module.UNBOUND) as u:
        ask_all_threads(u)
        base = sum(p.stat().st_size for p in z.folder.glob("base-*.cdb")) / 2**20
        rest = memory_mb(u.process.pid) - empty
        for n in range(ROUNDS):
            z.publish("clear", f"agents {AGENTS - n - 1}")
            for _ in range(2):
                u.ask("a1.w1.me.coder")
                time.sleep(1.2)
        return base, rest, memory_mb(u.process.pid) - empty


def flood(port, seconds):
    done = subprocess.run([str(BUILD / "tests/bench/flood"), "-r", str(RATE), "127.0.0.1", str(port), str(seconds), "1000"],
                          capture_output=True, text=True, check=True)
    words = done.stdout.split()
    return {k: float(v) for k, v in zip(words[::2], words[1::2])}


def latency(folder):
    """p99.9 in us: at rest, and while a new base is published all the time by another process."""
    with Zone(folder / "zone", f"agents {AGENTS}") as z, module.Unbound(folder, z.folder, threads=1, module=module.MODULE, program=module.UNBOUND) as u:
        flood(u.port, 1)
        rest = flood(u.port, SECONDS)
        asking = subprocess.Popen([str(BUILD / "tests/bench/flood"), "-r", str(RATE), "127.0.0.1", str(u.port), str(SECONDS), "1000"],
                                  stdout=subprocess.PIPE, text=True)
        n = 0
        while asking.poll() is None:
            # Prepared by mkzone before, so that what takes the CPU is unbound and not the writer.
            z.publish("clear", f"agents {AGENTS - n % 2}")
            n += 1
            time.sleep(0.5)
        words = asking.communicate()[0].split()
        busy = {k: float(v) for k, v in zip(words[::2], words[1::2])}
        assert rest["wrong"] == busy["wrong"] == 0
        return rest["p999_us"], busy["p999_us"], n


def measure(name, build):
    # The zone is made by this build's tools in any case.
    module.UNBOUND, module.MODULE = build / "unbound/unbound", build / "plugin/holdfast_unbound.so"
    with tempfile.TemporaryDirectory() as d:
        base, rest, changed = memory(pathlib.Path(d))
    print(f"{name}: the zone's base {base:.1f} MB; above an empty unbound {rest:.1f} MB (goal 45), after {ROUNDS} new bases "
          f"with three of four threads idle {changed:.1f} MB", flush=True)
    with tempfile.TemporaryDirectory() as d:
        rest, busy, n = latency(pathlib.Path(d))
    print(f"{name}: p99.9 at rest {rest:.0f} us, over {n} new bases {busy:.0f} us: {busy / rest:.2f} (goal 2)", flush=True)


for path in sys.argv[1:]:
    measure("before", pathlib.Path(path).resolve())
measure("now", BUILD)
