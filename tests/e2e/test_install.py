# SPDX-License-Identifier: Apache-2.0
"""What `meson install` puts where, without touching this machine."""
import os
import pathlib
import re
import subprocess

import pytest

BUILD = pathlib.Path(os.environ["HF_BUILD"])
WANTED = """
bin/holdfastd bin/holdfastctl bin/holdfast-dns
lib/systemd/system/holdfastd.service lib/systemd/system/holdfast-dns.service lib/sysusers.d/holdfast.conf
lib/sysusers.d/holdfast-dns.conf
share/man/man1/holdfastctl.1 share/man/man5/holdfast.yaml.5 share/man/man8/holdfastd.8 share/man/man8/holdfast-dns.8 share/man/man8/holdfast-unbound.8
share/bash-completion/completions/holdfastctl share/zsh/site-functions/_holdfastctl
share/doc/holdfast/holdfast.yaml
""".split()


@pytest.fixture(scope="module", name="root")
def installed(tmp_path_factory):
    """The folder that stands for the prefix."""
    dest = tmp_path_factory.mktemp("dest")
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", dest], check=True, timeout=60,
                   stdout=subprocess.DEVNULL)
    options = subprocess.run(["meson", "introspect", "--buildoptions", BUILD], check=True, timeout=60,
                             capture_output=True, text=True).stdout
    prefix = re.search(r'"name": "prefix", "value": "([^"]+)"', options)[1]
    return dest / prefix.lstrip("/"), pathlib.Path(prefix)


@pytest.mark.parametrize("name", WANTED)
def test_is_installed(root, name):
    assert (root[0] / name).is_file()


def test_installed_programs_run(root):
    for name in ("holdfastd", "holdfastctl", "holdfast-dns"):
        done = subprocess.run([root[0] / "bin" / name, "--version"], capture_output=True, text=True, timeout=10, check=True)
        assert re.search(r"\d+\.\d+\.\d+", done.stdout)


def test_units_start_what_was_installed(root):
    for unit in (root[0] / "lib/systemd/system").glob("*.service"):
        for line in re.findall(r"^Exec\w+=-?(\S*holdfast\S*)", unit.read_text(), flags=re.M):
            assert (root[0] / pathlib.Path(line).relative_to(root[1])).is_file(), line


def test_the_packages_have_this_version(root):
    top = pathlib.Path(__file__).parents[2]
    version = subprocess.run([root[0] / "bin/holdfastd", "--version"], capture_output=True, text=True, timeout=10, check=True).stdout.split()[1]
    assert (top / "packaging/debian/changelog").read_text().startswith(f"holdfast ({version}-")


def test_the_sample_is_a_configuration(root):
    sample = root[0] / "share/doc/holdfast/holdfast.yaml"
    done = subprocess.run([root[0] / "bin/holdfastd", "--check", "-c", sample], capture_output=True, text=True, timeout=10,
                          check=False)
    # Its token file is not there; nothing else is wrong with it.
    assert [line for line in done.stdout.splitlines() if "token" not in line and not line.endswith(": ok")] == []
