/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show: what is to be seen after a line, as lines of their own:
 *
 *     n NAME ADDRESS FLAGS SOURCE FIRST-SEEN RCODE EDE    a published name and its AAAA answer
 *     a NAME RCODE EDE ADDRESS         the AAAA answer of a name that was asked for; RCODE -1:
 *                                      not ours
 *     p ADDRESS NAME                   the PTR of an address that is published, "-": none
 *     h SOURCE OWNER KIND WORKSPACES REJECTED             a hold; OWNER 0: of the source
 *     c SOURCE CONNECTED LIVE WANTS-CONNECTION OWNER...   its client; the owners it wants
 *                                                         a snapshot of
 *     r N                              as many records are refused
 *     z READY GENERATION EPOCH         the zone's stamp, as readers have it
 *     s STATE GENERATION EPOCH         the store
 *     y HASH                           the copy of the store that stands by
 *     t BOOT WALL                      the clocks, in milliseconds
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tests/model/driver.h"
#include "tests/model/peer.h"
#include "tests/scenario/message.h"

struct walk {
	struct driver *d;
	const struct hf_zone_meta *meta;
	uint8_t addrs[4096][16];
	size_t n_addrs;
};

static void ask(struct driver *d, const struct hf_name *name, uint16_t type, struct hf_answer *ret)
{
	struct hf_question q = {
		.name = name, .type = type, .class = HF_CLASS_IN, .from_loopback = true
	};

	memset(ret, 0, sizeof(*ret));
	hf_answer(d->reader, &q, ret);
}

static void note_addr(struct walk *w, const uint8_t addr[16])
{
	for (size_t i = 0; i < w->n_addrs; i++)
		if (!memcmp(w->addrs[i], addr, 16))
			return;
	if (w->n_addrs < sizeof(w->addrs) / sizeof(w->addrs[0]))
		memcpy(w->addrs[w->n_addrs++], addr, 16);
}

static int show_name(const struct hf_name *name, const struct hf_zone_entry *entry, void *arg)
{
	struct walk *w = arg;
	char text[HF_NAME_TEXT_MAX], addr[HF_ADDR_TEXT_MAX];
	struct hf_answer answer;

	ask(w->d, name, HF_TYPE_AAAA, &answer);
	/* More than one address is shown as such: there must never be two. */
	printf("n %s %s%s %u %s %" PRId64 " %d %d\n", hf_name_text(name, text),
	    hf_addr_text(entry->addrs[0], addr), entry->n_addrs > 1 ? ",..." : "", entry->flags,
	    w->meta->sources[entry->source].name, entry->first_seen_s, answer.rcode, answer.ede);
	if (answer.has_answer &&
	    (answer.answer.n != 1 || memcmp(answer.answer.rdata, entry->addrs[0], 16)))
		printf("n %s another-answer 0 - 0 0 0\n", text);
	note_addr(w, entry->addrs[0]);
	return 0;
}

static void show_ptr(struct driver *d, const uint8_t addr[16])
{
	char text[HF_NAME_TEXT_MAX] = "-", what[HF_ADDR_TEXT_MAX];
	struct hf_answer answer;
	struct hf_name name;

	hf_ptr_name(addr, &name);
	ask(d, &name, HF_TYPE_PTR, &answer);
	if (answer.has_answer &&
	    hf_name_from_wire(answer.answer.rdata, answer.answer.rdlen, &name) >= 0)
		hf_name_text(&name, text);
	printf("p %s %s\n", hf_addr_text(addr, what), text);
}

static void show_answer(struct driver *d, const char *text)
{
	struct hf_answer answer;
	struct hf_name name;
	char addr[HF_ADDR_TEXT_MAX] = "-";

	if (hf_name_parse(text, &name))
		return;
	ask(d, &name, HF_TYPE_AAAA, &answer);
	if (answer.has_answer)
		hf_addr_text(answer.answer.rdata, addr);
	printf("a %s %d %d %s\n", text, answer.ours ? answer.rcode : -1,
	    answer.ours ? answer.ede : -1, addr);
}

static void show_bytes(const uint8_t *bytes, size_t n)
{
	while (n--)
		printf("%02x", *bytes++);
	printf("\n");
}

static void show_zone(struct driver *d, const struct words *names)
{
	static struct walk w;
	struct hf_zone_stamp stamp;

	w.d = d;
	w.meta = hf_zone_reader_meta(d->reader);
	w.n_addrs = 0;
	if (!w.meta)
		return;
	hf_zone_reader_walk(d->reader, show_name, &w);
	for (size_t i = 0; i < w.n_addrs; i++)
		show_ptr(d, w.addrs[i]);
	for (size_t i = 1; i < names->n; i++)
		show_answer(d, names->at[i]);
	if (!hf_zone_reader_stamp(d->reader, &stamp))
		return;
	printf("z %d %" PRIu64 " ", w.meta->ready, stamp.generation);
	show_bytes(stamp.epoch, sizeof(stamp.epoch));
}

/* --- the operator --- */

static int show_hold(const struct hf_hold_row *hold, const struct hf_source_row *source,
    const struct hf_owner_row *owner, uint32_t workspaces, void *arg)
{
	(void)arg;
	printf("h %s %u %s %u %d\n", source->name, owner ? message_number(&owner->id) : 0,
	    hold->kind, workspaces, hold->rejected);
	return 0;
}

static int count_refused(const struct hf_refused_view *refused, void *arg)
{
	(void)refused;
	++*(unsigned *)arg;
	return 0;
}

static void show_client(struct hf_client *c)
{
	const struct hf_owner_info *o;

	printf("c %s %d %d %d", peer_name(c), peer_connected(c), peer_live(c),
	    peer_wants_connection(c));
	for (size_t i = 0; (o = peer_owner(c, i)); i++)
		if (peer_wants_snapshot(c, &o->id))
			printf(" %u", message_number(&o->id));
	printf("\n");
}

static void show_core(struct driver *d)
{
	const struct hf_state *s = hf_engine_state(d->engine);
	struct hf_store *store = hf_engine_store(d->engine);
	unsigned refused = 0;
	const char *reason;
	int64_t since_s;

	if (!hf_state_dirty(s) && !hf_state_spent(s) && hf_state_sum(s) != hf_state_count_sum(s)) {
		fprintf(stderr, "the sum of the names is not kept as they change\n");
		abort();
	}
	hf_state_each_hold(s, show_hold, NULL);
	for (size_t i = 0; i < PEERS; i++)
		if (peer_at(i))
			show_client(peer_at(i));
	hf_state_each_refused(s, count_refused, &refused);
	printf("r %u\n", refused);
	printf("s %s %" PRIu64 " ",
	    hf_store_state_name(hf_store_get_state(store, &reason, &since_s)),
	    hf_store_generation(store));
	show_bytes(hf_store_epoch(store), 16);
}

/* FNV-1a of what is in it: the file itself is another one after a kill. */
static void show_copy(struct driver *d)
{
	static char block[65536];
	char path[300];
	uint64_t hash = 0xcbf29ce484222325u;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/store.db.copy", d->dir);
	f = fopen(path, "r");
	if (!f)
		return;
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		for (size_t i = 0; i < n; i++)
			hash = (hash ^ (uint8_t)block[i]) * 0x100000001b3u;
	fclose(f);
	printf("y %016" PRIx64 "\n", hash);
}

void show(struct driver *d, const struct words *names)
{
	int rc = driver_read(d);

	if (!rc)
		show_zone(d, names);
	else
		printf("x %s\n", hf_strerror(rc));
	if (d->engine)
		show_core(d);
	show_copy(d);
	printf("t %" PRId64 " %" PRId64 "\n", d->clock.boot, d->clock.wall);
	printf(".\n");
}
