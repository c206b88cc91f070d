# SPDX-License-Identifier: Apache-2.0
"""docs/recipes: each as its program would be started, as far as that can be had in a test."""
import pathlib
import re
import subprocess

import pytest

from driver import Driver
from server import Responder, Server, addresses, free_port, question, wait_for
from setup import setup_text
from stock import need
from zone import Zone, address, program

RECIPES = pathlib.Path(__file__).parents[2] / "docs" / "recipes"
NAME = "main.dev.me.coder"


class NetworkManagers(Server):
    """dnsmasq with the options that NetworkManager gives it, but for D-Bus, by which it names servers: without a network there are none."""

    def __init__(self, folder, text):
        port, conf = free_port(), folder / "dnsmasq.d"
        conf.mkdir()
        (conf / "holdfast.conf").write_text(text)
        super().__init__(folder, [need("dnsmasq"), "--no-resolv", "--keep-in-foreground", "--no-hosts", "--bind-interfaces",
                                  f"--pid-file={folder}/dnsmasq.pid", "--listen-address=127.0.0.1", "--cache-size=400", "--clear-on-reload",
                                  "--conf-file=/dev/null", "--proxy-dnssec", f"--conf-dir={conf}", "--user=", f"--port={port}"], port)
        wait_for(lambda: self.raw(question("is.it.up.coder").to_wire(), timeout=0.3))


def test_networkmanager_s_dnsmasq_forwards(tmp_path):
    with Zone(tmp_path / "zone", f"{NAME} #1", "ttl 2") as zone, Responder(tmp_path, zone.folder) as target, \
            NetworkManagers(tmp_path, setup_text(tmp_path, "dnsmasq-forward", target.port)) as dnsmasq:
        assert addresses(dnsmasq.ask(NAME)) == [address(1)]
        zone.publish("main.new.me.coder #2")
        wait_for(lambda: addresses(dnsmasq.ask("main.new.me.coder")) == [address(2)])


def test_networkmanager_s_dnsmasq_is_fed(tmp_path):
    """It does without /etc/hosts (--no-hosts), and reads the folder all the same."""
    folder = tmp_path / "hosts"
    folder.mkdir()
    with Driver(tmp_path, f"type: dnsmasq, hostsdir: {folder}, ask: 127.0.0.1@9") as d:
        lines = d.setup()
    with NetworkManagers(tmp_path, lines) as dnsmasq, \
            Driver(tmp_path, f"type: dnsmasq, hostsdir: {folder}, ask: 127.0.0.1@{dnsmasq.port}") as d:
        d.good(f"put {NAME} {address(1)} primary")
        d.complete()
        wait_for(lambda: addresses(dnsmasq.ask(NAME)) == [address(1)])
        d.good(f"take {NAME} {address(1)} primary")
        wait_for(lambda: addresses(dnsmasq.ask(NAME)) == [])


@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("*.md")), ids=lambda p: p.stem)
def test_commands_and_configuration_of_a_recipe_are_taken(tmp_path, recipe):
    """Each adapter that it configures passes holdfastd --check, with the folders that it makes, and each resolver that it names is one."""
    text = recipe.read_text()
    for folder in re.findall(r"install -d -o holdfast -g holdfast (?:-m \d+ )?(/\S+)", text):
        (tmp_path / folder.removeprefix("/")).mkdir(parents=True)
    token = tmp_path / "token"
    token.write_text("tokenid000-secret000")
    token.chmod(0o600)
    adapters = re.findall(r"^ {4}adapters:\n((?: {6}- \{.*\}\n)+)", text, re.M)
    assert adapters or "adapters:" not in text
    for number, entries in enumerate(adapters):
        path = tmp_path / f"{number}.yaml"
        path.write_text("sources: [{url: 'https://coder.example.com', " + f"token-file: {token}, suffix: coder}}]\nadapters:\n" + \
                        entries.replace("/var/lib/holdfast", f"{tmp_path}/var/lib/holdfast"))
        path.chmod(0o600)
        done = subprocess.run([program("bridge/holdfastd"), "--check", "-c", path], capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
    known = {line.split()[0] for line in subprocess.run([program("bridge/holdfastctl"), "-c", path, "setup"], capture_output=True,
                                                          text=True, timeout=30, check=True).stdout.splitlines()}
    named = set(re.findall(r"holdfastctl setup ([a-z-]+)", text))
    assert named and named <= known
