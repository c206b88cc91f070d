/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/state/state_kit.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hf_uuid kit_id(unsigned n)
{
	struct hf_uuid id = { { 0x10 } };

	id.b[14] = (uint8_t)(n >> 8);
	id.b[15] = (uint8_t)n;
	return id;
}

struct hf_uuid kit_agent_id(unsigned n)
{
	struct hf_uuid id = { { 0x20, (uint8_t)(n >> 16) } };

	/* Numbers from 100000 on repeat the address of n - 100000. */
	n %= 100000;
	id.b[14] = (uint8_t)(n >> 8);
	id.b[15] = (uint8_t)n;
	return id;
}

static void start(struct kit *k, const struct hf_image *image)
{
	ck_assert_int_eq(hf_state_new(&k->conf, image, k->now, &k->state), 0);
}

static char me[] = "me", bob[] = "bob", carol[] = "carol";
static char *const owner_words[] = { me, bob, carol };

static void identify(struct kit *k)
{
	struct hf_uuid user = kit_id(1);
	struct hf_identity id = { .user = user,
		.user_name = "alice",
		.deployment_id = "d1",
		.rights = k->rights,
		.asked_ms = k->now.boot_ms };
	struct hf_judgement j;

	ck_assert_int_eq(hf_state_identify(k->state, "main", &id, k->now, &j), 0);
	ck_assert_int_eq(j.verdict, HF_VERDICT_ACCEPTED);
	ck_assert_int_eq(hf_state_owner_set(k->state, "main", &user, "Alice", k->now), 0);
	hf_state_owner_readable(k->state, "main", &user, READABLE_YES, k->now.boot_ms);
	hf_state_contact(k->state, "main", k->now);
}

struct kit *kit_new(void)
{
	static struct hf_name suffix;
	struct kit *k = calloc(1, sizeof(*k));

	ck_assert_ptr_nonnull(k);
	ck_assert_int_eq(hf_name_parse("coder", &suffix), 0);
	k->now = (struct hf_when){ .boot_ms = 1000000, .wall_s = 1700000000, .boot = kit_id(77) };
	k->sources[0] = (struct hf_state_source_conf){ .name = "main",
		.url = "https://c.example",
		.suffix = &suffix,
		.owners = owner_words,
		.n_owners = 1,
		.fresh_ms = 60000,
		.snapshot_ms = 600000 };
	k->conf = (struct hf_state_conf){ .sources = k->sources,
		.n_sources = 1,
		.guard_min = 3,
		.guard_percent = 50,
		.grace_ms = 600000 };
	start(k, NULL);
	kit_login(k);
	return k;
}

void kit_free(struct kit *k)
{
	hf_state_free(k->state);
	free(k);
}

static size_t gather(
    const struct kit *k, enum hf_row_kind kind, const void *rows, size_t size, void *out)
{
	size_t n = 0, max = kind == HF_ROW_TEXT ? sizeof(k->text_rows) / size : KIT_MAX;

	for (size_t i = 0; i < max; i++)
		if (k->has[kind][i])
			memcpy((char *)out + size * n++, (const char *)rows + size * i, size);
	return n;
}

void kit_restart(struct kit *k)
{
	struct hf_image image = {
		.sources = calloc(KIT_MAX, sizeof(*image.sources)),
		.owners = calloc(KIT_MAX, sizeof(*image.owners)),
		.workspaces = calloc(KIT_MAX, sizeof(*image.workspaces)),
		.agents = calloc(KIT_MAX, sizeof(*image.agents)),
		.holds = calloc(KIT_MAX, sizeof(*image.holds)),
		.texts = calloc(64, sizeof(*image.texts)),
		.restored = k->restored,
		.n_restored = k->n_restored,
		.next_workspace = k->max_ws + 1,
		.next_agent = k->max_agent + 1,
	};

	image.n_sources =
	    gather(k, HF_ROW_SOURCE, k->source_rows, sizeof(*image.sources), image.sources);
	image.n_owners =
	    gather(k, HF_ROW_OWNER, k->owner_rows, sizeof(*image.owners), image.owners);
	image.n_workspaces =
	    gather(k, HF_ROW_WORKSPACE, k->ws_rows, sizeof(*image.workspaces), image.workspaces);
	image.n_agents =
	    gather(k, HF_ROW_AGENT, k->agent_rows, sizeof(*image.agents), image.agents);
	image.n_holds = gather(k, HF_ROW_HOLD, k->hold_rows, sizeof(*image.holds), image.holds);
	image.n_texts = gather(k, HF_ROW_TEXT, k->text_rows, sizeof(*image.texts), image.texts);
	hf_state_free(k->state);
	start(k, &image);
	free(image.sources);
	free(image.owners);
	free(image.workspaces);
	free(image.agents);
	free(image.holds);
	free(image.texts);
}

static void store_row(struct kit *k, const struct hf_row_change *c)
{
	ck_assert_uint_lt(c->rid, KIT_MAX);
	/* Only what is there can go. */
	if (c->removed)
		ck_assert(k->has[c->kind][c->rid]);
	k->has[c->kind][c->rid] = !c->removed;
	if (c->removed)
		return;
	switch (c->kind) {
	case HF_ROW_SOURCE:
		k->source_rows[c->rid] = *c->row.source;
		break;
	case HF_ROW_OWNER:
		k->owner_rows[c->rid] = *c->row.owner;
		break;
	case HF_ROW_WORKSPACE:
		k->ws_rows[c->rid] = *c->row.workspace;
		k->max_ws = c->rid > k->max_ws ? c->rid : k->max_ws;
		break;
	case HF_ROW_AGENT:
		k->agent_rows[c->rid] = *c->row.agent;
		k->max_agent = c->rid > k->max_agent ? c->rid : k->max_agent;
		break;
	case HF_ROW_HOLD:
		k->hold_rows[c->rid] = *c->row.hold;
		break;
	case HF_ROW_TEXT:
		ck_assert_uint_lt(c->rid, sizeof(k->text_rows) / sizeof(k->text_rows[0]));
		k->text_rows[c->rid] = *c->row.text;
		break;
	case HF_ROW_LAST:
		break;
	}
}

static struct kit_name *name_slot(struct kit *k, const struct hf_name *name)
{
	struct kit_name *spare = NULL;

	for (size_t i = 0; i < KIT_MAX; i++) {
		if (k->names[i].used && hf_name_equal(&k->names[i].record.name, name))
			return &k->names[i];
		if (!k->names[i].used && !spare)
			spare = &k->names[i];
	}
	ck_assert_ptr_nonnull(spare);
	return spare;
}

static void store_restored(struct kit *k, const struct hf_changeset *c)
{
	for (size_t g = 0; g < c->n_restored_gone; g++)
		for (size_t i = 0; i < k->n_restored; i++)
			if (hf_name_equal(&k->restored[i].name, &c->restored_gone[g]))
				k->restored[i--] = k->restored[--k->n_restored];
	for (size_t r = 0; r < c->n_restored; r++) {
		size_t i = 0;

		while (
		    i < k->n_restored && !hf_name_equal(&k->restored[i].name, &c->restored[r].name))
			i++;
		k->restored[i] = c->restored[r];
		k->n_restored += i == k->n_restored;
	}
}

bool kit_commit(struct kit *k)
{
	const struct hf_changeset *c;
	int rc = hf_state_take(k->state, k->now, &c);

	ck_assert_int_ge(rc, 0);
	k->n_changed = 0;
	if (!rc)
		return false;
	for (size_t i = 0; i < c->n_rows; i++)
		store_row(k, &c->rows[i]);
	store_restored(k, c);
	for (size_t i = 0; i < c->n_names; i++) {
		struct hf_name_change change;
		struct kit_name *slot;

		hf_changeset_name(c, i, &change);
		slot = name_slot(k, &change.name);
		/* A minimal changeset: nothing goes that was not there. */
		ck_assert(slot->used || !change.removed);
		slot->used = !change.removed;
		slot->record = change;
	}
	k->n_changed = c->n_names;
	k->commits++;
	for (unsigned i = 0; i < k->commits % 4; i++)
		hf_state_lent_step(k->state, k->commits % 7);
	hf_state_committed(k->state);
	ck_assert_uint_eq(hf_state_sum(k->state), hf_state_count_sum(k->state));
	return true;
}

void kit_pass(struct kit *k, unsigned seconds, bool in_contact)
{
	for (unsigned i = 0; i < seconds; i++) {
		k->now.boot_ms += 1000;
		k->now.wall_s++;
		if (in_contact)
			hf_state_contact(k->state, "main", k->now);
		hf_state_tick(k->state, k->now);
	}
}

void kit_ask(struct kit *k)
{
	identify(k);
}

void kit_login(struct kit *k)
{
	kit_ask(k);
	k->connected_ms = k->now.boot_ms;
}

void kit_settled(struct kit *k, const unsigned *owners)
{
	static const char *const names[] = { "", "alice", "bob", "carol" };
	bool alice = false;

	identify(k);
	for (; *owners; owners++) {
		struct hf_uuid id = kit_id(*owners);

		alice = alice || *owners == 1;
		if (*owners != 1)
			ck_assert_int_eq(hf_state_owner_set(k->state, "main", &id,
					     *owners < 4 ? names[*owners] : "other", k->now),
			    0);
	}
	ck_assert(alice);
	ck_assert_int_eq(hf_state_owners_settled(k->state, "main", k->now), 0);
}

/* --- messages --- */

struct parsed {
	struct hf_update u;
	struct hf_update_workspace ws[KIT_MAX], ws_gone[KIT_MAX];
	struct hf_update_agent agents[KIT_MAX], agents_gone[KIT_MAX];
};

static const char *take_name(const char *at, struct hf_bytes *ret)
{
	ret->at = at;
	ret->len = (uint32_t)strcspn(at, ":, ");
	return at + ret->len;
}

static void parse_upserts(struct parsed *p, const char *at)
{
	while (*at) {
		struct hf_update_workspace *w = &p->ws[p->u.n_upserted_workspaces++];
		char *end;

		memset(w, 0, sizeof(*w));
		w->id = kit_id((unsigned)strtoul(at, &end, 10));
		w->status = HF_WS_RUNNING;
		at = take_name(end + 1, &w->name);
		while (*at == ':' || *at == ',') {
			struct hf_update_agent *a = &p->agents[p->u.n_upserted_agents++];

			a->id = kit_agent_id((unsigned)strtoul(at + 1, &end, 10));
			a->workspace = w->id;
			at = take_name(end + 1, &a->name);
		}
		at += *at == ' ';
	}
}

static void parse_gone(struct parsed *p, const char *at)
{
	while (*at) {
		unsigned ws, agent;
		char *end;

		ws = (unsigned)strtoul(at, &end, 10);
		if (*end == ':') {
			agent = (unsigned)strtoul(end + 1, &end, 10);
			p->agents_gone[p->u.n_deleted_agents].workspace = kit_id(ws);
			p->agents_gone[p->u.n_deleted_agents++].id = kit_agent_id(agent);
		} else {
			p->ws_gone[p->u.n_deleted_workspaces++].id = kit_id(ws);
		}
		at = end + (*end == ' ');
	}
}

static int update(struct kit *k, const char *source, const struct hf_update *u)
{
	int rc;

	k->slices = 1;
	if (!k->slice)
		return hf_state_update(k->state, source, u, k->now, &k->judgement);
	rc = hf_state_update_begin(k->state, source, u, k->now, k->slice, &k->judgement);
	while (rc == 1) {
		if (k->between)
			k->between(k);
		k->slices++;
		rc = hf_state_update_step(k->state, k->slice, &k->judgement);
	}
	return rc;
}

static enum hf_verdict send(struct kit *k, enum hf_update_kind kind, const char *source,
    unsigned owner, const char *upsert, const char *gone)
{
	struct parsed *p = calloc(1, sizeof(*p));

	ck_assert_ptr_nonnull(p);
	p->u = (struct hf_update){ .kind = kind,
		.connected_ms = k->connected_ms,
		.owner = kit_id(owner),
		.upserted_workspaces = p->ws,
		.upserted_agents = p->agents,
		.deleted_workspaces = p->ws_gone,
		.deleted_agents = p->agents_gone };
	parse_upserts(p, upsert);
	parse_gone(p, gone);
	ck_assert_int_eq(update(k, source, &p->u), 0);
	free(p);
	return k->judgement.verdict;
}

enum hf_verdict kit_snapshot(struct kit *k, const char *source, unsigned owner, const char *text)
{
	return send(k, HF_UPDATE_SNAPSHOT, source, owner, text, "");
}

enum hf_verdict kit_diff(
    struct kit *k, const char *source, unsigned owner, const char *upsert, const char *gone)
{
	return send(k, HF_UPDATE_DIFF, source, owner, upsert, gone);
}

/* --- what follows --- */

static struct kit_name *find(struct kit *k, const char *text)
{
	struct hf_name name;
	struct kit_name *slot;

	kit_commit(k);
	ck_assert_int_eq(hf_name_parse(text, &name), 0);
	slot = name_slot(k, &name);
	return slot->used ? slot : NULL;
}

bool kit_has(struct kit *k, const char *name, unsigned agent)
{
	struct kit_name *slot = find(k, name);
	struct hf_uuid id = kit_agent_id(agent);
	uint8_t addr[16];

	hf_addr_of_agent(&id, addr);
	return slot && !memcmp(slot->record.addr, addr, sizeof(addr));
}

int kit_flags(struct kit *k, const char *name)
{
	struct kit_name *slot = find(k, name);

	return slot ? slot->record.flags : -1;
}

size_t kit_count(struct kit *k)
{
	size_t n = 0;

	kit_commit(k);
	for (size_t i = 0; i < KIT_MAX; i++)
		n += k->names[i].used;
	return n;
}

static int check_record(const struct hf_record_view *r, void *arg)
{
	struct kit *k = arg;
	struct kit_name *slot = name_slot(k, &r->name);
	char text[HF_NAME_TEXT_MAX];

	ck_assert_msg(
	    slot->used, "%s is published, but no changeset said so", hf_name_text(&r->name, text));
	ck_assert_msg(!memcmp(slot->record.addr, r->addr, 16) && slot->record.flags == r->flags,
	    "%s is not as the last changeset said", hf_name_text(&r->name, text));
	return 0;
}

static int count_record(const struct hf_record_view *r, void *arg)
{
	struct hf_tally *t = (struct hf_tally *)arg + r->source->rid;

	if (r->flags & HF_REC_WITHDRAWN)
		t->withdrawn++;
	else if (r->flags & HF_REC_HELD)
		t->held++;
	else if (r->fresh)
		t->live++;
	else
		t->stale++;
	return 0;
}

/* The names are counted without being walked; it comes to the same. */
static void check_tally(struct kit *k)
{
	static struct hf_tally want[HF_ZONE_SOURCES_MAX], got[HF_ZONE_SOURCES_MAX];

	memset(want, 0, sizeof(want));
	hf_state_each_record(k->state, k->now, count_record, want);
	hf_state_tally(k->state, k->now, got);
	ck_assert_mem_eq(got, want, sizeof(want));
}

void kit_check(struct kit *k)
{
	kit_commit(k);
	check_tally(k);
	ck_assert_int_eq(hf_state_each_record(k->state, k->now, check_record, k), 0);
	ck_assert_uint_eq(kit_count(k), hf_state_n_names(k->state));
}

void kit_try_all(struct kit *k)
{
	const struct hf_uuid owner = kit_id(1);
	const struct hf_identity id = { .user = kit_id(2), .user_name = "bob" };
	const struct hf_update empty = { .kind = HF_UPDATE_SNAPSHOT, .owner = owner };
	const struct hf_restored_row restored = { .source = 0 };
	struct hf_name suffix;
	const struct hf_changeset *changes;
	struct hf_judgement j;

	ck_assert_int_eq(hf_name_parse("corp", &suffix), 0);
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), -EBUSY);
	ck_assert_int_eq(hf_state_identify(k->state, "main", &id, k->now, &j), -EBUSY);
	ck_assert_int_eq(hf_state_owner_set(k->state, "main", &owner, "bob", k->now), -EBUSY);
	ck_assert_int_eq(hf_state_owner_missing(k->state, "main", "bob", k->now), -EBUSY);
	ck_assert_int_eq(hf_state_owners_settled(k->state, "main", k->now), -EBUSY);
	ck_assert_int_eq(
	    hf_state_workspace_owner(k->state, "main", &owner, &owner, k->now), -EBUSY);
	ck_assert_int_eq(
	    hf_state_restore_source(k->state, 0, &suffix, "d2", &owner, k->now), -EBUSY);
	ck_assert_int_eq(hf_state_restore_newer(k->state, &restored, 1, k->now), -EBUSY);
	ck_assert_int_eq(hf_state_update(k->state, "main", &empty, k->now, &j), -EBUSY);
	ck_assert_int_eq(
	    hf_state_decide(k->state, "main", NULL, NULL, HF_DECISION_ACCEPT, k->now), -EBUSY);
	ck_assert_int_eq(hf_state_restore_suffix(k->state, 0, &suffix), -EBUSY);
	ck_assert_int_eq(hf_state_restore(k->state, &restored, 1, k->now), -EBUSY);
	ck_assert_int_eq(hf_state_rewrite(k->state), -EBUSY);
	ck_assert_int_eq(hf_state_take(k->state, k->now, &changes), -EBUSY);
	hf_state_owner_readable(k->state, "main", &owner, READABLE_NO, k->now.boot_ms);
	hf_state_contact(k->state, "main", k->now);
	hf_state_away(k->state, "main", k->now);
	hf_state_tick(k->state, k->now);
}

static void same_names(struct kit *a, struct kit *b)
{
	for (size_t i = 0; i < KIT_MAX; i++) {
		const struct hf_name_change *x = &a->names[i].record, *y;
		char text[HF_NAME_TEXT_MAX];

		if (!a->names[i].used)
			continue;
		y = &name_slot(b, &x->name)->record;
		ck_assert_msg(name_slot(b, &x->name)->used && x->flags == y->flags &&
				  x->owner == y->owner && x->agent == y->agent &&
				  x->first_seen_s == y->first_seen_s &&
				  !memcmp(x->addr, y->addr, 16),
		    "%s is not the same", hf_name_text(&x->name, text));
	}
}

void kit_same(struct kit *a, struct kit *b)
{
	kit_commit(a);
	kit_commit(b);
	ck_assert_uint_eq(kit_count(a), kit_count(b));
	same_names(a, b);
	ck_assert_mem_eq(a->has, b->has, sizeof(a->has));
	for (size_t i = 0; i < KIT_MAX; i++) {
		if (a->has[HF_ROW_WORKSPACE][i])
			ck_assert_mem_eq(&a->ws_rows[i], &b->ws_rows[i], sizeof(a->ws_rows[i]));
		if (a->has[HF_ROW_AGENT][i])
			ck_assert_mem_eq(
			    &a->agent_rows[i], &b->agent_rows[i], sizeof(a->agent_rows[i]));
		if (a->has[HF_ROW_OWNER][i])
			ck_assert_mem_eq(
			    &a->owner_rows[i], &b->owner_rows[i], sizeof(a->owner_rows[i]));
		if (a->has[HF_ROW_HOLD][i])
			ck_assert_mem_eq(
			    &a->hold_rows[i], &b->hold_rows[i], sizeof(a->hold_rows[i]));
	}
	ck_assert_int_eq(a->judgement.verdict, b->judgement.verdict);
	ck_assert_uint_eq(a->judgement.held, b->judgement.held);
	ck_assert_uint_eq(a->judgement.records_refused, b->judgement.records_refused);
	ck_assert_int_eq(a->judgement.want_snapshot, b->judgement.want_snapshot);
}
