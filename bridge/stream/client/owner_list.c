/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/owner_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/timing.h"
#include "bridge/stream/client/client_random.h"

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

struct hf_owner_stream *hf_owner_list_of_call(struct hf_owner_list *l, uint32_t call)
{
	return hf_call_index_find(&l->by_call, l->at, call);
}

/* --- those whose snapshot is to come --- */

static void drop_opened(struct hf_owner_list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_opening; i++)
		if (l->opening[i]->opening)
			l->opening[n++] = l->opening[i];
	l->n_opening = n;
}

static void list_opening(struct hf_owner_list *l)
{
	l->n_opening = 0;
	for (size_t i = 0; i < l->n && l->n_opening < HF_OPENING_MAX; i++)
		if (l->at[i].opening)
			l->opening[l->n_opening++] = &l->at[i];
}

/* --- the list --- */

/* Some owner has no snapshot of this connection any more. */
static void list_unsettle(struct hf_owner_list *l)
{
	l->settled = false;
	l->n_settled = 0;
}

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

static struct hf_owner_stream *find_owner(const struct hf_owner_list *l, const struct hf_uuid *id)
{
	struct hf_owner_stream key = { .owner.id = *id }, *at = &key, **found = NULL;

	if (l->n)
		found = bsearch(
		    &at, l->by_id, l->n, sizeof(struct hf_owner_stream *), client_owner_compare);
	return found ? *found : NULL;
}

const struct hf_owner_stream *hf_owner_list_find(
    const struct hf_owner_list *l, const struct hf_uuid *owner)
{
	return find_owner(l, owner);
}

/* What is known of an owner whom REST names; `before` may be NULL. */
static void client_owner_take(const struct hf_owner_list *l, const struct hf_owner_stream *before,
    const struct hf_owner_info *told, struct hf_owner_stream *ret_next)
{
	struct hf_owner_stream next = { .wanted = true };

	if (before)
		next = *before;
	next.owner = *told;
	/* The rights of a connection that is open are those from before it. */
	if (!before || !l->live)
		next.granted = told->readable;
	*ret_next = next;
}

int hf_owner_list_set(struct hf_owner_list *l, const struct hf_server_info *told, size_t max)
{
	size_t room = told->n_owners + (told->complete ? 0 : l->n), n = told->n_owners;
	struct hf_owner_stream *next = calloc(room, sizeof(*next));
	struct hf_owner_stream **by_id = calloc(room + 1, sizeof(struct hf_owner_stream *));
	struct hf_call_index by_call;

	if (hf_call_index_make(&by_call, room) || !next || !by_id) {
		free(next);
		free(by_id);
		free(by_call.at);
		return -ENOMEM;
	}
	for (size_t i = 0; i < l->n; i++)
		l->at[i].named = false;
	for (size_t i = 0; i < told->n_owners; i++) {
		struct hf_owner_stream *before = find_owner(l, &told->owners[i].id);

		if (before)
			before->named = true;
		client_owner_take(l, before, &told->owners[i], &next[i]);
	}
	/* One who is not named goes, but not by a list that is not whole. */
	for (size_t i = 0; i < l->n; i++) {
		if (l->at[i].named)
			continue;
		if (!told->complete && n < max)
			next[n++] = l->at[i];
		else if (l->stack)
			hf_owner_stream_stop(&l->at[i], &calls, l->stack);
	}
	sort_owners(next, n, by_id);
	free(l->by_id);
	free(l->at);
	l->by_id = by_id;
	free(l->by_call.at);
	l->at = next;
	l->n = n;
	l->by_call = by_call;
	hf_call_index_fill(&l->by_call, l->at, l->n);
	list_opening(l);
	l->any_wanted = true;
	l->next_ms = 0;
	l->n_to_ask = n;
	list_unsettle(l);
	return 0;
}

bool hf_owner_list_settles(struct hf_owner_list *l)
{
	if (l->settled)
		return false;
	while (l->n_settled < l->n && l->at[l->n_settled].live)
		l->n_settled++;
	l->settled = l->n_settled == l->n;
	return l->settled;
}

/* --- snapshots --- */

int64_t hf_owner_list_again_ms(const struct hf_stream_settings *settings)
{
	return hf_time_sooner(settings->snapshot_interval_ms, AGAIN_MS);
}

int64_t hf_owner_list_interval_ms(const struct hf_stream_settings *settings)
{
	int64_t interval = settings->snapshot_interval_ms;

	return hf_client_between(interval * 13 / 16, interval * 15 / 16);
}

void hf_owner_list_open_calls(struct hf_owner_list *l, int64_t now_ms)
{
	size_t left = l->n; /* to look at */

	drop_opened(l);
	for (; l->any_wanted && left && l->n_opening < HF_OPENING_MAX; left--) {
		struct hf_owner_stream *f = &l->at[l->turn++ % l->n];

		if (!f->wanted || f->opening)
			continue;
		if (hf_owner_stream_open(f, &calls, l->stack))
			return; /* it is over, as its end tells; or no memory: again later */
		hf_patience_begin(
		    &f->first, l->settings->timeouts.first_message_ms, FIRST_MOST_MS, now_ms, 0);
		l->opening[l->n_opening++] = f;
		hf_call_index_add(&l->by_call, l->at, l->n, f);
	}
	l->any_wanted &= left > 0;
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
static int64_t client_owner_next_due(const struct hf_owner_list *l, const struct hf_owner_stream *f)
{
	int64_t now = hf_boot_ms(l->clock), interval = l->settings->snapshot_interval_ms;
	int64_t second = l->settings->timeouts.second_snapshot_ms, slot = second / 16;
	int64_t due = now + hf_owner_list_interval_ms(l->settings);

	/* What happened while the first was made may have got lost at the server. */
	if (f->taken == 0)
		return hf_time_sooner(
		    due, in_slot(now + hf_client_between(second, 2 * second - slot), slot));
	/* From here on the owners are spread over the interval. */
	if (f->taken == 1)
		due = now + hf_client_between(interval / 8, interval * 15 / 16);
	return in_slot(due, interval / 256);
}

static void note_next(struct hf_owner_list *l, const struct hf_owner_stream *f)
{
	l->next_ms = hf_time_sooner(l->next_ms, owner_next(f));
}

void hf_owner_list_accepted(struct hf_owner_list *l, struct hf_owner_stream *f)
{
	hf_owner_stream_accepted(f, &calls, l->stack);
	l->live = true;
	f->again_ms = 0;
	f->problem = NULL;
	f->refused = false;
	f->due_ms = client_owner_next_due(l, f);
	f->taken += f->taken < 2;
	note_next(l, f);
}

void hf_owner_list_want_again(struct hf_owner_list *l, struct hf_owner_stream *f)
{
	int64_t now = hf_boot_ms(l->clock);

	if (f->wanted || f->opening)
		return;
	if (f->last_refused_ms && now - f->last_refused_ms < hf_owner_list_again_ms(l->settings))
		return;
	f->last_refused_ms = now;
	f->wanted = l->any_wanted = true;
}

/* --- trouble --- */

/* Is there still one who has, or may get, a stream? */
static bool any_hope(const struct hf_owner_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct hf_owner_stream *f = &l->at[i];

		if (f->live || f->opening || f->wanted)
			return true;
	}
	return false;
}

static bool snapshot_failed(
    struct hf_owner_list *l, struct hf_owner_stream *f, const struct hf_problem *problem)
{
	f->again_ms = hf_boot_ms(l->clock) + hf_owner_list_again_ms(l->settings);
	f->problem = hf_problem_text(problem->code);
	note_next(l, f);
	if (f->live) {
		hf_log_debug("source '%s': the new snapshot of '%s' failed: %s", l->settings->name,
		    f->owner.name, problem->text);
		return true;
	}
	list_unsettle(l);
	if (!any_hope(l))
		return false;
	hf_log_debug("source '%s': no stream of '%s': %s; it is tried again", l->settings->name,
	    f->owner.name, problem->text);
	return true;
}

/* The same for an owner whose stream is over. */
static bool owner_stream_over(
    struct hf_owner_list *l, struct hf_owner_stream *f, const struct hf_problem *problem)
{
	f->problem = hf_problem_text(problem->code);
	if (f->opening)
		return true; /* the next snapshot is on its way */
	list_unsettle(l);
	if (!any_hope(l))
		return false;
	hf_log_debug("source '%s': no stream of '%s': %s; it is tried again", l->settings->name,
	    f->owner.name, problem->text);
	hf_owner_list_want_again(l, f);
	if (!f->wanted)
		f->again_ms = hf_boot_ms(l->clock) + hf_owner_list_again_ms(l->settings);
	f->problem = hf_problem_text(problem->code);
	note_next(l, f);
	return true;
}

bool hf_owner_list_give_up(
    struct hf_owner_list *l, struct hf_owner_stream *f, const struct hf_problem *problem)
{
	hf_owner_stream_give_up(f, &calls, l->stack);
	return snapshot_failed(l, f, problem);
}

bool hf_owner_list_call_ended(struct hf_owner_list *l, struct hf_owner_stream *f, uint32_t call,
    const struct hf_problem *problem)
{
	bool opening = hf_owner_stream_is(f, call) == CALL_IS_OPENING;

	hf_owner_stream_ended(f, call, &calls, l->stack);
	return opening ? snapshot_failed(l, f, problem) : owner_stream_over(l, f, problem);
}

/* --- time --- */

/* Some at a time, until all were asked since the last change. */
static void ask_state(struct hf_owner_list *l)
{
	for (size_t i = 0; i < ASKED_AT_ONCE && l->n_to_ask; i++, l->n_to_ask--) {
		struct hf_owner_stream *f = &l->at[l->asked++ % l->n];

		if (f->live && l->ops->wants_snapshot(l->ops_arg, &f->owner.id))
			hf_owner_list_want_again(l, f);
	}
}

void hf_owner_list_ask_state(struct hf_owner_list *l)
{
	l->n_to_ask = l->n;
}

void hf_owner_list_due(struct hf_owner_list *l, int64_t now_ms)
{
	ask_state(l);
	if (now_ms < l->next_ms)
		return;
	l->next_ms = INT64_MAX;
	for (size_t i = 0; i < l->n; i++) {
		struct hf_owner_stream *f = &l->at[i];
		bool again = f->again_ms && now_ms >= f->again_ms;
		bool due = f->live && f->due_ms && now_ms >= f->due_ms;

		if (again || due) {
			f->again_ms = 0;
			f->due_ms = 0;
			f->wanted = !f->opening;
			l->any_wanted |= f->wanted;
		}
		note_next(l, f);
	}
}

int64_t hf_owner_list_next(const struct hf_owner_list *l)
{
	int64_t again = hf_boot_ms(l->clock) + ASK_AGAIN_MS;

	return l->n_to_ask ? hf_time_sooner(again, l->next_ms) : l->next_ms;
}

bool hf_owner_list_any_wanted(struct hf_owner_list *l)
{
	bool wanted = false;

	for (size_t i = 0; i < l->n && l->any_wanted && !wanted; i++)
		wanted = l->at[i].wanted;
	l->any_wanted = wanted;
	return wanted;
}

bool hf_owner_list_readable_changed(const struct hf_owner_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct hf_owner_stream *f = &l->at[i];

		if (f->owner.readable != READABLE_UNKNOWN && f->owner.readable != f->granted)
			return true;
	}
	return false;
}

bool hf_owner_list_any_opening(const struct hf_owner_list *l)
{
	for (size_t i = 0; i < l->n_opening; i++)
		if (l->opening[i]->opening)
			return true;
	return false;
}

/* --- how long one is waited for --- */

void hf_owner_list_note_bytes(struct hf_owner_list *l, int64_t now_ms)
{
	for (size_t i = 0; i < l->n_opening; i++) {
		struct hf_owner_stream *f = l->opening[i];

		if (f->opening)
			hf_patience_note(
			    &f->first, now_ms, hf_stack_received(l->stack, f->opening));
	}
}

void hf_owner_list_await_again(struct hf_owner_list *l, int64_t now_ms)
{
	for (size_t i = 0; i < l->n_opening; i++) {
		struct hf_patience *p = &l->opening[i]->first;

		hf_patience_begin(p, p->silence_ms, p->most_ms, now_ms, p->bytes);
	}
}

struct hf_owner_stream *hf_owner_list_late(struct hf_owner_list *l, int64_t now_ms)
{
	for (size_t i = 0; i < l->n_opening; i++)
		if (l->opening[i]->opening && hf_patience_over(&l->opening[i]->first, now_ms))
			return l->opening[i];
	return NULL;
}

int64_t hf_owner_list_late_next(const struct hf_owner_list *l)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < l->n_opening; i++)
		if (l->opening[i]->opening)
			due = hf_time_sooner(due, hf_patience_next(&l->opening[i]->first));
	return due;
}

/* --- begin and end --- */

void hf_owner_list_attach(struct hf_owner_list *l, struct hf_stack *stack)
{
	l->stack = stack;
}

void hf_owner_list_done(struct hf_owner_list *l)
{
	free(l->at);
	free(l->by_id);
	free(l->by_call.at);
}

void hf_owner_list_detach(struct hf_owner_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct hf_owner_stream *f = &l->at[i];

		f->live = f->opening = 0;
		f->again_ms = f->due_ms = 0;
		f->taken = 0;
		f->wanted = true;
	}
	l->stack = NULL;
	l->live = false;
	l->n_opening = 0;
	l->any_wanted = true;
	l->next_ms = INT64_MAX;
	if (l->by_call.at)
		hf_call_index_fill(&l->by_call, l->at, l->n);
	list_unsettle(l);
}
