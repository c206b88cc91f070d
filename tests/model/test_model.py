# SPDX-License-Identifier: Apache-2.0
"""
Random lives of a bridge against the model: each line is played on both, and what is seen must be what the contract allows.

10,000 lines in two processes (HF_LONG=1: 600,000, half of them where they are slow, under a sanitizer; in as many as there are processors), from
a seed that is printed and is another one each time; HF_SEED repeats it. A failure is cut down to the shortest scenario that shows it.
"""
import concurrent.futures
import os
import random
import sys

from play import Over, Play, Wrong, play
from world import World

LIFE = 150  # lines


def live(seed, n=LIFE):
    """One life: (lines, what is wrong or None)."""
    p = Play()
    world = World(seed, p)
    try:
        for line in world.life():
            for one in ("stop", "start") if line == "restart" else (line,):
                p.step(one)
            if len(p.lines) >= n:
                break
    except Wrong as wrong:
        return p.lines, str(wrong)
    except Over:
        pass
    finally:
        p.close()
    return p.lines, None


def kind(wrong):
    """What went wrong, without the names and numbers: a shorter scenario must show the same."""
    lines = wrong.splitlines()
    return (lines[0].split()[0], " ".join(w for w in lines[2].split() if w.isalpha())) if len(lines) > 2 else lines[0][:20]


def shrink(lines, wrong, budget=400):
    """The fewest lines that still show it."""
    want, size = kind(wrong), max(1, len(lines) // 2)
    while size and budget:
        at = 0
        while at < len(lines) and budget:
            shorter = lines[:at] + lines[at + size:]
            budget -= 1
            found = play(shorter)
            if found and kind(found) == want:
                lines, wrong = shorter, found
            else:
                at += size
        size //= 2
    return lines, wrong


def chunk(seeds):
    """The first life that goes wrong, cut down; else None."""
    for seed in seeds:
        lines, wrong = live(seed)
        if wrong:
            return seed, *shrink(lines, wrong)
    return None


def test_model():
    long = os.environ.get("HF_LONG") == "1"
    first = int(os.environ.get("HF_SEED") or random.SystemRandom().randrange(10 ** 9))
    print(f"HF_SEED={first}")
    many = 300_000 if "asan" in os.environ.get("HF_BUILD", "") else 600_000
    n = int(os.environ.get("HF_LIVES") or (many if long else 10_000) // LIFE)
    seeds = [first + i for i in range(n)]
    jobs = min(os.cpu_count() if long else 2, n)
    parts = jobs * 8 if long else jobs
    with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
        found = next((f for f in pool.map(chunk, [seeds[i::parts] for i in range(parts)]) if f), None)
    if found:
        seed, lines, wrong = found
        raise AssertionError(f"HF_SEED={seed} HF_LIVES=1\n\n" + "\n".join(lines) + f"\n\n{wrong}")


def main():
    """test_model.py [--quick] FIRST LAST: the lives of these seeds; --quick: the first that goes wrong ends it, as it is."""
    quick = "--quick" in sys.argv
    first, last = (int(a) for a in sys.argv[1:] if a.isdigit())
    for seed in range(first, last):
        lines, wrong = live(seed)
        if wrong and quick:
            sys.exit(f"{seed}: {wrong}")
        print(seed, len(lines), "wrong" if wrong else "agrees", flush=True)
        if wrong:
            lines, wrong = shrink(lines, wrong)
            print("\n".join(lines) + "\n\n" + wrong, flush=True)


if __name__ == "__main__":
    main()
