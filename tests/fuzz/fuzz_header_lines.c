/* SPDX-License-Identifier: Apache-2.0 */
/* Any output of a header command. What is taken are lines "NAME: VALUE" within it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/stream/client/header_command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *lines[LINES], *text = malloc(size + 1);
	int n;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	n = hf_header_command_lines(text, lines, LINES);
	if (n < -1 || n > LINES)
		abort();
	for (int i = 0; i < n; i++)
		if (lines[i] < text || lines[i] > text + size || !strchr(lines[i], ':') ||
		    strchr(lines[i], '\n'))
			abort();
	free(text);
	return 0;
}
