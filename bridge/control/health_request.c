/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/control/health_request.h"

#include <stdbool.h>
#include <string.h>

/* A piece of the request line. */
struct word {
	const char *at;
	size_t len;
};

static bool health_word_is(const struct word *w, const char *text)
{
	return w->len == strlen(text) && !memcmp(w->at, text, w->len);
}

/* The length of the head with the empty line that ends it; 0: it is not there yet. */
static size_t end_of_head(const char *head, size_t len)
{
	const char *at = head, *end = head + len;

	while ((at = memchr(at, '\n', (size_t)(end - at)))) {
		at++;
		if (at < end && *at == '\n')
			return (size_t)(at + 1 - head);
		if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
			return (size_t)(at + 2 - head);
	}
	return 0;
}

/* Up to the next space or, of the last one, the end of the line. */
static struct word take_word(const char **at, const char *end, bool last)
{
	const char *stop = last ? NULL : memchr(*at, ' ', (size_t)(end - *at));
	struct word w = { *at, (size_t)((stop ? stop : end) - *at) };

	*at = stop ? stop + 1 : end;
	return w;
}

static enum hf_health_path health_path_of(struct word w)
{
	const char *query = memchr(w.at, '?', w.len);

	if (query)
		w.len = (size_t)(query - w.at);
	if (health_word_is(&w, "/healthz"))
		return HF_HEALTH_LIVE;
	return health_word_is(&w, "/readyz") ? HF_HEALTH_READY : HF_HEALTH_OTHER;
}

static int parse_line(const char *line, size_t len, struct hf_health_request *ret)
{
	const char *at = line, *end = line + len;
	struct word method, target, version;

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' || (unsigned char)line[i] > '~')
			return -400;
	method = take_word(&at, end, false);
	target = take_word(&at, end, false);
	version = take_word(&at, end, true);
	if (!method.len || !target.len || version.len != 8 || memcmp(version.at, "HTTP/", 5))
		return -400;
	if (!health_word_is(&version, "HTTP/1.1") && !health_word_is(&version, "HTTP/1.0"))
		return -505;
	if (!health_word_is(&method, "GET") && !health_word_is(&method, "HEAD"))
		return -405;
	ret->head = health_word_is(&method, "HEAD");
	ret->path = health_path_of(target);
	return 1;
}

int hf_health_parse(const char *head, size_t len, struct hf_health_request *ret_request)
{
	size_t whole = end_of_head(head, len < HF_HEALTH_HEAD_MAX ? len : HF_HEALTH_HEAD_MAX), line;

	if (!whole)
		return len >= HF_HEALTH_HEAD_MAX ? -431 : 0;
	line = (size_t)((const char *)memchr(head, '\n', whole) - head);
	if (line && head[line - 1] == '\r')
		line--;
	return parse_line(head, line, ret_request);
}
