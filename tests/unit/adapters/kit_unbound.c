/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/adapters/kit_unbound.h"

#include <string.h>

#include "tests/unit/adapters/kit_records.h"

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

/* --- it and its surroundings --- */

static void on_applied(void *arg, const struct hf_receipt *r)
{
	static const char letters[] = { [HF_FATE_DONE] = 'd',
		[HF_FATE_CLASH] = 'c',
		[HF_FATE_UNFIT] = 'u',
		[HF_FATE_FAILED] = 'f' };
	struct kit_unbound *k = arg;

	ck_assert_uint_lt(r->n_done, KIT_UNBOUND_FATES_MAX);
	for (size_t i = 0; i < r->n_done; i++)
		k->fates[i] = r->fates ? letters[r->fates[i]] : 'd';
	k->fates[r->n_done] = '\0';
	k->code = r->code;
	snprintf(k->text, sizeof(k->text), "%s", r->text);
	k->n_receipts++;
}

static void begin_adapter(struct kit_unbound *k)
{
	struct hf_name suffix = kit_unbound_name("coder");

	ck_assert_int_eq(hf_ub_adapter_type.open(&k->config, &k->host.host, &k->base), 0);
	k->a = hf_ub_of(k->base);
	hf_ub_adapter_type.zones(k->base, &suffix, 1, 30);
}

static void open_with(
    struct kit_unbound *k, resolver_cb cb, void *arg, char *start_file, enum hf_start_form form)
{
	static char name[] = "ub";

	memset(k, 0, sizeof(*k));
	kit_host_open(&k->host);
	k->host.host.applied = on_applied;
	resolver_open(&k->server, k->host.host.base, cb, arg);
	tmpdir_make(&k->dir);
	snprintf(k->path, sizeof(k->path), "%s/start", k->dir.path);
	snprintf(k->control, sizeof(k->control), "%s/control", k->dir.path);
	k->config = (struct hf_config_adapter){ .name = name, .kind = HF_ADAPTER_UNBOUND };
	k->config.unbound = (struct hf_config_unbound){ .control = k->control,
		.ask = k->server.at,
		.start_file = start_file,
		.start_form = form,
		.start_interval_ms = 1000,
		.timeout_ms = 1000 };
	begin_adapter(k);
}

void kit_unbound_open(struct kit_unbound *k, resolver_cb cb, void *arg, enum hf_start_form form)
{
	open_with(k, cb, arg, k->path, form);
}

void kit_unbound_open_peer(struct kit_unbound *k, bool records, bool no_reverse)
{
	open_with(k, ub_peer_answer, &k->peer, NULL, HF_START_INCLUDE);
	k->peer.records = records;
	k->peer.no_reverse = no_reverse;
	ub_peer_open(&k->peer, k->host.host.base, k->control);
}

static void end_adapter(struct kit_unbound *k)
{
	/* Nothing is to be written at the end: there is no store to walk. */
	k->a->n_zones = 0;
	hf_ub_adapter_type.close(k->base);
}

void kit_unbound_restart(struct kit_unbound *k)
{
	end_adapter(k);
	begin_adapter(k);
}

void kit_unbound_close(struct kit_unbound *k)
{
	end_adapter(k);
	if (k->peer.path)
		ub_peer_close(&k->peer);
	resolver_close(&k->server);
	kit_host_close(&k->host);
	tmpdir_remove(&k->dir);
}

void kit_unbound_wait(struct kit_unbound *k)
{
	while (!k->host.told[0])
		event_base_loop(k->host.host.base, EVLOOP_ONCE);
}

/* --- batches --- */

static void begin_anew(struct kit_unbound *k)
{
	k->peer.log[0] = k->host.told[0] = k->fates[0] = k->text[0] = '\0';
	k->n_receipts = 0;
}

int kit_unbound_apply(struct kit_unbound *k, const struct hf_change *at, size_t n)
{
	begin_anew(k);
	k->batch = (struct hf_batch){ .at = at, .n = n, .generation = 1 };
	hf_ub_adapter_type.apply(k->base, &k->batch);
	ck_assert_uint_eq(k->n_receipts, 0); /* never from within the call */
	while (!k->n_receipts)
		event_base_loop(k->host.host.base, EVLOOP_ONCE);
	kit_unbound_settle(k);
	ck_assert_uint_eq(k->n_receipts, 1);
	return k->code;
}

void kit_unbound_settle(struct kit_unbound *k)
{
	while (hf_adapter_job_is_under_way(&k->base->job))
		event_base_loop(k->host.host.base, EVLOOP_ONCE);
	kit_host_run(&k->host);
}

void kit_unbound_complete(struct kit_unbound *k)
{
	begin_anew(k);
	hf_ub_adapter_type.complete(k->base, 1);
	kit_unbound_settle(k);
}

struct hf_change kit_unbound_put(const char *name, const char *addr, bool primary)
{
	return (struct hf_change){ .op = HF_CHANGE_PUT, .record = record(name, addr, primary) };
}

struct hf_change kit_unbound_take(const char *name, const char *addr, bool primary)
{
	return (struct hf_change){ .op = HF_CHANGE_TAKE, .record = record(name, addr, primary) };
}

struct hf_change kit_unbound_move(const char *name, const char *addr, const char *was)
{
	struct hf_change c = kit_unbound_put(name, addr, true);

	c.had = true;
	ck_assert_int_eq(inet_pton(AF_INET6, was, c.was), 1);
	return c;
}
