/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/record_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/hosts_line.h"

struct hf_record_table {
	struct hf_record_entry *names;    /* uthash */
	struct hf_record_entry **buckets; /* owned; n_buckets lists */
	unsigned n_buckets;
	size_t count;
};

int hf_record_table_new(unsigned n_buckets, struct hf_record_table **ret_table)
{
	struct hf_record_table *t = calloc(1, sizeof(*t));

	if (t)
		t->buckets = calloc(n_buckets, sizeof(struct hf_record_entry *));
	if (!t || !t->buckets) {
		free(t);
		return -ENOMEM;
	}
	t->n_buckets = n_buckets;
	*ret_table = t;
	return 0;
}

void hf_record_table_entry_name(const struct hf_record_entry *e, struct hf_name *ret_name)
{
	memset(ret_name, 0, sizeof(*ret_name));
	memcpy(ret_name, e->name, offsetof(struct hf_name, wire) + e->name->len);
}

static void record_entry_free(struct hf_record_entry *e)
{
	free(e->name);
	free(e);
}

void hf_record_table_clear(struct hf_record_table *t)
{
	HASH_CLEAR(hh, t->names);
	for (unsigned i = 0; i < t->n_buckets; i++) {
		while (t->buckets[i]) {
			struct hf_record_entry *e = t->buckets[i];

			t->buckets[i] = e->next;
			record_entry_free(e);
		}
	}
	t->count = 0;
}

void hf_record_table_free(struct hf_record_table *t)
{
	if (!t)
		return;
	hf_record_table_clear(t);
	free(t->buckets);
	free(t);
}

size_t hf_record_table_count(const struct hf_record_table *t)
{
	return t->count;
}

unsigned hf_record_table_bucket_of(const struct hf_record_table *t, const uint8_t addr[static 16])
{
	return (unsigned)(hf_hosts_line_sum(addr, 16) % t->n_buckets);
}

struct hf_record_entry *hf_record_table_bucket(const struct hf_record_table *t, unsigned bucket)
{
	return t->buckets[bucket];
}

struct hf_record_entry *hf_record_table_find(
    const struct hf_record_table *t, const struct hf_name *name)
{
	struct hf_record_entry *e;

	HASH_FIND(hh, t->names, name->wire, name->len, e);
	return e;
}

struct hf_record_entry *hf_record_table_find_addr(
    const struct hf_record_table *t, const struct hf_name *name, const uint8_t addr[static 16])
{
	struct hf_record_entry *e = hf_record_table_find(t, name);

	while (e && memcmp(e->addr, addr, 16))
		e = e->same;
	return e;
}

static struct hf_record_entry *entry_new(const struct hf_record *r)
{
	size_t size = offsetof(struct hf_name, wire) + r->name.len;
	struct hf_record_entry *e = calloc(1, sizeof(*e));

	if (e)
		e->name = malloc(size);
	if (!e || !e->name) {
		free(e);
		return NULL;
	}
	memcpy(e->name, &r->name, size);
	memcpy(e->addr, r->addr, 16);
	e->primary = r->primary;
	return e;
}

static void into_bucket(struct hf_record_table *t, struct hf_record_entry *e)
{
	struct hf_record_entry **head = &t->buckets[e->bucket];

	e->next = *head;
	e->before = head;
	if (e->next)
		e->next->before = &e->next;
	*head = e;
}

int hf_record_table_put(struct hf_record_table *t, const struct hf_record *r)
{
	struct hf_record_entry *first = hf_record_table_find(t, &r->name);
	struct hf_record_entry *e = first;

	while (e && memcmp(e->addr, r->addr, 16))
		e = e->same;
	if (e) {
		bool other = e->primary != r->primary;

		e->primary = r->primary;
		return other;
	}
	e = entry_new(r);
	if (!e)
		return -ENOMEM;
	if (first) {
		e->same = first->same;
		first->same = e;
	} else {
		HASH_ADD_KEYPTR(hh, t->names, e->name->wire, e->name->len, e);
		if (!hf_hash_added(e)) {
			record_entry_free(e);
			return -ENOMEM;
		}
	}
	e->bucket = hf_record_table_bucket_of(t, e->addr);
	into_bucket(t, e);
	t->count++;
	return 1;
}

/*
 * The next entry of the name stands in the table for it: without an allocation, which might fail.
 */
static void take_place(
    struct hf_record_table *t, struct hf_record_entry *old, struct hf_record_entry *next)
{
	UT_hash_table *tbl = old->hh.tbl;
	unsigned bucket;

	HASH_TO_BKT(old->hh.hashv, tbl->num_buckets, bucket);
	next->hh = old->hh;
	next->hh.key = next->name->wire;
	if (old->hh.prev)
		((struct hf_record_entry *)old->hh.prev)->hh.next = next;
	else
		t->names = next;
	if (old->hh.next)
		((struct hf_record_entry *)old->hh.next)->hh.prev = next;
	else
		tbl->tail = &next->hh;
	if (old->hh.hh_prev)
		old->hh.hh_prev->hh_next = &next->hh;
	else
		tbl->buckets[bucket].hh_head = &next->hh;
	if (old->hh.hh_next)
		old->hh.hh_next->hh_prev = &next->hh;
}

void hf_record_table_del(struct hf_record_table *t, struct hf_record_entry *e)
{
	struct hf_record_entry *first = hf_record_table_find(t, e->name);

	if (first == e && e->same) {
		take_place(t, e, e->same);
	} else if (first == e) {
		HASH_DELETE(hh, t->names, e);
	} else {
		while (first->same != e)
			first = first->same;
		first->same = e->same;
	}
	*e->before = e->next;
	if (e->next)
		e->next->before = e->before;
	t->count--;
	record_entry_free(e);
}

static int entries_by_line(const void *a, const void *b)
{
	const struct hf_record_entry *x = *(struct hf_record_entry *const *)a;
	const struct hf_record_entry *y = *(struct hf_record_entry *const *)b;
	int diff = memcmp(x->addr, y->addr, 16);

	if (!diff)
		diff = (int)y->primary - (int)x->primary;
	if (!diff)
		diff = (int)x->name->len - (int)y->name->len;
	return diff ? diff : memcmp(x->name->wire, y->name->wire, x->name->len);
}

static void to_record(const struct hf_record_entry *e, struct hf_record *ret_record)
{
	hf_record_table_entry_name(e, &ret_record->name);
	memcpy(ret_record->addr, e->addr, 16);
	ret_record->primary = e->primary;
}

int hf_record_table_text(
    const struct hf_record_table *t, unsigned bucket, bool crlf, char **ret_text, size_t *ret_len)
{
	struct hf_record_entry **sorted;
	size_t n = 0, len = 0;
	char *text;

	for (struct hf_record_entry *e = t->buckets[bucket]; e; e = e->next)
		n++;
	sorted = calloc(n + 1, sizeof(struct hf_record_entry *));
	text = malloc(n * HF_HOSTS_LINE_MAX + 1);
	if (!sorted || !text) {
		free(sorted);
		free(text);
		return -ENOMEM;
	}
	n = 0;
	for (struct hf_record_entry *e = t->buckets[bucket]; e; e = e->next)
		sorted[n++] = e;
	qsort(sorted, n, sizeof(struct hf_record_entry *), entries_by_line);
	for (size_t i = 0; i < n; i++) {
		struct hf_record r;

		to_record(sorted[i], &r);
		len += hf_hosts_line_format(&r, crlf, text + len);
	}
	free(sorted);
	*ret_text = text;
	*ret_len = len;
	return 0;
}

/* Whether this is the first line that the bucket has of its address. */
static bool is_first(const struct hf_record_table *t, const uint8_t addr[static 16])
{
	const struct hf_record_entry *e = t->buckets[hf_record_table_bucket_of(t, addr)];

	while (e && memcmp(e->addr, addr, 16))
		e = e->next;
	return !e;
}

int hf_record_table_load(
    struct hf_record_table *t, const char *bytes, size_t len, hf_odd_line_cb odd, void *odd_arg)
{
	const char *at = bytes, *end = bytes + len, *line;
	uint8_t last[16] = { 0 };
	int n_odd = 0;

	while (hf_hosts_line_next(&at, end, &line, &len)) {
		struct hf_record r;
		int rc = hf_hosts_line_parse(line, len, &r);

		if (rc == 1) {
			/*
			 * Our lines of an address follow each other; in a file that somebody
			 * edited each run of them may have its primary, and is rewritten.
			 */
			r.primary =
			    memcmp(last, r.addr, 16) && (t->n_buckets == 1 || is_first(t, r.addr));
			memcpy(last, r.addr, 16);
			if (!hf_record_table_find_addr(t, &r.name, r.addr))
				rc = hf_record_table_put(t, &r);
		}
		if (rc == -ENOMEM)
			return rc;
		if (rc < 0 && odd)
			odd(line, len, odd_arg);
		n_odd += rc < 0;
	}
	return n_odd;
}

int hf_record_table_walk(
    const struct hf_record_table *t, unsigned bucket, hf_record_cb cb, void *arg)
{
	int rc = 0;

	for (const struct hf_record_entry *e = t->buckets[bucket]; e && !rc; e = e->next) {
		struct hf_record r;

		to_record(e, &r);
		rc = cb(&r, arg);
	}
	return rc;
}

static bool entry_is_below(
    const struct hf_record_entry *e, const struct hf_name *suffixes, size_t n)
{
	struct hf_name name;

	hf_record_table_entry_name(e, &name);
	for (size_t i = 0; i < n; i++)
		if (hf_name_is_under(&name, &suffixes[i]))
			return true;
	return false;
}

void hf_record_table_outside(struct hf_record_table *t, const struct hf_name *suffixes, size_t n,
    void (*drop)(struct hf_record_entry *e, void *arg), void *arg)
{
	for (unsigned i = 0; i < t->n_buckets; i++) {
		struct hf_record_entry *next, *e = t->buckets[i];

		for (; e; e = next) {
			next = e->next;
			if (!entry_is_below(e, suffixes, n))
				drop(e, arg);
		}
	}
}
