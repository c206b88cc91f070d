# SPDX-License-Identifier: Apache-2.0
"""The README's first command, on a machine that has the packages: the whole path, an outage, a dead bridge, a restart."""
import fcntl
import os
import pathlib
import shutil
import socket
import subprocess
import time

import pytest

from server import free_port
from users import with_users
from zone import BUILD, program

TOP = pathlib.Path(__file__).parents[2]


OWN_BUILD = pytest.mark.skipif(BUILD != TOP / "build",
                               reason="the quickstart builds in build/ of this tree; another build is under test")
LOCK = TOP / "build" / "quickstart.lock"


def quickstart(*arguments, before=(), timeout=300):
    env = {k: v for k, v in os.environ.items() if not k.startswith("CODER_")}
    return subprocess.run([*before, TOP / "examples" / "quickstart.sh", *arguments], env=env, capture_output=True, text=True,
                          timeout=timeout, stdin=subprocess.DEVNULL, check=False)


def shows_the_whole_path(done):
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.split("\n== ")[1:]
    part = {section.splitlines()[0].split(":")[0]: section for section in said}
    assert "fd60:627a:a42b::7" in part["the bridge follows it, and holdfast-dns answers"]
    module = part["an unbound answers the same, by the module"]
    if "is not in this machine's package sources" in module:  # as after a security update that the mirror has not got
        pytest.skip(module.strip().splitlines()[-1])
    assert "fd60:627a:a42b::7" in module
    assert part["a stock unbound and a stock dnsmasq are fed by the bridge"].count("fd60:627a:a42b::7") == 2
    assert part["a workspace is made"].count("fd60:627a:a42b::1e") == 4  # holdfast-dns, the module, unbound and dnsmasq
    assert "Stale Answer" in part["the server goes away"] and "fd60:627a:a42b::7" in part["the server goes away"]
    assert part["the bridge is killed, too"].count("fd60:627a:a42b::1e") == 2
    assert part["unbound and dnsmasq are restarted while the bridge is dead"].count("fd60:627a:a42b::1e") == 2
    assert "re-applying DNS hosts from previous session" in \
        part["the bridge begins again, the server is still away"]
    assert "Stale Answer" not in part["the server comes back"] and "fd60:627a:a42b::7" in part["the server comes back"]


@OWN_BUILD
def test_the_quickstart_shows_the_whole_path():
    # What it makes and builds is in build/, which a test must not race for: its programs are there already.
    if not shutil.which("dig"):
        pytest.skip("dig is not installed")
    shows_the_whole_path(quickstart("--once", "--port", "0"))


@OWN_BUILD
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_the_quickstart_works_where_holdfast_is_installed(tmp_path):
    """Its users are there, and its holdfast-dns answers at the usual port."""
    (tmp_path / "c.yaml").write_text(f"zone: {tmp_path}/zone\ndns: {{ listen: 127.0.0.1@5453 }}\n")
    script = f"ip link set lo up && {with_users(tmp_path)} && ({program('plugin/holdfast-dns')} -c {tmp_path}/c.yaml & echo $! >{tmp_path}/pid) && \"$@\"; " \
             f"status=$?; kill $(cat {tmp_path}/pid); exit $status"
    done = quickstart("--once", before=["unshare", "-m", "-n", "sh", "-c", script, "sh"])
    shows_the_whole_path(done)
    assert "ports 5453 to 5456 are in use" in done.stdout


@OWN_BUILD
def test_a_second_quickstart_says_so_at_once_and_changes_nothing(tmp_path):
    (TOP / "build/quickstart").mkdir(exist_ok=True)
    mark = TOP / "build/quickstart/fed-mark"
    mark.write_text("")
    with open(LOCK, "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        began = time.monotonic()
        done = quickstart("--once", timeout=20)
    assert done.returncode == 1 and "another quickstart runs in this folder" in done.stderr
    assert time.monotonic() - began < 5 and mark.exists()


@OWN_BUILD
def test_a_quickstart_whose_port_is_taken_says_so_at_once():
    port = free_port()
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", port + 2))
        s.listen()
        done = quickstart("--once", "--port", str(port), timeout=20)
    assert done.returncode == 1 and f"port {port} or one of the three after it is in use" in done.stderr


@OWN_BUILD
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("status, said", [(77, "build.sh: no module: unbound's source cannot be had"), (1, "build.sh: gone wrong")])
def test_a_quickstart_without_extras_shows_the_rest(tmp_path, status, said):
    """Where the distribution's sources cannot be had and a resolver is not installed, one line each says so."""
    # What shadows the script and the programs, in a mount namespace of its own. What is not executable is no program.
    (tmp_path / "build.sh").write_text(f"#!/bin/sh\necho 'other words' >&2\necho \"{said}\" >&2\nexit {status}\n")
    (tmp_path / "build.sh").chmod(0o755)
    (tmp_path / "nothing").write_text("")
    gone = [shutil.which(p, path=os.environ["PATH"] + ":/usr/sbin") for p in (["dnsmasq"] if status == 77 else ["dnsmasq", "unbound"])]
    script = f"mount --bind {tmp_path}/build.sh {TOP}/plugin/unbound/build.sh && " + \
        "".join(f"mount --bind {tmp_path}/nothing {p} && " for p in gone if p) + "exec \"$@\""
    done = quickstart("--once", "--port", "0", before=["unshare", "-m", "sh", "-c", script, "sh"])
    assert done.returncode == 0, done.stdout + done.stderr
    skipped = [line for line in done.stdout.splitlines() if line.startswith("skipped: ")]
    assert skipped[-1].startswith("skipped: an unbound with the module: ") and said.split(": ")[-1] in skipped[-1]
    assert skipped[0].endswith("dnsmasq is not installed") if status == 77 else len(skipped) == 3
    assert ("a stock unbound is fed" in done.stdout) == (status == 77)
    assert "== the server comes back" in done.stdout and "== to go on" in done.stdout
