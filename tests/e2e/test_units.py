# SPDX-License-Identifier: Apache-2.0
"""
Each shipped unit's program, run as its unit says: under its own filters, as its user, with its capabilities and mounts. It must do its
work, and its sockets and folders must have the rights that the manual says.
"""
import os
import pathlib
import re
import socket
import subprocess
import threading
import time

import dns.rcode
import pytest

import units
from manager import get
from peer import Simulator
from server import LOOPBACK, addresses, ask_at, free_port, wait_for

WHY_NOT = units.why_not()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=str(WHY_NOT))

WORLD = "user alice 1\nsnapshot alice 1=dev:7=main 2=web:8=main\n"
NAME = "main.dev.me.coder"
ADDRESS = "fd60:627a:a42b::7"


@pytest.fixture
def machine(tmp_path):
    with units.Machine(tmp_path) as m:
        yield m


@pytest.fixture
def sim(tmp_path):
    with Simulator(tmp_path, WORLD) as s:
        yield s


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """Bridge and responder, running, with their names there."""
    folder = tmp_path_factory.mktemp("units")
    with Simulator(folder, WORLD) as s, units.Machine(folder) as m:
        _, _, port = start_both(m, s)
        wait_for(lambda: addresses(ask_at(LOOPBACK, port, NAME)) == [ADDRESS])
        yield m


def configure(machine, url, top="control-group: holdfast-admin\n", port=None, probe="1h"):
    """As docs/install.md has it. Returns the port where holdfast-dns will answer, for which the bridge looks each `probe`."""
    port = port or free_port()
    machine.write("/etc/holdfast/token", "tokenid000-secret000\n", "holdfast", "holdfast", 0o600)
    machine.write("/etc/holdfast/holdfast.yaml", f"{top}dns: {{ listen: 127.0.0.1@{port}, probe-interval: {probe} }}\n"
                  f"sources:\n  - url: {url}\n    token-file: /etc/holdfast/token\n")
    return port


def names_are_there(machine):
    return (machine.root / "var/lib/holdfast/zone/current").exists()


def start_both(machine, sim, **more):
    port = configure(machine, sim.url, **more)
    bridge = machine.start("holdfastd.service")
    bridge.hears("READY=1")
    wait_for(lambda: names_are_there(machine))
    responder = machine.start("holdfast-dns.service")
    responder.hears("READY=1")
    return bridge, responder, port


def test_the_responder_answers_as_its_unit_runs_it(machine, sim):
    _, responder, port = start_both(machine, sim)
    for tcp in False, True:
        wait_for(lambda: addresses(ask_at(LOOPBACK, port, NAME, tcp=tcp)) == [ADDRESS])
    status = responder.status()
    assert set(status["Uid"].split()) == {str(machine.uid("holdfast-dns"))}
    assert int(status["CapPrm"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"


def test_the_bridge_sees_under_its_units_filters_whether_anybody_answers(machine, sim):
    health = free_port()
    bridge, responder, port = start_both(machine, sim, probe="200ms", top=f"status: {{ listen: 127.0.0.1@{health} }}\n")
    wait_for(lambda: get(health, "/readyz") == (200, "serving 6 names, live\n"))
    responder.stop()
    wait_for(lambda: get(health, "/readyz")[1].startswith(f"NOT ANSWERING: holdfast-dns at 127.0.0.1@{port} (Connection refused); "))
    bridge.hears("STATUS=NOT ANSWERING")


def test_the_bridge_publishes_as_its_unit_runs_it(machine, sim):
    configure(machine, sim.url)
    bridge = machine.start("holdfastd.service", env={"WATCHDOG_USEC": "500000"})
    bridge.hears("READY=1")
    wait_for(lambda: names_are_there(machine))
    assert machine.owner("/run/holdfast") == ("holdfast", "holdfast", "0755")
    assert machine.owner("/run/holdfast/control.sock") == ("holdfast", "holdfast-admin", "0660")
    assert machine.owner("/var/lib/holdfast") == ("holdfast", "holdfast", "0751")
    assert machine.owner("/var/lib/holdfast/zone") == ("holdfast", "holdfast", "0750")
    assert machine.owner("/var/lib/holdfast/zone/current") == ("holdfast", "holdfast", "0640")
    assert machine.owner("/var/lib/holdfast/store.db") == ("holdfast", "holdfast", "0600")
    assert "cannot" not in bridge.log(), bridge.log()
    bridge.hears("STATUS=serving")
    bridge.hears("WATCHDOG=1")
    done = machine.reload(bridge)
    assert done.returncode == 0, done.stdout + done.stderr
    bridge.hears("RELOADING=1")
    assert bridge.stop() == 0
    bridge.hears("STOPPING=1")
    status = [line for line in bridge.log().splitlines() if " error: " in line or " warn: " in line]
    assert status == [], status


@pytest.mark.parametrize("command, said", [
    ("status", "live"), ("records", NAME), ("sources", "main"), ("history", NAME.split(".")[1]), (f"why {NAME}", NAME), ("resync", ""), ("verify", ""),
    ("export hosts", NAME), ("setup unbound", "coder"),
])
def test_each_command_works_with_the_bridge_under_its_unit(started, command, said):
    """A listing is a process of the bridge's own, and so on."""
    done = started.run("admin", "holdfastctl", *command.split())
    assert done.returncode in (0, 1) and said in done.stdout, done.stdout + done.stderr
    assert "not permitted" not in done.stdout + done.stderr + started.running[0].log()


def test_a_faulty_configuration_is_not_reloaded(machine, sim):
    configure(machine, sim.url)
    bridge = machine.start("holdfastd.service")
    bridge.hears("READY=1")
    (machine.root / "etc/holdfast/holdfast.yaml").write_text("sources: 7\n")
    assert machine.reload(bridge).returncode != 0
    assert bridge.alive() and "reload" not in bridge.log()


ASK_BRIDGE = """
import json, socket, sys
with socket.socket(socket.AF_UNIX) as s:
    try:
        s.connect("/run/holdfast/control.sock")
        s.sendall(json.dumps({"command": sys.argv[1]}).encode() + b"\\n")
        sys.exit("error" in json.loads(s.makefile().readline()))
    except PermissionError:
        sys.exit(1)
"""


@pytest.mark.parametrize("top, socket_rights, orders, looks", [
    ("control-group: holdfast-admin\n", ("holdfast-admin", "0660"), {"root", "admin"}, {"root", "admin"}),
    ("control-group: holdfast-admin\nread-group: alice\n", ("holdfast", "0666"), {"root", "admin"}, {"root", "admin", "alice"}),
    ("control-group: holdfast-admin\nread-group: holdfast\n", ("holdfast", "0666"), {"root", "admin"},
     {"root", "admin", "holdfast-dns"}),
    ("", ("holdfast", "0600"), {"root"}, {"root"}),
])
def test_who_may_command_and_who_may_look(machine, sim, top, socket_rights, orders, looks):
    configure(machine, sim.url, top)
    machine.start("holdfastd.service").hears("READY=1")
    assert machine.owner("/run/holdfast/control.sock") == ("holdfast", *socket_rights)
    wait_for(lambda: "live" in machine.run("root", "holdfastctl", "status").stdout)
    people = "root", "admin", "alice", "holdfast-dns"

    def who(command):
        done = {user: machine.run(user, "/usr/bin/python3", "-c", ASK_BRIDGE, command) for user in people}
        assert {d.returncode for d in done.values()} <= {0, 1}, done
        return {user for user in people if done[user].returncode == 0}

    assert who("resync") == orders
    assert who("history") == looks


def test_the_responder_is_there_first_and_the_bridges_folder_comes_and_is_replaced(machine, sim):
    """Enabled together, the responder may start first, on a machine where the bridge has never run."""
    port = configure(machine, sim.url)
    responder = machine.start("holdfast-dns.service")
    responder.hears("READY=1")
    assert ask_at(LOOPBACK, port, NAME).rcode() == dns.rcode.REFUSED
    bridge = machine.start("holdfastd.service")
    bridge.hears("READY=1")
    for tcp in False, True:
        wait_for(lambda: addresses(ask_at(LOOPBACK, port, NAME, tcp=tcp)) == [ADDRESS])
    # As one puts back a copy of it: the old folder away, another one in its place.
    bridge.stop()
    state = machine.root / "var/lib/holdfast"
    state.rename(state.with_name("holdfast.old"))
    sim.say("diff alice +9=box:19=main")
    bridge = machine.start("holdfastd.service")
    bridge.hears("READY=1")
    wait_for(lambda: addresses(ask_at(LOOPBACK, port, "main.box.me.coder")) == ["fd60:627a:a42b::13"])
    assert "no Landlock" not in responder.log() and "no system call filter" not in responder.log()


def test_the_responder_reads_its_configuration_again(machine, sim):
    _, responder, port = start_both(machine, sim)
    wait_for(lambda: addresses(ask_at(LOOPBACK, port, NAME)) == [ADDRESS])
    file = machine.root / "etc/holdfast/holdfast.yaml"
    text = file.read_text()
    # An editor writes another file and renames it.
    machine.write("/etc/holdfast/new", text.replace("dns: {", "dns: { allow: [127.0.0.2],"))
    (machine.root / "etc/holdfast/new").rename(file)
    done = machine.reload(responder)
    assert done.returncode == 0, done.stderr
    responder.hears("RELOADING=1")
    wait_for(lambda: responder.said.count("READY=1") + responder.hears_all().count("READY=1") >= 2)
    assert ask_at(LOOPBACK, port, NAME).rcode() == dns.rcode.REFUSED
    assert responder.stop() == 0


def test_the_responder_starts_before_its_user_was_made(machine, sim):
    """An upgrade without systemd-sysusers: systemd lends a user."""
    for file in "passwd", "group":
        path = machine.root / "etc" / file
        path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("holdfast-dns:")))
    _, responder, port = start_both(machine, sim)
    wait_for(lambda: addresses(ask_at(LOOPBACK, port, NAME)) == [ADDRESS])
    assert set(responder.status()["Uid"].split()) == {str(units.LENT)}


def test_the_responder_drops_what_a_drop_in_gives_it(machine, sim):
    """Port 53 needs a capability; once the socket is open it is given up."""
    port = free_port(range(600, 1000))
    configure(machine, sim.url, port=port)
    machine.start("holdfastd.service").hears("READY=1")
    text = machine.text("holdfast-dns.service")
    unit = units.Unit(text.replace("CapabilityBoundingSet=\nAmbientCapabilities=\n",
                                   "CapabilityBoundingSet=CAP_NET_BIND_SERVICE\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n"))
    responder = machine.start("holdfast-dns.service", unit=unit)
    responder.hears("READY=1")
    status = responder.status()
    assert int(status["CapPrm"], 16) == int(status["CapAmb"], 16) == 0 != int(status["CapBnd"], 16)
    wait_for(lambda: addresses(ask_at(LOOPBACK, port, NAME)) == [ADDRESS])


@pytest.mark.parametrize("names", [1, 200])
def test_the_hosts_unit_copies_the_block(machine, sim, names):
    sim.say("snapshot alice " + " ".join(f"{n}=w{n}:{n}=main" for n in range(1, names + 1)))
    (machine.root / "var/lib/holdfast").mkdir()
    (machine.root / "var/lib/holdfast/hosts").mkdir()
    for path in "var/lib/holdfast", "var/lib/holdfast/hosts":
        subprocess.run(["chown", f"{machine.uid('holdfast')}:{machine.gid('holdfast')}", machine.root / path], check=True)
    configure(machine, sim.url, "adapters: [{ type: hosts, path: /var/lib/holdfast/hosts/hosts }]\n")
    machine.start("holdfastd.service").hears("READY=1")
    source = machine.root / "var/lib/holdfast/hosts/hosts"
    wait_for(lambda: source.exists() and f"main.w{names}.me.coder" in source.read_text(), 20)
    done = machine.run_unit("holdfast-hosts.service")
    assert done.returncode == 0, done.stderr
    hosts = (machine.root / "etc/hosts").read_text()
    assert hosts.startswith("127.0.0.1\tlocalhost\n") and f"main.w{names}.me.coder" in hosts
    assert machine.owner("/etc/hosts") == ("root", "root", "0644")


def test_the_bridge_runs_a_hook_under_its_unit(machine, sim):
    machine.write("/etc/holdfast/hook", "#!/bin/sh\necho \"$1 $3 $4 $HOLDFAST_TOKEN$CODER_SESSION_TOKEN\" >>/var/lib/holdfast/hook.log\n", mode=0o755)
    configure(machine, sim.url, "adapters: [{ type: hook, command: /etc/holdfast/hook, form: dhcp-script }]\n")
    machine.start("holdfastd.service").hears("READY=1")
    log = machine.root / "var/lib/holdfast/hook.log"
    wait_for(lambda: log.exists() and f"add {ADDRESS} {NAME} \n" in log.read_text())


@pytest.mark.parametrize("there", [True, False])
def test_the_bridge_may_write_where_setup_lets_it_make_files(machine, sim, there):
    """Also a start file for unbound, in a folder that `holdfastctl setup unbound` has made."""
    for name in "dnsmasq", "unbound/holdfast" if there else "unbound", "holdfast/dnsmasq":
        path = machine.root / "var/lib" / name
        path.mkdir(parents=True)
        os.chown(path, machine.uid("holdfast"), machine.gid("holdfast"))
    configure(machine, sim.url, """adapters:
  - { type: unbound, control: /run/unbound.ctl, start-file: /var/lib/unbound/holdfast/start.zone, start-form: zonefile }
  - { type: dnsmasq, hostsdir: /var/lib/holdfast/dnsmasq }
""")
    done = machine.run_unit("holdfastd.service", [f"{units.PREFIX}/bin/holdfastd", "--check"])
    assert (done.returncode == 0) == there and ("/var/lib/unbound/holdfast" in done.stdout + done.stderr) != there, done.stdout + done.stderr


class Systemd:
    """So much of systemd's own socket as systemctl needs to give an order; it never answers that."""

    def __init__(self, machine):
        (machine.root / "run/systemd/system").mkdir()
        self.socket = units.bind_unix(machine.root / "run/systemd/private", socket.SOCK_STREAM)
        self.socket.listen()
        self.got = b""
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        self.socket.settimeout(20)
        with self.socket.accept()[0] as s:
            s.settimeout(20)
            while b"AUTH" not in self.got or b"BEGIN" not in self.got:
                self.got += s.recv(4096)
                if b"AUTH" in self.got:
                    s.sendall(b"DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n")
            while b"KillUnit" not in self.got:
                self.got += s.recv(4096)
        self.socket.close()


def test_the_dnsmasq_unit_gives_its_order(machine):
    systemd = Systemd(machine)
    done = machine.run_unit("holdfast-dnsmasq-reload.service")
    systemd.thread.join(30)
    assert b"KillUnit" in systemd.got and b"dnsmasq.service\0" in systemd.got and b"main\0" in systemd.got, done.stderr


# --- the clock ---

ASK_KERNEL = "import ctypes, sys; sys.exit(ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(1024)) < 0)"


def test_the_bridge_may_ask_whether_the_clock_is_synchronised(machine):
    done = machine.run_unit("holdfastd.service", ["/usr/bin/python3", "-c", ASK_KERNEL])
    assert done.returncode == 0, done.stderr
    # And the test would see it if not.
    unit = units.Unit(machine.text("holdfastd.service") .replace("[Install]", "ProtectClock=yes\n\n[Install]"))
    assert machine.run_unit("holdfastd.service", ["/usr/bin/python3", "-c", ASK_KERNEL], unit).returncode == 1


@pytest.mark.parametrize("synchronised", [True, False])
def test_max_age_counts_the_time_between_two_boots_if_the_clock_is_synchronised(machine, sim, tmp_path, synchronised):
    """Asked of timesyncd, as the kernel may not be: its clock is this machine's, which may be wrong."""
    port = configure(machine, sim.url, "hold: { policy: max-age, max-age: 3s }\n")
    unit = units.Unit(machine.text("holdfastd.service").replace("[Install]", "ProtectClock=yes\n\n[Install]"))
    if synchronised:
        (machine.root / "run/systemd/timesync").mkdir()
        (machine.root / "run/systemd/timesync/synchronized").write_text("")
    bridge = machine.start("holdfastd.service", unit=unit)
    bridge.hears("READY=1")
    wait_for(lambda: names_are_there(machine))
    responder = machine.start("holdfast-dns.service")
    responder.hears("READY=1")
    wait_for(lambda: addresses(ask_at(LOOPBACK, port, NAME)) == [ADDRESS])
    sim.say("down")
    bridge.stop()
    time.sleep(3.5)
    machine.boot_id = tmp_path / "boot_id"
    machine.boot_id.write_text("01234567-89ab-cdef-0123-456789abcdef\n")
    bridge = machine.start("holdfastd.service", unit=unit)
    bridge.hears("READY=1")
    time.sleep(1)
    there = addresses(ask_at(LOOPBACK, port, NAME)) == [ADDRESS]
    assert there != synchronised


# --- the units themselves ---

SHIPPED = sorted(path.name for path in units.UNITS.glob("*.service"))


def test_each_shipped_unit_is_run_here():
    text = pathlib.Path(__file__).read_text()
    assert SHIPPED and [name for name in SHIPPED if f'("{name}"' not in text] == []


PROBE = """
import ctypes, errno, os, socket, sys
def tried(what, *arguments):
    try:
        what(*arguments)
        return 0
    except OSError as e:
        return e.errno
libc = ctypes.CDLL(None, use_errno=True)
said = {
    "etc": tried(open, "/etc/x", "w"), "usr": tried(open, "/usr/local/x", "w"), "home": tried(os.listdir, "/home"),
    "disk": tried(os.mknod, "/tmp/disk", 0o60600, 0x800),
    "raw": tried(socket.socket, socket.AF_INET, socket.SOCK_RAW, 1),
    "packet": tried(socket.socket, socket.AF_PACKET, socket.SOCK_RAW), "root": tried(os.setuid, 0),
    "name": tried(socket.sethostname, socket.gethostname()), "space": 0 if libc.unshare(0x4000000) == 0 else ctypes.get_errno(),
    "trace": 0 if libc.ptrace(0, 0, 0, 0) == 0 else ctypes.get_errno(), "suid": tried(os.chmod, "/tmp", 0o4777),
    "tunable": tried(os.open, "/proc/sys/kernel/core_pattern", os.O_WRONLY), "mount": tried(os.chroot, "/"),
}
print(sorted(k for k, v in said.items() if v == 0), os.getuid(), os.getgroups())
"""


@pytest.mark.parametrize("name", ["holdfastd.service", "holdfast-dns.service"])
def test_what_the_units_forbid_is_forbidden(machine, name):
    """That this file's way of running a unit is worth something."""
    done = machine.run_unit(name, ["/usr/bin/python3", "-c", PROBE])
    user = machine.unit(name).one("User")
    assert done.stdout.startswith(f"[] {machine.uid(user)} "), done.stdout + done.stderr
    free = machine.run_unit(name, ["/usr/bin/python3", "-c", PROBE], units.Unit("[Service]\nUser=root\n"))
    for what in "etc", "usr", "home", "disk", "raw", "packet", "name", "space", "trace", "suid", "tunable", "mount":
        assert f"'{what}'" in free.stdout, free.stdout + free.stderr


def test_what_is_started_again_is_started_again_for_ever(machine):
    """systemd gives up after five ends in ten seconds, unless told otherwise; with RestartSec=1 that is soon."""
    for name in SHIPPED:
        if "\nRestart=always" in machine.text(name):
            head = machine.text(name).partition("[Service]")[0]
            assert "\nStartLimitIntervalSec=0\n" in head, name


@pytest.mark.parametrize("name", SHIPPED)
def test_units_are_in_order_and_hardened(machine, tmp_path, name):
    # Where the programs are that it starts, before they are installed.
    text = machine.text(name).replace("/usr/local/", f"{machine.local}/")
    copy = tmp_path / name
    copy.write_text(re.sub(r"^Documentation=.*\n", "", text, flags=re.M))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, timeout=60, check=False)
    assert name not in done.stdout + done.stderr, done.stdout + done.stderr
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", copy], capture_output=True, text=True, timeout=60, check=False)
    assert float(re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)[1]) <= 2.0, done.stdout
