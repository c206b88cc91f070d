/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message of the stream that is too large for one turn of the loop: the state takes it up in
 * slices, one with each hf_engine_work(), and nothing else is done with the state meanwhile.
 * Nothing of it is committed before its end: a crash in between leaves what was. Whoever it came
 * from may be gone by then; it was whole, and so it counts.
 */
#include "bridge/engine/engine_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * Records, names and addresses of one slice: 1 to 6 ms, and 15 where a table of 300,000 names grows
 * in it.
 */
enum { SLICE_ITEMS = 2000 };

static void engine_took_update(struct hf_engine *c, const char *source,
    const struct hf_update *update, int rc, const struct hf_judgement *j)
{
	if (!rc && j->verdict == HF_VERDICT_ACCEPTED) {
		/* A diff proves life; only a snapshot says that the owner is as it is here. */
		hf_engine_beat(
		    c, source, update->kind == HF_UPDATE_SNAPSHOT ? &update->owner : NULL, true);
		c->accepted = true;
	}
	c->tick_at = 0;
}

int hf_engine_update(struct hf_engine *c, const char *source, const struct hf_update *update,
    struct hf_judgement *ret_judgement)
{
	int rc;

	memset(ret_judgement, 0, sizeof(*ret_judgement));
	if (hf_engine_busy(c))
		return -EBUSY;
	rc = hf_state_update(c->state, source, update, hf_engine_now(c), ret_judgement);
	engine_took_update(c, source, update, rc, ret_judgement);
	return rc;
}

static struct hf_engine_outcome *find_outcome(struct hf_engine *c, const char *source)
{
	for (size_t i = 0; i < HF_ZONE_SOURCES_MAX; i++)
		if (c->outcomes[i].known && !strcmp(c->outcomes[i].source, source))
			return &c->outcomes[i];
	return NULL;
}

/* The place by number was perhaps another's, who does not ask any more. */
static void note_outcome(struct hf_engine *c, int rc, const struct hf_judgement *j)
{
	struct hf_engine_outcome *o = find_outcome(c, c->message.source);

	if (!o)
		o = &c->outcomes[c->message.rid];
	o->known = true;
	memcpy(o->source, c->message.source, sizeof(o->source));
	o->rc = rc;
	o->judgement = *j;
}

int hf_engine_update_begin(struct hf_engine *c, const char *source, struct hf_update *update,
    void (*release)(struct hf_update *update), struct hf_judgement *ret_judgement)
{
	struct hf_engine_message m = { .update = update, .release = release };
	uint32_t owner;
	int rc;

	memset(ret_judgement, 0, sizeof(*ret_judgement));
	if (hf_engine_busy(c))
		return -EBUSY;
	rc = hf_state_update_begin(
	    c->state, source, update, hf_engine_now(c), SLICE_ITEMS, ret_judgement);
	if (rc != 1) {
		engine_took_update(c, source, update, rc, ret_judgement);
		return rc;
	}
	hf_state_find(c->state, source, NULL, &m.rid, &owner);
	snprintf(m.source, sizeof(m.source), "%s", source);
	c->message = m;
	return 1;
}

int hf_engine_update_slice(struct hf_engine *c)
{
	struct hf_engine_message *m = &c->message;
	struct hf_judgement j = { .verdict = HF_VERDICT_REFUSED };
	int rc;

	if (!m->update)
		return 0;
	rc = hf_state_update_step(c->state, SLICE_ITEMS, &j);
	if (rc == 1)
		return 1;
	engine_took_update(c, m->source, m->update, rc, &j);
	note_outcome(c, rc, &j);
	hf_engine_update_drop(c);
	hf_engine_take_signs(c);
	return 0;
}

void hf_engine_update_drop(struct hf_engine *c)
{
	if (c->message.update)
		c->message.release(c->message.update);
	c->message.update = NULL;
}

int hf_engine_outcome(struct hf_engine *c, const char *source, struct hf_judgement *ret_judgement)
{
	struct hf_engine_outcome *o = find_outcome(c, source);

	if (c->message.update && !strcmp(c->message.source, source))
		return 1;
	memset(ret_judgement, 0, sizeof(*ret_judgement));
	if (!o)
		return -ENOENT;
	o->known = false;
	*ret_judgement = o->judgement;
	return o->rc;
}
