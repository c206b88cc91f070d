/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame is control byte, stream, message, length: "05 01 01 {...}" is message 1, whole. What
 * comes out is told as text: "<abc>" is a message, "<abc" one that is not whole.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/stream/wire/drpc.h"
#include "tests/unit/stream/kit_bytes.h"

Suite *drpc_suite(void);

static struct hf_stream_limits limits;
static struct hf_drpc d;
static struct bytes told;

static void setup(void)
{
	uint8_t sent[64];
	struct hf_wr w = hf_wr(sent, sizeof(sent));

	limits = (struct hf_stream_limits)HF_STREAM_LIMITS_DEFAULT;
	hf_drpc_init(&d, &limits);
	hf_drpc_invoke(&d, &w, "/x", "", 0);
}

static void teardown(void)
{
	bytes_done(&told);
}

static void tell_event(const struct hf_drpc_event *e)
{
	char head[32];

	switch (e->what) {
	case DRPC_BEGIN:
		bytes_u8(&told, '<');
		break;
	case DRPC_END:
		bytes_u8(&told, '>');
		break;
	case DRPC_ERROR:
		snprintf(head, sizeof(head), "error %llu ", (unsigned long long)e->code);
		bytes_add(&told, head, strlen(head));
		break;
	case DRPC_CLOSED:
		bytes_parse(&told, "'closed'");
		break;
	case DRPC_CANCELLED:
		bytes_parse(&told, "'cancelled'");
		break;
	case DRPC_DATA:
		break;
	}
	bytes_add(&told, e->bytes, e->len);
}

static int give(const uint8_t *bytes, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	struct hf_drpc_event e;
	struct hf_rd in;
	int rc;

	ck_assert_ptr_nonnull(exact);
	memcpy(exact, bytes, len);
	in = hf_rd(exact, len);
	while ((rc = hf_drpc_next(&d, &in, &e)) == 1)
		tell_event(&e);
	if (!rc)
		ck_assert_uint_eq(hf_rd_left(&in), 0);
	free(exact);
	return rc;
}

#define ck_assert_told(text)                                                                       \
	do {                                                                                       \
		bytes_u8(&told, 0);                                                                \
		ck_assert_str_eq((char *)told.at, text);                                           \
		told.len = 0;                                                                      \
	} while (0)

struct row {
	const char *name;
	const char *wire;
	enum hf_stream_fault trouble;
	const char *told;
};

#define ABC "05 01 01 {'abc'}"
#define DE "05 01 02 {'de'}"
#define ERR "07 01 03 {00 00 00 00 00 00 00 0c 'no'}"

static const struct row rows[] = {
	{ "nothing", "", 0, "" },
	{ "messages", ABC DE, 0, "<abc><de>" },
	{ "an empty message", "05 01 01 00" DE, 0, "<><de>" },
	{ "a message in three frames", "04 01 01 {'a'} 04 01 01 {'b'} 05 01 01 {'c'}" DE, 0,
	    "<abc><de>" },
	{ "a message that ends with an empty frame", "04 01 01 {'abc'} 05 01 01 00", 0, "<abc>" },
	{ "ids with gaps", "05 01 07 {'abc'} 05 01 ff 7f {'de'}", 0, "<abc><de>" },
	{ "the largest id", "05 01 ff ff ff ff ff ff ff ff 7f {'a'}", 0, "<a>" },
	{ "a message given up for the next", "04 01 01 {'abc'}" DE, 0, "<abc<de>" },
	{ "a message given up for an error", "04 01 01 {'abc'}" ERR, 0, "<abcerror 12 no" },
	{ "close", ABC "0b 01 02 00", 0, "<abc>closed" },
	{ "close with a body", "0b 01 02 {'why'}", 0, "closed" },
	{ "close send", ABC "0d 01 02 00", 0, "<abc>closed" },
	{ "close send, then close", "0d 01 01 00 0b 01 02 00", 0, "closedclosed" },
	{ "cancel", "09 01 01 00", 0, "cancelled" },
	{ "cancel as it is sent, with the control bit", "89 01 01 00", 0, "cancelled" },
	{ "error", ABC ERR, 0, "<abc>error 12 no" },
	{ "error in frames", "06 01 01 {00 00 00} 06 01 01 {00 00 00 00 00 'n'} 07 01 01 {'o'}", 0,
	    "error 0 no" },
	{ "error without text", "07 01 01 {ff ff ff ff ff ff ff ff}", 0,
	    "error 18446744073709551615 " },
	{ "an unknown control packet", "c1 01 01 {'skip'}" DE, 0, "<de>" },
	{ "kind 0 as a control packet", "81 01 01 {'skip'}" DE, 0, "<de>" },
	{ "a message with the control bit", "85 01 01 {'abc'}", 0, "<abc>" },

	{ "stream 0", ABC "05 00 02 00", HF_STREAM_FAULT_DRPC_STREAM, "<abc>" },
	{ "stream 2", "05 02 01 00", HF_STREAM_FAULT_DRPC_STREAM, "" },
	{ "stream back", "05 01 01 00 05 00 02 00", HF_STREAM_FAULT_DRPC_STREAM, "<>" },
	{ "id 0", "05 01 00 00", HF_STREAM_FAULT_DRPC_ID, "" },
	{ "id back", DE ABC, HF_STREAM_FAULT_DRPC_ID, "<de>" },
	{ "id back in mid message", "04 01 02 {'abc'} 05 01 01 {'d'}", HF_STREAM_FAULT_DRPC_ID,
	    "<abc" },
	{ "id again after its end", ABC ABC, HF_STREAM_FAULT_DRPC_ID, "<abc>" },
	{ "another kind in one packet", "04 01 01 {'abc'} 07 01 01 {'d'}",
	    HF_STREAM_FAULT_DRPC_KIND, "<abc" },
	{ "invoke", "03 01 01 {'/x'}", HF_STREAM_FAULT_DRPC_KIND, "" },
	{ "invoke metadata", "0f 01 01 00", HF_STREAM_FAULT_DRPC_KIND, "" },
	{ "kind 0", "01 01 01 00", HF_STREAM_FAULT_DRPC_KIND, "" },
	{ "kind 8", "11 01 01 00", HF_STREAM_FAULT_DRPC_KIND, "" },
	{ "kind 63", "7f 01 01 00", HF_STREAM_FAULT_DRPC_KIND, "" },
	{ "a varint of 10 bytes", "05 01 x9:81 01 00", HF_STREAM_FAULT_DRPC_VARINT, "" },
	{ "a varint of 11 bytes", "05 01 x10:81 01 00", HF_STREAM_FAULT_DRPC_VARINT, "" },
	{ "a varint that is not minimal", "05 01 81 00 00", HF_STREAM_FAULT_DRPC_VARINT, "" },
	{ "a length that is not minimal", "05 01 01 80 80 00", HF_STREAM_FAULT_DRPC_VARINT, "" },
	{ "a length of nine bytes that is not minimal", "05 01 01 x8:80 00",
	    HF_STREAM_FAULT_DRPC_VARINT, "" },
	{ "a length of 2^63", "05 01 01 x9:80 01", HF_STREAM_FAULT_DRPC_VARINT, "" },
	{ "a length of 2^62", "05 01 01 x8:80 40", HF_STREAM_FAULT_DRPC_FRAME, "" },
	{ "a frame over its limit", "05 01 01 81 80 80 08", HF_STREAM_FAULT_DRPC_FRAME, "" },
	{ "an error shorter than its code", "07 01 01 {00 00 00 00 00 00 00}",
	    HF_STREAM_FAULT_DRPC_ERROR, "" },
	{ "an empty error", "07 01 01 00", HF_STREAM_FAULT_DRPC_ERROR, "" },
	{ "a message after close", "0b 01 01 00" DE, HF_STREAM_FAULT_DRPC_ORDER, "closed" },
	{ "a message after close send", "0d 01 01 00" DE, HF_STREAM_FAULT_DRPC_ORDER, "closed" },
	{ "a message after cancel", "09 01 01 00" DE, HF_STREAM_FAULT_DRPC_ORDER, "cancelled" },
	{ "a message after an error", ERR "05 01 04 00", HF_STREAM_FAULT_DRPC_ORDER,
	    "error 12 no" },
	{ "close after close", "0b 01 01 00 0b 01 02 00", HF_STREAM_FAULT_DRPC_ORDER, "closed" },
	{ "cancel in mid message", "04 01 01 {'abc'} 89 01 02 00", HF_STREAM_FAULT_DRPC_CUT,
	    "<abc" },
	{ "close in mid message", "04 01 01 {'abc'} 0b 01 02 00", HF_STREAM_FAULT_DRPC_CUT,
	    "<abc" },
	{ "close send in mid message", "04 01 01 {'abc'} 0d 01 02 00", HF_STREAM_FAULT_DRPC_CUT,
	    "<abc" },
};

START_TEST(frames_give_events_or_a_trouble)
{
	const struct row *r = &rows[_i];
	struct bytes b = { 0 };

	bytes_parse(&b, r->wire);
	for (size_t split = 0; split <= b.len; split++) {
		int rc = give(b.at, split);

		if (!rc)
			rc = give(b.at + split, b.len - split);
		ck_assert_msg(d.trouble == r->trouble, "%s, split at %zu: %s", r->name, split,
		    hf_stream_fault_name(d.trouble));
		ck_assert_int_eq(rc, hf_stream_fault_code(r->trouble));
		ck_assert_told(r->told);
		if (rc)
			ck_assert_int_eq(give(b.at, b.len), rc); /* it stays so */
		teardown();
		setup();
	}
	bytes_done(&b);
}
END_TEST

START_TEST(nothing_may_come_before_the_call)
{
	hf_drpc_init(&d, &limits);
	ck_assert_int_eq(give((const uint8_t *)"\x05", 1), HF_EPEER);
	ck_assert_int_eq(d.trouble, HF_STREAM_FAULT_DRPC_ORDER);
}
END_TEST

START_TEST(message_over_the_limit_is_refused_at_its_head)
{
	struct bytes b = { 0 };

	limits.message = 1000;
	bytes_parse(&b, "05 01 01 {x1000:61} 04 01 02 {x999:61} 05 01 02 02");
	ck_assert_int_eq(give(b.at, b.len), HF_ELIMIT);
	ck_assert_int_eq(d.trouble, HF_STREAM_FAULT_DRPC_MESSAGE);
	ck_assert_uint_eq(told.len, 1000 + 2 + 999 + 1);
	bytes_done(&b);
}
END_TEST

START_TEST(frames_without_an_end_are_bounded)
{
	struct bytes frame = { 0 };
	int rc = 0, n = 0;

	bytes_parse(&frame, _i ? "04 01 01 {'x'}" : "04 01 01 00");
	for (; !rc && n < 10000; n++)
		rc = give(frame.at, frame.len);
	ck_assert_int_eq(d.trouble, HF_STREAM_FAULT_DRPC_FRAMES);
	ck_assert_int_eq(n, (int)limits.drpc_frames + 1);
	bytes_done(&frame);
}
END_TEST

START_TEST(long_error_is_clipped)
{
	struct bytes b = { 0 };

	bytes_parse(&b, "07 01 01 {x7:00 02 x4194304:65}");
	ck_assert_int_eq(give(b.at, b.len), 0);
	ck_assert_uint_eq(d.n_text, sizeof(d.text));
	ck_assert_uint_eq(d.n_text + d.text_lost, 4194304);
	ck_assert_uint_eq(told.len, strlen("error 2 ") + sizeof(d.text));
	bytes_done(&b);
}
END_TEST

START_TEST(half_a_message_shows)
{
	ck_assert(!hf_drpc_in_message(&d));
	ck_assert(!hf_drpc_in_packet(&d));
	ck_assert_int_eq(give((const uint8_t *)"\x04\1\1\3ab", 6), 0);
	ck_assert(hf_drpc_in_message(&d));
	ck_assert_int_eq(give((const uint8_t *)"c", 1), 0);
	ck_assert(hf_drpc_in_message(&d));
	ck_assert_int_eq(give((const uint8_t *)"\5\1\1\0", 4), 0);
	ck_assert(!hf_drpc_in_message(&d));
	ck_assert(!hf_drpc_in_packet(&d));
	ck_assert_told("<abc>");
	ck_assert_int_eq(give((const uint8_t *)"\x0b", 1), 0);
	ck_assert(!hf_drpc_in_message(&d));
	ck_assert(hf_drpc_in_packet(&d));
}
END_TEST

START_TEST(packets_are_encoded_as_go_does)
{
	struct bytes want = { 0 };
	uint8_t sent[100];
	struct hf_wr w = hf_wr(sent, sizeof(sent));

	hf_drpc_init(&d, &limits);
	hf_drpc_invoke(&d, &w, "/coder.tailnet.v2.Tailnet/WorkspaceUpdates", "\x0a\2hi", 4);
	hf_drpc_close_send(&d, &w);
	hf_drpc_close(&d, &w);
	hf_drpc_cancel(&d, &w);
	ck_assert_int_eq(w.error, 0);
	bytes_parse(&want,
	    "03 01 01 2a '/coder.tailnet.v2.Tailnet/WorkspaceUpdates'05 01 02 04 0a 02 'hi' 0d 01 03 00 0b 01 04 00 89 01 05 00");
	ck_assert_uint_eq(hf_wr_len(&w), want.len);
	ck_assert_mem_eq(sent, want.at, want.len);
	bytes_done(&want);
}
END_TEST

START_TEST(packet_that_does_not_fit_is_an_error_of_the_writer)
{
	uint8_t sent[8];
	struct hf_wr w = hf_wr(sent, sizeof(sent));

	hf_drpc_invoke(&d, &w, "/too/long/for/eight/bytes", "", 0);
	ck_assert_int_eq(w.error, HF_ELIMIT);
}
END_TEST

Suite *drpc_suite(void)
{
	Suite *s = suite_create("drpc");
	TCase *tc = tcase_create("drpc");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, frames_give_events_or_a_trouble, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, nothing_may_come_before_the_call);
	tcase_add_test(tc, message_over_the_limit_is_refused_at_its_head);
	tcase_add_loop_test(tc, frames_without_an_end_are_bounded, 0, 2);
	tcase_add_test(tc, long_error_is_clipped);
	tcase_add_test(tc, half_a_message_shows);
	tcase_add_test(tc, packets_are_encoded_as_go_does);
	tcase_add_test(tc, packet_that_does_not_fit_is_an_error_of_the_writer);
	suite_add_tcase(s, tc);
	return s;
}
