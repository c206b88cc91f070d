/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * rights_text: what the token may do, as texts (bridge/types/rights.h): which words are missing,
 * and the long texts that rows refer to, each once however many owners have it. Private to state.
 */
#include "bridge/state/objects.h"

/*
 * The words of `before` that `now` has not (NULL: nothing was told). Returns how many; `out` (may
 * be NULL) has them, as many as fit.
 */
size_t hf_st_rights_missing(const char *before, const char *now, char *out, size_t size);

/* What REST told now, asked at `asked_ms`. NULL or "": not told. */
void hf_st_rights_told(
    struct hf_state *s, struct st_source *src, const char *rights, int64_t asked_ms);
/*
 * A message came on a connection that was asked for at `connected_ms`: its rights are those that
 * were told before.
 */
void hf_st_rights_connected(struct hf_state *s, struct st_source *src, int64_t connected_ms);
void hf_st_rights_done(struct st_source *src);

/*
 * The owner's state is good: the rights of the connection are those that it takes. Where the
 * operator keeps something that is missing, more rights than before are taken over, less are not.
 */
void hf_st_rights_good(struct hf_state *s, uint32_t owner);
/*
 * The token has not all the rights that it had at the owner's last good state: those told, or the
 * connection's.
 */
bool hf_st_rights_less(const struct hf_state *s, uint32_t owner, char *out, size_t size);

/* --- long texts: index = rid, from 1 --- */

/* "": of none. */
const char *hf_st_text(const struct hf_state *s, uint32_t rid);
/*
 * One more user of this text, which is made if there is none. 0: "", or memory ran out (the state
 * is spent).
 */
uint32_t hf_st_text_take(struct hf_state *s, const char *text);
void hf_st_text_drop(struct hf_state *s, uint32_t rid);
