/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/feeding/feeds.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>
#include <event2/event.h>

#include "base/file.h"
#include "bridge/feeding/feeds_private.h"
#include "tests/unit/bridge/engine_kit.h"

enum { N = 3, NAMES = 3 * N, TURNS = 20000, FILE_MAX = 1 << 20 };

Suite *feeds_suite(void);

static struct engine_kit kit;
static struct event_base *base;
static struct hf_feeds *feeds;
static struct hf_config *config; /* in force; of `feeds`, once another one is */
static unsigned n_done;

/* A configuration with those adapters; a % in them is the folder. */
static struct hf_config *parse(const char *adapters)
{
	struct hf_config_errors errors;
	struct hf_config *c = NULL;
	char yaml[2000];
	int len = snprintf(yaml, sizeof(yaml),
	    "store: %s/store.db\nzone: %s/zone\nsources:\n"
	    "  - { name: main, url: 'https://c.example', token-file: /nowhere, suffix: coder }\n"
	    "adapters: [",
	    kit.dir.path, kit.dir.path);

	for (; *adapters; adapters++)
		len += snprintf(yaml + len, sizeof(yaml) - (size_t)len, "%.*s",
		    *adapters == '%' ? 255 : 1, *adapters == '%' ? kit.dir.path : adapters);
	len += snprintf(yaml + len, sizeof(yaml) - (size_t)len, "]\n");
	ck_assert_int_eq(hf_config_parse("t", yaml, (size_t)len, 0, &c, &errors), 0);
	return c;
}

static void begin(const char *adapters)
{
	config = parse(adapters);
	ck_assert_int_eq(hf_feeds_new(base, kit.engine, &kit.clock.clock, config, &feeds), 0);
}

static void configure(const char *adapters)
{
	struct hf_config *before = config;

	config = parse(adapters);
	ck_assert_int_eq(hf_feeds_reserve(feeds), 0);
	hf_feeds_configure(feeds, config, before);
}

static void end(void)
{
	hf_feeds_free(feeds);
	hf_config_free(config);
	feeds = NULL;
	config = NULL;
}

/* Lines of a file that hold our prefix; -1: there is no file. */
static int lines_of(const char *name)
{
	char path[300];
	uint8_t *bytes;
	size_t len;
	int n = 0;

	snprintf(path, sizeof(path), "%s/%s", kit.dir.path, name);
	if (hf_file_read(AT_FDCWD, path, FILE_MAX, &bytes, &len))
		return -1;
	for (size_t i = 0; i + 5 <= len; i++)
		n += !memcmp(bytes + i, "\nfd60", 5) || (i == 0 && !memcmp(bytes, "fd60", 4));
	free(bytes);
	return n;
}

static bool is_synced(const char *name)
{
	struct hf_feed *f = hf_feeds_find(feeds, name);
	struct hf_feed_status status;

	if (!f)
		return false;
	hf_feed_status(f, &status);
	return status.state == HF_FEED_SYNCED && status.owned == NAMES;
}

/* A turn of the loop; the clock of the feeds goes on with it. */
static void tick(void)
{
	hf_fake_clock_add(&kit.clock, 1);
	event_base_loop(base, EVLOOP_NONBLOCK);
	usleep(200);
}

#define until(what)                                                                                \
	do {                                                                                       \
		for (int i = 0; i < TURNS && !(what); i++)                                         \
			tick();                                                                    \
		ck_assert_msg(what, "%s", #what);                                                  \
	} while (0)

static int take_ledger(const char *name, void *arg)
{
	char(*names)[HF_TEXT_MAX] = arg;

	while (**names)
		names++;
	snprintf(*names, HF_TEXT_MAX, "%s", name);
	return 0;
}

static size_t ledgers_of(char names[][HF_TEXT_MAX])
{
	size_t n = 0;

	memset(names, 0, 8 * sizeof(names[0]));
	ck_assert_int_eq(hf_store_adapters(hf_engine_store(kit.engine), take_ledger, names), 0);
	while (*names[n])
		n++;
	return n;
}

static void setup(void)
{
	engine_kit_init(&kit);
	engine_kit_open(&kit);
	engine_kit_snapshot(&kit, N);
	base = event_base_new();
	n_done = 0;
}

static void teardown(void)
{
	end();
	event_base_free(base);
	engine_kit_done(&kit);
}

#define HOSTS(name, file) "{ type: hosts, name: " name ", path: %/" file ", teardown: clean }"

START_TEST(another_name_takes_nothing_away)
{
	char names[8][HF_TEXT_MAX];

	begin(HOSTS("a", "one"));
	until(is_synced("a"));
	ck_assert_int_eq(lines_of("one"), NAMES);
	configure(HOSTS("b", "one"));
	ck_assert_uint_eq(hf_feeds_n(feeds), 1);
	for (int i = 0; i < TURNS && !is_synced("b"); i++) {
		ck_assert_int_eq(lines_of("one"), NAMES);
		tick();
	}
	until(is_synced("b"));
	ck_assert_ptr_null(hf_feeds_find(feeds, "a"));
	ck_assert_uint_eq(ledgers_of(names), 1);
}
END_TEST

START_TEST(two_that_exchange_their_paths_take_nothing_away)
{
	begin(HOSTS("a", "one") ", " HOSTS("b", "two"));
	until(is_synced("a") && is_synced("b"));
	configure(HOSTS("a", "two") ", " HOSTS("b", "one"));
	ck_assert_uint_eq(hf_feeds_n(feeds), 2);
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(lines_of("one"), NAMES);
		ck_assert_int_eq(lines_of("two"), NAMES);
		tick();
	}
	configure(HOSTS("a", "two"));
	until(lines_of("one") == 0 && hf_feeds_n(feeds) == 1);
	ck_assert_int_eq(lines_of("two"), NAMES);
}
END_TEST

START_TEST(a_former_place_leaves_beside_what_comes)
{
	char names[8][HF_TEXT_MAX];

	begin(HOSTS("a", "one"));
	until(is_synced("a"));
	configure(HOSTS("a", "two"));
	ck_assert_uint_eq(hf_feeds_n(feeds), 2);
	ck_assert_ptr_eq(hf_feeds_find(feeds, "a"), hf_feeds_at(feeds, 0));
	ck_assert_ptr_nonnull(hf_feeds_find(feeds, "a (former)"));
	until(is_synced("a") && hf_feeds_n(feeds) == 1);
	ck_assert_int_eq(lines_of("one"), 0);
	ck_assert_int_eq(lines_of("two"), NAMES);
	ck_assert_uint_eq(ledgers_of(names), 1);
}
END_TEST

/* Before it has left: what it has begun to take is put again. */
START_TEST(one_that_is_put_back_goes_on)
{
	begin(HOSTS("a", "one"));
	until(is_synced("a"));
	for (int turns = 0; turns < 8; turns++) {
		configure("");
		for (int i = 0; i < turns; i++)
			tick();
		configure(HOSTS("a", "one"));
		until(is_synced("a"));
		ck_assert_int_eq(lines_of("one"), NAMES);
		ck_assert_uint_eq(hf_feeds_n(feeds), 1);
	}
}
END_TEST

static void on_done(void *arg)
{
	n_done++;
}

START_TEST(at_the_end_those_with_clean_are_emptied)
{
	begin(HOSTS("a", "one") ", { type: hosts, name: b, path: %/two }");
	until(is_synced("a") && is_synced("b"));
	hf_feeds_end(feeds, 60000, on_done, NULL);
	until(n_done);
	ck_assert_int_eq(lines_of("one"), 0);
	ck_assert_int_eq(lines_of("two"), NAMES);
	for (int i = 0; i < 100; i++)
		tick();
	ck_assert_uint_eq(n_done, 1);
}
END_TEST

START_TEST(a_ledger_of_an_older_version_is_found_by_the_name)
{
	struct hf_store *store = hf_engine_store(kit.engine);
	char names[8][HF_TEXT_MAX], place[HF_TEXT_MAX];

	begin(HOSTS("a", "one"));
	until(is_synced("a"));
	end();
	ck_assert_uint_eq(ledgers_of(names), 1);
	snprintf(place, sizeof(place), "%s", names[0]);
	ck_assert_int_eq(strncmp(place, "hosts /", 7), 0);
	ck_assert_int_eq(hf_store_adapter_rename(store, place, "a"), 0);
	begin(HOSTS("a", "one"));
	until(is_synced("a"));
	ck_assert_uint_eq(ledgers_of(names), 1);
	ck_assert_str_eq(names[0], place);
	ck_assert_uint_eq(hf_feed_left(store, place), NAMES);
}
END_TEST

START_TEST(two_hooks_of_one_program_have_a_ledger_each)
{
	begin("{ type: hook, name: a, command: [/bin/true], form: dhcp-script }, "
	      "{ type: hook, name: b, command: [/bin/true], form: dhcp-script }");
	ck_assert_uint_eq(hf_feeds_n(feeds), 2);
	ck_assert_str_eq(feeds->entries[0]->ledger, "hook /bin/true");
	ck_assert_str_eq(feeds->entries[1]->ledger, "b");
}
END_TEST

Suite *feeds_suite(void)
{
	Suite *s = suite_create("feeds");
	TCase *tc = tcase_create("feeds");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, another_name_takes_nothing_away);
	tcase_add_test(tc, two_that_exchange_their_paths_take_nothing_away);
	tcase_add_test(tc, a_former_place_leaves_beside_what_comes);
	tcase_add_test(tc, one_that_is_put_back_goes_on);
	tcase_add_test(tc, at_the_end_those_with_clean_are_emptied);
	tcase_add_test(tc, a_ledger_of_an_older_version_is_found_by_the_name);
	tcase_add_test(tc, two_hooks_of_one_program_have_a_ledger_each);
	suite_add_tcase(s, tc);
	return s;
}
