/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/adapter.h"

#include <stddef.h>

#include "config/config.h"

/* What the build has: meson.build of this folder lists X(KIND, word) in ADAPTERS. */
#define X(kind, word) [HF_ADAPTER_##kind] = &hf_##word##_adapter_type,
static const struct hf_adapter_type *const types[HF_ADAPTER_HOOK + 2] = {
	ADAPTERS[HF_ADAPTER_HOOK + 1] = NULL,
};

const struct hf_adapter_type *hf_adapter_type(int kind)
{
	return kind >= 0 && kind <= HF_ADAPTER_HOOK ? types[kind] : NULL;
}
