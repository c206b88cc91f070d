/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * adapter_head: what each adapter begins with. A type's own struct has it as its first field, and
 * is found from it by a cast:
 *
 *     struct hf_hosts {
 *             struct hf_adapter base;
 *             ...
 *     };
 *
 * The rest of the frame: adapter_job (what it is doing), adapter_answers (what it owes the host),
 * adapter_warnings (what people should know), adapter_doctor (what is wrong with its resolver).
 */
#include <stddef.h>
#include <stdint.h>

#include "adapters/adapter.h"
#include "adapters/adapter_answers.h"
#include "adapters/adapter_doctor.h"
#include "adapters/adapter_job.h"
#include "adapters/adapter_warnings.h"
#include "config/config.h"
#include "zone/record.h"

/* Those of now, and those that leave. */
enum { HF_ADAPTER_SUFFIXES_MAX = 2 * HF_ZONE_SOURCES_MAX };

struct hf_adapter {
	const struct hf_adapter_type *type;
	const struct hf_config_adapter *config;           /* borrowed until close() */
	const struct hf_adapter_host *host;               /* the same */
	struct hf_name suffixes[HF_ADAPTER_SUFFIXES_MAX]; /* ours, as zones() told them */
	size_t n_suffixes;
	uint32_t ttl_s;
	struct hf_adapter_job job;
	struct hf_adapter_answers answers;
	struct hf_adapter_warnings warnings;
};

/* Of a type, and constant. */
struct hf_adapter_parts {
	const struct hf_adapter_type *type;
	hf_adapter_step answers[HF_ANSWERS]; /* see hf_adapter_answers_init() */
	hf_adapter_step idle;                /* NULL: it has no jobs */
	const char *const *warnings;         /* NULL: it has none */
};

/*
 * First thing in open(), on memory that is zero. 0 or -ENOMEM; hf_adapter_done() is called in both
 * cases.
 */
int hf_adapter_init(struct hf_adapter *a, const struct hf_adapter_parts *parts,
    const struct hf_config_adapter *config, const struct hf_adapter_host *host);
/* In close(): nothing is answered and no step comes any more. The memory is the caller's. */
void hf_adapter_done(struct hf_adapter *a);
/* Keeps what zones() is given. */
void hf_adapter_keep_zones(
    struct hf_adapter *a, const struct hf_name *suffixes, size_t n, uint32_t ttl_s);
