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
	HF_STREAM_FAULT_TABLE(X)
#undef X
};

const char *hf_stream_fault_name(enum hf_stream_fault t)
{
	return (size_t)t < HF_STREAM_FAULT_LAST ? table[t].name : "unknown";
}

const char *hf_stream_fault_text(enum hf_stream_fault t)
{
	return (size_t)t < HF_STREAM_FAULT_LAST ? table[t].text : "unknown";
}

int hf_stream_fault_code(enum hf_stream_fault t)
{
	return (size_t)t < HF_STREAM_FAULT_LAST ? table[t].code : HF_EPEER;
}
