/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hook's program answers: any bytes give at most as many fates as there were changes, and a
 * text where there are fewer.
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/hook/hook_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *output = malloc(size + 1), text[HF_HOOK_TEXT_MAX];
	uint8_t fates[4];
	size_t n = size ? bytes[0] % 5 : 0, done;
	int code;

	if (!output)
		return 0;
	if (size)
		memcpy(output, bytes, size);
	output[size] = '\0';
	if (size)
		output[0] = ' ';
	done = hf_hook_receipt(output, n, fates, &code, text);
	if (done > n || (done < n && !code) || !code != !*text)
		abort();
	for (size_t i = 0; i < done; i++)
		if (fates[i] > HF_FATE_UNFIT)
			abort();
	free(output);
	return 0;
}
