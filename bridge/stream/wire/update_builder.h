/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * update_builder: builds one struct hf_update while its message is still coming in, within a budget
 * that all messages of a connection share. Nothing of it is seen by anybody until
 * hf_update_builder_take().
 *
 * Arrays grow in place where the system can (realloc); the names lie in chunks that never move.
 */
#include <stdbool.h>
#include <stddef.h>

#include "bridge/types/update.h"

struct hf_budget {
	size_t used;
	size_t max;
};

/* Zero it first; between hf_update_builder_begin() and take or drop it holds memory. */
struct hf_update_builder {
	struct hf_update *update; /* owned; NULL outside of a message */
	struct hf_budget *budget; /* borrowed; outlives the result */
	size_t charged;           /* of the budget */
	size_t room[4];           /* of the four arrays, in the order of struct hf_update */
	struct hf_bytes last;     /* the name added last: agents are mostly called the same */
};

/* 0, -ENOMEM, or HF_ELIMIT when the budget is spent. So do the two below. */
int hf_update_builder_begin(struct hf_update_builder *r, struct hf_budget *budget,
    enum hf_update_kind kind, const struct hf_uuid *owner);

/* `w->name` is copied; `deleted` says to which list. */
int hf_update_builder_add_workspace(
    struct hf_update_builder *r, bool deleted, const struct hf_update_workspace *w);
int hf_update_builder_add_agent(
    struct hf_update_builder *r, bool deleted, const struct hf_update_agent *a);

/*
 * Notes a refused record, with its name and why. The first few are kept, the rest is counted (and
 * costs nothing more).
 */
void hf_update_builder_refuse(struct hf_update_builder *r, const char *what,
    const struct hf_bytes *name, const char *why, ...) __attribute__((format(printf, 4, 5)));

/* The finished update, which the caller owns from now on; end it with hf_update_free(). */
struct hf_update *hf_update_builder_take(struct hf_update_builder *r);
/* Forgets a message that is not whole. Fine without hf_update_builder_begin(). */
void hf_update_builder_drop(struct hf_update_builder *r);

void hf_update_free(struct hf_update *u); /* NULL is fine */
