/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listener that takes one request from each client: what it answers, and whom it closes when
 * there are too many or one takes too long. Real sockets and a real loop; nothing depends on how
 * long anything takes.
 */
#include <check.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "bridge/control/request_server.h"

Suite *request_server_suite(void);

enum { CLIENTS = 4, LONG_MS = 60000, SHORT_MS = 30 };

static struct event_base *base;
static struct hf_request_server *server;
static struct sockaddr_un address;
static socklen_t address_len;

/* What the server told. */
static unsigned n_came, n_gone, n_late, n_read;
static char got[200]; /* of the last read */
static struct hf_request_server_client *last;
static bool holds, firm; /* what is done with a request */

static void on_came(void *arg, struct hf_request_server_client *cl)
{
	ck_assert_ptr_eq(arg, &n_came);
	n_came++;
	last = cl;
	hf_request_server_client_set(cl, &got);
}

static void on_gone(void *arg, struct hf_request_server_client *cl)
{
	ck_assert_ptr_eq(hf_request_server_client_get(cl), &got);
	n_gone++;
}

static void on_late(void *arg, struct hf_request_server_client *cl)
{
	n_late++;
	hf_request_server_client_answer(cl, "late", 4);
}

/* A line that ends is a request. */
static void on_read(void *arg, struct hf_request_server_client *cl, struct evbuffer *in)
{
	ev_ssize_t n = evbuffer_copyout(in, got, sizeof(got) - 1);

	n_read++;
	last = cl;
	ck_assert_int_ge(n, 0);
	got[n] = '\0';
	if (!strchr(got, '\n'))
		return;
	if (holds)
		hf_request_server_client_hold(cl, firm);
	else
		hf_request_server_client_answer(cl, "answer", 6);
}

static void serve(uint32_t span_ms)
{
	const struct hf_request_server_opts opts = {
		.name = "a test",
		.clock = &hf_clock_system,
		.clients_max = CLIENTS,
		.span_ms = span_ms,
		.came = on_came,
		.read = on_read,
		.late = on_late,
		.gone = on_gone,
		.arg = &n_came,
	};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	/* The kernel chooses an abstract name. */
	address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address.sun_family)), 0);
	address_len = sizeof(address);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &address_len), 0);
	ck_assert_int_eq(listen(fd, 64), 0);
	ck_assert_int_eq(hf_request_server_new(base, &opts, fd, &server), 0);
}

static void setup(void)
{
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	server = NULL;
	n_came = n_gone = n_late = n_read = 0;
	holds = firm = false;
	got[0] = '\0';
}

static void teardown(void)
{
	hf_request_server_free(server);
	ck_assert_uint_eq(n_gone, n_came);
	event_base_free(base);
}

static int client(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, address_len), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* The loop goes on until the number is reached: what is to come does come. */
static void until(const unsigned *n, unsigned want)
{
	while (*n < want)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
}

/* What is due now. */
static void turn(void)
{
	for (int i = 0; i < 10; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

/* All that the client reads until it is closed; it is closed here too. */
static void hears(int fd, const char *text)
{
	char bytes[100];
	ssize_t n;
	size_t len = 0;

	while ((n = recv(fd, bytes + len, sizeof(bytes) - len, 0)) != 0) {
		if (n > 0)
			len += (size_t)n;
		else
			event_base_loop(base, EVLOOP_ONCE);
	}
	ck_assert_uint_eq(len, strlen(text));
	ck_assert_mem_eq(bytes, text, len);
	close(fd);
}

static bool is_open(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK) < 0;
}

START_TEST(a_request_gets_its_answer_and_the_end)
{
	int fd;

	serve(LONG_MS);
	fd = client();
	say(fd, "status\n");
	hears(fd, "answer");
	ck_assert_str_eq(got, "status\n");
	ck_assert_uint_eq(n_came, 1);
	ck_assert_uint_eq(n_gone, 1);
}
END_TEST

START_TEST(a_request_may_come_in_parts)
{
	int fd;

	serve(LONG_MS);
	fd = client();
	say(fd, "sta");
	until(&n_read, 1);
	ck_assert(is_open(fd));
	say(fd, "tus\n");
	hears(fd, "answer");
	ck_assert_str_eq(got, "status\n");
}
END_TEST

START_TEST(after_its_answer_nothing_is_read)
{
	int fd;

	serve(LONG_MS);
	holds = true;
	fd = client();
	say(fd, "one\n");
	until(&n_read, 1);
	say(fd, "two\n");
	turn();
	ck_assert_uint_eq(n_read, 1);
	hf_request_server_client_answer(last, "x", 1);
	turn();
	ck_assert_uint_eq(n_read, 1);
	close(fd);
}
END_TEST

START_TEST(an_empty_answer_is_the_end_too)
{
	int fd;

	serve(LONG_MS);
	fd = client();
	until(&n_came, 1);
	hf_request_server_client_answer(last, "", 0);
	hears(fd, "");
}
END_TEST

START_TEST(who_goes_away_is_gone)
{
	int fd;

	serve(LONG_MS);
	fd = client();
	until(&n_came, 1);
	close(fd);
	until(&n_gone, 1);
}
END_TEST

START_TEST(for_one_too_many_the_longest_silent_one_is_closed)
{
	int fds[CLIENTS], more;

	serve(LONG_MS);
	for (unsigned i = 0; i < CLIENTS; i++) {
		fds[i] = client();
		until(&n_came, i + 1);
	}
	/* The first one has said something since. */
	say(fds[0], "st");
	until(&n_read, 1);
	more = client();
	until(&n_came, CLIENTS + 1);
	ck_assert_uint_eq(n_gone, 1);
	ck_assert(is_open(fds[0]) && !is_open(fds[1]));
	ck_assert(is_open(fds[2]) && is_open(fds[3]) && is_open(more));
	say(more, "status\n");
	hears(more, "answer");
	for (unsigned i = 0; i < CLIENTS; i++)
		close(fds[i]);
}
END_TEST

/* One that waits for us is not silent. */
START_TEST(who_waits_for_an_answer_is_not_closed_for_another)
{
	int fds[CLIENTS], more;

	serve(LONG_MS);
	holds = firm = true;
	for (unsigned i = 0; i < CLIENTS; i++) {
		fds[i] = client();
		say(fds[i], "status\n");
		until(&n_read, i + 1);
	}
	more = client();
	turn();
	ck_assert_uint_eq(n_came, CLIENTS); /* it waits at the door */
	for (unsigned i = 0; i < CLIENTS; i++)
		ck_assert(is_open(fds[i]));
	hf_request_server_client_answer(last, "x", 1);
	hears(fds[CLIENTS - 1], "x");
	until(&n_came, CLIENTS + 1);
	for (unsigned i = 0; i + 1 < CLIENTS; i++)
		close(fds[i]);
	close(more);
}
END_TEST

/* Held, but not firmly: it may be closed for one more. */
START_TEST(who_is_only_held_makes_room)
{
	int fds[CLIENTS], more;

	serve(LONG_MS);
	holds = true;
	for (unsigned i = 0; i < CLIENTS; i++) {
		fds[i] = client();
		say(fds[i], "status\n");
		until(&n_read, i + 1);
	}
	more = client();
	until(&n_came, CLIENTS + 1);
	ck_assert(!is_open(fds[0]) && is_open(fds[1]));
	for (unsigned i = 0; i < CLIENTS; i++)
		close(fds[i]);
	close(more);
}
END_TEST

START_TEST(who_says_nothing_for_too_long_is_closed)
{
	int fd;

	serve(SHORT_MS);
	fd = client();
	hears(fd, "");
	ck_assert_uint_eq(n_late, 0);
}
END_TEST

START_TEST(who_was_held_for_too_long_gets_an_answer)
{
	int fd;

	serve(SHORT_MS);
	holds = firm = true;
	fd = client();
	say(fd, "status\n");
	hears(fd, "late");
	ck_assert_uint_eq(n_late, 1);
}
END_TEST

START_TEST(its_end_is_the_end_of_all)
{
	int fds[2];

	serve(LONG_MS);
	fds[0] = client();
	fds[1] = client();
	until(&n_came, 2);
	hf_request_server_free(server);
	server = NULL;
	ck_assert_uint_eq(n_gone, 2);
	ck_assert(!is_open(fds[0]) && !is_open(fds[1]));
	close(fds[0]);
	close(fds[1]);
}
END_TEST

Suite *request_server_suite(void)
{
	Suite *s = suite_create("request_server");
	TCase *tc = tcase_create("request_server");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_request_gets_its_answer_and_the_end);
	tcase_add_test(tc, a_request_may_come_in_parts);
	tcase_add_test(tc, after_its_answer_nothing_is_read);
	tcase_add_test(tc, an_empty_answer_is_the_end_too);
	tcase_add_test(tc, who_goes_away_is_gone);
	tcase_add_test(tc, for_one_too_many_the_longest_silent_one_is_closed);
	tcase_add_test(tc, who_waits_for_an_answer_is_not_closed_for_another);
	tcase_add_test(tc, who_is_only_held_makes_room);
	tcase_add_test(tc, who_says_nothing_for_too_long_is_closed);
	tcase_add_test(tc, who_was_held_for_too_long_gets_an_answer);
	tcase_add_test(tc, its_end_is_the_end_of_all);
	suite_add_tcase(s, tc);
	return s;
}
