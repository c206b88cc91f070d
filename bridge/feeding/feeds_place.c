/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xxh.h"
#include "bridge/feeding/feeds_private.h"

/* NULL: what it feeds has no path. */
static const char *place_path(const struct hf_config_adapter *c)
{
	switch (c->kind) {
	case HF_ADAPTER_UNBOUND:
		return c->unbound.control;
	case HF_ADAPTER_DNSMASQ:
		return c->dnsmasq.hostsdir ? c->dnsmasq.hostsdir : c->dnsmasq.hosts_file;
	case HF_ADAPTER_HOSTS:
		return c->hosts.path;
	case HF_ADAPTER_HOOK:
		break;
	}
	return NULL;
}

void hf_feeds_place_text(const struct hf_config_adapter *c, char out[static HF_TEXT_MAX])
{
	const struct hf_adapter_type *type = hf_adapter_type(c->kind);
	const char *what = place_path(c) ? place_path(c) : c->name;
	unsigned long long sum = XXH3_64bits(what, strlen(what));
	int n = snprintf(out, HF_TEXT_MAX, "%s %s", type ? type->name : "", what);

	/* Too long: its end, which says more than its beginning, and a sum over all of it. */
	if (n >= HF_TEXT_MAX)
		snprintf(out, HF_TEXT_MAX, "%s %016llx...%s", type ? type->name : "", sum,
		    what + strlen(what) - 80);
}

/* A link, or /var/run: it is one place all the same. What is not there yet has only its path. */
static bool place_path_is_same(const char *a, const char *b)
{
	char real_a[PATH_MAX], real_b[PATH_MAX];

	if (strcmp(a, b) == 0)
		return true;
	return realpath(a, real_a) && realpath(b, real_b) && strcmp(real_a, real_b) == 0;
}

bool hf_feeds_place_is_same(const struct hf_config_adapter *a, const struct hf_config_adapter *b)
{
	if (a->kind != b->kind)
		return false;
	if (!place_path(a) || !place_path(b))
		return strcmp(a->name, b->name) == 0;
	/* A folder and a file are fed in two ways. */
	if (a->kind == HF_ADAPTER_DNSMASQ && !a->dnsmasq.hostsdir != !b->dnsmasq.hostsdir)
		return false;
	return place_path_is_same(place_path(a), place_path(b));
}

bool hf_feeds_place_is_shared(const struct hf_config_adapter *a, const struct hf_config_adapter *b)
{
	return a->kind != b->kind && place_path(a) && place_path(b) &&
	       place_path_is_same(place_path(a), place_path(b));
}

static void on_place_change(const struct hf_config_change *change, void *arg)
{
	static const char teardown[] = ".teardown";
	size_t len = strlen(change->path), n = sizeof(teardown) - 1;

	if (len < n || strcmp(change->path + len - n, teardown) != 0)
		*(bool *)arg = true;
}

bool hf_feeds_place_is_unchanged(
    const struct hf_config_adapter *a, const struct hf_config_adapter *b)
{
	struct hf_config_adapter one = *a, other = *b;
	const struct hf_config before = { .adapters = { &one, 1 } };
	const struct hf_config after = { .adapters = { &other, 1 } };
	bool changed = false;

	other.name = one.name;
	return hf_config_diff(&before, &after, on_place_change, &changed) >= 0 && !changed;
}
