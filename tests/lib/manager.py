# SPDX-License-Identifier: Apache-2.0
"""Who watches holdfastd: a service manager, and what asks /healthz and /readyz."""
import socket
import time
import urllib.error
import urllib.request

from server import wait_for


class Manager:
    """What a service manager hears."""

    def __init__(self, folder):
        self.path = folder / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.settimeout(0.05)
        self.heard = []

    def listen(self):
        try:
            while True:
                self.heard.append(self.socket.recv(1000).decode())
        except TimeoutError:
            return self.heard

    def wait(self, text):
        wait_for(lambda: any(text in line for line in self.listen()))

    def count(self, text, seconds):
        self.listen()
        self.heard.clear()
        time.sleep(seconds)
        return sum(text in line for line in self.listen())


def get(port, path, method="GET"):
    """Status and body."""
    try:
        with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method), timeout=5) as r:
            return r.status, r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()
    except OSError as e:
        return None, str(e)
