/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dns_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "adapters/dns_pace.h"
#include "base/clock.h"
#include "base/error.h"
#include "tests/unit/adapters/kit_resolver.h"

enum { AAAA = 28, QUICK_MS = 10 };

Suite *dns_client_suite(void);

static const uint8_t addr[16] = { 0xfd, 0x60, 0x62, 0x7a, 0xa4, 0x2b, [15] = 7 };

static struct event_base *base;
static struct resolver server;
static struct hf_dns_client *ask;
static struct hf_dns_pace pace;
static struct hf_asked got;
static unsigned n_got;
static unsigned n_failed;
static unsigned n_want;

static void on_asked(const struct hf_asked *asked, void *arg)
{
	got = *asked;
	n_failed += asked->code != 0;
	if (++n_got == n_want)
		event_base_loopbreak(base);
}

static void open_with(resolver_cb cb, void *arg, struct hf_dns_client_opts opts)
{
	base = event_base_new();
	resolver_open(&server, base, cb, arg);
	hf_dns_pace_init(&pace, 20000);
	opts.server = &server.at;
	opts.timeout_ms = QUICK_MS;
	ck_assert_int_eq(hf_dns_client_new(base, &opts, &ask), 0);
}

static void teardown(void)
{
	hf_dns_client_free(ask);
	if (server.on_udp)
		resolver_close(&server);
	event_base_free(base);
	ask = NULL;
	memset(&server, 0, sizeof(server));
}

static void send_n(unsigned n)
{
	struct hf_name name;

	n_got = n_failed = 0;
	n_want = n;
	ck_assert_int_eq(hf_name_parse("a.coder", &name), 0);
	for (unsigned i = 0; i < n; i++)
		ck_assert_int_eq(hf_dns_client_send(ask, &name, AAAA, on_asked, NULL), 0);
	ck_assert_uint_eq(n_got, 0);
}

static void ask_n(unsigned n)
{
	send_n(n);
	event_base_dispatch(base);
	ck_assert_uint_eq(n_got, n);
	ck_assert_uint_eq(hf_dns_client_waiting(ask), 0);
}

static size_t good(const struct resolver_question *q, uint8_t *out)
{
	return resolver_add(out, resolver_answer(q, 0x0400, out), AAAA, 30, addr, 16);
}

static size_t answer_from_nth(const struct resolver_question *q, uint8_t *out, void *arg)
{
	return q->nth < *(unsigned *)arg ? 0 : good(q, out);
}

START_TEST(a_lost_packet_is_asked_again)
{
	unsigned nth = 3;

	open_with(answer_from_nth, &nth, (struct hf_dns_client_opts){ 0 });
	ask_n(1);
	ck_assert_int_eq(got.code, 0);
	ck_assert_uint_eq(got.n_addrs, 1);
}
END_TEST

START_TEST(after_the_last_try_it_is_told)
{
	unsigned nth = 4;

	open_with(answer_from_nth, &nth, (struct hf_dns_client_opts){ 0 });
	ask_n(1);
	ck_assert_int_eq(got.code, -ETIMEDOUT);
	ck_assert_uint_eq(server.n, 3);
}
END_TEST

START_TEST(a_closed_port_is_told_as_such)
{
	unsigned nth = 1;

	open_with(answer_from_nth, &nth, (struct hf_dns_client_opts){ 0 });
	resolver_close(&server);
	server.on_udp = NULL;
	ask_n(1);
	ck_assert_int_eq(got.code, -ECONNREFUSED);
}
END_TEST

/* A forged answer, then the right one. */
static size_t forge(const struct resolver_question *q, uint8_t *out, void *arg)
{
	size_t len = good(q, out);

	if (q->nth == 1)
		out[*(size_t *)arg] ^= 1;
	return len;
}

static const size_t forged_bytes[] = { 0 /* id */, 1, 13 /* name */, 21 /* type */,
	23 /* class */ };

START_TEST(a_forged_answer_is_not_taken)
{
	size_t byte = forged_bytes[_i];

	open_with(forge, &byte, (struct hf_dns_client_opts){ 0 });
	ask_n(1);
	ck_assert_int_eq(got.code, 0);
	ck_assert_uint_eq(server.n, 2);
}
END_TEST

static size_t cut(const struct resolver_question *q, uint8_t *out, void *arg)
{
	return q->tcp ? good(q, out) : resolver_answer(q, 0x0200, out);
}

START_TEST(what_was_cut_is_asked_by_tcp)
{
	open_with(cut, NULL, (struct hf_dns_client_opts){ 0 });
	ask_n(3);
	ck_assert_int_eq(got.code, 0);
	ck_assert_uint_eq(got.n_addrs, 1);
	/* Each by UDP and by TCP; a machine that is late may repeat one. */
	ck_assert_uint_ge(server.n, 6);
	ck_assert_uint_le(server.n, 8);
}
END_TEST

static size_t cut_and_closed(const struct resolver_question *q, uint8_t *out, void *arg)
{
	return q->tcp ? 0 : resolver_answer(q, 0x0200, out);
}

START_TEST(a_tcp_connection_that_ends_early_is_told)
{
	open_with(cut_and_closed, NULL, (struct hf_dns_client_opts){ 0 });
	ask_n(1);
	ck_assert_int_eq(got.code, HF_ECLOSED);
}
END_TEST

static size_t refuse(const struct resolver_question *q, uint8_t *out, void *arg)
{
	return resolver_answer(q, 5, out);
}

START_TEST(a_refusal_is_an_answer)
{
	open_with(refuse, NULL, (struct hf_dns_client_opts){ 0 });
	ask_n(1);
	ck_assert_int_eq(got.code, 0);
	ck_assert_uint_eq(got.rcode, 5);
}
END_TEST

/* The header and question are right, what follows is not. */
static size_t malformed(const struct resolver_question *q, uint8_t *out, void *arg)
{
	return good(q, out) - 3;
}

START_TEST(only_malformed_answers_are_told)
{
	open_with(malformed, NULL, (struct hf_dns_client_opts){ 0 });
	ask_n(1);
	ck_assert_int_eq(got.code, HF_EFORMAT);
	ck_assert_uint_eq(server.n, 3);
}
END_TEST

START_TEST(more_than_the_window_waits_its_turn)
{
	unsigned nth = 1;

	open_with(answer_from_nth, &nth,
	    (struct hf_dns_client_opts){ .window = 4, .per_second = 1000000 });
	ask_n(500);
	ck_assert_int_eq(got.code, 0);
}
END_TEST

static void after_some_time(evutil_socket_t fd, short what, void *arg)
{
	event_base_loopbreak(base);
}

START_TEST(no_more_is_asked_than_so_many_a_second)
{
	const struct timeval tv = { .tv_usec = 100000 };
	int64_t began = hf_boot_ms(&hf_clock_system), took_ms;
	unsigned nth = 1;

	open_with(answer_from_nth, &nth, (struct hf_dns_client_opts){ .per_second = 200 });
	send_n(500);
	event_base_once(base, -1, EV_TIMEOUT, after_some_time, NULL, &tv);
	event_base_dispatch(base);
	took_ms = hf_boot_ms(&hf_clock_system) - began;
	/* 20 in that time, if the end was not late, and what one moment may make up for. */
	ck_assert_int_le(server.n, took_ms * 200 / 1000 + 20);
	ck_assert_uint_ge(server.n, 2);
}
END_TEST

START_TEST(nothing_is_told_after_the_end)
{
	unsigned nth = 1;

	open_with(answer_from_nth, &nth, (struct hf_dns_client_opts){ .window = 2 });
	send_n(20);
	hf_dns_client_free(ask);
	ask = NULL;
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(n_got, 0);
}
END_TEST

/* As unbound does it from 1.25 on: so many a while, and of the others it hears nothing. */
struct limit {
	unsigned at_once, left, dropped;
};

static size_t answer_up_to_a_limit(const struct resolver_question *q, uint8_t *out, void *arg)
{
	struct limit *l = arg;

	if (!l->left) {
		l->dropped++;
		return 0;
	}
	l->left--;
	return resolver_answer(q, 0x0005, out);
}

static void on_while_over(evutil_socket_t fd, short what, void *arg)
{
	struct limit *l = arg;

	l->left = l->at_once;
}

START_TEST(a_server_that_answers_so_many_a_while_is_asked_at_its_pace)
{
	const struct timeval a_while = { .tv_usec = 100 * 1000 };
	struct limit l = { .at_once = 20, .left = 20 };
	struct event *timer;

	open_with(answer_up_to_a_limit, &l,
	    (struct hf_dns_client_opts){
		.per_second = 20000, .window = 200, .tries = 5, .pace = &pace, .gentle = true });
	timer = event_new(base, -1, EV_PERSIST, on_while_over, &l);
	event_add(timer, &a_while);
	ask_n(300);
	ck_assert_uint_eq(n_failed, 0);
	ck_assert_uint_gt(l.dropped, 0);
	ck_assert_uint_lt(l.dropped, 1500);
	event_free(timer);
}
END_TEST

START_TEST(a_server_that_answers_nobody_is_given_up_in_time)
{
	struct limit l = { 0 };

	open_with(answer_up_to_a_limit, &l,
	    (struct hf_dns_client_opts){ .window = 64, .tries = 5, .gentle = true });
	ask_n(3);
	ck_assert_int_eq(got.code, -ETIMEDOUT);
	ck_assert_uint_eq(n_failed, 3);
	/* Four tries of each; fewer where this machine was late. */
	ck_assert_uint_ge(l.dropped, 3);
	ck_assert_uint_le(l.dropped, 12);
}
END_TEST

START_TEST(a_server_that_falls_silent_is_given_up_in_time)
{
	struct limit l = { .left = 20 };

	open_with(answer_up_to_a_limit, &l,
	    (struct hf_dns_client_opts){
		.per_second = 20000, .window = 64, .tries = 5, .pace = &pace, .gentle = true });
	ask_n(60);
	ck_assert_int_eq(got.code, -ETIMEDOUT);
	ck_assert_uint_eq(n_failed, 40);
}
END_TEST

Suite *dns_client_suite(void)
{
	Suite *s = suite_create("dns_client");
	TCase *tc = tcase_create("ask");

	tcase_add_checked_fixture(tc, NULL, teardown);
	if (!getenv("HF_VALGRIND")) { /* with which nothing keeps such a pace */
		tcase_add_test(tc, a_server_that_answers_so_many_a_while_is_asked_at_its_pace);
		tcase_add_test(tc, a_server_that_falls_silent_is_given_up_in_time);
	}
	tcase_add_test(tc, a_server_that_answers_nobody_is_given_up_in_time);
	tcase_add_test(tc, a_lost_packet_is_asked_again);
	tcase_add_test(tc, after_the_last_try_it_is_told);
	tcase_add_test(tc, a_closed_port_is_told_as_such);
	tcase_add_loop_test(tc, a_forged_answer_is_not_taken, 0, 5);
	tcase_add_test(tc, what_was_cut_is_asked_by_tcp);
	tcase_add_test(tc, a_tcp_connection_that_ends_early_is_told);
	tcase_add_test(tc, a_refusal_is_an_answer);
	tcase_add_test(tc, only_malformed_answers_are_told);
	tcase_add_test(tc, more_than_the_window_waits_its_turn);
	tcase_add_test(tc, no_more_is_asked_than_so_many_a_second);
	tcase_add_test(tc, nothing_is_told_after_the_end);
	suite_add_tcase(s, tc);
	return s;
}
