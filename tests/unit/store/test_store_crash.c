/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process dies at each storage call, one after the other, of each thing that the store does; of
 * writes also with half of them done. Whoever opens it next finds one whole state, nothing that was
 * acknowledged is missing, and of a recovery there is one. What a power cut leaves is
 * tests/chaos's.
 *
 * A process that dies leaves its files as they are in that moment. So they are kept at each call of
 * one that lives, some calls at a time, and opened one after the other when it is done. Some
 * processes really die.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "tests/unit/store/kit_disk.h"
#include "tests/unit/store/store_kit.h"
#include "tests/unit/store/kit_world.h"

Suite *store_crash_suite(void);

enum {
	STEPS = 5,
	/* calls whose moments are kept together: the folder may be in memory, and small */
	AT_ONCE = 16,
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { DEATHS = 20 }; /* each is dear there */
#else
enum { DEATHS = 100 };
#endif

static struct fixture fx;
static struct world worlds[STEPS + 1]; /* what is there after so many steps */
static struct world_changes changes;
static char template_dir[128];
static pid_t mine;

static struct told {
	int acked; /* steps */
	uint64_t generation;
} told;

/* In a process of its own nobody could be told more. */
static void must(bool ok)
{
	if (!ok && getpid() != mine)
		_exit(1);
	ck_assert(ok);
}

/* --- the states that are started from --- */

static void step_to(int step)
{
	static const struct world nothing;

	world_diff(step ? &worlds[step - 1] : &nothing, &worlds[step], FIXTURE_WALL_S, &changes);
	must(hf_store_apply(fx.store, &changes.set) == 0);
	told.acked = step;
	told.generation = hf_store_generation(fx.store);
}

static void damage(void)
{
	const char *url = worlds[0].sources[0].row.url;
	off_t at = fixture_find(&fx, "", url, strlen(url));

	ck_assert_int_ge(at, 0);
	fixture_flip(&fx, "", at + 12, 1);
}

static void prepare_nothing(void)
{
}

static void prepare_store(void)
{
	fixture_open(&fx);
	step_to(0);
	fixture_close(&fx);
}

static void prepare_copy(void)
{
	fixture_open(&fx);
	step_to(0);
	ck_assert_int_eq(hf_store_copy_begin(fx.store), 0);
	fixture_wait_copy(&fx);
	step_to(1);
	fixture_close(&fx);
}

static void prepare_damaged_with_copy(void)
{
	prepare_copy();
	damage();
}

static void prepare_damaged(void)
{
	prepare_store();
	damage();
}

static void prepare_damaged_with_wal(void)
{
	prepare_copy();
	fixture_open(&fx);
	step_to(2);
	fixture_crash(&fx);
	damage();
	fixture_flip(&fx, "-wal", 10, 0xff); /* so that it does not mend it */
}

static void prepare_lone_wal(void)
{
	fixture_open(&fx);
	step_to(0);
	fixture_crash(&fx);
	fixture_remove(&fx, "");
}

/* --- what is done, and dies --- */

static void must_open(void)
{
	must(fixture_try_open(&fx) == 0);
}

static void run_open(void)
{
	must_open();
	fixture_close(&fx);
}

static void run_first_steps(void)
{
	must_open();
	step_to(0);
	step_to(1);
	fixture_close(&fx);
}

static void run_steps(void)
{
	must_open();
	for (int i = 1; i <= STEPS; i++)
		step_to(i);
	must(hf_store_set_ready(fx.store) == 0);
	fixture_close(&fx);
}

static void run_copy(void)
{
	must_open();
	must(hf_store_copy_begin(fx.store) == 0);
	fixture_wait_copy(&fx);
	step_to(2);
	fixture_close(&fx);
}

static void run_recover(void)
{
	must_open();
	step_to(2);
	must(hf_store_recover(fx.store, world_image(&worlds[2]), &fx.opened) == 0);
	fixture_close(&fx);
}

static void run_rearm(void)
{
	must_open();
	must(hf_store_attempt_rearm(fx.store) == 0);
	fixture_close(&fx);
}

/* --- what must be there --- */

static bool holds(const struct world *w)
{
	return world_compare(fx.store, w) == NULL;
}

static bool holds_nothing(void)
{
	struct hf_image *image;
	bool empty;

	ck_assert_int_eq(hf_store_load(fx.store, &image), 0);
	empty = image->n_sources + image->n_owners + image->n_workspaces == 0;
	hf_image_free(image);
	return empty;
}

/* What was acknowledged, or the step that was under way. */
static bool holds_acked(void)
{
	ck_assert_uint_ge(hf_store_generation(fx.store), told.generation);
	ck_assert_uint_eq(fixture_count(&fx, ".damaged"), 0);
	ck_assert(!hf_store_attempt_spent(fx.store));
	if (told.acked < 0)
		return holds_nothing() || holds(&worlds[0]);
	return holds(&worlds[told.acked]) || (told.acked < STEPS && holds(&worlds[told.acked + 1]));
}

static bool has_one_aside(void)
{
	static const char name[] = ".damaged-20231114-221320";

	return fixture_exists(&fx, name) && !fixture_exists(&fx, ".damaged-20231114-221320-2") &&
	       hf_store_attempt_spent(fx.store);
}

static bool recovered_copy(void)
{
	return has_one_aside() && holds(&worlds[0]);
}

static bool recovered_copy_with_wal(void)
{
	return recovered_copy() && fixture_exists(&fx, ".damaged-20231114-221320-wal");
}

static bool recovered_nothing(void)
{
	return has_one_aside() && holds_nothing();
}

/*
 * Before it began all is as it was; after, it is what the memory held or, where that came to no
 * end, the copy.
 */
static bool recovered_from_memory(void)
{
	if (!fixture_exists(&fx, ".damaged-20231114-221320"))
		return holds_acked();
	return has_one_aside() && (holds(&worlds[2]) || holds(&worlds[0]));
}

static bool kept_lone_wal(void)
{
	return fixture_exists(&fx, ".damaged-20231114-221320-wal") && holds_nothing() &&
	       !hf_store_attempt_spent(fx.store);
}

/* A note that was taken away in part is there, or not. */
static bool recovered_or_rearmed(void)
{
	return holds(&worlds[0]) && fixture_exists(&fx, ".damaged-20231114-221320") &&
	       !fixture_exists(&fx, ".damaged-20231114-221320-2");
}

static const struct {
	const char *what;
	void (*prepare)(void);
	void (*run)(void);
	bool (*good)(void);
	size_t least; /* storage calls that this has at the least: else the counting is broken */
} rows[] = {
	{ "a new store and its first steps", prepare_nothing, run_first_steps, holds_acked, 20 },
	{ "changesets", prepare_store, run_steps, holds_acked, 20 },
	{ "a copy", prepare_copy, run_copy, holds_acked, 10 },
	{ "a damaged store, a copy", prepare_damaged_with_copy, run_open, recovered_copy, 20 },
	{ "a damaged store, a WAL, a copy", prepare_damaged_with_wal, run_open,
	    recovered_copy_with_wal, 20 },
	{ "a damaged store, no copy", prepare_damaged, run_open, recovered_nothing, 20 },
	{ "a recovery out of memory", prepare_copy, run_recover, recovered_from_memory, 20 },
	{ "a WAL without its store", prepare_lone_wal, run_open, kept_lone_wal, 10 },
	{ "the note is taken away", prepare_damaged_with_copy, run_rearm, recovered_or_rearmed,
	    20 },
};

/* --- dying --- */

static void each_file(const char *from, void (*what)(const char *path, const char *name))
{
	DIR *dir = opendir(from);
	struct dirent *e;

	ck_assert_ptr_nonnull(dir);
	while ((e = readdir(dir))) {
		char path[400];

		snprintf(path, sizeof(path), "%s/%s", from, e->d_name);
		if (e->d_name[0] != '.' || strstr(e->d_name, ".tmp"))
			what(path, e->d_name);
	}
	closedir(dir);
}

static void remove_file(const char *path, const char *name)
{
	unlink(path);
}

static void copy_to(const char *path, const char *to)
{
	char bytes[65536];
	int in = open(path, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
	ssize_t n;

	ck_assert(in >= 0 && out >= 0);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		ck_assert_int_eq(write(out, bytes, (size_t)n), n);
	close(in);
	close(out);
}

static const char *copy_dir; /* to which copy_file() copies */

static void copy_file(const char *path, const char *name)
{
	char to[400];

	snprintf(to, sizeof(to), "%s/%s", copy_dir, name);
	copy_to(path, to);
}

static void copy_files(const char *from, const char *to)
{
	copy_dir = to;
	each_file(from, copy_file);
}

/* The store's folder is as `from` has it. */
static void start_from(const char *from)
{
	each_file(fx.dir, remove_file);
	copy_files(from, fx.dir);
	fx.store = NULL;
}

static void setup(void)
{
	struct prng p = { .state = 17 };

	fixture_init(&fx);
	/* the thread would make the order of calls another each time */
	fx.opts.checkpoint_pages = 1000000;
	snprintf(template_dir, sizeof(template_dir), "%s.template", fx.dir);
	ck_assert_int_eq(mkdir(template_dir, 0700), 0);
	mine = getpid();
	world_init(&worlds[0], 3);
	for (int i = 1; i <= STEPS; i++) {
		worlds[i] = worlds[i - 1];
		world_change(&worlds[i], &p, 8);
	}
}

static void teardown(void)
{
	each_file(template_dir, remove_file);
	rmdir(template_dir);
	fixture_done(&fx);
}

static void check_row(size_t i, const char *half, size_t n)
{
	fixture_open(&fx);
	ck_assert_msg(fixture_state(&fx) == HF_STORE_OK, "%s: at call %zu%s: %s", rows[i].what, n,
	    half, fixture_reason(&fx));
	ck_assert_msg(
	    rows[i].good(), "%s: at call %zu%s: not what it must be", rows[i].what, n, half);
	ck_assert_uint_eq(fixture_count(&fx, ".new"), 0);
	fixture_close(&fx);
	fixture_open(&fx); /* and the same once more */
	ck_assert_msg(
	    rows[i].good(), "%s: at call %zu%s: not the second time", rows[i].what, n, half);
	fixture_close(&fx);
}

/* What was there at a call. */
static struct moment {
	size_t n;
	bool half;
	struct told told;
	char dir[128];
} moments[2 * AT_ONCE];
static size_t n_moments, n_halves, from_call;

/* The store's thread makes calls, too. */
static void keep_moment(size_t n, bool half)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct moment *m;

	if (n < from_call || n >= from_call + AT_ONCE)
		return;
	pthread_mutex_lock(&lock);
	m = &moments[n_moments++];
	n_halves += half;
	*m = (struct moment){ .n = n, .half = half, .told = told };
	snprintf(m->dir, sizeof(m->dir), "%s.at-%zu%s", fx.dir, n, half ? "-half" : "");
	if (mkdir(m->dir, 0700))
		ck_abort_msg("%s: %s", m->dir, strerror(errno));
	copy_files(fx.dir, m->dir);
	pthread_mutex_unlock(&lock);
}

static void check_moments(size_t i)
{
	struct told after = told;

	for (size_t k = 0; k < n_moments; k++) {
		start_from(moments[k].dir);
		told = moments[k].told;
		check_row(i, moments[k].half ? ", half done" : "", moments[k].n);
		each_file(moments[k].dir, remove_file);
		rmdir(moments[k].dir);
	}
	n_moments = 0;
	told = after;
}

/* Returns the number of calls that it makes. */
static size_t run_and_keep(size_t i, size_t from, const struct told *before)
{
	start_from(template_dir);
	told = *before;
	from_call = from;
	disk_look(keep_moment);
	disk_arm(DISK_LOOK, disk_changing, 0, 0);
	rows[i].run();
	return disk_disarm();
}

START_TEST(dying_at_any_call_loses_nothing_and_recovers_once)
{
	size_t i = (size_t)_i, n = 0, kept = 0;
	struct told before;

	told = (struct told){ .acked = -1 };
	n_moments = n_halves = 0;
	rows[i].prepare();
	copy_files(fx.dir, template_dir);
	before = told;
	for (size_t from = 1; from == 1 || from <= n; from += AT_ONCE) {
		n = run_and_keep(i, from, &before);
		kept += n_moments;
		check_moments(i);
	}
	ck_assert_msg(n >= rows[i].least, "%s: only %zu calls", rows[i].what, n);
	/* the thread's may come in another order */
	ck_assert_msg(kept + 2 >= n + n_halves, "%s: %zu of %zu calls", rows[i].what, kept, n);
	ck_assert_uint_ge(n_halves, 1);
}
END_TEST

/* --- and really --- */

/* In a process of its own. */
static void run_and_die(void (*run)(void), enum disk_fault fault, size_t n)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		disk_arm(fault, disk_changing, n, 0);
		run();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(
	    WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == DISK_DIED),
	    "call %zu: status %x", n, (unsigned)status);
}

static size_t count_calls(void (*run)(void))
{
	start_from(template_dir);
	disk_arm(DISK_FINE, disk_changing, 0, 0);
	run();
	return disk_disarm();
}

START_TEST(dying_in_a_recovery_and_again_in_going_on_recovers_once)
{
	const char *many = getenv("HF_LONG");
	size_t n, deaths = many && *many == '1' ? 1000 : DEATHS;
	struct prng p = { .state = 23 };

	told = (struct told){ .acked = -1 };
	prepare_damaged_with_copy();
	copy_files(fx.dir, template_dir);
	n = count_calls(run_open);
	for (size_t round = 0; round < deaths; round++) {
		start_from(template_dir);
		run_and_die(run_open, DISK_DIE, 1 + prng_below(&p, n));
		run_and_die(run_open, DISK_DIE_HALF, 1 + prng_below(&p, n));
		fixture_open(&fx);
		ck_assert(recovered_copy());
		fixture_close(&fx);
	}
}
END_TEST

Suite *store_crash_suite(void)
{
	Suite *s = suite_create("store_crash");
	TCase *tc = tcase_create("crash");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, dying_at_any_call_loses_nothing_and_recovers_once, 0,
	    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, dying_in_a_recovery_and_again_in_going_on_recovers_once);
	suite_add_tcase(s, tc);
	return s;
}
