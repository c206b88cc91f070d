# SPDX-License-Identifier: Apache-2.0
"""
What doctor says of an adapter whose bridge may not do what it must, run by that user: no line that is harmful, no praise that is wrong.
"""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess

import pytest

from fed_unbound import Between, Unbound
from peer import Simulator
from server import wait_for
from zone import program

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")
AS_NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


@pytest.fixture
def folder():
    """One that nobody may reach, with the programs in it: those of the build may lie where only root can."""
    path = pathlib.Path("/run") / f"holdfast-feed-doctor-{os.getpid()}"
    path.mkdir(mode=0o755)
    for name in "holdfastd", "holdfastctl":
        shutil.copy(program(f"bridge/{name}"), path / name)
    yield path
    shutil.rmtree(path)


@contextlib.contextmanager
def bridge(folder, server, adapter):
    """As nobody, until the adapter has been refused; gives what doctor says of it."""
    own, config = folder / "own", folder / "holdfast.yaml"
    own.mkdir()
    (own / "token").write_text("x\n")
    (own / "token").chmod(0o600)
    for file in own, own / "token":
        shutil.chown(file, "nobody")
    config.write_text(f"store: {own}/store.db\nzone: {own}/zone\ncontrol: {own}/control.sock\nadapters: [{{ name: it, {adapter} }}]\n"
                      f"sources: [{{ url: '{server.url}', token-file: {own}/token, suffix: coder }}]\n")
    daemon = subprocess.Popen([*AS_NOBODY, folder / "holdfastd", "-c", config], stderr=subprocess.DEVNULL, cwd="/")
    try:
        def ask(*words):
            return json.loads(subprocess.run([*AS_NOBODY, folder / "holdfastctl", "-c", config, "--json", *words], capture_output=True,
                                             text=True, check=False).stdout or "[]")

        wait_for(lambda: any(a["last_error"] and "EACCES" in a["last_error"] for a in ask("adapters")))
        found = ask("doctor", "--resolv-conf", "/dev/null")
        yield [f for f in found if f["area"] == "adapter it"]
    finally:
        daemon.terminate()
        daemon.wait(15)


def test_nobody_is_to_join_the_group_of_root(folder, tmp_path):
    """Debian's unbound makes its control socket as root, in the group of root: that is its configuration to change."""
    with Simulator(tmp_path, "user alice\nsnapshot alice 1=dev:7=main\n") as server, Unbound(tmp_path) as unbound:
        control = folder / "unbound.ctl"
        with contextlib.closing(Between(control, unbound.control)):
            shutil.chown(control, group="root")
            control.chmod(0o660)
            with bridge(folder, server, f"type: unbound, control: {control}, ask: 127.0.0.1@{unbound.port}") as found:
                lines = [f["line"] for f in found if f["grade"] == "bad"]
                assert lines and not [line for line in lines if "-G 0" in line or "-G root" in line], lines


def test_a_hosts_file_of_root_in_a_folder_of_the_bridge_cannot_be_replaced(folder, tmp_path):
    """The new file could not be given to root, so the old one stays."""
    place = folder / "place"
    place.mkdir()
    shutil.chown(place, "nobody")
    hosts = place / "hosts"
    hosts.write_text("127.0.0.1 localhost\n")
    with Simulator(tmp_path, "user alice\nsnapshot alice 1=dev:7=main\n") as server:
        with bridge(folder, server, f"type: hosts, path: {hosts}") as found:
            assert [f for f in found if f["grade"] == "bad"], found
            assert not [f["text"] for f in found if f["grade"] == "good" and f"{hosts} " in f["text"]]
