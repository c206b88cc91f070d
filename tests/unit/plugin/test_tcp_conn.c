/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "plugin/dns/tcp_conn.h"
#include "tests/unit/plugin/kit_packet.h"
#include "zone/reader.h"

Suite *tcp_conn_suite(void);

/* Without a picture of any zone every question is REFUSED, which is answer enough here. */
static struct hf_zone *zone;
static struct hf_counters counters;
static struct hf_responder responder;
static struct hf_conn *conn;
static int far; /* the client's end */
static struct packet query;

static void setup(void)
{
	static const struct sockaddr_in6 from = { .sin6_family = AF_INET6,
		.sin6_addr = { { { 0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8 } } } };
	int fds[2];

	ck_assert_int_eq(hf_zone_open("/nowhere", &hf_clock_system, &zone), 0);
	memset(&counters, 0, sizeof(counters));
	responder = (struct hf_responder){ .own = &counters, .all = &counters, .n_all = 1 };
	ck_assert_int_eq(hf_zone_reader_new(zone, &responder.reader), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	conn = hf_conn_new(fds[0], (const struct sockaddr *)&from);
	ck_assert_ptr_nonnull(conn);
	far = fds[1];
	packet_begin(&query, "a.coder", 28);
}

static void teardown(void)
{
	hf_conn_free(conn);
	close(far);
	hf_zone_reader_free(responder.reader);
	hf_zone_close(zone);
}

static void send_query(size_t from, size_t to)
{
	uint8_t b[512];

	hf_be16_put(b, (uint16_t)query.len);
	memcpy(b + 2, query.b, query.len);
	ck_assert_int_eq(write(far, b + from, to - from), (ssize_t)(to - from));
}

/* At once, as one write. */
static void send_many(size_t n)
{
	static uint8_t b[1 << 16];
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		hf_be16_put(b + len, (uint16_t)query.len);
		memcpy(b + len + 2, query.b, query.len);
		len += 2 + query.len;
	}
	ck_assert_int_eq(write(far, b, len), (ssize_t)len);
}

static size_t whole(void)
{
	return 2 + query.len;
}

/* Who is one client: the same text before the slash. */
static const struct {
	const char *one;
	const char *other;
	bool same;
} clients[] = {
	{ "2001:db8:102:304::1", "2001:db8:102:304:506:708:90a:b0c", true },
	{ "2001:db8:102:304::1", "2001:db8:102:305::1", false },
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1", "192.0.2.2", false },
	/* A socket for both kinds shows those of IPv4 like this. */
	{ "::ffff:192.0.2.1", "::ffff:192.0.2.1", true },
	{ "::ffff:192.0.2.1", "::ffff:192.0.2.2", false },
	{ "::ffff:192.0.2.1", "192.0.2.1", true },
	{ "::1", "192.0.2.1", false },
	{ "::1", "::ffff:0.0.0.1", false },
	{ "::1", "0.0.0.0", false },
	/* All of one link, which is one /64 for any number of machines. */
	{ "fe80::1", "fe80::2", false },
	{ "fe80::1", "fe80::1", true },
	{ "febf::1", "febf::2", false },
	{ "fec0::1", "fec0::2", true },
};

static struct hf_conn *conn_from(const char *text)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	bool v4 = !strchr(text, ':');
	struct hf_conn *c;

	ck_assert_int_eq(inet_pton(v4 ? AF_INET : AF_INET6, text,
			     v4 ? (void *)&in4.sin_addr : (void *)&in6.sin6_addr),
	    1);
	c = hf_conn_new(
	    dup(far), v4 ? (const struct sockaddr *)&in4 : (const struct sockaddr *)&in6);
	ck_assert_ptr_nonnull(c);
	return c;
}

START_TEST(a_client_is_an_address_or_an_ipv6_network)
{
	struct hf_conn *one = conn_from(clients[_i].one), *other = conn_from(clients[_i].other);

	ck_assert_int_eq(
	    !memcmp(one->client, other->client, sizeof(one->client)), clients[_i].same);
	hf_conn_free(one);
	hf_conn_free(other);
}
END_TEST

START_TEST(a_question_that_is_not_whole_waits)
{
	uint8_t reply[512];

	for (size_t i = 0; i + 1 < whole(); i++) {
		send_query(i, i + 1);
		ck_assert_int_eq(hf_conn_work(conn, &responder), HF_CONN_WAITS);
		ck_assert_uint_eq(hf_conn_wants(conn), EPOLLIN);
	}
	send_query(whole() - 1, whole());
	ck_assert_int_eq(hf_conn_work(conn, &responder), HF_CONN_PROGRESS);
	ck_assert_int_eq(read(far, reply, sizeof(reply)), (ssize_t)whole());
	ck_assert_uint_eq(hf_be16(reply), query.len);
	ck_assert_uint_eq(reply[5] & 0xf, 5);
}
END_TEST

START_TEST(many_at_once_are_answered_at_once)
{
	uint8_t reply[8192];

	for (int i = 0; i < 100; i++)
		send_query(0, whole());
	ck_assert_int_eq(hf_conn_work(conn, &responder), HF_CONN_PROGRESS);
	ck_assert_int_eq(read(far, reply, sizeof(reply)), (ssize_t)(100 * whole()));
	ck_assert_uint_eq(counters.n[HF_COUNT_REFUSED], 100);
}
END_TEST

START_TEST(who_takes_nothing_is_read_no_further)
{
	/* Fill the way back. */
	while (send(conn->fd, query.b, query.len, MSG_DONTWAIT) > 0)
		;
	for (int i = 0; i < 2000 && hf_conn_wants(conn) & EPOLLIN; i++) {
		send_query(0, whole());
		ck_assert_int_ne(hf_conn_work(conn, &responder), HF_CONN_CLOSE);
	}
	ck_assert_uint_eq(hf_conn_wants(conn), EPOLLOUT);
	ck_assert_int_eq(hf_conn_work(conn, &responder), HF_CONN_WAITS);
}
END_TEST

START_TEST(once_the_answers_are_taken_all_that_waited_is_answered)
{
	static uint8_t got[1 << 20];
	uint64_t sent = 0;

	while (send(conn->fd, query.b, query.len, MSG_DONTWAIT) > 0)
		;
	/* Until its buffers are full to the last byte. */
	for (; conn->in_len < sizeof(conn->in); sent += 200) {
		send_many(200);
		ck_assert_int_ne(hf_conn_work(conn, &responder), HF_CONN_CLOSE);
	}
	for (int i = 0; i < 10000 && counters.n[HF_COUNT_REFUSED] < sent; i++) {
		while (read(far, got, sizeof(got)) > 0)
			;
		/* It never waits for what cannot come. */
		ck_assert_uint_ne(hf_conn_wants(conn), 0);
		ck_assert_int_ne(hf_conn_work(conn, &responder), HF_CONN_CLOSE);
	}
	ck_assert_uint_eq(counters.n[HF_COUNT_REFUSED], sent);
	ck_assert_uint_eq(conn->out_len + conn->in_len, 0);
}
END_TEST

START_TEST(all_is_answered_after_the_client_has_ended_its_side)
{
	uint8_t reply[512];

	send_query(0, whole());
	shutdown(far, SHUT_WR);
	ck_assert_int_eq(hf_conn_work(conn, &responder), HF_CONN_PROGRESS);
	ck_assert_int_eq(read(far, reply, sizeof(reply)), (ssize_t)whole());
	ck_assert_int_eq(hf_conn_work(conn, &responder), HF_CONN_CLOSE);
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
} no_queries[] = {
	{ "\0\0", 2 }, { "\0\5hello", 7 }, { "\20\1", 2 },            /* 4,097 bytes to come */
	{ "\377\377", 2 }, { "\0\14\0\0\200\0\0\1\0\0\0\0\0\0", 14 }, /* an answer */
};

START_TEST(what_is_no_query_ends_it)
{
	ck_assert_int_eq(
	    write(far, no_queries[_i].bytes, no_queries[_i].len), (ssize_t)no_queries[_i].len);
	ck_assert_int_eq(hf_conn_work(conn, &responder), HF_CONN_CLOSE);
}
END_TEST

START_TEST(a_query_of_the_greatest_length_is_read)
{
	static uint8_t big[2 + HF_TCP_QUERY_MAX];
	uint8_t reply[512];

	hf_be16_put(big, HF_TCP_QUERY_MAX);
	memcpy(big + 2, query.b, query.len);
	ck_assert_int_eq(write(far, big, sizeof(big)), sizeof(big));
	ck_assert_int_eq(hf_conn_work(conn, &responder), HF_CONN_PROGRESS);
	ck_assert_int_gt(read(far, reply, sizeof(reply)), 0);
	ck_assert_uint_eq(reply[5] & 0xf, 1);
}
END_TEST

START_TEST(a_client_that_is_gone_ends_it)
{
	close(far);
	far = -1;
	ck_assert_int_eq(hf_conn_work(conn, &responder), HF_CONN_CLOSE);
}
END_TEST

Suite *tcp_conn_suite(void)
{
	Suite *s = suite_create("tcp_conn");
	TCase *tc = tcase_create("conn");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, a_client_is_an_address_or_an_ipv6_network, 0, sizeof(clients) / sizeof(clients[0]));
	tcase_add_test(tc, a_question_that_is_not_whole_waits);
	tcase_add_test(tc, many_at_once_are_answered_at_once);
	tcase_add_test(tc, who_takes_nothing_is_read_no_further);
	tcase_add_test(tc, once_the_answers_are_taken_all_that_waited_is_answered);
	tcase_add_test(tc, all_is_answered_after_the_client_has_ended_its_side);
	tcase_add_loop_test(
	    tc, what_is_no_query_ends_it, 0, sizeof(no_queries) / sizeof(no_queries[0]));
	tcase_add_test(tc, a_query_of_the_greatest_length_is_read);
	tcase_add_test(tc, a_client_that_is_gone_ends_it);
	suite_add_tcase(s, tc);
	return s;
}
