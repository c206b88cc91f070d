/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone_pairs [LOOKUPS] [SWAPS]: readers in other processes see whole generations only. Each
 * generation gives two names the same number; processes and threads look both up while the writer
 * publishes, and count what is mixed.
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/support/fast_clock.h"
#include "tests/support/zone_build.h"
#include "zone/reader.h"
#include "zone/writer.h"

enum {
	PROCESSES = 2,
	THREADS = 2, /* of each */
	LOOKUPS = 5000,
	SWAPS = 100,
	LOOKUPS_LONG = 100000,
	SWAPS_LONG = 1000,
	FILL = 300, /* names beside the two */
	BASE_EVERY = 5,
};

static struct shared {
	atomic_bool over;
	atomic_ulong lookups, mixed, generations;
} * shared;

static struct hf_zone_build b; /* its folder and its meta */
static struct hf_zone_writer *writer;
static const uint8_t epoch[16] = { 1 };

static uint32_t number_of(struct hf_zone_reader *r, const char *text)
{
	struct hf_zone_entry e;
	struct hf_name name;

	if (hf_name_parse(text, &name) || hf_zone_reader_find(r, name.wire, name.len, &e) != 1)
		return UINT32_MAX;
	return (uint32_t)e.addrs[0][14] << 8 | e.addrs[0][15];
}

static void *look_up_pairs(void *arg)
{
	uint32_t first, second, last = UINT32_MAX;
	struct hf_zone_reader *r;

	if (hf_zone_reader_new(arg, &r))
		abort();
	while (!atomic_load(&shared->over)) {
		if (!hf_zone_reader_refresh(r))
			continue;
		first = number_of(r, "first.me.coder");
		usleep(20); /* time for another generation, which is not to show */
		second = number_of(r, "second.me.coder");
		if (first != second || first == UINT32_MAX)
			atomic_fetch_add(&shared->mixed, 1);
		if (first != last)
			atomic_fetch_add(&shared->generations, 1);
		last = first;
		atomic_fetch_add(&shared->lookups, 1);
	}
	hf_zone_reader_free(r);
	return NULL;
}

static void be_a_reader(void)
{
	pthread_t threads[THREADS];
	struct hf_zone *z;

	if (hf_zone_open(b.dir, &hf_fast_clock, &z))
		abort();
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, look_up_pairs, z))
			abort();
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	hf_zone_close(z);
}

/* --- the bridge's side --- */

static void set(const char *text, uint32_t number)
{
	struct hf_zone_rec rec = { .n_addrs = 1, .flags = HF_REC_PRIMARY };
	uint8_t addr[1][16];
	struct hf_name name;

	hf_zone_build_addr(number, addr[0]);
	rec.addrs = (const uint8_t(*)[16])addr;
	rec.name = &name;
	if (hf_name_parse(text, &name) || hf_zone_writer_set(writer, &rec))
		abort();
}

/* By deltas, by folds, and by bases that come of large changes. */
static void publish(uint32_t number)
{
	struct pollfd p = { .fd = hf_zone_writer_fd(writer), .events = POLLIN };
	char name[32];

	for (uint32_t i = 0; number % BASE_EVERY == 0 && i < FILL; i++) {
		snprintf(name, sizeof(name), "f%u.me.coder", i);
		set(name, 0x10000 + number * FILL + i);
	}
	set("first.me.coder", number & 0xffff);
	set("second.me.coder", number & 0xffff);
	if (hf_zone_writer_publish(writer, epoch, number + 1) < 0)
		abort();
	do {
		if (poll(&p, 1, 1) < 0 || hf_zone_writer_work(writer) < 0)
			abort();
	} while (hf_zone_writer_published(writer) != number + 1);
}

static void open_writer(void)
{
	static const struct hf_zone_writer_opts opts = { .clock = &hf_fast_clock,
		.fold_names = 100,
		.direct_names = FILL,
		.fold_every_ms = 100 };
	struct hf_zone_stamp stamp;

	if (hf_zone_writer_open(b.dir, &opts, &stamp, &writer) < 0)
		abort();
	hf_zone_writer_set_meta(writer, &b.meta);
}

int main(int argc, char **argv)
{
	const char *env = getenv("HF_LONG");
	bool is_long = env && *env == '1';
	unsigned long lookups = is_long ? LOOKUPS_LONG : LOOKUPS;
	uint32_t swaps = is_long ? SWAPS_LONG : SWAPS, n;
	bool ended = false;
	int status, bad = 0;

	if (argc > 1)
		lookups = strtoul(argv[1], NULL, 10);
	if (argc > 2)
		swaps = (uint32_t)strtoul(argv[2], NULL, 10);
	shared =
	    mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		abort();
	hf_log_set_level(HF_LOG_WARN);
	hf_zone_build_open(&b);
	/*
	 * Before the writer has its thread: what a sanitizer makes of a fork beside threads is not
	 * what is asked here.
	 */
	for (int i = 0; i < PROCESSES; i++) {
		if (fork() == 0) {
			be_a_reader();
			_exit(0);
		}
	}
	open_writer();
	/* A reader that ended before its time looks nothing up any more. */
	for (n = 0; !ended && (n < swaps || atomic_load(&shared->lookups) < lookups); n++) {
		publish(n);
		ended = waitpid(-1, &status, WNOHANG) > 0;
	}
	atomic_store(&shared->over, true);
	while (wait(&status) > 0)
		bad |= status;
	bad |= ended;
	hf_zone_writer_free(writer);
	hf_zone_build_close(&b);
	printf("%lu paired lookups over %u generations, %lu changes seen, %lu mixed\n",
	    atomic_load(&shared->lookups), n, atomic_load(&shared->generations),
	    atomic_load(&shared->mixed));
	return bad || atomic_load(&shared->mixed) || atomic_load(&shared->generations) < swaps / 4;
}
