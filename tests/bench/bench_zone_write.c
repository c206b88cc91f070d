/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What publishing the zone costs: `bench_zone_write [--json] [--check] [--folder FOLDER]
 * [AGENTS...]`, by default with 1,000 and 100,000 agents of three names and one PTR each. The
 * folder should be on the disk that is meant; by default it is the current one. A table, or a line
 * of JSON for each number of agents. --check fails where it is more than it may be.
 *
 * Times are of CPU, so that a busy machine tells the same; the slowest calls are told by the clock,
 * syncs apart. Syncs are measured by taking their place in this program.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "tests/support/zone_look.h"
#include "zone/writer.h"

enum { PER_OWNER = 10, CHANGES = 3000, FOLD_AFTER = 500, NAMES = 3 };

/* Between two folds by the writer's clock, which only this program moves. */
enum { FOLD_EVERY_MS = 20000 };

/* What --check allows. */
enum { BYTES_PER_NAME_MAX = 110, BASE_MS_PER_100K_MAX = 300, CHANGE_P99_US_MAX = 5000 };
static const double ratio_max = 1.5; /* of a change at any size to one at the first */

struct result {
	uint32_t agents;
	double set_us;      /* CPU of one agent's three names, when all are new */
	double base_cpu_s;  /* the base of them all, on the thread */
	double base_wall_s; /* from publish() to visible, syncs and all */
	double base_mb, bytes_per_name;
	double anon_full_mb,
	    anon_rest_mb; /* added by the writer: before the base is made, and after */
	/* One agent's address changed and published; what folds cost the caller is in it. */
	double mean_us, sync_us;                   /* CPU, and what syncs took beside it */
	double cpu_p50_us, cpu_p99_us, cpu_max_us; /* CPU */
	double p50_us, p99_us, max_us;             /* by the clock, syncs apart */
	double fold_cpu_s;
	unsigned folds;
};

static _Thread_local double synced_us;
static char folder[512];
static struct hf_fake_clock fake;
static const uint8_t epoch[16] = { 1 };

/* --- clocks --- */

static double us_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double wall_us(void)
{
	return us_of(CLOCK_MONOTONIC);
}

static double cpu_us(void)
{
	return us_of(CLOCK_THREAD_CPUTIME_ID);
}

/* Of all threads but this one. */
static double others_cpu_us(void)
{
	return us_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_us();
}

static int timed_sync(long call, int fd)
{
	double begun = wall_us();
	long rc = syscall(call, fd);

	synced_us += wall_us() - begun;
	return (int)rc;
}

__attribute__((visibility("default"))) int fsync(int fd)
{
	return timed_sync(SYS_fsync, fd);
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
	return timed_sync(SYS_fdatasync, fd);
}

static double anon_mb(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kb = 0;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "RssAnon:", 8))
			kb = strtol(line + 8, NULL, 10);
	if (f)
		fclose(f);
	return (double)kb / 1024;
}

static void must(const char *what, int rc)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "bench_zone_write: %s: %s\n", what, hf_strerror(rc));
	exit(1);
}

/* --- a deployment --- */

/*
 * Names and addresses are as random as real ones: numbers in a row are not what a hash meets in
 * life.
 */
static uint64_t mixed(uint64_t n)
{
	n = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
	n = (n ^ n >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	n = (n ^ n >> 27) * UINT64_C(0x94d049bb133111eb);
	return n ^ n >> 31;
}

/* Nine letters. */
static const char *word(uint64_t n, char out[static 10])
{
	n = mixed(n);
	for (int i = 0; i < 9; i++, n /= 26)
		out[i] = (char)('a' + n % 26);
	out[9] = '\0';
	return out;
}

static void make_name(uint32_t agent, uint32_t which, struct hf_name *ret_name)
{
	char workspace[10], owner[10], text[64];

	word(agent, workspace);
	word(UINT32_MAX + (uint64_t)agent / PER_OWNER, owner);
	if (which == 0)
		snprintf(text, sizeof(text), "main.%s.me.coder", workspace);
	else if (which == 1)
		snprintf(text, sizeof(text), "main.%s.%s.coder", workspace, owner);
	else
		snprintf(text, sizeof(text), "%s.coder", workspace);
	must("name", hf_name_parse(text, ret_name));
}

/* `build` is what makes a new agent, and so a new address, of the same workspace. */
static void set_agent(struct hf_zone_writer *w, uint32_t agent, uint32_t build)
{
	uint64_t halves[2] = { mixed(agent), mixed(~(uint64_t)agent + ((uint64_t)build << 40)) };
	struct hf_uuid id;
	uint8_t addrs[1][16];
	struct hf_name name;
	struct hf_zone_rec rec = { .name = &name,
		.n_addrs = 1,
		.first_seen_s = 1700000000,
		.owner = (uint16_t)(agent / PER_OWNER % HF_ZONE_OWNERS_MAX) };

	memcpy(id.b, halves, sizeof(id.b));
	hf_addr_of_agent(&id, addrs[0]);
	rec.addrs = (const uint8_t(*)[16])addrs;
	for (uint32_t which = 0; which < NAMES; which++) {
		make_name(agent, which, &name);
		rec.flags = which ? 0 : HF_REC_PRIMARY;
		must("set", hf_zone_writer_set(w, &rec));
	}
}

static struct hf_zone_writer *open_writer(void)
{
	struct hf_zone_writer_opts opts = { .clock = &fake.clock, .fold_every_ms = FOLD_EVERY_MS };
	static struct hf_zone_meta meta = { .ttl_s = 30, .ready = true, .n_sources = 1 };
	struct hf_zone_writer *w;
	struct hf_zone_stamp stamp;

	meta.sources[0] =
	    (struct hf_zone_source){ .name = "main", .fresh_ms = 60000, .snapshot_ms = 600000 };
	must("suffix", hf_name_parse("coder", &meta.sources[0].suffix));
	must("open", hf_zone_writer_open(folder, &opts, &stamp, &w));
	hf_zone_writer_set_meta(w, &meta);
	return w;
}

/* --- what is measured --- */

/* Waits until the fold that runs was taken up. Returns its CPU. */
static double wait_for_fold(struct hf_zone_writer *w)
{
	struct pollfd p = { .fd = hf_zone_writer_fd(w), .events = POLLIN };
	double begun = others_cpu_us();

	poll(&p, 1, -1);
	begun = others_cpu_us() - begun;
	must("work", hf_zone_writer_work(w));
	return begun / 1e6;
}

static void measure_base(struct hf_zone_writer *w, struct result *r, uint64_t *generation)
{
	double anon = anon_mb(), begun = cpu_us();
	struct hf_zone_look look;
	int dirfd = open(folder, O_RDONLY | O_DIRECTORY);

	for (uint32_t i = 0; i < r->agents; i++)
		set_agent(w, i, 0);
	r->set_us = (cpu_us() - begun) / r->agents;
	r->anon_full_mb = anon_mb() - anon;
	begun = wall_us();
	r->base_cpu_s = cpu_us() / 1e6;
	must("publish", hf_zone_writer_publish(w, epoch, ++*generation));
	r->base_cpu_s = cpu_us() / 1e6 - r->base_cpu_s; /* a small one is made at once */
	if (hf_zone_writer_published(w) != *generation)
		r->base_cpu_s = wait_for_fold(w);
	r->base_wall_s = (wall_us() - begun) / 1e6;
	r->anon_rest_mb = anon_mb() - anon;
	must("look", hf_zone_look_open(dirfd, &look));
	r->base_mb = (double)look.current.base.size / 1e6;
	r->bytes_per_name = (double)look.current.base.size / ((double)look.n_names + r->agents);
	hf_zone_look_close(&look);
	close(dirfd);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/*
 * One agent after the other gets a new address. A fold begins after so many of them and is waited
 * for, so that deltas are of one size whatever a base takes; taking it up is part of a change.
 */
static void measure_changes(struct hf_zone_writer *w, struct result *r, uint64_t *generation)
{
	static double took[CHANGES], used[CHANGES];
	double others = others_cpu_us();

	for (uint32_t i = 0; i < CHANGES; i++) {
		struct pollfd p = { .fd = hf_zone_writer_fd(w), .events = POLLIN };
		uint32_t agent = (uint32_t)(mixed(i) % (r->agents < 1000 ? r->agents : 1000));
		bool fold_ended = i && i % FOLD_AFTER == 0 && poll(&p, 1, 5000) == 1;
		double cpu = cpu_us(), wall = wall_us(), synced = synced_us;

		if (fold_ended)
			must("work", hf_zone_writer_work(w));
		r->folds += fold_ended;
		set_agent(w, agent, i + 1);
		if (i % FOLD_AFTER == FOLD_AFTER - 1)
			hf_fake_clock_add(&fake, FOLD_EVERY_MS);
		must("publish", hf_zone_writer_publish(w, epoch, ++*generation));
		took[i] = wall_us() - wall - (synced_us - synced);
		used[i] = cpu_us() - cpu;
		r->mean_us += used[i] / CHANGES;
		r->sync_us += (synced_us - synced) / CHANGES;
	}
	if (r->folds)
		r->fold_cpu_s = (others_cpu_us() - others) / 1e6 / r->folds;
	qsort(took, CHANGES, sizeof(took[0]), compare);
	qsort(used, CHANGES, sizeof(used[0]), compare);
	r->cpu_p50_us = used[CHANGES / 2];
	r->cpu_p99_us = used[CHANGES * 99 / 100];
	r->cpu_max_us = used[CHANGES - 1];
	r->p50_us = took[CHANGES / 2];
	r->p99_us = took[CHANGES * 99 / 100];
	r->max_us = took[CHANGES - 1];
}

static void bench(const char *where, uint32_t agents, struct result *r)
{
	struct hf_zone_writer *w;
	uint64_t generation = 0;

	memset(r, 0, sizeof(*r));
	r->agents = agents;
	snprintf(folder, sizeof(folder), "%s/zone-XXXXXX", where);
	if (!mkdtemp(folder)) {
		perror(folder);
		exit(1);
	}
	hf_fake_clock_init(&fake, -FOLD_EVERY_MS, 1700000000000);
	w = open_writer();
	measure_base(w, r, &generation);
	measure_changes(w, r, &generation);
	hf_zone_writer_free(w);
	hf_zone_look_remove_folder(folder);
}

static void print_json(const struct result *r)
{
	printf(
	    "{\"bench\":\"zone_write\",\"agents\":%u,\"set_us\":%.2f,\"base_cpu_s\":%.3f,\"base_wall_s\":%.3f,\"base_mb\":%.2f,\"bytes_per_name\":%.1f,\"anon_full_mb\":%.1f,\"anon_rest_mb\":%.1f,\"folds\":%u,\"fold_cpu_s\":%.3f,",
	    r->agents, r->set_us, r->base_cpu_s, r->base_wall_s, r->base_mb, r->bytes_per_name,
	    r->anon_full_mb, r->anon_rest_mb, r->folds, r->fold_cpu_s);
	printf(
	    "\"change_sync_us\":%.0f,\"change_cpu_mean_us\":%.0f,\"change_cpu_p50_us\":%.0f,\"change_cpu_p99_us\":%.0f,\"change_cpu_max_us\":%.0f,\"change_p50_us\":%.0f,\"change_p99_us\":%.0f,\"change_max_us\":%.0f}\n",
	    r->sync_us, r->mean_us, r->cpu_p50_us, r->cpu_p99_us, r->cpu_max_us, r->p50_us,
	    r->p99_us, r->max_us);
}

static void print_table(const struct result *r)
{
	printf("%u agents: base %.2f MB, %.1f bytes a name or PTR\n", r->agents, r->base_mb,
	    r->bytes_per_name);
	printf("  an agent's names set     %9.2f us of CPU\n", r->set_us);
	printf("  the base of them all     %9.3f s of CPU, visible after %.3f s\n", r->base_cpu_s,
	    r->base_wall_s);
	printf("  the writer's own memory  %9.1f MB before the base is made, %.1f MB after\n",
	    r->anon_full_mb, r->anon_rest_mb);
	printf("  one change published     %9.0f us of CPU, and %.0f us of syncs\n", r->mean_us,
	    r->sync_us);
	printf("    CPU                    %9.0f us half of them, %.0f us 99 %%, %.0f us all\n",
	    r->cpu_p50_us, r->cpu_p99_us, r->cpu_max_us);
	printf("    by the clock, no syncs %9.0f us half of them, %.0f us 99 %%, %.0f us all\n",
	    r->p50_us, r->p99_us, r->max_us);
	printf("  folds meanwhile          %9u, each %.3f s of CPU on the thread\n", r->folds,
	    r->fold_cpu_s);
}

/*
 * Returns how much of what is promised is not so. All of it is CPU: what the machine does beside
 * has little say.
 */
static int check(const struct result *r, const struct result *first)
{
	double base_ms = r->base_cpu_s * 1e3;
	double base_ms_max = BASE_MS_PER_100K_MAX * (r->agents < 100000 ? 1 : r->agents / 1e5);
	int wrong = 0;

	if (r->bytes_per_name > BYTES_PER_NAME_MAX)
		wrong += printf("a name takes more than %d bytes\n", BYTES_PER_NAME_MAX) > 0;
	if (base_ms > base_ms_max || r->fold_cpu_s * 1e3 > base_ms_max)
		wrong += printf("a base takes more than %.0f ms\n", base_ms_max) > 0;
	if (r->cpu_p99_us > CHANGE_P99_US_MAX)
		wrong += printf("a change takes more than %d us\n", CHANGE_P99_US_MAX) > 0;
	if (r->cpu_p50_us > first->cpu_p50_us * ratio_max)
		wrong +=
		    printf("a change takes more than %.1f times what it does at the first size\n",
			ratio_max) > 0;
	return wrong;
}

int main(int argc, char **argv)
{
	static const char *const usual[] = { "1000", "100000" };
	const char *where = ".";
	bool json = false, checked = false;
	struct result first = { .agents = 0 };
	int at = 1, n, wrong = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (; at < argc && argv[at][0] == '-'; at++) {
		if (!strcmp(argv[at], "--json")) {
			json = true;
		} else if (!strcmp(argv[at], "--check")) {
			checked = true;
		} else if (!strcmp(argv[at], "--folder") && at + 1 < argc) {
			where = argv[++at];
		} else {
			fprintf(stderr,
			    "usage: %s [--json] [--check] [--folder FOLDER] [AGENTS...]\n",
			    argv[0]);
			return 2;
		}
	}
	n = at < argc ? argc - at : 2;
	for (int i = 0; i < n; i++) {
		uint32_t agents = (uint32_t)strtoul(at < argc ? argv[at + i] : usual[i], NULL, 10);
		struct result r;

		bench(where, agents ? agents : 1, &r);
		if (json)
			print_json(&r);
		else
			print_table(&r);
		if (!i)
			first = r;
		else if (!json)
			printf(
			    "  a change costs %.2f times what it does at the first size (medians of CPU)\n",
			    r.cpu_p50_us / first.cpu_p50_us);
		wrong += checked ? check(&r, &first) : 0;
	}
	return wrong != 0;
}
