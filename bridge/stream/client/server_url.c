/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/server_url.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/error.h"

/* One part of the URL: 0, HF_EFORMAT where it is missing or too long, -ENOMEM. */
static int url_part(CURLU *u, CURLUPart what, unsigned flags, char *out, size_t size)
{
	char *text = NULL;
	CURLUcode code = curl_url_get(u, what, &text, flags);
	int rc = code == CURLUE_OUT_OF_MEMORY ? -ENOMEM : HF_EFORMAT;

	if (code == CURLUE_OK && strlen(text) < size) {
		snprintf(out, size, "%s", text);
		rc = 0;
	}
	curl_free(text);
	return rc;
}

/* 0, HF_EFORMAT where the URL has this part, -ENOMEM. */
static int part_missing(CURLU *u, CURLUPart what)
{
	char *text = NULL;
	CURLUcode code = curl_url_get(u, what, &text, 0);

	curl_free(text);
	return code == CURLUE_OUT_OF_MEMORY ? -ENOMEM : code == CURLUE_OK ? HF_EFORMAT : 0;
}

static int take_parts(CURLU *u, struct hf_server_url *p, char scheme[static 8], char port[static 8])
{
	static const CURLUPart none[] = { CURLUPART_USER, CURLUPART_QUERY, CURLUPART_FRAGMENT };
	int rc = url_part(u, CURLUPART_SCHEME, 0, scheme, 8);

	if (!rc)
		rc = url_part(u, CURLUPART_HOST, 0, p->host, sizeof(p->host));
	if (!rc)
		rc = url_part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, 8);
	if (!rc)
		rc = url_part(u, CURLUPART_PATH, 0, p->prefix, sizeof(p->prefix));
	for (size_t i = 0; !rc && i < sizeof(none) / sizeof(none[0]); i++)
		rc = part_missing(u, none[i]);
	return rc;
}

static int url_take(CURLU *u, struct hf_server_url *p)
{
	char scheme[8], port[8];
	size_t n;
	bool v6;
	int rc = take_parts(u, p, scheme, port);

	if (rc)
		return rc;
	p->tls = !strcmp(scheme, "https");
	if (!p->tls && strcmp(scheme, "http"))
		return HF_EFORMAT;
	p->port = (unsigned)strtoul(port, NULL, 10);
	v6 = p->host[0] == '[';
	n = strlen(p->host);
	if (v6) {
		memmove(p->host, p->host + 1, n);
		p->host[n - 2] = '\0';
	}
	for (char *c = p->host; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	for (n = strlen(p->prefix); n && p->prefix[n - 1] == '/'; n--)
		p->prefix[n - 1] = '\0';
	n = (size_t)snprintf(p->authority, sizeof(p->authority), v6 ? "[%s]" : "%s", p->host);
	if (p->port != (p->tls ? 443u : 80u))
		snprintf(p->authority + n, sizeof(p->authority) - n, ":%u", p->port);
	snprintf(p->base, sizeof(p->base), "%s://%s%s", scheme, p->authority, p->prefix);
	return 0;
}

int hf_server_url_parse(const char *url, struct hf_server_url *ret_place)
{
	struct hf_server_url p = { .tls = false };
	CURLU *u = curl_url();
	CURLUcode code = u ? curl_url_set(u, CURLUPART_URL, url, 0) : CURLUE_OUT_OF_MEMORY;
	int rc = code == CURLUE_OUT_OF_MEMORY ? -ENOMEM : HF_EFORMAT;

	if (code == CURLUE_OK)
		rc = url_take(u, &p);
	curl_url_cleanup(u);
	if (!rc)
		*ret_place = p;
	return rc;
}
