# SPDX-License-Identifier: Apache-2.0
"""
What holdfast-dns answers: the rules of DNS that its answers keep, asked of the real program. How it lives (sockets, limits, signals,
rights) is in test_dns_server.py.
"""
import random
import struct
import time

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.reversename
import pytest

from server import Responder, addresses, ede, question, wait_for
from zone import Zone, address

REVERSE = "b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa."
NAME = "main.dev.me.coder"


def reverse_of(n):
    return dns.reversename.from_address(address(n)).to_text()


@pytest.fixture(scope="module")
def zone(tmp_path_factory):
    with Zone(tmp_path_factory.mktemp("zone") / "zone",
              f"{NAME} #1",
              "main.dev.anna.coder #1 second",
              "dev.coder #1 second",
              "held.dev.me.coder #2 held",
              "gone.dev.me.coder #3 withdrawn",
              "hundred.dev.me.coder " + ",".join(f"#{n}" for n in range(1000, 1100)),
              "two.dev.me.coder #4,#5") as z:
        yield z


@pytest.fixture(scope="module")
def dns_(zone, tmp_path_factory):
    with Responder(tmp_path_factory.mktemp("dns"), zone.folder) as r:
        yield r


@pytest.fixture(scope="module")
def stale(tmp_path_factory):
    """The same names, whose source is down."""
    folder = tmp_path_factory.mktemp("stale")
    with Zone(folder / "zone", f"{NAME} #1", "two.dev.me.coder #4,#5", "stale") as z, Responder(folder, z.folder) as r:
        yield r


@pytest.fixture(scope="module")
def not_ready(tmp_path_factory):
    """One zone of each policy, with a suffix and no names."""
    rs = []
    for policy in "servfail", "nxdomain":
        folder = tmp_path_factory.mktemp(policy)
        with Zone(folder / "zone", "ready no", f"not-ready {policy}") as z:
            rs.append(Responder(folder, z.folder))
    yield dict(zip(("servfail", "nxdomain"), rs))
    for r in rs:
        r.stop()


def soa_of(message):
    """The one SOA of a negative answer."""
    assert not message.answer
    assert len(message.authority) == 1 and len(message.authority[0]) == 1
    assert message.authority[0].rdtype == dns.rdatatype.SOA
    return message.authority[0]


def assert_nodata(message):
    assert message.rcode() == dns.rcode.NOERROR
    soa_of(message)


def assert_nxdomain(message):
    assert message.rcode() == dns.rcode.NXDOMAIN
    soa_of(message)


# --- names, addresses and the negatives ---

def test_aaaa_of_each_name_of_an_agent(dns_):
    for name in NAME, "main.dev.anna.coder", "dev.coder":
        m = dns_.ask(name)
        assert addresses(m) == [address(1)]
        assert m.answer[0].ttl == 30
        assert m.answer[0].name == dns.name.from_text(name)
        assert not m.authority


def test_all_addresses_of_a_name(dns_):
    assert addresses(dns_.ask("two.dev.me.coder")) == sorted([address(4), address(5)])


@pytest.mark.parametrize("rdtype", ["A", "HTTPS", "SVCB", "MX", "TXT", "SRV", "CNAME", "DS", "DNSKEY", "NS", "SOA", "PTR",
                                    "TYPE65280"])
def test_other_types_of_a_known_name_are_nodata(dns_, rdtype):
    assert_nodata(dns_.ask(NAME, rdtype))


@pytest.mark.parametrize("rdtype", ["AAAA", "A", "HTTPS", "ANY", "DS"])
def test_unknown_names_are_nxdomain(dns_, rdtype):
    assert_nxdomain(dns_.ask("nobody.dev.me.coder", rdtype))


def test_below_a_name_is_nxdomain(dns_):
    assert_nxdomain(dns_.ask(f"x.{NAME}"))


@pytest.mark.parametrize("name", ["me.coder", "dev.me.coder", "anna.coder", "dev.anna.coder"])
@pytest.mark.parametrize("rdtype", ["AAAA", "A", "ANY", "NS"])
def test_an_empty_non_terminal_is_nodata(dns_, name, rdtype):
    assert_nodata(dns_.ask(name, rdtype))


def test_a_withdrawn_name_is_not_answered(dns_):
    assert_nxdomain(dns_.ask("gone.dev.me.coder"))
    assert_nxdomain(dns_.ask(reverse_of(3), "PTR"))


@pytest.mark.parametrize("name", ["*.me.coder", "*.coder", "x.me.coder", "*.dev.me.coder"])
def test_there_is_no_wildcard(dns_, name):
    assert_nxdomain(dns_.ask(name))


def test_any_is_answered_with_one_rrset(dns_):
    m = dns_.ask(NAME, "ANY")
    assert [r.rdtype for r in m.answer] == [dns.rdatatype.AAAA]
    m = dns_.ask("coder", "ANY")
    assert [r.rdtype for r in m.answer] == [dns.rdatatype.SOA]


def test_bytes_outside_the_host_name_set_match_nothing(dns_):
    for name in r"ma\000n.dev.me.coder", r"main\.dev.me.coder", r"\255.me.coder", r"main.dev\000me.coder":
        assert_nxdomain(dns_.ask(dns.name.from_text(name)))


# --- SOA ---

def test_soa_at_the_apex(dns_, zone):
    soa = dns_.ask("coder", "SOA").answer[0]
    assert soa.name == dns.name.from_text("coder")
    assert 1 <= soa.ttl <= 30
    assert soa[0].serial == zone.generation & 0xffffffff
    assert soa[0].expire >= 2419200 and soa[0].refresh == 60 and soa[0].retry == 60
    assert soa[0].minimum <= 30


@pytest.mark.parametrize("name,rdtype", [("nobody.me.coder", "AAAA"), (NAME, "A"), ("me.coder", "AAAA"), ("coder", "NS"),
                                         (NAME, "ANY0"), ("nobody.coder", "ANY")])
def test_negative_answers_have_one_soa_of_30_s(dns_, name, rdtype):
    m = dns_.ask(name, "A" if rdtype == "ANY0" else rdtype)
    soa = soa_of(m)
    assert soa.name == dns.name.from_text("coder")
    assert 1 <= soa.ttl <= 30 and soa.ttl <= soa[0].minimum


def test_the_serial_rises_with_each_change(dns_, zone):
    before = dns_.ask("coder", "SOA").answer[0][0].serial
    for _ in range(3):
        zone.publish("extra.dev.me.coder #77")
        now = dns_.ask("coder", "SOA").answer[0][0].serial
        assert now >= before
        before = now
    time.sleep(0.05)
    assert dns_.ask("coder", "SOA").answer[0][0].serial == zone.generation


def test_a_change_is_answered_within_50_ms(dns_, zone):
    for n in range(200, 220):
        zone.publish(f"changing.dev.me.coder #{n}")
        time.sleep(0.05)
        assert addresses(dns_.ask("changing.dev.me.coder")) == [address(n)]
        zone.publish("- changing.dev.me.coder")
        time.sleep(0.05)
        assert_nxdomain(dns_.ask("changing.dev.me.coder"))


# --- reverse ---

def test_each_address_has_one_ptr_to_its_first_name(dns_):
    m = dns_.ask(reverse_of(1), "PTR")
    assert len(m.answer) == 1 and [r.target.to_text() for r in m.answer[0]] == [f"{NAME}."]
    assert m.answer[0].ttl == 30
    for n in 4, 5:
        assert dns_.ask(reverse_of(n), "PTR").answer[0][0].target.to_text() == "two.dev.me.coder."


@pytest.mark.parametrize("name", [f"1.{REVERSE}", f"x.{REVERSE}", f"1.0.0.0.{REVERSE}", REVERSE])
def test_the_reverse_zone_is_answered_with_its_own_soa(dns_, name):
    m = dns_.ask(name, "PTR")
    assert soa_of(m).name == dns.name.from_text(REVERSE)


def test_an_address_that_nobody_has_is_nxdomain_with_the_soa_of_the_reverse_zone(dns_):
    m = dns_.ask(reverse_of(999999), "PTR")
    assert_nxdomain(m)
    assert soa_of(m).name == dns.name.from_text(REVERSE)


def test_other_types_of_an_address_are_nodata(dns_):
    assert_nodata(dns_.ask(reverse_of(1), "AAAA"))


# --- what is not ours ---

@pytest.mark.parametrize("name", [".", "com", "example.com", "coder.example.com", "xcoder", "main.dev.me.codera", "arpa",
                                  "_dns.resolver.arpa", "d.f.ip6.arpa", "c.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa",
                                  "1.0.0.127.in-addr.arpa", "localhost"])
@pytest.mark.parametrize("rdtype", ["AAAA", "PTR", "SOA", "ANY"])
def test_names_outside_are_refused(dns_, name, rdtype):
    m = dns_.ask(name, rdtype)
    assert m.rcode() == dns.rcode.REFUSED
    assert not m.answer and not m.authority
    assert not m.flags & dns.flags.AA


@pytest.mark.parametrize("rdclass", ["CH", "HS", "ANY", "CLASS4711"])
def test_other_classes_are_refused(dns_, rdclass):
    for name in NAME, "version.bind":
        m = dns_.ask(name, "TXT", rdclass=rdclass)
        assert m.rcode() == dns.rcode.REFUSED and not m.answer


@pytest.mark.parametrize("rdtype", ["AXFR", "IXFR"])
def test_transfers_are_refused(dns_, rdtype):
    packet = question("coder", "SOA").to_wire().replace(b"\5coder\0\0\6", b"\5coder\0\0" + bytes([dns.rdatatype.from_text(rdtype)]))
    for reply in dns_.raw(packet), over_tcp(dns_, packet):
        assert reply[3] & 15 == dns.rcode.REFUSED and reply[6:8] == b"\0\0"


# --- header bits ---

def test_aa_is_set_on_all_that_is_ours(dns_):
    for name, rdtype in (NAME, "AAAA"), (NAME, "A"), ("nobody.coder", "A"), ("coder", "SOA"), (reverse_of(1), "PTR"):
        assert dns_.ask(name, rdtype).flags & dns.flags.AA


@pytest.mark.parametrize("flags", [dns.flags.AD, dns.flags.CD, dns.flags.AD | dns.flags.CD, 0])
@pytest.mark.parametrize("do", [True, False])
def test_ad_is_never_set_and_cd_is_copied(dns_, flags, do):
    for name in NAME, "nobody.coder", "example.com":
        query = question(name, want_dnssec=do)
        query.flags |= flags
        m = dns.message.from_wire(dns_.raw(query.to_wire()))
        assert not m.flags & dns.flags.AD
        assert m.flags & dns.flags.CD == flags & dns.flags.CD
        assert bool(m.ednsflags & dns.flags.DO) == do


@pytest.mark.parametrize("rd", [0, dns.flags.RD])
def test_local_names_are_answered_whether_recursion_is_asked_for_or_not(dns_, rd):
    query = question(NAME)
    query.flags = rd
    m = dns.message.from_wire(dns_.raw(query.to_wire()))
    assert addresses(m) == [address(1)]
    assert m.flags & dns.flags.RD == rd and not m.flags & dns.flags.RA


def test_the_question_comes_back_bit_for_bit_and_owners_have_its_case(dns_):
    random.seed(20)
    for _ in range(50):
        name = "".join(random.choice((c.upper(), c)) for c in NAME)
        packet = question(name, edns=False).to_wire()
        reply = dns_.raw(packet)
        assert reply[12:len(packet)] == packet[12:]
        m = dns.message.from_wire(reply)
        assert m.answer[0].name.to_text() == f"{name}."
        assert addresses(m) == [address(1)]
        negative = dns.message.from_wire(dns_.raw(question("x" + name, edns=False).to_wire()))
        assert soa_of(negative).name.to_text() == name.split(".")[-1] + "."


# --- EDNS ---

def test_no_opt_unless_the_query_had_one(dns_, stale):
    for server in dns_, stale:
        for name in NAME, "nobody.coder", "example.com":
            m = server.ask(name, edns=False)
            assert m.edns == -1 and not m.additional


def test_opt_says_version_0_and_1232(dns_):
    for size in 0, 512, 1232, 4096, 65535:
        m = dns_.ask(NAME, payload=size)
        assert m.edns == 0 and m.payload == 1232


def test_version_1_is_badvers(dns_):
    packet = bytearray(question(NAME).to_wire())
    packet[-5] = 1
    m = dns.message.from_wire(dns_.raw(bytes(packet)))
    assert m.rcode() == dns.rcode.BADVERS and m.edns == 0 and not m.answer


def test_unknown_options_are_ignored(dns_):
    options = [dns.edns.GenericOption(10, b"12345678"), dns.edns.GenericOption(65001, b"x" * 300),
               dns.edns.GenericOption(8, b"\0\1\x18\0\1\2\3")]
    m = dns_.ask(NAME, options=options)
    assert addresses(m) == [address(1)] and not m.options


def test_fresh_answers_have_no_extended_error(dns_):
    for name, rdtype in (NAME, "AAAA"), (NAME, "A"), ("nobody.coder", "A"), ("coder", "SOA"), (reverse_of(1), "PTR"):
        assert not ede(dns_.ask(name, rdtype))


def test_stale_answers_say_so_in_ede_and_keep_their_ttl(stale):
    for name, rdtype in (NAME, "AAAA"), (reverse_of(1), "PTR"), (NAME, "A"), ("me.coder", "A"), ("coder", "SOA"):
        m = stale.ask(name, rdtype)
        assert ede(m) == [dns.edns.EDECode.STALE_ANSWER], (name, rdtype)
        assert all(1 <= r.ttl <= 30 for r in m.answer + m.authority)
    m = stale.ask("nobody.coder")
    assert m.rcode() == dns.rcode.NXDOMAIN and ede(m) == [dns.edns.EDECode.STALE_NXDOMAIN_ANSWER]


def test_a_held_name_is_stale_while_the_others_are_fresh(dns_):
    m = dns_.ask("held.dev.me.coder")
    assert addresses(m) == [address(2)] and ede(m) == [3] and m.answer[0].ttl == 30
    assert not ede(dns_.ask(NAME))


def test_a_zone_that_is_not_ready_is_servfail_with_ede_14(not_ready):
    for name, rdtype in (NAME, "AAAA"), ("coder", "SOA"), ("me.coder", "A"), (reverse_of(1), "PTR"):
        m = not_ready["servfail"].ask(name, rdtype)
        assert m.rcode() == dns.rcode.SERVFAIL and ede(m) == [14] and not m.answer
    assert not_ready["servfail"].ask("example.com").rcode() == dns.rcode.REFUSED


def test_a_zone_that_is_not_ready_is_nxdomain_where_so_chosen(not_ready):
    m = not_ready["nxdomain"].ask(NAME)
    assert_nxdomain(m)
    assert ede(m) == [14]
    assert not ede(not_ready["nxdomain"].ask(NAME, edns=False))


@pytest.mark.parametrize("ttl", [1, 7, 30])
def test_ttl_is_what_the_zone_says(tmp_path, ttl):
    with Zone(tmp_path / "zone", f"ttl {ttl}", f"{NAME} #1") as z, Responder(tmp_path, z.folder) as r:
        assert r.ask(NAME).answer[0].ttl == ttl
        assert soa_of(r.ask("nobody.coder")).ttl <= ttl
        z.do("stale")
        wait_for(lambda: ede(r.ask(NAME)) == [3], 3)
        assert r.ask(NAME).answer[0].ttl == ttl


# --- size ---

@pytest.mark.parametrize("size,edns", [(512, False), (512, True), (700, True), (1232, True), (4096, True), (65535, True)])
def test_100_addresses_are_cut_to_what_the_client_takes(dns_, size, edns):
    packet = question("hundred.dev.me.coder", edns=edns, payload=size).to_wire() if edns else \
        question("hundred.dev.me.coder", edns=False).to_wire()
    reply = dns_.raw(packet)
    m = dns.message.from_wire(reply)
    assert m.flags & dns.flags.TC
    assert len(reply) <= min(size, 1232)
    assert set(addresses(m)) <= {address(n) for n in range(1000, 1100)}


def test_100_addresses_are_whole_by_tcp(dns_):
    m = dns_.ask("hundred.dev.me.coder", tcp=True)
    assert not m.flags & dns.flags.TC
    assert addresses(m) == sorted(address(n) for n in range(1000, 1100))


def test_no_answer_is_more_than_ten_times_the_query_but_for_one_rrset(dns_):
    for name, rdtype in (NAME, "ANY"), ("coder", "ANY"), ("nobody.coder", "A"), (reverse_of(1), "ANY"), ("example.com", "ANY"):
        packet = question(name, rdtype).to_wire()
        assert len(dns_.raw(packet)) <= 10 * len(packet)


# --- malformed ---

PLAIN = question(NAME, edns=False, id=0x1234).to_wire()
HEAD = PLAIN[:12]


def over_tcp(server, packet):
    with server.connect() as s:
        s.sendall(struct.pack("!H", len(packet)) + packet)
        head = s.recv(2, 0x100)
        return s.recv(struct.unpack("!H", head)[0], 0x100) if len(head) == 2 else None


@pytest.mark.parametrize("packet", [b"", b"\0", PLAIN[:5], PLAIN[:11], PLAIN[:2] + b"\x81" + PLAIN[3:], b"\xff" * 12,
                                    b"\xff" * 300], ids=["empty", "1", "5", "11", "an-answer", "ff-12", "ff-300"])
def test_what_cannot_be_answered_is_dropped(dns_, packet):
    assert dns_.raw(packet, timeout=0.2) is None
    assert addresses(dns_.ask(NAME)) == [address(1)]


FORMERR = {
    "header alone": HEAD,
    "no question": PLAIN[:4] + b"\0\0" + PLAIN[6:],
    "two questions": PLAIN[:4] + b"\0\2" + PLAIN[6:] + PLAIN[12:],
    "65535 questions": PLAIN[:4] + b"\xff\xff" + PLAIN[6:],
    "cut in the type": PLAIN[:-3],
    "cut in a label": PLAIN[:15],
    "pointer loop": HEAD + b"\xc0\x0c\0\x1c\0\1",
    "pointer behind a label": HEAD + b"\4main\xc0\x0c\0\x1c\0\1",
    "label type 01": HEAD + b"\x41" + PLAIN[13:],
    "name of 256": HEAD + b"\x3f" + b"a" * 63 + (b"\x3f" + b"a" * 63) * 3 + b"\1a\0\0\x1c\0\1",
    "no end of name": HEAD + b"\1a" * 200,
    "answer in a query": PLAIN[:6] + b"\0\1" + PLAIN[8:],
    "extra that is not there": PLAIN[:10] + b"\0\1" + PLAIN[12:],
    "rubbish behind": PLAIN + b"rubbish",
    "two OPT": PLAIN[:10] + b"\0\2" + PLAIN[12:] + b"\0\0\x29\4\xd0\0\0\0\0\0\0" * 2,
    "OPT not at the root": PLAIN[:10] + b"\0\1" + PLAIN[12:] + b"\1a\0\0\x29\4\xd0\0\0\0\0\0\0",
    "OPT longer than the packet": PLAIN[:10] + b"\0\1" + PLAIN[12:] + b"\0\0\x29\4\xd0\0\0\0\0\0\x09",
    "option longer than OPT": PLAIN[:10] + b"\0\1" + PLAIN[12:] + b"\0\0\x29\4\xd0\0\0\0\0\0\5\0\x0a\0\x08x",
    "type OPT": question(NAME, "OPT", edns=False).to_wire(),
    "type TKEY": question(NAME, "TKEY", edns=False).to_wire(),
    "type 0": PLAIN[:-4] + b"\0\0\0\1",
    "2,000 bytes": PLAIN + b"\0" * 2000,
}


@pytest.mark.parametrize("packet", FORMERR.values(), ids=FORMERR)
def test_what_is_malformed_is_formerr(dns_, packet):
    for reply in dns_.raw(packet), over_tcp(dns_, packet):
        assert reply[:2] == packet[:2]
        assert reply[2] & 0x80 and reply[3] & 15 == dns.rcode.FORMERR
        assert reply[6:10] == b"\0\0\0\0"
    assert addresses(dns_.ask(NAME)) == [address(1)]


@pytest.mark.parametrize("opcode", [1, 2, 4, 5, 6, 15])
def test_other_opcodes_are_not_implemented(dns_, opcode):
    reply = dns_.raw(PLAIN[:2] + bytes([opcode << 3 | 1]) + PLAIN[3:])
    assert reply[3] & 15 == dns.rcode.NOTIMP and reply[2] >> 3 & 15 == opcode


# --- provenance and counters ---

def test_provenance_of_name_and_zone_to_loopback(dns_):
    for name in f"_holdfast.{NAME}", "_holdfast.coder":
        assert dns_.ask(name, "TXT").answer[0].rdtype == dns.rdatatype.TXT


def test_counters_to_loopback(dns_):
    before = dns_.counters()
    assert before["name"] == "holdfast-dns"
    dns_.ask(NAME)
    dns_.ask("nobody.coder")
    dns_.ask("held.dev.me.coder")
    dns_.ask("example.com")
    dns_.raw(HEAD)
    after = dns_.counters()
    rise = {k: int(after[k]) - int(before[k]) for k in after if k != "name"}
    assert rise == {"answers": 3, "negative": 1, "stale": 1, "refused": 1, "errors": 1}


def test_counters_are_of_a_suffix_only(dns_):
    assert dns_.ask("_holdfast-counters.example.com", "TXT").rcode() == dns.rcode.REFUSED
    assert_nxdomain(dns_.ask("_holdfast-counters.me.coder", "TXT"))
    assert_nxdomain(dns_.ask("_holdfast-counters.coder", "A"))


# --- several suffixes ---

def test_each_source_has_its_suffix(tmp_path):
    with Zone(tmp_path / "zone", "source one coder", "source two lab.example.org", "a.w.me.coder #1 source=0",
              "a.w.me.lab.example.org #2 source=1 owner=1") as z, Responder(tmp_path, z.folder) as r:
        assert addresses(r.ask("a.w.me.coder")) == [address(1)]
        assert addresses(r.ask("a.w.me.lab.example.org")) == [address(2)]
        assert soa_of(r.ask("x.lab.example.org")).name == dns.name.from_text("lab.example.org")
        assert r.ask("example.org").rcode() == dns.rcode.REFUSED
        assert r.counters("lab.example.org")["name"] == "holdfast-dns"
        z.do("stale 1")
        wait_for(lambda: ede(r.ask("a.w.me.lab.example.org")) == [3], 3)
        assert not ede(r.ask("a.w.me.coder"))


# --- live against stale ---

def strip(reply):
    """A reply without what may differ: TTL and OPT."""
    m = dns.message.from_wire(reply)
    rrsets = [[(r.name.to_text(), r.rdtype, sorted(d.to_text() for d in r)) for r in section]
              for section in (m.answer, m.authority)]
    return m.rcode(), int(m.flags), m.question, rrsets


def test_live_and_stale_differ_in_ttl_and_ede_alone(tmp_path):
    """Byte for byte, but for TTL and the extended error."""
    random.seed(8)
    lines = ["many 500", "epoch " + "ab" * 16]
    types = ["AAAA"] * 6 + ["A", "HTTPS", "ANY", "PTR", "TXT", "SOA"]
    live_at, stale_at = tmp_path / "live", tmp_path / "stale"
    for at in live_at, stale_at:
        at.mkdir()
    with Zone(live_at / "zone", *lines) as live_zone, Zone(stale_at / "zone", *lines, "stale"), \
            Responder(live_at, live_zone.folder) as live, Responder(stale_at, stale_at / "zone") as stale_:
        known = 0
        for i in range(10000):
            n = random.randrange(1, 700)
            rdtype = random.choice(types)
            name = random.choice((f"a{n}.w{n}.me.coder", f"w{n}.me.coder", f"b{n}.w{n}.me.coder", reverse_of(n)))
            packet = question(name, rdtype, edns=i % 2 == 0, id=i).to_wire()
            a, b = live.raw(packet), stale_.raw(packet)
            assert strip(a) == strip(b), (name, rdtype)
            known += dns.message.from_wire(b).rcode() == dns.rcode.NOERROR
            if i % 2:
                assert len(a) == len(b)
            else:
                assert len(a) + 6 == len(b)  # the extended error
            assert a[12:len(packet) - 11 * (i % 2 == 0)] == b[12:len(packet) - 11 * (i % 2 == 0)]
        assert known > 3000
