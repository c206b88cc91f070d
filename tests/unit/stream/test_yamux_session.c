/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hashicorp/yamux's session tests see that no other test here does; yamux_cases.md has the
 * table of all of them. The peer is a few lines of C that keep its rules.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/stream/wire/yamux.h"
#include "tests/unit/prng.h"
#include "tests/unit/stream/kit_bytes.h"

Suite *yamux_session_suite(void);

enum { DATA, WINDOW, PING };
enum { SYN = 1, ACK = 2, FIN = 4 };

static struct hf_stream_limits limits;
static struct hf_sendq out;
static struct hf_pongs pongs;
static struct hf_yamux y;

static void setup(void)
{
	limits = (struct hf_stream_limits)HF_STREAM_LIMITS_DEFAULT;
	pongs = (struct hf_pongs){ .max = limits.pongs };
	hf_sendq_init(&out, 1 << 20);
	ck_assert_int_eq(hf_yamux_init(&y, &limits, &out, &pongs), 0);
}

static void teardown(void)
{
	hf_yamux_done(&y);
	hf_sendq_done(&out);
}

static void add_u32(struct bytes *b, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		bytes_u8(b, (uint8_t)(v >> shift));
}

/* `length` is that of `body`, or what the frame tells where it has none. */
static void add_frame(
    struct bytes *b, int type, int flags, uint32_t stream, uint32_t length, const uint8_t *body)
{
	bytes_add(b, (uint8_t[4]){ 0, (uint8_t)type, 0, (uint8_t)flags }, 4);
	add_u32(b, stream);
	add_u32(b, length);
	if (body)
		bytes_add(b, body, length);
}

/* What came out of the bytes given. */
struct seen {
	size_t data, fins, pongs;
	uint8_t last; /* byte of data */
};

static int give(struct bytes *b, struct seen *seen)
{
	struct hf_rd in = hf_rd(b->at, b->len);
	struct hf_yamux_event e;
	int rc;

	while ((rc = hf_yamux_next(&y, &in, 0, &e)) == 1) {
		seen->fins += e.what == YAMUX_FIN;
		seen->pongs += e.what == YAMUX_PONG;
		if (e.what != YAMUX_DATA)
			continue;
		seen->data += e.len;
		seen->last = e.bytes[e.len - 1];
	}
	b->len = 0;
	return rc;
}

/* All that was sent goes to the peer: into `ret`. */
static void drain(struct bytes *ret)
{
	const uint8_t *bytes;
	size_t n;

	while ((n = hf_sendq_peek(&out, &bytes))) {
		bytes_add(ret, bytes, n);
		hf_sendq_sent(&out, n);
	}
	pongs.unsent = 0;
}

START_TEST(streams_may_end_before_their_ack)
{
	struct bytes wire = { 0 }, sent = { 0 };
	struct seen seen = { 0 };
	uint32_t id;

	for (uint32_t i = 0; i < 8; i++) {
		ck_assert_int_eq(hf_yamux_open(&y, &id), 0);
		ck_assert_int_eq(hf_yamux_close(&y, id), 0);
	}
	drain(&sent);
	ck_assert_uint_eq(sent.len, 8 * 2 * 12);
	for (uint32_t i = 0; i < 8; i++) {
		add_frame(&wire, WINDOW, ACK, 2 * i + 1, 0, NULL);
		add_frame(&wire, WINDOW, FIN, 2 * i + 1, 0, NULL);
	}
	ck_assert_int_eq(give(&wire, &seen), 0);
	ck_assert_uint_eq(seen.fins, 0); /* nobody waits for them any more */
	ck_assert_uint_eq(y.n_streams, 0);
	ck_assert_int_eq(hf_yamux_open(&y, &id), 0);
	ck_assert_uint_eq(id, 17);
	bytes_done(&wire);
	bytes_done(&sent);
}
END_TEST

/* Whoever waited for it decides that it was too late; the session goes on. */
START_TEST(a_pong_that_comes_late_is_a_pong)
{
	struct bytes wire = { 0 };
	struct seen seen = { 0 };

	ck_assert_int_eq(hf_yamux_ping(&y), 0);
	ck_assert_int_eq(hf_yamux_ping(&y), 0);
	add_frame(&wire, PING, ACK, 0, 2, NULL);
	ck_assert_int_eq(give(&wire, &seen), 0);
	add_frame(&wire, PING, ACK, 0, 1, NULL);
	ck_assert_int_eq(give(&wire, &seen), 0);
	ck_assert_uint_eq(seen.pongs, 2);
	bytes_done(&wire);
}
END_TEST

/* Each of 100 streams, 50 times: a word there, a word back. */
START_TEST(many_streams_carry_small_pieces_both_ways)
{
	enum { N = 100, ROUNDS = 50 };
	struct bytes wire = { 0 }, sent = { 0 };
	struct prng p = { .state = 1 };
	uint8_t word[16];

	for (uint32_t i = 0; i < N; i++)
		ck_assert_int_eq(hf_yamux_open(&y, &(uint32_t){ 0 }), 0);
	drain(&sent);
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t first = (uint32_t)prng_below(&p, N);

		for (uint32_t k = 0; k < N; k++) {
			uint32_t id = 2 * ((first + k) % N) + 1;
			struct seen seen = { 0 };

			sent.len = 0;
			prng_bytes(&p, word, sizeof(word));
			ck_assert_int_eq(hf_yamux_write(&y, id, word, sizeof(word)), 0);
			drain(&sent);
			ck_assert_uint_eq(sent.len, 12 + sizeof(word));
			ck_assert_mem_eq(sent.at + 12, word, sizeof(word));
			add_frame(&wire, DATA, round ? 0 : ACK, id, sizeof(word), word);
			ck_assert_int_eq(give(&wire, &seen), 0);
			ck_assert_uint_eq(seen.data, sizeof(word));
			ck_assert_uint_eq(seen.last, word[sizeof(word) - 1]);
			ck_assert_int_eq(hf_yamux_consumed(&y, id, seen.data), 0);
		}
	}
	bytes_done(&wire);
	bytes_done(&sent);
}
END_TEST

START_TEST(a_larger_window_of_the_peer_is_used)
{
	static uint8_t zeros[2 * HF_YAMUX_WINDOW];
	struct bytes wire = { 0 };
	struct seen seen = { 0 };
	uint32_t id;

	ck_assert_int_eq(hf_yamux_open(&y, &id), 0);
	ck_assert_int_eq(hf_yamux_write(&y, id, zeros, sizeof(zeros)), -EAGAIN);
	add_frame(&wire, WINDOW, ACK, id, HF_YAMUX_WINDOW, NULL);
	ck_assert_int_eq(give(&wire, &seen), 0);
	ck_assert_int_eq(hf_yamux_write(&y, id, zeros, sizeof(zeros)), 0);
	ck_assert_int_eq(hf_yamux_write(&y, id, zeros, 1), -EAGAIN);
	bytes_done(&wire);
}
END_TEST

/* Its window updates wait in the send queue, and data comes as far as the window reaches. */
START_TEST(reading_goes_on_while_the_peer_takes_nothing)
{
	static uint8_t zeros[HF_YAMUX_WINDOW];
	struct bytes wire = { 0 }, sent = { 0 };
	struct seen seen = { 0 };
	uint32_t id;

	ck_assert_int_eq(hf_yamux_open(&y, &id), 0);
	drain(&sent);
	for (int i = 0; i < 100; i++) {
		add_frame(&wire, DATA, 0, id, sizeof(zeros), zeros);
		ck_assert_int_eq(give(&wire, &seen), 0);
		ck_assert_int_eq(hf_yamux_consumed(&y, id, sizeof(zeros)), 0);
	}
	ck_assert_uint_eq(seen.data, 100 * sizeof(zeros));
	ck_assert_uint_eq(hf_sendq_len(&out), 100 * 12);
	bytes_done(&wire);
	bytes_done(&sent);
}
END_TEST

Suite *yamux_session_suite(void)
{
	Suite *s = suite_create("yamux_session");
	TCase *tc = tcase_create("session");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, streams_may_end_before_their_ack);
	tcase_add_test(tc, a_pong_that_comes_late_is_a_pong);
	tcase_add_test(tc, many_streams_carry_small_pieces_both_ways);
	tcase_add_test(tc, a_larger_window_of_the_peer_is_used);
	tcase_add_test(tc, reading_goes_on_while_the_peer_takes_nothing);
	suite_add_tcase(s, tc);
	return s;
}
