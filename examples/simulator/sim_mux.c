/* SPDX-License-Identifier: Apache-2.0 */
#include "examples/simulator/sim_mux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

enum { DATA, WINDOW_UPDATE, PING, GO_AWAY };
enum { SYN = 1, ACK = 2, FIN = 4, RST = 8 };
enum { HEADER = 12, WINDOW = 262144, PIECE = 65536, STREAMS_MAX = 4096 };

struct header {
	uint8_t version, type;
	uint16_t flags;
	uint32_t stream, length;
};

struct sim_mux {
	struct sim_mux_config config;
	struct sim_mux_stream *streams; /* owned */
	unsigned n_streams;
	uint8_t head[HEADER]; /* of the frame that comes in */
	size_t n_head;
	struct header in;
	uint32_t left; /* of its body */
	uint32_t next_ping;
	bool away;
};

static int mux_send_frame(struct sim_mux *mux, uint8_t type, uint16_t flags, uint32_t stream,
    uint32_t length, const void *body)
{
	uint8_t head[HEADER] = { 0, type, (uint8_t)(flags >> 8), (uint8_t)flags };
	uint32_t word = htonl(stream);
	int rc;

	memcpy(head + 4, &word, 4);
	word = htonl(length);
	memcpy(head + 8, &word, 4);
	/* As hashicorp/yamux does: head and body are two writes, so two messages. */
	rc = mux->config.send(mux->config.arg, head, HEADER);
	if (!rc && body)
		rc = mux->config.send(mux->config.arg, body, length);
	return rc;
}

int hf_sim_mux_new(const struct sim_mux_config *config, struct sim_mux **ret_mux)
{
	struct sim_mux *mux = calloc(1, sizeof(*mux));

	if (!mux)
		return -ENOMEM;
	mux->config = *config;
	*ret_mux = mux;
	return 0;
}

/* Takes it out of the list and frees it. */
static void mux_drop(struct sim_mux *mux, struct sim_mux_stream **at)
{
	struct sim_mux_stream *s = *at;

	*at = s->next;
	mux->n_streams--;
	mux->config.gone(mux->config.arg, s);
	evbuffer_free(s->out);
	free(s);
}

void hf_sim_mux_free(struct sim_mux *mux)
{
	if (!mux)
		return;
	while (mux->streams)
		mux_drop(mux, &mux->streams);
	free(mux);
}

void hf_sim_mux_reap(struct sim_mux *mux)
{
	struct sim_mux_stream **at = &mux->streams;

	while (*at) {
		if ((*at)->fin_sent && (*at)->fin_seen)
			mux_drop(mux, at);
		else
			at = &(*at)->next;
	}
}

static struct sim_mux_stream *mux_find(const struct sim_mux *mux, uint32_t id)
{
	struct sim_mux_stream *s = mux->streams;

	while (s && s->id != id)
		s = s->next;
	return s;
}

/* As much as the window allows, and the FIN behind the last. */
static int mux_flush(struct sim_mux_stream *s)
{
	int rc = 0;

	while (!rc && s->send_window && evbuffer_get_length(s->out)) {
		size_t n = evbuffer_get_length(s->out);

		if (n > PIECE)
			n = PIECE;
		if (n > s->send_window)
			n = s->send_window;
		s->send_window -= (uint32_t)n;
		rc = mux_send_frame(
		    s->mux, DATA, 0, s->id, (uint32_t)n, evbuffer_pullup(s->out, (ev_ssize_t)n));
		evbuffer_drain(s->out, n);
	}
	if (!rc && s->fin_wanted && !s->fin_sent && !evbuffer_get_length(s->out)) {
		s->fin_sent = true;
		rc = mux_send_frame(s->mux, WINDOW_UPDATE, FIN, s->id, 0, NULL);
	}
	return rc;
}

int hf_sim_mux_write(struct sim_mux_stream *s, struct evbuffer *bytes)
{
	if (s->fin_wanted || s->fin_sent)
		return -EPIPE;
	if (evbuffer_add_buffer(s->out, bytes))
		return -ENOMEM;
	return mux_flush(s);
}

void hf_sim_mux_finish(struct sim_mux_stream *s)
{
	s->fin_wanted = true;
	mux_flush(s);
}

static void end_both(struct sim_mux_stream *s)
{
	s->fin_wanted = s->fin_sent = s->fin_seen = true;
	evbuffer_drain(s->out, evbuffer_get_length(s->out));
}

void hf_sim_mux_reset(struct sim_mux_stream *s)
{
	if (!s->fin_sent || !s->fin_seen)
		mux_send_frame(s->mux, WINDOW_UPDATE, RST, s->id, 0, NULL);
	end_both(s);
}

void hf_sim_mux_goaway(struct sim_mux *mux, uint32_t code)
{
	mux->away = true;
	mux_send_frame(mux, GO_AWAY, 0, 0, code, NULL);
}

void hf_sim_mux_ping(struct sim_mux *mux)
{
	mux_send_frame(mux, PING, SYN, 0, mux->next_ping++, NULL);
}

static int open_stream(struct sim_mux *mux, uint32_t id)
{
	struct sim_mux_stream *s;

	/* A client that opens several at once may send them in any order. */
	if (id % 2 == 0 || mux_find(mux, id))
		return -EPROTO;
	if (mux->away || mux->n_streams == STREAMS_MAX)
		return mux_send_frame(mux, WINDOW_UPDATE, RST, id, 0, NULL);
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	*s = (struct sim_mux_stream){ .mux = mux,
		.id = id,
		.send_window = WINDOW,
		.out = evbuffer_new(),
		.next = mux->streams };
	if (!s->out) {
		free(s);
		return -ENOMEM;
	}
	mux->streams = s;
	mux->n_streams++;
	if (mux->config.opened(mux->config.arg, s))
		hf_sim_mux_reset(s);
	return mux_send_frame(mux, WINDOW_UPDATE, ACK, id, 0, NULL);
}

static void ended_by_client(struct sim_mux *mux, struct sim_mux_stream *s, uint16_t flags)
{
	if (flags & RST) {
		end_both(s);
	} else if ((flags & FIN) && !s->fin_seen) {
		s->fin_seen = true;
		mux->config.finished(mux->config.arg, s);
	}
}

/* What a header does; the body of data is to come. */
static int take_stream_header(struct sim_mux *mux)
{
	const struct header *h = &mux->in;
	struct sim_mux_stream *s;
	int rc = 0;

	if (h->flags & SYN)
		rc = open_stream(mux, h->stream);
	s = mux_find(mux, h->stream);
	if (h->type == DATA) {
		mux->left = h->length;
		if (s && h->length > WINDOW - s->unacked)
			rc = -EPROTO;
	} else if (s && h->length) {
		s->send_window += h->length;
		rc = rc ? rc : mux_flush(s);
	}
	if (s && !mux->left)
		ended_by_client(mux, s, h->flags);
	return rc;
}

static int mux_take_header(struct sim_mux *mux)
{
	struct header *h = &mux->in;
	uint32_t word;

	*h = (struct header){ .version = mux->head[0],
		.type = mux->head[1],
		.flags = (uint16_t)(mux->head[2] << 8 | mux->head[3]) };
	memcpy(&word, mux->head + 4, 4);
	h->stream = ntohl(word);
	memcpy(&word, mux->head + 8, 4);
	h->length = ntohl(word);
	if (h->version)
		return -EPROTO;
	switch (h->type) {
	case DATA:
	case WINDOW_UPDATE:
		return take_stream_header(mux);
	case PING:
		if (h->flags & SYN)
			return mux_send_frame(mux, PING, ACK, 0, h->length, NULL);
		mux->config.pong(mux->config.arg);
		return 0;
	case GO_AWAY:
		return h->length ? -EPIPE : 0;
	default:
		return -EPROTO;
	}
}

static int mux_take_body(struct sim_mux *mux, const uint8_t *bytes, size_t n)
{
	struct sim_mux_stream *s = mux_find(mux, mux->in.stream);
	int rc = 0;

	mux->left -= (uint32_t)n;
	if (!s)
		return 0; /* one that is gone: the client may not know yet */
	s->unacked += (uint32_t)n;
	mux->config.data(mux->config.arg, s, bytes, n);
	if (s->unacked >= WINDOW / 2) {
		rc = mux_send_frame(mux, WINDOW_UPDATE, 0, s->id, s->unacked, NULL);
		s->unacked = 0;
	}
	if (!mux->left)
		ended_by_client(mux, s, mux->in.flags);
	return rc;
}

int hf_sim_mux_feed(struct sim_mux *mux, const uint8_t *bytes, size_t len)
{
	int rc = 0;

	while (!rc && len) {
		size_t want = mux->left ? mux->left : HEADER - mux->n_head;
		size_t n = len < want ? len : want;

		if (mux->left) {
			rc = mux_take_body(mux, bytes, n);
		} else {
			memcpy(mux->head + mux->n_head, bytes, n);
			mux->n_head += n;
			if (mux->n_head == HEADER) {
				mux->n_head = 0;
				rc = mux_take_header(mux);
			}
		}
		bytes += n;
		len -= n;
	}
	return rc;
}
