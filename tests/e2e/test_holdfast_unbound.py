# SPDX-License-Identifier: Apache-2.0
"""
What holdfast-unbound's `start` becomes in each state that it may find: the paths are a folder's, the programs are scripts that tell
how they were called. The real ones are in tests/distro/test_packages.py.
"""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess

import pytest

SCRIPT = pathlib.Path(__file__).parents[2] / "packaging/unbound/holdfast-unbound.in"
LINES = "server:\n\twait-limit: 0\n\tdomain-insecure: \"coder.\"\nforward-zone:\n\tname: \"coder.\"\n"
MODULE = "server:\n\tmodule-config: \"dynlib validator iterator\"\ndynlib:\n\tdynlib-file: \"/usr/lib/holdfast_unbound.so\"\n"


class World:
    def __init__(self, folder):
        self.folder = folder
        self.forward = folder / "etc/unbound/unbound.conf.d/holdfast-unbound.conf"
        self.state = folder / "var/lib/holdfast-unbound"
        for path in self.forward.parent, folder / "usr/sbin", folder / "run", self.state / "builds":
            path.mkdir(parents=True)
        text = SCRIPT.read_text().replace("@kit@", str(folder / "kit")).replace("@version@", "0")
        text, n = re.subn(r"(?m)^(\w+=)/(usr|etc|var|run)/", rf"\1{folder}/\2/", text)
        assert n == 6 # no other path is named
        self.program("bin/holdfast-unbound", text)
        self.program("usr/sbin/unbound", "#!/bin/sh\necho distribution \"$@\"\n")
        self.program("usr/sbin/unbound-checkconf", "#!/bin/sh\n[ \"$1\" != -o ] || echo '\"validator iterator\"'\n")
        self.lines(LINES)

    def program(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    def lines(self, text):
        """What holdfastctl prints; None: it fails."""
        (self.folder / "forward").write_text(text or "")
        (self.folder / "module").write_text(MODULE)
        self.program("bin/holdfastctl", "#!/bin/sh\nexit 3\n" if text is None else
                     f"#!/bin/sh\ncat {self.folder}/${{2#unbound-}}\n")

    def build(self):
        """What `build` leaves."""
        build = self.state / "builds/one"
        build.mkdir()
        (build / "for").write_text(hashlib.sha256((self.folder / "usr/sbin/unbound").read_bytes()).hexdigest() + "\n")
        (build / "holdfast_unbound.so").write_text("")
        for name, text in ("unbound", "echo module \"$@\""), ("unbound-checkconf", "exit 0"):
            path = build / name
            path.write_text(f"#!/bin/sh\n{text}\n")
            path.chmod(0o755)
        (self.state / "current").symlink_to(build)
        return build

    def run(self, *words, **env):
        return subprocess.run([self.folder / "bin/holdfast-unbound", *words], capture_output=True, text=True, timeout=30, check=False,
                              env={"PATH": f"{self.folder}/bin:{os.environ['PATH']}", **env})

    def start(self, *words):
        return self.run("start", "-d", *words).stdout.strip()


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_without_a_build_the_names_are_forwarded(world):
    assert world.start() == "distribution -d"
    assert LINES in world.forward.read_text()
    done = world.run("status")
    assert done.returncode == 1 and "no build yet" in done.stdout


def test_a_build_for_this_unbound_runs_and_the_lines_go(world):
    world.start()
    build = world.build()
    assert world.start() == f"module -c {build}/unbound.conf -d" and not world.forward.exists()
    conf = (build / "unbound.conf").read_text()
    assert f'dynlib-file: "{build}/holdfast_unbound.so"' in conf and 'module-config: "dynlib validator iterator"' in conf
    assert conf.startswith(f'include-toplevel: "{world.folder}/etc/unbound/unbound.conf"')
    assert world.run("status").returncode == 0


def test_the_modules_of_the_administrator_stay(world):
    build = world.build()
    world.program("usr/sbin/unbound-checkconf", "#!/bin/sh\n[ \"$1\" != -o ] || echo '\"subnetcache validator iterator\"'\n")
    world.start()
    assert 'module-config: "dynlib subnetcache validator iterator"' in (build / "unbound.conf").read_text()


@pytest.mark.parametrize("harm", ["another unbound", "no module", "no program", "refused", "an option"])
def test_a_build_that_is_none_for_this_unbound_is_not_used(world, harm):
    build = world.build()
    words = []
    if harm == "another unbound":
        with (world.folder / "usr/sbin/unbound").open("a") as f:
            f.write("# one byte\n")
    elif harm == "no module":
        (build / "holdfast_unbound.so").unlink()
    elif harm == "no program":
        (build / "unbound").unlink()
    elif harm == "refused":
        (build / "unbound-checkconf").write_text("#!/bin/sh\nexit 1\n")
    else:
        words = ["-c", "/etc/other.conf"]
    assert world.start(*words) == " ".join(["distribution -d", *words])
    assert LINES in world.forward.read_text()


def test_two_faults_are_enough(world):
    world.build()
    for result, then in ("success", "module"), ("success", "module"), ("signal", "module"), ("exit-code", "distribution"):
        assert world.start().startswith("module")
        world.run("stopped", SERVICE_RESULT=result)
        assert world.start().startswith(then)
    # The distribution's own faults are not the module's.
    (world.folder / "run/holdfast-unbound/faults").unlink()
    (world.state / "current/holdfast_unbound.so").rename(world.folder / "kept")
    for _ in range(3):
        world.start()
        world.run("stopped", SERVICE_RESULT="core-dump")
    (world.folder / "kept").rename(world.state / "current/holdfast_unbound.so")
    assert world.start().startswith("module")


def test_what_was_known_is_used_while_holdfastctl_knows_nothing(world):
    world.start()
    world.forward.unlink()
    world.lines(None)
    assert world.start() == "distribution -d" and LINES in world.forward.read_text()


def test_nothing_is_known_yet(world):
    world.lines(None)
    assert world.start() == "distribution -d" and not world.forward.exists()
    world.build()
    assert world.start() == "distribution -d" and "no names are known yet" in world.run("status").stdout


def test_lines_that_unbound_refuses_are_not_put_there(world):
    check = world.program("usr/sbin/unbound-checkconf", "#!/bin/sh\nexit 1\n")
    assert world.start() == "distribution -d" and not world.forward.exists()
    # An older one does not know one of them.
    check.write_text("#!/bin/sh\n! grep -q wait-limit $(sed -n 's/.*\"\\(.*forward.new\\)\"/\\1/p' \"$1\")\n")
    assert world.start() == "distribution -d"
    assert "domain-insecure" in world.forward.read_text() and "wait-limit" not in world.forward.read_text()


def test_a_state_folder_that_cannot_be_written_keeps_nobody_from_starting(world):
    world.lines(LINES)
    world.state.rename(world.folder / "away")
    world.state.write_text("no folder")
    assert world.start() == "distribution -d"


def test_its_units_are_in_order(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    for name in "holdfast-unbound.service", "holdfast-unbound.timer":
        text = (SCRIPT.parent / name).read_text().replace("/usr/sbin/holdfast-unbound", "/bin/true")
        (tmp_path / name).write_text(re.sub(r"^Documentation=.*\n", "", text, flags=re.M))
    for name in "holdfast-unbound.service", "holdfast-unbound.timer":
        done = subprocess.run(["systemd-analyze", "verify", tmp_path / name], capture_output=True, text=True, timeout=60, check=False)
        assert name not in done.stdout + done.stderr, done.stdout + done.stderr
