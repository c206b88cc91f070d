/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bridge/stream/wire/yamux.h"
#include "tests/unit/stream/kit_server.h"

Suite *stack_suite(void);

static struct hf_stream_limits limits;
static struct server_peer p;
static struct bytes in;
static const struct hf_uuid owner = { .b = { 9 } };

#define W_A "0a{0a{$a} 12{'alpha'}}"
#define A_M "12{0a{$m} 12{'main'} 1a{$a}}"
#define SNAP W_A A_M

static void setup(void)
{
	limits = (struct hf_stream_limits)HF_STREAM_LIMITS_DEFAULT;
	p = (struct server_peer){ .calls_at_open = 1 };
	server_start(&p, &limits);
}

static void teardown(void)
{
	server_stop(&p);
	bytes_done(&in);
}

/* Gives what was put into `in`. */
static int give(void)
{
	int rc = server_give(&p, 0, in.at, in.len);

	in.len = 0;
	return rc;
}

static void open_it(void)
{
	bytes_add(&in, server_head, strlen(server_head));
	ck_assert_int_eq(give(), 0);
	ck_assert_str_eq(server_told(&p), "open|");
}

/* What was sent, as yamux frames, in the notation. */
static void assert_sent(const char *wire)
{
	struct bytes want = { 0 }, sent = { 0 };

	bytes_parse(&want, wire);
	server_read(&p, &sent);
	ck_assert_uint_eq(sent.len, want.len);
	if (want.len)
		ck_assert_mem_eq(sent.at, want.at, want.len);
	bytes_done(&want);
	bytes_done(&sent);
}

#define START_1                                                                                    \
	"00 01 0001 00000001 00000000 00 00 0000 00000001 00000048"                                \
	"03 01 01 2a '/coder.tailnet.v2.Tailnet/WorkspaceUpdates' 05 01 02 12 0a 10"               \
	"01 02 03 x13:00 0d 01 03 00"

START_TEST(request_comes_first_and_only_the_head_opens)
{
	const uint8_t *sent;
	uint32_t call;
	size_t n = hf_stack_output(p.stack, &sent);

	ck_assert_uint_gt(n, 0);
	ck_assert_mem_eq(sent, "GET " HF_UPGRADE_PATH " HTTP/1.1\r\n", 10);
	hf_stack_sent(p.stack, n);
	ck_assert_uint_eq(hf_stack_output(p.stack, &sent), 0);
	ck_assert_int_eq(hf_stack_call(p.stack, &owner, &call), HF_ENOTREADY);
	ck_assert_int_eq(hf_stack_ping(p.stack), HF_ENOTREADY);
	ck_assert_int_eq(hf_stack_answer(p.stack)->status, 0);
	open_it();
	ck_assert_int_eq(hf_stack_answer(p.stack)->status, 101);
}
END_TEST

START_TEST(call_is_what_the_go_libraries_send)
{
	open_it();
	assert_sent(START_1);
}
END_TEST

START_TEST(snapshot_then_diffs)
{
	open_it();
	server_message(&in, 1, 1, SNAP);
	server_message(&in, 1, 2, W_A);
	server_message(&in, 1, 3, "1a{0a{$a}} 22{0a{$m} 1a{$a}}");
	server_message(&in, 1, 4, "");
	ck_assert_int_eq(give(), 0);
	ck_assert_str_eq(server_told(&p),
	    "update 1 snapshot 1w 1a|update 1 diff 1w 0a|update 1 diff 0w 0a -1w -1a|update 1 diff 0w 0a|");
}
END_TEST

START_TEST(owner_of_the_call_is_in_its_updates)
{
	struct hf_stack_event e;
	uint32_t call;

	p.calls_at_open = 0;
	open_it();
	ck_assert_int_eq(hf_stack_call(p.stack, &owner, &call), 0);
	server_message(&in, call, 1, SNAP);
	ck_assert_int_eq(hf_stack_input(p.stack, 0, in.at, in.len), 0);
	ck_assert_int_eq(hf_stack_next(p.stack, &e), 1);
	ck_assert_int_eq(e.what, STACK_UPDATE);
	ck_assert_mem_eq(e.update->owner.b, owner.b, 16);
	ck_assert_mem_eq(e.update->upserted_agents[0].name.at, "main", 4);
	hf_update_free(e.update);
	ck_assert_int_eq(hf_stack_next(p.stack, &e), 0);
}
END_TEST

START_TEST(two_owners_share_a_connection)
{
	p.calls_at_open = 2;
	open_it();
	server_message(&in, 3, 1, W_A);
	server_message(&in, 1, 1, SNAP);
	server_message(&in, 3, 2, A_M);
	ck_assert_int_eq(give(), 0);
	ck_assert_str_eq(server_told(&p),
	    "update 3 snapshot 1w 0a|update 1 snapshot 1w 1a|update 3 diff 0w 1a|");
}
END_TEST

/* The overlap of two snapshots: the first call waits while the second one's snapshot comes. */
START_TEST(paused_call_is_read_on_when_it_is_resumed)
{
	p.calls_at_open = 2;
	open_it();
	server_message(&in, 1, 1, SNAP);
	ck_assert_int_eq(give(), 0);
	hf_stack_pause(p.stack, 1, true);
	server_message(&in, 1, 2, W_A);
	server_message(&in, 1, 3, A_M);
	server_message(&in, 3, 1, W_A);
	ck_assert_int_eq(give(), 0);
	ck_assert_str_eq(server_told(&p), "update 1 snapshot 1w 1a|update 3 snapshot 1w 0a|");
	server_yamux(&in, 0, 0, 3, "\x0b\1\2\0", 4); /* the second one fails */
	ck_assert_int_eq(give(), 0);
	ck_assert_str_eq(server_told(&p), "ended 3 call-ended|");
	hf_stack_pause(p.stack, 1, false);
	server_take(&p);
	ck_assert_str_eq(server_told(&p), "update 1 diff 1w 0a|update 1 diff 0w 1a|");
	server_message(&in, 1, 4, W_A);
	ck_assert_int_eq(give(), 0);
	ck_assert_str_eq(server_told(&p), "update 1 diff 1w 0a|");
}
END_TEST

START_TEST(what_a_paused_call_has_is_dropped_with_it)
{
	p.calls_at_open = 2;
	open_it();
	assert_sent(START_1
	    "00 01 0001 00000003 00000000 00 00 0000 00000003 0000004803 01 01 2a '/coder.tailnet.v2.Tailnet/WorkspaceUpdates' 05 01 02 12 0a 1001 02 03 x13:00 0d 01 03 00");
	server_message(&in, 1, 1, SNAP);
	ck_assert_int_eq(give(), 0);
	hf_stack_pause(p.stack, 1, true);
	server_message(&in, 1, 2, W_A);
	server_message(&in, 3, 1, W_A);
	ck_assert_int_eq(give(), 0);
	hf_stack_cancel(p.stack, 1);
	hf_stack_cancel(p.stack, 1);
	hf_stack_pause(p.stack, 1, false);
	assert_sent("00 00 0000 00000001 00000004 0b 01 04 00 00 01 0004 00000001 00000000");
	server_message(&in, 1, 3, W_A); /* it was on its way */
	server_yamux(&in, 1, 4, 1, NULL, 0);
	server_message(&in, 3, 2, A_M);
	ck_assert_int_eq(give(), 0);
	ck_assert_str_eq(server_told(&p),
	    "update 1 snapshot 1w 1a|update 3 snapshot 1w 0a|update 3 diff 0w 1a|");
}
END_TEST

START_TEST(pause_takes_effect_between_two_events)
{
	struct hf_stack_event e;

	open_it();
	server_message(&in, 1, 1, SNAP);
	server_message(&in, 1, 2, W_A);
	ck_assert_int_eq(hf_stack_input(p.stack, 0, in.at, in.len), 0);
	ck_assert_int_eq(hf_stack_next(p.stack, &e), 1);
	ck_assert_int_eq(e.update->kind, HF_UPDATE_SNAPSHOT);
	hf_update_free(e.update);
	/* Nothing more is taken while events wait. */
	ck_assert_int_eq(hf_stack_input(p.stack, 0, in.at, in.len), -EBUSY);
	hf_stack_pause(p.stack, 1, true);
	ck_assert_int_eq(hf_stack_next(p.stack, &e), 0);
	hf_stack_pause(p.stack, 1, false);
	ck_assert_int_eq(hf_stack_next(p.stack, &e), 1);
	ck_assert_int_eq(e.update->kind, HF_UPDATE_DIFF);
	hf_update_free(e.update);
	ck_assert_int_eq(hf_stack_next(p.stack, &e), 0);
}
END_TEST

START_TEST(paused_call_holds_the_server_back)
{
	struct bytes sent = { 0 };
	static uint8_t zeros[HF_YAMUX_WINDOW];

	open_it();
	hf_stack_pause(p.stack, 1, true);
	server_read(&p, &sent);
	sent.len = 0;
	server_yamux(&in, 0, 0, 1, zeros, sizeof(zeros));
	ck_assert_int_eq(give(), 0);
	server_read(&p, &sent);
	ck_assert_uint_eq(sent.len, 0); /* no window update */
	server_yamux(&in, 0, 0, 1, zeros, 1);
	ck_assert_int_eq(give(), 0);
	ck_assert_str_eq(server_told(&p), "over yamux-window|");
	bytes_done(&sent);
}
END_TEST

START_TEST(resumed_call_tells_its_end_too)
{
	open_it();
	hf_stack_pause(p.stack, 1, true);
	server_message(&in, 1, 1, SNAP);
	server_yamux(&in, 1, 4, 1, NULL, 0);
	ck_assert_int_eq(give(), 0);
	ck_assert_str_eq(server_told(&p), "");
	hf_stack_pause(p.stack, 1, false);
	server_take(&p);
	ck_assert_str_eq(server_told(&p), "update 1 snapshot 1w 1a|ended 1 call-ended|");
}
END_TEST

/* A call that ends, each way; what is told, and what we send. */
static const struct {
	const char *name;
	bool snapshot;
	enum server_layer layer;
	const char *wire;
	const char *told;
	const char *sent;
} ends[] = {
	{ "close after the snapshot", true, LAYER_DRPC, "0b 01 02 00", "ended 1 call-ended|",
	    "00 01 0004 00000001 00000000" },
	{ "close before it: a failure", false, LAYER_DRPC, "0b 01 01 00", "ended 1 call-empty|",
	    "00 01 0004 00000001 00000000" },
	{ "close send before it", false, LAYER_DRPC, "0d 01 01 00", "ended 1 call-empty|",
	    "00 01 0004 00000001 00000000" },
	{ "fin before it", false, LAYER_YAMUX, "00 01 0004 00000001 00000000",
	    "ended 1 call-empty|", "00 01 0004 00000001 00000000" },
	{ "fin after it", true, LAYER_YAMUX, "00 01 0004 00000001 00000000", "ended 1 call-ended|",
	    "00 01 0004 00000001 00000000" },
	{ "reset", true, LAYER_YAMUX, "00 01 0008 00000001 00000000", "ended 1 call-reset|", "" },
	{ "reset before the ack", false, LAYER_YAMUX, "00 01 0008 00000001 00000000",
	    "ended 1 call-reset|", "" },
	{ "unimplemented", false, LAYER_DRPC, "07 01 01 {x7:00 0c 'no updates'}",
	    "ended 1 call-error 12 'no updates'|", "00 01 0004 00000001 00000000" },
	{ "an error with a line break", true, LAYER_DRPC, "07 01 02 {x8:00 'a' 0a 'b'}",
	    "ended 1 call-error 'a\\x0ab'|", "00 01 0004 00000001 00000000" },
	{ "an error in mid message", false, LAYER_DRPC, "04 01 01 {0a 14} 07 01 02 {x7:00 01 'x'}",
	    "ended 1 call-error 1 'x'|", "00 01 0004 00000001 00000000" },
	{ "cancelled", true, LAYER_DRPC, "89 01 02 00", "ended 1 call-cancelled|",
	    "00 01 0004 00000001 00000000" },
	{ "a snapshot that deletes", false, LAYER_PROTOBUF, "1a{0a{$a}}",
	    "ended 1 update-deletes 'it deletes workspaces'|",
	    "00 00 0000 00000001 00000004 0b 01 04 00 00 01 0004 00000001 00000000" },
};

START_TEST(call_ends_and_the_connection_goes_on)
{
	uint32_t call;

	open_it();
	if (ends[_i].snapshot)
		server_message(&in, 1, 1, SNAP);
	ck_assert_int_eq(give(), 0);
	server_told(&p);
	bytes_done(&in);
	server_read(&p, &in);
	in.len = 0;
	server_wrap(&in, ends[_i].layer, ends[_i].wire);
	ck_assert_int_eq(give(), 0);
	ck_assert_str_eq(server_told(&p), ends[_i].told);
	assert_sent(ends[_i].sent);
	/* The server's FIN, where it has not come: the end is not told twice. */
	if (ends[_i].layer != LAYER_YAMUX)
		server_yamux(&in, 1, 4, 1, NULL, 0);
	ck_assert_int_eq(give(), 0);
	ck_assert_int_eq(hf_stack_call(p.stack, &owner, &call), 0);
	server_message(&in, call, 1, W_A);
	ck_assert_int_eq(give(), 0);
	ck_assert_str_eq(server_told(&p), "update 3 snapshot 1w 0a|");
}
END_TEST

START_TEST(refused_diff_leaves_the_call_alive)
{
	open_it();
	server_message(&in, 1, 1, SNAP);
	server_message(&in, 1, 2, "0a{0a{'short'} 12{'x'}}" W_A);
	server_message(&in, 1, 3, W_A);
	ck_assert_int_eq(give(), 0);
	ck_assert_str_eq(server_told(&p),
	    "update 1 snapshot 1w 1a|refused 1 update-record 'workspace 'x': id of 5 bytes'|update 1 diff 1w 0a|");
}
END_TEST

START_TEST(message_after_the_end_of_a_call_ends_the_connection)
{
	open_it();
	server_message(&in, 1, 1, SNAP);
	server_yamux(&in, 0, 0, 1, "\x0b\1\2\0", 4);
	ck_assert_int_eq(give(), 0);
	ck_assert_str_eq(server_told(&p), "update 1 snapshot 1w 1a|ended 1 call-ended|");
	server_message(&in, 1, 3, W_A);
	ck_assert_int_eq(give(), 0);
	ck_assert_str_eq(server_told(&p), "over drpc-order|");
}
END_TEST

/* A server that ends calls and never their streams. */
START_TEST(ended_calls_are_not_kept_for_ever)
{
	struct bytes sent = { 0 };
	uint32_t call = 0;

	server_stop(&p);
	limits.streams = _i ? 1024 : 10;
	p.calls_at_open = 0;
	server_start(&p, &limits);
	open_it();
	for (int i = 0; i < 500; i++) {
		ck_assert_int_eq(hf_stack_call(p.stack, &owner, &call), 0);
		server_yamux(&in, 0, 0, call, "\x0b\1\1\0", 4);
		ck_assert_int_eq(give(), 0);
		server_read(&p, &sent);
	}
	ck_assert_uint_eq(call, 999);
	bytes_done(&sent);
}
END_TEST

START_TEST(no_more_calls_than_allowed)
{
	uint32_t call;

	server_stop(&p);
	limits.streams = 3;
	p.calls_at_open = 3;
	server_start(&p, &limits);
	open_it();
	ck_assert_int_eq(hf_stack_call(p.stack, &owner, &call), -EMFILE);
	hf_stack_cancel(p.stack, 3);
	ck_assert_int_eq(hf_stack_call(p.stack, &owner, &call), 0);
	ck_assert_uint_eq(call, 7);
}
END_TEST

START_TEST(after_goaway_calls_go_on_and_none_begins)
{
	uint32_t call;

	open_it();
	server_yamux(&in, 3, 0, 0, NULL, 0);
	server_message(&in, 1, 1, SNAP);
	ck_assert_int_eq(give(), 0);
	ck_assert_str_eq(server_told(&p), "goaway|update 1 snapshot 1w 1a|");
	ck_assert_int_eq(hf_stack_call(p.stack, &owner, &call), HF_ECLOSED);
}
END_TEST

START_TEST(ping_and_its_answer)
{
	open_it();
	assert_sent(START_1);
	ck_assert_int_eq(hf_stack_ping(p.stack), 0);
	assert_sent("00 02 0001 00000000 00000001");
	server_yamux(&in, 2, 2, 0, NULL, 1);
	ck_assert_int_eq(give(), 0);
	ck_assert_str_eq(server_told(&p), "pong|");
	for (int i = 0; i < HF_YAMUX_PINGS; i++)
		ck_assert_int_eq(hf_stack_ping(p.stack), 0);
	ck_assert_int_eq(hf_stack_ping(p.stack), -EBUSY);
}
END_TEST

START_TEST(pings_of_both_layers_are_answered)
{
	open_it();
	assert_sent(START_1);
	server_yamux(&in, 2, 1, 0, NULL, 7);
	bytes_parse(&in, "89{'hi'}");
	ck_assert_int_eq(give(), 0);
	assert_sent("'hi' 00 02 0002 00000000 00000007");
	ck_assert_str_eq(server_told(&p), "");
}
END_TEST

START_TEST(all_before_the_end_is_told_before_it)
{
	open_it();
	server_message(&in, 1, 1, SNAP);
	bytes_parse(&in, "88{03 f4 'restart'}");
	ck_assert_int_eq(give(), HF_ECLOSED);
	ck_assert_str_eq(server_told(&p), "update 1 snapshot 1w 1a|over ws-closed 1012 'restart'|");
	server_message(&in, 1, 2, SNAP);
	ck_assert_int_eq(give(), HF_ECLOSED);
	hf_stack_eof(p.stack);
	server_take(&p);
	ck_assert_str_eq(server_told(&p), "");
}
END_TEST

START_TEST(end_of_the_connection_without_a_close_is_told)
{
	uint32_t call;

	open_it();
	server_message(&in, 1, 1, SNAP);
	in.len -= 3;
	ck_assert_int_eq(give(), 0);
	hf_stack_eof(p.stack);
	server_take(&p);
	ck_assert_str_eq(server_told(&p), "over ws-eof|");
	ck_assert_int_eq(hf_stack_call(p.stack, &owner, &call), HF_ECLOSED);
	ck_assert_int_eq(hf_stack_ping(p.stack), HF_ECLOSED);
	hf_stack_pause(p.stack, 1, true);
	hf_stack_cancel(p.stack, 1);
	hf_stack_close(p.stack, 1000);
}
END_TEST

START_TEST(refused_upgrade_tells_the_status)
{
	bytes_parse(&in, "'HTTP/1.1 302 Found' 0d 0a 'Location: http://x/' 0d 0a 0d 0a '<html>'");
	ck_assert_int_eq(give(), 0);
	hf_stack_eof(p.stack);
	server_take(&p);
	ck_assert_str_eq(server_told(&p), "over http-status 302 'http://x/'|");
	ck_assert_str_eq(hf_stack_answer(p.stack)->body, "<html>");
}
END_TEST

START_TEST(our_close_is_sent)
{
	open_it();
	assert_sent(START_1);
	hf_stack_close(p.stack, 1000);
	assert_sent("03 e8"); /* the body of the frame */
	bytes_parse(&in, "88{03 e8}");
	ck_assert_int_eq(give(), HF_ECLOSED);
	ck_assert_str_eq(server_told(&p), "over ws-closed 1000|");
}
END_TEST

START_TEST(peer_that_reads_nothing_is_left)
{
	const char *told = "";

	open_it();
	limits.control = UINT32_MAX;
	server_yamux(&in, 2, 1, 0, NULL, 7);
	for (int n = 0; n < 1000 && !*told; n++) {
		server_give(&p, 0, in.at, in.len);
		told = server_told(&p);
	}
	ck_assert_str_eq(told, "over unsent|");
}
END_TEST

/* Reading a little is not reading. */
START_TEST(answers_count_until_all_has_been_sent)
{
	const uint8_t *sent;

	open_it();
	limits.control = UINT32_MAX;
	server_yamux(&in, 2, 1, 0, NULL, 7);
	for (unsigned n = 0; n < limits.pongs; n++) {
		ck_assert_int_eq(server_give(&p, 0, in.at, in.len), 0);
		ck_assert_uint_gt(hf_stack_output(p.stack, &sent), 1);
		hf_stack_sent(p.stack, 1);
	}
	ck_assert_str_eq(server_told(&p), "");
	server_give(&p, 0, in.at, in.len);
	ck_assert_str_eq(server_told(&p), "over unsent|");
}
END_TEST

/* One budget for all calls: half-read snapshots of many owners stay within it together. */
START_TEST(calls_share_one_budget)
{
	struct bytes body = { 0 }, packet = { 0 };

	server_stop(&p);
	limits.results = 1 << 20;
	p.calls_at_open = 10;
	server_start(&p, &limits);
	open_it();
	for (int i = 0; i < 4000; i++)
		bytes_parse(&body, "0a{0a{$a}}");
	bytes_parse(&packet, "04 01 01");
	bytes_varint(&packet, body.len);
	bytes_add(&packet, body.at, body.len);
	for (uint32_t id = 1; id < 20; id += 2) {
		const char *told;

		server_yamux(&in, 0, 0, id, packet.at, packet.len);
		give();
		told = server_told(&p);
		/* 160,000 bytes each, with room to grow: the seventh is one too many. */
		ck_assert_str_eq(told, id == 13 ? "over results|" : "");
		if (*told)
			break;
	}
	bytes_done(&body);
	bytes_done(&packet);
}
END_TEST

static int no_random(void *arg, uint8_t *out, size_t len)
{
	(void)arg;
	(void)out;
	(void)len;
	return -1;
}

START_TEST(what_cannot_begin_says_why)
{
	static char long_token[20000];
	struct hf_stack_config config = { .limits = &limits, .random = server_random };
	struct hf_upgrade_request request = { .host = "h", .prefix = "", .token = "a\nb" };
	struct hf_stack *s = NULL;

	ck_assert_int_eq(hf_stack_new(&config, &request, &s), -EINVAL);
	memset(long_token, 'x', sizeof(long_token) - 1);
	request.token = long_token;
	ck_assert_int_eq(hf_stack_new(&config, &request, &s), -EINVAL);
	request.token = "t";
	config.random = no_random;
	ck_assert_int_eq(hf_stack_new(&config, &request, &s), -EIO);
	ck_assert_ptr_null(s);
	hf_stack_free(NULL);
}
END_TEST

Suite *stack_suite(void)
{
	Suite *s = suite_create("stack");
	TCase *tc = tcase_create("stack");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, request_comes_first_and_only_the_head_opens);
	tcase_add_test(tc, call_is_what_the_go_libraries_send);
	tcase_add_test(tc, snapshot_then_diffs);
	tcase_add_test(tc, owner_of_the_call_is_in_its_updates);
	tcase_add_test(tc, two_owners_share_a_connection);
	tcase_add_test(tc, paused_call_is_read_on_when_it_is_resumed);
	tcase_add_test(tc, what_a_paused_call_has_is_dropped_with_it);
	tcase_add_test(tc, pause_takes_effect_between_two_events);
	tcase_add_test(tc, paused_call_holds_the_server_back);
	tcase_add_test(tc, resumed_call_tells_its_end_too);
	tcase_add_loop_test(
	    tc, call_ends_and_the_connection_goes_on, 0, sizeof(ends) / sizeof(ends[0]));
	tcase_add_test(tc, refused_diff_leaves_the_call_alive);
	tcase_add_test(tc, message_after_the_end_of_a_call_ends_the_connection);
	tcase_add_loop_test(tc, ended_calls_are_not_kept_for_ever, 0, 2);
	tcase_add_test(tc, no_more_calls_than_allowed);
	tcase_add_test(tc, after_goaway_calls_go_on_and_none_begins);
	tcase_add_test(tc, ping_and_its_answer);
	tcase_add_test(tc, pings_of_both_layers_are_answered);
	tcase_add_test(tc, all_before_the_end_is_told_before_it);
	tcase_add_test(tc, end_of_the_connection_without_a_close_is_told);
	tcase_add_test(tc, refused_upgrade_tells_the_status);
	tcase_add_test(tc, our_close_is_sent);
	tcase_add_test(tc, peer_that_reads_nothing_is_left);
	tcase_add_test(tc, answers_count_until_all_has_been_sent);
	tcase_add_test(tc, calls_share_one_budget);
	tcase_add_test(tc, what_cannot_begin_says_why);
	suite_add_tcase(s, tc);
	return s;
}
