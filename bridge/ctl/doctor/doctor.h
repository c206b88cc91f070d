/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * doctor: looks at the real thing, this machine and its resolvers, and says what is wrong with the
 * line that mends it. One examination after the other; each has its file or is a function of
 * doctor_machine.c.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "config/config.h"
#include "zone/name.h"

struct event_base;
struct hf_dns_probe;

enum { HF_DOCTOR_RESOLVERS_MAX = 16, HF_DOCTOR_LINE_MAX = 600 };

/* A resolver that is asked, and who named it. */
struct hf_doctor_resolver {
	struct hf_endpoint at;
	char area[80]; /* "adapter office", "resolv.conf" */
	bool ours;     /* an adapter's: it has to know our names */
};

struct hf_doctor {
	const struct hf_config *config;        /* borrowed */
	const struct hf_config_errors *errors; /* borrowed; of the configuration */
	const json_t *status;                  /* borrowed; NULL: neither bridge nor zone */
	const char *unreached;                 /* borrowed; why there is no status */
	bool denied;                           /* this user may not ask the bridge */
	const char *resolv_conf;               /* borrowed: a path */
	const char *unbound_conf;              /* borrowed: a path; NULL: unbound's own */
	const char *modules;                   /* borrowed: where the module is installed */
	struct event_base *base;               /* owned */
	int64_t now_s;
	bool has_suffix;
	struct hf_name suffix; /* the first one */
	bool has_sample;       /* a name that is published, with its address */
	struct hf_name sample;
	uint8_t sample_addr[16];
	struct hf_doctor_resolver resolvers[HF_DOCTOR_RESOLVERS_MAX];
	size_t n_resolvers;
	struct hf_dns_probe *reach; /* owned: who answers */
	json_t *findings;           /* owned: [{area, grade, text, line}] */
	size_t n_bad;
};

/* configuration, bridge, sources, token, clock, zone folder, holdfast-dns */
void hf_doctor_config(struct hf_doctor *d);
void hf_doctor_bridge(struct hf_doctor *d);
void hf_doctor_sources(struct hf_doctor *d);
void hf_doctor_tokens(struct hf_doctor *d);
void hf_doctor_clock(struct hf_doctor *d);
void hf_doctor_zone(struct hf_doctor *d);
void hf_doctor_responder(struct hf_doctor *d);
/* What the bridge says of the adapters that it cannot feed. */
void hf_doctor_fed(struct hf_doctor *d);
/* What status warns of, and nobody else has said. */
void hf_doctor_warnings(struct hf_doctor *d);
/* What each adapter says of its resolver. */
void hf_doctor_adapters(struct hf_doctor *d);
/*
 * Each resolver of an adapter and of resolv.conf: does it know our names, and keep them to itself?
 */
void hf_doctor_resolvers(struct hf_doctor *d);
/* unbound's module: is it there, does this unbound take it, is it on, is it surrounded right? */
void hf_doctor_module(struct hf_doctor *d);

struct hf_doctor_opts {
	const struct hf_config *config;
	const struct hf_config_errors *errors; /* of the configuration */
	const json_t *status;                  /* NULL: neither bridge nor zone */
	const char *unreached;                 /* then: why */
	bool denied;                           /* this user may not ask the bridge */
	const char *resolv_conf;               /* NULL: the machine's */
	const char *unbound_conf;              /* NULL: unbound's own */
	int64_t now_s;
	bool json;
};

/* Prints all findings; how many are bad, or a code. */
int hf_doctor_run(const struct hf_doctor_opts *opts, FILE *out);
