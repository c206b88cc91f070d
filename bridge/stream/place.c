#include "bridge/stream/place.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/error.h"

/* One part of the URL; false where it is missing or too long. */
static bool part(CURLU *u, CURLUPart what, unsigned flags, char *out, size_t size)
{
	char *text = NULL;
	bool ok = curl_url_get(u, what, &text, flags) == CURLUE_OK && strlen(text) < size;

	if (ok)
		snprintf(out, size, "%s", text);
	curl_free(text);
	return ok;
}

static bool has(CURLU *u, CURLUPart what)
{
	char *text = NULL;
	bool yes = curl_url_get(u, what, &text, 0) == CURLUE_OK;

	curl_free(text);
	return yes;
}

static int take(CURLU *u, struct hf_place *p)
{
	char scheme[8], port[8];
	size_t n;
	bool v6;

	if (!part(u, CURLUPART_SCHEME, 0, scheme, sizeof(scheme)) ||
	    !part(u, CURLUPART_HOST, 0, p->host, sizeof(p->host)) ||
	    !part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof(port)) ||
	    !part(u, CURLUPART_PATH, 0, p->prefix, sizeof(p->prefix)))
		return HF_EFORMAT;
	if (has(u, CURLUPART_USER) || has(u, CURLUPART_QUERY) || has(u, CURLUPART_FRAGMENT))
		return HF_EFORMAT;
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

int hf_place_parse(const char *url, struct hf_place *ret_place)
{
	struct hf_place p = { .tls = false };
	CURLU *u = curl_url();
	int rc = HF_EFORMAT;

	if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK)
		rc = take(u, &p);
	curl_url_cleanup(u);
	if (!rc)
		*ret_place = p;
	return rc;
}
