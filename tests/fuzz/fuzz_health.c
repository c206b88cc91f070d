/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes of a client of the health listener; what is decided of a head is not changed by what
 * follows it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/control/health_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_health_request whole = { 0 }, part = { 0 };
	const char *head = (const char *)data;
	int rc = hf_health_parse(head, size, &whole);

	if (rc > 1 || (rc < 0 && rc != -400 && rc != -405 && rc != -431 && rc != -505))
		abort();
	if (size >= HF_HEALTH_HEAD_MAX && rc == 0)
		abort();
	for (size_t n = size > 64 ? size - 64 : 0; n < size; n++) {
		int early = hf_health_parse(head, n, &part);

		if (early && (early != rc || part.path != whole.path || part.head != whole.head))
			abort();
	}
	return 0;
}
