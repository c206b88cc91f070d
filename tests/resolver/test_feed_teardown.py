# SPDX-License-Identifier: Apache-2.0
"""
Clean means clean: of an adapter, a suffix, a folder or a file that is ours no longer nothing is left, in the resolver as it runs and in
what it reads at its next start, with everything of ours gone. It is compared whole with what was there before us.
"""
import signal
import threading

import pytest

from fed_stand import ALL, Stand, ask, names, until, wait_for
from foreign import Foreign
from peer import Simulator
from zone import address

CLEAN = ", teardown: clean"
HOSTS = "127.0.0.1 localhost\n# no end of its last line\n10.1.1.1 other"


def trio(s, more=CLEAN):
    return s.unbound_entry("include", more=more), s.dnsmasq_entry(more=more), s.hosts_entry(more=more)


def everything(s):
    """All that unbound has, all files of dnsmasq's folder, and the hosts file."""
    return {"data": s.ub.data(), "zones": s.ub.zones(), "folder": sorted(p.name for p in s.hostsdir.iterdir()),
            "hosts": s.hosts.read_text()}


def difference(s, before):
    now = everything(s)
    return "; ".join(f"{key}: {now[key]}, not {before[key]}" for key in before if now[key] != before[key])[:2000]


def full(s):
    return s.in_unbound(ALL) or s.in_dnsmasq(ALL) or s.in_hosts(ALL)


def begin(s):
    s.unbound(server=s.include() + "  do-not-query-localhost: no\n")
    s.dnsmasq()
    s.hosts.write_text(HOSTS)
    return everything(s)


def forwards(s, server):
    """unbound asks that server for our suffix from now on; what it says is answered."""
    assert s.ub.command(f"forward_add coder. 127.0.0.1@{server.port}") == "ok\n"
    until(lambda: "" if (got := ask(s.ub.port, "main.dev.me.coder", "A")) == Foreign.ADDRESS else f"through the forward-zone: {got}")


@pytest.mark.parametrize("how", ["taken out", "ended", "lost its store"])
def test_nothing_is_left(tmp_path, how):
    with Stand(tmp_path) as s, Foreign() as other:
        before = begin(s)
        s.run(*trio(s))
        until(lambda: full(s))
        wait_for(lambda: "AAAA" in (s.start / "start.conf").read_text())
        if how == "lost its store":
            s.end(signal.SIGKILL)
            for path in tmp_path.glob("store.db*"):
                path.unlink()
            s.run()
        if how == "ended":
            assert s.end() == 0
        else:
            s.configure()
        until(lambda: difference(s, before), 8)
        s.end(signal.SIGKILL)
        s.ub.restart()
        assert not difference(s, before)
        forwards(s, other)


@pytest.mark.parametrize("how", ["taken out", "ended"])
def test_nothing_is_left_of_a_fill_that_was_under_way(tmp_path, how):
    """The end comes while unbound has half of the names."""
    world = "user alice\nsnapshot alice " + " ".join(f"{n}=w{n}:{n}=main" for n in range(10, 100)) + "\n"
    with Stand(tmp_path, world) as s:
        s.unbound(gate=True)
        before = {"data": s.ub.data(), "zones": s.ub.zones()}
        s.gate.at("local_datas\n", lambda: s.configure() if how == "taken out" else s.bridge.process.terminate(), nth=3)
        s.run(s.unbound_entry(more=CLEAN), synced=False)
        if how == "taken out":
            wait_for(lambda: s.status() and s.adapter()["state"] == "not there")
        else:
            assert s.bridge.process.wait(20) == 0
        assert not s.gate.hook, "the fill was over"
        until(lambda: difference_of(s, before))


def difference_of(s, before):
    now = {"data": s.ub.data(), "zones": s.ub.zones()}
    return "; ".join(f"{key}: {len(now[key])}: {list(now[key])[:4]}" for key in before if now[key] != before[key])


def test_an_unbound_that_hangs_meanwhile_is_cleaned_when_it_is_back(tmp_path):
    with Stand(tmp_path) as s:
        before = begin(s)
        s.run(*trio(s))
        until(lambda: full(s))
        s.ub.server.process.send_signal(signal.SIGSTOP)
        s.configure()
        wait_for(lambda: s.hosts.read_text() == HOSTS)
        s.ub.server.process.send_signal(signal.SIGCONT)
        until(lambda: difference(s, before), 12)


# --- taken out, and put back

@pytest.mark.parametrize("which", ["unbound", "dnsmasq"])
def test_one_that_never_worked_is_put_back_right(tmp_path, which):
    """Its path was a slip: nothing of it is anywhere, so nothing is to be waited for."""
    with Stand(tmp_path) as s:
        s.unbound()
        s.dnsmasq()
        right = {"unbound": s.unbound_entry(more=CLEAN), "dnsmasq": s.dnsmasq_entry(more=CLEAN)}[which]
        wrong = right.replace(str(s.ub.control), f"{tmp_path}/slip.ctl").replace(str(s.hostsdir), f"{tmp_path}/slip")
        name = {"unbound": "ub", "dnsmasq": "dm"}[which]
        s.run(wrong, synced=False)
        wait_for(lambda: s.adapter(name)["state"] in ("retrying", "failed"))
        s.configure()
        s.bridge.wait_log(f"adapters[{name}]")
        s.configure(right)
        until(lambda: {"unbound": s.in_unbound, "dnsmasq": s.in_dnsmasq}[which](ALL))


def test_out_and_in_again_at_once(tmp_path):
    with Stand(tmp_path) as s:
        begin(s)
        s.run(*trio(s))
        until(lambda: full(s))
        s.configure()
        s.configure(*trio(s))
        s.synced()
        until(lambda: full(s))


# --- another place

def test_a_hosts_file_that_is_another_one(tmp_path):
    other = tmp_path / "hosts.other"
    other.write_text(HOSTS)
    with Stand(tmp_path) as s:
        s.hosts.write_text(HOSTS)
        s.run(s.hosts_entry(more=CLEAN))
        until(lambda: s.in_hosts(ALL))
        s.configure(s.hosts_entry(other, more=CLEAN))
        until(lambda: s.in_hosts(ALL, path=other))
        until(lambda: "" if s.hosts.read_text() == HOSTS else f"the former file: {s.hosts.read_text()}")
        s.configure()
        until(lambda: "" if other.read_text() == HOSTS else f"the next file: {other.read_text()}")


def test_a_folder_of_dnsmasq_that_is_another_one(tmp_path):
    other = tmp_path / "hostsdir.other"
    other.mkdir()
    with Stand(tmp_path) as s:
        s.dnsmasq(f"--hostsdir={other}")
        s.run(s.dnsmasq_entry(more=CLEAN))
        until(lambda: s.in_dnsmasq(ALL))
        s.configure(s.dnsmasq_entry(other, more=CLEAN))
        wait_for(lambda: list(other.iterdir()))
        until(lambda: f"the former folder: {left}" if (left := sorted(p.name for p in s.hostsdir.iterdir())) else "")
        s.tell("-2")
        until(lambda: s.in_dnsmasq({"dev": 7, "tri": 9}, {"web": 8}))


def test_a_start_file_that_is_another_one(tmp_path):
    with Stand(tmp_path) as s:
        s.unbound(server=s.include())
        s.run(s.unbound_entry("include", more=CLEAN))
        until(lambda: s.in_unbound(ALL))
        wait_for(lambda: "web.coder" in (s.start / "start.conf").read_text())
        s.configure(s.unbound_entry("include", file="other.conf", more=CLEAN))
        wait_for(lambda: (s.start / "other.conf").exists() and "web.coder" in (s.start / "other.conf").read_text())
        s.tell("-2")
        until(lambda: s.in_unbound({"dev": 7, "tri": 9}, {"web": 8}))
        until(lambda: "the former file still has the name" if "web.coder" in (s.start / "start.conf").read_text() else "")
        s.end(signal.SIGKILL)
        s.ub.restart()
        until(lambda: s.in_unbound({"dev": 7}, {"web": 8}))


@pytest.mark.parametrize("form", ["include", "zonefile"])
def test_a_start_file_that_is_used_no_longer(tmp_path, form):
    """The key goes away, with the bridge alive; what was in the files comes back with no start of unbound."""
    with Stand(tmp_path) as s:
        s.unbound(server=s.include())
        s.run(s.unbound_entry(form, file="start.conf" if form == "include" else "start.zone", more=CLEAN))
        until(lambda: s.in_unbound(ALL))
        wait_for(lambda: any("web.coder" in p.read_text() for p in s.start.iterdir()))
        if form == "zonefile":
            s.ub.configure(s.setup_lines())
            s.ub.restart()
            until(lambda: s.in_unbound(ALL, ["nobody"]))
            s.synced()
        s.configure(s.unbound_entry(more=CLEAN))
        until(lambda: str([p.name for p in s.start.iterdir() if address(8) in p.read_text() or "web." in p.read_text()]).strip("[]"))
        s.synced()
        until(lambda: s.in_unbound(ALL))
        s.configure()
        until(lambda: f"it is {got}" if (got := ask(s.ub.port, "main.web.me.coder")) == address(8) else "")
        s.end(signal.SIGKILL)
        s.ub.restart()
        assert ask(s.ub.port, "main.web.me.coder") != address(8)


def test_a_renamed_adapter_takes_no_name_away(tmp_path):
    """The old one leaves, clean, and the new one has the same unbound: each name is answered all the time."""
    with Stand(tmp_path) as s:
        s.unbound(gate=True)
        s.run(s.unbound_entry(more=CLEAN))
        until(lambda: s.in_unbound(ALL))
        s.gate.slow_s = 0.05  # each command: so that a gap is as long as it is on a machine with many names
        with Asker(s.ub.port, names("web")[0]) as asker:
            s.configure(s.unbound_entry(more=CLEAN, name="other"))
            wait_for(lambda: s.adapter("other")["state"] == "synced" and s.adapter("other")["owned"] == 9 and
                     s.adapter("ub")["state"] == "not there", 20)
        assert asker.seen == {address(8)}, f"it was {asker.seen}"


class Asker:
    """Asks for a name all the time; `seen` are the answers."""

    def __init__(self, port, name):
        self.port, self.name, self.seen, self.end = port, name, set(), threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.end.wait(0.002):
            self.seen.add(ask(self.port, self.name))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *what):
        self.end.set()
        self.thread.join()


# --- another suffix

def two_sources(s, folder):
    other = Simulator(folder, "user bob\nsnapshot bob 11=dev:17=main 12=web:18=main\n")
    s.servers.append(other)
    s.sources = [("main", s.server.url, "coder"), ("two", other.url, "beta.example")]
    return other


@pytest.mark.parametrize("bridge", ["alive", "down"])
def test_a_source_that_is_taken_out_leaves_the_start_file(tmp_path, bridge):
    """Else all its names are back with unbound's next start."""
    with Stand(tmp_path) as s:
        two_sources(s, tmp_path)
        s.unbound(server=s.include())
        s.run(s.unbound_entry("include"))
        wait_for(lambda: ask(s.ub.port, "main.web.me.beta.example") == address(18))
        wait_for(lambda: "web.me.beta.example" in (s.start / "start.conf").read_text())
        s.sources.pop()
        if bridge == "down":
            s.end()
            s.run()
        else:
            s.configure(*s.feeds)
        wait_for(lambda: ask(s.ub.port, "main.web.me.beta.example") != address(18))
        until(lambda: "the start file still has the suffix" if "beta.example" in (s.start / "start.conf").read_text() else "")
        s.end(signal.SIGKILL)
        s.ub.restart()
        assert ask(s.ub.port, "main.web.me.beta.example") != address(18)
        assert "beta.example." not in s.ub.zones()
        until(lambda: s.in_unbound(ALL))


@pytest.mark.parametrize("form", ["include", "zonefile"])
def test_a_suffix_that_changes_while_unbound_restarts(tmp_path, form):
    """It has read its older file by the time the bridge hears of the change."""
    with Stand(tmp_path, suffix="alpha.example") as s:
        s.unbound(server=s.include())
        s.run(s.unbound_entry(form, file="start.conf" if form == "include" else "start.zone"))
        until(lambda: s.in_unbound(ALL))
        if form == "zonefile":
            s.ub.configure(s.setup_lines())
            s.ub.restart()
            until(lambda: s.in_unbound(ALL, ["nobody"]))
        s.synced()
        s.suffix = "beta.example"
        s.sources = [("main", s.server.url, s.suffix)]
        with s.hung():
            s.ub.restart(signal.SIGKILL)
            s.configure(*s.feeds)
        until(lambda: s.in_unbound(ALL))
        until(lambda: f"the former suffix: {got}" if (got := ask(s.ub.port, "main.web.me.alpha.example")) == address(8) else "")
        until(lambda: "the start file still has the suffix" if any("me.alpha.example" in p.read_text() for p in s.start.iterdir()) else "")
        s.end(signal.SIGKILL)
        s.ub.restart()
        assert ask(s.ub.port, "main.web.me.alpha.example") != address(8)
