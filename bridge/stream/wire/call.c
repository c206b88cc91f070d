/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/wire/call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/stream/wire/printable.h"
#include "bridge/stream/wire/tailnet.pb-c.h"

enum { FIRST_KEPT = 4096 };

static int call_fail(struct hf_call *c, enum hf_stream_fault t)
{
	c->trouble = t;
	return hf_stream_fault_code(t);
}

int hf_call_new(const struct hf_stream_limits *limits, struct hf_budget *budget,
    struct hf_arena *arena, const struct hf_uuid *owner, struct hf_call **ret_call)
{
	struct hf_call *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	hf_drpc_init(&c->drpc, limits);
	if (hf_update_decoder_init(&c->messages, limits, budget, arena, owner)) {
		hf_call_free(c);
		return -ENOMEM;
	}
	*ret_call = c;
	return 0;
}

void hf_call_free(struct hf_call *c)
{
	if (!c)
		return;
	hf_update_decoder_done(&c->messages);
	free(c->kept.bytes);
	free(c);
}

void hf_call_start(struct hf_call *c, struct hf_wr *w)
{
	Tailnet__WorkspaceUpdatesRequest request = TAILNET__WORKSPACE_UPDATES_REQUEST__INIT;
	uint8_t packed[18];

	request.workspace_owner_id = (ProtobufCBinaryData){ .data = c->messages.owner.b,
		.len = sizeof(c->messages.owner.b) };
	hf_drpc_invoke(&c->drpc, w, HF_CALL_RPC, packed,
	    tailnet__workspace_updates_request__pack(&request, packed));
	hf_drpc_close_send(&c->drpc, w);
}

static int call_end(struct hf_call *c, struct hf_call_event *ret_event, enum hf_stream_fault t)
{
	if (c->over)
		return 0;
	c->over = true;
	hf_update_decoder_done(&c->messages);
	*ret_event = (struct hf_call_event){ .what = CALL_ENDED, .trouble = t };
	return 1;
}

/* The server has no more to say, and no fault was told. */
static int end_quietly(struct hf_call *c, struct hf_call_event *ret_event)
{
	return call_end(
	    c, ret_event, c->snapshot ? HF_STREAM_FAULT_CALL_ENDED : HF_STREAM_FAULT_CALL_EMPTY);
}

static int end_message(struct hf_call *c, struct hf_call_event *ret_event)
{
	struct hf_update *update = NULL;
	int rc = hf_update_decoder_end(&c->messages, &update);

	if (!rc) {
		c->snapshot = true;
		*ret_event = (struct hf_call_event){ .what = CALL_UPDATE, .update = update };
		return 1;
	}
	if (c->messages.trouble)
		return call_fail(c, c->messages.trouble);
	snprintf(c->text, sizeof(c->text), "%s", c->messages.detail);
	if (!c->snapshot) /* diffs that follow would stand on nothing */
		return call_end(c, ret_event, c->messages.refused);
	*ret_event = (struct hf_call_event){ .what = CALL_REFUSED, .trouble = c->messages.refused };
	return 1;
}

static int end_with_error(
    struct hf_call *c, const struct hf_drpc_event *e, struct hf_call_event *ret_event)
{
	int rc;

	hf_printable_copy(c->text, sizeof(c->text), e->bytes, e->len);
	rc = call_end(c, ret_event, HF_STREAM_FAULT_CALL_ERROR);
	if (rc == 1)
		ret_event->code = e->code;
	return rc;
}

/* What a dRPC event means. 1 and an event, 0, or a code. */
static int call_take_event(
    struct hf_call *c, const struct hf_drpc_event *e, struct hf_call_event *ret_event)
{
	int rc = 0;

	switch (e->what) {
	case DRPC_BEGIN:
		if (!c->over)
			rc = hf_update_decoder_begin(
			    &c->messages, c->snapshot ? HF_UPDATE_DIFF : HF_UPDATE_SNAPSHOT);
		break;
	case DRPC_DATA:
		if (!c->over)
			rc = hf_update_decoder_feed(&c->messages, e->bytes, e->len);
		break;
	case DRPC_END:
		return c->over ? 0 : end_message(c, ret_event);
	case DRPC_ERROR:
		return end_with_error(c, e, ret_event);
	case DRPC_CLOSED:
		return end_quietly(c, ret_event);
	case DRPC_CANCELLED:
		return call_end(c, ret_event, HF_STREAM_FAULT_CALL_CANCELLED);
	}
	return rc ? call_fail(c, c->messages.trouble) : 0;
}

int hf_call_next(struct hf_call *c, struct hf_rd *in, struct hf_call_event *ret_event)
{
	struct hf_drpc_event e;
	int rc = 0;

	if (c->trouble)
		return hf_stream_fault_code(c->trouble);
	while (!rc) {
		rc = hf_drpc_next(&c->drpc, in, &e);
		if (rc < 0)
			return call_fail(c, c->drpc.trouble);
		if (!rc)
			return 0;
		rc = call_take_event(c, &e, ret_event);
	}
	return rc;
}

int hf_call_fin(struct hf_call *c, struct hf_call_event *ret_event)
{
	if (hf_drpc_in_packet(&c->drpc))
		return call_fail(c, HF_STREAM_FAULT_YAMUX_CUT);
	return end_quietly(c, ret_event);
}

int hf_call_rst(struct hf_call *c, struct hf_call_event *ret_event)
{
	if (hf_drpc_in_packet(&c->drpc))
		return call_fail(c, HF_STREAM_FAULT_YAMUX_CUT);
	return call_end(c, ret_event, HF_STREAM_FAULT_CALL_RESET);
}

int hf_call_keep(struct hf_call *c, const uint8_t *bytes, size_t len)
{
	size_t room = c->kept.room ? c->kept.room : FIRST_KEPT;
	uint8_t *grown;

	if (c->kept.at) {
		c->kept.len -= c->kept.at;
		memmove(c->kept.bytes, c->kept.bytes + c->kept.at, c->kept.len);
		c->kept.at = 0;
	}
	while (room - c->kept.len < len)
		room *= 2;
	if (room != c->kept.room) {
		grown = realloc(c->kept.bytes, room);
		if (!grown)
			return -ENOMEM;
		c->kept.bytes = grown;
		c->kept.room = room;
	}
	memcpy(c->kept.bytes + c->kept.len, bytes, len);
	c->kept.len += len;
	return 0;
}

struct hf_rd hf_call_kept(const struct hf_call *c)
{
	return hf_rd(c->kept.bytes + c->kept.at, c->kept.len - c->kept.at);
}

void hf_call_kept_until(struct hf_call *c, const struct hf_rd *in)
{
	c->kept.at = (size_t)(in->at - c->kept.bytes);
	if (c->kept.at < c->kept.len)
		return;
	free(c->kept.bytes);
	c->kept.bytes = NULL;
	c->kept.at = c->kept.len = c->kept.room = 0;
}
