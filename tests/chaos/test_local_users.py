# SPDX-License-Identifier: Apache-2.0
"""
Hostile users of the same machine (row 47 of the faults): idle connections to every listener, floods of listings, no
descriptor left. Names are not asked here; what they may cost is: /healthz and an order in time, processes, CPU, lines.
"""
import concurrent.futures
import contextlib
import os
import pathlib
import pwd
import grp
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
# pylint: disable=wrong-import-position
from bridge import Bridge
from peer import Simulator
from server import free_port, wait_for
from zone import program

WORLD = "suffix coder\nuser alice 1\nsnapshot alice 1..3000=dev:main\n"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")


class Stand:
    """A bridge that others may look at, in a folder that they can reach."""

    def __init__(self, tmp_path):
        self.folder = pathlib.Path("/run") / f"holdfast-test-{os.getpid()}"
        self.folder.mkdir(mode=0o755)
        self.port = free_port()
        self.server = Simulator(tmp_path, WORLD)
        self.bridge = Bridge(self.folder, self.server.url,
                             top=f"status: {{ listen: 127.0.0.1@{self.port} }}\nread-group: users\ncontrol-group: games\n")
        wait_for(lambda: self.healthz() and self.bridge.ask("status")[0]["names"] == 9000, 30, 0.1)

    def healthz(self):
        """Whether it answers, and that within a second."""
        begun = time.monotonic()
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as s:
                s.settimeout(1)
                s.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                said = s.recv(100)
        except OSError:
            return False
        return said.startswith(b"HTTP/1.1 200 ") and time.monotonic() - begun < 1

    def status(self):
        begun = time.monotonic()
        return self.bridge.ask("status")[0]["names"] == 9000 and time.monotonic() - begun < 1

    def control(self, request=b"", own=False):
        """A connection, of somebody who may only look, that sends this and reads nothing."""
        s = socket.socket(socket.AF_UNIX)
        if not own:
            os.setegid(grp.getgrnam("users").gr_gid)
            os.seteuid(pwd.getpwnam("nobody").pw_uid)
        try:
            s.connect(str(self.folder / "control.sock"))
        finally:
            os.seteuid(0)
            os.setegid(0)
        with contextlib.suppress(OSError):
            s.sendall(request)
        return s

    def processes(self):
        """All of this bridge's program: their pids."""
        found = []
        for p in pathlib.Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                if int(p.name) and str(self.bridge.config) in (p / "cmdline").read_text() and "holdfastd" in os.readlink(p / "exe"):
                    found.append(int(p.name))
        return found

    @contextlib.contextmanager
    def cheap(self, share):
        """What is done within takes no more than this share of one processor, of the bridge and its processes."""
        before, begun = self.cpu(), time.monotonic()
        lines = len(self.bridge.log().splitlines())
        yield
        seconds = time.monotonic() - begun
        used = (self.cpu() - before) / seconds
        assert used <= share, f"{used:.2f} of a processor"
        assert len(self.bridge.log().splitlines()) - lines <= 100 * max(1, seconds / 4), self.bridge.log()[-2000:]

    def cpu(self):
        """Of the bridge, and of its processes that have ended."""
        fields = pathlib.Path(f"/proc/{self.bridge.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(int(f) for f in fields[11:15]) / os.sysconf("SC_CLK_TCK")

    def end(self):
        self.bridge.stop()
        self.server.stop()
        shutil.rmtree(self.folder)


@pytest.fixture
def stand(tmp_path):
    s = Stand(tmp_path)
    yield s
    s.end()


def test_idle_connections_keep_nobody_away(stand):
    with contextlib.ExitStack() as crowd, stand.cheap(0.25):
        for _ in range(3):
            for _ in range(40):
                crowd.enter_context(socket.create_connection(("127.0.0.1", stand.port), 1))
                crowd.enter_context(stand.control())
            assert stand.healthz() and stand.status()
        time.sleep(1)
        assert stand.healthz() and stand.status()


def test_a_flood_of_listings_is_a_few_processes(stand):
    with contextlib.ExitStack() as crowd, stand.cheap(0.25):
        for n in range(100):
            crowd.enter_context(stand.control(b'{"command":"records"}\n', own=n % 10 == 9))
            if n % 10 == 0:
                assert stand.healthz() and stand.status() and len(stand.processes()) <= 8
        for _ in range(20):
            time.sleep(0.1)
            assert stand.healthz() and stand.status() and len(stand.processes()) <= 8


def test_who_may_only_look_gets_a_share_of_the_processor(stand):
    """Listings that are read at once, one after the other, with a pattern that takes time and finds nothing."""
    request = b'{"command":"records","name":"' + b"*e" * 100 + b'x"}\n'
    end, done = time.monotonic() + 6, 0
    with stand.cheap(0.35):
        while time.monotonic() < end:
            with stand.control(request) as s:
                s.settimeout(20)
                assert s.recv(1000)
            done += 1
            assert stand.healthz() and stand.status()
    assert done > 1


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_listings_end_with_the_bridge(stand, how):
    with contextlib.ExitStack() as crowd:
        for _ in range(4):
            crowd.enter_context(stand.control(b'{"command":"records"}\n', own=True))
        wait_for(lambda: len(stand.processes()) == 5, 5)
        stand.bridge.process.send_signal(how)
        stand.bridge.process.wait(10)
        wait_for(lambda: not stand.processes(), 2)


def test_listings_that_must_wait_are_written_in_turn(stand):
    def lines(_):
        return subprocess.run([program("bridge/holdfastctl"), "-c", stand.bridge.config, "records"], capture_output=True,
                              timeout=30, check=False).stdout.count(b"\n")
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        assert list(pool.map(lines, range(24))) == [9000] * 24


def test_without_descriptors_it_does_not_spin_and_answers(stand):
    pid = stand.bridge.process.pid
    free = max(int(p.name) for p in pathlib.Path(f"/proc/{pid}/fd").iterdir()) + 1
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    crowd = []
    try:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, before[1]))
        with stand.cheap(0.05):
            crowd += [socket.create_connection(("127.0.0.1", stand.port), 1), stand.control()]
            time.sleep(4)
        # A few are left; then a crowd has them all.
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (free + 3, before[1]))
        with stand.cheap(0.05):
            for _ in range(40):
                crowd += [socket.create_connection(("127.0.0.1", stand.port), 1), stand.control()]
            time.sleep(4)
            assert wait_for(stand.healthz, 1, 0.1) and wait_for(stand.status, 2, 0.1)
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    for s in crowd:
        s.close()
    wait_for(lambda: stand.healthz() and stand.status(), 2)
    assert "cannot accept connections" in stand.bridge.log()
