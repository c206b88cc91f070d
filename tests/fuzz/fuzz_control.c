/* SPDX-License-Identifier: Apache-2.0 */
/* Any line of a client of the control socket. What is taken is within its limits. */
#include <stdlib.h>
#include <string.h>

#include "bridge/control/control_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_control_request r;
	const char *why = NULL;

	if (hf_control_request_parse((const char *)data, size, &r, &why)) {
		if (!why)
			abort();
		return 0;
	}
	if (size > HF_CONTROL_REQUEST_MAX || r.command >= HF_COMMAND_LAST || r.max < 1 ||
	    r.max > HF_HISTORY_MAX || !memchr(r.source, 0, sizeof(r.source)) ||
	    !memchr(r.owner, 0, sizeof(r.owner)) || !memchr(r.what, 0, sizeof(r.what)) ||
	    !memchr(r.name, 0, sizeof(r.name)) || !memchr(r.ticket, 0, sizeof(r.ticket)) ||
	    (r.decision != HF_COMMAND_ACCEPT && r.decision != HF_COMMAND_REJECT) ||
	    !memchr(r.data, 0, sizeof(r.data)) || !memchr(r.adapter, 0, sizeof(r.adapter)) ||
	    r.form >= HF_RECORD_FORMS || (r.suffix.len && r.suffix.wire[r.suffix.len - 1]))
		abort();
	return 0;
}
