#pragma once
/*
 * core_inner: what the files of the core share; nobody else includes it.
 */
#include "base/log.h"
#include "bridge/core.h"
#include "bridge/publish.h"
#include "zone/record.h"

struct hf_config;
struct hf_state_conf;
struct hf_state_source_conf;

enum { HF_CORE_COPY_EVERY_MS = 3600 * 1000 };

struct hf_core {
	const struct hf_config *config; /* borrowed */
	const struct hf_clock *clock;   /* borrowed */
	struct hf_store *store;         /* owned */
	bool wall_synced;       /* at the last tick: only then does it count over a reboot */
	struct hf_state *state; /* owned */
	struct hf_publish *publish; /* owned */
	struct hf_zone_meta meta; /* as of the last commit */
	bool applying;              /* a changeset is between begin and its last step */
	bool shown;                 /* the changeset that is being applied holds names */
	bool unpublished;           /* the store is ahead of the zone */
	int64_t commit_not_before;  /* boottime */
	int64_t publish_not_before;
	int64_t tick_at;
	int64_t copy_at;
	int64_t fresh_since; /* boottime; 0: not fresh */
	struct hf_fault store_fault;
	struct hf_fault zone_fault;
};

/* What state needs of the configuration: `sources` has room for HF_ZONE_SOURCES_MAX, and outlives
 * *ret_conf. */
void hf_core_conf(const struct hf_config *config, struct hf_state_source_conf *sources,
    struct hf_state_conf *ret_conf);
/* What the zone is to say beside the names. */
void hf_core_meta(const struct hf_core *c, struct hf_zone_meta *ret_meta);
