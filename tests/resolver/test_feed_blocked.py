# SPDX-License-Identifier: Apache-2.0
"""
A name that is stuck, refused or foreign, or whose call fails, delays no other, at whichever adapter.
"""
import pytest

from fed_stand import ALL, WITHOUT_WEB, Stand, ask, names, until, wait_for
from zone import address

# web.coder and the others of that workspace, where somebody else has copied them.
COPIED = f"{address(8)} web.coder main.web.me.coder main.web.alice.coder\n"
ONE = f"{address(8)} main.web.me.coder\n"
AFTER = {"dev": 11, "new": 10}


def ours(s):
    """What the bridge has written for dnsmasq."""
    return "".join(path.read_text() for path in s.hostsdir.iterdir() if not path.name.startswith("."))


def web_goes(s):
    """Its names are out of our files, and dnsmasq goes on to answer them out of theirs."""
    s.tell("-2")
    wait_for(lambda: "web.coder" not in ours(s))


def news(s):
    """After the workspace with the copied names one comes, one goes, one is replaced."""
    web_goes(s)
    s.tell("+4=new:10=main -3")
    s.tell("-:7 +1=dev:11=main")


@pytest.mark.parametrize("copied, when", [(COPIED, "before"), (ONE, "later")], ids=["all-before", "one-later"])
def test_a_line_of_others_with_the_same_address(tmp_path, copied, when):
    mine = tmp_path / "mine"
    mine.write_text(copied if when == "before" else "")
    with Stand(tmp_path) as s:
        s.dnsmasq(f"--addn-hosts={mine}")
        s.run(s.dnsmasq_entry(), synced=False)
        until(lambda: s.in_dnsmasq(WITHOUT_WEB))
        if when == "later":
            mine.write_text(copied)
            s.restart_dnsmasq()
        news(s)
        until(lambda: s.in_dnsmasq(AFTER, {"tri": 9}))
        assert ask(s.dm.port, "main.web.me.coder") == address(8)  # theirs stays


def test_the_line_of_others_is_reported(tmp_path):
    """Both while the name is wanted too, and when it is to go and does not."""
    mine = tmp_path / "mine"
    mine.write_text(COPIED)
    with Stand(tmp_path) as s:
        s.dnsmasq(f"--addn-hosts={mine}")
        s.run(s.dnsmasq_entry(), synced=False)
        until(lambda: s.in_dnsmasq(WITHOUT_WEB))
        until(lambda: "" if s.adapter("dm").get("skipped") == 3 else f"skipped is {s.adapter('dm').get('skipped')}")
        news(s)
        s.synced()


def test_hosts_is_exchanged_for_dnsmasq_which_reads_that_file(tmp_path):
    """dnsmasq reads /etc/hosts where nobody forbids it, and `keep` leaves the lines there."""
    with Stand(tmp_path) as s:
        s.run(s.hosts_entry())
        until(lambda: s.in_hosts(ALL))
        s.dnsmasq(f"--addn-hosts={s.hosts}")
        s.configure(s.dnsmasq_entry())
        wait_for(lambda: s.status() and s.adapter("ho")["state"] == "not there")
        s.tell("+4=new:10=main")
        until(lambda: s.in_dnsmasq({"new": 10}))
        web_goes(s)
        s.tell("+5=more:11=main")
        until(lambda: s.in_dnsmasq({"more": 11}))


def test_hosts_and_dnsmasq_side_by_side(tmp_path):
    """dnsmasq reads the hosts file at its start, and at no change: what it read of it then is theirs."""
    with Stand(tmp_path) as s:
        s.dnsmasq(f"--addn-hosts={s.hosts}")
        s.run(s.hosts_entry())
        until(lambda: s.in_hosts(ALL))
        s.restart_dnsmasq()
        s.configure(s.hosts_entry(), s.dnsmasq_entry())
        s.synced()
        web_goes(s)
        s.tell("+4=new:10=main")
        until(lambda: s.in_dnsmasq({"tri": 9, "new": 10}) or s.in_hosts({**WITHOUT_WEB, "new": 10}, ["web"]))


# --- hook

WORLD_OF_TWO = "user alice\nsnapshot alice 1=dev:7=main 3=tri:9=main\n"
DHCP_SCRIPT = """#!/bin/sh
echo "$1 $4" >>{log}
case "$4" in *web*) echo "cannot hold web" >&2; exit 3;; esac
"""
JSON = """#!/usr/bin/python3
import json, sys
for line in sys.stdin:
    it = json.loads(line)
    if it["op"] in ("put", "take"):
        open("{log}", "a").write({{"put": "add", "take": "del"}}[it["op"]] + " " + it["name"] + "\\n")
        print(json.dumps({{"error": "cannot hold web"}} if "web" in it["name"] else {{"fate": "done"}}))
"""


DIES = """#!/usr/bin/python3
import json, sys
for line in sys.stdin:
    it = json.loads(line)
    if it["op"] in ("put", "take"):
        open("{log}", "a").write({{"put": "add", "take": "del"}}[it["op"]] + " " + it["name"] + "\\n")
        if "web" in it["name"]:
            sys.exit("cannot hold web")
        print(json.dumps({{"fate": "done"}}), flush=True)
"""


@pytest.mark.parametrize("form, text", [("dhcp-script", DHCP_SCRIPT), ("json", JSON), ("json", DIES)],
                         ids=["dhcp-script", "json", "json-that-dies"])
def test_a_hook_that_fails_for_one_workspace(tmp_path, form, text):
    program, log = tmp_path / "hook", tmp_path / "calls"
    log.write_text("")
    program.write_text(text.format(log=log))
    program.chmod(0o755)
    with Stand(tmp_path, WORLD_OF_TWO) as s:
        s.run(f"{{ type: hook, name: ho, command: [{program}], form: {form}, timeout: 5s }}")
        s.tell("+2=web:8=main")
        wait_for(lambda: "web" in log.read_text())
        s.tell("+4=new:10=main -3")
        wanted = {f"add {name}" for name in names("new")} | {f"del {name}" for name in names("tri")}
        until(lambda: ", ".join(sorted(f"never told: {call}" for call in wanted - set(log.read_text().splitlines()))))
        # And what fails is tried again, and said.
        n = log.read_text().count("web")
        wait_for(lambda: log.read_text().count("web") > n)
        assert "cannot hold web" in s.told()

