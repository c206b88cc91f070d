/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * owners: whom the configuration names, by which of its words each owner was followed, and what
 * becomes of one whom nobody names any more (guard rules 2 and 7). Private to state.
 */
#include "bridge/state/objects.h"

/* The words of the configuration of a source; copied. 0 or -ENOMEM. */
int hf_st_words_set(struct st_source *src, char *const *words, size_t n);
void hf_st_words_done(struct st_source *src);

/*
 * Everybody whom the configuration names is followed, as far as that can be seen: each word has its
 * owner, or all have settled since.
 */
bool hf_st_all_named(const struct hf_state *s, uint32_t source);

/* A user's name as a label, in lower case; "" and HF_ENAME if it can be none. */
int hf_st_owner_label(const char *name, char ret_label[static HF_LABEL_MAX + 1]);
