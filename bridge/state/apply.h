#pragma once
/*
 * apply: whole messages of the stream, private to state. A refused one changes nothing.
 */
#include "bridge/state/model.h"

void st_apply_snapshot(struct hf_state *s, uint32_t owner, const struct hf_update *u,
    struct hf_when now, struct hf_judgement *j);
void st_apply_diff(struct hf_state *s, uint32_t owner, const struct hf_update *u,
    struct hf_when now, struct hf_judgement *j);
