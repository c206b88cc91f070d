/* SPDX-License-Identifier: Apache-2.0 */
/* Follows RFC 9112, without transfer codings. */
#include "examples/simulator/sim_http.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LINES_MAX = 200, LINE_MAX_BYTES = 16384, BODY_MAX = 1 << 20 };

static int sim_copy(char *to, size_t room, const char *from)
{
	return snprintf(to, room, "%s", from) < (int)room ? 0 : -EINVAL;
}

/* "GET /path?query HTTP/1.1" */
static int take_first(struct sim_request *r, char *line)
{
	char *save, *method = strtok_r(line, " ", &save), *path = strtok_r(NULL, " ", &save);
	char *version = strtok_r(NULL, " ", &save), *query = path ? strchr(path, '?') : NULL;

	if (!version || strncmp(version, "HTTP/1.", 7) || *path != '/')
		return -EINVAL;
	if (query)
		*query++ = '\0';
	r->keep = !strcmp(version, "HTTP/1.1");
	if (sim_copy(r->method, sizeof(r->method), method) ||
	    sim_copy(r->path, sizeof(r->path), path))
		return -EINVAL;
	return sim_copy(r->query, sizeof(r->query), query ? query : "");
}

static int sim_take_length(struct sim_request *r, const char *value)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (*end || end == value || n > BODY_MAX)
		return -EINVAL;
	r->body_len = n;
	return 0;
}

static int sim_take_header(struct sim_request *r, char *line)
{
	char *value = strchr(line, ':');

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	value += strspn(value, " \t");
	if (!strcasecmp(line, "Coder-Session-Token"))
		return sim_copy(r->token, sizeof(r->token), value);
	if (!strcasecmp(line, "Sec-WebSocket-Key"))
		return sim_copy(r->websocket_key, sizeof(r->websocket_key), value);
	if (!strcasecmp(line, "Content-Length"))
		return sim_take_length(r, value);
	if (!strcasecmp(line, "Transfer-Encoding"))
		return -EINVAL;
	if (!strcasecmp(line, "Upgrade"))
		r->upgrade = !strcasecmp(value, "websocket");
	if (!strcasecmp(line, "Connection") && !strcasecmp(value, "close"))
		r->keep = false;
	return 0;
}

static int sim_take_head(struct sim_request *r, struct evbuffer *in)
{
	size_t len;
	char *line;
	int rc = 0;

	while (!rc && !r->head_done) {
		line = evbuffer_readln(in, &len, EVBUFFER_EOL_CRLF);
		if (!line)
			return evbuffer_get_length(in) > LINE_MAX_BYTES ? -EINVAL : 0;
		if (!len)
			r->head_done = r->n_lines > 0;
		else if (strlen(line) != len || r->n_lines == LINES_MAX)
			rc = -EINVAL;
		else
			rc = r->n_lines++ ? sim_take_header(r, line) : take_first(r, line);
		free(line);
	}
	return rc;
}

int hf_sim_request_read(struct sim_request *r, struct evbuffer *in)
{
	int rc = sim_take_head(r, in);

	if (rc || !r->head_done)
		return rc;
	if (evbuffer_get_length(in) < r->body_len)
		return 0;
	r->body = calloc(1, r->body_len + 1);
	if (!r->body)
		return -ENOMEM;
	evbuffer_remove(in, r->body, r->body_len);
	return 1;
}

void hf_sim_request_done(struct sim_request *r)
{
	free(r->body);
	*r = (struct sim_request){ 0 };
}

unsigned hf_sim_request_number(const struct sim_request *r, const char *name, unsigned otherwise)
{
	size_t len = strlen(name);
	const char *at = r->query;

	while (at && *at) {
		if (!strncmp(at, name, len) && at[len] == '=')
			return (unsigned)strtoul(at + len + 1, NULL, 10);
		at = strchr(at, '&');
		at = at ? at + 1 : NULL;
	}
	return otherwise;
}

static const char *sim_phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} phrases[] = { { 200, "OK" }, { 301, "Moved Permanently" }, { 302, "Found" },
		{ 303, "See Other" }, { 400, "Bad Request" }, { 401, "Unauthorized" },
		{ 403, "Forbidden" }, { 404, "Not Found" }, { 409, "Conflict" },
		{ 426, "Upgrade Required" }, { 429, "Too Many Requests" },
		{ 500, "Internal Server Error" }, { 502, "Bad Gateway" },
		{ 503, "Service Unavailable" }, { 504, "Gateway Timeout" } };

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		if (phrases[i].status == status)
			return phrases[i].phrase;
	}
	return "Status";
}

void hf_sim_http_answer(struct evbuffer *out, const struct sim_request *r, int status,
    const char *headers, const char *type, const char *body)
{
	evbuffer_add_printf(out,
	    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s%s\r\n%s", status,
	    sim_phrase(status), type, strlen(body), headers, r->keep ? "" : "Connection: close\r\n",
	    strcmp(r->method, "HEAD") ? body : "");
}
