# SPDX-License-Identifier: Apache-2.0
"""
The first fill of an unbound, whatever else is in it. From 1.25 on unbound answers at most 100 errors a second and none of the rest, and a
name that is missing in a transparent zone is one: a fill that asks for each name like that takes hours, or never gets past its first batch.
"""
import os
import time

import pytest

from driver import Driver
from fed_unbound import Unbound
from server import wait_for
from zone import address

N = 10000 if os.environ.get("HF_LONG") else 3000
NOERROR, NXDOMAIN = 0, 3


def blocklist(n):
    return "server:\n" + "".join(f'  local-data: "ads{i}.example. 300 A 192.0.2.1"\n' for i in range(n))


FORWARD = "forward-zone:\n  name: coder\n  forward-addr: 127.0.0.1@9\n"
# What is in unbound before, and what share of the names is filled: with something below that answers the names, and much beside,
# each has to be asked for, at the pace of unbound's limit.
BEFORE = {"nothing": ("", N), "a blocklist": (blocklist(20000), N), "a forward-zone": (FORWARD, N),
          "both": (blocklist(3000) + FORWARD, 300)}


def driver(folder, unbound, more=""):
    return Driver(folder, f"type: unbound, control: {unbound.control}, ask: 127.0.0.1@{unbound.port}{more}")


def names(n):
    return [f"put a{i}.w{i}.u.coder {address(1000 + i)} primary" for i in range(n)]


@pytest.mark.parametrize("before", BEFORE)
def test_it_ends_in_time_whatever_is_there(tmp_path, before):
    more, n = BEFORE[before]
    with Unbound(tmp_path, more) as unbound, driver(tmp_path, unbound) as feed:
        clashes = ["theirs.coder"] if unbound.removes_records() else ["a7.w7.u.coder", "theirs.coder"]
        assert unbound.command("local_data theirs.coder 300 AAAA 2001:db8::7") == "ok\n"
        assert unbound.command("local_data a7.w7.u.coder 300 A 192.0.2.7") == "ok\n"
        began = time.monotonic()
        receipts = feed.apply(*names(n), f"put theirs.coder {address(1)}", seconds=300)
        took = time.monotonic() - began
        print(f"{before}: {n} names in {took:.2f} s")
        assert not any(r["code"] for r in receipts), receipts[-1]
        assert sorted(x["name"] for r in receipts for x in r["not"]) == clashes
        assert took < (40 if before == "both" else 10 + n / 500)
        feed.complete()
        wait_for(lambda: unbound.canary() == "w")
        verdict = feed.verify(*(f"expect a{i}.w{i}.u.coder {address(1000 + i)} primary" for i in range(10, n, n // 100)))
        assert not verdict["not"] and verdict["so"] >= 90, verdict["not"][:3]
        # And what changes then, with as many questions about what is not there.
        receipts = feed.apply(*(f"put b{i}.w{i}.u.coder {address(50000 + i)} primary" for i in range(500)),
                              *(f"take a{i}.w{i}.u.coder {address(1000 + i)} primary" for i in range(10, 260)))
        assert not any(r["code"] or r["not"] for r in receipts)
        assert unbound.rcode("a10.w10.u.coder") == NXDOMAIN and unbound.addresses("b1.w1.u.coder") == [address(50001)]


def test_a_change_of_what_the_fill_itself_has_put(tmp_path):
    """What was read at its beginning says nothing of that."""
    with Unbound(tmp_path) as unbound, driver(tmp_path, unbound) as feed:
        feed.good(*names(50))
        feed.good(f"put a1.w1.u.coder {address(7)} primary", f"take a2.w2.u.coder {address(1002)} primary")
        assert unbound.addresses("a1.w1.u.coder") == [address(7)]
        assert unbound.rcode("a2.w2.u.coder") != NOERROR or not unbound.addresses("a2.w2.u.coder")
        assert unbound.ptr(address(1001)) == [] and unbound.ptr(address(7)) == ["a1.w1.u.coder."]
        assert unbound.command("local_data a3.w3.u.coder 300 AAAA 2001:db8::7") == "ok\n"  # beside ours, while it is filled
        (receipt,) = feed.apply(f"put a3.w3.u.coder {address(8)} primary")
        assert [x["fate"] for x in receipt["not"]] == ["clash"] and address(1003) in unbound.addresses("a3.w3.u.coder")


@pytest.mark.parametrize("before", ["nothing", "a blocklist"])
def test_names_that_the_start_file_answers_are_answered_all_the_time(tmp_path, before):
    """Over the auth-zone of the start file the zone stays transparent until it is whole."""
    (tmp_path / "start").mkdir()
    options = f", start-file: {tmp_path}/start/start.zone, start-interval: 50ms"
    more = BEFORE[before][0]
    with Unbound(tmp_path) as unbound:
        with driver(tmp_path, unbound, options) as feed:
            feed.good(*names(300))
            feed.complete()
            wait_for(lambda: "a299.w299" in (tmp_path / "start/start.zone").read_text())
            lines = feed.setup()
        unbound.configure(more + lines[lines.index("server:\n"):])
        unbound.restart()
        with driver(tmp_path, unbound, options) as feed:
            feed.good(*names(100))
            assert unbound.zones()["coder."] == "transparent" and unbound.addresses("a299.w299.u.coder") == [address(1299)]
            feed.good(*names(300))
            feed.complete()
            wait_for(lambda: unbound.canary() == "w" and unbound.zones()["coder."] == "static")


def test_a_fill_that_was_cut_off_goes_on(tmp_path):
    with Unbound(tmp_path, BEFORE["a blocklist"][0]) as unbound:
        with driver(tmp_path, unbound) as feed:
            feed.send(*names(N), "apply")
            wait_for(lambda: unbound.addresses("a40.w40.u.coder"))
            feed.kill()
        began = time.monotonic()
        with driver(tmp_path, unbound) as feed:
            feed.good(*names(N), seconds=300)
            assert time.monotonic() - began < 10 + N / 500
            feed.complete()
            wait_for(lambda: unbound.canary() == "w")
