/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What looking names up costs: `bench_zone_read [--json] [--instructions] [NAMES...]`, by default
 * with 3,000 and 300,000 names. User time by getrusage() while random names are asked for, each
 * with a refresh before it as resolvers do; a delta of 1,000 names lies over the base.
 * --instructions counts them with callgrind (valgrind) instead, and
 * --check fails where they are more than they may be, or fresh and stale differ.
 * A table, or a line of JSON for each number of names.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/support/zone_build.h"
#include "zone/answer.h"

enum {
	DELTA_NAMES = 1000,
	SAMPLE_MAX = 1 << 18,
	NAMES_PER_AGENT = 3,
	AGENTS_PER_OWNER = 10,
	MEASURE_MS = 1000,
	COUNTED_LOOKUPS = 20000,
	FRESH_MS = 86400000,     /* a bench may take long */
	INSTRUCTIONS_MAX = 2000, /* of a look-up */
	STALE_PERCENT = 5,       /* what a stale answer may cost more or less than a fresh one */
};

enum what { REFRESH, FIND, LIVE, STALE, NEGATIVE, PTR, N_WHAT };

static const char *const what_names[N_WHAT] = { "refresh", "find", "answer_live", "answer_stale",
	"answer_nxdomain", "answer_ptr" };

struct result {
	uint32_t names;
	double base_mb, bytes_per_name;
	double load_ms, delta_load_ms;
	double rss_mb, rss_anon_mb; /* what the reader added */
	double per[N_WHAT];         /* ns of user time, or instructions */
};

static struct hf_zone_build b;
static struct hf_name *sample;
static uint32_t n_sample;
static uint64_t rng = 1;

static uint32_t next_random(void)
{
	rng = rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(rng >> 33);
}

static double seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double user_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return seconds_of(u.ru_utime);
}

static double wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* A line of /proc/self/status, in MB. */
static double status_mb(const char *key)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kb = 0;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			kb = strtol(line + strlen(key) + 1, NULL, 10);
	if (f)
		fclose(f);
	return (double)kb / 1024;
}

/* --- the zone: agents with their three names and one PTR --- */

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

static void name_text(uint32_t agent, uint32_t which, char out[static 64])
{
	char workspace[10], owner[10];

	word(agent, workspace);
	word(UINT32_MAX + (uint64_t)agent / AGENTS_PER_OWNER, owner);
	if (which == 0)
		snprintf(out, 64, "main.%s.me.coder", workspace);
	else if (which == 1)
		snprintf(out, 64, "main.%s.%s.coder", workspace, owner);
	else
		snprintf(out, 64, "%s.coder", workspace);
}

static void addr_of(uint32_t agent, uint8_t ret_addr[static 16])
{
	struct hf_uuid id;
	uint64_t halves[2] = { mixed(agent), mixed(~(uint64_t)agent) };

	memcpy(id.b, halves, sizeof(id.b));
	hf_addr_of_agent(&id, ret_addr);
}

static void put_agent(uint32_t agent, bool with_empty)
{
	struct hf_fmt_value v = { .kind = HF_FMT_ADDRS, .n_addrs = 1, .first_seen_s = 1700000000 };
	uint8_t addr[1][16];
	char name[64];

	addr_of(agent, addr[0]);
	v.addrs = (const uint8_t(*)[16])addr;
	for (uint32_t which = 0; which < NAMES_PER_AGENT; which++) {
		name_text(agent, which, name);
		v.flags = which ? 0 : HF_REC_PRIMARY;
		hf_zone_build_put(&b, name, &v);
		if (which == 0)
			hf_zone_build_ptr_to(&b, addr[0], name);
		if (which < 2 && with_empty)
			hf_zone_build_empty(&b, name + strlen("main."));
	}
}

static void build_base(uint32_t agents)
{
	char name[64];

	b.meta.sources[0].fresh_ms = FRESH_MS;
	b.meta.sources[0].snapshot_ms = FRESH_MS;
	hf_zone_build_base(&b);
	hf_zone_build_empty(&b, "coder");
	hf_zone_build_empty(&b, "me.coder");
	for (uint32_t i = 0; i < agents; i++) {
		if (i % AGENTS_PER_OWNER == 0) {
			name_text(i, 1, name);
			hf_zone_build_empty(&b, strchr(strchr(name, '.') + 1, '.') + 1);
		}
		put_agent(i, true);
	}
	hf_zone_build_end(&b);
}

static void build_delta(uint32_t agents)
{
	hf_zone_build_delta(&b);
	for (uint32_t i = 0; i < DELTA_NAMES / NAMES_PER_AGENT; i++)
		put_agent(next_random() % agents, false);
	hf_zone_build_end(&b);
}

static void set_live(bool live)
{
	struct hf_pulse_writer *w;

	unlinkat(b.dirfd, "pulse", 0);
	if (!live)
		return;
	if (hf_pulse_writer_open(b.dirfd, &hf_clock_system, &w) || hf_pulse_source(w, 0, true) ||
	    hf_pulse_owner(w, 0))
		abort();
	hf_pulse_writer_free(w);
}

static void make_sample(uint32_t agents, enum what what)
{
	uint8_t addr[16];
	char text[64];

	n_sample = agents * NAMES_PER_AGENT < SAMPLE_MAX ? agents * NAMES_PER_AGENT : SAMPLE_MAX;
	for (uint32_t i = 0; i < n_sample; i++) {
		uint32_t agent = next_random() % agents;

		if (what == PTR) {
			addr_of(agent, addr);
			hf_ptr_name(addr, &sample[i]);
			continue;
		}
		name_text(agent, next_random() % NAMES_PER_AGENT, text);
		if (what == NEGATIVE)
			text[0] = text[0] == 'x' ? 'y' : 'x';
		if (hf_name_parse(text, &sample[i]))
			abort();
	}
}

/* --- the loop that is measured; callgrind counts what is in it --- */

uint64_t bench_lookups(struct hf_zone_reader *r, enum what what, uint32_t n, uint32_t first);

__attribute__((noinline)) uint64_t bench_lookups(
    struct hf_zone_reader *r, enum what what, uint32_t n, uint32_t first)
{
	struct hf_question q = { .type = what == PTR ? HF_TYPE_PTR : HF_TYPE_AAAA,
		.class = HF_CLASS_IN };
	struct hf_answer a = { .ours = false };
	struct hf_zone_entry e;
	uint64_t good = 0;

	for (uint32_t i = 0; i < n; i++) {
		q.name = &sample[(first + i) % n_sample];
		hf_zone_reader_refresh(r);
		if (what == REFRESH) {
			good++;
		} else if (what == FIND) {
			good += hf_zone_reader_find(r, q.name->wire, q.name->len, &e) == 1;
		} else {
			hf_answer(r, &q, &a);
			good += what == NEGATIVE ? a.rcode == HF_RCODE_NXDOMAIN : a.has_answer;
		}
		hf_zone_reader_rest(r); /* as the module does after each query */
	}
	return good;
}

static double measure_ns(struct hf_zone_reader *r, enum what what)
{
	double begun = user_s(), until = wall_ms() + MEASURE_MS;
	uint64_t n = 0;

	do {
		if (bench_lookups(r, what, 10000, (uint32_t)n) != 10000)
			abort();
		n += 10000;
	} while (wall_ms() < until);
	return (user_s() - begun) * 1e9 / (double)n;
}

/* In a process of its own, under callgrind: the zone is there already. */
static int run_counted(const char *dir, uint32_t agents, enum what what)
{
	struct hf_zone_reader *r;
	struct hf_zone *z;

	make_sample(agents, what);
	if (hf_zone_open(dir, &hf_clock_system, &z) || hf_zone_reader_new(z, &r) ||
	    !hf_zone_reader_refresh(r))
		return 1;
	return bench_lookups(r, what, COUNTED_LOOKUPS, 0) != COUNTED_LOOKUPS;
}

static double count_instructions(const char *self, uint32_t agents, enum what what)
{
	char command[512], line[512];
	double n = -1;
	FILE *f;

	snprintf(command, sizeof(command),
	    "valgrind --tool=callgrind --toggle-collect=bench_lookups --callgrind-out-file=/dev/null %s --counted %s %u %d 2>&1",
	    self, b.dir, agents, (int)what);
	f = popen(command, "r");
	while (f && fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, "Collected : ");

		if (at)
			n = strtod(at + strlen("Collected : "), NULL) / COUNTED_LOOKUPS;
	}
	if (!f || pclose(f) || n < 0) {
		fprintf(stderr, "bench_zone_read: no count: is valgrind there?\n");
		exit(1);
	}
	return n;
}

static void measure_loads(struct hf_zone_reader *r, uint32_t agents, struct result *ret)
{
	double rss = status_mb("VmRSS"), anon = status_mb("RssAnon"), begun = wall_ms();

	if (!hf_zone_reader_refresh(r))
		abort();
	ret->load_ms = wall_ms() - begun;
	ret->rss_mb = status_mb("VmRSS") - rss;
	ret->rss_anon_mb = status_mb("RssAnon") - anon;
	build_delta(agents);
	hf_zone_build_publish(&b);
	begun = wall_ms();
	if (hf_zone_reader_load(r))
		abort();
	ret->delta_load_ms = wall_ms() - begun;
}

static void bench(const char *self, uint32_t names, bool instructions, struct result *ret)
{
	uint32_t agents = names / NAMES_PER_AGENT;
	struct hf_zone_reader *r;
	struct hf_zone *z;

	memset(ret, 0, sizeof(*ret));
	hf_zone_build_open(&b);
	build_base(agents);
	hf_zone_build_publish(&b);
	ret->names = agents * NAMES_PER_AGENT;
	ret->base_mb = (double)b.current.base.size / 1e6;
	ret->bytes_per_name = (double)b.current.base.size / ret->names;
	if (hf_zone_open(b.dir, &hf_clock_system, &z) || hf_zone_reader_new(z, &r))
		abort();
	measure_loads(r, agents, ret);
	for (enum what w = 0; w < N_WHAT; w++) {
		set_live(w != STALE);
		if (instructions) {
			ret->per[w] = count_instructions(self, agents, w);
			continue;
		}
		make_sample(agents, w);
		hf_zone_reader_load(r);
		if (w == STALE) {
			/* A pulse that is gone is not forgotten; a new reader has none. */
			hf_zone_reader_free(r);
			hf_zone_reader_new(z, &r);
		}
		ret->per[w] = measure_ns(r, w);
	}
	hf_zone_reader_free(r);
	hf_zone_close(z);
	hf_zone_build_close(&b);
}

static void print_json(const struct result *x, bool instructions)
{
	printf(
	    "{\"bench\":\"zone_read\",\"names\":%u,\"base_mb\":%.2f,\"bytes_per_name\":%.1f,\"load_ms\":%.2f,\"delta_load_ms\":%.2f,\"rss_mb\":%.2f,\"rss_anon_mb\":%.2f",
	    x->names, x->base_mb, x->bytes_per_name, x->load_ms, x->delta_load_ms, x->rss_mb,
	    x->rss_anon_mb);
	for (int w = 0; w < N_WHAT; w++)
		printf(",\"%s_%s\":%.1f", what_names[w], instructions ? "instructions" : "user_ns",
		    x->per[w]);
	printf("}\n");
}

static void print_table(const struct result *x, bool instructions)
{
	printf(
	    "%u names: base %.2f MB, %.1f bytes a name; loaded in %.2f ms, a delta of %d names in %.2f ms; a reader takes %.2f MB, %.2f of it its own\n",
	    x->names, x->base_mb, x->bytes_per_name, x->load_ms, DELTA_NAMES, x->delta_load_ms,
	    x->rss_mb, x->rss_anon_mb);
	for (int w = 0; w < N_WHAT; w++) {
		if (instructions)
			printf("  %-16s %8.0f instructions\n", what_names[w], x->per[w]);
		else
			printf("  %-16s %8.0f ns of user time, %10.0f a second\n", what_names[w],
			    x->per[w], 1e9 / x->per[w]);
	}
}

/* What is promised of the instructions. Returns how much of it is not so. */
static int check(const struct result *x)
{
	double live = x->per[LIVE], stale = x->per[STALE];
	double apart = live > stale ? live - stale : stale - live;
	int wrong = 0;

	for (int w = FIND; w <= NEGATIVE; w++) {
		if (x->per[w] < INSTRUCTIONS_MAX)
			continue;
		wrong++;
		printf("%s takes more than %d instructions\n", what_names[w], INSTRUCTIONS_MAX);
	}
	if (apart * 100 > live * STALE_PERCENT) {
		wrong++;
		printf("fresh and stale differ by more than %d %%\n", STALE_PERCENT);
	}
	return wrong;
}

int main(int argc, char **argv)
{
	static const char *const usual[] = { "3000", "300000" };
	bool json = false, instructions = false, checked = false;
	int at = 1, n, wrong = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	sample = calloc(SAMPLE_MAX, sizeof(*sample));
	if (!sample)
		return 1;
	if (argc == 5 && !strcmp(argv[1], "--counted"))
		return run_counted(argv[2], (uint32_t)atol(argv[3]), (enum what)atoi(argv[4]));
	for (; at < argc && argv[at][0] == '-'; at++) {
		if (!strcmp(argv[at], "--json")) {
			json = true;
		} else if (!strcmp(argv[at], "--instructions")) {
			instructions = true;
		} else if (!strcmp(argv[at], "--check")) {
			instructions = checked = true;
		} else {
			fprintf(stderr,
			    "usage: %s [--json] [--instructions | --check] [NAMES...]\n", argv[0]);
			return 2;
		}
	}
	n = at < argc ? argc - at : 2;
	for (int i = 0; i < n; i++) {
		uint32_t names = (uint32_t)strtoul(at < argc ? argv[at + i] : usual[i], NULL, 10);
		struct result x;

		bench(argv[0], names < DELTA_NAMES ? DELTA_NAMES : names, instructions, &x);
		if (json)
			print_json(&x, instructions);
		else
			print_table(&x, instructions);
		if (checked)
			wrong += check(&x);
	}
	free(sample);
	return wrong != 0;
}
