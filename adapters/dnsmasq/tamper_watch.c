/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tamper_watch: what others do to the files. A part of them is looked at each second, all of them
 * within a few; one that was changed, cut or removed is written again. A folder that was replaced
 * is filled again too, but dnsmasq watches the old one until it is restarted: a probe, a name that
 * only the new folder has, tells when that was done.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/dnsmasq/dnsmasq_private.h"
#include "adapters/dnsmasq/hostsdir.h"
#include "base/error.h"

enum {
	TYPE_AAAA = 28,
	WATCH_MS = 1000,
	WATCH_SLICE = 256,  /* a round takes four seconds */
	FOREIGN_TICKS = 10, /* so often the folder is read for files of others */
	SYNC_AFTER_MS = 1000,
	SYNC_GAP_MS = 5,
};

static void note_edit(struct hf_adapter *a, unsigned file)
{
	char what[HF_HOSTSDIR_FILE_NAME_MAX] = "it";

	if (hf_host_files_count(a->files) > 1)
		hf_hostsdir_file_name(file, what);
	hf_fault_set(&a->edits, a->host->clock, HF_LOG_WARN,
	    "adapter '%s': %s was changed by others (first: %s); what is missing is written again",
	    a->config->name, hf_host_files_what(a->files), what);
}

static unsigned look_at_files(struct hf_adapter *a)
{
	unsigned n = hf_host_files_count(a->files), edits = 0;
	char why[WHY_MAX];

	for (unsigned i = 0; i < WATCH_SLICE && i < n; i++) {
		unsigned file = a->watch_at;

		a->watch_at = (a->watch_at + 1) % n;
		if (hf_paced_writer_is_dirty(a->pump, file) ||
		    !hf_host_files_changed(a->files, file))
			continue;
		/* What has our name and was not ours may be gone, or ours now. */
		if (hf_host_files_blocked(a->files, file)) {
			hf_host_files_load(a->files, file, why, sizeof(why));
			continue;
		}
		if (!edits++)
			note_edit(a, file);
		hf_paced_writer_dirty(a->pump, file);
	}
	return edits;
}

static void dirty_all(struct hf_adapter *a)
{
	for (unsigned i = 0; i < hf_host_files_count(a->files); i++) {
		if (hf_record_table_bucket(a->table, i))
			hf_paced_writer_dirty(a->pump, i);
	}
}

static void folder_probe_begin(struct hf_adapter *a)
{
	static const char text[] =
	    "its folder was replaced, and dnsmasq watches the old one: restart dnsmasq";

	hf_dnsmasq_warn(a, WARN_RESTART, text);
	if (!a->suffix.len || a->probing)
		return;
	if (hf_dnsmasq_probe_make(&a->suffix, &a->probe) ||
	    hf_record_table_put(a->table, &a->probe) < 0)
		return;
	a->probing = true;
	hf_paced_writer_dirty(a->pump, hf_record_table_bucket_of(a->table, a->probe.addr));
}

static void folder_probe_end(struct hf_adapter *a)
{
	struct hf_record_entry *e =
	    hf_record_table_find_addr(a->table, &a->probe.name, a->probe.addr);

	a->probing = false;
	if (e) {
		hf_paced_writer_dirty(a->pump, e->bucket);
		hf_record_table_del(a->table, e);
	}
	hf_dnsmasq_warn(a, WARN_RESTART, NULL);
}

static void on_folder_probe(const struct hf_asked *asked, void *arg)
{
	struct hf_adapter *a = arg;

	a->probe_open = false;
	for (size_t i = 0; i < asked->n_addrs && !asked->code && a->probing; i++) {
		if (!memcmp(asked->addrs[i], a->probe.addr, 16)) {
			folder_probe_end(a);
			return;
		}
	}
}

static void ask_folder_probe(struct hf_adapter *a)
{
	if (a->probing && !a->probe_open)
		a->probe_open =
		    !hf_dns_client_send(a->back, &a->probe.name, TYPE_AAAA, on_folder_probe, a);
}

/* Everything is written into the folder that has the name now. */
static void on_replaced(struct hf_adapter *a)
{
	char why[WHY_MAX];
	int rc = hf_host_files_open(a->files, why, sizeof(why));

	hf_dnsmasq_warn(a, WARN_FOLDER, rc ? why : NULL);
	if (rc)
		return;
	hf_log_warn(
	    "adapter '%s': %s was replaced; it is filled again, and dnsmasq must be restarted to read it",
	    a->config->name, hf_host_files_what(a->files));
	dirty_all(a);
	folder_probe_begin(a);
	a->host->lost(a->host->arg, "its folder was replaced");
}

static void look_for_foreign(struct hf_adapter *a)
{
	char name[HF_HOSTSDIR_FILE_NAME_MAX], text[WHY_MAX];
	int n = hf_host_files_foreign(a->files, name);

	if (n > 0)
		snprintf(text, sizeof(text),
		    "%s has %d files that are not Holdfast's (such as '%.100s'); dnsmasq reads them too. They are left alone",
		    hf_host_files_what(a->files), n, name);
	hf_dnsmasq_warn(a, WARN_FOREIGN, n > 0 ? text : NULL);
}

static void on_tamper_watch(evutil_socket_t fd, short what, void *arg)
{
	struct hf_adapter *a = arg;
	unsigned edits;

	hf_dnsmasq_in_us(a->watch_timer, WATCH_MS * 1000);
	if (!a->loaded || !a->in_charge)
		return;
	if (hf_host_files_replaced(a->files)) {
		on_replaced(a);
		hf_paced_writer_go(a->pump);
		return;
	}
	edits = look_at_files(a);
	if (!edits && a->watch_at == 0)
		hf_fault_clear(&a->edits, a->host->clock, hf_host_files_what(a->files));
	ask_folder_probe(a);
	if (a->watch_ticks++ % FOREIGN_TICKS == 0)
		look_for_foreign(a);
	if (hf_paced_writer_any(a->pump))
		hf_paced_writer_go(a->pump);
}

/* One file a turn: each may take as long as the disk does. */
static void on_sync(evutil_socket_t fd, short what, void *arg)
{
	struct hf_adapter *a = arg;
	unsigned n = hf_host_files_count(a->files);

	for (unsigned i = 0; i < n; i++) {
		unsigned file = a->sync_at;

		a->sync_at = (a->sync_at + 1) % n;
		if (!a->unsynced[file])
			continue;
		a->unsynced[file] = false;
		hf_host_files_sync(a->files, file);
		hf_dnsmasq_in_us(a->sync_timer, SYNC_GAP_MS * 1000);
		return;
	}
	a->sync_dirty = false;
	hf_host_files_sync_folder(a->files);
}

void hf_dnsmasq_watch_written(struct hf_adapter *a, unsigned file)
{
	a->unsynced[file] = true;
	if (!a->sync_dirty)
		hf_dnsmasq_in_us(a->sync_timer, SYNC_AFTER_MS * 1000);
	a->sync_dirty = true;
}

int hf_dnsmasq_watch_begin(struct hf_adapter *a)
{
	a->unsynced = calloc(hf_host_files_count(a->files), sizeof(bool));
	a->watch_timer = evtimer_new(a->host->base, on_tamper_watch, a);
	a->sync_timer = evtimer_new(a->host->base, on_sync, a);
	if (!a->unsynced || !a->watch_timer || !a->sync_timer)
		return -ENOMEM;
	hf_dnsmasq_in_us(a->watch_timer, WATCH_MS * 1000);
	return 0;
}
