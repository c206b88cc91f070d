# SPDX-License-Identifier: Apache-2.0
"""
Records of others at our names: whatever their type, whatever their address, they stay, are told, and the rest goes on.
"""
import subprocess
import threading
import time

import pytest

from fed_stand import ALL, WITHOUT_WEB, Stand, ask, names, pointer, until, wait_for
from zone import address, program

DIGEST = "0011223344556677889900112233445566778899001122334455667788990011"
TYPES = {
    "TLSA": f"3 1 1 {DIGEST}",
    "NAPTR": '10 10 "u" "E2U+sip" "!^.*$!sip:x@y!" .',
    "CERT": "1 0 0 AAEC",
    "TYPE65400": "\\# 2 abcd",
}


def told_of(s, name, adapter="ub"):
    """Left out and counted, or named: either is seen by whoever looks."""
    row = s.adapter(adapter)
    return "" if row.get("skipped") or name in s.told() else f"skipped {row.get('skipped')}, {row['state']}, told: {s.told()!r}"


@pytest.mark.parametrize("rdtype", TYPES)
def test_what_others_put_at_a_name_outlives_it(tmp_path, rdtype):
    with Stand(tmp_path) as s:
        s.unbound()
        s.run(s.unbound_entry())
        until(lambda: s.in_unbound(ALL))
        for name in names("web")[:2]:
            assert s.ub.command(f"local_data {name}. 60 IN {rdtype} {TYPES[rdtype]}") == "ok\n"
        theirs = [ask(s.ub.port, name, rdtype) for name in names("web")[:2]]
        assert "NODATA" not in theirs
        s.tell("-2 -3")
        until(lambda: s.in_unbound({"dev": 7}, ["tri"]))
        until(lambda: "" if ask(s.ub.port, "web.coder") == "NXDOMAIN" else "web.coder is there")
        assert [ask(s.ub.port, name, rdtype) for name in names("web")[:2]] == theirs


@pytest.mark.parametrize("record", ["TXT theirs", "AAAA 2001:db8::66"])
def test_the_pointer_goes_where_others_have_the_name(tmp_path, record):
    """The address at the name cannot be taken from between theirs before unbound 1.26; what points to it is ours alone."""
    with Stand(tmp_path) as s:
        s.unbound()
        s.run(s.unbound_entry())
        until(lambda: s.in_unbound(ALL))
        assert s.ub.command(f"local_data main.web.me.coder. 300 IN {record}") == "ok\n"
        s.tell("-:8 +2=web:18=main")
        until(lambda: f"the former address points to {at}" if (at := pointer(s.ub.port, 8)).endswith(".") else "")
        s.ub.command("local_data_remove main.web.me.coder.")
        until(lambda: "" if s.in_unbound({"dev": 7, "tri": 9}) == "" else "others are wrong")


def test_an_address_of_others_over_ours_is_told_by_unbound(tmp_path):
    with Stand(tmp_path) as s:
        s.unbound()
        s.run(s.unbound_entry(more=", verify-interval: 200ms"))
        until(lambda: s.in_unbound(ALL))
        with s.hung():
            s.ub.command("local_data_remove main.tri.alice.coder.")
            assert s.ub.command("local_data main.tri.alice.coder. 60 IN AAAA 2001:db8::66") == "ok\n"
        until(lambda: told_of(s, "main.tri.alice.coder"))
        assert ask(s.ub.port, "main.tri.alice.coder") == "2001:db8::66"
        s.tell("-2")
        until(lambda: s.in_unbound({"dev": 7}, {"web": 8}))


def test_an_address_of_others_beside_ours_is_told_by_dnsmasq(tmp_path):
    mine = tmp_path / "mine"
    mine.write_text("")
    with Stand(tmp_path) as s:
        s.dnsmasq(f"--addn-hosts={mine}")
        s.run(s.dnsmasq_entry(more=", verify-interval: 200ms"))
        until(lambda: s.in_dnsmasq(ALL))
        mine.write_text("2001:db8::66 main.tri.alice.coder\n")
        s.restart_dnsmasq()
        until(lambda: told_of(s, "main.tri.alice.coder", "dm"))
        s.tell("-2")
        until(lambda: s.in_dnsmasq({"dev": 7}, {"web": 8}))


@pytest.mark.parametrize("line", [
    pytest.param(f"{address(7)} main.dev.me.coder", id="our-address"),
    pytest.param("2001:db8::66 main.dev.me.coder", id="another")])
def test_a_line_of_others_in_the_hosts_file_is_told(tmp_path, line):
    """With our address it is one that was copied: when the agent is replaced, it leads to the dead one."""
    with Stand(tmp_path) as s:
        s.hosts.write_text(f"127.0.0.1 localhost\n{line}\n")
        s.run(s.hosts_entry(more=", verify-interval: 200ms"))
        until(lambda: s.in_hosts({"web": 8, "tri": 9}))
        s.tell("-:7 +1=dev:17=main")
        until(lambda: "" if f"{address(17)} dev.coder" in s.hosts.read_text() else "the news is not there")
        until(lambda: told_of(s, "main.dev.me.coder", "ho"))
        assert line in s.hosts.read_text()
        assert f"{address(17)} main.dev.me.coder" not in s.hosts.read_text()  # beside theirs nobody could tell which is right


def test_a_line_of_others_that_comes_later_is_told(tmp_path):
    with Stand(tmp_path) as s:
        s.run(s.hosts_entry(more=", verify-interval: 200ms"))
        until(lambda: s.in_hosts(ALL))
        with open(s.hosts, "a", encoding="ascii") as file:
            file.write("2001:db8::66 main.dev.me.coder\n")
        until(lambda: told_of(s, "main.dev.me.coder", "ho"))
        assert "2001:db8::66 main.dev.me.coder\n" in s.hosts.read_text()


LINES = 500


def test_lines_that_others_append_at_full_speed_all_stay(tmp_path):
    """As `echo >>FILE` does, while the block is written all the time."""
    with Stand(tmp_path) as s:
        s.run(s.hosts_entry())
        until(lambda: s.in_hosts(ALL))
        stop = threading.Event()

        def churn():
            k = 100
            while not stop.is_set():
                k += 1
                s.tell(f"+{4 + k % 4}=x{k % 4}:{k}=main")
                time.sleep(0.05)

        thread = threading.Thread(target=churn)
        thread.start()
        try:
            for n in range(1, LINES + 1):
                with open(s.hosts, "a", encoding="ascii") as file:
                    file.write(f"10.9.{n >> 8}.{n & 255} added{n}\n")
                time.sleep(0.002)
        finally:
            stop.set()
            thread.join()
        s.synced()
        lines = set(s.hosts.read_text().splitlines())
        missing = [i for i in range(1, LINES + 1) if f"10.9.{i >> 8}.{i & 255} added{i}" not in lines]
        assert not missing, f"{len(missing)} of {LINES}: {missing[:5]}"
        until(lambda: s.in_hosts(ALL))


def test_the_copy_of_a_lost_file_of_the_bridge_keeps_the_names(tmp_path):
    """holdfast-hosts, which a unit starts at each change; the bridge is down, and its file is spoilt."""
    target = tmp_path / "etc-hosts"
    target.write_text("127.0.0.1 localhost\n")

    def copy():
        return subprocess.run([program("adapters/holdfast-hosts"), s.hosts, target], capture_output=True, text=True, check=False)

    with Stand(tmp_path) as s:
        s.hosts.unlink()
        s.run(s.hosts_entry())
        until(lambda: s.in_hosts(ALL))
        assert copy().returncode == 0
        assert not s.in_hosts(ALL, path=target)
        s.end()
        s.hosts.unlink()
        done = copy()
        assert not s.in_hosts(ALL, path=target) and str(s.hosts) in done.stderr
        s.run()
        s.tell("-2")
        until(lambda: s.in_hosts(WITHOUT_WEB, ["web"]))
        assert copy().returncode == 0
        assert not s.in_hosts(WITHOUT_WEB, ["web"], path=target)
