# SPDX-License-Identifier: Apache-2.0
"""
Broken and hostile packets at the running holdfast-dns: it lives, every reply belongs to a query, and no name ever gets another's
address. HF_LONG=1 sends fifty times as many.
"""
import os
import random
import socket
import struct
import time

import pytest

from query_fuzz import check_reply, fuzz_udp, mutate, seeds
from server import Responder, addresses
from zone import Zone, address

TIMES = 50 if os.environ.get("HF_LONG") else 1
UDP_QUERIES = 200_000 * TIMES
TCP_CONNECTIONS = 1000 * TIMES
NAMES = 300


@pytest.fixture(scope="module")
def dns_(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    with Zone(folder / "zone", f"many {NAMES}") as z, Responder(folder, z.folder, "threads: 2\ntcp-idle: 200ms") as r:
        yield r


def test_fuzzed_queries_by_udp(dns_):
    seed = time.time_ns()
    print("seed", seed)
    random.seed(seed)
    right = fuzz_udp(dns_.port, UDP_QUERIES)
    assert dns_.alive(), dns_.log()
    assert right > UDP_QUERIES // 1000  # most are broken, and of no type that has an answer
    counted = dns_.counters()
    assert sum(int(counted[k]) for k in ("answers", "refused", "errors")) > 0.95 * UDP_QUERIES
    for n in range(1, NAMES + 1):
        assert addresses(dns_.ask(f"a{n}.w{n}.me.coder")) == [address(n)]


def test_fuzzed_streams_by_tcp(dns_):
    seed = time.time_ns()
    print("seed", seed)
    random.seed(seed)
    packets = seeds()
    for _ in range(TCP_CONNECTIONS):
        stream = bytearray()
        for _ in range(random.randrange(1, 30)):
            p = random.choice(packets) if random.random() < 0.5 else mutate(random.choice(packets), packets)
            stream += struct.pack("!H", len(p)) + p
        if random.random() < 0.5:
            stream = mutate(stream, packets)
        with dns_.connect() as s:
            try:
                s.sendall(stream)
                s.shutdown(socket.SHUT_WR)
                got = bytearray()
                while more := s.recv(65536):
                    got += more
            except ConnectionError:
                continue
        while len(got) >= 2:
            length = struct.unpack("!H", got[:2])[0]
            assert len(got) >= 2 + length
            check_reply(bytes(got[2:2 + length]))
            del got[:2 + length]
    assert dns_.alive(), dns_.log()
    assert addresses(dns_.ask("a1.w1.me.coder", tcp=True)) == [address(1)]
