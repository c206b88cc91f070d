/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dnsmasq_private: the dnsmasq adapter as its own files see it. Each part of its life is a file:
 * load (what its files hold), apply (a batch), watch (what others do to them), doctor; replies
 * (answers to the host) and warn. dnsmasq.c is above all of them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#include "adapters/adapter.h"
#include "adapters/dns_client.h"
#include "adapters/start_audit.h"
#include "adapters/dnsmasq/dnsmasq_clash.h"
#include "adapters/dnsmasq/host_files.h"
#include "adapters/dnsmasq/paced_writer.h"
#include "adapters/dnsmasq/dnsmasq_probe.h"
#include "adapters/dnsmasq/dnsmasq_readback.h"
#include "adapters/record_table.h"
#include "base/log.h"
#include "base/timing.h"
#include "config/config.h"

enum {
	NAMES_MAX = 30000,        /* above, each change stalls dnsmasq for tens of milliseconds */
	NAMES_WARN = 10000,       /* of a hostsdir */
	NAMES_WARN_SINGLE = 3000, /* of an addn-hosts, which is read anew at each change */
	BATCH_MAX = NAMES_WARN,   /* a fill is fastest when each file is written once */
	WHY_MAX = 512,
};

/* The states that a person should know of. */
enum warning { WARN_NOT_RUNNING, WARN_MANY, WARN_FOREIGN, WARN_FOLDER, WARN_RESTART, WARNINGS };

enum apply_phase {
	APPLY_NONE,
	APPLY_LOAD,
	APPLY_CLASH,
	APPLY_PUT,
	APPLY_TAKE,
	APPLY_PROBE,  /* does dnsmasq read our files? Then `resume` goes on */
	APPLY_SETTLE, /* it does: what it answers besides is others' */
	APPLY_ANSWER
};

struct dnsmasq_doctor; /* dnsmasq_doctor.c */

struct hf_adapter {
	const struct hf_config_adapter *config; /* borrowed, as all of these */
	const struct hf_config_dnsmasq *d;
	const struct hf_adapter_host *host;

	struct hf_host_files *files; /* owned, as all of these */
	struct hf_dns_client *ask;   /* canaries and clashes: soon */
	struct hf_dns_client *back;  /* read-back: at a tenth of what dnsmasq can do */
	struct hf_paced_writer *pump;
	struct hf_dnsmasq_clash *clash;
	struct hf_dnsmasq_probe *prober;
	struct hf_dnsmasq_readback *readback;
	struct hf_start_audit *audit;
	struct hf_record_table *table; /* lent by files */

	struct hf_name suffix; /* the first of ours; len 0: not told yet */
	struct hf_name *zones; /* owned; ours, and those that names of ours may still be below */
	size_t n_zones;
	bool sweeps; /* all is confirmed: what is below none of them goes */
	uint32_t ttl_s;

	/* dnsmasq_load.c */
	struct event *load_timer;
	bool loaded, loading;
	bool in_charge;   /* the host feeds us: files are repaired */
	bool wants_audit; /* when the files are read */
	unsigned load_at;
	unsigned damaged; /* files that were not as we left them */
	unsigned refused; /* files that have our name and are not ours */
	char damage[WHY_MAX];
	/*
	 * The files were read, or could not be: dnsmasq.c goes on with what waited for it. Called
	 * once for each hf_dnsmasq_load() that began to read.
	 */
	void (*on_loaded)(struct hf_adapter *a, int code, const char *why);

	/* dnsmasq_apply.c */
	enum apply_phase phase, resume;
	bool proven;           /* in this batch: dnsmasq reads our files */
	struct hf_batch batch; /* lent by the host */
	uint8_t *fates;        /* owned */
	size_t fates_room;
	int plan_code; /* of a put that failed for lack of memory */

	/* tamper_watch.c */
	struct event *watch_timer;
	unsigned watch_at;
	unsigned watch_ticks;
	bool probing; /* the folder was replaced; does dnsmasq read the new one? */
	bool probe_open;
	struct hf_record probe;
	struct hf_fault edits;
	struct hf_fault repairs;
	struct event *sync_timer;
	bool *unsynced; /* owned; a file each */
	unsigned sync_at;
	bool sync_dirty;

	bool warned[WARNINGS]; /* dnsmasq_warn.c */

	/* What is to be answered: dnsmasq.c, dnsmasq_replies.c */
	struct event *answer_timer;
	int code; /* of the receipt */
	char why[WHY_MAX];
	bool listing;
	unsigned list_at;
	struct hf_expect *expect; /* lent by the host; set while it waits */
	size_t n_expect;
	int verify_code;
	bool verified, examined;

	struct dnsmasq_doctor *doctor; /* owned */
	bool doctor_waits;
};

/* dnsmasq_load.c: reads the files, then calls on_loaded(). Nothing if it is at it. */
void hf_dnsmasq_load(struct hf_adapter *a);
void hf_dnsmasq_on_load_timer(evutil_socket_t fd, short what, void *arg);

/* dnsmasq_apply.c */
void hf_dnsmasq_apply(struct hf_adapter *a, const struct hf_batch *batch);
/* The files were read, and the batch goes on; or `code` and `why`, and it ends. */
/*
 * The files are ours, whatever is in them: also names below a suffix that nobody knows any more, of
 * a lost store. Removes them from the table and notes their files, when the files were read.
 */
void hf_dnsmasq_sweep(struct hf_adapter *a);
void hf_dnsmasq_apply_loaded(struct hf_adapter *a, int code, const char *why);
bool hf_dnsmasq_asks_clash(void *arg, const struct hf_change *change);
void hf_dnsmasq_on_clash(void *arg);
void hf_dnsmasq_on_probed(void *arg, int code);
void hf_dnsmasq_on_drained(void *arg, int code, const char *why, bool silent);

/* tamper_watch.c */
int hf_dnsmasq_watch_begin(struct hf_adapter *a);
void hf_dnsmasq_watch_written(struct hf_adapter *a, unsigned file);

/* dnsmasq_warn.c: tells the host when it begins, and ends (text NULL); not each time. */
void hf_dnsmasq_warn(struct hf_adapter *a, enum warning which, const char *text);

/* dnsmasq_replies.c: an answer that is due. Last in its call: the host may close the adapter. */
void hf_dnsmasq_reply_apply(struct hf_adapter *a);
void hf_dnsmasq_reply_list(struct hf_adapter *a); /* a part; the rest in later turns */
void hf_dnsmasq_reply_verify(struct hf_adapter *a);
/* What `expect` holds is asked. */
void hf_dnsmasq_verify_begin(struct hf_adapter *a);
void hf_dnsmasq_on_verified(void *arg, int code);

/* dnsmasq_doctor.c */
void hf_dnsmasq_doctor(struct hf_adapter *a);
void hf_dnsmasq_doctor_loaded(struct hf_adapter *a, int code, const char *why);
void hf_dnsmasq_doctor_free(struct dnsmasq_doctor *d);
/* dnsmasq_setup.c */
void hf_dnsmasq_setup(
    const struct hf_config *config, const struct hf_config_adapter *adapter, FILE *out);

static inline void hf_dnsmasq_in_us(struct event *timer, int64_t us)
{
	const struct timeval tv = hf_time_of_us(us);

	event_add(timer, &tv);
}

/* What is to be answered is answered from the loop, one answer a turn. */
static inline void hf_dnsmasq_answer_soon(struct hf_adapter *a)
{
	hf_dnsmasq_in_us(a->answer_timer, 0);
}
