# SPDX-License-Identifier: Apache-2.0
"""A relay on loopback between client and server, which stalls, slows or goes silent as ways do; TCP itself stays as it is."""
import contextlib
import socket
import socketserver
import threading
import time


class Relay(socketserver.ThreadingTCPServer):
    """
    `streams` counts the websockets that were asked for, `connections` all. Of a websocket: with `stall_after` no byte beyond so many
    reaches the client; `rate` is in bytes a second; `hold` is how long the answer to the upgrade is kept back. silence() makes
    all connections that are open now go silent in both directions, for ever; new ones work.
    """
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port, stall_after=None, rate=None, hold=0):
        self.to, self.stall_after, self.rate, self.hold = port, stall_after, rate, hold
        self.streams = self.connections = self.life = 0
        super().__init__(("127.0.0.1", 0), self.Handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def silence(self):
        self.life += 1

    def __exit__(self, *what):
        self.shutdown()
        super().__exit__(*what)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            with contextlib.suppress(OSError):
                self.server.serve(self.request)

    def serve(self, here):
        self.connections += 1
        life, kind = self.life, {}
        with socket.create_connection(("127.0.0.1", self.to), 10) as there:
            up = threading.Thread(target=self.copy_up, args=(here, there, life, kind), daemon=True)
            up.start()
            self.copy_down(there, here, life, kind)
            up.join()

    def copy_up(self, here, there, life, kind):
        with contextlib.suppress(OSError):
            while piece := here.recv(65536):
                if b"Upgrade: websocket" in piece:
                    self.streams += 1
                    kind["stream"] = True
                if life == self.life:
                    there.sendall(piece)
        with contextlib.suppress(OSError):
            there.shutdown(socket.SHUT_WR)

    def copy_down(self, there, here, life, kind):
        passed = 0
        with contextlib.suppress(OSError):
            while piece := there.recv(4096 if self.rate else 65536):
                if kind.get("stream"):
                    if not passed:
                        time.sleep(self.hold)
                    if self.rate:
                        time.sleep(len(piece) / self.rate)
                    if self.stall_after is not None:
                        piece = piece[:max(0, self.stall_after - passed)]
                    passed += len(piece)
                if life == self.life:
                    here.sendall(piece)
        with contextlib.suppress(OSError):
            here.shutdown(socket.SHUT_WR)
