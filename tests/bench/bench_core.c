/*
 * bench_core: what the bridge's core costs with AGENTS workspaces of one agent each: the first
 * snapshot, an equal one, a diff of one agent until readers see it, a restart; and the anonymous
 * memory. Prints a table and one line of JSON a row.
 *
 *   bench_core DIR [AGENTS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "bridge/core.h"
#include "config/config.h"

enum { DIFFS = 200 };

struct bench {
	struct hf_core *core;
	struct hf_config *config;
	size_t n;
	struct hf_update_workspace *ws;
	struct hf_update_agent *agents;
	char (*names)[16];
	double longest_ms; /* one call of hf_core_work() */
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

static void make(struct bench *b, size_t n)
{
	b->n = n;
	b->ws = calloc(n, sizeof(*b->ws));
	b->agents = calloc(n, sizeof(*b->agents));
	b->names = calloc(n, sizeof(*b->names));
	for (size_t i = 0; b->ws && b->agents && b->names && i < n; i++) {
		int len = snprintf(b->names[i], sizeof(b->names[i]), "ws%06zu", i);

		b->ws[i] =
		    (struct hf_update_workspace){ id(1, i), { b->names[i], (uint32_t)len }, 3 };
		b->agents[i] = (struct hf_update_agent){ id(2, i), id(1, i), { "main", 4 } };
	}
}

/* Until everything is committed and readers see it. */
static void settle(struct bench *b)
{
	for (;;) {
		double t = now_ms();
		int64_t wait = hf_core_work(b->core);

		t = now_ms() - t;
		b->longest_ms = t > b->longest_ms ? t : b->longest_ms;
		if (wait > 0 &&
		    hf_core_published(b->core) == hf_store_generation(hf_core_store(b->core)) &&
		    !hf_state_dirty(hf_core_state(b->core)))
			return;
		if (wait > 0)
			usleep(500);
	}
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
	double t = now_ms();

	hf_core_update(b->core, "main", &u, &j);
	t = now_ms() - t;
	b->longest_ms = t > b->longest_ms ? t : b->longest_ms;
}

static void row(const struct bench *b, const char *what, double wall, double cpu)
{
	printf("%-28s wall %9.2f ms  cpu %9.2f ms  longest call %7.2f ms  anonymous %6.1f MiB\n",
	    what, wall, cpu, b->longest_ms, anonymous_mib());
	printf("{\"bench\":\"core\",\"what\":\"%s\",\"agents\":%zu,\"wall_ms\":%.3f,\"cpu_ms\":%."
	       "3f,\"longest_ms\":%.3f,"
	       "\"anonymous_mib\":%.1f}\n",
	    what, b->n, wall, cpu, b->longest_ms, anonymous_mib());
}

static void snapshot(struct bench *b, const char *what)
{
	double wall = now_ms(), cpu = cpu_ms();

	b->longest_ms = 0;
	pass_in(b, HF_UPDATE_SNAPSHOT, 0, b->n);
	settle(b);
	row(b, what, now_ms() - wall, cpu_ms() - cpu);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void diffs(struct bench *b)
{
	double took[DIFFS], cpu = cpu_ms(), sum = 0;

	b->longest_ms = 0;
	for (size_t i = 0; i < DIFFS; i++) {
		size_t k = i * 7919 % b->n;

		usleep(51000); /* beyond the pace of commits */
		b->agents[k].id.b[1]++;
		b->agents[k].id.b[10]++;
		took[i] = now_ms();
		pass_in(b, HF_UPDATE_DIFF, k, 1);
		settle(b);
		took[i] = now_ms() - took[i];
		sum += took[i];
	}
	qsort(took, DIFFS, sizeof(took[0]), by_size);
	row(b, "a diff of one agent (mean)", sum / DIFFS, (cpu_ms() - cpu) / DIFFS);
	printf("%-28s p50 %.2f p99 %.2f max %.2f ms (the disk's syncs included)\n", "",
	    took[DIFFS / 2], took[DIFFS * 99 / 100], took[DIFFS - 1]);
}

static int open_core(struct bench *b)
{
	double wall = now_ms(), cpu = cpu_ms();
	struct hf_identity identity = { .user = id(9, 1), .user_name = "alice" };
	struct hf_judgement j;
	int rc = hf_core_open(b->config, &hf_clock_system, &b->core);

	if (rc)
		return rc;
	b->longest_ms = 0;
	row(b, "start", now_ms() - wall, cpu_ms() - cpu);
	hf_core_identify(b->core, "main", &identity, &j);
	return hf_core_owner_set(b->core, "main", &identity.user, "alice");
}

int main(int argc, char **argv)
{
	size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
	struct hf_config_errors errors;
	struct bench b = { 0 };
	char yaml[2000];
	int rc, len;

	if (argc < 2 || !n)
		return 2;
	hf_log_init(STDERR_FILENO, HF_LOG_ERROR, HF_LOG_TEXT, NULL);
	len = snprintf(yaml, sizeof(yaml),
	    "store: %s/store.db\nzone: %s/zone\nsources:\n"
	    "  - { name: main, url: 'https://c.example', token-file: /nowhere, suffix: coder }\n",
	    argv[1], argv[1]);
	rc = hf_config_parse("bench", yaml, (size_t)len, 0, &b.config, &errors);
	if (!rc)
		rc = open_core(&b);
	if (rc) {
		fprintf(stderr, "%s\n", hf_strerror(rc));
		return 1;
	}
	make(&b, n);
	snapshot(&b, "first snapshot");
	snapshot(&b, "equal snapshot");
	diffs(&b);
	hf_core_free(b.core);
	rc = open_core(&b);
	hf_core_free(b.core);
	hf_config_free(b.config);
	free(b.ws);
	free(b.agents);
	free(b.names);
	return rc ? 1 : 0;
}
