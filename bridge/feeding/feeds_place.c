/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xxh.h"
#include "bridge/feeding/feeds_private.h"

enum { PLACE_PART_MAX = 80 };

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

/*
 * A hook is known by all the words that it runs; they may hold a secret, which the text must not
 * have.
 */
static unsigned long long place_sum(const struct hf_config_adapter *c)
{
	const char *path = place_path(c);
	unsigned long long sum = path ? XXH3_64bits(path, strlen(path)) : 0;

	for (size_t i = 0; !path && i < c->hook.command.n; i++) {
		const char *word = c->hook.command.at[i];

		sum = XXH3_64bits_withSeed(word, strlen(word), sum);
	}
	return sum;
}

void hf_feeds_place_text(const struct hf_config_adapter *c, char out[static HF_TEXT_MAX])
{
	const char *type = hf_adapter_type(c->kind) ? hf_adapter_type(c->kind)->name : "";
	const char *path = place_path(c) ? place_path(c) : c->hook.command.at[0];
	bool whole = place_path(c) || c->hook.command.n == 1;

	if (whole && snprintf(out, HF_TEXT_MAX, "%s %s", type, path) < HF_TEXT_MAX)
		return;
	/* Of a long path its end, which says more than its beginning. */
	if (strlen(path) > PLACE_PART_MAX)
		path += strlen(path) - PLACE_PART_MAX;
	snprintf(out, HF_TEXT_MAX, "%s %s %016llx", type, path, place_sum(c));
}

/* A link, or /var/run: it is one place all the same. What is not there yet has only its path. */
static bool place_path_is_same(const char *a, const char *b)
{
	char real_a[PATH_MAX], real_b[PATH_MAX];

	if (strcmp(a, b) == 0)
		return true;
	return realpath(a, real_a) && realpath(b, real_b) && strcmp(real_a, real_b) == 0;
}

static bool place_command_is_same(const struct hf_config_hook *a, const struct hf_config_hook *b)
{
	bool same = a->form == b->form && a->command.n == b->command.n;

	for (size_t i = 0; same && i < a->command.n; i++)
		same = strcmp(a->command.at[i], b->command.at[i]) == 0;
	return same;
}

bool hf_feeds_place_is_same(const struct hf_config_adapter *a, const struct hf_config_adapter *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == HF_ADAPTER_HOOK)
		return place_command_is_same(&a->hook, &b->hook);
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
