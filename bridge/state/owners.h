/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * owners: whom REST names, and what becomes of one whom nobody names any more (guard rules 2 and
 * 7). By which words, see owner_words.h. Private to state.
 */
#include "bridge/state/objects.h"

/* A user's name as a label, in lower case; "" and HF_ENAME if it can be none. */
int hf_st_owner_label(const char *name, char ret_label[static HF_LABEL_MAX + 1]);
