/*
 * The owners that a client follows: which there are, when each gets a new snapshot, and what becomes
 * of one whose call the server ends. One owner's trouble is not the others'.
 */
#include "bridge/stream/client_inner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { AGAIN_MS = 60 * 1000 }; /* snapshots out of turn of one owner: at most so often */

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

struct hf_followed *hf_client_owner_of(struct hf_client *c, uint32_t call)
{
	for (size_t i = 0; i < c->n_owners; i++)
		if (hf_followed_is(&c->owners[i], call))
			return &c->owners[i];
	return NULL;
}

/* --- the list --- */

static int compare(const void *a, const void *b)
{
	const struct hf_followed *const *x = a, *const *y = b;

	return memcmp(&(*x)->owner.id, &(*y)->owner.id, sizeof((*x)->owner.id));
}

/* An index of the owners there are, in the order of their ids. The caller frees it; NULL: no memory. */
static struct hf_followed **sort_owners(struct hf_client *c)
{
	struct hf_followed **sorted = calloc(c->n_owners + 1, sizeof(struct hf_followed *));

	for (size_t i = 0; sorted && i < c->n_owners; i++)
		sorted[i] = &c->owners[i];
	if (sorted)
		qsort(sorted, c->n_owners, sizeof(struct hf_followed *), compare);
	return sorted;
}

/* What is known of an owner whom REST names; `before` may be NULL. */
static void take_owner(const struct hf_client *c, const struct hf_followed *before,
    const struct hf_owner_told *told, struct hf_followed *ret_next)
{
	struct hf_followed next = { .wanted = true };

	if (before)
		next = *before;
	next.owner = *told;
	/* The rights of a connection that is open are those from before it. */
	if (!before || c->state != CLIENT_LIVE)
		next.granted = told->readable;
	*ret_next = next;
}

int hf_client_set_owners(struct hf_client *c, const struct hf_told *told, size_t max)
{
	size_t room = told->n_owners + (told->complete ? 0 : c->n_owners), n = told->n_owners;
	struct hf_followed *next = calloc(room, sizeof(*next));
	struct hf_followed **sorted = sort_owners(c);

	if (!next || !sorted) {
		free(next);
		free(sorted);
		return -ENOMEM;
	}
	for (size_t i = 0; i < c->n_owners; i++)
		c->owners[i].named = false;
	for (size_t i = 0; i < told->n_owners; i++) {
		struct hf_followed key = { .owner = told->owners[i] }, *at = &key;
		struct hf_followed **before =
		    bsearch(&at, sorted, c->n_owners, sizeof(struct hf_followed *), compare);

		if (before)
			(*before)->named = true;
		take_owner(c, before ? *before : NULL, &told->owners[i], &next[i]);
	}
	/* One who is not named goes, but not by a list that is not whole. */
	for (size_t i = 0; i < c->n_owners; i++) {
		if (c->owners[i].named)
			continue;
		if (!told->complete && n < max)
			next[n++] = c->owners[i];
		else if (c->stack)
			hf_followed_stop(&c->owners[i], &calls, c->stack);
	}
	free(sorted);
	free(c->owners);
	c->owners = next;
	c->n_owners = n;
	c->settled = false;
	return 0;
}

void hf_client_check_settled(struct hf_client *c)
{
	if (c->settled)
		return;
	for (size_t i = 0; i < c->n_owners; i++)
		if (!c->owners[i].live)
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
	size_t opening = 0;

	for (size_t i = 0; i < c->n_owners; i++)
		opening += c->owners[i].opening != 0;
	for (size_t i = 0; i < c->n_owners && opening < HF_OPENING_MAX; i++) {
		struct hf_followed *f = &c->owners[i];

		if (!f->wanted || f->opening)
			continue;
		if (hf_followed_open(f, &calls, c->stack))
			return; /* the connection is over, which its end will tell */
		f->asked_ms = now_ms;
		f->asked_at = hf_link_received(c->link);
		opening++;
	}
}

/* At a multiple of `slot`, so that many owners do not wake us one by one. */
static int64_t in_slot(int64_t at_ms, int64_t slot_ms)
{
	return slot_ms > 1 ? (at_ms + slot_ms - 1) / slot_ms * slot_ms : at_ms;
}

/* When the next snapshot of an owner is due in turn. */
static int64_t next_due(const struct hf_client *c, const struct hf_followed *f)
{
	int64_t now = hf_boot_ms(c->clock), interval = c->settings->snapshot_interval_ms;
	int64_t second = c->settings->timeouts.second_snapshot_ms, slot = second / 16;
	int64_t due = now + hf_client_interval_ms(c);

	/* What happened while the first was made may have got lost at the server. */
	if (f->taken == 0)
		return hf_sooner(due,
		    in_slot(now + hf_client_between(second, 2 * second - slot), slot));
	/* From here on the owners are spread over the interval. */
	if (f->taken == 1)
		due = now + hf_client_between(interval / 8, interval * 15 / 16);
	return in_slot(due, interval / 256);
}

void hf_client_accepted(struct hf_client *c, struct hf_followed *f)
{
	hf_followed_accepted(f, &calls, c->stack);
	f->again_ms = 0;
	f->refused = false;
	f->due_ms = next_due(c, f);
	f->taken += f->taken < 2;
}

void hf_client_want_again(struct hf_client *c, struct hf_followed *f)
{
	int64_t now = hf_boot_ms(c->clock);

	if (f->wanted || f->opening)
		return;
	if (f->last_refused_ms && now - f->last_refused_ms < hf_client_again_ms(c))
		return;
	f->last_refused_ms = now;
	f->wanted = true;
}

void hf_client_give_up(struct hf_client *c, struct hf_followed *f)
{
	hf_followed_give_up(f, &calls, c->stack);
}

/* --- trouble --- */

/* Is there still one who has, or may get, a stream? */
static bool any_hope(const struct hf_client *c)
{
	for (size_t i = 0; i < c->n_owners; i++) {
		const struct hf_followed *f = &c->owners[i];

		if (f->live || f->opening || f->wanted)
			return true;
	}
	return false;
}

void hf_client_snapshot_failed(
    struct hf_client *c, struct hf_followed *f, const struct hf_problem *problem)
{
	f->again_ms = hf_boot_ms(c->clock) + hf_client_again_ms(c);
	if (f->live) {
		hf_log_debug("source '%s': the new snapshot of '%s' failed: %s", c->settings->name,
		    f->owner.name, problem->text);
		return;
	}
	c->settled = false;
	if (!any_hope(c)) {
		hf_client_fail(c, problem);
		return;
	}
	hf_log_debug("source '%s': no stream of '%s': %s; it is tried again", c->settings->name,
	    f->owner.name, problem->text);
}

void hf_client_stream_ended(
    struct hf_client *c, struct hf_followed *f, const struct hf_problem *problem)
{
	if (f->opening)
		return; /* the next snapshot is on its way */
	c->settled = false;
	if (!any_hope(c)) {
		hf_client_fail(c, problem);
		return;
	}
	hf_log_debug("source '%s': no stream of '%s': %s; it is tried again", c->settings->name,
	    f->owner.name, problem->text);
	hf_client_want_again(c, f);
	if (!f->wanted)
		f->again_ms = hf_boot_ms(c->clock) + hf_client_again_ms(c);
}

void hf_client_call_ended(
    struct hf_client *c, struct hf_followed *f, uint32_t call, const struct hf_problem *problem)
{
	bool opening = hf_followed_is(f, call) == CALL_IS_OPENING;

	hf_followed_ended(f, call, &calls, c->stack);
	if (opening)
		hf_client_snapshot_failed(c, f, problem);
	else
		hf_client_stream_ended(c, f, problem);
}

/* --- time --- */

void hf_client_owners_due(struct hf_client *c, int64_t now_ms)
{
	for (size_t i = 0; i < c->n_owners; i++) {
		struct hf_followed *f = &c->owners[i];
		bool again = f->again_ms && now_ms >= f->again_ms;
		bool due = f->live && f->due_ms && now_ms >= f->due_ms;

		if (!again && !due)
			continue;
		f->again_ms = 0;
		f->due_ms = 0;
		f->wanted = !f->opening;
	}
	for (size_t i = 0; i < c->n_owners; i++)
		if (c->owners[i].live && c->ops->wants_snapshot(c->arg, &c->owners[i].owner.id))
			hf_client_want_again(c, &c->owners[i]);
}

int64_t hf_client_owner_next(const struct hf_followed *f)
{
	int64_t due = INT64_MAX;

	if (f->again_ms)
		due = f->again_ms;
	if (f->live && f->due_ms)
		due = hf_sooner(due, f->due_ms);
	return due;
}

bool hf_client_any_wanted(const struct hf_client *c)
{
	for (size_t i = 0; i < c->n_owners; i++)
		if (c->owners[i].wanted)
			return true;
	return false;
}

bool hf_client_readable_changed(const struct hf_client *c)
{
	for (size_t i = 0; i < c->n_owners; i++) {
		const struct hf_followed *f = &c->owners[i];

		if (f->owner.readable != READABLE_UNKNOWN && f->owner.readable != f->granted)
			return true;
	}
	return false;
}

void hf_client_forget_calls(struct hf_client *c)
{
	for (size_t i = 0; i < c->n_owners; i++) {
		struct hf_followed *f = &c->owners[i];

		f->live = f->opening = 0;
		f->again_ms = f->due_ms = 0;
		f->taken = 0;
		f->wanted = true;
	}
}
