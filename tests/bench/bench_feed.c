/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What feeding costs the bridge, without a resolver: `bench_feed [NAMES]` fills an adapter that
 * takes everything at once, compares all without a change, and follows single changes. Told are the
 * time, the longest slice that held the loop, and memory.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "bridge/feed/feed.h"
#include "bridge/store/store.h"

struct hf_adapter {
	const struct hf_adapter_host *host;
	const struct hf_batch *batch;
	struct hf_expect *expect;
	size_t n_expect;
};

static struct hf_adapter adapter;

static int fake_open(const struct hf_config_adapter *config, const struct hf_adapter_host *host,
    struct hf_adapter **ret_adapter)
{
	adapter.host = host;
	*ret_adapter = &adapter;
	return 0;
}

static void fake_close(struct hf_adapter *a)
{
}

static void fake_zones(
    struct hf_adapter *a, const struct hf_name *suffixes, size_t n, uint32_t ttl_s)
{
}

static void fake_apply(struct hf_adapter *a, const struct hf_batch *batch)
{
	a->batch = batch;
}

static void fake_verify(struct hf_adapter *a, struct hf_expect *expect, size_t n)
{
	a->expect = expect;
	a->n_expect = n;
}

static const struct hf_adapter_type fake = { .name = "fake",
	.open = fake_open,
	.close = fake_close,
	.zones = fake_zones,
	.apply = fake_apply,
	.verify = fake_verify };

static bool answer(void)
{
	const struct hf_receipt receipt = { .n_done = adapter.batch ? adapter.batch->n : 0,
		.text = "" };

	if (adapter.batch) {
		adapter.batch = NULL;
		adapter.host->applied(adapter.host->arg, &receipt);
		return true;
	}
	if (!adapter.expect)
		return false;
	for (size_t i = 0; i < adapter.n_expect; i++)
		adapter.expect[i].is = HF_IS_SO;
	adapter.expect = NULL;
	adapter.host->verified(adapter.host->arg, 0, "");
	return true;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static long rss_kib(const char *key)
{
	char line[200];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			kib = atol(line + strlen(key) + 1);
	if (f)
		fclose(f);
	return kib;
}

/* What was needed to make the names is not the feed's. */
static void reset_peak(void)
{
	FILE *f = fopen("/proc/self/clear_refs", "w");

	if (f) {
		fputs("5", f);
		fclose(f);
	}
}

static void settle(struct hf_feed *f, const char *what)
{
	double begun = now_ms(), longest = 0;
	struct hf_feed_status s;

	do {
		double slice = now_ms();

		answer();
		if (hf_feed_work(f) > 0)
			usleep(100);
		slice = now_ms() - slice;
		longest = slice > longest ? slice : longest;
		hf_feed_status(f, &s);
	} while (s.state != HF_FEED_SYNCED);
	printf("%-28s %9.1f ms, longest slice %6.1f ms, RSS %ld KiB, peak %ld KiB\n", what,
	    now_ms() - begun, longest, rss_kib("VmRSS"), rss_kib("VmHWM"));
}

static void commit(struct hf_store *s, size_t from, size_t n, uint8_t salt)
{
	struct hf_source_row source = { .name = "main", .url = "https://x" };
	struct hf_row_change row = { .kind = HF_ROW_SOURCE, .row.source = &source };
	struct hf_restored_row *rows = calloc(n, sizeof(*rows));
	struct hf_name_change *names = calloc(n, sizeof(*names));
	struct hf_changeset set = { .rows = &row,
		.n_rows = 1,
		.restored = rows,
		.n_restored = n,
		.wall_s = 1,
		.names = names,
		.n_names = n };
	char text[80];

	if (!rows || !names || hf_name_parse("coder", &source.suffix))
		abort();
	for (size_t i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "main.ws%06zu.user%03zu.coder",
		    (from + i) * 7919 % 1000000, i % 100);
		hf_name_parse(text, &rows[i].name);
		memcpy(rows[i].addr, hf_addr_prefix, 6);
		memcpy(rows[i].addr + 8, &(uint64_t){ from + i }, 8);
		rows[i].addr[6] = salt;
		names[i] = (struct hf_name_change){ .name = rows[i].name,
			.what = HF_WHAT_ADDED,
			.owner = UINT32_MAX,
			.agent = UINT32_MAX };
		memcpy(names[i].addr, rows[i].addr, 16);
	}
	if (n > 20000) {
		set.names_reset = true;
		set.n_names = 0;
	}
	if (hf_store_apply(s, &set))
		abort();
	free(rows);
	free(names);
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 300000;
	const struct hf_store_opts opts = { .clock = &hf_clock_system };
	const struct hf_feed_conf conf = { .name = "fake",
		.type = &fake,
		.verify_ms = 3600000,
		.floor_ms = 50,
		.cap_ms = 5000,
		.failed_ms = 30000,
		.skipped_ms = 60000 };
	char dir[] = "/tmp/bench-feed-XXXXXX", path[100];
	struct hf_store_opened opened;
	struct hf_feed_env env = { .clock = &hf_clock_system };
	struct hf_name suffix;
	struct hf_feed *f;

	if (!mkdtemp(dir) || hf_name_parse("coder", &suffix))
		return 1;
	snprintf(path, sizeof(path), "%s/store.db", dir);
	if (hf_store_open(path, &opts, &opened, &env.store))
		return 1;
	commit(env.store, 0, n, 0);
	hf_store_set_ready(env.store);
	reset_peak();
	printf("%zu names; RSS before %ld KiB\n", n, rss_kib("VmRSS"));
	if (hf_feed_new(&env, &conf, &f))
		return 1;
	hf_feed_set_zones(f, &suffix, 1, 30);
	settle(f, "first fill");
	hf_feed_refill(f, "for the bench");
	settle(f, "filled again");
	commit(env.store, 5, 1, 1);
	settle(f, "one change");
	commit(env.store, 6, 1, 2);
	settle(f, "one change");
	commit(env.store, 100, n < 10000 ? n : 10000, 3);
	settle(f, "10,000 changes");
	hf_feed_free(f);
	hf_store_free(env.store);
	for (unsigned i = 0; i < 4; i++) {
		static const char *const ends[] = { "", "-wal", "-shm", ".copy" };

		snprintf(path, sizeof(path), "%s/store.db%s", dir, ends[i]);
		unlink(path);
	}
	rmdir(dir);
	return 0;
}
