# SPDX-License-Identifier: Apache-2.0
"""How holdfastd lives with a service manager, a monitor and its operator: readiness, status, reload, end."""
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from bridge import Bridge
from manager import Manager, get
from peer import Simulator
from server import free_port, wait_for
from zone import program

WORLD = "user alice 1\nuser bob 2\nsnapshot alice 1=dev:7=main\nsnapshot bob 5=web:20=main 6=ci:30=main\n"
SOURCE = "    owners: [me, bob]\n    fresh-window: 1s\n"

QUICK = ", ping-interval: 200ms, ping-timeout: 600ms"


@pytest.fixture
def manager(tmp_path):
    m = Manager(tmp_path)
    yield m
    m.socket.close()


@pytest.fixture
def sim(tmp_path):
    with Simulator(tmp_path, WORLD) as s:
        yield s


def test_health_is_green_whatever_upstream_does(tmp_path, sim):
    port = free_port()
    top = f"status: {{ listen: 127.0.0.1@{port} }}\n"
    sim.say("refuse 503")
    with Bridge(tmp_path, sim.url, SOURCE, timeouts=QUICK, top=top) as bridge:
        wait_for(lambda: get(port, "/healthz") == (200, "ok\n"))
        assert get(port, "/readyz") == (503, "waiting for the first snapshot\n")
        sim.say("refuse off")
        wait_for(lambda: get(port, "/readyz") == (200, "serving 5 names, live\n"))
        assert get(port, "/readyz?x", "HEAD") == (200, "")
        assert get(port, "/")[0] == 404 and get(port, "/healthz", "POST")[0] == 405
        sim.say("down")
        wait_for(lambda: re.fullmatch(r"serving 5 names, stale since 20\S+Z\n", get(port, "/readyz")[1]))
        assert get(port, "/readyz")[0] == 200 and get(port, "/healthz")[0] == 200
        bridge.stop()
    # A new process serves what the last one left before it hears anything.
    with Bridge(tmp_path, sim.url, SOURCE, timeouts=QUICK, top=top):
        wait_for(lambda: get(port, "/readyz")[0] == 200)


def test_health_listens_elsewhere_after_a_reload(tmp_path, sim):
    first, second = free_port(), free_port()
    with Bridge(tmp_path, sim.url, SOURCE, timeouts=QUICK, top=f"status: {{ listen: 127.0.0.1@{first} }}\n") as bridge:
        wait_for(lambda: get(first, "/healthz")[0] == 200)
        bridge.configure(sim.url, SOURCE, timeouts=QUICK, top=f"status: {{ listen: 127.0.0.1@{second} }}\n")
        bridge.reload()
        wait_for(lambda: get(second, "/healthz")[0] == 200)
        assert get(first, "/healthz")[0] is None
        bridge.configure(sim.url, SOURCE, timeouts=QUICK)
        bridge.reload()
        wait_for(lambda: get(second, "/healthz")[0] is None)


def talk(port, data):
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        answer = b""
        try:
            s.sendall(data)
            while piece := s.recv(65536):
                answer += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
        return answer


def test_hostile_monitors_harm_only_themselves(tmp_path, sim):
    port = free_port()
    with Bridge(tmp_path, sim.url, SOURCE, timeouts=QUICK, top=f"status: {{ listen: 127.0.0.1@{port} }}\n") as bridge:
        wait_for(lambda: get(port, "/readyz")[0] == 200)
        for data, status in ((b"\r\n\r\n", b"400"), (b"\0" * 100 + b"\n\n", b"400"), (b"GET / HTTP/3\r\n\r\n", b"400"),
                             (b"GET / HTTP/2.0\r\n\r\n", b"505"), (b"BREW /healthz HTTP/1.1\r\n\r\n", b"405"),
                             (b"GET / HTTP/1.1\r\nX: " + b"x" * 5000, b"431")):
            assert talk(port, data).startswith(b"HTTP/1.1 " + status), data[:20]
        talk(port, b"x" * 3000000)
        slow = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(60)]
        before = time.monotonic()
        slow[0].settimeout(10)
        slow[0].sendall(b"GET /")
        assert slow[0].recv(10) == b"" and time.monotonic() - before < 8  # its time is over
        for s in slow:
            s.close()
        wait_for(lambda: get(port, "/healthz")[0] == 200)
        assert bridge.process.poll() is None


def test_the_service_manager_hears_how_it_is(tmp_path, sim, manager):
    env = {"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "200000"}
    with Bridge(tmp_path, sim.url, SOURCE, timeouts=QUICK, env=env) as bridge:
        manager.wait("READY=1")
        manager.wait("STATUS=serving 5 names, live")
        assert 5 <= manager.count("WATCHDOG=1", 1) <= 12
        bridge.process.send_signal(signal.SIGSTOP)
        assert manager.count("WATCHDOG=1", 0.6) <= 1
        bridge.process.send_signal(signal.SIGCONT)
        sim.say("down")
        manager.wait("STATUS=serving 5 names, stale since 20")
        assert manager.count("WATCHDOG=1", 0.5) > 1  # upstream is no reason to be ended
        manager.heard.clear()
        bridge.reload()
        manager.wait("RELOADING=1\nMONOTONIC_USEC=")
        manager.wait("READY=1")
        began = time.monotonic()
        bridge.stop()
        assert time.monotonic() - began < 3
        manager.wait("STOPPING=1")


def test_a_watchdog_that_is_another_processs_gets_nothing(tmp_path, sim, manager):
    env = {"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "100000", "WATCHDOG_PID": str(os.getpid())}
    with Bridge(tmp_path, sim.url, SOURCE, timeouts=QUICK, env=env):
        manager.wait("READY=1")
        assert manager.count("WATCHDOG=1", 0.5) == 0


def check(bridge):
    done = subprocess.run([program("bridge/holdfastd"), "--check", "-c", bridge.config], capture_output=True, text=True,
                          timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.parametrize("source, said", [
    ("    owners: [me]\n", "owner 'bob' is no longer named: {} when the others are confirmed"),
    ("    owners: [me, bob]\n    suffix: other\n", "the suffix changes from 'coder' to 'other': the names of its {} change"),
])
def test_what_a_change_takes_away_is_told_beforehand(tmp_path, sim, source, said):
    with Bridge(tmp_path, sim.url, "    owners: [me, bob]\n") as bridge:
        bridge.wait_log("live with")
        wait_for(lambda: (tmp_path / "zone" / "current").exists())
        wait_for(lambda: "warning" not in check(bridge))
        bridge.configure(sim.url, source)
        owner = "owner" in said
        wait_for(lambda: said.format("2 names go" if owner else "5 names") in check(bridge))
        bridge.reload()
        bridge.wait_log(said.format("2 workspaces go" if owner else "3 workspaces"))


def test_a_source_taken_out_is_told_beforehand(tmp_path, sim):
    with Bridge(tmp_path, sim.url, "    owners: [me, bob]\n") as bridge:
        bridge.wait_log("live with")
        text = bridge.config.read_text().replace("name: main", "name: other")
        bridge.config.write_text(text.replace(sim.url, "http://127.0.0.1:1"))
        wait_for(lambda: "source 'main' is not in the configuration: its 5 names go" in check(bridge))
        bridge.reload()
        bridge.wait_log("source 'main' is not in the configuration: its 3 workspaces go")


def test_of_a_source_that_only_has_another_name_nothing_goes(tmp_path, sim):
    with Bridge(tmp_path, sim.url, "    owners: [me, bob]\n") as bridge:
        bridge.wait_log("live with")
        wait_for(lambda: bridge.ask("status")[0]["names"] == 5)
        bridge.config.write_text(bridge.config.read_text().replace("name: main", "name: other"))
        assert "not in the configuration" not in check(bridge)
        bridge.reload()
        wait_for(lambda: bridge.ask("status")[0]["reloads"]["done"] == 1)
        wait_for(lambda: [s["name"] for s in bridge.ask("status")[0]["sources"]] == ["other"])
        assert "not in the configuration" not in bridge.log() and bridge.ask("status")[0]["names"] == 5
