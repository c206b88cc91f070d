/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * outbox: changes wait here until the adapter takes them, and its receipts become rows of the
 * ledger. A put of what is not owned yet is written down as tried before the adapter hears of it,
 * so that no crash leaves something behind that nobody knows of. What could not be done by itself
 * is set aside (aside.h), what others have or what does not fit is left out; both are tried again.
 */
#include "base/log.h"
#include "bridge/feed/aside.h"
#include "bridge/feed/feed.h"
#include "bridge/feed/feed_peer.h"
#include "bridge/feed/feed_step.h"
#include "bridge/feed/ledger.h"
#include "bridge/feed/wanted.h"

enum {
	HF_OUTBOX_BATCH_MAX = 4096, /* changes that an adapter may ask for at once */
	HF_OUTBOX_CHUNK = 512,      /* intents written at once */
	HF_OUTBOX_ALONE_MAX = 3,    /* attempts before one that fails alone makes way for news */
	HF_OUTBOX_FAILED_MAX = 16,  /* so many failures in a row are not single names' trouble */
};

struct hf_outbox {
	const struct hf_feed_peer *peer; /* borrowed */
	/* As hf_feed_env has it; NULL: nobody knows whose names they are. */
	bool (*subject)(void *arg, const struct hf_record *record, struct hf_subject *ret_subject);
	void *subject_arg;
	struct hf_ledger ledger; /* owned, as all of the outbox */
	struct hf_aside aside;

	struct hf_change *changes;
	uint8_t (*rows)[2]; /* states until now of (name, addr) and of (name, was) */
	uint64_t *suspect;  /* n_ok + 1 when a batch with it first failed; 0: none has */
	uint64_t n_ok;      /* changes that were done, so far */
	uint64_t n_ok_then; /* when one was last found to be at fault */
	size_t limit; /* changes in a batch, while it is found out which one fails; 0: any number */
	unsigned attempts; /* without success, in a row: what the feed knows at a receipt */
	size_t n, size;
	size_t at;             /* those before have their fate */
	struct hf_batch batch; /* lent to the adapter until its receipt */
	size_t n_batch;        /* of it; 0: none is out */
	bool empty;            /* the batch of no changes is with the adapter */
	bool empty_done;       /* the last batch of no changes was taken */
	int64_t sent_at;       /* boottime at which the batch was handed over */
	unsigned n_failed;     /* that failed in a row, and had not failed before */
	bool announced;        /* the intents are written */
	size_t announced_to;
	char *texts; /* of the batch's subjects */
	size_t next_max;
	int64_t resume_at; /* boottime: the resolver is to be left alone until then */

	int64_t skipped_ms;                     /* what is left out is tried again after this ... */
	int64_t skipped_wait_ms;                /* ... and later less often */
	int64_t skipped_at;                     /* boottime; 0: nothing is */
	char skipped_name[2][HF_FEED_TEXT_MAX]; /* the last one that clashed, that did not fit */
	struct hf_fault skipped_fault[2];
	struct hf_fault aside_fault[2]; /* of those that fail, that are stuck */
	char aside_why[2][HF_FEED_WHY_MAX];
};

/* `ledger`: the name under which the store keeps it. Waits are those of hf_feed_conf. */
void hf_outbox_init(struct hf_outbox *o, const struct hf_feed_peer *peer, const char *ledger,
    uint32_t floor_ms, int64_t skipped_ms);
void hf_outbox_done(struct hf_outbox *o);

/* `row`, `row_was`: states until now of (name, addr) and of (name, was). 0 or -ENOMEM. */
int hf_outbox_push(
    struct hf_outbox *o, const struct hf_change *change, uint8_t row, uint8_t row_was);
bool hf_outbox_is_empty(const struct hf_outbox *o);
bool hf_outbox_is_out(const struct hf_outbox *o); /* a batch is with the adapter */
/* As many are to be gathered before they are handed over. */
size_t hf_outbox_room(const struct hf_outbox *o);
/* Forgets changes that are not out. */
void hf_outbox_drop(struct hf_outbox *o);

/* Announces what is put, and hands the next batch over. */
struct hf_feed_step hf_outbox_send(struct hf_outbox *o, uint64_t generation);
/* A batch of nothing. */
void hf_outbox_send_empty(struct hf_outbox *o);

/* What became of a change that is through: done, or others have it, or it does not fit. */
typedef void (*hf_outbox_fate_cb)(void *arg, const struct hf_change *change, enum hf_fate fate);
/*
 * The receipt of the batch that is out; fates are told in their order. FAILED: the rest waits to be
 * sent again. Else it went `well`, if not single names failed.
 */
struct hf_feed_step hf_outbox_applied(
    struct hf_outbox *o, const struct hf_receipt *receipt, hf_outbox_fate_cb cb, void *arg);

/* outbox_aside.c: names in trouble by themselves, and what is left out */

/* ROW_FAILED or ROW_STUCK: `before` is the row's state until now. 0 or -ENOMEM. */
int hf_outbox_set_aside(struct hf_outbox *o, const struct hf_change *change, uint8_t before,
    enum hf_row row, const char *why);
/* The row has left that state. */
void hf_outbox_not_aside(struct hf_outbox *o, const struct hf_name *name, const uint8_t addr[16]);
/* Adds those that are due to the picture. 0 or a code. */
int hf_outbox_draw_aside(struct hf_outbox *o, struct hf_wanted *picture);
/* Names that wait by themselves. */
uint64_t hf_outbox_n_aside(const struct hf_outbox *o);
/* "'NAME': TEXT" of the first one, "" if none is known. */
const char *hf_outbox_aside_why(struct hf_outbox *o, enum hf_row row);

void hf_outbox_note_skipped(struct hf_outbox *o, enum hf_row row, const struct hf_name *name);
uint64_t hf_outbox_n_skipped(const struct hf_outbox *o);
/* Until those left out are tried again; -1: there are none. */
int64_t hf_outbox_skipped_wait(const struct hf_outbox *o);
/* The ledger was read. */
void hf_outbox_loaded(struct hf_outbox *o);
/* A pass is through: logs what is in trouble, and when what is left out is tried again. */
void hf_outbox_passed(struct hf_outbox *o, bool full);
