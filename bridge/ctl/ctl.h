/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ctl: what the commands of holdfastctl share: the configuration, a question to the bridge or,
 * without one, to the published zone, and how an answer is printed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/ctl/ctl_client.h"
#include "bridge/ctl/ctl_options.h"
#include "config/config.h"

enum { HF_EXIT_WELL, HF_EXIT_DEGRADED, HF_EXIT_USAGE, HF_EXIT_UNREACHED };

struct hf_ctl {
	struct hf_ctl_options o;
	struct hf_config *config;       /* owned */
	struct hf_config_errors errors; /* of the configuration; n 0: it has none */
	const char *socket;             /* borrowed */
	int64_t now_s;
	bool offline;                    /* the answer is the zone's */
	bool denied;                     /* this user may not ask the bridge */
	size_t n;                        /* rows that were shown */
	json_t *kept;                    /* owned: the row that hf_ctl_keep() kept */
	char why[HF_CTL_CLIENT_WHY_MAX]; /* of the last question that failed */
};

/* The commands; each returns the exit status. */
int hf_ctl_status(struct hf_ctl *c);
int hf_ctl_sources(struct hf_ctl *c);
int hf_ctl_adapters(struct hf_ctl *c);
int hf_ctl_records(struct hf_ctl *c);
int hf_ctl_export(struct hf_ctl *c);
int hf_ctl_watch(struct hf_ctl *c);
int hf_ctl_history(struct hf_ctl *c);
int hf_ctl_decide(struct hf_ctl *c);
int hf_ctl_verify(struct hf_ctl *c);
int hf_ctl_resync(struct hf_ctl *c);

/* Keeps the row in c->kept, for hf_ctl_client_ask(); `c` is the argument. */
int hf_ctl_keep(json_t *row, void *c);
/* The bridge's status in c->kept, without a bridge the zone's. 0 or a code. */
int hf_ctl_get_status(struct hf_ctl *c);
/*
 * Whether the zone is to be read, since the bridge could not be asked (`rc`): then 1, and this is
 * said once on standard error unless `quiet`.
 */
bool hf_ctl_goes_offline(struct hf_ctl *c, int rc, bool quiet);
/* Adds to c->why that the zone cannot be read, either. Returns rc. */
int hf_ctl_no_zone(struct hf_ctl *c, int rc);

/* Says why, with --json as an object. Returns the exit status of `rc`. */
int hf_ctl_failed(const struct hf_ctl *c, int rc);

void hf_ctl_print_json(const json_t *value);
/* A list that is printed while it comes: each element, and the end. */
void hf_ctl_print_element(struct hf_ctl *c, const char *json, size_t len);
void hf_ctl_end_list(const struct hf_ctl *c);
/* Nobody reads what is printed any more. */
bool hf_ctl_unread(void);
/* Nothing was found of c->o.name: says what might have been meant. */
void hf_ctl_explain_missing(struct hf_ctl *c, const char *what);
