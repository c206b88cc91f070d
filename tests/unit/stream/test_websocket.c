/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of the server: "82 {...}" is a binary message, "89 00" a ping. Payload comes out as it is.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bridge/stream/wire/websocket.h"
#include "tests/unit/stream/kit_bytes.h"

Suite *websocket_suite(void);

static struct hf_stream_limits limits;
static struct hf_sendq out;
static struct hf_pongs pongs;
static struct hf_ws *ws;
static struct bytes told;
static bool no_random;

static void on_data(void *arg, const uint8_t *bytes, size_t len)
{
	bytes_add(arg, bytes, len);
}

static void on_end(void *arg, bool text)
{
	bytes_parse(arg, text ? "'|text|'" : "'|binary|'");
}

static int on_random(void *arg, uint8_t *buf, size_t len)
{
	(void)arg;
	memset(buf, 0x55, len);
	return no_random ? -1 : 0;
}

static void open_ws(void (*message_end)(void *, bool))
{
	const struct hf_ws_config config = { .limits = &limits,
		.out = &out,
		.pongs = &pongs,
		.random = on_random,
		.data = on_data,
		.message_end = message_end,
		.arg = &told };

	ck_assert_int_eq(hf_ws_new(&config, &ws), 0);
}

static void setup(void)
{
	limits = (struct hf_stream_limits)HF_STREAM_LIMITS_DEFAULT;
	limits.ws_frame = 70000;
	pongs = (struct hf_pongs){ .max = limits.pongs };
	no_random = false;
	hf_sendq_init(&out, limits.unsent);
	open_ws(NULL);
}

static void teardown(void)
{
	hf_ws_free(ws);
	hf_sendq_done(&out);
	bytes_done(&told);
}

static int give_at(int64_t now, const uint8_t *bytes, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	int rc;

	ck_assert_ptr_nonnull(exact);
	if (len)
		memcpy(exact, bytes, len);
	rc = hf_ws_recv(ws, now, exact, len);
	free(exact);
	return rc;
}

static int give(const char *wire)
{
	struct bytes b = { 0 };
	int rc;

	bytes_parse(&b, wire);
	rc = give_at(0, b.at, b.len);
	bytes_done(&b);
	return rc;
}

#define ck_assert_told(text)                                                                       \
	do {                                                                                       \
		bytes_u8(&told, 0);                                                                \
		ck_assert_str_eq((char *)told.at, text);                                           \
		told.len = 0;                                                                      \
	} while (0)

/* What was sent since the last time: whole frames, unmasked again, in the notation. */
static void assert_sent(const char *wire)
{
	struct bytes want = { 0 }, sent = { 0 };
	const uint8_t *b;
	size_t n = hf_sendq_peek(&out, &b);

	bytes_parse(&want, wire);
	for (size_t i = 0; i < n;) {
		size_t len = b[i + 1] & 0x7f;

		ck_assert_uint_eq(b[i + 1] & 0x80, 0x80); /* a client's frames are masked */
		ck_assert_uint_lt(len, 126);
		ck_assert_mem_eq(b + i + 2, "\x55\x55\x55\x55", 4);
		bytes_u8(&sent, b[i]);
		bytes_u8(&sent, (uint8_t)len);
		for (i += 6; len; len--)
			bytes_u8(&sent, b[i++] ^ 0x55);
	}
	hf_sendq_sent(&out, n);
	pongs.unsent = 0;
	ck_assert_uint_eq(sent.len, want.len);
	if (want.len)
		ck_assert_mem_eq(sent.at, want.at, want.len);
	bytes_done(&want);
	bytes_done(&sent);
}

struct row {
	const char *name;
	const char *wire;
	enum hf_stream_fault trouble;
	const char *told;
	const char *sent;
};

static const struct row rows[] = {
	{ "nothing", "", 0, "", "" },
	{ "binary messages", "82{'abc'} 82{'de'}", 0, "abcde", "" },
	{ "an empty message", "82 00 82{'de'}", 0, "de", "" },
	{ "fragments", "02{'a'} 00{'b'} 00 00 80{'c'}", 0, "abc", "" },
	{ "empty fragments", "02 00 00 00 80 00 82{'x'}", 0, "x", "" },
	{ "16-bit length", "82 7e 00 7e x126:61", 0, NULL, "" },
	{ "64-bit length", "82 7f 00 00 00 00 00 01 00 00 x65536:61", 0, NULL, "" },
	{ "a ping", "89{'hi'} 82{'x'}", 0, "x", "8a{'hi'}" },
	{ "a ping without payload", "89 00", 0, "", "8a 00" },
	{ "a ping within a fragmented message", "02{'a'} 89{'hi'} 80{'b'}", 0, "ab", "8a{'hi'}" },
	{ "a ping of 125 bytes", "89{x125:61}", 0, "", "8a{x125:61}" },
	{ "a pong unasked", "8a{'hi'} 82{'x'}", 0, "x", "" },

	{ "a masked frame", "82 81 01 02 03 04 60", HF_STREAM_FAULT_WS_PROTOCOL, "", "88{03 ea}" },
	{ "RSV1", "c2{'x'}", HF_STREAM_FAULT_WS_PROTOCOL, "", "88{03 ea}" },
	{ "RSV2", "a2{'x'}", HF_STREAM_FAULT_WS_PROTOCOL, "", "88{03 ea}" },
	{ "RSV3", "92{'x'}", HF_STREAM_FAULT_WS_PROTOCOL, "", "88{03 ea}" },
	{ "opcode 3", "83{'x'}", HF_STREAM_FAULT_WS_PROTOCOL, "", "88{03 ea}" },
	{ "opcode 7", "87{'x'}", HF_STREAM_FAULT_WS_PROTOCOL, "", "88{03 ea}" },
	{ "opcode 11", "8b 00", HF_STREAM_FAULT_WS_PROTOCOL, "", "88{03 ea}" },
	{ "opcode 15", "8f 00", HF_STREAM_FAULT_WS_PROTOCOL, "", "88{03 ea}" },
	{ "a continuation of nothing", "80{'x'}", HF_STREAM_FAULT_WS_PROTOCOL, "", "88{03 ea}" },
	{ "a continuation after the end", "82{'x'} 80{'y'}", HF_STREAM_FAULT_WS_PROTOCOL, "x",
	    "88{03 ea}" },
	{ "a new message inside of a fragmented one", "02{'a'} 82{'b'}",
	    HF_STREAM_FAULT_WS_PROTOCOL, "a", "88{03 ea}" },
	{ "a fragmented ping", "09{'x'}", HF_STREAM_FAULT_WS_PROTOCOL, "", "88 00" },
	{ "a fragmented close", "08{03 e8}", HF_STREAM_FAULT_WS_PROTOCOL, "", "88 00" },
	{ "a ping of 126 bytes", "89 7e 00 7e x126:61", HF_STREAM_FAULT_WS_PROTOCOL, "", "88 00" },
	{ "a 16-bit length that is not minimal", "82 7e 00 7d x125:61", HF_STREAM_FAULT_WS_PROTOCOL,
	    "", "88 00" },
	{ "a 64-bit length that is not minimal", "82 7f 00 00 00 00 00 00 ff ff",
	    HF_STREAM_FAULT_WS_PROTOCOL, "", "88 00" },
	{ "a length with the top bit", "82 7f 80 00 00 00 00 00 00 00", HF_STREAM_FAULT_WS_PROTOCOL,
	    "", "88 00" },
	{ "a length of 2^40", "82 7f 00 00 01 00 00 00 00 00 61", HF_STREAM_FAULT_WS_SIZE, "",
	    "88{03 f1}" },
	{ "a frame over the limit", "82 7f 00 00 00 00 00 01 11 71 61", HF_STREAM_FAULT_WS_SIZE, "",
	    "88{03 f1}" },
	{ "text", "82{'x'} 81{'hi'}", HF_STREAM_FAULT_WS_TEXT, "x", "" },
	{ "text that is not UTF-8", "81{ff}", HF_STREAM_FAULT_WS_TEXT, "", "" },
	{ "an empty text", "81 00", HF_STREAM_FAULT_WS_TEXT, "", "" },
	{ "a text in fragments", "01{'a'} 80{'b'}", HF_STREAM_FAULT_WS_TEXT, "", "" },
	{ "close, and data after it", "88{03 e8} 82{'x'}", HF_STREAM_FAULT_WS_CLOSED, "",
	    "88{03 e8}" },
};

START_TEST(frames_give_payload_or_a_trouble)
{
	const struct row *r = &rows[_i];
	struct bytes b = { 0 };

	bytes_parse(&b, r->wire);
	for (size_t split = 0; split <= b.len; split += b.len > 1000 ? 499 : 1) {
		int rc = give_at(0, b.at, split);

		if (!rc)
			rc = give_at(0, b.at + split, b.len - split);
		ck_assert_msg(hf_ws_trouble(ws) == r->trouble, "%s, split at %zu: %s", r->name,
		    split, hf_stream_fault_name(hf_ws_trouble(ws)));
		ck_assert_int_eq(rc, hf_stream_fault_code(r->trouble));
		if (r->told)
			ck_assert_told(r->told);
		if (r->trouble != HF_STREAM_FAULT_WS_TEXT)
			assert_sent(r->sent);
		if (rc) { /* it stays so */
			ck_assert_int_eq(give("82{'x'}"), rc);
			ck_assert_int_eq(hf_ws_send(ws, false, (const uint8_t *)"x", 1), rc);
			ck_assert_int_eq(hf_ws_close(ws, 1000), rc);
		}
		teardown();
		setup();
	}
	bytes_done(&b);
}
END_TEST

static const struct {
	unsigned code;
	enum hf_stream_fault trouble;
} closes[] = {
	{ 0, HF_STREAM_FAULT_WS_PROTOCOL },
	{ 999, HF_STREAM_FAULT_WS_PROTOCOL },
	{ 1000, HF_STREAM_FAULT_WS_CLOSED },
	{ 1001, HF_STREAM_FAULT_WS_CLOSED },
	{ 1002, HF_STREAM_FAULT_WS_CLOSED },
	{ 1003, HF_STREAM_FAULT_WS_CLOSED },
	{ 1004, HF_STREAM_FAULT_WS_PROTOCOL },
	{ 1005, HF_STREAM_FAULT_WS_PROTOCOL },
	{ 1006, HF_STREAM_FAULT_WS_PROTOCOL },
	{ 1007, HF_STREAM_FAULT_WS_CLOSED },
	{ 1008, HF_STREAM_FAULT_WS_CLOSED },
	{ 1009, HF_STREAM_FAULT_WS_CLOSED },
	{ 1010, HF_STREAM_FAULT_WS_CLOSED },
	{ 1011, HF_STREAM_FAULT_WS_CLOSED },
	{ 1012, HF_STREAM_FAULT_WS_CLOSED },
	{ 1013, HF_STREAM_FAULT_WS_CLOSED },
	{ 1014, HF_STREAM_FAULT_WS_CLOSED },
	{ 1015, HF_STREAM_FAULT_WS_PROTOCOL },
	{ 1016, HF_STREAM_FAULT_WS_PROTOCOL },
	{ 2999, HF_STREAM_FAULT_WS_PROTOCOL },
	{ 3000, HF_STREAM_FAULT_WS_CLOSED },
	{ 4999, HF_STREAM_FAULT_WS_CLOSED },
	{ 5000, HF_STREAM_FAULT_WS_PROTOCOL },
	{ 65535, HF_STREAM_FAULT_WS_PROTOCOL },
};

START_TEST(close_code_and_reason_are_told)
{
	struct bytes b = { 0 };

	bytes_parse(&b, "82{'x'} 88 08");
	bytes_u8(&b, (uint8_t)(closes[_i].code >> 8));
	bytes_u8(&b, (uint8_t)closes[_i].code);
	bytes_parse(&b, "'go' 0a 'way'");
	for (size_t split = 0; split < b.len; split++) {
		if (!give_at(0, b.at, split))
			give_at(0, b.at + split, b.len - split);
		ck_assert_int_eq(hf_ws_trouble(ws), closes[_i].trouble);
		ck_assert_uint_eq(hf_ws_close_code(ws), closes[_i].code);
		ck_assert_str_eq(hf_ws_close_reason(ws), "go\\x0away");
		ck_assert_told("x");
		teardown();
		setup();
	}
	bytes_done(&b);
}
END_TEST

static const struct row odd_closes[] = {
	{ "no code", "88 00", HF_STREAM_FAULT_WS_CLOSED, "", "" },
	{ "one byte", "88{03}", HF_STREAM_FAULT_WS_PROTOCOL, "", "" },
	{ "a reason that is not UTF-8", "88{03 e8 ff fe}", HF_STREAM_FAULT_WS_UTF8, "", "" },
	{ "a reason that ends in mid character", "88{03 e8 e2 82}", HF_STREAM_FAULT_WS_UTF8, "",
	    "" },
	{ "123 bytes of reason", "88{03 e8 x123:61}", HF_STREAM_FAULT_WS_CLOSED, "", "" },
	{ "124 bytes of reason", "88 7e 00 7e 03 e8 x124:61", HF_STREAM_FAULT_WS_PROTOCOL, "", "" },
};

START_TEST(odd_close_ends_it)
{
	ck_assert_int_eq(give(odd_closes[_i].wire), hf_stream_fault_code(odd_closes[_i].trouble));
	ck_assert_int_eq(hf_ws_trouble(ws), odd_closes[_i].trouble);
}
END_TEST

static int flood(const char *wire, unsigned times, int64_t step_ms, bool read_it)
{
	struct bytes b = { 0 };
	int rc = 0;

	bytes_parse(&b, wire);
	for (unsigned i = 0; i < times && !rc; i++) {
		rc = give_at(i * step_ms, b.at, b.len);
		if (read_it) {
			const uint8_t *sent;

			hf_sendq_sent(&out, hf_sendq_peek(&out, &sent));
			pongs.unsent = 0;
		}
	}
	bytes_done(&b);
	return rc;
}

static const char *const floods[] = { "89 00", "89{x125:61}", "8a 00", "8a{x125:61}",
	"89 00 82 00" };

START_TEST(control_frames_without_data_are_bounded)
{
	ck_assert_int_eq(flood(floods[_i], 5000, 20, true), 0); /* slow ones are fine */
	ck_assert_int_eq(flood("89 00 82{'x'}", 5000, 0, true), 0);
	ck_assert_int_eq(flood(floods[_i], 1000000, 0, true), HF_ELIMIT);
	ck_assert_int_eq(hf_ws_trouble(ws), HF_STREAM_FAULT_WS_FLOOD);
}
END_TEST

START_TEST(answers_to_pings_are_bounded_while_the_peer_reads_nothing)
{
	struct bytes b = { 0 };

	limits.control = UINT32_MAX;
	for (int i = 0; i < 100000; i++)
		bytes_parse(&b, "89 00");
	ck_assert_int_eq(give_at(0, b.at, b.len), HF_ELIMIT);
	ck_assert_int_eq(hf_ws_trouble(ws), HF_STREAM_FAULT_UNSENT);
	ck_assert_uint_le(hf_sendq_len(&out), 6 * limits.pongs);
	bytes_done(&b);
}
END_TEST

START_TEST(send_queue_is_bounded)
{
	static uint8_t kib[1024];
	int n = 0;

	while (!hf_ws_send(ws, false, kib, sizeof(kib)))
		n++;
	ck_assert_int_eq(hf_ws_trouble(ws), HF_STREAM_FAULT_UNSENT);
	ck_assert_int_ge(n, 200);
	ck_assert_uint_le(hf_sendq_len(&out), limits.unsent);
}
END_TEST

START_TEST(a_million_fragments_are_one_message)
{
	struct bytes b = { 0 };

	bytes_parse(&b, "02 00");
	for (int i = 0; i < 1000000; i++)
		bytes_add(&b, i % 1000 ? "\0\0" : "\0\1x", i % 1000 ? 2 : 3);
	ck_assert_int_eq(give_at(0, b.at, b.len), 0);
	ck_assert_uint_eq(told.len, 1000);
	bytes_done(&b);
}
END_TEST

START_TEST(messages_are_sent_masked)
{
	ck_assert_int_eq(hf_ws_send(ws, false, (const uint8_t *)"abc", 3), 0);
	ck_assert_int_eq(hf_ws_send(ws, true, (const uint8_t *)"text", 4), 0);
	ck_assert_int_eq(hf_ws_send(ws, false, NULL, 0), 0);
	assert_sent("82{'abc'} 81{'text'} 82 00");
}
END_TEST

START_TEST(nothing_is_sent_after_our_close)
{
	ck_assert_int_eq(hf_ws_close(ws, 1000), 0);
	assert_sent("88{03 e8}");
	ck_assert_int_eq(hf_ws_send(ws, false, (const uint8_t *)"abc", 3), HF_ECLOSED);
	ck_assert_int_eq(hf_ws_close(ws, 1000), HF_ECLOSED);
	ck_assert_int_eq(give("82{'still'} 89 00 82{' read'}"), 0);
	ck_assert_told("still read");
	ck_assert_int_eq(give("88{03 e8}"), HF_ECLOSED);
	ck_assert_int_eq(hf_ws_trouble(ws), HF_STREAM_FAULT_WS_CLOSED);
	assert_sent("");
}
END_TEST

START_TEST(no_mask_without_random_bytes)
{
	no_random = true;
	ck_assert_int_lt(hf_ws_send(ws, false, (const uint8_t *)"abc", 3), 0);
	assert_sent("");
}
END_TEST

START_TEST(every_message_is_told_where_that_is_wanted)
{
	hf_ws_free(ws);
	open_ws(on_end);
	ck_assert_int_eq(give("82{'abc'} 01{'d'} 89 00 80{'e'} 82 00"), 0);
	ck_assert_told("abc|binary|de|text||binary|");
	ck_assert_int_eq(give("81{'x' ff}"), HF_EPEER);
	ck_assert_int_eq(hf_ws_trouble(ws), HF_STREAM_FAULT_WS_UTF8);
}
END_TEST

#define N(rows) ((int)(sizeof(rows) / sizeof(rows[0])))

Suite *websocket_suite(void)
{
	Suite *s = suite_create("websocket");
	TCase *tc = tcase_create("websocket");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, frames_give_payload_or_a_trouble, 0, N(rows));
	tcase_add_loop_test(tc, close_code_and_reason_are_told, 0, N(closes));
	tcase_add_loop_test(tc, odd_close_ends_it, 0, N(odd_closes));
	tcase_add_loop_test(tc, control_frames_without_data_are_bounded, 0, N(floods));
	tcase_add_test(tc, answers_to_pings_are_bounded_while_the_peer_reads_nothing);
	tcase_add_test(tc, send_queue_is_bounded);
	tcase_add_test(tc, a_million_fragments_are_one_message);
	tcase_add_test(tc, messages_are_sent_masked);
	tcase_add_test(tc, nothing_is_sent_after_our_close);
	tcase_add_test(tc, no_mask_without_random_bytes);
	tcase_add_test(tc, every_message_is_told_where_that_is_wanted);
	suite_add_tcase(s, tc);
	return s;
}
