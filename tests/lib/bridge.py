# SPDX-License-Identifier: Apache-2.0
"""holdfastd for tests: one source that follows a server, with short times."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

from server import free_port
from zone import program

TOKEN = "tokenid000-secret000"


class Bridge:
    """
    A running holdfastd with its files in `folder`. `source` are further keys of its source, as YAML text; `retry` and
    `timeouts` go into its maps after short waits. env is added to its environment.
    """

    def __init__(self, folder, url, source="", retry="", timeouts="", token=TOKEN, top="", env=None, wrap=(),
                 waits="floor: 20ms, cap: 200ms, events: 50ms, steady: 1s, per-minute: 1000", pulse="100ms"):
        self.folder = pathlib.Path(folder)
        self.token = self.folder / "token"
        self.set_token(token)
        self.log_path = self.folder / f"holdfastd-{os.urandom(4).hex()}.log"
        self.config = self.folder / "holdfast.yaml"
        self.dns_port = free_port()
        self.waits = waits
        self.pulse = pulse
        self.held_up = {}
        self.configure(url, source, retry, timeouts, top)
        self.start(env, wrap)

    def start(self, env=None, wrap=(), daemon=None):
        """Also again, after its process has ended. `daemon`: another holdfastd than that of the build."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*wrap, daemon or program("bridge/holdfastd"), "-c", self.config], stderr=log,
                                            env={**os.environ, **(env or {})})

    def configure(self, url, source="", retry="", timeouts="", top=""):
        if "dns:" not in top:
            # A port of nobody: at the usual one may be this machine's own holdfast-dns. That nobody answers is not what most
            # tests are about.
            top += f"dns: {{ listen: 127.0.0.1@{self.dns_port}, probe-interval: 1h }}\n"
        self.config.write_text(
            f"store: {self.folder}/store.db\nzone: {self.folder}/zone\ncontrol: {self.folder}/control.sock\n"
            f"log: {{ level: debug }}\npulse-interval: {self.pulse}\n{top}sources:\n"
            f"  - name: main\n    url: '{url}'\n    token-file: {self.token}\n"
            f"    retry: {{ {self.waits}{retry} }}\n"
            f"    timeouts: {{ connect: 2s, request: 3s, head: 2s{timeouts} }}\n{source}")
        self.config.chmod(0o600)

    def set_token(self, text):
        """As a person with care would: a new file, renamed into its place."""
        new = self.token.with_suffix(".new")
        new.write_text(text + "\n")
        new.chmod(0o600)
        new.rename(self.token)

    def ask(self, command):
        """The rows that the control socket answers with, as holdfastctl asks it, without a process for each. `command` is its
        word, or a whole request."""
        with socket.socket(socket.AF_UNIX) as s, s.makefile("r") as answer:
            s.settimeout(20)
            s.connect(str(self.folder / "control.sock"))
            s.sendall(json.dumps(command if isinstance(command, dict) else {"command": command}).encode() + b"\n")
            rows = []
            for line in answer:
                if line.startswith("="):
                    rows.append(line[1:-1])
                    continue
                line = json.loads(line)
                assert "error" not in line, line
                if "end" in line:
                    return rows
                rows.append(line["row"])
        raise AssertionError(f"{command}: the answer has no end")

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait_log(self, text, timeout=10, times=1):
        """Until the log has it so often."""
        end = time.monotonic() + timeout
        while self.log().count(text) < times:
            assert self.process.poll() is None, f"it has ended\n{self.log()}"
            assert time.monotonic() < end, f"no {text!r} in {timeout} s\n{self.log()}"
            time.sleep(0.02)

    def has_asan(self):
        return b"__asan_init" in program("bridge/holdfastd").read_bytes()

    def proc(self, key, file="status"):
        """What the kernel counts of it."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/{file}").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1])
        raise AssertionError(f"no {key}")

    def rss_kib(self):
        return self.proc("VmRSS")

    def held_up_s(self):
        """How long its threads have had work to do and no processor: what a busy machine adds to any time of its own."""
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError, IndexError):  # a thread that has just ended, or a kernel that does not count it
                self.held_up[str(task)] = int(task.read_text().split()[1])
        return sum(self.held_up.values()) / 1e9

    def cpu_ticks(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(15)

    def __enter__(self):
        return self

    def __exit__(self, kind, *what):
        status = self.stop()
        if kind is None:
            assert status == 0, f"status {status}\n{self.log()}"
            assert "Sanitizer" not in self.log() and "runtime error" not in self.log(), self.log()
            assert TOKEN.split("-")[1] not in self.log()
