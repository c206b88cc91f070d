# SPDX-License-Identifier: Apache-2.0
"""
What `holdfastctl setup` prints, as far as test_forward.py and test_module.py do not give it to the real server: the syntax of what
Debian has no server for, where suffixes come from, and what is said when something is wrong.
"""
import configparser
import json
import re
import subprocess

import pytest

from module import setup_lines
from server import Responder
from setup import config, ctl, setup_files
from stock import REVERSE
from zone import Zone, program

SUFFIXES = ("coder", "dev.example.net")


def plain(text):
    """Without comments and empty lines."""
    return [line for line in text.splitlines() if line.strip() and not re.match(r"\s*(#|;|//|--)", line)]


@pytest.mark.parametrize("version, path, section, mark", [("258", "dns-delegate.d/holdfast.dns-delegate", "Delegate", ""),
                                                          ("257", "resolved.conf.d/holdfast.conf", "Resolve", "~")])
def test_systemd_resolved(tmp_path, version, path, section, mark):
    files = setup_files(tmp_path, "systemd-resolved", 5453, SUFFIXES, version)
    assert set(files) == {f"/etc/systemd/{path}", "/etc/dnssec-trust-anchors.d/holdfast.negative"}
    text = files[f"/etc/systemd/{path}"]
    parser = configparser.ConfigParser(strict=False, interpolation=None, empty_lines_in_values=False)
    parser.optionxform = str
    parser.read_string(text)
    assert parser.sections() == [section] and set(parser[section]) == {"DNS", "Domains"}
    assert parser[section]["DNS"] == "127.0.0.1:5453"
    domains = [line.split("=")[1] for line in plain(text) if line.startswith("Domains=")]
    assert domains == [mark + d for d in (*SUFFIXES, REVERSE)]
    assert plain(files["/etc/dnssec-trust-anchors.d/holdfast.negative"]) == [*SUFFIXES, REVERSE]


def test_coredns(tmp_path):
    """A Corefile: zones, a brace, directives of known plugins, the brace's end."""
    ((_, text),) = setup_files(tmp_path, "coredns", "::1@5453", SUFFIXES).items()
    block = r"(\S+) \{\n\tforward \. \[::1\]:5453 \{\n\t\tmax_fails 0\n\t\}\n\}\n?"
    body = "\n".join(plain(text)) + "\n"
    assert re.fullmatch(f"({block})+", body)
    assert [m[1] for m in re.finditer(block, body)] == [*SUFFIXES, REVERSE]


def test_the_module_s_lines_are_those_that_its_tests_use(tmp_path):
    path = config(tmp_path, 5453, SUFFIXES)
    said = ctl(path, "unbound-module")
    assert said.returncode == 0, said.stderr
    module = re.search(r'dynlib-file: "(.*)"', said.stdout)[1]
    assert said.stdout.strip() == setup_lines(module, f"{tmp_path}/no-zone", "127.0.0.1@5453", SUFFIXES).strip()


def test_suffixes_come_from_the_published_zone_when_the_bridge_is_down(tmp_path):
    with Zone(tmp_path / "zone", "source main from-the-zone", "main.dev.me.from-the-zone #1") as z, Responder(tmp_path, z.folder) as r:
        done = subprocess.run([program("bridge/holdfastctl"), "-c", r.config, "-s", tmp_path / "none", "setup", "bind"],
                              capture_output=True, text=True, check=False)
    assert done.returncode == 0 and 'zone "from-the-zone"' in done.stdout


def test_no_suffix_is_said(tmp_path):
    path = tmp_path / "empty.yaml"
    path.write_text(f"zone: {tmp_path}/none\ncontrol: {tmp_path}/none.sock\n")
    path.chmod(0o600)
    done = ctl(path, "bind")
    assert done.returncode == 3 and not done.stdout and "no suffix is known" in done.stderr


@pytest.mark.parametrize("typed, meant", [("bnid", "bind"), ("unbuond", "unbound"), ("core-dns", "coredns"), ("knot-resolvr", "knot-resolver")])
def test_a_mistyped_resolver_is_told_which_was_meant(tmp_path, typed, meant):
    done = ctl(config(tmp_path, 5453), typed)
    assert done.returncode == 2 and not done.stdout and f"did you mean '{meant}'?" in done.stderr


def test_the_list_names_each(tmp_path):
    done = ctl(config(tmp_path, 5453))
    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert done.returncode == 0 and {"unbound", "bind", "dnsmasq", "coredns", "systemd-resolved"} <= set(names)
    for name in names:
        if name in ("hosts", "hook"):
            assert ctl(config(tmp_path, 5453), name).returncode == 2
            continue
        assert json.loads(ctl(config(tmp_path, 5453), name, "--json").stdout)["resolver"] == name


def test_without_an_adapter_the_plain_word_forwards_and_says_so(tmp_path):
    path = config(tmp_path, 5453)
    for word in "unbound", "dnsmasq":
        done = ctl(path, word)
        assert done.stdout == ctl(path, f"{word}-forward").stdout and "no adapter feeds this resolver" in done.stderr


@pytest.mark.parametrize("resolver", ["unbound", "unbound-module", "dnsmasq-forward", "bind", "systemd-resolved", "coredns"])
def test_without_a_holdfast_dns_there_is_nothing_to_forward_to(tmp_path, resolver):
    path = config(tmp_path, 5453)
    path.write_text(path.read_text().replace("listen: ['127.0.0.1@5453']", "listen: []"))
    done = ctl(path, resolver)
    assert (done.returncode, done.stdout) == (2, "") and "dns.listen is empty" in done.stderr


ADAPTERS = """adapters:
  - {{ type: unbound, name: office, control: {0}/ctl, ask: 127.0.0.1@9 }}
  - {{ type: dnsmasq, hostsdir: {0}/hosts, ask: 127.0.0.1@9 }}
  - {{ type: hosts, path: {0}/file }}
  - {{ type: hook, command: [/usr/local/bin/mine] }}
"""


@pytest.mark.parametrize("word, said", [("unbound", "control-interface: \"{0}/ctl\""), ("dnsmasq", "hostsdir={0}/hosts"),
                                        ("hosts", "{0}/file"), ("hook", "/usr/local/bin/mine")])
def test_with_an_adapter_the_plain_word_is_the_adapter_s(tmp_path, word, said):
    path = config(tmp_path, 5453, top=ADAPTERS.format(tmp_path))
    done = ctl(path, word)
    assert done.returncode == 0 and said.format(tmp_path) in done.stdout
    assert "the configured adapter" in done.stderr
    answer = json.loads(ctl(path, word, "--json").stdout)
    assert answer["form"] == "adapter" and said.format(tmp_path) in answer["files"][0]["text"]
    if word in ("unbound", "dnsmasq"):
        assert "5453" in ctl(path, f"{word}-forward").stdout
    # The adapter's lines need no holdfast-dns.
    path.write_text(path.read_text().replace("listen: ['127.0.0.1@5453']", "listen: []"))
    assert ctl(path, word).stdout == done.stdout
