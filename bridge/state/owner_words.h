/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * owner_words: by which words the configuration of a source names owners, and by which of them each
 * owner was followed (guard rules 2 and 7). Upper and lower case are the same. Private to state.
 */
#include "bridge/state/objects.h"

/* The words of the configuration of a source; copied. 0 or -ENOMEM. */
int hf_st_words_set(struct st_source *src, char *const *words, size_t n);
void hf_st_words_done(struct st_source *src);
/* The next word behind `at`, the first for NULL; NULL at the end. */
const char *hf_st_words_next(const struct st_source *src, const char *at);

/* Whether the words of an owner's row, with one space between them, have this one. */
bool hf_st_words_have(const char *words, const char *word, size_t len);
/*
 * The row gets the words that name the owner now, and keeps those by which it was followed before
 * and which are still there: what a server says of today does not undo what the operator wrote.
 */
void hf_st_words_note(struct st_source *src, struct st_owner *o, const char *name);
/*
 * The configuration named the owner, and by none of these words does so any more. False where it is
 * not known by which words it did.
 */
bool hf_st_words_dropped(const struct st_source *src, const struct st_owner *o);

/*
 * Everybody whom the configuration names is followed, as far as that can be seen: each word has its
 * owner, or all have settled since.
 */
bool hf_st_all_named(const struct hf_state *s, uint32_t source);
