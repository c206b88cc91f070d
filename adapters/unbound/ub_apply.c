/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_apply: a batch, in phases: what is added, what gets another address, what goes; then the same
 * for the PTR records. Names share commands, sized by the pace. Where unbound removes single
 * records a name that gets another address has both between two commands. Where it can only remove
 * all of a name, that name is removed and added back to back, by itself: it is away for the time of
 * one command.
 *
 * The last record of a name goes with the name, also where single records can be removed: of a
 * record unbound keeps the empty set, so the name would go on to exist. And PTR records always go
 * so: unbound (1.26.1) takes no lock when it removes a record, and moves the lengths of the others
 * before their data, which is only harmless where all have the same.
 *
 * Each command ends before the next one begins; a receipt speaks for the whole batch, and a batch
 * that failed on its way is applied again from its beginning.
 */
#include "adapters/unbound/ub_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/error.h"

enum { PAUSE_LEAST_US = 1000 }; /* what the loop can wait */

static void next_command(struct hf_ub *a);

/* --- the plan --- */

static bool is_whole(const struct hf_ub *a, const struct hf_name *name)
{
	int i = hf_ub_zone_of(a, name);

	return i >= 0 && a->zones[i].state == HF_UBZONE_WHOLE;
}

static int compare_addrs(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* The addresses whose PTR records the batch sets, sorted. NULL: no memory. */
static uint8_t (*set_addrs(const struct hf_batch *batch, size_t *ret_n))[16]
{
	uint8_t(*addrs)[16] = malloc((batch->n + 1) * sizeof(*addrs));
	size_t n = 0;

	if (!addrs)
		return NULL;
	for (size_t i = 0; i < batch->n; i++)
		if (batch->at[i].op == HF_CHANGE_PUT && batch->at[i].record.primary)
			memcpy(addrs[n++], batch->at[i].record.addr, 16);
	qsort(addrs, n, sizeof(*addrs), compare_addrs);
	*ret_n = n;
	return addrs;
}

static uint8_t ub_fate_of(struct hf_ub_look *look)
{
	const struct hf_change *c = look->change;

	if (look->is != HF_LOOK_FOREIGN)
		return HF_FATE_DONE;
	if (c->op == HF_CHANGE_PUT)
		return HF_FATE_CLASH;
	/* Nothing of ours is there that could go, or it goes from between theirs. */
	if (look->plan == HF_PLAN_NONE || (look->a->session.able & HF_UB_RECORDS))
		return HF_FATE_DONE;
	return HF_FATE_CLASH;
}

static enum hf_plan plan_put_ptr(const struct hf_ub_look_ptr *ptr, bool whole)
{
	if (ptr->is == HF_LOOK_FOREIGN)
		return HF_PLAN_NONE;
	if (ptr->is != HF_LOOK_OURS)
		return HF_PLAN_ADD;
	if (!ptr->same || !ptr->ttl_ok)
		return HF_PLAN_SWAP;
	return whole ? HF_PLAN_NONE : HF_PLAN_ADD;
}

/* Of an address that goes: what points to the name, unless the batch has it point elsewhere. */
static void plan_take_ptr(struct hf_ub_look *look, uint8_t (*set)[16], size_t n_set)
{
	const struct hf_record *r = &look->change->record;

	if (r->primary && look->ptr.same && !bsearch(r->addr, set, n_set, 16, compare_addrs))
		look->ptr.plan = HF_PLAN_TAKE;
}

static void plan_one(
    struct hf_ub *a, struct hf_ub_look *look, uint8_t *fate, uint8_t (*set)[16], size_t n_set)
{
	const struct hf_change *c = look->change;
	bool whole = is_whole(a, &c->record.name);

	if (*fate == HF_FATE_DONE)
		*fate = ub_fate_of(look);
	if (*fate != HF_FATE_DONE) {
		look->plan = HF_PLAN_NONE;
		/* The name is theirs, too; the pointer to it is not. */
		if (*fate == HF_FATE_CLASH && c->op == HF_CHANGE_TAKE)
			plan_take_ptr(look, set, n_set);
		return;
	}
	/* What a whole, static zone answers is in it: nothing is to be written. */
	if (c->op == HF_CHANGE_PUT && look->plan == HF_PLAN_ADD && look->is == HF_LOOK_OURS &&
	    whole)
		look->plan = HF_PLAN_NONE;
	if (c->record.primary && c->op == HF_CHANGE_PUT)
		look->ptr.plan = plan_put_ptr(&look->ptr, whole);
	else if (c->op == HF_CHANGE_TAKE)
		plan_take_ptr(look, set, n_set);
	if (look->old_ptr.same && !bsearch(c->was, set, n_set, 16, compare_addrs))
		look->old_ptr.plan = HF_PLAN_TAKE;
}

/* --- receipts --- */

void hf_ub_apply_end(struct hf_ub *a)
{
	const struct hf_adapter_host *host = a->base.host;
	struct hf_receipt r = { .n_done = a->base.job.code ? 0 : a->batch.lent->n,
		.fates = a->batch.fates,
		.code = a->base.job.code,
		.text = a->base.job.text,
		.pause_us = a->batch.debt_us > 0 ? (uint32_t)a->batch.debt_us : 0,
		.next_max = HF_UB_BATCH };

	/* Also of a batch that failed on its way. */
	if (a->batch.wrote)
		hf_ub_start_file_touched(
		    a->start_file, a->batch.wrote_removal && !a->batch.file_first);
	a->batch.wrote = a->batch.wrote_removal = false;
	a->batch.lent = NULL;
	a->batch.debt_us = 0;
	hf_ub_cover_data_end(a);
	hf_ub_job_end(a);
	/* The host may give the next batch from within, or end the adapter. */
	host->applied(host->arg, &r);
}

/* --- commands --- */

static enum hf_plan plan_of(const struct hf_ub_look *look, enum hf_ub_phase phase)
{
	static const enum hf_plan wanted[] = { HF_PLAN_ADD, HF_PLAN_MOVE, HF_PLAN_SWAP,
		HF_PLAN_TAKE, HF_PLAN_ADD, HF_PLAN_SWAP, HF_PLAN_TAKE, HF_PLAN_TAKE };
	enum hf_plan plan = phase <= HF_PHASE_TAKE      ? look->plan
			    : phase < HF_PHASE_OLD_TAKE ? look->ptr.plan
							: look->old_ptr.plan;

	return plan == wanted[phase] ? plan : HF_PLAN_NONE;
}

/* The owner of the record that the phase is about. */
static void phase_subject(
    const struct hf_ub_look *look, enum hf_ub_phase phase, struct hf_name *ret_name)
{
	if (phase <= HF_PHASE_TAKE)
		*ret_name = look->change->record.name;
	else
		hf_ptr_name(
		    phase == HF_PHASE_OLD_TAKE ? look->change->was : look->change->record.addr,
		    ret_name);
}

/* A take that leaves other addresses of ours puts those back. */
static bool add_addrs(struct hf_ub *a, const struct hf_ub_look *look)
{
	const struct hf_change *c = look->change;
	bool added = true;

	if (c->op == HF_CHANGE_PUT)
		return hf_ub_command_aaaa(&a->command, &c->record.name, a->ttl_s, c->record.addr);
	for (size_t i = 0; i < look->n_addrs && added; i++)
		if (memcmp(look->addrs[i], c->record.addr, 16) != 0)
			added = hf_ub_command_aaaa(
			    &a->command, &c->record.name, a->ttl_s, look->addrs[i]);
	return added;
}

/*
 * Of the name: what goes, record by record. A take leaves other addresses, all else leaves none of
 * the old ones.
 */
static bool remove_addrs(struct hf_ub *a, const struct hf_ub_look *look)
{
	const struct hf_change *c = look->change;
	bool removed = true;

	for (size_t i = 0; i < look->n_addrs && removed; i++) {
		bool same = memcmp(look->addrs[i], c->record.addr, 16) == 0;

		if (!hf_addr_is_ours(look->addrs[i]) ||
		    (a->batch.phase == HF_PHASE_TAKE && !same) ||
		    (a->batch.phase == HF_PHASE_MOVE && same))
			continue;
		removed = hf_ub_command_remove_aaaa(&a->command, &c->record.name, look->addrs[i]);
	}
	return removed;
}

/* True: what goes of the name is not all of it. */
static bool goes_by_record(const struct hf_ub *a, const struct hf_ub_look *look)
{
	if (!(a->session.able & HF_UB_RECORDS) || a->batch.phase > HF_PHASE_TAKE)
		return false;
	return a->batch.phase == HF_PHASE_MOVE || look->others ||
	       (a->batch.phase == HF_PHASE_TAKE && look->n_addrs > 1);
}

static bool is_halved(enum hf_ub_phase phase)
{
	return phase == HF_PHASE_MOVE || phase == HF_PHASE_SWAP || phase == HF_PHASE_PTR_SWAP;
}

/* Whether the command under way removes: a move adds first. */
static bool phase_removes(const struct hf_ub *a)
{
	if (is_halved(a->batch.phase))
		return a->batch.half == (a->batch.phase == HF_PHASE_MOVE);
	return a->batch.phase != HF_PHASE_ADD && a->batch.phase != HF_PHASE_PTR_ADD;
}

static bool add_words(struct hf_ub *a, const struct hf_ub_look *look, const struct hf_name *name)
{
	const struct hf_record *r = &look->change->record;

	if (phase_removes(a))
		return goes_by_record(a, look) ? remove_addrs(a, look)
					       : hf_ub_command_remove(&a->command, name);
	return a->batch.phase <= HF_PHASE_TAKE
		   ? add_addrs(a, look)
		   : hf_ub_command_ptr(&a->command, r->addr, a->ttl_s, &r->name);
}

/* The zone of what is added, once a command. */
static bool add_head(struct hf_ub *a, const struct hf_name *name)
{
	int i = a->batch.phase <= HF_PHASE_TAKE ? hf_ub_zone_of(a, name) : -1;

	if (phase_removes(a))
		return true;
	if (a->batch.phase > HF_PHASE_TAKE && a->session.reverse_ours && !a->batch.headed_reverse) {
		a->batch.headed_reverse = true;
		return hf_ub_command_soa(&a->command, &hf_addr_reverse_apex, a->ttl_s);
	}
	if (i < 0 || a->batch.headed & (UINT64_C(1) << i))
		return true;
	a->batch.headed |= UINT64_C(1) << i;
	return hf_ub_command_soa(&a->command, &a->zones[i].name, a->ttl_s);
}

static bool ub_apply_add_line(struct hf_ub *a, const struct hf_ub_look *look)
{
	struct hf_name name;

	phase_subject(look, a->batch.phase, &name);
	if (!add_head(a, &name) || !add_words(a, look, &name))
		return false;
	hf_ub_cover_touch(a, &name);
	return true;
}

/* One by one. */
static bool is_swap(enum hf_ub_phase phase)
{
	return is_halved(phase) && phase != HF_PHASE_MOVE;
}

static struct hf_ub_pace *pace_of(struct hf_ub *a)
{
	return a->batch.phase <= HF_PHASE_TAKE ? &a->batch.pace : &a->batch.pace_ptr;
}

/* What was refused among several lines is found line by line; alone, it is unfit. */
static bool judge_reply(struct hf_ub *a, const struct hf_ub_reply *reply)
{
	long all = (long)(a->command.n + a->command.n_zones), n;
	char text[HF_UB_TEXT_MAX];

	if (reply->code) {
		hf_ub_step_control_failed(a, reply->code);
		return false;
	}
	n = hf_ub_command_n_taken(reply->text, text, sizeof(text));
	if (n == all)
		return true;
	/* A record that others have removed meanwhile is gone, too. */
	if (n >= 0 && n < all && phase_removes(a) && (a->session.able & HF_UB_RECORDS) &&
	    strncmp(text, "error", 5) == 0)
		return true;
	if (n < 0 || n > all || phase_removes(a)) {
		hf_ub_step_fail(a, HF_EREFUSED, "unbound says: %s", text);
		return false;
	}
	if (a->command.n > 1 && !is_swap(a->batch.phase)) {
		a->batch.single = a->batch.upto;
		a->batch.upto = a->batch.at;
		return true;
	}
	a->batch.fates[a->batch.upto - 1] = HF_FATE_UNFIT;
	return true;
}

static void on_ub_applied(const struct hf_ub_reply *reply, void *arg)
{
	struct hf_ub *a = arg;
	struct timeval tv = { 0 };

	if (!judge_reply(a, reply)) {
		hf_ub_step_begin(a, hf_ub_apply_end);
		hf_ub_step_end(a);
		return;
	}
	a->batch.debt_us += hf_ub_pace_took(pace_of(a), a->command.n, reply->took_us);
	/* Nobody waits between the two halves. */
	if (is_halved(a->batch.phase) && !a->batch.half && a->batch.upto > a->batch.at) {
		a->batch.half = true;
		a->batch.half_upto = a->batch.upto;
		next_command(a);
		return;
	}
	a->batch.half = false;
	a->batch.at = a->batch.upto;
	if (a->batch.debt_us < PAUSE_LEAST_US) {
		next_command(a);
		return;
	}
	tv.tv_usec = a->batch.debt_us < 900000 ? a->batch.debt_us : 900000;
	a->batch.debt_us = 0;
	event_add(a->batch.pause, &tv);
}

void hf_ub_apply_go_on(struct hf_ub *a)
{
	next_command(a);
}

/* Fills the command from a->batch.at on; up to a->batch.upto all are in it or not of this phase. */
static void fill_command(struct hf_ub *a)
{
	size_t max = is_swap(a->batch.phase) || a->batch.at < a->batch.single ? 1 : pace_of(a)->now;
	size_t end = a->batch.half ? a->batch.half_upto : a->batch.lent->n;
	size_t i = a->batch.at, n = 0;

	a->batch.headed = 0;
	a->batch.headed_reverse = false;
	hf_ub_command_begin(&a->command, phase_removes(a) ? "local_datas_remove" : "local_datas");
	for (; i < end && n < max; i++) {
		if (plan_of(&a->batch.looked[i], a->batch.phase) == HF_PLAN_NONE ||
		    a->batch.fates[i] == HF_FATE_UNFIT)
			continue;
		if (!ub_apply_add_line(a, &a->batch.looked[i]))
			break;
		n++;
	}
	a->batch.upto = i;
	hf_ub_command_end(&a->command);
}

static void next_command(struct hf_ub *a)
{
	int rc;

	while (a->batch.phase != HF_PHASE_END) {
		fill_command(a);
		if (a->command.n)
			break;
		/*
		 * Of a move whose second half removes nothing (all of it was refused) the rest goes
		 * on.
		 */
		if (a->batch.half) {
			a->batch.half = false;
			a->batch.at = a->batch.half_upto;
			continue;
		}
		a->batch.phase++;
		a->batch.at = 0;
		a->batch.single = 0;
	}
	if (a->batch.phase == HF_PHASE_END) {
		hf_ub_step_begin(a, hf_ub_apply_end);
		hf_ub_step_end(a);
		return;
	}
	a->batch.wrote = true;
	a->batch.wrote_removal = a->batch.wrote_removal || (a->batch.phase != HF_PHASE_ADD &&
							       a->batch.phase != HF_PHASE_PTR_ADD);
	rc = hf_ub_control_send(a->control, a->command.bytes, a->command.len, on_ub_applied, a);
	if (rc) {
		hf_ub_step_fail(a, rc, "%s", hf_strerror(rc));
		hf_ub_step_begin(a, hf_ub_apply_end);
		hf_ub_step_end(a);
	}
}

/* --- the steps of the job --- */

static bool takes_any(const struct hf_ub *a)
{
	for (size_t i = 0; i < a->batch.lent->n; i++)
		if (a->batch.looked[i].plan == HF_PLAN_TAKE ||
		    a->batch.looked[i].plan == HF_PLAN_SWAP ||
		    a->batch.looked[i].plan == HF_PLAN_MOVE)
			return true;
	return false;
}

static void begin_phases(struct hf_ub *a)
{
	a->batch.phase = HF_PHASE_ADD;
	a->batch.at = 0;
	a->batch.single = 0;
	a->batch.half = false;
	next_command(a);
}

static void after_looks(struct hf_ub *a)
{
	uint8_t(*set)[16];
	size_t n_set;

	set = a->base.job.code ? NULL : set_addrs(a->batch.lent, &n_set);
	if (!set) {
		hf_ub_step_fail(a, -ENOMEM, "%s", hf_strerror(-ENOMEM));
		hf_ub_apply_end(a);
		return;
	}
	for (size_t i = 0; i < a->batch.lent->n; i++)
		plan_one(a, &a->batch.looked[i], &a->batch.fates[i], set, n_set);
	free(set);
	a->batch.file_first =
	    takes_any(a) && hf_ub_start_file_before_removal(a->start_file, begin_phases);
	if (!a->batch.file_first)
		begin_phases(a);
}

static void after_session(struct hf_ub *a)
{
	if (a->base.job.code)
		hf_ub_apply_end(a);
	else
		hf_ub_look_all(a, after_looks);
}

static int ub_apply_reserve(struct hf_ub *a)
{
	size_t n = a->batch.lent->n;
	struct hf_ub_look *looked;
	uint8_t *fates;

	if (n <= a->batch.looked_cap)
		return 0;
	looked = realloc(a->batch.looked, n * sizeof(*looked));
	if (looked)
		a->batch.looked = looked;
	fates = realloc(a->batch.fates, n);
	if (fates)
		a->batch.fates = fates;
	if (!looked || !fates)
		return -ENOMEM;
	a->batch.looked_cap = n;
	return 0;
}

void hf_ub_apply_begin(struct hf_ub *a)
{
	if (ub_apply_reserve(a)) {
		hf_ub_step_fail(a, -ENOMEM, "%s", hf_strerror(-ENOMEM));
		hf_ub_step_begin(a, hf_ub_apply_end);
		hf_ub_step_end(a);
		return;
	}
	hf_ub_session_ensure(a, after_session);
}
