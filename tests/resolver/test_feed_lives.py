# SPDX-License-Identifier: Apache-2.0
"""
Random lives of a bridge and its adapters against all that their resolvers have. After each step everything is read: local data and zones of
unbound, the files of dnsmasq and the answers for all names that ever were, the hosts file, what a hook was told. It is compared with what the
server lists and `records` shows, both ways; what differs for a reason is told by status.

A seed is printed and is another one each time; HF_SEED=N is the one life of that seed, HF_LIVES the number of them. A life that fails is run
again without some of its steps, until those are left that it needs.
"""
import concurrent.futures
import multiprocessing
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time
import traceback

import server
from fed_life import STEPS, Life
import fed_events  # noqa: F401  what may happen

LONG = bool(os.environ.get("HF_LONG"))
LIVES = int(os.environ.get("HF_LIVES", "0")) or (10000 if LONG else 300)
SEED = int(os.environ.get("HF_SEED", "0"))
AT_ONCE = 8     # they wait more than they work
SHRINK_S = 60
SHOWN = 3       # lives that failed
AGAIN = 6       # so often one that failed is lived once more, if it is not the long run


def prepare(count):
    """Each process has ports of its own."""
    with count.get_lock():
        n = count.value
        count.value += 1
    server.free_port.__defaults__ = (range(20000 + n * 1200, 20000 + (n + 1) * 1200),)


def live(seed, only=None):
    """(seed, what is wrong or None, the story, log, seconds that it took until all was right)"""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-life-"))
    folder.chmod(0o755)
    life = None
    try:
        life = Life(folder, seed, only)
        wrong = life.run()
    except Exception:
        wrong = traceback.format_exc()
    try:
        log = life.bridge.log()[-5000:] if life and life.bridge else ""
        return seed, wrong, f"{life.shape()}: {' '.join(life.story)}" if life else "", log, life.took if life else []
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def shorter(pool, seed):
    """The steps of that life without which it does not fail, as far as time allows; and what is wrong then."""
    only, best, end = list(range(STEPS)), None, time.monotonic() + SHRINK_S
    while time.monotonic() < end:
        tries = [only[:i] + only[i + 1:] for i in range(len(only))]
        failed = [(some, said) for some, said in zip(tries, pool.map(live, [seed] * len(tries), tries)) if said[1]]
        if not failed:
            break
        only, best = failed[0]
    return only, best


def is_red_again(pool, said):
    """What a busy machine or a port of others did to one life, it does not do to the same steps again."""
    again = any(other[1] for other in pool.map(live, [said[0]] * AGAIN))
    if not again:
        print(f"unsteady, HF_SEED={said[0]}: {said[2]}\n    {said[1]}", file=sys.stderr)
    return again


def test_all_that_resolvers_have_is_what_they_should_have():
    first = SEED or random.SystemRandom().randrange(1, 1 << 31)
    seeds = [first] if SEED else range(first, first + LIVES)
    print(f"HF_SEED={first}, {len(seeds)} lives")
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(AT_ONCE, context, prepare, (context.Value("i", 0),)) as pool:
        done = list(pool.map(live, seeds))
        failed = [said for said in done if said[1]]
        if not LONG and not SEED:
            failed = [said for said in failed if is_red_again(pool, said)]
        took = sorted((s, what) for said in done for s, what in said[4])
        if took:
            print(f"{len(took)} steps, right after {took[len(took) // 2][0]:.2f} s (half of them), {took[-1][0]:.2f} s (all); the slowest:",
                  took[-8:], file=sys.stderr)
        text = ""
        for seed, wrong, story, log, _ in failed[:SHOWN]:
            text += f"\nHF_SEED={seed}: {story}\n{wrong}\n"
            only, best = shorter(pool, seed)
            text += f"steps {only}: {best[2]}\n{best[1]}\n{best[3]}\n" if best else f"{log}\n"
        more = "".join(f"\nHF_SEED={said[0]}: {said[2]}\n    {said[1]}" for said in failed[SHOWN:])
    assert not failed, f"{len(failed)} of {len(done)} lives{text}{more}"
