# SPDX-License-Identifier: Apache-2.0
"""
The profiles and lines for AppArmor, as far as its own parser can say: it compiles them, and needs no kernel for that. What the units
forbid is in test_units.py.
"""
import pathlib
import re
import shutil
import subprocess

import pytest

TOP = pathlib.Path(__file__).parents[2]
FOLDER = TOP / "packaging" / "apparmor"
PARSER = shutil.which("apparmor_parser", path="/usr/sbin:/sbin")
PROFILES = sorted(p.name for p in FOLDER.iterdir() if not p.name.startswith("local-"))
LINES = sorted(p.name for p in FOLDER.iterdir() if p.name.startswith("local-"))
pytestmark = pytest.mark.skipif(not PARSER, reason="apparmor_parser is not installed")


def parse(path, include):
    """What the parser says to the file, compiled and thrown away."""
    return subprocess.run([PARSER, "-Q", "-K", "-S", "-I", include, "--base", "/etc/apparmor.d", path], capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_of_ours_compiles(tmp_path, name):
    done = parse(FOLDER / name, tmp_path)
    assert done.returncode == 0 and len(done.stdout) > 1000, done.stderr
    text = (FOLDER / name).read_text()
    assert f"profile {name} " in text and f"include if exists <local/{name}>" in text
    (tmp_path / "wrong").write_text(text.replace("network inet dgram,", "network inet datagram,"))
    assert parse(tmp_path / "wrong", tmp_path).returncode != 0


@pytest.mark.parametrize("name", LINES)
def test_the_lines_for_a_resolver_s_profile_compile_in_it(tmp_path, name):
    """In the one that the distribution has; where it has none here, in one of the same name with nothing else."""
    own = name.removeprefix("local-")
    profile = pathlib.Path("/etc/apparmor.d") / own
    text = profile.read_text() if profile.exists() else \
        f"include <tunables/global>\nprofile x /{own.replace('.', '/')} {{\n  include <abstractions/base>\n  include <local/{own}>\n}}\n"
    assert re.search(rf"include (if exists )?<local/{own}>", text)
    (tmp_path / "profile").write_text(text.replace(f"<local/{own}>", f'"{tmp_path}/lines"'))
    (tmp_path / "lines").write_text("")
    bare = parse(tmp_path / "profile", tmp_path)
    assert bare.returncode == 0, bare.stderr
    shutil.copy(FOLDER / name, tmp_path / "lines")
    done = parse(tmp_path / "profile", tmp_path)
    assert done.returncode == 0 and done.stdout != bare.stdout, done.stderr
    (tmp_path / "lines").write_text("/var/lib/holdfast/** read,\n")
    assert parse(tmp_path / "profile", tmp_path).returncode != 0


def test_the_lines_name_what_is_there():
    """Paths of the defaults: a folder that is renamed is to be renamed here, too."""
    sample = (TOP / "examples" / "holdfast.yaml").read_text()
    for path, files in {"/var/lib/holdfast/zone": ["holdfast-dns", "local-usr.sbin.unbound"], "/run/unbound.ctl": ["holdfastd"]}.items():
        assert path in sample
        for name in files:
            assert path in (FOLDER / name).read_text()
