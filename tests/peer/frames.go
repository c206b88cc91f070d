// SPDX-License-Identifier: Apache-2.0
package main

import (
	"encoding/binary"

	"google.golang.org/protobuf/encoding/protowire"
)

// Frames by hand, for what the libraries would not send.

const (
	yamuxData byte = iota
	yamuxWindow
	yamuxPing
	yamuxGoAway
)

const (
	yamuxSYN uint16 = 1 << iota
	yamuxACK
	yamuxFIN
	yamuxRST
)

type header []byte // of yamux, 12 bytes

func (h header) kind() byte     { return h[1] }
func (h header) flags() uint16  { return binary.BigEndian.Uint16(h[2:]) }
func (h header) stream() uint32 { return binary.BigEndian.Uint32(h[4:]) }
func (h header) length() uint32 { return binary.BigEndian.Uint32(h[8:]) }

func yamuxFrame(kind byte, flags uint16, stream, length uint32, body ...byte) []byte {
	b := []byte{0, kind}
	b = binary.BigEndian.AppendUint16(b, flags)
	b = binary.BigEndian.AppendUint32(b, stream)
	b = binary.BigEndian.AppendUint32(b, length)
	return append(b, body...)
}

func yamuxBody(stream uint32, body []byte) []byte {
	return yamuxFrame(yamuxData, 0, stream, uint32(len(body)), body...)
}

// wsFrame is a whole message of a server, or a piece of one.
func wsFrame(fin bool, opcode byte, payload []byte) []byte {
	b := []byte{opcode}
	if fin {
		b[0] |= 0x80
	}
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	case n < 65536:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, payload...)
}

const (
	drpcMessage = 2
	drpcError   = 3
	drpcCancel  = 4
	drpcClose   = 5
)

func drpcFrame(kind byte, done bool, stream, message uint64, data []byte) []byte {
	b := []byte{kind << 1}
	if done {
		b[0] |= 1
	}
	b = protowire.AppendVarint(b, stream)
	b = protowire.AppendVarint(b, message)
	b = protowire.AppendVarint(b, uint64(len(data)))
	return append(b, data...)
}
