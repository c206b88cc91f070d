/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/session_upgrade.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/stream/client/client_random.h"

enum { HEADERS_MAX = 64 };

/* "Name: value" to a copy of both; NULL: it is none, or there is no memory. */
static char *split_header(const char *line, struct hf_upgrade_header *ret_header)
{
	char *copy = strdup(line), *colon = copy ? strchr(copy, ':') : NULL;

	if (!colon) {
		free(copy);
		return NULL;
	}
	*colon = '\0';
	*ret_header = (struct hf_upgrade_header){ .name = copy,
		.value = colon + 1 + strspn(colon + 1, " \t") };
	return copy;
}

int hf_session_upgrade(const struct hf_target *target, const struct hf_stream_limits *limits,
    struct hf_stack **ret_stack)
{
	const struct hf_stack_config config = { .limits = limits, .random = hf_client_random };
	struct hf_upgrade_header headers[HEADERS_MAX];
	char *lines[HEADERS_MAX];
	struct hf_upgrade_request request = { .host = target->place.authority,
		.prefix = target->place.prefix,
		.token = target->token,
		.headers = headers };
	int rc;

	for (const struct curl_slist *l = target->headers; l && request.n_headers < HEADERS_MAX;
	     l = l->next) {
		lines[request.n_headers] = split_header(l->data, &headers[request.n_headers]);
		request.n_headers += lines[request.n_headers] != NULL;
	}
	rc = hf_stack_new(&config, &request, ret_stack);
	for (size_t i = 0; i < request.n_headers; i++)
		free(lines[i]);
	return rc;
}
