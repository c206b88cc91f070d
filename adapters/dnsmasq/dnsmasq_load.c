/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dnsmasq_load: what the files hold is the adapter's memory. It is read once, in slices, before the
 * first thing that needs it.
 */
#include <stdio.h>
#include <string.h>

#include "adapters/dnsmasq/dnsmasq_private.h"
#include "base/error.h"

enum { LOAD_SLICE = 64 };

static void load_end(struct hf_adapter *a, int code, const char *why)
{
	a->loading = false;
	a->loaded = !code;
	if (code)
		hf_record_table_clear(a->table);
	a->on_loaded(a, code, why);
}

/* A probe that an earlier run left is nobody's name: it goes. */
static void drop_probes(struct hf_adapter *a, unsigned file)
{
	struct hf_record_entry *next, *e = hf_record_table_bucket(a->table, file);

	for (; e; e = next) {
		next = e->next;
		if (!hf_dnsmasq_is_probe(e->name))
			continue;
		hf_paced_writer_gone(a->pump, e);
		hf_record_table_del(a->table, e);
		hf_paced_writer_dirty(a->pump, file);
	}
}

/* 0 or the code of what cannot be read at all. */
static int load_one(struct hf_adapter *a, unsigned file, char *why, size_t size)
{
	int rc = hf_host_files_load(a->files, file, why, size);

	drop_probes(a, file);
	if (rc == HF_EREFUSED && hf_host_files_count(a->files) > 1) {
		if (!a->refused++)
			snprintf(a->damage, sizeof(a->damage), "%s", why);
		return 0;
	}
	if (rc == HF_EFORMAT) {
		a->damaged++;
		hf_paced_writer_dirty(a->pump, file);
		return 0;
	}
	return rc < 0 ? rc : 0;
}

static void load_done(struct hf_adapter *a)
{
	char text[WHY_MAX];

	if (a->in_charge)
		hf_host_files_sweep(a->files);
	load_end(a, 0, "");
	if (a->refused)
		hf_dnsmasq_warn(a, WARN_FOREIGN, a->damage);
	if (!a->damaged)
		return;
	snprintf(text, sizeof(text), "%u files of %s were not as they had been left", a->damaged,
	    hf_host_files_what(a->files));
	a->host->lost(a->host->arg, text);
}

void hf_dnsmasq_on_load_timer(evutil_socket_t fd, short what, void *arg)
{
	struct hf_adapter *a = arg;
	char why[WHY_MAX] = "";
	int rc = a->load_at ? 0 : hf_host_files_open(a->files, why, sizeof(why));

	for (unsigned n = 0; n < LOAD_SLICE && !rc && a->load_at < hf_host_files_count(a->files);
	     n++)
		rc = load_one(a, a->load_at++, why, sizeof(why));
	if (rc)
		load_end(a, rc, why);
	else if (a->load_at < hf_host_files_count(a->files))
		hf_dnsmasq_in_us(a->load_timer, 0);
	else
		load_done(a);
}

void hf_dnsmasq_load(struct hf_adapter *a)
{
	if (a->loading)
		return;
	a->loading = true;
	a->load_at = a->damaged = a->refused = 0;
	hf_dnsmasq_in_us(a->load_timer, 0);
}
