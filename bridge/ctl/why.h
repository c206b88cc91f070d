/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * why: where a name is lost, or that it is not: one hop after the other from the server to what a
 * query sees. A hop looks at one thing and says in words what it found; why_hops.c has the list of
 * them.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "zone/name.h"

struct hf_config;
struct hf_dns_probe;

enum hf_hop_state {
	HOP_OK,
	HOP_BROKEN,
	HOP_UNKNOWN, /* it could not be looked at */
};

enum { HF_HOP_TEXT_MAX = 700 };

/* One that leaves its text empty has nothing to look at here, and is not shown. */
struct hf_hop {
	enum hf_hop_state state;
	char text[HF_HOP_TEXT_MAX];
};

/* What is asked, and what hops found so far, for those that come after. */
struct hf_why {
	const char *socket;             /* of the bridge */
	const struct hf_config *config; /* borrowed */
	const char *resolv_conf;        /* borrowed; NULL: the machine's */
	int64_t now_s;
	char text[HF_NAME_TEXT_MAX]; /* the name, canonical */
	struct hf_name name;
	char address[64];           /* what was asked for, if that was an address; else "" */
	char denied[200];           /* why the bridge could not be asked; "" if it could */
	json_t *status;             /* owned; NULL: the bridge could not be asked */
	json_t *source;             /* borrowed from status: the one whose suffix it is; or NULL */
	json_t *record;             /* owned: the bridge's, or NULL */
	struct hf_dns_probe *reach; /* owned: who answers what; NULL: nobody was asked yet */
	bool has_addr;              /* the address that it should have is known */
	uint8_t addr[16];
	char answered_by[HF_HOP_TEXT_MAX]; /* the places that answer it right, in a row */
};

typedef void (*hf_hop_fn)(struct hf_why *w, struct hf_hop *ret_hop);
struct hf_hop_kind {
	const char *name;
	hf_hop_fn look;
};

/* One more sentence; the worst state counts. */
void hf_why_hop_add(struct hf_hop *hop, enum hf_hop_state state, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * why_hops_answer.c: everybody who answers DNS for us is asked once, when the first of these needs
 * it.
 */
void hf_why_hop_answer(struct hf_why *w, struct hf_hop *hop);
void hf_why_hop_feed(struct hf_why *w, struct hf_hop *hop);
void hf_why_hop_resolver(struct hf_why *w, struct hf_hop *hop);
void hf_why_hop_machine(struct hf_why *w, struct hf_hop *hop);

/* In the order of the data. */
extern const struct hf_hop_kind hf_why_hops[];
extern const size_t hf_why_n_hops;

struct hf_why_opts {
	const char *socket;
	const struct hf_config *config;
	const char *resolv_conf; /* NULL: the machine's */
	const char *name;        /* as it was typed; an address is looked up first */
	int64_t now_s;
	bool json;
};

/*
 * Says so on `out`. 0: it is answered everywhere; 1: not; 3: neither bridge nor zone can be asked.
 */
int hf_why_run(const struct hf_why_opts *opts, FILE *out);
