/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_core: what the bridge's engine costs, at 1,000 and at 100,000 workspaces of one agent each:
 * the first snapshot, an equal one, a diff of one agent until readers see it, a flood of upserts, a
 * restart; and the anonymous memory. Prints every figure that has a goal with it, and one line of
 * JSON each.
 *
 *   bench_core [--check]     --check: a goal that is missed is an error
 *
 * Its files lie in a folder of $TMPDIR, which is removed at the end.
 *
 * What is passed in lies in shared memory, so that it does not count as the engine's own.
 */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "bridge/engine/engine.h"
#include "config/config.h"

enum { DIFFS = 200, SMALL = 1000, LARGE = 100000, FLOOD_MESSAGES = 1000, FLOOD_UPSERTS = 1000 };

/* Of one size. Times in ms. */
struct figures {
	double first_cpu, first_longest;
	double equal_cpu;
	double equal_commits;
	double diff_p50, diff_p99;   /* of the loop, which sleeps while the disk syncs */
	double diff_wall_p99;        /* the sync included */
	double flood_per_s;          /* publications */
	double flood_s, flood_cpu_s; /* by the clock; of the loop's CPU */
	double start_wall, start_cpu;
	double anonymous_mib;
};

struct bench {
	struct hf_engine *engine;
	struct hf_config *config;
	size_t n;
	struct hf_update_workspace *ws;
	struct hf_update_agent *agents;
	char (*names)[16];
	/* one call of hf_engine_work(), or that passes a message in; of the loop's CPU */
	double longest_ms;
	uint64_t publications;
	uint64_t seen;     /* generation that was published last */
	struct figures *f; /* shared with the parent */
};

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static double cpu_ms(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

/*
 * Of the loop's thread alone: what the machine does beside is not ours, nor is waiting for the
 * disk.
 */
static double loop_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static double anonymous_mib(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[200];
	double mib = 0;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "RssAnon:", 8))
			mib = strtod(line + 8, NULL) / 1024;
	if (f)
		fclose(f);
	return mib;
}

static struct hf_uuid id(uint8_t kind, size_t n)
{
	struct hf_uuid u = { { kind } };

	memcpy(u.b + 8, &n, sizeof(n));
	return u;
}

static void *shared(size_t n, size_t size)
{
	void *p = mmap(NULL, n * size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

static void make(struct bench *b, size_t n)
{
	b->n = n;
	b->ws = shared(n, sizeof(*b->ws));
	b->agents = shared(n, sizeof(*b->agents));
	b->names = shared(n, sizeof(*b->names));
	for (size_t i = 0; i < n; i++) {
		int len = snprintf(b->names[i], sizeof(b->names[i]), "ws%06zu", i);

		b->ws[i] =
		    (struct hf_update_workspace){ id(1, i), { b->names[i], (uint32_t)len }, 3 };
		b->agents[i] = (struct hf_update_agent){ id(2, i), id(1, i), { "main", 4 } };
	}
}

static int64_t work(struct bench *b)
{
	double t = loop_ms();
	int64_t wait = hf_engine_work(b->engine);

	t = loop_ms() - t;
	b->longest_ms = t > b->longest_ms ? t : b->longest_ms;
	if (hf_engine_published(b->engine) != b->seen) {
		b->seen = hf_engine_published(b->engine);
		b->publications++;
	}
	return wait;
}

/* Until everything is committed and readers see it. */
static void settle(struct bench *b)
{
	unsigned quiet = 0;

	for (;;) {
		int64_t wait = work(b);

		/*
		 * A commit of stamps alone is not published; the thread that makes a base takes
		 * less than half a second.
		 */
		if (wait > 0 && !hf_engine_busy(b->engine) &&
		    !hf_state_dirty(hf_engine_state(b->engine)) &&
		    (hf_engine_published(b->engine) ==
			    hf_store_generation(hf_engine_store(b->engine)) ||
			(wait > 100 && ++quiet > 1000)))
			return;
		if (wait > 0)
			usleep(500);
	}
}

/* The message is on the stack of the caller, who waits for its end. */
static void keep(struct hf_update *update)
{
	(void)update;
}

static void pass_in(struct bench *b, enum hf_update_kind kind, size_t from, size_t n)
{
	struct hf_update u = { .kind = kind,
		.owner = id(9, 1),
		.upserted_workspaces = b->ws + from,
		.n_upserted_workspaces = n,
		.upserted_agents = b->agents + from,
		.n_upserted_agents = n };
	struct hf_judgement j;
	double t = loop_ms();

	hf_engine_update_begin(b->engine, "main", &u, keep, &j);
	t = loop_ms() - t;
	b->longest_ms = t > b->longest_ms ? t : b->longest_ms;
	while (hf_engine_updating(b->engine))
		work(b);
}

static struct hf_store_stats stats(const struct bench *b)
{
	struct hf_store_stats s;

	hf_store_get_stats(hf_engine_store(b->engine), &s);
	return s;
}

static void snapshots(struct bench *b)
{
	double cpu = cpu_ms();
	uint64_t commits;

	b->longest_ms = 0;
	pass_in(b, HF_UPDATE_SNAPSHOT, 0, b->n);
	settle(b);
	b->f->first_cpu = cpu_ms() - cpu;
	b->f->first_longest = b->longest_ms;
	usleep(100000);
	cpu = cpu_ms();
	commits = stats(b).commits;
	pass_in(b, HF_UPDATE_SNAPSHOT, 0, b->n);
	settle(b);
	b->f->equal_cpu = cpu_ms() - cpu;
	b->f->equal_commits = (double)(stats(b).commits - commits);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void diffs(struct bench *b)
{
	double took[DIFFS], wall[DIFFS];

	for (size_t i = 0; i < DIFFS; i++) {
		size_t k = i * 7919 % b->n;

		usleep(51000); /* beyond the pace of commits */
		b->agents[k].id.b[1]++;
		b->agents[k].id.b[10]++;
		wall[i] = now_ms();
		took[i] = loop_ms();
		pass_in(b, HF_UPDATE_DIFF, k, 1);
		settle(b);
		took[i] = loop_ms() - took[i];
		wall[i] = now_ms() - wall[i];
	}
	qsort(took, DIFFS, sizeof(took[0]), by_size);
	qsort(wall, DIFFS, sizeof(wall[0]), by_size);
	b->f->diff_wall_p99 = wall[DIFFS * 99 / 100];
	b->f->diff_p50 = took[DIFFS / 2];
	b->f->diff_p99 = took[DIFFS * 99 / 100];
}

/*
 * The same agent again and again, each time with another id, the loop going round between the
 * messages.
 */
static void flood(struct bench *b)
{
	struct hf_update_agent *many = shared(FLOOD_UPSERTS, sizeof(*many));
	struct hf_update u = { .kind = HF_UPDATE_DIFF,
		.owner = id(9, 1),
		.upserted_agents = many,
		.n_upserted_agents = FLOOD_UPSERTS };
	double began = now_ms(), cpu = loop_ms();
	struct hf_judgement j;
	uint64_t before = b->publications;

	for (size_t m = 0; m < FLOOD_MESSAGES; m++) {
		for (size_t i = 0; i < FLOOD_UPSERTS; i++) {
			many[i] = b->agents[0];
			many[i].name =
			    (m + i) % 2 ? (struct hf_bytes){ "other", 5 } : b->agents[0].name;
		}
		while (hf_engine_busy(b->engine))
			work(b);
		hf_engine_update(b->engine, "main", &u, &j);
		work(b);
	}
	b->f->flood_s = (now_ms() - began) / 1e3;
	b->f->flood_cpu_s = (loop_ms() - cpu) / 1e3;
	/* Of what a second brings: a slower machine is not to look better. */
	b->f->flood_per_s = (double)(b->publications - before) / b->f->flood_s;
	settle(b);
}

static int open_core(struct bench *b)
{
	double wall = now_ms(), cpu = cpu_ms();
	struct hf_identity identity = { .user = id(9, 1), .user_name = "alice" };
	struct hf_judgement j;
	int rc = hf_engine_open(b->config, &hf_clock_system, &b->engine);

	if (rc)
		return rc;
	b->f->start_wall = now_ms() - wall;
	b->f->start_cpu = cpu_ms() - cpu;
	hf_engine_identify(b->engine, "main", &identity, &j);
	return hf_engine_owner_set(b->engine, "main", &identity.user, "alice");
}

static int measure(const char *dir, size_t n, struct figures *f)
{
	struct hf_config_errors errors;
	struct bench b = { .f = f };
	char yaml[2000];
	int rc, len;

	len = snprintf(yaml, sizeof(yaml),
	    "store: %s/store.db\nzone: %s/zone\nsources:\n"
	    "  - { name: main, url: 'https://c.example', token-file: /nowhere, suffix: coder }\n",
	    dir, dir);
	rc = hf_config_parse("bench", yaml, (size_t)len, 0, &b.config, &errors);
	if (!rc)
		rc = open_core(&b);
	if (rc) {
		fprintf(stderr, "%s\n", hf_strerror(rc));
		return 1;
	}
	make(&b, n);
	snapshots(&b);
	diffs(&b);
	flood(&b);
	f->anonymous_mib = anonymous_mib();
	hf_engine_free(b.engine);
	rc = open_core(&b);
	hf_engine_free(b.engine);
	hf_config_free(b.config);
	return rc ? 1 : 0;
}

/* In a process of its own, whose memory is its own. */
static struct figures *measure_apart(const char *dir, size_t n)
{
	struct figures *f = shared(1, sizeof(*f));
	char path[400];
	int status;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/%zu", dir, n);
	if (mkdir(path, 0700) && errno != EEXIST)
		return NULL;
	pid = fork();
	if (pid == 0)
		_exit(measure(path, n, f));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status))
		return NULL;
	return f;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path);
}

static unsigned missed;

static void row(const char *what, double value, const char *unit, double goal)
{
	char text[32] = "-";

	if (goal >= 0)
		snprintf(text, sizeof(text), "%g", goal);
	missed += goal >= 0 && value > goal;
	printf("%-62s %9.2f %-4s goal %6s%s\n", what, value, unit, text,
	    goal >= 0 && value > goal ? "  MISSED" : "");
	printf("{\"bench\":\"core\",\"what\":\"%s\",\"value\":%.4f,\"unit\":\"%s\",\"goal\":%s}\n",
	    what, value, unit, goal >= 0 ? text : "null");
}

int main(int argc, char **argv)
{
	const char *base = getenv("TMPDIR");
	const struct figures *s, *l;
	char dir[300];

	snprintf(dir, sizeof(dir), "%.250s/holdfast-bench-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(dir))
		return 1;
	hf_log_init(STDERR_FILENO, HF_LOG_ERROR, HF_LOG_TEXT, NULL);
	s = measure_apart(dir, SMALL);
	l = measure_apart(dir, LARGE);
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	if (!s || !l)
		return 1;
	row("update to published, the loop's CPU, p99, 1k agents", s->diff_p99, "ms", 10);
	row("update to published, the loop's CPU, p99, 100k agents", l->diff_p99, "ms", 10);
	row("the same, 100k against 1k", l->diff_p99 / s->diff_p99, "", 1.5);
	row("the same, medians", l->diff_p50 / s->diff_p50, "", 1.5);
	row("update to published with the disk's sync, p99, 1k agents", s->diff_wall_p99, "ms", -1);
	row("update to published with the disk's sync, p99, 100k agents", l->diff_wall_p99, "ms",
	    -1);
	row("equal snapshot of 100k agents, CPU", l->equal_cpu, "ms", 300);
	row("equal snapshot of 100k agents, commits", l->equal_commits, "", 0);
	row("anonymous memory at 100k agents", l->anonymous_mib, "MiB", 64);
	row("anonymous memory at 1k agents", s->anonymous_mib, "MiB", 16);
	row("publications a second under 10^6 upserts of one agent", l->flood_per_s, "/s", 20);
	row("start with 100k agents until served, CPU", l->start_cpu, "ms", 300);
	row("start with 100k agents until served, wall", l->start_wall, "ms", -1);
	row("first snapshot of 100k agents, CPU", l->first_cpu, "ms", -1);
	row("first snapshot of 100k agents, longest call, the loop's CPU", l->first_longest, "ms",
	    20);
	row("10^6 upserts of one agent, the loop's CPU", l->flood_cpu_s, "s", 1);
	row("10^6 upserts of one agent took", l->flood_s, "s", -1);
	return argc > 1 && !strcmp(argv[1], "--check") && missed ? 1 : 0;
}
