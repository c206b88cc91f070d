# SPDX-License-Identifier: Apache-2.0
"""
Whom holdfast-dns runs as, and with which rights, however it is started: as root on machines with and without Holdfast's users, in a
container that has few capabilities, as a user. It must answer, and never as the bridge's user.
"""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from server import Server, addresses, free_port, wait_for
from users import BRIDGE, RESPONDER, with_users
from zone import Zone, address, program

NAME = "main.dev.me.coder"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
pytestmark = AS_ROOT

OTHER = 4713
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1 << 1, 1 << 2


@pytest.fixture
def folder():
    """One that every user can reach, unlike pytest's own, with copies of the programs."""
    with tempfile.TemporaryDirectory(prefix="hf-dns-") as name:
        path = pathlib.Path(name)
        path.chmod(0o755)
        for tool in "plugin/holdfast-dns", "tests/tools/unit_filter":
            shutil.copy(program(tool), path)
        yield path


class Responder(Server):
    """holdfast-dns on a machine with `names` as users. `before` are the words of a program that starts it."""

    def __init__(self, folder, zone, *names, before=(), config=None):
        port = free_port()
        config = config or folder / "c.yaml"
        config.write_text(f"zone: {zone}\ndns: {{listen: 127.0.0.1@{port}}}\n")
        script = " ".join([with_users(folder, *(names or "-")), "&& exec", *map(str, before), f"{folder}/holdfast-dns -c {config}"])
        super().__init__(folder, ["unshare", "-m", "sh", "-c", script], port)
        with contextlib.suppress(AssertionError):
            wait_for(self.answers)

    def status(self):
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return dict(line.split(":\t", 1) for line in lines if ":\t" in line)

    def ids(self):
        """Its user, its group, and its other groups; each is the only one."""
        status = self.status()
        uid, gid = set(status["Uid"].split()), set(status["Gid"].split())
        assert len(uid) == len(gid) == 1
        return int(uid.pop()), int(gid.pop()), sorted(map(int, status["Groups"].split()))

    def caps(self):
        status = self.status()
        assert status["CapEff"] == status["CapPrm"] and int(status["CapAmb"], 16) == 0
        return int(status["CapEff"], 16)

    def __exit__(self, *what):
        status = self.stop()
        assert status == 0 or what[0], self.log()


def give(zone, user, group):
    """As the bridge of that user and group publishes."""
    for path in zone.folder, *zone.folder.iterdir():
        os.chown(path, user, group)


@pytest.fixture
def zone(folder):
    with Zone(folder / "zone", f"{NAME} #1") as z:
        give(z, BRIDGE, BRIDGE)
        yield z


def test_root_becomes_the_responders_own_user(zone, folder):
    with Responder(folder, zone.folder, "holdfast", "holdfast-dns") as r:
        assert addresses(r.ask(NAME)) == [address(1)]
        uid, gid, groups = r.ids()
        assert (uid, gid, set(groups)) == (RESPONDER, RESPONDER, {BRIDGE, RESPONDER})
        assert r.caps() == 0
        zone.publish(f"{NAME} #2")
        give(zone, BRIDGE, BRIDGE)
        wait_for(lambda: addresses(r.ask(NAME)) == [address(2)], 5)
        assert "warn" not in r.log()


def test_it_reads_a_zone_of_another_group_by_that_group(zone, folder):
    give(zone, BRIDGE, OTHER)
    with Responder(folder, zone.folder, "holdfast", "holdfast-dns") as r:
        assert addresses(r.ask(NAME)) == [address(1)]
        assert r.ids()[0] == RESPONDER and OTHER in r.ids()[2]


def test_it_is_never_the_bridges_user(zone, folder):
    """As after an upgrade of a machine that has that user alone."""
    with Responder(folder, zone.folder, "holdfast") as r:
        assert addresses(r.ask(NAME)) == [address(1)]
        uid, _, groups = r.ids()
        assert uid not in (0, BRIDGE) and groups == [BRIDGE] and r.caps() == 0
        assert "no user 'holdfast-dns' on this system: continuing as 'nobody'" in r.log()


@pytest.mark.parametrize("names", [(), ("holdfast", "holdfast-dns")])
def test_a_zone_that_the_user_cannot_read_is_read_by_root_without_other_rights(zone, folder, names):
    zone.folder.chmod(0o700)
    with Responder(folder, zone.folder, *names) as r:
        assert addresses(r.ask(NAME)) == [address(1)]
        assert r.ids()[0] == 0 and r.caps() == CAP_DAC_READ_SEARCH
        assert f"cannot read zone '{zone.folder}': continuing as root, with no right but to read files" in r.log()


@pytest.mark.parametrize("names", [(), ("holdfast", "holdfast-dns")])
@pytest.mark.parametrize("first", [True, False])
def test_a_folder_that_only_root_can_reach(folder, names, first):
    """A clone in /root, with the responder started before or after the bridge."""
    (folder / "mine").mkdir(mode=0o700)
    with contextlib.ExitStack() as stack:
        if not first:
            stack.enter_context(Zone(folder / "mine/zone", f"{NAME} #1"))
        r = stack.enter_context(Responder(folder, folder / "mine/zone", *names))
        if first:
            stack.enter_context(Zone(folder / "mine/zone", f"{NAME} #1"))
        wait_for(lambda: addresses(r.ask(NAME)) == [address(1)])
        assert r.ids()[0] == 0 and r.caps() == CAP_DAC_READ_SEARCH


def test_a_zone_that_comes_later_is_read_by_the_responders_group(folder):
    with Responder(folder, folder / "zone", "holdfast", "holdfast-dns") as r, Zone(folder / "zone") as z:
        give(z, BRIDGE, BRIDGE)
        z.publish(f"{NAME} #1")
        give(z, BRIDGE, BRIDGE)
        wait_for(lambda: addresses(r.ask(NAME)) == [address(1)])
        assert r.ids()[0] == RESPONDER


def test_without_users_a_zone_that_comes_later_is_read_all_the_same(folder):
    """A container in which all is root."""
    with Responder(folder, folder / "zone") as r, Zone(folder / "zone", f"{NAME} #1"):
        wait_for(lambda: addresses(r.ask(NAME)) == [address(1)])
        assert r.ids()[0] == 0 and r.caps() == CAP_DAC_READ_SEARCH


@pytest.mark.parametrize("bounding, kept", [("-setuid,-setgid", CAP_DAC_READ_SEARCH), ("-all", 0), ("-all,+dac_override", CAP_DAC_OVERRIDE)])
def test_root_that_cannot_change_its_user_answers(folder, bounding, kept):
    with Zone(folder / "zone", f"{NAME} #1") as z, \
            Responder(folder, z.folder, "holdfast-dns", before=["setpriv", f"--bounding-set={bounding}"]) as r:
        assert addresses(r.ask(NAME)) == [address(1)]
        assert r.ids()[0] == 0 and r.caps() == kept
        assert "root may not change its user here: continuing as root" in r.log()


@pytest.mark.parametrize("denied, said", [
    ("capset", None),
    ("capset,landlock_create_ruleset", "no Landlock"),
    ("capset,seccomp", None),
    ("capset,seccomp,prctl", "no system call filter"),
])
def test_a_user_whose_manager_forbids_giving_up_rights_answers(zone, folder, denied, said):
    with Responder(folder, zone.folder, "holdfast-dns", before=[
            "setpriv", f"--reuid={RESPONDER}", f"--regid={RESPONDER}", f"--groups={BRIDGE}", "--bounding-set=-all", "--no-new-privs",
            folder / "unit_filter", "--deny", denied, "--"]) as r:
        assert addresses(r.ask(NAME)) == [address(1)] == addresses(r.ask(NAME, tcp=True))
        assert r.ids()[0] == RESPONDER and "rights of root" not in r.log()
        # Nobody but root may look into it, and it leaves no core file.
        assert pathlib.Path(f"/proc/{r.process.pid}/environ").stat().st_uid == 0 or "prctl" in denied
        assert not said or said in r.log()
        zone.publish(f"{NAME} #2")
        give(zone, BRIDGE, BRIDGE)
        wait_for(lambda: addresses(r.ask(NAME)) == [address(2)], 5)


def test_root_that_cannot_give_up_its_rights_does_not_start(zone, folder):
    (folder / "c.yaml").write_text(f"zone: {zone.folder}\ndns: {{listen: 127.0.0.1@{free_port()}}}\n")
    done = subprocess.run([folder / "unit_filter", "--deny", "capset,setresuid,setgroups", "--", folder / "holdfast-dns", "-c",
                           folder / "c.yaml"], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2 and "cannot give up the rights of root" in done.stderr, done.stderr


def test_a_user_who_cannot_read_the_zone_is_told_in_one_line_and_exit_2(zone, folder):
    (folder / "c.yaml").write_text(f"zone: {zone.folder}\ndns: {{listen: 127.0.0.1@{free_port()}}}\n")
    done = subprocess.run(["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups", folder / "holdfast-dns", "-c",
                           folder / "c.yaml"], capture_output=True, text=True, timeout=20, check=False)
    lines = [line for line in done.stderr.splitlines() if "error: " in line]
    assert done.returncode == 2 and len(lines) == 1 and f"cannot be read by user {OTHER}" in lines[0], done.stderr


def test_the_configuration_is_read_again_as_another_user(zone, folder):
    with Responder(folder, zone.folder, "holdfast", "holdfast-dns") as r:
        assert addresses(r.ask(NAME)) == [address(1)]
        text = (folder / "c.yaml").read_text()
        (folder / "new").write_text(text.replace("dns: {", "dns: {allow: 127.0.0.9, "))
        (folder / "new").rename(folder / "c.yaml")
        r.process.send_signal(signal.SIGHUP)
        wait_for(lambda: not addresses(r.ask(NAME)), 5)


def test_a_configuration_and_a_zone_behind_links(zone, folder):
    """As a ConfigMap is mounted: a new version is a new folder, and a link that leads there."""
    first, second = folder / "etc/..1", folder / "etc/..2"
    first.mkdir(parents=True)
    (folder / "etc/..data").symlink_to("..1")
    (folder / "etc/c.yaml").symlink_to("..data/c.yaml")
    (folder / "links").mkdir()
    (folder / "links/zone").symlink_to(zone.folder)
    with Responder(folder, folder / "links/zone", "holdfast", "holdfast-dns", config=folder / "etc/c.yaml") as r:
        assert addresses(r.ask(NAME)) == [address(1)] and r.ids()[0] == RESPONDER
        second.mkdir()
        (second / "c.yaml").write_text((first / "c.yaml").read_text().replace("dns: {", "dns: {allow: 127.0.0.9, "))
        (folder / "etc/..new").symlink_to("..2")
        (folder / "etc/..new").rename(folder / "etc/..data")
        shutil.rmtree(first)
        r.process.send_signal(signal.SIGHUP)
        wait_for(lambda: not addresses(r.ask(NAME)), 5)
