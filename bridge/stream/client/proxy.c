/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/proxy.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <arpa/inet.h>

static const char *env_value(hf_env_cb env, const char *lower, const char *upper)
{
	const char *text = env(lower);

	if (!text && upper)
		text = env(upper);
	return text && *text ? text : NULL;
}

/* Of "1.2.3.0/24": is `host` within? */
static bool is_within(
    const char *net, size_t net_len, const char *bits, size_t bits_len, const char *host)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t want[16], have[16];
	unsigned n = 0;
	int family = memchr(net, ':', net_len) ? AF_INET6 : AF_INET;
	unsigned most = family == AF_INET6 ? 128 : 32;

	for (size_t i = 0; i < bits_len; i++) {
		if (bits[i] < '0' || bits[i] > '9')
			return false;
		n = n * 10 + (unsigned)(bits[i] - '0');
		if (n > most)
			return false;
	}
	if (!bits_len || net_len >= sizeof(text))
		return false;
	memcpy(text, net, net_len);
	text[net_len] = '\0';
	if (inet_pton(family, text, want) != 1 || inet_pton(family, host, have) != 1)
		return false;
	return !memcmp(want, have, n / 8) &&
	       (n % 8 == 0 || (want[n / 8] ^ have[n / 8]) >> (8 - n % 8) == 0);
}

/* Takes ":PORT" off the end of an entry. False where it is another port. */
static bool take_port(const char *entry, size_t *len, unsigned port)
{
	size_t end = *len;
	unsigned long n = 0;
	const char *colon;

	while (end && entry[end - 1] != ':')
		end--;
	if (!end)
		return true;
	colon = entry + end - 1;
	/* An address of version 6 has colons of its own; with a port it is in brackets. */
	if (memchr(entry, ':', *len) != colon && (colon == entry || colon[-1] != ']'))
		return true;
	for (const char *at = colon + 1; at < entry + *len; at++) {
		if (*at < '0' || *at > '9' || n > 65535)
			return false;
		n = n * 10 + (unsigned long)(*at - '0');
	}
	*len = (size_t)(colon - entry);
	return n == port;
}

/*
 * "*", a network with its bits, or an address, "example.com" or ".example.com" (both: that host and
 * all below), these with ":PORT" for that port alone.
 */
static bool no_proxy_covers(const char *entry, size_t len, const char *host, unsigned port)
{
	const char *slash = memchr(entry, '/', len);
	size_t n = strlen(host);

	if (len == 1 && *entry == '*')
		return true;
	if (slash)
		return is_within(entry, (size_t)(slash - entry), slash + 1,
		    len - (size_t)(slash - entry) - 1, host);
	if (!take_port(entry, &len, port))
		return false;
	if (len && *entry == '[' && entry[len - 1] == ']') {
		entry++;
		len -= 2;
	}
	while (len && *entry == '.') {
		entry++;
		len--;
	}
	if (!len || n < len || strncasecmp(host + n - len, entry, len))
		return false;
	return n == len || host[n - len - 1] == '.';
}

static bool is_exempt(const char *list, const char *host, unsigned port)
{
	while (list && *list) {
		size_t n;

		list += strspn(list, " ,\t");
		n = strcspn(list, " ,\t");
		if (n && no_proxy_covers(list, n, host, port))
			return true;
		list += n;
	}
	return false;
}

const char *hf_proxy_for(
    const char *configured, bool tls, const char *host, unsigned port, hf_env_cb env)
{
	const char *proxy;

	if (configured)
		return configured;
	if (is_exempt(env_value(env, "no_proxy", "NO_PROXY"), host, port))
		return "";
	/* HTTP_PROXY is not looked at: in a CGI environment a client could set it. */
	proxy =
	    tls ? env_value(env, "https_proxy", "HTTPS_PROXY") : env_value(env, "http_proxy", NULL);
	if (!proxy)
		proxy = env_value(env, "all_proxy", "ALL_PROXY");
	return proxy ? proxy : "";
}
