/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/state/owner_words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WORDS_LOOKED_FOR = 64 };

/* More words than fit: as if the configuration named the owner for ever. */
#define MORE_WORDS "*"

/* --- the words of the configuration --- */

int hf_st_words_set(struct st_source *src, char *const *words, size_t n)
{
	size_t size = 0;
	char *text, *at;

	for (size_t i = 0; i < n; i++)
		size += strlen(words[i]) + 1;
	text = malloc(size + 1);
	if (!text)
		return -ENOMEM;
	at = text;
	for (size_t i = 0; i < n; i++)
		at = stpcpy(at, words[i]) + 1;
	/* Other words, other owners: whom REST names by them is to be seen. */
	if (size != src->words_size || (size && memcmp(text, src->words, size)))
		src->settled = false;
	free(src->words);
	src->words = text;
	src->words_size = size;
	return 0;
}

void hf_st_words_done(struct st_source *src)
{
	free(src->words);
	src->words = NULL;
	src->words_size = 0;
}

const char *hf_st_words_next(const struct st_source *src, const char *at)
{
	const char *next = at ? at + strlen(at) + 1 : src->words;

	return next && next < src->words + src->words_size ? next : NULL;
}

static bool is_configured(const struct st_source *src, const char *word, size_t len)
{
	for (const char *at = hf_st_words_next(src, NULL); at; at = hf_st_words_next(src, at))
		if (strlen(at) == len && !strncasecmp(at, word, len))
			return true;
	return false;
}

/* --- the words of an owner --- */

bool hf_st_words_have(const char *words, const char *word, size_t len)
{
	while (*words) {
		size_t n = strcspn(words, " ");

		if (n == len && !strncasecmp(words, word, len))
			return true;
		words += n;
		words += *words == ' ';
	}
	return false;
}

static void add_word(char words[static HF_TEXT_MAX], const char *word, size_t len)
{
	size_t at = strlen(words);

	/* Room for one more is always left, for the word that says so. */
	if (at + 1 + len + sizeof(MORE_WORDS) >= HF_TEXT_MAX) {
		if (hf_st_words_have(words, MORE_WORDS, 1))
			return;
		word = MORE_WORDS;
		len = 1;
	}
	if (at)
		words[at++] = ' ';
	memcpy(words + at, word, len);
	words[at + len] = '\0';
}

static bool word_names_owner(
    const struct st_source *src, const struct st_owner *o, const char *word, const char *name)
{
	struct hf_uuid id;

	if (!strcmp(word, "me"))
		return hf_uuid_equal(&o->row.id, &src->row.user);
	if (!strcmp(word, "all"))
		return true;
	if (!strcasecmp(word, name))
		return true;
	return !hf_uuid_parse(word, &id) && hf_uuid_equal(&id, &o->row.id);
}

void hf_st_words_note(struct st_source *src, struct st_owner *o, const char *name)
{
	char words[HF_TEXT_MAX] = "";

	for (const char *at = hf_st_words_next(src, NULL); at; at = hf_st_words_next(src, at))
		if (word_names_owner(src, o, at, name) ||
		    hf_st_words_have(o->row.words, at, strlen(at)))
			add_word(words, at, strlen(at));
	if (hf_st_words_have(o->row.words, MORE_WORDS, 1))
		add_word(words, MORE_WORDS, 1);
	if (!strcmp(words, o->row.words))
		return;
	memset(o->row.words, 0, sizeof(o->row.words));
	memcpy(o->row.words, words, strlen(words));
	o->dirty = true;
}

bool hf_st_words_dropped(const struct st_source *src, const struct st_owner *o)
{
	const char *at = o->row.words;

	if (!*at || hf_st_words_have(at, MORE_WORDS, 1))
		return false;
	while (*at) {
		size_t n = strcspn(at, " ");

		if (is_configured(src, at, n))
			return false;
		at += n;
		at += *at == ' ';
	}
	return true;
}

/* --- all of them --- */

static bool is_followed_by(const struct hf_state *s, uint32_t source, const char *word)
{
	for (uint32_t i = 0; i < s->n_owners; i++)
		if (hf_st_owner_is_of(s, i, source) && s->owners[i].followed &&
		    hf_st_words_have(s->owners[i].row.words, word, strlen(word)))
			return true;
	return false;
}

bool hf_st_all_named(const struct hf_state *s, uint32_t source)
{
	const struct st_source *src = &s->sources[source];
	size_t n = 0;

	if (src->settled)
		return true;
	/* So many are not looked for one by one: when they have settled is soon enough. */
	for (const char *at = hf_st_words_next(src, NULL); at; at = hf_st_words_next(src, at))
		if (!strcmp(at, "all") || n++ == WORDS_LOOKED_FOR || !is_followed_by(s, source, at))
			return false;
	return true;
}
