/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_driver DIR SEED STEPS: makes changes to a store and says which are durable; chaos.py has
 * the rules. The seed decides in which slices, and when a copy is made or receipts are written;
 * what is in the store after step k follows from k.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "tests/chaos/store_workload.h"

enum { TRIES = 12, REFUSED = 3, BROKEN = 4 };

static uint64_t random_state;

static unsigned random_below(unsigned n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(random_state >> 33) % n;
}

/*
 * About a second in all: another thread of the store may be in the middle of something on a busy
 * machine.
 */
static void wait_a_little(unsigned tries)
{
	unsigned ms = tries < 5 ? 5u << tries : 100;
	const struct timespec wait = { .tv_nsec = (long)ms * 1000000 };

	nanosleep(&wait, NULL);
}

static int apply(struct hf_store *s, uint64_t k)
{
	static struct workload_changes changes;
	int rc;

	workload_changes(k, &changes);
	rc = hf_store_begin(s, &changes.set);
	if (rc)
		return rc;
	do {
		rc = hf_store_step(s, random_below(200));
	} while (rc == 1);
	return rc;
}

/* What goes on beside the changes. Its failure shows in the next change. */
static void beside(struct hf_store *s)
{
	const char *addresses[] = { "192.0.2.1", "2001:db8::1" };

	switch (random_below(8)) {
	case 0:
	case 1:
		workload_receipt(s);
		break;
	case 2:
		hf_store_copy_begin(s);
		break;
	case 3:
		hf_store_addresses_set(s, "main", addresses, 1 + random_below(2));
		break;
	case 4:
		hf_store_set_ready(s);
		break;
	default:
		break;
	}
}

static int drive(struct hf_store *s, uint64_t k, uint64_t last)
{
	unsigned tries = 0;

	while (k < last) {
		const char *reason;
		int rc = apply(s, k + 1);

		if (rc == 0) {
			k++;
			tries = 0;
			printf("ack %llu\n", (unsigned long long)hf_store_generation(s));
			fflush(stdout);
			beside(s);
			continue;
		}
		hf_store_get_state(s, &reason, NULL);
		if (rc == HF_EDAMAGED || ++tries > TRIES) {
			fprintf(stderr, "store_driver: %s: %s\n", hf_strerror(rc), reason);
			return rc == HF_EDAMAGED ? BROKEN : REFUSED;
		}
		wait_a_little(tries);
	}
	return 0;
}

static int open_store(const char *path, struct hf_store **ret_store)
{
	struct hf_store_opts opts = { .clock = &hf_clock_system,
		.log_max = 400,
		.history_max = 500,
		.checkpoint_pages = 40 };
	struct hf_store_opened opened;
	int rc = -1;

	for (unsigned tries = 0; rc && tries <= TRIES; tries++) {
		rc = hf_store_open(path, &opts, &opened, ret_store);
		if (rc)
			wait_a_little(tries);
	}
	if (rc) {
		fprintf(stderr, "store_driver: %s: %s\n", hf_strerror(rc), opened.reason);
		return rc == HF_EDAMAGED || rc == HF_EUNSAFE ? BROKEN : REFUSED;
	}
	if (opened.origin != HF_STORE_NEW && opened.origin != HF_STORE_OPENED) {
		fprintf(stderr, "store_driver: taken for damaged: %s\n", opened.reason);
		return BROKEN;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct hf_store *s;
	char path[4096];
	const char *why;
	uint64_t k;
	int rc;

	if (argc != 4)
		return 2;
	signal(SIGXFSZ, SIG_IGN);
	random_state = strtoull(argv[2], NULL, 10);
	snprintf(path, sizeof(path), "%s/store.db", argv[1]);
	rc = open_store(path, &s);
	if (rc)
		return rc;
	if (workload_find(s, &k, &why)) {
		fprintf(stderr, "store_driver: %s\n", why);
		rc = BROKEN;
	} else {
		rc = drive(s, k, k + strtoull(argv[3], NULL, 10));
	}
	hf_store_free(s);
	return rc;
}
