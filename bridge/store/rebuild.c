/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/store/rebuild.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "bridge/store/generation.h"
#include "bridge/store/image_load.h"
#include "bridge/store/store.h"

static const char new_tail[] = ".new";

/* --- rows --- */

static int set_rows(struct hf_sql *q, enum hf_table_id id, const void *rows, size_t n)
{
	const uint8_t *at = rows;
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++)
		rc = hf_store_row_set(q, id, at + i * hf_sql_tables[id].row_size);
	return rc;
}

static int set_image(struct hf_sql *q, const struct hf_image *m)
{
	int rc = set_rows(q, HF_TABLE_SOURCE, m->sources, m->n_sources);

	if (!rc)
		rc = set_rows(q, HF_TABLE_OWNER, m->owners, m->n_owners);
	if (!rc)
		rc = set_rows(q, HF_TABLE_WORKSPACE, m->workspaces, m->n_workspaces);
	if (!rc)
		rc = set_rows(q, HF_TABLE_AGENT, m->agents, m->n_agents);
	if (!rc)
		rc = set_rows(q, HF_TABLE_HOLD, m->holds, m->n_holds);
	if (!rc)
		rc = set_rows(q, HF_TABLE_RESTORED, m->restored, m->n_restored);
	if (!rc)
		rc = set_rows(q, HF_TABLE_TEXT, m->texts, m->n_texts);
	return rc;
}

/* --- a file of its own: no crash matters before it is installed --- */

static int open_new(const struct hf_store_files *f, struct hf_sql **ret_sql)
{
	char path[PATH_MAX];
	int rc = hf_sql_open(hf_store_files_path(f, new_tail, path), HF_SQL_WRITE, ret_sql);

	if (rc)
		return rc;
	rc = hf_sql_exec(
	    *ret_sql, "PRAGMA journal_mode=MEMORY;PRAGMA synchronous=OFF;BEGIN IMMEDIATE");
	if (rc) {
		hf_sql_close(*ret_sql);
		*ret_sql = NULL;
	}
	return rc;
}

/*
 * Commits and closes. From birth it is in WAL mode, so that it never has a journal that must be
 * played back first; the WAL has gone with the close.
 */
static int close_new(const struct hf_store_files *f, struct hf_sql *q, int rc)
{
	char mode[16] = "", why[256];

	if (!rc)
		rc = hf_sql_exec(q, "COMMIT");
	if (!rc)
		rc = hf_sql_word(q, "PRAGMA journal_mode=WAL", mode, sizeof(mode));
	if (!rc && strcmp(mode, "wal"))
		rc = HF_ESTORE;
	hf_sql_close(q);
	if (!rc && hf_store_files_look(f, ".new-wal", why, sizeof(why)) == HF_FILE_THERE)
		rc = -EIO;
	if (rc)
		hf_store_files_discard(f, new_tail);
	return rc;
}

int hf_rebuild_new(const struct hf_store_files *f, const struct hf_schema *schema,
    struct hf_meta *meta, const struct hf_image *image)
{
	struct hf_sql *q = NULL;
	int rc = hf_store_files_create(f, new_tail);

	if (!rc)
		rc = open_new(f, &q);
	if (rc) {
		hf_store_files_discard(f, new_tail);
		return rc;
	}
	rc = hf_schema_make(q, schema, meta);
	if (!rc && image)
		rc = set_image(q, image);
	return close_new(f, q, rc);
}

/* --- out of the copy --- */

static int check_new(
    const struct hf_store_files *f, const struct hf_schema *schema, struct hf_meta *ret_meta)
{
	struct hf_checked c;
	char path[PATH_MAX];
	int rc = hf_image_check_file(hf_store_files_path(f, new_tail, path), schema, NULL, 0, &c);

	if (rc)
		return rc;
	*ret_meta = c.meta;
	hf_image_checked_done(&c);
	return 0;
}

int hf_rebuild_check(const struct hf_store_files *f, const struct hf_schema *schema)
{
	struct hf_meta ignored;

	return check_new(f, schema, &ignored);
}

void hf_rebuild_renew(struct hf_meta *found, int64_t now_s, const struct hf_meta *meta)
{
	memcpy(found->epoch, meta->epoch, sizeof(found->epoch));
	found->generation =
	    meta->generation ? meta->generation : hf_generation_next(found->generation, now_s);
	found->log_floor = found->generation;
	found->copied = false;
}

int hf_rebuild_from_copy(const struct hf_store_files *f, const struct hf_schema *schema,
    int64_t now_s, struct hf_meta *meta, uint64_t *ret_generation)
{
	struct hf_meta found;
	struct hf_sql *q = NULL;
	char why[256];
	int rc = hf_store_files_look(f, ".copy", why, sizeof(why));

	if (rc != HF_FILE_THERE)
		return rc < 0 ? rc : -ENOENT;
	rc = hf_store_files_duplicate(f, ".copy", new_tail);
	if (!rc)
		rc = check_new(f, schema, &found);
	if (rc) {
		hf_store_files_discard(f, new_tail);
		return rc;
	}
	rc = open_new(f, &q);
	if (rc) {
		hf_store_files_discard(f, new_tail);
		return rc == HF_EDAMAGED ? -EIO : rc; /* it was sound a moment ago: a read failed */
	}
	*ret_generation = found.generation;
	hf_rebuild_renew(&found, now_s, meta);
	rc = close_new(f, q, hf_schema_meta_set(q, &found));
	if (!rc)
		*meta = found;
	return rc == HF_EDAMAGED ? -EIO : rc;
}

/* --- the copy --- */

struct copying {
	const struct hf_store_files *files;
	const struct hf_schema *schema;
	hf_rebuild_running_cb running;
	void *arg;
};

static int copying_tell(const struct copying *c, struct hf_sql *q)
{
	return c->running ? c->running(q, c->arg) : 0;
}

/* Takes one state of the whole file, without what was free in it, while others go on writing. */
static int vacuum_into(const struct copying *c, const char *to)
{
	char path[PATH_MAX];
	struct hf_sql *q;
	struct hf_stmt st;
	int rc = hf_sql_open(c->files->path, HF_SQL_READ, &q);

	if (rc)
		return rc;
	rc = copying_tell(c, q);
	if (!rc) {
		st = hf_stmt(q, "VACUUM INTO ?");
		hf_stmt_put_text(&st, hf_store_files_path(c->files, to, path));
		rc = hf_stmt_run(&st);
	}
	copying_tell(c, NULL);
	hf_sql_close(q);
	return rc;
}

/* It says of itself that it is a copy: whoever puts it in the store's place gets a new epoch. */
static int copying_mark(const struct copying *c, const char *tail)
{
	char path[PATH_MAX];
	struct hf_meta meta;
	struct hf_sql *q;
	int rc = hf_sql_open(hf_store_files_path(c->files, tail, path), HF_SQL_WRITE, &q);

	if (rc)
		return rc;
	rc = hf_sql_exec(q, "PRAGMA journal_mode=MEMORY;PRAGMA synchronous=OFF");
	if (!rc)
		rc = hf_schema_meta_get(q, &meta);
	if (!rc) {
		meta.copied = true;
		rc = hf_schema_meta_set(q, &meta);
	}
	hf_sql_close(q);
	return rc;
}

static int check_at(const struct copying *c, const char *path)
{
	struct hf_checked checked;
	int rc = hf_image_check_file(path, c->schema, NULL, 0, &checked);

	if (!rc)
		hf_image_checked_done(&checked);
	return rc;
}

/* The store itself, while it is in use: by an ordinary connection. */
static bool is_sound(const struct copying *c)
{
	struct hf_image *image = NULL;
	uint64_t orphans;
	struct hf_meta meta;
	struct hf_sql *q;
	int rc = hf_sql_open(c->files->path, HF_SQL_READ, &q);

	if (rc)
		return true;
	rc = copying_tell(c, q);
	if (!rc)
		rc = hf_sql_exec(q, "BEGIN");
	if (!rc)
		rc = hf_schema_check(q, c->schema, &meta);
	if (!rc)
		rc = hf_sql_integrity(q);
	if (!rc)
		rc = hf_image_load(q, &meta, &image, &orphans);
	hf_image_free(image);
	copying_tell(c, NULL);
	hf_sql_close(q);
	return rc != HF_EDAMAGED;
}

int hf_rebuild_copy(const struct hf_store_files *f, const struct hf_schema *schema,
    const char *tail, hf_rebuild_running_cb running, void *arg, bool *ret_sound)
{
	struct copying c = { .files = f, .schema = schema, .running = running, .arg = arg };
	char path[PATH_MAX], tmp[64];
	int rc;

	snprintf(tmp, sizeof(tmp), "%s.tmp", tail);
	*ret_sound = true;
	rc = hf_store_files_create(f, tmp);
	if (!rc)
		rc = vacuum_into(&c, tmp);
	if (!rc)
		rc = copying_mark(&c, tmp);
	if (!rc)
		rc = check_at(&c, hf_store_files_path(f, tmp, path));
	if (!rc)
		rc = hf_store_files_install(f, tmp, tail);
	if (!rc)
		rc = hf_store_files_sync(f);
	if (rc)
		hf_store_files_discard(f, tmp);
	if (rc == HF_EDAMAGED || rc == HF_ESTORE)
		*ret_sound = is_sound(&c);
	return rc;
}
