/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * pass_private: a pass, for its own files: pass.c draws, pass_work.c puts and takes, pass_confirm.c
 * asks.
 */
#include "bridge/feed/pass.h"

static inline bool hf_pass_slice_is_over(const struct hf_pass *p, int64_t begun)
{
	return hf_feed_peer_now(p->env.peer) - begun >= HF_FEED_SLICE_MS;
}

/* pass_confirm.c */
/* Each of all that are added has the same chance to be in the sample at the end. */
void hf_pass_sample_add(struct hf_pass *p, const struct hf_record *record, bool absent);
struct hf_feed_step hf_pass_confirm(struct hf_pass *p);

/* pass_work.c */
struct hf_feed_step hf_pass_put(struct hf_pass *p);
struct hf_feed_step hf_pass_take(struct hf_pass *p);
