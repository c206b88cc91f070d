/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows hashicorp/yamux spec.md: framing (12 bytes of head, big endian), flags, windows, ping,
 * GoAway. What it leaves open is as its Go library does it.
 */
#include "bridge/stream/wire/yamux.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 0, HEAD = 12 };
enum { TYPE_DATA, TYPE_WINDOW, TYPE_PING, TYPE_GOAWAY };
enum { SYN = 1, ACK = 2, FIN = 4, RST = 8, ALL_FLAGS = SYN | ACK | FIN | RST };
/* As many streams may wait for the peer's end; the oldest of more is reset and forgotten. */
enum { CLOSING_MAX = 64 };

struct hf_yamux_stream {
	uint32_t id;
	uint32_t send_window; /* bytes that we may still send */
	uint32_t recv_window; /* bytes that the peer may still send */
	uint32_t consumed;    /* and not told to the peer yet */
	bool fin;             /* the peer has sent FIN */
	bool our_fin;         /* we have */
	bool closing;         /* and what still comes is passed over */
};

struct frame {
	uint8_t type;
	uint16_t flags;
	uint32_t id;
	uint32_t len;
};

static int yamux_fail(struct hf_yamux *y, enum hf_stream_fault t)
{
	y->trouble = t;
	return hf_stream_fault_code(t);
}

static int add_out(struct hf_yamux *y, const void *bytes, size_t len)
{
	int rc = hf_sendq_add(y->out, bytes, len);

	return rc ? yamux_fail(y, rc == HF_ELIMIT ? HF_STREAM_FAULT_UNSENT : HF_STREAM_FAULT_MEMORY)
		  : 0;
}

static int yamux_send_frame(
    struct hf_yamux *y, uint8_t type, uint16_t flags, uint32_t id, uint32_t len)
{
	uint16_t f = htons(flags);
	uint8_t head[HEAD] = { VERSION, type };

	if (y->trouble)
		return hf_stream_fault_code(y->trouble);
	id = htonl(id);
	len = htonl(len);
	memcpy(head + 2, &f, 2);
	memcpy(head + 4, &id, 4);
	memcpy(head + 8, &len, 4);
	return add_out(y, head, sizeof(head));
}

/* Where the stream is, or where it would be. */
static size_t yamux_place_of(const struct hf_yamux *y, uint32_t id)
{
	size_t low = 0, high = y->n_streams;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (y->streams[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct hf_yamux_stream *yamux_find(struct hf_yamux *y, uint32_t id)
{
	size_t i = yamux_place_of(y, id);

	return i < y->n_streams && y->streams[i].id == id ? &y->streams[i] : NULL;
}

static void yamux_forget(struct hf_yamux *y, struct hf_yamux_stream *s)
{
	y->n_closing -= s->closing;
	y->n_streams--;
	memmove(s, s + 1, (size_t)(y->streams + y->n_streams - s) * sizeof(*s));
}

static int forget_oldest_closing(struct hf_yamux *y)
{
	for (size_t i = 0; i < y->n_streams; i++) {
		struct hf_yamux_stream *s = &y->streams[i];
		uint32_t id = s->id;

		if (!s->closing)
			continue;
		yamux_forget(y, s);
		y->resets[y->n_resets++ % HF_YAMUX_RESETS] = id;
		return yamux_send_frame(y, TYPE_WINDOW, RST, id, 0);
	}
	return 0;
}

static int yamux_set_event(
    struct hf_yamux_event *ret_event, enum hf_yamux_what what, uint32_t stream)
{
	*ret_event = (struct hf_yamux_event){ .what = what, .stream = stream };
	return 1;
}

/* The peer has ended its side. */
static int take_fin(struct hf_yamux *y, struct hf_yamux_stream *s, struct hf_yamux_event *ret_event)
{
	uint32_t id = s->id;
	bool closing = s->closing;

	s->fin = true;
	if (s->our_fin)
		yamux_forget(y, s);
	return closing ? 0 : yamux_set_event(ret_event, YAMUX_FIN, id);
}

static int take_rst(struct hf_yamux *y, struct hf_yamux_stream *s, struct hf_yamux_event *ret_event)
{
	uint32_t id = s->id;
	bool closing = s->closing;

	yamux_forget(y, s);
	return closing ? 0 : yamux_set_event(ret_event, YAMUX_RST, id);
}

static int take_data(struct hf_yamux *y, const struct frame *f, struct hf_yamux_stream *s,
    struct hf_yamux_event *ret_event)
{
	if (s->fin)
		return yamux_fail(y, HF_STREAM_FAULT_YAMUX_STREAM);
	if (f->len > s->recv_window)
		return yamux_fail(y, HF_STREAM_FAULT_YAMUX_WINDOW);
	s->recv_window -= f->len;
	y->left = f->len;
	y->data_id = f->id;
	y->data_fin = (f->flags & (FIN | RST)) == FIN;
	if (f->len)
		hf_control_limit_reset(&y->flood);
	if (f->flags & RST)
		return take_rst(y, s, ret_event); /* its data is passed over */
	return 0;
}

static int take_window(struct hf_yamux *y, const struct frame *f, struct hf_yamux_stream *s,
    struct hf_yamux_event *ret_event)
{
	if (f->len > UINT32_MAX - s->send_window)
		return yamux_fail(y, HF_STREAM_FAULT_YAMUX_OVERFLOW);
	s->send_window += f->len;
	if (f->flags & RST)
		return take_rst(y, s, ret_event);
	if (f->flags & FIN && s->fin)
		return yamux_fail(y, HF_STREAM_FAULT_YAMUX_STREAM);
	return f->flags & FIN ? take_fin(y, s, ret_event) : 0;
}

static bool was_reset(const struct hf_yamux *y, uint32_t id)
{
	for (size_t i = 0; i < HF_YAMUX_RESETS && i < y->n_resets; i++)
		if (y->resets[i] == id)
			return true;
	return false;
}

/*
 * A frame of a stream that we do not have. When both sides have ended it, or it was reset, window
 * updates and resets may still be on their way; and what the peer sent before it saw our reset.
 */
static int take_stray(struct hf_yamux *y, const struct frame *f)
{
	bool was_ours = f->id & 1 && f->id < y->next_id;

	if (was_ours && was_reset(y, f->id)) {
		if (f->type == TYPE_DATA && f->len > HF_YAMUX_WINDOW)
			return yamux_fail(y, HF_STREAM_FAULT_YAMUX_WINDOW);
		y->left = f->type == TYPE_DATA ? f->len : 0;
		y->data_id = f->id; /* which is no stream: passed over */
		return 0;
	}
	if (!was_ours || f->type != TYPE_WINDOW || f->flags & FIN)
		return yamux_fail(y, HF_STREAM_FAULT_YAMUX_STREAM);
	return 0;
}

static int take_ping(struct hf_yamux *y, const struct frame *f, struct hf_yamux_event *ret_event)
{
	if (f->id)
		return yamux_fail(y, HF_STREAM_FAULT_YAMUX_STREAM);
	if (f->flags == SYN) {
		if (hf_control_limit_pongs_hit(y->pongs))
			return yamux_fail(y, HF_STREAM_FAULT_UNSENT);
		return yamux_send_frame(y, TYPE_PING, ACK, 0, f->len);
	}
	if (f->flags != ACK)
		return yamux_fail(y, HF_STREAM_FAULT_YAMUX_FLAGS);
	for (unsigned i = 0; i < y->n_pings; i++) {
		if (y->pings[i] != f->len)
			continue;
		y->pings[i] = y->pings[--y->n_pings];
		return yamux_set_event(ret_event, YAMUX_PONG, 0);
	}
	return yamux_fail(y, HF_STREAM_FAULT_YAMUX_PONG);
}

static int take_goaway(struct hf_yamux *y, const struct frame *f, struct hf_yamux_event *ret_event)
{
	if (f->id)
		return yamux_fail(y, HF_STREAM_FAULT_YAMUX_STREAM);
	if (f->flags)
		return yamux_fail(y, HF_STREAM_FAULT_YAMUX_FLAGS);
	y->goaway_code = f->len;
	if (f->len)
		return yamux_fail(y, HF_STREAM_FAULT_YAMUX_GOAWAY);
	y->going_away = true;
	return yamux_set_event(ret_event, YAMUX_GOAWAY, 0);
}

static struct frame parse_head(const uint8_t head[HEAD])
{
	struct frame f = { .type = head[1] };

	memcpy(&f.flags, head + 2, 2);
	memcpy(&f.id, head + 4, 4);
	memcpy(&f.len, head + 8, 4);
	f.flags = ntohs(f.flags);
	f.id = ntohl(f.id);
	f.len = ntohl(f.len);
	return f;
}

/* A whole head. 1 and an event, 0, or a code. */
static int yamux_take_head(struct hf_yamux *y, int64_t now_ms, struct hf_yamux_event *ret_event)
{
	struct frame f = parse_head(y->head);
	struct hf_yamux_stream *s;

	if (y->head[0] != VERSION)
		return yamux_fail(y, HF_STREAM_FAULT_YAMUX_VERSION);
	if (f.type > TYPE_GOAWAY)
		return yamux_fail(y, HF_STREAM_FAULT_YAMUX_TYPE);
	if (f.flags & ~ALL_FLAGS)
		return yamux_fail(y, HF_STREAM_FAULT_YAMUX_FLAGS);
	if ((f.type != TYPE_DATA || !f.len) &&
	    hf_control_limit_hit(&y->flood, now_ms, y->limits->control, y->limits->control_span_ms))
		return yamux_fail(y, HF_STREAM_FAULT_YAMUX_FLOOD);
	if (f.type == TYPE_PING)
		return take_ping(y, &f, ret_event);
	if (f.type == TYPE_GOAWAY)
		return take_goaway(y, &f, ret_event);
	if (f.flags & SYN)
		return yamux_fail(y, HF_STREAM_FAULT_YAMUX_SYN);
	s = yamux_find(y, f.id);
	if (!s)
		return take_stray(y, &f);
	return f.type == TYPE_DATA ? take_data(y, &f, s, ret_event)
				   : take_window(y, &f, s, ret_event);
}

/* Bytes of a data frame. 1 and an event, or 0. */
static int yamux_take_bytes(struct hf_yamux *y, struct hf_rd *in, struct hf_yamux_event *ret_event)
{
	size_t n = hf_rd_left(in) < y->left ? hf_rd_left(in) : y->left;
	const uint8_t *bytes = hf_rd_bytes(in, n);
	const struct hf_yamux_stream *s = yamux_find(y, y->data_id);

	y->left -= (uint32_t)n;
	if (!s || s->closing)
		return 0;
	*ret_event = (struct hf_yamux_event){
		.what = YAMUX_DATA, .stream = y->data_id, .bytes = bytes, .len = n
	};
	return 1;
}

/* After the last byte of a data frame that had the FIN flag. */
static int take_data_fin(struct hf_yamux *y, struct hf_yamux_event *ret_event)
{
	struct hf_yamux_stream *s = yamux_find(y, y->data_id);

	y->data_fin = false;
	return s ? take_fin(y, s, ret_event) : 0;
}

static void gather_head(struct hf_yamux *y, struct hf_rd *in)
{
	size_t n = HEAD - y->n_head;

	if (n > hf_rd_left(in))
		n = hf_rd_left(in);
	memcpy(y->head + y->n_head, hf_rd_bytes(in, n), n);
	y->n_head += n;
}

bool hf_yamux_pending(const struct hf_yamux *y)
{
	return !y->left && y->data_fin;
}

int hf_yamux_next(
    struct hf_yamux *y, struct hf_rd *in, int64_t now_ms, struct hf_yamux_event *ret_event)
{
	int rc = 0;

	while (!rc && !y->trouble) {
		if (hf_yamux_pending(y)) {
			rc = take_data_fin(y, ret_event);
			continue;
		}
		if (!hf_rd_left(in))
			return 0;
		if (y->left) {
			rc = yamux_take_bytes(y, in, ret_event);
			continue;
		}
		gather_head(y, in);
		if (y->n_head == HEAD) {
			y->n_head = 0;
			rc = yamux_take_head(y, now_ms, ret_event);
		}
	}
	return rc ? rc : hf_stream_fault_code(y->trouble);
}

int hf_yamux_init(struct hf_yamux *y, const struct hf_stream_limits *limits, struct hf_sendq *out,
    struct hf_pongs *pongs)
{
	*y = (struct hf_yamux){ .limits = limits, .out = out, .pongs = pongs, .next_id = 1 };
	y->streams = calloc(limits->streams + CLOSING_MAX + 1, sizeof(*y->streams));
	return y->streams ? 0 : -ENOMEM;
}

void hf_yamux_done(struct hf_yamux *y)
{
	free(y->streams);
	*y = (struct hf_yamux){ 0 };
}

int hf_yamux_open(struct hf_yamux *y, uint32_t *ret_stream)
{
	uint32_t id = y->next_id;
	int rc;

	if (y->going_away || id > INT32_MAX)
		return HF_ECLOSED;
	if (y->n_streams - y->n_closing >= y->limits->streams)
		return -EMFILE;
	rc = yamux_send_frame(y, TYPE_WINDOW, SYN, id, 0);
	if (rc)
		return rc;
	y->streams[y->n_streams++] = (struct hf_yamux_stream){
		.id = id, .send_window = HF_YAMUX_WINDOW, .recv_window = HF_YAMUX_WINDOW
	};
	y->next_id += 2;
	*ret_stream = id;
	return 0;
}

int hf_yamux_write(struct hf_yamux *y, uint32_t stream, const void *bytes, size_t len)
{
	struct hf_yamux_stream *s = yamux_find(y, stream);
	int rc;

	if (!s || s->our_fin)
		return HF_ECLOSED;
	if (len > s->send_window)
		return -EAGAIN;
	s->send_window -= (uint32_t)len;
	rc = yamux_send_frame(y, TYPE_DATA, 0, stream, (uint32_t)len);
	return rc ? rc : add_out(y, bytes, len);
}

int hf_yamux_consumed(struct hf_yamux *y, uint32_t stream, size_t n)
{
	struct hf_yamux_stream *s = yamux_find(y, stream);
	uint32_t told;

	if (!s || s->closing)
		return 0;
	assert(n <= HF_YAMUX_WINDOW - s->recv_window - s->consumed);
	s->consumed += (uint32_t)n;
	if (s->consumed < HF_YAMUX_WINDOW / 2 || s->fin)
		return 0;
	told = s->consumed;
	s->consumed = 0;
	s->recv_window += told;
	return yamux_send_frame(y, TYPE_WINDOW, 0, stream, told);
}

int hf_yamux_fin(struct hf_yamux *y, uint32_t stream)
{
	struct hf_yamux_stream *s = yamux_find(y, stream);
	int rc;

	if (!s || s->our_fin)
		return 0;
	rc = yamux_send_frame(y, TYPE_WINDOW, FIN, stream, 0);
	if (rc)
		return rc;
	s->our_fin = true;
	if (s->fin)
		yamux_forget(y, s);
	return 0;
}

int hf_yamux_close(struct hf_yamux *y, uint32_t stream)
{
	int rc = hf_yamux_fin(y, stream);
	struct hf_yamux_stream *s = yamux_find(y, stream);

	if (rc || !s || s->closing)
		return rc;
	s->closing = true;
	return ++y->n_closing > CLOSING_MAX ? forget_oldest_closing(y) : 0;
}

int hf_yamux_ping(struct hf_yamux *y)
{
	int rc;

	if (y->n_pings == HF_YAMUX_PINGS)
		return -EBUSY;
	rc = yamux_send_frame(y, TYPE_PING, SYN, 0, y->last_ping + 1);
	if (!rc)
		y->pings[y->n_pings++] = ++y->last_ping;
	return rc;
}
