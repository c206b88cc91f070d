// SPDX-License-Identifier: Apache-2.0
package main

import (
	"encoding/binary"

	"google.golang.org/protobuf/encoding/protowire"
)

// onSession makes a fault of a yamux frame.
func onSession(frames ...[]byte) func(c *call, n int) error {
	return func(c *call, _ int) error {
		for _, f := range frames {
			if err := c.x.sendYamux(f); err != nil {
				return err
			}
		}
		return nil
	}
}

// onStream has a frame of the call's own stream.
func onStream(kind byte, flags uint16, length uint32, body ...byte) func(c *call, n int) error {
	return func(c *call, _ int) error {
		return c.x.sendYamux(yamuxFrame(kind, flags, c.stream.StreamID(), length, body...))
	}
}

// goAway, and then life goes on.
func goAway(code uint32) fault {
	names := map[uint32]string{0: "normal", 1: "protocol", 2: "internal", 99: "unknown"}
	return fault{name: "yamux-goaway-" + names[code], accept: code == 0, what: "GoAway, and then more data",
		live: onSession(yamuxFrame(yamuxGoAway, 0, 0, code))}
}

func sampleMessage() []byte {
	m := appendBytes(nil, upsertedWorkspace, workspaceRecord(idOf(1), "sample"))
	return appendBytes(m, upsertedAgent, agentRecord(agentIDOf(1), "main", idOf(1)))
}

// half of a message, and then something.
func halfThen(then func(c *call, n int) error) func(c *call, n int) error {
	return func(c *call, n int) error {
		frame := drpcFrame(drpcMessage, true, c.rpcID(), c.nextID(), sampleMessage())
		if _, err := c.stream.Write(frame[:len(frame)/2]); err != nil {
			return err
		}
		err := then(c, n)
		c.x.conn.mute(c.stream.StreamID())
		return err
	}
}

func both(first, second func(c *call, n int) error) func(c *call, n int) error {
	return func(c *call, n int) error {
		if err := first(c, n); err != nil {
			return err
		}
		return second(c, n)
	}
}

func sendYamux(x *session, b []byte) error { return x.sendYamux(b) }

var yamuxFaults = []fault{
	{name: "yamux-version-1", what: "a frame of version 1", live: onSession([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})},
	{name: "yamux-type-4", what: "a type that is not there", live: onSession(yamuxFrame(4, 0, 0, 0))},
	{name: "yamux-type-255", what: "the last type", live: onSession(yamuxFrame(255, 0, 0, 0))},
	{name: "yamux-flags-10", what: "a flag that is not there", live: onStream(yamuxWindow, 0x10, 0)},
	{name: "yamux-flags-all", what: "all flags", live: onStream(yamuxWindow, 0xffff, 0)},
	{name: "yamux-unknown-stream", what: "data for a stream that was never opened", live: onSession(yamuxFrame(yamuxData, 0, 999, 1, 'x'))},
	{name: "yamux-stream-0", what: "data for stream 0", live: onSession(yamuxFrame(yamuxData, 0, 0, 1, 'x'))},
	{name: "yamux-syn-odd", what: "a stream of the server with a client's number", live: onSession(yamuxFrame(yamuxWindow, yamuxSYN, 999, 0))},
	{name: "yamux-syn-even", what: "a stream of the server", live: onSession(yamuxFrame(yamuxWindow, yamuxSYN, 2, 0))},
	{name: "yamux-syn-duplicate", what: "the call's stream is opened by the server", live: onStream(yamuxWindow, yamuxSYN, 0)},
	{name: "yamux-syn-flood", n: 1000000, what: "N streams of the server", live: func(c *call, n int) error {
		for id := uint32(2); n > 0; n -= 4096 {
			var b []byte
			for i := 0; i < min(n, 4096); i, id = i+1, id+2 {
				b = append(b, yamuxFrame(yamuxWindow, yamuxSYN, id, 0)...)
			}
			if err := c.x.sendYamux(b); err != nil {
				return err
			}
		}
		return nil
	}},
	{name: "yamux-window-overflow", what: "a window over 2^32", live: onStream(yamuxWindow, 0, 0xffffffff)},
	{name: "yamux-window-flood", n: 1000000, what: "N window updates of 0", live: func(c *call, n int) error {
		return flood(yamuxFrame(yamuxWindow, 0, c.stream.StreamID(), 0), sendYamux)(c, n)
	}},
	{name: "yamux-over-window", what: "more data than the client's window has", live: func(c *call, _ int) error {
		return c.x.sendYamux(yamuxBody(c.stream.StreamID(), make([]byte, 600000)))
	}},
	{name: "yamux-length-4g", what: "data of 2^32-1 bytes", live: onStream(yamuxData, 0, 0xffffffff)},
	{name: "yamux-ping-flood", n: 1000000, what: "N pings", live: flood(yamuxFrame(yamuxPing, yamuxSYN, 0, 1), sendYamux)},
	{name: "yamux-ping-flood-unread", n: 1000000, what: "N pings, and nothing is read",
		wire: func(w *wire, _ int) { _ = w.SetReadBuffer(4096) },
		live: unread(flood(yamuxFrame(yamuxPing, yamuxSYN, 0, 1), sendYamux))},
	{name: "yamux-pong-unknown", accept: true, what: "an answer to a ping that nobody sent", live: onSession(yamuxFrame(yamuxPing, yamuxACK, 0, 12345))},
	{name: "yamux-no-pong", what: "pings are never answered", session: func(x *session, _ int) { x.conn.noPongs = true }},
	goAway(0), goAway(1), goAway(2), goAway(99),
	{name: "yamux-rst-mid", hold: true, what: "half a message, and RST", live: halfThen(onStream(yamuxWindow, yamuxRST, 0))},
	{name: "yamux-fin-mid", hold: true, what: "half a message, and FIN", live: halfThen(onStream(yamuxWindow, yamuxFIN, 0))},
	{name: "yamux-data-after-fin", hold: true, what: "FIN, and then data",
		live: both(onStream(yamuxWindow, yamuxFIN, 0), onStream(yamuxData, 0, 4, 1, 2, 3, 4))},
	{name: "yamux-data-after-rst", hold: true, accept: true, what: "RST, and data that was on its way",
		live: both(onStream(yamuxWindow, yamuxRST, 0), onStream(yamuxData, 0, 4, 1, 2, 3, 4))},
}

// rpcID is drpc's number of the call: the first of its stream.
func (c *call) rpcID() uint64 { return 1 }

// nextID is the number of the call's next message.
func (c *call) nextID() uint64 { return c.sent.Load() + 1 }

// onCall makes a fault of bytes in the call's stream.
func onCall(make func(c *call, n int) []byte) func(c *call, n int) error {
	return func(c *call, n int) error {
		_, err := c.stream.Write(make(c, n))
		return err
	}
}

func bytesOnCall(b ...byte) func(c *call, n int) error {
	return onCall(func(*call, int) []byte { return b })
}

// frames adds some of the call, with the number of its next message plus `ahead`.
func frameOnCall(kind byte, done bool, ahead uint64, data []byte) func(c *call, n int) error {
	return onCall(func(c *call, _ int) []byte { return drpcFrame(kind, done, c.rpcID(), c.nextID()+ahead, data) })
}

func lengthOnly(length uint64) func(c *call, n int) error {
	return onCall(func(c *call, _ int) []byte {
		b := []byte{drpcMessage<<1 | 1}
		b = protowire.AppendVarint(protowire.AppendVarint(b, c.rpcID()), c.nextID())
		return append(protowire.AppendVarint(b, length), "some bytes"...)
	})
}

func errorFrame(c *call, text []byte) []byte {
	return drpcFrame(drpcError, true, c.rpcID(), c.nextID(), append(binary.BigEndian.AppendUint64(nil, 7), text...))
}

var drpcFaults = []fault{
	{name: "drpc-varint-11", what: "a varint of 11 bytes",
		live: bytesOnCall(5, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 1, 0)},
	{name: "drpc-varint-long", hold: true, what: "a varint with bytes that say nothing",
		live: onCall(func(c *call, _ int) []byte { return append([]byte{5, 0x81, 0}, byte(c.nextID()), 0) })},
	{name: "drpc-length-2e63", what: "a frame of 2^63 bytes", live: lengthOnly(1 << 63)},
	{name: "drpc-frame-large", n: 256 << 20, what: "a frame of N bytes is announced",
		live: func(c *call, n int) error { return lengthOnly(uint64(n))(c, n) }},
	{name: "drpc-message-large", n: 65, what: "a message of N MiB of fields that nobody knows", live: func(c *call, n int) error {
		piece := appendBytes(nil, 15, make([]byte, 1<<20))
		for range n {
			if _, err := c.stream.Write(drpcFrame(drpcMessage, false, c.rpcID(), c.nextID(), piece)); err != nil {
				return err
			}
		}
		return nil
	}},
	{name: "drpc-frames-many", n: 10000, what: "N frames of one message without an end",
		live: onCall(func(c *call, n int) []byte {
			var b []byte
			for range n {
				b = append(b, drpcFrame(drpcMessage, false, c.rpcID(), c.nextID(), nil)...)
			}
			return b
		})},
	{name: "drpc-call-0", what: "a message of call 0", live: bytesOnCall(5, 0, 1, 0)},
	{name: "drpc-message-0", what: "message 0", live: bytesOnCall(5, 1, 0, 0)},
	{name: "drpc-call-other", what: "a message of a call that nobody made", live: bytesOnCall(5, 5, 1, 0)},
	{name: "drpc-id-back", hold: true, what: "message 9, and then 3",
		live: onCall(func(c *call, _ int) []byte {
			return append(drpcFrame(drpcMessage, true, 1, 9, sampleMessage()), drpcFrame(drpcMessage, true, 1, 3, nil)...)
		})},
	{name: "drpc-id-again", hold: true, what: "a message's number again",
		live: onCall(func(c *call, _ int) []byte {
			return append(drpcFrame(drpcMessage, true, 1, c.nextID(), sampleMessage()),
				drpcFrame(drpcMessage, true, 1, c.nextID(), nil)...)
		})},
	{name: "drpc-error-short", hold: true, what: "an error of three bytes", live: frameOnCall(drpcError, true, 0, []byte("abc"))},
	{name: "drpc-error-long", hold: true, n: 4 << 20, what: "an error with N bytes of text",
		live: onCall(func(c *call, n int) []byte { return errorFrame(c, make([]byte, n)) })},
	{name: "drpc-error-text", hold: true, what: "an error whose text would forge lines",
		live: onCall(func(c *call, _ int) []byte { return errorFrame(c, []byte("a\nb\x1b[31m\x00\xff%s%n")) })},
	{name: "drpc-close-then-message", hold: true, what: "Close, and then a message",
		live: both(frameOnCall(drpcClose, true, 0, nil), frameOnCall(drpcMessage, true, 1, sampleMessage()))},
	{name: "drpc-cancel-mid", hold: true, what: "half a message, and Cancel",
		live: both(frameOnCall(drpcMessage, false, 0, sampleMessage()), frameOnCall(drpcCancel, true, 1, nil))},
	{name: "drpc-close-mid", hold: true, what: "half a message, and Close",
		live: both(frameOnCall(drpcMessage, false, 0, sampleMessage()), frameOnCall(drpcClose, true, 1, nil))},
	{name: "drpc-kind-0", what: "a frame of no kind", live: frameOnCall(0, true, 0, nil)},
	{name: "drpc-kind-30", what: "a kind that is not there", live: frameOnCall(30, true, 0, nil)},
	{name: "drpc-invoke", what: "the server calls", live: frameOnCall(1, true, 0, []byte(followRPC))},
	{name: "drpc-control", accept: true, hold: true, what: "a frame with the control bit of an unknown kind, and a message",
		live: both(frameOnCall(0x40|30, true, 0, nil), frameOnCall(drpcMessage, true, 1, sampleMessage()))},
}
