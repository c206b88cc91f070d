# SPDX-License-Identifier: Apache-2.0
"""
Faults of the upstream, the disk and the machine, with the real server's own libraries at the other end: while each is on, a
prober asks for 1,200 names; none may be lost, wrong or missing, and no process may have gone that the fault did not kill.
"""
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time

import dns.rcode
import pytest

from bridge import Bridge
from netns import Machine
from peer import GoPeer, go_peer
from prober import Prober
from server import Responder, addresses, ede, wait_for
from test_stream import NameServer, in_own_files, url_as
from zone import address, program

pytestmark = pytest.mark.skipif(not go_peer(), reason="tests/peer is not built")
LONG = bool(os.environ.get("HF_LONG"))
N = 400
WORLD = f"user alice 1\nsnapshot alice 1..{N}=dev:main\n"
NAMES = {form.format(n): address(n) for n in range(1, N + 1)
         for form in ("main.dev{}.me.coder", "main.dev{}.alice.coder", "dev{}.coder")}
QUICK = ", ping-interval: 200ms, ping-timeout: 800ms, first-message: 3s"
SOURCE = "    fresh-window: 2s\n"


class Stand:
    """Server, bridge and responder, all running, all names live."""

    def __init__(self, folder, peer, bridge, responder):
        self.folder, self.peer, self.bridge, self.responder = folder, peer, bridge, responder

    def ctl(self, *args):
        return subprocess.run([program("bridge/holdfastctl"), "-c", self.bridge.config, *args], capture_output=True, text=True,
                              timeout=30, check=False)

    def status(self):
        done = self.ctl("--json", "status")
        return json.loads(done.stdout) if done.stdout else {}

    def source(self):
        sources = self.status().get("sources")
        return sources[0] if sources else {"state": "none", "reason": None}

    def live(self, seconds=10):
        wait_for(lambda: self.source()["state"] == "live" and self.status()["fresh"], seconds, 0.05)

    def reason(self, text, state=None, seconds=15):
        """Until status says so."""
        def said():
            s = self.source()
            return text in (s["reason"] or "") and (not state or s["state"] == state)
        try:
            wait_for(said, seconds, 0.05)
        except AssertionError:
            raise AssertionError(f"{text!r} is not in {self.source()}") from None

    @contextlib.contextmanager
    def names_keep_answering(self, least=10000 if LONG else 1000):
        # A responder that was there before the zone looks for it once a second.
        wait_for(lambda: all(self.responder.ask(name).rcode() == 0 for name in NAMES))
        pids = self.bridge.process.pid, self.responder.process.pid
        with Prober(self.responder.port, NAMES, least) as p:
            yield p
        assert pids == (self.bridge.process.pid, self.responder.process.pid)
        assert self.bridge.process.poll() is None and self.responder.alive()


@contextlib.contextmanager
def stand_in(folder, tls=False, source=SOURCE, bridge_folder=None, waits=None, **more):
    more.setdefault("timeouts", QUICK)
    bridge_folder = bridge_folder or folder / "bridge"
    bridge_folder.mkdir(exist_ok=True)
    peer = GoPeer.with_own_ca(folder, WORLD) if tls else GoPeer(folder, WORLD)
    if tls:
        source += f"    ca-file: {folder}/ca.pem\n"
    if waits is not None:
        more["waits"] = waits
    with peer, Bridge(bridge_folder, peer.url, source, **more) as bridge:
        with Responder(folder, bridge_folder / "zone") as responder:
            s = Stand(folder, peer, bridge, responder)
            s.live()
            wait_for(lambda: responder.ask("dev1.coder").answer)
            yield s


@pytest.fixture
def stand(tmp_path):
    with stand_in(tmp_path) as s:
        yield s


def base_of(stand):
    return re.search(r"^base (\S+)", (stand.folder / "bridge/zone/current").read_text(), re.MULTILINE)[1]


def base_file(stand):
    return stand.folder / "bridge/zone" / base_of(stand)


def seconds_of(text):
    return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


@pytest.mark.parametrize("off, on", [("down", "up"), ("freeze", "thaw")])
def test_1_upstream_unreachable(stand, off, on):
    with stand.names_keep_answering():
        stand.peer.say(off)
        wait_for(lambda: stand.status()["stale_since"])
        status = stand.status()
        # From the loss of the connection, at the latest when the window of the last proof of life (2 s) was over.
        assert 0 <= seconds_of(status["stale_since"]) - seconds_of(status["sources"][0]["last_contact"]) <= 2
        assert status["names"] == len(NAMES) and status["sources"][0]["reason"]
        stand.peer.say(on)
        stand.live(10)


@pytest.mark.parametrize("fault, said", [("tls-expired", "expired"), ("tls-not-yet", "valid only from")])
def test_2_a_certificate_out_of_its_time(tmp_path, fault, said):
    with stand_in(tmp_path, tls=True) as s, s.names_keep_answering():
        s.peer.say(f"fault {fault}")
        s.peer.say("cut tcp")
        s.reason(said)
        assert "certificate" in s.source()["reason"]
        s.peer.say("fault off")
        s.live(60) if LONG else s.ctl("resync")
        s.live()


@pytest.mark.parametrize("status", [401, 403])
def test_3_the_token_is_revoked(stand, status):
    with stand.names_keep_answering():
        before = stand.peer.status()["requests"]
        stand.peer.say(f"refuse {status}")
        stand.peer.say("cut tcp")
        wait_for(lambda: stand.source()["state"] == "unauthorised")
        time.sleep(1)
        # Once, once more at once, and then it waits for a minute.
        assert stand.peer.status()["requests"] - before <= 8
        stand.peer.say("refuse off")
        stand.bridge.set_token("another-token0")
        stand.live()


def test_4_equal_snapshots_change_nothing(stand):
    before = stand.status()["generation"], stand.ctl("history", "--json").stdout
    with stand.names_keep_answering():
        for _ in range(1000 if LONG else 25):
            upgrades = stand.peer.status()["upgrades"]
            stand.peer.say("cut tcp")
            stand.peer.say(f"await upgrades {upgrades + 1}")
        stand.live()
    assert (stand.status()["generation"], stand.ctl("history", "--json").stdout) == before


@pytest.mark.parametrize("decision, left", [("accept", 0), ("reject", len(NAMES))])
def test_5_an_empty_snapshot_is_held(stand, decision, left):
    with stand.names_keep_answering():
        stand.peer.say("snapshot alice")
        stand.peer.say("cut tcp")
        wait_for(lambda: stand.status()["held_removals"] == 1)
        assert stand.status()["guard"][0]["workspaces"] == N and stand.ctl("status").returncode == 1
    assert stand.ctl(decision, "main", "--yes").returncode == 0
    wait_for(lambda: stand.status()["names"] == left)
    if not left:
        wait_for(lambda: stand.responder.ask("dev1.coder").rcode() == dns.rcode.NXDOMAIN)


@pytest.mark.parametrize("fault", ["tcp-rst-mid-record", "yamux-rst-mid", "yamux-fin-mid", "drpc-cancel-mid", "drpc-close-mid"])
def test_6_half_a_snapshot_is_nothing(stand, fault):
    before = stand.status()["generation"]
    with stand.names_keep_answering():
        stand.peer.say(f"fault {fault}")
        stand.peer.say("cut tcp")
        wait_for(lambda: stand.source()["attempts"] >= 2)
        assert stand.status()["generation"] == before and stand.status()["names"] == len(NAMES)
        stand.peer.say("fault off")
        stand.ctl("resync")
        stand.live()
    assert stand.status()["generation"] == before


def test_7_a_snapshot_ten_times_larger_and_smaller(stand):
    with stand.names_keep_answering():
        stand.peer.say(f"snapshot alice 1..{N * 10}=dev:main")
        stand.peer.say("cut tcp")
        wait_for(lambda: stand.status()["names"] == 10 * len(NAMES), 30)
        stand.peer.say(f"snapshot alice 1..{N}=dev:main")
        stand.peer.say("cut tcp")
        wait_for(lambda: stand.status()["held_removals"] == 1)
        assert stand.status()["names"] == 10 * len(NAMES)


def test_8_another_deployment_waits_for_the_operator_and_not_longer(tmp_path):
    with GoPeer(tmp_path, "deployment d1\n" + WORLD) as peer:
        with Bridge(tmp_path, peer.url, SOURCE, timeouts=QUICK) as bridge, Responder(tmp_path, tmp_path / "zone") as r:
            s = Stand(tmp_path, peer, bridge, r)
            s.live()
            with s.names_keep_answering():
                peer.say("deployment d2")
                peer.say("snapshot alice 1..5=other:main")
                peer.say("cut tcp")
                wait_for(lambda: s.status()["held_removals"] == 1)
                assert s.status()["guard"][0]["reason"] == "deployment" and s.source()["state"] == "failed"
                assert r.ask("other1.coder").rcode() == dns.rcode.NXDOMAIN
            assert s.ctl("accept", "--deployment", "--yes").returncode == 0
            began = time.monotonic()
            s.live()
            assert time.monotonic() - began < 5
            wait_for(lambda: r.ask("other1.coder").answer)


@pytest.mark.parametrize("line", ["api 2.2", "workspace-updates off"])
def test_9_a_server_too_old_is_named(stand, line):
    with stand.names_keep_answering():
        stand.peer.say(line)
        stand.peer.say("cut tcp")
        stand.reason("old", "failed")
        stand.peer.say("api 2.8" if line.startswith("api") else "workspace-updates on")
        stand.bridge.reload()
        stand.live()


@pytest.mark.parametrize("fault", ["tcp-zero-window", "tcp-slow-frame 1000", "tcp-slow-head 1000"])
def test_10_one_who_drips_or_hangs_is_left(stand, fault):
    with stand.names_keep_answering():
        stand.peer.say(f"fault {fault}")
        stand.peer.say("cut tcp")
        wait_for(lambda: stand.source()["attempts"] >= 1 and stand.source()["reason"], 20)
        stand.peer.say("fault off")
        stand.ctl("resync")
        stand.live(20)


@pytest.mark.skipif(not shutil.which("nft"), reason="needs nft")
def test_11_a_network_that_loses_packets_and_is_slow(tmp_path):
    """One packet of five is lost each way, and the rest is held back by what TCP does about that."""
    with Machine() as machine, stand_in(tmp_path, source="    fresh-window: 60s\n", timeouts="") as s:
        with s.names_keep_answering():
            for line in ("add table inet lossy", "add chain inet lossy in { type filter hook input priority 0 ; }",
                         f"add rule inet lossy in tcp dport {s.peer.port} numgen random mod 100 < 20 drop",
                         f"add rule inet lossy in tcp sport {s.peer.port} numgen random mod 100 < 20 drop"):
                done = machine.run("nft", *line.split(" ", 2)[:2], line.split(" ", 2)[2])
                assert done.returncode == 0, done.stderr
            for n in range(20 if LONG else 4):
                s.peer.say(f"diff alice +{9001 + n}=new{n}:{90001 + n}=main")
                new_name_comes(s, n, 30)
            # A new connection through it, too, and a snapshot of all.
            s.peer.say("cut tcp")
            s.live(60)
            s.peer.say(f"diff alice +9900=last:{99001}=main")
            wait_for(lambda: s.responder.ask("last.coder").answer, 30)
            assert machine.run("nft", "delete", "table", "inet", "lossy").returncode == 0


def test_12_flapping_is_met_with_patience(tmp_path):
    # With the waits that are in force by default.
    with stand_in(tmp_path, waits="steady: 10s") as s:
        generation, rss = s.status()["generation"], s.bridge.rss_kib()
        with s.names_keep_answering():
            attempts = s.bridge.log().count("attempt ")
            for _ in range(60 if LONG else 3):
                s.peer.say("down")
                time.sleep(2)
                s.peer.say("up")
                time.sleep(2)
            # 50 ms doubling to 10 s, never reset since it was never steady.
            assert s.bridge.log().count("attempt ") - attempts <= (60 if LONG else 12)
        assert s.status()["generation"] == generation
        assert s.bridge.rss_kib() < rss + 8192


@pytest.mark.skipif(os.geteuid() != 0, reason="port 53 and mounts need root")
def test_13_the_upstreams_own_name_resolves_no_more(tmp_path):
    server = NameServer("127.0.13.53", "127.0.0.1")
    try:
        with GoPeer(tmp_path, WORLD) as peer:
            wrap = in_own_files(tmp_path, "nameserver 127.0.13.53\n")
            with Bridge(tmp_path, url_as(peer, "coder.example.org"), SOURCE + "    allow-http: true\n",
                        timeouts=QUICK + ", resolve: 1s", wrap=wrap) as bridge, Responder(tmp_path, tmp_path / "zone") as r:
                s = Stand(tmp_path, peer, bridge, r)
                s.live()
                with s.names_keep_answering():
                    server.answer = None
                    peer.say("cut tcp")
                    bridge.wait_log("last good addresses are tried")
                    s.live()
    finally:
        server.close()


def test_14_a_captive_portal_is_not_coder(stand):
    with stand.names_keep_answering():
        stand.peer.say("refuse 200 html")
        stand.peer.say("cut tcp")
        stand.reason("a web page came instead of Coder's answer", "failed")
        stand.peer.say("refuse off")
        stand.bridge.reload()
        stand.live()


def test_15_kills_at_any_moment(tmp_path):
    rng = random.Random(15)
    with stand_in(tmp_path) as s:
        generation = s.status()["generation"]
        history = s.ctl("history", "--json").stdout
        with Prober(s.responder.port, NAMES):
            for _ in range(200 if LONG else 12):
                s.bridge.process.kill()
                s.bridge.process.wait(10)
                with open(s.bridge.log_path, "ab") as log:
                    s.bridge.process = subprocess.Popen([program("bridge/holdfastd"), "-c", s.bridge.config], stderr=log)
                time.sleep(rng.random() * 0.3)
            s.live()
        assert s.status()["generation"] >= generation and s.status()["names"] == len(NAMES)
        # No name was written again.
        assert s.ctl("history", "--json").stdout == history


def new_name_comes(s, n, seconds=10):
    wait_for(lambda: s.responder.ask(f"new{n}.coder").answer, seconds)


@pytest.mark.skipif(os.geteuid() != 0, reason="a file system of its own needs root")
def test_22_a_full_disk_and_space_again(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], check=True)
    try:
        with stand_in(tmp_path, bridge_folder=disk) as s:
            with s.names_keep_answering():
                with contextlib.suppress(OSError), open(disk / "ballast", "wb") as f:
                    while True:
                        f.write(b"x" * 4096)
                        f.flush()
                s.peer.say("diff alice +9001=new1:90001=main")
                wait_for(lambda: s.status()["store"]["state"] == "not-written")
                assert s.ctl("status").returncode == 1
                (disk / "ballast").unlink()
                new_name_comes(s, 1, 6)
                wait_for(lambda: s.status()["store"]["state"] == "ok")
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_23_a_file_size_limit_and_its_end(stand):
    pid = str(stand.bridge.process.pid)
    with stand.names_keep_answering():
        subprocess.run(["prlimit", "--pid", pid, "--fsize=4096:"], check=True)
        stand.peer.say("diff alice +9001=new1:90001=main")
        wait_for(lambda: stand.status()["store"]["state"] == "not-written")
        subprocess.run(["prlimit", "--pid", pid, "--fsize=unlimited:"], check=True)
        new_name_comes(stand, 1, 6)
        wait_for(lambda: stand.status()["store"]["state"] == "ok")


def test_32_a_bridge_that_was_stopped_goes_on(stand):
    with stand.names_keep_answering():
        os.kill(stand.bridge.process.pid, signal.SIGSTOP)
        stand.peer.say("diff alice +9001=new1:90001=main")
        time.sleep(3)
        os.kill(stand.bridge.process.pid, signal.SIGCONT)
        new_name_comes(stand, 1)
        stand.live()


def test_34_a_storm_of_signals_and_a_second_start(stand):
    with stand.names_keep_answering():
        for _ in range(1000):
            stand.bridge.reload()
        began = time.monotonic()
        second = subprocess.run([program("bridge/holdfastd"), "-c", stand.bridge.config], capture_output=True, text=True,
                                timeout=10, check=False)
        assert second.returncode == 2 and "in use by another holdfastd" in second.stderr
        assert time.monotonic() - began < 5  # for a second it waits for who may be about to end
        stand.peer.say("diff alice +9001=new1:90001=main")
        new_name_comes(stand, 1)
        stand.live()
    assert stand.bridge.process.poll() is None


def start_again(s):
    with open(s.bridge.log_path, "ab") as log:
        s.bridge.process = subprocess.Popen([program("bridge/holdfastd"), "-c", s.bridge.config], stderr=log)


def random_from_100(path):
    path.write_bytes(path.read_bytes()[:100] + random.Random(45).randbytes(path.stat().st_size - 100))


def cut(path):
    os.truncate(path, path.stat().st_size // 2)


def zeroed(path):
    path.write_bytes(bytes(path.stat().st_size))


def one_bit(path):
    """In the first page, which any reader needs."""
    data = bytearray(path.read_bytes())
    data[20] ^= 0xff
    path.write_bytes(data)


def a_directory(path):
    path.unlink()
    (path / "in-the-way").mkdir(parents=True)


@pytest.mark.parametrize("harm", [random_from_100, cut, zeroed, one_bit])
def test_45_a_damaged_store_whose_copy_is_older_than_the_zone(stand, harm):
    """While the server is away the newest answers: right addresses, no deleted names, no missing ones."""
    store = stand.folder / "bridge/store.db"
    copy = store.with_name("store.db.copy")
    store.unlink()
    stand.peer.say("diff alice +9002=old:9002=main")  # it is made again out of memory, and a copy with it
    wait_for(copy.exists, 15)
    stand.peer.say("diff alice -2 -9002 -:1 +1=dev1:5001=main +9001=tmp:9050=main")
    wait_for(lambda: addresses(stand.responder.ask("tmp.coder")) == [address(9050)])
    newest = {name: n for name, n in NAMES.items() if "dev2." not in name and "dev1." not in name}
    newest |= {form.format(ws): address(n) for ws, n in (("dev1", 5001), ("tmp", 9050))
               for form in ("main.{}.me.coder", "main.{}.alice.coder", "{}.coder")}

    def all_is_newest(least):
        with Prober(stand.responder.port, newest, least):
            pass
        for name in ("dev2.coder", "main.dev2.me.coder", "main.dev2.alice.coder", "old.coder"):
            assert stand.responder.ask(name).rcode() == dns.rcode.NXDOMAIN, name
        assert stand.responder.alive()

    stand.bridge.process.kill()
    stand.bridge.process.wait(10)
    stand.peer.say("down")
    harm(store)
    for tail in ("-wal", "-shm"):
        store.with_name(f"store.db{tail}").unlink(missing_ok=True)
    for _ in range(2):
        start_again(stand)
        wait_for(lambda: stand.status().get("bridge") == "running", 10)
        all_is_newest(2000)
        assert [f for f in store.parent.glob("store.db.damaged-*") if f.name[-4:] not in ("-wal", "-shm")]
        stand.bridge.stop()
    start_again(stand)
    stand.peer.say("up")
    stand.live(20)
    wait_for(lambda: stand.status()["names"] == len(newest))
    all_is_newest(1000)
    stand.peer.say("diff alice +2=dev2:2=main")  # and a name that comes back is there
    wait_for(lambda: addresses(stand.responder.ask("dev2.coder")) == [address(2)])


FILES = "store.db", "zone/current", "zone/pulse", "zone/base"
HARMS = random_from_100, cut, zeroed, a_directory
EACH = [(f, h) for f in FILES for h in HARMS] if LONG else list(zip(FILES, HARMS)) + [("zone/base", random_from_100)]


@pytest.mark.parametrize("what, harm", EACH)
def test_24_a_file_that_is_harmed_while_all_run(stand, what, harm):
    folder = stand.folder / "bridge"
    path = base_file(stand) if what == "zone/base" else folder / what
    with stand.names_keep_answering():
        harm(path)
        stand.peer.say("diff alice +9001=new1:90001=main")  # so that everybody looks
        new_name_comes(stand, 1, 20)
        stand.live(20)

    def is_well():
        s = stand.status()
        return s["names"] == len(NAMES) + 3 and s["store"]["state"] == "ok" and \
            not [w for w in s["warnings"] if w["code"].startswith("zone")]
    wait_for(is_well, 20)
    m = stand.responder.ask("new1.coder")
    assert addresses(m) == [address(90001)] and ede(m) == []


def test_40_nobody_asks_while_bases_change(stand):
    """A thousand names that change make a new base; nobody asks the responder before or after it, as in an office overnight."""
    responder, old = stand.responder, 0
    with stand.names_keep_answering():
        pass
    for n in range(1, 6 if LONG else 4):
        # Each agent is built again, as after an upgrade: each name gets another address.
        first, base = n * 1000, base_of(stand)
        stand.peer.say("diff alice " + " ".join(f"-:{old + i} +{i}=dev{i}:{first + i}=main" for i in range(1, N + 1)))
        wait_for(lambda b=base: base_of(stand) != b, 15, 0.05)
        old = first
        time.sleep(20 if LONG else 2)
        m = responder.ask("main.dev1.me.coder")
        assert addresses(m) == [address(first + 1)] and ede(m) == [], f"round {n}: {m}"
        assert addresses(responder.ask(f"main.dev{N}.alice.coder")) == [address(first + N)]
