/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/stream/wire/retry_after.h"
#include "bridge/stream/wire/upgrade.h"
#include "tests/unit/stream/kit_bytes.h"

Suite *upgrade_suite(void);

/* The nonce of RFC 6455 section 1.3, "the sample nonce", and the answer that it must have. */
static const uint8_t *const nonce = (const uint8_t *)"the sample nonce";
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define SWITCH "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define GOOD SWITCH UPGRADE ACCEPT "\r\n"

static struct hf_stream_limits limits;
static struct hf_upgrade u;

static void setup(void)
{
	limits = (struct hf_stream_limits)HF_STREAM_LIMITS_DEFAULT;
	hf_upgrade_init(&u, &limits, nonce);
}

static void teardown(void)
{
	hf_upgrade_done(&u);
}

/* What is left of the bytes goes to ret_left. */
static int give(const char *bytes, size_t len, size_t *ret_left)
{
	char *exact = malloc(len ? len : 1);
	struct hf_rd in;
	int rc;

	ck_assert_ptr_nonnull(exact);
	memcpy(exact, bytes, len);
	in = hf_rd(exact, len);
	rc = hf_upgrade_feed(&u, &in);
	*ret_left = hf_rd_left(&in);
	free(exact);
	return rc;
}

struct row {
	const char *name;
	const char *answer;
	enum hf_stream_fault trouble;
	int status;
};

static const struct row rows[] = {
	{ "as it should be", GOOD, 0, 101 },
	{ "case and order do not matter",
	    "HTTP/1.1 101\r\n"
	    "sec-websocket-accept:s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \t\r\n"
	    "CONNECTION: keep-alive, upgrade\r\nupgrade:\tWebSocket\r\n\r\n",
	    0, 101 },
	{ "HTTP/1.9", "HTTP/1.9 101 x\r\n" UPGRADE ACCEPT "\r\n", 0, 101 },
	{ "after an interim answer", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" GOOD, 0,
	    101 },
	{ "bytes over 127 in a value",
	    SWITCH "Server: gr\xc3\xbc\xc3\x9f\r\n" UPGRADE ACCEPT "\r\n", 0, 101 },
	{ "an empty extension line", SWITCH UPGRADE ACCEPT "Sec-WebSocket-Extensions:\r\n\r\n", 0,
	    101 },

	{ "101 without accept", SWITCH UPGRADE "\r\n", HF_STREAM_FAULT_HTTP_ACCEPT, 101 },
	{ "101 with a wrong accept",
	    SWITCH UPGRADE "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOO=\r\n\r\n",
	    HF_STREAM_FAULT_HTTP_ACCEPT, 101 },
	{ "101 with an empty accept", SWITCH UPGRADE "Sec-WebSocket-Accept:\r\n\r\n",
	    HF_STREAM_FAULT_HTTP_ACCEPT, 101 },
	{ "101 with two accepts", SWITCH UPGRADE ACCEPT ACCEPT "\r\n", HF_STREAM_FAULT_HTTP_ACCEPT,
	    101 },
	{ "the accept of an interim answer",
	    "HTTP/1.1 103 x\r\n" ACCEPT "\r\n" SWITCH UPGRADE "\r\n", HF_STREAM_FAULT_HTTP_ACCEPT,
	    101 },
	{ "101 without upgrade", SWITCH "Connection: Upgrade\r\n" ACCEPT "\r\n",
	    HF_STREAM_FAULT_HTTP_UPGRADE, 101 },
	{ "101 with another upgrade",
	    SWITCH "Upgrade: h2c\r\nConnection: Upgrade\r\n" ACCEPT "\r\n",
	    HF_STREAM_FAULT_HTTP_UPGRADE, 101 },
	{ "101 without connection", SWITCH "Upgrade: websocket\r\n" ACCEPT "\r\n",
	    HF_STREAM_FAULT_HTTP_UPGRADE, 101 },
	{ "101 with another connection",
	    SWITCH "Upgrade: websocket\r\nConnection: close\r\n" ACCEPT "\r\n",
	    HF_STREAM_FAULT_HTTP_UPGRADE, 101 },
	{ "101 in HTTP/1.0", "HTTP/1.0 101 x\r\n" UPGRADE ACCEPT "\r\n",
	    HF_STREAM_FAULT_HTTP_VERSION, 101 },
	{ "an extension",
	    SWITCH UPGRADE ACCEPT "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
	    HF_STREAM_FAULT_HTTP_EXTENSION, 101 },
	{ "a subprotocol", SWITCH UPGRADE ACCEPT "Sec-WebSocket-Protocol: chat\r\n\r\n",
	    HF_STREAM_FAULT_HTTP_EXTENSION, 101 },

	{ "HTTP/2", "HTTP/2 101 x\r\n", HF_STREAM_FAULT_HTTP_FORM, 0 },
	{ "HTTP/0.9", "HTTP/0.9 200 OK\r\n", HF_STREAM_FAULT_HTTP_FORM, 0 },
	{ "another protocol", "SSH-2.0-OpenSSH_9.2\r\n", HF_STREAM_FAULT_HTTP_FORM, 0 },
	{ "a TLS alert", "\x15\x03\x01", HF_STREAM_FAULT_HTTP_FORM, 0 },
	{ "a status of two digits", "HTTP/1.1 10 x\r\n", HF_STREAM_FAULT_HTTP_FORM, 0 },
	{ "a status of four digits", "HTTP/1.1 1010\r\n", HF_STREAM_FAULT_HTTP_FORM, 0 },
	{ "a status of letters", "HTTP/1.1 abc\r\n", HF_STREAM_FAULT_HTTP_FORM, 0 },
	{ "status 099", "HTTP/1.1 099 x\r\n", HF_STREAM_FAULT_HTTP_FORM, 99 },
	{ "status 600", "HTTP/1.1 600 x\r\n", HF_STREAM_FAULT_HTTP_FORM, 600 },
	{ "an empty status line", "\r\n", HF_STREAM_FAULT_HTTP_FORM, 0 },
	{ "LF alone in the status line", "HTTP/1.1 101 x\n" UPGRADE ACCEPT "\r\n",
	    HF_STREAM_FAULT_HTTP_FORM, 0 },

	{ "LF alone", SWITCH "Upgrade: websocket\nConnection: Upgrade\r\n" ACCEPT "\r\n",
	    HF_STREAM_FAULT_HTTP_FIELD, 101 },
	{ "CR alone", SWITCH "Upgrade: web\rsocket\r\n", HF_STREAM_FAULT_HTTP_FIELD, 101 },
	{ "two CR", SWITCH UPGRADE "\r\r\n", HF_STREAM_FAULT_HTTP_FIELD, 101 },
	{ "a folded line", SWITCH "X: a\r\n b\r\n", HF_STREAM_FAULT_HTTP_FIELD, 101 },
	{ "a folded line, with a tab and a colon", SWITCH "X: a\r\n\tb: c\r\n",
	    HF_STREAM_FAULT_HTTP_FIELD, 101 },
	{ "no colon", SWITCH "Upgrade websocket\r\n", HF_STREAM_FAULT_HTTP_FIELD, 101 },
	{ "no name", SWITCH ": websocket\r\n", HF_STREAM_FAULT_HTTP_FIELD, 101 },
	{ "a space before the colon", SWITCH "Upgrade : websocket\r\n", HF_STREAM_FAULT_HTTP_FIELD,
	    101 },
	{ "a control character", SWITCH "X: a\x01\r\n", HF_STREAM_FAULT_HTTP_FIELD, 101 },
	{ "DEL", SWITCH "X: a\x7f\r\n", HF_STREAM_FAULT_HTTP_FIELD, 101 },
	{ "two Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n",
	    HF_STREAM_FAULT_HTTP_FIELD, 200 },
	{ "a list of Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n",
	    HF_STREAM_FAULT_HTTP_FIELD, 200 },
	{ "a negative Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n",
	    HF_STREAM_FAULT_HTTP_FIELD, 200 },
	{ "no Content-Length in its line", "HTTP/1.1 200 OK\r\nContent-Length:\r\n",
	    HF_STREAM_FAULT_HTTP_FIELD, 200 },
	{ "a Content-Length of 20 digits",
	    "HTTP/1.1 200 OK\r\nContent-Length: 10000000000000000000\r\n",
	    HF_STREAM_FAULT_HTTP_FIELD, 200 },

	{ "200 with HTML", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
	    HF_STREAM_FAULT_HTTP_STATUS, 200 },
	{ "302", "HTTP/1.1 302 Found\r\nLocation: http://evil/\r\nContent-Length: 0\r\n\r\n",
	    HF_STREAM_FAULT_HTTP_STATUS, 302 },
	{ "204", "HTTP/1.1 204 No Content\r\n\r\n", HF_STREAM_FAULT_HTTP_STATUS, 204 },
	{ "304", "HTTP/1.1 304 Not Modified\r\n\r\n", HF_STREAM_FAULT_HTTP_STATUS, 304 },
	{ "401", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}",
	    HF_STREAM_FAULT_HTTP_STATUS, 401 },
	{ "503 in HTTP/1.0", "HTTP/1.0 503 Busy\r\nContent-Length: 1\r\n\r\nx",
	    HF_STREAM_FAULT_HTTP_STATUS, 503 },
	{ "500 with an accept that is wrong",
	    "HTTP/1.1 500 x\r\nSec-WebSocket-Accept: no\r\nContent-Length: 0\r\n\r\n",
	    HF_STREAM_FAULT_HTTP_STATUS, 500 },
};

START_TEST(answer_is_judged)
{
	const struct row *r = &rows[_i];
	size_t len = strlen(r->answer), left;

	for (size_t split = 0; split <= len; split++) {
		int rc = give(r->answer, split, &left);

		if (!rc)
			rc = give(r->answer + split, len - split, &left);
		ck_assert_msg(u.trouble == r->trouble, "%s, split at %zu: %s", r->name, split,
		    hf_stream_fault_name(u.trouble));
		ck_assert_int_eq(rc, r->trouble ? hf_stream_fault_code(r->trouble) : 1);
		ck_assert_int_eq(u.status, r->status);
		if (r->trouble) { /* it stays so */
			ck_assert_int_eq(give(GOOD, strlen(GOOD), &left), rc);
			ck_assert_int_eq(hf_upgrade_eof(&u), rc);
		}
		teardown();
		setup();
	}
}
END_TEST

START_TEST(bytes_after_the_head_are_left)
{
	static const char answer[] = GOOD "\x82\x03"
					  "abc\0more";
	size_t head = strlen(GOOD);

	for (size_t split = 0; split <= sizeof(answer); split++) {
		size_t left, rest = sizeof(answer) - split;
		int rc = give(answer, split, &left);

		ck_assert_int_eq(rc, split >= head);
		ck_assert_uint_eq(left, split >= head ? split - head : 0);
		if (rc)
			rest += left;
		ck_assert_int_eq(give(answer + sizeof(answer) - rest, rest, &left), 1);
		ck_assert_uint_eq(left, sizeof(answer) - head);
		teardown();
		setup();
	}
}
END_TEST

/* Lines that go on for ever. Each must end at its limit, and keep no more memory than that. */
static const struct {
	const char *name;
	const char *start;
	const char *more;
	enum hf_stream_fault trouble;
} endless[] = {
	{ "a header of 1 MiB", SWITCH "X: ", "aaaaaaaaaaaaaaaa", HF_STREAM_FAULT_HTTP_SIZE },
	{ "10^5 headers", SWITCH, "X: y\r\n", HF_STREAM_FAULT_HTTP_SIZE },
	{ "a status line without an end", "HTTP/1.1 101 ", "aaaaaaaaaaaaaaaa",
	    HF_STREAM_FAULT_HTTP_SIZE },
	{ "a name without an end", SWITCH, "aaaaaaaaaaaaaaaa", HF_STREAM_FAULT_HTTP_SIZE },
	{ "interim answers", "", "HTTP/1.1 100 Continue\r\n\r\n", HF_STREAM_FAULT_HTTP_SIZE },
	{ "NUL", SWITCH "X: a", NULL, HF_STREAM_FAULT_HTTP_FIELD },
};

START_TEST(endless_heads_end)
{
	size_t left, fed = 0;
	int rc = give(endless[_i].start, strlen(endless[_i].start), &left);

	for (int i = 0; i < 100000 && !rc; i++) {
		const char *more = endless[_i].more ? endless[_i].more : "";
		size_t n = endless[_i].more ? strlen(more) : 1;

		rc = give(more, n, &left);
		fed += n;
	}
	ck_assert_int_eq(u.trouble, endless[_i].trouble);
	ck_assert_uint_le(fed, limits.head + 32);
	ck_assert_uint_le(u.room, 2 * limits.head);
}
END_TEST

START_TEST(refusal_keeps_what_people_need)
{
	const char *answer =
	    "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 12\r\n"
	    "Location: https://example.com/\x80\r\nContent-Type: application/json\r\n\r\n"
	    "{\"message\": \"slow down\"}";
	size_t left;

	ck_assert_int_eq(give(answer, strlen(answer), &left), 0); /* there may be more of it */
	ck_assert_int_eq(hf_upgrade_eof(&u), HF_EREFUSED);
	ck_assert_int_eq(u.trouble, HF_STREAM_FAULT_HTTP_STATUS);
	ck_assert_int_eq(u.status, 429);
	ck_assert_str_eq(u.retry_after, "12");
	ck_assert_str_eq(u.location, "https://example.com/\\x80");
	ck_assert_str_eq(u.content_type, "application/json");
	ck_assert_str_eq(u.body, "{\"message\": \"slow down\"}");
}
END_TEST

START_TEST(body_of_a_refusal_is_cut)
{
	static char body[100000];
	const char *head = "HTTP/1.1 502 Bad Gateway\r\n\r\n";
	size_t left;

	memset(body, 'x', sizeof(body));
	ck_assert_int_eq(give(head, strlen(head), &left), 0);
	ck_assert_int_eq(give(body, sizeof(body), &left), HF_EREFUSED);
	ck_assert_uint_eq(strlen(u.body), sizeof(u.body) - 1);
}
END_TEST

START_TEST(end_before_the_head_is_whole_is_told)
{
	size_t left;

	for (size_t len = 0; len < strlen(GOOD); len++) {
		ck_assert_int_eq(give(GOOD, len, &left), 0);
		ck_assert_int_eq(hf_upgrade_eof(&u), HF_ECLOSED);
		ck_assert_int_eq(u.trouble, HF_STREAM_FAULT_HTTP_EOF);
		teardown();
		setup();
	}
}
END_TEST

START_TEST(request_is_what_a_server_wants)
{
	char head[1024];
	struct hf_wr w = hf_wr(head, sizeof(head));
	const struct hf_upgrade_header more[] = { { "X-Pass", "a b" }, { "CF-Id", "" } };
	const struct hf_upgrade_request r = { .host = "coder.example.com:8443",
		.prefix = "/coder",
		.token = "id-secret",
		.headers = more,
		.n_headers = 2 };

	ck_assert_int_eq(hf_upgrade_write(&r, nonce, &w), 0);
	ck_assert_uint_lt(hf_wr_len(&w), sizeof(head));
	head[hf_wr_len(&w)] = '\0';
	ck_assert_str_eq(head, "GET /coder/api/v2/tailnet?version=2.3 HTTP/1.1\r\n"
			       "Host: coder.example.com:8443\r\n"
			       "User-Agent: holdfast/" HF_VERSION "\r\n"
			       "Coder-Session-Token: id-secret\r\n"
			       "Connection: Upgrade\r\n"
			       "Upgrade: websocket\r\n"
			       "Sec-WebSocket-Version: 13\r\n"
			       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
			       "X-Pass: a b\r\n"
			       "CF-Id: \r\n"
			       "\r\n");
}
END_TEST

static const struct {
	const char *host, *prefix, *token, *name, *value;
} forged[] = {
	{ "", "", "t", "X", "v" },
	{ "h\r\nX: y", "", "t", "X", "v" },
	{ "h h", "", "t", "X", "v" },
	{ "h", "/a b", "t", "X", "v" },
	{ "h", "/a\n", "t", "X", "v" },
	{ "h", "", "", "X", "v" },
	{ "h", "", "t\r\nX: y", "X", "v" },
	{ "h", "", "t\n", "X", "v" },
	{ "h", "", "t\x7f", "X", "v" },
	{ "h", "", "t", "", "v" },
	{ "h", "", "t", "X Y", "v" },
	{ "h", "", "t", "X:", "v" },
	{ "h", "", "t", "X", "v\r\nY: z" },
	{ "h", "", "t", "host", "v" },
	{ "h", "", "t", "Upgrade", "h2c" },
	{ "h", "", "t", "coder-session-token", "other" },
	{ "h", "", "t", "Sec-WebSocket-Extensions", "permessage-deflate" },
	{ "h", "", "t", "Content-Length", "5" },
	{ "h", "", "t", "Transfer-Encoding", "chunked" },
};

START_TEST(no_part_of_the_request_can_forge_a_line)
{
	char head[1024];
	struct hf_wr w = hf_wr(head, sizeof(head));
	const struct hf_upgrade_header more = { forged[_i].name, forged[_i].value };
	const struct hf_upgrade_request r = { .host = forged[_i].host,
		.prefix = forged[_i].prefix,
		.token = forged[_i].token,
		.headers = &more,
		.n_headers = 1 };

	ck_assert_int_eq(hf_upgrade_write(&r, nonce, &w), -EINVAL);
	ck_assert_uint_eq(hf_wr_len(&w), 0);
}
END_TEST

START_TEST(request_that_does_not_fit_is_refused)
{
	char head[100];
	struct hf_wr w = hf_wr(head, sizeof(head));
	const struct hf_upgrade_request r = { .host = "h", .prefix = "", .token = "t" };

	ck_assert_int_eq(hf_upgrade_write(&r, nonce, &w), HF_ELIMIT);
}
END_TEST

static const struct {
	const char *text;
	int64_t want;
} waits[] = {
	{ "0", 0 },
	{ "120", 120 },
	{ "3600", 3600 },
	{ "3601", 3600 },
	{ "1000000000", 3600 },
	{ "99999999999999999999999999", 3600 },
	{ "", -1 },
	{ "junk", -1 },
	{ "-5", -1 },
	{ "12 s", -1 },
	{ "1.5", -1 },
	{ "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
	{ "Fri, 01 Jan 2100 00:00:00 GMT", 3600 },
	{ "Tue, 14 Nov 2023 22:15:20 GMT", 120 }, /* 1,700,000,120 */
	{ "Tue, 14 Nov 2023 22:15:20 CET", -1 },
	{ "Tue, 14 Nov 2023 22:15:20 GMT ", -1 },
	{ "Tue, 14 Nov 2023 22:15:20", -1 },
	{ "Tue, 14 Xxx 2023 22:15:20 GMT", -1 },
	{ "Tue, 00 Nov 2023 22:15:20 GMT", -1 },
	{ "Tue, 32 Nov 2023 22:15:20 GMT", -1 },
	{ "Tue, 14 Nov 2023 24:15:20 GMT", -1 },
	{ "Tue, 14 Nov 2023 22:60:20 GMT", -1 },
	{ "Tue, 14 Nov 2023 22:15:61 GMT", -1 },
	{ "Sunday, 06-Nov-94 08:49:37 GMT", -1 },
};

START_TEST(retry_after_is_read_within_reason)
{
	ck_assert_int_eq(hf_retry_after(waits[_i].text, 1700000000), waits[_i].want);
}
END_TEST

#define N(rows) ((int)(sizeof(rows) / sizeof(rows[0])))

Suite *upgrade_suite(void)
{
	Suite *s = suite_create("upgrade");
	TCase *tc = tcase_create("upgrade");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, answer_is_judged, 0, N(rows));
	tcase_add_test(tc, bytes_after_the_head_are_left);
	tcase_add_loop_test(tc, endless_heads_end, 0, N(endless));
	tcase_add_test(tc, refusal_keeps_what_people_need);
	tcase_add_test(tc, body_of_a_refusal_is_cut);
	tcase_add_test(tc, end_before_the_head_is_whole_is_told);
	tcase_add_test(tc, request_is_what_a_server_wants);
	tcase_add_loop_test(tc, no_part_of_the_request_can_forge_a_line, 0, N(forged));
	tcase_add_test(tc, request_that_does_not_fit_is_refused);
	tcase_add_loop_test(tc, retry_after_is_read_within_reason, 0, N(waits));
	suite_add_tcase(s, tc);
	return s;
}
