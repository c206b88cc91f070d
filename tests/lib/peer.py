# SPDX-License-Identifier: Apache-2.0
"""Servers that play Coder: holdfast-simulator, and tests/peer, which is made of Coder's own libraries. Both are steered
by lines; `holdfast-simulator --help` has the commands."""
import os
import pathlib
import queue
import subprocess
import threading

from zone import BUILD, program


class PeerError(AssertionError):
    """The server said "error" to a line."""


class Peer:
    """A running server. `script` are lines that are run before it listens."""

    def __init__(self, folder, command, script="", port=0, tls=None, host="127.0.0.1", verbose=True):
        folder = pathlib.Path(folder)
        self.host = host
        self.scheme = "https" if tls else "http"
        self.log_path = folder / f"{pathlib.Path(str(command[0])).name}-{os.urandom(4).hex()}.log"
        path = self.log_path.with_suffix(".script")
        path.write_text(script)
        command = [*command, "--port", port, "--host", host, "--until-eof"]
        command += ["--verbose"] if verbose else []
        command += ["--tls", *tls] if tls else []
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([str(c) for c in [*command, path]], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1)
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        first = self._line(20)
        if not first.startswith("listening "):
            self.stop()
            raise PeerError(f"{first}\n{self.log()}")
        self.port = int(first.split()[1])

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put("error it has ended")

    def _line(self, timeout):
        try:
            return self.lines.get(timeout=timeout)
        except queue.Empty:
            raise PeerError(f"no answer in {timeout} s\n{self.log()}") from None

    @property
    def url(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    def say(self, line, timeout=40):
        """Has a command run, and returns what it was answered when it is done."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self._line(timeout)
        word, _, rest = answer.partition(" ")
        if word != "ok":
            raise PeerError(f"{line}: {answer}\n{self.log()}")
        return rest

    def status(self):
        """What `status` tells, as numbers by name."""
        return {name: int(value) for name, value in (w.split("=") for w in self.say("status").split())}

    def log(self):
        return self.log_path.read_text(errors="replace")

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        """Ends it and returns its exit status."""
        if self.alive():
            self.process.terminate()
        status = self.process.wait(10)
        self.process.stdin.close()
        self.reader.join(10)
        self.process.stdout.close()
        return status

    def __enter__(self):
        return self

    def __exit__(self, *what):
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


class Simulator(Peer):
    """holdfast-simulator."""

    def __init__(self, folder, script="", **more):
        super().__init__(folder, [program("examples/simulator/holdfast-simulator")], script, **more)


def go_peer():
    """The path of tests/peer's program, or None where it was not built. It is the same beside a sanitizer's build of ours."""
    paths = [folder / "peer" / "peer" for folder in (BUILD, pathlib.Path(__file__).parents[2] / "build")]
    return next((path for path in paths if os.access(path, os.X_OK)), None)


class GoPeer(Peer):
    """tests/peer: Coder's own libraries."""

    def __init__(self, folder, script="", **more):
        super().__init__(folder, [go_peer(), "serve", *more.pop("options", [])], script, **more)

    @classmethod
    def with_own_ca(cls, folder, script="", **more):
        """Speaks TLS with certificates of a CA whose own is in `folder`/ca.pem; needed for faults of TLS."""
        server = cls(folder, script, options=["--tls-dir", folder], **more)
        server.scheme = "https"
        return server


class GoClient:
    """tests/peer's client, which follows a server. lines() are what it has told so far."""

    def __init__(self, folder, url, *options):
        self.path = pathlib.Path(folder) / f"client-{os.urandom(4).hex()}.out"
        self.log_path = self.path.with_suffix(".log")
        with open(self.path, "wb") as out, open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([str(o) for o in (go_peer(), "client", *options, url)], stdout=out, stderr=log)

    def lines(self):
        return self.path.read_text().splitlines()

    def wait(self, timeout=30):
        """Its exit status, when it has ended by itself."""
        return self.process.wait(timeout)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.process.terminate()
        self.process.wait(10)
