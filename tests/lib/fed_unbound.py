# SPDX-License-Identifier: Apache-2.0
"""A stock unbound that is fed by its control socket, and what stands beside it in tests."""
import os
import pathlib
import signal
import socket
import struct
import threading
import time

import dns.reversename

from server import Server, addresses, free_port, question, wait_for
from stock import need

CANARY = "_holdfast-canary"


class Unbound:
    """One that can be stopped and started again on the same port and control socket. `more` is configuration."""

    def __init__(self, folder, more="", server=""):
        self.folder, self.port = pathlib.Path(folder), free_port()
        self.control = self.folder / "unbound.ctl"
        self.config = self.folder / "unbound.conf"
        self.server = None
        self.configure(more, server)

    def configure(self, more="", server=""):
        self.config.write_text(f"""
server:
  directory: "{self.folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  interface: 127.0.0.1@{self.port}
  port: {self.port}
  num-threads: 1
  module-config: "iterator"
{server}
remote-control:
  control-enable: yes
  control-interface: {self.control}
  control-use-cert: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@9
{more}
""")

    def start(self):
        """While it was away, a question of another unbound may go out from its port for a moment: they take any."""
        end = time.monotonic() + 10
        while True:
            self.server = Server(self.folder, [need("unbound"), "-d", "-c", self.config], self.port)
            try:
                wait_for(lambda: self.alive() and self.control.exists() and
                         self.server.raw(question("localhost").to_wire(), timeout=0.3))
                return self
            except AssertionError:
                if "address already in use" not in self.server.log() or time.monotonic() > end:
                    raise
            time.sleep(0.3)

    def alive(self):
        assert self.server.alive(), self.server.log()
        return True

    def stop(self, how=signal.SIGTERM):
        if self.server and self.server.alive():
            self.server.process.send_signal(signal.SIGCONT)
            self.server.stop(how)

    def restart(self, how=signal.SIGTERM):
        self.stop(how)
        return self.start()

    def command(self, text, timeout=10):
        """What unbound says to a command line; lines after it are ended as they must be."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(timeout)
            s.connect(str(self.control))
            s.sendall(f"UBCT1 {text}\n".encode() + (b"\x04\n" if "\n" in text else b""))
            said = b""
            while part := s.recv(65536):
                said += part
        return said.decode()

    def data(self):
        """All local data, as lines."""
        return sorted(line for line in self.command("list_local_data").splitlines() if line)

    def zones(self):
        return dict(line.split() for line in self.command("list_local_zones").splitlines() if line)

    def addresses(self, name):
        return addresses(self.server.ask(name))

    def rcode(self, name, rdtype="AAAA"):
        return self.server.ask(name, rdtype).rcode()

    def ptr(self, address):
        return [r.target.to_text() for rrset in self.server.ask(dns.reversename.from_address(address), "PTR").answer
                for r in rrset]

    def removes_records(self):
        """Whether it can remove one record and leave the rest of its name: 1.26 can, and says so only by doing it."""
        for record in "192.0.2.1", "192.0.2.2":
            assert self.command(f"local_data two.removes.example 300 A {record}") == "ok\n"
        self.command("local_data_remove two.removes.example 300 IN A 192.0.2.1")
        left = len(self.server.ask("two.removes.example", "A").answer[0])
        for name in "two.removes.example", "removes.example":
            self.command(f"local_data_remove {name}")
            self.command(f"local_zone_remove {name}")
        assert left in (1, 2)
        return left == 1

    def canary(self, suffix="coder"):
        """"f" while it is filled, "w" when it is whole, "" when there is none."""
        answer = self.server.ask(f"{CANARY}.{suffix}", "TXT", flags=0).answer
        return answer[0][0].strings[0][:1].decode() if answer else ""

    def __enter__(self):
        return self.start()

    def __exit__(self, *what):
        self.stop()


class Prober:
    """
    Asks at a steady rate, each question at its planned time whether or not the one before it was answered, and reads answers in
    the order in which they come. `allowed(name)` says which addresses may be answered: a set of sets.
    """

    def __init__(self, port, names, rate=1000):
        self.port, self.names, self.rate = port, list(names), rate
        self.sent, self.took, self.answers = {}, [], []
        self.end = threading.Event()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.socket.settimeout(0.2)
        self.threads = [threading.Thread(target=t) for t in (self.send, self.receive)]
        self.lost = 0

    def send(self):
        packets = [question(name, edns=False).to_wire()[2:] for name in self.names]
        begin, n = time.monotonic(), 0
        while not self.end.is_set():
            due = begin + n / self.rate
            wait = due - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            self.sent[n & 0xffff] = (due, n % len(packets))
            self.socket.send(struct.pack("!H", n & 0xffff) + packets[n % len(packets)])
            n += 1
        self.asked = n

    def receive(self):
        while True:
            try:
                packet = self.socket.recv(4096)
            except (TimeoutError, ConnectionRefusedError):
                if self.end.is_set():
                    return
                continue
            due, i = self.sent.pop(struct.unpack("!H", packet[:2])[0])
            self.took.append(time.monotonic() - due)
            self.answers.append((i, packet[3] & 15, packet[-16:] if packet[7] else None))

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *what):
        self.end.set()
        for t in self.threads:
            t.join()
        self.socket.close()
        self.lost = self.asked - len(self.took)

    def ms(self, share):
        """The latency, in ms, under which that share of the answers came."""
        took = sorted(self.took)
        return 1000 * took[min(len(took) - 1, int(share * len(took)))]


class Between:
    """
    A control socket between the adapter and unbound's, which keeps all commands. `mode`: pass | hang (takes and says nothing) |
    close (takes nothing). Lines that have one of the words of `refused` in them are refused as unbound would.
    """

    def __init__(self, path, target):
        self.path, self.target, self.mode = pathlib.Path(path), str(target), "pass"
        self.commands, self.cut = [], 0
        self.refused = set()
        self.held = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(64)
        threading.Thread(target=self.serve, daemon=True).start()

    @staticmethod
    def is_whole(command):
        first = command.split(b"\n", 1)[0]
        if not command.endswith(b"\n"):
            return False
        return command.endswith(b"\x04\n") if first.split()[1] in (b"local_datas", b"local_datas_remove") else True

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            if self.mode == "hang":
                self.held.append(peer)
                continue
            if self.mode == "close":
                peer.close()
                continue
            self.one(peer)

    def one(self, peer):
        command = b""
        with peer:
            while not self.is_whole(command):
                part = peer.recv(65536)
                if not part:
                    self.cut += 1
                    return
                command += part
            self.commands.append(command)
            lines = command.split(b"\n")
            bad = [line for line in lines if any(word in line for word in self.refused)]
            try:
                peer.sendall(b"".join(b"error for input line: " + line + b"\n" for line in bad))
                if bad and command.count(b"\n") == 1:
                    return
                with socket.socket(socket.AF_UNIX) as s:
                    s.connect(self.target)
                    s.sendall(b"\n".join(line for line in lines if line not in bad))
                    while part := s.recv(65536):
                        peer.sendall(part)
            except OSError:
                pass

    def writes(self):
        """Without the question whether it removes single records, which changes nothing."""
        return [c for c in self.commands if b"local_" in c and b"list_local" not in c and b"-asks.invalid." not in c]

    def deafen(self):
        """Also who waits in accept() hears of it."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def close(self):
        self.listener.close()
        for peer in self.held:
            peer.close()
        os.unlink(self.path)
