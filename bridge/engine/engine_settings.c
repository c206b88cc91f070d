/* SPDX-License-Identifier: Apache-2.0 */
/* What the state and the zone need to know of the configuration, and the present time. */
#include "bridge/engine/engine_private.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "config/config.h"

struct hf_when hf_engine_now(const struct hf_engine *c)
{
	struct hf_when now = { .boot_ms = hf_boot_ms(c->clock),
		.wall_s = hf_wall_ms(c->clock) / 1000,
		.wall_synced = c->wall_synced };

	hf_boot_id(now.boot.b);
	return now;
}

void hf_engine_conf(const struct hf_config *config, struct hf_state_source_conf *sources,
    struct hf_state_conf *ret_conf)
{
	size_t n = config->sources.n;

	for (size_t i = 0; i < n; i++) {
		const struct hf_config_source *s = &config->sources.at[i];

		sources[i] = (struct hf_state_source_conf){
			.name = s->name,
			.url = s->url ? s->url : "",
			.suffix = s->suffix.len ? &s->suffix : NULL,
			.owners = s->owners.at,
			.n_owners = s->owners.n,
			.sentinel = s->sentinel,
			.fresh_ms = (uint32_t)s->fresh_window_ms,
			.snapshot_ms = (uint32_t)s->snapshot_interval_ms,
		};
	}
	*ret_conf = (struct hf_state_conf){
		.sources = sources,
		.n_sources = n,
		.guard_min = (uint32_t)config->guard.min_workspaces,
		.guard_percent = (uint32_t)config->guard.max_removal,
		.grace_ms = (uint64_t)config->guard.grace_ms,
		.max_age_ms = config->hold.policy == HF_CONFIG_HOLD_MAX_AGE
				  ? (uint64_t)config->hold.max_age_ms
				  : 0,
	};
}

static bool engine_is_printable(const char *text)
{
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

/*
 * The zone knows sources by their rid. A rid that is not in use, or whose suffix is not known,
 * stays zeroed there: a suffix of length 0, which readers pass over. It must not bear another
 * source's suffix: nobody ever hears of it, and that would make each negative answer under that
 * suffix stale.
 */
static int add_meta_source(const struct hf_source_view *view, void *arg)
{
	struct hf_zone_meta *meta = arg;
	struct hf_zone_source *s;

	if (!view->row->suffix.len || view->row->rid >= HF_ZONE_SOURCES_MAX)
		return 0;
	s = &meta->sources[view->row->rid];
	snprintf(s->name, sizeof(s->name), "%s", view->row->name);
	/* Not what lies behind it: metas are compared byte by byte. */
	s->suffix.len = view->row->suffix.len;
	memcpy(s->suffix.wire, view->row->suffix.wire, s->suffix.len);
	s->fresh_ms = view->fresh_ms;
	s->snapshot_ms = view->snapshot_ms;
	/*
	 * What must not be lost with the store; such as could not lie in the zone's file is not
	 * known there.
	 */
	if (engine_is_printable(view->row->deployment_id))
		snprintf(s->deployment, sizeof(s->deployment), "%s", view->row->deployment_id);
	memcpy(s->user, view->row->user.b, sizeof(s->user));
	s->url_sum = hf_state_url_sum(view->row->url);
	if (view->row->rid >= meta->n_sources)
		meta->n_sources = view->row->rid + 1;
	return 0;
}

void hf_engine_meta(const struct hf_engine *c, struct hf_zone_meta *ret_meta)
{
	memset(ret_meta, 0, sizeof(*ret_meta));
	ret_meta->ttl_s = (uint32_t)c->config->ttl_s;
	ret_meta->not_ready = c->config->not_ready;
	ret_meta->provenance = c->config->provenance;
	ret_meta->ready = hf_store_ready(c->store);
	hf_state_each_source(c->state, hf_engine_now(c), add_meta_source, ret_meta);
}
