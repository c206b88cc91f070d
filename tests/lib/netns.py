# SPDX-License-Identifier: Apache-2.0
"""A network namespace of a test's own, with its own /etc/resolv.conf and /etc/hosts: a machine for one test."""
import contextlib
import ctypes
import os
import pathlib
import shutil
import subprocess

import pytest

CLONE_NEWNET = 0x40000000


def _enter(path):
    """This thread goes there, with all that it starts from now on."""
    fd = os.open(path, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(fd)


class Machine:
    """Within a with block everything that the test starts is in the namespace; run() also sees its resolv.conf and hosts."""

    def __init__(self):
        if os.geteuid() or not shutil.which("ip"):
            pytest.skip("needs root and iproute2")
        self.name = f"hf-{os.getpid()}-{os.urandom(2).hex()}"
        self.etc = pathlib.Path("/etc/netns") / self.name

    def ip(self, *words):
        return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)

    def resolvers(self, *addresses):
        (self.etc / "resolv.conf").write_text("".join(f"nameserver {a}\n" for a in addresses) + "options timeout:1 attempts:1\n")

    def hosts(self, *lines):
        (self.etc / "hosts").write_text("".join(f"{line}\n" for line in ("127.0.0.1 localhost", *lines)))

    def run(self, *command, env=None):
        """As a program on this machine."""
        return subprocess.run(["ip", "netns", "exec", self.name, *map(str, command)], capture_output=True, text=True, timeout=60,
                              check=False, env=env)

    def finds(self, name):
        """The addresses that the C library finds, as any program would."""
        done = self.run("getent", "hosts", name)
        return sorted({line.split()[0] for line in done.stdout.splitlines()})

    def __enter__(self):
        done = self.ip("netns", "add", self.name)
        if done.returncode:
            pytest.skip(f"no network namespace can be made: {done.stderr}")
        self.etc.mkdir(parents=True)
        self.resolvers()
        self.hosts()
        self.ip("-n", self.name, "link", "set", "lo", "up")
        self.before = f"/proc/{os.getpid()}/task/{ctypes.CDLL(None).syscall(186)}/ns/net"
        self.home = os.open(self.before, os.O_RDONLY)
        _enter(f"/run/netns/{self.name}")
        return self

    def __exit__(self, *what):
        _enter(f"/proc/self/fd/{self.home}")
        os.close(self.home)
        self.ip("netns", "del", self.name)
        shutil.rmtree(self.etc)
        with contextlib.suppress(OSError):
            self.etc.parent.rmdir()
