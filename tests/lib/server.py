# SPDX-License-Identifier: Apache-2.0
"""Programs that answer DNS, run by tests on loopback: holdfast-dns itself, and what is common to all of them."""
import contextlib
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rdatatype

from zone import program

LOOPBACK = "127.0.0.1"


def free_port(among=range(20000, 32000)):
    """A port that nobody has on 127.0.0.1 and ::1, by UDP and TCP."""
    for _ in range(200):
        port = random.choice(among)
        with contextlib.ExitStack() as stack:
            try:
                for family, host in (socket.AF_INET, LOOPBACK), (socket.AF_INET6, "::1"):
                    for kind in socket.SOCK_DGRAM, socket.SOCK_STREAM:
                        stack.enter_context(socket.socket(family, kind)).bind((host, port))
                return port
            except OSError:
                continue
    raise AssertionError("no free port")


def question(name, rdtype="AAAA", edns=True, **more):
    """A query, by default with EDNS as resolvers send it."""
    if edns:
        more.setdefault("use_edns", 0)
        more.setdefault("payload", 1232)
    return dns.message.make_query(name, rdtype, **more)


def ask_at(host, port, name, rdtype="AAAA", tcp=False, timeout=3, **more):
    """What that server answers."""
    how = dns.query.tcp if tcp else dns.query.udp
    return how(question(name, rdtype, **more), host, timeout=timeout, port=port)


def ede(message):
    """The codes of its extended errors."""
    return [o.code for o in message.options if o.otype == dns.edns.EDE]


def addresses(message):
    return sorted(r.address for rrset in message.answer for r in rrset if r.rdtype == dns.rdatatype.AAAA)


def wait_for(what, seconds=10, every=0.01):
    """Waits until what() gives something true, and returns it."""
    end = time.monotonic() + seconds
    while True:
        result = what()
        if result:
            return result
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(every)


class Server:
    """A running program that answers at 127.0.0.1@port."""

    def __init__(self, folder, command, port, env=None, **more):
        self.folder = pathlib.Path(folder)
        self.port = port
        self.log_path = self.folder / f"{pathlib.Path(str(command[0])).name}-{port}.log"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([str(c) for c in command], stdout=log, stderr=log,
                                            env={**os.environ, **(env or {})}, cwd=self.folder, **more)

    def ask(self, name, rdtype="AAAA", tcp=False, timeout=3, host=LOOPBACK, **more):
        return ask_at(host, self.port, name, rdtype, tcp, timeout, **more)

    def raw(self, packet, timeout=0.5, host=LOOPBACK):
        """The bytes that answer these bytes by UDP, or None."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            s.settimeout(timeout)
            s.connect((host, self.port))
            s.send(packet)
            try:
                return s.recv(65535)
            except (TimeoutError, ConnectionRefusedError):
                return None

    def connect(self, timeout=3, host=LOOPBACK):
        return socket.create_connection((host, self.port), timeout)

    def log(self):
        return self.log_path.read_text()

    def alive(self):
        return self.process.poll() is None

    def answers(self):
        with contextlib.suppress(OSError, dns.exception.DNSException):
            return self.ask("is.it.up.invalid", timeout=0.3)
        assert self.alive(), self.log()
        return None

    def cpu_s(self):
        """Seconds of CPU that all its threads have used."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self, how=signal.SIGTERM):
        """Ends it and returns its exit status."""
        if self.alive():
            self.process.send_signal(how)
        return self.process.wait(20)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


class Responder(Server):
    """
    holdfast-dns on a zone folder. `config` is YAML of its dns: map, `top` of the rest. At the end of a with block it must end by
    itself and well: a sanitizer that found something makes it end otherwise.
    """

    def __init__(self, folder, zone, config="", top="", port=None, listen=None, wait=True, **more):
        port = port or free_port()
        listen = listen or [f"{LOOPBACK}@{port}", f"::1@{port}"]
        self.config = pathlib.Path(folder) / f"holdfast-{port}.yaml"
        self.dns_keys = {"listen": "[" + ", ".join(f'"{at}"' for at in listen) + "]"}
        self.zone = zone
        self.write_config(config, top)
        notify = pathlib.Path(folder) / f"notify-{port}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(notify))
            ready.settimeout(20)
            env = {"NOTIFY_SOCKET": str(notify), **more.pop("env", {})}
            super().__init__(folder, [program("plugin/holdfast-dns"), "-c", self.config], port, env=env, **more)
            if wait:
                self.wait_ready(ready)
        notify.unlink()

    def wait_ready(self, ready):
        ready.settimeout(0.1)
        for _ in range(200):
            try:
                assert ready.recv(100) == b"READY=1"
                return
            except TimeoutError:
                assert self.alive(), self.log()
        raise AssertionError(self.log())

    def write_config(self, config="", top=""):
        keys = "".join(f"  {k}: {v}\n" for k, v in self.dns_keys.items())
        extra = "".join(f"  {line}\n" for line in config.splitlines())
        self.config.write_text(f"zone: {self.zone}\n{top}\ndns:\n{keys}{extra}")
        self.config.chmod(0o600)

    def __exit__(self, *what):
        ran = self.alive()
        super().__exit__(*what)
        assert not ran or self.process.returncode == 0, self.log()

    def counters(self, suffix="coder", host=LOOPBACK):
        """What TXT _holdfast-counters.SUFFIX tells, as a dict."""
        answer = self.ask(f"_holdfast-counters.{suffix}", "TXT", host=host).answer
        return dict(s.decode().split("=", 1) for s in answer[0][0].strings) if answer else None
