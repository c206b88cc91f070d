/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/store/schema.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/xxh.h"

/*
 * Rows are found by their number; what else state looks up it has in memory. So there is no index,
 * and a snapshot's rows are appended. The view is for people: the store reads none.
 */
static const char tables_sql[] =
    "CREATE TABLE meta(id INTEGER PRIMARY KEY CHECK(id=1),version INT NOT NULL,oldest INT NOT NULL,schema_sum INT NOT NULL,epoch BLOB NOT NULL,generation INT NOT NULL,ready INT NOT NULL,"
    "copied INT NOT NULL,log_floor INT NOT NULL,next_workspace INT NOT NULL,next_agent INT NOT NULL,made_s INT NOT NULL,sum INT NOT NULL);CREATE TABLE source(rid INTEGER PRIMARY KEY,name TEXT NOT NULL,url TEXT NOT NULL,suffix TEXT NOT NULL,"
    "deployment_id TEXT NOT NULL,user BLOB NOT NULL,user_name TEXT NOT NULL,withdrawn INT NOT NULL,away_ms INT NOT NULL,counted_boot BLOB NOT NULL,counted_ms INT NOT NULL,counted_s INT NOT NULL,"
    "contact_s INT NOT NULL,sentinel INT NOT NULL,sum INT NOT NULL,removals TEXT NOT NULL DEFAULT '',marks INT NOT NULL DEFAULT 0);CREATE TABLE owner(rid INTEGER PRIMARY KEY,source INT NOT NULL,id BLOB NOT NULL,name TEXT NOT NULL,"
    "confirmed_s INT NOT NULL,sum INT NOT NULL,words TEXT NOT NULL DEFAULT '',rights INT NOT NULL DEFAULT 0,marks INT NOT NULL DEFAULT 0);CREATE TABLE workspace(rid INTEGER PRIMARY KEY,owner INT NOT NULL,id BLOB NOT NULL,name TEXT NOT NULL,"
    "status INT NOT NULL,held INT NOT NULL,first_seen_s INT NOT NULL,sum INT NOT NULL,marks INT NOT NULL DEFAULT 0);CREATE TABLE agent(rid INTEGER PRIMARY KEY,workspace INT NOT NULL,id BLOB NOT NULL,name TEXT NOT NULL,"
    "names INT NOT NULL,main_name INT NOT NULL,first_seen_s INT NOT NULL,sum INT NOT NULL);CREATE TABLE hold(rid INTEGER PRIMARY KEY,source INT NOT NULL,owner INT,kind TEXT NOT NULL,"
    "detail TEXT NOT NULL,since_s INT NOT NULL,fresh_ms INT NOT NULL,rejected INT NOT NULL,sum INT NOT NULL);CREATE TABLE restored(name TEXT PRIMARY KEY,addr BLOB NOT NULL,main_name INT NOT NULL,"
    "source INT NOT NULL,first_seen_s INT NOT NULL,sum INT NOT NULL,flags INT NOT NULL DEFAULT 0,kept INT NOT NULL DEFAULT 0) WITHOUT ROWID;CREATE TABLE text(rid INTEGER PRIMARY KEY,text TEXT NOT NULL,sum INT NOT NULL);"
    "CREATE TABLE change(seq INTEGER PRIMARY KEY,generation INT NOT NULL,wall_s INT NOT NULL,name TEXT NOT NULL,what TEXT NOT NULL,why TEXT NOT NULL,flags INT NOT NULL,addr BLOB NOT NULL,"
    "source INT,owner INT,agent INT,first_seen_s INT NOT NULL,detail TEXT NOT NULL,sum INT NOT NULL);CREATE TABLE adapter(rid INTEGER PRIMARY KEY,name TEXT NOT NULL,epoch BLOB NOT NULL,generation INT NOT NULL,sum INT NOT NULL);"
    "CREATE TABLE owned(adapter INT NOT NULL,name TEXT NOT NULL,addr BLOB NOT NULL,state INT NOT NULL,generation INT NOT NULL,sum INT NOT NULL,PRIMARY KEY(adapter,name,addr)) WITHOUT ROWID;"
    "CREATE TABLE address(source TEXT NOT NULL,place INT NOT NULL,address TEXT NOT NULL,sum INT NOT NULL,PRIMARY KEY(source,place)) WITHOUT ROWID;CREATE VIEW agents AS SELECT s.name source,o.name owner,w.name workspace,a.name agent,"
    "lower(substr(hex(a.id),1,8)||'-'||substr(hex(a.id),9,4)||'-'||substr(hex(a.id),13,4)||'-'||substr(hex(a.id),17,4)||'-'||substr(hex(a.id),21)) id,lower('fd60:627a:a42b:'||substr(hex(a.id),13,4)||':'||substr(hex(a.id),17,4)||':'||"
    "substr(hex(a.id),21,4)||':'||substr(hex(a.id),25,4)||':'||substr(hex(a.id),29,4)) address,s.suffix suffix,w.held held,datetime(a.first_seen_s,'unixepoch') first_seen "
    "FROM agent a JOIN workspace w ON w.rid=a.workspace JOIN owner o ON o.rid=w.owner JOIN source s ON s.rid=o.source;";

/* What each version adds to the one before it. */
static const struct hf_schema_step all_steps[] = {
	/*
	 * By which words an owner was followed and with which rights; what is kept, and how it was
	 * published.
	 */
	{ .to = 2,
	    .oldest = 1,
	    .sql =
		"ALTER TABLE owner ADD COLUMN words TEXT NOT NULL DEFAULT '';ALTER TABLE owner ADD COLUMN rights INT NOT NULL DEFAULT 0;ALTER TABLE owner ADD COLUMN marks INT NOT NULL DEFAULT 0;ALTER TABLE workspace ADD COLUMN marks INT NOT NULL DEFAULT 0;"
		"ALTER TABLE restored ADD COLUMN flags INT NOT NULL DEFAULT 0;ALTER TABLE restored ADD COLUMN kept INT NOT NULL DEFAULT 0;CREATE TABLE text(rid INTEGER PRIMARY KEY,text TEXT NOT NULL,sum INT NOT NULL)" },
	/*
	 * What the guard's window has, so that a restart gives nobody a new allowance; that a
	 * source was ever confirmed.
	 */
	{ .to = 3,
	    .oldest = 1,
	    .sql =
		"ALTER TABLE source ADD COLUMN removals TEXT NOT NULL DEFAULT '';ALTER TABLE source ADD COLUMN marks INT NOT NULL DEFAULT 0" },
	{ 0 },
};

const struct hf_schema hf_schema = {
	.version = 3, .oldest = 1, .sql = tables_sql, .steps = all_steps
};

int hf_schema_meta_get(struct hf_sql *q, struct hf_meta *ret_meta)
{
	struct hf_stmt st = hf_stmt(q, hf_sql_tables[HF_TABLE_META].all);
	struct hf_meta meta;
	int rc = hf_stmt_next(&st);

	if (rc == 1)
		rc = hf_store_row_get(&st, HF_TABLE_META, &meta);
	else if (rc == 0)
		rc = HF_EDAMAGED;
	hf_stmt_end(&st);
	if (!rc)
		*ret_meta = meta;
	return rc;
}

int hf_schema_meta_set(struct hf_sql *q, const struct hf_meta *meta)
{
	return hf_store_row_set(q, HF_TABLE_META, meta);
}

/*
 * Over the texts by which the tables were made: SQLite checks the pages, but not that a column kept
 * its name.
 */
static int tables_sum(struct hf_sql *q, uint64_t *ret_sum)
{
	struct hf_stmt st = hf_stmt(q,
	    "SELECT name,sql FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_%' ORDER BY name");
	char name[64], sql[4096];
	XXH64_hash_t sum = 0;
	int rc;

	while ((rc = hf_stmt_next(&st)) == 1) {
		hf_stmt_get_text(&st, name, sizeof(name));
		hf_stmt_get_text(&st, sql, sizeof(sql));
		if (st.error) {
			rc = st.error;
			break;
		}
		sum = XXH3_64bits_withSeed(name, strlen(name), sum);
		sum = XXH3_64bits_withSeed(sql, strlen(sql), sum);
	}
	hf_stmt_end(&st);
	if (!rc)
		*ret_sum = sum & INT64_MAX;
	return rc;
}

static int schema_finish(struct hf_sql *q, uint32_t version, uint32_t oldest, struct hf_meta *meta)
{
	char pragma[64];
	int rc;

	snprintf(pragma, sizeof(pragma), "PRAGMA user_version=%u", version);
	rc = hf_sql_exec(q, pragma);
	if (!rc)
		rc = tables_sum(q, &meta->schema_sum);
	meta->version = version;
	meta->oldest = oldest;
	return rc ? rc : hf_schema_meta_set(q, meta);
}

int hf_schema_make(struct hf_sql *q, const struct hf_schema *schema, struct hf_meta *meta)
{
	char pragma[64];
	int rc;

	snprintf(pragma, sizeof(pragma), "PRAGMA application_id=%d", HF_SCHEMA_APPLICATION);
	rc = hf_sql_exec(q, pragma);
	if (!rc)
		rc = hf_sql_exec(q, schema->sql);
	return rc ? rc : schema_finish(q, schema->version, schema->oldest, meta);
}

/* A file without our mark: another program's, or ours with the mark damaged. */
static int judge_foreign(struct hf_sql *q)
{
	struct hf_meta meta;
	int64_t n = 0;
	int rc = hf_sql_number(q, "SELECT count(*) FROM sqlite_schema", &n);

	/* No table at all: nothing to lose, and nothing that could be ours. */
	if (rc || n == 0 || hf_schema_meta_get(q, &meta) == 0)
		return rc ? rc : HF_EDAMAGED;
	rc = hf_sql_integrity(q);
	return rc ? rc : HF_EREFUSED;
}

static int schema_compare(
    struct hf_sql *q, const struct hf_schema *schema, uint32_t version, struct hf_meta *meta)
{
	struct hf_meta found;
	uint64_t sum = 0;
	int rc = hf_schema_meta_get(q, &found);

	/*
	 * A row that cannot be read of a file that says it is newer: perhaps all is different
	 * there.
	 */
	if ((rc == HF_EDAMAGED || rc == HF_ESTORE) && version > schema->version) {
		rc = hf_sql_integrity(q);
		return rc ? rc : HF_ESCHEMA;
	}
	if (!rc && found.oldest > schema->version)
		return HF_ESCHEMA;
	if (!rc && found.version != version)
		rc = HF_EDAMAGED;
	if (!rc)
		rc = tables_sum(q, &sum);
	if (!rc && sum != found.schema_sum) {
		snprintf(q->error, sizeof(q->error), "the tables are not those that were made");
		rc = HF_EDAMAGED;
	}
	if (!rc)
		*meta = found;
	return rc;
}

static int schema_judge(struct hf_sql *q, const struct hf_schema *schema, struct hf_meta *ret_meta)
{
	int64_t application = 0, version = 0;
	int rc = hf_sql_number(q, "PRAGMA application_id", &application);

	if (!rc)
		rc = hf_sql_number(q, "PRAGMA user_version", &version);
	if (rc)
		return rc;
	if (application != HF_SCHEMA_APPLICATION)
		return judge_foreign(q);
	if (version < 1 || version > INT32_MAX)
		return HF_EDAMAGED;
	return schema_compare(q, schema, (uint32_t)version, ret_meta);
}

int hf_schema_check(struct hf_sql *q, const struct hf_schema *schema, struct hf_meta *ret_meta)
{
	int rc = schema_judge(q, schema, ret_meta);

	return rc == HF_ESTORE ? HF_EDAMAGED : rc; /* "no such column": a damaged schema */
}

static int migrate_steps(struct hf_sql *q, const struct hf_schema *schema, struct hf_meta *meta)
{
	int rc = 0;

	for (const struct hf_schema_step *step = schema->steps; !rc && step->to; step++) {
		if (step->to <= meta->version)
			continue;
		rc = hf_sql_exec(q, step->sql);
		if (!rc)
			rc = schema_finish(q, step->to,
			    step->oldest > meta->oldest ? step->oldest : meta->oldest, meta);
	}
	return rc;
}

int hf_schema_migrate(struct hf_sql *q, const struct hf_schema *schema, struct hf_meta *meta)
{
	int rc = hf_sql_exec(q, "BEGIN IMMEDIATE");

	if (rc)
		return rc;
	rc = migrate_steps(q, schema, meta);
	if (!rc)
		rc = hf_sql_exec(q, "COMMIT");
	if (rc && hf_sql_in_transaction(q))
		hf_sql_exec(q, "ROLLBACK");
	return rc;
}
