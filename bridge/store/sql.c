/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/store/sql.h"

#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"

/* The result of a call, as ours; what SQLite says about it is kept. */
static int sql_code(struct hf_sql *q, int rc)
{
	int system = 0;

	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	default:
		break;
	}
	snprintf(q->error, sizeof(q->error), "%s", q->db ? sqlite3_errmsg(q->db) : "out of memory");
	if (q->db)
		system = sqlite3_system_errno(q->db);
	switch (rc & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		q->broken = true; /* or only a read failed: SQLite makes no difference */
		return HF_EDAMAGED;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_INTERRUPT:
		return -EINTR;
	case SQLITE_PERM:
		return -EACCES;
	case SQLITE_CANTOPEN:
		return system ? -system : -EIO;
	case SQLITE_IOERR:
		if (rc == SQLITE_IOERR_NOMEM)
			return -ENOMEM;
		q->broken = true;
		return system ? -system : -EIO;
	default:
		return HF_ESTORE;
	}
}

/*
 * What a file may make SQLite do is kept small: no triggers, no views, no functions with side
 * effects, no big values.
 */
static void sql_confine(sqlite3 *db)
{
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 1 << 20);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 1); /* VACUUM INTO needs one */
	sqlite3_extended_result_codes(db, 1);
	/*
	 * Other programs may look into the file; what they hold up for longer is tried again later.
	 */
	sqlite3_busy_timeout(db, 50);
}

static int on_wal(void *arg, sqlite3 *db, const char *schema, int pages)
{
	struct hf_sql *q = arg;

	q->wal_pages = pages < 0 ? 0 : (uint32_t)pages;
	return SQLITE_OK;
}

void hf_sql_leave(struct hf_sql *q)
{
	q->leave = true;
}

/* "file:" and the path, with what means something in a URI written as %XX. */
static bool file_uri(const char *path, const char *query, char *out, size_t size)
{
	size_t at = (size_t)snprintf(out, size, "file:");

	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;
		bool plain = c > ' ' && c < 0x7f && !strchr("%?#", c);

		if (at + 4 > size)
			return false;
		at += (size_t)snprintf(out + at, size - at, plain ? "%c" : "%%%02X", c);
	}
	return (size_t)snprintf(out + at, size - at, "%s", query) < size - at;
}

/*
 * Reading a file in WAL mode commonly makes side files. With no WAL nothing of it is needed; with
 * one its index is kept in memory, which SQLite does for a connection that is alone and takes no
 * locks.
 */
static int open_frozen(struct hf_sql *q, const char *path)
{
	int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	char text[3 * PATH_MAX];
	struct stat st;
	int rc;

	/* or the close of the last connection removes a WAL in which it finds nothing */
	hf_sql_leave(q);
	if (snprintf(text, sizeof(text), "%s-wal", path) >= (int)sizeof(text))
		return -ENAMETOOLONG;
	if (lstat(text, &st) < 0 || st.st_size == 0) {
		if (!file_uri(path, "?immutable=1", text, sizeof(text)))
			return -ENAMETOOLONG;
		return sql_code(q, sqlite3_open_v2(text, &q->db, flags | SQLITE_OPEN_URI, NULL));
	}
	rc = sql_code(q, sqlite3_open_v2(path, &q->db, flags, "unix-none"));
	return rc ? rc : hf_sql_exec(q, "PRAGMA locking_mode=EXCLUSIVE");
}

static int open_mode(struct hf_sql *q, const char *path, enum hf_sql_mode mode)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	int rc;

	switch (mode) {
	case HF_SQL_FROZEN:
		return open_frozen(q, path);
	case HF_SQL_MEMORY:
		path = ":memory:";
		flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
		break;
	case HF_SQL_WRITE:
		flags |= SQLITE_OPEN_READWRITE;
		break;
	case HF_SQL_READ:
		flags |= SQLITE_OPEN_READONLY;
		break;
	}
	rc = sql_code(q, sqlite3_open_v2(path, &q->db, flags, NULL));
	/* A file that cannot be opened for writing is opened for reading without a word. */
	if (!rc && mode == HF_SQL_WRITE && sqlite3_db_readonly(q->db, "main") == 1)
		rc = -EROFS;
	return rc;
}

int hf_sql_open(const char *path, enum hf_sql_mode mode, struct hf_sql **ret_sql)
{
	struct hf_sql *q = calloc(1, sizeof(*q));
	int rc;

	if (!q)
		return -ENOMEM;
	q->path = mode == HF_SQL_MEMORY ? NULL : strdup(path);
	q->mode = mode;
	rc = q->path || mode == HF_SQL_MEMORY ? open_mode(q, path, mode) : -ENOMEM;
	if (!rc) {
		sql_confine(q->db);
		/* takes the place of the automatic checkpoint */
		sqlite3_wal_hook(q->db, on_wal, q);
		rc = hf_sql_exec(q,
		    "PRAGMA synchronous=FULL;PRAGMA mmap_size=0;PRAGMA cell_size_check=ON;PRAGMA secure_delete=OFF;PRAGMA temp_store=MEMORY;"
		    /* What a long reader made it grow to, it is cut to when it begins anew. */
		    "PRAGMA journal_size_limit=8388608");
	}
	if (rc) {
		hf_sql_close(q);
		return rc;
	}
	*ret_sql = q;
	return 0;
}

void hf_sql_close(struct hf_sql *q)
{
	if (!q)
		return;
	for (size_t i = 0; i < HF_SQL_STMTS_MAX && q->stmts[i].text; i++)
		sqlite3_finalize(q->stmts[i].stmt);
	if (q->db && (q->broken || q->leave))
		sqlite3_db_config(q->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(q->db);
	free(q->path);
	free(q);
}

int hf_sql_again(const struct hf_sql *q, struct hf_sql **ret_sql)
{
	if (!q->path)
		return -ENODATA;
	return hf_sql_open(
	    q->path, q->mode == HF_SQL_FROZEN ? HF_SQL_FROZEN : HF_SQL_READ, ret_sql);
}

bool hf_sql_is_broken(const struct hf_sql *q)
{
	return q->broken;
}

void hf_sql_distrust(struct hf_sql *q)
{
	if (q)
		q->broken = true;
}

int hf_sql_exec(struct hf_sql *q, const char *text)
{
	return sql_code(q, sqlite3_exec(q->db, text, NULL, NULL, NULL));
}

int hf_sql_checkpoint(struct hf_sql *q)
{
	return sql_code(
	    q, sqlite3_wal_checkpoint_v2(q->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL));
}

int hf_sql_checkpoint_all(struct hf_sql *q)
{
	int rc = sqlite3_wal_checkpoint_v2(q->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

	return (rc & 0xff) == SQLITE_BUSY ? 1 : sql_code(q, rc);
}

void hf_sql_interrupt(struct hf_sql *q)
{
	sqlite3_interrupt(q->db);
}

bool hf_sql_in_transaction(const struct hf_sql *q)
{
	return !sqlite3_get_autocommit(q->db);
}

/* --- statements --- */

static int sql_prepare(struct hf_sql *q, const char *text, sqlite3_stmt **ret_stmt)
{
	size_t i = 0;
	int rc;

	while (i < HF_SQL_STMTS_MAX && q->stmts[i].text && q->stmts[i].text != text)
		i++;
	if (i == HF_SQL_STMTS_MAX)
		return HF_ELIMIT;
	if (!q->stmts[i].text) {
		rc = sql_code(q, sqlite3_prepare_v3(q->db, text, -1, SQLITE_PREPARE_PERSISTENT,
				     &q->stmts[i].stmt, NULL));
		if (rc)
			return rc;
		q->stmts[i].text = text;
	}
	*ret_stmt = q->stmts[i].stmt;
	return 0;
}

struct hf_stmt hf_stmt(struct hf_sql *sql, const char *text)
{
	struct hf_stmt st = { .sql = sql };

	st.error = sql_prepare(sql, text, &st.stmt);
	if (!st.error)
		sqlite3_reset(st.stmt);
	return st;
}

static void put_done(struct hf_stmt *st, int rc)
{
	int code = sql_code(st->sql, rc);

	if (!st->error)
		st->error = code;
}

void hf_stmt_put_int(struct hf_stmt *st, int64_t value)
{
	if (!st->error)
		put_done(st, sqlite3_bind_int64(st->stmt, ++st->at, value));
}

void hf_stmt_put_null(struct hf_stmt *st)
{
	if (!st->error)
		put_done(st, sqlite3_bind_null(st->stmt, ++st->at));
}

void hf_stmt_put_text(struct hf_stmt *st, const char *text)
{
	if (!st->error)
		put_done(st, sqlite3_bind_text(st->stmt, ++st->at, text, -1, SQLITE_STATIC));
}

void hf_stmt_put_blob(struct hf_stmt *st, const void *bytes, size_t len)
{
	if (!st->error)
		put_done(st, sqlite3_bind_blob64(st->stmt, ++st->at, bytes, len, SQLITE_STATIC));
}

int hf_stmt_run(struct hf_stmt *st)
{
	int rc;

	do {
		rc = hf_stmt_next(st);
	} while (rc == 1);
	st->at = 0;
	return rc;
}

int hf_stmt_next(struct hf_stmt *st)
{
	int rc;

	if (st->error)
		return st->error;
	rc = sqlite3_step(st->stmt);
	st->at = 0;
	if (rc == SQLITE_ROW)
		return 1;
	st->error = sql_code(st->sql, rc);
	sqlite3_reset(st->stmt);
	return st->error;
}

void hf_stmt_end(struct hf_stmt *st)
{
	if (st->stmt)
		sqlite3_reset(st->stmt);
}

static void stmt_damaged(struct hf_stmt *st)
{
	if (st->error)
		return;
	st->error = HF_EDAMAGED;
	snprintf(st->sql->error, sizeof(st->sql->error), "a value of column '%s' cannot be",
	    sqlite3_column_name(st->stmt, st->at ? st->at - 1 : 0));
}

/*
 * The next column, NULL after an error. Looked up once, and then asked for its type and content:
 * SQLite allows that outside its lock to connections that have none (SQLITE_OPEN_NOMUTEX), as all
 * of ours.
 */
static sqlite3_value *next_value(struct hf_stmt *st)
{
	int at = st->at++;

	return st->error ? NULL : sqlite3_column_value(st->stmt, at);
}

int64_t hf_stmt_get_int(struct hf_stmt *st, int64_t min, int64_t max)
{
	sqlite3_value *v = next_value(st);
	int64_t value;

	if (!v)
		return 0;
	value = sqlite3_value_int64(v);
	if (sqlite3_value_type(v) != SQLITE_INTEGER || value < min || value > max) {
		stmt_damaged(st);
		return 0;
	}
	return value;
}

bool hf_stmt_get_null(struct hf_stmt *st)
{
	if (st->error || sqlite3_column_type(st->stmt, st->at) != SQLITE_NULL)
		return false;
	st->at++;
	return true;
}

/* The bytes of a text or a blob, lent until the next step; NULL: there are none, or an error. */
static const void *get_bytes(struct hf_stmt *st, int type, size_t *ret_len)
{
	sqlite3_value *v = next_value(st);
	const void *bytes;

	*ret_len = 0;
	if (!v)
		return NULL;
	if (sqlite3_value_type(v) != type) {
		stmt_damaged(st);
		return NULL;
	}
	/*
	 * As a blob also what is a text: nobody here needs the NUL that would be put behind a copy
	 * of it.
	 */
	bytes = sqlite3_value_blob(v);
	*ret_len = (size_t)sqlite3_value_bytes(v);
	if (!bytes && *ret_len) {
		st->error = -ENOMEM;
		*ret_len = 0;
	}
	return bytes;
}

void hf_stmt_get_text(struct hf_stmt *st, char *out, size_t size)
{
	size_t len;
	const void *text = get_bytes(st, SQLITE_TEXT, &len);

	out[0] = '\0';
	if (!text)
		return;
	if (len >= size || memchr(text, '\0', len)) {
		stmt_damaged(st);
		return;
	}
	memcpy(out, text, len);
	out[len] = '\0';
}

void hf_stmt_get_blob(struct hf_stmt *st, void *out, size_t len)
{
	size_t found;
	const void *bytes = get_bytes(st, SQLITE_BLOB, &found);

	if (!st->error && found != len)
		stmt_damaged(st);
	if (!st->error && len)
		memcpy(out, bytes, len);
	else
		memset(out, 0, len);
}

/* --- one value --- */

static int sql_one_row(struct hf_sql *q, const char *text, sqlite3_stmt **ret_stmt)
{
	int rc = sql_code(q, sqlite3_prepare_v2(q->db, text, -1, ret_stmt, NULL));

	if (rc)
		return rc;
	rc = sqlite3_step(*ret_stmt);
	return rc == SQLITE_ROW ? 0 : rc == SQLITE_DONE ? HF_EDAMAGED : sql_code(q, rc);
}

int hf_sql_number(struct hf_sql *q, const char *text, int64_t *ret_number)
{
	struct hf_stmt st = { .sql = q };
	int64_t value = 0;

	st.error = sql_one_row(q, text, &st.stmt);
	value = hf_stmt_get_int(&st, INT64_MIN, INT64_MAX);
	sqlite3_finalize(st.stmt);
	if (!st.error)
		*ret_number = value;
	return st.error;
}

int hf_sql_word(struct hf_sql *q, const char *text, char *out, size_t size)
{
	struct hf_stmt st = { .sql = q };

	st.error = sql_one_row(q, text, &st.stmt);
	hf_stmt_get_text(&st, out, size);
	sqlite3_finalize(st.stmt);
	return st.error;
}

/*
 * A page that cannot be read is told as a finding; it is no damage, and may be read the next time.
 */
static int finding_code(struct hf_sql *q, const char *finding)
{
	const char *at = strstr(finding, "error code=");
	int rc = at ? atoi(at + strlen("error code=")) & 0xff : 0;

	if (rc == SQLITE_IOERR)
		q->broken = true;
	return rc == SQLITE_IOERR ? -EIO : rc == SQLITE_NOMEM ? -ENOMEM : HF_EDAMAGED;
}

int hf_sql_integrity(struct hf_sql *q)
{
	char word[2048] = "";
	int rc = hf_sql_word(q, "PRAGMA integrity_check(1)", word, sizeof(word));

	if (rc || !strcmp(word, "ok"))
		return rc;
	for (char *c = word; *c; c++)
		*c = *c < ' ' ? ' ' : *c;
	snprintf(q->error, sizeof(q->error), "%.*s", HF_SQL_ERROR_MAX - 1, word);
	return finding_code(q, word);
}

const char *hf_sql_library(void)
{
	return sqlite3_libversion();
}
