/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What readers find compared with what the store says, and how a difference ends.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "bridge/engine/engine_private.h"
#include "config/config.h"
#include "tests/unit/bridge/engine_kit.h"
#include "zone/format.h"

Suite *publish_suite(void);

static struct engine_kit k;
static struct hf_zone_stamp stamp;
static struct hf_publish_found found;

static void setup(void)
{
	engine_kit_init(&k);
	engine_kit_open(&k);
	engine_kit_snapshot(&k, 5);
}

static void teardown(void)
{
	engine_kit_done(&k);
}

static int check(void)
{
	const struct hf_state *state = hf_engine_state(k.engine);
	int rc = hf_publish_check(k.engine->publish, hf_engine_store(k.engine),
	    hf_state_n_names(state), hf_state_sum(state), &found);

	stamp = found.stamp;
	return rc;
}

static void heal(void)
{
	hf_publish_again(k.engine->publish);
	ck_assert_int_eq(check(), -EAGAIN);
	k.engine->unpublished = true;
	engine_kit_settle(&k);
	ck_assert_int_eq(check(), 1);
	ck_assert_uint_eq(stamp.n_names, hf_state_n_names(hf_engine_state(k.engine)));
	ck_assert_uint_eq(engine_kit_published(&k), stamp.n_names);
}

static const char *in_zone(const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s", k.config->zone, name);
	return path;
}

/* The file of the base that `current` names. */
static const char *base(void)
{
	struct hf_fmt_current c;
	uint8_t *text;
	size_t len;

	ck_assert_int_eq(
	    hf_file_read(AT_FDCWD, in_zone("current"), HF_FMT_CURRENT_MAX, &text, &len), 0);
	ck_assert_int_eq(hf_fmt_current_get(text, len, &c), 0);
	free(text);
	return in_zone(c.base.name);
}

START_TEST(what_is_published_is_what_the_store_says)
{
	ck_assert_int_eq(check(), 1);
	ck_assert_uint_eq(stamp.n_names, 15);
	ck_assert(!memcmp(stamp.epoch, hf_store_epoch(hf_engine_store(k.engine)), 16));
	engine_kit_snapshot(&k, 6); /* a delta */
	ck_assert_int_eq(check(), 1);
	ck_assert_uint_eq(stamp.n_names, 18);
	engine_kit_snapshot(&k, 1500); /* a base, by the thread */
	ck_assert_int_eq(check(), 1);
	ck_assert_uint_eq(stamp.n_names, 4500);
}
END_TEST

START_TEST(a_commit_of_stamps_alone_is_no_difference)
{
	uint64_t before = hf_store_generation(hf_engine_store(k.engine));

	for (unsigned i = 0; i < 3; i++) {
		hf_fake_clock_add(&k.clock, 120000);
		engine_kit_snapshot(&k, 5);
	}
	ck_assert_uint_gt(hf_store_generation(hf_engine_store(k.engine)), before);
	ck_assert_int_eq(check(), 1);
	ck_assert_uint_eq(stamp.generation, before);
}
END_TEST

START_TEST(a_model_with_other_names_is_a_difference)
{
	for (unsigned n = 14; n <= 16; n += 2)
		ck_assert_int_eq(hf_publish_check(k.engine->publish, hf_engine_store(k.engine), n,
				     hf_state_sum(hf_engine_state(k.engine)), &found),
		    0);
	ck_assert_uint_eq(found.stamp.n_names, 15);
	/* As many, and another one among them. */
	ck_assert_int_eq(hf_publish_check(k.engine->publish, hf_engine_store(k.engine), 15,
			     hf_state_sum(hf_engine_state(k.engine)) + 1, &found),
	    0);
	heal();
}
END_TEST

/* A backup of the folder that somebody played back, while the writer holds it. */
START_TEST(an_older_zone_put_in_its_place_is_a_difference)
{
	char command[1000];

	snprintf(command, sizeof(command), "cp -rp %s %s.old", k.config->zone, k.config->zone);
	ck_assert_int_eq(system(command), 0);
	/* One goes, another comes: as many names as before. */
	engine_kit_snapshot(&k, 6);
	engine_kit_snapshot(&k, 5);
	ck_assert_int_eq(check(), 1);
	snprintf(command, sizeof(command), "cp -rp %s.old/. %s", k.config->zone, k.config->zone);
	ck_assert_int_eq(system(command), 0);
	ck_assert_int_eq(check(), 0);
	ck_assert_uint_eq(stamp.n_names, 15);
	heal();
}
END_TEST

START_TEST(a_damaged_base_is_found_and_made_again)
{
	int fd = open(base(), O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, "x", 1, 2100), 1);
	close(fd);
	ck_assert_int_eq(check(), HF_EDAMAGED);
	heal();
}
END_TEST

static void harm_base(off_t from, uint8_t with)
{
	int fd = open(base(), O_RDWR | O_CLOEXEC);
	uint8_t *bytes;
	size_t len;

	ck_assert_int_eq(hf_file_read(AT_FDCWD, base(), 1 << 30, &bytes, &len), 0);
	for (size_t at = (size_t)from; at < len; at++)
		bytes[at] = with ? (uint8_t)(bytes[at] * 13 + at * 7 + with) : 0;
	ck_assert_int_eq(pwrite(fd, bytes, len, 0), (ssize_t)len);
	close(fd);
	free(bytes);
}

static const struct {
	off_t from;
	uint8_t with; /* 0: zeros */
} harms[] = { { 0, 0 }, { 0, 5 }, { 100, 5 }, { 2048, 0 }, { 2048, 9 }, { 2100, 77 } };

/* By itself, within the seconds that it waits between two attempts. */
static void until_published(void)
{
	for (int i = 0; i < 4000 && check() != 1; i++) {
		hf_engine_work(k.engine);
		hf_fake_clock_add(&k.clock, 10);
		usleep(500);
	}
	ck_assert_int_eq(check(), 1);
}

/* Nobody looks for it: the next change meets it, in a look-up or when it is folded. */
START_TEST(a_harmed_base_holds_no_change_up)
{
	harm_base(harms[_i].from, harms[_i].with);
	harm_base(harms[_i].from, harms[_i].with);
	for (unsigned n = 6; n <= 1400; n = n < 100 ? 1400 : n + 1) {
		engine_kit_snapshot(&k, n);
		until_published();
		ck_assert_uint_eq(engine_kit_published(&k), 3 * n);
		harm_base(harms[_i].from, harms[_i].with);
	}
}
END_TEST

START_TEST(a_current_that_is_gone_or_harmed_is_found)
{
	int fd = open(in_zone("current"), O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, "9", 1, 60), 1);
	close(fd);
	ck_assert_int_lt(check(), 0);
	ck_assert_int_eq(unlink(in_zone("current")), 0);
	ck_assert_int_eq(check(), 0);
	ck_assert_uint_eq(stamp.generation, 0);
	heal();
}
END_TEST

/*
 * A store that is not ready says nothing over a zone that is good: that is no difference to heal.
 */
START_TEST(before_anything_was_published_nothing_is_judged)
{
	engine_kit_stop(&k);
	ck_assert_int_eq(unlink(engine_kit_file(&k, "")), 0);
	ck_assert_int_eq(engine_kit_try_open(&k), 0);
	ck_assert_int_eq(check(), 1); /* taken back from the zone */
	hf_publish_again(k.engine->publish);
	ck_assert_int_eq(check(), -EAGAIN);
}
END_TEST

/* All of the store, under a suffix that its names are not of, into a folder beside. */
static void publish_under_another_suffix(void)
{
	const struct hf_publish_opts opts = {
		.dir = engine_kit_file(&k, ".zone"), .clock = &k.clock.clock, .pulse_ms = 15000
	};
	struct hf_zone_meta meta;
	struct hf_publish *p;
	int rc;

	hf_engine_meta(k.engine, &meta);
	ck_assert_int_eq(hf_name_parse("other", &meta.sources[0].suffix), 0);
	ck_assert_int_eq(hf_publish_open(&opts, &stamp, &p), 0);
	while ((rc = hf_publish_store(p, hf_engine_store(k.engine), &meta)) == -EAGAIN || rc == 0)
		hf_publish_work(p);
	ck_assert_int_eq(rc, 1);
	hf_publish_free(p);
}

START_TEST(names_that_cannot_be_published_are_one_line_of_the_log)
{
	FILE *log = tmpfile();
	char line[400];
	unsigned lines = 0;

	engine_kit_snapshot(&k, 500);
	hf_log_init(fileno(log), HF_LOG_INFO, HF_LOG_TEXT, NULL);
	publish_under_another_suffix();
	hf_log_init(STDERR_FILENO, HF_LOG_ERROR, HF_LOG_TEXT, NULL);
	rewind(log);
	while (fgets(line, sizeof(line), log))
		if (strstr(line, "cannot be published")) {
			ck_assert_ptr_nonnull(strstr(line, "1500 names"));
			lines++;
		}
	ck_assert_uint_eq(lines, 1);
	fclose(log);
}
END_TEST

Suite *publish_suite(void)
{
	Suite *s = suite_create("publish");
	TCase *tc = tcase_create("check");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_published_is_what_the_store_says);
	tcase_add_test(tc, a_commit_of_stamps_alone_is_no_difference);
	tcase_add_test(tc, a_model_with_other_names_is_a_difference);
	tcase_add_test(tc, an_older_zone_put_in_its_place_is_a_difference);
	tcase_add_test(tc, a_damaged_base_is_found_and_made_again);
	tcase_add_loop_test(
	    tc, a_harmed_base_holds_no_change_up, 0, sizeof(harms) / sizeof(harms[0]));
	tcase_add_test(tc, a_current_that_is_gone_or_harmed_is_found);
	tcase_add_test(tc, before_anything_was_published_nothing_is_judged);
	tcase_add_test(tc, names_that_cannot_be_published_are_one_line_of_the_log);
	suite_add_tcase(s, tc);
	return s;
}
