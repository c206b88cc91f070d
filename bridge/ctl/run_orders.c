/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify and resync.
 */
#include "bridge/ctl/ctl_adapters.h"
#include "bridge/ctl/ctl.h"
#include "bridge/ctl/row_text.h"

int hf_ctl_verify(struct hf_ctl *c)
{
	int rc = hf_ctl_adapters_verify(c->socket, c->o.adapter, c->o.full, &c->kept, c->why);

	if (rc)
		return hf_ctl_failed(c, rc);
	if (c->o.json)
		hf_ctl_print_json(c->kept);
	else
		hf_ctl_adapters_print_verified(c->kept, stdout);
	return hf_ctl_adapters_verified(c->kept) ? HF_EXIT_WELL : HF_EXIT_DEGRADED;
}

static void show_resynced(const struct hf_ctl *c)
{
	long long n = json_integer_value(json_object_get(c->kept, "sources"));

	if (c->o.adapter) {
		printf("adapter %s is filled again\n", hf_ctl_row_text(c->kept, "name", "?"));
		return;
	}
	if (json_is_true(json_object_get(c->kept, "recovering")))
		puts("the store is rebuilt from memory");
	else if (c->o.recover)
		puts("the store's one recovery is allowed again");
	printf("requested everything again from %lld source%s\n", n, n == 1 ? "" : "s");
}

int hf_ctl_resync(struct hf_ctl *c)
{
	int rc = hf_ctl_client_ask(c->socket,
	    json_pack("{s:s, s:b, s:s?}", "command", "resync", "recover", c->o.recover, "adapter",
		c->o.adapter),
	    hf_ctl_keep, c, c->why);

	if (rc)
		return hf_ctl_failed(c, rc);
	if (c->o.json)
		hf_ctl_print_json(c->kept);
	else
		show_resynced(c);
	return HF_EXIT_WELL;
}
