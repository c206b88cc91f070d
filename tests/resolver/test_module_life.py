# SPDX-License-Identifier: Apache-2.0
"""
How the module lives inside unbound: from the first query on, through reloads, whatever happens to the zone folder, with an upstream that is dead, in an
unbound that it was not built for.
"""
import os
import pathlib
import random
import shutil
import socket
import subprocess
import time

import dns.flags
import dns.message
import dns.rcode
import pytest

from module import MODULE, UNBOUND, Unbound, need_module
from server import LOOPBACK, Responder, addresses, ede, question, wait_for
from upstream import Upstream
from zone import BUILD, Zone, address, program

LONG = bool(os.environ.get("HF_LONG"))
NAMES = 20_000
SECONDS = 30 if LONG else 5
ROUNDS = 10_000 if LONG else 200
NAME = "a1.w1.me.coder"
SLOW = 10 if "tsan" in BUILD.name else 1  # how many times less often it is asked: what is sought there are not losses


def others(name, rdtype):
    return [f"{name} 60 IN A 192.0.2.1"] if rdtype == "A" and name.endswith(".example.") else None


@pytest.fixture(scope="module")
def upstream():
    with Upstream(others) as u:
        yield u


@pytest.fixture(scope="module", autouse=True)
def module_is_there():
    need_module()


@pytest.fixture(scope="module")
def zone(tmp_path_factory):
    with Zone(tmp_path_factory.mktemp("zone") / "zone", f"many {NAMES}") as z:
        yield z


# What comes in while a slow machine, or a sanitizer, holds unbound up is not to be lost on the way to it.
PATIENT = "  so-rcvbuf: 4m\n"


def resolves_all_else(u):
    name = f"x{random.getrandbits(40)}.example"
    return u.ask(name, "A").rcode() == dns.rcode.NOERROR


def flood(port, seconds, *options):
    return subprocess.Popen([program("tests/bench/flood"), *options, LOOPBACK, str(port), str(seconds), str(NAMES)],
                            stdout=subprocess.PIPE, text=True)


def assert_all_right(asking, at_least):
    words = asking.communicate(timeout=SECONDS + 60)[0].split()
    r = {k: float(v) for k, v in zip(words[::2], words[1::2])}
    assert r["wrong"] == 0 and r["lost"] == 0 and r["answered"] >= at_least, r


# --- start, reload, threads ---

@pytest.mark.parametrize("threads", [1, 4])
def test_the_first_query_is_answered_with_nobody_else_alive(zone, tmp_path, threads):
    for n in range(1, 4):
        with Unbound(tmp_path, zone.folder, threads=threads) as u:
            assert addresses(u.ask(f"a{n}.w{n}.me.coder")) == [address(n)]
        assert u.process.returncode == 0, u.log()


def test_nothing_is_lost_over_reloads_under_load(zone, upstream, tmp_path):
    """Of what has come in; unbound itself drops what it works on at that moment, so each question is asked until it is answered."""
    with Unbound(tmp_path, zone.folder, upstream=upstream.port, threads=4, more=PATIENT) as u:
        for _ in range(5):
            asking = flood(u.port, 1, "-r", str(2000 // SLOW))
            time.sleep(0.3)
            u.control("reload")
            assert addresses(u.ask(NAME)) == [address(1)]
            asking.communicate(timeout=20)
            assert_all_right(flood(u.port, 1, "-r", str(1000 // SLOW)), 500 // SLOW)
            assert resolves_all_else(u)
        assert u.log().count("holdfast: module") == 6
        assert u.counters()["errors"] == "0"


def test_nothing_is_lost_or_wrong_while_the_zone_is_rewritten(zone, upstream, tmp_path):
    with Unbound(tmp_path, zone.folder, upstream=upstream.port, threads=4, more=PATIENT) as u:
        asking = flood(u.port, SECONDS, "-r", str(2000 // SLOW))
        n = 0
        while asking.poll() is None:
            zone.publish("clear", f"many {NAMES}")
            zone.publish(f"extra.w.me.coder #{n + 1_000_000}")
            n += 1
        assert_all_right(asking, SECONDS * 1500 // SLOW)
        assert n >= 2


def test_it_follows_the_zone_in_its_own_processes(zone, tmp_path):
    """TCP, and queries of many clients, go to all threads: each has the newest zone."""
    with Unbound(tmp_path, zone.folder, threads=4) as u:
        for n in range(5):
            zone.publish(f"now.w.me.coder #{n + 1}")
            time.sleep(0.05)
            for i in range(16):
                assert addresses(u.ask("now.w.me.coder", tcp=i % 2 == 0)) == [address(n + 1)]


# --- the zone's folder ---

def test_a_zone_that_is_missing_is_passed_on_and_taken_up(upstream, tmp_path):
    folder = tmp_path / "zone"
    with Unbound(tmp_path, folder, upstream=upstream.port, forward=False, threads=2) as u:
        assert u.ask(NAME).rcode() == dns.rcode.NXDOMAIN  # upstream's word
        assert (f"{NAME}.", "AAAA") in upstream.asked and resolves_all_else(u)
        u.wait_log("passed on")
        with Zone(folder, f"{NAME} #1"):
            # What upstream said is in unbound's cache, for 60 s (the printed forward-zones prevent that); other names are there at once.
            wait_for(lambda: u.ask(f"x{random.getrandbits(40)}.coder").flags & dns.flags.AA, 3)
            u.control("flush", NAME)
            assert addresses(u.ask(NAME)) == [address(1)]
            u.wait_log("answers out of")


def test_a_suffix_in_the_file_beside_the_module_is_not_ready_until_there_is_a_zone(upstream, tmp_path):
    so = tmp_path / "holdfast_unbound.so"
    shutil.copy(MODULE, so)
    folder = tmp_path / "zone"
    so.with_suffix(".conf").write_text(f"zone: {folder}\nsuffix: coder\nwrong: line\nnot-ready: servfail\n")
    with Unbound(tmp_path, folder, upstream=upstream.port, module=so, env={"HOLDFAST_ZONE": ""}) as u:
        m = u.ask(NAME)
        assert m.rcode() == dns.rcode.SERVFAIL and ede(m) == [14] and resolves_all_else(u)
        u.wait_log("holdfast_unbound.conf:3: 'wrong: line'")
        with Zone(folder, f"{NAME} #1"):
            wait_for(lambda: addresses(u.ask(NAME)) == [address(1)], 3)


def test_a_zone_that_is_removed_stays_in_use_and_another_is_taken_up(upstream, tmp_path):
    folder, gone = tmp_path / "zone", tmp_path / "gone"
    with Zone(folder, f"{NAME} #1"), Unbound(tmp_path, folder, upstream=upstream.port, threads=2) as u:
        assert addresses(u.ask(NAME)) == [address(1)]
        os.rename(folder, gone)
        time.sleep(1.1)
        assert addresses(u.ask(NAME)) == [address(1)] and resolves_all_else(u)
        u.ask(NAME)
        u.wait_log("stays")
        with Zone(folder, f"{NAME} #2", "epoch " + "ab" * 16):
            wait_for(lambda: addresses(u.ask(NAME)) == [address(2)], 3)
        shutil.rmtree(folder)
        os.rename(gone, folder)
        wait_for(lambda: addresses(u.ask(NAME)) == [address(1)], 3)


def harm(path, rng):
    """One of the ways in which a file goes bad. What it was is to be put back by its bytes."""
    kind = rng.randrange(8)
    data = bytearray(path.read_bytes())
    if kind == 0 and data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del data[rng.randrange(len(data) + 1):]
    elif kind == 2:
        data = bytearray(len(data))
    elif kind == 3:
        data = bytearray(rng.randbytes(len(data)))
    elif kind == 4:
        data += rng.randbytes(100)
    elif kind == 5:
        path.unlink()
        path.mkdir()
        return
    elif kind == 6:
        path.unlink()
        path.symlink_to("/dev/zero")
        return
    else:
        path.unlink()
        return
    if rng.random() < 0.5:
        path.write_bytes(data)  # under the reader, in place
    else:
        new = path.with_name("new")
        new.write_bytes(data)
        new.rename(path)


def clear_away(path):
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def test_damaged_zones_under_a_running_unbound(upstream, tmp_path):
    """Each round: harm, questions, the good files again with another generation. No death, no wrong address."""
    seed = time.time_ns()
    print("seed", seed)
    rng = random.Random(seed)
    folder = tmp_path / "zone"
    right = wrong = 0
    with Zone(folder, "many 50") as z, Unbound(tmp_path, folder, upstream=upstream.port, threads=2) as u:
        assert addresses(u.ask(NAME)) == [address(1)]
        for round_ in range(ROUNDS):
            victims = [p for p in folder.iterdir() if p.name.startswith(("base-", "delta-", "current", "pulse"))]
            victim = rng.choice(victims)
            harm(victim, rng)
            time.sleep(0.012)
            for _ in range(6):
                n = rng.randrange(1, 51)
                m = u.ask(f"a{n}.w{n}.me.coder")
                right += addresses(m) == [address(n)]
                wrong += addresses(m) not in ([], [address(n)])
            if round_ % 20 == 0:
                assert resolves_all_else(u)
            clear_away(victim)
            z.kill()
            for p in folder.iterdir():
                clear_away(p)
            z.open()
            z.publish("many 50")
            if round_ % 20 == 19:
                wait_for(lambda: u.ask("a1.w1.me.coder").answer and not ede(u.ask("a1.w1.me.coder")), 5)
        wait_for(lambda: addresses(u.ask("a7.w7.me.coder")) == [address(7)], 5)
        assert wrong == 0 and right == ROUNDS * 6, (right, wrong)


# --- upstream is dead ---

def test_no_answer_of_ours_is_lost_while_6000_others_wait_for_a_dead_upstream(zone, tmp_path):
    """All from one address, as behind an office's forwarder; by the printed lines. Without them it loses them."""
    many = 6000 // SLOW
    with Upstream(others) as dead, Unbound(tmp_path, zone.folder, upstream=dead.port, more=PATIENT) as u, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        dead.silent = True
        s.connect((LOOPBACK, u.port))
        for n in range(many):
            s.send(question(f"dead{n}.example", "A").to_wire())
            if n % 50 == 49:
                time.sleep(0.01)
        waiting = lambda: int(next(line.split("=")[1] for line in u.control("stats_noreset").splitlines()
                                   if line.startswith("total.requestlist.current.user=")))
        wait_for(lambda: waiting() >= many - 100 // SLOW, 20, every=0.2)
        for n in range(1, 1001):
            assert addresses(u.ask(f"a{n}.w{n}.me.coder", timeout=1)) == [address(n)]
        assert waiting() >= many * 5 // 6


def test_a_flood_of_unknown_names_is_answered_by_the_zone(zone, upstream, tmp_path):
    before = len(upstream.asked)
    with Unbound(tmp_path, zone.folder, upstream=upstream.port, more=PATIENT) as u:
        bad = flood(u.port, SECONDS, "-x", "-w", "64")
        assert_all_right(flood(u.port, SECONDS - 1, "-r", str(500 // SLOW)), (SECONDS - 1) * 350 // SLOW)
        bad.communicate(timeout=60)
        assert len(upstream.asked) == before


# --- an unbound that it was not built for ---

def other_unbound(folder):
    """The same program with another build id."""
    wrong = folder / "unbound"
    data = UNBOUND.read_bytes()
    ident = bytes.fromhex(build_id(UNBOUND))
    assert data.count(ident) == 1
    wrong.write_bytes(data.replace(ident, bytes(b ^ 0xff for b in ident)))
    wrong.chmod(0o755)
    return wrong


def build_id(path):
    text = subprocess.run(["readelf", "-n", path], capture_output=True, text=True, check=True).stdout
    return text.split("Build ID: ")[1].split()[0]


def test_in_an_unbound_that_it_was_not_built_for_it_is_off(zone, upstream, tmp_path):
    """Loudly; all else resolves, and by the printed lines our names come from holdfast-dns."""
    with Responder(tmp_path, zone.folder) as d, \
            Unbound(tmp_path, zone.folder, dns=d.port, upstream=upstream.port, threads=2, program=other_unbound(tmp_path)) as u:
        assert "holdfast: OFF: this module was built for" in u.log() and build_id(UNBOUND) in u.log()
        assert build_id(u.program) in u.log()
        for _ in range(200):
            assert resolves_all_else(u)
        m = u.ask(NAME)
        assert addresses(m) == [address(1)] and not m.flags & dns.flags.AA
        u.control("reload")
        assert resolves_all_else(u)
    assert u.process.returncode == 0


def test_it_exports_six_functions_and_needs_nothing_but_libc():
    out = subprocess.run(["nm", "-D", "--defined-only", MODULE], capture_output=True, text=True, check=True).stdout
    assert sorted(line.split()[-1] for line in out.splitlines() if "san_" not in line) == \
        ["clear", "deinit", "get_mem", "inform_super", "init", "operate"]
    out = subprocess.run(["readelf", "-d", MODULE], capture_output=True, text=True, check=True).stdout
    needed = [line.split("[")[1].rstrip("]") for line in out.splitlines() if "(NEEDED)" in line]
    assert not [n for n in needed if not n.startswith(("libc.", "ld-linux", "libasan", "libubsan", "libtsan"))]
    assert "SYMBOLIC" in out and "BIND_NOW" not in out


def test_a_program_without_a_build_id_is_refused(tmp_path):
    bare = tmp_path / "bare"
    subprocess.run(["objcopy", "--remove-section=.note.gnu.build-id", UNBOUND, bare], check=True)
    script = pathlib.Path(__file__).parents[2] / "plugin/unbound/build_id.sh"
    done = subprocess.run([script, bare], capture_output=True, text=True)
    assert done.returncode != 0 and "has no build id" in done.stderr
    assert build_id(UNBOUND) in subprocess.run([script, UNBOUND], capture_output=True, text=True, check=True).stdout


def test_what_is_printed_passes_unbounds_own_check(zone, tmp_path):
    with Unbound(tmp_path, zone.folder) as u:
        done = subprocess.run([UNBOUND.parent / "unbound-checkconf", u.config], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "error" not in u.log() and "warning" not in u.log(), u.log()


# --- rights ---

@pytest.mark.skipif(os.getuid() != 0, reason="needs root")
@pytest.mark.parametrize("chroot", [False, True])
def test_with_dropped_rights_and_in_a_chroot(tmp_path_factory, chroot):
    """unbound has given up its rights by then, and its root; the zone is readable by its group alone."""
    root = tmp_path_factory.mktemp("root")
    for p in (root, *root.parents):
        if p != pathlib.Path("/"):
            p.chmod(p.stat().st_mode | 0o755)
    so = root / "holdfast_unbound.so"
    shutil.copy(MODULE, so)
    so.chmod(0o755)
    with Zone(root / "zone", f"{NAME} #1"):
        shutil.chown(root / "zone", 0, "nogroup")
        (root / "zone").chmod(0o750)
        for p in (root / "zone").iterdir():
            shutil.chown(p, 0, "nogroup")
            p.chmod(0o640)
        more = '  username: "nobody"\n' + (f'  chroot: "{root}"\n' if chroot else "")
        inside = pathlib.Path("/") if chroot else root
        with Unbound(root, root / "zone", module=inside / so.name, more=more, env={"HOLDFAST_ZONE": str(inside / "zone")}) as u:
            uid = next(line for line in pathlib.Path(f"/proc/{u.process.pid}/status").read_text().splitlines() if line.startswith("Uid"))
            assert "65534" in uid
            m = u.ask(NAME)
            assert addresses(m) == [address(1)] and ede(m) == ([3] if chroot else [])


# --- Valgrind ---

@pytest.mark.skipif(not LONG, reason="only in the long run")
def test_valgrind_finds_nothing_with_four_threads(upstream, tmp_path):
    """Under queries, publications and reloads. unbound itself is clean, too: nothing is suppressed."""
    if not shutil.which("valgrind") or b"__tsan_init" in UNBOUND.read_bytes() or b"__asan_init" in UNBOUND.read_bytes():
        pytest.skip("no valgrind, or a sanitizer in its place")
    wrap = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite",
            "--keep-debuginfo=yes", "--fair-sched=yes"]
    with Zone(tmp_path / "zone", "many 200") as z, \
            Unbound(tmp_path, z.folder, upstream=upstream.port, threads=4, wrap=wrap, more=PATIENT, start_s=120) as u:
        for round_ in range(4):
            asking = flood(u.port, 8, "-r", "100")
            for n in range(200):
                z.publish(f"extra{n}.w.me.coder #{n + 1000 * round_ + 1}")
                if n % 20 == 0:
                    z.publish("clear", "many 200")
                if n % 5 == 0:
                    assert resolves_all_else(u)
                u.ask(f"x{n}.coder", timeout=20), u.ask("coder", "SOA", tcp=True, timeout=20)
            asking.communicate(timeout=60)
            u.control("reload")
            wait_for(u.is_up, 60)  # a signal that comes while it reloads is lost on unbound
    assert u.process.returncode == 0, u.log()
