/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/unbound/ub_control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <check.h>
#include <event2/event.h>

#include "base/error.h"

Suite *ub_control_suite(void);

enum { QUICK_MS = 30, ALL_OF_IT = HF_UB_CONTROL_COMMAND_MAX };

/* unbound: takes one connection after the other, and reads all that is there. */
static struct event_base *base;
static struct hf_ub_control *control;
static char path[64];
static int listener;
static struct event *acceptable;
static struct event *in_peer;
static int peer = -1;
static size_t taken;
static char last[ALL_OF_IT];
static const char *answer; /* NULL: none, and the connection stays */
static size_t answers;     /* so many times */

static struct hf_ub_reply got;
static char got_text[HF_UB_CONTROL_REPLY_MAX + 1];
static unsigned n_got, n_want;

static void hang_up_peer(void)
{
	if (in_peer)
		event_free(in_peer);
	in_peer = NULL;
	if (peer >= 0)
		close(peer);
	peer = -1;
}

/* In one piece, which the socket's buffer takes: nobody reads while we write. */
static void say(int fd)
{
	size_t n = strlen(answer), len = n * answers;
	char *all = malloc(len + 1);

	for (size_t i = 0; i < answers; i++)
		memcpy(all + i * n, answer, n);
	ck_assert_int_eq(send(fd, all, len, MSG_NOSIGNAL | MSG_DONTWAIT), (ssize_t)len);
	free(all);
}

static void peer_readable(evutil_socket_t fd, short what, void *arg)
{
	ssize_t n = recv(fd, last, sizeof(last), MSG_DONTWAIT);

	ck_assert_int_gt(n, 0);
	taken = (size_t)n;
	if (!answer)
		return;
	say(fd);
	hang_up_peer();
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	hang_up_peer();
	peer = accept(fd, NULL, NULL);
	in_peer = event_new(base, peer, EV_READ, peer_readable, NULL);
	event_add(in_peer, NULL);
}

static void setup(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(path, sizeof(path), "/tmp/hf-test-control-%d", (int)getpid());
	unlink(path);
	memcpy(sun.sun_path, path, strlen(path));
	base = event_base_new();
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(listen(listener, 8), 0);
	acceptable = event_new(base, listener, EV_READ | EV_PERSIST, on_accept, NULL);
	event_add(acceptable, NULL);
	ck_assert_int_eq(hf_ub_control_new(base, path, QUICK_MS, &control), 0);
	answer = "ok\n";
	answers = 1;
	n_got = 0;
	n_want = 1;
}

static void teardown(void)
{
	hf_ub_control_free(control);
	hang_up_peer();
	event_free(acceptable);
	close(listener);
	unlink(path);
	event_base_free(base);
}

static void on_reply(const struct hf_ub_reply *reply, void *arg)
{
	got = *reply;
	ck_assert_uint_lt(reply->len, sizeof(got_text));
	memcpy(got_text, reply->text, reply->len + (reply->code ? 0 : 1));
	if (++n_got == n_want)
		event_base_loopbreak(base);
}

static void run(const char *command)
{
	ck_assert_int_eq(hf_ub_control_send(control, command, strlen(command), on_reply, NULL), 0);
	ck_assert_uint_eq(n_got, 0);
	event_base_dispatch(base);
}

START_TEST(a_command_and_its_reply)
{
	run("UBCT1 status\n");
	ck_assert_int_eq(got.code, 0);
	ck_assert_str_eq(got_text, "ok\n");
	ck_assert_uint_eq(taken, 13);
	ck_assert_int_ge(got.took_us, 0);
}
END_TEST

/* The whole of it is in the socket's buffer before unbound reads the first byte. */
START_TEST(the_largest_command_goes_out_at_once)
{
	char *big = malloc(ALL_OF_IT);

	memset(big, 'x', ALL_OF_IT);
	ck_assert_int_eq(hf_ub_control_send(control, big, ALL_OF_IT, on_reply, NULL), 0);
	ck_assert_int_eq(
	    hf_ub_control_send(control, big, ALL_OF_IT + 1, on_reply, NULL), HF_ELIMIT);
	free(big);
	event_base_dispatch(base);
	ck_assert_uint_eq(taken, ALL_OF_IT);
}
END_TEST

START_TEST(commands_go_one_after_the_other)
{
	n_want = 3;
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(hf_ub_control_send(control, "a\n", 2, on_reply, NULL), 0);
	run("bcd\n");
	ck_assert_uint_eq(n_got, 3);
	ck_assert_uint_eq(taken, 4);
}
END_TEST

START_TEST(a_long_reply_is_read_and_cut)
{
	answer = "error in this line\n";
	answers = 5000;
	run("UBCT1 local_datas\n");
	ck_assert_int_eq(got.code, 0);
	ck_assert_uint_eq(got.len, HF_UB_CONTROL_REPLY_MAX);
}
END_TEST

START_TEST(a_listing_that_is_too_long_is_not_read_to_its_end)
{
	answer = "name.coder.\t30\tIN\tAAAA\tfd60::1\n";
	answers = 3000;
	ck_assert_int_eq(
	    hf_ub_control_list(control, "UBCT1 list_local_data\n", 10000, on_reply, NULL), 0);
	event_base_dispatch(base);
	ck_assert_int_eq(got.code, HF_ELIMIT);
}
END_TEST

START_TEST(whoever_says_nothing_is_left)
{
	answer = NULL;
	n_want = 2;
	ck_assert_int_eq(hf_ub_control_send(control, "a\n", 2, on_reply, NULL), 0);
	run("b\n");
	ck_assert_int_eq(got.code, -ETIMEDOUT);
	ck_assert_uint_eq(n_got, 2); /* what waited behind it fails with it */
	answer = "ok\n";
	n_got = 0;
	n_want = 1;
	run("c\n");
	ck_assert_int_eq(got.code, 0);
}
END_TEST

START_TEST(whoever_hangs_up_is_told)
{
	answer = "";
	run("a\n");
	ck_assert_int_eq(got.code, HF_ECLOSED);
}
END_TEST

START_TEST(nobody_there)
{
	event_del(acceptable);
	close(listener);
	run("a\n");
	ck_assert_int_eq(got.code, -ECONNREFUSED);
	unlink(path);
	n_got = 0;
	run("a\n");
	ck_assert_int_eq(got.code, -ENOENT);
	listener = -1;
}
END_TEST

START_TEST(nothing_is_told_after_the_end)
{
	answer = NULL;
	ck_assert_int_eq(hf_ub_control_send(control, "a\n", 2, on_reply, NULL), 0);
	event_base_loop(base, EVLOOP_ONCE);
	hf_ub_control_free(control);
	control = NULL;
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(n_got, 0);
}
END_TEST

Suite *ub_control_suite(void)
{
	Suite *s = suite_create("ub_control");
	TCase *tc = tcase_create("control");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_command_and_its_reply);
	tcase_add_test(tc, the_largest_command_goes_out_at_once);
	tcase_add_test(tc, commands_go_one_after_the_other);
	tcase_add_test(tc, a_long_reply_is_read_and_cut);
	tcase_add_test(tc, a_listing_that_is_too_long_is_not_read_to_its_end);
	tcase_add_test(tc, whoever_says_nothing_is_left);
	tcase_add_test(tc, whoever_hangs_up_is_told);
	tcase_add_test(tc, nobody_there);
	tcase_add_test(tc, nothing_is_told_after_the_end);
	suite_add_tcase(s, tc);
	return s;
}
