/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kit_host: a host that writes down what an adapter tells it, a line each, in `told`: "lost WHY",
 * "verified CODE TEXT", "warn CODE TEXT", "found GRADE TEXT LINE", "examined", "listed N CODE",
 * "applied N CODE". A test may have it do something at each (`then`), such as to end the adapter.
 */
#include <event2/event.h>

#include "adapters/adapter.h"

enum { KIT_TOLD_MAX = 4096 };

struct kit_host {
	struct hf_adapter_host host;
	char told[KIT_TOLD_MAX];
	void (*then)(void *arg);
	void *arg;
};

/* With a loop of its own. */
void kit_host_open(struct kit_host *k);
void kit_host_close(struct kit_host *k);
/* Runs the loop until nothing is due. */
void kit_host_run(struct kit_host *k);
