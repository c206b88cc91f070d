# SPDX-License-Identifier: Apache-2.0
"""
What hostile local users can do to holdfast-dns: idle connections, storms of them, descriptors and threads used up. Names keep
answering, a client waits for at most a second, the CPU does not spin, the log does not fill, and all is well again afterwards.
"""
import contextlib
import os
import random
import resource
import socket
import subprocess
import threading
import time

import pytest

from server import LOOPBACK, Responder, addresses, wait_for
from zone import Zone, address

NAME = "main.dev.me.coder"
SECONDS = 4


@pytest.fixture
def zone(tmp_path):
    with Zone(tmp_path / "zone", f"{NAME} #1", "many 1000") as z:
        yield z


def connect(stack, r, n):
    """A connection of client number n, each with an address of its own."""
    return stack.enter_context(socket.create_connection((LOOPBACK, r.port), 3, source_address=(f"127.1.{n >> 8}.{n & 255}", 0)))


def answers_within_a_second(r, again):
    for tcp in False, True:
        began, answer = time.monotonic(), None
        while not answer:
            try:
                answer = r.ask(NAME, tcp=tcp, timeout=1)
            except (OSError, EOFError):
                assert again and tcp
        assert addresses(answer) == [address(1)]
        assert time.monotonic() - began < 1


def watch(r, seconds=SECONDS, cpu=0.25, again=False):
    """For these seconds each question is answered in time; then what they cost is judged."""
    lines, before, began = r.log().count("\n"), r.cpu_s(), time.monotonic()
    asked = 0
    while time.monotonic() - began < seconds:
        answers_within_a_second(r, again)
        asked += 1
        time.sleep(0.05)
    assert asked > seconds * 4
    assert r.log().count("\n") - lines <= 100
    assert len(os.listdir(f"/proc/{r.process.pid}/task")) <= 8
    if cpu:
        assert r.cpu_s() - before < seconds * cpu


def limit(r, what, value):
    subprocess.run(["prlimit", f"--pid={r.process.pid}", f"--{what}={value}:"], check=True)


@pytest.fixture(autouse=True)
def many_descriptors():
    """For this side of the connections."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("sent", [b"", b"\0", b"\0\x1e" + b"x" * 29], ids=["nothing", "half-a-length", "half-a-question"])
def test_idle_connections_of_many_clients_keep_nobody_out(zone, tmp_path, sent):
    with Responder(tmp_path, zone.folder, "tcp-idle: 10m") as r, contextlib.ExitStack() as stack:
        for n in range(2000):
            s = connect(stack, r, n)
            if sent:
                with contextlib.suppress(OSError):
                    s.send(sent)
        watch(r)


def test_idle_connections_of_one_client_harm_that_client_alone(zone, tmp_path):
    with Responder(tmp_path, zone.folder, "tcp-idle: 10m") as r, contextlib.ExitStack() as stack:
        other = connect(stack, r, 1)
        for _ in range(1500):
            connect(stack, r, 7)
        watch(r)
        other.settimeout(0.1)
        with pytest.raises(TimeoutError): # it is still there
            other.recv(1)


class Storm:
    """Threads that call something as fast as they can."""

    def __init__(self, what, n=2):
        self.over = False
        self.times = 0
        self.threads = [threading.Thread(target=self.run, args=(what,)) for _ in range(n)]

    def run(self, what):
        while not self.over:
            with contextlib.suppress(OSError):
                what()
            self.times += 1

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *what):
        self.over = True
        for t in self.threads:
            t.join()


@pytest.mark.parametrize("nofile", [None, 24])
def test_a_storm_of_connections_keeps_nobody_out(zone, tmp_path, nofile):
    """With room for 14 connections alone a client may lose its own before it has asked, and asks again."""
    with Responder(tmp_path, zone.folder) as r:
        if nofile:
            limit(r, "nofile", nofile)
        kept = []

        def storm():
            from_ = f"127.{random.randrange(2, 255)}.{random.randrange(256)}.1"
            kept.append(socket.create_connection((LOOPBACK, r.port), 1, source_address=(from_, 0)))
            if len(kept) > 200:
                kept.pop(0).close()

        with Storm(storm) as s:
            watch(r, cpu=None, again=bool(nofile))
        assert s.times > 500
        for c in kept:
            c.close()
        before = r.cpu_s()
        time.sleep(1)
        assert r.cpu_s() - before < 0.1


def test_those_who_may_not_ask_keep_nobody_out(zone, tmp_path):
    with Responder(tmp_path, zone.folder, "allow: [127.0.0.1]") as r:
        with Storm(lambda: socket.create_connection((LOOPBACK, r.port), 1, source_address=("127.0.0.2", 0)).close()):
            watch(r, cpu=None)


@pytest.mark.parametrize("nofile", [6, 12])
def test_changes_of_the_zone_are_seen_once_there_are_descriptors_again(zone, tmp_path, nofile):
    with Responder(tmp_path, zone.folder) as r:
        assert addresses(r.ask(NAME)) == [address(1)]
        limit(r, "nofile", nofile)
        zone.publish(f"{NAME} #2")
        zone.publish(*(f"main.n{n}.me.coder #{n}" for n in range(1, 2500)))
        lines, before = r.log().count("\n"), r.cpu_s()
        for _ in range(30):
            assert addresses(r.ask(NAME)) in ([address(1)], [address(2)])
            time.sleep(0.1)
        assert r.log().count("\n") - lines <= 10 and r.cpu_s() - before < 0.75
        limit(r, "nofile", 200)
        wait_for(lambda: addresses(r.ask(NAME)) == [address(2)])
        wait_for(lambda: addresses(r.ask("main.n2000.me.coder")) == [address(2000)])


def test_changes_of_the_zone_are_seen_without_more_threads(zone, tmp_path):
    with Responder(tmp_path, zone.folder) as r:
        assert addresses(r.ask(NAME)) == [address(1)]
        limit(r, "nproc", 1)
        zone.publish(*(f"main.n{n}.me.coder #{n}" for n in range(1, 2500)))
        wait_for(lambda: addresses(r.ask("main.n2000.me.coder")) == [address(2000)])


def test_a_reload_without_descriptors_changes_nothing(zone, tmp_path):
    with Responder(tmp_path, zone.folder) as r:
        limit(r, "nofile", 6)
        r.write_config("allow: 127.0.0.9")
        r.process.send_signal(1)
        wait_for(lambda: "reload rejected" in r.log(), 3)
        assert addresses(r.ask(NAME)) == [address(1)]
        limit(r, "nofile", 200)
        r.process.send_signal(1)
        wait_for(lambda: not addresses(r.ask(NAME)), 3)
