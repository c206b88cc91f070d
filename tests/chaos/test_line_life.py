# SPDX-License-Identifier: Apache-2.0
"""
One line to a server, and a life of trouble on it, by chance: a way that stalls, slows, goes silent or is cut, a server that refuses, is late, says
GoAway or goes, owners that are refused, events without end. After each trouble all owners' names are live again within a bound, with what
changed meanwhile; names are answered throughout; dials stay within their rate; descriptors and memory are flat.
"""
import contextlib
import os
import pathlib
import random
import time

import pytest

from bridge import Bridge
from peer import GoPeer, Simulator, go_peer
from prober import Prober
from relay import Relay
from server import Responder, addresses, ede, wait_for

LONG = bool(os.environ.get("HF_LONG"))
SECONDS = 240 if LONG else 0  # but each kind at least once
BOUND = 20  # seconds: pings, a first message and a dial in the short times below, on a busy machine
OWNERS = ["alice", "bob", "carol"]
WORLD = "".join(f"user {o} {n + 1}\nsnapshot {o} {n + 1}=dev:{n + 11}=main\n" for n, o in enumerate(OWNERS))
NAMES = ["main.dev.me.coder", "main.dev.bob.coder", "main.dev.carol.coder"]
TIMES = ", ping-interval: 300ms, ping-timeout: 1s, first-message: 2s, doubt: 500ms, second-snapshot: 1s"


class Line:
    def __init__(self, folder, server, seed):
        self.rng = random.Random(seed)
        self.server, self.folder, self.news = server, folder, 0
        self.relay = Relay(server.port)
        self.deck = []

    def troubles(self):
        """Each begins something; heal() ends all."""
        say, relay, rng = self.server.say, self.relay, self.rng
        owner = rng.choice(OWNERS)
        return {
            "silence": relay.silence,
            "stall": lambda: setattr(relay, "stall_after", rng.choice([0, 1, 150, 400])) or say("cut tcp"),
            "slow": lambda: setattr(relay, "rate", rng.choice([300, 2000, 20000])),
            "slow upgrade": lambda: setattr(relay, "hold", 1.5) or say("cut rst"),
            "cut": lambda: say(f"cut {rng.choice(['tcp', 'rst', 'ws', 'ws 1012 restart', 'goaway', 'yamux', 'call', 'error 5 away'])}"),
            "refuse": lambda: say(f"refuse {rng.choice(['503', '500 html', '502 stream', '429', '404 /api/v2/users/bob'])}") or say("cut tcp"),
            "down": lambda: say("down"),
            "freeze": lambda: say("freeze"),
            "deny": lambda: say(f"deny {owner} {rng.choice(['close', 'error', 'reset'])}") or say(f"cut yamux {owner}"),
            "late": lambda: say(f"late {owner} {rng.choice(['500ms', '5s', '1h'])}") or say(f"cut yamux {owner}"),
        }

    def next(self):
        """Each kind once in a random order, then anew."""
        self.deck = self.deck or self.rng.sample(sorted(self.troubles()), len(self.troubles()))
        return self.deck.pop()

    def heal(self):
        self.relay.stall_after = self.relay.rate = None
        self.relay.hold = 0
        self.server.say("thaw")
        self.server.say("up")
        self.server.say("refuse off")
        for owner in OWNERS:
            self.server.say(f"deny {owner} off")
            self.server.say(f"late {owner} off")

    def change(self):
        """A new workspace of some owner; returns its name."""
        self.news += 1
        owner = self.rng.choice(OWNERS)
        self.server.say(f"diff {owner} +{100 + self.news}=new{self.news}:{1000 + self.news}=main")
        return f"main.new{self.news}.{'me' if owner == 'alice' else owner}.coder"


def is_live(bridge):
    source = bridge.ask("status")[0]["sources"][0]
    return source["state"] == "live" and all(o["state"] == "live" and o["line"]["state"] == "live" for o in source["owners"])


def fds(bridge):
    return len(list(pathlib.Path(f"/proc/{bridge.process.pid}/fd").iterdir()))


@pytest.mark.parametrize("kind", [Simulator, pytest.param(GoPeer, marks=pytest.mark.skipif(not go_peer(), reason="tests/peer is not built"))])
def test_a_line_comes_back_from_everything(tmp_path, kind):
    seed = int(os.environ.get("HF_SEED") or int.from_bytes(os.urandom(4), "little"))
    print(f"HF_SEED={seed}")
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(kind(tmp_path, WORLD))
        life = Line(tmp_path, server, seed)
        relay = stack.enter_context(life.relay)
        bridge = stack.enter_context(Bridge(tmp_path, relay.url, f"    owners: [me, bob, carol]\n    fresh-window: 2s\n    snapshot-interval: 5s\n",
                                            timeouts=TIMES))
        responder = stack.enter_context(Responder(tmp_path, tmp_path / "zone"))
        wait_for(lambda: all(addresses(responder.ask(n)) for n in NAMES), 20)
        wait_for(lambda: is_live(bridge), BOUND)
        stack.enter_context(Prober(responder.port, {n: addresses(responder.ask(n))[0] for n in NAMES}, 500))
        first, end, done = None, time.monotonic() + SECONDS, []
        while time.monotonic() < end or len(done) < len(life.troubles()):
            names = []
            for _ in range(life.rng.choice([1, 1, 1, 2])):
                trouble = life.next()
                done.append(trouble)
                life.troubles()[trouble]()
                time.sleep(life.rng.choice([0.05, 0.5, 2]))
                if life.rng.random() < 0.5:
                    names.append(life.change())
            life.heal()
            names.append(life.change())
            bound = time.monotonic() + BOUND
            while not is_live(bridge) or not all(addresses(responder.ask(n)) and not ede(responder.ask(n)) for n in names):
                assert bridge.process.poll() is None, bridge.log()[-3000:]
                assert time.monotonic() < bound, f"seed {seed}, after {done[-3:]}: {bridge.ask('status')[0]['sources']}\n{bridge.log()[-3000:]}"
                time.sleep(0.05)
            if len(done) > 10:
                first = first or (fds(bridge), bridge.rss_kib())
                assert fds(bridge) <= first[0] + 4 and (bridge.has_asan() or bridge.rss_kib() < 2 * first[1]), done[-3:]
        assert set(done) == set(life.troubles())
