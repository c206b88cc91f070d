/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows the protobuf encoding guide (base 128 varints, tags, length-delimited records) for the
 * top level; what is inside of a record is protobuf-c's to read.
 */
#include "bridge/stream/wire/update_decoder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/stream/wire/printable.h"
#include "bridge/stream/wire/tailnet.pb-c.h"

enum { UPSERTED_WORKSPACES = 1, UPSERTED_AGENTS, DELETED_WORKSPACES, DELETED_AGENTS };
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };
enum { TAG_BYTES = 5, VARINT_BYTES = 10, FIELD_MAX = (1 << 29) - 1, ID_BYTES = 16 };
/* 2 bytes of an unknown field cost protobuf-c some 130 while it looks at them. */
enum { ARENA_FACTOR = 96 };

static int decoder_fail(struct hf_update_decoder *m, enum hf_stream_fault t)
{
	m->trouble = t;
	hf_update_builder_drop(&m->result);
	return hf_stream_fault_code(t);
}

/* For the codes of update_builder.h. */
static int decoder_fail_code(struct hf_update_decoder *m, int rc)
{
	return rc ? decoder_fail(
			m, rc == HF_ELIMIT ? HF_STREAM_FAULT_RESULTS : HF_STREAM_FAULT_MEMORY)
		  : 0;
}

static void refuse_message(struct hf_update_decoder *m, enum hf_stream_fault t)
{
	m->refused = t;
	hf_update_builder_drop(&m->result);
}

static const char *what_is(uint32_t field)
{
	return field == UPSERTED_WORKSPACES || field == DELETED_WORKSPACES ? "workspace" : "agent";
}

/* An id of a wrong length: in a snapshot this record is refused, in a diff the whole message. */
static void refuse_id_length(struct hf_update_decoder *m, uint32_t field, const char *which,
    size_t len, const struct hf_bytes *name)
{
	char shown[64];

	if (m->kind == HF_UPDATE_SNAPSHOT) {
		hf_update_builder_refuse(
		    &m->result, what_is(field), name, "%s of %zu bytes", which, len);
		return;
	}
	snprintf(m->detail, sizeof(m->detail), "%s '%s': %s of %zu bytes", what_is(field),
	    hf_printable_copy(shown, sizeof(shown), name->at, name->len), which, len);
	refuse_message(m, HF_STREAM_FAULT_UPDATE_RECORD);
}

/* Returns true and the id; or false, when the record (or the message) was refused. */
static bool read_id(struct hf_update_decoder *m, uint32_t field, const char *which,
    const ProtobufCBinaryData *wire, const struct hf_bytes *name, struct hf_uuid *ret_id)
{
	if (wire->len != ID_BYTES) {
		refuse_id_length(m, field, which, wire->len, name);
		return false;
	}
	memcpy(ret_id->b, wire->data, ID_BYTES);
	if (!hf_uuid_is_zero(ret_id))
		return true;
	hf_update_builder_refuse(&m->result, what_is(field), name, "%s of zeros", which);
	return false;
}

static struct hf_bytes bytes_of(const ProtobufCBinaryData *wire)
{
	return (struct hf_bytes){ .at = wire->len ? (const char *)wire->data : "",
		.len = (uint32_t)wire->len };
}

static int add_workspace(struct hf_update_decoder *m, const Tailnet__Workspace *wire)
{
	struct hf_update_workspace w = { .name = bytes_of(&wire->name), .status = wire->status };

	if (!read_id(m, m->field, "id", &wire->id, &w.name, &w.id))
		return 0;
	return decoder_fail_code(
	    m, hf_update_builder_add_workspace(&m->result, m->field == DELETED_WORKSPACES, &w));
}

static int add_agent(struct hf_update_decoder *m, const Tailnet__Agent *wire)
{
	struct hf_update_agent a = { .name = bytes_of(&wire->name) };
	bool deleted = m->field == DELETED_AGENTS;

	if (!read_id(m, m->field, "id", &wire->id, &a.name, &a.id))
		return 0;
	/* Which workspace it was in does not matter to a delete. */
	if (!(deleted && !wire->workspace_id.len) &&
	    !read_id(m, m->field, "workspace id", &wire->workspace_id, &a.name, &a.workspace))
		return 0;
	return decoder_fail_code(m, hf_update_builder_add_agent(&m->result, deleted, &a));
}

static void *decoder_arena_alloc(void *arena, size_t size)
{
	return hf_arena_alloc(arena, size);
}

static void decoder_arena_free(void *arena, void *at)
{
	(void)arena;
	(void)at;
}

/* protobuf-c lets through field numbers that the encoding does not have. */
static bool fields_are_sane(const ProtobufCMessage *msg)
{
	for (unsigned i = 0; i < msg->n_unknown_fields; i++)
		if (!msg->unknown_fields[i].tag || msg->unknown_fields[i].tag > FIELD_MAX)
			return false;
	return true;
}

/* One whole record. What of it must last is copied into the result. */
static int decoder_read_record(struct hf_update_decoder *m, const uint8_t *bytes, size_t len)
{
	ProtobufCAllocator arena = {
		.alloc = decoder_arena_alloc, .free = decoder_arena_free, .allocator_data = m->arena
	};
	bool workspace = m->field == UPSERTED_WORKSPACES || m->field == DELETED_WORKSPACES;
	ProtobufCMessage *msg;

	if (m->refused)
		return 0;
	hf_arena_reset(m->arena);
	msg = protobuf_c_message_unpack(
	    workspace ? &tailnet__workspace__descriptor : &tailnet__agent__descriptor, &arena, len,
	    bytes);
	if (!msg || !fields_are_sane(msg))
		return decoder_fail(m, HF_STREAM_FAULT_PB_RECORD);
	return workspace ? add_workspace(m, (const Tailnet__Workspace *)msg)
			 : add_agent(m, (const Tailnet__Agent *)msg);
}

/* A record over the limit, whose beginning was gathered: its id stands first, if anywhere. */
static void refuse_large_record(struct hf_update_decoder *m)
{
	static const struct hf_bytes no_name = { .at = "" };
	uint64_t id_len = 0;
	size_t i = 1;

	if (m->refused)
		return;
	if (m->n_gather && m->gather[0] == (1 << 3 | WIRE_BYTES)) {
		for (unsigned shift = 0; i < m->n_gather && shift < 63; shift += 7) {
			id_len |= (uint64_t)(m->gather[i] & 0x7f) << shift;
			if (m->gather[i++] < 0x80)
				break;
		}
		if (id_len != ID_BYTES) {
			refuse_id_length(m, m->field, "id", id_len, &no_name);
			return;
		}
	}
	hf_update_builder_refuse(&m->result, what_is(m->field), &no_name, "larger than the limit");
}

static int end_gather(struct hf_update_decoder *m)
{
	m->at = UPDATE_AT_TAG;
	if (!m->skip)
		return decoder_read_record(m, m->gather, m->n_gather);
	m->at = UPDATE_AT_SKIP;
	refuse_large_record(m);
	return 0;
}

/* A length-delimited field of `len` bytes begins. */
static int begin_field(struct hf_update_decoder *m, uint64_t len)
{
	size_t record = m->limits->record;

	if (len > m->limits->message)
		return decoder_fail(m, HF_STREAM_FAULT_PB_LENGTH);
	if (m->field > DELETED_AGENTS) {
		m->skip = len;
		m->at = len ? UPDATE_AT_SKIP : UPDATE_AT_TAG;
		return 0;
	}
	if (m->kind == HF_UPDATE_SNAPSHOT && m->field >= DELETED_WORKSPACES && !m->refused) {
		snprintf(m->detail, sizeof(m->detail), "it deletes %ss", what_is(m->field));
		refuse_message(m, HF_STREAM_FAULT_UPDATE_DELETES);
	}
	m->n_gather = 0;
	m->want = len > record ? record : len;
	m->skip = len - m->want;
	m->at = UPDATE_AT_RECORD;
	return m->want ? 0 : end_gather(m);
}

/* What follows a tag depends on its wire type. */
static int begin_value(struct hf_update_decoder *m, uint64_t tag)
{
	unsigned wire = tag & 7;

	m->field = (uint32_t)(tag >> 3);
	if (tag > UINT32_MAX || !m->field)
		return decoder_fail(m, HF_STREAM_FAULT_PB_TAG);
	if (m->field <= DELETED_AGENTS && wire != WIRE_BYTES)
		return decoder_fail(m, HF_STREAM_FAULT_PB_WIRE);
	switch (wire) {
	case WIRE_VARINT:
		m->at = UPDATE_AT_VARINT;
		return 0;
	case WIRE_BYTES:
		m->at = UPDATE_AT_LENGTH;
		return 0;
	case WIRE_64:
	case WIRE_32:
		m->skip = wire == WIRE_64 ? 8 : 4;
		m->at = UPDATE_AT_SKIP;
		return 0;
	default:
		return decoder_fail(m, HF_STREAM_FAULT_PB_WIRE);
	}
}

/* One byte of a varint of at most `max` bytes. 1 when it is whole, 0 for more, or a code. */
static int decoder_read_number(
    struct hf_update_decoder *m, uint8_t c, unsigned max, enum hf_stream_fault t)
{
	unsigned shift = 7 * m->n_bytes++;

	if (m->n_bytes == max && c > (max == VARINT_BYTES ? 1 : 0x0f))
		return decoder_fail(m, t);
	m->number |= (uint64_t)(c & 0x7f) << shift;
	if (c & 0x80)
		return 0;
	m->n_bytes = 0;
	return 1;
}

static int read_byte(struct hf_update_decoder *m, uint8_t c)
{
	bool tag = m->at == UPDATE_AT_TAG;
	int rc = decoder_read_number(m, c, tag ? TAG_BYTES : VARINT_BYTES,
	    tag ? HF_STREAM_FAULT_PB_TAG : HF_STREAM_FAULT_PB_LENGTH);
	uint64_t number = m->number;

	if (rc <= 0)
		return rc;
	m->number = 0;
	if (tag)
		return begin_value(m, number);
	if (m->at == UPDATE_AT_LENGTH)
		return begin_field(m, number);
	m->at = UPDATE_AT_TAG; /* the value of a field that we do not know */
	return 0;
}

static size_t size_least(uint64_t a, size_t b)
{
	return a < b ? (size_t)a : b;
}

/* Takes what it can of a value; returns how many bytes, or a code. */
static ssize_t decoder_read_value(struct hf_update_decoder *m, const uint8_t *bytes, size_t len)
{
	size_t n;
	int rc;

	if (m->at == UPDATE_AT_SKIP) {
		n = size_least(m->skip, len);
		m->skip -= n;
		if (!m->skip)
			m->at = UPDATE_AT_TAG;
		return (ssize_t)n;
	}
	n = size_least(m->want - m->n_gather, len);
	memcpy(m->gather + m->n_gather, bytes, n);
	m->n_gather += n;
	if (m->n_gather < m->want)
		return (ssize_t)n;
	rc = end_gather(m);
	return rc ? rc : (ssize_t)n;
}

/* The common case: a known field whose record is short and lies here as a whole. Its size, or 0. */
static size_t whole_record(const struct hf_update_decoder *m, const uint8_t *at, size_t left)
{
	unsigned field = at[0] >> 3;

	if (left < 2 || (at[0] & 7) != WIRE_BYTES || field - 1 >= DELETED_AGENTS || at[1] >= 0x80)
		return 0;
	if (m->kind == HF_UPDATE_SNAPSHOT && field >= DELETED_WORKSPACES)
		return 0;
	return at[1] <= left - 2 && at[1] <= m->limits->record ? 2u + at[1] : 0;
}

size_t hf_update_decoder_arena_size(const struct hf_stream_limits *limits)
{
	return (limits->record + 64) * ARENA_FACTOR;
}

int hf_update_decoder_init(struct hf_update_decoder *m, const struct hf_stream_limits *limits,
    struct hf_budget *budget, struct hf_arena *arena, const struct hf_uuid *owner)
{
	*m = (struct hf_update_decoder){ .limits = limits,
		.budget = budget,
		.arena = arena,
		.owner = *owner,
		.gather = malloc(limits->record) };
	return m->gather ? 0 : -ENOMEM;
}

void hf_update_decoder_done(struct hf_update_decoder *m)
{
	hf_update_builder_drop(&m->result);
	free(m->gather);
	*m = (struct hf_update_decoder){ 0 };
}

int hf_update_decoder_begin(struct hf_update_decoder *m, enum hf_update_kind kind)
{
	if (m->trouble)
		return hf_stream_fault_code(m->trouble);
	hf_update_builder_drop(&m->result);
	m->kind = kind;
	m->at = UPDATE_AT_TAG;
	m->number = 0;
	m->n_bytes = 0;
	m->refused = HF_STREAM_FAULT_NONE;
	m->detail[0] = '\0';
	return decoder_fail_code(
	    m, hf_update_builder_begin(&m->result, m->budget, kind, &m->owner));
}

int hf_update_decoder_feed(struct hf_update_decoder *m, const uint8_t *bytes, size_t len)
{
	const uint8_t *at = bytes, *end = bytes + len;

	if (m->trouble)
		return hf_stream_fault_code(m->trouble);
	while (at < end) {
		size_t whole = m->at == UPDATE_AT_TAG && !m->n_bytes
				   ? whole_record(m, at, (size_t)(end - at))
				   : 0;
		ssize_t n = 1;
		int rc = 0;

		if (whole) {
			m->field = at[0] >> 3;
			rc = decoder_read_record(m, at + 2, whole - 2);
			n = (ssize_t)whole;
		} else if (m->at == UPDATE_AT_RECORD || m->at == UPDATE_AT_SKIP) {
			n = decoder_read_value(m, at, (size_t)(end - at));
			rc = n < 0 ? (int)n : 0;
		} else {
			rc = read_byte(m, *at);
		}
		if (rc)
			return rc;
		at += n;
	}
	return 0;
}

int hf_update_decoder_end(struct hf_update_decoder *m, struct hf_update **ret_update)
{
	if (m->trouble)
		return hf_stream_fault_code(m->trouble);
	if (m->at != UPDATE_AT_TAG || m->n_bytes)
		return decoder_fail(m, HF_STREAM_FAULT_PB_TRUNCATED);
	if (m->refused)
		return hf_stream_fault_code(m->refused);
	*ret_update = hf_update_builder_take(&m->result);
	return 0;
}
