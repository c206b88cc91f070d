/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/hosts_line.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/error.h"

bool hf_hosts_line_fits(const struct hf_record *r)
{
	char text[HF_NAME_TEXT_MAX];
	struct hf_name again;

	/* The text of an odd byte has a backslash, which no label of ours may have. */
	return hf_addr_is_ours(r->addr) && !hf_name_parse(hf_name_text(&r->name, text), &again) &&
	       hf_name_equal(&again, &r->name);
}

size_t hf_hosts_line_format(
    const struct hf_record *r, bool crlf, char out[static HF_HOSTS_LINE_MAX])
{
	char addr[HF_ADDR_TEXT_MAX], name[HF_NAME_TEXT_MAX];
	size_t n_addr = strlen(hf_addr_text(r->addr, addr));
	size_t n_name = strlen(hf_name_text(&r->name, name));
	size_t len = n_addr;

	memcpy(out, addr, n_addr);
	out[len++] = ' ';
	memcpy(out + len, name, n_name);
	len += n_name;
	if (crlf)
		out[len++] = '\r';
	out[len++] = '\n';
	return len;
}

static bool hosts_line_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int hf_hosts_line_word(const char **at, const char *end, char *out, size_t size)
{
	size_t n = 0;

	while (*at < end && hosts_line_is_blank(**at))
		(*at)++;
	if (*at == end || **at == '#')
		return 0;
	while (*at < end && !hosts_line_is_blank(**at) && **at != '#') {
		if (n + 1 >= size || !**at)
			return HF_EFORMAT;
		out[n++] = *(*at)++;
	}
	out[n] = '\0';
	return 1;
}

int hf_hosts_line_parse(const char *line, size_t len, struct hf_record *ret_record)
{
	char addr[HF_ADDR_TEXT_MAX], name[HF_NAME_TEXT_MAX], more[HF_NAME_TEXT_MAX];
	const char *end = line + len;
	struct hf_record r = { 0 };
	int rc = hf_hosts_line_word(&line, end, addr, sizeof(addr));

	if (rc <= 0)
		return rc;
	if (hf_hosts_line_word(&line, end, name, sizeof(name)) != 1 ||
	    hf_hosts_line_word(&line, end, more, sizeof(more)) != 0 ||
	    inet_pton(AF_INET6, addr, r.addr) != 1 || hf_name_parse(name, &r.name) ||
	    !hf_addr_is_ours(r.addr))
		return HF_EFORMAT;
	*ret_record = r;
	return 1;
}

bool hf_hosts_line_next(const char **at, const char *end, const char **ret_line, size_t *ret_len)
{
	const char *lf;

	if (*at == end)
		return false;
	lf = memchr(*at, '\n', (size_t)(end - *at));
	*ret_line = *at;
	*at = lf ? lf + 1 : end;
	*ret_len = (size_t)(*at - *ret_line);
	return true;
}

/* FNV-1a. */
uint64_t hf_hosts_line_sum(const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint64_t sum = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ at[i]) * 0x100000001b3u;
	return sum;
}
