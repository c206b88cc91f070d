# SPDX-License-Identifier: Apache-2.0
"""The rest of the world, as a resolver under test sees it: an authoritative server in a thread that remembers what it was asked."""
import socket
import threading

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from server import LOOPBACK, free_port

SOA = ". 60 IN SOA root.test. nobody.test. 1 3600 600 86400 60"


class Upstream:
    """
    answer(name, type): texts of the records that go into the answer section, or None for NXDOMAIN. Names are lower-case text with the
    final dot, types text. asked: all questions so far. silent: it reads, and says nothing.
    """

    def __init__(self, answer):
        self.answer = answer
        self.asked = []
        self.silent = False
        self.port = free_port()
        self.stopped = False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((LOOPBACK, self.port))
        self.socket.settimeout(0.2)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while not self.stopped:
            try:
                packet, peer = self.socket.recvfrom(4096)
            except TimeoutError:
                continue
            reply = self.reply(packet)
            if reply and not self.silent:
                self.socket.sendto(reply, peer)

    def reply(self, packet):
        try:
            query = dns.message.from_wire(packet)
        except dns.exception.DNSException:
            return None
        q = query.question[0]
        name, rdtype = q.name.to_text().lower(), dns.rdatatype.to_text(q.rdtype)
        self.asked.append((name, rdtype))
        m = dns.message.make_response(query)
        m.flags |= dns.flags.AA | dns.flags.RA
        records = self.answer(name, rdtype)
        for text in records or ():
            owner, ttl, _, kind, data = text.split(None, 4)
            rrset = m.find_rrset(m.answer, dns.name.from_text(owner), 1, dns.rdatatype.from_text(kind), create=True)
            rrset.update(dns.rrset.from_text(owner, int(ttl), "IN", kind, data))
        if not records:
            m.authority.append(dns.rrset.from_text(*SOA.split(None, 4)))
        if records is None:
            m.set_rcode(dns.rcode.NXDOMAIN)
        return m.to_wire()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.stopped = True
        self.thread.join(5)
        self.socket.close()
