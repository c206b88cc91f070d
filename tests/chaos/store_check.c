/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_check DIR LAST_ACK: whether the store there is one whole step, not older than what was
 * acknowledged. With a third argument, `damaged`, it may have been taken for damaged, and be what
 * the copy or nothing gives; still it must be one whole step.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "tests/chaos/store_workload.h"

static const char *check(
    struct hf_store *s, const struct hf_store_opened *opened, uint64_t acked, bool damaged)
{
	const char *why;
	uint64_t k;

	if (hf_store_get_state(s, NULL, NULL) != HF_STORE_OK)
		return "it cannot be written";
	if (!damaged && opened->origin != HF_STORE_OPENED &&
	    (opened->origin != HF_STORE_NEW || acked))
		return "it was not there, or was taken for damaged";
	if (!damaged && hf_store_generation(s) < acked)
		return "an acknowledged generation is lost";
	if (workload_find(s, &k, &why))
		return why;
	return workload_wrong(s, k);
}

int main(int argc, char **argv)
{
	struct hf_store_opts opts = { .clock = &hf_clock_system };
	struct hf_store_opened opened;
	struct hf_store *s;
	char path[4096];
	const char *why;
	int rc;

	if (argc < 3)
		return 2;
	snprintf(path, sizeof(path), "%s/store.db", argv[1]);
	rc = hf_store_open(path, &opts, &opened, &s);
	if (rc) {
		printf("it does not open: %s: %s\n", hf_strerror(rc), opened.reason);
		return 1;
	}
	why =
	    check(s, &opened, strtoull(argv[2], NULL, 10), argc > 3 && !strcmp(argv[3], "damaged"));
	if (why)
		printf("generation %llu: %s (%s)\n", (unsigned long long)hf_store_generation(s),
		    why, opened.reason);
	hf_store_free(s);
	return why != NULL;
}
