/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/state/owners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "bridge/state/guard.h"
#include "bridge/state/source_identity.h"
#include "bridge/state/claims.h"

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

/* The next word behind `at`, the first for NULL; NULL at the end. */
static const char *owners_next_word(const struct st_source *src, const char *at)
{
	const char *next = at ? at + strlen(at) + 1 : src->words;

	return next && next < src->words + src->words_size ? next : NULL;
}

static bool is_configured(const struct st_source *src, const char *word, size_t len)
{
	for (const char *at = owners_next_word(src, NULL); at; at = owners_next_word(src, at))
		if (strlen(at) == len && !strncasecmp(at, word, len))
			return true;
	return false;
}

/* --- the words of an owner: with one space between them --- */

static bool owners_has_word(const char *words, const char *word, size_t len)
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
		if (owners_has_word(words, MORE_WORDS, 1))
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

/*
 * The words that name the owner now, and those by which it was followed before and which are still
 * there: what a server says of today does not undo what the operator wrote.
 */
static void note_words(struct st_source *src, struct st_owner *o, const char *name)
{
	char words[HF_TEXT_MAX] = "";

	for (const char *at = owners_next_word(src, NULL); at; at = owners_next_word(src, at))
		if (word_names_owner(src, o, at, name) ||
		    owners_has_word(o->row.words, at, strlen(at)))
			add_word(words, at, strlen(at));
	if (owners_has_word(o->row.words, MORE_WORDS, 1))
		add_word(words, MORE_WORDS, 1);
	if (!strcmp(words, o->row.words))
		return;
	memset(o->row.words, 0, sizeof(o->row.words));
	memcpy(o->row.words, words, strlen(words));
	o->dirty = true;
}

/*
 * The configuration named it, and by none of these words does so any more. Unknown words: it did
 * not.
 */
static bool operator_dropped(const struct st_source *src, const struct st_owner *o)
{
	const char *at = o->row.words;

	if (!*at || owners_has_word(at, MORE_WORDS, 1))
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

static bool owner_is_of(const struct hf_state *s, uint32_t ix, uint32_t source)
{
	return s->owners[ix].used && s->owners[ix].row.source == source;
}

static bool is_followed_by(const struct hf_state *s, uint32_t source, const char *word)
{
	for (uint32_t i = 0; i < s->n_owners; i++)
		if (owner_is_of(s, i, source) && s->owners[i].followed &&
		    owners_has_word(s->owners[i].row.words, word, strlen(word)))
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
	for (const char *at = owners_next_word(src, NULL); at; at = owners_next_word(src, at))
		if (!strcmp(at, "all") || n++ == WORDS_LOOKED_FOR || !is_followed_by(s, source, at))
			return false;
	return true;
}

/* --- who is followed --- */

int hf_st_owner_label(const char *name, char ret_label[static HF_LABEL_MAX + 1])
{
	int rc = hf_agent_owner_check(name, strlen(name), NULL);
	size_t i = 0;

	for (; !rc && name[i]; i++)
		ret_label[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
	ret_label[i] = '\0';
	return rc;
}

int hf_state_owner_set(struct hf_state *s, const char *source, const struct hf_uuid *owner,
    const char *name, struct hf_when now)
{
	struct st_source *src = hf_st_source_find(s, source);
	char label[HF_LABEL_MAX + 1];
	struct st_owner *o;
	uint32_t ix;
	int rc;

	if (s->lent)
		return -EBUSY;
	if (!src)
		return -ENOENT;
	if (hf_st_deployment_held(s, hf_st_source_ix(s, src)))
		return HF_EREFUSED;
	rc = hf_st_owner_label(name, label);
	ix = hf_st_owner_find(s, hf_st_source_ix(s, src), owner);
	if (ix == ST_NONE) {
		int added = hf_st_owner_add(s, hf_st_source_ix(s, src), owner, &ix);

		if (added < 0)
			return added;
	}
	o = &s->owners[ix];
	o->followed = true;
	o->asking = src->asking;
	note_words(src, o, name);
	/*
	 * A name that cannot be a label takes the names that hold it; one that was good before
	 * stays.
	 */
	if (strcmp(o->row.name, label) && !rc) {
		s->why = HF_WHY_IDENTITY;
		hf_st_owner_unclaim(s, ix);
		memset(s->owners[ix].row.name, 0, sizeof(s->owners[ix].row.name));
		memcpy(s->owners[ix].row.name, label, strlen(label));
		s->owners[ix].dirty = true;
		hf_st_owner_claim(s, ix);
		hf_st_resolve(s);
	}
	return s->failed ? -ENOMEM : rc;
}

void hf_state_owner_readable(struct hf_state *s, const char *source, const struct hf_uuid *owner,
    enum hf_readable readable, int64_t asked_ms)
{
	struct st_source *src = hf_st_source_find(s, source);
	uint32_t ix = src ? hf_st_owner_find(s, hf_st_source_ix(s, src), owner) : ST_NONE;

	if (s->lent || ix == ST_NONE || hf_st_deployment_held(s, hf_st_source_ix(s, src)))
		return;
	s->owners[ix].readable = readable;
	s->owners[ix].readable_ms = asked_ms;
}

/* --- who is not named any more --- */

/* Which of the owner's words means another user now, for people. */
static const char *why_lost(const struct st_source *src, const struct st_owner *o)
{
	for (const char *at = owners_next_word(src, NULL); at; at = owners_next_word(src, at)) {
		if (!owners_has_word(o->row.words, at, strlen(at)))
			continue;
		if (!strcmp(at, "me"))
			return "the token is another user's now";
		if (!strcmp(at, "all"))
			return "the server no longer lists this user";
		return "the configured name means another user now";
	}
	return "the server no longer names this user";
}

/* As if an empty snapshot of it had come; nobody is asked about it again. */
static void owner_lose(struct hf_state *s, uint32_t ix, const char *why, struct hf_when now)
{
	struct st_owner *o = &s->owners[ix];

	o->followed = false;
	o->readable = READABLE_UNKNOWN;
	o->readable_ms = 0;
	s->why = HF_WHY_SNAPSHOT;
	if (o->row.marks & HF_OWNER_UNSEEN) {
		/* Nothing of it is served but what came out of the zone. */
		hf_st_guard_hold_restored(s, o->row.source, why, now);
		hf_st_owner_remove(s, ix);
	} else if (o->first_ws != ST_NONE) {
		s->mark++;
		hf_st_guard_lost(s, ix, why, now);
	}
	if (s->owners[ix].used && s->owners[ix].first_ws == ST_NONE)
		hf_st_owner_remove(s, ix);
}

int hf_state_owner_missing(
    struct hf_state *s, const char *source, const char *word, struct hf_when now)
{
	struct st_source *src = hf_st_source_find(s, source);

	if (s->lent)
		return -EBUSY;
	if (!src)
		return -ENOENT;
	if (hf_st_deployment_held(s, hf_st_source_ix(s, src)))
		return HF_EREFUSED;
	src->missing = true;
	src->missing_asking = src->asking;
	/* Names that came back from a lost store may be those of this user. */
	hf_st_guard_hold_restored(
	    s, hf_st_source_ix(s, src), "the server knows one of the users no more", now);
	for (uint32_t i = 0; i < s->n_owners; i++)
		if (owner_is_of(s, i, hf_st_source_ix(s, src)) &&
		    s->owners[i].asking != src->asking &&
		    owners_has_word(s->owners[i].row.words, word, strlen(word)))
			owner_lose(s, i, "the server knows no such user", now);
	hf_st_resolve(s);
	return s->failed ? -ENOMEM : 0;
}

/*
 * All whom REST names have a snapshot without a refused record: who waited for this source's names
 * waits no more.
 */
static void note_confirmed(const struct hf_state *s, struct st_source *src)
{
	for (uint32_t i = 0; i < s->n_owners; i++)
		if (owner_is_of(s, i, src->row.rid) && s->owners[i].followed && !s->owners[i].whole)
			return;
	src->dirty = src->dirty || !(src->row.marks & HF_SOURCE_CONFIRMED);
	src->row.marks |= HF_SOURCE_CONFIRMED;
}

int hf_state_owners_settled(struct hf_state *s, const char *source, struct hf_when now)
{
	struct st_source *src = hf_st_source_find(s, source);
	uint32_t ix;

	if (s->lent)
		return -EBUSY;
	if (!src)
		return -ENOENT;
	ix = hf_st_source_ix(s, src);
	if (hf_st_deployment_held(s, ix))
		return HF_EREFUSED;
	for (uint32_t i = 0; i < s->n_owners; i++) {
		if (!owner_is_of(s, i, ix) || s->owners[i].asking == src->asking)
			continue;
		s->why = HF_WHY_CONFIG;
		if (operator_dropped(src, &s->owners[i]))
			hf_st_owner_remove(s, i);
		else
			owner_lose(s, i, why_lost(src, &s->owners[i]), now);
	}
	src->settled = true;
	src->missing = src->missing && src->missing_asking == src->asking;
	note_confirmed(s, src);
	hf_st_guard_restored(s, ix, now);
	hf_st_resolve(s);
	return s->failed ? -ENOMEM : 0;
}
