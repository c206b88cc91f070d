/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client walks at random: bytes, silence, ends and errors of the server, answers of REST and of
 * DNS, time, wake, clock, network, token and reload, and a caller that is busy, refuses and holds.
 * After each step the rules of kit_world_rules.c hold. HF_WALK_SEED=N walks that one life again,
 * HF_WALK_STEPS=N so many steps in all, HF_WALK_LOG=1 with the log. Ten million under HF_LONG, or
 * as many as fit into a quarter of an hour.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/unit/client/kit_curl.h"
#include "tests/unit/client/kit_loop.h"
#include "tests/unit/client/kit_names.h"
#include "tests/unit/client/kit_world.h"

enum { LIFE = 1000, STEPS = 200 * 1000, STEPS_LONG = 10 * 1000 * 1000, LONG_S = 900, ENOUGH = 50 };

Suite *client_walk_suite(void);

static size_t any(size_t n)
{
	return prng_below(&world.rng, n);
}

/* Mostly little: else every limit is met, and nothing is ever live. */
static void step_time(void)
{
	bool live = world.is.state == CLIENT_LIVE && !curl_transfers();

	if (world_likely(live ? 20 : 3))
		world_pass((int64_t)any(60 * 1000));
	else if (world_likely(live ? 50 : 5) && loop_next() < INT64_MAX)
		world_pass(loop_next() - world_now());
	else
		world_pass((int64_t)any(world_likely(10) ? 2000 : 50));
}

static void step_rest(void)
{
	if (curl_transfers())
		world_rest_answer(any(curl_transfers()), world_likely(70 + world.luck / 4));
}

static void step_names(void)
{
	world.progress_ms = world_now();
	if (names_asked())
		names_answer(world_likely(world.luck));
	else if (names_children())
		names_child_ends(world_likely(world.luck));
}

/* What an open stream brings. */
static void step_stream(struct coder *s)
{
	static const unsigned codes[] = { 0, 1, 5, 12 };
	struct coder_stream *t;

	if (!s->n_streams)
		return;
	t = &s->streams[any(s->n_streams)];
	if (t->closed || t->owner < 0)
		return;
	switch (any(world.luck < 70 ? 12 : 20)) {
	case 0:
		coder_error(s, t, codes[any(4)]);
		break;
	case 1:
		coder_close(s, t);
		break;
	case 2:
		coder_reset(s, t);
		break;
	case 3:
		coder_bad_message(s, t);
		break;
	case 4:
	case 5:
		coder_message(s, t, false);
		break;
	default:
		coder_message(s, t, true);
		break;
	}
}

static void step_end(struct coder *s)
{
	switch (any(6)) {
	case 0:
		s->line->ended = true;
		break;
	case 1:
		s->line->broken = CURLE_RECV_ERROR;
		break;
	case 2:
		coder_ws_close(s);
		break;
	case 3:
		coder_junk(s);
		break;
	default:
		coder_goaway(s);
		break;
	}
}

static void step_server(void)
{
	struct coder *s = world.coder;

	if (!s || !s->asked || s->line->ended || s->line->broken)
		return;
	world.progress_ms = world_now();
	if (!s->open)
		coder_upgrade(s, world_likely(85), any(2) ? 503 : 401);
	else if (s->n_pings && world_likely(world.pongs))
		coder_pong(s);
	else if (any(60) == 0)
		step_end(s);
	else if (any(30) == 0)
		s->line->full = !s->line->full;
	else
		step_stream(s);
}

/* While a connection is open, another one is to come; a way that is under way may go on. */
static void expect_redial(void)
{
	world_excuse();
	if (world.is.state == CLIENT_LIVE && !world.redial_ms)
		world.redial_ms = world_now();
}

static void redial(void)
{
	world.forced = true;
	expect_redial();
	world.refused_ms[0] = world.refused_ms[1] = 0;
	WORLD_CALL(hf_client_redial(world.client));
}

static void kick(void)
{
	static const enum hf_client_event events[] = { CLIENT_EVENT_TOKEN, CLIENT_EVENT_WAKE,
		CLIENT_EVENT_CLOCK, CLIENT_EVENT_NETWORK, CLIENT_EVENT_RELOAD };
	enum hf_client_event event = events[any(5)];

	if (event == CLIENT_EVENT_TOKEN || event == CLIENT_EVENT_RELOAD)
		world.refused_ms[0] = world.refused_ms[1] = 0;
	if (event == CLIENT_EVENT_WAKE)
		expect_redial();
	WORLD_CALL(hf_client_kick(world.client, event, NULL));
}

/* Many in a row, of one kind or of all. */
static void step_events(void)
{
	for (size_t left = any(10) ? 1 : any(40); left; left--) {
		kick();
		world_settle();
		if (left > 1 && any(4) == 0)
			redial();
		world_settle();
		world_pass((int64_t)any(1000));
	}
}

static void step_operator(void)
{
	switch (any(5)) {
	case 0:
		redial();
		break;
	case 1:
		WORLD_CALL(hf_client_decided(world.client));
		break;
	case 2:
		world.settings.snapshot_interval_ms = (int64_t)(1 + any(10)) * 3000;
		if (world.settings.snapshot_interval_ms > world.interval_ms)
			world.interval_ms = world.settings.snapshot_interval_ms;
		break;
	case 3:
		world.n_users = 1 + (unsigned)any(CODER_OWNERS_MAX);
		break;
	default:
		world.luck = (unsigned)(30 + any(71));
		world.pongs = (unsigned)any(101);
		break;
	}
}

static void step_caller(void)
{
	if (world.busy) {
		world.busy = false;
		WORLD_CALL(hf_client_poke(world.client));
	} else if (any(8) == 0) {
		world.busy = true;
	} else {
		WORLD_CALL(hf_client_poke(world.client));
	}
}

static void step(void)
{
	size_t dice = world.quiet && any(10) ? 0 : any(100);

	if (dice < 30)
		step_time();
	else if (dice < 50)
		step_rest();
	else if (dice < 55)
		step_names();
	else if (dice < 85)
		step_server();
	else if (dice < 93)
		step_caller();
	else if (dice < 99)
		step_events();
	else
		step_operator();
	world_settle();
}

static void live(uint64_t seed, unsigned *states, uint64_t *codes)
{
	world_begin(seed);
	for (world.step = 0; world.step < LIFE; world.step++)
		step();
	*states |= world.states;
	*codes |= world.codes;
	world_end();
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static uint64_t new_seed(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

START_TEST(rules_hold_whatever_happens)
{
	uint64_t first = new_seed(), codes = 0;
	size_t lives = number_of("HF_WALK_STEPS", getenv("HF_LONG") ? STEPS_LONG : STEPS) / LIFE;
	time_t begun = time(NULL);
	size_t done = 0;
	unsigned states = 0;

	hf_fake_clock_init(&loop_clock, 0, 0);
	hf_log_init(STDERR_FILENO, getenv("HF_WALK_LOG") ? HF_LOG_DEBUG : HF_LOG_ERROR, HF_LOG_TEXT,
	    &loop_clock.clock);
	if (getenv("HF_WALK_SEED")) {
		live(number_of("HF_WALK_SEED", 0), &states, &codes);
		return;
	}
	printf("# %zu lives of %d steps, the first: HF_WALK_SEED=%llu\n", lives, LIFE,
	    (unsigned long long)first);
	for (size_t i = 0; i < lives && time(NULL) - begun < LONG_S; i++, done++)
		live(first + i, &states, &codes);
	printf("# %zu lives were walked\n", done);
	/* All that the walk is about was met. */
	if (done >= ENOUGH)
		ck_assert_uint_eq(states, 0x1f);
	for (int code = 0; code < HF_PROBLEM_LAST; code++)
		if (!(codes >> code & 1))
			printf("# never met: %s\n", hf_problem_name(code));
}
END_TEST

/* Owners u0 and u1, live; all happens at the test's word from then on. */
static void begin_quietly(void)
{
	static const char *const two[] = { "me", "u1" };

	world_begin(1);
	famine_begin(0, &world.rng);
	world.luck = world.diligence = world.pongs = world.rest_luck = 100;
	world.restless = false;
	world.n_users = 2;
	world.settings.owners = (struct hf_texts){ .at = two, .n = 2 };
	world.settings.header_command.n = 0;
	world.settings.timeouts.first_message_ms = 60000;
	redial();
	for (int i = 0; i < 1000 && (world.is.n_owners != 2 || world.is.n_live != 2); i++)
		world_pass(1000);
	ck_assert_uint_eq(world.is.n_live, 2);
	world.diligence = 0;
}

/* The answer of REST lies unjudged, and a snapshot comes by which all owners have one. */
START_TEST(what_nobody_judged_settles_nothing)
{
	struct coder_stream *t;

	begin_quietly();
	t = &world.coder->streams[world.coder->streams[0].owner ? 0 : 1];
	coder_reset(world.coder, t);
	world_settle();
	while (!curl_transfers() || strstr(curl_transfer_at(0).url, "/workspaces/")) {
		if (curl_transfers())
			world_rest_answer(0, true);
		if (world.coder->n_pings)
			coder_pong(world.coder);
		world_pass(loop_next() - world_now());
	}
	while (!curl_transfer_at(0).post) {
		world_rest_answer(0, true);
		world_settle();
	}
	world.busy = true;
	world_rest_answer(0, true);
	world_settle();
	t = &world.coder->streams[world.coder->streams[0].owner ? 0 : 1];
	ck_assert_int_eq(t->owner, 1);
	coder_message(world.coder, t, true);
	world_settle();
	world.busy = false;
	WORLD_CALL(hf_client_poke(world.client));
	world_settle();
	ck_assert_uint_eq(world.is.n_live, 2);
	world_end();
}
END_TEST

Suite *client_walk_suite(void)
{
	Suite *s = suite_create("client_walk");
	TCase *t = tcase_create("walk");

	tcase_set_timeout(t, 0);
	tcase_add_test(t, what_nobody_judged_settles_nothing);
	tcase_add_test(t, rules_hold_whatever_happens);
	suite_add_tcase(s, t);
	return s;
}
