# SPDX-License-Identifier: Apache-2.0
"""The hosts adapter on real files: the block is right, every other byte is as it was, and who holds a lock is waited for."""
import ctypes
import errno
import fcntl
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import threading
import time

import pytest

from driver import Driver
from server import wait_for
from zone import address, program

LONG = bool(os.environ.get("HF_LONG"))
NAME = "main.dev.me.coder"
TEXT = "127.0.0.1\tlocalhost\n::1 localhost ip6-localhost\n# a comment\n"


@pytest.fixture
def tmp_path():
    path = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def hosts(tmp_path):
    path = tmp_path / "etc" / "hosts"
    path.parent.mkdir()
    path.write_text(TEXT)
    return path


def driver(tmp_path, hosts, more=""):
    return Driver(tmp_path, f"type: hosts, path: {hosts}{more}")


@pytest.fixture
def feed(tmp_path, hosts):
    with driver(tmp_path, hosts) as d:
        yield d


def block(*lines):
    return "\n".join(["# BEGIN HOLDFAST: rewritten down to END, do not edit", *lines, "# END HOLDFAST", ""])


def names(n, first=0):
    return [f"put a{i}.w{i}.u.coder {address(1000 + i)} primary" for i in range(first, first + n)]


def test_add_change_remove(feed, hosts):
    feed.good(f"put main.dev.alice.coder {address(1)}", f"put {NAME} {address(1)} primary", f"put x.y.me.coder {address(2)} primary")
    assert hosts.read_text() == TEXT + block(f"{address(1)} {NAME}", f"{address(1)} main.dev.alice.coder",
                                             f"{address(2)} x.y.me.coder")
    assert feed.list() == {(NAME, address(1), True), ("main.dev.alice.coder", address(1), False),
                           ("x.y.me.coder", address(2), True)}
    feed.good(f"put {NAME} {address(3)} primary", f"take main.dev.alice.coder {address(1)}")
    assert hosts.read_text() == TEXT + block(f"{address(2)} x.y.me.coder", f"{address(3)} {NAME}")
    verdict = feed.verify(f"expect {NAME} {address(3)} primary", f"expect {NAME} {address(1)}", f"absent {NAME} {address(1)}",
                          f"absent {NAME} {address(3)}", f"expect none.me.coder {address(3)}")
    assert [(n["name"], n["is"]) for n in verdict["not"]] == [(NAME, "not-so"), (NAME, "not-so"), ("none.me.coder", "not-so")]
    feed.good(f"take {NAME} {address(3)}", f"take x.y.me.coder {address(2)}")
    assert hosts.read_text() == TEXT + block()  # it says that there are no names
    feed.clean()
    assert hosts.read_text() == TEXT


def test_what_is_unchanged_is_not_written(feed, hosts, tmp_path):
    feed.good(*names(50))
    before = hosts.stat()
    for _ in range(20):
        feed.good(*names(50))
    feed.__exit__()
    with driver(tmp_path, hosts) as again:
        again.good(*names(50))
    after = hosts.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


SHAPES = {
    "empty": b"",
    "no final newline": b"127.0.0.1 localhost",
    "crlf": b"127.0.0.1 localhost\r\n# x\r\n",
    "crlf without the last": b"127.0.0.1 localhost\r\n::1 localhost",
    "odd bytes": b"\xff\xfe junk \x00 \x01\n\n\n   \n#\n" + b"x" * 5000 + b"\n",
    "tabs and trailing blanks": b"\t127.0.0.1  a b c   \n\n",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_foreign_bytes_stay(feed, hosts, shape):
    was = SHAPES[shape]
    hosts.write_bytes(was)
    feed.good(*names(3))
    now = hosts.read_bytes()
    assert now.startswith(was) and now.count(b"coder") == 3
    ours = now[len(was):]
    if "crlf" in shape:
        assert ours.count(b"\r\n") == ours.count(b"\n")
    else:
        assert b"\r" not in ours
    assert len(feed.list()) == 3
    feed.good(*(f"take{line[3:]}" for line in names(3)))
    assert hosts.read_bytes().startswith(was)
    feed.clean()
    assert hosts.read_bytes() == was


def test_lines_that_others_add_stay(feed, hosts):
    feed.good(*names(2))
    first, second = hosts.read_text().split("# END HOLDFAST\n")
    hosts.write_text("10.0.0.1 before\n" + first + "10.0.0.2 within\nfd00::1 within6 # x\n# END HOLDFAST\n" + second + "10.0.0.3 after")
    wait_for(lambda: hosts.read_text().endswith("END HOLDFAST\n10.0.0.2 within\nfd00::1 within6 # x\n10.0.0.3 after"), 5, 0.1)
    assert hosts.read_text().startswith("10.0.0.1 before\n" + TEXT) and len(feed.list()) == 2
    feed.good(*(f"take{line[3:]}" for line in names(2)))
    feed.clean()
    assert hosts.read_text() == "10.0.0.1 before\n" + TEXT + "10.0.0.2 within\nfd00::1 within6 # x\n10.0.0.3 after"


def test_a_block_that_others_changed_is_repaired(feed, hosts):
    feed.good(*names(5))
    want = hosts.read_text()
    for spoilt in (TEXT, want.replace(address(1001), address(7)), want.replace(f"{address(1002)} a2.w2.u.coder\n", "")):
        hosts.write_text(spoilt)
        wait_for(lambda: sorted(hosts.read_text().splitlines()) == sorted(want.splitlines()), 5, 0.1)
    hosts.unlink()
    wait_for(lambda: hosts.exists() and hosts.read_text() == block(*(f"{address(1000 + i)} a{i}.w{i}.u.coder" for i in range(5))), 5, 0.1)


BROKEN = {
    "begins twice": (TEXT + block("a") + block("b"), "line 7 begins a block of Holdfast's, and so does line 4"),
    "does not end": (TEXT + "# BEGIN HOLDFAST\nx\n", "line 4 begins a block of Holdfast's that does not end"),
    "does not begin": (TEXT + "# END HOLDFAST\n", "line 4 ends a block of Holdfast's that does not begin"),
    "ends twice": (TEXT + block("a") + "# END HOLDFAST\n", "line 7 ends"),
    "begins within": (TEXT + "# BEGIN HOLDFAST\n# BEGIN HOLDFAST\n# END HOLDFAST\n", "line 5 begins"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_block_is_refused(feed, hosts, how):
    text, why = BROKEN[how]
    hosts.write_text(text)
    receipt = feed.apply(*names(1))[-1]
    assert receipt["code"] == "HF_EREFUSED" and why in receipt["text"] and str(hosts) in receipt["text"], receipt
    assert hosts.read_text() == text
    hosts.write_text(TEXT)
    feed.retry()
    assert len(feed.list()) == 1


def test_mode_owner_and_attributes_stay(feed, hosts):
    os.chown(hosts, 1234, 4321)
    hosts.chmod(0o664)
    try:
        os.setxattr(hosts, "user.note", b"kept")
    except OSError as e:
        assert e.errno == errno.ENOTSUP
    feed.good(*names(1))
    st = hosts.stat()
    assert (st.st_uid, st.st_gid, st.st_mode & 0o7777) == (1234, 4321, 0o664)
    if os.listxattr(hosts):
        assert os.getxattr(hosts, "user.note") == b"kept"
    assert os.listdir(hosts.parent) == ["hosts"]


def test_a_file_with_two_names_is_written_in_place(feed, hosts, tmp_path):
    os.link(hosts, tmp_path / "other")
    feed.good(*names(3))
    assert (tmp_path / "other").read_text() == hosts.read_text() and hosts.stat().st_nlink == 2
    feed.good(*(f"take{line[3:]}" for line in names(3)))
    feed.clean()
    assert (tmp_path / "other").read_text() == TEXT


def flock(f):
    fcntl.flock(f, fcntl.LOCK_EX)


def posix(f):
    fcntl.lockf(f, fcntl.LOCK_EX)


@pytest.mark.parametrize("lock", [flock, posix])
def test_a_lock_is_waited_for_and_nothing_blocks(feed, hosts, lock):
    with open(hosts, "r+") as f:
        lock(f)
        timer = threading.Timer(1.5, f.close)
        timer.start()
        began = time.monotonic()
        feed.send(*names(1), "apply")
        feed.until("applied")
        assert 1.2 < time.monotonic() - began < 4
    assert len(feed.list()) == 1
    text = hosts.read_text()
    with open(hosts, "r+") as f:  # whoever has a POSIX lock may not even close the file elsewhere
        lock(f)
        began = time.monotonic()
        receipt = feed.apply(*names(2))[-1]
        assert receipt["code"] == "EBUSY" and "locked" in receipt["text"] and 4.5 < time.monotonic() - began < 8
    assert hosts.read_text() == text
    feed.retry()
    assert len(feed.list()) == 2


def test_a_symlink_is_not_followed(feed, hosts, tmp_path):
    hosts.rename(tmp_path / "real")
    hosts.symlink_to(tmp_path / "real")
    receipt = feed.apply(*names(1))[-1]
    assert receipt["code"] == "ELOOP" and "symlink" in receipt["text"]
    assert (tmp_path / "real").read_text() == TEXT and hosts.is_symlink()


def test_what_is_no_file_is_refused(feed, hosts):
    hosts.unlink()
    hosts.mkdir()
    assert feed.apply(*names(1))[-1]["code"] == "EISDIR"
    hosts.rmdir()
    os.mkfifo(hosts)
    receipt = feed.apply(*names(1))[-1]
    assert receipt["code"] == "HF_EUNSAFE" and "no regular file" in receipt["text"]


def test_clashes_and_limits(tmp_path, hosts):
    hosts.write_text("192.0.2.1 FOUR.dev.me.coder other\nfd00::1 six.dev.me.coder.\n" + f"{address(9)} same.dev.me.coder\n")
    with driver(tmp_path, hosts, ", max-names: 3") as feed:
        receipt = feed.apply(*(f"put {n}.dev.me.coder {address(9)}" for n in ("four", "six", "same", "free", "more")))[-1]
        assert [(n["name"], n["fate"]) for n in receipt["not"]] == [(f"{n}.dev.me.coder", "clash") for n in ("four", "six", "same")]
        assert {n for n, _, _ in feed.list()} == {"free.dev.me.coder", "more.dev.me.coder"}
        receipt = feed.apply(*names(3))[-1]
        assert [n["fate"] for n in receipt["not"]] == ["unfit", "unfit"] and "max-names" in feed.warned("many-names")
        feed.good(f"take free.dev.me.coder {address(9)}", *names(2))
        hosts.write_text(hosts.read_text().replace("192.0.2.1 FOUR", "192.0.2.1 a0.w0.u.coder FOUR"))
        verdict = feed.verify(f"expect a0.w0.u.coder {address(1000)}", f"expect a1.w1.u.coder {address(1001)}")
        assert [(n["name"], n["is"]) for n in verdict["not"]] == [("a0.w0.u.coder", "foreign")]


def wire(*labels):
    return "0x" + b"".join(bytes([len(x)]) + x for x in labels).hex() + "00"


def test_hostile_names_smuggle_nothing(feed, hosts):
    bad = [b"a\nb", b"a b", b"a#b", b"a\tb", b"a\r", b"\x00", b"a.b", b"\xff", b"*", b"\\", b"\n# END HOLDFAST\n"]
    receipt = feed.apply(*(f"put {wire(h, b'dev', b'me', b'coder')} {address(9)}" for h in bad), "put a.me.coder fd00::1")[-1]
    assert len(receipt["not"]) == receipt["done"] == len(bad) + 1 and {n["fate"] for n in receipt["not"]} == {"unfit"}
    assert hosts.read_text() == TEXT


def test_killed_at_random_points(tmp_path, hosts):
    rng = random.Random(3)
    for turn in range(100 if LONG else 20):
        feed = driver(tmp_path, hosts)
        feed.send(*names(900, turn), "apply", *(f"take{line[3:]}" for line in names(450, turn)), "apply")
        time.sleep(rng.random() * 0.1)
        feed.kill()
        text = hosts.read_text()
        assert text.startswith(TEXT) and text.count("# BEGIN HOLDFAST") == text.count("# END HOLDFAST") <= 1
    with driver(tmp_path, hosts) as feed:
        feed.good(*(f"take{line[3:]}" for line in names(900 + turn)))
        feed.clean()
    assert hosts.read_text() == TEXT


def test_what_was_removed_while_nobody_looked_is_told(tmp_path, hosts):
    with driver(tmp_path, hosts) as feed:
        feed.good(*names(10))
    hosts.write_text(TEXT)
    with driver(tmp_path, hosts) as feed:
        feed.send(*(f"adopt {line[4:]}" for line in names(10)))
        feed.complete()
        feed.wait(300)
        assert len(feed.lost()) == 1 and "10 names were missing" in feed.lost()[0]


def unshared(script, *args):
    """A script in a mount namespace of its own, or a skip where there can be none."""
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("no mount namespaces")
    return subprocess.run(["unshare", "-m", "sh", "-ec", script, "sh", *map(str, args)], capture_output=True, text=True, timeout=60)


def config(tmp_path, hosts):
    path = tmp_path / "ns.yaml"
    path.write_text("sources: [{url: 'https://coder.example.com', token-file: /etc/hf-token, suffix: coder}]\n"
                    f"adapters: [{{name: it, type: hosts, path: {hosts}}}]\n")
    path.chmod(0o600)
    return path


def lines_for(tmp_path, *lines):
    path = tmp_path / "lines"
    path.write_text("".join(f"{line}\n" for line in ("zones 30 coder", *lines)))
    return path


def test_a_bind_mount_is_written_in_place(tmp_path, hosts):
    real = tmp_path / "real"
    real.write_text(TEXT)
    got = unshared('mount --bind "$1" "$2"; cat "$5" | "$3" "$4" it; cat "$2"', real, hosts, program("tests/resolver/adapter_driver"),
                   config(tmp_path, hosts), lines_for(tmp_path, *names(3), "apply"))
    assert '"done":3' in got.stdout and not got.stderr, got
    assert real.read_text() == TEXT + block(*(f"{address(1000 + i)} a{i}.w{i}.u.coder" for i in range(3)))
    assert real.read_text() in got.stdout and hosts.read_text() == TEXT


def test_a_read_only_mount_is_said(tmp_path, hosts):
    got = unshared('mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; cat "$4" | "$2" "$3" it', hosts.parent,
                   program("tests/resolver/adapter_driver"), config(tmp_path, hosts), lines_for(tmp_path, *names(1), "apply"))
    assert '"code":"EROFS"' in got.stdout and "read-only" in got.stdout, got
    assert hosts.read_text() == TEXT


def test_programs_resolve_the_names(tmp_path, hosts):
    # Not `getent ahostsv6`, which finds no IPv6 address on a machine that has none but ::1.
    look = ('mount --bind "$1" /etc/hosts; /usr/bin/python3 -c "import socket, sys; '
            'print(socket.getaddrinfo(sys.argv[1], None, socket.AF_INET6)[0][4][0], flush=True)" "$2"; '
            'getent hosts "$3"; getent hosts "$4" || echo none')
    got = unshared(look, hosts, NAME, address(1), "no.dev.me.coder")
    assert got.stdout == "none\n" or got.returncode  # not there yet
    with driver(tmp_path, hosts) as feed:
        feed.good(f"put {NAME} {address(1)} primary", f"put main.dev.alice.coder {address(1)}")
    got = unshared(look, hosts, NAME, address(1), "no.dev.me.coder")
    assert f"{address(1)}\n" in got.stdout and f"{address(1)} {NAME}" in " ".join(got.stdout.split()) and "none" in got.stdout, got


def test_without_rights(tmp_path, hosts):
    if os.geteuid():
        pytest.skip("not root")
    drop = ctypes.CDLL(None)

    def as_nobody():
        os.setgroups([])
        drop.setresgid(65534, 65534, 65534)
        drop.setresuid(65534, 65534, 65534)

    path = config(tmp_path, hosts)
    path.chmod(0o644)
    it = shutil.copy(program("tests/resolver/adapter_driver"), tmp_path / "driver")  # nobody may not look into every folder
    got = subprocess.run([it, path, "it"], input="\n".join([*names(1), "apply", "doctor", ""]),
                         capture_output=True, text=True, preexec_fn=as_nobody, timeout=30)
    assert '"code":"EACCES"' in got.stdout and "holdfast-hosts.path" in got.stdout, got
    # A file that it may write in a folder that it may not.
    os.chown(hosts, 65534, 65534)
    got = subprocess.run([it, path, "it"], input="\n".join([*names(1), "apply", ""]),
                         capture_output=True, text=True, preexec_fn=as_nobody, timeout=30)
    assert '"done":1' in got.stdout, got
    assert "a0.w0.u.coder" in hosts.read_text()


def test_doctor_and_setup(feed, hosts):
    feed.good(*names(2))
    found = feed.doctor()
    assert not [f for f in found if f["grade"] == "bad"] and len(found) == 2
    hosts.write_text(BROKEN["begins twice"][0])
    assert [f for f in feed.doctor() if f["grade"] == "bad" and "line 7" in f["text"]]
    assert str(hosts) in feed.setup()


def copy(source, target, *before):
    return subprocess.run([*before, program("adapters/holdfast-hosts"), source, target], capture_output=True, text=True, timeout=30)


def test_the_copy_for_a_file_that_the_bridge_may_not_write(tmp_path, hosts):
    source = tmp_path / "source"
    with driver(tmp_path, source) as feed:
        feed.good(*names(3))
    source.chmod(0o600)
    hosts.write_text("192.0.2.1 a1.w1.u.coder\n" + TEXT)
    theirs = hosts.read_text()
    want = theirs + block(*(f"{address(1000 + i)} a{i}.w{i}.u.coder" for i in (0, 2)))
    # As holdfast-hosts.service runs it: root without rights but one.
    limited = ["setpriv", "--bounding-set", "-all,+dac_read_search", "--inh-caps", "-all"]
    for _ in range(2):
        got = copy(source, hosts, *limited)
        assert got.returncode == 0 and "1 names are others'" in got.stderr, got
        assert hosts.read_text() == want
    source.write_text("127.0.0.1 evil.example\n" + block("127.0.0.1 evil.example", f"{address(5)} a b", "fd00::1 x.coder",
                                                         f"{address(5)} good.coder"))
    assert copy(source, hosts).returncode == 0
    assert hosts.read_text() == theirs + block(f"{address(5)} good.coder")
    hosts.write_text(BROKEN["ends twice"][0])
    got = copy(source, hosts)
    assert got.returncode == 1 and "line 7" in got.stderr and hosts.read_text() == BROKEN["ends twice"][0]
    assert copy(source, tmp_path / "no" / "hosts").returncode == 1


@pytest.mark.parametrize("says", [None, "", TEXT], ids=["missing", "empty", "no block"])
def test_a_source_without_a_block_touches_nothing(tmp_path, hosts, says):
    source = tmp_path / "source"
    with driver(tmp_path, source) as feed:
        feed.good(*names(3))
    assert copy(source, hosts).returncode == 0
    want = hosts.read_text()
    assert want == TEXT + block(*(f"{address(1000 + i)} a{i}.w{i}.u.coder" for i in range(3)))
    was = hosts.stat()
    source.unlink()
    if says is not None:
        source.write_text(says)
    got = copy(source, hosts)
    assert got.returncode == 0 and "nothing is changed" in got.stderr and str(source) in got.stderr, got
    assert hosts.read_text() == want and hosts.stat().st_ino == was.st_ino


def test_that_there_are_no_names_is_said_to_the_copy(tmp_path, hosts):
    source = tmp_path / "source"
    with driver(tmp_path, source) as feed:
        feed.good(*names(3))
        assert copy(source, hosts).returncode == 0 and hosts.read_text() != TEXT
        feed.good(*(f"take{line[3:]}" for line in names(3)))
        assert source.read_text() == block()
        assert copy(source, hosts).returncode == 0 and hosts.read_text() == TEXT
        feed.good(*names(3))
        assert copy(source, hosts).returncode == 0 and hosts.read_text() != TEXT
        feed.good(*(f"take{line[3:]}" for line in names(3)))
        feed.clean()  # nobody but us has a line in it: the empty block goes on to say it
    assert source.read_text() == block()
    assert copy(source, hosts).returncode == 0 and hosts.read_text() == TEXT


def test_a_comment_that_begins_alike_is_no_block(feed, hosts):
    text = TEXT + "# BEGIN HOLDFASTER\n# END HOLDFASTING\n"
    hosts.write_text(text)
    feed.good(*names(1))
    assert hosts.read_text() == text + block(f"{address(1000)} a0.w0.u.coder")


# --- editors beside us ---

# What people and programs do to a hosts file, without a word to us. Each adds the line `10.9.A.B addedN`.


def append(path, line):
    with open(path, "a", encoding="ascii") as f:
        f.write(line)


def rename(path, line):
    new = path.with_name(f".new-{threading.get_ident()}")
    new.write_text(path.read_text() + line)
    new.rename(path)


def sed(path, line):
    subprocess.run(["sed", "-i", f"1i{line.strip()}", path], check=True)


def lock_and_append(path, line):
    """With a lock that it has waited for, on whatever file it has opened."""
    with open(path, "a", encoding="ascii") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        f.write(line)


def slow_append(path, line):
    """As a shell does whose command takes its time: the file is opened long before the line comes."""
    with open(path, "a", encoding="ascii") as f:
        time.sleep(random.random() * 0.02)
        f.write(line)


EDITORS = {  # how, lines in a short run, in a long one; whether it also works on a file that is written in place
    "append": (append, 1500, 10000, True),
    "sed -i": (sed, 200, 10000, False),
    "rename": (rename, 600, 10000, False),
    "lock": (lock_and_append, 1500, 10000, True),
    "slow append": (slow_append, 150, 5000, True),
}


@pytest.mark.parametrize("how", [(name, False) for name in EDITORS] + [(name, True) for name in EDITORS if EDITORS[name][3]],
                         ids=lambda how: how[0] + (" in place" if how[1] else ""))
def test_editors_at_full_speed_lose_no_line(feed, hosts, tmp_path, how):
    edit, short, long, _ = EDITORS[how[0]]
    n = long if LONG else short
    hosts.write_text(TEXT + "".join(f"10.0.{i // 250}.{i % 250 + 1} host{i}\n" for i in range(500)))
    theirs = hosts.read_text()
    if how[1]:
        os.link(hosts, tmp_path / "other")
    feed.good(*names(20))
    done = threading.Event()
    failed = []

    def editor():
        try:
            for i in range(n):
                edit(hosts, f"10.9.{i // 250}.{i % 250 + 1} added{i}\n")
                time.sleep(0.001)  # else it is over before we have written twice
        except BaseException as e:
            failed.append(e)
        done.set()

    thread = threading.Thread(target=editor)
    thread.start()
    turns = 0
    while not done.is_set():
        feed.send(f"put a.turn{turns}.u.coder {address(5000 + turns % 50)} primary", "apply")
        feed.until("applied")
        feed.send(f"take a.turn{turns}.u.coder {address(5000 + turns % 50)} primary", "apply")
        feed.until("applied")
        turns += 1
    thread.join()
    assert not failed, failed
    want = sorted(theirs.splitlines() + [f"10.9.{i // 250}.{i % 250 + 1} added{i}" for i in range(n)])

    def foreign():
        text = hosts.read_text()
        return sorted((text[:text.index("# BEGIN")] + text[text.index("# END HOLDFAST\n") + 15:]).splitlines())

    def settled():
        return foreign() == want

    try:
        wait_for(settled, 10, 0.1)
    except AssertionError:
        got = foreign()
        missing = [line for line in want if line not in set(got)]
        raise AssertionError(f"{turns} turns; {len(missing)} of {n} lost, {len(got) - len(want) + len(missing)} too many: {missing[:5]}")
    assert turns > 1
