/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source that has another name in the configuration is the same source (contract, guard 7): what
 * the store keeps by names goes along.
 */
#include "bridge/engine/engine_private.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

static int engine_add_name(const struct hf_source_view *view, void *arg)
{
	struct hf_engine_names *names = arg;

	if (view->row->rid < HF_ZONE_SOURCES_MAX)
		snprintf(names->at[view->row->rid], sizeof(names->at[0]), "%s", view->row->name);
	return 0;
}

void hf_engine_names(const struct hf_state *state, struct hf_engine_names *ret_names)
{
	const struct hf_when now = { 0 }; /* nothing of it is looked at */

	memset(ret_names, 0, sizeof(*ret_names));
	hf_state_each_source(state, now, engine_add_name, ret_names);
}

struct addresses {
	char text[HF_STORE_ADDRESSES_MAX][HF_STORE_ADDRESS_TEXT_MAX];
	const char *at[HF_STORE_ADDRESSES_MAX];
	size_t n;
};

static int add_address(const char *address, void *arg)
{
	struct addresses *a = arg;

	if (a->n == HF_STORE_ADDRESSES_MAX)
		return 0;
	snprintf(a->text[a->n], sizeof(a->text[0]), "%s", address);
	a->at[a->n] = a->text[a->n];
	a->n++;
	return 0;
}

/* Without them the server is found by its name alone: worth a line, and no reason to stop. */
static void move_addresses(struct hf_engine *c, const char *from, const char *to)
{
	struct addresses a = { .n = 0 };
	int rc = hf_store_addresses(c->store, from, add_address, &a);

	if (!rc && a.n)
		rc = hf_store_addresses_set(c->store, to, a.at, a.n);
	if (!rc && a.n)
		rc = hf_store_addresses_set(c->store, from, NULL, 0);
	if (rc)
		hf_log_debug("source '%s': the last good addresses of '%s' are not taken over (%s)",
		    to, from, hf_strerror(rc));
}

void hf_engine_renamed(
    struct hf_engine *c, const struct hf_engine_names *before, const struct hf_state *state)
{
	struct hf_engine_names now;

	hf_engine_names(state, &now);
	for (size_t i = 0; i < HF_ZONE_SOURCES_MAX; i++)
		if (before->at[i][0] && now.at[i][0] && strcmp(before->at[i], now.at[i]) != 0)
			move_addresses(c, before->at[i], now.at[i]);
}
