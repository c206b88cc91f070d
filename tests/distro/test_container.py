# SPDX-License-Identifier: Apache-2.0
"""
The image of packaging/container, without a program for containers: the steps of the Containerfile in a bare root of its release, and
bridge and responder as compose.yaml has them run: each in its own mounts and processes, a user without capabilities, a root that is
read-only, and one volume.
"""
import pathlib
import shlex
import subprocess

import pytest

from machine import TOP, prepared, wait_for
from test_packages import ADDRESS, CONFIG, NAME, PORT, PREPARE, debs, depends, machine, release, sim # pylint: disable=unused-import

FOLDER = TOP / "packaging/container"
LINES = [line.split(None, 1) for line in (FOLDER / "Containerfile").read_text().splitlines() if line and not line.startswith("#")]
COMPOSE = (FOLDER / "compose.yaml").read_text()
HEALTH = "/usr/libexec/holdfast/health"


def value(word):
    return next(rest for w, rest in LINES if w == word)


class Container:
    """A program as the first process of its own."""

    def __init__(self, machine, user, group, command, volume):
        self.machine, self.ids = machine, [f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs", "--bounding-set=-all"]
        script = f"""set -e
            mount -t proc proc /proc
            mount --bind -o {volume} /var/lib/holdfast /var/lib/holdfast
            mount -t tmpfs -o mode=0755,uid=990,gid=990 tmpfs /run/holdfast
            mount -o remount,bind,ro /
            exec setpriv {shlex.join(self.ids)} env -i PATH=/usr/bin:/bin {command}"""
        self.process = subprocess.Popen(machine.command("unshare", "--pid", "--mount", "--fork", "--kill-child", "--propagation", "private", "sh",
                                                        "-c", script), stdin=subprocess.DEVNULL)

        wait_for(lambda: self.pid() and pathlib.Path(f"/proc/{self.pid()}/comm").read_text().strip() == command)

    def pid(self):
        """As this machine has it; None before it is there."""
        pid = self.process.pid
        for _ in range(2):
            children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            if not children:
                return None
            pid = int(children[0])
        return pid

    def run(self, *words):
        """In the container, as its user. The exit status."""
        return subprocess.run(["nsenter", "-t", str(self.pid()), "--mount", "--pid", "--net", "--root", "--wd=/", "setpriv", *self.ids, *words],
                              capture_output=True, check=False, timeout=30).returncode

    def stop(self):
        subprocess.run(["kill", str(self.pid())], check=True)
        self.process.wait(20)


@pytest.fixture(scope="session")
def lower(release, debs):
    if release != "bookworm":
        pytest.skip("the image is made of Debian 12")
    more = "apt-get -qy --no-install-recommends --download-only install systemd-standalone-sysusers ca-certificates /files/*.deb\n"
    return prepared(release, "container", PREPARE + more, depends(debs.values()), files=debs.values())


@pytest.fixture
def image(release, machine, debs):
    """The machine, as the Containerfile makes it."""
    assert release in value("FROM")
    for name in "holdfast", "holdfast-dns":
        machine.put(f"/packages/{debs[name].name}", debs[name].read_bytes())
    machine.put("/packages/health", (FOLDER / "health").read_bytes())
    assert value("COPY") == "holdfast_*.deb holdfast-dns_*.deb health /packages/"
    machine.run("rm", "-rf", "/run/systemd")
    for word, rest in LINES:
        if word == "RUN":
            # There is no network here: what is downloaded is there already.
            machine.run("sh", "-ec", rest.replace("apt-get update &&", ""))
    return machine


def test_two_containers_and_a_volume(image, sim):
    m = image
    assert not m.exists("/packages") and not m.exists("/usr/bin/systemctl")
    m.put("/etc/holdfast/token", "tokenid000-secret000\n", 0o600, "990:990")
    m.put("/etc/holdfast/holdfast.yaml", "dns: { listen: 0.0.0.0@5453, allow: [0.0.0.0/0] }\n" + CONFIG.format(url=sim.url)
          .replace("control-group: holdfast-admin\n", "").replace("read-group: holdfast\n", ""))
    assert value("USER") == "990:990" and 'user: "991:990"' in COMPOSE and COMPOSE.count("read_only: true") == 2
    bridge = Container(m, 990, 990, "holdfastd", "rw")
    responder = Container(m, 991, 990, "holdfast-dns", "ro")
    wait_for(lambda: m.addresses(NAME, port=PORT) == [ADDRESS])
    assert bridge.run(HEALTH) == 0 and responder.run(HEALTH) == 0
    # Nothing else can be written, and the responder sees neither store nor token.
    for container in bridge, responder:
        assert container.run("sh", "-c", ": >/etc/holdfast/new") and container.run("sh", "-c", ": >/usr/new")
    assert responder.run("cat", "/etc/holdfast/token") and responder.run("cat", "/var/lib/holdfast/store.db")
    assert bridge.run("cat", "/var/lib/holdfast/store.db") == 0
    # Upstream that is away is no reason to start anything again; the names stay, also while the bridge is replaced.
    sim.say("down")
    assert bridge.run(HEALTH) == 0
    bridge.stop()
    assert m.addresses(NAME, port=PORT) == [ADDRESS]
    bridge = Container(m, 990, 990, "holdfastd", "rw")
    wait_for(lambda: bridge.run(HEALTH) == 0)
    assert m.addresses(NAME, port=PORT) == [ADDRESS]
    # A program that hangs is not healthy.
    subprocess.run(["kill", "-STOP", str(bridge.pid())], check=True)
    assert bridge.run("timeout", "5", HEALTH)
    subprocess.run(["kill", "-CONT", str(bridge.pid())], check=True)
    bridge.stop()
    responder.stop()
