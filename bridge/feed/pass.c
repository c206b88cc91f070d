/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/feed/pass.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/feed/pass_private.h"

enum { DRAW_NAMES = 256 };

/* --- life --- */

static int pass_new(const struct hf_pass_env *env, uint64_t target, struct hf_pass **ret_pass)
{
	/* What waits would not be read. */
	int rc = hf_ledger_flush(&env->outbox->ledger);
	struct hf_pass *p;

	if (rc)
		return rc;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->env = *env;
	p->state = PASS_PUTTING;
	p->target = target;
	p->begun_at = hf_feed_peer_now(env->peer);
	memcpy(p->epoch, hf_store_epoch(env->peer->store), sizeof(p->epoch));
	rc = hf_wanted_new(&p->picture);
	if (rc) {
		hf_pass_free(p);
		return rc;
	}
	*ret_pass = p;
	return 0;
}

void hf_pass_free(struct hf_pass *p)
{
	if (!p)
		return;
	hf_wanted_free(p->picture);
	hf_store_walk_free(p->walk);
	hf_outbox_drop(p->env.outbox);
	free(p);
}

/* All of the picture is in. */
static int pass_sealed(struct hf_pass *p)
{
	int rc = hf_wanted_seal(p->picture);

	if (rc)
		return rc;
	hf_feed_zones_tell(p->env.zones);
	p->state = PASS_PUTTING;
	return 0;
}

static int pass_made(struct hf_pass *p, int rc, struct hf_pass **ret_pass)
{
	if (rc)
		hf_pass_free(p);
	else
		*ret_pass = p;
	return rc;
}

/* --- drawing --- */

static int draw_name(const struct hf_name_change *change, uint64_t generation, void *arg)
{
	bool absent = change->removed || (change->flags & HF_REC_WITHDRAWN);
	struct hf_pass *p = arg;

	if (absent && p->full)
		return 0;
	return hf_wanted_add(p->picture, &change->name, change->addr,
	    (uint8_t)((absent ? HF_ITEM_ABSENT : 0) |
		      (change->flags & HF_REC_PRIMARY ? HF_ITEM_PRIMARY : 0)));
}

/* What was not confirmed is put once more; what the log says of the same name counts. */
static int draw_unconfirmed(struct hf_pass *p, const struct hf_pass *before)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < before->n_sample; i++) {
		const struct hf_expect *e = &before->sample[i];

		if (!e->absent)
			rc = hf_wanted_add(p->picture, &e->record.name, e->record.addr,
			    (uint8_t)(HF_ITEM_AGAIN | (e->record.primary ? HF_ITEM_PRIMARY : 0)));
	}
	return rc;
}

int hf_pass_new_full(const struct hf_pass_env *env, bool refill, struct hf_pass **ret_pass)
{
	const uint64_t *n = env->outbox->ledger.counts;
	struct hf_pass *p = NULL;
	int rc = pass_new(env, 0, &p);

	if (rc)
		return rc;
	rc = hf_store_walk_new(env->peer->store, &p->walk);
	if (!rc) {
		p->state = PASS_DRAWING;
		p->full = true;
		p->refill = refill;
		p->fresh = refill || n[ROW_PUT] + n[ROW_TRIED] + n[ROW_STALE] == 0;
		p->target = hf_store_walk_generation(p->walk);
	}
	return pass_made(p, rc, ret_pass);
}

int hf_pass_new_log(
    const struct hf_pass_env *env, const struct hf_pass *before, struct hf_pass **ret_pass)
{
	uint64_t since = env->outbox->ledger.cursor.generation;
	struct hf_pass *p = NULL;
	int rc = pass_new(env, hf_store_generation(env->peer->store), &p);

	if (rc)
		return rc;
	p->unconfirmed = before && before->unconfirmed;
	if (p->unconfirmed)
		rc = draw_unconfirmed(p, before);
	if (!rc)
		rc = hf_outbox_draw_aside(env->outbox, p->picture);
	if (!rc)
		rc = hf_store_names_since(env->peer->store, since, draw_name, p);
	if (!rc)
		rc = pass_sealed(p);
	return pass_made(p, rc, ret_pass);
}

int hf_pass_new_repairs(
    const struct hf_pass_env *env, struct hf_wanted *repairs, struct hf_pass **ret_pass)
{
	struct hf_pass *p = NULL;
	int rc = pass_new(env, env->outbox->ledger.cursor.generation, &p);

	if (rc) {
		hf_wanted_free(repairs);
		return rc;
	}
	hf_wanted_free(p->picture);
	p->picture = repairs;
	return pass_made(p, pass_sealed(p), ret_pass);
}

static struct hf_feed_step pass_draw(struct hf_pass *p)
{
	int64_t begun = hf_feed_peer_now(p->env.peer);
	int rc;

	do {
		rc = hf_store_walk_step(p->walk, DRAW_NAMES, draw_name, p);
	} while (rc == 1 && !hf_pass_slice_is_over(p, begun));
	if (rc == 1)
		return hf_feed_again();
	hf_store_walk_free(p->walk);
	p->walk = NULL;
	if (!rc)
		rc = pass_sealed(p);
	return rc ? hf_feed_store_refused(rc) : hf_feed_again();
}

/* --- driven --- */

struct hf_feed_step hf_pass_step(struct hf_pass *p)
{
	switch (p->state) {
	case PASS_DRAWING:
		return pass_draw(p);
	case PASS_PUTTING:
		return hf_pass_put(p);
	case PASS_TAKING:
		return hf_pass_take(p);
	case PASS_CONFIRMING:
	case PASS_SEEING_OFF:
		return hf_pass_confirm(p);
	case PASS_DONE:
		break;
	}
	return hf_feed_again();
}

void hf_pass_told(void *arg, const struct hf_change *change, enum hf_fate fate)
{
	bool put = change->op == HF_CHANGE_PUT;
	struct hf_pass *p = arg;

	if (fate != HF_FATE_DONE)
		return;
	p->n_put += put;
	p->n_taken += !put;
	hf_pass_sample_add(p, &change->record, !put);
}
