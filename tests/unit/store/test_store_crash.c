/*
 * The process dies at each storage call, one after the other, of each thing that the store does; of writes also with half
 * of them done. Whoever opens it next finds one whole state, nothing that was acknowledged is missing, and of a recovery
 * there is one. What a power cut leaves is tests/chaos's.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "tests/unit/store/disk.h"
#include "tests/unit/store/fixture.h"
#include "tests/unit/store/world.h"

Suite *store_crash_suite(void);

enum { STEPS = 5 };

static struct fixture fx;
static struct world worlds[STEPS + 1]; /* what is there after so many steps */
static struct world_changes changes;
static char template_dir[128];

/* Shared with the process that dies. */
static struct told {
	int acked; /* steps */
	uint64_t generation;
	int origin;
} *told;

/* --- the states that are started from --- */

static void step_to(int step)
{
	static const struct world nothing;

	world_diff(step ? &worlds[step - 1] : &nothing, &worlds[step], FIXTURE_WALL_S, &changes);
	if (hf_store_apply(fx.store, &changes.set))
		_exit(1);
	told->acked = step;
	told->generation = hf_store_generation(fx.store);
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
	if (fixture_try_open(&fx))
		_exit(2);
	told->origin = (int)fx.opened.origin;
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
	if (hf_store_set_ready(fx.store))
		_exit(3);
	fixture_close(&fx);
}

static void run_copy(void)
{
	must_open();
	if (hf_store_copy_begin(fx.store))
		_exit(3);
	fixture_wait_copy(&fx);
	step_to(2);
	fixture_close(&fx);
}

static void run_recover(void)
{
	must_open();
	step_to(2);
	if (hf_store_recover(fx.store, world_image(&worlds[2]), &fx.opened))
		_exit(3);
	fixture_close(&fx);
}

static void run_rearm(void)
{
	must_open();
	if (hf_store_attempt_rearm(fx.store))
		_exit(3);
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
	ck_assert_uint_ge(hf_store_generation(fx.store), told->generation);
	ck_assert_uint_eq(fixture_count(&fx, ".damaged"), 0);
	ck_assert(!hf_store_attempt_spent(fx.store));
	if (told->acked < 0)
		return holds_nothing() || holds(&worlds[0]);
	return holds(&worlds[told->acked]) || (told->acked < STEPS && holds(&worlds[told->acked + 1]));
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

/* Before it began all is as it was; after, it is what the memory held or, where that came to no end, the copy. */
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
	{ "a damaged store, a WAL, a copy", prepare_damaged_with_wal, run_open, recovered_copy_with_wal, 20 },
	{ "a damaged store, no copy", prepare_damaged, run_open, recovered_nothing, 20 },
	{ "a recovery out of memory", prepare_copy, run_recover, recovered_from_memory, 20 },
	{ "a WAL without its store", prepare_lone_wal, run_open, kept_lone_wal, 10 },
	{ "the note is taken away", prepare_damaged_with_copy, run_rearm, recovered_or_rearmed, 20 },
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

static void take_file(const char *path, const char *name)
{
	char to[400];

	snprintf(to, sizeof(to), "%s/%s", fx.dir, name);
	copy_to(path, to);
}

static void keep_file(const char *path, const char *name)
{
	char to[400];

	snprintf(to, sizeof(to), "%s/%s", template_dir, name);
	copy_to(path, to);
}

static void start_over(void)
{
	each_file(fx.dir, remove_file);
	each_file(template_dir, take_file);
	fx.store = NULL;
}

static void setup(void)
{
	struct prng p = { .state = 17 };

	fixture_init(&fx);
	fx.opts.checkpoint_pages = 1000000; /* the thread would make the order of calls another each time */
	snprintf(template_dir, sizeof(template_dir), "%s.template", fx.dir);
	ck_assert_int_eq(mkdir(template_dir, 0700), 0);
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(told, MAP_FAILED);
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
	munmap(told, sizeof(*told));
	fixture_done(&fx);
}

/* In a process of its own. Returns whether it died of it. */
static bool run_and_die(void (*run)(void), enum disk_fault fault, size_t n)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		disk_arm(fault, disk_changing, n, 0);
		run();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == DISK_DIED),
	    "call %zu: status %x", n, (unsigned)status);
	return WEXITSTATUS(status) == DISK_DIED;
}

static size_t count_calls(void (*run)(void))
{
	size_t n;

	start_over();
	disk_arm(DISK_FINE, disk_changing, 0, 0);
	run();
	n = disk_disarm();
	return n;
}

static void check_row(size_t i, enum disk_fault fault, size_t n)
{
	fixture_open(&fx);
	ck_assert_msg(fixture_state(&fx) == HF_STORE_OK, "%s: fault %d at %zu: %s", rows[i].what, fault, n,
	    fixture_reason(&fx));
	ck_assert_msg(rows[i].good(), "%s: fault %d at %zu: not what it must be", rows[i].what, fault, n);
	ck_assert_uint_eq(fixture_count(&fx, ".new"), 0);
	fixture_close(&fx);
	fixture_open(&fx); /* and the same once more */
	ck_assert_msg(rows[i].good(), "%s: fault %d at %zu: not the second time", rows[i].what, fault, n);
	fixture_close(&fx);
}

static void die_everywhere(size_t i, enum disk_fault fault, size_t n_calls, const struct told *before)
{
	size_t died = 0;

	for (size_t n = 1; n <= n_calls; n++) {
		start_over();
		*told = *before;
		died += run_and_die(rows[i].run, fault, n);
		check_row(i, fault, n);
	}
	ck_assert_uint_ge(died + 2, n_calls); /* the thread's may come in another order */
}

START_TEST(dying_at_any_call_loses_nothing_and_recovers_once)
{
	struct told before;
	size_t n;

	*told = (struct told){ .acked = -1 };
	rows[_i].prepare();
	each_file(fx.dir, keep_file);
	before = *told;
	n = count_calls(rows[_i].run);
	ck_assert_msg(n >= rows[_i].least, "%s: only %zu calls", rows[_i].what, n);
	die_everywhere((size_t)_i, DISK_DIE, n, &before);
	die_everywhere((size_t)_i, DISK_DIE_HALF, n, &before);
}
END_TEST

START_TEST(dying_in_a_recovery_and_again_in_going_on_recovers_once)
{
	struct prng p = { .state = 23 };
	struct told before;
	size_t n;

	*told = (struct told){ .acked = -1 };
	prepare_damaged_with_copy();
	each_file(fx.dir, keep_file);
	before = *told;
	n = count_calls(run_open);
	for (size_t round = 0; round < 100; round++) {
		start_over();
		*told = before;
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
	tcase_add_loop_test(tc, dying_at_any_call_loses_nothing_and_recovers_once, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, dying_in_a_recovery_and_again_in_going_on_recovers_once);
	suite_add_tcase(s, tc);
	return s;
}
