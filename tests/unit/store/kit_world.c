/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/kit_world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/store/store_rows.h"
#include "bridge/store/store.h"
#include "zone/agent_names.h"
#include "zone/record.h"

/* --- making --- */

static void random_id(struct prng *p, struct hf_uuid *id)
{
	prng_bytes(p, id->b, sizeof(id->b));
}

static void random_label(struct prng *p, char out[static HF_LABEL_MAX + 1])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";

	prng_text(p, letters, sizeof(letters) - 1, out,
	    1 + prng_below(p, prng_below(p, 8) ? 12 : HF_LABEL_MAX));
}

/* Rows are compared as memory: what lies behind the name in its struct counts, too. */
static void set_name(struct hf_name *name, const char *text)
{
	ck_assert_int_eq(hf_name_parse(text, name), 0);
	memset(name->wire + name->len, 0, sizeof(name->wire) - name->len);
}

static void add_source(struct world *w, struct prng *p, size_t i)
{
	struct hf_source_row *r = &w->sources[i].row;

	w->sources[i].on = true;
	memset(r, 0, sizeof(*r));
	r->rid = (uint32_t)i;
	snprintf(r->name, sizeof(r->name), "source-%zu", i);
	snprintf(r->url, sizeof(r->url), "https://coder-%zu.example.com", i);
	set_name(&r->suffix, i ? "other.example" : "coder");
	snprintf(r->deployment_id, sizeof(r->deployment_id), "d-%016llx",
	    (unsigned long long)prng_next(p));
	random_id(p, &r->user);
	snprintf(r->user_name, sizeof(r->user_name), "admin");
	r->contact_s = 1700000000 + (int64_t)prng_below(p, 1000);
	r->away_ms = prng_below(p, 100000);
	r->sentinel = prng_below(p, 2);
	r->marks = (uint8_t)(i ? prng_below(p, HF_SOURCE_MARKS + 1) : 0);
	if (i)
		snprintf(
		    r->removals, sizeof(r->removals), "%zu:3 1000:1", 2000 + prng_below(p, 1000));
}

static void add_owner(struct world *w, struct prng *p, size_t i)
{
	struct hf_owner_row *r = &w->owners[i].row;

	w->owners[i].on = true;
	memset(r, 0, sizeof(*r));
	r->rid = (uint32_t)i;
	r->source = (uint32_t)(i % WORLD_SOURCES);
	random_id(p, &r->id);
	random_label(p, r->name);
	r->confirmed_s = (int64_t)prng_below(p, 2000000000);
	if (prng_below(p, 4))
		snprintf(r->words, sizeof(r->words), "me all word-%zu", i);
	r->rights = (uint32_t)prng_below(p, WORLD_TEXTS + 1);
	r->marks = (uint8_t)prng_below(p, HF_OWNER_MARKS + 1);
}

static uint32_t some_owner(const struct world *w, struct prng *p)
{
	size_t i;

	do {
		i = prng_below(p, WORLD_OWNERS);
	} while (!w->owners[i].on);
	return (uint32_t)i;
}

static void add_workspace(struct world *w, struct prng *p, size_t i)
{
	struct hf_workspace_row *r = &w->workspaces[i].row;

	w->workspaces[i].on = true;
	memset(r, 0, sizeof(*r));
	r->rid = w->next_workspace++;
	r->owner = some_owner(w, p);
	random_id(p, &r->id);
	random_label(p, r->name);
	r->status = (uint8_t)prng_below(p, 12);
	r->first_seen_s = 1700000000 + (int64_t)prng_below(p, 100000);
	r->held = !prng_below(p, 4);
	r->marks = (uint8_t)prng_below(p, HF_WS_MARKS + 1);
}

static void add_agent(struct world *w, struct prng *p, size_t i, size_t workspace)
{
	struct hf_agent_row *r = &w->agents[i].row;

	w->agents[i].on = true;
	memset(r, 0, sizeof(*r));
	r->rid = w->next_agent++;
	r->workspace = w->workspaces[workspace].row.rid;
	random_id(p, &r->id);
	random_label(p, r->name);
	r->names = (uint8_t)prng_below(p, 8);
	r->primary = r->names & (uint8_t)(1u << prng_below(p, 3));
	r->first_seen_s = 1700000000 + (int64_t)prng_below(p, 100000);
}

static void add_hold(struct world *w, struct prng *p, size_t i)
{
	struct hf_hold_row *r = &w->holds[i].row;

	w->holds[i].on = true;
	memset(r, 0, sizeof(*r));
	r->rid = (uint32_t)i;
	r->owner = prng_below(p, 2) ? some_owner(w, p) : UINT32_MAX;
	r->source = r->owner == UINT32_MAX ? 0 : w->owners[r->owner].row.source;
	snprintf(r->kind, sizeof(r->kind), "mass-removal");
	snprintf(r->detail, sizeof(r->detail), "%zu of %zu workspaces", prng_below(p, 10),
	    10 + prng_below(p, 10));
	r->since_s = 1700000000;
	r->fresh_ms = prng_below(p, 600000);
}

static void add_text(struct world *w, struct prng *p, size_t i)
{
	struct hf_text_row *r = &w->texts[i].row;
	size_t n = prng_below(p, sizeof(r->text));

	w->texts[i].on = true;
	memset(r, 0, sizeof(*r));
	r->rid = (uint32_t)i + 1;
	for (size_t k = 0; k < n; k++)
		r->text[k] = "role:owner "[prng_below(p, 11)];
}

static void add_restored(struct world *w, struct prng *p, size_t i)
{
	struct hf_restored_row *r = &w->restored[i].row;
	char text[64];

	w->restored[i].on = true;
	memset(r, 0, sizeof(*r));
	snprintf(text, sizeof(text), "main.restored-%zu.me.coder", i);
	set_name(&r->name, text);
	prng_bytes(p, r->addr, sizeof(r->addr));
	r->primary = prng_below(p, 2);
	r->first_seen_s = 1600000000;
	r->flags = prng_below(p, 2) ? HF_REC_HELD : 0;
	r->kept = prng_below(p, 2);
}

void world_init(struct world *w, uint64_t seed)
{
	struct prng p = { .state = seed };

	memset(w, 0, sizeof(*w));
	for (size_t i = 0; i < WORLD_SOURCES; i++)
		add_source(w, &p, i);
	for (size_t i = 0; i < WORLD_OWNERS - 2; i++)
		add_owner(w, &p, i);
	for (size_t i = 0; i < WORLD_WORKSPACES / 2; i++)
		add_workspace(w, &p, i);
	for (size_t i = 0; i < WORLD_AGENTS / 2; i++)
		add_agent(w, &p, i, i % (WORLD_WORKSPACES / 2));
}

/* --- going on --- */

static void drop_agents(struct world *w, uint32_t workspace)
{
	for (size_t i = 0; i < WORLD_AGENTS; i++) {
		if (w->agents[i].on && w->agents[i].row.workspace == workspace)
			w->agents[i].on = false;
	}
}

static void drop_workspace(struct world *w, size_t i)
{
	w->workspaces[i].on = false;
	drop_agents(w, w->workspaces[i].row.rid);
}

static void drop_owner(struct world *w, size_t owner)
{
	w->owners[owner].on = false;
	for (size_t i = 0; i < WORLD_WORKSPACES; i++) {
		if (w->workspaces[i].on && w->workspaces[i].row.owner == owner)
			drop_workspace(w, i);
	}
	for (size_t i = 0; i < WORLD_HOLDS; i++) {
		if (w->holds[i].on && w->holds[i].row.owner == owner)
			w->holds[i].on = false;
	}
}

static void step_workspace(struct world *w, struct prng *p)
{
	size_t i = prng_below(p, WORLD_WORKSPACES);

	if (!w->workspaces[i].on)
		add_workspace(w, p, i);
	else if (prng_below(p, 3) == 0)
		drop_workspace(w, i);
	else if (prng_below(p, 2))
		w->workspaces[i].row.held = !w->workspaces[i].row.held;
	else
		random_label(p, w->workspaces[i].row.name);
}

static void step_agent(struct world *w, struct prng *p)
{
	size_t i = prng_below(p, WORLD_AGENTS), workspace = prng_below(p, WORLD_WORKSPACES);

	if (w->agents[i].on && prng_below(p, 2))
		w->agents[i].on = false;
	else if (w->agents[i].on)
		random_id(p, &w->agents[i].row.id);
	else if (w->workspaces[workspace].on)
		add_agent(w, p, i, workspace);
}

static void step_rest(struct world *w, struct prng *p)
{
	size_t hold = prng_below(p, WORLD_HOLDS), owner = prng_below(p, WORLD_OWNERS);
	size_t source = prng_below(p, WORLD_SOURCES), restored = prng_below(p, WORLD_RESTORED);
	size_t text = prng_below(p, WORLD_TEXTS);

	switch (prng_below(p, 6)) {
	case 0:
		if (w->holds[hold].on)
			w->holds[hold].on = false;
		else
			add_hold(w, p, hold);
		break;
	case 1:
		if (!w->owners[owner].on)
			add_owner(w, p, owner);
		else if (owner)
			/* the first one stays: somebody must own what comes */
			drop_owner(w, owner);
		break;
	case 2:
		w->sources[source].row.withdrawn = prng_below(p, 4) == 0;
		w->sources[source].row.contact_s++;
		break;
	case 3:
		w->sources[source].row.sentinel = prng_below(p, 2);
		break;
	case 4:
		if (w->texts[text].on)
			w->texts[text].on = false;
		else
			add_text(w, p, text);
		break;
	default:
		if (w->restored[restored].on)
			w->restored[restored].on = false;
		else
			add_restored(w, p, restored);
		break;
	}
}

void world_change(struct world *w, struct prng *p, size_t steps)
{
	for (size_t i = 0; i < steps; i++) {
		size_t kind = prng_below(p, 10);

		if (kind < 3)
			step_workspace(w, p);
		else if (kind < 8)
			step_agent(w, p);
		else
			step_rest(w, p);
	}
}

/* --- names, worked out a second time and as simply as can be --- */

static int by_name(const void *a, const void *b)
{
	const struct hf_name_change *x = a, *y = b;
	int rc = memcmp(
	    x->name.wire, y->name.wire, x->name.len < y->name.len ? x->name.len : y->name.len);

	return rc ? rc : (int)x->name.len - (int)y->name.len;
}

void world_names_follow(struct world_names *names, const struct hf_name_change *c)
{
	size_t i = 0;

	while (i < names->n && !hf_name_equal(&names->names[i].name, &c->name))
		i++;
	if (c->removed && i == names->n)
		return;
	if (c->removed) {
		names->names[i] = names->names[--names->n];
		return;
	}
	if (i == names->n)
		names->n++;
	ck_assert_uint_le(names->n, WORLD_NAMES_MAX);
	names->names[i] = *c;
}

static uint8_t source_flags(const struct world *w, uint32_t source)
{
	return w->sources[source].row.withdrawn ? HF_REC_WITHDRAWN : 0;
}

static uint8_t restored_flags(const struct hf_restored_row *r)
{
	return HF_REC_RESTORED | (r->primary ? HF_REC_PRIMARY : 0) | (r->flags & HF_REC_HELD);
}

static void restored_names(const struct world *w, struct world_names *names)
{
	for (size_t i = 0; i < WORLD_RESTORED; i++) {
		const struct hf_restored_row *r = &w->restored[i].row;
		struct hf_name_change c = {
			.name = r->name,
			.source = r->source,
			.owner = UINT32_MAX,
			.agent = UINT32_MAX,
			.flags = source_flags(w, r->source) | restored_flags(r),
			.first_seen_s = r->first_seen_s,
		};

		memcpy(c.addr, r->addr, sizeof(c.addr));
		if (w->restored[i].on)
			world_names_follow(names, &c);
	}
}

static void sentinel_names(const struct world *w, struct world_names *names)
{
	for (size_t i = 0; i < WORLD_SOURCES; i++) {
		const struct hf_source_row *s = &w->sources[i].row;
		struct hf_name_change c = {
			.source = s->rid,
			.owner = UINT32_MAX,
			.agent = UINT32_MAX,
			.flags = source_flags(w, s->rid),
			.addr = { 0xfd, 0x60, 0x62, 0x7a, 0xa4, 0x2b, [15] = 0x53 },
		};

		if (!w->sources[i].on || !s->sentinel || !s->suffix.len)
			continue;
		c.name = s->suffix;
		if (hf_name_prepend(&c.name, "coder--connect--enabled--right--now", 35) ||
		    hf_name_prepend(&c.name, "is", 2))
			continue;
		world_names_follow(names, &c);
	}
}

static const struct hf_workspace_row *workspace_of(const struct world *w, uint32_t rid)
{
	for (size_t i = 0; i < WORLD_WORKSPACES; i++) {
		if (w->workspaces[i].on && w->workspaces[i].row.rid == rid)
			return &w->workspaces[i].row;
	}
	ck_abort_msg("no workspace %u", rid);
}

static void agent_names(
    const struct world *w, const struct hf_agent_row *a, struct world_names *names)
{
	const struct hf_workspace_row *ws = workspace_of(w, a->workspace);
	const struct hf_owner_row *o = &w->owners[ws->owner].row;
	const struct hf_source_row *s = &w->sources[o->source].row;
	struct hf_agent_label label = {
		.agent = a->name,
		.workspace = ws->name,
		.owner = o->name,
		.suffix = &s->suffix,
	};

	for (unsigned bit = 1; bit <= 4; bit *= 2) {
		struct hf_name_change c = {
			.source = s->rid,
			.owner = o->rid,
			.agent = a->rid,
			.first_seen_s = a->first_seen_s,
			.flags = source_flags(w, s->rid) | (a->primary == bit ? HF_REC_PRIMARY : 0),
		};

		/* The other two are the token's own user's; of another one they are kept. */
		if (ws->held || (bit != 2 && !hf_uuid_equal(&o->id, &s->user)))
			c.flags |= HF_REC_HELD;

		if (!(a->names & bit) || !s->suffix.len || hf_agent_name(&label, bit, &c.name))
			continue;
		hf_addr_of_agent(&a->id, c.addr);
		world_names_follow(names, &c);
	}
}

void world_names(const struct world *w, struct world_names *ret_names)
{
	ret_names->n = 0;
	restored_names(w, ret_names);
	sentinel_names(w, ret_names);
	/* By rid, as the store gives them: of two agents with one name the later one has it. */
	for (uint32_t rid = 0; rid < w->next_agent; rid++) {
		for (size_t i = 0; i < WORLD_AGENTS; i++) {
			if (w->agents[i].on && w->agents[i].row.rid == rid)
				agent_names(w, &w->agents[i].row, ret_names);
		}
	}
	qsort(ret_names->names, ret_names->n, sizeof(ret_names->names[0]), by_name);
}

/* --- changesets --- */

static bool same_name(const struct hf_name_change *a, const struct hf_name_change *b)
{
	return hf_name_equal(&a->name, &b->name) && a->removed == b->removed &&
	       a->flags == b->flags && !memcmp(a->addr, b->addr, sizeof(a->addr)) &&
	       a->source == b->source && a->owner == b->owner && a->agent == b->agent &&
	       a->first_seen_s == b->first_seen_s;
}

bool world_names_equal(const struct world_names *a, const struct world_names *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++) {
		if (!same_name(&a->names[i], &b->names[i]))
			return false;
	}
	return a->n == b->n;
}

static const struct hf_name_change *find_name(
    const struct world_names *names, const struct hf_name *name)
{
	for (size_t i = 0; i < names->n; i++) {
		if (hf_name_equal(&names->names[i].name, name))
			return &names->names[i];
	}
	return NULL;
}

static void add_name(
    struct world_changes *c, const struct hf_name_change *name, bool removed, enum hf_what what)
{
	struct hf_name_change *to = &c->names[c->set.n_names++];

	*to = *name;
	to->removed = removed;
	to->what = what;
	to->why = HF_WHY_DIFF;
}

static void diff_names(struct world_changes *c)
{
	struct world_names *before = malloc(sizeof(*before)), *after = malloc(sizeof(*after));

	ck_assert(before && after);
	world_names(&c->before, before);
	world_names(&c->after, after);
	for (size_t i = 0; i < before->n; i++) {
		if (!find_name(after, &before->names[i].name))
			add_name(c, &before->names[i], true, HF_WHAT_REMOVED);
	}
	for (size_t i = 0; i < after->n; i++) {
		const struct hf_name_change *old = find_name(before, &after->names[i].name);

		if (!old || !same_name(old, &after->names[i]))
			add_name(c, &after->names[i], false, old ? HF_WHAT_CHANGED : HF_WHAT_ADDED);
	}
	free(before);
	free(after);
}

/* One row that came, changed or went; a place that has another rid than before has two changes. */
#define DIFF(c, KIND, member, list)                                                                \
	for (size_t i_ = 0; i_ < sizeof((c)->after.list) / sizeof((c)->after.list[0]); i_++) {     \
		bool was_ = (c)->before.list[i_].on, is_ = (c)->after.list[i_].on;                 \
		bool other_ = (c)->before.list[i_].row.rid != (c)->after.list[i_].row.rid;         \
		if (was_ && (!is_ || other_))                                                      \
			(c)->rows[(c)->set.n_rows++] = (struct hf_row_change){ .kind = KIND,       \
				.removed = true,                                                   \
				.why = HF_WHY_DIFF,                                                \
				.rid = (c)->before.list[i_].row.rid };                             \
		if (is_ && (!was_ || other_ ||                                                     \
			       memcmp(&(c)->before.list[i_].row, &(c)->after.list[i_].row,         \
				   sizeof((c)->after.list[i_].row))))                              \
			(c)->rows[(c)->set.n_rows++] = (struct hf_row_change){ .kind = KIND,       \
				.why = HF_WHY_DIFF,                                                \
				.rid = (c)->after.list[i_].row.rid,                                \
				.row.member = &(c)->after.list[i_].row };                          \
	}

void world_diff(const struct world *before, const struct world *after, int64_t wall_s,
    struct world_changes *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->before = *before;
	ret->after = *after;
	ret->set.rows = ret->rows;
	ret->set.names = ret->names;
	ret->set.restored = ret->restored;
	ret->set.restored_gone = ret->gone;
	ret->set.wall_s = wall_s;
	DIFF(ret, HF_ROW_SOURCE, source, sources)
	DIFF(ret, HF_ROW_OWNER, owner, owners)
	DIFF(ret, HF_ROW_WORKSPACE, workspace, workspaces)
	DIFF(ret, HF_ROW_AGENT, agent, agents)
	DIFF(ret, HF_ROW_HOLD, hold, holds)
	DIFF(ret, HF_ROW_TEXT, text, texts)
	for (size_t i = 0; i < WORLD_RESTORED; i++) {
		if (before->restored[i].on && !after->restored[i].on)
			ret->gone[ret->set.n_restored_gone++] = before->restored[i].row.name;
		if (after->restored[i].on &&
		    (!before->restored[i].on ||
			memcmp(&before->restored[i].row, &after->restored[i].row,
			    sizeof(after->restored[i].row))))
			ret->restored[ret->set.n_restored++] = after->restored[i].row;
	}
	diff_names(ret);
}

void world_all(const struct world *w, int64_t wall_s, struct world_changes *ret)
{
	static const struct world nothing;

	world_diff(&nothing, w, wall_s, ret);
}

/* --- comparing --- */

static bool same_row(enum hf_table_id id, const void *a, const void *b)
{
	const struct hf_sql_table *t = &hf_sql_tables[id];

	for (size_t i = 0; i < t->n_fields; i++) {
		const uint8_t *x = (const uint8_t *)a + t->fields[i].offset;
		const uint8_t *y = (const uint8_t *)b + t->fields[i].offset;
		bool same;

		if (t->fields[i].type == HF_FIELD_NAME)
			same = hf_name_equal((const struct hf_name *)x, (const struct hf_name *)y);
		else if (t->fields[i].type == HF_FIELD_TEXT || t->fields[i].type == HF_FIELD_LABEL)
			same = !strcmp((const char *)x, (const char *)y);
		else
			same = !memcmp(x, y, t->fields[i].size);
		if (!same)
			return false;
	}
	return true;
}

static int by_rid(const void *a, const void *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

static int by_restored(const void *a, const void *b)
{
	const struct hf_restored_row *x = a, *y = b;
	char p[HF_NAME_TEXT_MAX], q[HF_NAME_TEXT_MAX];

	return strcmp(hf_name_text(&x->name, p), hf_name_text(&y->name, q));
}

/* Those that are on, sorted, into out. */
#define GATHER(w, list, out, n)                                                                    \
	do {                                                                                       \
		(n) = 0;                                                                           \
		for (size_t i_ = 0; i_ < sizeof((w)->list) / sizeof((w)->list[0]); i_++) {         \
			if ((w)->list[i_].on)                                                      \
				(out)[(n)++] = (w)->list[i_].row;                                  \
		}                                                                                  \
		if (n)                                                                             \
			qsort(out, n, sizeof((out)[0]), by_rid);                                   \
	} while (0)

const struct hf_image *world_image(const struct world *w)
{
	static struct hf_source_row sources[WORLD_SOURCES];
	static struct hf_owner_row owners[WORLD_OWNERS];
	static struct hf_workspace_row workspaces[WORLD_WORKSPACES];
	static struct hf_agent_row agents[WORLD_AGENTS];
	static struct hf_hold_row holds[WORLD_HOLDS];
	static struct hf_restored_row restored[WORLD_RESTORED];
	static struct hf_text_row texts[WORLD_TEXTS];
	static struct hf_image m;

	m = (struct hf_image){
		.sources = sources,
		.owners = owners,
		.workspaces = workspaces,
		.agents = agents,
		.holds = holds,
		.restored = restored,
		.texts = texts,
		.next_workspace = w->next_workspace,
		.next_agent = w->next_agent,
	};
	GATHER(w, sources, sources, m.n_sources);
	GATHER(w, owners, owners, m.n_owners);
	GATHER(w, workspaces, workspaces, m.n_workspaces);
	GATHER(w, agents, agents, m.n_agents);
	GATHER(w, holds, holds, m.n_holds);
	GATHER(w, texts, texts, m.n_texts);
	m.n_restored = 0;
	for (size_t i = 0; i < WORLD_RESTORED; i++) {
		if (w->restored[i].on)
			restored[m.n_restored++] = w->restored[i].row;
	}
	qsort(restored, m.n_restored, sizeof(restored[0]), by_restored);
	return &m;
}

static const char *compare_rows(
    enum hf_table_id id, const void *a, size_t n, const void *b, size_t m)
{
	static char why[100];
	size_t size = hf_sql_tables[id].row_size;

	snprintf(why, sizeof(why), "%s: %zu rows, not %zu", hf_sql_tables[id].name, n, m);
	if (n != m)
		return why;
	for (size_t i = 0; i < n; i++) {
		snprintf(why, sizeof(why), "%s: row %zu differs", hf_sql_tables[id].name, i);
		if (!same_row(id, (const uint8_t *)a + i * size, (const uint8_t *)b + i * size))
			return why;
	}
	return NULL;
}

static const char *compare_images(const struct hf_image *a, const struct hf_image *b)
{
	const char *why =
	    compare_rows(HF_TABLE_SOURCE, a->sources, a->n_sources, b->sources, b->n_sources);

	if (!why)
		why = compare_rows(HF_TABLE_OWNER, a->owners, a->n_owners, b->owners, b->n_owners);
	if (!why)
		why = compare_rows(HF_TABLE_WORKSPACE, a->workspaces, a->n_workspaces,
		    b->workspaces, b->n_workspaces);
	if (!why)
		why = compare_rows(HF_TABLE_AGENT, a->agents, a->n_agents, b->agents, b->n_agents);
	if (!why)
		why = compare_rows(HF_TABLE_HOLD, a->holds, a->n_holds, b->holds, b->n_holds);
	if (!why)
		why = compare_rows(
		    HF_TABLE_RESTORED, a->restored, a->n_restored, b->restored, b->n_restored);
	if (!why)
		why = compare_rows(HF_TABLE_TEXT, a->texts, a->n_texts, b->texts, b->n_texts);
	if (!why &&
	    ((a->n_workspaces && a->next_workspace <= a->workspaces[a->n_workspaces - 1].rid) ||
		(a->n_agents && a->next_agent <= a->agents[a->n_agents - 1].rid)))
		why = "a number could be used twice";
	return why;
}

static int take_name(const struct hf_name_change *c, uint64_t generation, void *arg)
{
	world_names_follow(arg, c);
	return 0;
}

void world_names_get(struct hf_store *s, struct world_names *ret_names)
{
	ret_names->n = 0;
	ck_assert_int_eq(hf_store_names_all(s, take_name, ret_names), 0);
	qsort(ret_names->names, ret_names->n, sizeof(ret_names->names[0]), by_name);
}

const char *world_compare(struct hf_store *s, const struct world *w)
{
	struct world_names *have = malloc(sizeof(*have)), *want = malloc(sizeof(*want));
	struct hf_image *image = NULL;
	const char *why;

	ck_assert(have && want);
	if (hf_store_load(s, &image))
		why = "cannot be loaded";
	else
		why = compare_images(image, world_image(w));
	hf_image_free(image);
	if (!why) {
		world_names(w, want);
		world_names_get(s, have);
		why = world_names_equal(have, want) ? NULL : "other names";
	}
	free(have);
	free(want);
	return why;
}

void world_check(struct hf_store *s, const struct world *w)
{
	const char *why = world_compare(s, w);

	ck_assert_msg(!why, "%s", why);
}
