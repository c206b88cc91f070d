/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/scenario/talk.h"

#include <stdio.h>
#include <string.h>

struct talk {
	struct world *w;
	uint64_t told; /* generation up to which changes were told */
	uint8_t epoch[16];
};

static int tell_name(const struct hf_name *name, const struct hf_zone_entry *entry, void *arg)
{
	const struct hf_zone_meta *meta = arg;
	char text[HF_NAME_TEXT_MAX], addr[HF_ADDR_TEXT_MAX];

	/* Two addresses are told as such: there must never be two. */
	printf("n %s %s%s %u %s %lld\n", hf_name_text(name, text),
	    hf_addr_text(entry->addrs[0], addr), entry->n_addrs > 1 ? ",..." : "", entry->flags,
	    meta->sources[entry->source].name, (long long)entry->first_seen_s);
	return 0;
}

static int tell_change(const struct hf_name_change *change, uint64_t generation, void *arg)
{
	char text[HF_NAME_TEXT_MAX];

	printf("c %s\n", hf_name_text(&change->name, text));
	return 0;
}

static int tell_source(const struct hf_source_view *source, void *arg)
{
	printf("s %s %llu %d\n", source->row->name, (unsigned long long)source->row->away_ms,
	    source->row->withdrawn);
	return 0;
}

static int tell_hold(const struct hf_hold_row *hold, const struct hf_source_row *source,
    const struct hf_owner_row *owner, uint32_t workspaces, void *arg)
{
	printf("h %s %u %s %u %d %llu\n", source->name,
	    owner ? owner->id.b[14] * 256u + owner->id.b[15] : 0, hold->kind, workspaces,
	    hold->rejected, (unsigned long long)hold->fresh_ms);
	return 0;
}

static int count_refused(const struct hf_refused_view *refused, void *arg)
{
	++*(unsigned *)arg;
	return 0;
}

static void tell_core(struct talk *t)
{
	const struct hf_state *s = hf_engine_state(t->w->engine);
	struct hf_store *store = hf_engine_store(t->w->engine);
	unsigned refused = 0;

	/* Of another store nothing is known of what changed. */
	if (!memcmp(t->epoch, hf_store_epoch(store), sizeof(t->epoch)))
		hf_store_names_since(store, t->told, tell_change, NULL);
	t->told = hf_store_generation(store);
	memcpy(t->epoch, hf_store_epoch(store), sizeof(t->epoch));
	hf_state_each_source(s, hf_engine_now(t->w->engine), tell_source, NULL);
	hf_state_each_hold(s, tell_hold, NULL);
	hf_state_each_refused(s, count_refused, &refused);
	printf("r %u\n", refused);
}

static void tell_all(struct talk *t)
{
	const struct hf_zone_meta *meta;
	unsigned long long n;

	if (world_count(t->w, &n)) {
		meta = hf_zone_reader_meta(t->w->reader);
		if (meta)
			hf_zone_reader_walk(t->w->reader, tell_name, (void *)meta);
	}
	if (t->w->engine)
		tell_core(t);
	printf(".\n");
}

void talk_all(struct world *w)
{
	struct talk t = { .w = w };
	static char line[65536];

	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "?\n"))
			tell_all(&t);
		else if (world_line(w, line))
			printf("ok\n");
		else
			printf("no: %s\n", w->error);
		fflush(stdout);
	}
}
