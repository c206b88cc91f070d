# SPDX-License-Identifier: Apache-2.0
"""
The thread through all rooms: a scripted file's messages through state, store and zone to an answer of holdfast-dns; and the
bridge itself, started on what that left, serving before it has heard anything.
"""
import fcntl
import pathlib
import signal
import socket
import subprocess

import dns.rcode
import pytest

from server import Responder, addresses, ede, wait_for
from zone import program

CASES = pathlib.Path(__file__).parents[1] / "scenario" / "cases"
NAMES = ["main.dev.me.coder", "main.dev.alice.coder", "dev.coder"]


def play(folder, case):
    done = subprocess.run([program("tests/scenario/runner"), "--keep", folder, CASES / case],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def configure(folder):
    (folder / "token").write_text("not-a-token-000\n")
    (folder / "token").chmod(0o600)
    path = folder / "holdfast.yaml"
    path.write_text(f"store: {folder}/store.db\nzone: {folder}/zone\ncontrol: {folder}/control.sock\nsources:\n"
                    f"  - {{ name: main, url: 'https://127.0.0.1:9', token-file: {folder}/token, suffix: coder }}\n")
    path.chmod(0o600)
    return path


def bridge(folder):
    return subprocess.Popen([program("bridge/holdfastd"), "-c", configure(folder)], stderr=subprocess.PIPE, text=True)


def test_one_agent_from_a_scripted_file_to_an_answer(tmp_path):
    play(tmp_path, "thread.txt")
    with Responder(tmp_path, tmp_path / "zone") as r:
        for name in NAMES:
            answer = r.ask(name)
            assert len(addresses(answer)) == 1
            # The scenario's clock is not ours: its proof of life counts for nothing here.
            assert ede(answer) == [3]
        assert r.ask("me.coder").rcode() == dns.rcode.NOERROR
        assert r.ask("other.coder").rcode() == dns.rcode.NXDOMAIN


def test_the_bridge_serves_what_the_last_one_left_and_ends_in_order(tmp_path):
    play(tmp_path, "thread.txt")
    for file in (tmp_path / "zone").iterdir():
        file.unlink()
    (tmp_path / "zone").rmdir()
    daemon = bridge(tmp_path)
    with Responder(tmp_path, tmp_path / "zone") as r:
        wait_for(lambda: r.ask(NAMES[0]).rcode() == dns.rcode.NOERROR)
        assert len(addresses(r.ask(NAMES[0]))) == 1
        daemon.send_signal(signal.SIGTERM)
        log = daemon.communicate(timeout=10)[1]
        assert daemon.returncode == 0
        assert "re-applying DNS hosts from previous session: 3 names, last confirmed" in log
        # Ended: the records stay where they are.
        assert len(addresses(r.ask(NAMES[0]))) == 1


def test_a_second_bridge_is_refused_in_one_line(tmp_path):
    first = bridge(tmp_path)
    try:
        wait_for(lambda: (tmp_path / "store.db").exists() and (tmp_path / "zone").exists())
        second = bridge(tmp_path)
        log = second.communicate(timeout=10)[1]
        assert second.returncode == 2
        errors = [line for line in log.splitlines() if " error: " in line]
        assert len(errors) == 1 and "is in use by another holdfastd" in errors[0]
    finally:
        first.terminate()
        first.communicate(timeout=10)


def held(path):
    """As a program has it that a bridge had just begun, and that is not executed yet."""
    if path.suffix == ".sock":
        path.unlink()
        s = socket.socket(socket.AF_UNIX)
        s.bind(str(path))
        s.listen()
        return s
    f = open(path, "r+b")
    fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return f


def connects(path):
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(str(path)) == 0


@pytest.mark.parametrize("what", ["store.db.lock", "zone/.lock", "control.sock"])
def test_what_a_killed_bridge_still_holds_for_a_moment_is_waited_for(tmp_path, what):
    first = bridge(tmp_path)
    wait_for(lambda: connects(tmp_path / "control.sock"))
    first.kill()
    first.communicate(timeout=10)
    with held(tmp_path / what):
        second = bridge(tmp_path)
        for line in second.stderr:
            if "is in use; waits up to" in line or "another bridge answers" in line:
                break
    try:
        wait_for(lambda: second.poll() is not None or connects(tmp_path / "control.sock"))
        assert second.poll() is None
    finally:
        second.terminate()
        second.communicate(timeout=10)
    assert second.returncode == 0


def test_reload_takes_all_or_nothing(tmp_path):
    daemon = bridge(tmp_path)
    wait_for(lambda: (tmp_path / "zone").exists())
    config = tmp_path / "holdfast.yaml"
    good = config.read_text()
    config.write_text(good + "ttl: 900\n")
    daemon.send_signal(signal.SIGHUP)
    line = next(l for l in daemon.stderr if "rejected" in l or "ttl" in l and "error" not in l)
    assert "the running configuration stays" in line
    config.write_text(good + "ttl: 20\n")
    daemon.send_signal(signal.SIGHUP)
    line = next(l for l in daemon.stderr if "reload:" in l)
    assert "ttl: 30 -> 20" in line
    daemon.terminate()
    daemon.communicate(timeout=10)
    assert daemon.returncode == 0
