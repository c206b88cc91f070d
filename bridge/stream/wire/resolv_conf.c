/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/wire/resolv_conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NDOTS_MAX = 15 };

/* A piece of a text that is not NUL-terminated. */
struct piece {
	const char *at;
	const char *end;
};

static struct piece next_line(struct piece *text)
{
	struct piece line = *text;
	const char *nl =
	    text->at < text->end ? memchr(text->at, '\n', (size_t)(text->end - text->at)) : NULL;

	line.end = nl ? nl : text->end;
	text->at = nl ? nl + 1 : text->end;
	return line;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word; empty at the end of the line or before a comment. */
static struct piece line_next_word(struct piece *line, const char *comment)
{
	struct piece word;

	while (line->at < line->end && is_space(*line->at))
		line->at++;
	word.at = line->at;
	if (line->at < line->end && strchr(comment, *line->at))
		line->at = line->end;
	word.end = word.at;
	while (line->at < line->end && !is_space(*line->at)) {
		line->at++;
		word.end = line->at;
	}
	return word;
}

static bool word_is_empty(struct piece p)
{
	return p.at == p.end;
}

static bool word_is(struct piece word, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(word.end - word.at) == n && !strncasecmp(word.at, text, n);
}

/* As text; false where it does not fit or has a NUL. */
static bool word_copy(struct piece word, char *out, size_t size)
{
	size_t n = (size_t)(word.end - word.at);

	if (n >= size || memchr(word.at, '\0', n))
		return false;
	memcpy(out, word.at, n);
	out[n] = '\0';
	return true;
}

static void take_server(struct hf_resolv_conf *c, struct piece word)
{
	char text[HF_ADDRESS_TEXT];

	if (c->n_servers < HF_SERVERS_MAX && word_copy(word, text, sizeof(text)) &&
	    hf_address_is(text))
		snprintf(c->servers[c->n_servers++], HF_ADDRESS_TEXT, "%s", text);
}

/* "domain" is a search list of one; the last of both lines counts. */
static void take_search(struct hf_resolv_conf *c, struct piece line)
{
	struct piece word;

	c->n_search = 0;
	while (c->n_search < HF_SEARCH_MAX && !word_is_empty(word = line_next_word(&line, "#;"))) {
		char *out = c->search[c->n_search];
		size_t n;

		if (!word_copy(word, out, HF_DNS_NAME_MAX))
			continue;
		n = strlen(out);
		while (n && out[n - 1] == '.')
			out[--n] = '\0';
		c->n_search += n != 0;
	}
}

static void take_options(struct hf_resolv_conf *c, struct piece line)
{
	struct piece word;
	char text[32];

	while (!word_is_empty(word = line_next_word(&line, "#;"))) {
		unsigned long n;

		if (!word_copy(word, text, sizeof(text)) || strncmp(text, "ndots:", 6))
			continue;
		n = strtoul(text + 6, NULL, 10);
		c->ndots = n < NDOTS_MAX ? (unsigned)n : NDOTS_MAX;
	}
}

void hf_resolv_conf_parse(struct hf_resolv_conf *ret_conf, const char *text, size_t len)
{
	struct hf_resolv_conf c = { .ndots = 1 };
	struct piece all = { text, text + len };

	while (all.at < all.end) {
		struct piece line = next_line(&all);
		struct piece key;

		if (line.at == line.end || *line.at == '#' || *line.at == ';')
			continue;
		key = line_next_word(&line, "");
		if (word_is(key, "nameserver"))
			take_server(&c, line_next_word(&line, "#;"));
		else if (word_is(key, "search") || word_is(key, "domain"))
			take_search(&c, line);
		else if (word_is(key, "options"))
			take_options(&c, line);
	}
	if (!c.n_servers)
		snprintf(c.servers[c.n_servers++], HF_ADDRESS_TEXT, "127.0.0.1");
	*ret_conf = c;
}

bool hf_resolv_conf_name(const struct hf_resolv_conf *conf, const char *host, size_t i,
    char out[static HF_DNS_NAME_MAX + 2])
{
	size_t n = strlen(host), dots = 0;
	bool absolute = n && host[n - 1] == '.';
	bool as_is_first;
	size_t at;
	int len;

	for (const char *c = host; *c; c++)
		dots += *c == '.';
	if (absolute) {
		if (i)
			return false;
		return snprintf(out, HF_DNS_NAME_MAX + 2, "%s", host) < HF_DNS_NAME_MAX + 2;
	}
	if (i > conf->n_search)
		return false;
	as_is_first = dots >= conf->ndots;
	at = as_is_first ? i - 1 : i;
	if (as_is_first ? !i : i == conf->n_search)
		len = snprintf(out, HF_DNS_NAME_MAX + 2, "%s.", host);
	else
		len = snprintf(out, HF_DNS_NAME_MAX + 2, "%s.%s.", host, conf->search[at]);
	if (len >= HF_DNS_NAME_MAX + 2)
		*out = '\0'; /* no such name can be */
	return true;
}

void hf_resolv_conf_find_host(
    const char *text, size_t len, const char *host, struct hf_addresses *addresses)
{
	struct piece all = { text, text + len };
	char bare[HF_DNS_NAME_MAX + 2], address[HF_ADDRESS_TEXT];
	size_t n = strlen(host);

	if (n && host[n - 1] == '.')
		n--;
	if (n >= sizeof(bare))
		return;
	memcpy(bare, host, n);
	bare[n] = '\0';
	while (all.at < all.end) {
		struct piece line = next_line(&all);
		struct piece first = line_next_word(&line, "#"), word;

		if (!word_copy(first, address, sizeof(address)) || !hf_address_is(address))
			continue;
		while (!word_is_empty(word = line_next_word(&line, "#")))
			if (word_is(word, bare))
				hf_addresses_add(addresses, address);
	}
}
