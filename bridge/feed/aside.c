/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/feed/aside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

void hf_aside_init(
    struct hf_aside *s, const struct hf_clock *clock, uint32_t floor_ms, uint32_t cap_ms)
{
	memset(s, 0, sizeof(*s));
	s->clock = clock;
	s->floor_ms = floor_ms;
	s->cap_ms = cap_ms < floor_ms ? floor_ms : cap_ms;
}

void hf_aside_done(struct hf_aside *s)
{
	free(s->changes);
	s->changes = NULL;
	s->n = s->size = 0;
}

static struct hf_aside_change *aside_find(
    const struct hf_aside *s, const struct hf_name *name, const uint8_t addr[16])
{
	for (size_t i = 0; i < s->n; i++) {
		struct hf_aside_change *c = &s->changes[i];

		if (!memcmp(c->record.addr, addr, sizeof(c->record.addr)) &&
		    hf_name_equal(&c->record.name, name))
			return c;
	}
	return NULL;
}

bool hf_aside_has(const struct hf_aside *s, const struct hf_name *name, const uint8_t addr[16])
{
	return aside_find(s, name, addr);
}

bool hf_aside_puts(const struct hf_aside *s, const uint8_t addr[16])
{
	for (size_t i = 0; i < s->n; i++)
		if (!s->changes[i].take &&
		    !memcmp(s->changes[i].record.addr, addr, sizeof(s->changes[i].record.addr)))
			return true;
	return false;
}

static struct hf_aside_change *aside_add(struct hf_aside *s)
{
	struct hf_aside_change *c;

	if (s->n == HF_ASIDE_MAX)
		return NULL;
	if (s->n == s->size) {
		size_t size = s->size ? s->size * 2 : 8;

		c = reallocarray(s->changes, size, sizeof(*c));
		if (!c)
			return NULL;
		s->changes = c;
		s->size = size;
	}
	c = &s->changes[s->n++];
	memset(c, 0, sizeof(*c));
	c->wait = (struct hf_backoff){ .floor_ms = s->floor_ms, .cap_ms = s->cap_ms };
	return c;
}

/* Of two addresses that are to be put for a name the later one counts. */
static void aside_overtake(struct hf_aside *s, const struct hf_record *record)
{
	for (size_t i = 0; i < s->n; i++) {
		struct hf_record *r = &s->changes[i].record;

		if (hf_name_equal(&r->name, &record->name) &&
		    memcmp(r->addr, record->addr, sizeof(r->addr)) != 0)
			s->changes[i].take = true;
	}
}

bool hf_aside_failed(struct hf_aside *s, const struct hf_record *record, bool take, uint8_t kind,
    int64_t least_ms, const char *why)
{
	struct hf_aside_change *c = aside_find(s, &record->name, record->addr);
	int64_t wait;

	if (!c)
		c = aside_add(s);
	if (!c)
		return false;
	c->record = *record;
	c->take = take;
	c->kind = kind;
	if (!take)
		aside_overtake(s, record);
	wait = hf_backoff_fail(&c->wait);
	if (least_ms > s->cap_ms)
		least_ms = s->cap_ms;
	c->at = hf_boot_ms(s->clock) + (wait < least_ms ? least_ms : wait);
	snprintf(c->why, sizeof(c->why), "%s", why);
	return true;
}

void hf_aside_drop(struct hf_aside *s, const struct hf_name *name, const uint8_t addr[16])
{
	struct hf_aside_change *c = aside_find(s, name, addr);

	if (!c)
		return;
	s->n--;
	memmove(c, c + 1, (size_t)(s->changes + s->n - c) * sizeof(*c));
}

int64_t hf_aside_wait(const struct hf_aside *s)
{
	int64_t now = hf_boot_ms(s->clock), wait = -1;

	for (size_t i = 0; i < s->n && wait; i++) {
		int64_t left = s->changes[i].at > now ? s->changes[i].at - now : 0;

		if (wait < 0 || left < wait)
			wait = left;
	}
	return wait;
}

const struct hf_aside_change *hf_aside_next(struct hf_aside *s, bool take)
{
	int64_t now = hf_boot_ms(s->clock);

	for (size_t i = 0; i < s->n; i++) {
		struct hf_aside_change *c = &s->changes[i];

		if (c->at > now || c->take != take)
			continue;
		c->at = now + s->cap_ms;
		return c;
	}
	return NULL;
}

const struct hf_aside_change *hf_aside_first(const struct hf_aside *s, uint8_t kind)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->changes[i].kind == kind)
			return &s->changes[i];
	return NULL;
}
