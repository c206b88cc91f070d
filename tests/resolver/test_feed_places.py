# SPDX-License-Identifier: Apache-2.0
"""
An adapter is known again by what it feeds, not by its name: names are exchanged, places move, kinds change, and all of it at once. What
is asserted is what is in the files, all the time.
"""
import signal
import threading

from fed_stand import ALL, Stand, until, wait_for

CLEAN = ", teardown: clean"
TEXT = "127.0.0.1 localhost\n"
GONE = {"dev": 7, "tri": 9}


def files(s, *words):
    """Hosts files of others, beside that of the stand."""
    made = []
    for word in words:
        path = s.folder / f"hosts.{word}"
        path.write_text(TEXT)
        made.append(path)
    return made


class Watch:
    """Reads files all the time; `gaps` are those moments in which one of them had not all names."""

    def __init__(self, s, *paths):
        self.s, self.paths, self.gaps, self.end = s, paths, [], threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.end.wait(0.001):
            self.gaps += [f"{path}: {said}" for path in self.paths if (said := self.s.in_hosts(ALL, path=path))]

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *what):
        self.end.set()
        self.thread.join()


def clean(path):
    return "" if path.read_text() == TEXT else f"{path}: {path.read_text()}"


def test_two_adapters_change_their_paths(tmp_path):
    with Stand(tmp_path) as s:
        one, other = files(s, "one", "other")
        s.run(s.hosts_entry(one, CLEAN, "a"), s.hosts_entry(other, CLEAN, "b"))
        until(lambda: s.in_hosts(ALL, path=one) or s.in_hosts(ALL, path=other))
        with Watch(s, one, other) as watch:
            s.configure(s.hosts_entry(other, CLEAN, "a"), s.hosts_entry(one, CLEAN, "b"))
            s.bridge.wait_log("is now 'a'")
            s.synced()
        assert not watch.gaps, watch.gaps[:3]
        s.tell("-2")
        until(lambda: s.in_hosts(GONE, ["web"], one) or s.in_hosts(GONE, ["web"], other))
        s.configure(s.hosts_entry(other, CLEAN, "a"))
        until(lambda: clean(one))
        assert not s.in_hosts(GONE, ["web"], other)


def test_one_is_renamed_and_another_gets_its_name(tmp_path):
    with Stand(tmp_path) as s:
        one, other, third = files(s, "one", "other", "third")
        s.run(s.hosts_entry(one, CLEAN, "a"), s.hosts_entry(other, CLEAN, "b"))
        until(lambda: s.in_hosts(ALL, path=one) or s.in_hosts(ALL, path=other))
        with Watch(s, one) as watch:
            s.configure(s.hosts_entry(one, CLEAN, "b"), s.hosts_entry(third, CLEAN, "a"))
            until(lambda: clean(other) or s.in_hosts(ALL, path=third))
        assert not watch.gaps, watch.gaps[:3]
        wait_for(lambda: sorted(a["name"] for a in s.status()["adapters"]) == ["a", "b"])
        s.synced()


def test_another_kind_under_the_same_name(tmp_path):
    with Stand(tmp_path) as s:
        (one,) = files(s, "one")
        s.dnsmasq()
        s.run(s.hosts_entry(one, CLEAN, "x"))
        until(lambda: s.in_hosts(ALL, path=one))
        s.configure(s.dnsmasq_entry(more=CLEAN, name="x"))
        until(lambda: clean(one) or s.in_dnsmasq(ALL))
        s.configure(s.hosts_entry(one, CLEAN, "x"))
        until(lambda: s.in_hosts(ALL, path=one) or str(sorted(s.hostsdir.iterdir()) or ""))


def test_another_kind_for_the_same_file(tmp_path):
    """One of the two at a time: the first has left before the second begins, which takes no file of others."""
    with Stand(tmp_path) as s:
        (one,) = files(s, "one")
        one.write_text("")
        s.dnsmasq(f"--addn-hosts={one}")
        s.run(s.hosts_entry(one, CLEAN, "x"))
        until(lambda: s.in_hosts(ALL, path=one))
        pid = s.dm.server.process.pid
        (tmp_path / "pid").write_text(f"{pid}\n")
        s.configure(f"{{ type: dnsmasq, name: x, hosts-file: {one}, pid-file: {tmp_path}/pid, ask: 127.0.0.1@{s.dm.port}{CLEAN} }}")
        until(lambda: s.in_dnsmasq(ALL))
        assert one.read_text().startswith("# Holdfast wrote this file")


def test_taken_out_and_put_back_within_a_moment(tmp_path):
    """Also while it is being cleaned: it goes on, and nothing is taken that is wanted."""
    with Stand(tmp_path) as s:
        s.unbound(gate=True)
        s.run(s.unbound_entry(more=CLEAN))
        until(lambda: s.in_unbound(ALL))
        s.gate.slow_s = 0.1
        for _ in range(3):
            s.configure()
            s.configure(s.unbound_entry(more=CLEAN))
        s.gate.slow_s = 0
        s.synced()
        until(lambda: s.in_unbound(ALL))
        s.tell("-2")
        until(lambda: s.in_unbound(GONE, {"web": 8}))
        s.configure()
        until(lambda: str(s.zones_below() or ""))


def test_a_link_to_the_same_file_is_the_same_place(tmp_path):
    with Stand(tmp_path) as s:
        (one,) = files(s, "one")
        folder = tmp_path / "link"
        folder.symlink_to(tmp_path)
        s.run(s.hosts_entry(one, CLEAN))
        until(lambda: s.in_hosts(ALL, path=one))
        with Watch(s, one) as watch:
            s.configure(s.hosts_entry(folder / one.name, CLEAN))
            s.bridge.wait_log("its settings have changed")
            s.synced()
        assert not watch.gaps, watch.gaps[:3]
        s.end()  # the ledger is that of the same place, by its new path
        s.run()
        s.configure()
        until(lambda: clean(one))


def test_the_former_place_cannot_be_reached_and_the_bridge_ends(tmp_path):
    """The next one tells it, and by the way that it tells all of it is taken out."""
    with Stand(tmp_path) as s:
        (one,) = files(s, "one")
        s.unbound()
        before = s.ub.data(), s.ub.zones()
        s.run(s.unbound_entry(more=CLEAN, name="x"))
        until(lambda: s.in_unbound(ALL))
        s.ub.server.process.send_signal(signal.SIGSTOP)
        s.configure(s.hosts_entry(one, CLEAN, "x"))
        until(lambda: s.in_hosts(ALL, path=one))
        wait_for(lambda: {a["name"] for a in s.status()["adapters"]} == {"x", "x (former)"})
        s.end(signal.SIGKILL)
        s.ub.server.process.send_signal(signal.SIGCONT)
        s.run()
        s.bridge.wait_log(f"adapter 'unbound {s.ub.control}': is no longer configured, and up to 9 names of ours are left")
        s.configure(s.hosts_entry(one, CLEAN, "x"), s.unbound_entry(more=CLEAN, name="again"))
        s.synced()
        s.configure(s.hosts_entry(one, CLEAN, "x"))
        until(lambda: "" if (s.ub.data(), s.ub.zones()) == before else f"{s.ub.data()} {s.ub.zones()}")
        assert not s.in_hosts(ALL, path=one)


def test_with_keep_a_former_place_keeps_its_names_and_is_known_later(tmp_path):
    with Stand(tmp_path) as s:
        one, other = files(s, "one", "other")
        s.run(s.hosts_entry(one))
        until(lambda: s.in_hosts(ALL, path=one))
        s.configure(s.hosts_entry(other))
        until(lambda: s.in_hosts(ALL, path=other))
        assert not s.in_hosts(ALL, path=one)
        s.tell("-2")
        until(lambda: s.in_hosts(GONE, ["web"], other))
        s.configure(s.hosts_entry(one, CLEAN))
        until(lambda: s.in_hosts(GONE, ["web"], one))
        s.configure()
        until(lambda: clean(one))


def test_one_that_never_reached_anything_is_gone_at_once(tmp_path):
    """Nothing is there to be taken out, so nothing is tried for ever."""
    with Stand(tmp_path) as s:
        s.unbound()
        slip = s.unbound_entry(more=CLEAN, name="slip").replace(str(s.ub.control), f"{tmp_path}/slip.ctl")
        s.run(slip, synced=False)
        wait_for(lambda: s.adapter("slip").get("attempts", 0) >= 2)
        s.configure(s.hosts_entry(more=CLEAN))
        wait_for(lambda: [a["name"] for a in s.status()["adapters"]] == ["ho"])
        s.bridge.wait_log("adapter 'slip': it never had a name of ours")


def test_a_renamed_hook_goes_on(tmp_path):
    """What it was told is in the store alone: it is told nothing twice, and nothing is taken."""
    script, log = tmp_path / "hook.sh", tmp_path / "hook.log"
    script.write_text(f'#!/bin/sh\necho "$@" >> {log}\n')
    script.chmod(0o755)
    with Stand(tmp_path) as s:
        entry = f"{{ type: hook, name: NAME, command: [{script}, word], form: dhcp-script{CLEAN} }}"
        s.run(entry.replace("NAME", "a"))
        told = log.read_text()
        assert len(told.splitlines()) == 9
        s.configure(entry.replace("NAME", "b"))
        wait_for(lambda: s.adapter("b")["state"] == "synced" and s.adapter("b")["owned"] == 9)
        s.end(signal.SIGKILL)
        s.run()
        assert log.read_text() == told
        s.configure()
        until(lambda: "" if len([line for line in log.read_text().splitlines() if " del " in line]) == 9 else log.read_text())
