/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/tamper_watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "adapters/dnsmasq/paced_writer.h"
#include "base/clock.h"
#include "base/file.h"
#include "tests/unit/adapters/kit_dnsmasq.h"

Suite *tamper_watch_suite(void);

#define ADDR(n) "fd60:627a:a42b::" #n

enum { EVERY_MS = 5, RUN_MS = 150 };

static struct kit_dnsmasq kit;
static struct hf_paced_writer *pump;
static struct hf_tamper_watch *watch;
static unsigned n_lost;
static bool states[3];

static void on_drained(void *arg, int code, const char *why, bool silent)
{
}

static void on_lost(void *arg, const char *why)
{
	n_lost++;
}

static void on_state(void *arg, enum hf_tamper_state which, const char *text)
{
	states[which] = text != NULL;
}

static void setup(void)
{
	struct hf_paced_writer_opts p = {
		.n_files = HF_HOSTSDIR_FILES,
		.patience_ms = 100,
		.gone_ms = 100,
		.step_max = 8,
		.arg = &kit,
		.write = kit_dnsmasq_write,
		.drained = on_drained,
	};
	struct hf_tamper_watch_opts o = {
		.clock = &hf_clock_system,
		.who = "it",
		.every_ms = EVERY_MS,
		.lost = on_lost,
		.state = on_state,
	};
	struct hf_name suffix;

	n_lost = 0;
	memset(states, 0, sizeof(states));
	kit_dnsmasq_open(&kit);
	p.base = o.base = kit.base;
	p.ask = o.ask = kit.ask;
	p.table = kit.table;
	ck_assert_int_eq(hf_paced_writer_new(&p, &pump), 0);
	o.files = kit.files;
	o.pump = pump;
	ck_assert_int_eq(hf_tamper_watch_new(&o, &watch), 0);
	ck_assert_int_eq(hf_name_parse("coder", &suffix), 0);
	hf_tamper_watch_suffix(watch, &suffix);
}

static void teardown(void)
{
	kit_dnsmasq_end_asking(&kit);
	hf_tamper_watch_free(watch);
	hf_paced_writer_free(pump);
	kit_dnsmasq_close(&kit);
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	event_base_loopbreak(kit.base);
}

static void run_ms(int ms)
{
	const struct timeval tv = { .tv_usec = ms * 1000 };

	event_base_once(kit.base, -1, EV_TIMEOUT, on_stop, NULL, &tv);
	event_base_dispatch(kit.base);
}

static void until(bool (*is_so)(void))
{
	for (int i = 0; i < 100 && !is_so(); i++)
		run_ms(20);
	ck_assert(is_so());
}

/* A file of ours with one name; its own name is in `out`. */
static void write_one(const char *name, const char *addr, char *out)
{
	unsigned file = kit_dnsmasq_put(&kit, name, addr, true);
	char why[100];

	ck_assert_int_eq(hf_host_files_write(kit.files, file, why, sizeof(why)), 0);
	hf_host_files_name(kit.files, file, out);
}

static bool has_a(void)
{
	return kit_dnsmasq_has(&kit, "a.coder", ADDR(1));
}

static bool has_nothing(void)
{
	return !kit_dnsmasq_written(&kit);
}

START_TEST(what_others_did_to_a_file_is_repaired)
{
	char name[HF_HOSTSDIR_FILE_NAME_MAX];

	write_one("a.coder", ADDR(1), name);
	hf_tamper_watch_begin(watch);
	if (_i)
		ck_assert_int_eq(hf_file_replace(kit.dir.fd, name, "# x\n", 4, 0644), 0);
	else
		ck_assert_int_eq(unlinkat(kit.dir.fd, name, 0), 0);
	ck_assert(!has_a());
	until(has_a);
}
END_TEST

START_TEST(a_file_that_comes_back_goes)
{
	char name[HF_HOSTSDIR_FILE_NAME_MAX], why[100];
	struct hf_record_entry *e;
	uint8_t *old;
	size_t len;

	write_one("a.coder", ADDR(1), name);
	ck_assert_int_eq(hf_file_read(kit.dir.fd, name, 1000, &old, &len), 0);
	for (unsigned i = 0; i < HF_HOSTSDIR_FILES; i++)
		if ((e = hf_record_table_bucket(kit.table, i))) {
			hf_record_table_del(kit.table, e);
			hf_host_files_write(kit.files, i, why, sizeof(why));
		}
	ck_assert(has_nothing());
	hf_tamper_watch_begin(watch);
	ck_assert_int_eq(hf_file_replace(kit.dir.fd, name, old, len, 0644), 0);
	free(old);
	until(has_nothing);
}
END_TEST

START_TEST(nothing_is_done_before_it_is_begun)
{
	char name[HF_HOSTSDIR_FILE_NAME_MAX];

	write_one("a.coder", ADDR(1), name);
	ck_assert_int_eq(unlinkat(kit.dir.fd, name, 0), 0);
	run_ms(RUN_MS);
	ck_assert(has_nothing());
}
END_TEST

static bool is_foreign(void)
{
	return states[HF_TAMPER_FOREIGN];
}

static bool is_not_foreign(void)
{
	return !states[HF_TAMPER_FOREIGN];
}

START_TEST(a_file_of_others_is_told_and_stays)
{
	hf_tamper_watch_begin(watch);
	ck_assert_int_eq(hf_file_replace(kit.dir.fd, "theirs", "x", 1, 0644), 0);
	until(is_foreign);
	ck_assert_int_eq(faccessat(kit.dir.fd, "theirs", F_OK, 0), 0);
	ck_assert_int_eq(unlinkat(kit.dir.fd, "theirs", 0), 0);
	until(is_not_foreign);
}
END_TEST

static bool is_restart_told(void)
{
	return states[HF_TAMPER_RESTART];
}

static bool is_restarted(void)
{
	return !states[HF_TAMPER_RESTART];
}

START_TEST(a_folder_that_was_replaced_is_filled_and_the_restart_seen)
{
	char name[HF_HOSTSDIR_FILE_NAME_MAX], away[TMPDIR_MAX + 8], path[TMPDIR_MAX + 300];

	write_one("a.coder", ADDR(1), name);
	hf_tamper_watch_begin(watch);
	kit.stuck = true; /* it watches the old folder */
	snprintf(away, sizeof(away), "%s.old", kit.dir.path);
	ck_assert_int_eq(rename(kit.dir.path, away), 0);
	ck_assert_int_eq(mkdir(kit.dir.path, 0755), 0);
	until(has_a);
	ck_assert_uint_eq(n_lost, 1);
	until(is_restart_told);
	run_ms(RUN_MS);
	ck_assert(is_restart_told());
	kit.stuck = false;
	until(is_restarted);
	until(has_a);
	run_ms(RUN_MS);
	ck_assert_uint_eq(kit_dnsmasq_written(&kit), 1); /* the probe is gone */
	snprintf(path, sizeof(path), "%s/%s", away, name);
	ck_assert(!unlink(path) && !rmdir(away));
}
END_TEST

Suite *tamper_watch_suite(void)
{
	Suite *s = suite_create("tamper_watch");
	TCase *tc = tcase_create("watch");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, what_others_did_to_a_file_is_repaired, 0, 2);
	tcase_add_test(tc, a_file_that_comes_back_goes);
	tcase_add_test(tc, nothing_is_done_before_it_is_begun);
	tcase_add_test(tc, a_file_of_others_is_told_and_stays);
	tcase_add_test(tc, a_folder_that_was_replaced_is_filled_and_the_restart_seen);
	suite_add_tcase(s, tc);
	return s;
}
