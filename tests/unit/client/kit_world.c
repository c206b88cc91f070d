/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client/kit_world.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/stream/wire/update_builder.h"
#include "tests/unit/client/kit_curl.h"
#include "tests/unit/client/kit_loop.h"
#include "tests/unit/client/kit_names.h"

enum { CALLBACKS_MAX = 5000, ROUNDS_MAX = 100 }; /* of one moment: more is a loop without an end */

struct world world;

static const char *const words[] = { "me", "u1", "u2", "u3", "nobody" };
static const char *const all[] = { "all" };
static const char *const command[] = { "/bin/headers" };
static const char *const header[] = { "X-One: 1" };

int64_t world_now(void)
{
	return hf_boot_ms(&loop_clock.clock);
}

bool world_likely(unsigned percent)
{
	return prng_below(&world.rng, 100) < percent;
}

/* --- the caller --- */

static int give_token(void *arg, char ret_token[static HF_CLIENT_TOKEN_MAX + 1],
    char ret_why[static HF_CLIENT_WHY_MAX])
{
	world.redial_ms = 0;
	world.dials[world.n_dials++ % WORLD_DIALS_MAX] = world_now();
	if (!world_likely(world.luck / 2 + 50)) {
		snprintf(ret_why, HF_CLIENT_WHY_MAX, "no token");
		return world_likely(50) ? -ENOENT : -EMFILE;
	}
	snprintf(ret_token, HF_CLIENT_TOKEN_MAX + 1, "abc-secret");
	return 0;
}

/* Of what REST says, and of messages. */
static enum hf_verdict judge(void)
{
	if (world_likely(world.luck))
		return HF_VERDICT_ACCEPTED;
	return world_likely(70) ? HF_VERDICT_REFUSED : HF_VERDICT_HELD;
}

static enum hf_verdict identify(void *arg, const struct hf_server_info *told)
{
	enum hf_verdict verdict = judge();

	WORLD_RULE(!world.busy, "%s while busy", __func__);
	world.refused_ms[0] = world.refused_ms[1] = 0;
	world.identified_ms = verdict == HF_VERDICT_ACCEPTED ? told->asked_ms : 0;
	return verdict;
}

static void set_owner(void *arg, const struct hf_owner_info *owner, int64_t asked_ms)
{
	WORLD_RULE(!world.busy, "%s", __func__);
	WORLD_RULE(asked_ms <= world_now(), "%s", __func__);
}

static int owner_number(const struct hf_uuid *id)
{
	return id->b[0] - 'A';
}

static void settled(void *arg, const struct hf_server_info *told)
{
	WORLD_RULE(!world.busy, "%s while busy", __func__);
	WORLD_RULE(told->complete, "settled, and the list is not whole");
	WORLD_RULE(told->asked_ms == world.identified_ms, "settled by what was not judged");
	for (size_t i = 0; i < told->n_owners; i++) {
		int owner = owner_number(&told->owners[i].id);

		WORLD_RULE(world.accepted[owner] == world.connected_ms,
		    "settled, and owner %d has no snapshot of this connection", owner);
	}
}

static void grow_busy(void)
{
	world.busy = true;
	world.busy_ms = world_now();
}

static int judge_message(struct hf_judgement *ret_judgement)
{
	*ret_judgement = (struct hf_judgement){ .verdict = judge(),
		.reason = "a reason",
		.want_snapshot = world.restless && world_likely(10) };
	if (world_likely(3))
		return -ENOMEM;
	if (ret_judgement->verdict == HF_VERDICT_ACCEPTED && world.judged >= 0)
		world.accepted[world.judged] = world.connected_ms;
	return 0;
}

static int update(void *arg, struct hf_update *u, struct hf_judgement *ret_judgement)
{
	WORLD_RULE(!world.busy, "%s while busy", __func__);
	WORLD_RULE(u->connected_ms <= world_now(), "%s", __func__);
	world.judged = u->kind == HF_UPDATE_SNAPSHOT ? owner_number(&u->owner) : -1;
	world.connected_ms = u->connected_ms;
	if (world_likely(20)) {
		hf_update_free(u);
		world.goes_on = true;
		grow_busy();
		return 1;
	}
	return judge_message(ret_judgement);
}

static int updated(void *arg, struct hf_judgement *ret_judgement)
{
	WORLD_RULE(!world.busy && world.goes_on, "%s", __func__);
	world.goes_on = false;
	return judge_message(ret_judgement);
}

static bool wants_snapshot(void *arg, const struct hf_uuid *owner)
{
	WORLD_RULE(!world.busy, "%s", __func__);
	return world.restless && world_likely(5);
}

void world_excuse(void)
{
	if (world.coder)
		world.coder->excused = true;
}

static bool wants_connection(void *arg)
{
	WORLD_RULE(!world.busy, "%s", __func__);
	if (prng_below(&world.rng, 1000))
		return false;
	world_excuse();
	return true;
}

static bool disputed(void *arg, struct hf_uuid *ret_workspace)
{
	WORLD_RULE(!world.busy, "%s", __func__);
	*ret_workspace = coder_owner((unsigned)prng_below(&world.rng, CODER_OWNERS_MAX));
	return world_likely(30);
}

static void workspace_owner(void *arg, const struct hf_uuid *workspace, const struct hf_uuid *owner)
{
	WORLD_RULE(!world.busy, "%s", __func__);
}

static bool is_busy(void *arg)
{
	return world.busy;
}

static void contact(void *arg)
{
	struct hf_client_status s;

	hf_client_status(world.client, &s);
	WORLD_RULE(s.state == CLIENT_LIVE, "%s", __func__);
}

static void away(void *arg)
{
	world.goes_on = false;
}

static void good(void *arg, const struct hf_addresses *addresses)
{
	WORLD_RULE(addresses->n > 0, "%s", __func__);
}

static const struct hf_client_ops ops = {
	.token = give_token,
	.identify = identify,
	.owner = set_owner,
	.settled = settled,
	.update = update,
	.updated = updated,
	.wants_snapshot = wants_snapshot,
	.wants_connection = wants_connection,
	.disputed = disputed,
	.workspace_owner = workspace_owner,
	.busy = is_busy,
	.contact = contact,
	.away = away,
	.good = good,
};

/* --- life --- */

static int64_t some(int64_t from, int64_t to)
{
	return from + (int64_t)prng_below(&world.rng, (size_t)(to - from + 1));
}

static void choose_settings(struct hf_stream_settings *s)
{
	static const char *const urls[] = { "http://coder.test", "http://192.0.2.1",
		"http://coder.test/prefix" };

	*s = (struct hf_stream_settings){ .name = "walk",
		.url = urls[prng_below(&world.rng, 3)],
		.proxy = world_likely(20) ? "http://proxy.test:3128" : "",
		.owners = { .at = words, .n = 1 + prng_below(&world.rng, 5) },
		.ask_suffix = world_likely(50),
		.snapshot_interval_ms = some(1, world_likely(50) ? 2 : 40) * 15000,
		.limits = HF_STREAM_LIMITS_DEFAULT,
		.resolv_conf = "/dev/null",
		.hosts = "/dev/null" };
	if (world_likely(30))
		s->snapshot_interval_ms = some(500, 5000);
	if (world_likely(40))
		s->owners = (struct hf_texts){ .at = all, .n = 1 };
	if (world_likely(20))
		s->header_command = (struct hf_texts){ .at = command, .n = 1 };
	if (world_likely(30))
		s->headers = (struct hf_texts){ .at = header, .n = 1 };
	if (world_likely(10))
		s->limits.streams = (unsigned)some(2, 20);
	s->timeouts = (struct hf_stream_timeouts){ .resolve_ms = some(1000, 10000),
		.address_delay_ms = some(100, 500),
		.connect_ms = some(1000, 10000),
		.head_ms = some(1000, 10000),
		.request_ms = some(1000, 30000),
		.first_message_ms = some(1000, 30000),
		.second_snapshot_ms = some(100, 30000),
		.header_command_ms = some(1000, 10000),
		.ping_interval_ms = some(1000, 15000),
		.ping_timeout_ms = some(1000, 15000),
		.doubt_ms = some(500, 3000) };
	s->retry = (struct hf_stream_retry){ .floor_ms = some(10, 100),
		.cap_ms = some(1000, 10000),
		.steady_ms = some(1000, 10000),
		.permanent_ms = some(60, 300) * 1000,
		.unauthorised_ms = some(30, 60) * 1000,
		.events_ms = some(0, 5000),
		.per_minute = (unsigned)some(3, 20) };
}

void world_begin(uint64_t seed)
{
	struct hf_addresses good_ones = { .n = 0 };

	world = (struct world){ .rng = { .state = seed }, .seed = seed };
	names_seed(seed);
	hf_fake_clock_init(&loop_clock, 1000000, INT64_C(1790000000000));
	choose_settings(&world.settings);
	world.interval_ms = world.settings.snapshot_interval_ms;
	world.luck = (unsigned)some(30, 100);
	world.diligence = world_likely(50) ? (unsigned)some(80, 100) : 0;
	world.rest_luck = world_likely(50) ? 98 : 60;
	world.restless = world_likely(50);
	world.hungry = world_likely(15);
	famine_begin(world.hungry ? (unsigned)some(1, 300) : 0, &world.rng);
	world.quiet = world.diligence && world_likely(60);
	world.pongs = world.quiet ? 100 : (unsigned)some(0, 100);
	world.n_users = (unsigned)some(1, CODER_OWNERS_MAX);
	if (world_likely(30))
		hf_addresses_add(&good_ones, "192.0.2.9");
	ck_assert_int_eq(hf_http_new(NULL, &world.http), 0);
	ck_assert_int_eq(hf_client_new(world.http, &loop_clock.clock, &world.settings, &good_ones,
			     &ops, NULL, &world.client),
	    0);
	hf_client_status(world.client, &world.is);
	world.since_ms = world.progress_ms = world_now();
	world_settle();
}

void world_end(void)
{
	hf_client_free(world.client);
	if (world.coder)
		coder_free(world.coder);
	WORLD_RULE(curl_handles() == 0, "%s", __func__);
	WORLD_RULE(curl_connections() == 0, "%s", __func__);
	WORLD_RULE(names_contexts() == 0, "%s", __func__);
	WORLD_RULE(names_children() == 0, "%s", __func__);
	WORLD_RULE(loop_events() == 1, "%s", __func__);
	hf_http_free(world.http);
	WORLD_RULE(loop_events() == 0, "%s", __func__);
}

static void on_call(int owner, void *arg)
{
	world.idle_ms[owner] = 0;
}

/* The connection that the client closed; the caller frees it. */
static struct coder *closed_coder(void)
{
	struct coder *s = world.coder;

	if (!s || s->line->used)
		return NULL;
	world.coder = NULL;
	return s;
}

static void settle_once(void)
{
	struct coder *cut;
	size_t n;

	world.was = world.is;
	world.was_problem = world.is.problem->code;
	WORLD_CALL(n = loop_run(CALLBACKS_MAX));
	WORLD_RULE(n < CALLBACKS_MAX, "the loop spins");
	hf_client_status(world.client, &world.is);
	world_note_idle();
	cut = closed_coder();
	if (world.coder)
		coder_read(world.coder, on_call, NULL);
	if (world.busy)
		world.busy_ms = world_now();
	if (world.coder && world.coder->line->full)
		world.full_ms = world_now();
	world_rest_look();
	world_rules(cut);
	if (cut)
		coder_free(cut);
}

void world_settle(void)
{
	settle_once();
	for (int i = 0; i < ROUNDS_MAX && world_serve(); i++)
		settle_once();
}

void world_pass(int64_t ms)
{
	int64_t end = world_now() + ms, next;

	while ((next = loop_next()) <= end) {
		hf_fake_clock_add(&loop_clock, next > world_now() ? next - world_now() : 0);
		world_settle();
	}
	hf_fake_clock_add(&loop_clock, end - world_now());
	world_settle();
}
