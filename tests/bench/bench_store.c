/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store costs: `bench_store [--json] [--agents N] [FOLDER]`. The folder should be on the
 * disk that is meant; by default it is the current one. A table, or one line of JSON.
 *
 * All times are of this thread's CPU, so that a busy machine tells the same, but those of syncs and
 * of the copy; what a slice takes is told by the clock too, syncs apart. Syncs are measured by
 * taking fsync's place in this program.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "bridge/store/store.h"
#include "zone/agent_names.h"

enum { PER_OWNER = 10, ROUNDS = 500 };

static _Thread_local uint64_t synced_us;

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static int timed_sync(long call, int fd)
{
	uint64_t begun = now_us();
	long rc = syscall(call, fd);

	synced_us += now_us() - begun;
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

static void die(const char *what, int rc)
{
	fprintf(stderr, "bench_store: %s: %s\n", what, hf_strerror(rc));
	exit(1);
}

static void must(const char *what, int rc)
{
	if (rc)
		die(what, rc);
}

/* --- a deployment --- */

struct deployment {
	size_t n; /* agents, and workspaces */
	struct hf_source_row source;
	struct hf_owner_row *owners;
	struct hf_workspace_row *workspaces;
	struct hf_agent_row *agents;
	struct hf_row_change *rows;
	size_t n_rows;
	struct hf_name_change *names; /* three of each agent */
};

static void fill_id(struct hf_uuid *id, uint64_t kind, uint64_t n)
{
	uint64_t x = (kind << 32 | n) * 0x9e3779b97f4a7c15u,
		 y = (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;

	memcpy(id->b, &x, 8);
	memcpy(id->b + 8, &y, 8);
}

static void fill_name(struct deployment *d, size_t i, unsigned which, struct hf_name_change *c)
{
	struct hf_agent_label label = {
		.agent = d->agents[i].name,
		.workspace = d->workspaces[i].name,
		.owner = d->owners[i / PER_OWNER].name,
		.suffix = &d->source.suffix,
	};

	must("name", hf_agent_name(&label, which, &c->name));
	hf_addr_of_agent(&d->agents[i].id, c->addr);
	c->what = HF_WHAT_ADDED;
	c->owner = (uint32_t)(i / PER_OWNER);
	c->agent = (uint32_t)i;
	c->first_seen_s = 1700000000;
}

static void fill_agent(struct deployment *d, size_t i)
{
	struct hf_workspace_row *w = &d->workspaces[i];
	struct hf_agent_row *a = &d->agents[i];

	w->rid = a->rid = a->workspace = (uint32_t)i;
	w->owner = (uint32_t)(i / PER_OWNER);
	w->status = HF_WS_RUNNING;
	w->first_seen_s = a->first_seen_s = 1700000000;
	fill_id(&w->id, 2, i);
	fill_id(&a->id, 3, i);
	snprintf(w->name, sizeof(w->name), "workspace-%zu", i);
	snprintf(a->name, sizeof(a->name), "main");
	a->names = HF_NAME_ALL;
	a->primary = HF_NAME_ME;
	d->rows[d->n_rows++] =
	    (struct hf_row_change){ .kind = HF_ROW_WORKSPACE, .rid = w->rid, .row.workspace = w };
	d->rows[d->n_rows++] =
	    (struct hf_row_change){ .kind = HF_ROW_AGENT, .rid = a->rid, .row.agent = a };
	for (unsigned k = 0; k < 3; k++)
		fill_name(d, i, 1u << k, &d->names[3 * i + k]);
}

static void fill_owner(struct deployment *d, size_t i)
{
	struct hf_owner_row *o = &d->owners[i];

	o->rid = (uint32_t)i;
	fill_id(&o->id, 1, i);
	snprintf(o->name, sizeof(o->name), "user-%zu", i);
	d->rows[d->n_rows++] =
	    (struct hf_row_change){ .kind = HF_ROW_OWNER, .rid = o->rid, .row.owner = o };
}

static void *room(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		die("memory", -ENOMEM);
	return p;
}

static void fill(struct deployment *d, size_t n)
{
	size_t owners = n / PER_OWNER + 1;

	d->n = n;
	d->owners = room(owners, sizeof(*d->owners));
	d->workspaces = room(n, sizeof(*d->workspaces));
	d->agents = room(n, sizeof(*d->agents));
	d->names = room(3 * n, sizeof(*d->names));
	d->rows = room(1 + owners + 2 * n, sizeof(*d->rows));
	snprintf(d->source.name, sizeof(d->source.name), "main");
	snprintf(d->source.url, sizeof(d->source.url), "https://coder.example.com");
	must("suffix", hf_name_parse("coder", &d->source.suffix));
	d->rows[d->n_rows++] = (struct hf_row_change){
		.kind = HF_ROW_SOURCE, .rid = d->source.rid, .row.source = &d->source
	};
	for (size_t i = 0; i < owners; i++)
		fill_owner(d, i);
	for (size_t i = 0; i < n; i++)
		fill_agent(d, i);
}

/* --- what is measured --- */

struct figures {
	struct snapshot {
		double ms, slice_ms, slice_wall_ms, sync_ms;
	} listed, reset;
	double change_ms, change_p99_ms, change_sync_ms;
	double open_ms, open_crashed_ms, load_ms, names_ms, receipt_ms, copy_ms;
	long long bytes;
};

static struct hf_store *open_at(const char *path, double *ret_ms)
{
	struct hf_store_opts opts = { .clock = &hf_clock_system };
	struct hf_store_opened opened;
	uint64_t begun = cpu_us();
	struct hf_store *s;

	must("open", hf_store_open(path, &opts, &opened, &s));
	*ret_ms = (double)(cpu_us() - begun) / 1000;
	return s;
}

/* In slices, as the bridge does it. */
static void snapshot(struct hf_store *s, const struct hf_changeset *c, struct snapshot *ret)
{
	uint64_t total = 0, longest = 0, longest_wall = 0, sync_begun = synced_us;
	int rc;

	must("begin", hf_store_begin(s, c));
	do {
		uint64_t wall = now_us(), cpu = cpu_us(), sync = synced_us;

		rc = hf_store_step(s, 10000);
		cpu = cpu_us() - cpu;
		wall = now_us() - wall - (synced_us - sync);
		total += cpu;
		longest = cpu > longest ? cpu : longest;
		longest_wall = wall > longest_wall ? wall : longest_wall;
	} while (rc == 1);
	must("step", rc);
	*ret = (struct snapshot){
		.ms = (double)total / 1000,
		.slice_ms = (double)longest / 1000,
		.slice_wall_ms = (double)longest_wall / 1000,
		.sync_ms = (double)(synced_us - sync_begun) / 1000,
	};
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* One agent is built anew: its row, and three names. */
static void one_change(struct hf_store *s, struct deployment *d, struct figures *f)
{
	static uint64_t took[ROUNDS];
	uint64_t sync = 0;

	for (size_t r = 0; r < ROUNDS; r++) {
		size_t i = (r * 7919) % d->n;
		struct hf_row_change row = { .kind = HF_ROW_AGENT, .row.agent = &d->agents[i] };
		struct hf_changeset c = {
			.rows = &row,
			.n_rows = 1,
			.names = &d->names[3 * i],
			.n_names = 3,
			.wall_s = 1700000001,
		};
		uint64_t begun, before = synced_us;

		fill_id(&d->agents[i].id, 4, r);
		begun = cpu_us();
		must("change", hf_store_apply(s, &c));
		took[r] = cpu_us() - begun;
		sync += synced_us - before;
	}
	qsort(took, ROUNDS, sizeof(took[0]), by_value);
	f->change_ms = (double)took[ROUNDS / 2] / 1000;
	f->change_p99_ms = (double)took[ROUNDS * 99 / 100] / 1000;
	f->change_sync_ms = (double)sync / ROUNDS / 1000;
}

static int count_name(const struct hf_name_change *c, uint64_t generation, void *arg)
{
	++*(size_t *)arg;
	return 0;
}

static void all_names(struct hf_store *s, struct figures *f)
{
	uint64_t begun = cpu_us();
	size_t n = 0;

	must("names", hf_store_names_all(s, count_name, &n));
	f->names_ms = (double)(cpu_us() - begun) / 1000;
}

/* A batch of a thousand names that an adapter has taken. */
static void receipt(struct hf_store *s, struct deployment *d, struct figures *f)
{
	struct hf_owned *owned = room(1000, sizeof(*owned));
	struct hf_receipt_rows r = { .adapter = "unbound", .set = owned, .n_set = 1000 };
	uint64_t begun;

	for (size_t i = 0; i < 1000; i++)
		owned[i].name = d->names[(i * 104729) % (3 * d->n)].name;
	begun = cpu_us();
	must("receipt", hf_store_receipt(s, &r));
	f->receipt_ms = (double)(cpu_us() - begun) / 1000;
	free(owned);
}

static long long size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : (long long)st.st_size;
}

static void copy(struct hf_store *s, struct figures *f)
{
	struct hf_store_stats stats;
	uint64_t begun = now_us();

	must("copy", hf_store_copy_begin(s));
	do {
		usleep(1000);
		hf_store_get_stats(s, &stats);
	} while (stats.copying);
	must("copy", stats.copy_error);
	f->copy_ms = (double)(now_us() - begun) / 1000;
}

/* As a kill would leave it: with a WAL. */
static void duplicate(const char *from, const char *to, const char *tail)
{
	char a[4200], b[4200], buffer[65536];
	size_t n;
	FILE *in, *out;

	snprintf(a, sizeof(a), "%s%s", from, tail);
	snprintf(b, sizeof(b), "%s%s", to, tail);
	in = fopen(a, "re");
	out = fopen(b, "we");
	if (!in || !out)
		die(b, -errno);
	fchmod(fileno(out), 0600);
	while ((n = fread(buffer, 1, sizeof(buffer), in)))
		fwrite(buffer, 1, n, out);
	fclose(in);
	fclose(out);
}

static void measure(const char *path, const char *crashed, struct deployment *d, struct figures *f)
{
	struct hf_changeset c = {
		.rows = d->rows,
		.n_rows = d->n_rows,
		.names = d->names,
		.n_names = 3 * d->n,
		.wall_s = 1700000000,
	};
	struct hf_image *image;
	struct hf_store *s;
	uint64_t begun;
	double ms;

	s = open_at(path, &ms);
	snapshot(s, &c, &f->listed);
	one_change(s, d, f);
	all_names(s, f);
	receipt(s, d, f);
	duplicate(path, crashed, "");
	duplicate(path, crashed, "-wal");
	copy(s, f);
	hf_store_free(s);
	f->bytes = size_of(path);

	s = open_at(path, &f->open_ms);
	must("load", hf_store_load(s, &image)); /* this one was read by the open */
	hf_image_free(image);
	begun = cpu_us();
	must("load", hf_store_load(s, &image));
	f->load_ms = (double)(cpu_us() - begun) / 1000;
	hf_image_free(image);
	c.names = NULL;
	c.n_names = 0;
	c.names_reset = true;
	snapshot(s, &c, &f->reset);
	hf_store_free(s);

	hf_store_free(open_at(crashed, &f->open_crashed_ms));
}

static void print(const struct figures *f, size_t agents, bool json)
{
	const struct {
		const char *key, *text;
		double value;
	} rows[] = {
		{ "change_ms", "one agent, three names: median", f->change_ms },
		{ "change_p99_ms", "  p99", f->change_p99_ms },
		{ "change_sync_ms", "  its syncs, mean", f->change_sync_ms },
		{ "snapshot_ms", "a snapshot of all, names listed", f->listed.ms },
		{ "snapshot_slice_ms", "  its longest slice (10 were asked for)",
		    f->listed.slice_ms },
		{ "snapshot_slice_wall_ms", "  by the clock", f->listed.slice_wall_ms },
		{ "snapshot_sync_ms", "  its syncs", f->listed.sync_ms },
		{ "reset_ms", "the same over itself, names not listed", f->reset.ms },
		{ "reset_slice_ms", "  its longest slice", f->reset.slice_ms },
		{ "reset_slice_wall_ms", "  by the clock", f->reset.slice_wall_ms },
		{ "open_ms", "open, with all checks", f->open_ms },
		{ "open_crashed_ms", "  after a kill, with a WAL", f->open_crashed_ms },
		{ "load_ms", "load the image again", f->load_ms },
		{ "names_ms", "all names", f->names_ms },
		{ "receipt_ms", "a receipt of 1,000 names", f->receipt_ms },
		{ "copy_ms", "the copy, in its thread, by the clock", f->copy_ms },
		{ "bytes", "size of the file (bytes)", (double)f->bytes },
	};

	if (json)
		printf("{\"bench\":\"store\",\"agents\":%zu", agents);
	else
		printf("store, %zu agents (ms of CPU, where nothing else is said)\n", agents);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (json)
			printf(",\"%s\":%.3f", rows[i].key, rows[i].value);
		else
			printf("  %-52s %14.3f\n", rows[i].text, rows[i].value);
	}
	if (json)
		printf("}\n");
}

static void remove_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		unlinkat(dirfd(dir), e->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(path);
}

int main(int argc, char **argv)
{
	const char *folder = ".";
	char dir[4096], path[4150], crashed[4150];
	struct deployment d = { 0 };
	struct figures f = { 0 };
	size_t agents = 100000;
	bool json = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			json = true;
		else if (!strcmp(argv[i], "--agents") && i + 1 < argc)
			agents = strtoul(argv[++i], NULL, 10);
		else
			folder = argv[i];
	}
	snprintf(dir, sizeof(dir), "%s/bench_store.XXXXXX", folder);
	if (agents < 1 || agents > 10000000 || !mkdtemp(dir))
		die(dir, agents ? -errno : -EINVAL);
	snprintf(path, sizeof(path), "%s/store.db", dir);
	snprintf(crashed, sizeof(crashed), "%s/crashed.db", dir);
	fill(&d, agents);
	measure(path, crashed, &d, &f);
	print(&f, agents, json);
	remove_folder(dir);
	return 0;
}
