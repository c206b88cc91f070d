/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/state/rights_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool rights_has_word(const char *words, const char *word, size_t len)
{
	for (; *words; words += *words == ' ') {
		size_t n = strcspn(words, " ");

		if (n == len && !memcmp(words, word, len))
			return true;
		words += n;
	}
	return false;
}

size_t hf_st_rights_missing(const char *before, const char *now, char *out, size_t size)
{
	size_t missing = 0, at = 0;

	if (out && size)
		*out = '\0';
	for (; *before; before += *before == ' ') {
		size_t n = strcspn(before, " ");

		if (n && !rights_has_word(now ? now : "", before, n)) {
			missing++;
			if (out && at + n + 2 <= size)
				at += (size_t)snprintf(
				    out + at, size - at, "%s%.*s", at ? " " : "", (int)n, before);
		}
		before += n;
	}
	return missing;
}

/* --- told, and those of the connection --- */

static bool rights_copy(char **to, const char *from)
{
	char *text = from && *from ? strdup(from) : NULL;

	if (from && *from && !text)
		return false;
	free(*to);
	*to = text;
	return true;
}

void hf_st_rights_told(
    struct hf_state *s, struct st_source *src, const char *rights, int64_t asked_ms)
{
	if (!rights_copy(&src->told_before.text, src->told.text) ||
	    !rights_copy(&src->told.text, rights)) {
		s->failed = true;
		return;
	}
	src->told_before.at_ms = src->told.at_ms;
	src->told.at_ms = asked_ms;
}

void hf_st_rights_connected(struct hf_state *s, struct st_source *src, int64_t connected_ms)
{
	const struct st_told *then = &src->told;

	if (src->connected.known && src->connected.at_ms == connected_ms)
		return;
	if (src->told.at_ms > connected_ms)
		then = &src->told_before;
	if (!rights_copy(&src->connected.text, then->at_ms <= connected_ms ? then->text : NULL))
		s->failed = true;
	src->connected.at_ms = connected_ms;
	src->connected.known = true;
	for (uint32_t i = 0; i < s->n_owners; i++) {
		struct st_owner *o = &s->owners[i];

		if (o->used && o->row.source == hf_st_source_ix(s, src))
			o->readable_then =
			    o->readable_ms <= connected_ms ? o->readable : READABLE_UNKNOWN;
	}
}

void hf_st_rights_done(struct st_source *src)
{
	free(src->told.text);
	free(src->told_before.text);
	free(src->connected.text);
	memset(&src->told, 0, sizeof(src->told));
	memset(&src->told_before, 0, sizeof(src->told_before));
	memset(&src->connected, 0, sizeof(src->connected));
}

/* --- of an owner --- */

void hf_st_rights_good(struct hf_state *s, uint32_t owner)
{
	struct st_owner *o = &s->owners[owner];
	const char *now = s->sources[o->row.source].connected.text;
	uint32_t before = o->row.rights;

	if (!strcmp(hf_st_text(s, before), now ? now : ""))
		return;
	/* What the operator keeps is missing still: that less rights are enough is not seen. */
	if (o->n_kept && hf_st_rights_missing(hf_st_text(s, before), now, NULL, 0))
		return;
	o->row.rights = hf_st_text_take(s, now ? now : "");
	hf_st_text_drop(s, before);
	o->dirty = true;
}

bool hf_st_rights_less(const struct hf_state *s, uint32_t owner, char *out, size_t size)
{
	const struct st_owner *o = &s->owners[owner];
	const struct st_source *src = &s->sources[o->row.source];
	const char *good = hf_st_text(s, o->row.rights);

	if (out && size)
		*out = '\0';
	/* Nothing was told yet since this process runs: nothing is known to be missing. */
	if (!*good || !src->told.at_ms)
		return false;
	return hf_st_rights_missing(good, src->told.text, out, size) ||
	       (src->connected.known && hf_st_rights_missing(good, src->connected.text, out, size));
}

/* --- long texts --- */

const char *hf_st_text(const struct hf_state *s, uint32_t rid)
{
	return rid && rid < s->n_texts && s->texts[rid].row ? s->texts[rid].row->text : "";
}

static uint32_t find_text(const struct hf_state *s, const char *text)
{
	for (uint32_t i = 1; i < s->n_texts; i++)
		if (s->texts[i].row && !strcmp(s->texts[i].row->text, text))
			return i;
	return 0;
}

static uint32_t make_text(struct hf_state *s, const char *text)
{
	struct hf_text_row *row = calloc(1, sizeof(*row));
	uint32_t i = 1;

	/* A rid that the store still has is not given again before it took the removal. */
	while (i < s->n_texts && (s->texts[i].row || s->texts[i].stored))
		i++;
	for (uint32_t n = (uint32_t)s->n_texts; row && n <= i; n++) {
		if (hf_st_grow((void **)&s->texts, n, &s->size_texts, sizeof(*s->texts)) < 0) {
			free(row);
			row = NULL;
		} else {
			s->n_texts = n + 1;
		}
	}
	if (!row) {
		s->failed = true;
		return 0;
	}
	row->rid = i;
	snprintf(row->text, sizeof(row->text), "%s", text);
	s->texts[i] = (struct st_text){ .row = row, .dirty = true };
	return i;
}

uint32_t hf_st_text_take(struct hf_state *s, const char *text)
{
	uint32_t rid = *text ? find_text(s, text) : 0;

	if (*text && !rid)
		rid = make_text(s, text);
	if (rid)
		s->texts[rid].users++;
	return rid;
}

void hf_st_text_drop(struct hf_state *s, uint32_t rid)
{
	struct st_text *t = rid && rid < s->n_texts ? &s->texts[rid] : NULL;

	if (!t || !t->row || --t->users)
		return;
	if (t->stored)
		hf_st_gone(s, HF_ROW_TEXT, rid);
	free(t->row);
	t->row = NULL;
	t->dirty = false;
}
