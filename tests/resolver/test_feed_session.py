# SPDX-License-Identifier: Apache-2.0
"""
What belongs to each life of the bridge, whether or not anything has changed: the watch over the resolver, its zones, the files. And a
removal right at a restart of unbound, whose start file, in the form `zonefile`, is an answer of its own.
"""
import signal

from fed_stand import ALL, WITHOUT_WEB, Stand, until, wait_for

IDLE = ", verify-interval: 1h"  # names are asked for in turn only so often: what is noticed is noticed by the watch


def test_an_unbound_that_lost_all_is_filled_in_a_life_without_a_change(tmp_path):
    with Stand(tmp_path) as s:
        s.unbound()
        s.run(s.unbound_entry(more=IDLE))
        until(lambda: s.in_unbound(ALL))
        s.end()
        s.run()
        s.reload_unbound()
        until(lambda: s.in_unbound(ALL))


def test_an_unbound_that_has_no_local_data_is_filled(tmp_path):
    """All of its own zones are turned off: its listings are empty, and an empty listing is no byte at all."""
    with Stand(tmp_path) as s:
        s.unbound()
        s.ub.configure(server="".join(f'  local-zone: "{zone}" nodefault\n' for zone in s.ub.zones()))
        s.ub.restart()
        assert s.ub.command("list_local_data") == ""
        s.run(s.unbound_entry(more=IDLE))
        until(lambda: s.in_unbound(ALL))


def test_an_unbound_that_hangs_is_said_in_a_life_without_a_change(tmp_path):
    with Stand(tmp_path) as s:
        s.unbound()
        s.run(s.unbound_entry(more=IDLE))
        s.end()
        s.run()
        s.ub.server.process.send_signal(signal.SIGSTOP)

        def problem():
            a = s.adapter()
            good = a["state"] in ("retrying", "failed") and a["verified"] is not True and a["last_error"]
            return "" if good else f"it is {a['state']}, verified {a['verified']}, {a['last_error']}"

        until(problem, 20)
        s.ub.server.process.send_signal(signal.SIGCONT)
        s.synced()
        until(lambda: s.in_unbound(ALL))


def test_files_that_others_spoil_are_put_right_in_a_life_without_a_change(tmp_path):
    with Stand(tmp_path) as s:
        s.dnsmasq()
        s.run(s.dnsmasq_entry(more=IDLE), s.hosts_entry(more=IDLE))
        until(lambda: s.in_dnsmasq(ALL) or s.in_hosts(ALL))
        s.end()
        s.run()
        s.hosts.write_text("127.0.0.1 localhost\n")
        for path in s.hostsdir.iterdir():
            path.unlink()
        until(lambda: s.in_dnsmasq(ALL) or s.in_hosts(ALL), 15)


# --- a removal and a restart

def zonefile(stand):
    """unbound reads the files by the lines that setup prints, and is fed."""
    stand.unbound()
    stand.run(stand.unbound_entry("zonefile", file="start.zone", more=IDLE))
    until(lambda: stand.in_unbound(ALL))
    stand.ub.configure(stand.setup_lines())
    stand.ub.restart()
    until(lambda: stand.in_unbound(ALL, ["nobody"]))
    wait_for(lambda: stand.ub.canary(stand.suffix) == "w")
    stand.synced()


def test_a_removal_while_unbound_was_down_does_not_hold_up_the_rest(tmp_path):
    """It comes up with its older file, which answers for what is gone as long as it may."""
    with Stand(tmp_path, suffix="alpha.example") as s:
        zonefile(s)
        s.ub.stop(signal.SIGKILL)
        s.tell("-2")
        wait_for(lambda: s.adapter()["state"] != "synced")
        s.ub.start()
        s.tell("+4=new:10=main -3")
        until(lambda: s.in_unbound({"dev": 7, "new": 10}, {"web": 8, "tri": 9}))


def test_a_removal_right_after_both_have_restarted(tmp_path):
    """unbound answers out of its file, nobody has seen yet that its canary is gone, and the first snapshot takes one and brings one."""
    with Stand(tmp_path, suffix="alpha.example") as s:
        zonefile(s)
        s.end()
        s.ub.restart()
        s.tell("-2 +4=new:10=main")
        s.run(synced=False)
        until(lambda: s.in_unbound({**WITHOUT_WEB, "new": 10}, {"web": 8}))


def test_a_removal_in_the_second_before_a_reload_is_seen(tmp_path):
    """Within the second in which the watch has not asked yet."""
    with Stand(tmp_path, suffix="alpha.example") as s:
        zonefile(s)
        with s.hung():
            s.reload_unbound()
            s.tell("-2 +4=new:10=main")
        until(lambda: s.in_unbound({**WITHOUT_WEB, "new": 10}, {"web": 8}))
