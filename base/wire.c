/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wire.h"

#include "base/error.h"

void hf_wr_bytes(struct hf_wr *w, const void *bytes, size_t len)
{
	if (w->error || (size_t)(w->end - w->at) < len) {
		w->error = HF_ELIMIT;
		return;
	}
	if (!len)
		return;
	memcpy(w->at, bytes, len);
	w->at += len;
}
