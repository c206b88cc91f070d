#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Makes the corpora of the control stream's fuzz targets out of tests/data/vectors, and of some bytes that no vector has.
Run it where a corpus should change; what it writes is kept in the tree.
"""
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(HERE, "..", "data", "vectors")


def save(target, name, data):
    folder = os.path.join(HERE, "corpus", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


def lines(session):
    with open(os.path.join(VECTORS, session + ".jsonl"), encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def payload(session, direction):
    """What went through the websocket one way."""
    return b"".join(bytes.fromhex(l["hex"]) for l in lines(session)
                    if l["layer"] == "ws-binary-payload" and l["dir"] == direction)


def stream_bytes(mux):
    """The data of all yamux frames."""
    out, at = b"", 0
    while at + 12 <= len(mux):
        kind, length = mux[at + 1], int.from_bytes(mux[at + 8:at + 12], "big")
        at += 12
        if kind == 0:
            out += mux[at:at + length]
            at += length
    return out


def varint(v):
    out = b""
    while v >= 0x80:
        out += bytes([v & 0x7f | 0x80])
        v >>= 7
    return out + bytes([v])


def read_varint(data, at):
    v = shift = 0
    while True:
        v |= (data[at] & 0x7f) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return v, at


def drpc_messages(data):
    """The bodies of the dRPC messages (none of them is in several frames)."""
    at = 0
    while at < len(data):
        kind = data[at] >> 1 & 63
        _, at = read_varint(data, at + 1)
        _, at = read_varint(data, at)
        length, at = read_varint(data, at)
        if kind == 2:
            yield data[at:at + length]
        at += length


def field(number, body):
    return varint(number << 3 | 2) + varint(len(body)) + body


def workspace(letter, name, more=b""):
    return field(1, letter.encode() * 16) + field(2, name) + more


def agent(letter, name, of):
    return field(1, letter.encode() * 16) + field(2, name) + field(3, of.encode() * 16)


def messages():
    snapshot, diff = drpc_messages(stream_bytes(payload("session1", "s2c")))
    save("update_decoder", "snapshot", b"\x00" + snapshot)
    save("update_decoder", "snapshot-in-pieces", b"\x0e" + snapshot)
    save("update_decoder", "diff", b"\x01" + diff)
    save("update_decoder", "all-lists", b"\x03" + field(1, workspace("a", b"alpha", b"\x18\x03")) +
         field(2, agent("m", b"main", "a")) + field(3, workspace("b", b"")) + field(4, field(1, b"n" * 16)))
    save("update_decoder", "snapshot-deletes", b"\x00" + field(1, workspace("a", b"alpha")) + field(3, workspace("b", b"")))
    save("update_decoder", "odd-ids", b"\x02" + field(1, field(1, b"short")) + field(2, field(1, b"\0" * 16)) +
         field(2, agent("m", b"\0\n\"", "a")))
    save("update_decoder", "odd-id-in-diff", b"\x01" + field(2, field(1, b"x" * 17)))
    save("update_decoder", "large-records", b"\x10" + field(1, workspace("a", b"n" * 300)) +
         field(2, field(1, b"i" * 300)) + field(1, field(2, b"n" * 300)))
    save("update_decoder", "unknown-fields", b"\x04" + b"\x28\x05" + b"\x29" + b"8" * 8 + field(5, b"skip") +
         b"\x2d" + b"4" * 4 + field(1, workspace("a", b"x", field(9, b"inner") + b"\x50\x01")))
    save("update_decoder", "wire-types", b"\x00\x2b\x0e\x0f")
    save("update_decoder", "long-varints", b"\x06\x28" + b"\xff" * 9 + b"\x01\xfa\xff\xff\xff\x0f\x00\x0a" + b"\x80" * 10)
    save("update_decoder", "truncated", b"\x08" + snapshot[:-3])
    save("update_decoder", "workspace-id", b"\x00" + field(2, field(1, b"m" * 16) + field(3, b"a" * 3)) + field(1, b""))
    save("update_decoder", "bad-record", b"\x00" + field(1, b"\x0a\x20short"))
    save("update_decoder", "field-in-record", b"\x00" + field(1, workspace("a", b"x", b"\x82\x80\x80\x80\x10\x00")))
    save("update_decoder", "past-limit", b"\x00\x2a\xff\xff\xff\xff\x7f")
    save("update_decoder", "field-0", b"\x00\x02\x00")
    save("update_decoder", "known-varint", b"\x00\x08\x01")
    save("update_decoder", "same-names", b"\x00" + b"".join(field(2, agent(l, b"main", "a")) for l in "bcdefghi"))
    save("update_decoder", "many-names", b"\x20" + b"".join(field(1, workspace(l, l.encode() * 200)) for l in "bcdefghijklmnopqrst"))
    save("update_decoder", "refused-twice", b"\x01" + field(1, b"") * 2 + field(1, b"i" * 300))
    save("update_decoder", "many-refused", b"\x00" + field(1, b"") * 20)


def frame(kind, flags, stream, length, body=b""):
    return bytes([0, kind]) + flags.to_bytes(2, "big") + stream.to_bytes(4, "big") + length.to_bytes(4, "big") + body


def yamux():
    for session in ("session1", "session2_error", "session2_badowner", "session4_empty"):
        save("yamux", session, b"\xff" + payload(session, "s2c"))
    save("yamux", "pieces", b"\x04" + payload("session1", "s2c"))
    save("yamux", "pings", b"\x0b" + frame(2, 1, 0, 7) * 3 + frame(2, 2, 0, 1))
    save("yamux", "ping-flood", b"\xff" + frame(2, 1, 0, 7) * 60)
    save("yamux", "streams", b"\x10" + frame(1, 2, 1, 0) + frame(0, 0, 3, 3, b"abc") + frame(0, 4, 1, 2, b"de") +
         frame(1, 8, 5, 0) + frame(0, 4, 7, 3, b"fgh") + frame(1, 0, 7, 5))
    save("yamux", "goaway", b"\x00" + frame(3, 0, 0, 0) + frame(0, 0, 1, 3, b"abc") + frame(3, 0, 0, 2))
    save("yamux", "window", b"\x03" + frame(1, 0, 1, 0xfffbffff) + frame(1, 0, 1, 1))
    save("yamux", "too-much", b"\x07" + frame(0, 0, 1, 3, b"abc") + frame(0, 0, 1, 0x40000))
    save("yamux", "reset-with-data", b"\x07" + frame(0, 8, 1, 3, b"abc") + frame(0, 0, 1, 1, b"x"))
    save("yamux", "server-syn", b"\x07" + frame(1, 1, 2, 0))
    for name, odd in (("type", frame(9, 0, 1, 0)), ("flags", frame(1, 16, 1, 0)), ("ping-stream", frame(2, 1, 1, 0)),
                      ("ping-flags", frame(2, 0, 0, 7)), ("pong", frame(2, 2, 0, 99)), ("goaway-stream", frame(3, 0, 1, 0)),
                      ("goaway-flags", frame(3, 1, 0, 0)), ("zero-flood", frame(1, 0, 1, 0) * 101),
                      ("data-after-fin", frame(1, 4, 1, 0) + frame(0, 0, 1, 1, b"x")),
                      ("fin-after-fin", frame(1, 4, 1, 0) * 2), ("stranger", frame(0, 0, 99, 1, b"x"))):
        save("yamux", "odd-" + name, b"\x07" + odd)


def packet(kind, number, body=b"", done=True, control=False):
    return bytes([kind << 1 | done | control << 7]) + b"\x01" + varint(number) + varint(len(body)) + body


def drpc():
    for session in ("session1", "session2_error", "session2_unimplemented", "session2_badowner"):
        save("drpc", session, b"\xff" + stream_bytes(payload(session, "s2c")))
    save("drpc", "pieces", b"\x02" + stream_bytes(payload("session1", "s2c")))
    save("drpc", "frames", b"\x01" + packet(2, 1, b"ab", False) + packet(2, 1, b"cd", False) + packet(2, 1))
    save("drpc", "given-up", b"\x05" + packet(2, 1, b"ab", False) + packet(2, 9, b"cd") + packet(40, 10, b"x", True, True))
    save("drpc", "cancel-in-message", b"\x05" + packet(2, 1, b"ab", False) + packet(4, 2, b"", True, True))
    save("drpc", "close-send-close", b"\x05" + packet(6, 1) + packet(5, 2) + packet(2, 3))
    save("drpc", "many-frames", b"\xff" + packet(2, 1, b"", False) * 25)
    save("drpc", "long-error", b"\xff" + packet(3, 1, b"\0" * 8 + b"e" * 400))
    save("drpc", "numbers", b"\x00" + packet(2, 2 ** 62) + b"\x05\x01" + b"\x81" * 9 + b"\x01")
    save("drpc", "invoke", b"\x05" + packet(1, 1, b"/x"))
    save("drpc", "id-back", b"\x05" + packet(2, 5) + packet(2, 4))
    save("drpc", "kind-change", b"\x05" + packet(2, 1, b"a", False) + packet(3, 1, b"b"))
    save("drpc", "large-frame", b"\x05" + packet(2, 1, b"x" * 601))
    save("drpc", "large-message", b"\x05" + packet(2, 1, b"x" * 600, False) + packet(2, 1, b"x" * 401))
    save("drpc", "cancel", b"\x05" + packet(4, 1, b"", True, True) + packet(2, 2))
    save("drpc", "short-error", b"\x05" + packet(3, 1, b"1234567"))


ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # what the sample nonce of RFC 6455 wants


def upgrade():
    head = next(l["text"] for l in lines("session1") if l["layer"] == "http-head" and l["dir"] == "s2c").encode()
    good = head.replace(b"zNxEwwfpqZGrMpF2Xlwg3vkTZ0c=", ACCEPT)
    save("upgrade", "session1", b"\xff" + good + b"\x82\x03abc")
    save("upgrade", "pieces", b"\x02" + good)
    save("upgrade", "wrong-accept", b"\x09" + head)
    save("upgrade", "interim", b"\x09HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + good)
    save("upgrade", "extension", b"\x09" + good[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
    save("upgrade", "http10", b"\x09" + good.replace(b"HTTP/1.1", b"HTTP/1.0"))
    save("upgrade", "busy", b"\x07HTTP/1.1 503 Busy\r\nRetry-After: Fri, 01 Jan 2100 00:00:00 GMT\r\n"
         b"Content-Type: text/html\r\nContent-Length: 5\r\n\r\nlaterXX")
    save("upgrade", "redirect", b"\x07HTTP/1.1 302 Found\r\nLocation: http://example.com/\xff\r\nRetry-After: 10\r\n\r\nbody")
    save("upgrade", "two-lengths", b"\x07HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n")
    save("upgrade", "folded", b"\x07HTTP/1.1 101 x\r\nUpgrade: a\r\n b\r\n\r\n")
    save("upgrade", "bare-lf", b"\x07HTTP/1.1 101 x\nUpgrade: a\n\n")
    save("upgrade", "not-http", b"\x07SSH-2.0-OpenSSH\r\n")
    save("upgrade", "status", b"\x07HTTP/1.1 abc\r\n")
    save("upgrade", "no-upgrade", b"\x07" + good.replace(b"Upgrade: websocket\r\n", b""))
    save("upgrade", "no-accept", b"\x07HTTP/1.1 101 x\r\nUpgrade: websocket \t\r\nConnection: upgrade\r\n\r\n")
    save("upgrade", "no-body", b"\x07HTTP/1.1 204 x\r\n\r\n")
    save("upgrade", "long-body", b"\xffHTTP/1.1 500 x\r\n\r\n" + b"body " * 300)
    save("upgrade", "many-fields", b"\xffHTTP/1.1 101 x\r\n" + b"X: y\r\n" * 13)
    save("upgrade", "long-field", b"\xffHTTP/1.1 101 x\r\nX: " + b"y" * 2000)
    save("upgrade", "request", b"h|/coder|id-secret|X-Pass|a b")
    save("upgrade", "request-forged", b"h||t|X|a\r\nY: z")
    save("upgrade", "request-ours", b"h||t|Upgrade|h2c")
    save("upgrade", "request-token", b"h||a\nb")


def ws_frame(opcode, body, fin=True):
    size = len(body)
    head = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big")
    return bytes([fin << 7 | opcode]) + head + body


def ws_session(session):
    """The server's websocket frames, close included."""
    out = b"".join(ws_frame(2, bytes.fromhex(l["hex"])) for l in lines(session)
                   if l["layer"] == "ws-binary-payload" and l["dir"] == "s2c")
    return out + ws_frame(8, b"\x03\xe8")


def websocket():
    save("websocket", "session1", b"\xff" + ws_session("session1"))
    save("websocket", "pieces", b"\x01" + ws_session("session1"))
    save("websocket", "fragments", b"\x04" + ws_frame(2, b"ab", False) + ws_frame(9, b"hi") + ws_frame(0, b"", False) +
         ws_frame(0, b"cd"))
    save("websocket", "close-1012", b"\x07" + ws_frame(8, b"\x03\xf4service restart"))
    save("websocket", "close-utf8", b"\x07" + ws_frame(8, b"\x03\xe8caf\xc3\xa9"))
    save("websocket", "close-odd", b"\x07" + ws_frame(8, b"\x03"))
    save("websocket", "text", b"\x07" + ws_frame(2, b"x") + ws_frame(1, b"text"))
    save("websocket", "lengths", b"\x07" + ws_frame(2, b"y" * 300) + b"\x82\x7f\0\0\1\0\0\0\0\0x")
    save("websocket", "masked", b"\x07\x82\x81\1\2\3\4x")
    save("websocket", "reserved", b"\x07\xc2\x01x")
    save("websocket", "pings", b"\x30" + ws_frame(9, b"") * 120)
    save("websocket", "pongs", b"\x30" + ws_frame(10, b"p") * 20 + ws_frame(2, b"x") + ws_frame(9, b"z" * 125))
    save("websocket", "close-4000", b"\x07" + ws_frame(8, b"\x0f\xa0"))
    save("websocket", "no-random", b"\xfe" + ws_frame(2, b"x") + ws_frame(9, b"y"))
    save("websocket", "fragmented-ping", b"\x07\x09\x00")
    save("websocket", "unread", b"\xff" + (ws_frame(9, b"p" * 125) + ws_frame(2, b"x")) * 29)


def stack():
    head = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
            ACCEPT + b"\r\n\r\n")
    http, ws, mux, rpc = (bytes([layer + 4 * 40]) for layer in range(4))
    save("stack", "http-session1", http + b"\0" + head + ws_session("session1"))
    save("stack", "http-refused", http + b"\0HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}")
    for session in ("session1", "session2_unimplemented", "session2_badowner", "session4_empty"):
        save("stack", "ws-" + session, ws + b"\0" + ws_session(session))
    save("stack", "ws-close-1012", ws + b"\0" + ws_frame(8, b"\x03\xf4restart"))
    for action in (4, 8, 131, 205, 226):  # these pause the first call, and resume it
        save("stack", "acts-%d" % action, bytes([4 * 20 | 3, action]) + stream_bytes(payload("session1", "s2c")))
        save("stack", "acts-mux-%d" % action, bytes([4 * action % 256 | 2, action]) + payload("session1", "s2c"))
    two = (frame(1, 2, 1, 0) + frame(1, 2, 3, 0) + frame(0, 0, 3, 4, b"\5\1\1\0") +
           frame(0, 0, 1, 24, packet(2, 1, field(1, workspace("a", b"")))))
    save("stack", "two-calls", mux + b"\0" + two + frame(0, 0, 1, 4, packet(5, 2)) + frame(1, 4, 1, 0) + frame(3, 0, 0, 0))
    save("stack", "two-calls-acts", mux + b"\x09" + two * 2 + frame(1, 8, 3, 0))
    save("stack", "pings", mux + b"\0" + frame(2, 1, 0, 7) * 5 + two)
    save("stack", "snapshot-deletes", rpc + b"\0" + packet(2, 1, field(3, workspace("a", b"x"))) + packet(2, 2))
    save("stack", "refused-diff", rpc + b"\0" + packet(2, 1) + packet(2, 2, field(1, field(1, b"short"))) + packet(2, 3))
    save("stack", "cut", mux + b"\0" + frame(0, 4, 1, 5, packet(2, 1, b"\x0a", False)))
    save("stack", "error", rpc + b"\0" + packet(3, 1, b"\0" * 7 + b"\x0cno\n"))
    save("stack", "goaway-2", mux + b"\0" + frame(3, 0, 0, 2))
    save("stack", "reset", mux + b"\0" + frame(1, 8, 1, 0) + frame(1, 8, 3, 0))
    save("stack", "reset-in-message", mux + b"\0" + frame(0, 0, 1, 5, packet(2, 1, b"\x0a", False)) + frame(1, 8, 1, 0))
    save("stack", "cancelled", rpc + b"\0" + packet(4, 1, b"", True, True) + packet(2, 2))
    save("stack", "bad-record", rpc + b"\0" + packet(2, 1, field(1, b"\x0a\x20short")))
    save("stack", "http-cut", http + b"\0" + head[:40])
    save("stack", "odd-frame", ws + b"\0" + ws_frame(1, b"text"))
    save("stack", "large-input", bytes([4 * 63 | 3]) + b"\0" + packet(2, 1, field(5, b"x" * 9000)))


if __name__ == "__main__":
    messages()
    yamux()
    drpc()
    upgrade()
    websocket()
    stack()
