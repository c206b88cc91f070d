// SPDX-License-Identifier: Apache-2.0
package main

import (
	"bytes"
	"fmt"
)

// onWire makes a fault of bytes under the websocket.
func onWire(parts ...[]byte) func(c *call, n int) error {
	return func(c *call, _ int) error { return c.x.sendWS(bytes.Join(parts, nil)) }
}

// flood sends a frame N times.
func flood(frame []byte, send func(x *session, b []byte) error) func(c *call, n int) error {
	return func(c *call, n int) error {
		for piece := 4096; n > 0; n -= piece {
			if err := send(c.x, bytes.Repeat(frame, min(n, piece))); err != nil {
				return err
			}
		}
		return nil
	}
}

// unread is a flood while nothing is read.
func unread(then func(c *call, n int) error) func(c *call, n int) error {
	return func(c *call, n int) error {
		c.x.edge.wire.set(func(w *wire) { w.noRead = true })
		return then(c, n)
	}
}

func wsFaults() []fault {
	payload := make([]byte, 125)
	faults := []fault{
		{name: "ws-masked", what: "a masked frame", live: onWire([]byte{0x82, 0x80, 1, 2, 3, 4})},
		{name: "ws-length-top-bit", what: "a length of 2^63", live: onWire([]byte{0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0}, payload)},
		{name: "ws-length-2e40", what: "a length of 2^40", live: onWire([]byte{0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0}, payload)},
		{name: "ws-length-1g", what: "a length of 2^30", live: onWire([]byte{0x82, 127, 0, 0, 0, 0, 0x40, 0, 0, 0}, payload)},
		{name: "ws-length-form-16", what: "a length of 5 in 16 bits", live: onWire([]byte{0x82, 126, 0, 5}, payload[:5])},
		{name: "ws-length-form-64", what: "a length of 5 in 64 bits", live: onWire([]byte{0x82, 127, 0, 0, 0, 0, 0, 0, 0, 5}, payload[:5])},
		{name: "ws-control-long", what: "a ping of 126 bytes", live: onWire([]byte{0x89, 126, 0, 126}, payload, []byte{0})},
		{name: "ws-control-fragmented", what: "a ping in pieces", live: onWire([]byte{0x09, 0})},
		{name: "ws-continuation", what: "a continuation of nothing", live: onWire([]byte{0x80, 0})},
		{name: "ws-new-in-fragment", what: "a new message inside another", live: onWire([]byte{0x02, 0, 0x82, 0})},
		{name: "ws-rsv", what: "a reserved bit", live: onWire([]byte{0xc2, 0})},
		{name: "ws-opcode-3", what: "an opcode that is not there", live: onWire([]byte{0x83, 0})},
		{name: "ws-opcode-11", what: "the same of a control frame", live: onWire([]byte{0x8b, 0})},
		{name: "ws-text", what: "a text message", live: onWire(wsFrame(true, 1, []byte("text")))},
		{name: "ws-text-bad-utf8", what: "a text message that is none", live: onWire(wsFrame(true, 1, []byte{0xc3, 0x28}))},
		{name: "ws-ping-flood", n: 1000000, what: "N pings of 125 bytes", live: flood(wsFrame(true, 9, payload), (*session).sendWS)},
		{name: "ws-ping-flood-empty", n: 1000000, what: "N pings of 0 bytes", live: flood(wsFrame(true, 9, nil), (*session).sendWS)},
		{name: "ws-ping-flood-unread", n: 1000000, what: "N pings, and nothing is read",
			wire: func(w *wire, _ int) { _ = w.SetReadBuffer(4096) },
			live: unread(flood(wsFrame(true, 9, payload), (*session).sendWS))},
		{name: "ws-pong", accept: true, what: "a pong that nobody asked for", live: onWire(wsFrame(true, 10, []byte("x")))},
		{name: "ws-fragments-empty", n: 1000000, what: "a message of N empty pieces; yamux never sends one",
			live: func(c *call, n int) error {
				if err := c.x.sendWS(wsFrame(false, 2, nil)); err != nil {
					return err
				}
				if err := flood(wsFrame(false, 0, nil), (*session).sendWS)(c, n); err != nil {
					return err
				}
				return c.x.sendWS(wsFrame(true, 0, nil))
			}, accept: true},
		{name: "ws-fragments", accept: true, n: 100000, hold: true, what: "a snapshot of one workspace and N unknown bytes, in pieces of one byte",
			live: fragments},
		{name: "ws-close-one-byte", what: "a close frame with half a code", live: onWire([]byte{0x88, 1, 3})},
		{name: "ws-close-bad-utf8", what: "a close frame whose reason is no text", live: onWire(wsFrame(true, 8, []byte{3, 0xe8, 0xc3, 0x28}))},
		{name: "ws-close-empty", what: "a close frame without a code", live: onWire(wsFrame(true, 8, nil))},
	}
	for code := range 16 {
		faults = append(faults, wsClose(1000+code))
	}
	return append(faults, wsClose(0), wsClose(999), wsClose(3000), wsClose(5000), wsClose(65535))
}

func wsClose(code int) fault {
	return fault{name: fmt.Sprintf("ws-close-%d", code), what: "a close frame of that code",
		live: onWire(wsFrame(true, 8, append([]byte{byte(code >> 8), byte(code)}, "the reason"...)))}
}

// fragments is a snapshot that comes in pieces of one byte.
func fragments(c *call, n int) error {
	c.x.conn.mute(c.stream.StreamID()) // the library's windows know nothing of it
	message := appendBytes(appendBytes(nil, 15, make([]byte, min(n, 200000))), upsertedWorkspace, workspaceRecord(idOf(1), "pieces"))
	frame := yamuxBody(c.stream.StreamID(), drpcFrame(drpcMessage, true, 1, 1, message))
	var out []byte
	for i, b := range frame {
		opcode := byte(0)
		if i == 0 {
			opcode = 2
		}
		out = append(out, wsFrame(i == len(frame)-1, opcode, []byte{b})...)
	}
	return c.x.sendWS(out)
}
