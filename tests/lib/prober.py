# SPDX-License-Identifier: Apache-2.0
"""A steady questioner: asks one who answers DNS for names that must be there, and counts what is not as it should be."""
import socket
import struct
import threading
import time

import dns.message
import dns.name

AAAA, A, HTTPS = 28, 1, 65
TTL_MAX = 30


class Prober:
    """
    Asks 127.0.0.1@port in a thread of its own from the beginning of a with block to its end, which waits until it has asked
    `least` questions, and fails if anything was wrong. `names` is a dict of name and address; each 20th question is of another type or for a
    name that is not there.
    """

    def __init__(self, port, names, least=1000, pause=0.001):
        self.port, self.least, self.pause = port, least, pause
        self.questions = [self._question(n, AAAA) + (socket.inet_pton(socket.AF_INET6, a),) for n, a in names.items()]
        odd = list(names)[:50]
        self.odd = [self._question(n, t) + (None,) for n in odd for t in (A, HTTPS)]
        self.odd += [self._question("no." + n, AAAA) + ("NXDOMAIN",) for n in odd]
        self.asked = self.lost = self.stale = 0
        self.wrong = []
        self.stopping = threading.Event()
        self.busy = threading.Lock()
        self.thread = threading.Thread(target=self._run, daemon=True)

    @staticmethod
    def _question(name, rdtype):
        return name, rdtype, dns.message.make_query(name, rdtype, use_edns=0, payload=1232).to_wire()

    def _check(self, name, wire, answer, want):
        flags, _, n_answers = struct.unpack("!HHH", answer[2:8])
        rcode = flags & 15
        if want == "NXDOMAIN":
            return None if rcode == 3 else f"{name}: rcode {rcode} in place of NXDOMAIN"
        if rcode:
            return f"{name}: rcode {rcode}"
        if want is None:
            return None if not n_answers else f"{name}: {n_answers} records of a type that it has not"
        # The question is as long as ours, but for the eleven bytes of EDNS.
        at = len(wire) - 11
        record = answer[at + 2:at + 28]
        if n_answers != 1 or len(record) < 26:
            return f"{name}: {n_answers} answers"
        rdtype, _, ttl, rdlen = struct.unpack("!HHIH", record[:10])
        if rdtype != AAAA or rdlen != 16 or record[10:26] != want:
            return f"{name}: {record.hex()} is not its address"
        return None if 1 <= ttl <= TTL_MAX else f"{name}: TTL {ttl}"

    def _ask(self, s, name, wire, want):
        wire = struct.pack("!H", self.asked & 0xffff) + wire[2:]
        s.send(wire)
        end = time.monotonic() + 2
        while True:
            try:
                answer = s.recv(4096)
            except (TimeoutError, ConnectionRefusedError):
                self.lost += 1
                return
            if answer[:2] == wire[:2]:
                break
            if time.monotonic() > end:
                self.lost += 1
                return
        trouble = self._check(name, wire, answer, want)
        if trouble and len(self.wrong) < 20:
            self.wrong.append(trouble)

    def _run(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("127.0.0.1", self.port))
            s.settimeout(2)
            while not self.stopping.is_set():
                n = self.asked
                name, _, wire, want = self.odd[n // 20 % len(self.odd)] if n % 20 == 19 else self.questions[n % len(self.questions)]
                with self.busy:
                    self._ask(s, name, wire, want)
                self.asked += 1
                time.sleep(self.pause)

    def rests(self):
        """Within a block of it nothing is asked: while the one that is asked begins again."""
        return self.busy

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *what):
        end = time.monotonic() + 60
        while kind is None and self.asked < self.least and time.monotonic() < end:
            time.sleep(0.05)
        self.stopping.set()
        self.thread.join(10)
        if kind is None:
            assert not self.wrong and not self.lost, f"{self.asked} asked, {self.lost} lost, wrong: {self.wrong}"
            assert self.asked >= self.least
