/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client/kit_coder.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/client/kit_loop.h"
#include "tests/unit/stream/kit_server.h"

enum { DATA, WINDOW, PING, GOAWAY };
enum { MESSAGES_MAX = 100 }; /* a number is a byte */
enum { SYN = 1, ACK = 2, FIN = 4, RST = 8 };

struct hf_uuid coder_owner(unsigned i)
{
	struct hf_uuid id;

	memset(id.b, 'A' + (int)i, sizeof(id.b));
	return id;
}

struct coder *coder_new(struct curl_connection *line)
{
	struct coder *s = calloc(1, sizeof(*s));

	s->line = line;
	line->server = s;
	return s;
}

void coder_free(struct coder *s)
{
	bytes_done(&s->frames);
	free(s);
}

static int64_t now(void)
{
	return hf_boot_ms(&loop_clock.clock);
}

/* --- what the client sends --- */

static uint32_t u32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void take(struct bytes *b, size_t n)
{
	if (!n)
		return;
	memmove(b->at, b->at + n, b->len - n);
	b->len -= n;
}

static struct coder_stream *stream_of(struct coder *s, uint32_t id)
{
	for (size_t i = 0; i < s->n_streams; i++)
		if (s->streams[i].id == id)
			return &s->streams[i];
	return NULL;
}

static void drop_stream(struct coder *s, struct coder_stream *t)
{
	*t = s->streams[--s->n_streams];
}

static int owner_in(const uint8_t *at, size_t len)
{
	for (unsigned i = 0; i < CODER_OWNERS_MAX; i++) {
		struct hf_uuid id = coder_owner(i);

		if (memmem(at, len, id.b, sizeof(id.b)))
			return (int)i;
	}
	return -1;
}

static void stream_frame(struct coder *s, const uint8_t *head, const uint8_t *data, size_t len,
    void (*on_call)(int owner, void *arg), void *arg)
{
	struct coder_stream *t = stream_of(s, u32(head + 4));

	if (head[3] & SYN) {
		ck_assert_ptr_null(t);
		ck_assert_uint_lt(s->n_streams, CODER_STREAMS_MAX);
		t = &s->streams[s->n_streams++];
		*t = (struct coder_stream){
			.id = u32(head + 4), .owner = -1, .since_ms = now(), .byte_ms = now()
		};
	}
	if (!t)
		return;
	if (t->owner < 0 && len && (t->owner = owner_in(data, len)) >= 0)
		on_call(t->owner, arg);
	if (head[3] & (FIN | RST)) {
		s->cancelled += !t->closed;
		drop_stream(s, t);
	}
}

static void read_frames(struct coder *s, void (*on_call)(int owner, void *arg), void *arg)
{
	size_t at = 0;

	while (s->frames.len - at >= 12) {
		const uint8_t *head = s->frames.at + at;
		size_t len = head[1] == DATA ? u32(head + 8) : 0;

		if (s->frames.len - at < 12 + len)
			break;
		if (head[1] == PING && head[3] & SYN) {
			ck_assert_uint_lt(s->n_pings, CODER_PINGS_MAX);
			s->pings[s->n_pings] = u32(head + 8);
			s->ping_ms[s->n_pings++] = now();
		} else if (head[1] == DATA || head[1] == WINDOW) {
			stream_frame(s, head, head + 12, len, on_call, arg);
		}
		at += 12 + len;
	}
	take(&s->frames, at);
}

/* One frame of the websocket. False: it is not whole yet. */
static bool read_ws(struct coder *s, struct bytes *b)
{
	size_t head = 6, len;
	const uint8_t *mask;

	if (b->len < head)
		return false;
	len = b->at[1] & 0x7f;
	if (len == 126) {
		head = 8;
		len = (size_t)b->at[2] << 8 | b->at[3];
	}
	if (b->len < head + len)
		return false;
	mask = b->at + head - 4;
	for (size_t i = 0; i < len; i++)
		b->at[head + i] ^= mask[i % 4];
	if ((b->at[0] & 0x0f) == 2)
		bytes_add(&s->frames, b->at + head, len);
	s->goodbye |= (b->at[0] & 0x0f) == 8;
	take(b, head + len);
	return true;
}

void coder_read(struct coder *s, void (*on_call)(int owner, void *arg), void *arg)
{
	struct bytes *b = &s->line->sent;

	if (!s->asked) {
		const uint8_t *end = b->len ? memmem(b->at, b->len, "\r\n\r\n", 4) : NULL;

		if (!end)
			return;
		take(b, (size_t)(end - b->at) + 4);
		s->asked = true;
		s->since_ms = s->byte_ms = now();
	}
	while (read_ws(s, b))
		;
	read_frames(s, on_call, arg);
}

/* --- what the server does --- */

static void say(struct coder *s, int type, int flags, uint32_t stream, const void *data, size_t len)
{
	server_yamux(&s->line->to, type, flags, stream, data, len);
	s->byte_ms = now();
}

void coder_upgrade(struct coder *s, bool granted, unsigned status)
{
	char head[160];

	if (granted)
		snprintf(head, sizeof(head), "%s", server_head);
	else
		snprintf(head, sizeof(head),
		    "HTTP/1.1 %u X\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"message\":\"x\"}",
		    status);
	bytes_add(&s->line->to, head, strlen(head));
	s->byte_ms = now();
	s->open = granted;
}

static void message(struct coder *s, struct coder_stream *t, const char *wire)
{
	server_message(&s->line->to, t->id, ++t->message, wire);
	s->byte_ms = t->byte_ms = now();
	t->begun = t->snapshot = true;
}

void coder_message(struct coder *s, struct coder_stream *t, bool whole)
{
	/* A frame of a message that goes on: one more workspace. */
	uint8_t piece[] = { 0x04, 0x01, 0, 23, 0x0a, 21, 0x0a, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0x12, 1, 'w' };
	static uint32_t id;

	if (whole) {
		message(s, t, "0a{0a{$a} 12{'alpha'}} 12{0a{$m} 12{'main'} 1a{$a}}");
		return;
	}
	if (t->message >= MESSAGES_MAX)
		return;
	id++;
	piece[2] = (uint8_t)(t->message + 1);
	memcpy(piece + 8, &id, sizeof(id));
	say(s, DATA, 0, t->id, piece, sizeof(piece));
	t->byte_ms = now();
	t->begun = true;
}

void coder_bad_message(struct coder *s, struct coder_stream *t)
{
	message(s, t, "0a{0a{'x'} 12{'alpha'}}");
}

void coder_error(struct coder *s, struct coder_stream *t, unsigned code)
{
	uint8_t frame[16] = { 0x07, 0x01, 0x00, 0x0b };

	frame[2] = 0x7f; /* a number after all others */
	frame[11] = (uint8_t)code;
	memcpy(frame + 12, "err", 3);
	say(s, DATA, 0, t->id, frame, 15);
	t->closed = true;
}

void coder_close(struct coder *s, struct coder_stream *t)
{
	static const uint8_t frame[] = { 0x0b, 0x01, 0x7f, 0x00 };

	say(s, DATA, 0, t->id, frame, sizeof(frame));
	say(s, WINDOW, FIN, t->id, NULL, 0);
	t->closed = true;
}

void coder_reset(struct coder *s, struct coder_stream *t)
{
	say(s, WINDOW, RST, t->id, NULL, 0);
	drop_stream(s, t);
}

void coder_pong(struct coder *s)
{
	say(s, PING, ACK, 0, NULL, s->pings[0]);
	s->n_pings--;
	memmove(s->pings, s->pings + 1, s->n_pings * sizeof(s->pings[0]));
	memmove(s->ping_ms, s->ping_ms + 1, s->n_pings * sizeof(s->ping_ms[0]));
}

void coder_goaway(struct coder *s)
{
	say(s, GOAWAY, 0, 0, NULL, 0);
	s->goaway = true;
}

void coder_ws_close(struct coder *s)
{
	bytes_add(&s->line->to, "\x88\x02\x03\xe8", 4);
	s->byte_ms = now();
}

void coder_junk(struct coder *s)
{
	bytes_add(&s->line->to, "\x82\x0cjunkjunkjunk", 14);
	s->byte_ms = now();
}
