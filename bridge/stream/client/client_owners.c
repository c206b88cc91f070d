/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The owners that a client follows: which there are, when each gets a new snapshot, and what
 * becomes of one whose call the server ends. One owner's trouble is not the others'.
 */
#include "bridge/stream/client/client_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/timing.h"

enum {
	AGAIN_MS = 60 * 1000, /* snapshots out of turn of one owner: at most so often */
	ASKED_AT_ONCE = 64,   /* owners about whom the state is asked */
	ASK_AGAIN_MS = 20,
	FIRST_MOST_MS = 3600 * 1000, /* a snapshot, however steadily it comes */
};

static int make_call(void *arg, const struct hf_uuid *owner, uint32_t *ret_call)
{
	return hf_stack_call(arg, owner, ret_call);
}

static void pause_call(void *arg, uint32_t call, bool paused)
{
	hf_stack_pause(arg, call, paused);
}

static void cancel_call(void *arg, uint32_t call)
{
	hf_stack_cancel(arg, call);
}

static const struct hf_call_ops calls = { make_call, pause_call, cancel_call };

/* --- by call --- */

static uint32_t *client_call_place(struct hf_client *c, uint32_t call)
{
	size_t at = (call * 2654435761u) & c->by_call_mask;

	while (c->by_call[at] && !hf_owner_stream_is(&c->owners[c->by_call[at] - 1], call))
		at = (at + 1) & c->by_call_mask;
	return &c->by_call[at];
}

static void index_call(struct hf_client *c, struct hf_owner_stream *f, uint32_t call)
{
	uint32_t *place = call ? client_call_place(c, call) : NULL;

	if (!place || *place)
		return;
	*place = (uint32_t)(f - c->owners) + 1;
	c->n_by_call++;
}

/* What ended leaves its place taken, so all is done anew now and then. */
static void index_calls(struct hf_client *c)
{
	memset(c->by_call, 0, (c->by_call_mask + 1) * sizeof(*c->by_call));
	c->n_by_call = 0;
	for (size_t i = 0; i < c->n_owners; i++) {
		index_call(c, &c->owners[i], c->owners[i].live);
		index_call(c, &c->owners[i], c->owners[i].opening);
	}
}

/* Room for two calls of each owner, and as much again for what ended. NULL: no memory. */
static uint32_t *make_index(size_t n_owners, size_t *ret_mask)
{
	size_t room = 64;

	while (room < 8 * n_owners)
		room *= 2;
	*ret_mask = room - 1;
	return calloc(room, sizeof(uint32_t));
}

struct hf_owner_stream *hf_client_owner_of(struct hf_client *c, uint32_t call)
{
	uint32_t *place = c->by_call && call ? client_call_place(c, call) : NULL;

	return place && *place ? &c->owners[*place - 1] : NULL;
}

/* --- those whose snapshot is to come --- */

static void drop_opened(struct hf_client *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_opening; i++)
		if (c->opening[i]->opening)
			c->opening[n++] = c->opening[i];
	c->n_opening = n;
}

static void list_opening(struct hf_client *c)
{
	c->n_opening = 0;
	for (size_t i = 0; i < c->n_owners && c->n_opening < HF_OPENING_MAX; i++)
		if (c->owners[i].opening)
			c->opening[c->n_opening++] = &c->owners[i];
}

void hf_client_await_again(struct hf_client *c, int64_t now_ms)
{
	for (size_t i = 0; i < c->n_opening; i++) {
		struct hf_patience *p = &c->opening[i]->first;

		hf_patience_begin(p, p->silence_ms, p->most_ms, now_ms, p->bytes);
	}
}

/* --- the list --- */

static int client_owner_compare(const void *a, const void *b)
{
	const struct hf_owner_stream *const *x = a, *const *y = b;

	return memcmp(&(*x)->owner.id, &(*y)->owner.id, sizeof((*x)->owner.id));
}

static void sort_owners(struct hf_owner_stream *owners, size_t n, struct hf_owner_stream **by_id)
{
	for (size_t i = 0; i < n; i++)
		by_id[i] = &owners[i];
	if (n)
		qsort(by_id, n, sizeof(struct hf_owner_stream *), client_owner_compare);
}

static struct hf_owner_stream *find_owner(const struct hf_client *c, const struct hf_uuid *id)
{
	struct hf_owner_stream key = { .owner.id = *id }, *at = &key, **found = NULL;

	if (c->n_owners)
		found = bsearch(&at, c->by_id, c->n_owners, sizeof(struct hf_owner_stream *),
		    client_owner_compare);
	return found ? *found : NULL;
}

/* What is known of an owner whom REST names; `before` may be NULL. */
static void client_owner_take(const struct hf_client *c, const struct hf_owner_stream *before,
    const struct hf_owner_info *told, struct hf_owner_stream *ret_next)
{
	struct hf_owner_stream next = { .wanted = true };

	if (before)
		next = *before;
	next.owner = *told;
	/* The rights of a connection that is open are those from before it. */
	if (!before || c->state != CLIENT_LIVE)
		next.granted = told->readable;
	*ret_next = next;
}

int hf_client_set_owners(struct hf_client *c, const struct hf_server_info *told, size_t max)
{
	size_t room = told->n_owners + (told->complete ? 0 : c->n_owners), n = told->n_owners;
	struct hf_owner_stream *next = calloc(room, sizeof(*next));
	struct hf_owner_stream **by_id = calloc(room + 1, sizeof(struct hf_owner_stream *));
	size_t mask;
	uint32_t *by_call = make_index(room, &mask);

	if (!next || !by_id || !by_call) {
		free(next);
		free(by_id);
		free(by_call);
		return -ENOMEM;
	}
	for (size_t i = 0; i < c->n_owners; i++)
		c->owners[i].named = false;
	for (size_t i = 0; i < told->n_owners; i++) {
		struct hf_owner_stream *before = find_owner(c, &told->owners[i].id);

		if (before)
			before->named = true;
		client_owner_take(c, before, &told->owners[i], &next[i]);
	}
	/* One who is not named goes, but not by a list that is not whole. */
	for (size_t i = 0; i < c->n_owners; i++) {
		if (c->owners[i].named)
			continue;
		if (!told->complete && n < max)
			next[n++] = c->owners[i];
		else if (c->stack)
			hf_owner_stream_stop(&c->owners[i], &calls, c->stack);
	}
	sort_owners(next, n, by_id);
	free(c->by_id);
	free(c->owners);
	c->by_id = by_id;
	free(c->by_call);
	c->owners = next;
	c->n_owners = n;
	c->by_call = by_call;
	c->by_call_mask = mask;
	index_calls(c);
	list_opening(c);
	c->any_wanted = true;
	c->owners_next_ms = 0;
	c->n_to_ask = n;
	hf_client_unsettle(c);
	return 0;
}

void hf_client_unsettle(struct hf_client *c)
{
	c->settled = false;
	c->n_settled = 0;
}

void hf_client_check_settled(struct hf_client *c)
{
	if (c->settled)
		return;
	while (c->n_settled < c->n_owners && c->owners[c->n_settled].live)
		c->n_settled++;
	if (c->n_settled < c->n_owners)
		return;
	if (c->told->complete)
		c->ops->settled(c->arg, c->told);
	c->settled = true;
}

/* --- snapshots --- */

int64_t hf_client_again_ms(const struct hf_client *c)
{
	int64_t interval = c->settings->snapshot_interval_ms;

	return interval < AGAIN_MS ? interval : AGAIN_MS;
}

int64_t hf_client_interval_ms(const struct hf_client *c)
{
	int64_t interval = c->settings->snapshot_interval_ms;

	return hf_client_between(interval * 13 / 16, interval * 15 / 16);
}

void hf_client_open_calls(struct hf_client *c, int64_t now_ms)
{
	size_t left = c->n_owners; /* to look at */

	drop_opened(c);
	for (; c->any_wanted && left && c->n_opening < HF_OPENING_MAX; left--) {
		struct hf_owner_stream *f = &c->owners[c->turn++ % c->n_owners];

		if (!f->wanted || f->opening)
			continue;
		if (hf_owner_stream_open(f, &calls, c->stack))
			return; /* the connection is over, which its end will tell */
		hf_patience_begin(
		    &f->first, c->settings->timeouts.first_message_ms, FIRST_MOST_MS, now_ms, 0);
		c->opening[c->n_opening++] = f;
		if (c->n_by_call > c->by_call_mask / 2)
			index_calls(c);
		else
			index_call(c, f, f->opening);
	}
	c->any_wanted &= left > 0;
}

static int64_t owner_next(const struct hf_owner_stream *f)
{
	int64_t due = f->again_ms ? f->again_ms : INT64_MAX;

	return f->live && f->due_ms ? hf_time_sooner(due, f->due_ms) : due;
}

/* At a multiple of `slot`, so that many owners do not wake us one by one. */
static int64_t in_slot(int64_t at_ms, int64_t slot_ms)
{
	return slot_ms > 1 ? (at_ms + slot_ms - 1) / slot_ms * slot_ms : at_ms;
}

/* When the next snapshot of an owner is due in turn. */
static int64_t client_owner_next_due(const struct hf_client *c, const struct hf_owner_stream *f)
{
	int64_t now = hf_boot_ms(c->clock), interval = c->settings->snapshot_interval_ms;
	int64_t second = c->settings->timeouts.second_snapshot_ms, slot = second / 16;
	int64_t due = now + hf_client_interval_ms(c);

	/* What happened while the first was made may have got lost at the server. */
	if (f->taken == 0)
		return hf_time_sooner(
		    due, in_slot(now + hf_client_between(second, 2 * second - slot), slot));
	/* From here on the owners are spread over the interval. */
	if (f->taken == 1)
		due = now + hf_client_between(interval / 8, interval * 15 / 16);
	return in_slot(due, interval / 256);
}

static void note_next(struct hf_client *c, const struct hf_owner_stream *f)
{
	c->owners_next_ms = hf_time_sooner(c->owners_next_ms, owner_next(f));
}

void hf_client_accepted(struct hf_client *c, struct hf_owner_stream *f)
{
	hf_owner_stream_accepted(f, &calls, c->stack);
	f->again_ms = 0;
	f->problem = NULL;
	f->refused = false;
	f->due_ms = client_owner_next_due(c, f);
	f->taken += f->taken < 2;
	note_next(c, f);
}

void hf_client_want_again(struct hf_client *c, struct hf_owner_stream *f)
{
	int64_t now = hf_boot_ms(c->clock);

	if (f->wanted || f->opening)
		return;
	if (f->last_refused_ms && now - f->last_refused_ms < hf_client_again_ms(c))
		return;
	f->last_refused_ms = now;
	f->wanted = c->any_wanted = true;
}

void hf_client_give_up(struct hf_client *c, struct hf_owner_stream *f)
{
	hf_owner_stream_give_up(f, &calls, c->stack);
}

/* --- trouble --- */

/* Is there still one who has, or may get, a stream? */
static bool any_hope(const struct hf_client *c)
{
	for (size_t i = 0; i < c->n_owners; i++) {
		const struct hf_owner_stream *f = &c->owners[i];

		if (f->live || f->opening || f->wanted)
			return true;
	}
	return false;
}

bool hf_client_snapshot_failed(
    struct hf_client *c, struct hf_owner_stream *f, const struct hf_problem *problem)
{
	f->again_ms = hf_boot_ms(c->clock) + hf_client_again_ms(c);
	f->problem = hf_problem_text(problem->code);
	note_next(c, f);
	if (f->live) {
		hf_log_debug("source '%s': the new snapshot of '%s' failed: %s", c->settings->name,
		    f->owner.name, problem->text);
		return true;
	}
	hf_client_unsettle(c);
	if (!any_hope(c))
		return false;
	hf_log_debug("source '%s': no stream of '%s': %s; it is tried again", c->settings->name,
	    f->owner.name, problem->text);
	return true;
}

/* The same for an owner whose stream is over. */
static bool owner_stream_over(
    struct hf_client *c, struct hf_owner_stream *f, const struct hf_problem *problem)
{
	f->problem = hf_problem_text(problem->code);
	if (f->opening)
		return true; /* the next snapshot is on its way */
	hf_client_unsettle(c);
	if (!any_hope(c))
		return false;
	hf_log_debug("source '%s': no stream of '%s': %s; it is tried again", c->settings->name,
	    f->owner.name, problem->text);
	hf_client_want_again(c, f);
	if (!f->wanted)
		f->again_ms = hf_boot_ms(c->clock) + hf_client_again_ms(c);
	f->problem = hf_problem_text(problem->code);
	note_next(c, f);
	return true;
}

bool hf_client_call_ended(
    struct hf_client *c, struct hf_owner_stream *f, uint32_t call, const struct hf_problem *problem)
{
	bool opening = hf_owner_stream_is(f, call) == CALL_IS_OPENING;

	hf_owner_stream_ended(f, call, &calls, c->stack);
	return opening ? hf_client_snapshot_failed(c, f, problem)
		       : owner_stream_over(c, f, problem);
}

/* --- time --- */

/* Some at a time, until all were asked since the last change. */
static void ask_state(struct hf_client *c)
{
	for (size_t i = 0; i < ASKED_AT_ONCE && c->n_to_ask; i++, c->n_to_ask--) {
		struct hf_owner_stream *f = &c->owners[c->asked++ % c->n_owners];

		if (f->live && c->ops->wants_snapshot(c->arg, &f->owner.id))
			hf_client_want_again(c, f);
	}
}

void hf_client_ask_state(struct hf_client *c)
{
	c->n_to_ask = c->n_owners;
}

void hf_client_owners_due(struct hf_client *c, int64_t now_ms)
{
	ask_state(c);
	if (now_ms < c->owners_next_ms)
		return;
	c->owners_next_ms = INT64_MAX;
	for (size_t i = 0; i < c->n_owners; i++) {
		struct hf_owner_stream *f = &c->owners[i];
		bool again = f->again_ms && now_ms >= f->again_ms;
		bool due = f->live && f->due_ms && now_ms >= f->due_ms;

		if (again || due) {
			f->again_ms = 0;
			f->due_ms = 0;
			f->wanted = !f->opening;
			c->any_wanted |= f->wanted;
		}
		note_next(c, f);
	}
}

int64_t hf_client_owners_next(const struct hf_client *c)
{
	int64_t again = hf_boot_ms(c->clock) + ASK_AGAIN_MS;

	return c->n_to_ask ? hf_time_sooner(again, c->owners_next_ms) : c->owners_next_ms;
}

bool hf_client_any_wanted(struct hf_client *c)
{
	bool wanted = false;

	for (size_t i = 0; i < c->n_owners && c->any_wanted && !wanted; i++)
		wanted = c->owners[i].wanted;
	c->any_wanted = wanted;
	return wanted;
}

bool hf_client_readable_changed(const struct hf_client *c)
{
	for (size_t i = 0; i < c->n_owners; i++) {
		const struct hf_owner_stream *f = &c->owners[i];

		if (f->owner.readable != READABLE_UNKNOWN && f->owner.readable != f->granted)
			return true;
	}
	return false;
}

void hf_client_forget_calls(struct hf_client *c)
{
	for (size_t i = 0; i < c->n_owners; i++) {
		struct hf_owner_stream *f = &c->owners[i];

		f->live = f->opening = 0;
		f->again_ms = f->due_ms = 0;
		f->taken = 0;
		f->wanted = true;
	}
	c->n_opening = 0;
	c->any_wanted = true;
	c->owners_next_ms = INT64_MAX;
	if (c->by_call)
		index_calls(c);
	hf_client_unsettle(c);
}

bool hf_client_owner(const struct hf_client *c, const struct hf_uuid *owner,
    struct hf_client_owner_status *ret_status)
{
	const struct hf_owner_stream *f = find_owner(c, owner);
	int64_t wait;

	if (!f)
		return false;
	*ret_status = (struct hf_client_owner_status){ .live = f->live != 0,
		.opening = f->opening != 0,
		.problem = f->problem,
		.next_try_ms = -1 };
	if (f->problem && !f->opening && c->state == CLIENT_LIVE) {
		wait = f->again_ms ? f->again_ms - hf_boot_ms(c->clock) : 0;
		ret_status->next_try_ms = wait > 0 ? wait : 0;
	}
	return true;
}
