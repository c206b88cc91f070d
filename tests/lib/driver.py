# SPDX-License-Identifier: Apache-2.0
"""adapter_driver as a test sees it: one adapter, fed line by line, what it says as dicts."""
import json
import os
import queue
import signal
import subprocess
import threading
import time

from zone import program


class Driver:
    """`adapter` is the YAML of one entry of the configuration, without its name."""

    def __init__(self, folder, adapter, ttl=30, suffix="coder"):
        self.folder = folder
        config = folder / "driver.yaml"
        config.write_text(f"sources: [{{url: 'https://coder.example.com', token-file: /etc/hf-token, suffix: {suffix}}}]\n"
                          f"adapters: [{{name: it, {adapter}}}]\n")
        config.chmod(0o600)
        self.errors = open(folder / "driver.log", "ab")
        self.process = subprocess.Popen([program("tests/resolver/adapter_driver"), config, "it"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True)
        self.events = queue.Queue()
        self.asides = []  # what came unasked: "lost", "warn"
        threading.Thread(target=self.read, daemon=True).start()
        self.send(f"zones {ttl} {suffix}")

    def read(self):
        for line in self.process.stdout:
            self.events.put(json.loads(line))
        self.events.put(None)

    def send(self, *lines):
        self.process.stdin.write("".join(f"{line}\n" for line in lines))
        self.process.stdin.flush()

    def until(self, event, seconds=60):
        """What came up to and with that event."""
        end, seen = time.monotonic() + seconds, []
        while True:
            got = self.events.get(timeout=max(0.01, end - time.monotonic()))
            assert got is not None, open(self.errors.name).read()
            if got["event"] in ("lost", "warn"):
                self.asides.append(got)
            seen.append(got)
            if got["event"] == event:
                return seen

    def apply(self, *changes, seconds=60):
        """Applies them, and returns the receipts."""
        self.send(*changes, "apply")
        return [e for e in self.until("applied", seconds) if e["event"] == "receipt"]

    def good(self, *changes, seconds=60):
        """The same, and all of it must have been done."""
        for receipt in self.apply(*changes, seconds=seconds):
            assert not receipt["code"] and not receipt["not"] and receipt["done"] == receipt["n"], receipt

    def clean(self):
        """What is left of an adapter that the configuration no longer has goes, after its names were taken."""
        self.send("clean")
        for receipt in (e for e in self.until("applied") if e["event"] == "receipt"):
            assert not receipt["code"], receipt

    def retry(self, seconds=20):
        """Applies what is left until it is done, as the feed would."""
        end = time.monotonic() + seconds
        while True:
            self.send("apply")
            if self.until("applied")[-1]["left"] == 0:
                return
            assert time.monotonic() < end, self.asides
            time.sleep(0.05)

    def list(self):
        self.send("list")
        got = self.until("listed")[-1]
        assert not got["code"], got
        return {(r["name"], r["addr"], r["primary"]) for r in got["records"]}

    def verify(self, *expects):
        self.send(*expects, "verify")
        return self.until("verified")[-1]

    def doctor(self):
        self.send("doctor")
        return [e for e in self.until("examined") if e["event"] == "finding"]

    def setup(self):
        self.send("setup")
        return self.until("setup")[-1]["text"]

    def complete(self):
        self.send("complete")
        self.until("completed")

    def wait(self, ms):
        self.send(f"wait {ms}")
        self.until("waited")

    def warned(self, code):
        """The text of the last warning of that code, None if it ended or never came."""
        said = [e for e in self.asides if e["event"] == "warn" and e["code"] == code]
        return said[-1]["text"] if said else None

    def lost(self):
        return [e["why"] for e in self.asides if e["event"] == "lost"]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        if self.process.poll() is None:
            self.process.stdin.close()
            assert self.process.wait(20) == 0, open(self.errors.name).read()
        self.errors.close()
