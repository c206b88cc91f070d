/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/feed/feed_kit.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const uint8_t prefix[15] = { 0xfd, 0x60, 0x62, 0x7a, 0xa4, 0x2b };
static struct desk *current; /* open() has no argument of ours */

struct hf_adapter {
	struct desk *desk;
};

static void text_of(const struct hf_name *name, char out[80])
{
	char text[HF_NAME_TEXT_MAX];

	snprintf(out, 80, "%.79s", hf_name_text(name, text));
}

static void record_of(const char *name, uint8_t addr, struct hf_record *ret)
{
	memset(ret, 0, sizeof(*ret));
	ck_assert_int_eq(hf_name_parse(name, &ret->name), 0);
	memcpy(ret->addr, prefix, sizeof(prefix));
	ret->addr[15] = addr;
}

/* --- the resolver's table --- */

static struct desk_record *find(struct desk *d, const char *name, int addr, bool foreign)
{
	for (size_t i = 0; i < d->r.n; i++) {
		struct desk_record *r = &d->r.at[i];

		if (r->foreign == foreign && (addr < 0 || r->addr == addr) &&
		    !strcmp(r->name, name))
			return r;
	}
	return NULL;
}

const struct desk_record *desk_find(const struct desk *d, const char *name, bool foreign)
{
	return find((struct desk *)d, name, -1, foreign);
}

static void add(struct desk *d, const char *name, uint8_t addr, bool primary, bool foreign)
{
	struct desk_record *r = find(d, name, addr, foreign);

	if (r) {
		r->primary = primary;
		return;
	}
	if (d->r.n == d->r.size) {
		d->r.size = d->r.size ? d->r.size * 2 : 64;
		d->r.at = realloc(d->r.at, d->r.size * sizeof(d->r.at[0]));
		ck_assert_ptr_nonnull(d->r.at);
	}
	r = &d->r.at[d->r.n++];
	memset(r, 0, sizeof(*r));
	snprintf(r->name, sizeof(r->name), "%s", name);
	r->addr = addr;
	r->primary = primary;
	r->foreign = foreign;
}

static void drop(struct desk *d, struct desk_record *r)
{
	if (r)
		*r = d->r.at[--d->r.n];
}

void desk_foreign(struct desk *d, const char *name, uint8_t addr)
{
	add(d, name, addr, false, true);
}

void desk_ghost(struct desk *d, const char *name, uint8_t addr, bool primary)
{
	add(d, name, addr, primary, false);
}

void desk_unforeign(struct desk *d, const char *name)
{
	drop(d, find(d, name, -1, true));
}

void desk_remove(struct desk *d, const char *name)
{
	drop(d, find(d, name, -1, false));
}

void desk_restart(struct desk *d)
{
	for (size_t i = d->r.n; i-- > 0;)
		if (!d->r.at[i].foreign)
			drop(d, &d->r.at[i]);
}

static void note(struct desk *d, const char *what, const char *name, uint8_t addr)
{
	size_t len = strlen(d->r.log);

	snprintf(d->r.log + len, DESK_LOG - len, "%s %s %u;", what, name, addr);
}

void desk_clear_log(struct desk *d)
{
	struct desk_resolver *r = &d->r;

	r->log[0] = r->subjects[0] = '\0';
	r->n_failed = r->n_applies = r->n_puts = r->n_takes = r->n_verifies = r->n_asked =
	    r->n_lists = 0;
	r->n_completes = r->n_zones = r->n_empty = 0;
	r->largest_batch = 0;
}

/* --- the adapter --- */

static int fake_open(const struct hf_config_adapter *config, const struct hf_adapter_host *host,
    struct hf_adapter **ret_adapter)
{
	struct hf_adapter *a = calloc(1, sizeof(*a));

	ck_assert_ptr_nonnull(a);
	a->desk = current;
	current->host = host;
	*ret_adapter = a;
	return 0;
}

static void fake_close(struct hf_adapter *a)
{
	a->desk->r.batch = NULL;
	a->desk->r.expect = NULL;
	a->desk->r.listing = false;
	free(a);
}

static void fake_zones(
    struct hf_adapter *a, const struct hf_name *suffixes, size_t n, uint32_t ttl_s)
{
	struct desk_resolver *r = &a->desk->r;

	ck_assert_uint_le(n, 8);
	if (n)
		memcpy(r->zones, suffixes, n * sizeof(r->zones[0]));
	r->n_told = n;
	r->ttl_s = ttl_s;
	r->n_zones++;
}

static void fake_apply(struct hf_adapter *a, const struct hf_batch *batch)
{
	struct desk_resolver *r = &a->desk->r;

	ck_assert_ptr_null(r->batch);
	for (size_t i = 0; i < batch->n; i++)
		for (size_t j = 0; j < i && batch->n < 300; j++)
			ck_assert(
			    !hf_name_equal(&batch->at[i].record.name, &batch->at[j].record.name));
	r->batch = batch;
	r->done = 0;
	r->n_applies++;
	if (!batch->n)
		r->n_empty++;
	if (batch->n > r->largest_batch)
		r->largest_batch = batch->n;
}

static void fake_complete(struct hf_adapter *a, uint64_t generation)
{
	a->desk->r.n_completes++;
}

static void fake_list(struct hf_adapter *a)
{
	ck_assert(!a->desk->r.listing);
	a->desk->r.listing = true;
	a->desk->r.n_lists++;
}

static void fake_verify(struct hf_adapter *a, struct hf_expect *expect, size_t n)
{
	struct desk_resolver *r = &a->desk->r;

	ck_assert_ptr_null(r->expect);
	ck_assert_uint_le(n, HF_FEED_SAMPLE);
	r->expect = expect;
	r->n_expect = n;
	r->n_verifies++;
	r->n_asked += n;
}

/* --- its answers --- */

static size_t n_ours(const struct desk *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->r.n; i++)
		n += !d->r.at[i].foreign;
	return n;
}

static uint8_t do_put(struct desk *d, const struct hf_change *c, const char *name)
{
	bool there = find(d, name, -1, false);

	if (find(d, name, -1, true))
		return HF_FATE_CLASH;
	if (d->r.room && !there && n_ours(d) >= d->r.room)
		return HF_FATE_UNFIT;
	/* Who owns nothing replaces nothing. */
	if (!c->had && there && !find(d, name, c->record.addr[15], false))
		return HF_FATE_CLASH;
	d->r.n_puts++;
	note(d, "put", name, c->record.addr[15]);
	if (d->r.forgetful || (d->r.loses && strstr(name, d->r.loses)))
		return HF_FATE_DONE;
	if (c->had && memcmp(c->was, c->record.addr, 16))
		drop(d, find(d, name, c->was[15], false));
	if (!find(d, name, c->record.addr[15], false))
		d->r.unconfirmed++;
	add(d, name, c->record.addr[15], c->record.primary, false);
	return HF_FATE_DONE;
}

/* A take finds everything that is wanted in its place. */
static void look_at_order(struct desk *d)
{
	if (!d->check_order)
		return;
	if (d->r.unconfirmed)
		d->violations++;
	for (size_t i = 0; i < d->n_wanted; i++)
		if (!find(d, d->wanted[i].name, d->wanted[i].addr, false) &&
		    !find(d, d->wanted[i].name, -1, true))
			d->violations++;
}

static uint8_t do_take(struct desk *d, const struct hf_change *c, const char *name)
{
	look_at_order(d);
	if (find(d, name, -1, true))
		return HF_FATE_CLASH;
	d->r.n_takes++;
	note(d, "take", name, c->record.addr[15]);
	if (!d->r.forgetful && !(d->r.clings && strstr(name, d->r.clings)))
		drop(d, find(d, name, c->record.addr[15], false));
	return HF_FATE_DONE;
}

static void note_subject(struct desk *d, const struct hf_subject *s)
{
	size_t len = strlen(d->r.subjects);

	snprintf(d->r.subjects + len, DESK_LOG - len, "%s/%s;", s->owner ? s->owner : "-",
	    s->agent ? s->agent : "-");
}

/* The first change of the batch that it cannot bear; n: there is none. */
static size_t poisoned_at(const struct desk *d)
{
	const struct hf_batch *b = d->r.batch;
	char name[80];
	size_t i = 0;

	for (; i < b->n; i++) {
		text_of(&b->at[i].record.name, name);
		if (d->r.poison && strstr(name, d->r.poison))
			break;
	}
	return i;
}

static size_t limit(const struct desk *d)
{
	size_t n = d->r.lazy ? 0 : d->r.batch->n, poisoned = poisoned_at(d);

	if (poisoned < n)
		n = d->r.poison_late ? poisoned : 0;

	return d->r.take_max && d->r.take_max < n ? d->r.take_max : n;
}

static uint8_t do_change(struct desk *d, const struct hf_change *c)
{
	char name[80];

	text_of(&c->record.name, name);
	note_subject(d, &c->subject);
	if (d->r.fails && strstr(name, d->r.fails)) {
		d->r.n_failed++;
		hf_fake_clock_add(&d->fx.clock, d->r.slow_ms);
		note(
		    d, c->op == HF_CHANGE_PUT ? "fail put" : "fail take", name, c->record.addr[15]);
		return HF_FATE_FAILED;
	}
	return c->op == HF_CHANGE_PUT ? do_put(d, c, name) : do_take(d, c, name);
}

/* One change at a time is in force; the receipt is a step of its own. */
static bool answer_apply(struct desk *d)
{
	static uint8_t fates[HF_OUTBOX_BATCH_MAX];
	static const char *whys[HF_OUTBOX_BATCH_MAX];
	const struct hf_batch *b = d->r.batch;
	struct hf_receipt receipt = { .text = "", .fates = fates, .whys = whys };

	if (!b || d->r.deaf)
		return false;
	if (!d->r.fail && d->r.done < limit(d)) {
		fates[d->r.done] = do_change(d, &b->at[d->r.done]);
		whys[d->r.done] = fates[d->r.done] == HF_FATE_FAILED ? "it cannot hold that" : NULL;
		d->r.done++;
		return true;
	}
	receipt.n_done = d->r.done;
	receipt.code = d->r.fail ? d->r.fail : poisoned_at(d) < b->n ? HF_EREFUSED : 0;
	receipt.text = d->r.fail ? "the resolver is away" : receipt.code ? "it chokes" : "";
	receipt.pause_us = d->r.pause_us;
	receipt.next_max = d->r.next_max;
	d->r.batch = NULL;
	d->host->applied(d->host->arg, &receipt);
	return true;
}

static enum hf_is is(struct desk *d, const struct hf_expect *e)
{
	struct desk_record *r;
	char name[80];

	text_of(&e->record.name, name);
	if (d->r.silent)
		return HF_IS_UNKNOWN;
	if (find(d, name, -1, true))
		return HF_IS_FOREIGN;
	r = find(d, name, e->record.addr[15], false);
	return !!r == !e->absent ? HF_IS_SO : HF_IS_NOT_SO;
}

static bool answer_verify(struct desk *d)
{
	struct hf_expect *e = d->r.expect;
	int code = d->r.verify_code;

	if (!e || d->r.mute)
		return false;
	for (size_t i = 0; i < d->r.n_expect && !code; i++)
		e[i].is = is(d, &e[i]);
	if (!code && !d->r.silent)
		d->r.unconfirmed = 0;
	d->r.expect = NULL;
	d->host->verified(d->host->arg, code, code ? "nobody is there" : "");
	return true;
}

static bool answer_list(struct desk *d)
{
	int code = d->r.refuses_list ? HF_ELIMIT : d->r.list_code;
	size_t n = code && d->r.list_max < d->r.n ? d->r.list_max : d->r.n;
	struct hf_record record;

	if (!d->r.listing)
		return false;
	for (size_t i = 0; i < n && !d->r.refuses_list; i++) {
		record_of(d->r.at[i].name, d->r.at[i].addr, &record);
		record.primary = d->r.at[i].primary;
		if (d->r.at[i].foreign)
			record.addr[0] = 0x20;
		d->host->listed(d->host->arg, &record, 1, 0, "");
	}
	d->r.listing = false;
	d->host->listed(d->host->arg, NULL, 0, code, code ? "no list today" : "");
	return true;
}

static const struct hf_adapter_type fake_type = {
	.name = "fake",
	.open = fake_open,
	.close = fake_close,
	.zones = fake_zones,
	.apply = fake_apply,
	.complete = fake_complete,
	.list = fake_list,
	.verify = fake_verify,
};

/* --- the desk --- */

void desk_init(struct desk *d)
{
	memset(d, 0, sizeof(*d));
	fixture_init(&d->fx);
	fixture_open(&d->fx);
	d->type = fake_type;
	d->conf = (struct hf_feed_conf){ .name = "fake",
		.type = &d->type,
		.verify_ms = 10000,
		.floor_ms = 50,
		.cap_ms = 5000,
		.failed_ms = 30000,
		.skipped_ms = 60000 };
	d->check_order = true;
	ck_assert_int_eq(hf_store_set_ready(d->fx.store), 0);
}

void desk_done(struct desk *d)
{
	desk_stop(d);
	fixture_done(&d->fx);
	free(d->r.at);
	ck_assert_uint_eq(d->violations, 0);
}

static void wake(void *arg)
{
	((struct desk *)arg)->woken = true;
}

/* Lent for the call only: it is overwritten by the next. */
static bool subject(void *arg, const struct hf_record *record, struct hf_subject *ret_subject)
{
	static char owner[80], agent[8];

	if (!((struct desk *)arg)->with_subject)
		return false;
	text_of(&record->name, owner);
	snprintf(agent, sizeof(agent), "%u", record->addr[15]);
	ret_subject->owner = owner;
	ret_subject->agent = agent;
	return true;
}

void desk_start(struct desk *d)
{
	const struct hf_feed_env env = { .clock = &d->fx.clock.clock,
		.store = d->fx.store,
		.wake = wake,
		.subject = subject,
		.arg = d };
	struct hf_name suffix;

	current = d;
	ck_assert_int_eq(hf_feed_new(&env, &d->conf, &d->feed), 0);
	ck_assert_int_eq(hf_name_parse("coder", &suffix), 0);
	hf_feed_set_zones(d->feed, &suffix, 1, 30);
}

void desk_stop(struct desk *d)
{
	hf_feed_free(d->feed);
	d->feed = NULL;
}

void desk_kill(struct desk *d)
{
	struct hf_ledger *l = &d->feed->outbox.ledger;

	/* What waits was never written. */
	l->n_set = l->n_gone = 0;
	l->cursor_moved = false;
	desk_stop(d);
	fixture_crash(&d->fx);
	fixture_open(&d->fx);
}

void desk_lose_store(struct desk *d)
{
	desk_stop(d);
	fixture_close(&d->fx);
	fixture_sweep(&d->fx);
	fixture_open(&d->fx);
	ck_assert_int_eq(hf_store_set_ready(d->fx.store), 0);
	d->source_written = false;
	d->n_changes = 0; /* nor does the new one know of what was removed */
	for (size_t i = 0; i < d->n_wanted; i++) {
		struct desk_wanted w = d->wanted[i];

		desk_set(d, w.name, w.addr, w.flags);
	}
	desk_commit(d);
}

/* --- names --- */

static struct desk_wanted *wanted(struct desk *d, const char *name)
{
	for (size_t i = 0; i < d->n_wanted; i++)
		if (!strcmp(d->wanted[i].name, name))
			return &d->wanted[i];
	return NULL;
}

static struct hf_name_change *change(struct desk *d, const char *name)
{
	struct hf_name_change *c = &d->changes[d->n_changes++];

	ck_assert_uint_le(d->n_changes, DESK_NAMES);
	memset(c, 0, sizeof(*c));
	ck_assert_int_eq(hf_name_parse(name, &c->name), 0);
	c->owner = c->agent = UINT32_MAX;
	c->why = HF_WHY_SNAPSHOT;
	return c;
}

void desk_set(struct desk *d, const char *name, uint8_t addr, uint8_t flags)
{
	struct hf_name_change *c = change(d, name);
	struct desk_wanted *w = wanted(d, name);

	memcpy(c->addr, prefix, sizeof(prefix));
	c->addr[15] = addr;
	c->flags = flags;
	c->what = HF_WHAT_ADDED;
	if (!w) {
		ck_assert_uint_lt(d->n_wanted, DESK_NAMES);
		w = &d->wanted[d->n_wanted++];
		snprintf(w->name, sizeof(w->name), "%s", name);
	}
	w->addr = addr;
	w->flags = flags;
}

void desk_del(struct desk *d, const char *name)
{
	struct desk_wanted *w = wanted(d, name);
	struct hf_name_change *c = change(d, name);

	/* As it was, as the state tells it. */
	ck_assert_ptr_nonnull(w);
	memcpy(c->addr, prefix, sizeof(prefix));
	c->addr[15] = w->addr;
	c->flags = w->flags;
	c->removed = true;
	*w = d->wanted[--d->n_wanted];
}

/* The names are rows that came out of a zone: of those the store makes names as they are. */
void desk_commit(struct desk *d)
{
	struct hf_source_row source = {
		.name = "main", .url = "https://x", .withdrawn = d->withdrawn
	};
	struct hf_row_change row = { .kind = HF_ROW_SOURCE, .row.source = &source };
	struct hf_restored_row restored[DESK_NAMES];
	struct hf_name gone[DESK_NAMES];
	struct hf_changeset set = { .rows = &row,
		.n_rows = 1,
		.names = d->changes,
		.n_names = d->n_changes,
		.restored = restored,
		.restored_gone = gone,
		.wall_s = FIXTURE_WALL_S };

	ck_assert_int_eq(hf_name_parse("coder", &source.suffix), 0);
	memset(restored, 0, sizeof(restored));
	for (size_t i = 0; i < d->n_changes; i++) {
		const struct hf_name_change *c = &d->changes[i];

		if (c->removed) {
			gone[set.n_restored_gone++] = c->name;
			continue;
		}
		restored[set.n_restored].name = c->name;
		memcpy(restored[set.n_restored].addr, c->addr, 16);
		restored[set.n_restored++].primary = c->flags & HF_REC_PRIMARY;
	}
	ck_assert_int_eq(hf_store_apply(d->fx.store, &set), 0);
	d->n_changes = 0;
	d->source_written = true;
}

/* --- time --- */

bool desk_step(struct desk *d)
{
	d->woken = false;
	if (answer_apply(d) || answer_verify(d) || answer_list(d))
		return true;
	return hf_feed_work(d->feed) == 0 || d->woken || (d->r.batch && !d->r.deaf) ||
	       (d->r.expect && !d->r.mute) || d->r.listing;
}

void desk_run(struct desk *d, int64_t ms)
{
	int64_t end = hf_boot_ms(&d->fx.clock.clock) + ms;
	unsigned idle = 0;

	for (;;) {
		int64_t left = end - hf_boot_ms(&d->fx.clock.clock), wait;

		if (desk_step(d)) {
			ck_assert_uint_lt(idle++, 200000);
			continue;
		}
		idle = 0;
		if (left <= 0)
			return;
		wait = hf_feed_work(d->feed);
		if (d->r.batch || d->r.expect || d->r.listing) {
			if (!d->r.deaf && !d->r.mute)
				continue;
			wait = left;
		}
		if (wait < 0 || wait > left)
			wait = left;
		hf_fake_clock_add(&d->fx.clock, wait ? wait : 1);
	}
}

void desk_settle(struct desk *d)
{
	for (unsigned i = 0; i < 600; i++) {
		desk_run(d, 1000);
		if (desk_status(d).state == HF_FEED_SYNCED && !d->feed->checker.repairs)
			return;
	}
	ck_abort_msg("the feed is not synced after ten minutes: %s, %s",
	    hf_feed_state_name(desk_status(d).state), desk_status(d).last_error);
}

struct hf_feed_status desk_status(const struct desk *d)
{
	struct hf_feed_status s;

	hf_feed_status(d->feed, &s);
	return s;
}

void desk_check(const struct desk *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n_wanted; i++) {
		const struct desk_wanted *w = &d->wanted[i];
		const struct desk_record *r = desk_find(d, w->name, false);

		if (desk_find(d, w->name, true))
			continue;
		ck_assert_msg(r, "'%s' is not there", w->name);
		ck_assert_msg(
		    r->addr == w->addr, "'%s' is %u and not %u", w->name, r->addr, w->addr);
		ck_assert_int_eq(r->primary, !!(w->flags & HF_REC_PRIMARY));
		n++;
	}
	ck_assert_msg(n == n_ours(d), "%zu names too many: %s is one of them", n_ours(d) - n,
	    d->r.n ? d->r.at[d->r.n - 1].name : "");
}
