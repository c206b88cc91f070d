/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * from_image: the model out of the store's image, and changesets out of the model. Private to
 * state.
 */
#include "bridge/state/objects.h"

/* Nothing of it is dirty then. 0, -ENOMEM, or HF_EFORMAT: rows that do not fit together. */
int hf_st_load(struct hf_state *s, const struct hf_image *image, struct hf_when now);
