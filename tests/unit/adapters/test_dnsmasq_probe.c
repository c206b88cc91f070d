/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/dnsmasq_probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "adapters/dns_client.h"
#include "base/error.h"
#include "tests/unit/adapters/kit_records.h"
#include "tests/unit/adapters/kit_resolver.h"

enum { AAAA = 28, PATIENCE_MS = 30 };

Suite *dnsmasq_probe_suite(void);

/* What the resolver answers: what is in the file, nothing, or all that ever was. */
enum reads { READS, READS_NOTHING, READS_NO_REMOVAL, IS_SILENT };

static struct event_base *base;
static struct resolver server;
static struct hf_dns_client *ask;
static struct hf_record_table *table;
static struct hf_dnsmasq_probe *probe;
static enum reads reads;
static uint8_t written[16]; /* the address that the files have, as of the last write */
static bool in_file, was_in_file;
static unsigned n_writes, n_done;
static int write_code, code;

static int note_record(const struct hf_record *r, void *arg)
{
	ck_assert(hf_dnsmasq_is_probe(&r->name));
	memcpy(written, r->addr, 16);
	in_file = was_in_file = true;
	return 0;
}

static int on_write(void *arg, unsigned file, char *ret_why, size_t why_size)
{
	n_writes++;
	if (write_code)
		return write_code;
	in_file = false;
	hf_record_table_walk(table, file, note_record, NULL);
	return 0;
}

static int64_t on_gap(void *arg)
{
	return 1000;
}

static unsigned n_left;

static void on_left(void *arg, unsigned file)
{
	n_left++;
}

static void on_done(void *arg, int c)
{
	n_done++;
	code = c;
	event_base_loopbreak(base);
}

static size_t answer(const struct resolver_question *q, uint8_t *out, void *arg)
{
	size_t len = resolver_answer(q, 0x0400, out);
	bool has = reads == READS ? in_file : reads == READS_NO_REMOVAL && was_in_file;

	if (reads == IS_SILENT)
		return 0;
	return has ? resolver_add(out, len, AAAA, 30, written, 16) : len;
}

static void setup(void)
{
	struct hf_dns_client_opts o = { .server = &server.at, .timeout_ms = 10 };
	struct hf_dnsmasq_probe_opts p = {
		.patience_ms = PATIENCE_MS,
		.write = on_write,
		.gap_us = on_gap,
		.left = on_left,
		.done = on_done,
	};
	struct hf_name suffix;

	in_file = was_in_file = false;
	n_writes = n_done = n_left = 0;
	write_code = code = 0;
	reads = READS;
	base = event_base_new();
	resolver_open(&server, base, answer, NULL);
	ck_assert_int_eq(hf_dns_client_new(base, &o, &ask), 0);
	ck_assert_int_eq(hf_record_table_new(16, &table), 0);
	p.base = base;
	p.ask = ask;
	p.table = table;
	ck_assert_int_eq(hf_dnsmasq_probe_new(&p, &probe), 0);
	ck_assert_int_eq(hf_dnsmasq_probe_begin(probe), -EAGAIN); /* no suffix yet */
	ck_assert_int_eq(hf_name_parse("coder", &suffix), 0);
	hf_dnsmasq_probe_suffix(probe, &suffix);
}

static void teardown(void)
{
	hf_dns_client_free(ask);
	hf_dnsmasq_probe_free(probe);
	resolver_close(&server);
	hf_record_table_free(table);
	event_base_free(base);
}

static void run(void)
{
	ck_assert_int_eq(hf_dnsmasq_probe_begin(probe), 0);
	ck_assert_uint_eq(n_done, 0);
	event_base_dispatch(base);
	ck_assert_uint_eq(n_done, 1);
	/* However it ends, nothing of it is left. */
	ck_assert_uint_eq(hf_record_table_count(table), 0);
}

static const struct {
	enum reads reads;
	int code;
	unsigned n_writes;
} ends[] = {
	{ READS, 0, 2 },
	{ READS_NOTHING, HF_ENOTREADY, 2 },
	{ READS_NO_REMOVAL, HF_ENOTREADY, 2 },
	{ IS_SILENT, -ETIMEDOUT, 2 },
};

START_TEST(it_tells_whether_the_files_are_read)
{
	reads = ends[_i].reads;
	run();
	ck_assert_int_eq(code, ends[_i].code);
	ck_assert_uint_eq(n_writes, ends[_i].n_writes);
	ck_assert(was_in_file && !in_file);
	ck_assert_uint_eq(n_left, 0);
}
END_TEST

START_TEST(each_time_it_is_another_address)
{
	uint8_t first[16];

	run();
	memcpy(first, written, 16);
	n_done = 0;
	run();
	ck_assert_mem_ne(first, written, 16);
	ck_assert(hf_addr_is_ours(written));
}
END_TEST

START_TEST(what_cannot_be_written_is_its_end)
{
	write_code = -ENOSPC;
	run();
	ck_assert_int_eq(code, -ENOSPC);
	ck_assert_uint_eq(n_writes, 1);
}
END_TEST

static size_t answer_and_fill_the_disk(const struct resolver_question *q, uint8_t *out, void *arg)
{
	write_code = -ENOSPC;
	return resolver_answer(q, 0x0400, out);
}

START_TEST(a_record_that_cannot_be_removed_is_left_to_the_next_write)
{
	server.cb = answer_and_fill_the_disk;
	run();
	ck_assert_int_eq(code, HF_ENOTREADY);
	ck_assert(in_file);
	ck_assert_uint_eq(n_left, 1);
}
END_TEST

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	event_base_loopbreak(base);
}

START_TEST(an_end_in_the_midst_of_it_leaves_nothing_in_the_file)
{
	const struct timeval soon = { .tv_usec = 10000 };

	reads = READS_NOTHING;
	ck_assert_int_eq(hf_dnsmasq_probe_begin(probe), 0);
	event_base_once(base, -1, EV_TIMEOUT, on_stop, NULL, &soon);
	event_base_dispatch(base);
	ck_assert(in_file);
	hf_dns_client_free(ask);
	ask = NULL;
	hf_dnsmasq_probe_free(probe);
	probe = NULL;
	ck_assert(!in_file);
	ck_assert_uint_eq(n_done, 0);
}
END_TEST

Suite *dnsmasq_probe_suite(void)
{
	Suite *s = suite_create("dnsmasq_probe");
	TCase *tc = tcase_create("probe");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, it_tells_whether_the_files_are_read, 0, (int)(sizeof(ends) / sizeof(ends[0])));
	tcase_add_test(tc, each_time_it_is_another_address);
	tcase_add_test(tc, what_cannot_be_written_is_its_end);
	tcase_add_test(tc, a_record_that_cannot_be_removed_is_left_to_the_next_write);
	tcase_add_test(tc, an_end_in_the_midst_of_it_leaves_nothing_in_the_file);
	suite_add_tcase(s, tc);
	return s;
}
