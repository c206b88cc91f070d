/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/hosts/hosts_block.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/hosts_line.h"
#include "base/error.h"

static const char begin_mark[] = "# BEGIN HOLDFAST";
static const char end_mark[] = "# END HOLDFAST";
static const char begin_text[] = "# BEGIN HOLDFAST: rewritten down to END, do not edit";
/* The line before had no end: it was given one, which goes with the block. */
static const char joined_mark[] = "# BEGIN HOLDFAST (joined)";
static const char joined_text[] = "# BEGIN HOLDFAST (joined): rewritten down to END, do not edit";
static const char joined_cr_mark[] = "# BEGIN HOLDFAST (joined by CR LF)";
static const char joined_cr_text[] =
    "# BEGIN HOLDFAST (joined by CR LF): rewritten down to END, do not edit";

/* The file was there already, and empty: it is left so when the block goes. */
static const char empty_mark[] = "# BEGIN HOLDFAST (was empty)";
static const char empty_text[] = "# BEGIN HOLDFAST (was empty): rewritten down to END, do not edit";

/* And ends there, or goes on with another word: "# BEGIN HOLDFASTER" is somebody else's. */
static bool marker_begins(const char *line, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && !memcmp(line, with, n) && (len == n || strchr(" :\t\r\n", line[n]));
}

static int block_refuse(char *why, size_t size, unsigned at, const char *what, unsigned first)
{
	if (first)
		snprintf(why, size,
		    "line %u %s, and so does line %u: leave only one block, or remove all lines of both",
		    at, what, first);
	else
		snprintf(why, size, "line %u %s: remove that line, and what is left of the block",
		    at, what);
	return HF_EREFUSED;
}

static bool ends_crlf(const char *line, size_t len)
{
	return len >= 2 && line[len - 2] == '\r' && line[len - 1] == '\n';
}

/* The bytes of the line end that we added before the block. */
static size_t join_of(const char *line, size_t len)
{
	if (marker_begins(line, len, joined_cr_mark))
		return 2;
	return marker_begins(line, len, joined_mark) ? 1 : 0;
}

static bool ends_join(const char *bytes, size_t len, size_t join)
{
	return !join || (bytes[len - 1] == '\n' && (join == 1 || bytes[len - 2] == '\r'));
}

int hf_hosts_block_find(
    const char *bytes, size_t len, struct hf_hosts_block *ret_block, char *ret_why, size_t why_size)
{
	const char *at = bytes, *end = bytes + len, *line;
	unsigned number = 0, begun = 0, ended = 0;
	struct hf_hosts_block b = { .start = len, .end = len };
	size_t n, join = 0;

	while (hf_hosts_line_next(&at, end, &line, &n)) {
		number++;
		if (number == 1)
			b.crlf = ends_crlf(line, n);
		if (marker_begins(line, n, begin_mark)) {
			if (begun)
				return block_refuse(ret_why, why_size, number,
				    "begins a block of Holdfast's", begun);
			begun = number;
			join = join_of(line, n);
			b.was_empty = marker_begins(line, n, empty_mark);
			b.start = (size_t)(line - bytes);
			b.in = (size_t)(at - bytes);
		} else if (marker_begins(line, n, end_mark)) {
			if (!begun || ended)
				return block_refuse(ret_why, why_size, number,
				    "ends a block of Holdfast's that does not begin", ended);
			ended = number;
			b.in_end = (size_t)(line - bytes);
			b.end = (size_t)(at - bytes);
		}
	}
	if (begun && !ended)
		return block_refuse(
		    ret_why, why_size, begun, "begins a block of Holdfast's that does not end", 0);
	/* It goes with the block, unless something follows. */
	if (b.end == len && b.start >= join && ends_join(bytes, b.start, join))
		b.start -= join;
	*ret_block = b;
	return 0;
}

int hf_hosts_block_load(
    const char *bytes, const struct hf_hosts_block *block, struct hf_record_table *table)
{
	return hf_record_table_load(
	    table, bytes + block->in, block->in_end - block->in, NULL, NULL);
}

struct block_out {
	char *bytes;
	size_t len;
};

static void block_out_add(struct block_out *o, const void *bytes, size_t len)
{
	if (len)
		memcpy(o->bytes + o->len, bytes, len);
	o->len += len;
}

static void block_out_add_line(struct block_out *o, const char *text, bool crlf)
{
	block_out_add(o, text, strlen(text));
	block_out_add(o, crlf ? "\r\n" : "\n", crlf ? 2 : 1);
}

static void add_odd(const char *line, size_t len, void *arg)
{
	block_out_add(arg, line, len);
}

/* Lines in the block that are not ours, in their order. */
static int odd_lines(const char *bytes, const struct hf_hosts_block *b, struct block_out *o)
{
	struct hf_record_table *scratch;
	int rc = hf_record_table_new(1, &scratch);

	if (rc)
		return rc;
	rc = hf_record_table_load(scratch, bytes + b->in, b->in_end - b->in, add_odd, o);
	hf_record_table_free(scratch);
	return rc < 0 ? rc : 0;
}

static void add_block(struct block_out *o, const char *before, const struct hf_hosts_block *b,
    const char *text, size_t len)
{
	bool join = b->start && before[b->start - 1] != '\n';
	const char *begin = b->was_empty ? empty_text : begin_text;

	if (join)
		block_out_add(o, b->crlf ? "\r\n" : "\n", b->crlf ? 2 : 1);
	block_out_add_line(o, !join ? begin : b->crlf ? joined_cr_text : joined_text, b->crlf);
	block_out_add(o, text, len);
	block_out_add_line(o, end_mark, b->crlf);
}

int hf_hosts_block_build(const char *bytes, size_t len, const struct hf_hosts_block *block,
    const struct hf_record_table *table, bool stays, char **ret_bytes, size_t *ret_len)
{
	struct block_out o = { 0 }, odd = { 0 };
	char *text;
	size_t n;
	int rc = hf_record_table_text(table, 0, block->crlf, &text, &n);

	if (rc)
		return rc;
	o.bytes = malloc(len + n + sizeof(joined_cr_text) + sizeof(end_mark) + 8);
	odd.bytes = malloc(block->in_end - block->in + 1);
	rc = o.bytes && odd.bytes ? odd_lines(bytes, block, &odd) : -ENOMEM;
	if (!rc) {
		block_out_add(&o, bytes, block->start);
		if (n || stays)
			add_block(&o, bytes, block, text, n);
		else if (odd.len && o.len && o.bytes[o.len - 1] != '\n')
			block_out_add(&o, block->crlf ? "\r\n" : "\n", block->crlf ? 2 : 1);
		block_out_add(&o, odd.bytes, odd.len);
		block_out_add(&o, bytes + block->end, len - block->end);
		*ret_bytes = o.bytes;
		*ret_len = o.len;
	} else {
		free(o.bytes);
	}
	free(odd.bytes);
	free(text);
	return rc;
}
