# SPDX-License-Identifier: Apache-2.0
"""
The dnsmasq adapter against Debian's dnsmasq: what is put is answered, what others do is repaired, what is others' stays, and dnsmasq
never stops answering.
"""
import contextlib
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import dns.exception
import dns.rcode
import dns.reversename
import pytest

from bridge import Bridge
from driver import Driver
from fed_dnsmasq import Dnsmasq
from peer import Simulator
from server import question, wait_for
from zone import address

LONG = bool(os.environ.get("HF_LONG"))
NAME = "main.dev.me.coder"


class Prober:
    """Asks one name after the other; `allowed` says what may be answered to each."""

    def __init__(self, dnsmasq, allowed):
        self.dnsmasq, self.allowed = dnsmasq, allowed
        self.wrong, self.lost, self.asked, self.slowest = [], 0, 0, 0.0
        self.end = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.end.is_set():
            for name, allowed in self.allowed.items():
                began = time.monotonic()
                try:
                    got = set(self.dnsmasq.addresses(name))
                    if not got or not got <= allowed:
                        self.wrong.append((name, got))
                except (dns.exception.DNSException, OSError):
                    self.lost += 1
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.asked += 1
                time.sleep(0.001)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *what):
        self.end.set()
        self.thread.join()
        if what[0] is None:
            assert self.asked and not self.wrong and not self.lost, (self.asked, self.wrong[:3], self.lost)


@pytest.fixture
def tmp_path():
    """A folder that every user can reach: pytest's own cannot be, and the doctor sees that."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def hostsdir(tmp_path):
    folder = tmp_path / "hosts.d"
    folder.mkdir()
    return folder


@pytest.fixture
def dnsmasq(tmp_path, hostsdir):
    d = Dnsmasq(tmp_path, "--local=/coder/", "--local-ttl=30", f"--hostsdir={hostsdir}").start()
    yield d
    d.stop()


def driver(tmp_path, dnsmasq, hostsdir):
    return Driver(tmp_path, f"type: dnsmasq, hostsdir: {hostsdir}, ask: 127.0.0.1@{dnsmasq.port}")


@pytest.fixture
def feed(tmp_path, dnsmasq, hostsdir):
    with driver(tmp_path, dnsmasq, hostsdir) as d:
        yield d


def names(n, first=0):
    return [f"put a{i}.w{i}.u.coder {address(1000 + i)} primary" for i in range(first, first + n)]


def files(folder):
    """What dnsmasq reads, by name."""
    return {e.name: (e.stat().st_ino, e.stat().st_mtime_ns) for e in os.scandir(folder) if not e.name.startswith(".")}


def lines(folder):
    return sorted(line for path in folder.iterdir() if not path.name.startswith(".")
                  for line in path.read_text().splitlines() if not line.startswith("#"))


def test_add_change_rename_remove(feed, dnsmasq, hostsdir):
    feed.good(f"put {NAME} {address(1)} primary", f"put main.dev.alice.coder {address(1)}")
    assert dnsmasq.addresses(NAME) == dnsmasq.addresses("main.dev.alice.coder") == [address(1)]
    assert dnsmasq.ptr(1) == [f"{NAME}."]
    assert dnsmasq.rcode(NAME, "A") == dns.rcode.NOERROR and dnsmasq.rcode("no.dev.me.coder") == dns.rcode.NXDOMAIN
    assert dnsmasq.server.ask(NAME).answer[0].ttl == 30

    allowed = {NAME: {address(n) for n in range(1, 30)}}
    with Prober(dnsmasq, allowed):
        for n in range(2, 30):  # a rebuilt workspace: never without an address
            feed.good(f"put {NAME} {address(n)} primary", f"put main.dev.alice.coder {address(n)}")
            assert dnsmasq.addresses(NAME) == [address(n)] and dnsmasq.ptr(n) == [f"{NAME}."]
    assert dnsmasq.ptr(1) == []

    feed.good(f"put main.dev.bob.coder {address(29)}", f"take main.dev.alice.coder {address(29)}")
    assert dnsmasq.rcode("main.dev.alice.coder") == dns.rcode.NXDOMAIN
    assert dnsmasq.addresses("main.dev.bob.coder") == [address(29)]
    feed.good(f"put main.dev.bob.coder {address(29)} primary", f"take {NAME} {address(29)}")
    assert dnsmasq.ptr(29) == ["main.dev.bob.coder."]
    feed.good(f"take main.dev.bob.coder {address(29)}")
    assert dnsmasq.rcode("main.dev.bob.coder") == dns.rcode.NXDOMAIN and not files(hostsdir)


def test_files_are_small_few_and_readable(feed, hostsdir):
    feed.good(*names(3000))
    written = list(hostsdir.glob("holdfast-*.hosts"))
    assert len(written) == len(files(hostsdir)) <= 1024 and not list(hostsdir.glob(".*"))
    assert max(len(p.read_text().splitlines()) for p in written) < 20
    assert all(p.stat().st_mode & 0o777 == 0o644 for p in written)
    assert feed.list() == {(f"a{i}.w{i}.u.coder", address(1000 + i), True) for i in range(3000)}
    assert len(feed.verify(*(f"expect {line[4:]}" for line in names(50)))["not"]) == 0


def test_what_is_unchanged_is_not_written(feed, tmp_path, dnsmasq, hostsdir):
    feed.good(*names(200))
    before = files(hostsdir)
    for _ in range(50):
        feed.good(*names(200))
    assert files(hostsdir) == before
    feed.__exit__()
    with driver(tmp_path, dnsmasq, hostsdir) as again:
        again.good(*names(200))
        assert files(hostsdir) == before and not again.lost()


def test_dnsmasq_restarts_alone(feed, dnsmasq):
    feed.good(*names(100))
    feed.kill()
    dnsmasq.stop(signal.SIGKILL)
    dnsmasq.start()
    for i in range(100):
        assert dnsmasq.addresses(f"a{i}.w{i}.u.coder") == [address(1000 + i)]


def test_what_others_did_to_our_files_is_repaired(feed, dnsmasq, hostsdir):
    feed.good(*names(60))
    want = lines(hostsdir)
    paths = sorted(hostsdir.glob("*.hosts"))
    paths[0].unlink()
    paths[1].write_text("")
    paths[2].write_text("192.0.2.1 a.foreign.example\n")
    paths[3].write_text(paths[3].read_text()[:-10])
    os.truncate(paths[4], 20)
    wait_for(lambda: lines(hostsdir) == want and len(list(hostsdir.glob("*.hosts"))) == len(paths), 8, 0.1)
    for i in range(60):
        wait_for(lambda i=i: dnsmasq.addresses(f"a{i}.w{i}.u.coder") == [address(1000 + i)], 2, 0.1)
    assert dnsmasq.rcode("a.foreign.example") != dns.rcode.NOERROR


def test_files_of_others_are_left_alone(feed, dnsmasq, hostsdir):
    theirs = {"printer": "192.0.2.7 printer.office.example\n", "holdfast-000.hosts": "192.0.2.8 not.ours.example\n"}
    for name, text in theirs.items():
        (hostsdir / name).write_text(text)
    for receipt in feed.apply(*names(3000)):
        assert not receipt["code"] and receipt["done"] == receipt["n"]
        clashes = receipt["not"]
    assert 0 < len(clashes) < 20 and {c["fate"] for c in clashes} == {"clash"}
    feed.wait(1500)
    for name, text in theirs.items():
        assert (hostsdir / name).read_text() == text
    assert "left alone" in feed.warned("foreign-files") or "not written by Holdfast" in feed.warned("foreign-files")
    assert dnsmasq.rcode("printer.office.example", "A") == dns.rcode.NOERROR
    # When theirs is gone, ours has its place.
    (hostsdir / "holdfast-000.hosts").unlink()
    feed.wait(5000)
    feed.good(*(f"put {c['name']} {c['addr']} primary" for c in clashes))
    assert dnsmasq.addresses(clashes[0]["name"]) == [clashes[0]["addr"]]


def test_the_folder_is_replaced(feed, dnsmasq, hostsdir, tmp_path):
    feed.good(*names(40))
    hostsdir.rename(tmp_path / "old")
    hostsdir.mkdir()
    feed.wait(2500)
    assert "restart dnsmasq" in feed.warned("restart") and feed.lost()
    want = {f"{address(1000 + i)} a{i}.w{i}.u.coder" for i in range(40)}
    wait_for(lambda: want <= set(lines(hostsdir)), 5, 0.1)
    # dnsmasq goes on with what it has; what is new cannot reach it, and that is said.
    receipt = feed.apply(f"put {NAME} {address(1)} primary")[-1]
    assert receipt["code"] == "HF_ENOTREADY" and "restart" in receipt["text"]
    assert dnsmasq.addresses("a1.w1.u.coder") == [address(1001)]
    dnsmasq.stop()
    dnsmasq.start()
    feed.retry()
    assert dnsmasq.addresses(NAME) == [address(1)]
    feed.wait(3000)
    assert feed.warned("restart") is None
    wait_for(lambda: not [line for line in lines(hostsdir) if "_holdfast" in line], 5, 0.1)


def test_the_folder_is_missing(tmp_path, dnsmasq, hostsdir):
    missing = tmp_path / "missing"
    with driver(tmp_path, dnsmasq, missing) as feed:
        receipt = feed.apply(*names(1))[-1]
        assert receipt["code"] == "ENOENT" and f"install -d -m 0755 -o {os.geteuid()} {missing}" in receipt["text"]
        dnsmasq.stop()
        missing.mkdir()
        feed.retry()
        assert len(files(missing)) == 1 and "nobody listens" in feed.warned("not-running")


def test_dnsmasq_is_away(feed, dnsmasq, hostsdir):
    dnsmasq.stop()
    feed.good(*names(500))
    assert "nobody listens" in feed.warned("not-running")
    verdict = feed.verify(*(f"expect {line[4:]}" for line in names(5)))
    assert verdict["code"] == "ECONNREFUSED" and {n["is"] for n in verdict["not"]} == {"unknown"}
    dnsmasq.start()
    assert dnsmasq.addresses("a499.w499.u.coder") == [address(1499)]
    # An answer is the end of that, whether or not anything changes.
    assert not feed.verify(*(f"expect {line[4:]}" for line in names(5)))["not"]
    assert feed.warned("not-running") is None
    feed.good(f"put {NAME} {address(1)} primary")


def test_dnsmasq_hangs(feed, dnsmasq):
    feed.good(*names(10))
    dnsmasq.server.process.send_signal(signal.SIGSTOP)
    receipt = feed.apply(*names(10, 10))[-1]
    assert receipt["code"] == "ETIMEDOUT" and "does not answer" in receipt["text"]
    dnsmasq.server.process.send_signal(signal.SIGCONT)
    feed.retry()
    for i in range(20):
        assert dnsmasq.addresses(f"a{i}.w{i}.u.coder") == [address(1000 + i)]


def test_a_clash_is_left_alone(tmp_path, hostsdir):
    theirs = tmp_path / "theirs"
    theirs.write_text("fd00::1 six.dev.me.coder\n192.0.2.1 four.dev.me.coder\n")
    d = Dnsmasq(tmp_path, "--local=/coder/", f"--hostsdir={hostsdir}", f"--addn-hosts={theirs}",
                "--cname=alias.dev.me.coder,six.dev.me.coder").start()
    with driver(tmp_path, d, hostsdir) as feed:
        receipt = feed.apply(*(f"put {n}.dev.me.coder {address(i)} primary" for i, n in
                               enumerate(("six", "four", "alias", "free"), 1)))[-1]
        assert [(n["name"], n["fate"]) for n in receipt["not"]] == [
            (f"{n}.dev.me.coder", "clash") for n in ("six", "four", "alias")]
        assert receipt["done"] == 4 and not receipt["code"]
        assert d.addresses("six.dev.me.coder") == ["fd00::1"] and d.addresses("free.dev.me.coder") == [address(4)]
        assert lines(hostsdir) == [f"{address(4)} free.dev.me.coder"]
        # What came later beside ours is seen.
        theirs.write_text("fd00::2 free.dev.me.coder\n")
        d.server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: len(d.addresses("free.dev.me.coder")) == 2)
        verdict = feed.verify(f"expect free.dev.me.coder {address(4)} primary", f"expect none.me.coder {address(9)}",
                              f"absent free.dev.me.coder {address(4)}", f"absent free.dev.me.coder {address(5)}")
        assert [(n["name"], n["is"]) for n in verdict["not"]] == [
            ("free.dev.me.coder", "foreign"), ("none.me.coder", "not-so"), ("free.dev.me.coder", "not-so")]
    d.stop()


def wire(*labels):
    return "0x" + b"".join(bytes([len(x)]) + x for x in labels).hex() + "00"


HOSTILE = [b"a\nb", b"a b", b"a#b", b"a\tb", b"a\r", b"\x00", b"a/b", b"a.b", b"\xff", b"*", b"'", b"\\", b"\x1b[1m", b"%s"]


def test_hostile_names_smuggle_nothing(feed, dnsmasq, hostsdir):
    feed.good(f"put {NAME} {address(1)} primary")
    before = {p.name: p.read_bytes() for p in hostsdir.iterdir()}
    receipt = feed.apply(*(f"put {wire(h, b'dev', b'me', b'coder')} {address(9)}" for h in HOSTILE),
                         f"put other.dev.me.coder fd00::1", f"put more.dev.me.coder 2001:db8::1")[-1]
    assert receipt["done"] == len(HOSTILE) + 2 and {n["fate"] for n in receipt["not"]} == {"unfit"}
    assert len(receipt["not"]) == receipt["done"]
    assert {p.name: p.read_bytes() for p in hostsdir.iterdir()} == before
    odd = ["-x", "x-", "_x", "xn--zzz", "1", "-", "_", "y" * 63]
    feed.good(*(f"put {label}.dev.me.coder {address(i)} primary" for i, label in enumerate(odd, 10)))
    for i, label in enumerate(odd, 10):
        assert dnsmasq.addresses(f"{label}.dev.me.coder") == [address(i)]


def test_killed_at_random_points(tmp_path, dnsmasq, hostsdir):
    rng = random.Random(7)
    base = {f"k{i}.w.me.coder": i for i in range(1, 21)}
    with driver(tmp_path, dnsmasq, hostsdir) as feed:
        feed.good(*(f"put {n} {address(i)} primary" for n, i in base.items()))
    with Prober(dnsmasq, {n: {address(i)} for n, i in base.items()}):
        for turn in range(100 if LONG else 15):
            some = [f"put r{i}.w.u.coder {address(5000 + turn * 300 + i)} primary" for i in range(250)]
            feed = driver(tmp_path, dnsmasq, hostsdir)
            feed.send(*some, "apply")
            time.sleep(rng.random() * 0.4)
            feed.kill()
            assert all(line.startswith("fd60:627a:a42b:") for line in lines(hostsdir))
    with driver(tmp_path, dnsmasq, hostsdir) as feed:
        feed.good(*some)
        want = {(n, address(i), True) for n, i in base.items()} | {
            (line.split()[1], line.split()[2], True) for line in some}
        assert {(n, a) for n, a, _ in feed.list()} == {(n, a) for n, a, _ in want}
        for line in some[::10]:
            assert dnsmasq.addresses(line.split()[1]) == [line.split()[2]]
    assert not list(hostsdir.glob(".*"))


def test_what_was_removed_while_nobody_looked_is_told(tmp_path, dnsmasq, hostsdir):
    with driver(tmp_path, dnsmasq, hostsdir) as feed:
        feed.good(*names(50))
    next(iter(hostsdir.glob("*.hosts"))).unlink()
    with driver(tmp_path, dnsmasq, hostsdir) as feed:
        feed.send(*(f"adopt {line[4:]}" for line in names(50)))
        feed.complete()
        feed.wait(300)
        assert len(feed.lost()) == 1 and "1 names were missing" in feed.lost()[0]
    sorted(hostsdir.glob("*.hosts"))[3].write_text("")
    with driver(tmp_path, dnsmasq, hostsdir) as feed:
        feed.list()
        assert len(feed.lost()) == 1 and "not as they had been left" in feed.lost()[0]


def test_limits_of_names(tmp_path, dnsmasq, hostsdir):
    dnsmasq.stop()  # the files alone
    with driver(tmp_path, dnsmasq, hostsdir) as feed:
        feed.good(*names(10001), seconds=120)
        assert "10001 names" in feed.warned("many-names")
        receipts = feed.apply(*names(20001, 10001), seconds=120)
        unfit = [n for r in receipts for n in r["not"]]
        assert len(unfit) == 2 and {n["fate"] for n in unfit} == {"unfit"}
        assert not any(r["code"] for r in receipts)


@pytest.fixture
def hosts_file(tmp_path):
    return tmp_path / "own" / "hosts"


@pytest.fixture
def single(tmp_path, hosts_file):
    hosts_file.parent.mkdir()
    hosts_file.touch()
    d = Dnsmasq(tmp_path, "--local=/coder/", "--local-ttl=30", f"--addn-hosts={hosts_file}").start()
    yield d
    d.stop()


def one_file(tmp_path, single, hosts_file, more=""):
    return Driver(tmp_path, f"type: dnsmasq, hosts-file: {hosts_file}, ask: 127.0.0.1@{single.port}{more}")


def test_one_file_and_a_signal(tmp_path, single, hosts_file):
    with one_file(tmp_path, single, hosts_file, f", pid-file: {single.pid_file}") as feed:
        began = time.monotonic()
        feed.good(*names(1000))
        assert single.addresses("a999.w999.u.coder") == [address(1999)]
        for n in range(1, 4):
            feed.good(f"put {NAME} {address(n)} primary")
            assert single.addresses(NAME) == [address(n)] and single.ptr(n) == [f"{NAME}."]
        assert time.monotonic() - began > 3  # at most one signal a second
        assert hosts_file.stat().st_mode & 0o777 == 0o644
        feed.good(f"take {NAME} {address(3)}")
        assert single.rcode(NAME) == dns.rcode.NXDOMAIN
        inode = hosts_file.stat().st_ino
        feed.good(*names(1000))
        assert hosts_file.stat().st_ino == inode
        hosts_file.write_text("# edited\n")
        wait_for(lambda: len(hosts_file.read_text().splitlines()) == 1001, 5, 0.1)
        single.stop()
        feed.good(f"put {NAME} {address(7)} primary")
        assert "nobody listens" in feed.warned("not-running")
        single.start()
        assert single.addresses(NAME) == [address(7)]
    with one_file(tmp_path, single, hosts_file) as feed:
        assert len(feed.list()) == 1001


def test_only_dnsmasq_is_signalled(tmp_path, single, hosts_file):
    sleeper = subprocess.Popen(["sleep", "60"])
    pid_file = tmp_path / "wrong.pid"
    try:
        for n, (text, code, part) in enumerate(((f"{sleeper.pid}\n", "HF_EUNSAFE", "not called dnsmasq"), ("junk\n", "HF_EFORMAT", str(pid_file)),
                                                ("-1\n", "HF_EFORMAT", str(pid_file))), 1):
            pid_file.write_text(text)
            with one_file(tmp_path, single, hosts_file, f", pid-file: {pid_file}") as feed:
                receipt = feed.apply(f"put x{n}.me.coder {address(n)} primary")[-1]
                assert receipt["code"] == code and part in receipt["text"], receipt
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_the_file_of_somebody_else_is_not_written_over(tmp_path, single, hosts_file):
    hosts_file.write_text("192.0.2.1 theirs.example\n")
    with one_file(tmp_path, single, hosts_file, f", pid-file: {single.pid_file}") as feed:
        receipt = feed.apply(*names(1))[-1]
        assert receipt["code"] == "HF_EREFUSED" and "move it away" in receipt["text"]
    assert hosts_file.read_text() == "192.0.2.1 theirs.example\n"


def findings(feed, grade):
    return [f for f in feed.doctor() if f["grade"] == grade]


def test_doctor_finds_nothing_where_all_is_well(feed):
    assert findings(feed, "bad") == []
    feed.good(*names(3))
    assert findings(feed, "bad") == [] and len(findings(feed, "good")) >= 7


def test_doctor_knows_the_size_of_the_table(feed):
    feed.good(*names(1200))
    assert [f["line"] for f in findings(feed, "note")] == ["cache-size=10000"]


def test_doctor_tells_the_lines_that_are_missing(tmp_path, hostsdir):
    up = Dnsmasq(tmp_path, "--address=/coder/192.0.2.9").start()  # an upstream that knows the suffix
    for options, line in ((["--local-ttl=30"], "local=/coder/"), (["--local=/coder/"], "local-ttl=30")):
        d = Dnsmasq(tmp_path, f"--server=127.0.0.1#{up.port}", f"--hostsdir={hostsdir}", *options).start()
        with driver(tmp_path, d, hostsdir) as feed:
            feed.apply(f"put only.dev.me.coder {address(1)} primary")
            got = {f["line"] for f in findings(feed, "bad")}
            assert got == {line}
        d.stop()
    d = Dnsmasq(tmp_path, "--local=/coder/", "--local-ttl=30").start()  # does not read the folder
    with driver(tmp_path, d, hostsdir) as feed:
        assert feed.apply(*names(1))[-1]["code"] == "HF_ENOTREADY"
        assert f"hostsdir={hostsdir}" in {f["line"] for f in findings(feed, "bad")}
    d.stop()
    up.stop()
    hostsdir.chmod(0o700)
    with driver(tmp_path, d, hostsdir) as feed:
        assert f"chmod o+rx {hostsdir}" in {f["line"] for f in findings(feed, "bad")}


def test_setup_is_what_dnsmasq_needs(tmp_path, dnsmasq, hostsdir, hosts_file):
    hosts_file.parent.mkdir()
    hosts_file.touch()
    for form in (f"hostsdir: {hostsdir}", f"hosts-file: {hosts_file}, pid-file: {tmp_path}/dnsmasq.pid"):
        with Driver(tmp_path, f"type: dnsmasq, {form}") as plain:
            text = plain.setup()
        config = tmp_path / "setup.conf"
        config.write_text(text)
        d = Dnsmasq(tmp_path, f"--conf-file={config}").start()
        with Driver(tmp_path, f"type: dnsmasq, {form}, ask: 127.0.0.1@{d.port}") as feed:
            feed.good(f"put {NAME} {address(1)} primary")
            assert findings(feed, "bad") == [] and d.addresses(NAME) == [address(1)]
        d.stop()


# --- a bridge that was killed while it wrote


# --- both forms

@pytest.fixture(params=["hostsdir", "hosts-file"])
def place(request, tmp_path, hostsdir):
    """The key of the adapter, its options for dnsmasq, and all lines that are in its files."""
    if request.param == "hostsdir":
        return f"hostsdir: {hostsdir}", [f"--hostsdir={hostsdir}"], lambda: lines(hostsdir)
    file = hostsdir / "names"
    return (f"hosts-file: {file}, pid-file: {tmp_path}/dnsmasq.pid", [f"--addn-hosts={file}"], lambda: lines(hostsdir))


@pytest.fixture
def placed(tmp_path, place):
    """A dnsmasq that reads a file of others too, and can be started again with more options."""
    theirs = tmp_path / "theirs"
    theirs.write_text(f"{address(1)} one.dev.me.coder\n")
    d = Dnsmasq(tmp_path, "--local=/coder/", *place[1], f"--addn-hosts={theirs}").start()
    d.theirs = theirs
    with Driver(tmp_path, f"type: dnsmasq, {place[0]}, ask: 127.0.0.1@{d.port}") as feed:
        yield d, feed, place[2]
    d.stop()


def fates(receipt):
    assert not receipt["code"], receipt
    return [(n["name"].split(".")[0], n["fate"]) for n in receipt["not"]]


def test_a_line_of_others_with_our_address_is_a_clash(placed):
    """At the put, and at the take, where it looks as if dnsmasq did not see that ours went."""
    d, feed, written = placed
    puts = [f"put {n}.dev.me.coder {address(i)} primary" for i, n in enumerate(("one", "two", "three"), 1)]
    assert fates(feed.apply(*puts)[-1]) == [("one", "clash")]
    assert written() == [f"{address(2)} two.dev.me.coder", f"{address(3)} three.dev.me.coder"]
    with open(d.theirs, "a", encoding="ascii") as file:
        file.write(f"{address(2)} two.dev.me.coder\n")
    d.stop()
    d.start()
    take = f"take two.dev.me.coder {address(2)}"
    receipt = feed.apply(take, f"take three.dev.me.coder {address(3)}", f"put four.dev.me.coder {address(4)} primary")[-1]
    # In the first answer only if it is the one of many that was asked for; the feed asks again, and repeats it.
    assert fates(receipt) in ([], [("two", "clash")])
    assert fates(feed.apply(take)[-1]) == [("two", "clash")]
    # Neither ours nor the probe's name is left, and theirs is answered.
    assert written() == [f"{address(4)} four.dev.me.coder"]
    assert d.addresses("two.dev.me.coder") == [address(2)] and d.addresses("four.dev.me.coder") == [address(4)]
    assert d.rcode("_holdfast-probe.coder") == dns.rcode.NXDOMAIN
    assert fates(feed.apply(f"take three.dev.me.coder {address(3)}")[-1]) == []


def test_a_taken_name_that_stays_is_a_clash_in_the_first_answer(tmp_path, hostsdir):
    """It is the one that is asked for: its file went with it."""
    theirs = tmp_path / "theirs"
    d = Dnsmasq(tmp_path, "--local=/coder/", f"--hostsdir={hostsdir}", f"--addn-hosts={theirs}").start()
    with driver(tmp_path, d, hostsdir) as feed:
        feed.good(f"put two.dev.me.coder {address(2)} primary")
        theirs.write_text(f"{address(2)} two.dev.me.coder\n")
        d.stop()
        d.start()
        began = time.monotonic()
        assert fates(feed.apply(f"take two.dev.me.coder {address(2)}")[-1]) == [("two", "clash")]
        assert time.monotonic() - began < 5 and not lines(hostsdir)
        # Where dnsmasq does not read the folder, that is not it: nothing is known, and nothing is done with.
        feed.good(f"put three.dev.me.coder {address(3)} primary")
        d.stop()
        theirs.write_text(f"{address(3)} three.dev.me.coder\n")
        d.options = ("--local=/coder/", f"--addn-hosts={theirs}")
        d.start()
        receipt = feed.apply(f"take three.dev.me.coder {address(3)}")[-1]
        assert receipt["code"] == "HF_ENOTREADY" and "does not read the folder" in receipt["text"], receipt
    d.stop()


def test_a_name_that_an_alias_of_others_shadows_stops_no_other(placed):
    d, feed, written = placed
    feed.good(f"put two.dev.me.coder {address(2)} primary", f"put three.dev.me.coder {address(3)} primary")
    d.stop()
    d.options = (*d.options, "--cname=two.dev.me.coder,one.dev.me.coder")
    d.start()
    assert address(2) not in d.addresses("two.dev.me.coder")
    for n in range(4):  # wherever its file is among those that are written
        receipt = feed.apply(f"put two.dev.me.coder {address(12 + n)} primary", f"put three.dev.me.coder {address(23 + n)} primary")[-1]
        assert fates(receipt) in ([], [("two", "clash")])
        assert d.addresses("three.dev.me.coder") == [address(23 + n)]


def test_a_pointer_that_a_line_of_others_decides_is_repaired_once(placed):
    """It leads to another name of ours: an order of ours that is old, or a copied line."""
    d, feed, written = placed
    feed.good(f"put two.dev.me.coder {address(2)} primary", f"put second.coder {address(2)}", f"put three.dev.me.coder {address(3)} primary")
    d.theirs.write_text(f"{address(2)} second.coder\n")
    d.stop()
    d.start()
    assert d.ptr(2) == ["second.coder."]
    expects = [f"expect {n}.dev.me.coder {address(i)} primary" for n, i in (("two", 2), ("three", 3))]
    assert [(n["name"], n["is"]) for n in feed.verify(*expects)["not"]] == [("two.dev.me.coder", "not-so")]
    feed.good(f"put two.dev.me.coder {address(2)} primary")
    for _ in range(3):
        assert [(n["name"], n["is"]) for n in feed.verify(*expects)["not"]] == [("two.dev.me.coder", "foreign")]
    d.theirs.write_text("")
    d.stop()
    d.start()
    assert feed.verify(*expects)["not"] == [] and d.ptr(2) == ["two.dev.me.coder."]


def test_an_older_state_comes_back_while_we_live(placed, hostsdir):
    """As a backup writes it: other inodes, other times, valid sums."""
    d, feed, written = placed
    feed.good(*names(3))
    old = {path.name: path.read_bytes() for path in hostsdir.iterdir() if path.is_file()}
    feed.good(f"take a1.w1.u.coder {address(1001)}", f"put a2.w2.u.coder {address(1012)} primary",
              f"put a3.w3.u.coder {address(1003)} primary")
    right = written()
    for name, data in old.items():
        (hostsdir / ".copy").write_bytes(data)
        (hostsdir / ".copy").rename(hostsdir / name)
    assert written() != right
    # Whoever lists sees it before it is repaired: nothing of it is overlooked.
    assert ("a1.w1.u.coder", address(1001)) in {(n, a) for n, a, _ in feed.list()}
    wait_for(lambda: written() == right, 8, 0.1)
    wait_for(lambda: d.rcode("a1.w1.u.coder") == dns.rcode.NXDOMAIN and d.addresses("a2.w2.u.coder") == [address(1012)] and
             d.addresses("a3.w3.u.coder") == [address(1003)], 8, 0.1)


def is_synced(bridge):
    """The socket of a bridge before this one may be there, and nobody behind it."""
    with contextlib.suppress(OSError):
        return bridge.ask("status")[0]["adapters"][0]["state"] == "synced"


@pytest.mark.parametrize("where", ["hostsdir", "hosts-file"])
def test_what_a_killed_bridge_left_half_written_goes_at_the_next_start(tmp_path, dnsmasq, hostsdir, where):
    """Also if nothing has changed meanwhile; files of others stay, whatever they are."""
    place = f"hostsdir: {hostsdir}" if where == "hostsdir" else f"hosts-file: {hostsdir}/names"
    top = f"adapters: [{{ type: dnsmasq, {place}, ask: 127.0.0.1@{dnsmasq.port} }}]\n"
    ours = hostsdir / (".holdfast-123.hosts.tmp" if where == "hostsdir" else ".names.tmp")
    theirs = [hostsdir / name for name in (".holdfast-123.hosts.old", ".other.tmp", "..holdfast-123.hosts.tmp.tmp")]
    with Simulator(tmp_path, "suffix coder\nuser alice 1\nsnapshot alice 1=dev:7=main\n") as server:
        for life in range(2):
            with Bridge(tmp_path, server.url, top=top) as bridge:
                wait_for(lambda b=bridge: is_synced(b))
                wait_for(lambda: not ours.exists())
                assert all(p.exists() for p in theirs) or not life
            for path in ours, *theirs:
                path.write_text(f"{address(999)} half.coder\n")
