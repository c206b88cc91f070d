# SPDX-License-Identifier: Apache-2.0
"""
The unbound adapter against Debian's unbound: what is put is answered, what others have stays, and unbound never stops answering,
whatever becomes of the adapter.
"""
import os
import random
import signal
import socket
import subprocess
import time

import dns.rcode
import pytest

from driver import Driver
from fed_unbound import Between, Prober, Unbound
from server import wait_for
from stock import need
from zone import address

LONG = bool(os.environ.get("HF_LONG"))
NAME = "main.dev.me.coder"
NXDOMAIN, NOERROR = dns.rcode.NXDOMAIN, dns.rcode.NOERROR
REVERSE = "b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa."


@pytest.fixture
def unbound(tmp_path):
    with Unbound(tmp_path) as u:
        yield u


def driver(tmp_path, unbound, more="", control=None, **options):
    return Driver(tmp_path, f"type: unbound, control: {control or unbound.control}, ask: 127.0.0.1@{unbound.port}{more}",
                  **options)


@pytest.fixture
def feed(tmp_path, unbound):
    with driver(tmp_path, unbound) as d:
        yield d


def names(n, first=0, of=1000):
    return [f"put a{i}.w{i}.u.coder {address(of + i)} primary" for i in range(first, first + n)]


def start_options(tmp_path, form="zonefile"):
    (tmp_path / "start").mkdir(exist_ok=True)
    return f", start-file: {tmp_path}/start/start.zone, start-form: {form}, start-interval: 50ms"


def test_add_change_rename_remove(feed, unbound):
    feed.good(f"put {NAME} {address(1)} primary", f"put main.dev.alice.coder {address(1)}", f"put dev.coder {address(1)}")
    assert unbound.canary() == "f" and unbound.zones()["coder."] == "transparent"
    feed.complete()
    wait_for(lambda: unbound.canary() == "w")
    assert unbound.zones()["coder."] == "static"
    assert unbound.addresses(NAME) == unbound.addresses("dev.coder") == [address(1)] and unbound.ptr(address(1)) == [f"{NAME}."]
    assert unbound.rcode(NAME, "A") == unbound.rcode("me.coder") == NOERROR
    missing = unbound.server.ask("no.dev.me.coder")
    assert missing.rcode() == NXDOMAIN and missing.authority[0].ttl == 30
    assert unbound.server.ask(NAME).answer[0].ttl == 30 and unbound.server.ask("coder", "SOA").answer

    for n in range(2, 30):
        feed.good(f"put {NAME} {address(n)} primary", f"put main.dev.alice.coder {address(n)}")
        assert unbound.addresses(NAME) == unbound.addresses("main.dev.alice.coder") == [address(n)]
        assert unbound.ptr(address(n)) == [f"{NAME}."] and unbound.ptr(address(n - 1)) == []

    # A rename: the new name first, then the old one goes; the address points to one name at all times.
    feed.good(f"put main.new.me.coder {address(29)} primary")
    assert unbound.ptr(address(29)) == ["main.new.me.coder."]
    feed.good(f"take {NAME} {address(29)} primary")
    assert unbound.rcode(NAME) == NXDOMAIN and unbound.ptr(address(29)) == ["main.new.me.coder."]
    feed.good(f"take main.dev.alice.coder {address(29)}", f"take main.new.me.coder {address(29)} primary",
              f"take dev.coder {address(1)}")
    assert unbound.rcode("main.new.me.coder") == NXDOMAIN and unbound.ptr(address(29)) == []
    assert [line for line in unbound.data() if "AAAA\tfd60:627a:a42b:" in line] == []


def test_what_is_taken_is_gone_by_its_receipt_though_a_zone_file_has_it(tmp_path):
    """unbound has read an older file, and answers out of it as long as our zone over it is transparent."""
    file = tmp_path / "old.zone"
    file.write_text(f"coder. 30 IN SOA holdfast.invalid. nobody.invalid. 1 60 60 2419200 30\nold.coder. 30 IN AAAA {address(9)}\n")
    auth = f'auth-zone:\n  name: "coder."\n  zonefile: "{file}"\n  for-upstream: no\n'
    with Unbound(tmp_path, auth) as unbound, driver(tmp_path, unbound) as d:
        d.good(f"put {NAME} {address(1)}", f"put old.coder {address(9)}")
        assert unbound.addresses("old.coder") == [address(9)] and unbound.zones()["coder."] == "transparent"
        d.send("complete", f"take old.coder {address(9)}", "apply")
        receipts = [e for e in d.until("applied") if e["event"] == "receipt"]
        assert [r["code"] for r in receipts] == [""] * len(receipts)
        assert unbound.rcode("old.coder") == NXDOMAIN and unbound.zones()["coder."] == "static"
        assert unbound.addresses(NAME) == [address(1)] and unbound.canary() == "w"


def test_ten_thousand_names_while_everybody_is_answered(feed, unbound):
    old = unbound.command("local_data elsewhere.example 30 AAAA fd00::1")
    assert old == "ok\n"
    # So many that a busy machine's stalls do not overflow the socket; what it costs in detail is the bench's.
    with Prober(unbound.port, ["elsewhere.example"], rate=250) as prober:
        feed.good(*names(10000), seconds=120)
        feed.complete()
        feed.good(*names(1000, of=50000), seconds=120)
        feed.good(*(line.replace("put", "take") for line in names(1000, first=9000)), seconds=120)
    assert not prober.lost and prober.asked > 100
    assert {a[1:] for a in prober.answers} == {(0, socket.inet_pton(socket.AF_INET6, "fd00::1"))}
    assert prober.ms(0.9) < 25, prober.ms(0.9)
    have = {line.split("\t")[0]: line.split("\t")[4] for line in unbound.data() if "AAAA\tfd60:627a:a42b:" in line}
    assert have == {f"a{i}.w{i}.u.coder.": address((50000 if i < 1000 else 1000) + i) for i in range(9000)}
    points = {line.split("\t")[4] for line in unbound.data() if line.split("\t")[3] == "PTR" and ".coder." in line}
    assert points == set(have)
    assert feed.verify(*(f"expect {line[4:]}" for line in names(100, first=5000)))["not"] == []


def test_a_changed_address_is_away_for_no_time_that_matters(feed, unbound):
    feed.good(f"put {NAME} {address(1)}")
    feed.complete()
    with Prober(unbound.port, [NAME], rate=500) as prober:
        for n in range(2, 102):
            feed.good(f"put {NAME} {address(n)}")
    away = sum(1 for a in prober.answers if a[1] == NXDOMAIN)
    assert not prober.lost and len(prober.answers) > 20
    # Each of the 100 changes leaves less than a millisecond without the name.
    assert away <= len(prober.answers) // 4, (away, len(prober.answers))
    assert all(rcode in (NOERROR, NXDOMAIN) for _, rcode, _ in prober.answers)


@pytest.mark.parametrize("how", ["restart", "kill", "reload", "fast_reload"])
def test_a_resolver_that_lost_its_data_is_noticed(feed, unbound, how):
    feed.good(*names(200))
    feed.complete()
    wait_for(lambda: unbound.canary() == "w")
    feed.asides.clear()
    if how.endswith("reload"):
        if "unknown command" in unbound.command(how):
            pytest.skip(f"this unbound has no {how}")
        wait_for(lambda: not unbound.canary())
    else:
        unbound.restart(signal.SIGKILL if how == "kill" else signal.SIGTERM)
    feed.wait(2500)
    assert feed.lost() == ["unbound was restarted or reloaded: its canary is gone"]
    feed.good(*names(200))
    feed.complete()
    wait_for(lambda: unbound.canary() == "w")
    assert unbound.addresses("a7.w7.u.coder") == [address(1007)]
    # A batch that comes before the watch has seen it is not put into a resolver without our zone.
    unbound.restart()
    feed.asides.clear()
    receipt = feed.apply("put late.coder " + address(9))[-1]
    assert receipt["code"] and receipt["done"] == 0 and feed.asides or feed.wait(100) or feed.lost()
    feed.retry()
    assert unbound.zones()["coder."] == "transparent" and "late.coder." not in unbound.zones()


def test_another_run_goes_on_where_the_last_one_ended(tmp_path, unbound):
    """The bridge was killed after it had filled unbound: nothing is written again, and nothing is missing."""
    between = Between(tmp_path / "between.ctl", unbound.control)
    with driver(tmp_path, unbound, control=between.path) as d:
        d.good(*names(300))
        d.complete()
        wait_for(lambda: unbound.canary() == "w")
    before = unbound.data()
    between.commands.clear()
    with driver(tmp_path, unbound, control=between.path) as d:
        for _ in range(10):
            d.good(*names(300))
            d.complete()
        d.wait(1200)
        assert between.writes() == [] and not d.lost()
        d.good(*names(20, first=290))  # ten of them are new
        assert [c.split()[1] for c in between.writes()] == [b"local_datas"] * len(between.writes())
        assert sum(c.count(b" AAAA ") for c in between.writes()) == 10
        # What an earlier run left there and nobody wants is known, too.
        assert len(d.list()) == 310
    assert set(before) < set(unbound.data())
    assert all(len(c) <= 65536 and Between.is_whole(c) for c in between.commands) and not between.cut
    between.close()


def test_killed_at_any_moment_nothing_is_harmed(tmp_path, unbound):
    count = 100 if LONG else 15
    with Prober(unbound.port, ["localhost"], rate=250) as prober:
        for i in range(count):
            d = driver(tmp_path, unbound)
            d.send(*names(3000, of=1000 + i % 2), "apply", "complete")
            time.sleep(random.uniform(0.02, 0.4))
            d.kill()
            assert unbound.rcode("localhost") == NOERROR
    assert not prober.lost
    with driver(tmp_path, unbound) as d:
        d.good(*names(3000, of=7000))
        d.complete()
        wait_for(lambda: unbound.canary() == "w")
        have = {line.split("\t")[0]: line.split("\t")[4] for line in unbound.data() if "AAAA\tfd60:627a:a42b:" in line}
        assert have == {f"a{i}.w{i}.u.coder.": address(7000 + i) for i in range(3000)}


def wire(*labels):
    return "0x" + b"".join(bytes([len(x)]) + x for x in (*labels, b"coder")).hex() + "00"


HOSTILE = [wire(b"a\n\x04"), wire(b"a b"), wire(b"a\nlocal_zone . refuse"), wire(b'a" AAAA ::1'), wire(b"\x00"), wire(b"*"),
           wire(b"a.b"), wire(b"\xff\xfe"), wire(b"_holdfast-canary"), wire(b"$INCLUDE /etc/passwd"), wire(b"a;b"), wire(b"\\065"),
           "0x0561616161610000", "0x00", "0x016100", "0x0161076578616d706c6500", "0x05636f64657200"]


def test_hostile_names_change_nothing(tmp_path, unbound):
    between = Between(tmp_path / "between.ctl", unbound.control)
    with driver(tmp_path, unbound, control=between.path) as d:
        d.good(*names(10))
        d.complete()
        wait_for(lambda: unbound.canary() == "w")
        before, zones = unbound.data(), unbound.zones()
        between.commands.clear()
        receipts = d.apply(*(f"put {h} {address(5)} primary" for h in HOSTILE), f"put ok.coder {address(6)}",
                           f"put a1.w1.u.coder 2001:db8::1 primary", f"put b.coder fd60:627a:a42c::1")
        assert sum(len(r["not"]) for r in receipts) == len(HOSTILE) + 2 and not receipts[-1]["code"]
        assert {x["fate"] for r in receipts for x in r["not"]} == {"unfit"}
        assert set(unbound.data()) - set(before) == {f"ok.coder.\t30\tIN\tAAAA\t{address(6)}"} and unbound.zones() == zones
        assert set(before) - set(unbound.data()) == set()
        assert len(between.writes()) == 1
        d.apply(*(f"take {h} {address(5)} primary" for h in HOSTILE))
        assert set(before) - set(unbound.data()) == set() and len(between.writes()) == 1
    between.close()


FOREIGN = {"AAAA": "fd00::9", "A": "192.0.2.1", "TXT": "theirs", "MX": "10 mx.example", "CNAME": "x.example", "TLSA": "3 1 1 " + "ab" * 32,
           "NAPTR": '100 10 "u" "sip" "!^.*$!sip:x@example!" .', "URI": '10 1 "https://x.example/"', "LOC": "52 22 23 N 4 53 32 E -2m 0m 10000m 10m",
           "HINFO": '"pc" "os"', "DS": "1 13 2 " + "cd" * 32}


def ours(name, n):
    return f"{name}.\t30\tIN\tAAAA\t{address(n)}"


@pytest.mark.parametrize("rdtype", FOREIGN)
def test_what_others_put_there_stays(feed, unbound, rdtype):
    """An address or an alias of others is left alone; beside other records ours come and go where unbound can remove one record."""
    can = unbound.removes_records()
    shared = can and rdtype not in ("AAAA", "CNAME")
    feed.good(f"put other.coder {address(3)}")
    feed.complete()
    wait_for(lambda: unbound.canary() == "w")
    assert unbound.command(f"local_data theirs.coder 300 {rdtype} {FOREIGN[rdtype]}") == "ok\n"
    assert unbound.command(f"local_data other.coder 300 {rdtype} {FOREIGN[rdtype]}") == "ok\n"
    before = set(unbound.data())
    got = feed.apply(f"put theirs.coder {address(1)}", f"put other.coder {address(4)}", f"put mine.coder {address(2)}")
    clashes = sorted(x["name"] for r in got for x in r["not"] if x["fate"] == "clash")
    mine = {ours("mine.coder", 2)}
    if shared:
        assert clashes == [] and set(unbound.data()) == before - {ours("other.coder", 3)} | mine | {ours("theirs.coder", 1), ours("other.coder", 4)}
        assert unbound.addresses("other.coder") == [address(4)] and feed.verify()["not"] == []
    else:
        assert clashes == ["other.coder", "theirs.coder"] and set(unbound.data()) == before | mine
    got = feed.apply(f"take other.coder {address(4 if shared else 3)}", f"take theirs.coder {address(1)}")
    # An alias hides what else its name has, before 1.26.
    assert [x["name"] for r in got for x in r["not"]] == ([] if can else ["other.coder"] + ["theirs.coder"] * (rdtype == "CNAME"))
    assert set(unbound.data()) == mine | (before - {ours("other.coder", 3)} if can else before)
    if shared:
        # What is left of the name has no address, and gets one again.
        answer = unbound.server.ask("other.coder")
        assert answer.rcode() == NOERROR and not answer.answer
        feed.good(f"put other.coder {address(5)}")
        assert unbound.addresses("other.coder") == [address(5)] and unbound.server.ask("other.coder").answer[0].ttl == 30
        feed.send("zones 7 coder")
        feed.good(f"put other.coder {address(5)}")
        assert unbound.server.ask("other.coder").answer[0].ttl == 7 and unbound.server.ask("other.coder", rdtype).answer
    if rdtype == "AAAA":
        assert [x["is"] for x in feed.verify(f"expect theirs.coder {address(1)}")["not"]] == ["foreign"]


def test_a_name_is_not_away_while_its_address_changes(tmp_path):
    """Where unbound can remove one record, both are there between two commands, and its threads go on to answer."""
    with Unbound(tmp_path, server="  num-threads: 2") as unbound, driver(tmp_path, unbound) as feed:
        if not unbound.removes_records():
            pytest.skip("this unbound can only remove all of a name")
        feed.good(*names(40), *(f"put a{i}.w{i}.v.coder {address(1000 + i)}" for i in range(40)))
        feed.complete()
        wait_for(lambda: unbound.canary() == "w")
        with Prober(unbound.port, [f"a{i}.w{i}.{o}.coder" for i in range(40) for o in "uv"], rate=1500) as prober:
            for n in range(30):
                feed.good(*names(40, of=2000 + 100 * n), *(f"put a{i}.w{i}.v.coder {address(2000 + 100 * n + i)}" for i in range(40)))
        # A busy machine may lose some on the way.
        assert {(rcode, bool(data)) for _, rcode, data in prober.answers} == {(NOERROR, True)} and len(prober.answers) > 50
        assert unbound.addresses("a7.w7.u.coder") == [address(4907)] and unbound.ptr(address(4907)) == ["a7.w7.u.coder."]
        data = [line for line in unbound.data() if "AAAA\tfd60" in line]
        assert len(data) == 80
        feed.good(*(f"take a{i}.w{i}.{o}.coder {address(4900 + i)}" for i in range(40) for o in "uv"))
        assert unbound.rcode("a7.w7.u.coder") == unbound.rcode("w7.v.coder") == NXDOMAIN


def test_a_pointer_of_others_stays(feed, unbound):
    ptr = "9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0." + REVERSE
    assert unbound.command(f"local_data {ptr} 300 PTR printer.example") == "ok\n"
    feed.good(f"put {NAME} {address(9)} primary")
    assert unbound.ptr(address(9)) == ["printer.example."] and unbound.addresses(NAME) == [address(9)]
    feed.good(f"take {NAME} {address(9)} primary")
    assert unbound.ptr(address(9)) == ["printer.example."]


@pytest.mark.parametrize("trouble", ["absent", "close", "hang", "no socket", "no rights"])
def test_a_control_socket_in_trouble(tmp_path, unbound, trouble):
    between = Between(tmp_path / "between.ctl", unbound.control)
    with driver(tmp_path, unbound, ", timeout: 300ms", control=between.path) as d:
        d.good(*names(5))
        d.complete()
        wait_for(lambda: unbound.canary() == "w")
        if trouble in ("hang", "close"):
            between.mode = trouble
        elif trouble == "absent":
            between.deafen()
        elif trouble == "no socket":
            between.path.rename(tmp_path / "away.ctl")
        else:
            between.path.chmod(0)
            if os.access(between.path, os.W_OK):
                pytest.skip("root may do all")
        began = time.monotonic()
        receipt = d.apply(*names(5, of=2000))[-1]
        assert receipt["code"] and receipt["done"] == 0 and str(between.path) in receipt["text"], receipt
        assert time.monotonic() - began < 2 and unbound.addresses("a1.w1.u.coder") == [address(1001)]
        if trouble in ("hang", "close"):
            between.mode = "pass"
        elif trouble == "absent":
            os.unlink(between.path)
            between = Between(between.path, unbound.control)
        elif trouble == "no socket":
            (tmp_path / "away.ctl").rename(between.path)
        else:
            between.path.chmod(0o600)
        d.retry()
        assert unbound.addresses("a1.w1.u.coder") == [address(2001)] and not between.cut


def test_a_resolver_that_does_not_answer_where_it_is_asked_is_not_fed(tmp_path, unbound):
    with Driver(tmp_path, f"type: unbound, control: {unbound.control}, ask: 127.0.0.1@9") as d:
        receipt = d.apply(*names(1))[-1]
        assert "'ask'" in receipt["text"] and receipt["done"] == 0
        d.wait(3500)
        assert "'ask'" in (d.warned("no-answer") or receipt["text"])
    assert "u.coder" not in "".join(unbound.data())


VIEW = """view:
  name: mine
  view-first: {}
  local-zone: "other.example" static
"""


@pytest.mark.parametrize("first", ["yes", "no"])
def test_a_view_that_does_not_see_the_names_is_told(tmp_path, first):
    with Unbound(tmp_path, VIEW.format(first), server="  access-control-view: 127.0.0.1/32 mine") as unbound, \
            driver(tmp_path, unbound) as d:
        receipt = d.apply(*names(3))[-1]
        if first == "yes":
            assert not receipt["code"] and unbound.addresses("a1.w1.u.coder") == [address(1001)]
        else:
            assert "access-control-view" in receipt["text"] and receipt["done"] == 0


def test_one_that_wants_cookies_by_udp_is_fed(tmp_path):
    server = "  answer-cookie: yes\n  access-control: 127.0.0.0/8 allow_cookie"
    unbound = Unbound(tmp_path, server=server)
    if subprocess.run([need("unbound-checkconf"), unbound.config], capture_output=True, check=False).returncode:
        pytest.skip("this unbound knows no cookies")
    with unbound, driver(tmp_path, unbound) as d:
        d.good(*names(20))
        d.complete()
        wait_for(lambda: "TXT\t\"w" in "".join(unbound.data()))
        assert unbound.server.ask("a1.w1.u.coder", tcp=True).answer[0][0].address == address(1001)
        d.good(f"put a1.w1.u.coder {address(7)} primary")
        assert d.verify()["not"] == []


@pytest.mark.parametrize("form", ["zonefile", "include"])
def test_unbound_knows_the_names_at_its_own_start(tmp_path, unbound, form):
    options = start_options(tmp_path, form)
    with driver(tmp_path, unbound, options) as d:
        lines = d.setup()
        d.send("apply")  # nothing, but the file is made
        d.until("applied")
        d.send("put x.y.z.coder " + address(1), "apply")
        d.until("applied")
        assert (tmp_path / "start/start.zone").exists()
        # A file without names: unbound starts with it.
        unbound.configure(lines)
        unbound.restart()
        d.wait(1500)
        d.good(*names(300), "put theirs.coder " + address(4))
        d.complete()
        wait_for(lambda: "a299.w299" in (tmp_path / "start/start.zone").read_text())
        d.good(f"take theirs.coder {address(4)}", f"put a0.w0.u.coder {address(5)} primary")
        d.complete()
        wait_for(lambda: "theirs" not in (tmp_path / "start/start.zone").read_text())
    assert not list((tmp_path / "start").glob(".*"))
    unbound.restart(signal.SIGKILL)
    assert unbound.addresses("a0.w0.u.coder") == [address(5)] and unbound.addresses("a299.w299.u.coder") == [address(1299)]
    assert unbound.ptr(address(1299)) == ["a299.w299.u.coder."]
    missing = unbound.server.ask("theirs.coder")
    assert missing.rcode() == NXDOMAIN and missing.authority[0].ttl <= 30 and not unbound.canary()
    # The next run fills it anew: meanwhile and afterwards the names are there, and what went meanwhile goes.
    with Prober(unbound.port, [f"a{i}.w{i}.u.coder" for i in range(1, 200)], rate=250) as prober:
        with driver(tmp_path, unbound, options) as d:
            d.good(*names(199, first=1))
            d.complete()
            wait_for(lambda: unbound.canary() == "w")
    assert not prober.lost and {a[1] for a in prober.answers} == {NOERROR}
    if form == "zonefile":
        assert unbound.rcode("a250.w250.u.coder") == NXDOMAIN and unbound.ptr(address(1250)) == []


def test_the_start_file_holds_data_and_nothing_else(tmp_path, unbound):
    with driver(tmp_path, unbound, start_options(tmp_path), suffix="coder") as d:
        d.send("adopt " + HOSTILE[2] + " " + address(3), "adopt a.coder 2001:db8::1", "adopt b.example " + address(3))
        d.good(*names(2))
        d.complete()
        wait_for(lambda: "a1.w1" in (tmp_path / "start/start.zone").read_text())
    text = (tmp_path / "start/start.zone").read_text().splitlines()
    assert len(text) == 3 and text[0].split()[3] == "SOA" and all(line.split()[3] == "AAAA" for line in text[1:])
    assert len((tmp_path / "start/start.zone.ptr").read_text().splitlines()) == 3


def test_a_folder_that_cannot_be_written_is_told(tmp_path, unbound):
    with driver(tmp_path, unbound, f", start-file: {tmp_path}/nowhere/start.zone, start-interval: 50ms") as d:
        d.good(*names(2))
        d.complete()
        d.wait(300)
        assert "nowhere/start.zone" in d.warned("start-file")
        (tmp_path / "nowhere").mkdir()
        d.wait(300)
        assert d.warned("start-file") is None and (tmp_path / "nowhere/start.zone").exists()


def test_a_suffix_that_is_no_longer_ours_goes(feed, unbound):
    feed.send("zones 30 coder lab.example")
    feed.good(f"put {NAME} {address(1)}", f"put x.lab.example {address(2)}", f"put y.lab.example {address(3)}")
    feed.complete()
    wait_for(lambda: unbound.canary("lab.example") == "w" and unbound.canary() == "w")
    assert unbound.command("local_data printer.lab.example 300 A 192.0.2.7") == "ok\n"
    feed.good(f"take x.lab.example {address(2)}", f"take y.lab.example {address(3)}")
    feed.send("zones 30 coder")
    feed.good(f"put dev.coder {address(1)}")
    wait_for(lambda: unbound.canary("lab.example") == "", 5)
    # Others' data is in it: it stays, and opens for the rest.
    assert unbound.zones()["lab.example."] == "transparent" and unbound.rcode("printer.lab.example", "A") == NOERROR
    assert unbound.addresses(NAME) == [address(1)] and unbound.zones()["coder."] == "static"
    feed.good(f"take dev.coder {address(1)}", f"take {NAME} {address(1)}")
    feed.send("zones 30 lab.example", f"put x.lab.example {address(2)}", "apply")
    feed.until("applied")
    wait_for(lambda: "coder." not in unbound.zones(), 5)


@pytest.mark.parametrize("listing", ["short", "long"])
def test_a_suffix_that_only_a_start_file_has_brought_goes(feed, unbound, listing):
    """Nothing was put below it in this life, so it has no canary: its SOA shows whose it is."""
    feed.good(f"put {NAME} {address(1)}")
    if listing == "long":
        unbound.command("local_datas\n" + "".join(f"theirs{n}.home.invalid 300 IN TXT {'x' * 50}\n" for n in range(1000)))
    assert unbound.command("local_zone lab.example static") == "ok\n"
    assert unbound.command("local_data lab.example 30 SOA holdfast.invalid. nobody.invalid. 1 60 60 2419200 30") == "ok\n"
    feed.send("zones 30 coder lab.example", "zones 30 coder")
    feed.good(f"put dev.coder {address(1)}")
    wait_for(lambda: unbound.zones().get("lab.example.") == (None if listing == "short" else "transparent"), 5)
    wait_for(lambda: not [line for line in unbound.data() if line.startswith("lab.example.")], 5)


def test_the_reverse_zone_is_made_where_unbound_has_none(tmp_path):
    with Unbound(tmp_path, server='  local-zone: "d.f.ip6.arpa" nodefault') as unbound:
        with driver(tmp_path, unbound) as d:
            assert any(f["grade"] == "bad" and REVERSE[:-1] in f["text"] for f in d.doctor())
            d.good(*names(3))
            d.complete()
            wait_for(lambda: unbound.canary() == "w" and unbound.zones().get(REVERSE) == "static")
            assert unbound.ptr(address(1001)) == ["a1.w1.u.coder."]
            missing = unbound.server.ask("1.1." + REVERSE, "PTR")
            assert missing.rcode() == NXDOMAIN and missing.authority[0].ttl <= 30
            assert not [f for f in d.doctor() if f["grade"] == "bad"]


def test_the_doctor(tmp_path, unbound):
    with driver(tmp_path, unbound) as d:
        found = d.doctor()
        assert any("not been filled" in f["text"] for f in found) and any("takes commands" in f["text"] for f in found)
        d.good(*names(3))
        d.complete()
        wait_for(lambda: unbound.canary() == "w")
        found = d.doctor()
        assert not [f for f in found if f["grade"] == "bad"], found
        assert any("whole" in f["text"] for f in found)
        assert any("can do less" in f["text"] for f in found) != unbound.removes_records()
        unbound.stop()
        found = d.doctor()
        assert any(f["grade"] == "bad" and "control-interface" in f["line"] for f in found)
        assert any(f["grade"] == "bad" and "'ask'" in f["text"] for f in found)


def test_a_ttl_that_changed_is_taken_over(feed, unbound):
    feed.good(*names(5))
    feed.complete()
    wait_for(lambda: unbound.canary() == "w")
    feed.send("zones 7 coder")
    feed.good(*names(5))
    assert unbound.server.ask("a1.w1.u.coder").answer[0].ttl == 7
    assert feed.verify()["not"] == [] and unbound.ptr(address(1001)) == ["a1.w1.u.coder."]


def test_a_line_that_unbound_refuses_is_unfit_and_the_rest_goes_on(tmp_path, unbound):
    between = Between(tmp_path / "between.ctl", unbound.control)
    with driver(tmp_path, unbound, control=between.path) as d:
        between.refused = {b"a7.w7.u.coder", b"a63.w63.u.coder"}
        got = d.apply(*names(100))
        assert not got[-1]["code"]
        assert sorted((x["name"], x["fate"]) for r in got for x in r["not"]) == [("a63.w63.u.coder", "unfit"), ("a7.w7.u.coder", "unfit")]
        assert len(d.list()) == 98
        # The zone cannot be made whole: it is tried again, and told.
        between.refused = {b"local_zone coder static"}
        d.complete()
        d.wait(1500)
        assert "local_zone coder static" in d.warned("incomplete") and unbound.canary() == "f"
        between.refused = set()
        d.wait(1500)
        assert unbound.canary() == "w" and d.warned("incomplete") is None and len(d.lost()) == 1
    between.close()


def test_an_unbound_that_validates_with_threads_and_private_addresses(tmp_path):
    server = """  num-threads: 3
  private-address: fd00::/8
  trust-anchor: ". DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"
"""
    with Unbound(tmp_path, server=server) as unbound:
        unbound.config.write_text(unbound.config.read_text().replace('"iterator"', '"validator iterator"'))
        unbound.restart()
        with driver(tmp_path, unbound) as d, Prober(unbound.port, ["localhost"], rate=250) as prober:
            d.good(*names(2000))
            d.complete()
            wait_for(lambda: unbound.canary() == "w")
            for i in range(20):  # each from a port of its own: every thread has the names
                answer = unbound.server.ask("a7.w7.u.coder", want_dnssec=True)
                assert [r.address for r in answer.answer[0]] == [address(1007)] and not answer.flags & 0x20
            assert unbound.rcode("no.coder") == NXDOMAIN and unbound.rcode("a7.w7.u.coder", "DS") == NOERROR
            d.good(f"put a7.w7.u.coder {address(4)} primary")
            assert unbound.addresses("a7.w7.u.coder") == [address(4)]
        assert not prober.lost


def test_an_unbound_that_is_stopped_for_a_while(tmp_path, unbound):
    """What was sent before it went on arrives late: it must not undo what came after it."""
    with driver(tmp_path, unbound, ", timeout: 200ms") as d:
        d.good(*names(50))
        d.complete()
        wait_for(lambda: unbound.canary() == "w")
        unbound.server.process.send_signal(signal.SIGSTOP)
        receipt = d.apply(*names(50, of=2000))[-1]
        assert receipt["code"]
        d.apply()
        unbound.server.process.send_signal(signal.SIGCONT)
        d.retry()
        assert unbound.addresses("a7.w7.u.coder") == [address(2007)] and d.verify()["not"] == []
