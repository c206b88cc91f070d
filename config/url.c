/* SPDX-License-Identifier: Apache-2.0 */
#include "config/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static bool url_has_only(const char *text, size_t len, const char *extra)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x80 || (!isalnum(c) && !strchr(extra, c)))
			return false;
	}
	return true;
}

/* ":8443" or nothing. */
static int parse_port(const char *text, size_t len, struct hf_url *url)
{
	unsigned port = 0;

	url->port = url->tls ? 443 : 80;
	if (!len)
		return 0;
	if (*text != ':' || len < 2 || len > 6)
		return HF_EFORMAT;
	for (size_t i = 1; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return HF_EFORMAT;
		port = port * 10 + (unsigned)(text[i] - '0');
	}
	if (!port || port > 65535)
		return HF_EFORMAT;
	url->port = port;
	return 0;
}

static int parse_host(const char *at, size_t len, struct hf_url *url)
{
	size_t host = strcspn(at, ":/");
	struct in6_addr in6;

	if (*at == '[') {
		const char *end = memchr(at, ']', len);

		if (!end || (size_t)(end - at - 1) >= INET6_ADDRSTRLEN)
			return HF_EFORMAT;
		snprintf(url->host, sizeof(url->host), "%.*s", (int)(end - at - 1), at + 1);
		if (inet_pton(AF_INET6, url->host, &in6) != 1)
			return HF_EFORMAT;
		host = (size_t)(end - at + 1);
	} else if (!host || host > 253 || !url_has_only(at, host, ".-_")) {
		return HF_EFORMAT;
	} else {
		snprintf(url->host, sizeof(url->host), "%.*s", (int)host, at);
	}
	for (char *p = url->host; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return parse_port(at + host, len - host, url);
}

int hf_url_parse(const char *text, struct hf_url *ret_url, const char **ret_why)
{
	struct hf_url url = { 0 };
	const char *at;
	size_t len;
	int rc;

	if (!strncasecmp(text, "https://", 8))
		url.tls = true;
	else if (strncasecmp(text, "http://", 7))
		return HF_EFORMAT;
	at = text + (url.tls ? 8 : 7);
	len = strcspn(at, "/?#");
	if (memchr(at, '@', len)) {
		*ret_why = "a URL here has no user or password in it; the token has its own file";
		return HF_EREFUSED;
	}
	if (strpbrk(at, "?#")) {
		*ret_why = "a URL here has no query and no fragment";
		return HF_EREFUSED;
	}
	if (strlen(text) > HF_URL_MAX) {
		*ret_why = "it is longer than 511 characters";
		return HF_EREFUSED;
	}
	if (!url_has_only(at + len, strlen(at + len), "/.-_~%+,;=:@!$&'()*"))
		return HF_EFORMAT;
	rc = parse_host(at, len, &url);
	if (rc)
		return rc;
	*ret_url = url;
	return 0;
}

bool hf_url_is_loopback(const struct hf_url *url)
{
	size_t len = strlen(url->host);
	struct in6_addr in6;
	struct in_addr in4;

	if (!strcmp(url->host, "localhost") ||
	    (len > 10 && !strcmp(url->host + len - 10, ".localhost")))
		return true;
	if (inet_pton(AF_INET, url->host, &in4) == 1)
		return ntohl(in4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, url->host, &in6) == 1 && IN6_IS_ADDR_LOOPBACK(&in6);
}

bool hf_url_same_origin(const char *a, const char *b)
{
	const char *why;
	struct hf_url x, y;

	if (hf_url_parse(a, &x, &why) || hf_url_parse(b, &y, &why))
		return false;
	return x.tls == y.tls && x.port == y.port && !strcmp(x.host, y.host);
}
