/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_check.h"

#include <stdarg.h>
#include <string.h>

#include "config/config_errors.h"
#include "config/url.h"

struct checker {
	const struct hf_config *c;
	const struct hf_node *root;
	struct hf_config_errors *errors;
	size_t n_read; /* of the errors: found before, when the values were read */
};

/* A value that was refused has its default in its place: what it goes with is then not known. */
static bool value_is_known(const struct checker *k, const char *path)
{
	size_t scope = strcspn(path, ".");

	for (size_t i = 0; i < k->n_read; i++) {
		const char *at = k->errors->at[i].path;

		if (!at[0] || (strcspn(at, ".") == scope && !strncmp(at, path, scope)))
			return false;
	}
	return true;
}

/* The position is that of the path, or of the nearest thing above it that was written. */
static void config_problem(const struct checker *k, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void config_problem(const struct checker *k, const char *path, const char *format, ...)
{
	const struct hf_node *at = hf_yaml_tree_find(k->root, path);
	char text[512];
	va_list ap;

	if (!value_is_known(k, path))
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	hf_config_errors_add(k->errors, at ? at->line : 0, at ? at->column : 0, path, "%s", text);
}

static void source_problem(const struct checker *k, size_t i, const char *key, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "sources[%zu].%s", i, key);
	config_problem(k, path, "%s", text);
}

static void check_source_url(const struct checker *k, size_t i)
{
	const struct hf_config_source *s = &k->c->sources.at[i];
	const char *why = NULL;
	struct hf_url url;

	if (!s->url || hf_url_parse(s->url, &url, &why))
		return;
	if (!url.tls && !s->allow_http && !hf_url_is_loopback(&url))
		source_problem(k, i, "url",
		    "http:// to another host would send the token in clear; expected https:// (or allow-http: true)");
}

static void check_twins(const struct checker *k, size_t i)
{
	const struct hf_strings *owners = &k->c->sources.at[i].owners;

	for (size_t j = 0; j < owners->n; j++) {
		for (size_t m = 0; m < j; m++) {
			char path[64];

			if (strcasecmp(owners->at[j], owners->at[m]))
				continue;
			snprintf(path, sizeof(path), "sources[%zu].owners[%zu]", i, j);
			config_problem(k, path, "'%s' is in the list twice", owners->at[j]);
			break;
		}
	}
}

static void check_times(const struct checker *k, size_t i)
{
	const struct hf_config_source *s = &k->c->sources.at[i];

	if (s->retry.floor_ms > s->retry.cap_ms)
		source_problem(k, i, "retry.floor", "is longer than retry.cap");
	if (s->timeouts.ping_interval_ms >= s->fresh_window_ms)
		source_problem(k, i, "fresh-window",
		    "is not longer than timeouts.ping-interval: answers would count as stale between two pings");
	else if (k->c->pulse_interval_ms >= s->fresh_window_ms)
		source_problem(k, i, "fresh-window",
		    "is not longer than pulse-interval: answers would count as stale in between");
}

static void check_source_keys(const struct checker *k, size_t i)
{
	const struct hf_config_source *s = &k->c->sources.at[i];

	check_source_url(k, i);
	if (s->limits.record > s->max_message)
		source_problem(k, i, "limits.record", "is larger than max-message");
	check_twins(k, i);
	check_times(k, i);
	if (s->client_cert && !s->client_key)
		source_problem(k, i, "client-cert", "needs client-key beside it");
	if (s->client_key && !s->client_cert)
		source_problem(k, i, "client-key", "needs client-cert beside it");
	if (s->header_command.n && s->header_command.at[0][0] != '/')
		source_problem(k, i, "header-command",
		    "the program must be an absolute path; no shell and no PATH is used");
}

static void check_hold(const struct checker *k)
{
	const struct hf_config_hold *h = &k->c->hold;

	if (h->policy == HF_CONFIG_HOLD_MAX_AGE && !h->max_age_ms)
		config_problem(k, "hold.policy",
		    "max-age needs the key max-age beside it, such as max-age: 7d");
	if (h->policy != HF_CONFIG_HOLD_MAX_AGE && h->max_age_ms)
		config_problem(k, "hold.max-age", "has no effect without policy: max-age");
}

static bool same_endpoint(const struct hf_endpoint *a, const struct hf_endpoint *b)
{
	return a->len == b->len && !memcmp(&a->sa, &b->sa, a->len);
}

static void check_listeners(const struct checker *k)
{
	const struct hf_endpoints *listen = &k->c->dns.listen;
	const struct hf_endpoint *status = &k->c->status.listen;

	for (size_t i = 0; i < listen->n; i++) {
		char path[64];

		snprintf(path, sizeof(path), "dns.listen[%zu]", i);
		for (size_t j = 0; j < i; j++) {
			if (same_endpoint(&listen->at[i], &listen->at[j])) {
				config_problem(k, path, "is in the list twice");
				break;
			}
		}
		if (status->len && same_endpoint(&listen->at[i], status))
			config_problem(k, "status.listen", "is also in dns.listen");
	}
}

/* True if `path` is `folder` or in it, as far as the text tells. */
static bool path_is_in(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	while (n > 1 && folder[n - 1] == '/')
		n--;
	return !strncmp(path, folder, n) && (!path[n] || path[n] == '/');
}

static void check_paths(const struct checker *k)
{
	const struct hf_config *c = k->c;

	if (path_is_in(c->store, c->zone))
		config_problem(
		    k, "store", "lies in the folder of the zone, which is for its readers");
	if (path_is_in(c->control, c->zone))
		config_problem(
		    k, "control", "lies in the folder of the zone, which is for its readers");
	if (!strcmp(c->store, c->control))
		config_problem(k, "control", "is the same as store");
}

static void adapter_problem(const struct checker *k, size_t i, const char *key, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "adapters[%zu]%s%s", i, *key ? "." : "", key);
	config_problem(k, path, "%s", text);
}

static void check_dnsmasq(const struct checker *k, size_t i)
{
	const struct hf_config_dnsmasq *d = &k->c->adapters.at[i].dnsmasq;

	if (!d->hostsdir && !d->hosts_file)
		adapter_problem(k, i, "", "needs the key 'hostsdir', or 'hosts-file'");
	if (d->hostsdir && d->hosts_file)
		adapter_problem(k, i, "hosts-file", "goes instead of hostsdir, not beside it");
	if (d->hostsdir && d->pid_file)
		adapter_problem(
		    k, i, "pid-file", "has no effect with hostsdir: dnsmasq sees it change");
}

/* What only one adapter can have: the file or the socket that it feeds. NULL: nothing. */
static const char *adapter_target(const struct hf_config_adapter *a, const char **ret_key)
{
	switch (a->kind) {
	case HF_ADAPTER_UNBOUND:
		*ret_key = "control";
		return a->unbound.control;
	case HF_ADAPTER_DNSMASQ:
		*ret_key = a->dnsmasq.hostsdir ? "hostsdir" : "hosts-file";
		return a->dnsmasq.hostsdir ? a->dnsmasq.hostsdir : a->dnsmasq.hosts_file;
	case HF_ADAPTER_HOSTS:
		*ret_key = "path";
		return a->hosts.path;
	case HF_ADAPTER_HOOK:
		break;
	}
	return NULL;
}

static void check_claim(const struct checker *k, size_t i)
{
	const struct hf_config_adapter *at = k->c->adapters.at;
	const char *key, *other_key, *mine = adapter_target(&at[i], &key), *other;
	char text[200];

	for (size_t j = 0; mine && j < i; j++) {
		other = adapter_target(&at[j], &other_key);
		if (!other || strcmp(mine, other) != 0)
			continue;
		snprintf(text, sizeof(text), "is that of the adapter '%s', too; each needs its own",
		    at[j].name);
		adapter_problem(k, i, key, text);
		break;
	}
	if (mine && path_is_in(mine, k->c->zone))
		adapter_problem(
		    k, i, key, "lies in the folder of the zone, which is for its readers");
}

static void check_adapter_keys(const struct checker *k, size_t i)
{
	const struct hf_config_adapter *a = &k->c->adapters.at[i];

	if (a->retry.floor_ms > a->retry.cap_ms)
		adapter_problem(k, i, "retry.floor", "is longer than retry.cap");
	if (a->kind == HF_ADAPTER_DNSMASQ)
		check_dnsmasq(k, i);
	if (a->kind == HF_ADAPTER_HOOK && a->hook.command.n && a->hook.command.at[0][0] != '/')
		adapter_problem(k, i, "command",
		    "the program must be an absolute path; no shell and no PATH is used");
	check_claim(k, i);
}

void hf_config_check(
    const struct hf_config *c, const struct hf_node *root, struct hf_config_errors *errors)
{
	struct checker k = { .c = c, .root = root, .errors = errors, .n_read = errors->n };

	for (size_t i = 0; i < c->sources.n; i++)
		check_source_keys(&k, i);
	check_hold(&k);
	check_listeners(&k);
	check_paths(&k);
	for (size_t i = 0; i < c->adapters.n; i++)
		check_adapter_keys(&k, i);
}
