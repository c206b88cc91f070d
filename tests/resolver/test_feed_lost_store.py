# SPDX-License-Identifier: Apache-2.0
"""
The store is lost while the resolvers are full, and a workspace goes meanwhile: what the new store does not know is found in the resolver,
pointers too, and where it cannot all be found, that is said.
"""
import shutil
import signal

import pytest

from fed_stand import ALL, WITHOUT_WEB, Stand, ask, until, wait_for
from zone import address

GHOST = {"web": 8}


def lose(s):
    """The bridge's whole memory, and what the published zone would tell the next one."""
    s.end(signal.SIGKILL)
    for path in s.folder.glob("store.db*"):
        path.unlink()
    shutil.rmtree(s.folder / "zone")


def others(n):
    """Local data of somebody else, in a configuration: more than the listing is ever read of."""
    return "".join(f'  local-data: "{i}.{"x" * 60}.{"y" * 60}.example. A 10.1.1.1"\n' for i in range(n))


def test_unbound(tmp_path):
    with Stand(tmp_path) as s:
        s.unbound()
        s.run(s.unbound_entry())
        until(lambda: s.in_unbound(ALL))
        lose(s)
        s.tell("-2")
        s.run()
        until(lambda: s.in_unbound(WITHOUT_WEB, GHOST))


def test_an_unbound_that_restarted_meanwhile_with_its_start_file(tmp_path):
    with Stand(tmp_path) as s:
        s.unbound(server=s.include())
        s.run(s.unbound_entry("include"))
        until(lambda: s.in_unbound(ALL))
        wait_for(lambda: "web.coder" in (s.start / "start.conf").read_text())
        lose(s)
        s.tell("-2")
        s.ub.restart()
        s.run()
        until(lambda: s.in_unbound(WITHOUT_WEB, GHOST))


def test_the_files(tmp_path):
    with Stand(tmp_path) as s:
        s.dnsmasq()
        s.run(s.dnsmasq_entry(), s.hosts_entry())
        until(lambda: s.in_dnsmasq(ALL) or s.in_hosts(ALL))
        lose(s)
        s.tell("-2")
        s.run()
        until(lambda: s.in_dnsmasq(WITHOUT_WEB, GHOST) or s.in_hosts(WITHOUT_WEB, GHOST))


def test_what_cannot_all_be_found_is_said(tmp_path):
    """unbound has more local data than can be listed while it answers others."""
    with Stand(tmp_path) as s:
        s.unbound(server=others(8000))
        s.run(s.unbound_entry())
        until(lambda: s.in_unbound(ALL))
        lose(s)
        s.tell("-2")
        s.run()
        until(lambda: "" if ask(s.ub.port, "web.coder") == "NXDOMAIN" or "not-adopted" in [w["code"] for w in s.status()["warnings"]]
              else f"web.coder is {ask(s.ub.port, 'web.coder')}, and nobody is told: {s.told()!r}")


def test_the_start_file_says_what_the_listing_cannot(tmp_path):
    with Stand(tmp_path) as s:
        s.unbound(server=others(8000) + s.include())
        s.run(s.unbound_entry("include"))
        until(lambda: s.in_unbound(ALL))
        wait_for(lambda: "web.coder" in (s.start / "start.conf").read_text())
        lose(s)
        s.tell("-2")
        s.run()
        until(lambda: s.in_unbound(WITHOUT_WEB, GHOST))
