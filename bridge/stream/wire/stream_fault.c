/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/wire/stream_fault.h"

#include <errno.h>
#include <stddef.h>

static const struct {
	int code;
	const char *name;
	const char *text;
} table[] = {
#define X(id, code, name, text) { code, name, text },
	HF_TROUBLE_TABLE(X)
#undef X
};

const char *hf_trouble_name(enum hf_trouble t)
{
	return (size_t)t < HF_TROUBLE_LAST ? table[t].name : "unknown";
}

const char *hf_trouble_text(enum hf_trouble t)
{
	return (size_t)t < HF_TROUBLE_LAST ? table[t].text : "unknown";
}

int hf_trouble_code(enum hf_trouble t)
{
	return (size_t)t < HF_TROUBLE_LAST ? table[t].code : HF_EPEER;
}
