# SPDX-License-Identifier: Apache-2.0
"""`holdfastctl doctor`: what is wrong is found, with the line that mends it, and what is right is not blamed."""
import contextlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import time

import pytest

from bridge import Bridge
from fed_unbound import Between, Unbound
from foreign import Foreign
from peer import Simulator
from server import LOOPBACK, Responder, free_port, wait_for
from setup import config, setup_text
from stock import need, run
from zone import Zone, program

NAME = "main.dev.me.coder"


def doctor(path, *args, status=1):
    """{area: [finding]}"""
    done = subprocess.run([program("bridge/holdfastctl"), "-c", path, "doctor", "--json", *args], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    findings = {}
    for f in json.loads(done.stdout):
        findings.setdefault(f["area"], []).append(f)
    assert status == any(f["grade"] == "bad" for fs in findings.values() for f in fs)
    return findings


def grades(findings):
    return [f["grade"] for f in findings]


@pytest.fixture
def zone(tmp_path):
    with Zone(tmp_path / "zone", f"{NAME} #1") as z:
        yield z


@pytest.fixture
def nameserver(tmp_path):
    """An address of loopback whose port 53 is free for us, and a resolv.conf that names it."""
    if os.geteuid():
        pytest.skip("port 53 needs root")
    address = f"127.77.{random.randrange(256)}.{random.randrange(1, 255)}"
    path = tmp_path / "resolv.conf"
    path.write_text(f"search example\nnameserver  {address}\noptions trust-ad\n")
    return address, path


# --- ourselves

def test_all_is_well(tmp_path):
    port = free_port()
    with Simulator(tmp_path, "user alice\nsnapshot alice 1=dev:7=main\n") as sim, \
            Bridge(tmp_path, sim.url, top=f"dns: {{ listen: ['{LOOPBACK}@{port}'] }}\n") as bridge:
        bridge.wait_log("live")
        with Responder(tmp_path, tmp_path / "zone", port=port) as r:
            wait_for(lambda: r.ask(NAME).answer)
            found = doctor(bridge.config, "--resolv-conf", "/dev/null", status=0)
    assert {"configuration", "bridge", "source main", "token", "clock", "zone", "holdfast-dns"} == set(found)
    assert all(grades(found[area]) == ["good"] for area in ("configuration", "bridge", "source main", "token", "zone", "holdfast-dns"))


def test_a_dead_bridge_and_no_responder(zone, tmp_path):
    path = config(tmp_path, 9, top="")
    path.write_text(path.read_text().replace("no-zone", "zone"))
    found = doctor(path, "--resolv-conf", "/dev/null")
    assert "systemctl start holdfastd" in found["bridge"][0]["line"]
    assert grades(found["zone"]) == ["good"] and grades(found["holdfast-dns"]) == ["bad"]
    assert found["holdfast-dns"][0]["line"] == "systemctl start holdfast-dns"


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o700])
def test_rights_of_the_zone_folder(zone, tmp_path, mode):
    path = config(tmp_path, 9)
    path.write_text(path.read_text().replace("no-zone", "zone"))
    zone.folder.chmod(mode)
    (finding,) = doctor(path, "--resolv-conf", "/dev/null")["zone"]
    assert finding["grade"] == "bad" and finding["line"] == f"chmod 0750 {zone.folder}"


def test_no_zone(tmp_path):
    found = doctor(config(tmp_path, 9), "--resolv-conf", "/dev/null")
    assert grades(found["zone"]) == ["bad"] and grades(found["bridge"]) == ["bad"]


# --- resolvers

def stub(folder, address, target, lines):
    path = folder / "unbound.conf"
    path.write_text(f"""
server:
  directory: "{folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  interface: {address}@53
  do-ip6: no
  num-threads: 1
  access-control: 127.0.0.0/8 allow
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{target}
server:
  do-not-query-localhost: no
{lines}""")
    return path


@pytest.fixture
def setup(zone, tmp_path):
    with Responder(tmp_path, zone.folder) as r:
        yield r


def test_a_resolver_that_forwards_as_setup_says(setup, nameserver, tmp_path):
    address, resolv_conf = nameserver
    with Foreign() as upstream:
        path = stub(tmp_path, address, upstream.port, setup_text(tmp_path, "unbound-forward", setup.port))
        server = run(tmp_path, [need("unbound"), "-d", "-c", path], 53, host=address)
        with server:
            found = doctor(setup.config, "--resolv-conf", resolv_conf)["resolv.conf"]
    assert grades(found[:2]) == ["good", "good"] and NAME in found[0]["text"]
    # With a trust anchor of its own, a client finds our names forged: nobody signed them, and the root should have.
    assert [f["grade"] for f in found[2:]] in ([], ["note"])


def test_a_resolver_that_does_not_know_us_leaks(setup, nameserver):
    address, resolv_conf = nameserver
    with Foreign(address, 53) as upstream:
        found = doctor(setup.config, "--resolv-conf", resolv_conf)["resolv.conf"]
        assert any(n.startswith("_holdfast-leak-") for n in upstream.asked)
    assert "without an address" in found[0]["text"] and found[0]["grade"] == "bad"  # and it is this machine's own
    assert "programs on this machine do not find our names" in found[0]["text"]
    assert "leak" in found[1]["text"] and "'.'" in found[1]["text"] and found[1]["line"] == "holdfastctl setup"


def test_a_resolver_that_is_not_there(setup, nameserver):
    (finding,) = doctor(setup.config, "--resolv-conf", nameserver[1])["resolv.conf"]
    assert finding["grade"] == "bad" and "nobody answers" in finding["text"]


def test_a_resolver_that_guards_against_rebinding(setup, nameserver, tmp_path):
    address, resolv_conf = nameserver
    lines = setup_text(tmp_path, "unbound-forward", setup.port).replace("private-domain:", "# ") + "server:\n  private-address: fc00::/7\n"
    with Foreign() as upstream, \
            run(tmp_path, [need("unbound"), "-d", "-c", stub(tmp_path, address, upstream.port, lines)], 53, host=address):
        found = doctor(setup.config, "--resolv-conf", resolv_conf)["resolv.conf"]
    assert "takes private addresses out" in found[0]["text"] and "private-domain" in found[0]["line"]


# --- adapters

def test_what_an_adapter_finds_is_told(zone, tmp_path):
    hook = tmp_path / "hook"
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o600)
    path = config(tmp_path, 9, top=f"adapters: [{{ type: hook, name: mine, command: [{hook}] }}]\n")
    (finding,) = doctor(path, "--resolv-conf", "/dev/null")["adapter mine"]
    assert finding["grade"] == "bad" and finding["line"] == f"chmod +x {hook}"
    hook.chmod(0o700)
    (finding,) = doctor(path, "--resolv-conf", "/dev/null")["adapter mine"]
    assert finding["grade"] == "good"


def test_the_start_file_is_examined_and_not_written(tmp_path):
    """The names are known to the bridge alone: the examination neither writes the file nor complains that it cannot."""
    start = tmp_path / "start"
    start.mkdir()
    with Unbound(tmp_path) as unbound:
        path = config(tmp_path, 9, top=f"adapters: [{{ type: unbound, control: {unbound.control}, ask: 127.0.0.1@{unbound.port}, "
                                       f"start-file: {start}/start.zone }}]\n")
        done = subprocess.run([program("bridge/holdfastctl"), "-c", path, "doctor", "--resolv-conf", "/dev/null"], capture_output=True,
                              text=True, timeout=60, check=False)
    assert "adapter unbound" in done.stdout
    assert "start file" not in done.stderr and not list(start.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")
def test_what_root_may_do_and_the_bridge_may_not(tmp_path):
    """As root unbound takes commands; the bridge, as its own user, is not in the group of the socket."""
    folder = pathlib.Path("/run") / f"holdfast-doctor-{os.getpid()}"
    folder.mkdir(mode=0o755)
    try:
        with Simulator(tmp_path, "user alice\nsnapshot alice 1=dev:7=main\n") as sim, Unbound(tmp_path) as unbound:
            control = folder / "unbound.ctl"
            with contextlib.closing(Between(control, unbound.control)):
                shutil.chown(control, group="games")
                control.chmod(0o660)
                own, path = folder / "own", folder / "holdfast.yaml"
                own.mkdir()
                (own / "token").write_text("x\n")
                (own / "token").chmod(0o600)
                path.write_text(f"store: {own}/store.db\nzone: {own}/zone\ncontrol: {own}/control.sock\n"
                                f"adapters: [{{ type: unbound, control: {control}, ask: 127.0.0.1@{unbound.port} }}]\n"
                                f"sources: [{{ url: '{sim.url}', token-file: {own}/token, allow-http: true }}]\n")
                shutil.copy(program("bridge/holdfastd"), folder / "holdfastd")
                for file in own, own / "token":
                    shutil.chown(file, "nobody")
                command = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", folder / "holdfastd", "-c", path]
                daemon = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd="/")
                try:
                    status = [program("bridge/holdfastctl"), "-c", path, "--json", "adapters"]
                    wait_for(lambda: "retrying" in subprocess.run(status, capture_output=True, text=True, check=False).stdout)
                    found = doctor(path, "--resolv-conf", "/dev/null")
                    (note,) = found["user"]
                    (fed,) = [f for f in found["adapter unbound"] if "the bridge cannot feed its resolver" in f["text"]]
                    assert note["grade"] == "note" and "the bridge runs as nobody" in note["text"]
                    assert "takes commands" in " ".join(f["text"] for f in found["adapter unbound"] if f["grade"] == "good")
                    assert fed["grade"] == "bad" and fed["line"].startswith("usermod -a -G games nobody && systemctl restart holdfastd")
                    began = time.monotonic()
                    done = subprocess.run([program("bridge/holdfastctl"), "-c", path, "verify"], capture_output=True, text=True,
                                          check=False)
                    assert done.returncode == 1 and "its resolver was not asked" in done.stderr and time.monotonic() - began < 8
                finally:
                    daemon.terminate()
                    daemon.wait(15)
    finally:
        shutil.rmtree(folder)


# --- the module

GOOD = 'module-config: "dynlib validator iterator"\nwait-limit: 0\nnum-queries-per-thread: 16000\ndo-not-query-localhost: no\ndomain-insecure: "coder."\n'


@pytest.mark.parametrize("left_out", ["", "wait-limit: 0", "num-queries-per-thread: 16000", "do-not-query-localhost: no",
                                      'domain-insecure: "coder."'])
def test_what_stands_beside_the_module(tmp_path, left_out):
    need("unbound-checkconf")
    conf = tmp_path / "unbound.conf"
    conf.write_text("server:\n" + (GOOD.replace(left_out + "\n", "") if left_out else GOOD))
    found = doctor(config(tmp_path, 9), "--resolv-conf", "/dev/null", "--unbound-conf", conf)["module"]
    lines = [f["line"] for f in found if f["line"].startswith("server: ")]
    assert lines == ([f"server: {left_out}"] if left_out else [])


def test_an_unbound_without_the_module_is_not_blamed(tmp_path):
    conf = tmp_path / "unbound.conf"
    conf.write_text("server:\n  module-config: iterator\n")
    assert "module" not in doctor(config(tmp_path, 9), "--resolv-conf", "/dev/null", "--unbound-conf", conf)


def test_for_people(tmp_path):
    done = subprocess.run([program("bridge/holdfastctl"), "-c", config(tmp_path, 9), "doctor", "--resolv-conf", "/dev/null"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "bad   bridge: holdfastd has never run here" in done.stdout
    assert "then systemctl start holdfastd\n" in done.stdout
