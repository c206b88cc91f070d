# SPDX-License-Identifier: Apache-2.0
"""
The module inside a real unbound, configured by the very lines that are printed for it, before and behind the validator: the rules of
DNS that its answers keep, and that it answers as holdfast-dns does. How it lives is in test_module_life.py.
"""
import random
import time

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.reversename
import pytest

from module import Unbound, need_module
from server import Responder, addresses, ede, question, wait_for
from stock import REVERSE
from upstream import Upstream
from zone import Zone, address

NAME = "main.dev.me.coder"
ANCHOR = '  trust-anchor: ". DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"\n'
ORDERS = {"before the validator": "dynlib validator iterator", "behind it": "validator dynlib iterator"}
NAMES = [f"{NAME} #1", "main.dev.anna.coder #1 second", "dev.coder #1 second", "held.dev.me.coder #2 held",
         "gone.dev.me.coder #3 withdrawn", "two.dev.me.coder #4,#5",
         "hundred.dev.me.coder " + ",".join(f"#{n}" for n in range(1000, 1100)), "many 1000 2000"]


def reverse_of(n):
    return dns.reversename.from_address(address(n)).to_text()


def make(folder, zone, target, modules, upstream=None, more=""):
    """With a trust anchor of the root, so that the validator works, and four threads."""
    return Unbound(folder, zone.folder, dns=target.port, upstream=upstream and upstream.port, threads=4, modules=modules,
                   more=ANCHOR + "  rrset-roundrobin: no\n" + more)


@pytest.fixture(scope="module")
def zone(tmp_path_factory):
    need_module()
    with Zone(tmp_path_factory.mktemp("zone") / "zone", *NAMES) as z:
        yield z


@pytest.fixture(scope="module")
def target(zone, tmp_path_factory):
    with Responder(tmp_path_factory.mktemp("dns"), zone.folder) as r:
        yield r


@pytest.fixture(scope="module", params=ORDERS)
def unbound(request, zone, target, tmp_path_factory):
    with Upstream(lambda *_: None) as up, make(tmp_path_factory.mktemp("u"), zone, target, ORDERS[request.param], up) as u:
        u.upstream = up
        yield u


@pytest.fixture(scope="module", params=ORDERS)
def stale(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stale")
    with Zone(folder / "zone", *NAMES, "stale") as z, Responder(folder, z.folder) as d, \
            make(folder, z, d, ORDERS[request.param]) as u:
        u.beside = d
        yield u


def soa_of(m):
    """The one SOA of a negative answer."""
    assert not m.answer and len(m.authority) == 1 and len(m.authority[0]) == 1, m
    assert m.authority[0].rdtype == dns.rdatatype.SOA and 1 <= m.authority[0].ttl <= 30
    return m.authority[0]


def assert_nodata(m):
    assert m.rcode() == dns.rcode.NOERROR
    return soa_of(m)


def assert_nxdomain(m):
    assert m.rcode() == dns.rcode.NXDOMAIN
    return soa_of(m)


# --- names, addresses and the negatives ---

def test_addresses(unbound):
    for name in NAME, "main.dev.anna.coder", "dev.coder":
        m = unbound.ask(name)
        assert addresses(m) == [address(1)] and m.answer[0].ttl == 30 and not m.authority
    assert addresses(unbound.ask("two.dev.me.coder")) == [address(4), address(5)]


@pytest.mark.parametrize("rdtype", ["A", "HTTPS", "SVCB", "MX", "TXT", "SRV", "CNAME", "DS", "DNSKEY", "NS", "SOA", "PTR", "RRSIG",
                                    "TYPE65280"])
def test_other_types_of_a_known_name_are_nodata(unbound, rdtype):
    assert_nodata(unbound.ask(NAME, rdtype))
    assert_nodata(unbound.ask(NAME, rdtype, want_dnssec=True))


@pytest.mark.parametrize("rdtype", ["DS", "DNSKEY", "NS"])
def test_the_apex_has_no_keys_and_no_servers(unbound, rdtype):
    assert_nodata(unbound.ask("coder", rdtype, want_dnssec=True))
    if rdtype != "DS":  # that is for the zone above to answer, unbound's own d.f.ip6.arpa
        assert_nodata(unbound.ask(REVERSE, rdtype, want_dnssec=True))


@pytest.mark.parametrize("rdtype", ["AAAA", "A", "HTTPS", "ANY", "DS"])
def test_unknown_names_and_those_below_a_name_are_nxdomain(unbound, rdtype):
    for name in "nobody.dev.me.coder", "nobody.coder", f"x.{NAME}":
        assert assert_nxdomain(unbound.ask(name, rdtype)).name.to_text() == "coder."


@pytest.mark.parametrize("name", ["me.coder", "dev.me.coder", "anna.coder", "dev.anna.coder"])
@pytest.mark.parametrize("rdtype", ["AAAA", "A", "ANY", "NS"])
def test_an_empty_non_terminal_is_nodata(unbound, name, rdtype):
    assert_nodata(unbound.ask(name, rdtype))


@pytest.mark.parametrize("name", ["*.me.coder", "*.coder", "x.me.coder", "*.dev.me.coder"])
def test_there_is_no_wildcard(unbound, name):
    assert_nxdomain(unbound.ask(name))


def test_a_withdrawn_name_is_not_answered(unbound):
    assert_nxdomain(unbound.ask("gone.dev.me.coder"))
    assert_nxdomain(unbound.ask(reverse_of(3), "PTR"))


def test_any_is_answered_with_one_rrset(unbound):
    assert [r.rdtype for r in unbound.ask(NAME, "ANY").answer] == [dns.rdatatype.AAAA]
    assert [r.rdtype for r in unbound.ask("coder", "ANY").answer] == [dns.rdatatype.SOA]


def test_bytes_outside_the_host_name_set_match_nothing(unbound):
    for name in r"ma\000n.dev.me.coder", r"main\.dev.me.coder", r"\255.me.coder", r"main.dev\000me.coder":
        assert_nxdomain(unbound.ask(dns.name.from_text(name)))


@pytest.mark.parametrize("rdclass", ["CH", "HS", "ANY", "CLASS4711"])
def test_another_class_is_never_answered_from_the_zone(unbound, rdclass):
    reply = unbound.raw(question(NAME, rdclass=rdclass).to_wire(), timeout=0.3)
    assert reply is None or not dns.message.from_wire(reply).answer


# --- SOA ---

def test_soa_at_the_apex(unbound, zone):
    soa = unbound.ask("coder", "SOA").answer[0]
    assert 1 <= soa.ttl <= 30 and soa[0].minimum <= 30 and soa[0].serial == zone.generation & 0xffffffff
    assert soa[0].expire >= 2419200 and soa[0].refresh == 60 and soa[0].retry == 60


def test_the_serial_rises_with_each_change(unbound, zone):
    for _ in range(3):
        before = unbound.ask("coder", "SOA").answer[0][0].serial
        zone.publish("extra.dev.me.coder #77")
        time.sleep(0.05)
        assert unbound.ask("coder", "SOA").answer[0][0].serial == zone.generation > before


def test_a_change_is_answered_within_50_ms(unbound, zone):
    """By each of its threads, nothing of it being cached."""
    for n in range(200, 210):
        zone.publish(f"changing.dev.me.coder #{n}")
        time.sleep(0.05)
        for _ in range(8):
            assert addresses(unbound.ask("changing.dev.me.coder")) == [address(n)]
        zone.publish("- changing.dev.me.coder")
        time.sleep(0.05)
        for _ in range(8):
            assert_nxdomain(unbound.ask("changing.dev.me.coder"))
    assert "coder." not in unbound.control("dump_cache")


# --- reverse ---

def test_each_address_has_one_ptr_to_its_first_name(unbound):
    m = unbound.ask(reverse_of(1), "PTR")
    assert len(m.answer) == 1 and [r.target.to_text() for r in m.answer[0]] == [f"{NAME}."] and m.answer[0].ttl == 30
    for n in 4, 5:
        assert unbound.ask(reverse_of(n), "PTR").answer[0][0].target.to_text() == "two.dev.me.coder."


@pytest.mark.parametrize("name", [f"1.{REVERSE}", f"x.{REVERSE}", f"1.0.0.0.{REVERSE}", REVERSE, reverse_of(999999)])
def test_the_whole_reverse_zone_is_answered_with_its_own_soa(unbound, name):
    assert soa_of(unbound.ask(name, "PTR")).name.to_text() == f"{REVERSE}."
    assert_nodata(unbound.ask(reverse_of(1), "AAAA"))


@pytest.mark.parametrize("name", ["1.0.0.0.8.e.f.ip6.arpa", "1.d.f.ip6.arpa", "c.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa", "1.1.b.d.f.ip6.arpa"])
def test_the_other_private_reverse_zones_stay_unbounds_own(unbound, name):
    before = len(unbound.upstream.asked)
    m = unbound.ask(name, "PTR")
    assert m.rcode() == dns.rcode.NXDOMAIN and len(unbound.upstream.asked) == before


# --- flags ---

def test_aa_is_set_on_all_that_is_ours(unbound):
    for name, rdtype in (NAME, "AAAA"), (NAME, "A"), ("nobody.coder", "A"), ("coder", "SOA"), (reverse_of(1), "PTR"):
        assert unbound.ask(name, rdtype).flags & dns.flags.AA


@pytest.mark.parametrize("flags", [dns.flags.AD, dns.flags.CD, dns.flags.AD | dns.flags.CD, 0])
@pytest.mark.parametrize("do", [True, False])
def test_ad_is_never_set_and_cd_is_copied(unbound, flags, do):
    for name in NAME, "nobody.coder":
        query = question(name, want_dnssec=do)
        query.flags |= flags
        m = dns.message.from_wire(unbound.raw(query.to_wire()))
        assert not m.flags & dns.flags.AD and m.flags & dns.flags.CD == flags & dns.flags.CD
        assert bool(m.ednsflags & dns.flags.DO) == do and m.flags & dns.flags.RA


def test_without_rd_it_is_answered_by_the_printed_leave(unbound):
    query = question(NAME)
    query.flags = 0
    assert addresses(dns.message.from_wire(unbound.raw(query.to_wire()))) == [address(1)]


def test_the_question_comes_back_bit_for_bit_and_owners_have_its_case(unbound):
    random.seed(20)
    for _ in range(50):
        name = "".join(random.choice((c.upper(), c)) for c in NAME)
        packet = question(name, edns=False).to_wire()
        reply = unbound.raw(packet)
        assert reply[12:len(packet)] == packet[12:]
        m = dns.message.from_wire(reply)
        assert m.answer[0].name.to_text() == f"{name}." and addresses(m) == [address(1)]


# --- EDNS and size ---

def test_no_opt_unless_the_query_had_one(unbound, stale):
    for server in unbound, stale:
        for name in NAME, "nobody.coder":
            m = server.ask(name, edns=False)
            assert m.edns == -1 and not m.additional


def test_version_1_is_badvers_and_the_size_is_1232(unbound):
    packet = bytearray(question(NAME).to_wire())
    packet[-5] = 1
    assert dns.message.from_wire(unbound.raw(bytes(packet))).rcode() == dns.rcode.BADVERS
    assert unbound.ask(NAME, payload=4096).payload == 1232


@pytest.mark.parametrize("size,edns", [(512, False), (512, True), (700, True), (1232, True)])
def test_100_addresses_are_cut_to_what_the_client_takes(unbound, size, edns):
    reply = unbound.raw(question("hundred.dev.me.coder", edns=edns, **({"payload": size} if edns else {})).to_wire())
    m = dns.message.from_wire(reply, ignore_trailing=True, raise_on_truncation=False)
    assert m.flags & dns.flags.TC and len(reply) <= size
    assert len(addresses(unbound.ask("hundred.dev.me.coder", tcp=True))) == 100


# --- stale, held, not ready ---

def test_fresh_answers_have_no_extended_error(unbound):
    for name, rdtype in (NAME, "AAAA"), (NAME, "A"), ("nobody.coder", "A"), ("coder", "SOA"), (reverse_of(1), "PTR"):
        assert not ede(unbound.ask(name, rdtype))


def test_stale_answers_say_so_and_keep_their_ttl(stale):
    for name, rdtype in (NAME, "AAAA"), (reverse_of(1), "PTR"), (NAME, "A"), ("me.coder", "A"), ("coder", "SOA"), (NAME, "ANY"):
        m = stale.ask(name, rdtype)
        assert ede(m) == [3] and m.rcode() == dns.rcode.NOERROR, (name, rdtype)
        assert all(1 <= r.ttl <= 30 for r in m.answer + m.authority)
    m = stale.ask("nobody.coder")
    assert m.rcode() == dns.rcode.NXDOMAIN and ede(m) == [19]


def test_a_held_name_is_stale_while_the_others_are_fresh(unbound):
    m = unbound.ask("held.dev.me.coder")
    assert addresses(m) == [address(2)] and ede(m) == [3] and m.answer[0].ttl == 30


@pytest.mark.parametrize("policy,rcode", [("servfail", dns.rcode.SERVFAIL), ("nxdomain", dns.rcode.NXDOMAIN)])
def test_not_ready_is_what_the_zone_says_with_ede_14(tmp_path, policy, rcode):
    with Zone(tmp_path / "zone", "ready no", f"not-ready {policy}") as z, Responder(tmp_path, z.folder) as d, \
            Upstream(lambda *_: ["example.com. 60 IN A 192.0.2.1"]) as up, make(tmp_path, z, d, "dynlib iterator", up) as u:
        for name, rdtype in (NAME, "AAAA"), ("x.coder", "SOA"), (reverse_of(1), "PTR"):
            m = u.ask(name, rdtype)
            assert m.rcode() == rcode and ede(m) == [14] and not m.answer and m.edns == 0
            assert bool(m.authority) == (policy == "nxdomain")
            assert u.ask(name, rdtype, edns=False).rcode() == rcode
        assert u.ask("example.com", "A").answer and not ede(u.ask("example.com", "A"))
        z.publish("ready yes", f"{NAME} #1")
        wait_for(lambda: addresses(u.ask(NAME)) == [address(1)], 2)


@pytest.mark.parametrize("ttl", [1, 7, 30])
def test_ttl_is_what_the_zone_says(tmp_path, ttl):
    with Zone(tmp_path / "zone", f"ttl {ttl}", f"{NAME} #1") as z, \
            Unbound(tmp_path, z.folder, more="  cache-min-ttl: 60\n  cache-max-ttl: 3\n  serve-expired: yes\n  prefetch: yes\n") as u:
        for _ in range(3):
            assert u.ask(NAME).answer[0].ttl == ttl
            assert u.ask("nobody.coder").authority[0].ttl == ttl


# --- provenance and counters ---

def test_provenance_to_loopback(unbound):
    for name in f"_holdfast.{NAME}", "_holdfast.coder":
        assert unbound.ask(name, "TXT").answer[0].rdtype == dns.rdatatype.TXT


def test_counters_to_loopback(unbound):
    before = unbound.counters()
    assert before["name"] == "unbound"
    for name in NAME, "nobody.coder", "held.dev.me.coder", "example.com":
        unbound.ask(name, timeout=10)
    after = unbound.counters()
    rise = {k: int(after[k]) - int(before[k]) for k in after if k != "name"}
    assert rise == {"answers": 3, "negative": 1, "stale": 1, "refused": 0, "errors": 0}


def test_each_source_has_its_suffix(tmp_path):
    suffixes = "coder", "lab.example.org"
    with Zone(tmp_path / "zone", "source one coder", "source two lab.example.org", "a.w.me.coder #1 source=0",
              "a.w.me.lab.example.org #2 source=1 owner=1") as z, Responder(tmp_path, z.folder) as d, \
            Unbound(tmp_path, z.folder, dns=d.port, suffixes=suffixes) as u:
        assert addresses(u.ask("a.w.me.coder")) == [address(1)]
        assert addresses(u.ask("a.w.me.lab.example.org")) == [address(2)]
        assert soa_of(u.ask("x.lab.example.org")).name.to_text() == "lab.example.org."
        assert u.counters("lab.example.org")["name"] == "unbound"
        z.do("stale 1")
        wait_for(lambda: ede(u.ask("a.w.me.lab.example.org")) == [3], 3)
        assert not ede(u.ask("a.w.me.coder"))


# --- the same answers ---

def records(section):
    """A section as bytes, names written out."""
    return [(r.name.to_wire(), r.rdtype, r.ttl, [d.to_wire() for d in r]) for r in section]


def some_questions(count):
    random.seed(count)
    types = ["AAAA"] * 6 + ["A", "HTTPS", "ANY", "PTR", "TXT", "SOA", "DS", "NS"]
    for _ in range(count):
        n = random.randrange(1990, 3100)
        yield (random.choice((f"a{n}.w{n}.me.coder", f"w{n}.me.coder", f"b{n}.w{n}.me.coder", f"A{n}.W{n}.mE.Coder",
                              f"x.a{n}.w{n}.me.coder", reverse_of(n), reverse_of(n)[4:], "coder", "two.dev.me.coder",
                              "held.dev.me.coder", "gone.dev.me.coder", f"_holdfast.a{n}.w{n}.me.coder")), random.choice(types))


def test_it_answers_as_holdfast_dns_does(unbound, target):
    """Byte for byte in answer and authority, names being written out."""
    positive = 0
    for name, rdtype in some_questions(4000):
        a, b = unbound.ask(name, rdtype), target.ask(name, rdtype)
        if name.startswith("_holdfast") and b.answer:  # it has a time in it, that goes on
            assert len(a.answer[0][0].strings) == len(b.answer[0][0].strings)
            continue
        assert a.rcode() == b.rcode() and records(a.answer) == records(b.answer) and records(a.authority) == records(b.authority), \
            (name, rdtype, a.to_text(), b.to_text())
        assert ede(a) == ede(b)
        positive += bool(b.answer)
    assert positive > 600


def test_stale_it_answers_as_holdfast_dns_does(stale):
    for name, rdtype in some_questions(1000):
        if name.startswith("_holdfast"):
            continue
        a, b = stale.ask(name, rdtype), stale.beside.ask(name, rdtype)
        assert a.rcode() == b.rcode() and records(a.answer) == records(b.answer) and records(a.authority) == records(b.authority)
        assert ede(a) == ede(b) != []
