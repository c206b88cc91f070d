/* SPDX-License-Identifier: Apache-2.0 */
/* Any DNS message that answers for the server's name. What is taken are addresses. */
#include <stdlib.h>
#include <string.h>

#include "bridge/stream/wire/dns_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_addresses found = { .n = 0 };

	(void)hf_dns_answer(data, size, &found);
	if (found.n > HF_ADDRESSES_MAX)
		abort();
	for (size_t i = 0; i < found.n; i++)
		if (!memchr(found.at[i], 0, HF_ADDRESS_TEXT) || !hf_address_is(found.at[i]))
			abort();
	return 0;
}
