/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows RFC 9112 (HTTP/1.1 messages), strictly: CRLF only, no folded lines, no space before a
 * colon; and RFC 6455 section 4.1 for what the answer must say.
 */
#include "bridge/stream/wire/upgrade.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bridge/stream/wire/printable.h"

static int upgrade_fail(struct hf_upgrade *u, enum hf_stream_fault t)
{
	u->trouble = t;
	return hf_stream_fault_code(t);
}

/* Is `word` in a list such as "keep-alive, Upgrade"? */
static bool list_has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	while (*list) {
		size_t len;

		list += strspn(list, ", \t");
		len = strcspn(list, ", \t");
		if (len == n && !strncasecmp(list, word, n))
			return true;
		list += len;
	}
	return false;
}

static int upgrade_take_length(struct hf_upgrade *u, const char *value)
{
	size_t n = strspn(value, "0123456789");

	if (u->length || !n || n > 18 || value[n])
		return upgrade_fail(u, HF_STREAM_FAULT_HTTP_FIELD);
	u->length = true;
	u->left = strtoull(value, NULL, 10);
	return 0;
}

static int take_accept(struct hf_upgrade *u, const char *value)
{
	if (u->accepted || !*u->accept || strcmp(value, u->accept))
		return u->status == 101 ? upgrade_fail(u, HF_STREAM_FAULT_HTTP_ACCEPT) : 0;
	u->accepted = true;
	return 0;
}

static int take_field(struct hf_upgrade *u, const char *name, const char *value)
{
	if (!strcasecmp(name, "Content-Length"))
		return upgrade_take_length(u, value);
	if (!strcasecmp(name, "Sec-WebSocket-Accept"))
		return take_accept(u, value);
	if (!strcasecmp(name, "Upgrade"))
		u->upgrade |= list_has_word(value, "websocket");
	else if (!strcasecmp(name, "Connection"))
		u->connection |= list_has_word(value, "Upgrade");
	else if (!strcasecmp(name, "Sec-WebSocket-Extensions") ||
		 !strcasecmp(name, "Sec-WebSocket-Protocol"))
		u->extension |= *value != '\0';
	else if (!strcasecmp(name, "Location"))
		hf_printable_copy(u->location, sizeof(u->location), value, strlen(value));
	else if (!strcasecmp(name, "Retry-After"))
		hf_printable_copy(u->retry_after, sizeof(u->retry_after), value, strlen(value));
	else if (!strcasecmp(name, "Content-Type"))
		hf_printable_copy(u->content_type, sizeof(u->content_type), value, strlen(value));
	return 0;
}

/* "HTTP/1.1 101 Switching Protocols" */
static int take_status(struct hf_upgrade *u, const char *line)
{
	const char *s = line + 9;

	if (strncmp(line, "HTTP/1.", 7) || !isdigit((unsigned char)line[7]) || line[8] != ' ' ||
	    !isdigit((unsigned char)s[0]) || !isdigit((unsigned char)s[1]) ||
	    !isdigit((unsigned char)s[2]) || (s[3] && s[3] != ' '))
		return upgrade_fail(u, HF_STREAM_FAULT_HTTP_FORM);
	u->http_10 = line[7] == '0';
	u->status = atoi(s);
	u->at = UPGRADE_FIELDS;
	return u->status >= 100 && u->status <= 599 ? 0
						    : upgrade_fail(u, HF_STREAM_FAULT_HTTP_FORM);
}

/* The head of a 101 is whole. */
static int upgrade_judge(struct hf_upgrade *u)
{
	if (u->http_10)
		return upgrade_fail(u, HF_STREAM_FAULT_HTTP_VERSION);
	if (!u->upgrade || !u->connection)
		return upgrade_fail(u, HF_STREAM_FAULT_HTTP_UPGRADE);
	if (!u->accepted)
		return upgrade_fail(u, HF_STREAM_FAULT_HTTP_ACCEPT);
	if (u->extension)
		return upgrade_fail(u, HF_STREAM_FAULT_HTTP_EXTENSION);
	u->at = UPGRADE_OPEN;
	return 1;
}

/* The empty line after a head. */
static int end_head(struct hf_upgrade *u)
{
	if (u->status == 101)
		return upgrade_judge(u);
	if (u->status < 200) {
		/* 100, 103: the answer itself comes after it. What it said counts for nothing. */
		u->at = UPGRADE_STATUS;
		u->upgrade = u->connection = u->accepted = u->extension = u->length = false;
		return 0;
	}
	u->at = UPGRADE_BODY;
	if (u->status == 204 || u->status == 304 || (u->length && !u->left))
		return upgrade_fail(u, HF_STREAM_FAULT_HTTP_STATUS);
	return 0;
}

/* A whole line, without its CRLF, NUL-terminated. */
static int upgrade_take_line(struct hf_upgrade *u)
{
	char *line = u->line, *colon, *value, *end;

	if (u->at == UPGRADE_STATUS)
		return take_status(u, line);
	if (!*line)
		return end_head(u);
	if (++u->n_fields > u->limits->head_fields)
		return upgrade_fail(u, HF_STREAM_FAULT_HTTP_SIZE);
	colon = line + strcspn(line, ": \t"); /* a folded line has no name before its space */
	if (colon == line || *colon != ':')
		return upgrade_fail(u, HF_STREAM_FAULT_HTTP_FIELD);
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	return take_field(u, line, value);
}

static int upgrade_grow_line(struct hf_upgrade *u)
{
	size_t room = u->room ? 2 * u->room : 256;
	char *line;

	if (u->n_line + 1 < u->room)
		return 0;
	line = realloc(u->line, room);
	if (!line)
		return upgrade_fail(u, HF_STREAM_FAULT_MEMORY);
	u->line = line;
	u->room = room;
	return 0;
}

/* Something else may speak first on this port: notice it before its first line ends. */
static bool looks_like_http(const struct hf_upgrade *u)
{
	static const char http[] = "HTTP/";
	size_t n = u->n_line < sizeof(http) - 1 ? u->n_line : sizeof(http) - 1;

	return u->at != UPGRADE_STATUS || !memcmp(u->line, http, n);
}

/* One byte of the head. */
static int upgrade_take_head(struct hf_upgrade *u, char c)
{
	bool cr = u->n_line && u->line[u->n_line - 1] == '\r';
	int rc;

	if (++u->n_head > u->limits->head)
		return upgrade_fail(u, HF_STREAM_FAULT_HTTP_SIZE);
	if (cr && c == '\n') {
		u->line[u->n_line - 1] = '\0';
		u->n_line = 0;
		return upgrade_take_line(u);
	}
	/* A CR that ends no line, and control characters, LF and NUL among them. */
	if (cr || ((unsigned char)c < ' ' && c != '\t' && c != '\r') || c == 0x7f)
		return upgrade_fail(u, u->at == UPGRADE_STATUS ? HF_STREAM_FAULT_HTTP_FORM
							       : HF_STREAM_FAULT_HTTP_FIELD);
	rc = upgrade_grow_line(u);
	if (rc)
		return rc;
	u->line[u->n_line++] = c;
	return looks_like_http(u) ? 0 : upgrade_fail(u, HF_STREAM_FAULT_HTTP_FORM);
}

/* Keeps the beginning of the body of a refusal. */
static int upgrade_take_body(struct hf_upgrade *u, struct hf_rd *in)
{
	size_t n = hf_rd_left(in), keep = sizeof(u->body) - 1 - u->n_body;

	if (u->length && n > u->left)
		n = (size_t)u->left;
	if (n > keep)
		n = keep;
	memcpy(u->body + u->n_body, hf_rd_bytes(in, n), n);
	u->n_body += n;
	u->left -= u->length ? n : 0;
	if (u->n_body == sizeof(u->body) - 1 || (u->length && !u->left))
		return upgrade_fail(u, HF_STREAM_FAULT_HTTP_STATUS);
	return 0;
}

void hf_upgrade_init(struct hf_upgrade *u, const struct hf_stream_limits *limits,
    const uint8_t nonce[HF_UPGRADE_NONCE])
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	char key[HF_UPGRADE_KEY_TEXT + sizeof(guid)];
	unsigned char sha1[EVP_MAX_MD_SIZE];

	*u = (struct hf_upgrade){ .limits = limits };
	EVP_EncodeBlock((unsigned char *)key, nonce, HF_UPGRADE_NONCE);
	snprintf(key + HF_UPGRADE_KEY_TEXT - 1, sizeof(key) - HF_UPGRADE_KEY_TEXT + 1, "%s", guid);
	/* Where SHA-1 is forbidden, no answer will do. */
	if (EVP_Digest(key, strlen(key), sha1, NULL, EVP_sha1(), NULL))
		EVP_EncodeBlock((unsigned char *)u->accept, sha1, 20);
}

void hf_upgrade_done(struct hf_upgrade *u)
{
	free(u->line);
	*u = (struct hf_upgrade){ 0 };
}

int hf_upgrade_feed(struct hf_upgrade *u, struct hf_rd *in)
{
	int rc = 0;

	if (u->at == UPGRADE_OPEN)
		return 1;
	while (!rc && !u->trouble && hf_rd_left(in))
		rc = u->at == UPGRADE_BODY ? upgrade_take_body(u, in)
					   : upgrade_take_head(u, (char)hf_rd_u8(in));
	return rc ? rc : hf_stream_fault_code(u->trouble);
}

int hf_upgrade_eof(struct hf_upgrade *u)
{
	if (u->trouble)
		return hf_stream_fault_code(u->trouble);
	return upgrade_fail(
	    u, u->at == UPGRADE_BODY ? HF_STREAM_FAULT_HTTP_STATUS : HF_STREAM_FAULT_HTTP_EOF);
}
