#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
What it costs to take a snapshot: holdfast-follow beside a client of Coder's own libraries (tests/peer), in turns, from one
server. User and system CPU and peak memory of the whole process, start included; medians. `bench_follow.py [--check] [AGENTS...]`
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "lib"))
from peer import GoPeer, go_peer  # noqa: E402
from zone import program  # noqa: E402

# Agents: at most so much of the CPU and of the memory of the other.
GOALS = {50_000: (0.5, 0.6), 500_000: (0.4, 0.4)}


def cost(command, told):
    """(CPU in ms, peak memory in MiB) of a command that must print `told`."""
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen([str(c) for c in command], stdout=out, stderr=subprocess.DEVNULL,
                                   env={**os.environ, "CODER_SESSION_TOKEN": "any-token"})
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
        assert process.returncode == 0 and told in text, f"status {process.returncode}: {text[:500]}"
    return 1000 * (used.ru_utime + used.ru_stime), used.ru_maxrss / 1024


def compare(folder, agents, rounds):
    """{client: (CPU, memory)}, the medians of all rounds."""
    seen = {"holdfast": [], "go": []}
    with GoPeer(folder, f"user alice\nsnapshot alice 1..{agents}=workspace:main\n", verbose=False) as server:
        commands = {
            "holdfast": ([program("examples/follow/holdfast-follow"), "--url", server.url, "--once", "--totals"],
                         f"{agents} workspaces, {agents} agents"),
            "go": ([go_peer(), "client", "-once", "-records=false", "-limit", 1 << 27, server.url],
                   f"workspaces={agents} agents={agents}"),
        }
        for _ in range(rounds):
            for name, (command, told) in commands.items():
                seen[name].append(cost(command, told))
    return {name: [statistics.median(one) for one in zip(*costs)] for name, costs in seen.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail where a goal is missed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("agents", type=int, nargs="*", default=list(GOALS))
    args = parser.parse_args()
    if not go_peer():
        print("tests/peer is not built")
        return 77
    missed = 0
    print(f"{'agents':>8} {'':9} {'holdfast':>9} {'Go':>9} {'ratio':>6} {'goal':>5}")
    for agents in args.agents:
        with tempfile.TemporaryDirectory() as folder:
            seen = compare(folder, agents, args.rounds)
        for i, what in enumerate(["CPU ms", "peak MiB"]):
            ours, theirs = seen["holdfast"][i], seen["go"][i]
            goal = GOALS.get(agents, (None, None))[i]
            missed += goal is not None and ours / theirs > goal
            print(f"{agents:8} {what:9} {ours:9.1f} {theirs:9.1f} {ours / theirs:6.2f} {goal or '':>5}", flush=True)
    print(f"{missed} goals are missed" if missed else "no goal is missed")
    return 1 if args.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
