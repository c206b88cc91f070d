/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* config_table: the one table of keys. */
#include "config/key.h"

/* The whole file: a HF_KEY_MAP over struct hf_config. */
extern const struct hf_key hf_config_table;
