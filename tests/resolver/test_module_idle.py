# SPDX-License-Identifier: Apache-2.0
"""
Nobody asks for a while, and the zone changes meanwhile, base and all: the first question gets what is published, or is told
that it may be old. In unbound's module and in holdfast-dns.
"""
import os
import pathlib
import signal
import time

import dns.edns
import pytest

from module import Unbound, need_module
from server import Responder, addresses, ede
from zone import Zone, address

NAMES = 20_000
NAME = "box.w.me.coder"
# How far behind a reader may be, and how long a busy machine may take to load a base.
IDLE_S = 1.0
LOAD_S = 1.0


@pytest.fixture
def zone(tmp_path):
    with Zone(tmp_path / "zone", f"many {NAMES}", f"{NAME} #1") as z:
        yield z


@pytest.fixture(params=["unbound-4", "holdfast-dns"])
def server(request, zone, tmp_path):
    kind, _, threads = request.param.partition("-")
    if kind == "holdfast":
        with Responder(tmp_path, zone.folder) as s:
            yield s
        return
    need_module()
    with Unbound(tmp_path, zone.folder, threads=int(threads)) as s:
        yield s


def new_base(zone, n):
    """A base that is another one from its first byte on, as after a lost store or a great change."""
    zone.publish("clear", f"many {NAMES - n}", f"{NAME} #{n}")


def test_the_first_question_after_a_silence_has_what_is_published(zone, server):
    assert addresses(server.ask(NAME)) == [address(1)]
    for n in range(2, 5):
        new_base(zone, n)
        time.sleep(IDLE_S + LOAD_S)
        m = server.ask(NAME)
        assert (addresses(m), ede(m)) == ([address(n)], []), f"round {n}"


def test_at_no_moment_is_an_old_picture_fresh(zone, server):
    """Whenever the first question comes: what it gets is new, or says that it may be old, or is less than a second behind."""
    assert addresses(server.ask(NAME)) == [address(1)]
    for n, pause in enumerate((0.3, 1.05, 1.3), 2):
        time.sleep(0.5)
        new_base(zone, n)
        published = time.monotonic()
        time.sleep(pause)
        m = server.ask(NAME)
        late = time.monotonic() - published
        assert addresses(m) == [address(n)] or ede(m) == [3] or late < IDLE_S, f"{pause}: {m}"
        # And right afterwards it is the new one for good.
        deadline = time.monotonic() + LOAD_S
        while addresses(server.ask(NAME)) != [address(n)]:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_negative_answers_of_an_old_picture_are_not_fresh_either(zone, server):
    """While what is published cannot be read, an old picture answers; nothing of it is given as fresh."""
    assert ede(server.ask("nope.coder")) == [] and ede(server.ask(NAME)) == []
    os.kill(server.process.pid, signal.SIGSTOP)  # or it has read the base before it is harmed
    new_base(zone, 2)
    base = zone.folder / (zone.folder / "current").read_text().split("base ")[1].split()[0]
    good = base.read_bytes()
    base.write_bytes(good[:5000] + bytes([good[5000] ^ 1]) + good[5001:])
    os.kill(server.process.pid, signal.SIGCONT)
    time.sleep(IDLE_S)
    assert addresses(server.ask(NAME)) == [address(1)]
    for name, code in ((NAME, [3]), ("nope.coder", [19]), ("w.me.coder", [3]), ("coder", [3])):
        assert ede(server.ask(name)) == code, name
    base.write_bytes(good)
    deadline = time.monotonic() + 10
    while ede(server.ask(NAME)) or addresses(server.ask(NAME)) != [address(2)]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert ede(server.ask("nope.coder")) == []


def status(pid, word):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.split(f"{word}:")[1].split()[0])


def switches(pid):
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(status(f"{pid}/task/{t.name}", "voluntary_ctxt_switches") for t in tasks)


def cpu_ms(pid):
    words = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) * 10


def test_idle_it_wakes_up_about_once_a_second(zone, server):
    assert addresses(server.ask(NAME)) == [address(1)]
    time.sleep(3)  # the first looks, until the marks of the folder are proof
    pid = server.process.pid
    woken, cpu = switches(pid), cpu_ms(pid)
    time.sleep(5)
    # The rest is the program's own; without us unbound wakes up about once a second, too.
    assert switches(pid) - woken <= 5 + 12
    assert cpu_ms(pid) - cpu <= 20
