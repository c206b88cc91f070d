# SPDX-License-Identifier: Apache-2.0
"""
unbound is reloaded in the midst of a fill, and when it has much else to do: no zone, no name and no answer is the worse for it.
"""
import os

import pytest

from fed_stand import ALL, Stand, ask, until, wait_for
from fed_unbound import Prober
from realtime import Realtime
from zone import address

LONG = bool(os.environ.get("HF_LONG"))
CROWD = {f"w{n}": n for n in range(100, 160)}
WORLD = "user alice\nsnapshot alice " + " ".join(f"{n}={name}:{n}=main" for name, n in CROWD.items()) + "\n"


def stray(s):
    """unbound makes a zone of each name that it has no zone for, and answers for nothing beside it."""
    zones = s.zones_below()
    return "" if zones == ["coder."] else f"{len(zones)} zones: {zones[:4]}"


def begin(s, **more):
    s.unbound(gate=True, **more)


def test_a_reload_between_two_commands_of_a_fill_leaves_no_zones(tmp_path):
    with Stand(tmp_path, WORLD) as s:
        begin(s)
        s.gate.at("local_datas\n", s.reload_unbound, nth=2)
        s.run(s.unbound_entry(more=", verify-interval: 1h"))
        until(lambda: s.in_unbound({"w100": 100, "w159": 159}))
        assert not s.gate.hook, "there was no reload"
        until(lambda: stray(s))
        s.tell("-100 -159")
        until(lambda: s.in_unbound({"w101": 101}, {"w100": 100, "w159": 159}))


def test_a_reload_before_a_single_change_leaves_no_zones(tmp_path):
    """Between the question for the canary and the change itself."""
    with Stand(tmp_path, WORLD) as s:
        begin(s)
        s.run(s.unbound_entry(more=", verify-interval: 1h"))
        until(lambda: s.in_unbound({"w100": 100, "w159": 159}))
        s.gate.at("local_datas\n", s.reload_unbound)
        s.tell("+1=dev:7=main")
        until(lambda: s.in_unbound({"dev": 7, **CROWD}) or stray(s))
        assert not s.gate.hook, "there was no reload"
        s.tell("-1")
        until(lambda: s.in_unbound({"w100": 100}, {"dev": 7}))


def test_a_reload_after_a_removal_brings_nothing_back(tmp_path):
    """unbound has done it, and reads its start file again before the bridge hears so: the file has all of them still."""
    with Stand(tmp_path, WORLD) as s:
        begin(s, server=s.include())
        s.run(s.unbound_entry("include", more=", verify-interval: 1h"))
        wait_for(lambda: (s.start / "start.conf").exists() and "w159" in (s.start / "start.conf").read_text())
        s.gate.at("local_datas_remove", s.reload_unbound, after=True)
        s.tell("-100 -159")
        until(lambda: s.in_unbound({"w101": 101}, {"w100": 100, "w159": 159}))
        assert not s.gate.hook, "there was no reload"
        until(lambda: stray(s))


FEW = "user alice\nsnapshot alice 1=dev:7=main 2=web:8=main\n"
FEW_NAMES = {"dev": 7, "web": 8}


def whole(s):
    """Each name is answered, all others are denied, and nothing is left of what was under way."""
    zones = s.ub.zones()
    return (s.in_unbound(FEW_NAMES, ["nobody"]) or stray(s) or
            ("" if zones.get("coder.") == "static" else f"the zone is {zones.get('coder.')}") or
            ("" if s.ub.canary() == "w" else f"the canary says {s.ub.canary()!r}"))


def commands_of_a_fill(s):
    """Their first lines, of an unbound that has lost all."""
    s.gate.commands.clear()
    s.reload_unbound()
    until(lambda: whole(s))
    return [command.split(b"\n")[0].decode() for command in s.gate.commands]


@pytest.mark.parametrize("when", ["before", pytest.param("after", marks=pytest.mark.skipif(not LONG, reason="HF_LONG"))])
def test_a_reload_at_any_command_of_a_fill(tmp_path, when):
    """unbound is reloaded, and once more at the first command by which it is filled again, at the second, and so on."""
    with Stand(tmp_path, FEW) as s:
        begin(s)
        s.run(s.unbound_entry(more=", verify-interval: 1h"))
        until(lambda: whole(s))
        commands = commands_of_a_fill(s)
        assert "UBCT1 local_zone coder static" in commands, commands
        for n, command in enumerate(commands, 1):
            # Those that read are no end of anything, and of those that add names any one will do, but for the canary's.
            if not LONG and not command.startswith(("UBCT1 local_zone", "UBCT1 local_data_remove _holdfast-canary")) and \
                    "UBCT1 local_zone coder static" not in commands[:n - 1]:
                continue
            s.gate.at("UBCT1", s.reload_unbound, nth=n, after=when == "after")
            s.reload_unbound()
            wait_for(lambda: not s.gate.hook)
            until(lambda c=command: said and f"at {c}: {said}" if (said := whole(s)) else "")



# --- what others have there, and ask

def test_little_of_a_large_listing_is_read(tmp_path):
    """unbound answers nobody while it writes one; a blocklist makes it megabytes, of which nothing is ours."""
    block = tmp_path / "block.conf"
    block.write_text("".join(f'local-zone: "ads{i}.tracker{i % 97}.invalid." redirect\n'
                             f'local-data: "ads{i}.tracker{i % 97}.invalid. A 0.0.0.0"\n' for i in range(30000)))
    with Stand(tmp_path) as s:
        begin(s, server=f'  include: "{block}"\n')
        s.run(s.unbound_entry(more=", teardown: clean"))
        until(lambda: s.in_unbound(ALL))
        s.configure()
        wait_for(lambda: s.status() and not s.status()["adapters"])
        # What the kernel holds for the bridge counts too: that is some 200 KiB.
        assert max(s.gate.listed, default=0) <= 400 * 1024, s.gate.listed


def test_first_contact_and_farewell_with_many_zones_of_others(tmp_path):
    """A blocklist: listing it would keep unbound from answering. Nobody who asks meanwhile waits long, and no answer is lost."""
    block = tmp_path / "block.conf"
    block.write_text("".join(f'local-zone: "ads{i}.tracker{i % 97}.invalid." always_nxdomain\n' +
                             (f'local-data: "is{i}.blocked.invalid. A 0.0.0.0"\n' if not i % 3 else "")
                             for i in range(150000 if LONG else 15000)))
    with Stand(tmp_path, WORLD) as s:
        begin(s, server=f'  include: "{block}"\n')
        zones = len(s.ub.zones())
        first = Realtime(LONG)
        first.go_first(s.ub.server.process.pid, 0)
        with Prober(s.ub.port, ["localhost"], rate=2000) as quiet:
            until(lambda: "" if len(quiet.took) > 4000 else "it goes on", 20)
        with Prober(s.ub.port, ["localhost"], rate=2000 if LONG else 500) as prober:
            s.run(s.unbound_entry(more=", teardown: clean"))
            until(lambda: s.in_unbound(CROWD))
            assert s.verify()[0] == 0
            s.configure()
            wait_for(lambda: s.status() and not s.status()["adapters"])
        assert prober.asked > 500 and not prober.lost, prober.lost
        print(f"{prober.asked} asked, p99.9 {prober.ms(.999):.1f} ms, max {prober.ms(1):.1f} ms; quiet {quiet.ms(1):.1f} ms")
        if first.wanted:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
            assert prober.ms(1) < 50 or prober.ms(1) < 2 * quiet.ms(1)  # the machine has others to run, too
        # Nobody can tell whether others have something below the suffix, so the zone stays, transparent, and nothing of ours is in it.
        assert len(set(s.ub.zones()) - {"coder."}) == zones and s.ub.zones().get("coder.", "transparent") == "transparent"
        assert [line for line in s.ub.data() if line.split(".\t")[0].split(".")[-1] == "coder"] == []


def test_a_limit_of_questions_is_kept_to(tmp_path):
    """unbound counts them by address, and ours come from the same one as those of all programs of this machine: what is too much of ours
    is theirs that is dropped."""
    with Stand(tmp_path, WORLD) as s:
        begin(s, server="  ip-ratelimit: 100\n  ip-ratelimit-factor: 0\n")
        s.run(s.unbound_entry(more=", verify-interval: 1h"), synced=False)
        wait_for(lambda: s.adapter()["state"] == "synced" and s.adapter()["owned"] == 3 * len(CROWD), 60, 0.1)
        counts = dict(line.split("=") for line in s.ub.command("stats_noreset").splitlines())
        asked, dropped = int(counts["total.num.queries"]), int(counts["total.num.queries_ip_ratelimited"])
        assert asked > 100 and dropped <= asked / 3, f"{dropped} of {asked} were dropped"


@pytest.mark.parametrize("limit", [500, 1000])
def test_the_limit_that_unbound_tells_costs_others_nothing(tmp_path, limit):
    with Stand(tmp_path, WORLD) as s:
        begin(s, server=f"  ip-ratelimit: {limit}\n  ip-ratelimit-factor: 0\n")
        s.run(s.unbound_entry(more=", verify-interval: 1h"))
        assert s.verify()[0] == 0
        counts = dict(line.split("=") for line in s.ub.command("stats_noreset").splitlines())
        assert int(counts["total.num.queries"]) > 3 * len(CROWD) and counts["total.num.queries_ip_ratelimited"] == "0"
