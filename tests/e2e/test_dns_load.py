# SPDX-License-Identifier: Apache-2.0
"""
holdfast-dns under load while its zone changes under it: no answer is wrong, none is lost. The questions come from
tests/bench/flood.c, which knows each name's address.
"""
import os
import subprocess
import time

import pytest

from server import LOOPBACK, Responder, addresses
from zone import Zone, address, program

LONG = bool(os.environ.get("HF_LONG"))
NAMES = 300_000 if LONG else 60_000
SECONDS = 60 if LONG else 8


def flood(port, seconds, *options):
    return subprocess.Popen([program("tests/bench/flood"), *options, LOOPBACK, str(port), str(seconds), str(NAMES)],
                            stdout=subprocess.PIPE, text=True)


def result(process):
    words = process.communicate(timeout=SECONDS + 60)[0].split()
    return {k: float(v) for k, v in zip(words[::2], words[1::2])}


def assert_all_right(r, at_least):
    assert r["wrong"] == 0 and r["lost"] == 0, r
    assert r["answered"] >= at_least, r


@pytest.fixture(scope="module")
def zone(tmp_path_factory):
    with Zone(tmp_path_factory.mktemp("zone") / "zone", f"many {NAMES}") as z:
        yield z


@pytest.fixture
def dns_(zone, tmp_path):
    with Responder(tmp_path, zone.folder) as r:
        yield r


def test_the_first_question_of_all_is_answered(zone, tmp_path):
    for n in range(1, 6):
        with Responder(tmp_path, zone.folder) as r:
            assert addresses(r.ask(f"a{n}.w{n}.me.coder")) == [address(n)]


def test_nothing_is_lost_or_wrong_while_the_whole_zone_is_rewritten(zone, dns_):
    asking = flood(dns_.port, SECONDS, "-r", "2000")
    n = 0
    while asking.poll() is None:
        zone.publish("clear", f"many {NAMES}")
        n += 1
    assert_all_right(result(asking), SECONDS * 1500)
    assert n >= 2


def test_nothing_is_lost_or_wrong_while_single_names_change(zone, dns_):
    asking = flood(dns_.port, SECONDS, "-r", "2000")
    n = 0
    while asking.poll() is None:
        zone.publish(f"extra{n % 3000}.w.me.coder #{n + 1_000_000}")
        n += 1
    assert_all_right(result(asking), SECONDS * 1500)
    assert n > 100
    time.sleep(0.1)
    assert addresses(dns_.ask(f"extra{(n - 1) % 3000}.w.me.coder")) == [address(n - 1 + 1_000_000)]


def test_nothing_is_lost_or_wrong_while_the_publisher_is_killed_again_and_again(zone, dns_):
    asking = flood(dns_.port, SECONDS, "-r", "2000")
    n = 0
    while asking.poll() is None:
        zone.process.stdin.write("".join(f"k{n}.w.me.coder #{n + 1}\npublish\n" for _ in range(50)))
        time.sleep(0.02)
        zone.kill()
        zone.open()
        n += 1
    assert_all_right(result(asking), SECONDS * 1500)
    assert n > 10


def test_a_flood_of_unknown_names_takes_nothing_from_the_known_ones(dns_):
    bad = flood(dns_.port, SECONDS, "-x", "-w", "512")
    asking = flood(dns_.port, SECONDS - 1, "-r", "1000")
    assert_all_right(result(asking), (SECONDS - 1) * 750)
    # What is lost of the flood is lost by its own sender, which takes no more.
    r = result(bad)
    assert r["wrong"] == 0 and r["answered"] > SECONDS * 10000, r
