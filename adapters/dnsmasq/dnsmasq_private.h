/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dnsmasq_private: the dnsmasq adapter as its own files see it. It is put together of objects, each
 * with a header of its own: host_files (what dnsmasq reads), file_loader, dnsmasq_batch,
 * paced_writer, file_syncer, tamper_watch, dnsmasq_readback. dnsmasq.c wires them; dnsmasq_replies
 * gives the host its answers, dnsmasq_doctor its findings.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/adapter_head.h"
#include "adapters/dns_client.h"
#include "adapters/dnsmasq/dnsmasq_batch.h"
#include "adapters/dnsmasq/dnsmasq_readback.h"
#include "adapters/dnsmasq/file_loader.h"
#include "adapters/dnsmasq/file_syncer.h"
#include "adapters/dnsmasq/host_files.h"
#include "adapters/dnsmasq/paced_writer.h"
#include "adapters/dnsmasq/tamper_watch.h"
#include "adapters/record_table.h"
#include "adapters/start_audit.h"
#include "base/log.h"
#include "config/config.h"

enum {
	NAMES_WARN_SINGLE = 3000, /* of an addn-hosts, which is read anew at each change */
	WHY_MAX = 512,
};

/* The states that a person should know of. */
enum dnsmasq_warning { WARN_NOT_RUNNING, WARN_MANY, WARN_FOREIGN, WARN_FOLDER, WARN_RESTART };

struct hf_dnsmasq_doctor; /* dnsmasq_doctor.c */

/* list(), while it is under way. */
struct dnsmasq_listing {
	bool wanted;
	unsigned at; /* the next file */
	int code;    /* why the files cannot be read */
	char why[WHY_MAX];
};

struct hf_dnsmasq {
	struct hf_adapter base;
	const struct hf_config_dnsmasq *d; /* borrowed */

	struct hf_host_files *files;   /* owned, as all of these */
	struct hf_record_table *table; /* but this: lent by files */
	struct hf_dns_client *ask;     /* canaries and clashes: soon */
	struct hf_dns_client *back;    /* read-back: at a tenth of what dnsmasq can do */
	struct hf_paced_writer *pump;
	struct hf_file_loader *loader;
	struct hf_file_syncer *syncer;
	struct hf_tamper_watch *watch;
	struct hf_dnsmasq_batch *batch;
	struct hf_dnsmasq_readback *readback;
	struct hf_start_audit *audit;
	struct hf_dnsmasq_doctor *doctor;

	bool in_charge;           /* the host feeds us: files are repaired */
	bool wants_audit;         /* when the files are read */
	bool sweeps;              /* all is confirmed: what is below no suffix of ours goes */
	struct hf_fault repairs;  /* of what others did */
	struct hf_expect *expect; /* lent by the host; set while it waits for the files */
	size_t n_expect;
	struct dnsmasq_listing list;
};

static inline struct hf_dnsmasq *hf_dnsmasq_of(struct hf_adapter *a)
{
	return (struct hf_dnsmasq *)a;
}

/* So many names of ours are fine; above, a person is warned. */
static inline size_t hf_dnsmasq_names_warn(const struct hf_dnsmasq *d)
{
	return d->d->hostsdir ? HF_DNSMASQ_NAMES_WARN : NAMES_WARN_SINGLE;
}

/* dnsmasq_replies.c: an answer that is due. Last in its call: the host may close the adapter. */
void hf_dnsmasq_reply_apply(struct hf_adapter *a);
void hf_dnsmasq_reply_list(struct hf_adapter *a); /* a part; the rest in later turns */
/* What `expect` holds is asked. */
void hf_dnsmasq_verify_begin(struct hf_dnsmasq *d);
void hf_dnsmasq_on_verified(void *arg, int code);

/* dnsmasq_doctor.c */
void hf_dnsmasq_doctor(struct hf_adapter *a);
void hf_dnsmasq_reply_doctor(struct hf_adapter *a); /* begins, or says that all was found */
void hf_dnsmasq_doctor_loaded(struct hf_dnsmasq *d, int code, const char *why);
void hf_dnsmasq_doctor_free(struct hf_dnsmasq_doctor *d);
/* dnsmasq_setup.c */
void hf_dnsmasq_setup(
    const struct hf_config *config, const struct hf_config_adapter *adapter, FILE *out);
