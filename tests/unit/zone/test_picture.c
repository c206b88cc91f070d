/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <sys/resource.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "tests/support/zone_build.h"
#include "zone/picture.h"

Suite *picture_suite(void);

static struct hf_zone_build b;
static struct hf_picture *p, *other;
static const char *bad_file;

static void setup(void)
{
	hf_zone_build_open(&b);
	p = other = NULL;
}

static void teardown(void)
{
	hf_picture_unref(p);
	hf_picture_unref(other);
	hf_zone_build_close(&b);
}

static int load(struct hf_picture *old, struct hf_picture **ret_picture)
{
	return hf_picture_load(b.dirfd, &b.current, old, NULL, &bad_file, ret_picture);
}

static int get(const struct hf_picture *of, const char *text, struct hf_fmt_value *ret_value)
{
	struct hf_name name;

	ck_assert_int_eq(hf_name_parse(text, &name), 0);
	return hf_picture_get(of, name.wire, name.len, ret_value);
}

/* The number of the address that a name has; -1 if there is no such name. */
static int number_of(const struct hf_picture *of, const char *text)
{
	struct hf_fmt_value v;
	int rc = get(of, text, &v);

	ck_assert_int_ge(rc, 0);
	return rc ? v.addrs[0][15] : -1;
}

START_TEST(what_is_in_the_base_is_found)
{
	struct hf_fmt_value v;

	hf_zone_build_many(&b, 100);
	ck_assert_int_eq(load(NULL, &p), 0);
	ck_assert_int_eq(number_of(p, "a42.w.me.coder"), 42);
	ck_assert_int_eq(number_of(p, "a100.w.me.coder"), -1);
	ck_assert_int_eq(get(p, "w.me.coder", &v), 1);
	ck_assert_uint_eq(v.kind, HF_FMT_EMPTY);
	ck_assert_uint_eq(p->stamp.n_names, 100);
	ck_assert_uint_eq(p->stamp.generation, b.current.generation);
	ck_assert_str_eq(p->meta.sources[0].name, "main");
}
END_TEST

START_TEST(a_delta_goes_before_the_base)
{
	hf_zone_build_many(&b, 3);
	hf_zone_build_delta(&b);
	hf_zone_build_name(&b, "a0.w.me.coder", 77, 0);
	hf_zone_build_gone(&b, "a1.w.me.coder");
	hf_zone_build_name(&b, "new.w.me.coder", 78, 0);
	b.n_names = 3;
	b.meta.ttl_s = 7;
	hf_zone_build_end(&b);
	ck_assert_int_eq(load(NULL, &p), 0);
	ck_assert_int_eq(number_of(p, "a0.w.me.coder"), 77);
	ck_assert_int_eq(number_of(p, "a1.w.me.coder"), -1);
	ck_assert_int_eq(number_of(p, "a2.w.me.coder"), 2);
	ck_assert_int_eq(number_of(p, "new.w.me.coder"), 78);
	ck_assert_uint_eq(p->stamp.n_names, 3);
	ck_assert_uint_eq(p->meta.ttl_s, 7);
}
END_TEST

START_TEST(pictures_of_one_base_share_its_memory)
{
	hf_zone_build_many(&b, 3);
	ck_assert_int_eq(load(NULL, &p), 0);
	unlinkat(b.dirfd, b.current.base.name, 0);
	hf_zone_build_delta(&b);
	hf_zone_build_name(&b, "new.coder", 9, 0);
	hf_zone_build_end(&b);
	ck_assert_int_eq(load(p, &other), 0);
	ck_assert_ptr_eq(p->base, other->base);
	hf_picture_unref(p);
	p = NULL;
	ck_assert_int_eq(number_of(other, "a2.w.me.coder"), 2);
	ck_assert_int_eq(number_of(other, "new.coder"), 9);
}
END_TEST

/* What a file in the folder can come to. */
static void flip(const char *name, off_t at)
{
	int fd = openat(b.dirfd, name, O_RDWR);
	uint8_t byte;

	ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void do_flip(const char *name)
{
	flip(name, 3000);
}

static void do_cut(const char *name)
{
	int fd = openat(b.dirfd, name, O_RDWR);

	ck_assert_int_eq(ftruncate(fd, 2048), 0);
	close(fd);
}

static void do_grow(const char *name)
{
	int fd = openat(b.dirfd, name, O_RDWR | O_APPEND);

	ck_assert_int_eq(write(fd, "x", 1), 1);
	close(fd);
}

static void do_remove(const char *name)
{
	unlinkat(b.dirfd, name, 0);
}

static void do_folder(const char *name)
{
	do_remove(name);
	ck_assert_int_eq(mkdirat(b.dirfd, name, 0700), 0);
}

static void do_fifo(const char *name)
{
	do_remove(name);
	ck_assert_int_eq(mkfifoat(b.dirfd, name, 0600), 0);
}

static void do_symlink(const char *name)
{
	ck_assert_int_eq(renameat(b.dirfd, name, b.dirfd, "elsewhere"), 0);
	ck_assert_int_eq(symlinkat("elsewhere", b.dirfd, name), 0);
}

static const struct {
	void (*harm)(const char *name);
	int want;
} harms[] = {
	{ do_flip, HF_ECHECKSUM },
	{ do_cut, HF_ECHECKSUM },
	{ do_grow, HF_ECHECKSUM },
	{ do_remove, -ENOENT },
	{ do_folder, HF_EUNSAFE },
	{ do_fifo, HF_EUNSAFE },
	{ do_symlink, HF_EUNSAFE },
};

START_TEST(a_harmed_base_is_not_used)
{
	hf_zone_build_many(&b, 100);
	harms[_i].harm(b.current.base.name);
	ck_assert_int_eq(load(NULL, &p), harms[_i].want);
	ck_assert_str_eq(bad_file, b.current.base.name);
	ck_assert_ptr_null(p);
}
END_TEST

START_TEST(a_harmed_delta_is_not_used)
{
	hf_zone_build_many(&b, 100);
	hf_zone_build_delta(&b);
	for (uint32_t i = 0; i < 100; i++)
		hf_zone_build_name(&b, "new.coder", i, 0);
	hf_zone_build_end(&b);
	harms[_i].harm(b.current.delta.name);
	ck_assert_int_eq(load(NULL, &p), harms[_i].want);
	ck_assert_str_eq(bad_file, b.current.delta.name);
	ck_assert_ptr_null(p);
}
END_TEST

START_TEST(what_was_loaded_outlives_its_file)
{
	int fd;

	hf_zone_build_many(&b, 1000);
	ck_assert_int_eq(load(NULL, &p), 0);
	fd = openat(b.dirfd, b.current.base.name, O_RDWR);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	close(fd);
	for (uint32_t i = 0; i < 1000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "a%u.w.me.coder", i);
		ck_assert_int_eq(number_of(p, name), i & 0xff);
	}
}
END_TEST

START_TEST(the_memory_is_read_only)
{
	int status;
	pid_t pid;

	/* Small, and large enough for huge pages. */
	hf_zone_build_many(&b, _i ? 50000 : 10);
	ck_assert_int_eq(load(NULL, &p), 0);
	ck_assert_uint_eq(p->base->len > 4 << 20, _i);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		const struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		signal(SIGSEGV, SIG_DFL);
		*(volatile uint8_t *)(uintptr_t)(p->base->bytes + p->base->len - 1) = 0;
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}
END_TEST

START_TEST(a_load_that_is_told_to_stop_ends)
{
	atomic_bool stop = true;

	hf_zone_build_many(&b, 3);
	ck_assert_int_eq(
	    hf_picture_load(b.dirfd, &b.current, NULL, &stop, &bad_file, &p), -ECANCELED);
}
END_TEST

/* Right hash, wrong content: what only a faulty writer can make. */

static int make(const void *bytes, size_t len, struct hf_picture **ret_picture)
{
	static const uint8_t epoch[16];
	struct hf_sealed *s;

	ck_assert_int_eq(hf_sealed_copy(bytes, len, &s), 0);
	return hf_picture_make(s, NULL, epoch, 1, ret_picture);
}

START_TEST(a_file_that_is_no_zone_is_no_picture)
{
	uint8_t zeros[4096] = { 0 };
	struct hf_sealed *s;
	uint8_t *bytes;
	size_t len;

	ck_assert_int_eq(make(zeros, 1, &p), HF_EFORMAT);
	ck_assert_int_eq(make(zeros, sizeof(zeros), &p), HF_EFORMAT);
	hf_zone_build_base(&b);
	hf_zone_build_raw(&b, hf_fmt_meta_key, HF_FMT_META_KEY_LEN, "\x01", 1);
	bytes = hf_zone_build_bytes(&b, &len);
	ck_assert_int_eq(make(bytes, len, &p), HF_EFORMAT);
	free(bytes);
	ck_assert_int_eq(hf_sealed_copy(zeros, 0, &s), HF_ELIMIT);
}
END_TEST

START_TEST(a_value_of_another_form_is_an_error_and_no_answer)
{
	struct hf_fmt_value v;
	struct hf_name name;

	hf_name_parse("bad.coder", &name);
	hf_zone_build_base(&b);
	hf_zone_build_raw(&b, name.wire, name.len, "\x01\x00\x00", 3);
	hf_zone_build_name(&b, "good.coder", 4, 0);
	hf_zone_build_end(&b);
	ck_assert_int_eq(load(NULL, &p), 0);
	ck_assert_int_eq(get(p, "bad.coder", &v), HF_EFORMAT);
	ck_assert_int_eq(number_of(p, "good.coder"), 4);
}
END_TEST

struct seen {
	char text[10000];
	size_t len;
};

static int note(const struct hf_name *name, const struct hf_fmt_value *value, void *arg)
{
	struct seen *s = arg;
	char text[HF_NAME_TEXT_MAX];

	s->len += (size_t)snprintf(s->text + s->len, sizeof(s->text) - s->len, "%s%s ",
	    hf_name_text(name, text), value->kind == HF_FMT_EMPTY ? "+" : "");
	ck_assert_uint_lt(s->len, sizeof(s->text));
	return 0;
}

START_TEST(a_walk_tells_each_name_once_as_the_delta_has_it)
{
	struct seen seen = { .len = 0 };

	hf_zone_build_many(&b, 2);
	hf_zone_build_delta(&b);
	hf_zone_build_name(&b, "a0.w.me.coder", 77, 0);
	hf_zone_build_gone(&b, "a1.w.me.coder");
	hf_zone_build_name(&b, "new.coder", 78, 0);
	hf_zone_build_end(&b);
	ck_assert_int_eq(load(NULL, &p), 0);
	ck_assert_int_eq(hf_picture_walk(p, note, &seen), 0);
	ck_assert_str_eq(seen.text, "a0.w.me.coder new.coder coder+ me.coder+ w.me.coder+ ");
}
END_TEST

static int stop_at_once(const struct hf_name *name, const struct hf_fmt_value *value, void *arg)
{
	++*(int *)arg;
	return 5;
}

START_TEST(a_walk_ends_when_its_callback_says_so)
{
	int n = 0;

	hf_zone_build_many(&b, 10);
	ck_assert_int_eq(load(NULL, &p), 0);
	ck_assert_int_eq(hf_picture_walk(p, stop_at_once, &n), 5);
	ck_assert_int_eq(n, 1);
}
END_TEST

/* Lengths that add up beyond 32 bits: tinycdb's own walk would go round for ever. */
static const struct {
	uint32_t key_len, value_len;
} lengths[] = {
	{ 0xfffffff0, 0 },
	{ 2, 0xfffffff0 },
	{ 0x80000000, 0x80000000 },
	{ 0xfffff7f8, 0xfffff800 },
	{ 255, 26000 },
};

START_TEST(a_walk_over_wrong_lengths_ends)
{
	struct seen seen = { .len = 0 };
	uint8_t *bytes;
	size_t len;

	hf_zone_build_base(&b);
	for (int i = 0; i < 10; i++)
		hf_zone_build_name(&b, "a.coder", 1, 0);
	bytes = hf_zone_build_bytes(&b, &len);
	cdb_pack(lengths[_i].key_len, bytes + 2048);
	cdb_pack(lengths[_i].value_len, bytes + 2052);
	ck_assert_int_eq(make(bytes, len, &p), 0);
	ck_assert_int_eq(hf_picture_walk(p, note, &seen), HF_EFORMAT);
	free(bytes);
}
END_TEST

START_TEST(suffixes_are_listed_once_and_the_longest_first)
{
	static const char *const suffixes[] = { "coder", "dev.example", "coder", "a.b.coder" };

	b.meta.n_sources = 5; /* the fifth has none yet */
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(hf_name_parse(suffixes[i], &b.meta.sources[i].suffix), 0);
	hf_zone_build_base(&b);
	hf_zone_build_end(&b);
	ck_assert_int_eq(load(NULL, &p), 0);
	ck_assert_uint_eq(p->n_suffixes, 3);
	ck_assert(hf_name_equal(p->suffixes[0].name, &b.meta.sources[1].suffix));
	ck_assert(hf_name_equal(p->suffixes[1].name, &b.meta.sources[3].suffix));
	ck_assert(hf_name_equal(p->suffixes[2].name, &b.meta.sources[0].suffix));
	ck_assert_uint_eq(p->suffixes[0].sources, 2);
	ck_assert_uint_eq(p->suffixes[1].sources, 8);
	ck_assert_uint_eq(p->suffixes[2].sources, 5);
}
END_TEST

START_TEST(a_picture_knows_its_current)
{
	hf_zone_build_many(&b, 3);
	ck_assert_int_eq(load(NULL, &p), 0);
	ck_assert(hf_picture_is(p, &b.current));
	b.current.generation++;
	ck_assert(!hf_picture_is(p, &b.current));
	b.current.generation--;
	b.current.epoch[3] ^= 1;
	ck_assert(!hf_picture_is(p, &b.current));
	b.current.epoch[3] ^= 1;
	b.current.base.hash[0] ^= 1;
	ck_assert(!hf_picture_is(p, &b.current));
	b.current.base.hash[0] ^= 1;
	snprintf(b.current.delta.name, sizeof(b.current.delta.name), "delta-1-1.cdb");
	ck_assert(!hf_picture_is(p, &b.current));
}
END_TEST

Suite *picture_suite(void)
{
	const int n_harms = sizeof(harms) / sizeof(harms[0]);
	Suite *s = suite_create("picture");
	TCase *tc = tcase_create("load");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_in_the_base_is_found);
	tcase_add_test(tc, a_delta_goes_before_the_base);
	tcase_add_test(tc, pictures_of_one_base_share_its_memory);
	tcase_add_loop_test(tc, a_harmed_base_is_not_used, 0, n_harms);
	tcase_add_loop_test(tc, a_harmed_delta_is_not_used, 0, n_harms);
	tcase_add_test(tc, what_was_loaded_outlives_its_file);
	tcase_add_loop_test(tc, the_memory_is_read_only, 0, 2);
	tcase_add_test(tc, a_load_that_is_told_to_stop_ends);
	tcase_add_test(tc, a_picture_knows_its_current);
	tcase_add_test(tc, suffixes_are_listed_once_and_the_longest_first);
	suite_add_tcase(s, tc);
	tc = tcase_create("content");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_file_that_is_no_zone_is_no_picture);
	tcase_add_test(tc, a_value_of_another_form_is_an_error_and_no_answer);
	tcase_add_test(tc, a_walk_tells_each_name_once_as_the_delta_has_it);
	tcase_add_test(tc, a_walk_ends_when_its_callback_says_so);
	tcase_add_loop_test(
	    tc, a_walk_over_wrong_lengths_ends, 0, sizeof(lengths) / sizeof(lengths[0]));
	suite_add_tcase(s, tc);
	return s;
}
