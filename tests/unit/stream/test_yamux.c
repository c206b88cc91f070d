/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames are written as version, type, flags, stream, length: "00 01 0002 00000001 00000000" is the
 * peer's ACK of stream 1. What comes out is told as text: "data 1 abc|fin 1|".
 */
#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/stream/wire/yamux.h"
#include "tests/unit/prng.h"
#include "tests/unit/stream/kit_bytes.h"

Suite *yamux_suite(void);

#define SYN_1 "00 01 0001 00000001 00000000"
#define SYN_3 "00 01 0001 00000003 00000000"
#define ACK_1 "00 01 0002 00000001 00000000"
#define FIN_1 "00 01 0004 00000001 00000000"
#define RST_1 "00 01 0008 00000001 00000000"
#define ABC_1 "00 00 0000 00000001 00000003 'abc'"
#define PING "00 02 0001 00000000 00000007"
#define PONG "00 02 0002 00000000 00000007"

static struct hf_stream_limits limits;
static struct hf_sendq out;
static struct hf_pongs pongs;
static struct hf_yamux y;
static struct bytes told;  /* what came out, as text */
static uint32_t told_data; /* the stream whose data was told last, or 0 */

static void setup(void)
{
	limits = (struct hf_stream_limits)HF_STREAM_LIMITS_DEFAULT;
	pongs = (struct hf_pongs){ .max = limits.pongs };
	hf_sendq_init(&out, limits.unsent);
	ck_assert_int_eq(hf_yamux_init(&y, &limits, &out, &pongs), 0);
	told_data = 0;
}

static void teardown(void)
{
	hf_yamux_done(&y);
	hf_sendq_done(&out);
	bytes_done(&told);
}

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *format, ...)
{
	char text[64];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	bytes_add(&told, text, strlen(text));
	told_data = 0;
}

static void tell_event(const struct hf_yamux_event *e)
{
	switch (e->what) {
	case YAMUX_DATA:
		if (told_data != e->stream)
			tell("|data %u ", e->stream);
		bytes_add(&told, e->bytes, e->len);
		told_data = e->stream;
		break;
	case YAMUX_FIN:
		tell("|fin %u", e->stream);
		break;
	case YAMUX_RST:
		tell("|rst %u", e->stream);
		break;
	case YAMUX_PONG:
		tell("|pong");
		break;
	case YAMUX_GOAWAY:
		tell("|goaway");
		break;
	}
}

/* Gives the session all bytes at `now`, each in memory of its own length. */
static int give_at(int64_t now, const uint8_t *bytes, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	struct hf_yamux_event e;
	struct hf_rd in;
	int rc;

	ck_assert_ptr_nonnull(exact);
	memcpy(exact, bytes, len);
	in = hf_rd(exact, len);
	while ((rc = hf_yamux_next(&y, &in, now, &e)) == 1)
		tell_event(&e);
	if (!rc)
		ck_assert_uint_eq(hf_rd_left(&in), 0);
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
		told_data = 0;                                                                     \
	} while (0)

/* What was sent since the last time, in the notation. */
static void assert_sent(const char *wire)
{
	struct bytes want = { 0 };
	const uint8_t *bytes = NULL;
	size_t n = hf_sendq_peek(&out, &bytes);

	bytes_parse(&want, wire);
	ck_assert_uint_eq(n, want.len);
	if (n)
		ck_assert_mem_eq(bytes, want.at, n);
	hf_sendq_sent(&out, n);
	pongs.unsent = 0;
	bytes_done(&want);
}

static uint32_t open_stream(void)
{
	uint32_t id = 0;

	ck_assert_int_eq(hf_yamux_open(&y, &id), 0);
	return id;
}

struct row {
	const char *name;
	const char *wire;
	enum hf_stream_fault trouble;
	const char *told;
};

/* Streams 1 and 3 are open; 5 was closed by both sides, 7 by us only. */
static const struct row rows[] = {
	{ "nothing", "", 0, "" },
	{ "ack", ACK_1, 0, "" },
	{ "data", ACK_1 ABC_1 "00 00 0000 00000003 00000002 'de'", 0, "|data 1 abc|data 3 de" },
	{ "data with the ack", "00 00 0002 00000001 00000003 'abc'", 0, "|data 1 abc" },
	{ "data in two frames", ABC_1 ABC_1, 0, "|data 1 abcabc" },
	{ "no data", "00 00 0000 00000001 00000000" ABC_1, 0, "|data 1 abc" },
	{ "fin", ABC_1 FIN_1, 0, "|data 1 abc|fin 1" },
	{ "fin with data", "00 00 0004 00000001 00000003 'abc'", 0, "|data 1 abc|fin 1" },
	{ "fin as data", "00 00 0004 00000001 00000000", 0, "|fin 1" },
	{ "reset", ABC_1 RST_1, 0, "|data 1 abc|rst 1" },
	{ "reset and fin", "00 01 000c 00000001 00000000", 0, "|rst 1" },
	{ "reset with data", "00 00 0008 00000001 00000003 'abc'" PING, 0, "|rst 1" },
	{ "reset with data and fin", "00 00 000c 00000001 00000003 'abc'" PING, 0, "|rst 1" },
	{ "reset before the ack (its backlog is full)", RST_1, 0, "|rst 1" },
	{ "reset in mid data of another", "00 00 0000 00000003 00000002 'd'  'e'" RST_1, 0,
	    "|data 3 de|rst 1" },
	{ "window update after fin", FIN_1 "00 01 0000 00000001 00000100", 0, "|fin 1" },
	{ "window update of a stream that both ended", "00 01 0000 00000005 00000100", 0, "" },
	{ "reset of a stream that both ended", "00 01 0008 00000005 00000000", 0, "" },
	{ "data of a stream that we ended", "00 00 0000 00000007 00000003 'abc'" ABC_1, 0,
	    "|data 1 abc" },
	{ "fin with data of a stream that we ended", "00 00 0004 00000007 00000003 'abc'" ABC_1, 0,
	    "|data 1 abc" },
	{ "reset of a stream that we ended", "00 01 0008 00000007 00000000", 0, "" },
	{ "window full", "00 00 0000 00000001 00040000 x262144:61 00 00 0004 00000001 00000000", 0,
	    NULL },
	{ "largest window", "00 01 0000 00000001 fffbffff" ABC_1, 0, "|data 1 abc" },
	{ "goaway 0, then data", "00 03 0000 00000000 00000000" ABC_1, 0, "|goaway|data 1 abc" },

	{ "version 1", ABC_1 "01 00 0000 00000001 00000000", HF_STREAM_FAULT_YAMUX_VERSION,
	    "|data 1 abc" },
	{ "version 255", "ff 00 0000 00000001 00000000", HF_STREAM_FAULT_YAMUX_VERSION, "" },
	{ "type 4", "00 04 0000 00000001 00000000", HF_STREAM_FAULT_YAMUX_TYPE, "" },
	{ "type 255", "00 ff 0000 00000001 00000000", HF_STREAM_FAULT_YAMUX_TYPE, "" },
	{ "flag 0x10", "00 01 0010 00000001 00000000", HF_STREAM_FAULT_YAMUX_FLAGS, "" },
	{ "all flags", "00 00 ffff 00000001 00000000", HF_STREAM_FAULT_YAMUX_FLAGS, "" },
	{ "ping without a flag", "00 02 0000 00000000 00000007", HF_STREAM_FAULT_YAMUX_FLAGS, "" },
	{ "ping and answer in one", "00 02 0003 00000000 00000007", HF_STREAM_FAULT_YAMUX_FLAGS,
	    "" },
	{ "goaway with a flag", "00 03 0001 00000000 00000000", HF_STREAM_FAULT_YAMUX_FLAGS, "" },
	{ "data of an unknown stream", "00 00 0000 00000063 00000003 'abc'",
	    HF_STREAM_FAULT_YAMUX_STREAM, "" },
	{ "window update of an unknown stream", "00 01 0000 00000063 00000003",
	    HF_STREAM_FAULT_YAMUX_STREAM, "" },
	{ "window update of an even stream", "00 01 0000 00000002 00000003",
	    HF_STREAM_FAULT_YAMUX_STREAM, "" },
	{ "data of a stream that both ended", "00 00 0000 00000005 00000003 'abc'",
	    HF_STREAM_FAULT_YAMUX_STREAM, "" },
	{ "fin of a stream that both ended", "00 01 0004 00000005 00000000",
	    HF_STREAM_FAULT_YAMUX_STREAM, "" },
	{ "data of stream 0", "00 00 0000 00000000 00000003 'abc'", HF_STREAM_FAULT_YAMUX_STREAM,
	    "" },
	{ "window update of stream 0", "00 01 0000 00000000 00000003", HF_STREAM_FAULT_YAMUX_STREAM,
	    "" },
	{ "ping of stream 1", "00 02 0001 00000001 00000007", HF_STREAM_FAULT_YAMUX_STREAM, "" },
	{ "goaway of stream 1", "00 03 0000 00000001 00000000", HF_STREAM_FAULT_YAMUX_STREAM, "" },
	{ "data after fin", FIN_1 ABC_1, HF_STREAM_FAULT_YAMUX_STREAM, "|fin 1" },
	{ "fin after fin", FIN_1 FIN_1, HF_STREAM_FAULT_YAMUX_STREAM, "|fin 1" },
	{ "data after reset", RST_1 ABC_1, HF_STREAM_FAULT_YAMUX_STREAM, "|rst 1" },
	{ "syn of an even stream", "00 01 0001 00000002 00000000", HF_STREAM_FAULT_YAMUX_SYN, "" },
	{ "syn of an odd stream", "00 01 0001 00000063 00000000", HF_STREAM_FAULT_YAMUX_SYN, "" },
	{ "syn of a stream that is open", "00 00 0001 00000001 00000000", HF_STREAM_FAULT_YAMUX_SYN,
	    "" },
	{ "data over the window", "00 00 0000 00000001 00040001", HF_STREAM_FAULT_YAMUX_WINDOW,
	    "" },
	{ "2^32-1 bytes of data", "00 00 0000 00000001 ffffffff", HF_STREAM_FAULT_YAMUX_WINDOW,
	    "" },
	{ "data over the window in the second frame", ABC_1 "00 00 0000 00000001 0003fffe",
	    HF_STREAM_FAULT_YAMUX_WINDOW, "|data 1 abc" },
	{ "window over 2^32-1", "00 01 0000 00000001 fffc0000", HF_STREAM_FAULT_YAMUX_OVERFLOW,
	    "" },
	{ "window over 2^32-1 in two", "00 01 0000 00000001 fffb0000 00 01 0000 00000001 00010000",
	    HF_STREAM_FAULT_YAMUX_OVERFLOW, "" },
	{ "the answer to no ping", PONG, HF_STREAM_FAULT_YAMUX_PONG, "" },
	{ "goaway 1", "00 03 0000 00000000 00000001" ABC_1, HF_STREAM_FAULT_YAMUX_GOAWAY, "" },
	{ "goaway 2", "00 03 0000 00000000 00000002" ABC_1, HF_STREAM_FAULT_YAMUX_GOAWAY, "" },
	{ "goaway of an unknown code", "00 03 0000 00000000 ffffffff", HF_STREAM_FAULT_YAMUX_GOAWAY,
	    "" },
};

START_TEST(frames_give_events_or_a_trouble)
{
	const struct row *r = &rows[_i];
	struct bytes b = { 0 };

	bytes_parse(&b, r->wire);
	for (size_t split = 0; split <= b.len; split += b.len > 1000 ? 997 : 1) {
		int rc;

		for (uint32_t id = 1; id <= 7; id += 2)
			ck_assert_uint_eq(open_stream(), id);
		ck_assert_int_eq(hf_yamux_close(&y, 5), 0);
		ck_assert_int_eq(give("00 01 0004 00000005 00000000"), 0);
		ck_assert_int_eq(hf_yamux_close(&y, 7), 0);
		rc = give_at(0, b.at, split);
		if (!rc)
			rc = give_at(0, b.at + split, b.len - split);
		ck_assert_msg(y.trouble == r->trouble, "%s, split at %zu: %s", r->name, split,
		    hf_stream_fault_name(y.trouble));
		ck_assert_int_eq(rc, hf_stream_fault_code(r->trouble));
		if (r->told)
			ck_assert_told(r->told);
		if (rc) {
			/* It stays so, and nothing is sent on it. */
			ck_assert_int_eq(give(ABC_1), rc);
			ck_assert_int_eq(hf_yamux_ping(&y), rc);
		}
		teardown();
		setup();
	}
	bytes_done(&b);
}
END_TEST

START_TEST(ids_are_odd_and_rise)
{
	ck_assert_uint_eq(open_stream(), 1);
	ck_assert_uint_eq(open_stream(), 3);
	assert_sent(SYN_1 SYN_3);
	ck_assert_int_eq(hf_yamux_write(&y, 1, "hello", 5), 0);
	ck_assert_int_eq(hf_yamux_close(&y, 3), 0);
	assert_sent("00 00 0000 00000001 00000005 'hello' 00 01 0004 00000003 00000000");
	ck_assert_int_eq(hf_yamux_write(&y, 3, "x", 1), HF_ECLOSED);
	ck_assert_int_eq(hf_yamux_write(&y, 99, "x", 1), HF_ECLOSED);
	assert_sent("");
}
END_TEST

START_TEST(pings_of_the_peer_are_answered)
{
	ck_assert_int_eq(give(PING "00 02 0001 00000000 ffffffff"), 0);
	assert_sent(PONG "00 02 0002 00000000 ffffffff");
	ck_assert_told("");
}
END_TEST

START_TEST(answer_to_our_ping_is_told_once)
{
	ck_assert_int_eq(hf_yamux_ping(&y), 0);
	ck_assert_int_eq(hf_yamux_ping(&y), 0);
	assert_sent("00 02 0001 00000000 00000001 00 02 0001 00000000 00000002");
	ck_assert_int_eq(give("00 02 0002 00000000 00000002"), 0);
	ck_assert_int_eq(give("00 02 0002 00000000 00000001"), 0);
	ck_assert_told("|pong|pong");
	ck_assert_int_eq(give("00 02 0002 00000000 00000001"), HF_EPEER);
	ck_assert_int_eq(y.trouble, HF_STREAM_FAULT_YAMUX_PONG);
}
END_TEST

START_TEST(pings_that_are_never_answered_do_not_pile_up)
{
	for (int i = 0; i < HF_YAMUX_PINGS; i++)
		ck_assert_int_eq(hf_yamux_ping(&y), 0);
	ck_assert_int_eq(hf_yamux_ping(&y), -EBUSY);
	ck_assert_int_eq(y.trouble, HF_STREAM_FAULT_NONE);
	ck_assert_int_eq(give("00 02 0002 00000000 00000003"), 0);
	ck_assert_int_eq(hf_yamux_ping(&y), 0);
}
END_TEST

START_TEST(answers_to_pings_are_bounded_while_the_peer_reads_nothing)
{
	unsigned n = 0;

	limits.control = UINT32_MAX;
	while (!give(PING))
		n++;
	ck_assert_uint_eq(n, limits.pongs);
	ck_assert_int_eq(y.trouble, HF_STREAM_FAULT_UNSENT);
	ck_assert_uint_eq(hf_sendq_len(&out), 12 * limits.pongs);
}
END_TEST

START_TEST(send_queue_is_bounded)
{
	unsigned n = 0;

	open_stream();
	while (!hf_yamux_write(&y, 1, "0123456789", 10))
		n++;
	ck_assert_int_eq(y.trouble, HF_STREAM_FAULT_UNSENT);
	ck_assert_uint_ge(n, 10000);
	ck_assert_uint_le(hf_sendq_len(&out), limits.unsent);
}
END_TEST

static const struct {
	const char *name;
	const char *wire;
} floods[] = {
	{ "pings", PING },
	{ "answers", PONG },
	{ "window updates of 0", "00 01 0000 00000001 00000000" },
	{ "empty data frames", "00 00 0000 00000001 00000000" },
	{ "goaways", "00 03 0000 00000000 00000000" },
	{ "acks", ACK_1 },
	{ "updates of streams that ended", "00 01 0000 00000003 00000000" },
};

static int flood(const char *wire, unsigned times, int64_t step_ms, bool data)
{
	struct bytes b = { 0 };
	int rc = 0;

	bytes_parse(&b, wire);
	for (unsigned i = 0; i < times && !rc; i++) {
		/* Answers are to pings of ours, whose number is the last one sent. */
		if (b.at[1] == 2 && b.at[3] == 2) {
			ck_assert_int_eq(hf_yamux_ping(&y), 0);
			b.at[10] = (uint8_t)(y.last_ping >> 8);
			b.at[11] = (uint8_t)y.last_ping;
		}
		rc = give_at(i * step_ms, b.at, b.len);
		hf_sendq_done(&out);
		hf_sendq_init(&out, limits.unsent);
		pongs.unsent = 0;
		told.len = 0;
		if (data && i % 100 == 0) {
			ck_assert_int_eq(give(ABC_1), 0);
			ck_assert_int_eq(hf_yamux_consumed(&y, 1, 3), 0);
		}
	}
	bytes_done(&b);
	return rc;
}

START_TEST(control_frames_without_data_are_bounded)
{
	open_stream();
	open_stream();
	ck_assert_int_eq(hf_yamux_close(&y, 3), 0);
	ck_assert_int_eq(give("00 01 0004 00000003 00000000"), 0);
	ck_assert_int_eq(flood(floods[_i].wire, 5000, 0, true), 0);
	ck_assert_int_eq(flood(floods[_i].wire, 5000, 50, false), 0); /* slow ones are fine */
	ck_assert_int_eq(flood(floods[_i].wire, 1000000, 0, false), HF_ELIMIT);
	ck_assert_int_eq(y.trouble, HF_STREAM_FAULT_YAMUX_FLOOD);
}
END_TEST

START_TEST(window_updates_follow_consumption)
{
	const size_t half = HF_YAMUX_WINDOW / 2;

	open_stream();
	assert_sent(SYN_1);
	ck_assert_int_eq(give("00 00 0000 00000001 00040000 x262144:61"), 0);
	assert_sent(""); /* what only came is not told */
	ck_assert_int_eq(hf_yamux_consumed(&y, 1, half - 1), 0);
	assert_sent("");
	ck_assert_int_eq(hf_yamux_consumed(&y, 1, 1), 0);
	assert_sent("00 01 0000 00000001 00020000");
	ck_assert_int_eq(hf_yamux_consumed(&y, 1, half), 0);
	assert_sent("00 01 0000 00000001 00020000");
	ck_assert_int_eq(give("00 00 0000 00000001 00040000 x262144:61"), 0);
	ck_assert_int_eq(give("00 00 0000 00000001 00000001"), HF_EPEER);
	ck_assert_int_eq(y.trouble, HF_STREAM_FAULT_YAMUX_WINDOW);
}
END_TEST

START_TEST(no_window_updates_after_the_end)
{
	open_stream();
	assert_sent(SYN_1);
	ck_assert_int_eq(give("00 00 0004 00000001 00040000 x262144:61"), 0);
	ck_assert_int_eq(hf_yamux_consumed(&y, 1, HF_YAMUX_WINDOW), 0);
	ck_assert_int_eq(hf_yamux_close(&y, 1), 0);
	assert_sent(FIN_1);
	ck_assert_int_eq(hf_yamux_consumed(&y, 1, HF_YAMUX_WINDOW), 0);
	ck_assert_int_eq(hf_yamux_close(&y, 1), 0);
	assert_sent("");
	ck_assert_uint_eq(y.n_streams, 0);
}
END_TEST

START_TEST(no_more_is_sent_than_the_peers_window)
{
	static uint8_t zeros[HF_YAMUX_WINDOW];

	hf_sendq_done(&out);
	hf_sendq_init(&out, 4 * sizeof(zeros));
	open_stream();
	ck_assert_int_eq(hf_yamux_write(&y, 1, zeros, sizeof(zeros) - 1), 0);
	ck_assert_int_eq(hf_yamux_write(&y, 1, zeros, 2), -EAGAIN);
	ck_assert_int_eq(hf_yamux_write(&y, 1, zeros, 1), 0);
	ck_assert_int_eq(hf_yamux_write(&y, 1, zeros, 1), -EAGAIN);
	ck_assert_int_eq(give("00 01 0002 00000001 00000005"), 0);
	ck_assert_int_eq(hf_yamux_write(&y, 1, zeros, 6), -EAGAIN);
	ck_assert_int_eq(hf_yamux_write(&y, 1, zeros, 5), 0);
}
END_TEST

START_TEST(peer_that_has_ended_can_still_be_written_to)
{
	open_stream();
	ck_assert_int_eq(give(ABC_1 FIN_1), 0);
	ck_assert_told("|data 1 abc|fin 1");
	assert_sent(SYN_1);
	ck_assert_int_eq(hf_yamux_write(&y, 1, "bye", 3), 0);
	ck_assert_int_eq(hf_yamux_close(&y, 1), 0);
	assert_sent("00 00 0000 00000001 00000003 'bye'" FIN_1);
}
END_TEST

START_TEST(half_closed_stream_still_brings_data)
{
	open_stream();
	ck_assert_int_eq(hf_yamux_fin(&y, 1), 0);
	ck_assert_int_eq(hf_yamux_fin(&y, 1), 0);
	assert_sent(SYN_1 FIN_1);
	ck_assert_int_eq(hf_yamux_write(&y, 1, "x", 1), HF_ECLOSED);
	ck_assert_int_eq(give("00 00 0000 00000001 00020000 x131072:61"), 0);
	told.len = told_data = 0;
	ck_assert_int_eq(hf_yamux_consumed(&y, 1, 131072), 0);
	assert_sent("00 01 0000 00000001 00020000");
	ck_assert_int_eq(give(ABC_1 FIN_1), 0);
	ck_assert_told("|data 1 abc|fin 1");
	ck_assert_uint_eq(y.n_streams, 0);
	ck_assert_int_eq(hf_yamux_close(&y, 1), 0);
	assert_sent("");
	ck_assert_int_eq(give(ABC_1), HF_EPEER);
}
END_TEST

START_TEST(half_closed_stream_can_be_given_up)
{
	open_stream();
	ck_assert_int_eq(hf_yamux_fin(&y, 1), 0);
	ck_assert_int_eq(hf_yamux_close(&y, 1), 0);
	assert_sent(SYN_1 FIN_1);
	ck_assert_int_eq(give(ABC_1 FIN_1), 0);
	ck_assert_told("");
	ck_assert_uint_eq(y.n_streams, 0);
}
END_TEST

START_TEST(streams_at_once_are_bounded)
{
	uint32_t id;

	limits.streams = 3;
	hf_yamux_done(&y);
	ck_assert_int_eq(hf_yamux_init(&y, &limits, &out, &pongs), 0);
	for (int i = 0; i < 3; i++)
		open_stream();
	ck_assert_int_eq(hf_yamux_open(&y, &id), -EMFILE);
	ck_assert_int_eq(give(RST_1), 0);
	ck_assert_uint_eq(open_stream(), 7);
	ck_assert_int_eq(hf_yamux_open(&y, &id), -EMFILE);
	ck_assert_int_eq(hf_yamux_close(&y, 3), 0);
	ck_assert_uint_eq(open_stream(), 9);
}
END_TEST

/* A peer that never ends its side: what we remember of such streams is bounded. */
START_TEST(streams_that_the_peer_never_ends_are_reset_in_the_end)
{
	const uint8_t *bytes;
	uint8_t last[12];
	size_t n;

	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(hf_yamux_close(&y, open_stream()), 0);
		ck_assert_uint_le(y.n_streams, 64);
		n = hf_sendq_peek(&out, &bytes);
		ck_assert_uint_eq(n, i < 64 ? 24 : 36);
		memcpy(last, bytes + n - 12, 12);
		hf_sendq_sent(&out, n);
	}
	ck_assert_mem_eq(last, "\0\1\0\x08\0\0\x07\x4f\0\0\0\0", 12); /* stream 1871 */
}
END_TEST

START_TEST(what_comes_of_a_stream_that_we_reset_is_passed_over)
{
	for (int i = 0; i < 66; i++)
		ck_assert_int_eq(hf_yamux_close(&y, open_stream()), 0);
	/* 1 and 3 were reset; the peer did not know it yet. */
	ck_assert_int_eq(give(ABC_1 ABC_1 FIN_1 RST_1), 0);
	ck_assert_int_eq(give("00 00 0004 00000003 00000003 'abc'" PING), 0);
	ck_assert_told("");
	ck_assert_int_eq(give("00 00 0000 00000001 00040001"), HF_EPEER);
	ck_assert_int_eq(y.trouble, HF_STREAM_FAULT_YAMUX_WINDOW);
}
END_TEST

START_TEST(nothing_is_opened_after_goaway)
{
	uint32_t id = 0;

	open_stream();
	ck_assert_int_eq(give("00 03 0000 00000000 00000000"), 0);
	ck_assert_int_eq(hf_yamux_open(&y, &id), HF_ECLOSED);
	ck_assert_int_eq(hf_yamux_write(&y, 1, "x", 1), 0);
	ck_assert_int_eq(give(ABC_1), 0);
	ck_assert_told("|goaway|data 1 abc");
}
END_TEST

/*
 * A peer that keeps the rules, eight streams, everything in random pieces: each byte comes out, in
 * order, and the peer's window never runs dry for good. `peer` is what it may still send.
 */
enum { STREAMS = 8, BYTES = 2 << 20 };

struct peer {
	uint32_t window[STREAMS];
	size_t sent[STREAMS];
	size_t got[STREAMS];
	size_t held[STREAMS]; /* came out and was not consumed */
};

static void peer_reads(struct peer *peer)
{
	const uint8_t *b;
	size_t n;

	while ((n = hf_sendq_peek(&out, &b))) {
		for (size_t i = 0; i < n; i += 12) {
			ck_assert_uint_eq(b[i + 1], 1);
			peer->window[b[i + 7] / 2] +=
			    (uint32_t)b[i + 8] << 24 | b[i + 9] << 16 | b[i + 10] << 8 | b[i + 11];
		}
		hf_sendq_sent(&out, n);
	}
}

static void peer_sends(struct prng *p, struct peer *peer, struct bytes *wire)
{
	size_t s = prng_below(p, STREAMS);
	uint32_t n = (uint32_t)prng_below(p, 70000);

	if (n > peer->window[s])
		n = peer->window[s];
	if (n > BYTES - peer->sent[s])
		n = (uint32_t)(BYTES - peer->sent[s]);
	if (!n)
		return;
	bytes_add(wire,
	    (uint8_t[12]){ 0, 0, 0, 0, 0, 0, 0, (uint8_t)(2 * s + 1), 0, (uint8_t)(n >> 16),
		(uint8_t)(n >> 8), (uint8_t)n },
	    12);
	peer->window[s] -= n;
	while (n--)
		bytes_u8(wire, (uint8_t)(peer->sent[s]++ % 251));
}

static void take_pieces(struct prng *p, struct peer *peer, struct bytes *wire)
{
	size_t at = 0;

	while (at < wire->len) {
		size_t n = 1 + prng_below(p, wire->len - at);
		struct hf_rd in = hf_rd(wire->at + at, n);
		struct hf_yamux_event e;

		while (hf_yamux_next(&y, &in, 0, &e) == 1) {
			size_t s = e.stream / 2;

			ck_assert_int_eq(e.what, YAMUX_DATA);
			for (size_t i = 0; i < e.len; i++)
				if (e.bytes[i] != peer->got[s]++ % 251)
					ck_abort_msg("stream %zu: bytes out of order", s);
			peer->held[s] += e.len;
		}
		at += n;
	}
	wire->len = 0;
}

START_TEST(random_sessions_bring_every_byte)
{
	struct prng p = { .state = (uint64_t)_i };
	struct peer peer = { 0 };
	struct bytes wire = { 0 };
	size_t done = 0;

	for (int i = 0; i < STREAMS; i++)
		peer.window[open_stream() / 2] = HF_YAMUX_WINDOW;
	while (done < STREAMS * (size_t)BYTES) {
		size_t s = prng_below(&p, STREAMS);
		size_t n = prng_below(&p, peer.held[s] + 1);

		for (size_t i = prng_below(&p, 4); i; i--)
			peer_sends(&p, &peer, &wire);
		take_pieces(&p, &peer, &wire);
		ck_assert_int_eq(hf_yamux_consumed(&y, (uint32_t)(2 * s + 1), n), 0);
		peer.held[s] -= n;
		done += n;
		peer_reads(&peer);
	}
	ck_assert_int_eq(y.trouble, HF_STREAM_FAULT_NONE);
	bytes_done(&wire);
}
END_TEST

#define N(rows) ((int)(sizeof(rows) / sizeof(rows[0])))

Suite *yamux_suite(void)
{
	Suite *s = suite_create("yamux");
	TCase *tc = tcase_create("yamux");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, frames_give_events_or_a_trouble, 0, N(rows));
	tcase_add_test(tc, ids_are_odd_and_rise);
	tcase_add_test(tc, pings_of_the_peer_are_answered);
	tcase_add_test(tc, answer_to_our_ping_is_told_once);
	tcase_add_test(tc, pings_that_are_never_answered_do_not_pile_up);
	tcase_add_test(tc, answers_to_pings_are_bounded_while_the_peer_reads_nothing);
	tcase_add_test(tc, send_queue_is_bounded);
	tcase_add_loop_test(tc, control_frames_without_data_are_bounded, 0, N(floods));
	tcase_add_test(tc, window_updates_follow_consumption);
	tcase_add_test(tc, no_window_updates_after_the_end);
	tcase_add_test(tc, no_more_is_sent_than_the_peers_window);
	tcase_add_test(tc, peer_that_has_ended_can_still_be_written_to);
	tcase_add_test(tc, half_closed_stream_still_brings_data);
	tcase_add_test(tc, half_closed_stream_can_be_given_up);
	tcase_add_test(tc, streams_at_once_are_bounded);
	tcase_add_test(tc, streams_that_the_peer_never_ends_are_reset_in_the_end);
	tcase_add_test(tc, what_comes_of_a_stream_that_we_reset_is_passed_over);
	tcase_add_test(tc, nothing_is_opened_after_goaway);
	tcase_add_loop_test(tc, random_sessions_bring_every_byte, 0, 4);
	suite_add_tcase(s, tc);
	return s;
}
