# SPDX-License-Identifier: Apache-2.0
"""Broken and hostile DNS queries, and the look at what comes back. For zones of mkzone's `many N`."""
import random
import select
import socket
import struct
import time

import dns.message
import dns.rdatatype
import dns.reversename

from server import LOOPBACK, addresses, question
from zone import address


def seeds():
    """Whole queries of all kinds to begin with."""
    packets = []
    for n in range(1, 40):
        for name in f"a{n}.w{n}.me.coder", f"w{n}.me.coder", f"A{n}.W{n}.ME.CODER", f"b{n}.coder", "coder", "example.com":
            packets.append(question(name, random.choice(("AAAA", "A", "ANY", "HTTPS", "TXT", "SOA")),
                                    edns=random.random() < 0.7, want_dnssec=random.random() < 0.2).to_wire())
    packets += [question(dns.reversename.from_address(address(n)), "PTR").to_wire() for n in range(1, 40)]
    packets += [question(f"_holdfast{x}.coder", "TXT").to_wire() for x in ("", "-counters")]
    return [bytearray(p) for p in packets]


def mutate(packet, others):
    p = bytearray(packet)
    for _ in range(random.choice((0, 1, 1, 1, 2, 3, 8))):
        kind = random.randrange(8)
        at = random.randrange(len(p)) if p else 0
        if not p:
            break
        if kind == 0:
            p[at] ^= 1 << random.randrange(8)
        elif kind == 1:
            p[at] = random.choice((0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff))
        elif kind == 2:
            del p[at:]
        elif kind == 3:
            p[at:at] = random.randbytes(random.randrange(1, 40))
        elif kind == 4:
            p[at:at + random.randrange(1, 8)] = b""
        elif kind == 5 and len(p) >= 12:
            p[2 + random.randrange(10)] = random.randrange(256)
        elif kind == 6:
            other = random.choice(others)
            p[at:] = other[random.randrange(len(other)):]
        else:
            p[at:] = struct.pack("!H", 0xc000 | random.randrange(64)) + p[at:]
    return p


def check_reply(reply):
    """A reply is one, and what addresses it tells are those of its question."""
    assert len(reply) >= 12 and reply[2] & 0x80
    if reply[6:8] == b"\0\0":
        return 0
    m = dns.message.from_wire(reply)
    name = m.question[0].name.to_text().lower()
    if m.question[0].rdtype in (dns.rdatatype.AAAA, dns.rdatatype.ANY) and addresses(m):
        n = int(name.split(".")[0][1:])
        assert name == f"a{n}.w{n}.me.coder." and addresses(m) == [address(n)], m
        return 1
    return 0


def drain(s, wait, pending, check):
    right = 0
    while select.select([s], [], [], wait)[0]:
        try:
            reply = s.recv(65535)
        except ConnectionRefusedError as e:
            raise AssertionError("nobody listens any more") from e
        assert reply[:2] in pending
        right += check(reply)
    return right


def settle(s, pending, before, check):
    """Until the server, which may be thousands behind, has taken all that was sent: it answers what was sent after it. That
    is `pending` as well then."""
    used = pending | before
    mark = random.choice([i for i in (bytes([n >> 8, n & 255]) for n in range(65536)) if i not in used])
    good = mark + question("a1.w1.me.coder", "AAAA").to_wire()[2:]
    end, seen, right = time.monotonic() + 30, [], 0
    pending.add(mark)

    def check_or_mark(reply):
        seen.extend([1] if reply[:2] == mark else [])
        return check(reply)

    while not seen:
        assert time.monotonic() < end, "it answers no more"
        s.send(good)
        right += drain(s, 0.03, pending | before, check_or_mark)
    return right


def fuzz_udp(port, count, check=check_reply):
    """Sends so many, checks every reply, and returns how many told a right address."""
    packets = seeds()
    right = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        s.connect((LOOPBACK, port))
        pending, before = set(), set()
        for round_ in range(count // 100):
            for _ in range(100):
                p = mutate(random.choice(packets), packets)
                pending.add(bytes(p[:2]))
                s.send(p)
            right += drain(s, 0, pending | before, check)
            if round_ % 20 == 19:
                right += settle(s, pending, before, check)
                pending, before = set(), pending
        settle(s, pending, before, check)
    return right
