/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/adapters/kit_unbound.h"

#include <string.h>

struct hf_name kit_unbound_name(const char *text)
{
	struct hf_name name;

	ck_assert_int_eq(hf_name_parse(text, &name), 0);
	return name;
}

void kit_unbound_write(struct kit_unbound *k, const char *name, const char *text)
{
	char path[2 * TMPDIR_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", k->dir.path, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

void kit_unbound_open(struct kit_unbound *k, resolver_cb cb, void *arg, enum hf_start_form form)
{
	static char control[] = "/nonexistent/unbound.ctl", name[] = "ub";
	struct hf_name suffix = kit_unbound_name("coder");

	memset(k, 0, sizeof(*k));
	kit_host_open(&k->host);
	resolver_open(&k->server, k->host.host.base, cb, arg);
	tmpdir_make(&k->dir);
	snprintf(k->path, sizeof(k->path), "%s/start", k->dir.path);
	k->config = (struct hf_config_adapter){ .name = name, .kind = HF_ADAPTER_UNBOUND };
	k->config.unbound = (struct hf_config_unbound){ .control = control,
		.ask = k->server.at,
		.start_file = k->path,
		.start_form = form,
		.start_interval_ms = 1000,
		.timeout_ms = 1000 };
	ck_assert_int_eq(hf_ub_adapter_type.open(&k->config, &k->host.host, &k->base), 0);
	k->a = hf_ub_of(k->base);
	hf_ub_adapter_type.zones(k->base, &suffix, 1, 30);
}

void kit_unbound_close(struct kit_unbound *k)
{
	/* Nothing is to be written at the end: there is no store to walk. */
	k->a->n_zones = 0;
	hf_ub_adapter_type.close(k->base);
	resolver_close(&k->server);
	kit_host_close(&k->host);
	tmpdir_remove(&k->dir);
}

void kit_unbound_wait(struct kit_unbound *k)
{
	while (!k->host.told[0])
		event_base_loop(k->host.host.base, EVLOOP_ONCE);
}
