/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source between a client, which the test plays, and a real engine: what the client tells while
 * the engine is busy is not lost.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/follow/source_settings.h"
#include "bridge/follow/source.h"
#include "bridge/stream/client/http.h"
#include "bridge/stream/wire/update_builder.h"
#include "bridge/stream/client/token_watch.h"
#include "config/config.h"
#include "tests/unit/bridge/engine_kit.h"

Suite *source_suite(void);

struct hf_client {
	const struct hf_client_ops *ops;
	void *arg;
};

static struct engine_kit k;
static struct hf_source *source;
static struct hf_client *client; /* the source's */

/* --- the client's side, as the linker wants it --- */

int hf_client_new(struct hf_http *http, const struct hf_clock *clock,
    const struct hf_stream_settings *settings, const struct hf_addresses *good,
    const struct hf_client_ops *ops, void *arg, struct hf_client **ret_client)
{
	client = calloc(1, sizeof(*client));
	ck_assert_ptr_nonnull(client);
	client->ops = ops;
	client->arg = arg;
	*ret_client = client;
	return 0;
}

void hf_client_free(struct hf_client *c)
{
	free(c);
}

void hf_client_kick(struct hf_client *c, enum hf_client_event event, const struct hf_interfaces *at)
{
}

struct event_base *hf_http_base(const struct hf_http *h)
{
	return NULL;
}

int hf_token_watch_new(struct event_base *base, const char *path, hf_token_watch_cb cb, void *arg,
    struct hf_token_watch **ret_watch)
{
	return -1;
}

void hf_token_watch_free(struct hf_token_watch *w)
{
}

void hf_source_settings_fill(
    const struct hf_config_source *conf, const char *url, struct hf_stream_settings *ret_settings)
{
}

bool hf_addresses_add(struct hf_addresses *a, const char *text)
{
	snprintf(a->at[a->n++], HF_ADDRESS_TEXT, "%s", text);
	return true;
}

void hf_update_free(struct hf_update *u)
{
}

/* --- */

static void soon(void *arg)
{
}

static void setup(void)
{
	struct hf_source_env env = { .clock = &k.clock.clock, .work = soon };

	engine_kit_init(&k);
	engine_kit_open(&k);
	engine_kit_snapshot(&k, 1);
	env.engine = k.engine;
	ck_assert_int_eq(hf_source_new(&env, &k.config->sources.at[0], true, &source), 0);
}

static void teardown(void)
{
	hf_source_free(source);
	engine_kit_done(&k);
}

enum { STORED_MAX = 200 };

static int take(const char *address, void *arg)
{
	char *text = arg;
	size_t len = strlen(text);

	ck_assert_uint_lt(len + strlen(address), STORED_MAX);
	snprintf(text + len, STORED_MAX - len, "%s", address);
	return 0;
}

static const char *stored(void)
{
	static char text[STORED_MAX];

	text[0] = '\0';
	ck_assert_int_eq(hf_store_addresses(hf_engine_store(k.engine), "main", take, text), 0);
	return text;
}

static void tell_good(const char *address)
{
	struct hf_addresses good = { .n = 0 };

	hf_addresses_add(&good, address);
	client->ops->good(client->arg, &good);
}

START_TEST(a_good_address_is_in_the_store_at_once)
{
	tell_good("192.0.2.1");
	ck_assert_str_eq(stored(), "192.0.2.1");
}
END_TEST

START_TEST(one_that_is_learnt_while_a_change_is_written_comes_after_it)
{
	tell_good("192.0.2.1");
	ck_assert_int_eq(engine_kit_try_snapshot(&k, 1500), 0);
	hf_fake_clock_add(&k.clock, 1000);
	engine_kit_begin_writing(&k);
	tell_good("192.0.2.2");
	tell_good("192.0.2.3");
	hf_source_poke(source);
	ck_assert_str_eq(stored(), "192.0.2.1");
	engine_kit_settle(&k);
	hf_source_poke(source);
	ck_assert_str_eq(stored(), "192.0.2.3");
}
END_TEST

Suite *source_suite(void)
{
	Suite *s = suite_create("source");
	TCase *tc = tcase_create("good addresses");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_good_address_is_in_the_store_at_once);
	tcase_add_test(tc, one_that_is_learnt_while_a_change_is_written_comes_after_it);
	suite_add_tcase(s, tc);
	return s;
}
