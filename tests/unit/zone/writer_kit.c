/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/zone/writer_kit.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

struct writer_kit kit = { .dirfd = -1 };
const uint8_t kit_epoch[16] = { 7 };

int kit_open(const char *path, struct hf_zone_stamp *ret_stamp)
{
	struct hf_zone_writer_opts opts = { .clock = &kit.clock.clock,
		.fold_names = KIT_FOLD,
		.direct_names = KIT_DIRECT,
		.fold_every_ms = KIT_EVERY_MS };

	return hf_zone_writer_open(path, &opts, ret_stamp, &kit.writer);
}

void kit_close(void)
{
	hf_zone_writer_free(kit.writer);
	kit.writer = NULL;
}

int kit_reopen(struct hf_zone_stamp *ret_stamp)
{
	kit_close();
	return kit_open(kit.folder, ret_stamp);
}

void kit_make_meta(const char *suffix)
{
	memset(&kit.meta, 0, sizeof(kit.meta));
	kit.meta.ttl_s = 30;
	kit.meta.ready = true;
	kit.meta.n_sources = 1;
	snprintf(kit.meta.sources[0].name, sizeof(kit.meta.sources[0].name), "main");
	ck_assert_int_eq(hf_name_parse(suffix, &kit.meta.sources[0].suffix), 0);
}

void kit_setup(void)
{
	struct hf_zone_stamp stamp;

	hf_log_set_level(HF_LOG_ERROR);
	hf_zone_look_make_folder(kit.folder, sizeof(kit.folder));
	kit.dirfd = open(kit.folder, O_RDONLY | O_DIRECTORY);
	hf_fake_clock_init(&kit.clock, 1000000, 1700000000000);
	kit.generation = 0;
	kit_make_meta("coder");
	ck_assert_int_eq(kit_open(kit.folder, &stamp), 0);
	hf_zone_writer_set_meta(kit.writer, &kit.meta);
}

void kit_teardown(void)
{
	kit_close();
	close(kit.dirfd);
	hf_zone_look_remove_folder(kit.folder);
}

struct hf_name kit_name(const char *text)
{
	struct hf_name name;

	ck_assert_int_eq(hf_name_parse(text, &name), 0);
	return name;
}

void kit_addr(unsigned n, uint8_t ret_addr[static 16])
{
	memset(ret_addr, 0, 16);
	memcpy(ret_addr, hf_addr_prefix, 6);
	ret_addr[14] = (uint8_t)(n >> 8);
	ret_addr[15] = (uint8_t)n;
}

int kit_try_set(const char *text, unsigned addr, uint8_t flags)
{
	struct hf_name name = kit_name(text);
	uint8_t addrs[1][16];
	struct hf_zone_rec rec = { .name = &name, .n_addrs = 1, .flags = flags };

	kit_addr(addr, addrs[0]);
	rec.addrs = (const uint8_t(*)[16])addrs;
	return hf_zone_writer_set(kit.writer, &rec);
}

void kit_set(const char *text, unsigned addr)
{
	ck_assert_int_eq(kit_try_set(text, addr, HF_REC_PRIMARY), 0);
}

void kit_set_many(unsigned first, unsigned n)
{
	char text[64];

	for (unsigned i = first; i < first + n; i++) {
		snprintf(text, sizeof(text), "n%u.coder", i);
		ck_assert_int_eq(kit_try_set(text, i, 0), 0);
	}
}

void kit_del(const char *text)
{
	struct hf_name name = kit_name(text);

	ck_assert_int_eq(hf_zone_writer_del(kit.writer, &name), 0);
}

int kit_publish(void)
{
	return hf_zone_writer_publish(kit.writer, kit_epoch, ++kit.generation);
}

/* Waits for the thread and takes up what it made. */
int kit_take_fold(void)
{
	struct pollfd p = { .fd = hf_zone_writer_fd(kit.writer), .events = POLLIN };

	ck_assert_int_eq(poll(&p, 1, 10000), 1);
	return hf_zone_writer_work(kit.writer);
}

struct hf_zone_look kit_look(void)
{
	struct hf_zone_look l;

	ck_assert_int_eq(hf_zone_look_open(kit.dirfd, &l), 0);
	return l;
}

/* What readers see of a name: HF_FMT_GONE if nothing. */
struct hf_fmt_value kit_seen(const char *text)
{
	struct hf_zone_look l = kit_look();
	struct hf_name name = kit_name(text);
	struct hf_fmt_value v = { .kind = HF_FMT_GONE };
	size_t len = 0;
	const uint8_t *value = hf_zone_look_get(&l, name.wire, name.len, &len);

	if (value)
		ck_assert_int_eq(hf_fmt_value_get(value, len, &v), 0);
	v.addrs = NULL;
	v.ptr = NULL;
	hf_zone_look_close(&l);
	return v;
}

/* The PTR of address n tells this name; NULL: there is none. */
void kit_check_ptr(unsigned n, const char *want)
{
	struct hf_zone_look l = kit_look();
	uint8_t addr[16], key[HF_FMT_PTR_KEY_LEN];
	size_t len = 0;
	const uint8_t *value;

	kit_addr(n, addr);
	hf_fmt_ptr_key(addr, key);
	value = hf_zone_look_get(&l, key, sizeof(key), &len);
	ck_assert((value != NULL) == (want != NULL));
	if (want) {
		struct hf_name name = kit_name(want);

		ck_assert(len == 1 + (size_t)name.len && !memcmp(value + 1, name.wire, name.len));
	}
	hf_zone_look_close(&l);
}

struct hf_fmt_current kit_current(void)
{
	struct hf_zone_look l = kit_look();
	struct hf_fmt_current c = l.current;

	hf_zone_look_close(&l);
	return c;
}

const char *kit_base_name(void)
{
	static struct hf_fmt_current c;

	c = kit_current();
	return c.base.name;
}

const char *kit_delta_name(void)
{
	static struct hf_fmt_current c;

	c = kit_current();
	return c.delta.name;
}

bool kit_is_there(const char *name)
{
	return faccessat(kit.dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void kit_make_file(const char *name)
{
	int fd = openat(kit.dirfd, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

TCase *kit_case(Suite *s, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, kit_setup, kit_teardown);
	suite_add_tcase(s, tc);
	return tc;
}
