/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/store/image_load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bridge/store/store.h"

void hf_image_free(struct hf_image *image)
{
	if (!image)
		return;
	free(image->sources);
	free(image->owners);
	free(image->workspaces);
	free(image->agents);
	free(image->holds);
	free(image->restored);
	free(image->texts);
	free(image);
}

static uint32_t rid_at(const void *rows, size_t i, size_t size)
{
	uint32_t rid;

	memcpy(&rid, (const uint8_t *)rows + i * size, sizeof(rid));
	return rid;
}

/*
 * Sorted rows that begin with their rid. *near: where one was found before; the next is often
 * there, or beside it.
 */
static bool has_rid(const void *rows, size_t n, size_t size, uint32_t rid, size_t *near)
{
	size_t low = 0, high = n;

	for (size_t i = *near; i < n && i <= *near + 1; i++) {
		if (rid_at(rows, i, size) == rid) {
			*near = i;
			return true;
		}
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint32_t at = rid_at(rows, middle, size);

		if (at == rid) {
			*near = middle;
			return true;
		}
		if (at < rid)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* `row` is kept if `there` says so; gives the new number of rows. */
#define PRUNE(rows, n, orphans, row, there)                                                        \
	do {                                                                                       \
		size_t kept_ = 0;                                                                  \
		near = 0;                                                                          \
		for (size_t i_ = 0; i_ < (n); i_++) {                                              \
			row = &(rows)[i_];                                                         \
			if (!(there))                                                              \
				continue;                                                          \
			if (kept_ != i_)                                                           \
				(rows)[kept_] = *row;                                              \
			kept_++;                                                                   \
		}                                                                                  \
		(orphans) += (n)-kept_;                                                            \
		(n) = kept_;                                                                       \
	} while (0)

static uint64_t image_prune(struct hf_image *m)
{
	const struct hf_owner_row *owner;
	const struct hf_workspace_row *workspace;
	const struct hf_agent_row *agent;
	const struct hf_hold_row *hold;
	const struct hf_restored_row *restored;
	uint64_t orphans = 0;
	size_t near;

#define HAS(rows, n, rid) has_rid(m->rows, m->n, sizeof(*m->rows), rid, &near)
	PRUNE(m->owners, m->n_owners, orphans, owner, HAS(sources, n_sources, owner->source));
	PRUNE(m->workspaces, m->n_workspaces, orphans, workspace,
	    HAS(owners, n_owners, workspace->owner));
	PRUNE(m->agents, m->n_agents, orphans, agent,
	    HAS(workspaces, n_workspaces, agent->workspace));
	PRUNE(m->holds, m->n_holds, orphans, hold,
	    HAS(sources, n_sources, hold->source) &&
		(hold->owner == UINT32_MAX || HAS(owners, n_owners, hold->owner)));
	PRUNE(m->restored, m->n_restored, orphans, restored,
	    HAS(sources, n_sources, restored->source));
#undef HAS
	return orphans;
}

int hf_image_orphans_remove(struct hf_sql *q)
{
	return hf_sql_exec(q,
	    "DELETE FROM owner WHERE source NOT IN (SELECT rid FROM source);DELETE FROM workspace WHERE owner NOT IN (SELECT rid FROM owner);DELETE FROM agent WHERE workspace NOT IN (SELECT rid FROM workspace);"
	    "DELETE FROM hold WHERE source NOT IN (SELECT rid FROM source) OR (owner IS NOT NULL AND owner NOT IN (SELECT rid FROM owner));DELETE FROM restored WHERE source NOT IN (SELECT rid FROM source);");
}

/* Numbers that were never used, also if `meta` should be behind. */
static uint32_t next_rid(uint32_t next, const void *last)
{
	uint32_t rid = 0;

	if (!last)
		return next;
	memcpy(&rid, last, sizeof(rid));
	return rid >= next ? rid + 1 : next;
}

static int load_tables(struct hf_sql *q, struct hf_image *m)
{
	const struct {
		enum hf_table_id id;
		void *rows;
		size_t *n;
	} tables[] = {
		{ HF_TABLE_SOURCE, &m->sources, &m->n_sources },
		{ HF_TABLE_OWNER, &m->owners, &m->n_owners },
		{ HF_TABLE_WORKSPACE, &m->workspaces, &m->n_workspaces },
		{ HF_TABLE_AGENT, &m->agents, &m->n_agents },
		{ HF_TABLE_HOLD, &m->holds, &m->n_holds },
		{ HF_TABLE_RESTORED, &m->restored, &m->n_restored },
		{ HF_TABLE_TEXT, &m->texts, &m->n_texts },
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(tables) / sizeof(tables[0]); i++) {
		void *rows = NULL;

		rc = hf_store_rows_load(q, tables[i].id, &rows, tables[i].n);
		memcpy(tables[i].rows, &rows, sizeof(rows));
	}
	return rc;
}

int hf_image_load(struct hf_sql *q, const struct hf_meta *meta, struct hf_image **ret_image,
    uint64_t *ret_orphans)
{
	struct hf_image *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return -ENOMEM;
	rc = load_tables(q, m);
	if (rc) {
		hf_image_free(m);
		return rc;
	}
	m->next_workspace = next_rid(
	    meta->next_workspace, m->n_workspaces ? &m->workspaces[m->n_workspaces - 1] : NULL);
	m->next_agent =
	    next_rid(meta->next_agent, m->n_agents ? &m->agents[m->n_agents - 1] : NULL);
	*ret_orphans = image_prune(m);
	*ret_image = m;
	return 0;
}

/* --- a whole file --- */

void hf_image_checked_done(struct hf_checked *c)
{
	hf_sql_close(c->sql);
	hf_image_free(c->image);
	*c = (struct hf_checked){ 0 };
}

static int image_check(struct hf_sql *q, const struct hf_schema *schema, struct hf_checked *c)
{
	int rc = hf_schema_check(q, schema, &c->meta);

	if (!rc)
		rc = hf_sql_integrity(q);
	if (!rc && c->meta.version >= schema->version)
		rc = hf_image_load(q, &c->meta, &c->image, &c->orphans);
	return rc;
}

static int check_once(const char *path, const struct hf_schema *schema, char *ret_why,
    size_t why_size, struct hf_checked *ret_checked)
{
	struct hf_checked c = { 0 };
	int rc = hf_sql_open(path, HF_SQL_FROZEN, &c.sql);

	if (!rc)
		rc = image_check(c.sql, schema, &c);
	if (rc == HF_ESTORE)
		rc = HF_EDAMAGED; /* of a sound file SQLite has nothing to complain about */
	if (rc && ret_why)
		snprintf(ret_why, why_size, "%s",
		    c.sql && c.sql->error[0] ? c.sql->error : hf_strerror(rc));
	if (rc) {
		hf_image_checked_done(&c);
		return rc;
	}
	*ret_checked = c;
	return 0;
}

int hf_image_check_file(const char *path, const struct hf_schema *schema, char *ret_why,
    size_t why_size, struct hf_checked *ret_checked)
{
	int rc = check_once(path, schema, ret_why, why_size, ret_checked);

	/*
	 * A read that failed once looks the same (SQLite takes it for damage): what is damaged
	 * still is, the second time.
	 */
	if (rc == HF_EDAMAGED)
		rc = check_once(path, schema, ret_why, why_size, ret_checked);
	return rc;
}
