/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs of life of sources and owners, and their end. Readers of the zone see them at once. The
 * state may be lent to the store or to a large message: then the last sign of each source waits
 * here until the state is its own again.
 */
#include "bridge/engine/engine_private.h"

#include <stdio.h>

#include "base/clock.h"
#include "config/config.h"

enum { PULSE_RETRY_MS = 1000 };

bool hf_engine_updating(const struct hf_engine *c)
{
	return c->message.update;
}

bool hf_engine_busy(const struct hf_engine *c)
{
	return c->applying || hf_engine_updating(c);
}

void hf_engine_beat(struct hf_engine *c, const char *source, const struct hf_uuid *owner, bool live)
{
	uint32_t source_rid, owner_rid;

	if (!hf_state_find(c->state, source, owner, &source_rid, &owner_rid))
		return;
	hf_publish_source(c->publish, (uint16_t)source_rid, live);
	if (owner_rid != UINT32_MAX)
		hf_publish_owner(c->publish, (uint16_t)owner_rid);
}

/*
 * What readers see of it they see at once; the state hears of it when it is its own again. The last
 * sign counts: of a connection that ended and came back within a second nothing else is left.
 */
static void engine_sign(struct hf_engine *c, const char *source, int what)
{
	struct hf_when now = hf_engine_now(c);
	uint32_t rid, owner;

	if (!hf_engine_busy(c)) {
		if (what == HF_SIGN_CONTACT)
			hf_state_contact(c->state, source, now);
		else
			hf_state_away(c->state, source, now);
	} else if (hf_state_find(c->state, source, NULL, &rid, &owner)) {
		c->signs[rid].what = what;
		c->signs[rid].at = now;
		snprintf(c->signs[rid].source, sizeof(c->signs[rid].source), "%s", source);
	}
	hf_engine_beat(
	    c, source, NULL, what == HF_SIGN_CONTACT && !hf_state_identity_held(c->state, source));
}

void hf_engine_contact(struct hf_engine *c, const char *source)
{
	engine_sign(c, source, HF_SIGN_CONTACT);
}

void hf_engine_away(struct hf_engine *c, const char *source)
{
	engine_sign(c, source, HF_SIGN_AWAY);
	c->tick_at = 0;
}

void hf_engine_take_signs(struct hf_engine *c)
{
	for (size_t i = 0; i < HF_ZONE_SOURCES_MAX; i++) {
		struct hf_engine_sign *s = &c->signs[i];

		if (s->what == HF_SIGN_CONTACT)
			hf_state_contact(c->state, s->source, s->at);
		else if (s->what == HF_SIGN_AWAY)
			hf_state_away(c->state, s->source, s->at);
		s->what = HF_SIGN_NONE;
	}
}

void hf_engine_applied(struct hf_engine *c, bool committed)
{
	c->applying = c->written = false;
	if (committed)
		hf_state_committed(c->state);
	else
		hf_state_not_committed(c->state);
	hf_engine_take_signs(c);
}

static int source_down(const struct hf_source_view *view, void *arg)
{
	if (!view->heard)
		hf_publish_source(arg, (uint16_t)view->row->rid, false);
	return 0;
}

static int owner_down(
    const struct hf_source_view *source, const struct hf_owner_view *owner, void *arg)
{
	(void)source;
	if (!owner->accepted && owner->row->rid < HF_ZONE_OWNERS_MAX)
		hf_publish_owner_down(arg, (uint16_t)owner->row->rid);
	return 0;
}

static int source_seen(const struct hf_source_view *view, void *arg)
{
	struct hf_engine *c = arg;
	uint32_t rid = view->row->rid;

	hf_state_set_seen(c->state, rid, UINT32_MAX,
	    hf_publish_seen_ms(c->publish, (uint16_t)rid, UINT32_MAX), hf_engine_now(c));
	return 0;
}

static int owner_seen(
    const struct hf_source_view *source, const struct hf_owner_view *owner, void *arg)
{
	struct hf_engine *c = arg;
	uint32_t rid = owner->row->rid;

	if (rid < HF_ZONE_OWNERS_MAX)
		hf_state_set_seen(c->state, source->row->rid, rid,
		    hf_publish_seen_ms(c->publish, (uint16_t)source->row->rid, rid),
		    hf_engine_now(c));
	return 0;
}

int64_t hf_engine_pulse_look(struct hf_engine *c)
{
	int64_t now = hf_boot_ms(c->clock);
	int rc;

	/* The owners of half a message are not looked at. */
	if (hf_engine_updating(c))
		return -1;
	if (now < c->pulse_at)
		return c->pulse_failed ? c->pulse_at - now : -1;
	rc = hf_publish_pulse_look(c->publish);
	if (rc || c->pulse_failed) {
		hf_state_each_source(c->state, hf_engine_now(c), source_seen, c);
		hf_state_each_owner(c->state, hf_engine_now(c), owner_seen, c);
	}
	c->pulse_failed = rc;
	c->pulse_at = now + (rc ? PULSE_RETRY_MS : c->config->pulse_interval_ms);
	return rc ? PULSE_RETRY_MS : -1;
}

void hf_engine_look(struct hf_engine *c)
{
	c->pulse_at = 0;
	hf_engine_pulse_look(c);
}

void hf_engine_pulse_down(struct hf_engine *c)
{
	hf_state_each_source(c->state, hf_engine_now(c), source_down, c->publish);
	hf_state_each_owner(c->state, hf_engine_now(c), owner_down, c->publish);
}
