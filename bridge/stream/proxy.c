#include "bridge/stream/proxy.h"

#include <string.h>
#include <strings.h>

#include <stddef.h>

static const char *value(hf_env_cb env, const char *lower, const char *upper)
{
	const char *text = env(lower);

	if (!text && upper)
		text = env(upper);
	return text && *text ? text : NULL;
}

/* "*", "example.com" or ".example.com" (both: that host and all below), or an address. */
static bool covers(const char *entry, size_t len, const char *host)
{
	size_t n = strlen(host);

	if (len == 1 && *entry == '*')
		return true;
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

static bool is_exempt(const char *list, const char *host)
{
	while (list && *list) {
		size_t n;

		list += strspn(list, " ,\t");
		n = strcspn(list, " ,\t");
		if (n && covers(list, n, host))
			return true;
		list += n;
	}
	return false;
}

const char *hf_proxy_for(const char *configured, bool tls, const char *host, hf_env_cb env)
{
	const char *proxy;

	if (configured)
		return configured;
	if (is_exempt(value(env, "no_proxy", "NO_PROXY"), host))
		return "";
	/* HTTP_PROXY is not looked at: in a CGI environment a client could set it. */
	proxy = tls ? value(env, "https_proxy", "HTTPS_PROXY") : value(env, "http_proxy", NULL);
	if (!proxy)
		proxy = value(env, "all_proxy", "ALL_PROXY");
	return proxy ? proxy : "";
}
