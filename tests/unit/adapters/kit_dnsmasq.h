/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kit_dnsmasq: a hostsdir in a folder of the test, and a server on the test's own loop that answers
 * AAAA and PTR as dnsmasq would: out of the files as they are now, or as they once were.
 */
#include "adapters/dns_client.h"
#include "adapters/dnsmasq/host_files.h"
#include "config/config.h"
#include "tests/unit/adapters/kit_resolver.h"
#include "tests/unit/tmpdir.h"

enum { KIT_DNSMASQ_RECORDS = 64 };

struct kit_dnsmasq {
	struct event_base *base;
	struct tmpdir dir;
	struct resolver server;
	struct hf_dns_client *ask;
	struct hf_config_dnsmasq config;
	struct hf_host_files *files;
	struct hf_record_table *table; /* lent by files */
	bool silent;                   /* it does not answer */
	bool stuck;                    /* it does not read the files any more */
	bool keeps;                    /* it does not see what goes */
	const char *theirs;            /* lines of others, which it reads first; NULL: none */
	const char *alias;             /* this name is an alias of others; NULL: none is */
	struct hf_record has[KIT_DNSMASQ_RECORDS];
	size_t n;
};

void kit_dnsmasq_open(struct kit_dnsmasq *k);
/* Questions have no answer any more; the rest is still there. For who is freed after the asker. */
void kit_dnsmasq_end_asking(struct kit_dnsmasq *k);
void kit_dnsmasq_close(struct kit_dnsmasq *k);

/* How many names our files have now. */
size_t kit_dnsmasq_written(struct kit_dnsmasq *k);
/* Whether a file has the record. */
bool kit_dnsmasq_has(struct kit_dnsmasq *k, const char *name, const char *addr);
/* Writes a file of the table, as an adapter does. `arg` is the kit. */
int kit_dnsmasq_write(void *arg, unsigned file, char *ret_why, size_t why_size);
/* Puts a record into the table; its file. */
unsigned kit_dnsmasq_put(struct kit_dnsmasq *k, const char *name, const char *addr, bool primary);
