# SPDX-License-Identifier: Apache-2.0
"""
The world around a running bridge changes (rows 29 to 33 of the faults, and 47's descriptors): clocks, memory, limits, a
log that nobody reads, a core file. While each is on, a prober asks for the names; none may be lost or wrong.
"""
import contextlib
import mmap
import os
import pathlib
import random
import resource
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
# pylint: disable=wrong-import-position
from bridge import Bridge
from peer import Simulator
from prober import Prober
from published import model_names, wait_same
from server import Responder, ede, wait_for
from zone import BUILD, address, program

LONG = os.environ.get("HF_LONG") == "1"
N = 400
WORLD = f"suffix coder\nuser alice 1\nsnapshot alice 1..{N}=dev:main\n"
NAMES = {form.format(n): address(n) for n in range(1, N + 1) for form in ("main.dev{}.me.coder", "dev{}.coder")}
ROOT = os.geteuid() == 0
preloads = pytest.mark.skipif("asan" in BUILD.name or "tsan" in BUILD.name, reason="no preloaded library beside a sanitizer's")


class Numbers:
    """A few numbers that a preloaded library reads while the program runs."""

    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(24))
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 24)

    def set(self, first, second, third=0):
        # The second one arms what counts the first.
        self.map[0:8] = struct.pack("q", first)
        self.map[16:24] = struct.pack("q", third)
        self.map[8:16] = struct.pack("q", second)

    def get(self):
        return struct.unpack("qqq", self.map[:])


class World:
    """Server, bridge and responder, all running, all names live. `preload`: a library of tests/tools, and its variable."""

    def __init__(self, folder, preload=None, world=WORLD, **more):
        self.folder = folder
        self.server = Simulator(folder, world)
        env = {}
        self.numbers = None
        if preload:
            library, variable = preload
            self.numbers = Numbers(folder / "numbers")
            env = {"LD_PRELOAD": str(program(f"tests/tools/{library}.so")), variable: str(self.numbers.path)}
        more.setdefault("timeouts", ", ping-interval: 200ms, ping-timeout: 800ms")
        self.env = {**env, **more.pop("env", {})}
        self.bridge = Bridge(folder, self.server.url, "    fresh-window: 2s\n", env=self.env, **more)
        self.same()
        self.responder = Responder(folder, folder / "zone")
        wait_for(lambda: self.responder.ask("dev1.coder").answer)
        self.news = 0

    def same(self, seconds=20, names=3 * N):
        return wait_same(self.bridge, seconds, lambda m: len(m) >= names)

    def status(self):
        return self.bridge.ask("status")[0]

    def answers(self):
        with contextlib.suppress(OSError):
            return self.status()
        return None

    def live(self, seconds=10):
        wait_for(lambda: self.status()["fresh"], seconds, 0.05)

    def new_name(self, seconds=10):
        """One more workspace comes, and is answered."""
        self.news += 1
        self.server.say(f"diff alice +{N + self.news}=new{self.news}:{N + self.news}=main")
        wait_for(lambda: self.responder.ask(f"new{self.news}.coder").answer, seconds, 0.05)

    def start(self):
        """As a supervisor does; returns when it answers."""
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "control.sock").unlink()
        with open(self.bridge.log_path, "ab") as log:
            self.bridge.process = subprocess.Popen([program("bridge/holdfastd"), "-c", self.bridge.config], stderr=log,
                                                   env={**os.environ, **self.env})
        wait_for(self.answers, 20, 0.02)

    @contextlib.contextmanager
    def names_keep_answering(self, restarts=False):
        pids = self.bridge.process.pid, self.responder.process.pid
        with Prober(self.responder.port, NAMES, 10000 if LONG else 1000) as p:
            yield p
        assert self.bridge.process.poll() is None, self.bridge.log()[-3000:]
        assert self.responder.alive() and pids[1] == self.responder.process.pid
        assert restarts or pids[0] == self.bridge.process.pid

    def __enter__(self):
        return self

    def __exit__(self, kind, *what):
        with self.server, self.responder:
            self.bridge.__exit__(kind, *what)


def seconds_of(text):
    return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone


# --- 23: the store, not written for a while ---

def test_23_a_store_that_was_locked_is_well_again_with_nothing_to_write(tmp_path):
    """Somebody's transaction is over, and no change comes that would find it out."""
    with World(tmp_path) as w, w.names_keep_answering(restarts=True):
        w.bridge.process.terminate()
        assert w.bridge.process.wait(15) == 0
        with contextlib.closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            w.start()
            wait_for(lambda: w.status()["store"]["state"] == "not-written")
            time.sleep(2)
            db.execute("ROLLBACK")
        wait_for(lambda: w.status()["store"]["state"] == "ok", 10)
        w.live()


# --- 29: clocks ---

def check_times(status, wall_s):
    """Nothing that is shown is of a later time than now, or of before there were clocks."""
    for s in status["sources"]:
        for text in (status["stale_since"], s["since"], s["last_contact"]):
            assert text is None or 0 < seconds_of(text) <= wall_s + 5, (status, wall_s)


@preloads
@pytest.mark.parametrize("days", [40, -3650], ids=["forward", "back"])
def test_29_the_wall_clock_jumps(tmp_path, days):
    with World(tmp_path, ("clocks", "HF_CLOCKS")) as w:
        with w.names_keep_answering():
            w.numbers.set(days * 86400 * 1000, 0)
            wall = time.time() + days * 86400
            for _ in range(5):
                w.new_name()
                time.sleep(0.3)
                assert w.status()["fresh"] and ede(w.responder.ask("dev1.coder")) == []
            w.server.say("down")
            w.server.say("cut tcp")
            wait_for(lambda: w.status()["stale_since"])
            check_times(w.status(), wall + 10)
            w.server.say("up")
            w.live()
            check_times(w.status(), wall + 20)
        w.same()


@preloads
def test_29_the_wall_clock_steps_each_second(tmp_path):
    with World(tmp_path, ("clocks", "HF_CLOCKS")) as w, w.names_keep_answering():
        rng = random.Random(29)
        for _ in range(60 if LONG else 8):
            w.numbers.set(rng.randrange(-3650 * 86400, 40 * 86400) * 1000, 0)
            w.new_name()
            assert w.status()["fresh"] and ede(w.responder.ask("dev1.coder")) == []
            time.sleep(0.8)
        w.same()


@preloads
def test_29_after_a_sleep_it_is_stale_and_live_again_soon(tmp_path):
    with World(tmp_path, ("clocks", "HF_CLOCKS")) as w, w.names_keep_answering():
        w.numbers.set(8 * 3600 * 1000, 8 * 3600 * 1000)
        w.live(10)
        w.new_name()
        check_times(w.status(), time.time() + 8 * 3600 + 5)
        w.same()


@preloads
def test_29_a_wall_clock_beyond_32_bits(tmp_path):
    """After 2038-01-19 nothing rings without end, and the server is dialled."""
    with World(tmp_path, ("clocks", "HF_CLOCKS")) as w, w.names_keep_answering(restarts=True):
        w.numbers.set(15 * 366 * 86400 * 1000, 0)
        w.bridge.process.terminate()
        assert w.bridge.process.wait(15) == 0
        w.start()
        w.live()
        w.new_name()
        before = w.bridge.cpu_ticks()
        time.sleep(3)
        assert w.bridge.cpu_ticks() - before < os.sysconf("SC_CLK_TCK")  # a third; a timer that rings without end takes all
        w.same()


# --- 30: memory ---

OURS = 1


def let_allocations_fail(w, rng, runs, whose, died):
    """One at a time, somewhere in what a change, a look, a reload or a new connection need."""
    deeds = [lambda: w.server.say(f"diff alice +{N + 500}=flip{rng.randrange(9)}:{N + 500}=main"), w.bridge.reload,
             lambda: w.server.say("cut tcp"), lambda: w.bridge.ask("resync")]
    failed = 0
    for run in range(runs):
        w.numbers.set(rng.choice([rng.randrange(20), rng.randrange(200), rng.randrange(3000)]), 1, whose)
        with contextlib.suppress(OSError, AssertionError, ValueError):  # what failed may be the answer
            deeds[run % len(deeds)]()
            w.bridge.ask("status")
        end = time.monotonic() + 0.15
        while w.numbers.get()[1] and time.monotonic() < end:
            time.sleep(0.01)
        failed += w.numbers.get()[1] == 0
        w.numbers.set(0, 0)
        if w.bridge.process.poll() is not None:
            died(run)
    assert failed > runs / 4
    w.server.say(f"diff alice -{N + 500}")
    w.live(20)
    w.new_name(20)
    w.same()


@preloads
def test_30_an_allocation_of_ours_fails(tmp_path):
    """That fails, and nothing else."""
    def died(run):
        raise AssertionError(f"run {run}: {w.bridge.process.returncode}\n{w.bridge.log()[-3000:]}")

    rng = random.Random(int(os.environ.get("HF_SEED", "30")))
    with World(tmp_path, ("no_memory", "HF_NO_MEMORY")) as w, w.names_keep_answering():
        let_allocations_fail(w, rng, 2000 if LONG else 150, OURS, died)


@preloads
def test_30_an_allocation_of_a_library_fails(tmp_path):
    """Some libraries end the process then (libcurl, jansson): it is started again, and all is as it was."""
    def died(_):
        w.start()

    rng = random.Random(int(os.environ.get("HF_SEED", "31")))
    with World(tmp_path, ("no_memory", "HF_NO_MEMORY")) as w, w.names_keep_answering(restarts=True):
        let_allocations_fail(w, rng, 2000 if LONG else 100, 0, died)


@preloads
def test_30_an_allocation_fails_at_the_start(tmp_path):
    """Whatever ends then, the next start has all names: as a supervisor starts it."""
    rng = random.Random(int(os.environ.get("HF_SEED", "32")))
    with World(tmp_path, ("no_memory", "HF_NO_MEMORY")) as w, w.names_keep_answering(restarts=True):
        hit = 0
        for run in range(400 if LONG else 15):
            w.bridge.process.kill()
            w.bridge.process.wait()
            w.numbers.set(rng.choice([rng.randrange(300), rng.randrange(6000)]), 1)
            w.bridge.start(env=w.env)
            end = time.monotonic() + 1
            while w.numbers.get()[1] and w.bridge.process.poll() is None and time.monotonic() < end:
                time.sleep(0.005)
            hit += w.numbers.get()[1] == 0
            w.numbers.set(0, 0)
            time.sleep(0.05)
            if w.bridge.process.poll() is not None:
                assert w.bridge.process.returncode in (1, 2, -signal.SIGFPE, -signal.SIGSEGV, -signal.SIGABRT), run
                w.start()
            wait_for(w.answers, 20, 0.02)
            assert w.status()["names"] == 3 * N, (run, w.bridge.log()[-2000:])
            assert "damaged" not in w.bridge.log()
        assert hit > 5
        w.live(20)
        w.new_name(20)
        w.same()


@preloads
def test_30_no_allocation_succeeds_for_a_while(tmp_path):
    with World(tmp_path, ("no_memory", "HF_NO_MEMORY")) as w, w.names_keep_answering():
        for _ in range(3):
            w.numbers.set(0, -1, OURS)
            w.server.say(f"diff alice +{N + 600}..{N + 650}=more:main")
            time.sleep(1)
            w.numbers.set(0, 0)
            w.live(20)
        w.new_name(20)
        w.same()


def test_30_the_bridge_is_killed_by_the_kernel_and_begins_again(tmp_path):
    with World(tmp_path) as w, w.names_keep_answering(restarts=True):
        for _ in range(5):
            w.bridge.process.kill()
            w.bridge.process.wait()
            w.start()
        w.live(20)
        w.new_name()


def test_30_a_limit_on_its_memory(tmp_path):
    with World(tmp_path) as w, w.names_keep_answering():
        pid = w.bridge.process.pid
        if w.bridge.has_asan():
            pytest.skip("a sanitizer's shadow is larger than any limit")
        # What it has, and a little: a snapshot a hundred times as large does not fit.
        limit = w.bridge.proc("VmSize") * 1024 + (4 << 20)
        resource.prlimit(pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        w.server.say(f"diff alice +{N + 1000}..{N + 60000}=many:main")
        time.sleep(2)
        assert len(model_names(w.bridge)) >= 3 * N
        resource.prlimit(pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        w.live(30)
        w.same(60, 3 * N + 59000 * 3)


# --- 31: limits ---

def ticks(w):
    return w.bridge.cpu_ticks() / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not ROOT, reason="raises a limit again")
def test_31_no_descriptor_is_left(tmp_path):
    with World(tmp_path, waits="floor: 500ms, cap: 1s, events: 50ms, steady: 1s") as w, w.names_keep_answering():
        pid = w.bridge.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (8, before[1]))
        w.server.say("cut tcp")
        time.sleep(0.5)
        begun, lines, used = time.monotonic(), len(w.bridge.log().splitlines()), ticks(w)
        time.sleep(4)
        assert (ticks(w) - used) / (time.monotonic() - begun) <= 0.05
        assert len([l for l in w.bridge.log().splitlines()[lines:] if " debug: " not in l]) <= 100
        w.bridge.reload()  # the file cannot be opened: nothing changes
        time.sleep(0.3)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        w.live(10)
        w.new_name()
        w.same()


def test_31_a_start_with_few_descriptors_says_so(tmp_path):
    with Simulator(tmp_path, WORLD) as server:
        b = Bridge(tmp_path, server.url, wrap=["prlimit", "--nofile=8:8"])
        assert b.process.wait(10) == 2
        assert "Too many open files" in b.log()


class Somebody:
    """A user without a name, that nobody else is at the same time, and a folder of his that he can reach."""

    def __init__(self):
        self.uid = 61000 + os.getpid() % 4000
        self.folder = pathlib.Path("/run") / f"holdfast-test-{os.getpid()}"
        self.folder.mkdir(mode=0o755)
        os.chown(self.folder, self.uid, self.uid)

    def run(self, bridge, wrap=(), **more):
        """The bridge as he runs it, with nothing of an earlier run."""
        bridge.stop()
        for f in self.folder.iterdir():
            if f.name.startswith(("store", "zone")):
                subprocess.run(["rm", "-rf", f], check=True)
            else:
                os.chown(f, self.uid, self.uid)
        bridge.process = subprocess.Popen([*wrap, "setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups",
                                           program("bridge/holdfastd"), "-c", bridge.config], **more)
        wait_for(lambda: (self.folder / "control.sock").exists())

    def __enter__(self):
        return self

    def __exit__(self, *what):
        subprocess.run(["rm", "-rf", self.folder], check=True)


@pytest.mark.skipif(not ROOT, reason="needs root to be another user with a limit")
def test_31_no_thread_and_no_process_may_be_made(tmp_path):
    """It begins, serves, takes changes; a listing says why there is none."""
    with Somebody() as he, Simulator(tmp_path, WORLD) as server:
        b = Bridge(he.folder, server.url)
        with open(b.log_path, "ab") as log:
            he.run(b, ["prlimit", "--nproc=1:1"], stderr=log)
        with b:
            wait_for(lambda: b.ask("status")[0]["names"] == 3 * N and b.ask("status")[0]["fresh"])
            with pytest.raises(AssertionError, match="no process can be made"):
                b.ask("records")
            server.say(f"diff alice +{N + 1}=new1:{N + 1}=main")
            with Responder(tmp_path, he.folder / "zone") as r:
                wait_for(lambda: r.ask("new1.coder").answer)
                assert b.ask("status")[0]["warnings"] == []


# --- 33: a log that nobody reads; secrets ---

@pytest.mark.skipif(not ROOT, reason="needs root to be another user")
@pytest.mark.parametrize("env", [{}, {"HOLDFAST_DUMPABLE": "1"}], ids=["shut", "open"])
def test_its_memory_is_its_own_and_a_full_log_does_not_hold_it(tmp_path, env):
    """As another user than root: its /proc is not his, and a pipe as its log is opened once more all the same."""
    reader, writer = os.pipe()
    with Somebody() as he, Simulator(tmp_path, WORLD) as server:
        b = Bridge(he.folder, server.url, top="ttl: 29\n")
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x" * 4096)
        os.set_blocking(writer, True)
        he.run(b, ["prlimit", "--core=unlimited"], stderr=writer, cwd=he.folder, env={**os.environ, **env})
        wait_for(lambda: b.ask("status")[0]["fresh"])
        # Log lines that cannot be written are dropped, not waited for.
        b.configure(server.url, top="ttl: 28\n")
        os.chown(b.config, he.uid, he.uid)
        b.reload()
        wait_for(lambda: b.ask("records")[0]["ttl"] == 28)
        assert os.stat(f"/proc/{b.process.pid}/environ").st_uid == (he.uid if env else 0)
        b.process.send_signal(signal.SIGSEGV)
        _, status = os.waitpid(b.process.pid, 0)
        b.process.returncode = -signal.SIGSEGV
        assert os.WTERMSIG(status) == signal.SIGSEGV
        assert env or not (os.WCOREDUMP(status) or list(he.folder.glob("core*")))
        if env and pathlib.Path("/proc/sys/kernel/core_pattern").read_text().startswith("core"):
            core = next(he.folder.glob("core*")).read_bytes()
            assert os.WCOREDUMP(status) and b"holdfastd" in core
    os.close(reader)
    os.close(writer)


@preloads
def test_what_libevent_says_is_in_the_log(tmp_path):
    """A descriptor that the kernel does not watch: libevent's own words are lines like all others, on no other way to stderr."""
    with World(tmp_path, ("no_epoll", "HF_NO_EPOLL")) as w, w.names_keep_answering():
        w.numbers.set(1, 0)
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(tmp_path / "control.sock"))
            wait_for(lambda: w.numbers.get()[0] == 0)
            wait_for(lambda: "libevent: Epoll ADD" in w.bridge.log())
        assert all(line.split(" ", 1)[0].endswith("Z") for line in w.bridge.log().splitlines())
        w.live()
        w.new_name()
        w.same()


# --- what the server repeats ---

def test_a_server_that_repeats_itself_fills_no_log(tmp_path):
    """Bad records, owners with bad names, removals that wait, connections that end: a hundred lines in four seconds at most."""
    users = "".join(f"user no%20name{n} {n}\n" for n in range(2, 300))
    with World(tmp_path, world="suffix coder\nuser alice 1\nsnapshot alice 1..400=dev:main\n" + users) as w:
        w.bridge.configure(w.server.url, "    owners: [all]\n    snapshot-interval: 100ms\n")
        w.bridge.reload()
        before, begun = len(w.bridge.log().splitlines()), time.monotonic()
        with w.names_keep_answering():
            n = 0
            while time.monotonic() - begun < 8:
                n += 1
                w.server.say(f"diff alice +{5000 + n}=b%20d{n} +{9000 + n}=a.b{n}")
                w.server.say("diff alice -77777")
                if n % 5 == 0:
                    w.server.say("cut tcp")
                time.sleep(0.02)
        lines = [l for l in w.bridge.log().splitlines()[before:] if " debug: " not in l]
        assert len(lines) <= 100 * (time.monotonic() - begun + 1) / 4, "\n".join(lines[-20:])
