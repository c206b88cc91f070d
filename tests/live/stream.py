# SPDX-License-Identifier: Apache-2.0
"""The control stream in as few lines as will do: HTTP upgrade, websocket, yamux, dRPC, protobuf. A second pair of eyes beside bridge/stream, for tests/live.sh."""
import base64
import hashlib
import os
import socket
import ssl
import struct
import time

DATA, WINDOW, PING, GOAWAY = range(4)
SYN, ACK, FIN, RST = 1, 2, 4, 8
INVOKE, MESSAGE, ERROR, CANCEL, CLOSE, CLOSE_SEND = range(1, 7)
RPC = b"/coder.tailnet.v2.Tailnet/WorkspaceUpdates"
WINDOW_SIZE = 256 << 10


class Broken(Exception):
    """The server did what this cannot go on with."""


class Ended(Exception):
    """The connection is over."""


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def take_varint(data, at):
    n = shift = 0
    while True:
        if at >= len(data):
            raise IndexError
        n |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return n, at
        if shift > 63:
            raise Broken("a varint of more than 10 bytes")


def fields(data):
    """[(number, value)] of a protobuf message: bytes, or a number."""
    at, out = 0, []
    try:
        while at < len(data):
            tag, at = take_varint(data, at)
            if tag & 7 == 0:
                value, at = take_varint(data, at)
            elif tag & 7 == 2:
                n, at = take_varint(data, at)
                if n > len(data) - at:
                    raise IndexError
                value, at = data[at:at + n], at + n
            else:
                raise Broken(f"protobuf wire type {tag & 7}")
            out.append((tag >> 3, value))
    except IndexError:
        raise Broken("a protobuf message that ends in the middle") from None
    return out


class Websocket:
    """The upgraded connection. `answer` is the head of the answer, `seen` what came, by kind."""

    def __init__(self, url, token, patience, version="2.3"):
        self.answer, self.buffer = b"", b""
        self.seen = {"binary": 0, "text": 0, "ping": [], "pong": 0, "masked": 0, "largest": 0, "close": None}
        host, port = url.hostname, url.port or (443 if url.scheme == "https" else 80)
        self.socket = socket.create_connection((host, port), patience)
        if url.scheme == "https":
            context = ssl.create_default_context()
            context.set_alpn_protocols(["http/1.1"])
            self.socket = context.wrap_socket(self.socket, server_hostname=host)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {url.path.rstrip('/')}/api/v2/tailnet?version={version} HTTP/1.1\r\nHost: {url.netloc.rpartition('@')[2]}\r\n"
            f"Coder-Session-Token: {token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode())
        while b"\r\n\r\n" not in self.buffer:
            self.fill(time.monotonic() + patience)
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.answer = head.decode("latin-1")
        self.status = int(self.answer.split()[1])
        self.headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in self.answer.split("\r\n")[1:])}
        want = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        self.accepted = self.headers.get("sec-websocket-accept") == want

    def fill(self, end):
        """More bytes, by then; TimeoutError if there are none."""
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.socket.settimeout(left)
        more = self.socket.recv(65536)
        if not more:
            raise Ended("the connection ended without a websocket close")
        self.buffer += more

    def send(self, payload, opcode=2):
        mask = os.urandom(4)
        n = len(payload)
        length = bytes([0x80 | n]) if n < 126 else b"\xfe" + struct.pack(">H", n) if n < 65536 else b"\xff" + struct.pack(">Q", n)
        self.socket.settimeout(20)
        self.socket.sendall(bytes([0x80 | opcode]) + length + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def frame(self, end):
        """The next frame: (opcode, payload)."""
        def need(n):
            while len(self.buffer) < n:
                self.fill(end)
        need(2)
        opcode, n, at = self.buffer[0] & 15, self.buffer[1] & 127, 2
        if self.buffer[1] & 128:
            self.seen["masked"] += 1
            raise Broken("a masked frame")
        if n > 125:
            size = 2 if n == 126 else 8
            need(2 + size)
            n, at = int.from_bytes(self.buffer[2:2 + size], "big"), 2 + size
        if n > 1 << 27:
            raise Broken(f"a websocket frame of {n} bytes")
        need(at + n)
        payload, self.buffer = self.buffer[at:at + n], self.buffer[at + n:]
        return opcode, payload

    def data(self, end):
        """The payload of the next frame of data."""
        while True:
            opcode, payload = self.frame(end)
            if opcode in (0, 2):
                self.seen["binary"] += 1
                self.seen["largest"] = max(self.seen["largest"], len(payload))
                return payload
            if opcode == 1:
                self.seen["text"] += 1
                raise Broken("a text message")
            if opcode == 8:
                self.seen["close"] = int.from_bytes(payload[:2], "big")
                raise Ended(f"the server closed the websocket ({self.seen['close']} {payload[2:].decode(errors='replace')!r})")
            if opcode == 9:
                self.seen["ping"].append(time.monotonic())
                self.send(payload, 10)
            else:
                self.seen["pong"] += 1


class Call:
    """One WorkspaceUpdates. `messages` are its messages, `end` is how it ended: "close", "error CODE TEXT", "reset"..."""

    def __init__(self, number):
        self.number = number
        self.buffer, self.part, self.messages = b"", b"", []
        self.frames = []  # lengths
        self.last = (0, 0)
        self.acked, self.fin, self.end = None, False, None

    def take(self, data):
        self.buffer += data
        while True:
            try:
                stream, at = take_varint(self.buffer, 1)
                message, at = take_varint(self.buffer, at)
                length, at = take_varint(self.buffer, at)
            except IndexError:
                return
            if length > 1 << 27:
                raise Broken(f"a dRPC frame of {length} bytes")
            if len(self.buffer) < at + length:
                return
            control, body = self.buffer[0], self.buffer[at:at + length]
            self.buffer = self.buffer[at + length:]
            self.packet(control, (stream, message), body)

    def packet(self, control, ids, body):
        if ids < self.last:
            raise Broken(f"dRPC ids go from {self.last} to {ids}")
        self.part = body if ids != self.last else self.part + body
        self.last = ids
        self.frames.append(len(body))
        if not control & 1:
            return
        kind = control >> 1 & 63
        if kind == MESSAGE:
            self.messages.append(self.part)
        elif kind == ERROR:
            self.end = f"error {int.from_bytes(self.part[:8], 'big')} {self.part[8:200].decode(errors='replace')!r}"
        elif kind in (CLOSE, CLOSE_SEND):
            self.end = "close"
        elif kind == CANCEL:
            self.end = "cancel"
        elif not control & 128:
            raise Broken(f"a dRPC packet of kind {kind}")
        self.part = b""


class Session:
    """yamux over a websocket, and its calls."""

    def __init__(self, websocket):
        self.ws = websocket
        self.buffer, self.calls, self.next = b"", {}, 1
        self.pings, self.goaway, self.strays = [], None, 0
        self.pongs = 0

    def send(self, kind, flags, stream, length, body=b""):
        self.ws.send(struct.pack(">BBHII", 0, kind, flags, stream, length) + body)

    def call(self, owner):
        """Asks for the updates of an owner."""
        call = self.calls[self.next] = Call(self.next)
        self.next += 2
        self.send(WINDOW, SYN, call.number, 0)
        request = b"\x0a" + varint(len(owner)) + owner
        body = (b"\x03\x01\x01" + varint(len(RPC)) + RPC + b"\x05\x01\x02" + varint(len(request)) + request + b"\x0d\x01\x03\x00")
        self.send(DATA, 0, call.number, len(body), body)
        return call

    def hang_up(self, call):
        self.send(DATA, FIN, call.number, 4, b"\x0b\x01\x04\x00")

    def step(self, end):
        """Takes one frame of yamux."""
        while len(self.buffer) < 12:
            self.buffer += self.ws.data(end)
        version, kind, flags, stream, length = struct.unpack(">BBHII", self.buffer[:12])
        if version or kind > GOAWAY or flags > 15:
            raise Broken(f"a yamux frame of version {version}, type {kind}, flags {flags:#x}")
        if kind == DATA and length > WINDOW_SIZE:
            raise Broken(f"a yamux frame of {length} bytes, more than the window")
        size = length if kind == DATA else 0
        while len(self.buffer) < 12 + size:
            self.buffer += self.ws.data(end)
        body, self.buffer = self.buffer[12:12 + size], self.buffer[12 + size:]
        self.take(kind, flags, stream, length, body)

    def take(self, kind, flags, stream, length, body):
        if kind == PING:
            if flags & SYN:
                self.pings.append(time.monotonic())
                self.send(PING, ACK, 0, length)
            else:
                self.pongs += 1
            return
        if kind == GOAWAY:
            self.goaway = length
            return
        call = self.calls.get(stream)
        if call is None:
            self.strays += 1
            return
        if flags & ACK and call.acked is None:
            call.acked = (kind, length)
        if kind == DATA and body:
            self.send(WINDOW, 0, stream, len(body))
            call.take(body)
        if flags & (FIN | RST):
            call.fin = True
            call.end = call.end or ("reset" if flags & RST else "end without a close")

    def until(self, what, seconds):
        """Goes on until what() is true. Whether it came to that."""
        end = time.monotonic() + seconds
        while not what():
            try:
                self.step(end)
            except TimeoutError:
                return bool(what())
        return True
