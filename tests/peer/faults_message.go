// SPDX-License-Identifier: Apache-2.0
package main

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// bytesMessage is always the same message.
func bytesMessage(parts ...[]byte) func(*call, int) []byte {
	return func(*call, int) []byte { return slices.Concat(parts...) }
}

func tag(field protowire.Number, kind protowire.Type) []byte {
	return protowire.AppendVarint(nil, uint64(field)<<3|uint64(kind))
}

func ws(id []byte, name string) []byte {
	return appendBytes(nil, upsertedWorkspace, workspaceRecord(id, name))
}

func ag(id []byte, name string, workspace uint32) []byte {
	return appendBytes(nil, upsertedAgent, agentRecord(id, name, idOf(workspace)))
}

func protobufFaults() []fault {
	sample := sampleMessage()
	faults := []fault{
		{name: "protobuf-field-0", what: "field number 0", message: bytesMessage(sample, tag(0, protowire.BytesType), []byte{0})},
		{name: "protobuf-field-large", what: "field number 2^29",
			message: bytesMessage(sample, tag(1<<29, protowire.BytesType), []byte{0})},
		{name: "protobuf-truncated", n: 20, what: fmt.Sprintf("the first N bytes of a message of %d", len(sample)),
			message: func(_ *call, n int) []byte { return sample[:min(n, len(sample))] }},
		{name: "protobuf-length", what: "a record that reaches past its message",
			message: bytesMessage(sample, tag(upsertedAgent, protowire.BytesType), []byte{100, 10, 0})},
		{name: "protobuf-length-inner", what: "a field that reaches past its record",
			message: bytesMessage(sample, appendBytes(nil, upsertedAgent, []byte{10, 100, 0}))},
		{name: "protobuf-varint", what: "a varint of 11 bytes",
			message: bytesMessage(sample, tag(9, protowire.VarintType), slices.Repeat([]byte{0xff}, 10), []byte{1})},
		{name: "protobuf-nested", accept: true, n: 1000, what: "unknown fields, N deep", message: func(_ *call, n int) []byte {
			var b []byte
			for range n {
				b = appendBytes(nil, 15, b)
			}
			return append(b, sample...)
		}},
		{name: "protobuf-duplicate", accept: true, what: "a name twice in a record: the last is good",
			message: bytesMessage(appendBytes(nil, upsertedWorkspace, appendBytes(appendBytes(appendBytes(nil, 1, idOf(1)), 2, []byte("first")), 2, []byte("last"))))},
		{name: "protobuf-packed", accept: true, what: "a status as a packed list, which it is not: unknown",
			message: bytesMessage(appendBytes(nil, upsertedWorkspace, appendBytes(workspaceRecord(idOf(1), "packed"), 19, []byte{3, 3})))},
		{name: "protobuf-status", accept: true, what: "a status that is not there",
			message: bytesMessage(appendBytes(nil, upsertedWorkspace, protowire.AppendVarint(append(workspaceRecord(idOf(1), "status"), tag(3, protowire.VarintType)...), 999)))},
		{name: "protobuf-unknown", accept: true, what: "unknown fields of every kind that is still used",
			message: bytesMessage(sample, tag(9, protowire.VarintType), []byte{5}, tag(10, protowire.Fixed32Type), make([]byte, 4),
				tag(11, protowire.Fixed64Type), make([]byte, 8), appendBytes(nil, 12, []byte("x")))},
	}
	for _, kind := range []protowire.Type{3, 4, 6, 7} {
		faults = append(faults, fault{name: fmt.Sprintf("protobuf-type-%d", kind), what: "a field of that wire type",
			message: bytesMessage(sample, tag(upsertedAgent, kind), []byte{0})})
	}
	return faults
}

// nameFault has a workspace of that name beside a good one.
func nameFault(word, name string, accept bool) fault {
	return fault{name: "semantic-name-" + word, accept: accept, what: "a workspace with such a name, and a good one",
		message: bytesMessage(ws(idOf(1), "good"), ag(agentIDOf(1), "main", 1), ws(idOf(2), name), ag(agentIDOf(2), "main", 2))}
}

func semanticFaults() []fault {
	good := slices.Concat(ws(idOf(1), "good"), ag(agentIDOf(1), "main", 1))
	with := func(parts ...[]byte) func(*call, int) []byte {
		return bytesMessage(good, slices.Concat(parts...))
	}
	faults := []fault{
		{name: "semantic-id", n: 15, what: "a workspace with an id of N bytes (0, 15, 17, 1000000)",
			message: func(_ *call, n int) []byte { return append(slices.Clone(good), ws(make([]byte, n), "bad")...) }},
		{name: "semantic-id-zero", what: "an id of zeros", message: with(ws(make([]byte, 16), "zero"))},
		{name: "semantic-agent-twice", what: "an agent's id twice", message: with(ag(agentIDOf(2), "a", 1), ag(agentIDOf(2), "b", 1))},
		{name: "semantic-name-twice", what: "two agents of one name", message: with(ag(agentIDOf(2), "main", 1))},
		{name: "semantic-workspace-twice", what: "two workspaces of one name", message: with(ws(idOf(2), "good"), ag(agentIDOf(2), "main", 2))},
		{name: "semantic-record-large", n: 5000, what: "a record of N bytes",
			message: func(_ *call, n int) []byte { return append(slices.Clone(good), ws(idOf(2), strings.Repeat("x", n))...) }},
		{name: "semantic-unknown-workspace", what: "an agent of a workspace that is not there", message: with(ag(agentIDOf(2), "main", 77))},
		{name: "semantic-delete-unknown", accept: true, what: "a delete of what is not there",
			message: with(appendBytes(nil, deletedWorkspace, workspaceRecord(idOf(77), "x")), appendBytes(nil, deletedAgent, agentRecord(agentIDOf(77), "x", idOf(77))))},
		{name: "semantic-delete-and-upsert", accept: true, what: "an agent is deleted and upserted in one message",
			message: with(appendBytes(nil, deletedAgent, agentRecord(agentIDOf(1), "main", idOf(1))), ag(agentIDOf(1), "renamed", 1))},
		{name: "semantic-empty", what: "a message of nothing: as a snapshot it is held", message: bytesMessage()},
		{name: "semantic-no-end", hold: true, what: "a message without its end", live: frameOnCall(drpcMessage, false, 0, good)},
		nameFault("empty", "", false), nameFault("long", strings.Repeat("x", 64), false), nameFault("dot", "a.b", false),
		nameFault("space", "a b", false), nameFault("star", "*", false), nameFault("nul", "a\x00b", false),
		nameFault("newline", "a\nb", false), nameFault("quote", "a\"b", false), nameFault("semicolon", "a;b", false),
		nameFault("backslash", "a\\b", false), nameFault("utf8", "caf\u00e9", false), nameFault("bad-utf8", "a\xffb", false),
		nameFault("dash", "-x", true), nameFault("upper", "UPPER", true), nameFault("xn", "xn--caf-dma", true),
		nameFault("63", strings.Repeat("x", 63), true),
	}
	return faults
}
