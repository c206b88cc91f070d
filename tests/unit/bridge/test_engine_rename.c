/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source that has another name in the configuration, at the same URL: what is kept by its name
 * goes along.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bridge/daemon/reload_preview.h"
#include "bridge/store/store.h"
#include "config/config.h"
#include "tests/unit/bridge/engine_kit.h"

Suite *engine_rename_suite(void);

static struct engine_kit k;

static const char prod[] =
    "  - { name: prod, url: 'HTTPS://C.example/', token-file: /nowhere, suffix: coder }\n";
static const char other[] =
    "  - { name: prod, url: 'https://d.example', token-file: /nowhere, suffix: coder }\n";

static void setup(void)
{
	engine_kit_init(&k);
	engine_kit_open(&k);
	engine_kit_snapshot(&k, 5);
	ck_assert_uint_eq(engine_kit_published(&k), 15);
}

static void teardown(void)
{
	engine_kit_done(&k);
}

static int note(const char *address, void *arg)
{
	char *text = arg;
	size_t len = strlen(text);

	snprintf(text + len, 200 - len, "%s ", address);
	return 0;
}

static const char *addresses(const char *source)
{
	static char text[200];

	text[0] = '\0';
	ck_assert_int_eq(hf_store_addresses(hf_engine_store(k.engine), source, note, text), 0);
	return text;
}

/* At a reload, at a start. */
START_TEST(the_last_good_addresses_go_along)
{
	static const char *const good[] = { "192.0.2.1", "2001:db8::1" };

	ck_assert_int_eq(hf_store_addresses_set(hf_engine_store(k.engine), "main", good, 2), 0);
	if (_i)
		engine_kit_stop(&k);
	engine_kit_sources(&k, prod);
	if (_i)
		ck_assert_int_eq(engine_kit_try_open(&k), 0);
	ck_assert_str_eq(addresses("prod"), "192.0.2.1 2001:db8::1 ");
	ck_assert_str_eq(addresses("main"), "");
	engine_kit_settle(&k);
	ck_assert_uint_eq(engine_kit_published(&k), 15);
}
END_TEST

START_TEST(those_of_another_server_do_not)
{
	static const char *const good[] = { "192.0.2.1" };

	ck_assert_int_eq(hf_store_addresses_set(hf_engine_store(k.engine), "main", good, 1), 0);
	engine_kit_sources(&k, other);
	ck_assert_str_eq(addresses("prod"), "");
}
END_TEST

/*
 * Its names wait for the server under its new name; those of a server that is not there any more do
 * not.
 */
START_TEST(a_lost_store_knows_it_by_its_url)
{
	const struct hf_identity stranger = {
		.user = { { 9, [15] = 1 } }, .user_name = "alice", .deployment_id = "dep-2"
	};
	const struct hf_identity known = {
		.user = { { 9, [15] = 1 } }, .user_name = "alice", .deployment_id = "dep-1"
	};
	struct hf_judgement j;
	uint32_t source, owner;

	ck_assert_int_eq(hf_engine_identify(k.engine, "main", &known, &j), 0);
	engine_kit_settle(&k);
	engine_kit_stop(&k);
	ck_assert_int_eq(unlink(engine_kit_file(&k, "")), 0);
	engine_kit_sources(&k, _i ? other : prod);
	ck_assert_int_eq(engine_kit_try_open(&k), 0);
	engine_kit_settle(&k);
	ck_assert(hf_state_find(hf_engine_state(k.engine), "prod", NULL, &source, &owner));
	ck_assert_uint_eq(hf_state_n_names(hf_engine_state(k.engine)), _i ? 0 : 15);
	ck_assert_int_eq(hf_engine_identify(k.engine, "prod", &stranger, &j), 0);
	ck_assert_int_eq(j.verdict, _i ? HF_VERDICT_ACCEPTED : HF_VERDICT_HELD);
}
END_TEST

static void count(const char *text, void *arg)
{
	++*(unsigned *)arg;
	ck_assert_ptr_nonnull(strstr(text, "is not in the configuration: its"));
}

START_TEST(a_preview_says_what_goes_and_of_a_renamed_one_nothing)
{
	struct engine_kit next = k;
	unsigned lines = 0;

	next.engine = NULL;
	next.config = NULL;
	engine_kit_sources(&next, _i ? other : prod);
	hf_reload_preview_state(
	    hf_engine_state(k.engine), hf_engine_now(k.engine), next.config, count, &lines);
	ck_assert_uint_eq(lines, _i ? 1 : 0);
	lines = 0;
	hf_reload_preview_zone(k.config->zone, next.config, count, &lines);
	ck_assert_uint_eq(lines, _i ? 1 : 0);
	hf_config_free(next.config);
}
END_TEST

Suite *engine_rename_suite(void)
{
	Suite *s = suite_create("engine_rename");
	TCase *tc = tcase_create("rename");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, the_last_good_addresses_go_along, 0, 2);
	tcase_add_test(tc, those_of_another_server_do_not);
	tcase_add_loop_test(tc, a_lost_store_knows_it_by_its_url, 0, 2);
	tcase_add_loop_test(tc, a_preview_says_what_goes_and_of_a_renamed_one_nothing, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}
