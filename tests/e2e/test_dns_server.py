# SPDX-License-Identifier: Apache-2.0
"""
How holdfast-dns lives: its sockets, TCP, limits, access list, rights, signals, and what becomes of the zone under it. What it answers
is in test_dns.py.
"""
import contextlib
import os
import pathlib
import random
import shutil
import signal
import socket
import struct
import subprocess
import time

import dns.message
import dns.rcode
import pytest

from server import LOOPBACK, Responder, Server, addresses, free_port, question, wait_for
from zone import Zone, address, program

NAME = "main.dev.me.coder"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture(scope="module")
def zone(tmp_path_factory):
    with Zone(tmp_path_factory.mktemp("zone") / "zone", f"{NAME} #1", "many 200", "epoch " + "cd" * 16,
              "hundred.dev.me.coder " + ",".join(f"#{n}" for n in range(1000, 1100))) as z:
        yield z


@pytest.fixture
def dns_(zone, tmp_path):
    with Responder(tmp_path, zone.folder, "tcp-idle: 600ms") as r:
        yield r


def framed(*names):
    packets = [question(name, id=i).to_wire() for i, name in enumerate(names)]
    return b"".join(struct.pack("!H", len(p)) + p for p in packets)


def read_exactly(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def read_message(s):
    return dns.message.from_wire(read_exactly(s, struct.unpack("!H", read_exactly(s, 2))[0]))


def is_closed(s, seconds=5):
    s.settimeout(seconds)
    try:
        while s.recv(65536):
            pass
        return True
    except ConnectionError:
        return True
    except TimeoutError:
        return False


# --- TCP ---

def test_many_questions_on_one_connection_are_answered_in_order(dns_):
    names = [f"a{n}.w{n}.me.coder" for n in range(1, 200)]
    with dns_.connect() as s:
        s.sendall(framed(*names))
        for i, name in enumerate(names):
            m = read_message(s)
            assert m.id == i and addresses(m) == [address(i + 1)]


def test_a_question_may_come_byte_by_byte(dns_):
    with dns_.connect() as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in framed(NAME, "a1.w1.me.coder"):
            s.sendall(bytes([byte]))
            time.sleep(0.001)
        assert addresses(read_message(s)) == [address(1)] and addresses(read_message(s)) == [address(1)]


def test_answers_larger_than_all_buffers_come_whole(zone, tmp_path):
    """Far more than any socket takes: who sends without reading is read no further, and loses nothing."""
    n = 8000
    with Responder(tmp_path, zone.folder) as r, r.connect() as s:
        s.setblocking(False)
        data, sent, got = framed(*["hundred.dev.me.coder"] * n), 0, bytearray()
        end = time.monotonic() + 60
        expected = None
        while time.monotonic() < end:
            with contextlib.suppress(BlockingIOError):
                sent += s.send(data[sent:sent + 2000]) if sent < len(data) else 0
            with contextlib.suppress(BlockingIOError):
                got += s.recv(16384)
            if expected is None and len(got) >= 2:
                expected = n * (2 + struct.unpack("!H", got[:2])[0])
            if expected and len(got) >= expected:
                break
        assert len(got) == expected
        assert len(addresses(dns.message.from_wire(bytes(got[2:2 + struct.unpack("!H", got[:2])[0]])))) == 100


def test_a_silent_connection_is_closed(dns_):
    with dns_.connect() as s:
        start = time.monotonic()
        assert is_closed(s)
        assert 0.4 < time.monotonic() - start < 3


def test_half_a_question_does_not_keep_a_connection(dns_):
    with dns_.connect() as s:
        with pytest.raises(ConnectionError):
            for byte in framed(NAME)[:-1]:
                s.sendall(bytes([byte]))
                time.sleep(0.1)


def test_who_takes_no_answers_is_closed_and_others_are_served_meanwhile(dns_):
    with dns_.connect() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.settimeout(0.05)
        with contextlib.suppress(OSError):
            for _ in range(10000):
                s.sendall(framed(*["hundred.dev.me.coder"] * 20))
        assert addresses(dns_.ask(NAME, tcp=True)) == [address(1)]
        time.sleep(1.5)
        with pytest.raises(ConnectionError):
            for _ in range(100):
                s.send(b"\0" * 100)
                time.sleep(0.01)


def test_what_is_no_query_ends_the_connection(dns_):
    answer = bytearray(question(NAME).to_wire())
    answer[2] |= 0x80
    for data in b"\0\0", b"\0\5hello", struct.pack("!H", len(answer)) + bytes(answer), b"\xff\xff" + b"x" * 5000:
        with dns_.connect() as s:
            s.sendall(data)
            assert is_closed(s, 0.4), data[:8]
    assert addresses(dns_.ask(NAME, tcp=True)) == [address(1)]


def test_a_client_that_has_sent_all_still_gets_its_answers(dns_):
    with dns_.connect() as s:
        s.sendall(framed(NAME, NAME))
        s.shutdown(socket.SHUT_WR)
        assert addresses(read_message(s)) == [address(1)] and addresses(read_message(s)) == [address(1)]
        assert is_closed(s, 0.4)


def test_one_connection_too_many_ends_the_longest_silent_one(zone, tmp_path):
    with Responder(tmp_path, zone.folder, "tcp-connections: 4\ntcp-idle: 10m") as r, contextlib.ExitStack() as stack:
        conns = [stack.enter_context(r.connect()) for _ in range(4)]
        for s in conns[1:] + conns[:1]:
            s.sendall(framed(NAME))
            read_message(s)
        assert addresses(r.ask(NAME, tcp=True)) == [address(1)]
        assert is_closed(conns[1], 1)
        for s in conns[2:] + conns[:1]:
            s.sendall(framed(NAME))
            assert addresses(read_message(s)) == [address(1)]


def test_a_client_with_all_its_connections_loses_its_own_oldest(zone, tmp_path):
    with Responder(tmp_path, zone.folder, "tcp-per-client: 2\ntcp-idle: 10m") as r, contextlib.ExitStack() as stack:
        def connect(source):
            return stack.enter_context(socket.create_connection((LOOPBACK, r.port), 3, source_address=(source, 0)))

        other = connect("127.0.0.9")
        mine = [connect("127.0.0.8") for _ in range(3)]
        assert is_closed(mine[0], 1)
        for s in mine[1:] + [other]:
            s.sendall(framed(NAME))
            assert addresses(read_message(s)) == [address(1)]


def test_a_thousand_connections_come_and_go(dns_):
    for _ in range(20):
        with contextlib.ExitStack() as stack:
            for s in [stack.enter_context(dns_.connect()) for _ in range(50)]:
                s.sendall(framed(NAME)[:random.randrange(1, 40)])
    assert addresses(dns_.ask(NAME, tcp=True)) == [address(1)]
    fds = len(os.listdir(f"/proc/{dns_.process.pid}/fd"))
    assert wait_for(lambda: len(os.listdir(f"/proc/{dns_.process.pid}/fd")) < 30, 3), fds


@pytest.mark.parametrize("limit", [6, 14, 18])
def test_without_descriptors_it_answers_on_and_does_not_spin(zone, tmp_path, limit):
    with Responder(tmp_path, zone.folder, "tcp-idle: 10m") as r, contextlib.ExitStack() as stack:
        subprocess.run(["prlimit", f"--pid={r.process.pid}", f"--nofile={limit}:"], check=True)
        for _ in range(40):
            stack.enter_context(r.connect())
        time.sleep(0.3)
        before = r.cpu_s()
        for _ in range(20):
            assert addresses(r.ask(NAME)) == [address(1)]
            time.sleep(0.1)
        assert r.cpu_s() - before < 0.2
        subprocess.run(["prlimit", f"--pid={r.process.pid}", "--nofile=200:"], check=True)
        wait_for(lambda: addresses(r.ask(NAME, tcp=True)) == [address(1)], 3)
        assert r.log().count("cannot accept") == 1
        wait_for(lambda: "accepting TCP connections again well" in r.log(), 3)


# --- sockets ---

def test_ipv4_and_ipv6_by_udp_and_tcp(dns_):
    for host in LOOPBACK, "::1":
        for tcp in False, True:
            assert addresses(dns_.ask(NAME, tcp=tcp, host=host)) == [address(1)]


def test_several_threads_share_the_port(zone, tmp_path):
    with Responder(tmp_path, zone.folder, "threads: 3") as r:
        for _ in range(300):
            assert addresses(r.ask(NAME)) == [address(1)]
        assert int(r.counters()["answers"]) == 300
        assert len(os.listdir(f"/proc/{r.process.pid}/task")) >= 8


def test_answers_come_from_the_address_that_was_asked(zone, tmp_path):
    port = free_port()
    with Responder(tmp_path, zone.folder, port=port, listen=[f"0.0.0.0@{port}", f"::@{port}"]) as r:
        for host in LOOPBACK, "127.0.0.77", "::1":
            assert addresses(r.ask(NAME, host=host)) == [address(1)]
            assert addresses(r.ask(NAME, tcp=True, host=host)) == [address(1)]


def run_responder(tmp_path, text, path=None):
    path = path or tmp_path / "c.yaml"
    path.write_text(text)
    path.chmod(0o600)
    return subprocess.run([program("plugin/holdfast-dns"), "-c", path], capture_output=True, text=True, timeout=20)


def assert_one_line_and_exit_2(done, *words):
    assert done.returncode == 2
    lines = done.stderr.strip().splitlines()
    errors = [line for line in lines if " error: " in line]
    assert len(errors) == 1, lines
    for word in words:
        assert word in errors[0], errors[0]


def test_a_port_in_use_is_one_clear_line_and_exit_2(dns_, zone, tmp_path):
    """Also where the other program is a second holdfast-dns."""
    done = run_responder(tmp_path, f"zone: {zone.folder}\ndns: {{listen: 127.0.0.1@{dns_.port}}}\n")
    assert_one_line_and_exit_2(done, f"127.0.0.1@{dns_.port}", "another program has this port", "EADDRINUSE")


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_port_that_is_in_use_by_one_protocol_is_in_use(zone, tmp_path, kind):
    port = free_port()
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind((LOOPBACK, port))
        if kind == socket.SOCK_STREAM:
            s.listen()
        done = run_responder(tmp_path, f"zone: {zone.folder}\ndns: {{listen: 127.0.0.1@{port}}}\n")
        assert_one_line_and_exit_2(done, "another program has this port")


def test_a_foreign_address_is_one_clear_line_and_exit_2(zone, tmp_path):
    done = run_responder(tmp_path, f"zone: {zone.folder}\ndns: {{listen: 192.0.2.1@5399}}\n")
    assert_one_line_and_exit_2(done, "192.0.2.1@5399", "addresses of this machine")


def test_a_faulty_file_is_told_with_its_line(zone, tmp_path):
    done = run_responder(tmp_path, f"zone: {zone.folder}\ndns:\n  lisen: 127.0.0.1@5399\n")
    assert_one_line_and_exit_2(done, "c.yaml:3", "lisen", "listen")


def test_a_missing_file_is_one_clear_line_and_exit_2(tmp_path):
    done = subprocess.run([program("plugin/holdfast-dns"), "-c", tmp_path / "none.yaml"], capture_output=True, text=True,
                          timeout=20)
    assert_one_line_and_exit_2(done, "none.yaml", "No such file")


def test_a_zone_that_is_a_file_is_one_clear_line_and_exit_2(tmp_path):
    (tmp_path / "zone").write_text("")
    done = run_responder(tmp_path, f"zone: {tmp_path}/zone\ndns: {{listen: 127.0.0.1@{free_port()}}}\n")
    assert_one_line_and_exit_2(done, f"{tmp_path}/zone", "expected the folder")


@pytest.mark.parametrize("arguments,status", [(["-h"], 0), (["-V"], 0), (["--help"], 0), (["--version"], 0), (["-x"], 2), (["-c"], 2), (["zone"], 2)])
def test_arguments(arguments, status):
    done = subprocess.run([program("plugin/holdfast-dns"), *arguments], capture_output=True, text=True, timeout=20)
    assert done.returncode == status
    assert "holdfast-dns" in (done.stderr if status else done.stdout)


# --- who may ask ---

def test_others_are_refused_by_udp_and_closed_by_tcp(zone, tmp_path):
    with Responder(tmp_path, zone.folder, "allow: [127.0.0.32/27, 127.0.0.1]") as r:
        def ask_from(source):
            return dns.query.udp(question(NAME), LOOPBACK, 3, r.port, source=source)

        for source in "127.0.0.32", "127.0.0.63", "127.0.0.1":
            assert addresses(ask_from(source)) == [address(1)]
        for source in "127.0.0.31", "127.0.0.64", "127.0.0.2":
            m = ask_from(source)
            assert m.rcode() == dns.rcode.REFUSED and not m.answer
            with socket.create_connection((LOOPBACK, r.port), 3, source_address=(source, 0)) as s:
                assert is_closed(s, 1)
        assert r.ask(NAME, host="::1").rcode() == dns.rcode.REFUSED


def test_sighup_takes_up_who_may_ask_and_the_log_level(zone, tmp_path):
    with Responder(tmp_path, zone.folder) as r:
        assert r.ask(NAME).rcode() == dns.rcode.NOERROR
        r.write_config("allow: 127.0.0.2", "log: {level: warn}")
        r.process.send_signal(signal.SIGHUP)
        wait_for(lambda: r.ask(NAME).rcode() == dns.rcode.REFUSED, 3)
        lines = r.log().count("\n")
        r.write_config("allow: 127.0.0.0/8", "log: {level: warn}")
        r.process.send_signal(signal.SIGHUP)
        wait_for(lambda: r.ask(NAME).rcode() == dns.rcode.NOERROR, 3)
        assert r.log().count("\n") == lines


def test_sighup_with_a_faulty_file_changes_nothing(zone, tmp_path):
    with Responder(tmp_path, zone.folder) as r:
        r.config.write_text("dns: {allow: nobody}\n")
        r.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "reload rejected" in r.log(), 3)
        assert addresses(r.ask(NAME)) == [address(1)]


def test_sighup_says_what_waits_for_the_next_start(zone, tmp_path):
    with Responder(tmp_path, zone.folder) as r:
        r.write_config("threads: 2")
        r.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "'dns.threads' takes effect at the next start" in r.log(), 3)


def test_a_thousand_sighups_lose_no_answer(zone, tmp_path):
    with Responder(tmp_path, zone.folder, top="log: {level: error}") as r:
        for _ in range(1000):
            r.process.send_signal(signal.SIGHUP)
            assert addresses(r.ask(NAME)) == [address(1)]


def test_sigterm_ends_it_at_once_and_cleanly(zone, tmp_path):
    for sig in signal.SIGTERM, signal.SIGINT:
        with Responder(tmp_path, zone.folder, "threads: 4") as r, r.connect():
            start = time.monotonic()
            assert r.stop(sig) == 0
            assert time.monotonic() - start < 2


# --- the zone under it ---

def test_a_zone_that_comes_later_is_taken_up(tmp_path):
    with Responder(tmp_path, tmp_path / "zone") as r:
        assert r.ask(NAME).rcode() == dns.rcode.REFUSED
        assert r.ask(NAME, tcp=True).rcode() == dns.rcode.REFUSED
        with Zone(tmp_path / "zone", f"{NAME} #1"):
            wait_for(lambda: r.ask(NAME).rcode() == dns.rcode.NOERROR, 5)
            wait_for(lambda: r.ask(NAME, tcp=True).rcode() == dns.rcode.NOERROR, 5)


@pytest.fixture
def own_zone(tmp_path):
    with Zone(tmp_path / "zone", f"{NAME} #1", "many 1000") as z:
        yield z


def damage_everything(folder, how):
    for path in folder.iterdir():
        size = path.stat().st_size
        if how == "truncate":
            os.truncate(path, size // 2)
        elif how == "zero":
            path.write_bytes(b"\0" * size)
        elif how == "flip":
            data = bytearray(path.read_bytes())
            for _ in range(20 if data else 0):
                data[random.randrange(len(data))] ^= 1 << random.randrange(8)
            path.write_bytes(data)
        elif how == "remove":
            path.unlink()
        elif how == "folder":
            path.unlink()
            path.mkdir()
        elif how == "symlink":
            path.unlink()
            path.symlink_to("/dev/zero")


@pytest.mark.parametrize("how", ["truncate", "zero", "flip", "remove", "folder", "symlink"])
def test_whatever_becomes_of_the_files_the_names_stay_and_come_back_new(own_zone, tmp_path, how):
    random.seed(how)
    with Responder(tmp_path, own_zone.folder) as r:
        assert addresses(r.ask(NAME)) == [address(1)]
        own_zone.kill()
        damage_everything(own_zone.folder, how)
        for n in range(1, 200):
            m = r.ask(f"a{n}.w{n}.me.coder", tcp=n % 2 == 0)
            assert addresses(m) == [address(n)]
            time.sleep(0.001)
        shutil.rmtree(own_zone.folder)
        assert addresses(r.ask(NAME)) == [address(1)]
        with Zone(tmp_path / "zone", f"{NAME} #2"):
            wait_for(lambda: addresses(r.ask(NAME)) == [address(2)], 5)
            wait_for(lambda: addresses(r.ask(NAME, tcp=True)) == [address(2)], 5)
        assert r.alive()


@pytest.mark.parametrize("how", ["truncate", "zero", "flip", "remove", "folder", "symlink"])
def test_started_on_a_damaged_zone_it_refuses_until_there_is_a_good_one(own_zone, tmp_path, how):
    random.seed(how)
    own_zone.kill()
    damage_everything(own_zone.folder, how)
    with Responder(tmp_path, own_zone.folder) as r:
        assert r.ask(NAME).rcode() == dns.rcode.REFUSED
        assert "answering REFUSED" in r.log()
        shutil.rmtree(own_zone.folder)
        with Zone(tmp_path / "zone", f"{NAME} #2"):
            wait_for(lambda: addresses(r.ask(NAME)) == [address(2)], 5)


def test_answers_go_on_as_stale_when_the_bridge_is_gone(tmp_path):
    with Zone(tmp_path / "zone", "source main coder 400 400", f"{NAME} #1") as z, Responder(tmp_path, z.folder) as r:
        assert not r.ask(NAME).options
        z.kill()
        wait_for(lambda: r.ask(NAME).options, 5)
        assert addresses(r.ask(NAME)) == [address(1)]


def test_a_change_is_seen_by_every_thread(own_zone, tmp_path):
    with Responder(tmp_path, own_zone.folder, "threads: 4") as r:
        for n in range(50, 60):
            own_zone.publish(f"{NAME} #{n}")
            time.sleep(0.05)
            for _ in range(40):
                assert addresses(r.ask(NAME)) == [address(n)]


# --- rights ---

def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_it_runs_with_a_system_call_filter_and_without_new_privileges(dns_):
    for task in os.listdir(f"/proc/{dns_.process.pid}/task"):
        status = status_of(f"{dns_.process.pid}/task/{task}")
        assert status["Seccomp"].strip() == "2" and status["NoNewPrivs"].strip() == "1"


# --- the service manager ---

def test_it_takes_the_sockets_that_it_is_handed(zone, tmp_path):
    port = free_port()
    config = tmp_path / "c.yaml"
    config.write_text(f"zone: {zone.folder}\ndns: {{listen: 192.0.2.1@53, threads: 2}}\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        udp.bind((LOOPBACK, port))
        tcp.bind((LOOPBACK, port))
        tcp.listen()

        def place():
            a, b = os.dup(udp.fileno()), os.dup(tcp.fileno())
            os.dup2(a, 3)
            os.dup2(b, 4)

        script = f"LISTEN_PID=$$ LISTEN_FDS=2 exec {program('plugin/holdfast-dns')} -c {config}"
        with Server(tmp_path, ["sh", "-c", script], port, close_fds=False, preexec_fn=place) as r:
            for how in False, True:
                wait_for(r.answers)
                assert addresses(r.ask(NAME, tcp=how)) == [address(1)]
            assert "sockets of the service manager" in r.log()
            r.stop()
        # The service manager's own sockets are whole: the next one can take them.
        with Server(tmp_path, ["sh", "-c", script], port, close_fds=False, preexec_fn=place) as r:
            wait_for(r.answers)
            assert addresses(r.ask(NAME)) == [address(1)]


def test_on_a_dual_stack_socket_each_ipv4_client_has_its_own_share(zone, tmp_path):
    """As systemd hands over ListenStream=5453: a client of IPv4 is there ::ffff:a.b.c.d."""
    port = free_port()
    config = tmp_path / "c.yaml"
    config.write_text(f"zone: {zone.folder}\ndns: {{tcp-per-client: 2, tcp-idle: 10m, allow: [127.0.0.0/8]}}\n")
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket(socket.AF_INET6, kind)) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)]
        for s in sockets:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            s.bind(("::", port))
        sockets[1].listen()

        def place():
            copies = [os.dup(s.fileno()) for s in sockets]
            for to, fd in enumerate(copies, 3):
                os.dup2(fd, to)

        script = f"LISTEN_PID=$$ LISTEN_FDS=2 exec {program('plugin/holdfast-dns')} -c {config}"
        r = stack.enter_context(Server(tmp_path, ["sh", "-c", script], port, close_fds=False, preexec_fn=place))
        wait_for(r.answers)

        def connect(source):
            return stack.enter_context(socket.create_connection((LOOPBACK, port), 3, source_address=(source, 0)))

        def works(s):
            s.sendall(framed(NAME))
            return addresses(read_message(s)) == [address(1)]

        first = [connect("127.0.0.2") for _ in range(2)]
        others = [connect(f"127.0.0.{n}") for n in range(3, 9) for _ in range(2)]
        assert all(works(s) for s in first + others)
        # His own third one is one too many, by UDP there are no shares.
        connect("127.0.0.2")
        assert is_closed(first[0], 1) and works(first[1])
        assert addresses(r.ask(NAME)) == [address(1)]


def test_a_handed_over_descriptor_that_is_no_socket_is_told(zone, tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text(f"zone: {zone.folder}\n")
    script = f"LISTEN_PID=$$ LISTEN_FDS=1 exec {program('plugin/holdfast-dns')} -c {config} 3</dev/null"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=20)
    assert_one_line_and_exit_2(done, "descriptor 3", "expected UDP or listening TCP sockets")


# --- from another address than this machine's loopback ---

@pytest.fixture
def namespace():
    name = f"hf-dns-{os.getpid()}"
    run = lambda *c: subprocess.run(c, check=True)
    run("ip", "netns", "add", name)
    try:
        for command in ("link set lo up", "addr add 10.99.0.1/32 dev lo", "addr add 10.99.0.2/32 dev lo"):
            run("ip", "-n", name, *command.split())
        yield name
    finally:
        run("ip", "netns", "del", name)


@AS_ROOT
def test_counters_and_provenance_are_for_loopback_only(zone, tmp_path, namespace):
    config = tmp_path / "c.yaml"
    config.write_text(f"zone: {zone.folder}\ndns: {{listen: 0.0.0.0@5353, allow: 10.99.0.0/24}}\n")
    inside = ["ip", "netns", "exec", namespace]

    def dig(*arguments):
        return subprocess.run([*inside, "dig", "+noall", "+comments", "+answer", "+time=1", "+tries=1", "-p", "5353",
                               *arguments], capture_output=True, text=True).stdout

    with Server(tmp_path, [*inside, program("plugin/holdfast-dns"), "-c", config], 5353):
        wait_for(lambda: "NOERROR" in dig("@10.99.0.2", "-b", "10.99.0.1", NAME, "AAAA"))
        for name in f"_holdfast.{NAME}", "_holdfast-counters.coder", "_holdfast.coder":
            assert "NXDOMAIN" in dig("@10.99.0.2", "-b", "10.99.0.1", name, "TXT")
        assert "REFUSED" in dig("@127.0.0.1", NAME, "AAAA")
