/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/chaos/store_workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zone/agent_names.h"
#include "zone/record.h"

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static void fill_id(struct hf_uuid *id, uint64_t seed)
{
	uint64_t a = mix(seed), b = mix(seed + 0x9e3779b97f4a7c15u);

	memcpy(id->b, &a, 8);
	memcpy(id->b + 8, &b, 8);
}

/* The last step up to k that touched the place. */
static uint64_t touched(uint64_t k, uint64_t place)
{
	uint64_t snapshot = k - k % WORKLOAD_SNAPSHOT;
	uint64_t own = k < place ? 0 : k - (k - place) % WORKLOAD_PLACES;

	return own > snapshot ? own : snapshot;
}

static void add_names(
    struct workload *w, const struct hf_agent_row *a, const struct hf_workspace_row *ws)
{
	struct hf_agent_label label = {
		.agent = a->name,
		.workspace = ws->name,
		.owner = w->owners[ws->owner].name,
		.suffix = &w->source.suffix,
	};

	for (unsigned bit = HF_NAME_ME; bit < HF_NAME_ALL; bit <<= 1) {
		struct hf_name_change *c = &w->names[w->n_names];

		if (!(a->names & bit))
			continue;
		/*
		 * The token's own user is nobody of these: all but the names by owner are a former
		 * user's, which are held.
		 */
		*c = (struct hf_name_change){
			.owner = ws->owner,
			.agent = a->rid,
			.first_seen_s = a->first_seen_s,
			.what = HF_WHAT_ADDED,
			.why = HF_WHY_DIFF,
			.flags = (uint8_t)((a->primary == bit ? HF_REC_PRIMARY : 0) |
					   (ws->held || bit != HF_NAME_OWNER ? HF_REC_HELD : 0)),
		};
		if (hf_agent_name(&label, bit, &c->name))
			abort();
		hf_addr_of_agent(&a->id, c->addr);
		w->n_names++;
	}
}

static void add_place(struct workload *w, uint64_t place, uint64_t version)
{
	uint64_t seed = mix(version * WORKLOAD_PLACES + place + 1);
	struct hf_workspace_row *ws = &w->workspaces[w->n];
	struct hf_agent_row *a = &w->agents[w->n];

	if (seed % 5 == 0)
		return;
	*ws = (struct hf_workspace_row){
		.rid = (uint32_t)(version * WORKLOAD_PLACES + place),
		.owner = (uint32_t)(seed % WORKLOAD_OWNERS),
		.status = (uint8_t)(seed % 11),
		.held = seed % 7 == 0,
		.first_seen_s = (int64_t)version,
	};
	*a = (struct hf_agent_row){
		.rid = ws->rid, .workspace = ws->rid, .first_seen_s = (int64_t)version
	};
	fill_id(&ws->id, seed);
	fill_id(&a->id, seed + 1);
	snprintf(
	    ws->name, sizeof(ws->name), "w%u-%llu", (unsigned)place, (unsigned long long)version);
	snprintf(a->name, sizeof(a->name), "main");
	a->names = (uint8_t)(1 + seed / 64 % 7);
	a->primary = (uint8_t)(a->names & -a->names);
	add_names(w, a, ws);
	w->n++;
}

static int by_rid(const void *a, const void *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

static int by_name(const void *a, const void *b)
{
	const struct hf_name_change *x = a, *y = b;

	return memcmp(
	    x->name.wire, y->name.wire, x->name.len < y->name.len ? x->name.len : y->name.len);
}

void workload_at(uint64_t k, struct workload *ret)
{
	struct workload *w = ret;

	memset(w, 0, sizeof(*w));
	w->k = k;
	if (k == 0)
		return;
	snprintf(w->source.name, sizeof(w->source.name), "main");
	snprintf(w->source.url, sizeof(w->source.url), "https://coder.example.com/%llu",
	    (unsigned long long)k);
	if (hf_name_parse("coder", &w->source.suffix))
		abort();
	w->source.contact_s = (int64_t)k;
	for (uint32_t i = 0; i < WORKLOAD_OWNERS; i++) {
		w->owners[i] = (struct hf_owner_row){ .rid = i, .confirmed_s = (int64_t)k };
		fill_id(&w->owners[i].id, i + 1);
		snprintf(w->owners[i].name, sizeof(w->owners[i].name), "user-%u", i);
	}
	for (uint64_t place = 0; place < WORKLOAD_PLACES; place++)
		add_place(w, place, touched(k, place));
	qsort(w->workspaces, w->n, sizeof(w->workspaces[0]), by_rid);
	qsort(w->agents, w->n, sizeof(w->agents[0]), by_rid);
	qsort(w->names, w->n_names, sizeof(w->names[0]), by_name);
}

/* --- a step --- */

static void add_row(
    struct workload_changes *c, enum hf_row_kind kind, const void *row, bool removed)
{
	struct hf_row_change *to = &c->rows[c->set.n_rows++];

	*to = (struct hf_row_change){ .kind = kind, .removed = removed, .why = HF_WHY_DIFF };
	memcpy(&to->rid, row, sizeof(to->rid));
	to->row.source = row; /* each member of the union is a pointer to the row */
}

static bool has_rid(const struct workload *w, uint32_t rid)
{
	for (size_t i = 0; i < w->n; i++) {
		if (w->agents[i].rid == rid)
			return true;
	}
	return false;
}

static void change_places(struct workload_changes *c)
{
	for (size_t i = 0; i < c->before.n; i++) {
		if (has_rid(&c->after, c->before.agents[i].rid))
			continue;
		add_row(c, HF_ROW_AGENT, &c->before.agents[i], true);
		add_row(c, HF_ROW_WORKSPACE, &c->before.workspaces[i], true);
	}
	for (size_t i = 0; i < c->after.n; i++) {
		if (has_rid(&c->before, c->after.agents[i].rid))
			continue;
		add_row(c, HF_ROW_WORKSPACE, &c->after.workspaces[i], false);
		add_row(c, HF_ROW_AGENT, &c->after.agents[i], false);
	}
}

static void change_names(struct workload_changes *c)
{
	for (size_t i = 0; i < c->before.n_names; i++) {
		if (has_rid(&c->after, c->before.names[i].agent))
			continue;
		c->names[c->set.n_names] = c->before.names[i];
		c->names[c->set.n_names++].removed = true;
	}
	for (size_t i = 0; i < c->after.n_names; i++) {
		if (!has_rid(&c->before, c->after.names[i].agent))
			c->names[c->set.n_names++] = c->after.names[i];
	}
}

void workload_changes(uint64_t k, struct workload_changes *ret)
{
	memset(&ret->set, 0, sizeof(ret->set));
	workload_at(k - 1, &ret->before);
	workload_at(k, &ret->after);
	ret->set.rows = ret->rows;
	ret->set.names = ret->names;
	ret->set.wall_s = (int64_t)k;
	add_row(ret, HF_ROW_SOURCE, &ret->after.source, false);
	for (size_t i = 0; i < WORKLOAD_OWNERS; i++)
		add_row(ret, HF_ROW_OWNER, &ret->after.owners[i], false);
	change_places(ret);
	change_names(ret);
}

int workload_receipt(struct hf_store *s)
{
	struct hf_owned owned[WORKLOAD_OWNED] = { 0 };
	struct hf_receipt_rows r = { .adapter = "test", .set = owned, .n_set = WORKLOAD_OWNED };

	r.cursor.generation = hf_store_generation(s);
	memcpy(r.cursor.epoch, hf_store_epoch(s), sizeof(r.cursor.epoch));
	for (unsigned i = 0; i < WORKLOAD_OWNED; i++) {
		char text[64];

		snprintf(text, sizeof(text), "owned-%u.coder", i);
		if (hf_name_parse(text, &owned[i].name))
			abort();
		owned[i].generation = r.cursor.generation;
	}
	return hf_store_receipt(s, &r);
}

/* --- looking --- */

int workload_find(struct hf_store *s, uint64_t *ret_k, const char **ret_why)
{
	struct hf_image *image;

	*ret_why = "it cannot be loaded";
	if (hf_store_load(s, &image))
		return -1;
	*ret_why = "it has not one source";
	if (image->n_sources <= 1) {
		*ret_k = image->n_sources ? (uint64_t)image->sources[0].contact_s : 0;
		*ret_why = NULL;
	}
	hf_image_free(image);
	return *ret_why ? -1 : 0;
}

static const char *compare_rows(const struct hf_image *m, const struct workload *w)
{
	if (w->k == 0)
		return m->n_sources + m->n_owners + m->n_workspaces + m->n_agents
			   ? "rows of no step"
			   : NULL;
	if (m->n_owners != WORKLOAD_OWNERS || strcmp(m->sources[0].url, w->source.url))
		return "the source or its owners are another step's";
	for (size_t i = 0; i < WORKLOAD_OWNERS; i++) {
		if (m->owners[i].confirmed_s != w->owners[i].confirmed_s)
			return "an owner is another step's";
	}
	if (m->n_workspaces != w->n || m->n_agents != w->n)
		return "another number of workspaces or agents";
	for (size_t i = 0; i < w->n; i++) {
		const struct hf_workspace_row *a = &m->workspaces[i], *b = &w->workspaces[i];

		if (a->rid != b->rid || a->owner != b->owner || !hf_uuid_equal(&a->id, &b->id) ||
		    strcmp(a->name, b->name) || a->status != b->status || a->held != b->held)
			return "a workspace is another step's";
		if (m->agents[i].rid != w->agents[i].rid ||
		    !hf_uuid_equal(&m->agents[i].id, &w->agents[i].id) ||
		    m->agents[i].names != w->agents[i].names)
			return "an agent is another step's";
	}
	return NULL;
}

struct names {
	size_t n;
	struct hf_name_change names[WORKLOAD_NAMES];
};

static int take_name(const struct hf_name_change *c, uint64_t generation, void *arg)
{
	struct names *to = arg;

	if (to->n == WORKLOAD_NAMES)
		return 1;
	to->names[to->n++] = *c;
	return 0;
}

static const char *compare_names(struct hf_store *s, const struct workload *w)
{
	static struct names have;

	have.n = 0;
	if (hf_store_names_all(s, take_name, &have) || have.n != w->n_names)
		return "another number of names";
	qsort(have.names, have.n, sizeof(have.names[0]), by_name);
	for (size_t i = 0; i < have.n; i++) {
		if (!hf_name_equal(&have.names[i].name, &w->names[i].name) ||
		    memcmp(have.names[i].addr, w->names[i].addr, 16) ||
		    have.names[i].flags != w->names[i].flags)
			return "a name is another step's";
	}
	return NULL;
}

struct owned {
	size_t n;
	uint64_t generation;
};

static int take_owned(const struct hf_owned *owned, void *arg)
{
	struct owned *to = arg;

	to->n += owned->generation == to->generation;
	return 0;
}

static const char *check_receipt(struct hf_store *s)
{
	struct hf_cursor cursor;
	struct owned owned = { 0 };
	int rc = hf_store_cursor_get(s, "test", &cursor);

	if (rc <= 0)
		return rc ? "the cursor cannot be read" : NULL;
	owned.generation = cursor.generation;
	if (cursor.generation > hf_store_generation(s))
		return "a receipt for what is not there";
	if (hf_store_owned_all(s, "test", take_owned, &owned) || owned.n != WORKLOAD_OWNED)
		return "half a receipt";
	return NULL;
}

struct newest {
	int64_t wall_s;
	uint64_t generation;
};

static int take_line(const struct hf_history_line *line, void *arg)
{
	*(struct newest *)arg = (struct newest){ line->wall_s, line->generation };
	return 0;
}

/* The generation, which is what was acknowledged, is that of this very step. */
static const char *check_generation(struct hf_store *s, uint64_t k)
{
	static struct workload_changes changes;
	struct newest newest = { 0 };

	if (k == 0)
		return NULL;
	workload_changes(k, &changes);
	if (hf_store_history(s, NULL, 1, take_line, &newest))
		return "the history cannot be read";
	if (changes.set.n_names && newest.generation != hf_store_generation(s))
		return "the last line of the history is another generation's";
	if (changes.set.n_names && newest.wall_s != (int64_t)k)
		return "the last line of the history is another step's";
	return NULL;
}

const char *workload_wrong(struct hf_store *s, uint64_t k)
{
	static struct workload w;
	struct hf_image *image;
	const char *why;

	workload_at(k, &w);
	if (hf_store_load(s, &image))
		return "it cannot be loaded";
	why = compare_rows(image, &w);
	hf_image_free(image);
	if (!why)
		why = compare_names(s, &w);
	if (!why)
		why = check_generation(s, k);
	return why ? why : check_receipt(s);
}
