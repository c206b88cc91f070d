/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hosts_private: the hosts adapter as its own files see it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <event2/event.h>

#include "adapters/adapter.h"
#include "adapters/start_audit.h"
#include "adapters/hosts/hosts_block.h"
#include "adapters/hosts/hosts_foreign.h"
#include "adapters/hosts/hosts_late.h"
#include "adapters/hosts/hosts_file.h"
#include "adapters/record_table.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"

enum { WHY_MAX = 512, WHERE_MAX = 200, NEXT_MAX = 30000 };

struct hf_adapter {
	const struct hf_config_adapter *config; /* borrowed, as all of these */
	const struct hf_config_hosts *h;
	const struct hf_adapter_host *host;

	struct hf_record_table *table; /* owned; what the block is to have */
	struct hf_start_audit *audit;  /* owned */
	bool loaded;                   /* the table has what the block had at first */
	bool in_charge;   /* the host feeds us: what others do to the block is repaired */
	struct stat seen; /* the file after our last pass */
	struct hf_hosts_lates lates; /* what we replaced, and others may still write to */
	struct hf_name *zones; /* owned; ours, and those that names of ours may still be below */
	size_t n_zones;
	bool sweeps; /* all is confirmed: what is below none of them goes with the next pass */
	char where[WHERE_MAX]; /* what is wrong with the block */
	struct hf_fault fault;

	bool wants_audit; /* when it is read */
	bool full;        /* names were not taken for max-names */

	bool applying;
	bool no_memory;        /* for the batch */
	struct hf_batch batch; /* lent by the host; empty while there is none */
	uint8_t *fates;        /* owned */
	int64_t began_ms;
	struct hf_expect *expect; /* lent by the host */
	size_t n_expect;

	/* Owned. One for each kind of call, whose answer comes from it. */
	struct event *apply_timer, *list_timer, *verify_timer, *doctor_timer;
	struct event *watch_timer;
};

/* hosts_doctor.c */
void hf_hosts_on_doctor(evutil_socket_t fd, short what, void *arg);
void hf_hosts_setup(
    const struct hf_config *config, const struct hf_config_adapter *adapter, FILE *out);
