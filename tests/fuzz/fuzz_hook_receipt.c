/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hook's program answers: any bytes give at most as many fates as there were changes, and a
 * text where there are fewer, unless the last one failed.
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/hook/hook_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *output = malloc(size + 1), text[HF_HOOK_TEXT_MAX];
	struct hf_hook_fates fates = { 0 };
	size_t n = size ? bytes[0] % 5 : 0;
	int code;

	if (!output || hf_hook_fates_make(&fates, n))
		return 0;
	if (size)
		memcpy(output, bytes, size);
	output[size] = '\0';
	if (size)
		output[0] = ' ';
	code = hf_hook_receipt(output, n, &fates, text);
	if (fates.n > n || !code != !*text)
		abort();
	if (fates.n < n && !code && (!fates.n || fates.at[fates.n - 1] != HF_FATE_FAILED))
		abort();
	for (size_t i = 0; i < fates.n; i++)
		if (fates.at[i] > HF_FATE_FAILED ||
		    !fates.whys[i] != (fates.at[i] != HF_FATE_FAILED))
			abort();
	hf_hook_fates_free(&fates);
	free(output);
	return 0;
}
