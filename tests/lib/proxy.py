# SPDX-License-Identifier: Apache-2.0
"""Proxies for tests, on loopback: HTTP with CONNECT, the same over TLS, and SOCKS 4a and 5. Each notes who asked for what."""
import base64
import contextlib
import re
import socket
import socketserver
import ssl
import struct
import threading


def copy(here, there):
    with contextlib.suppress(OSError):
        while piece := here.recv(65536):
            there.sendall(piece)
    with contextlib.suppress(OSError):
        there.shutdown(socket.SHUT_WR)


def splice(one, other):
    back = threading.Thread(target=copy, args=(other, one), daemon=True)
    back.start()
    copy(one, other)
    back.join()


class Proxy(socketserver.ThreadingTCPServer):
    """
    `connects` are the hosts that were asked for, as they came; `refused` the first bytes of all else. With `to` every connection ends at
    that address, whatever was asked for: names that only a proxy knows. `login` is USER:PASSWORD.
    """
    allow_reuse_address = True
    daemon_threads = True
    scheme = "http"

    def __init__(self, refuse=False, login=None, to=None, tls=None):
        self.connects, self.refused = [], []
        self.refuse, self.login, self.to, self.context = refuse, login, to, None
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*tls)
        super().__init__(("127.0.0.1", 0), self.Handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self):
        login = f"{self.login}@" if self.login else ""
        return f"{self.scheme}{'s' if self.context else ''}://{login}127.0.0.1:{self.server_address[1]}"

    def reach(self, host, port):
        self.connects.append(host)
        return socket.create_connection((self.to or host, port), 10)

    def __exit__(self, *what):
        self.shutdown()
        super().__exit__(*what)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            with contextlib.suppress(OSError, EOFError):
                here = self.request
                if self.server.context:
                    here = self.server.context.wrap_socket(here, server_side=True)
                self.server.serve(here)

    def serve(self, here):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = here.recv(4096)
            if not piece:
                return
            head += piece
        asked = re.match(rb"CONNECT ([^ ]+):(\d+) ", head)
        login = re.search(rb"\r\nProxy-Authorization: Basic (\S+)\r\n", head)
        good = not self.login or login and base64.b64decode(login[1]).decode() == self.login
        if not asked or self.refuse or not good:
            self.refused.append(head)
            here.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        with self.reach(asked[1].decode(), int(asked[2])) as there:
            here.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            splice(here, there)


def take(here, n):
    data = b""
    while len(data) < n:
        piece = here.recv(n - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


class Socks(Proxy):
    """SOCKS 4a and 5. `scheme` says what its url tells clients to speak: socks5h and socks4a let the proxy resolve."""

    def __init__(self, scheme="socks5h", **more):
        self.scheme = scheme
        super().__init__(**more)

    def serve(self, here):
        version = take(here, 1)[0]
        asked = self.serve_4(here) if version == 4 else self.serve_5(here)
        if not asked:
            return
        with self.reach(*asked) as there:
            here.sendall(b"\x00\x5a" + bytes(6) if version == 4 else b"\x05\x00\x00\x01" + bytes(6))
            splice(here, there)

    @staticmethod
    def until_nul(here):
        text = b""
        while (byte := take(here, 1)) != b"\0":
            text += byte
        return text.decode()

    def serve_4(self, here):
        _, port, address = struct.unpack(">BH4s", take(here, 7))
        self.until_nul(here)
        host = self.until_nul(here) if address[:3] == bytes(3) and address[3] else socket.inet_ntoa(address)
        if self.refuse:
            self.refused.append(host.encode())
            here.sendall(b"\x00\x5b" + bytes(6))
            return None
        return host, port

    def serve_5(self, here):
        methods = take(here, take(here, 1)[0])
        method = 2 if self.login else 0
        here.sendall(bytes([5, method if method in methods else 255]))
        if method == 2:
            take(here, 1)
            login = ":".join(take(here, take(here, 1)[0]).decode() for _ in range(2))
            here.sendall(bytes([1, login != self.login]))
            if login != self.login:
                self.refused.append(login.encode())
                return None
        _, _, _, kind = take(here, 4)
        if kind == 3:
            host = take(here, take(here, 1)[0]).decode()
        else:
            host = socket.inet_ntop(socket.AF_INET6 if kind == 4 else socket.AF_INET, take(here, 16 if kind == 4 else 4))
        port = struct.unpack(">H", take(here, 2))[0]
        if self.refuse:
            self.refused.append(host.encode())
            here.sendall(b"\x05\x02\x00\x01" + bytes(6))
            return None
        return host, port
