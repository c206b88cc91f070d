# SPDX-License-Identifier: Apache-2.0
"""
holdfastctl as a person meets it: with a configuration that has errors, without rights, with nothing configured, into a pipe
that somebody closes, and with nobody there at all.
"""
import json
import os
import pathlib
import pwd
import resource
import shutil
import subprocess
import time

import pytest

from bridge import Bridge
from peer import Simulator
from server import free_port, wait_for
from stock import need
from zone import program

WORLD = "user alice\nsnapshot alice 1=dev:7=main,8=gpu 2=web:9=main\n"
NAME = "main.dev.me.coder"
ROOT = os.geteuid() == 0


def ctl(*args, **more):
    return subprocess.run([program("bridge/holdfastctl"), *args], capture_output=True, text=True, timeout=60, check=False, **more)


class Running:
    """A bridge that follows a simulator, and its holdfastctl."""

    def __init__(self, folder, sim, bridge):
        self.folder, self.sim, self.bridge = pathlib.Path(folder), sim, bridge
        self.config, self.socket = bridge.config, str(self.folder / "control.sock")

    def ctl(self, *args):
        return ctl("-c", self.config, *args)

    def status(self):
        done = self.ctl("--json", "status")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def running(tmp_path):
    with Simulator(tmp_path, WORLD) as sim:
        with Bridge(tmp_path, sim.url, top=f"dns: {{ listen: [ '127.0.0.1@{free_port()}' ] }}\n") as bridge:
            bridge.wait_log("live with")
            r = Running(tmp_path, sim, bridge)
            wait_for(lambda: r.status()["names"] == 7)
            yield r


# --- a configuration with errors (the bridge goes on with what it had: so does whoever asks it)

BROKEN = {
    "an unknown key and a bad value": lambda text: "tttl: 3\nprovenance: never\n" + text,
    "a tab, which is no YAML": lambda text: text.replace("sources:\n  - ", "sources:\n\t- "),
    "a list that never ends": lambda text: text + "adapters: [ {\n",
}


COMMANDS = [["status"], ["records"], ["sources"], ["adapters"], ["history"], ["why", NAME], ["accept"], ["resync"], ["verify"],
            ["export", "hosts"], ["version"]]


@pytest.mark.parametrize("how", BROKEN)
def test_errors_of_the_configuration_stop_no_command_that_can_do_without_it(running, how):
    before = {" ".join(command): running.ctl(*command) for command in COMMANDS}
    running.config.write_text(BROKEN[how](running.config.read_text()))
    for command in COMMANDS:
        done, then = running.ctl(*command), before[" ".join(command)]
        # Ages of a line go on.
        assert (done.returncode, done.stdout.split()[:1]) == (then.returncode, then.stdout.split()[:1]), command
        warnings = [line for line in done.stderr.splitlines() if "warning: " in line]
        assert len(warnings) == 1 and str(running.config) in warnings[0] and running.socket in warnings[0], command


def test_doctor_shows_every_error_of_the_configuration(running):
    running.config.write_text(BROKEN["an unknown key and a bad value"](running.config.read_text()))
    done = running.ctl("doctor", "--json", "--resolv-conf", "/dev/null")
    found = [f for f in json.loads(done.stdout) if f["area"] == "configuration"]
    assert done.returncode == 1 and [f["grade"] for f in found] == ["bad", "bad"]
    assert "tttl: unknown key; did you mean 'ttl'?" in found[0]["text"] and "provenance" in found[1]["text"]
    assert done.stderr == ""
    assert [f["grade"] for f in json.loads(done.stdout) if f["area"] == "bridge"] == ["good"]


def test_setup_does_not_guess_what_a_broken_configuration_says(running):
    running.config.write_text("tttl: 3\n" + running.config.read_text())
    done = running.ctl("setup", "unbound")
    assert done.returncode == 2 and "tttl: unknown key" in done.stderr and done.stdout == ""
    assert running.ctl("setup").returncode == 0


def test_a_file_that_is_not_there_names_no_bridge_but_a_socket_does(running, tmp_path):
    done = ctl("-c", tmp_path / "no.yaml", "status")
    assert done.returncode == 2 and "no.yaml" in done.stderr and done.stdout == ""
    done = ctl("-c", tmp_path / "no.yaml", "-s", running.socket, "records")
    assert done.returncode == 0 and NAME in done.stdout and "warning: " in done.stderr
    assert "running" in ctl("-c", tmp_path / "no.yaml", "-s", running.socket, "version").stdout


def test_a_file_that_others_may_write_is_not_followed(running, tmp_path):
    running.config.chmod(0o666)
    done = running.ctl("status")
    assert done.returncode == 2 and "others may write it" in done.stderr
    assert running.ctl("-s", running.socket, "records").returncode == 0


# --- usage

def test_version_and_help_are_commands(running):
    done = running.ctl("version")
    ours, bridge, build, store, libraries = done.stdout.splitlines()
    assert done.returncode == 0 and bridge == f"holdfastd {ours.split()[1]}, running"
    told = json.loads(running.ctl("--json", "version").stdout)
    assert told["holdfastd"] == ours.split()[1] and told["program"]["schema"] == int(store.split()[2].strip(","))
    # Word for word what the program says itself.
    said = subprocess.run([program("bridge/holdfastd"), "--version"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert build == said[1].rpartition(", ")[0] and [store, libraries] == said[2:]
    assert running.ctl("help").stdout == running.ctl("--help").stdout
    done = running.ctl("help", "why")
    assert done.returncode == 0 and done.stdout.startswith("usage: holdfastctl why NAME")
    running.bridge.stop()
    done = running.ctl("version")
    assert done.returncode == 0 and "no bridge runs" in done.stdout


# --- rights

@pytest.fixture
def open_folder():
    """Where the tests' folder is closed to others, things have to be elsewhere."""
    if not ROOT:
        pytest.skip("needs root to be somebody else")
    folder = pathlib.Path("/run") / f"holdfast-front-{os.getpid()}"
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder)


def as_nobody(folder, *args, groups=()):
    nobody = pwd.getpwnam("nobody")
    groups = ["--groups", ",".join(groups)] if groups else ["--clear-groups"]
    shutil.copy(program("bridge/holdfastctl"), folder / "holdfastctl")
    return subprocess.run(["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", *groups, folder / "holdfastctl",
                           "-c", folder / "holdfast.yaml", *args], capture_output=True, text=True, check=False, cwd="/")


@pytest.mark.parametrize("top, said", [
    ("read-group: games\n", ["is open to the group 'games'", "usermod -aG games nobody"]),
    ("read-group: games\ncontrol-group: users\n", ["members of the groups 'games' and 'users'"]),
    ("", ["only root and the bridge's own user may", "read-group"]),
])
def test_a_user_without_rights_is_told_which_group_it_takes(open_folder, top, said):
    with Simulator(open_folder, WORLD) as sim, Bridge(open_folder, sim.url, top=top) as bridge:
        bridge.wait_log("live with")
        wait_for(lambda: bridge.ask("status")[0]["names"] == 7)
        time.sleep(0.5)  # what is published now stays as it is
        bridge.config.chmod(0o644)
        done = as_nobody(open_folder, "status")
        assert done.returncode == 3 and all(s in done.stderr for s in said), done.stderr
        done = as_nobody(open_folder, "--json", "status")
        assert done.returncode == 3 and json.loads(done.stdout)["warnings"][0]["code"] == "unreached"
        done = as_nobody(open_folder, "--json", "doctor", "--resolv-conf", "/dev/null")
        (finding,) = [f for f in json.loads(done.stdout) if f["area"] == "bridge"]
        assert finding["grade"] == "bad" and all(s in finding["text"] for s in said) and "systemctl" not in finding["line"]
        assert "was never live" not in done.stdout
        # With the zone alone open to this user, the zone is shown, and nobody says that the bridge is down.
        for path in [open_folder / "zone", *(open_folder / "zone").iterdir()]:
            path.chmod(0o755)
        done = as_nobody(open_folder, "status")
        assert done.returncode == 1 and "the bridge is down" not in done.stdout and said[0] in done.stdout
        assert json.loads(as_nobody(open_folder, "--json", "status").stdout)["bridge"] == "unknown"
        done = as_nobody(open_folder, "records")
        assert done.returncode == 0 and NAME in done.stdout and said[0] in done.stderr


# --- nothing to show is said

def test_adapters_always_prints_something(running):
    done = running.ctl("adapters")
    assert (done.returncode, done.stdout) == (0, "no adapter is configured\n")
    running.bridge.stop()
    done = running.ctl("adapters")
    assert done.returncode == 1 and "the bridge is down" in done.stdout
    assert json.loads(running.ctl("--json", "adapters").stdout) == []


FIELDS = set("version bridge epoch generation fresh stale_since names held_removals refused_total store reloads warnings readers "
             "sources adapters guard refused".split())


def test_with_neither_bridge_nor_zone_programs_still_get_json(tmp_path):
    config = tmp_path / "holdfast.yaml"
    config.write_text(f"store: {tmp_path}/store.db\nzone: {tmp_path}/zone\ncontrol: {tmp_path}/control.sock\n")
    config.chmod(0o600)
    done = ctl("-c", config, "--json", "status")
    status = json.loads(done.stdout)
    assert done.returncode == 3 and set(status) >= FIELDS and status["names"] is None
    assert status["warnings"][0]["code"] == "unreached" and "no bridge runs" in status["warnings"][0]["text"]
    for command in ["records"], ["history"], ["accept"], ["export", "json"], ["verify"]:
        done = ctl("-c", config, "--json", *command)
        assert done.returncode == 3 and "no bridge runs" in json.loads(done.stdout)["error"]
    for command in "sources", "adapters":
        done = ctl("-c", config, "--json", command)
        assert (done.returncode, json.loads(done.stdout)) == (3, [])
    done = ctl("-c", config, "setup", "pihole")
    assert done.returncode == 2 and "there is no resolver 'pihole'" in done.stderr
    done = ctl("-c", config, "doctor", "--resolv-conf", "/dev/null")
    assert "holdfastd has never run here" in done.stdout and "systemctl start holdfastd" in done.stdout


# --- history

def test_a_name_that_came_with_many_others_has_a_history(running):
    """The first big fill is one line; a name of it is served all the same."""
    assert running.ctl("history", "--name", "nosuch.me.coder").stdout == ""
    running.sim.say("diff alice +100..20099=many:main")
    wait_for(lambda: running.status()["names"] > 60000, 60)
    done = running.ctl("history")
    assert "  many at once: " in done.stdout and ", not listed one by one  (" in done.stdout
    name = "main.many150.me.coder"
    done = running.ctl("history", "--name", name)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith(f"{name} is served since ")
    assert "it came with many others at once" in done.stdout
    assert json.loads(running.ctl("--json", "history", "--name", name).stdout) == []
    assert "did you mean 'main.many150.me.coder'?" in running.ctl("history", "--name", "main.mayn150.me.coder").stderr


# --- many rows

def cpu_of(run):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    run()
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def first_line(*command):
    """As `holdfastctl ... | head -1` does."""
    process = subprocess.Popen([program("bridge/holdfastctl"), *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    line = process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    return process.wait(30), line, said


@pytest.fixture
def crowded(running):
    running.sim.say("diff alice +100..20099=many:main")
    wait_for(lambda: running.status()["names"] > 60000, 60)
    return running


def test_a_reader_that_has_seen_enough_ends_the_listing(crowded):
    whole = cpu_of(lambda: crowded.ctl("records"))
    for command in ["records"], ["--json", "records"], ["export", "hosts"]:
        got = []
        part = cpu_of(lambda: got.append(first_line("-c", crowded.config, *command)))
        status, line, said = got[0]
        assert line and status == 1 and said == b""
        assert part < max(whole / 3, 0.02), (part, whole)


def test_the_forms_of_a_listing_agree_with_each_other_and_with_the_zone(crowded):
    records = json.loads(crowded.ctl("--json", "records").stdout)
    assert len(records) == crowded.status()["names"]
    text = [line.split() for line in crowded.ctl("records").stdout.splitlines()]
    assert text == [[r["name"], r["data"], r["state"]] for r in records]
    hosts = [line.split() for line in crowded.ctl("export", "hosts").stdout.splitlines()]
    assert hosts == [[r["data"], r["name"]] for r in records]
    zone = [line.split() for line in crowded.ctl("export", "zone").stdout.splitlines()][2:]
    assert zone == [[r["name"] + ".", "30", "IN", "AAAA", r["data"]] for r in records]
    crowded.bridge.process.kill()
    crowded.bridge.process.wait()
    offline = json.loads(crowded.ctl("--json", "records").stdout)
    assert sorted((r["name"], r["data"], r["source"], r["first_seen"]) for r in offline) == \
        sorted((r["name"], r["data"], r["source"], r["first_seen"]) for r in records)
    assert len(crowded.ctl("records").stdout.splitlines()) == len(crowded.ctl("export", "hosts").stdout.splitlines()) == len(records)
    crowded.bridge.process = subprocess.Popen([program("bridge/holdfastd"), "-c", crowded.config], stderr=subprocess.DEVNULL)


def test_stale_ones_are_picked_by_the_bridge(running):
    assert running.ctl("records", "--stale").stdout == ""
    rows = running.bridge.ask({"command": "records", "stale": True, "form": "text"})
    assert rows == []


def test_the_terminal_is_looked_at_once(running, tmp_path):
    trace = tmp_path / "trace"
    subprocess.run([need("strace"), "-e", "trace=ioctl", "-o", trace, program("bridge/holdfastctl"), "-c", running.config, "records"],
                   stdout=subprocess.DEVNULL, check=True)
    assert trace.read_text().count("TCGETS") <= 2
