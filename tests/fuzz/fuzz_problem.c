/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any refusal of a server: the status in two bytes, then Content-Type, Location, Retry-After and
 * the body, a line each. What people are told of it is one printable line, and how long to wait is
 * within bounds.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge/stream/client/http.h"
#include "bridge/stream/wire/retry_after.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Cuts the next line off; "" where there is none. */
static char *next_line(char **rest)
{
	char *line = *rest, *end = strchr(line, '\n');

	*rest = end ? end + 1 : line + strlen(line);
	if (end)
		*end = '\0';
	return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_http_answer answer = { .status = 0 };
	struct hf_problem p;
	char *text, *rest;

	if (size < 2 || !(text = calloc(1, size - 1)))
		return 0;
	memcpy(text, data + 2, size - 2);
	rest = text;
	answer.status = data[0] << 8 | data[1];
	answer.content_type = next_line(&rest);
	answer.location = next_line(&rest);
	answer.retry_after = next_line(&rest);
	answer.body = rest;
	answer.body_len = (size_t)(text + size - 2 - rest);
	hf_problem_of_answer(&p, "GET /x", &answer, 1700000000);
	if (p.code == HF_PROBLEM_NONE || p.code >= HF_PROBLEM_LAST || p.wait_s < -1 ||
	    p.wait_s > HF_RETRY_AFTER_MAX_S || !p.text[0])
		abort();
	for (const char *c = p.text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			abort();
	free(text);
	return 0;
}
