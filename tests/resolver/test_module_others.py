# SPDX-License-Identifier: Apache-2.0
"""What is not ours: names of other people get the same bytes with and without the module, and nothing that is sent to it harms unbound."""
import os
import random
import time

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest

from module import Unbound, need_module
from query_fuzz import check_reply, fuzz_udp
from server import Responder, addresses, question
from stock import authority
from zone import Zone, address

LONG = bool(os.environ.get("HF_LONG"))
OTHERS = 10_000 if LONG else 1000
UDP_QUERIES = 10_000_000 if LONG else 200_000
NAMES = 300


def world():
    """All kinds of records, for names that are near ours, too."""
    rng = random.Random(7)
    records = ["sub.example. IN NS ns.sub.example.", "ns.sub.example. IN A 127.0.0.1", "dname.example. IN DNAME target.example.",
               "*.wild.example. IN TXT \"anything\"", "coder.example. IN AAAA 2001:db8::c", "xcoder. IN AAAA 2001:db8::d",
               "_dns.resolver.arpa. IN SVCB 1 dns.example. alpn=dot", "big.example. IN TXT " + " ".join(['"' + "x" * 250 + '"'] * 12),
               "main.dev.me.codes. IN AAAA 2001:db8::e", "1.0.0.127.in-addr.arpa.example. IN PTR localhost."]
    for n in range(OTHERS):
        kind = rng.randrange(8)
        name = f"h{n}.d{n % 37}.example."
        records.append(f"{name} {rng.randrange(60, 9000)} IN " + (
            f"A 192.0.2.{n % 255}", f"AAAA 2001:db8::{n:x}", f"MX 10 h{n + 1}.d{(n + 1) % 37}.example.", f"TXT \"text {n}\"",
            f"CNAME h{n + 1}.d{(n + 1) % 37}.example.", f"SRV 1 2 {n % 65536} h{n}.example.", f"CAA 0 issue \"ca{n}.example\"",
            f"HTTPS 1 . port={n % 65536}")[kind])
        if kind < 2 and rng.random() < 0.3:
            records.append(f"{name} IN A 192.0.2.{(n + 1) % 255}")
    return records


def questions():
    rng = random.Random(9)
    types = ["ANY"] * 6 + ["A", "AAAA", "MX", "TXT", "CNAME", "SRV", "HTTPS", "ANY", "DS", "NS", "SOA", "CAA"]
    special = ["_dns.resolver.arpa", "coder.example", "xcoder", "x.sub.example", "a.b.dname.example", "q.wild.example", "big.example",
               "main.dev.me.codes", "com", ".", "arpa", "1.0.0.127.in-addr.arpa", "1.0.0.0.8.e.f.ip6.arpa", "localhost", "x.onion", "test",
               "home.arpa", "d.f.ip6.arpa", "1.1.d.f.ip6.arpa"]
    for i in range(OTHERS):
        name = rng.choice((f"h{i}.d{i % 37}.example", f"H{i}.D{i % 37}.eXample", f"nobody{i}.example", f"x.h{i}.d{i % 37}.example"))
        yield name if i >= len(special) * 3 else special[i % len(special)], rng.choice(types), rng


def packet(i, name, rdtype, rng):
    q = question(name, rdtype, edns=rng.random() < 0.8, id=i % 65536, want_dnssec=rng.random() < 0.3, payload=rng.choice((512, 1232, 4096)))
    q.flags |= rng.choice((0, 0, 0, dns.flags.AD, dns.flags.CD))
    return q.to_wire()


def without_ttl(reply):
    """All of it but TTLs, which go down while time passes between two resolvers; and their sum's worth."""
    m = dns.message.from_wire(reply, ignore_trailing=True)
    sections = [[(r.name.to_wire(), r.rdtype, [d.to_wire() for d in r]) for r in s] for s in (m.answer, m.authority, m.additional)]
    return int(m.flags), m.rcode(), m.edns, m.ednsflags, [o.to_wire() for o in m.options], m.question, sections


def ttls(reply):
    m = dns.message.from_wire(reply, ignore_trailing=True)
    return [r.ttl for s in (m.answer, m.authority, m.additional) for r in s]


@pytest.fixture(scope="module")
def zone(tmp_path_factory):
    need_module()
    with Zone(tmp_path_factory.mktemp("zone") / "zone", f"many {NAMES}") as z:
        yield z


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    with authority(tmp_path_factory.mktemp("named"), world()) as a:
        yield a


MORE = "  rrset-roundrobin: no\n  minimal-responses: no\n"
# What the printed lines change beside the module: who may ask without RD.
WITHOUT = 'server:\n  do-not-query-localhost: no\n  access-control: 127.0.0.0/8 allow_setrd\n'


def test_names_of_others_get_the_same_bytes(zone, others, tmp_path):
    """Each asked twice: of the world, and of the cache."""
    equal = same = answered = 0
    with Unbound(tmp_path, zone.folder, upstream=others.port, more=MORE) as u, \
            Unbound(tmp_path, None, upstream=others.port, more=MORE, lines=WITHOUT) as plain:
        for i, (name, rdtype, rng) in enumerate(questions()):
            p = packet(i, name, rdtype, rng)
            for _ in range(2):
                a, b = u.raw(p, timeout=10), plain.raw(p, timeout=10)
                assert a and b, (name, rdtype)
                equal += a == b
                if a != b:
                    assert without_ttl(a) == without_ttl(b), (name, rdtype)
                    assert all(abs(x - y) <= 3 for x, y in zip(ttls(a), ttls(b))), (name, rdtype, ttls(a), ttls(b))
                same += 1
                answered += a[6:8] != b"\0\0"
        assert addresses(u.ask("a1.w1.me.coder")) == [address(1)]
        assert u.counters()["answers"] == "1"
    assert same == 2 * OTHERS and equal > 0.95 * same and answered > 0.2 * same, (equal, same, answered)


def check_unbounds(reply):
    """What unbound does not understand it sends back as it came, with an error code."""
    return 0 if reply[3] & 15 in (dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.REFUSED) else check_reply(reply)


def test_fuzzed_queries(zone, others, tmp_path):
    seed = time.time_ns()
    print("seed", seed)
    random.seed(seed)
    with Responder(tmp_path, zone.folder) as d, Unbound(tmp_path, zone.folder, dns=d.port, upstream=others.port, threads=2,
                                                       more="  so-rcvbuf: 4m\n") as u:
        right = fuzz_udp(u.port, UDP_QUERIES, check_unbounds)
        came = sum(int(line.split("=")[1]) for line in u.control("stats_noreset").splitlines() if line.startswith("total.num.queries="))
        # The rest is no query at all: dropped, or sent back at once.
        assert came > 0.45 * UDP_QUERIES and right > UDP_QUERIES // 200, (came, right)
        for n in range(1, NAMES + 1):
            assert addresses(u.ask(f"a{n}.w{n}.me.coder")) == [address(n)]
        assert u.ask("h1.d1.example", "ANY").rcode() == dns.rcode.NOERROR
