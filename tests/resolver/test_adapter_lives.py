# SPDX-License-Identifier: Apache-2.0
"""
The unbound adapter over lives of bridge, resolver and start file: whatever restarts while whatever is dead, what unbound reads at its
own start is what should be known, and status says where it is not.
"""
import json
import signal
import subprocess
import time

import pytest

from bridge import Bridge
from fed_unbound import Unbound
from peer import Simulator
from server import wait_for
from zone import address, program

WORLD = "user alice\nsnapshot alice 1=dev:7=main 2=web:8=main\n"
DEV, WEB = "main.dev.me.coder", "main.web.me.coder"
FORMS = ["zonefile", "include"]


class Stand:
    """A simulator, a bridge and an unbound that reads the bridge's start file."""

    def __init__(self, folder, form, interval, more="", world=WORLD):
        self.folder, self.form, self.more = folder, form, more
        self.start = folder / "start"
        self.start.mkdir()
        self.file = self.start / ("start.zone" if form == "zonefile" else "start.conf")
        self.interval = interval
        self.unbound = Unbound(folder)
        self.server = Simulator(folder, world)
        self.bridge = None

    def adapters(self):
        u = self.unbound
        return (f"adapters:\n  - {{ type: unbound, name: ub, control: {u.control}, ask: 127.0.0.1@{u.port}, start-file: {self.file}, "
                f"start-form: {self.form}, start-interval: {self.interval}{self.more} }}\n")

    def run(self, top=None, suffix="coder"):
        """A bridge; the first one makes the file, then unbound gets the lines that setup prints."""
        self.bridge = Bridge(self.folder, self.server.url, f"    suffix: {suffix}\n", top=self.adapters() if top is None else top)
        self.bridge.__enter__()

    def begin(self):
        self.unbound.start()
        self.run()
        self.synced()
        wait_for(lambda: self.names() == {DEV, WEB})
        lines = subprocess.run([program("bridge/holdfastctl"), "-c", self.bridge.config, "setup", "unbound"], capture_output=True,
                               text=True, check=True).stdout
        self.unbound.configure(lines.replace("remote-control:", "").replace("  control-enable: yes\n", "")
                               .replace(f'  control-interface: "{self.unbound.control}"\n', "").replace("  control-use-cert: no\n", ""))
        self.unbound.restart()
        self.synced()
        return self

    def status(self):
        done = subprocess.run([program("bridge/holdfastctl"), "-c", self.bridge.config, "--json", "status"], capture_output=True,
                              text=True)
        return json.loads(done.stdout) if done.stdout else {"bridge": "down", "adapters": [], "warnings": []}

    def adapter(self):
        return (self.status()["adapters"] or [{"state": "down", "generation": 0, "verified": None, "last_error": ""}])[0]

    def synced(self, seconds=15):
        """Fed, and seen by the questions of this life."""
        wait_for(lambda: self.status()["bridge"] == "running" and self.adapter()["state"] == "synced" and
                 self.adapter()["generation"], seconds, 0.05)
        wait_for(lambda: self.unbound.canary() == "w", seconds, 0.05)

    def text(self, path=None):
        try:
            return (path or self.file).read_text()
        except FileNotFoundError:
            return None

    def names(self, path=None):
        """The names of `me` in the file: those that the tests are about."""
        text = self.text(path)
        return None if text is None else {w.strip('".') for line in text.splitlines() if " AAAA " in line
                                          for w in line.replace("local-data: ", "").split()[:1] if ".me." in w}

    def warnings(self):
        return " ".join(w["text"] for w in self.status()["warnings"])

    def stop(self, how=signal.SIGTERM):
        if self.bridge and self.bridge.process.poll() is None:
            self.bridge.process.send_signal(how)
            self.bridge.process.wait(20)

    def answers(self, name):
        return self.unbound.addresses(name)

    def __enter__(self):
        return self.begin()

    def __exit__(self, *what):
        self.stop()
        self.unbound.stop()
        self.server.stop()


@pytest.fixture(params=FORMS)
def form(request):
    return request.param


def test_a_removal_right_before_the_end_is_in_the_file(tmp_path, form):
    """The interval is for additions, and what waits is written at the end."""
    with Stand(tmp_path, form, "1h") as s:
        s.server.say("diff alice -2")
        wait_for(lambda: not s.answers(WEB))
        s.stop()
        assert s.names() == {DEV}
        s.unbound.restart(signal.SIGKILL)
        assert s.answers(DEV) and not s.answers(WEB)


def test_a_removal_does_not_wait_for_the_interval(tmp_path, form):
    with Stand(tmp_path, form, "1h") as s:
        s.server.say("diff alice -2")
        wait_for(lambda: s.names() == {DEV}, 5)
        s.stop(signal.SIGKILL)
        s.unbound.restart(signal.SIGKILL)
        assert s.answers(DEV) and not s.answers(WEB)


def test_what_a_killed_bridge_had_not_written_is_written_by_the_next_one(tmp_path, form):
    """Nothing changes in the next life: the file is brought up to date all the same."""
    with Stand(tmp_path, form, "1h") as s:
        old = {path: path.read_bytes() for path in s.start.iterdir()}
        s.server.say("diff alice -2")
        wait_for(lambda: s.names() == {DEV}, 5)
        time.sleep(0.7)  # the receipt is on the disk, so the next life has nothing to do
        s.stop(signal.SIGKILL)
        for path, data in old.items():
            path.write_bytes(data)
        assert s.names() == {DEV, WEB}
        s.run()
        wait_for(lambda: s.names() == {DEV}, 5)
        s.stop(signal.SIGKILL)
        s.unbound.restart(signal.SIGKILL)
        assert s.answers(DEV) and not s.answers(WEB)


def test_a_file_that_went_while_the_bridge_was_down_is_there_again(tmp_path, form):
    with Stand(tmp_path, form, "1h") as s:
        s.stop()
        for path in s.start.iterdir():
            path.unlink()
        s.run()
        wait_for(lambda: s.names() == {DEV, WEB}, 6)
        s.stop(signal.SIGKILL)
        s.unbound.restart(signal.SIGKILL)
        assert s.answers(DEV) and s.answers(WEB)


@pytest.mark.parametrize("how", ["removed", "cut", "the folder"])
def test_a_file_that_others_take_away_is_written_again(tmp_path, form, how):
    with Stand(tmp_path, form, "1h") as s:
        for _ in range(2):
            if how == "cut":
                s.file.write_text(s.text()[:40])
            elif how == "removed":
                s.file.unlink()
            else:
                s.start.rename(tmp_path / "away")
                wait_for(lambda: "start file" in s.warnings(), 6, 0.1)
                (tmp_path / "away").rename(s.start)
                s.file.unlink()
            wait_for(lambda: s.names() == {DEV, WEB}, 8, 0.05)
        if how == "the folder":
            wait_for(lambda: "start file" not in s.warnings(), 6, 0.1)


def test_a_file_that_cannot_follow_is_a_warning(tmp_path, form):
    with Stand(tmp_path, form, "300ms") as s:
        s.start.rename(tmp_path / "away")
        s.server.say("diff alice -2")
        wait_for(lambda: not s.answers(WEB))
        wait_for(lambda: str(s.file) in s.warnings(), 6, 0.1)
        (tmp_path / "away").rename(s.start)
        wait_for(lambda: s.names() == {DEV} and str(s.file) not in s.warnings(), 8, 0.1)


def reconfigure(s, suffix="coder", sources=True, adapters=True, more=""):
    text = s.bridge.config.read_text()
    head, _, _ = text.partition("adapters:\n")
    rest = text[text.index("sources:\n"):]
    if not sources:
        rest = "sources: []\n"
    rest = "\n".join(f"    suffix: {suffix}" if line.strip().startswith("suffix:") else line for line in rest.splitlines()) + "\n"
    s.bridge.config.write_text(head + (s.adapters() if adapters else "") + rest + more)
    s.bridge.reload()


def test_teardown_clean_leaves_nothing_that_comes_back(tmp_path, form):
    """Neither in unbound nor in what it reads at its next start."""
    with Stand(tmp_path, form, "1h", ", teardown: clean") as s:
        reconfigure(s, adapters=False)
        s.bridge.wait_log("all 6 names of ours were taken out of it")
        assert not s.names()
        assert "coder." not in s.unbound.zones() or form == "zonefile", s.unbound.zones()
        assert not [line for line in s.unbound.data() if "coder" in line or "holdfast" in line], s.unbound.data()
        s.stop()
        s.unbound.restart()
        assert not s.answers(DEV) and not s.answers(WEB) and s.text() is not None


def test_teardown_clean_at_the_end_of_the_bridge(tmp_path, form):
    with Stand(tmp_path, form, "1h", ", teardown: clean") as s:
        s.stop()
        assert not s.names() and s.text() is not None
        s.unbound.restart()
        assert not s.answers(DEV) and not s.answers(WEB)


def test_a_suffix_that_is_another_one_leaves_nothing(tmp_path, form):
    with Stand(tmp_path, form, "1h") as s:
        reconfigure(s, suffix="beta.example")
        wait_for(lambda: s.answers("main.dev.me.beta.example"))
        wait_for(lambda: not s.answers(DEV))
        wait_for(lambda: "beta.example" in " ".join(s.text(p) for p in s.start.iterdir()), 5)
        wait_for(lambda: not any("me.coder" in s.text(p) for p in s.start.iterdir()), 5)
        s.stop(signal.SIGKILL)
        s.unbound.restart(signal.SIGKILL)
        assert not s.answers(DEV)


def test_files_stay_with_their_zone_whatever_the_order_of_the_sources(tmp_path):
    """Each file is read as the zone that setup has said: another zone in it is SERVFAIL for both."""
    one, two = Simulator(tmp_path, WORLD), Simulator(tmp_path, WORLD.replace(":7", ":17").replace(":8", ":18"))
    unbound = Unbound(tmp_path)
    (tmp_path / "start").mkdir()
    file = tmp_path / "start" / "start.zone"
    token = tmp_path / "token"
    token.write_text("tok\n")
    token.chmod(0o600)
    config = tmp_path / "holdfast.yaml"
    sources = [f"  - {{ name: one, url: '{one.url}', token-file: {token}, suffix: alpha.example }}\n",
               f"  - {{ name: two, url: '{two.url}', token-file: {token}, suffix: beta.example }}\n"]

    def configure(which):
        config.write_text(f"store: {tmp_path}/store.db\nzone: {tmp_path}/zone\ncontrol: {tmp_path}/control.sock\nadapters:\n  - {{ "
                          f"type: unbound, name: ub, control: {unbound.control}, ask: 127.0.0.1@{unbound.port}, start-file: {file}, "
                          f"start-interval: 100ms }}\nsources:\n{''.join(which)}")
        config.chmod(0o600)

    def start():
        return subprocess.Popen([program("bridge/holdfastd"), "-c", config], stderr=open(tmp_path / "log", "ab"))

    def files():
        return {p.name: p.read_text() for p in file.parent.iterdir() if not p.name.startswith(".")}

    def setup():
        lines = subprocess.run([program("bridge/holdfastctl"), "-c", config, "setup", "unbound"], capture_output=True, text=True,
                               check=True).stdout
        return lines[lines.index("server:\n"):]

    configure(sources)
    bridge = start()
    try:
        unbound.start()
        wait_for(lambda: "main.web.me.beta.example" in "".join(files().values()), 15)
        lines = setup()
        unbound.configure(lines)
        unbound.restart()
        wait_for(lambda: unbound.canary("beta.example") == "w" and unbound.canary("alpha.example") == "w", 15)
        configure(sources[::-1])
        assert sorted(setup().split("auth-zone:")) == sorted(lines.split("auth-zone:"))
        bridge.send_signal(signal.SIGHUP)
        two.say("diff alice -2")
        wait_for(lambda: not unbound.addresses("main.web.me.beta.example"))
        wait_for(lambda: "main.web.me.beta.example" not in "".join(files().values()))
        bridge.kill()
        bridge.wait()
        unbound.restart()
        assert unbound.addresses("main.dev.me.alpha.example") == [address(7)] and unbound.addresses("main.dev.me.beta.example") == [address(17)]
        assert not unbound.addresses("main.web.me.beta.example")
        bridge = start()
        wait_for(lambda: unbound.canary("beta.example") == "w" and unbound.canary("alpha.example") == "w", 15)
        configure(sources[1:])
        bridge.send_signal(signal.SIGHUP)
        wait_for(lambda: "alpha.example. " in files()["start.zone"] and "AAAA" not in files()["start.zone"], 10)
        wait_for(lambda: not unbound.addresses("main.dev.me.alpha.example"))
        two.say("diff alice +3=new:33=main")
        wait_for(lambda: "main.new.me.beta.example" in files()["start.zone.beta.example"])
        bridge.kill()
        bridge.wait()
        unbound.restart()
        assert unbound.addresses("main.new.me.beta.example") == [address(33)] and not unbound.addresses("main.dev.me.alpha.example")
    finally:
        bridge.kill()
        bridge.wait()
        unbound.stop()
        one.stop()
        two.stop()


@pytest.mark.parametrize("bridge", ["runs", "is down"])
def test_a_zone_keeps_its_file_where_that_of_a_former_suffix_is_removed(tmp_path, bridge):
    with Stand(tmp_path, "zonefile", "100ms", ", verify-interval: 1h") as s:
        lab = s.start / "start.zone.lab.example"
        both = {"main.dev.me.lab.example", "main.web.me.lab.example"}
        s.bridge.configure(s.server.url, "    suffix: lab.example\n", top=s.adapters())
        s.bridge.reload()
        wait_for(lambda: s.names(lab) == both and s.names() == set())
        if bridge == "runs":
            s.file.unlink()
            wait_for(lambda: s.text() and s.text().startswith("coder. ") and s.names() == set(), 10)
        s.stop()
        if bridge == "is down":
            s.file.unlink()
        s.run(suffix="lab.example")
        wait_for(lambda: s.adapter()["state"] == "synced")
        s.server.say("diff alice -2")
        wait_for(lambda: s.names(lab) == {"main.dev.me.lab.example"}, 10)
        printed = subprocess.run([program("bridge/holdfastctl"), "-c", s.bridge.config, "setup", "unbound"], capture_output=True,
                                 text=True, check=True).stdout
        assert f'zonefile: "{lab}"' in printed and f'zonefile: "{s.file}"' not in printed


def test_an_unbound_that_restarted_before_the_bridge_came_back_is_filled(tmp_path):
    """With a current cursor there is nothing to do, but the watch must run."""
    with Stand(tmp_path, "zonefile", "1h", ", verify-interval: 1h") as s:
        s.stop()
        s.unbound.configure()  # it knows nothing by itself
        s.unbound.restart()
        s.run()
        wait_for(lambda: s.answers(DEV) and s.answers(WEB), 5)
        s.synced()
        s.stop()
        s.run()
        s.synced()
        s.unbound.restart()
        wait_for(lambda: s.answers(DEV) and s.answers(WEB), 5)


@pytest.mark.parametrize("life", ["first", "next"])
def test_a_dead_unbound_is_not_synced(tmp_path, life):
    with Stand(tmp_path, "zonefile", "1h", ", verify-interval: 1h") as s:
        if life == "next":
            s.stop()
            s.run()
            s.synced()
        s.unbound.stop(signal.SIGKILL)
        wait_for(lambda: s.adapter()["state"] != "synced" and s.adapter()["verified"] is not True and s.adapter()["last_error"], 6, 0.1)
        s.unbound.start()
        s.synced()
        assert s.answers(DEV)


def test_a_bridge_that_starts_without_unbound_says_so(tmp_path):
    with Stand(tmp_path, "zonefile", "1h", ", verify-interval: 1h") as s:
        s.stop()
        s.unbound.stop()
        s.run()
        wait_for(lambda: s.status()["bridge"] == "running", 10, 0.1)
        wait_for(lambda: s.adapter()["state"] in ("retrying", "failed") and s.adapter()["last_error"], 6, 0.1)
        s.unbound.start()
        s.synced()
