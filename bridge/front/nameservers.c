/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/front/nameservers.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "config/config.h"

static const char keyword[] = "nameserver"; /* at the begin of a line, as the C library has it */

enum { BYTES_MAX = 1 << 16, DNS_PORT = 53 };

/* A zone of a link-local address (%eth0) is not looked at: such a server is left out. */
static bool parse_address(const char *text, struct hf_endpoint *ret_at)
{
	struct hf_endpoint at = { .len = 0 };

	if (inet_pton(AF_INET, text, &at.in4.sin_addr) == 1) {
		at.in4.sin_family = AF_INET;
		at.in4.sin_port = htons(DNS_PORT);
		at.len = sizeof(at.in4);
	} else if (inet_pton(AF_INET6, text, &at.in6.sin6_addr) == 1) {
		at.in6.sin6_family = AF_INET6;
		at.in6.sin6_port = htons(DNS_PORT);
		at.len = sizeof(at.in6);
	}
	*ret_at = at;
	return at.len > 0;
}

size_t hf_nameservers_read(const char *path, struct hf_endpoint ret_at[static HF_NAMESERVERS_MAX])
{
	uint8_t *bytes = NULL;
	char *save = NULL, *line, word[64];
	size_t len, n = 0;

	if (hf_file_read(AT_FDCWD, path, BYTES_MAX, &bytes, &len))
		return 0;
	line = strtok_r((char *)bytes, "\n", &save);
	for (; line && n < HF_NAMESERVERS_MAX; line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, keyword, sizeof(keyword) - 1) &&
		    isblank((unsigned char)line[sizeof(keyword) - 1]) &&
		    sscanf(line + sizeof(keyword), "%63s", word) == 1 &&
		    parse_address(word, &ret_at[n]))
			n++;
	free(bytes);
	return n;
}
