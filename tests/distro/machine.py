# SPDX-License-Identifier: Apache-2.0
"""
A Debian of its own for tests of packages: a root made by debootstrap, an overlay over it that the test may spoil, in namespaces for
mounts, processes and the network, with systemctl (beside this file) in systemd's place.
"""
import contextlib
import ctypes
import fcntl
import os
import pathlib
import shutil
import socket
import subprocess
import threading
import time

import dns.exception
import dns.message
import dns.rdatatype

TOP = pathlib.Path(__file__).parents[2]
CACHE = pathlib.Path(os.environ.get("HF_DISTRO_CACHE") or
                     pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "holdfast-distro")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" # systemctl is in /usr/local
ENVIRONMENT = ["HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", f"PATH={PATH}"]
CLONE_NEWNET = 0x40000000


def bash(script, *words, timeout=1800):
    """A script that knows tests/lib/roots.sh, on this machine."""
    return subprocess.run(["bash", "-c", f". tests/lib/roots.sh\n{script}", "-", *map(str, words)], cwd=TOP, capture_output=True,
                          text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL)


def why_not(release):
    """Why there can be no such root here, or None."""
    return bash('roots_why_not "$1"', release).stdout.strip() or None


@contextlib.contextmanager
def locked(release):
    """One at a time makes something in the release's cache: files of tests run beside each other."""
    (CACHE / release).mkdir(parents=True, exist_ok=True)
    with open(CACHE / release / "tests.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def prepared(release, name, script, *words, files=()):
    """
    The folder of a root of the release in which the script was run, with this machine's network and with these files in /files: made
    once and kept while the script and its words are the same.
    """
    with locked(release):
        folder = CACHE / release
        root, mark = folder / name, folder / f"{name}.made-by"
        made_by = "\0".join([script, *map(str, words)])
        if root.exists() and mark.exists() and mark.read_text() == made_by:
            return root
        folder.mkdir(parents=True, exist_ok=True)
        bare = folder / "bare"
        if not (bare / "etc/apt/sources.list.d/debian.sources").exists():
            done = bash('roots_make "$1" "$2" "$3"', release, bare, folder / "bare.log")
            assert done.returncode == 0, done.stdout + done.stderr
        mark.unlink(missing_ok=True)
        shutil.rmtree(root, ignore_errors=True)
        subprocess.run(["cp", "-a", bare, root], check=True)
        (root / "files").mkdir()
        subprocess.run(["cp", *files, root / "files"], check=True)
        done = bash('root=$1; shift; roots_enter "$root" / "" bash -ec "$@"', root, script, "-", *words)
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
        shutil.rmtree(root / "files")
        (root / "usr/sbin/policy-rc.d").unlink(missing_ok=True)
        mark.write_text(made_by)
        return root


class Machine:
    """Runs while it is used by `with`; what happens in it is gone afterwards."""

    def __init__(self, lower, folder):
        self.root = folder / "root"
        layers = [folder / "upper", folder / "work"]
        for path in [self.root, *layers]:
            path.mkdir(parents=True)
        script = f"""set -e
            mount -t overlay overlay -o lowerdir={lower},upperdir={layers[0]},workdir={layers[1]} {self.root}
            cd {self.root}
            mount -t proc proc proc; mount -t sysfs -o ro sysfs sys; mount --bind /dev dev; mount -t tmpfs -o mode=755 tmpfs run
            mkdir -p run/systemd/system run/lock
            ip link set lo up
            echo ready
            exec sleep infinity"""
        self.holder = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "--pid", "--net", "--uts", "--fork",
                                        "--kill-child", "bash", "-c", script], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        assert self.holder.stdout.readline() == b"ready\n"
        self.pid = int(pathlib.Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text())
        self.put("/usr/local/bin/systemctl", (TOP / "tests/distro/systemctl").read_bytes(), 0o755)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()

    # --- files, as seen inside ---

    def path(self, name):
        return pathlib.Path(f"/proc/{self.pid}/root") / str(self.root).lstrip("/") / name.lstrip("/")

    def put(self, name, data, mode=0o644, owner="root"):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        path.chmod(mode)
        if owner != "root":
            self.run("chown", owner, name)

    def text(self, name):
        return self.path(name).read_text(errors="replace")

    def exists(self, name):
        return self.run("test", "-e", name, check=False).returncode == 0

    def owner(self, name):
        """"user:group mode" of a path."""
        return self.run("stat", "-c", "%U:%G %a", name).stdout.strip()

    # --- programs ---

    def command(self, *words):
        return ["nsenter", "-t", str(self.pid), "--mount", "--pid", "--net", "--uts", "chroot", str(self.root), "env", "-i",
                *ENVIRONMENT, *map(str, words)]

    def run(self, *words, check=True, timeout=900):
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=timeout, check=False,
                              stdin=subprocess.DEVNULL)
        assert not check or done.returncode == 0, f"{words}\n{(done.stdout + done.stderr)[-6000:]}{self.logs()}"
        return done

    def apt(self, *words, check=True):
        return self.run("apt-get", "-qy", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0",
                        "-o", f"DPkg::Path={PATH}", *words, check=check)

    def systemctl(self, *words, check=True):
        return self.run("systemctl", *words, check=check)

    def state(self, unit):
        return self.systemctl("is-active", unit, check=False).stdout.strip()

    def log(self, unit):
        path = self.path(f"/var/log/{unit}.log")
        return path.read_text(errors="replace") if path.exists() else ""

    def logs(self):
        """The ends of all logs of units, for a failure."""
        return "".join(f"\n--- {path.name}\n{path.read_text(errors='replace')[-2500:]}" for path in self.path("/var/log").glob("*.log")
                       if path.name.endswith((".service.log", "systemctl.log")))

    # --- DNS ---

    def socket(self):
        """A UDP socket of this machine."""
        libc = ctypes.CDLL(None, use_errno=True)
        made = []

        def make():
            with open(f"/proc/{self.pid}/ns/net", "rb") as net:
                assert libc.setns(net.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
            made.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))

        # A thread of its own: it stays in that network to its end.
        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        return made[0]

    def ask(self, name, kind="AAAA", port=53, timeout=2, flags=None):
        """The answer, or None."""
        query = dns.message.make_query(name, kind, use_edns=0)
        with contextlib.closing(self.socket()) as s:
            s.settimeout(timeout)
            try:
                s.sendto(query.to_wire(), ("127.0.0.1", port))
                return dns.message.from_wire(s.recv(4096))
            except (OSError, dns.exception.DNSException):
                return None

    def addresses(self, name, **more):
        """What it is answered with, or the rcode's number, or None without an answer."""
        answer = self.ask(name, **more)
        if answer is None or answer.rcode():
            return answer if answer is None else answer.rcode()
        return sorted(r.to_text() for rrset in answer.answer for r in rrset)


class Prober:
    """Asks for a name, again and again, while it is used by `with`. gaps(): for how long at a time there was no good answer, in seconds."""

    def __init__(self, machine, name, address, port=53, kind="AAAA", every=0.02):
        self.words = machine, name, address, port, kind, every
        self.asked = 0
        self.good = [time.monotonic()]
        self.wrong = []
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        machine, name, address, port, kind, every = self.words
        while not self.ends.wait(every):
            at = time.monotonic()
            got = machine.addresses(name, port=port, kind=kind, timeout=0.5)
            self.asked += 1
            if got == [address]:
                self.good += [at, time.monotonic()]
            else:
                self.wrong.append(got)

    def gaps(self):
        """Those longer than the pause between questions, with some room, and only where an answer was missing or wrong."""
        return [b - a for a, b in zip(self.good, self.good[1:]) if b - a > 0.4] if self.wrong else []

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *what):
        self.ends.set()
        self.thread.join(10)


def wait_for(condition, seconds=60):
    """Until it holds; looks at the machine's clock only to give up."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it never came"
        time.sleep(0.1)
