/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/file_loader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>

#include "adapters/dnsmasq/dnsmasq_probe.h"
#include "adapters/dnsmasq/host_files.h"
#include "base/error.h"
#include "base/timing.h"

enum { LOAD_SLICE = 64, LOAD_WHY_MAX = 512 };

struct hf_file_loader {
	struct hf_file_loader_opts o;
	struct event *timer; /* owned */
	bool under_way, loaded;
	unsigned at;
	unsigned damaged, refused;
	char refusal[LOAD_WHY_MAX];
};

static void load_soon(struct hf_file_loader *l)
{
	const struct timeval now = { 0 };

	event_add(l->timer, &now);
}

static void load_end(struct hf_file_loader *l, int code, const char *why)
{
	l->under_way = false;
	l->loaded = !code;
	if (code)
		hf_record_table_clear(hf_host_files_table(l->o.files));
	l->o.done(l->o.arg, code, why);
}

/* A probe that an earlier run left is nobody's name: it goes. */
static void drop_probes(struct hf_file_loader *l, unsigned file)
{
	struct hf_record_table *table = hf_host_files_table(l->o.files);
	struct hf_record_entry *next, *e = hf_record_table_bucket(table, file);

	for (; e; e = next) {
		next = e->next;
		if (!hf_dnsmasq_is_probe(e->name))
			continue;
		hf_record_table_del(table, e);
		l->o.odd(l->o.arg, file);
	}
}

/* 0 or the code of what cannot be read at all. */
static int load_one(struct hf_file_loader *l, unsigned file, char *why, size_t size)
{
	int rc = hf_host_files_load(l->o.files, file, why, size);

	drop_probes(l, file);
	if (rc == HF_EREFUSED && hf_host_files_count(l->o.files) > 1) {
		if (!l->refused++)
			snprintf(l->refusal, sizeof(l->refusal), "%s", why);
		return 0;
	}
	if (rc == HF_EFORMAT) {
		l->damaged++;
		l->o.odd(l->o.arg, file);
		return 0;
	}
	return rc < 0 ? rc : 0;
}

static void on_load_timer(evutil_socket_t fd, short what, void *arg)
{
	struct hf_file_loader *l = arg;
	unsigned n_files = hf_host_files_count(l->o.files);
	char why[LOAD_WHY_MAX] = "";
	int rc = l->at ? 0 : hf_host_files_open(l->o.files, why, sizeof(why));

	for (unsigned n = 0; n < LOAD_SLICE && !rc && l->at < n_files; n++)
		rc = load_one(l, l->at++, why, sizeof(why));
	if (rc || l->at == n_files)
		load_end(l, rc, why);
	else
		load_soon(l);
}

void hf_file_loader_begin(struct hf_file_loader *l)
{
	if (l->under_way)
		return;
	l->under_way = true;
	l->at = l->damaged = l->refused = 0;
	load_soon(l);
}

bool hf_file_loader_is_done(const struct hf_file_loader *l)
{
	return l->loaded;
}

unsigned hf_file_loader_damaged(const struct hf_file_loader *l)
{
	return l->damaged;
}

const char *hf_file_loader_refused(const struct hf_file_loader *l)
{
	return l->refused ? l->refusal : NULL;
}

int hf_file_loader_new(const struct hf_file_loader_opts *opts, struct hf_file_loader **ret_loader)
{
	struct hf_file_loader *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->o = *opts;
	l->timer = evtimer_new(opts->base, on_load_timer, l);
	if (!l->timer) {
		free(l);
		return -ENOMEM;
	}
	*ret_loader = l;
	return 0;
}

void hf_file_loader_free(struct hf_file_loader *l)
{
	if (!l)
		return;
	event_free(l->timer);
	free(l);
}
