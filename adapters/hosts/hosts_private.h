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

#include "adapters/adapter_head.h"
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

/* The states that a person should know of. */
enum { WARN_MANY };

/*
 * A hosts file knows neither zones nor TTLs. With no suffix of ours (base.n_suffixes) the block
 * goes, too.
 */
struct hf_hosts {
	struct hf_adapter base;
	const struct hf_config_hosts *conf; /* borrowed */

	struct hf_record_table *table; /* owned; what the block is to have */
	struct hf_start_audit *audit;  /* owned */
	bool loaded;                   /* the table has what the block had at first */
	bool in_charge;   /* the host feeds us: what others do to the block is repaired */
	struct stat seen; /* the file after our last pass */
	struct hf_hosts_lates lates; /* what we replaced, and others may still write to */
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

	struct event *apply_timer, *watch_timer; /* owned */
};

static inline struct hf_hosts *hf_hosts_of(struct hf_adapter *a)
{
	return (struct hf_hosts *)a;
}

/* hosts_doctor.c: gives its answer, from the loop. */
void hf_hosts_doctor(struct hf_adapter *a);
void hf_hosts_setup(
    const struct hf_config *config, const struct hf_config_adapter *adapter, FILE *out);
