/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows RFC 6455 section 4.1 (the client's opening handshake) on HTTP/1.1 (RFC 9112).
 */
#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "bridge/stream/wire/upgrade.h"

/* Lines that the request has already, or that would change what it is. */
static const char *const ours[] = { "Host", "Connection", "Upgrade", "Sec-WebSocket-Key",
	"Sec-WebSocket-Version", "Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol",
	"Coder-Session-Token", "Content-Length", "Transfer-Encoding" };

/* Bytes that end no line; `least` is the smallest allowed: ' ' or '!'. */
static bool is_clean(const char *text, unsigned char least)
{
	for (; *text; text++)
		if ((unsigned char)*text < least || (unsigned char)*text == 0x7f)
			return false;
	return true;
}

static bool is_token(const char *text)
{
	for (const char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("!#$%&'*+-.^_`|~", *c))
			return false;
	return *text;
}

static bool header_is_fine(const struct hf_upgrade_header *h)
{
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (!strcasecmp(h->name, ours[i]))
			return false;
	return is_token(h->name) && is_clean(h->value, ' ');
}

static void upgrade_put(struct hf_wr *w, const char *text)
{
	hf_wr_bytes(w, text, strlen(text));
}

static void upgrade_put_line(struct hf_wr *w, const char *name, const char *value)
{
	upgrade_put(w, name);
	upgrade_put(w, ": ");
	upgrade_put(w, value);
	upgrade_put(w, "\r\n");
}

int hf_upgrade_write(
    const struct hf_upgrade_request *r, const uint8_t nonce[HF_UPGRADE_NONCE], struct hf_wr *w)
{
	unsigned char key[HF_UPGRADE_KEY_TEXT];

	if (!*r->host || !is_clean(r->host, '!') || !is_clean(r->prefix, '!') || !*r->token ||
	    !is_clean(r->token, '!'))
		return -EINVAL;
	for (size_t i = 0; i < r->n_headers; i++)
		if (!header_is_fine(&r->headers[i]))
			return -EINVAL;
	EVP_EncodeBlock(key, nonce, HF_UPGRADE_NONCE);
	upgrade_put(w, "GET ");
	upgrade_put(w, r->prefix);
	upgrade_put(w, HF_UPGRADE_PATH " HTTP/1.1\r\n");
	upgrade_put_line(w, "Host", r->host);
	upgrade_put_line(w, "User-Agent", "holdfast/" HF_VERSION);
	upgrade_put_line(w, "Coder-Session-Token", r->token);
	upgrade_put_line(w, "Connection", "Upgrade");
	upgrade_put_line(w, "Upgrade", "websocket");
	upgrade_put_line(w, "Sec-WebSocket-Version", "13");
	upgrade_put_line(w, "Sec-WebSocket-Key", (const char *)key);
	for (size_t i = 0; i < r->n_headers; i++)
		upgrade_put_line(w, r->headers[i].name, r->headers[i].value);
	upgrade_put(w, "\r\n");
	return w->error;
}
