/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sql: one connection to a database file, its statements, and SQLite's result codes as ours. The
 * only file of the room that maps a code of SQLite.
 *
 * A connection is used by one thread at a time. A failed read or write of the file makes it
 * untrusted (hf_sql_is_broken): it is to be closed and opened anew, never used on.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;

enum { HF_SQL_STMTS_MAX = 40, HF_SQL_ERROR_MAX = 160 };

struct hf_sql {
	struct sqlite3 *db; /* owned */
	struct {
		const char *text;          /* a literal: it is the key, by its address */
		struct sqlite3_stmt *stmt; /* owned */
	} stmts[HF_SQL_STMTS_MAX];
	char *path; /* owned */
	int mode;   /* enum hf_sql_mode */
	bool broken;
	bool leave;                   /* the WAL as it is */
	uint32_t wal_pages;           /* in the WAL after this connection's last commit */
	char error[HF_SQL_ERROR_MAX]; /* the last failure, in SQLite's words */
};

enum hf_sql_mode {
	HF_SQL_WRITE, /* the file is there; read and write */
	HF_SQL_READ,  /* the file is there; read only, beside a writer */
	/*
	 * read only where nothing at all can be written: no lock, no side file. Nobody else writes
	 */
	HF_SQL_FROZEN,
	HF_SQL_MEMORY, /* no file; `path` is not looked at */
};

/* End with hf_sql_close(). Nothing is read yet: a damaged file shows in the first statement. */
/* SQLite's version, of the library that runs. */
const char *hf_sql_library(void);

int hf_sql_open(const char *path, enum hf_sql_mode mode, struct hf_sql **ret_sql);
/* Another connection as `q` is, for reading; -ENODATA if that is of memory only. */
int hf_sql_again(const struct hf_sql *q, struct hf_sql **ret_sql);
/*
 * NULL is fine. The last writer's close writes the WAL back and removes it, but not if the
 * connection is broken: the WAL then stays as it is.
 */
void hf_sql_close(struct hf_sql *q);
bool hf_sql_is_broken(const struct hf_sql *q);
/* Makes it untrusted: another connection to the same file met a failure. NULL is fine. */
void hf_sql_distrust(struct hf_sql *q);
/* Its close leaves the WAL as it is: of a file that is not to be touched. */
void hf_sql_leave(struct hf_sql *q);

/* Statements without parameters and rows. `text` may be made at run time. */
int hf_sql_exec(struct hf_sql *q, const char *text);
/* The first column of the first row; HF_EDAMAGED if there is none or it is no integer. */
int hf_sql_number(struct hf_sql *q, const char *text, int64_t *ret_number);
/* The first column of the first row as text. */
int hf_sql_word(struct hf_sql *q, const char *text, char *out, size_t size);
/* PRAGMA integrity_check: 0, or HF_EDAMAGED and the first finding in q->error. */
int hf_sql_integrity(struct hf_sql *q);
/*
 * Write the WAL back as far as no reader needs it. Never waits for a writer, never makes one wait.
 */
int hf_sql_checkpoint(struct hf_sql *q);
/*
 * Write all of it back and cut the WAL to nothing. 1 if another program that reads is in the way.
 */
int hf_sql_checkpoint_all(struct hf_sql *q);
/* Another thread may call this while the connection is open: what runs ends with -EINTR. */
void hf_sql_interrupt(struct hf_sql *q);
bool hf_sql_in_transaction(const struct hf_sql *q);

/*
 * A statement under way: put the parameters in order, then run it, or take its rows with next and
 * get their columns in order. Errors are sticky: put and get all, check once. Values that are put
 * are lent until the statement was run or ended.
 */
struct hf_stmt {
	struct hf_sql *sql;        /* borrowed */
	struct sqlite3_stmt *stmt; /* lent by sql */
	int at;                    /* the next parameter or column */
	int error;                 /* 0 or a code */
};

/* `text` must be a literal (or live as long as the connection): it is prepared once. */
struct hf_stmt hf_stmt(struct hf_sql *sql, const char *text);
void hf_stmt_put_int(struct hf_stmt *st, int64_t value);
void hf_stmt_put_null(struct hf_stmt *st);
void hf_stmt_put_text(struct hf_stmt *st, const char *text);
void hf_stmt_put_blob(struct hf_stmt *st, const void *bytes, size_t len);
/* To its end, rows thrown away. It may be put and run again. 0 or a code. */
int hf_stmt_run(struct hf_stmt *st);
/* 1: a row; 0: no more; or a code. After 0 or a code the statement has ended. */
int hf_stmt_next(struct hf_stmt *st);
/* Before the last row: ends the read transaction that it holds. Harmless when it has ended. */
void hf_stmt_end(struct hf_stmt *st);

/*
 * A column of another type, out of range or too long is damage: st->error is HF_EDAMAGED, the value
 * 0.
 */
int64_t hf_stmt_get_int(struct hf_stmt *st, int64_t min, int64_t max);
bool hf_stmt_get_null(struct hf_stmt *st); /* true takes the column, false leaves it to be got */
void hf_stmt_get_text(struct hf_stmt *st, char *out, size_t size); /* without NUL inside */
void hf_stmt_get_blob(struct hf_stmt *st, void *out, size_t len);  /* exactly so long */
