/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any datagram of the kernel's about links, addresses and routes: what is not understood concerns
 * all interfaces.
 */
#include <stdint.h>
#include <stdlib.h>

#include "bridge/stream/client/system_events.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_interfaces i = { 0 };

	hf_system_events_note(&i, data, size);
	if (i.n > HF_INTERFACES_MAX || (size && !i.n && !i.all))
		abort();
	for (size_t k = 0; k < i.n; k++)
		if (!i.at[k])
			abort();
	return 0;
}
