/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dns_probe: who answers DNS for us, seen from this machine: each listener of dns.listen, unbound's
 * module, the resolver of each adapter, and the machine's own resolver. All are asked at once, each
 * with a short patience. status, why and doctor show what this finds, so they agree.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "bridge/front/answering.h"
#include "bridge/front/nameservers.h"

enum {
	HF_DNS_PROBE_LISTENERS_MAX = 32,
	HF_DNS_PROBE_RESOLVERS_MAX = 32 + HF_NAMESERVERS_MAX,
	HF_DNS_PROBE_TEXT_MAX = 300,
};

enum hf_resolver_state {
	HF_RESOLVER_UNASKED, /* there is no name to ask for */
	HF_RESOLVER_RIGHT,
	HF_RESOLVER_SILENT,
	HF_RESOLVER_OTHER, /* it answers another address */
	HF_RESOLVER_NONE,  /* it answers that there is no such name or address, or an error */
};

/* A resolver that people use, and what it says of the name. */
struct hf_dns_probe_resolver {
	struct hf_endpoint at;
	char adapter[64]; /* whose it is; "": the machine's own */
	bool synced;      /* the adapter says that its resolver has everything */
	enum hf_resolver_state state;
	struct hf_asked asked;
};

struct hf_dns_probe {
	struct hf_listener listeners[HF_DNS_PROBE_LISTENERS_MAX];
	struct hf_asked counters[HF_DNS_PROBE_LISTENERS_MAX];             /* of each */
	struct hf_dns_probe_resolver answers[HF_DNS_PROBE_LISTENERS_MAX]; /* what each says */
	size_t n_listeners;
	struct hf_answering_facts facts;
	struct hf_answering answering;
	struct hf_listener module; /* where it was found; len 0: nowhere */
	struct hf_asked module_counters;
	struct hf_dns_probe_resolver resolvers[HF_DNS_PROBE_RESOLVERS_MAX];
	size_t n_resolvers;
	bool by_hosts_file; /* /etc/hosts has the name */
	/*
	 * The bridge is in another network namespace, such as another container: its addresses are
	 * not those that can be asked from here. `listeners` and `answering` are as it says;
	 * adapters' resolvers and the module are not looked for.
	 */
	bool elsewhere;
};

struct hf_dns_probe_opts {
	const struct hf_config *config;
	const json_t *status;    /* the bridge's or the zone's; NULL: neither */
	const char *resolv_conf; /* NULL: hf_dns_probe_resolv_conf() */
	/* those that listeners should serve; NULL or none: they cannot be asked */
	const struct hf_suffixes *suffixes;
	const struct hf_name *name; /* that resolvers are asked for; NULL: none */
	const uint8_t *addr;        /* 16 bytes, that it should have; NULL: any */
};

/* /etc/resolv.conf, or what HOLDFAST_RESOLV_CONF names. */
const char *hf_dns_probe_resolv_conf(void);

/* Waits until all have answered, or will not any more. 0 or -ENOMEM. */
int hf_dns_probe_look(const struct hf_dns_probe_opts *opts, struct hf_dns_probe *ret_reach);

/*
 * The machine's own resolver as the C library uses it: the first name server that answers decides,
 * but not by SERVFAIL, NOTIMP or REFUSED. Returns it, the last one if none does, or NULL where none
 * is known. The name resolves here if that is RIGHT, or reach->by_hosts_file.
 */
const struct hf_dns_probe_resolver *hf_dns_probe_machine(const struct hf_dns_probe *reach);
bool hf_dns_probe_resolves_here(const struct hf_dns_probe *reach);

/* "127.0.0.1@53 answers NXDOMAIN". Returns out. */
char *hf_dns_probe_resolver_text(
    const struct hf_dns_probe_resolver *r, char out[static HF_DNS_PROBE_TEXT_MAX]);

/* Some published name of the status, else of the zone, to ask for. False: there is none. */
bool hf_dns_probe_sample(const struct hf_config *config, const json_t *status,
    struct hf_name *ret_name, uint8_t ret_addr[static 16]);
/* The suffixes of the status, else those of the configuration. False: there is none. */
bool hf_dns_probe_suffixes(
    const struct hf_config *config, const json_t *status, struct hf_suffixes *ret_suffixes);

/*
 * Puts it into a status: readers, listeners, resolvers, not_answering, warnings and notes. `name`
 * is the one that resolvers were asked for, or NULL.
 */
void hf_dns_probe_report(
    const struct hf_dns_probe *reach, const struct hf_name *name, json_t *status);

/* One question, waits for the answer. 0, or a code: nobody was reached. */
int hf_dns_probe_one(const struct hf_endpoint *at, const struct hf_name *name, uint16_t type,
    struct hf_asked *ret_asked);
