# SPDX-License-Identifier: Apache-2.0
"""A name server for all names that are not ours: what a resolver under test forwards to, and a list of what it was asked."""
import socket
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from server import LOOPBACK, free_port


class Foreign:
    """Answers A of every name with ADDRESS, all else with NODATA; by UDP."""

    ADDRESS = "192.0.2.7"

    def __init__(self, host=LOOPBACK, port=None):
        self.host, self.port = host, port or free_port()
        self.asked = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.host, self.port))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def answer(self, query):
        q = query.question[0]
        self.asked.append(q.name.to_text().lower())
        m = dns.message.make_response(query, recursion_available=True)
        if q.rdtype == dns.rdatatype.A:
            m.answer.append(dns.rrset.from_text(q.name, 60, "IN", "A", self.ADDRESS))
        else:
            m.authority.append(dns.rrset.from_text(".", 60, "IN", "SOA", "a. b. 1 60 60 60 60"))
        return m

    def serve(self):
        while True:
            packet, peer = self.socket.recvfrom(4096)
            if packet == b"end":
                return
            try:
                self.socket.sendto(self.answer(dns.message.from_wire(packet)).to_wire(), peer)
            except dns.exception.DNSException:
                continue

    def __enter__(self):
        return self

    def __exit__(self, *what):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"end", (self.host, self.port))
        self.thread.join(5)
        self.socket.close()
