/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * store_rows: the structs that the store keeps, as rows of its tables. Each table has one
 * description of its columns, out of which a row is written, read, checked and summed.
 *
 * Every row carries a sum over its values and its table, so that a flipped bit is noticed even
 * where the result is still a good label or a good address.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/store/sql.h"
#include "bridge/types/rows.h"

/* A line of the change log and the history, in one. */
struct hf_change_row {
	uint64_t seq; /* rises by one */
	uint64_t generation;
	int64_t wall_s;
	struct hf_name name; /* len 0: of no single name, and nothing for the zone */
	char what[16];
	char why[16];
	uint8_t flags; /* HF_REC_... */
	uint8_t addr[16];
	uint32_t source, owner, agent; /* rid, UINT32_MAX: none */
	int64_t first_seen_s;
	char detail[HF_TEXT_MAX * 2];
};

struct hf_adapter_row {
	uint32_t rid;
	char name[HF_TEXT_MAX];
	uint8_t epoch[16];
	uint64_t generation;
};

struct hf_owned_row {
	uint32_t adapter; /* rid */
	struct hf_name name;
	uint8_t addr[16];
	uint8_t state;
	uint64_t generation;
};

struct hf_address_row {
	char source[HF_LABEL_MAX + 1];
	uint32_t place; /* in the order they were given */
	char address[64];
};

/* The one row of `meta`. */
struct hf_meta {
	uint32_t version;    /* of the schema */
	uint32_t oldest;     /* the oldest version whose program may use this file */
	uint64_t schema_sum; /* of the tables as they were made */
	uint8_t epoch[16];
	uint64_t generation;
	bool ready;
	/* a copy that was not in use yet: who opens it as a store gives it another epoch */
	bool copied;
	uint64_t log_floor; /* of generations up to this one not all changes are known */
	uint32_t next_workspace, next_agent;
	int64_t made_s;
};

enum hf_table_id {
	/* as enum hf_row_kind, but for its HF_ROW_TEXT: see hf_sql_table_of() */
	HF_TABLE_SOURCE,
	HF_TABLE_OWNER,
	HF_TABLE_WORKSPACE,
	HF_TABLE_AGENT,
	HF_TABLE_HOLD,
	HF_TABLE_RESTORED,
	HF_TABLE_CHANGE,
	HF_TABLE_ADAPTER,
	HF_TABLE_OWNED,
	HF_TABLE_ADDRESS,
	HF_TABLE_META,
	HF_TABLE_TEXT,
	HF_TABLE_LAST,
};

/* But for HF_ROW_TEXT, the last, the number of a kind is that of its table. */
_Static_assert(
    (int)HF_ROW_SOURCE == (int)HF_TABLE_SOURCE && (int)HF_ROW_OWNER == (int)HF_TABLE_OWNER &&
	(int)HF_ROW_WORKSPACE == (int)HF_TABLE_WORKSPACE &&
	(int)HF_ROW_AGENT == (int)HF_TABLE_AGENT && (int)HF_ROW_HOLD == (int)HF_TABLE_HOLD &&
	HF_ROW_TEXT == HF_ROW_HOLD + 1 && HF_ROW_LAST == HF_ROW_TEXT + 1,
    "hf_sql_table_of() has to know each kind");

/*
 * A table's number is in the sums of its rows: it never changes, so the later ones stand at the
 * end.
 */
static inline enum hf_table_id hf_sql_table_of(enum hf_row_kind kind)
{
	return kind == HF_ROW_TEXT ? HF_TABLE_TEXT : (enum hf_table_id)kind;
}

enum { HF_FIELDS_MAX = 16 };

enum hf_field_type {
	HF_FIELD_U8,
	HF_FIELD_U32,
	HF_FIELD_U64,
	HF_FIELD_S64,
	HF_FIELD_BOOL,
	HF_FIELD_RID_OR_NONE, /* NULL: UINT32_MAX */
	HF_FIELD_BLOB16,
	HF_FIELD_TEXT,
	HF_FIELD_LABEL, /* a DNS label in lower case, or "" */
	HF_FIELD_NAME,  /* a DNS name as text, "" where its len is 0 */
};

struct hf_field {
	enum hf_field_type type;
	uint16_t offset; /* of the struct's member */
	uint16_t size;   /* of a text */
	uint8_t max;     /* of U8, if not 0 */
};

struct hf_sql_table {
	const char *name;
	size_t row_size; /* of the struct */
	const char *set; /* inserts or replaces; all columns */
	const char *all; /* reads all columns, in the order of the key */
	struct hf_field fields[HF_FIELDS_MAX];
	size_t n_fields;
	/*
	 * Those that version 1 has: `sum` goes on covering them and no others, so that its program
	 * can use the file. The rest has a sum of its own, above the low byte of its last column (a
	 * U8 or BOOL): 0 where all of the rest is 0 or "", as in the rows that the program of
	 * version 1 writes. Most rows need no byte for it.
	 */
	size_t n_first;
};

extern const struct hf_sql_table hf_sql_tables[HF_TABLE_LAST];

/*
 * All columns of a table, in the order in which hf_store_row_get() takes them; a WHERE or ORDER BY
 * follows.
 */
#define HF_SELECT_SOURCE                                                                           \
	"SELECT rid,name,url,suffix,deployment_id,user,user_name,withdrawn,away_ms,"               \
	"counted_boot,counted_ms,counted_s,contact_s,sentinel,removals,sum,marks FROM source "
#define HF_SELECT_OWNER "SELECT rid,source,id,name,confirmed_s,words,rights,sum,marks FROM owner "
#define HF_SELECT_WORKSPACE                                                                        \
	"SELECT rid,owner,id,name,status,held,first_seen_s,sum,marks FROM workspace "
#define HF_SELECT_AGENT "SELECT rid,workspace,id,name,names,main_name,first_seen_s,sum FROM agent "
#define HF_SELECT_HOLD                                                                             \
	"SELECT rid,source,owner,kind,detail,since_s,fresh_ms,rejected,sum FROM hold "
#define HF_SELECT_RESTORED                                                                         \
	"SELECT name,addr,main_name,source,first_seen_s,flags,sum,kept FROM restored "
#define HF_SELECT_CHANGE                                                                           \
	"SELECT seq,generation,wall_s,name,what,why,flags,addr,source,owner,agent,"                \
	"first_seen_s,detail,sum FROM change "
#define HF_SELECT_ADAPTER "SELECT rid,name,epoch,generation,sum FROM adapter "
#define HF_SELECT_OWNED "SELECT adapter,name,addr,state,generation,sum FROM owned "
#define HF_SELECT_ADDRESS "SELECT source,place,address,sum FROM address "
#define HF_SELECT_TEXT "SELECT rid,text,sum FROM text "
#define HF_SELECT_META                                                                             \
	"SELECT version,oldest,schema_sum,epoch,generation,ready,copied,log_floor,"                \
	"next_workspace,next_agent,made_s,sum FROM meta "

/* Whether a row could be read back: 0 or -EINVAL. */
int hf_store_row_check(enum hf_table_id id, const void *row);
/* Write it by the table's `set`; checked before. */
int hf_store_row_set(struct hf_sql *q, enum hf_table_id id, const void *row);
/*
 * Take the columns of a row that hf_stmt_next() has given; of statements that select all columns in
 * the table's order. 0, or HF_EDAMAGED (the statement is not ended).
 */
int hf_store_row_get(struct hf_stmt *st, enum hf_table_id id, void *ret_row);

/*
 * A growing array of rows of one table, read by its `all`. The caller owns *ret_rows; end it with
 * free(). Its capacity is doubled as it grows.
 */
int hf_store_rows_load(struct hf_sql *q, enum hf_table_id id, void **ret_rows, size_t *ret_n);
