/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile and malformed input, each row against the whole stack, wrapped in good layers below its
 * own: what it ends in, in what is told. Each is read whole and split (short ones at every byte).
 *
 * A row that says "over" ends the connection, and nothing of it was told before. All others must
 * leave a call on which a good message is read afterwards.
 */
#include <check.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "tests/unit/stream/kit_server.h"

Suite *faults_suite(void);

#define GOOD "0a{0a{$g}}"
#define Y(type, flags, stream, len) "00 " type " 00 " flags " 00 00 00 " stream " " len
#define ABC "00 00 00 03 'abc'"

struct row {
	enum server_layer layer;
	const char *name;
	const char *wire;
	const char *told;
};

static const struct row rows[] = {
	/* http */
	{ LAYER_HTTP, "101 without accept",
	    "'HTTP/1.1 101 x' 0d 0a 'Upgrade: websocket' 0d 0a 'Connection: Upgrade' 0d 0a 0d 0a",
	    "over http-accept|" },
	{ LAYER_HTTP, "200 with a page",
	    "'HTTP/1.1 200 OK' 0d 0a 'Content-Length: 2' 0d 0a 0d 0a 'hi'",
	    "over http-status 200|" },
	{ LAYER_HTTP, "redirect to another host",
	    "'HTTP/1.1 303 x' 0d 0a 'Location: https://evil/' 0d 0a 'Content-Length: 0' 0d 0a 0d 0a",
	    "over http-status 303 'https://evil/'|" },
	{ LAYER_HTTP, "header of 1 MiB", "'HTTP/1.1 101 x' 0d 0a 'X: ' x1048576:61",
	    "over http-size|" },
	{ LAYER_HTTP, "10^5 headers", "'HTTP/1.1 101 x' 0d 0a *100000('X: y' 0d 0a)",
	    "over http-size|" },
	{ LAYER_HTTP, "no CRLF", "'HTTP/1.1 101 x' 0a 'Upgrade: websocket' 0a 0a",
	    "over http-form|" },
	{ LAYER_HTTP, "NUL", "'HTTP/1.1 101 x' 0d 0a 'X: ' 00", "over http-field|" },
	{ LAYER_HTTP, "obs-fold", "'HTTP/1.1 101 x' 0d 0a 'X: a' 0d 0a ' b' 0d 0a",
	    "over http-field|" },
	{ LAYER_HTTP, "two Content-Length",
	    "'HTTP/1.1 200 x' 0d 0a 'Content-Length: 1' 0d 0a 'Content-Length: 1' 0d 0a",
	    "over http-field|" },
	{ LAYER_HTTP, "lower HTTP/1.0",
	    "'HTTP/1.0 101 x' 0d 0a 'Upgrade: websocket' 0d 0a 'Connection: Upgrade' 0d 0a 0d 0a",
	    "over http-version|" },

	/* websocket */
	{ LAYER_WS, "ping flood", "*100000(89 00)", "over unsent|" },
	{ LAYER_WS, "ping flood with 125-byte payloads", "*10000(89{x125:61})", "over unsent|" },
	{ LAYER_WS, "pong flood", "*10000(8a{x125:61})", "over ws-flood|" },
	{ LAYER_WS, "pong unasked", "8a{'hi'}", "" },
	{ LAYER_WS, "masked frame", "82 81 01 02 03 04 60", "over ws-protocol|" },
	{ LAYER_WS, "64-bit length with top bit set", "82 7f 80 x7:00", "over ws-protocol|" },
	{ LAYER_WS, "length 2^40", "82 7f 00 00 01 x5:00 00", "over ws-size|" },
	{ LAYER_WS, "16-bit length that is not minimal", "82 7e 00 01 61", "over ws-protocol|" },
	{ LAYER_WS, "64-bit length that is not minimal", "82 7f x7:00 01 61", "over ws-protocol|" },
	{ LAYER_WS, "control frame over 125", "89 7e 00 7e x126:61", "over ws-protocol|" },
	{ LAYER_WS, "fragmented control frame", "09{'x'}", "over ws-protocol|" },
	{ LAYER_WS, "continuation without start", "80{'x'}", "over ws-protocol|" },
	{ LAYER_WS, "new start inside a fragmented message", "02 00 82 00", "over ws-protocol|" },
	{ LAYER_WS, "text where binary is due", "81{'hi'}", "over ws-text|" },
	{ LAYER_WS, "text with invalid UTF-8", "81{ff}", "over ws-text|" },
	{ LAYER_WS, "reserved bit", "c2 00", "over ws-protocol|" },
	{ LAYER_WS, "reserved opcode", "83 00", "over ws-protocol|" },
	{ LAYER_WS, "close 1000", "88{03 e8}", "over ws-closed 1000|" },
	{ LAYER_WS, "close 1012", "88{03 f4}", "over ws-closed 1012|" },
	{ LAYER_WS, "close 1013", "88{03 f5 'later'}", "over ws-closed 1013 'later'|" },
	{ LAYER_WS, "close 1015", "88{03 f7}", "over ws-protocol 1015|" },
	{ LAYER_WS, "close 0", "88{00 00}", "over ws-protocol|" },
	{ LAYER_WS, "close 65535", "88{ff ff}", "over ws-protocol 65535|" },
	{ LAYER_WS, "close with a 1-byte body", "88{03}", "over ws-protocol|" },
	{ LAYER_WS, "close without a body", "88 00", "over ws-closed|" },
	{ LAYER_WS, "frame over the configured limit", "82 7f 00 00 00 00 01 00 00 01 00",
	    "over ws-size|" },
	{ LAYER_WS, "10^6 empty fragments", "02 00 *1000000(00 00) 80 00", "" },

	/* yamux */
	{ LAYER_YAMUX, "version 1", "01 00 00 00 00 00 00 01 " ABC, "over yamux-version|" },
	{ LAYER_YAMUX, "type 4", Y("04", "00", "01", ABC), "over yamux-type|" },
	{ LAYER_YAMUX, "type 255", Y("ff", "00", "01", ABC), "over yamux-type|" },
	{ LAYER_YAMUX, "flags 0x10", Y("00", "10", "01", ABC), "over yamux-flags|" },
	{ LAYER_YAMUX, "all flags", "00 00 ff ff 00 00 00 01 " ABC, "over yamux-flags|" },
	{ LAYER_YAMUX, "frame for an unknown stream", Y("00", "00", "05", ABC),
	    "over yamux-stream|" },
	{ LAYER_YAMUX, "stream 0 data", Y("00", "00", "00", ABC), "over yamux-stream|" },
	{ LAYER_YAMUX, "SYN of an even stream", Y("01", "01", "02", "x4:00"), "over yamux-syn|" },
	{ LAYER_YAMUX, "SYN of an odd stream", Y("01", "01", "03", "x4:00"), "over yamux-syn|" },
	{ LAYER_YAMUX, "SYN of our stream", Y("01", "01", "01", "x4:00"), "over yamux-syn|" },
	{ LAYER_YAMUX, "window overflow", Y("01", "00", "01", "x4:ff"), "over yamux-overflow|" },
	{ LAYER_YAMUX, "window update 0 flood", "*100000(" Y("01", "00", "01", "x4:00") ")",
	    "over yamux-flood|" },
	{ LAYER_YAMUX, "data over the window", Y("00", "00", "01", "00 04 00 01"),
	    "over yamux-window|" },
	{ LAYER_YAMUX, "ping flood", "*100000(" Y("02", "01", "00", "x4:00") ")", "over unsent|" },
	{ LAYER_YAMUX, "answer to an unknown ping", Y("02", "02", "00", "x4:07"),
	    "over yamux-pong|" },
	{ LAYER_YAMUX, "GoAway 0, then data", Y("03", "00", "00", "x4:00"), "goaway|" },
	{ LAYER_YAMUX, "GoAway 1", Y("03", "00", "00", "00 00 00 01"), "over yamux-goaway 1|" },
	{ LAYER_YAMUX, "GoAway 2", Y("03", "00", "00", "00 00 00 02"), "over yamux-goaway 2|" },
	{ LAYER_YAMUX, "GoAway of an unknown code", Y("03", "00", "00", "00 00 00 63"),
	    "over yamux-goaway 99|" },
	{ LAYER_YAMUX, "GoAway flood", "*2000(" Y("03", "00", "00", "x4:00") ")",
	    "...goaway|over yamux-flood|" },
	{ LAYER_YAMUX, "RST in mid message",
	    Y("00", "00", "01", "00 00 00 05") "04 01 01 {0a}" Y("01", "08", "01", "x4:00"),
	    "over yamux-cut|" },
	{ LAYER_YAMUX, "FIN in mid message",
	    Y("00", "00", "01", "00 00 00 05") "04 01 01 {0a}" Y("01", "04", "01", "x4:00"),
	    "over yamux-cut|" },
	{ LAYER_YAMUX, "FIN in mid frame", Y("00", "04", "01", "00 00 00 01") "05",
	    "over yamux-cut|" },
	{ LAYER_YAMUX, "data after FIN", Y("00", "00", "03", "00 00 00 05") "05 01 01 {0a}",
	    "over yamux-stream|" },

	/* dRPC */
	{ LAYER_DRPC, "varint of 10 bytes", "05 01 x9:81 01", "over drpc-varint|" },
	{ LAYER_DRPC, "varint of 20 bytes", "05 01 x19:81 01", "over drpc-varint|" },
	{ LAYER_DRPC, "varint that is not minimal", "05 01 81 00", "over drpc-varint|" },
	{ LAYER_DRPC, "frame length 2^63", "05 01 01 x9:80 01", "over drpc-varint|" },
	{ LAYER_DRPC, "frame over the frame limit", "05 01 01 81 80 80 08", "over drpc-frame|" },
	{ LAYER_DRPC, "10,000 frames without done bit", "*10000(04 01 01 00)",
	    "over drpc-frames|" },
	{ LAYER_DRPC, "stream id 0", "05 00 01 00", "over drpc-stream|" },
	{ LAYER_DRPC, "another stream id", "05 02 01 00", "over drpc-stream|" },
	{ LAYER_DRPC, "message id 0", "05 01 00 00", "over drpc-id|" },
	{ LAYER_DRPC, "id going back", "04 01 05 00 05 01 04 00", "over drpc-id|" },
	{ LAYER_DRPC, "error packet shorter than its code", "07 01 01 {x7:00}",
	    "over drpc-error|" },
	{ LAYER_DRPC, "invoke from the server", "03 01 01 {'/x'}", "over drpc-kind|" },
	{ LAYER_DRPC, "unknown kind", "15 01 01 00", "over drpc-kind|" },
	{ LAYER_DRPC, "kind that changes", "04 01 01 00 07 01 01 00", "over drpc-kind|" },
	{ LAYER_DRPC, "cancel in mid message", "04 01 01 {0a} 89 01 02 00", "over drpc-cut|" },
	{ LAYER_DRPC, "close in mid message", "04 01 01 {0a} 0b 01 02 00", "over drpc-cut|" },
	{ LAYER_DRPC, "message that is given up for the next", "04 01 01 {0a}", "" },
	{ LAYER_DRPC, "unknown control packet", "95 01 01 {'x'}", "" },

	/* protobuf */
	{ LAYER_PROTOBUF, "wire type 3", "2b", "over protobuf-wire|" },
	{ LAYER_PROTOBUF, "wire type 4", "2c", "over protobuf-wire|" },
	{ LAYER_PROTOBUF, "wire type 6", "2e", "over protobuf-wire|" },
	{ LAYER_PROTOBUF, "wire type 7", "2f", "over protobuf-wire|" },
	{ LAYER_PROTOBUF, "wrong wire type of a known field", "08 01", "over protobuf-wire|" },
	{ LAYER_PROTOBUF, "field number 0", "02 00", "over protobuf-tag|" },
	{ LAYER_PROTOBUF, "field number over 2^29-1", "82 80 80 80 10 00", "over protobuf-tag|" },
	{ LAYER_PROTOBUF, "truncated record", "0a 12 0a{x15:61}", "over protobuf-truncated|" },
	{ LAYER_PROTOBUF, "truncated tag", "8a", "over protobuf-truncated|" },
	{ LAYER_PROTOBUF, "length past the parent, in a record", "0a{0a 11 x16:61}",
	    "over protobuf-record|" },
	{ LAYER_PROTOBUF, "length past the message limit", "2a ff ff ff ff 7f",
	    "over protobuf-length|" },
	{ LAYER_PROTOBUF, "wire type 3 in a record", "0a{0a{$a} 2b}", "over protobuf-record|" },
	{ LAYER_PROTOBUF, "field number 0 in a record", "0a{0a{$a} 02 00}",
	    "over protobuf-record|" },
	{ LAYER_PROTOBUF, "duplicated singular fields",
	    "0a{0a{$a} 0a{$b} 12{'x'} 12{'y'} 18 01 18 02}", "update 1 snapshot 1w 0a|" },
	{ LAYER_PROTOBUF, "packed and unpacked, unknown", "0a{0a{$a}} 4a{01 02} 48 01",
	    "update 1 snapshot 1w 0a|" },
	{ LAYER_PROTOBUF, "unknown enum status", "0a{0a{$a} 18 e7 07}",
	    "update 1 snapshot 1w 0a|" },

	/* form */
	{ LAYER_PROTOBUF, "id of 0 bytes", "0a{0a{}} 0a{0a{$b}}",
	    "update 1 snapshot 1w 0a 1 refused|" },
	{ LAYER_PROTOBUF, "id of 15 bytes", "0a{0a{x15:61}} 0a{0a{$b}}",
	    "update 1 snapshot 1w 0a 1 refused|" },
	{ LAYER_PROTOBUF, "id of 17 bytes", "0a{0a{x17:61}} 0a{0a{$b}}",
	    "update 1 snapshot 1w 0a 1 refused|" },
	{ LAYER_PROTOBUF, "id of 10^6 bytes", "0a{0a{x200000:61}} 0a{0a{$b}}",
	    "update 1 snapshot 1w 0a 1 refused|" },
	{ LAYER_PROTOBUF, "id of zeros", "0a{0a{$0}} 12{0a{$0} 1a{$b}} 0a{0a{$b}}",
	    "update 1 snapshot 1w 0a 2 refused|" },
	{ LAYER_PROTOBUF, "record over 4 KiB", "0a{0a{$a} 12{x4096:61}} 0a{0a{$b}}",
	    "update 1 snapshot 1w 0a 1 refused|" },
	{ LAYER_PROTOBUF, "same agent id twice", "*2(12{0a{$a} 1a{$b}})",
	    "update 1 snapshot 0w 2a|" },
	{ LAYER_PROTOBUF, "agent of an unknown workspace", "12{0a{$a} 1a{$b}}",
	    "update 1 snapshot 0w 1a|" },
	{ LAYER_PROTOBUF, "names of any bytes",
	    "0a{0a{$a} 12{x64:61}} 0a{0a{$b} 12{'a.b *' 00 0a '\";' 5c c3 a9}} 0a{0a{$c} 12{}}",
	    "update 1 snapshot 3w 0a|" },
	{ LAYER_PROTOBUF, "empty first snapshot", "", "update 1 snapshot 0w 0a|" },
	{ LAYER_PROTOBUF, "first message with deleted workspaces", "0a{0a{$a}} 1a{0a{$b}}",
	    "ended 1 update-deletes 'it deletes workspaces'|" },
	{ LAYER_PROTOBUF, "first message with deleted agents", "22{0a{$b}} 0a{0a{$a}}",
	    "ended 1 update-deletes 'it deletes agents'|" },
};

static void open_stack(
    struct server_peer *p, const struct hf_stream_limits *limits, const struct row *r)
{
	struct bytes b = { 0 };

	*p = (struct server_peer){ .calls_at_open = 2 };
	server_start(p, limits);
	if (r->layer == LAYER_HTTP)
		return;
	server_give(p, 0, (const uint8_t *)server_head, strlen(server_head));
	ck_assert_str_eq(server_told(p), "open|");
	/* Call 3 is there to have an end: its snapshot has come, and its FIN. */
	server_message(&b, 3, 1, "");
	server_yamux(&b, 1, 4, 3, NULL, 0);
	server_give(p, 0, b.at, b.len);
	ck_assert_str_eq(server_told(p), "update 3 snapshot 0w 0a|ended 3 call-ended|");
	bytes_done(&b);
}

/* Is call 1 of use yet? */
static void check_alive(struct server_peer *p, const char *before)
{
	struct bytes b = { 0 };

	server_message(&b, 1, 1000, GOOD);
	ck_assert_int_eq(server_give(p, 0, b.at, b.len), 0);
	/* Of a call that we gave up, what was on its way is passed over. */
	ck_assert_str_eq(server_told(p), strstr(before, "ended 1")    ? ""
					 : strstr(before, "snapshot") ? "update 1 diff 1w 0a|"
								      : "update 1 snapshot 1w 0a|");
	bytes_done(&b);
}

/* A wanted outcome that begins with "..." is the end of what was told. */
static bool is_outcome(const char *told, const char *want)
{
	if (!strncmp(want, "...", 3)) {
		want += 3;
		told += strlen(told) > strlen(want) ? strlen(told) - strlen(want) : 0;
	}
	return !strcmp(told, want);
}

static void run(const struct row *r, const struct bytes *wire, size_t split)
{
	struct hf_stream_limits limits = HF_STREAM_LIMITS_DEFAULT;
	size_t before = mallinfo2().uordblks, after;
	struct server_peer p;
	const char *told;

	open_stack(&p, &limits, r);
	server_give(&p, 0, wire->at, split);
	server_give(&p, 0, wire->at + split, wire->len - split);
	/* What it keeps: what it was given at once, twice, and little else. */
	after = mallinfo2().uordblks;
	ck_assert_uint_lt(after, before + (1u << 20) + 2 * wire->len);
	told = server_told(&p);
	ck_assert_msg(is_outcome(told, r->told), "%s, split at %zu: '%s'", r->name, split, told);
	if (!strstr(told, "over"))
		check_alive(&p, r->told);
	else
		ck_assert_int_lt(server_give(&p, 0, wire->at, wire->len), 0);
	server_stop(&p);
}

START_TEST(hostile_input_has_its_outcome)
{
	const struct row *r = &rows[_i];
	struct bytes wire = { 0 };

	server_wrap(&wire, r->layer, r->wire);
	for (size_t split = 0; split <= wire.len; split += wire.len > 2000 ? wire.len / 3 : 1)
		run(r, &wire, split);
	bytes_done(&wire);
}
END_TEST

/* What only shows after a snapshot: diffs that are refused, deletes of what nobody knows. */
static const struct row diffs[] = {
	{ LAYER_PROTOBUF, "id of 15 bytes", "0a{0a{x15:61} 12{'w'}} 0a{0a{$b}}",
	    "refused 1 update-record 'workspace 'w': id of 15 bytes'|" },
	{ LAYER_PROTOBUF, "id of 0 bytes", "12{}",
	    "refused 1 update-record 'agent '': id of 0 bytes'|" },
	{ LAYER_PROTOBUF, "id of 10^6 bytes", "0a{0a{x1000000:61}}",
	    "refused 1 update-record 'workspace '': id of 1000000 bytes'|" },
	{ LAYER_PROTOBUF, "id of zeros", "0a{0a{$0}} 0a{0a{$b}}",
	    "update 1 diff 1w 0a 1 refused|" },
	{ LAYER_PROTOBUF, "record over 4 KiB", "0a{0a{$a} 12{x4096:61}} 0a{0a{$b}}",
	    "update 1 diff 1w 0a 1 refused|" },
	{ LAYER_PROTOBUF, "delete of an unknown id", "1a{0a{$x}} 22{0a{$y}}",
	    "update 1 diff 0w 0a -1w -1a|" },
	{ LAYER_PROTOBUF, "delete and upsert of one id", "22{0a{$y} 1a{$a}} 12{0a{$y} 1a{$a}}",
	    "update 1 diff 0w 1a -0w -1a|" },
	{ LAYER_PROTOBUF, "wire type 3", "2b", "over protobuf-wire|" },
};

/* Message 2 of stream 1, in frames of 64 KiB, so that it may be larger than the window. */
static void give_in_frames(struct server_peer *p, const char *wire)
{
	struct bytes body = { 0 }, packet = { 0 }, b = { 0 };

	bytes_parse(&body, wire);
	for (size_t at = 0; at <= body.len; at += 65536) {
		size_t n = body.len - at < 65536 ? body.len - at : 65536;

		packet.len = b.len = 0;
		bytes_u8(&packet, at + n == body.len ? 5 : 4);
		bytes_parse(&packet, "01 02");
		bytes_varint(&packet, n);
		bytes_add(&packet, body.at + at, n);
		server_yamux(&b, 0, 0, 1, packet.at, packet.len);
		server_give(p, 0, b.at, b.len);
	}
	bytes_done(&body);
	bytes_done(&packet);
	bytes_done(&b);
}

START_TEST(hostile_diff_has_its_outcome)
{
	struct hf_stream_limits limits = HF_STREAM_LIMITS_DEFAULT;
	const struct row *r = &diffs[_i];
	struct server_peer p;
	struct bytes b = { 0 };
	const char *told;

	open_stack(&p, &limits, r);
	server_message(&b, 1, 1, GOOD);
	server_give(&p, 0, b.at, b.len);
	ck_assert_str_eq(server_told(&p), "update 1 snapshot 1w 0a|");
	give_in_frames(&p, r->wire);
	told = server_told(&p);
	ck_assert_msg(!strcmp(told, r->told), "%s: '%s'", r->name, told);
	if (!strstr(told, "over"))
		check_alive(&p, "snapshot");
	server_stop(&p);
	bytes_done(&b);
}
END_TEST

/* Many frames, each within its limit, of one message that is not. */
START_TEST(message_over_the_limit_ends_it)
{
	struct hf_stream_limits limits = HF_STREAM_LIMITS_DEFAULT;
	struct server_peer p;

	limits.message = 100000;
	open_stack(&p, &limits, &diffs[0]);
	give_in_frames(&p, _i ? "2a 9c 8d 06 x99996:61" : "2a 9d 8d 06 x99997:61");
	ck_assert_str_eq(server_told(&p), _i ? "update 1 snapshot 0w 0a|" : "over drpc-message|");
	server_stop(&p);
}
END_TEST

/*
 * Bytes that are accepted, or take longest to be refused: a megabyte of each takes some 10 ms. The
 * bound is for what grows faster than the bytes do, on any machine; tests/bench/bench_decode
 * measures.
 */
static const struct row costly[] = {
	{ LAYER_WS, "empty fragments", "02 00 *500000(00 00)", "" },
	{ LAYER_WS, "empty messages", "*500000(82 00)", "" },
	{ LAYER_YAMUX, "a byte of data a frame",
	    Y("00", "00", "01", "00 00 00 07") "04 01 01 80 80 80 08*80000(" Y(
		"00", "00", "01", "00 00 00 02") "28 01)",
	    "" },
	{ LAYER_PROTOBUF, "empty records", "*120000(0a 00)",
	    "update 1 snapshot 0w 0a 120000 refused|" },
	{ LAYER_PROTOBUF, "smallest records", "*13000(0a{0a{$a}})",
	    "update 1 snapshot 13000w 0a|" },
	{ LAYER_PROTOBUF, "unknown varints", "*120000(28 01)", "update 1 snapshot 0w 0a|" },
	{ LAYER_PROTOBUF, "unknown fields in records", "*60(0a{0a{$a} *2000(28 01)})",
	    "update 1 snapshot 60w 0a|" },
};

START_TEST(work_is_bounded_by_the_bytes)
{
	struct hf_stream_limits limits = HF_STREAM_LIMITS_DEFAULT;
	const struct row *r = &costly[_i];
	struct server_peer p;
	struct bytes wire = { 0 };
	clock_t start;

	server_wrap(&wire, r->layer, r->wire);
	open_stack(&p, &limits, r);
	start = clock();
	server_give(&p, 0, wire.at, wire.len);
	ck_assert_int_lt((clock() - start) / CLOCKS_PER_SEC, 4);
	ck_assert_str_eq(server_told(&p), r->told);
	server_stop(&p);
	bytes_done(&wire);
}
END_TEST

Suite *faults_suite(void)
{
	Suite *s = suite_create("faults");
	TCase *tc = tcase_create("faults");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, hostile_input_has_its_outcome, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(tc, hostile_diff_has_its_outcome, 0, sizeof(diffs) / sizeof(diffs[0]));
	tcase_add_loop_test(tc, message_over_the_limit_ends_it, 0, 2);
	tcase_add_loop_test(
	    tc, work_is_bounded_by_the_bytes, 0, sizeof(costly) / sizeof(costly[0]));
	suite_add_tcase(s, tc);
	return s;
}
