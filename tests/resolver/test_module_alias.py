# SPDX-License-Identifier: Apache-2.0
"""
Other people's aliases into our names. unbound follows a CNAME itself, past all modules, and stores what it is told under our name: so the
printed lines send it to holdfast-dns, and the module puts right what comes by without them.
"""
import time

import dns.flags
import dns.rcode
import dns.rdatatype
import pytest

from module import Unbound, need_module
from server import Responder, addresses, ede, wait_for
from upstream import Upstream
from zone import Zone, address

NAMES = 1000
MODULES = {"before the validator": "dynlib validator iterator", "behind it": "validator dynlib iterator",
           "without one": "dynlib iterator"}


def world(name, rdtype):
    """nI.alias.example is an alias of aI.wI.me.coder, cI.alias.example one of that, and so on; under coder nobody knows anything."""
    label, _, rest = name.partition(".")
    kind, number = label[0], label[1:]
    if rest == "alias.example." and rdtype != "SOA":
        return {"n": [f"{name} 60 IN CNAME a{number}.w{number}.me.coder."],
                "c": [f"{name} 60 IN CNAME n{number}.alias.example."],
                "x": [f"{name} 60 IN CNAME nobody{number}.coder."],
                "e": [f"{name} 60 IN CNAME w{number}.me.coder."],
                "z": [f"{name} 60 IN CNAME coder."],
                # One that claims more than it may.
                "f": [f"{name} 60 IN CNAME a{number}.w{number}.me.coder.", f"a{number}.w{number}.me.coder. 60 IN AAAA 2001:db8::bad"],
                "g": [f"{name} 60 IN CNAME nobody{number}.coder.", f"nobody{number}.coder. 60 IN CNAME a{number}.w{number}.me.coder."],
                "o": [f"{name} 60 IN AAAA 2001:db8::1"] if rdtype == "AAAA" else [],
                }.get(kind)
    if name.endswith("dname.example."):
        if name == "dname.example.":
            return [f"{name} 60 IN DNAME me.coder."] if rdtype == "DNAME" else []
        return ["dname.example. 60 IN DNAME me.coder.", f"{name} 60 IN CNAME {name[:-len('dname.example.')]}me.coder."]
    if name in ("example.", "alias.example."):
        return []
    return None


@pytest.fixture(scope="module")
def zone(tmp_path_factory):
    need_module()
    with Zone(tmp_path_factory.mktemp("zone") / "zone", f"many {NAMES}") as z:
        yield z


@pytest.fixture(scope="module")
def beside(zone, tmp_path_factory):
    with Responder(tmp_path_factory.mktemp("dns"), zone.folder) as r:
        yield r


@pytest.fixture
def upstream():
    with Upstream(world) as u:
        yield u


@pytest.fixture(params=["as printed", "module alone", "module alone, minimising"])
def setup(request):
    return request.param


def make(setup, modules, zone, beside, upstream, folder):
    more = "" if "minimising" in setup else "  qname-minimisation: no\n"
    return Unbound(folder, zone.folder, dns=beside.port, upstream=upstream.port, threads=2, more=more, modules=modules,
                   forward=setup == "as printed")


@pytest.fixture(params=MODULES)
def unbound(request, setup, zone, beside, upstream, tmp_path):
    with make(setup, MODULES[request.param], zone, beside, upstream, tmp_path) as u:
        yield u


def leaks(upstream):
    return [q for q in upstream.asked if q[0] == "coder." or q[0].endswith(".coder.")]


def assert_ours(unbound, n):
    m = unbound.ask(f"a{n}.w{n}.me.coder")
    assert addresses(m) == [address(n)] and m.flags & dns.flags.AA, m


def test_an_alias_gets_our_answer_and_leaves_nothing_behind(unbound, upstream, setup):
    for kind, n in ("n", 1), ("c", 2), ("n", 1), ("f", 3), ("c", 4), ("n", 4):
        m = unbound.ask(f"{kind}{n}.alias.example")
        assert m.rcode() == dns.rcode.NOERROR and addresses(m) == [address(n)], m
        assert len(m.answer) == (3 if kind == "c" else 2) and not m.flags & dns.flags.AD
        assert_ours(unbound, n)
    m = unbound.ask("n5.alias.example", "A")
    assert m.rcode() == dns.rcode.NOERROR and len(m.answer) == 1
    assert [r.rdtype for r in m.authority] == [dns.rdatatype.SOA]
    m = unbound.ask("x6.alias.example")
    assert m.rcode() == dns.rcode.NXDOMAIN and len(m.answer) == 1
    m = unbound.ask("e7.alias.example")
    assert m.rcode() == dns.rcode.NOERROR and len(m.answer) == 1
    assert addresses(unbound.ask("a8.w8.dname.example")) == [address(8)]
    m = unbound.ask("z9.alias.example")
    assert m.rcode() == dns.rcode.NOERROR and m.authority[0].name.to_text() == "coder."
    for n in range(1, 10):
        assert_ours(unbound, n)
    assert unbound.ask("coder", "SOA").answer and unbound.ask("me.coder", "A").rcode() == dns.rcode.NOERROR
    assert unbound.ask("coder", "A").rcode() == dns.rcode.NOERROR
    if setup == "as printed":
        assert leaks(upstream) == []
    assert ".coder." not in "".join(line for line in unbound.control("dump_cache").splitlines(True) if line.startswith("msg "))


def test_other_aliases_are_left_alone(unbound):
    assert addresses(unbound.ask("o1.alias.example")) == ["2001:db8::1"]
    m = unbound.ask("n1.alias.example", "CNAME")
    assert [r.target.to_text() for r in m.answer[0]] == ["a1.w1.me.coder."]


def test_after_1000_foreign_aliases_no_name_of_ours_answers_otherwise(unbound, upstream, setup):
    for n in range(1, NAMES + 1):
        kind = "nfcg"[n % 4]
        m = unbound.ask(f"{kind}{n}.alias.example")
        if kind != "g":
            assert addresses(m) == [address(n)], m
        if n % 50 == 0:
            unbound.ask(f"x{n}.alias.example"), unbound.ask(f"e{n}.alias.example", "A")
    for n in range(1, NAMES + 1):
        assert_ours(unbound, n)
        if n % 10 == 0:
            assert unbound.ask(f"w{n}.me.coder", "A").rcode() == dns.rcode.NOERROR
            assert unbound.ask(f"nobody{n}.coder").rcode() == dns.rcode.NXDOMAIN
    if setup == "as printed":
        assert leaks(upstream) == []


def test_an_alias_is_answered_while_upstream_is_silent(setup, zone, beside, upstream, tmp_path):
    """
    Once known, it leads to our names for as long as its own TTL lasts. (By the module alone only where there is no validator, or where
    the alias has been validated: what the cache has then is not known to be good.)
    """
    modules = MODULES["before the validator"] if setup == "as printed" else MODULES["without one"]
    with make(setup, modules, zone, beside, upstream, tmp_path) as unbound:
        assert addresses(unbound.ask("c11.alias.example")) == [address(11)]
        upstream.silent = True
        asked = len(upstream.asked)
        for _ in range(3):
            m = unbound.ask("c11.alias.example")
            assert addresses(m) == [address(11)] and len(m.answer) == 3
            assert unbound.ask("n11.alias.example", "A").rcode() == dns.rcode.NOERROR
        assert len(upstream.asked) == asked


def test_a_change_shows_through_an_alias(unbound, zone):
    assert addresses(unbound.ask("n12.alias.example")) == [address(12)]
    zone.publish("a12.w12.me.coder #7777")
    try:
        wait_for(lambda: addresses(unbound.ask("n12.alias.example")) == [address(7777)], 1)
        assert addresses(unbound.ask("a12.w12.me.coder")) == [address(7777)]
    finally:
        zone.publish("a12.w12.me.coder #12")
    time.sleep(0.05)


def test_stale_shows_through_an_alias(unbound, zone):
    zone.do("stale")
    try:
        wait_for(lambda: ede(unbound.ask("n13.alias.example")) == [3], 5)
        wait_for(lambda: ede(unbound.ask("x13.alias.example")) == [19], 5)
    finally:
        zone.do("live")
        wait_for(lambda: not ede(unbound.ask("a13.w13.me.coder")), 5)
