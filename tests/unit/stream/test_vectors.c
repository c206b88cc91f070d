/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorded sessions of tests/data/vectors: the server's bytes into a stack, whole and split in
 * two at every byte and one byte at a time; what comes out, and what the stack sends.
 */
#include <check.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/stream/wire/yamux.h"
#include "tests/unit/stream/kit_server.h"

Suite *vectors_suite(void);

enum { CLOSE = 4 }; /* bytes of the server's close frame */

struct vector {
	struct bytes from_server; /* head and websocket frames, close included */
	struct bytes from_client; /* the data of its yamux streams */
	uint8_t nonce[18];
	struct hf_uuid owner;
	json_t *lines; /* array */
};

static json_t *read_lines(const char *session)
{
	char path[512], line[32768];
	json_t *lines = json_array();
	FILE *f;

	snprintf(path, sizeof(path), "%s/vectors/%s.jsonl", HF_TESTS_DATA, session);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		ck_assert_int_eq(json_array_append_new(lines, json_loads(line, 0, NULL)), 0);
	fclose(f);
	return lines;
}

static const char *text_of(const json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));

	return text ? text : "";
}

static bool is(const json_t *line, const char *dir, const char *layer)
{
	return !strcmp(text_of(line, "dir"), dir) && !strcmp(text_of(line, "layer"), layer);
}

/* A length that the websocket frames of the server have: any. */
static void put_frame(struct bytes *b, uint8_t first, const uint8_t *body, size_t len)
{
	bytes_u8(b, first);
	bytes_u8(b, len < 126 ? (uint8_t)len : 126);
	if (len >= 126) {
		bytes_u8(b, (uint8_t)(len >> 8));
		bytes_u8(b, (uint8_t)len);
	}
	bytes_add(b, body, len);
}

static void take_line(struct vector *v, const json_t *line)
{
	const char *text = text_of(line, "text"), *key;
	struct bytes body = { 0 };

	bytes_parse(&body, text_of(line, "hex"));
	if (is(line, "c2s", "http-head")) {
		key = strstr(text, "Sec-Websocket-Key: ");
		ck_assert_ptr_nonnull(key);
		ck_assert_int_eq(
		    EVP_DecodeBlock(v->nonce, (const unsigned char *)key + 19, 24), 18);
	} else if (is(line, "s2c", "http-head")) {
		bytes_add(&v->from_server, text, strlen(text));
	} else if (is(line, "s2c", "ws-binary-payload")) {
		put_frame(&v->from_server, 0x82, body.at, body.len);
	} else if (is(line, "c2s", "ws-binary-payload") && !json_object_get(line, "yamux")) {
		if (body.len == 68) /* Invoke and Message, which ends with the owner's id */
			memcpy(v->owner.b, body.at + body.len - 16, 16);
		bytes_add(&v->from_client, body.at, body.len);
	} else if (is(line, "s2c", "ws-close")) {
		put_frame(&v->from_server, 0x88, (const uint8_t *)"\x03\xe8", 2);
	}
	bytes_done(&body);
}

static void load(struct vector *v, const char *session)
{
	size_t i;
	json_t *line;

	*v = (struct vector){ .lines = read_lines(session) };
	json_array_foreach(v->lines, i, line) take_line(v, line);
	server_nonce = v->nonce;
}

static void unload(struct vector *v)
{
	bytes_done(&v->from_server);
	bytes_done(&v->from_client);
	json_decref(v->lines);
	server_nonce = server_sample_nonce;
}

/* Adds the data of yamux frames to `data`; a FIN as "F", a SYN as "S". */
static void unwrap(const struct bytes *mux, struct bytes *data, struct bytes *flags)
{
	/* The two bytes at the end are the code of a close frame. */
	for (size_t at = 0; at + 12 <= mux->len;) {
		const uint8_t *head = mux->at + at;
		size_t len = (size_t)head[8] << 24 | head[9] << 16 | head[10] << 8 | head[11];

		at += 12;
		if (head[3])
			bytes_u8(flags, head[3] == 1 ? 'S' : head[3] == 4 ? 'F' : '?');
		if (head[1] == 0) {
			bytes_add(data, mux->at + at, len);
			at += len;
		}
	}
}

static const struct {
	const char *session;
	const char *told;
	bool same_request; /* the client asked as we do, and ended the call as we do */
	const char *flags;
} sessions[] = {
	{ "session1", "open|update 1 snapshot 3w 3a|update 1 diff 1w 0a|over ws-closed 1000|", true,
	    "SF" },
	{ "session2_badowner", "open|ended 1 call-empty|over ws-closed 1000|", false, "SF" },
	{ "session2_error",
	    "open|ended 1 call-error 'protocol error: unknown rpc: \"/coder.tailnet.v2.Tailnet/Nope\"'|over ws-closed 1000|",
	    false, "SF" },
	{ "session2_unimplemented",
	    "open|ended 1 call-error 12 'workspace updates not supported on this connection'|over ws-closed 1000|",
	    true, "SF" },
	{ "session4_empty", "open|update 1 snapshot 0w 0a|ended 1 call-ended|over ws-closed 1000|",
	    false, "SF" },
};

static void check_sent(struct server_peer *p, const struct vector *v, int row)
{
	struct bytes mux = { 0 }, data = { 0 }, flags = { 0 };

	server_read(p, &mux);
	unwrap(&mux, &data, &flags);
	bytes_u8(&flags, 0);
	ck_assert_str_eq((char *)flags.at, sessions[row].flags);
	if (sessions[row].same_request) {
		ck_assert_uint_eq(data.len, v->from_client.len);
		ck_assert_mem_eq(data.at, v->from_client.at, data.len);
	}
	bytes_done(&mux);
	bytes_done(&data);
	bytes_done(&flags);
}

/*
 * The close frame comes by itself: a call cannot be made on a connection that is known to be over.
 */
static void replay(const struct vector *v, int row, size_t first, size_t piece)
{
	const size_t end = v->from_server.len - CLOSE;
	struct hf_stream_limits limits = HF_STREAM_LIMITS_DEFAULT;
	struct server_peer p = {
		.calls_at_open = 1, .owner = &v->owner, .cancel_after_diff = true
	};

	server_start(&p, &limits);
	server_give(&p, 0, v->from_server.at, first);
	for (size_t at = first; at < end; at += piece)
		server_give(&p, 0, v->from_server.at + at, end - at < piece ? end - at : piece);
	server_give(&p, 0, v->from_server.at + end, CLOSE);
	ck_assert_str_eq(server_told(&p), sessions[row].told);
	if (first == 0)
		check_sent(&p, v, row);
	server_stop(&p);
}

START_TEST(recorded_session_is_followed)
{
	struct vector v;

	load(&v, sessions[_i].session);
	ck_assert_uint_gt(v.from_server.len, 100);
	replay(&v, _i, 0, v.from_server.len);
	replay(&v, _i, 0, 1);
	for (size_t at = 1; at < v.from_server.len - CLOSE; at++)
		replay(&v, _i, at, v.from_server.len);
	unload(&v);
}
END_TEST

/* A session cut at every byte: the half of a message is never told, and the end always. */
START_TEST(cut_session_ends_and_tells_no_half)
{
	static const char *const wanted[] = { "", "open|", "open|update 1 snapshot 3w 3a|",
		"open|update 1 snapshot 3w 3a|update 1 diff 1w 0a|" };
	struct hf_stream_limits limits = HF_STREAM_LIMITS_DEFAULT;
	struct vector v;
	int seen = 0;

	load(&v, "session1");
	for (size_t len = 0; len < v.from_server.len - CLOSE; len++) {
		struct server_peer p = { .calls_at_open = 1, .owner = &v.owner };
		const char *told;

		server_start(&p, &limits);
		server_give(&p, 0, v.from_server.at, len);
		told = server_told(&p);
		if (seen < 3 && !strcmp(told, wanted[seen + 1]))
			seen++;
		/* The server's FIN comes last: it ends the call that we have not given up. */
		if (strncmp(told, wanted[3], strlen(wanted[3])))
			ck_assert_str_eq(told, wanted[seen]);
		hf_stack_eof(p.stack);
		server_take(&p);
		told = server_told(&p);
		ck_assert_msg(
		    !strcmp(told, seen ? "over ws-eof|" : "over http-eof|"), "%zu: %s", len, told);
		server_stop(&p);
	}
	ck_assert_int_eq(seen, 3);
	unload(&v);
}
END_TEST

/*
 * session3_big has the heads of all frames but not their data: the same frames around a message of
 * our own, as long as theirs. The window that we give must let the server send it all.
 */
enum { PAIR = 78, WORKSPACES = 9000 };

static void put_pair(struct bytes *b, unsigned n)
{
	uint8_t w[16] = { 1, (uint8_t)(n >> 8), (uint8_t)n },
		a[16] = { 2, (uint8_t)(n >> 8), (uint8_t)n };
	char name[11];

	snprintf(name, sizeof(name), "bulk%06u", n);
	bytes_parse(b, "0a 20 0a 10");
	bytes_add(b, w, 16);
	bytes_parse(b, "12 0a");
	bytes_add(b, name, 10);
	bytes_parse(b, "18 03 12 2a 0a 10");
	bytes_add(b, a, 16);
	bytes_parse(b, "12 04 'main' 1a 10");
	bytes_add(b, w, 16);
}

/* The dRPC frames of the recording around our message. */
static void frame_message(const json_t *lines, const struct bytes *message, struct bytes *stream)
{
	const json_t *line, *frame;
	size_t i, j, at = 0;

	json_array_foreach(lines, i, line)
	{
		if (!is(line, "s2c", "ws-binary-payload"))
			continue;
		json_array_foreach(json_object_get(line, "drpc"), j, frame)
		{
			size_t len = (size_t)json_integer_value(json_object_get(frame, "data_len"));

			if (strcmp(text_of(frame, "kind"), "Message"))
				continue;
			bytes_parse(stream, text_of(frame, "frame_hdr_hex"));
			ck_assert_uint_le(at + len, message->len);
			bytes_add(stream, message->at + at, len);
			at += len;
		}
	}
	ck_assert_uint_eq(at, message->len);
}

/* What the stack gives the server to send. */
static uint32_t window_updates(struct server_peer *p)
{
	struct bytes mux = { 0 };
	uint32_t sum = 0;

	server_read(p, &mux);
	for (size_t at = 0; at + 12 <= mux.len; at += 12) {
		const uint8_t *head = mux.at + at;

		if (head[1] == 0)
			break;
		sum += (uint32_t)head[8] << 24 | head[9] << 16 | head[10] << 8 | head[11];
	}
	bytes_done(&mux);
	return sum;
}

START_TEST(large_snapshot_comes_through_in_the_recorded_frames)
{
	struct hf_stream_limits limits = HF_STREAM_LIMITS_DEFAULT;
	struct server_peer p = { .calls_at_open = 1 };
	struct bytes message = { 0 }, stream = { 0 }, wire = { 0 };
	struct vector v;
	uint32_t window = HF_YAMUX_WINDOW;
	size_t i, at = 0;
	json_t *line;

	load(&v, "session3_big");
	for (unsigned n = 0; n < WORKSPACES; n++)
		put_pair(&message, n);
	ck_assert_uint_eq(message.len, PAIR * WORKSPACES);
	frame_message(v.lines, &message, &stream);
	server_nonce = server_sample_nonce;
	server_start(&p, &limits);
	server_give(&p, 0, (const uint8_t *)server_head, strlen(server_head));
	window_updates(&p);
	json_array_foreach(v.lines, i, line)
	{
		const json_t *frame = json_array_get(json_object_get(line, "yamux"), 0);
		size_t len = (size_t)json_integer_value(json_object_get(frame, "len"));

		if (!is(line, "s2c", "ws-binary-payload") ||
		    strcmp(text_of(frame, "type"), "data") || at == stream.len)
			continue;
		ck_assert_uint_le(at + len, stream.len);
		ck_assert_uint_le(len, window);
		server_yamux(&wire, 0, 0, 1, stream.at + at, len);
		at += len;
		window -= (uint32_t)len;
		ck_assert_int_eq(server_give(&p, 0, wire.at, wire.len), 0);
		window += window_updates(&p);
		wire.len = 0;
	}
	ck_assert_uint_eq(at, stream.len);
	ck_assert_str_eq(server_told(&p), "open|update 1 snapshot 9000w 9000a|");
	server_stop(&p);
	unload(&v);
	bytes_done(&message);
	bytes_done(&stream);
	bytes_done(&wire);
}
END_TEST

Suite *vectors_suite(void)
{
	Suite *s = suite_create("vectors");
	TCase *tc = tcase_create("vectors");

	tcase_add_loop_test(
	    tc, recorded_session_is_followed, 0, sizeof(sessions) / sizeof(sessions[0]));
	tcase_add_test(tc, cut_session_ends_and_tells_no_half);
	tcase_add_test(tc, large_snapshot_comes_through_in_the_recorded_frames);
	suite_add_tcase(s, tc);
	return s;
}
