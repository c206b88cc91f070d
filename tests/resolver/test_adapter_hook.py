# SPDX-License-Identifier: Apache-2.0
"""The hook: programs of the operator's, in both forms, well-behaved and not; and the examples."""
import json
import pathlib
import shutil
import time

import pytest

from bridge import Bridge
from driver import Driver
from peer import Simulator
from server import wait_for
from zone import PREFIX

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples/hooks"
A, B = f"{PREFIX}::1", f"{PREFIX}::2"
NAME = "main.dev.me.coder"


def script(folder, text, mode=0o700):
    path = folder / "hook"
    path.write_text(text)
    path.chmod(mode)
    return path


def hook(folder, program, *words, form="dhcp-script", timeout="5s"):
    command = ", ".join(f"'{w}'" for w in (program, *words))
    return Driver(folder, f"type: hook, form: {form}, timeout: {timeout}, command: [{command}]")


# --- dhcp-script

RECORD = """#!/bin/sh
echo "$@" >> {0}/calls
env | grep -v -E '^(PWD|SHLVL|_|OLDPWD)=' | sort > {0}/env
"""


def calls(folder):
    path = folder / "calls"
    return path.read_text().splitlines() if path.exists() else []


def test_calls_are_dnsmasq_s(tmp_path):
    with hook(tmp_path, script(tmp_path, RECORD.format(tmp_path))) as d:
        d.good(f"put {NAME} {A} primary", f"put x.coder {B}")
        d.good(f"put {NAME} {A} primary", f"put x.coder {A}")
        d.good(f"take {NAME} {A}")
    assert calls(tmp_path) == [f"add unknown {A} {NAME}", f"add unknown {B} x.coder", f"old unknown {A} {NAME}",
                               f"del unknown {B} x.coder", f"add unknown {A} x.coder", f"del unknown {A} {NAME}"]


def test_the_environment_is_clean_and_tells_more(tmp_path, monkeypatch):
    monkeypatch.setenv("CODER_SESSION_TOKEN", "secret")
    monkeypatch.setenv("OTHER", "x")
    with hook(tmp_path, script(tmp_path, RECORD.format(tmp_path))) as d:
        d.good(f"put {NAME} {A} primary")
    env = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
    assert {k: v for k, v in env.items() if k.startswith("HOLDFAST_")} == {
        "HOLDFAST_ADAPTER": "it", "HOLDFAST_GENERATION": "1", "HOLDFAST_HELD": "0", "HOLDFAST_PRIMARY": "1",
        "HOLDFAST_SUFFIX": "coder", "HOLDFAST_TTL": "30"}
    assert set(env) - {"PATH", "HOME", "LANG", "TZ"} == {k for k in env if k.startswith("HOLDFAST_")}


def test_the_words_of_the_configuration_come_first(tmp_path):
    with hook(tmp_path, script(tmp_path, RECORD.format(tmp_path)), "one", "two words; $(x)") as d:
        d.good(f"put {NAME} {A}")
    assert calls(tmp_path) == [f"one two words; $(x) add unknown {A} {NAME}"]


def test_one_at_a_time(tmp_path):
    text = f"#!/bin/sh\nmkdir {tmp_path}/busy || echo twice >> {tmp_path}/calls\nsleep 0.02\nrmdir {tmp_path}/busy\n"
    with hook(tmp_path, script(tmp_path, text)) as d:
        d.good(*(f"put n{i}.coder {A}" for i in range(20)))
    assert not calls(tmp_path)


@pytest.mark.parametrize("text, said", [
    ("#!/bin/sh\necho first; echo 'the reason' >&2; exit 3\n", f"add {NAME} ended with status 3: the reason"),
    ("#!/bin/sh\nprintf 'bad\\033[31m'; exit 1\n", "ended with status 1: bad?[31m"),
    ("#!/bin/sh\nkill -9 $$\n", "was ended by signal 9"),
    ("#!/bin/sh\nsleep 100\n", "took too long and was ended"),
    ("#!/bin/sh\nchmod 722 $0; exit 1\n", "ended with status 1"),
])
def test_a_call_that_failed_is_the_matter_of_its_change(tmp_path, text, said):
    program = script(tmp_path, text)
    with hook(tmp_path, program, timeout="300ms") as d:
        (receipt,) = d.apply(f"put {NAME} {A}")
        (failed,) = receipt["not"]
        assert (receipt["code"], receipt["done"], failed["fate"]) == ("", 1, "failed") and said in failed["why"], receipt
        script(tmp_path, RECORD.format(tmp_path))
        d.retry()
    assert calls(tmp_path) == [f"add unknown {A} {NAME}"]


def test_a_program_that_cannot_be_run_is_said_and_tried_again(tmp_path):
    program = script(tmp_path, "not a program")
    with hook(tmp_path, program) as d:
        (receipt,) = d.apply(f"put {NAME} {A}")
        assert (receipt["code"], receipt["done"]) == ("ENOEXEC", 0) and "cannot be run: Exec format error" in receipt["text"], receipt
        script(tmp_path, RECORD.format(tmp_path))
        d.retry()
    assert calls(tmp_path) == [f"add unknown {A} {NAME}"]


def test_the_others_go_on_behind_a_call_that_failed(tmp_path):
    text = RECORD.format(tmp_path) + f'[ "$4" != b.coder ] || [ -e {tmp_path}/well ]\n'
    with hook(tmp_path, script(tmp_path, text)) as d:
        (receipt,) = d.apply(f"put a.coder {A}", f"put b.coder {A}", f"put c.coder {A}")
        assert receipt["done"] == 3 and not receipt["code"] and [n["name"] for n in receipt["not"]] == ["b.coder"]
        (tmp_path / "well").touch()
        d.retry()
    assert [line.split()[-1] for line in calls(tmp_path)] == ["a.coder", "b.coder", "c.coder", "b.coder"]


def test_of_two_calls_for_a_change_none_follows_one_that_failed(tmp_path):
    """An address that could not be taken is not replaced."""
    text = RECORD.format(tmp_path) + f'[ "$1" != del ] || [ -e {tmp_path}/well ]\n'
    with hook(tmp_path, script(tmp_path, text)) as d:
        d.good(f"put a.coder {A}")
        (receipt,) = d.apply(f"put a.coder {B}", f"put b.coder {A}")
        assert [n["name"] for n in receipt["not"]] == ["a.coder"]
        (tmp_path / "well").touch()
        d.retry()
    assert [line.split()[0] + line.split()[-1] for line in calls(tmp_path)] == ["adda.coder", "dela.coder", "addb.coder", "dela.coder",
                                                                                 "adda.coder"]


def test_where_every_call_fails_a_batch_ends_early(tmp_path):
    with hook(tmp_path, script(tmp_path, f"#!/bin/sh\necho $4 >> {tmp_path}/calls\nexit 1\n")) as d:
        first, second, *_ = d.apply(*(f"put n{i}.coder {A}" for i in range(20)))
    assert first["done"] == 8 and second["n"] == 12 and len(calls(tmp_path)) == 20


@pytest.mark.parametrize("mode, folder_mode", [(0o722, 0o700), (0o702, 0o700), (0o700, 0o777)])
def test_a_program_that_others_may_write_is_refused(tmp_path, mode, folder_mode):
    place = tmp_path / "place"
    place.mkdir()
    program = script(place, RECORD.format(tmp_path), mode)
    place.chmod(folder_mode)
    with hook(tmp_path, program) as d:
        (receipt,) = d.apply(f"put {NAME} {A}")
        assert receipt["code"] == "HF_EUNSAFE" and "others may write" in receipt["text"]
        (finding,) = d.doctor()
        assert finding["grade"] == "bad" and "chmod go-w" in finding["line"]
    assert not calls(tmp_path)


def test_a_lot_of_output_is_no_trouble(tmp_path):
    with hook(tmp_path, script(tmp_path, "#!/bin/sh\nhead -c 5000000 /dev/zero\nhead -c 5000000 /dev/zero >&2\n")) as d:
        d.good(f"put {NAME} {A}")


def test_what_runs_too_long_goes_with_all_that_it_started_and_the_loop_goes_on(tmp_path):
    text = f"#!/bin/sh\n(while :; do date +%s.%N > {tmp_path}/beat; sleep 0.02; done) &\nwait\n"
    with hook(tmp_path, script(tmp_path, text), timeout="400ms") as d:
        d.apply(f"put {NAME} {A}")
        time.sleep(0.1)
        last = (tmp_path / "beat").read_text()
        time.sleep(0.2)
        assert (tmp_path / "beat").read_text() == last


# --- json

ECHO = """#!/usr/bin/python3
import json, sys
lines = [json.loads(l) for l in sys.stdin]
open("{0}/batches", "a").write(json.dumps(lines) + "\\n")
{1}
"""
DONE = "for l in lines[1:-1]: print(json.dumps({'fate': 'done'}))"


def batches(folder):
    return [json.loads(line) for line in (folder / "batches").read_text().splitlines()]


def test_a_batch_is_lines(tmp_path):
    with hook(tmp_path, script(tmp_path, ECHO.format(tmp_path, DONE)), form="json") as d:
        d.good(f"put {NAME} {A} primary")
        d.good(f"put {NAME} {B}", f"take x.coder {A}")
    one, two = batches(tmp_path)
    unknown = dict.fromkeys(("source", "owner", "workspace", "agent", "agent_id"))
    assert one == [{"op": "begin", "version": 1, "adapter": "it", "generation": 1, "changes": 1, "ttl": 30, "suffixes": ["coder"]},
                   {"op": "put", "name": NAME, "address": A, "was": None, "primary": True, "held": False, **unknown}, {"op": "end"}]
    assert [(c["op"], c["name"], c["address"], c["was"]) for c in two[1:-1]] == [("put", NAME, B, A), ("take", "x.coder", A, None)]


def test_fates_are_taken(tmp_path):
    text = "print(json.dumps({'error': 'no room'})); [print(json.dumps({'fate': f})) for f in ('done', 'clash', 'unfit')]"
    with hook(tmp_path, script(tmp_path, ECHO.format(tmp_path, text)), form="json") as d:
        (receipt,) = d.apply(*(f"put {name}.coder {A}" for name in "abcd"))
    assert receipt["done"] == 4 and not receipt["code"]
    assert [(n["name"], n["fate"], n.get("why")) for n in receipt["not"]] == [
        ("a.coder", "failed", "said: no room"), ("c.coder", "clash", None), ("d.coder", "unfit", None)]


def test_a_program_that_ends_at_an_error_gets_the_rest_next(tmp_path):
    text = """
for l in lines[1:-1]:
    print(json.dumps({"error": "no room"} if l["name"] == "b.coder" and len(lines) > 3 else {"fate": "done"}))
    if l["name"] == "b.coder": break
"""
    with hook(tmp_path, script(tmp_path, ECHO.format(tmp_path, text)), form="json") as d:
        one, two = d.apply(f"put a.coder {A}", f"put b.coder {A}", f"put c.coder {A}")
        assert (one["done"], one["code"], two["done"], two["code"]) == (2, "", 1, "")
        d.retry()
    assert [[c["name"] for c in b[1:-1]] for b in batches(tmp_path)] == [["a.coder", "b.coder", "c.coder"], ["c.coder"], ["b.coder"]]


@pytest.mark.parametrize("text, done, code, said", [
    ("print('{\"fate\":\"done\"}')", 1, "HF_EFORMAT", "answered 1 of 3 changes"),
    ("print('nonsense')", 0, "HF_EFORMAT", "answered 'nonsense'"),
    ("print('{\"fate\":\"well\"}')", 0, "HF_EFORMAT", "expected"),
    ("[print('{\"fate\":\"done\"}') for _ in range(4)]", 3, "HF_EFORMAT", "more than it was asked"),
    ("print('{\"fate\":\"done\"}'); sys.exit('disk full')", 1, "HF_EREFUSED", "ended with status 1: disk full"),
    ("print('x' * 100000)", 0, "HF_ELIMIT", "printed too much"),
    ("import time; print('{\"fate\":\"done\"}', flush=True); time.sleep(100)", 1, "ETIMEDOUT", "took too long"),
])
def test_answers_that_are_wrong(tmp_path, text, done, code, said):
    with hook(tmp_path, script(tmp_path, ECHO.format(tmp_path, text)), form="json", timeout="1s") as d:
        (receipt,) = d.apply(f"put a.coder {A}", f"put b.coder {A}", f"put c.coder {A}")
    assert (receipt["done"], receipt["code"]) == (done, code) and said in receipt["text"], receipt


def test_ten_thousand_names(tmp_path):
    with hook(tmp_path, script(tmp_path, ECHO.format(tmp_path, DONE)), form="json", timeout="30s") as d:
        d.good(*(f"put n{i}.w.me.coder {PREFIX}::{i:x}" for i in range(1, 10001)))
    sizes = [len(b) - 2 for b in batches(tmp_path)]
    assert sum(sizes) == 10000 and len(sizes) <= 12


# --- the examples, setup and doctor

def example(folder, name):
    path = folder / name
    shutil.copy(EXAMPLES / name, path)
    path.chmod(0o755)
    return path


def test_the_example_script_keeps_a_hosts_file(tmp_path):
    hosts = tmp_path / "names.hosts"
    with hook(tmp_path, example(tmp_path, "hosts-file.sh"), hosts) as d:
        d.good(f"put {NAME} {A}", f"put x.coder {B}")
        d.good(f"put {NAME} {A}", f"put x.coder {A}")
        assert sorted(hosts.read_text().splitlines()) == [f"{A} {NAME}", f"{A} x.coder"]
        d.good(f"take {NAME} {A}")
    assert hosts.read_text() == f"{A} x.coder\n"


def test_the_example_adapter_leaves_others_names_alone(tmp_path):
    names = tmp_path / "names.json"
    names.write_text(json.dumps({"x.coder": {"address": "::1"}}))
    with hook(tmp_path, example(tmp_path, "adapter.py"), names, form="json") as d:
        (receipt,) = d.apply(f"put {NAME} {A}", f"put x.coder {B}")
        assert [(n["name"], n["fate"]) for n in receipt["not"]] == [("x.coder", "clash")]
        d.good(f"put {NAME} {B}")
        assert json.loads(names.read_text())[NAME]["address"] == B
        d.good(f"take {NAME} {B}", f"take x.coder {B}")
    assert json.loads(names.read_text()) == {"x.coder": {"address": "::1"}}


def test_doctor_and_setup(tmp_path):
    program = script(tmp_path, "#!/bin/sh\n")
    for form in "dhcp-script", "json":
        with hook(tmp_path, program, form=form) as d:
            assert [f["grade"] for f in d.doctor()] == ["good"]
            assert str(program) in d.setup()
    program.chmod(0o600)
    with hook(tmp_path, program) as d:
        assert [(f["grade"], f["line"]) for f in d.doctor()] == [("bad", f"chmod +x {program}")]
    program.unlink()
    with hook(tmp_path, program) as d:
        assert [f["grade"] for f in d.doctor()] == ["bad"]


# --- fed by a bridge

WORLD = "user alice 1\nsnapshot alice 1=dev:7=main 2=web:8=main\n"


def bridge_with(tmp_path, sim, program, *words, form="dhcp-script"):
    command = ", ".join(f"'{w}'" for w in (program, *words))
    return Bridge(tmp_path, sim.url, top=f"adapters: [{{ type: hook, form: {form}, command: [{command}], retry: {{ cap: 100ms }} }}]\n")


def test_a_bridge_tells_whose_name_it_is(tmp_path):
    program = script(tmp_path, f"#!/bin/sh\n[ \"$4\" != {NAME} ] || env | grep HOLDFAST_ | sort > {tmp_path}/env\n"
                               f"echo \"$@\" >> {tmp_path}/calls\n")
    with Simulator(tmp_path, WORLD) as sim, bridge_with(tmp_path, sim, program):
        wait_for(lambda: len(calls(tmp_path)) == 6)
        env = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
        sim.say("diff alice -2")
        wait_for(lambda: len(calls(tmp_path)) == 9)
    assert {k: env[f"HOLDFAST_{k}"] for k in ("ADAPTER", "SOURCE", "OWNER", "WORKSPACE", "AGENT", "HELD", "SUFFIX", "TTL")} == {
        "ADAPTER": "hook", "SOURCE": "main", "OWNER": "alice", "WORKSPACE": "dev", "AGENT": "main", "HELD": "0", "SUFFIX": "coder",
        "TTL": "30"}
    assert {line.split()[1] for line in calls(tmp_path)[:6] if line.endswith(NAME)} == {env["HOLDFAST_AGENT_ID"]}
    assert sorted(line.split()[0] for line in calls(tmp_path)) == ["add"] * 6 + ["del"] * 3


def test_a_bridge_that_is_killed_and_begins_again_makes_it_whole(tmp_path):
    """Killed at any time: what the program keeps ends as it should, and nothing that is right is told again for ever."""
    names = tmp_path / "names.json"
    program = example(tmp_path, "adapter.py")
    with Simulator(tmp_path, WORLD) as sim:
        for n in range(4):
            bridge = bridge_with(tmp_path, sim, program, names, form="json")
            time.sleep(0.05 + 0.1 * n)
            bridge.process.kill()
            bridge.process.wait()
        with bridge_with(tmp_path, sim, program, names, form="json"):
            wait_for(lambda: names.exists() and len(json.loads(names.read_text())) == 6)
            sim.say("diff alice -1 +3=new:9=main")
            wait_for(lambda: "main.new.me.coder" in json.loads(names.read_text()))
            wait_for(lambda: NAME not in json.loads(names.read_text()))
            before = names.stat().st_mtime_ns
            time.sleep(0.5)
            assert names.stat().st_mtime_ns == before
    kept = json.loads(names.read_text())
    assert kept["main.new.me.coder"]["address"] == f"{PREFIX}::9" and len(kept) == 6
