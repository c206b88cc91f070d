# SPDX-License-Identifier: Apache-2.0
"""
Runs the program of a systemd unit as the unit says, without systemd: in a root folder of its own, with the unit's user, groups,
capabilities, mounts and system call filters. systemd-analyze expands the sets of system calls; tests/tools/unit_filter loads
the filters. What needs systemd as process 1 (restarts, timers, cgroups) is not here.
"""
import atexit
import functools
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile

from zone import BUILD, program

UNITS = pathlib.Path(__file__).parents[2] / "packaging" / "systemd"
# Where systemd itself gives a program these.
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
PREFIX = "/usr/local" # of the build, by default
LENT = 61184 # the first number of those that systemd lends to DynamicUser=
FILTER = f"{PREFIX}/libexec/unit_filter"
# The switches of a unit that are a filter; systemd denies these calls.
DENIED = {
    "ProtectClock": ["@clock"],
    "ProtectKernelModules": ["@module"],
    "ProtectKernelLogs": ["syslog"],
    "ProtectHostname": ["sethostname", "setdomainname"],
    "PrivateDevices": ["@raw-io"],
}
SWITCHES = {
    "MemoryDenyWriteExecute": "--no-exec",
    "RestrictSUIDSGID": "--no-suid",
    "RestrictRealtime": "--no-realtime",
    "LockPersonality": "--no-personality",
    "RestrictNamespaces": "--no-namespaces",
}
# What this file acts on, or what says when to start it and not how.
KNOWN = {
    *DENIED, *SWITCHES, "AmbientCapabilities", "CapabilityBoundingSet", "DynamicUser", "ExecReload", "ExecStart", "Group", "LimitCORE",
    "NoNewPrivileges", "PrivateNetwork", "PrivateTmp", "ProtectControlGroups", "ProtectHome", "ProtectKernelTunables",
    "ProtectProc", "ProtectSystem", "ReadWritePaths", "RemoveIPC", "Restart", "RestartSec", "RestrictAddressFamilies",
    "RuntimeDirectory", "RuntimeDirectoryMode", "StateDirectory", "StateDirectoryMode", "SupplementaryGroups",
    "SystemCallArchitectures", "SystemCallErrorNumber", "SystemCallFilter", "TimeoutStartSec", "TimeoutStopSec", "Type", "UMask",
    "User", "WatchdogSec",
}


def why_not():
    """Why units cannot be run here, or None."""
    for tool in "systemd-analyze", "systemd-sysusers", "unshare", "setpriv":
        if not shutil.which(tool):
            return f"{tool} is not installed"
    if os.geteuid() != 0:
        return "needs root"
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        return "no mount namespaces here"
    options = subprocess.run(["meson", "introspect", "--buildoptions", BUILD], check=True, timeout=60, capture_output=True, text=True).stdout
    if not re.search(rf'"name": "prefix", "value": "{PREFIX}"', options):
        return f"the build's prefix is not {PREFIX}"
    if b"__asan_init" in program("bridge/holdfastd").read_bytes():
        return "a sanitizer's run time needs system calls that the units deny"
    return None


@functools.cache
def syscall_sets():
    """All sets that systemd knows: {"@name": [its lines]}."""
    text = subprocess.run(["systemd-analyze", "syscall-filter"], capture_output=True, text=True, check=True, timeout=30).stdout
    sets = {}
    for line in text.splitlines():
        if line.startswith("@"):
            members = sets.setdefault(line.strip(), [])
        elif line.startswith("    ") and not line.strip().startswith("#"):
            members.append(line.strip())
    return sets


def expand(words):
    """The system calls that these names and @sets are."""
    calls = set()
    for word in words:
        calls |= expand(syscall_sets()[word]) if word.startswith("@") else {word}
    return calls


def bind_unix(path, kind):
    """A socket that every user may send to. The path may be longer than such an address is."""
    s = socket.socket(socket.AF_UNIX, kind)
    folder = os.open(path.parent, os.O_PATH)
    s.bind(f"/proc/self/fd/{folder}/{path.name}")
    os.close(folder)
    path.chmod(0o777)
    return s


@functools.cache
def installed():
    """What `meson install` puts into its prefix, in a folder that lasts as long as this process; and unit_filter."""
    dest = tempfile.mkdtemp(prefix="hf-units-")
    atexit.register(shutil.rmtree, dest)
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", dest], check=True, timeout=60,
                   stdout=subprocess.DEVNULL)
    os.chmod(dest, 0o755)
    local = pathlib.Path(dest) / PREFIX.lstrip("/")
    shutil.copy(program("tests/tools/unit_filter"), local / "libexec")
    return local


def caps(names):
    """As setpriv(1) wants them."""
    return ",".join(["-all", *(f"+{name.removeprefix('CAP_').lower()}" for name in names)])


class Unit:
    """A unit file. Values of a key in their order; an empty one takes back those before it, as systemd does."""

    def __init__(self, text):
        self.keys = {}
        section = text[text.index("[Service]"):].partition("\n[Install]")[0]
        for line in section.splitlines():
            key, equals, value = line.partition("=")
            if not equals or line.startswith("#"):
                continue
            self.keys[key] = [*self.keys.get(key, []), value] if value else [""]

    def all(self, key):
        """All words of it."""
        return " ".join(self.keys.get(key, [])).split()

    def one(self, key, otherwise=""):
        return self.keys.get(key, [otherwise])[-1]

    def on(self, key):
        return self.one(key) in ("yes", "true", "1", "on")

    def allowed_calls(self):
        """What SystemCallFilter leaves: the first word decides that it is a list of what is allowed, others take away or add."""
        allowed = expand(["@default"])
        for line in self.keys.get("SystemCallFilter", []):
            calls = expand(line.lstrip("~").split())
            allowed = allowed - calls if line.startswith("~") else allowed | calls
        return allowed

    def filters(self, allow_file):
        """The options of unit_filter."""
        options = []
        for key, words in DENIED.items():
            if self.on(key):
                options += ["--deny", ",".join(sorted(expand(words)))]
        options += [option for key, option in SWITCHES.items() if self.on(key)]
        if "RestrictAddressFamilies" in self.keys:
            options += ["--families", ",".join(self.all("RestrictAddressFamilies"))]
        if "SystemCallFilter" in self.keys:
            assert self.one("SystemCallErrorNumber") == "EPERM"
            options += ["--allow", allow_file, "1"]
        return options


class Machine:
    """
    A root folder that stands for a machine on which Holdfast is installed: /usr is this machine's, /usr/local is what `meson install`
    puts there, users and groups are those of the installed sysusers file. run() and start() do things in it.
    """

    def __init__(self, folder):
        self.root = pathlib.Path(folder) / "root"
        self.local = installed()
        self.running = []
        self.boot_id = None  # a file with another one than this machine's
        for name in ("usr", "etc/holdfast", "proc", "sys", "dev", "run/systemd", "var/lib", "var/tmp", "tmp", "root", "home/alice",
                     "run/user", "run/allowed"):
            (self.root / name).mkdir(parents=True)
        for name in "bin", "sbin", "lib", "lib64":
            (self.root / name).symlink_to(f"usr/{name}")
        for name in "tmp", "var/tmp":
            (self.root / name).chmod(0o1777)
        (self.root / "home/alice/diary").write_text("dear diary\n")
        self.make_users()

    def make_users(self):
        etc = self.root / "etc"
        (etc / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"
                                    "alice:x:1000:1000::/home/alice:/bin/sh\nadmin:x:1001:1001::/:/bin/sh\n")
        (etc / "group").write_text("root:x:0:\nnogroup:x:65534:\nalice:x:1000:\nadmin:x:1001:\n")
        for name in "ld.so.cache", "ld.so.conf", "nsswitch.conf", "alternatives":
            if (pathlib.Path("/etc") / name).exists():
                subprocess.run(["cp", "-a", f"/etc/{name}", etc], check=True)
        (etc / "hosts").write_text("127.0.0.1\tlocalhost\n")
        (etc / "resolv.conf").write_text("")
        subprocess.run(["systemd-sysusers", f"--root={self.root}",
                        *sorted((self.local / "lib/sysusers.d").glob("*.conf"))], check=True, capture_output=True, timeout=30)
        # As the administrator lets a person command: a member of the group.
        group = (etc / "group").read_text()
        (etc / "group").write_text(re.sub(r"^(holdfast-admin:.*:)(.*)$", lambda m: m[1] + ",".join(filter(None, [m[2], "admin"])),
                                          group, flags=re.M))

    def rows(self, file):
        return [line.split(":") for line in (self.root / "etc" / file).read_text().splitlines()]

    def uid(self, name):
        return next(int(r[2]) for r in self.rows("passwd") if r[0] == name)

    def gid(self, name):
        return next(int(r[2]) for r in self.rows("group") if r[0] == name)

    def groups_of(self, user):
        """As initgroups(3)."""
        own = next(int(r[3]) for r in self.rows("passwd") if r[0] == user)
        return own, sorted({own} | {int(r[2]) for r in self.rows("group") if user in r[3].split(",")})

    def owner(self, path):
        """(user, group, mode) of a path, by name and in octal."""
        st = (self.root / path.lstrip("/")).lstat()
        names = {int(r[2]): r[0] for r in self.rows("passwd")}, {int(r[2]): r[0] for r in self.rows("group")}
        return names[0].get(st.st_uid, st.st_uid), names[1].get(st.st_gid, st.st_gid), f"{st.st_mode & 0o7777:04o}"

    def text(self, name):
        """An installed unit file's."""
        return (self.local / "lib/systemd/system" / name).read_text()

    def unit(self, name):
        return Unit(self.text(name))

    # --- mounts ---

    def _mounts(self, unit=None, writable=()):
        """Lines of a shell script that runs in a mount namespace of its own and makes the root."""
        root = shlex.quote(str(self.root))
        hidden = "hidepid=invisible," if unit and unit.one("ProtectProc") == "invisible" else ""
        lines = ["set -e", f"mount --bind {root} {root}", f"cd {root}", "mount --rbind -o ro /usr usr",
                 f"mount --bind {shlex.quote(str(self.local))} usr/local", f"mount -t proc -o {hidden}nosuid,nodev,noexec proc proc",
                 "mount --bind -o ro /sys sys", "mount -t tmpfs -o mode=755,nosuid tmpfs dev"]
        for device in "null", "zero", "full", "random", "urandom":
            lines += [f": >dev/{device}", f"mount --bind /dev/{device} dev/{device}"]
        if self.boot_id:
            lines.append(f"mount --bind {shlex.quote(str(self.boot_id))} proc/sys/kernel/random/boot_id")
        if not unit:
            return lines
        if unit.one("ProtectSystem") == "strict":
            for path in sorted({"run/systemd", *writable}):
                lines.append(f"mount --bind {shlex.quote(path)} {shlex.quote(path)}")
            lines += ["mount -o remount,bind,ro usr/local", f"mount -o remount,bind,ro {root}"]
        if unit.on("PrivateTmp"):
            lines += [f"mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs {name}" for name in ("tmp", "var/tmp")]
        if unit.on("ProtectHome"):
            lines += [f"mount -t tmpfs -o mode=000,ro tmpfs {name}" for name in ("home", "root", "run/user")]
        if unit.on("ProtectKernelTunables"):
            lines += ["mount --rbind proc/sys proc/sys", "mount -o remount,bind,ro proc/sys"]
        return lines

    # --- programs ---

    def _folders(self, unit, user, group):
        """RuntimeDirectory and StateDirectory, made as systemd makes them. Returns what is writable, and what the program is told."""
        env, writable = {}, set()
        for key, above in ("RuntimeDirectory", "run"), ("StateDirectory", "var/lib"):
            for name in unit.all(key):
                path = self.root / above / name
                path.mkdir(exist_ok=True)
                path.chmod(int(unit.one(key + "Mode", "0755"), 8))
                os.chown(path, user, group)
                env[re.sub(r"(?<!^)D", "_D", key).upper()] = f"/{above}/{name}"
                writable.add(f"{above}/{name}")
        for path in unit.all("ReadWritePaths"):
            name = path.lstrip("-/")
            # With "-" one that is not there is left out.
            assert path.startswith("-") or (self.root / name).exists(), path
            writable |= {name} if (self.root / name).exists() else set()
        return env, writable

    def _user(self, unit):
        """(user, group, all groups), as numbers"""
        user = unit.one("User", "root")
        added = {self.gid(g) for g in unit.all("SupplementaryGroups")}
        if unit.on("DynamicUser") and user not in (r[0] for r in self.rows("passwd")):
            return LENT, LENT, sorted({LENT, *added})
        own, groups = self.groups_of(user)
        group = self.gid(unit.one("Group")) if unit.one("Group") else own
        return self.uid(user), group, sorted({group, *groups, *added})

    def command(self, unit, words, name="unit", env=None):
        """A command that runs `words` as the unit would run its program. Folders are made."""
        unknown = set(unit.keys) - KNOWN
        assert not unknown, f"tests/lib/units.py knows nothing of {unknown}"
        user, group, groups = self._user(unit)
        more, writable = self._folders(unit, user, group)
        allow = self.root / "run/allowed" / name
        allow.write_text("\n".join(sorted(unit.allowed_calls())) + "\n")
        env = {**ENVIRONMENT, "USER": unit.one("User", "root"), "LOGNAME": unit.one("User", "root"), **more, **(env or {})}
        ambient = caps(unit.all("AmbientCapabilities"))
        privileges = ["setpriv", f"--reuid={user}", f"--regid={group}",
                      f"--groups={','.join(map(str, groups))}", f"--inh-caps={ambient}", f"--ambient-caps={ambient}"]
        if "CapabilityBoundingSet" in unit.keys:
            privileges.append(f"--bounding-set={caps(unit.all('CapabilityBoundingSet'))}")
        if unit.on("NoNewPrivileges") or user != 0:
            privileges.append("--no-new-privs")
        words = ["env", "-i", *(f"{k}={v}" for k, v in env.items()), *privileges, FILTER, *unit.filters(f"/run/allowed/{name}"), "--",
                 *words]
        limits = [f"umask {unit.one('UMask', '0022')}"]
        if "LimitCORE" in unit.keys:
            limits.append(f"ulimit -c {unit.one('LimitCORE')}")
        script = "\n".join([*self._mounts(unit, writable), *limits, "exec chroot . " + shlex.join(map(str, words))])
        network = ["--net"] if unit.on("PrivateNetwork") else []
        return ["unshare", "--mount", "--propagation", "private", "--uts", *network, "sh", "-c", script]

    def start(self, name, env=None, unit=None):
        """The ExecStart of a unit, in the background."""
        unit = unit or self.unit(name)
        service = Service(self, name, unit, env)
        self.running.append(service)
        return service

    def run_unit(self, name, words=None, unit=None, env=None, timeout=30):
        """The same, or another program in its place, to its end."""
        unit = unit or self.unit(name)
        words = words or shlex.split(unit.one("ExecStart").lstrip("-"))
        return subprocess.run(self.command(unit, words, name, env), capture_output=True, text=True, timeout=timeout, check=False)

    def reload(self, service):
        """As `systemctl reload`: each ExecReload in its turn, until one fails. Returns what the last one did."""
        for line in service.unit.keys["ExecReload"]:
            words = [word.replace("$MAINPID", str(service.process.pid)) for word in shlex.split(line)]
            done = self.run_unit(service.name, words, service.unit)
            if done.returncode:
                break
        return done

    def run(self, user, *words, timeout=30):
        """A command of a person who is logged in."""
        own, groups = self.groups_of(user)
        privileges = ["setpriv", f"--reuid={self.uid(user)}", f"--regid={own}", f"--groups={','.join(map(str, groups))}"]
        script = "\n".join([*self._mounts(), "exec chroot . " + shlex.join([*privileges, *map(str, words)])])
        return subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", script], capture_output=True, text=True,
                              timeout=timeout, check=False, env=ENVIRONMENT)

    def write(self, path, text, user="root", group="root", mode=0o644):
        path = self.root / path.lstrip("/")
        path.write_text(text)
        os.chown(path, self.uid(user), self.gid(group))
        path.chmod(mode)

    def __enter__(self):
        return self

    def __exit__(self, kind, *what):
        for service in self.running:
            service.stop()


class Service:
    """A unit's program, running."""

    def __init__(self, machine, name, unit, env=None):
        self.name = name
        self.unit = unit
        self.log_path = machine.root.parent / f"{name}.log"
        path = machine.root / "run/systemd" / f"notify-{name}"
        path.unlink(missing_ok=True)
        self.manager = bind_unix(path, socket.SOCK_DGRAM)
        self.said = []
        watchdog = {"WATCHDOG_USEC": f"{unit.one('WatchdogSec')}000000"} if "WatchdogSec" in unit.keys else {}
        env = {"NOTIFY_SOCKET": f"/run/systemd/notify-{name}", **watchdog, **(env or {})}
        words = shlex.split(unit.one("ExecStart").lstrip("-"))
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(machine.command(unit, words, name, env), stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def alive(self):
        return self.process.poll() is None

    def hears(self, text, seconds=10):
        """Waits until the service manager has heard this."""
        self.manager.settimeout(0.1)
        for _ in range(int(seconds * 10)):
            if any(text in line for line in self.said):
                return
            try:
                self.said.append(self.manager.recv(4096).decode())
            except TimeoutError:
                assert self.alive() or text == "STOPPING=1", f"{self.name} has ended with {self.process.returncode}\n{self.log()}"
        raise AssertionError(f"{self.name}: no {text!r}\n{self.said}\n{self.log()}")

    def hears_all(self):
        """All that the service manager has heard until now."""
        self.manager.setblocking(False)
        try:
            while True:
                self.said.append(self.manager.recv(4096).decode())
        except BlockingIOError:
            return self.said

    def status(self):
        """/proc/PID/status as a dict."""
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return {k: v.strip() for k, v in (line.split(":", 1) for line in lines)}

    def stop(self):
        """As systemd ends it. Returns its exit status."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
