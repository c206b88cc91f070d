# SPDX-License-Identifier: Apache-2.0
"""
What a resolver should not have: names that are gone and come back with an older file, a restored folder, a lost store. Nobody asks for
them, so nobody misses them; they are to be found and taken, in each life of the bridge and after each loss on the resolver's side.
"""
import signal

import dns.reversename
import pytest

from fed_stand import ALL, WITHOUT_WEB, Stand, ask, names, pointer, until, wait_for
from zone import address

GHOST = {"web": 8}


def begin(stand):
    """unbound reads the start file that it has by now, and is fed."""
    stand.unbound(server=stand.include())
    stand.run(stand.unbound_entry("include"))
    until(lambda: stand.in_unbound(ALL))
    wait_for(lambda: "web.coder" in file_text(stand))


def file_text(stand):
    path = stand.start / "start.conf"
    return path.read_text() if path.exists() else ""


def remove_web(stand):
    stand.tell("-2")
    until(lambda: stand.in_unbound(WITHOUT_WEB, GHOST))


@pytest.mark.parametrize("how", ["reload", "kill"])
def test_a_name_that_an_older_start_file_brought_back_goes_again(tmp_path, how):
    """The file could not follow (a full disk, rights), and unbound reads what it had; the bridge lives."""
    with Stand(tmp_path) as s:
        begin(s)
        (tmp_path / "start").rename(tmp_path / "kept")
        remove_web(s)
        with s.hung():
            (tmp_path / "kept").rename(s.start)
            assert "web.coder" in file_text(s)
            if how == "reload":
                s.reload_unbound()
            else:
                s.ub.restart(signal.SIGKILL)
        until(lambda: s.in_unbound(WITHOUT_WEB, GHOST))


def test_a_start_file_out_of_a_backup_brings_nothing_back_for_long(tmp_path):
    with Stand(tmp_path) as s:
        begin(s)
        old = (s.start / "start.conf").read_bytes()
        remove_web(s)
        wait_for(lambda: "web.coder" not in file_text(s))
        with s.hung():
            (s.start / "start.conf").write_bytes(old)
            s.reload_unbound()
        until(lambda: s.in_unbound(WITHOUT_WEB, GHOST))


def test_what_came_back_while_the_bridge_was_down_goes(tmp_path):
    """The removal is done and written down; then unbound starts with an older file, and only then the bridge."""
    with Stand(tmp_path) as s:
        begin(s)
        old = (s.start / "start.conf").read_bytes()
        remove_web(s)
        s.synced()
        s.end()
        (s.start / "start.conf").write_bytes(old)
        s.ub.restart()
        assert ask(s.ub.port, "web.coder") == address(8)
        s.run()
        until(lambda: s.in_unbound(WITHOUT_WEB, GHOST))


def test_the_pointer_of_a_replaced_agent_does_not_come_back(tmp_path):
    """The name itself is wanted, and put right; its former address is nobody's."""
    with Stand(tmp_path) as s:
        begin(s)
        (tmp_path / "start").rename(tmp_path / "kept")
        s.tell("-:8 +2=web:18=main")
        until(lambda: s.in_unbound({**WITHOUT_WEB, "web": 18}))
        with s.hung():
            (tmp_path / "kept").rename(s.start)
            s.reload_unbound()
        until(lambda: s.in_unbound({**WITHOUT_WEB, "web": 18}))
        until(lambda: f"the former address points to {at}" if (at := pointer(s.ub.port, 8)).endswith(".") else "")


# --- what nobody knows how it came

def left_behind(s):
    """Names of ours that are in unbound and in no row: an earlier life's, perhaps."""
    for name in names("old"):
        assert s.ub.command(f"local_data {name}. 30 IN AAAA {address(33)}") == "ok\n"
    assert s.ub.command(f"local_data {dns.reversename.from_address(address(33))} 30 IN PTR main.old.me.coder.") == "ok\n"


def test_verify_counts_what_should_not_be_there(tmp_path):
    with Stand(tmp_path) as s:
        s.unbound()
        s.run(s.unbound_entry(more=", verify-interval: 1h"))
        until(lambda: s.in_unbound(ALL))
        status, row = s.verify()
        assert status == 0 and row["check"]["right"] == 9, row
        left_behind(s)
        status, row = s.verify()
        assert status == 1, row


def test_resync_takes_what_should_not_be_there(tmp_path):
    with Stand(tmp_path) as s:
        s.unbound()
        s.run(s.unbound_entry(more=", verify-interval: 1h"))
        until(lambda: s.in_unbound(ALL))
        left_behind(s)
        s.resync()
        until(lambda: s.in_unbound(ALL, {"old": 33}))


# --- files that come back

def files_of(stand):
    return {path.name: path.read_bytes() for path in stand.hostsdir.iterdir()}


@pytest.mark.parametrize("bridge, how", [("down", "restart"), ("down", "running"), ("alive", "restart")])
def test_shards_out_of_a_backup(tmp_path, bridge, how):
    """`how`: dnsmasq reads all of the folder at its start, or the files as they come."""
    with Stand(tmp_path) as s:
        s.dnsmasq()
        s.run(s.dnsmasq_entry())
        until(lambda: s.in_dnsmasq(ALL))
        old = files_of(s)
        s.tell("-2")
        until(lambda: s.in_dnsmasq(WITHOUT_WEB, GHOST))
        s.synced()
        if bridge == "down":
            s.end()
        if how == "restart":
            s.dm.stop()
        for name, data in old.items():
            (s.hostsdir / name).write_bytes(data)
        if how == "restart":
            s.dm.start()
        if bridge == "down":
            s.run()
        until(lambda: s.in_dnsmasq(WITHOUT_WEB, GHOST))


@pytest.mark.parametrize("bridge", ["down", "alive"])
def test_a_hosts_file_out_of_a_backup(tmp_path, bridge):
    with Stand(tmp_path) as s:
        s.run(s.hosts_entry())
        until(lambda: s.in_hosts(ALL))
        old = s.hosts.read_bytes()
        s.tell("-2")
        until(lambda: s.in_hosts(WITHOUT_WEB, GHOST))
        s.synced()
        if bridge == "down":
            s.end()
        new = tmp_path / "hosts.new"
        new.write_bytes(old)
        new.rename(s.hosts)
        if bridge == "down":
            s.run()
        until(lambda: s.in_hosts(WITHOUT_WEB, GHOST))
