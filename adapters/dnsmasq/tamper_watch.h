/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tamper_watch: what others do to the files. A part of them is looked at each second, all of them
 * within a few; one that was changed, cut or removed is written again. A folder that was replaced
 * is filled again too, but dnsmasq watches the old one until it is restarted: a probe, a name that
 * only the new folder has, tells when that was done.
 */
#include <stdbool.h>
#include <stdint.h>

#include "adapters/adapter.h"

struct hf_dns_client;
struct hf_host_files;
struct hf_paced_writer;
struct hf_tamper_watch; /* opaque */

/* The states that it sees. */
enum hf_tamper_state {
	HF_TAMPER_FOREIGN, /* files of others are in the folder */
	HF_TAMPER_FOLDER,  /* it cannot be opened */
	HF_TAMPER_RESTART, /* dnsmasq watches a folder that is no longer there */
};

struct hf_tamper_watch_opts {
	struct event_base *base;
	const struct hf_clock *clock;
	const char *who;             /* the adapter's name: for the log */
	struct hf_host_files *files; /* borrowed, as the next two */
	struct hf_paced_writer *pump;
	struct hf_dns_client *ask;
	uint32_t every_ms;
	/* Both get `arg`. Borrowed; outlives the object. */
	void *arg;
	/* What dnsmasq had from us is gone. */
	void (*lost)(void *arg, const char *why);
	/* `text` NULL: it is not so. */
	void (*state)(void *arg, enum hf_tamper_state which, const char *text);
};

int hf_tamper_watch_new(
    const struct hf_tamper_watch_opts *opts, struct hf_tamper_watch **ret_watch);
/* After the asker, whose answers it gets. NULL is fine. */
void hf_tamper_watch_free(struct hf_tamper_watch *w);

/* The files were read, and the host feeds us: from now on they are repaired. */
void hf_tamper_watch_begin(struct hf_tamper_watch *w);
/* Below this suffix is the name of its probe. */
void hf_tamper_watch_suffix(struct hf_tamper_watch *w, const struct hf_name *suffix);
