/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bridge/store/store_private.h"
#include "zone/agent_names.h"
#include "zone/record.h"

/*
 * What is published follows from the rows: it is not written down a second time. A walk has a
 * connection of its own and holds one read transaction from its begin to its end; meanwhile the WAL
 * only grows.
 */
enum walk_phase { WALK_RESTORED, WALK_SENTINEL, WALK_AGENTS, WALK_DONE };

static const enum hf_table_id phase_tables[] = {
	[WALK_RESTORED] = HF_TABLE_RESTORED,
	[WALK_SENTINEL] = HF_TABLE_SOURCE,
	[WALK_AGENTS] = HF_TABLE_AGENT,
};

/*
 * Each agent with its workspace, which a statement of its own for each would cost four times as
 * much. Columns of both in the order of their tables; NULLs, where there is no workspace, are no
 * row of a workspace.
 */
static const char agents_and_workspaces[] =
    "SELECT a.rid,a.workspace,a.id,a.name,a.names,a.main_name,a.first_seen_s,a.sum,w.rid,w.owner,w.id,w.name,w.status,w.held,w.first_seen_s,w.sum,w.marks FROM agent a LEFT JOIN workspace w ON w.rid=a.workspace ORDER BY a.rid";

struct hf_store_walk {
	struct hf_store *store; /* borrowed; outlives the walk */
	struct hf_sql *sql;     /* owned; NULL: a store of memory only, in which there is nothing */
	uint64_t generation;
	enum walk_phase phase;
	struct hf_stmt rows; /* of the phase; live if `open` */
	bool open;
	/* The agent's, kept for the next one: rid UINT32_MAX while there is none. */
	struct hf_workspace_row workspace;
	struct hf_owner_row owner;
	struct hf_source_row source;
};

struct walk_sink {
	struct hf_store_walk *walk;
	hf_store_name_cb cb;
	void *arg;
	size_t n;
};

static int walk_emit(struct walk_sink *out, struct hf_name_change *c)
{
	if (out->walk->source.withdrawn)
		c->flags |= HF_REC_WITHDRAWN;
	c->source = out->walk->source.rid;
	out->n++;
	return out->cb(c, out->walk->generation, out->arg);
}

/* --- the rows that a name needs beside its own --- */

static int walk_one_row(
    struct hf_store_walk *w, enum hf_table_id id, const char *sql, uint32_t rid, void *ret_row)
{
	struct hf_stmt st = hf_stmt(w->sql, sql);
	int rc;

	hf_stmt_put_int(&st, rid);
	rc = hf_stmt_next(&st);
	if (rc == 1)
		rc = hf_store_row_get(&st, id, ret_row);
	else if (rc == 0)
		rc = HF_EDAMAGED; /* such rows were taken out at open */
	hf_stmt_end(&st);
	if (rc)
		memset(ret_row, 0xff, sizeof(uint32_t));
	return rc;
}

static int want_source(struct hf_store_walk *w, uint32_t rid)
{
	if (w->source.rid == rid)
		return 0;
	return walk_one_row(w, HF_TABLE_SOURCE, HF_SELECT_SOURCE "WHERE rid=?", rid, &w->source);
}

static int want_owner(struct hf_store_walk *w, uint32_t rid)
{
	int rc = 0;

	if (w->owner.rid != rid)
		rc = walk_one_row(w, HF_TABLE_OWNER, HF_SELECT_OWNER "WHERE rid=?", rid, &w->owner);
	return rc ? rc : want_source(w, w->owner.source);
}

/* The workspace of the agent that was just read, out of the rest of its row. */
static int want_workspace(struct hf_store_walk *w, uint32_t rid)
{
	int rc = 0;

	if (w->workspace.rid != rid) {
		rc = hf_store_row_get(&w->rows, HF_TABLE_WORKSPACE, &w->workspace);
		/* Such rows were taken out at open. */
		if (!rc && w->workspace.rid != rid)
			rc = HF_EDAMAGED;
		if (rc)
			w->workspace.rid = UINT32_MAX;
	}
	return rc ? rc : want_owner(w, w->workspace.owner);
}

/* --- one row's names --- */

static int walk_restored(struct walk_sink *out, const struct hf_restored_row *row)
{
	struct hf_name_change c = {
		.name = row->name,
		.why = HF_WHY_RESTORED,
		.owner = UINT32_MAX,
		.agent = UINT32_MAX,
		.flags = HF_REC_RESTORED | (row->primary ? HF_REC_PRIMARY : 0) |
			 (row->flags & HF_REC_HELD),
		.first_seen_s = row->first_seen_s,
	};
	int rc = want_source(out->walk, row->source);

	memcpy(c.addr, row->addr, sizeof(c.addr));
	return rc ? rc : walk_emit(out, &c);
}

/* `is.coder--connect--enabled--right--now` below the suffix, for the sources that were told to. */
static int walk_sentinel(struct walk_sink *out, const struct hf_source_row *row)
{
	static const char *const labels[] = { "coder--connect--enabled--right--now", "is" };
	static const uint8_t addr[16] = { 0xfd, 0x60, 0x62, 0x7a, 0xa4, 0x2b, [15] = 0x53 };
	struct hf_name_change c = { .name = row->suffix, .owner = UINT32_MAX, .agent = UINT32_MAX };

	out->walk->source = *row;
	if (!row->sentinel || !row->suffix.len)
		return 0;
	for (unsigned i = 0; i < 2; i++) {
		if (hf_name_prepend(&c.name, labels[i], strlen(labels[i])))
			return 0;
	}
	memcpy(c.addr, addr, sizeof(c.addr));
	return walk_emit(out, &c);
}

static int walk_agent(struct walk_sink *out, const struct hf_agent_row *row)
{
	struct hf_store_walk *w = out->walk;
	struct hf_agent_label label = {
		.agent = row->name,
		.workspace = w->workspace.name,
		.owner = w->owner.name,
		.suffix = &w->source.suffix,
	};
	int rc = row->names ? want_workspace(w, row->workspace) : 0;
	unsigned own;

	/* Names of the own user that another one has are kept of a former user's. */
	own = hf_uuid_equal(&w->owner.id, &w->source.user) ? HF_NAME_ALL : HF_NAME_OWNER;
	for (unsigned bit = HF_NAME_ME; !rc && bit < HF_NAME_ALL; bit <<= 1) {
		struct hf_name_change c = {
			.owner = w->owner.rid,
			.agent = row->rid,
			.first_seen_s = row->first_seen_s,
			.flags = (row->primary == bit ? HF_REC_PRIMARY : 0) |
				 (w->workspace.held || !(bit & own) ? HF_REC_HELD : 0),
		};

		/*
		 * A name that cannot be made (it would be too long) is none; state says so to
		 * people.
		 */
		if (!(row->names & bit) || !w->source.suffix.len ||
		    hf_agent_name(&label, bit, &c.name))
			continue;
		hf_addr_of_agent(&row->id, c.addr);
		rc = walk_emit(out, &c);
	}
	return rc;
}

/* --- the walk --- */

union any_row {
	struct hf_restored_row restored;
	struct hf_source_row source;
	struct hf_agent_row agent;
};

static int walk_row(struct walk_sink *out, enum walk_phase phase, const union any_row *row)
{
	switch (phase) {
	case WALK_RESTORED:
		return walk_restored(out, &row->restored);
	case WALK_SENTINEL:
		return walk_sentinel(out, &row->source);
	case WALK_AGENTS:
		return walk_agent(out, &row->agent);
	case WALK_DONE:
		break;
	}
	return 0;
}

/* The next row of the phase; 0 when there are no more. */
static int next_row(struct hf_store_walk *w, union any_row *row)
{
	enum hf_table_id id = phase_tables[w->phase];
	int rc;

	if (!w->open)
		w->rows = hf_stmt(w->sql,
		    w->phase == WALK_AGENTS ? agents_and_workspaces : hf_sql_tables[id].all);
	w->open = true;
	rc = hf_stmt_next(&w->rows);
	if (rc == 1) {
		rc = hf_store_row_get(&w->rows, id, row);
		return rc ? rc : 1;
	}
	w->open = false;
	return rc;
}

int hf_store_walk_step(struct hf_store_walk *w, size_t max, hf_store_name_cb cb, void *arg)
{
	struct walk_sink out = { .walk = w, .cb = cb, .arg = arg };
	union any_row row;
	int rc = 0;

	if (!w->sql)
		return 0;
	while (w->phase != WALK_DONE && !rc) {
		if (out.n >= max)
			return 1;
		rc = next_row(w, &row);
		if (rc == 0)
			w->phase++;
		else if (rc == 1)
			rc = walk_row(&out, w->phase, &row);
	}
	return hf_store_read_done(w->store, w->sql, rc);
}

/*
 * The generation is read in the same transaction as the rows. A frozen file's is what the store
 * says it is.
 */
static int store_walk_begin(struct hf_store_walk *w)
{
	struct hf_meta meta;
	int rc = hf_sql_exec(w->sql, "BEGIN");

	if (!rc)
		rc = hf_schema_meta_get(w->sql, &meta);
	if (!rc && w->store->w)
		w->generation = meta.generation;
	return rc;
}

int hf_store_walk_new(struct hf_store *s, struct hf_store_walk **ret_walk)
{
	struct hf_store_walk *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return -ENOMEM;
	w->store = s;
	w->generation = s->meta.generation;
	w->workspace.rid = w->owner.rid = w->source.rid = UINT32_MAX;
	rc = s->r ? hf_sql_again(s->r, &w->sql) : -EIO;
	if (!rc)
		rc = store_walk_begin(w);
	else if (rc == -ENODATA)
		rc = 0;
	if (rc) {
		rc = hf_store_read_done(s, w->sql, rc);
		hf_store_walk_free(w);
		return rc;
	}
	*ret_walk = w;
	return 0;
}

uint64_t hf_store_walk_generation(const struct hf_store_walk *w)
{
	return w->generation;
}

void hf_store_walk_free(struct hf_store_walk *w)
{
	if (!w)
		return;
	hf_sql_close(w->sql);
	free(w);
}

int hf_store_names_all(struct hf_store *s, hf_store_name_cb cb, void *arg)
{
	struct hf_store_walk *w;
	int rc = hf_store_walk_new(s, &w);

	if (rc)
		return rc;
	do {
		rc = hf_store_walk_step(w, SIZE_MAX, cb, arg);
	} while (rc == 1);
	hf_store_walk_free(w);
	return rc;
}
