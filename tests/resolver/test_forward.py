# SPDX-License-Identifier: Apache-2.0
"""
Stock resolvers that forward the suffix and the reverse zone to holdfast-dns, by the lines that `holdfastctl setup` prints. What they
pass on is what holdfast-dns answers; what they themselves cannot do is said in the test.
"""
import socket
import time

import dns.flags
import dns.rcode
import dns.rdatatype
import dns.reversename
import pytest

from server import Responder, addresses, question, wait_for
from foreign import Foreign
from stock import FORWARDERS, dnsmasq_version
from zone import Zone, address

NAME = "main.dev.me.coder"


@pytest.fixture(scope="module")
def zone(tmp_path_factory):
    with Zone(tmp_path_factory.mktemp("zone") / "zone", f"{NAME} #1", "ttl 2", "two.dev.me.coder #4,#5", "many 1000 100",
              "hundred.dev.me.coder " + ",".join(f"#{n}" for n in range(10000, 10100))) as z:
        yield z


@pytest.fixture(scope="module")
def target(zone, tmp_path_factory):
    with Responder(tmp_path_factory.mktemp("dns"), zone.folder) as r:
        yield r


@pytest.fixture(params=FORWARDERS)
def kind(request):
    return request.param


@pytest.fixture(scope="module", params=FORWARDERS)
def resolver(request, target, tmp_path_factory):
    with FORWARDERS[request.param](tmp_path_factory.mktemp(request.param), target.port) as r:
        r.kind = request.param
        yield r


def test_addresses(resolver):
    for _ in range(3):
        m = resolver.ask(NAME)
        assert m.rcode() == dns.rcode.NOERROR and addresses(m) == [address(1)]
        assert 0 <= m.answer[0].ttl <= 2
    assert addresses(resolver.ask("two.dev.me.coder")) == sorted([address(4), address(5)])


def test_a_thousand_names(resolver):
    for n in range(100, 1100):
        assert addresses(resolver.ask(f"a{n}.w{n}.me.coder")) == [address(n)]


def test_the_case_of_the_question_comes_back(resolver):
    m = resolver.ask("MaIn.DeV.mE.cOdEr")
    assert addresses(m) == [address(1)] and m.question[0].name.to_text() == "MaIn.DeV.mE.cOdEr."


@pytest.mark.parametrize("rdtype", ["A", "HTTPS", "SVCB", "TXT", "MX"])
def test_other_types_are_nodata(resolver, rdtype):
    m = resolver.ask(NAME, rdtype)
    assert m.rcode() == dns.rcode.NOERROR and not m.answer


def test_unknown_names_are_nxdomain(resolver):
    for name in "nobody.dev.me.coder", "nobody.coder", f"x.{NAME}":
        m = resolver.ask(name)
        assert m.rcode() == dns.rcode.NXDOMAIN and not m.answer
        assert [r.rdtype for r in m.authority] == [dns.rdatatype.SOA] and m.authority[0].ttl <= 2


def test_empty_non_terminals_are_nodata(resolver):
    m = resolver.ask("dev.me.coder")
    assert m.rcode() == dns.rcode.NOERROR and not m.answer


def test_ptr(resolver):
    m = resolver.ask(dns.reversename.from_address(address(1)), "PTR")
    assert [r.target.to_text() for r in m.answer[0]] == [f"{NAME}."]
    m = resolver.ask(dns.reversename.from_address(address(0xabcdef)), "PTR")
    assert m.rcode() == dns.rcode.NXDOMAIN and not m.answer


def test_100_addresses_come_by_tcp(resolver):
    m = resolver.ask("hundred.dev.me.coder")
    assert m.flags & dns.flags.TC
    m = resolver.ask("hundred.dev.me.coder", tcp=True)
    assert not m.flags & dns.flags.TC and len(addresses(m)) == 100


def test_never_servfail_and_never_ad(resolver):
    """But ANY, which Knot Resolver itself answers with SERVFAIL."""
    for name, rdtype in (NAME, "AAAA"), (NAME, "DS"), ("coder", "DNSKEY"), ("coder", "NS"), ("coder", "SOA"), (NAME, "ANY"):
        if (resolver.kind, rdtype) == ("kresd", "ANY"):
            continue
        m = resolver.ask(name, rdtype, want_dnssec=True)
        assert m.rcode() == dns.rcode.NOERROR and not m.flags & dns.flags.AD, (name, rdtype)


def test_a_change_is_there_when_the_ttl_is_over(resolver, zone):
    name = f"changing.{resolver.kind}.me.coder"
    zone.publish(f"{name} #71")
    wait_for(lambda: addresses(resolver.ask(name)) == [address(71)], 4)
    zone.publish(f"{name} #72")
    wait_for(lambda: addresses(resolver.ask(name)) == [address(72)], 4, every=0.1)
    zone.publish(f"- {name}")
    wait_for(lambda: resolver.ask(name).rcode() == dns.rcode.NXDOMAIN, 4, every=0.1)


def test_stale_names_are_passed_on(resolver, zone):
    zone.do("stale")
    try:
        time.sleep(2.5)
        for n in range(100, 150):
            assert addresses(resolver.ask(f"a{n}.w{n}.me.coder")) == [address(n)]
        assert resolver.ask("nobody.dev.me.coder").rcode() == dns.rcode.NXDOMAIN
    finally:
        zone.do("live")


@pytest.fixture(scope="module", params=FORWARDERS)
def guarded(request, target, tmp_path_factory):
    """One that validates and keeps private addresses out of answers; all other names are forwarded to `upstream`."""
    # dnsmasq 2.92 asks the parent of our zone, if it has a server for it, for a proof that there is no such delegation. The root has
    # one; the upstream of this test has not. From 2.93 on our lines say that there is no need.
    alone = request.param == "dnsmasq" and dnsmasq_version() == (2, 92)
    with Foreign() as upstream, FORWARDERS[request.param](tmp_path_factory.mktemp(request.param), target.port,
                                                          upstream=0 if alone else upstream.port, guarded=True) as r:
        r.kind, r.upstream = request.param, upstream
        yield r


def test_a_resolver_that_validates_and_guards_takes_our_names_as_they_are(guarded):
    for name, rdtype in (NAME, "AAAA"), (NAME, "A"), (NAME, "DS"), ("coder", "DNSKEY"), \
            (dns.reversename.from_address(address(1)), "PTR"):
        if guarded.kind == "dnsmasq" and rdtype in ("DS", "DNSKEY"):  # those it validates all the same
            continue
        m = guarded.ask(name, rdtype, want_dnssec=True)
        assert m.rcode() == dns.rcode.NOERROR and not m.flags & dns.flags.AD, (name, rdtype)
        assert len(m.answer) == (rdtype in ("AAAA", "PTR")), m
    assert addresses(guarded.ask(NAME)) == [address(1)]
    assert guarded.ask("nobody.coder", want_dnssec=True).rcode() == dns.rcode.NXDOMAIN
    assert guarded.ask(dns.reversename.from_address(address(0xabcdef)), "PTR").rcode() == dns.rcode.NXDOMAIN


def test_nothing_of_ours_goes_upstream_and_all_else_does(target, tmp_path, kind):
    with Foreign() as upstream, FORWARDERS[kind](tmp_path, target.port, upstream=upstream.port) as r:
        for name, rdtype in (NAME, "AAAA"), (NAME, "A"), ("nobody.coder", "AAAA"), ("coder", "SOA"), \
                (dns.reversename.from_address(address(1)), "PTR"), (dns.reversename.from_address(address(0xabcdef)), "PTR"):
            r.ask(name, rdtype)
        m = r.ask("www.example.net", "A")
        assert [x.address for x in m.answer[0]] == [Foreign.ADDRESS]
        assert any(n == "www.example.net." for n in upstream.asked)
        ours = [n for n in upstream.asked if n.endswith((".coder.", "b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa.")) or n == "coder."]
        assert not ours


def test_the_rest_of_the_private_reverse_zone_stays_where_it_was(target, tmp_path, kind):
    """What a resolver answers by itself for others' private addresses without our lines, it answers with them."""
    if kind not in ("unbound", "named"):
        pytest.skip(f"{kind} forwards these, or does by the rule for all names that this test gives it")
    with Foreign() as upstream, FORWARDERS[kind](tmp_path, target.port, upstream=upstream.port) as r:
        assert r.ask(dns.reversename.from_address("fd00::1"), "PTR").rcode() == dns.rcode.NXDOMAIN
        assert not [n for n in upstream.asked if n.endswith("d.f.ip6.arpa.")]


def test_two_suffixes(tmp_path, kind):
    with Zone(tmp_path / "zone", "source main coder", "source lab dev.example.net", "main.dev.me.coder #1",
              "main.lab.me.dev.example.net #2 source=1") as z, \
            Responder(tmp_path, z.folder) as t, FORWARDERS[kind](tmp_path, t.port, suffixes=("coder", "dev.example.net")) as r:
        assert addresses(r.ask("main.dev.me.coder")) == [address(1)]
        assert addresses(r.ask("main.lab.me.dev.example.net")) == [address(2)]


def test_our_names_are_answered_while_the_rest_of_the_world_is_dead(target, tmp_path):
    """unbound, with 3,000 questions from one client waiting for a server that never answers: wait-limit and num-queries-per-thread."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        dead.bind(("127.0.0.1", 0))
        with FORWARDERS["unbound"](tmp_path, target.port, upstream=dead.getsockname()[1]) as r:
            for n in range(3000):
                client.sendto(question(f"n{n}.example.net").to_wire(), ("127.0.0.1", r.port))
                if n % 100 == 99:
                    time.sleep(0.02)
            for n in range(200, 400):
                assert addresses(r.ask(f"a{n}.w{n}.me.coder", timeout=1)) == [address(n)]
