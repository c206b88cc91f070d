/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/hosts/hosts_merge.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/hosts/hosts_block.h"
#include "adapters/hosts_line.h"
#include "base/hash_table.h"

/* A line that is not ours, without its end, and how often it is in each of the three. */
struct merge_line {
	UT_hash_handle hh;
	const char *at; /* borrowed from the text */
	size_t base, theirs, now;
	size_t add, del; /* filled in by merge_lines_decide() */
};

struct lines {
	struct merge_line *all; /* uthash; owned, each */
};

static size_t without_end(const char *line, size_t len)
{
	while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	return len;
}

/* A walk over the lines of others: not our block's marks, nor our records and comments in it. */
struct merge_walk {
	const char *at, *end;
	const char *in, *in_end; /* of the block with its marks; equal: there is none */
};

static void merge_walk_begin(struct merge_walk *w, const struct hf_text *text)
{
	struct hf_hosts_block block;
	char why[200];

	*w = (struct merge_walk){ .at = text->at, .end = text->at + text->len };
	w->in = w->in_end = w->end;
	/* Broken marks are lines as all others: whoever reads the file is told of them. */
	if (hf_hosts_block_find(text->at, text->len, &block, why, sizeof(why)))
		return;
	w->in = text->at + block.start;
	w->in_end = text->at + block.end;
}

static bool is_in_block(const struct merge_walk *w, const char *line)
{
	return line >= w->in && line < w->in_end;
}

static bool merge_walk_next(struct merge_walk *w, const char **ret_line, size_t *ret_len)
{
	struct hf_record r;

	while (hf_hosts_line_next(&w->at, w->end, ret_line, ret_len)) {
		if (!is_in_block(w, *ret_line))
			return true;
		if (hf_hosts_line_parse(*ret_line, *ret_len, &r) < 0)
			return true;
	}
	return false;
}

static struct merge_line *merge_line_find(struct lines *l, const char *line, size_t len)
{
	struct merge_line *found;

	len = without_end(line, len);
	HASH_FIND(hh, l->all, line, len, found);
	if (found)
		return found;
	found = calloc(1, sizeof(*found));
	if (!found)
		return NULL;
	found->at = line;
	HASH_ADD_KEYPTR(hh, l->all, found->at, len, found);
	if (hf_hash_added(found))
		return found;
	free(found);
	return NULL;
}

static void lines_free(struct lines *l)
{
	struct merge_line *line, *next;

	HASH_ITER (hh, l->all, line, next) {
		HASH_DEL(l->all, line);
		free(line);
	}
}

static int merge_lines_count(struct lines *l, const struct hf_text *text, size_t offset)
{
	const char *at;
	struct merge_walk w;
	size_t len;

	merge_walk_begin(&w, text);
	while (merge_walk_next(&w, &at, &len)) {
		struct merge_line *line = merge_line_find(l, at, len);

		if (!line)
			return -ENOMEM;
		++*(size_t *)(void *)((char *)line + offset);
	}
	return 0;
}

static size_t merge_larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t merge_less(size_t a, size_t b)
{
	return a > b ? a - b : 0;
}

/* What is there already is not added again, and what is gone already is not removed again. */
static void merge_lines_decide(struct lines *l, bool removes)
{
	struct merge_line *line, *next;

	HASH_ITER (hh, l->all, line, next) {
		line->add = merge_less(line->theirs, merge_larger(line->now, line->base));
		line->del = removes ? merge_less(line->base, line->theirs) : 0;
		if (line->del > merge_less(line->now, line->theirs))
			line->del = merge_less(line->now, line->theirs);
	}
}

struct merge_out {
	char *bytes;
	size_t len;
};

static void merge_out_add(struct merge_out *o, const char *bytes, size_t len)
{
	memcpy(o->bytes + o->len, bytes, len);
	o->len += len;
}

static void merge_out_keep(struct merge_out *o, struct lines *l, const struct hf_text *now)
{
	const char *done = now->at, *at;
	struct merge_walk w;
	size_t len;

	merge_walk_begin(&w, now);
	while (merge_walk_next(&w, &at, &len)) {
		struct merge_line *line = merge_line_find(l, at, len);

		if (!line || !line->del)
			continue;
		line->del--;
		merge_out_add(o, done, (size_t)(at - done));
		done = at + len;
	}
	merge_out_add(o, done, (size_t)(now->at + now->len - done));
}

static void merge_out_append(struct merge_out *o, struct lines *l, const struct hf_text *theirs)
{
	const char *at;
	struct merge_walk w;
	size_t len;

	merge_walk_begin(&w, theirs);
	while (merge_walk_next(&w, &at, &len)) {
		struct merge_line *line = merge_line_find(l, at, len);

		if (!line || !line->add)
			continue;
		line->add--;
		if (o->len && o->bytes[o->len - 1] != '\n')
			merge_out_add(o, "\n", 1);
		merge_out_add(o, at, len);
	}
}

static int by_lines(const struct hf_text *base, const struct hf_text *theirs,
    const struct hf_text *now, bool removes, struct merge_out *o)
{
	struct lines l = { 0 };
	int rc = merge_lines_count(&l, base, offsetof(struct merge_line, base));

	if (!rc)
		rc = merge_lines_count(&l, theirs, offsetof(struct merge_line, theirs));
	if (!rc)
		rc = merge_lines_count(&l, now, offsetof(struct merge_line, now));
	if (!rc) {
		merge_lines_decide(&l, removes);
		merge_out_keep(o, &l, now);
		merge_out_append(o, &l, theirs);
	}
	lines_free(&l);
	return rc;
}

static bool has_only_ours(const struct hf_text *text, const struct hf_hosts_block *b)
{
	const char *at = text->at + b->in, *line;
	struct hf_record r;
	size_t len;

	while (hf_hosts_line_next(&at, text->at + b->in_end, &line, &len))
		if (hf_hosts_line_parse(line, len, &r) < 0)
			return false;
	return true;
}

/* Whether what is not ours is the same in both, to the byte. */
static bool is_untouched(const struct hf_text *base, const struct hf_text *now)
{
	struct hf_hosts_block a, b;
	char why[200];

	return !hf_hosts_block_find(base->at, base->len, &a, why, sizeof(why)) &&
	       !hf_hosts_block_find(now->at, now->len, &b, why, sizeof(why)) &&
	       has_only_ours(now, &b) && a.start == b.start &&
	       !memcmp(base->at, now->at, a.start) && base->len - a.end == now->len - b.end &&
	       !memcmp(base->at + a.end, now->at + b.end, base->len - a.end);
}

static int merge_as(const struct hf_text *base, const struct hf_text *theirs,
    const struct hf_text *now, bool removes, char **ret_bytes, size_t *ret_len)
{
	/* Each line of theirs may need an end before it. */
	struct merge_out o = { .bytes = malloc(now->len + 2 * theirs->len + 1) };
	int rc = o.bytes ? 0 : -ENOMEM;

	if (!rc && removes && is_untouched(base, now))
		merge_out_add(&o, theirs->at, theirs->len);
	else if (!rc)
		rc = by_lines(base, theirs, now, removes, &o);
	if (rc) {
		free(o.bytes);
		return rc;
	}
	*ret_bytes = o.bytes;
	*ret_len = o.len;
	return 0;
}

int hf_hosts_merge(const struct hf_text *base, const struct hf_text *theirs,
    const struct hf_text *now, char **ret_bytes, size_t *ret_len)
{
	return merge_as(base, theirs, now, true, ret_bytes, ret_len);
}

int hf_hosts_merge_added(const struct hf_text *base, const struct hf_text *theirs,
    const struct hf_text *now, char **ret_bytes, size_t *ret_len)
{
	return merge_as(base, theirs, now, false, ret_bytes, ret_len);
}
