# SPDX-License-Identifier: Apache-2.0
"""holdfastctl and the control socket of a running holdfastd, with a server that plays Coder."""
import grp
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import time

import pytest

from peer import Simulator
from server import Responder, free_port
from zone import program

WORLD = """
user alice
snapshot alice 1=dev:7=main,8=gpu 2=web:9=main
"""
ROOT = os.geteuid() == 0


class Bridge:
    """A holdfastd in a folder of its own, and its holdfastctl."""

    def __init__(self, folder, url, **more):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(mode=0o755)
        self.socket = self.folder / "control.sock"
        self.config = self.folder / "holdfast.yaml"
        token = self.folder / "token"
        token.write_text("secret\n")
        token.chmod(0o600)
        # At the usual port may be this machine's own holdfast-dns.
        self.port = free_port()
        keys = {"store": self.folder / "store.db", "zone": self.folder / "zone", "control": self.socket,
                "dns": f"{{ listen: 127.0.0.1@{self.port} }}", **more}
        self.config.write_text("".join(f"{k}: {v}\n" for k, v in keys.items()) +
                               f"sources:\n  - {{ name: main, url: '{url}', token-file: {token}, allow-http: true }}\n")
        self.config.chmod(0o644)
        self.process = None

    def responder(self):
        return Responder(self.folder, self.folder / "zone", port=self.port, listen=[f"127.0.0.1@{self.port}"])

    def start(self, **env):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([program("bridge/holdfastd"), "-c", self.config], stderr=log,
                                            env={**os.environ, **env})

    def ctl(self, *args):
        command = [str(program("bridge/holdfastctl")), "-c", str(self.config), *args]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    def json(self, *args):
        done = self.ctl("--json", *args)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def until(self, test, seconds=20):
        """Waits until test() is true of the status."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            done = self.ctl("--json", "status")
            if done.returncode in (0, 1) and test(json.loads(done.stdout)):
                return json.loads(done.stdout)
            time.sleep(0.1)
        raise AssertionError(f"{done.stdout}{done.stderr}\n{(self.folder / 'log').read_text()}")

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(20)


@pytest.fixture
def server(tmp_path):
    with Simulator(tmp_path, WORLD) as s:
        yield s


@pytest.fixture
def bridge(tmp_path, server):
    b = Bridge(tmp_path / "bridge", server.url)
    b.start()
    yield b
    b.stop(signal.SIGKILL)


@pytest.fixture
def live(bridge):
    bridge.until(lambda s: s["bridge"] == "running" and s["fresh"] and s["names"] >= 5)
    with bridge.responder():
        bridge.until(lambda s: not s["not_answering"])
        yield bridge


FIELDS = set("version bridge epoch generation fresh stale_since names held_removals refused_total store reloads warnings readers "
             "sources adapters guard refused".split())
SOURCE = set("name url state reason since last_contact suffix deployment_id token_expires attempts next_try failures faults owners".split())
RECORD = set("name type data ttl source owner workspace agent agent_id state first_seen last_confirmed".split())


def test_status_of_a_live_bridge_is_all_well(live):
    status = live.json("status")
    assert FIELDS <= set(status) and SOURCE <= set(status["sources"][0])
    assert (status["bridge"], status["fresh"], status["stale_since"], status["warnings"]) == ("running", True, None, [])
    assert status["store"]["state"] == "ok" and status["adapters"] == status["notes"] == []
    assert [(l["state"], l["expected"]) for l in status["listeners"]] == [("answers", True)] and len(status["readers"]) == 1
    assert status["name_states"] == {"live": status["names"], "stale": 0, "held": 0, "withdrawn": 0}
    source = status["sources"][0]
    assert (source["state"], source["suffix"], source["attempts"]) == ("live", "coder", 0)
    assert source["last_contact"] and source["since"].endswith("Z")
    owner = source["owners"][0]
    assert (owner["name"], owner["workspaces"], owner["agents"], owner["state"]) == ("alice", 2, 3, "live")
    done = live.ctl("status")
    assert done.returncode == 0 and done.stdout.startswith(f"serving {status['names']} names, live\n")


def test_a_server_that_went_is_told_with_its_reason(live, server):
    server.say("down")
    server.say("cut tcp")
    status = live.until(lambda s: s["sources"][0]["attempts"] > 1)
    assert status["sources"][0]["state"] in ("waiting", "connecting") and status["sources"][0]["reason"]
    assert status["warnings"] and status["names"] >= 5
    done = live.ctl("status")
    assert done.returncode == 1 and "warning: source 'main': " in done.stdout


def test_records_have_their_owner_workspace_and_agent(live):
    records = {r["name"]: r for r in live.json("records")}
    gpu = records["gpu.dev.me.coder"]
    assert RECORD == set(gpu)
    assert gpu["data"] == "fd60:627a:a42b::8" and gpu["agent_id"].endswith("000000000008")
    assert (gpu["type"], gpu["owner"], gpu["workspace"], gpu["agent"], gpu["state"]) == ("AAAA", "alice", "dev", "gpu", "live")
    assert len(records) == live.json("status")["names"]
    assert {r["name"] for r in live.json("records", "--name", "gpu.*")} == {"gpu.dev.me.coder", "gpu.dev.alice.coder"}
    assert live.json("records", "--stale") == []
    assert "main.web.me.coder" in live.ctl("records").stdout


def test_many_records_come_whole_and_the_bridge_goes_on(live, server):
    server.say("diff alice +100..20099=many:main")
    live.until(lambda s: s["names"] > 60000, 60)
    with socket.socket(socket.AF_UNIX) as idle:  # asks, and does not read
        idle.connect(str(live.socket))
        idle.sendall(b'{"command":"records"}\n')
        before = time.monotonic()
        assert live.ctl("status").returncode == 0
        assert time.monotonic() - before < 2
        assert len(live.json("records")) == live.json("status")["names"]


def test_history_tells_what_came_and_why(live, server):
    server.say("diff alice -:8")
    live.until(lambda s: s["sources"][0]["owners"][0]["agents"] == 2)
    live.until(lambda s: len(live.json("history", "--name", "gpu.dev.me.coder")) == 2)
    lines = live.json("history", "--name", "gpu.dev.me.coder")
    assert [(l["what"], l["reason"]) for l in lines] == [("removed", "diff"), ("added", "snapshot")]
    assert "gpu.dev.me.coder  removed" in live.ctl("history").stdout


def test_watch_shows_a_change_within_seconds(live, server):
    watch = subprocess.Popen([program("bridge/holdfastctl"), "-c", live.config, "--json", "watch"],
                             stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(0.5)
        server.say("diff alice +3=new:10=main")
        line = json.loads(watch.stdout.readline())
        assert line["what"] == "added" and ".coder" in line["name"]
    finally:
        watch.kill()
        watch.wait()
        watch.stdout.close()


def test_watch_says_when_it_cannot_show_all(live, server):
    watch = subprocess.Popen([program("bridge/holdfastctl"), "-c", live.config, "--json", "watch"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        time.sleep(0.5)
        for n in range(8):
            server.say(f"diff alice +{1000 + 200 * n}..{1199 + 200 * n}=new:main")
        assert "1000 changes or more at once" in watch.stderr.readline()
    finally:
        watch.kill()
        watch.wait()
        watch.stderr.close()


@pytest.mark.parametrize("command, names, text", [("accept", 0, "accepted: 7 names of alice (source main) removed\n"),
                                                  ("reject", 5, "rejected: the names of alice (source main) are kept\n")])
def test_a_held_removal_is_settled(live, server, command, names, text):
    assert live.ctl(command).returncode == 1  # nothing is held
    server.say("snapshot alice")
    server.say("cut tcp")
    status = live.until(lambda s: s["held_removals"] == 1)
    assert status["guard"][0]["source"] == "main" and status["guard"][0]["workspaces"] == 2
    assert live.ctl("status").returncode == 1
    assert live.ctl(command, "main", "nobody").returncode == 1
    done = live.ctl(command, "main", "--yes")
    assert (done.returncode, done.stdout) == (0, text)
    live.until(lambda s: s["names"] == 0 if not names else s["guard"][0]["rejected"] and s["names"] >= names)


def test_no_names_after_there_were_some_is_a_warning(live, server):
    server.say("snapshot alice")
    server.say("cut tcp")
    live.until(lambda s: s["held_removals"] == 1)
    assert live.ctl("accept", "--yes").returncode == 0
    status = live.until(lambda s: s["names"] == 0)
    assert [w["code"] for w in status["warnings"]] == ["no-names"]
    done = live.ctl("status")
    assert done.returncode == 1 and "warning: no names are served any more" in done.stdout


def fields(value):
    """All names of fields below, but those that are names of problems and faults."""
    if isinstance(value, list):
        return set().union(*map(fields, value))
    if not isinstance(value, dict):
        return set()
    return set(value).union(*(fields(v) for k, v in value.items() if k not in ("failures", "faults")))


def test_every_field_of_status_is_explained(tmp_path, server):
    page = (pathlib.Path(__file__).parents[2] / "docs/status.md").read_text()
    b = Bridge(tmp_path / "bridge", server.url, adapters=f"[{{ type: hosts, path: {tmp_path}/hosts }}]")
    b.start()
    try:
        b.until(lambda s: s["fresh"] and s["adapters"][0]["owned"] >= 5)
        server.say("diff alice +9=a%01:20=main")
        b.until(lambda s: s["refused"])
        server.say("snapshot alice 9=a%01:20=main")
        server.say("cut tcp")
        with b.responder():
            seen = fields(b.until(lambda s: s["guard"] and s["refused"] and s["readers"]))
        b.stop(signal.SIGKILL)
        seen |= fields(b.json("status"))
    finally:
        b.stop(signal.SIGKILL)
    assert {"line", "missing_rights", "round_seconds", "waits", "expected", "libraries"} <= seen
    assert not {name for name in seen if f"`{name}`" not in page and f"{name}[]`" not in page}


def test_exports_are_read_by_others(live, tmp_path):
    hosts = live.ctl("export", "hosts").stdout.splitlines()
    assert "fd60:627a:a42b::8 gpu.dev.me.coder" in hosts
    assert live.json("export", "json") == live.json("records")
    zone = tmp_path / "coder.zone"
    zone.write_text(live.ctl("export", "zone").stdout)
    check = shutil.which("named-checkzone", path="/usr/bin:/usr/sbin")
    assert check, "bind9-utils is not installed"
    done = subprocess.run([check, "coder", zone], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert live.ctl("export", "zone", "other").returncode == 2


def test_with_a_dead_bridge_the_zone_is_read(live):
    before = {(r["name"], r["data"]) for r in live.json("records")}
    live.stop(signal.SIGKILL)
    done = live.ctl("--json", "status")
    status = json.loads(done.stdout)
    assert done.returncode == 1 and FIELDS <= set(status) and SOURCE <= set(status["sources"][0])
    assert (status["bridge"], status["names"], status["sources"][0]["state"]) == ("down", len(before), None)
    done = live.ctl("records", "--json")
    assert done.returncode == 0 and "no bridge runs" in done.stderr and "this is the published zone" in done.stderr
    records = json.loads(done.stdout)
    assert {(r["name"], r["data"]) for r in records} == before
    assert RECORD == set(records[0]) and records[0]["owner"] is None
    assert "fd60:627a:a42b::8 gpu.dev.me.coder" in live.ctl("export", "hosts").stdout
    assert live.ctl("history").returncode == live.ctl("accept").returncode == 3
    shutil.rmtree(live.folder / "zone")
    assert live.ctl("status").returncode == 3


@pytest.mark.parametrize("args, said", [
    (["statsu"], "did you mean 'status'?"),
    ([], "usage: holdfastctl "),
    (["status", "x"], "too many arguments for 'status'"),
    (["status", "--stale"], "unknown option '--stale' for 'status'"),
    (["export", "host"], "did you mean 'hosts'?"),
    (["--wrong"], "unknown option '--wrong'"),
])
def test_usage_is_status_2(bridge, args, said):
    done = bridge.ctl(*args)
    assert done.returncode == 2 and said in done.stderr


def ask(path, data):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(str(path))
        try:
            s.sendall(data)
        except BrokenPipeError:
            pass
        answer = b""
        try:
            while piece := s.recv(65536):
                answer += piece
        except ConnectionResetError:  # it did not read all that was sent
            pass
        return answer


def test_hostile_clients_harm_only_themselves(live):
    for data in (b"\n", b"\0\xff\n", b"[]\n", b"[" * 4000 + b"\n", b'{"command":"x"}\n', b'{"command":1}\n',
                 b'{"command":"history","max":99999}\n', b'{"command":"history","name":"' + b"a" * 3000 + b'"}\n',
                 b"x" * 4097):
        assert json.loads(ask(live.socket, data).split(b"\n")[0])["error"], data[:40]
    ask(live.socket, b"x" * 1000000)
    crowd = []
    for _ in range(100):
        s = socket.socket(socket.AF_UNIX)
        s.setblocking(False)
        try:
            s.connect(str(live.socket))
        except BlockingIOError:
            pass
        crowd.append(s)
    for s in crowd:
        s.close()
    live.until(lambda s: s["bridge"] == "running" and s["fresh"])


def test_the_socket_is_the_bridges_own_and_goes_with_it(live):
    assert stat.S_IMODE(os.stat(live.socket).st_mode) == 0o600
    live.stop()
    assert live.process.returncode == 0 and not live.socket.exists()


def test_the_socket_of_a_dead_bridge_is_replaced_and_a_live_one_is_refused(live, tmp_path, server):
    other = Bridge(tmp_path / "other", server.url, control=live.socket)
    other.start()
    assert other.process.wait(5) == 2
    assert "another bridge answers" in (other.folder / "log").read_text()
    live.stop(signal.SIGKILL)
    assert live.socket.exists()
    live.start()
    live.until(lambda s: s["bridge"] == "running")


@pytest.mark.skipif(not ROOT, reason="needs root to be somebody else")
def test_groups_decide_who_looks_and_who_commands(tmp_path, server):
    # Where the tests' folder is closed to others, the socket has to be elsewhere.
    folder = pathlib.Path("/run") / f"holdfast-test-{os.getpid()}"
    nobody = pwd.getpwnam("nobody")
    b = Bridge(folder, server.url, **{"control-group": "games", "read-group": "users"})
    shutil.copy(program("bridge/holdfastctl"), folder / "holdfastctl")

    def as_nobody(*groups, command):
        groups = ["--groups", ",".join(groups)] if groups else ["--clear-groups"]
        done = subprocess.run(["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", *groups,
                               folder / "holdfastctl", "-s", b.socket, command], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    try:
        b.start()
        b.until(lambda s: s["fresh"])
        with b.responder():
            b.until(lambda s: not s["not_answering"])
            assert as_nobody("users", command="status")[0] == as_nobody("games", command="status")[0] == 0
        assert "permission denied" in as_nobody(command="status")[1]
        assert "control-group may do this" in as_nobody("users", command="resync")[1]
        assert as_nobody("games", command="accept") == (1, "nothing waits for a decision\n")
    finally:
        b.stop()
        shutil.rmtree(folder)


def test_status_counts_what_was_taken_up_and_what_was_not(live):
    good = live.config.read_text()

    def reload(text, done, rejected):
        live.config.write_text(text)
        live.process.send_signal(signal.SIGHUP)
        counted = live.until(lambda s: s["reloads"]["done"] + s["reloads"]["rejected"] == done + rejected)["reloads"]
        assert (counted["done"], counted["rejected"]) == (done, rejected) and counted["waited"] <= done + rejected

    assert live.json("status")["reloads"] == {"done": 0, "rejected": 0, "waited": 0}
    reload("ttl: 20\n" + good, 1, 0)
    reload("no-such-key: 1\n" + good, 1, 1)
    reload(good, 2, 1)


@pytest.mark.skipif(not ROOT, reason="needs root to give files away")
@pytest.mark.parametrize("path", ["stays", "changes"])
def test_groups_of_a_reload_are_in_use_at_once(live, path):
    """Also where the socket's path changes with them: that is for the next start, and so is its file."""
    good = live.config.read_text()
    moved = good if path == "stays" else good.replace(f"control: {live.socket}", f"control: {live.folder}/other.sock")

    def reload(text, done):
        live.config.write_text(text)
        live.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 5
        while not done():
            assert time.monotonic() < end, (live.folder / "log").read_text()
            time.sleep(0.05)

    def is_open_to(mode, group):
        st = os.stat(live.socket)
        return stat.S_IMODE(st.st_mode) == mode and (group is None or st.st_gid == grp.getgrnam(group).gr_gid)

    reload("read-group: users\n" + moved, lambda: is_open_to(0o660, "users"))
    assert "reload: read-group: (none) -> users\n" in (live.folder / "log").read_text()
    reload("control-group: games\n" + moved, lambda: is_open_to(0o660, "games"))
    reload("read-group: users\ncontrol-group: games\n" + moved, lambda: is_open_to(0o666, None))
    reload(moved, lambda: is_open_to(0o600, None))
    assert not (live.folder / "other.sock").exists()


def test_a_url_of_the_environment_is_shown(tmp_path, server):
    b = Bridge(tmp_path / "bridge", server.url)
    b.config.write_text(b.config.read_text().replace(f"url: '{server.url}', ", ""))
    b.start(CODER_URL=server.url)
    try:
        b.until(lambda s: s["fresh"] and s["sources"][0]["url"] == server.url)
        assert server.url in b.ctl("status").stdout
    finally:
        b.stop(signal.SIGKILL)
