/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/tamper_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "adapters/dns_client.h"
#include "adapters/dnsmasq/dnsmasq_probe.h"
#include "adapters/dnsmasq/host_files.h"
#include "adapters/dnsmasq/paced_writer.h"
#include "base/error.h"
#include "base/log.h"
#include "base/timing.h"

enum {
	TYPE_AAAA = 28,
	WATCH_SLICE = 256,  /* of 1,024: a round is four looks */
	FOREIGN_TICKS = 10, /* so often the folder is read for files of others */
	TAMPER_WHY_MAX = 512,
};

struct hf_tamper_watch {
	struct hf_tamper_watch_opts o;
	struct event *timer; /* owned */
	bool on;
	unsigned at; /* the next file to look at */
	unsigned ticks;
	struct hf_name suffix; /* len 0: not told yet */
	bool probing;          /* the folder was replaced; does dnsmasq read the new one? */
	bool probe_open;
	struct hf_record probe;
	struct hf_fault edits;
};

static void watch_again(struct hf_tamper_watch *w)
{
	const struct timeval tv = hf_time_of_ms(w->o.every_ms);

	event_add(w->timer, &tv);
}

static void note_edit(struct hf_tamper_watch *w, unsigned file)
{
	char what[HF_HOSTSDIR_FILE_NAME_MAX];

	hf_fault_set(&w->edits, w->o.clock, HF_LOG_WARN,
	    "adapter '%s': %s was changed by others (first: %s); what is missing is written again",
	    w->o.who, hf_host_files_what(w->o.files), hf_host_files_name(w->o.files, file, what));
}

static unsigned look_at_files(struct hf_tamper_watch *w)
{
	unsigned n = hf_host_files_count(w->o.files), edits = 0;
	char why[TAMPER_WHY_MAX];

	for (unsigned i = 0; i < WATCH_SLICE && i < n; i++) {
		unsigned file = w->at;

		w->at = (w->at + 1) % n;
		if (hf_paced_writer_is_dirty(w->o.pump, file) ||
		    !hf_host_files_changed(w->o.files, file))
			continue;
		/* What has our name and was not ours may be gone, or ours now. */
		if (hf_host_files_blocked(w->o.files, file)) {
			hf_host_files_load(w->o.files, file, why, sizeof(why));
			continue;
		}
		if (!edits++)
			note_edit(w, file);
		hf_paced_writer_dirty(w->o.pump, file);
	}
	return edits;
}

static void dirty_all(struct hf_tamper_watch *w)
{
	for (unsigned i = 0; i < hf_host_files_count(w->o.files); i++) {
		if (hf_record_table_bucket(hf_host_files_table(w->o.files), i))
			hf_paced_writer_dirty(w->o.pump, i);
	}
}

static void folder_probe_begin(struct hf_tamper_watch *w)
{
	static const char text[] =
	    "its folder was replaced, and dnsmasq watches the old one: restart dnsmasq";

	w->o.state(w->o.arg, HF_TAMPER_RESTART, text);
	if (!w->suffix.len || w->probing)
		return;
	if (hf_dnsmasq_probe_make(&w->suffix, &w->probe) ||
	    hf_record_table_put(hf_host_files_table(w->o.files), &w->probe) < 0)
		return;
	w->probing = true;
	hf_paced_writer_dirty(
	    w->o.pump, hf_record_table_bucket_of(hf_host_files_table(w->o.files), w->probe.addr));
}

static void folder_probe_end(struct hf_tamper_watch *w)
{
	struct hf_record_entry *e = hf_record_table_find_addr(
	    hf_host_files_table(w->o.files), &w->probe.name, w->probe.addr);

	w->probing = false;
	if (e) {
		hf_paced_writer_dirty(w->o.pump, e->bucket);
		hf_record_table_del(hf_host_files_table(w->o.files), e);
	}
	w->o.state(w->o.arg, HF_TAMPER_RESTART, NULL);
}

static void on_folder_probe(const struct hf_asked *asked, void *arg)
{
	struct hf_tamper_watch *w = arg;

	w->probe_open = false;
	for (size_t i = 0; i < asked->n_addrs && !asked->code && w->probing; i++) {
		if (!memcmp(asked->addrs[i], w->probe.addr, 16)) {
			folder_probe_end(w);
			return;
		}
	}
}

static void ask_folder_probe(struct hf_tamper_watch *w)
{
	if (w->probing && !w->probe_open)
		w->probe_open =
		    !hf_dns_client_send(w->o.ask, &w->probe.name, TYPE_AAAA, on_folder_probe, w);
}

/* Everything is written into the folder that has the name now. */
static void on_replaced(struct hf_tamper_watch *w)
{
	char why[TAMPER_WHY_MAX];
	int rc = hf_host_files_open(w->o.files, why, sizeof(why));

	w->o.state(w->o.arg, HF_TAMPER_FOLDER, rc ? why : NULL);
	if (rc)
		return;
	hf_log_warn(
	    "adapter '%s': %s was replaced; it is filled again, and dnsmasq must be restarted to read it",
	    w->o.who, hf_host_files_what(w->o.files));
	dirty_all(w);
	folder_probe_begin(w);
	w->o.lost(w->o.arg, "its folder was replaced");
}

static void look_for_foreign(struct hf_tamper_watch *w)
{
	char name[HF_HOSTSDIR_FILE_NAME_MAX], text[TAMPER_WHY_MAX];
	int n = hf_host_files_foreign(w->o.files, name);

	if (n > 0)
		snprintf(text, sizeof(text),
		    "%s has %d files that are not Holdfast's (such as '%.100s'); dnsmasq reads them too. They are left alone",
		    hf_host_files_what(w->o.files), n, name);
	w->o.state(w->o.arg, HF_TAMPER_FOREIGN, n > 0 ? text : NULL);
}

static void on_tamper_watch(evutil_socket_t fd, short what, void *arg)
{
	struct hf_tamper_watch *w = arg;
	unsigned edits;

	watch_again(w);
	if (!w->on)
		return;
	if (hf_host_files_replaced(w->o.files)) {
		on_replaced(w);
		hf_paced_writer_go(w->o.pump);
		return;
	}
	edits = look_at_files(w);
	if (!edits && w->at == 0)
		hf_fault_clear(&w->edits, w->o.clock, hf_host_files_what(w->o.files));
	ask_folder_probe(w);
	if (w->ticks++ % FOREIGN_TICKS == 0)
		look_for_foreign(w);
	if (hf_paced_writer_any(w->o.pump))
		hf_paced_writer_go(w->o.pump);
}

void hf_tamper_watch_begin(struct hf_tamper_watch *w)
{
	w->on = true;
}

void hf_tamper_watch_suffix(struct hf_tamper_watch *w, const struct hf_name *suffix)
{
	w->suffix = *suffix;
}

int hf_tamper_watch_new(const struct hf_tamper_watch_opts *opts, struct hf_tamper_watch **ret_watch)
{
	struct hf_tamper_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->o = *opts;
	w->timer = evtimer_new(opts->base, on_tamper_watch, w);
	if (!w->timer) {
		free(w);
		return -ENOMEM;
	}
	watch_again(w);
	*ret_watch = w;
	return 0;
}

void hf_tamper_watch_free(struct hf_tamper_watch *w)
{
	if (!w)
		return;
	event_free(w->timer);
	free(w);
}
