/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer against a model: random changes, publications, folds, failures, restarts; after each
 * that readers can see, the folder's whole contents (empty non-terminals, counts of children, PTR,
 * meta) are compared with what is computed from the model's names alone.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uthash.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "tests/support/zone_look.h"
#include "zone/writer.h"

Suite *writer_model_suite(void);

enum { POOL = 160, ADDRS = 40, PER_NAME = 3, SNAPSHOTS = 400, STEPS = 4000, SEEDS = 3 };

/* --- the model --- */

struct model_rec {
	bool there;
	uint8_t flags;
	uint16_t owner;
	uint32_t first_seen_s;
	unsigned n_addrs;
	unsigned addrs[PER_NAME]; /* numbers in the pool of addresses */
};

/* All that the zone is. Plain: a copy is a snapshot. */
struct model {
	uint8_t epoch[16];
	uint64_t generation;
	unsigned suffixes; /* bits */
	uint32_t ttl_s;
	struct model_rec names[POOL];
	int ptr[ADDRS]; /* number of a name, or -1 */
};

/* Nested ones too: an apex may be a name of another's, or lie deep under it. */
static const char *const suffix_texts[] = { "coder", "dev", "a.coder", "b.a.coder", "x.y.dev" };
enum { N_SUFFIXES = sizeof(suffix_texts) / sizeof(suffix_texts[0]) };

static struct hf_name suffixes[N_SUFFIXES];
static struct hf_name pool[POOL];
static uint8_t addr_pool[ADDRS][16];

static void make_pools(unsigned *seed)
{
	static const char *const labels[] = { "a", "b", "x", "y" };

	for (size_t i = 0; i < N_SUFFIXES; i++)
		ck_assert_int_eq(hf_name_parse(suffix_texts[i], &suffixes[i]), 0);
	for (unsigned i = 0; i < POOL; i++) {
		pool[i] = suffixes[(unsigned)rand_r(seed) % 2];
		for (int n = rand_r(seed) % 5; n; n--)
			ck_assert_int_eq(
			    hf_name_prepend(&pool[i], labels[(unsigned)rand_r(seed) % 4], 1), 0);
		for (unsigned k = 0; k < i; k++) {
			if (hf_name_equal(&pool[i], &pool[k]))
				pool[i].len = 0; /* drawn twice: not used */
		}
	}
	for (unsigned i = 0; i < ADDRS; i++) {
		memcpy(addr_pool[i], hf_addr_prefix, 6);
		addr_pool[i][15] = (uint8_t)i;
	}
}

static bool served(const struct model *m, const struct hf_name *name)
{
	for (size_t i = 0; i < N_SUFFIXES; i++) {
		if ((m->suffixes & 1u << i) && hf_name_is_under(name, &suffixes[i]))
			return true;
	}
	return false;
}

static void model_set(struct model *m, unsigned i, const struct model_rec *rec)
{
	for (unsigned a = 0; a < ADDRS; a++) {
		bool mine = false;

		for (unsigned k = 0; k < rec->n_addrs && (rec->flags & HF_REC_PRIMARY); k++)
			mine = mine || rec->addrs[k] == a;
		if (mine)
			m->ptr[a] = (int)i;
		else if (m->ptr[a] == (int)i)
			m->ptr[a] = -1;
	}
	m->names[i] = *rec;
}

static void model_del(struct model *m, unsigned i)
{
	model_set(m, i, &(struct model_rec){ .there = false });
}

static void model_clear(struct model *m)
{
	memset(m->names, 0, sizeof(m->names));
	memset(m->ptr, 0xff, sizeof(m->ptr));
}

/* --- what must be on disk --- */

struct want {
	struct hf_name name;
	struct hf_fmt_value value;
	uint8_t addrs[PER_NAME][16];
	UT_hash_handle hh;
};

static struct want *want_entry(struct want **table, const struct hf_name *name)
{
	struct want *w;

	HASH_FIND(hh, *table, name->wire, name->len, w);
	if (w)
		return w;
	w = calloc(1, sizeof(*w));
	w->name = *name;
	w->value.kind = HF_FMT_EMPTY;
	HASH_ADD_KEYPTR(hh, *table, w->name.wire, w->name.len, w);
	return w;
}

/*
 * `name` is there: so are all its parents up to the uppermost suffix, and each counts those below
 * it.
 */
static struct want *want_name(
    struct want **table, const struct model *m, const struct hf_name *name)
{
	unsigned before = HASH_COUNT(*table);
	struct want *w = want_entry(table, name);
	struct hf_name parent;

	if (HASH_COUNT(*table) > before && hf_name_get_parent(name, &parent) && served(m, &parent))
		want_name(table, m, &parent)->value.children++;
	return w;
}

static struct want *compute(const struct model *m, uint64_t *ret_n_names)
{
	struct want *table = NULL;

	*ret_n_names = 0;
	for (size_t i = 0; i < N_SUFFIXES; i++) {
		if (m->suffixes & 1u << i)
			want_name(&table, m, &suffixes[i]);
	}
	for (unsigned i = 0; i < POOL; i++) {
		const struct model_rec *r = &m->names[i];
		struct want *w;

		if (!r->there)
			continue;
		++*ret_n_names;
		w = want_name(&table, m, &pool[i]);
		w->value.kind = HF_FMT_ADDRS;
		w->value.flags = r->flags;
		w->value.owner = r->owner;
		w->value.first_seen_s = r->first_seen_s;
		w->value.n_addrs = r->n_addrs;
		for (unsigned k = 0; k < r->n_addrs; k++)
			memcpy(w->addrs[k], addr_pool[r->addrs[k]], 16);
		w->value.addrs = (const uint8_t(*)[16])w->addrs;
	}
	return table;
}

static void free_wants(struct want *table)
{
	struct want *w, *next;

	HASH_ITER (hh, table, w, next) {
		HASH_DEL(table, w);
		free(w);
	}
}

static unsigned check_names(struct hf_zone_look *l, struct want *table)
{
	struct hf_zone_look_at at = { 0 };
	struct hf_zone_look_entry e;
	uint8_t bytes[HF_FMT_VALUE_MAX];
	unsigned n = 0, n_ptr = 0;

	while (hf_zone_look_next(l, &at, &e)) {
		struct want *w;
		int len;

		if (e.key[0] == HF_FMT_PTR_KEY) {
			n_ptr++;
			continue;
		}
		HASH_FIND(hh, table, e.key, e.key_len, w);
		ck_assert_msg(w, "an entry that should not be there");
		len = hf_fmt_value_put(&w->value, bytes, sizeof(bytes));
		ck_assert_msg((size_t)len == e.value_len && !memcmp(bytes, e.value, e.value_len),
		    "an entry with another value");
		n++;
	}
	ck_assert_uint_eq(n, HASH_COUNT(table));
	return n_ptr;
}

static void check_ptrs(struct hf_zone_look *l, const struct model *m, unsigned n_ptr)
{
	for (unsigned a = 0; a < ADDRS; a++) {
		uint8_t key[HF_FMT_PTR_KEY_LEN];
		const struct hf_name *name = m->ptr[a] < 0 ? NULL : &pool[m->ptr[a]];
		const uint8_t *value;
		size_t len = 0;

		hf_fmt_ptr_key(addr_pool[a], key);
		value = hf_zone_look_get(l, key, sizeof(key), &len);
		ck_assert((value != NULL) == (name != NULL));
		if (!name)
			continue;
		ck_assert_uint_eq(len, 1 + (size_t)name->len);
		ck_assert(value[0] == HF_FMT_PTR && !memcmp(value + 1, name->wire, name->len));
		n_ptr--;
	}
	ck_assert_uint_eq(n_ptr, 0);
}

/* --- the run --- */

static struct {
	char folder[64];
	int dirfd;
	unsigned seed;
	struct hf_fake_clock clock;
	struct hf_zone_writer *writer;
	struct model now;                  /* as the caller sees it */
	struct model snapshots[SNAPSHOTS]; /* of publications, the last ones */
	unsigned n_snapshots;
	struct model seen_snapshot;
	uint64_t generation; /* last tried */
	uint64_t seen;       /* last visible */
	rlim_t limit;        /* what a file may grow to, 0: as it likes */
	unsigned n_direct, n_failed, n_visible;
} run;

static unsigned roll(unsigned n)
{
	return (unsigned)rand_r(&run.seed) % n;
}

static const struct model *snapshot(uint64_t generation)
{
	if (run.seen && run.seen_snapshot.generation == generation)
		return &run.seen_snapshot;
	for (unsigned i = run.n_snapshots; i-- > 0;) {
		if (run.snapshots[i].generation == generation)
			return &run.snapshots[i];
	}
	ck_abort_msg("generation %llu was never asked for", (unsigned long long)generation);
	return NULL;
}

static void check_folder(void)
{
	const struct model *m = snapshot(hf_zone_writer_published(run.writer));
	struct hf_zone_look look;
	struct want *table;
	uint64_t n_names;

	ck_assert_int_eq(hf_zone_look_open(run.dirfd, &look), 0);
	ck_assert_uint_eq(look.current.generation, m->generation);
	ck_assert(!memcmp(look.current.epoch, m->epoch, sizeof(m->epoch)));
	ck_assert_uint_eq(look.meta.ttl_s, m->ttl_s);
	table = compute(m, &n_names);
	ck_assert_uint_eq(look.n_names, n_names);
	check_ptrs(&look, m, check_names(&look, table));
	free_wants(table);
	hf_zone_look_close(&look);
}

static void set_meta(void)
{
	static struct hf_zone_meta meta;

	memset(&meta, 0, sizeof(meta));
	meta.ttl_s = run.now.ttl_s;
	meta.ready = true;
	/* Always as many sources, some without a suffix; the first suffix twice. */
	meta.n_sources = N_SUFFIXES + 1;
	for (size_t i = 0; i < N_SUFFIXES; i++) {
		if (run.now.suffixes & 1u << i)
			meta.sources[i].suffix = suffixes[i];
	}
	meta.sources[N_SUFFIXES].suffix = meta.sources[0].suffix;
	hf_zone_writer_set_meta(run.writer, &meta);
}

static void open_writer(void)
{
	struct hf_zone_writer_opts opts = {
		.clock = &run.clock.clock, .fold_names = 30, .direct_names = 70, .fold_every_ms = 50
	};
	struct hf_zone_stamp stamp;
	int rc = hf_zone_writer_open(run.folder, &opts, &stamp, &run.writer);

	ck_assert_int_eq(rc, run.seen != 0);
	if (rc) {
		uint64_t generation = run.generation;

		ck_assert_uint_eq(stamp.generation, run.seen);
		run.now = *snapshot(run.seen);
		run.generation = generation;
	} else {
		model_clear(&run.now);
		set_meta();
	}
}

static void step_set(void)
{
	unsigned i = roll(POOL);
	struct model_rec r = { .there = true,
		.flags = (uint8_t)roll(16),
		.owner = (uint16_t)roll(3),
		.first_seen_s = roll(2),
		.n_addrs = 1 + roll(PER_NAME) };
	uint8_t addrs[PER_NAME][16];
	struct hf_zone_rec rec = { .name = &pool[i],
		.flags = r.flags,
		.owner = r.owner,
		.first_seen_s = r.first_seen_s,
		.n_addrs = r.n_addrs };
	int rc;

	if (!pool[i].len)
		return;
	for (unsigned k = 0; k < r.n_addrs; k++) {
		r.addrs[k] = roll(ADDRS);
		memcpy(addrs[k], addr_pool[r.addrs[k]], 16);
	}
	rec.addrs = (const uint8_t(*)[16])addrs;
	rc = hf_zone_writer_set(run.writer, &rec);
	ck_assert_int_eq(rc, served(&run.now, &pool[i]) ? 0 : HF_EREFUSED);
	if (!rc)
		model_set(&run.now, i, &r);
}

static void del(unsigned i)
{
	ck_assert_int_eq(hf_zone_writer_del(run.writer, &pool[i]), 0);
	model_del(&run.now, i);
}

static void step_del(void)
{
	unsigned i = roll(POOL);

	if (pool[i].len)
		del(i);
}

static void step_meta(void)
{
	unsigned before = run.now.suffixes;

	run.now.ttl_s = 1 + roll(30);
	run.now.suffixes ^= 1u << roll(N_SUFFIXES);
	if (!run.now.suffixes)
		run.now.suffixes = before;
	/* The caller takes names out before their suffix. */
	for (unsigned i = 0; i < POOL; i++) {
		if (run.now.names[i].there && !served(&run.now, &pool[i]))
			del(i);
	}
	set_meta();
}

/* Check itself writes to a file: the limit holds only where the writer is called. */
static void set_limit(rlim_t bytes)
{
	struct rlimit limit = { .rlim_cur = bytes, .rlim_max = RLIM_INFINITY };

	if (setrlimit(RLIMIT_FSIZE, &limit))
		abort();
}

static void step_publish(void)
{
	int rc;

	if (run.n_snapshots == SNAPSHOTS) {
		memmove(run.snapshots, run.snapshots + SNAPSHOTS / 2, sizeof(run.snapshots) / 2);
		run.n_snapshots = SNAPSHOTS / 2;
	}
	if (!roll(20))
		run.now.epoch[0]++;
	run.now.generation = ++run.generation;
	run.snapshots[run.n_snapshots++] = run.now;
	set_limit(run.limit ? run.limit : RLIM_INFINITY);
	rc = hf_zone_writer_publish(run.writer, run.now.epoch, run.generation);
	set_limit(RLIM_INFINITY);
	if (rc == 1)
		ck_assert_uint_eq(hf_zone_writer_published(run.writer), run.generation);
	ck_assert_msg(rc >= 0 || rc == -EFBIG, "%s", hf_errname(rc));
	run.n_direct += rc == 0;
	run.n_failed += rc < 0;
}

static void step_work(void)
{
	struct pollfd p = { .fd = hf_zone_writer_fd(run.writer), .events = POLLIN };
	int64_t wait_ms = hf_zone_writer_wait_ms(run.writer);
	int rc;

	set_limit(run.limit ? run.limit : RLIM_INFINITY);
	if (wait_ms < 0)
		poll(&p, 1, roll(3) ? 0 : 2);
	else
		hf_fake_clock_add(&run.clock, roll(2) ? wait_ms : 1);
	rc = hf_zone_writer_work(run.writer);
	set_limit(RLIM_INFINITY);
	ck_assert_msg(rc >= 0 || rc == -EFBIG, "%s", hf_errname(rc));
	run.n_failed += rc < 0;
}

static void step_limit(void)
{
	run.limit = run.limit || roll(2) ? 0 : 1 + roll(6000);
}

static void step_clear(void)
{
	ck_assert_int_eq(hf_zone_writer_clear(run.writer), 0);
	model_clear(&run.now);
}

/* Ends as it is, with whatever was not published; the next writer goes on from what readers see. */
static void step_restart(void)
{
	hf_zone_writer_free(run.writer);
	open_writer();
	if (run.seen)
		ck_assert_uint_le(hf_zone_look_n_files(run.dirfd), 3);
}

/* All that was asked for is visible, and nothing else is left. */
static void step_settle(void)
{
	int rc;

	run.limit = 0;
	step_publish();
	for (unsigned i = 0; hf_zone_writer_published(run.writer) != run.generation; i++) {
		struct pollfd p = { .fd = hf_zone_writer_fd(run.writer), .events = POLLIN };
		int64_t wait_ms = hf_zone_writer_wait_ms(run.writer);

		ck_assert_uint_lt(i, 100);
		if (wait_ms < 0)
			ck_assert_int_eq(poll(&p, 1, 10000), 1);
		else
			hf_fake_clock_add(&run.clock, wait_ms);
		rc = hf_zone_writer_work(run.writer);
		/* A fold that began under the limit. */
		ck_assert_msg(rc >= 0 || rc == -EFBIG, "%s", hf_errname(rc));
	}
	ck_assert_int_eq(hf_zone_writer_sync(run.writer), 0);
	/* `current`, base, delta, and one that a fold may be making. */
	ck_assert_uint_le(hf_zone_look_n_files(run.dirfd), 4);
}

static void look(void)
{
	uint64_t seen = hf_zone_writer_published(run.writer);

	if (seen == run.seen && roll(10))
		return;
	ck_assert_uint_ge(seen, run.seen);
	run.n_visible += seen != run.seen;
	if (seen != run.seen)
		run.seen_snapshot = *snapshot(seen);
	run.seen = seen;
	if (seen)
		check_folder();
}

static void step(void)
{
	unsigned r = roll(1000);

	if (r < 450)
		step_set();
	else if (r < 650)
		step_del();
	else if (r < 850)
		step_publish();
	else if (r < 950)
		step_work();
	else if (r < 965)
		step_meta();
	else if (r < 975)
		step_limit();
	else if (r < 979)
		step_clear();
	else if (r < 987)
		step_restart();
	else if (r < 990)
		step_settle();
	else
		for (unsigned n = roll(POOL); n; n--)
			step_set();
	look();
}

START_TEST(folder_is_always_what_the_model_says)
{
	memset(&run, 0, sizeof(run));
	run.seed = 1 + (unsigned)_i;
	run.now.suffixes = 1;
	run.now.ttl_s = 30;
	signal(SIGXFSZ, SIG_IGN);
	hf_log_set_level(HF_LOG_ERROR);
	hf_fake_clock_init(&run.clock, 1000, 1700000000000);
	hf_zone_look_make_folder(run.folder, sizeof(run.folder));
	run.dirfd = open(run.folder, O_RDONLY | O_DIRECTORY);
	make_pools(&run.seed);
	open_writer();
	for (unsigned i = 0; i < STEPS; i++)
		step();
	step_settle();
	look();
	/* It did what it is for. */
	ck_assert_uint_gt(run.n_direct, 10);
	ck_assert_uint_gt(run.n_failed, 10);
	ck_assert_uint_gt(run.n_visible, 300);
	hf_zone_writer_free(run.writer);
	close(run.dirfd);
	hf_zone_look_remove_folder(run.folder);
}
END_TEST

Suite *writer_model_suite(void)
{
	Suite *s = suite_create("writer_model");
	TCase *tc = tcase_create("random");

	tcase_add_loop_test(tc, folder_is_always_what_the_model_says, 0, SEEDS);
	suite_add_tcase(s, tc);
	return s;
}
