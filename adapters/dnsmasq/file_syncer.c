/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/file_syncer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <event2/event.h>

#include "adapters/dnsmasq/host_files.h"
#include "base/timing.h"

enum { GAP_MS = 5 };

struct hf_file_syncer {
	struct hf_host_files *files; /* borrowed */
	uint32_t after_ms;
	struct event *timer; /* owned */
	bool *unsynced;      /* owned; a file each */
	unsigned at;
	bool under_way;
};

static void sync_in_ms(struct hf_file_syncer *s, long ms)
{
	const struct timeval tv = hf_time_of_ms(ms);

	event_add(s->timer, &tv);
}

/* One file a turn: each may take as long as the disk does. */
static void on_sync_timer(evutil_socket_t fd, short what, void *arg)
{
	struct hf_file_syncer *s = arg;
	unsigned n = hf_host_files_count(s->files);

	for (unsigned i = 0; i < n; i++) {
		unsigned file = s->at;

		s->at = (s->at + 1) % n;
		if (!s->unsynced[file])
			continue;
		s->unsynced[file] = false;
		hf_host_files_sync(s->files, file);
		sync_in_ms(s, GAP_MS);
		return;
	}
	s->under_way = false;
	hf_host_files_sync_folder(s->files);
}

void hf_file_syncer_written(struct hf_file_syncer *s, unsigned file)
{
	s->unsynced[file] = true;
	if (!s->under_way)
		sync_in_ms(s, s->after_ms);
	s->under_way = true;
}

int hf_file_syncer_new(struct event_base *base, struct hf_host_files *files, uint32_t after_ms,
    struct hf_file_syncer **ret_syncer)
{
	struct hf_file_syncer *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->files = files;
	s->after_ms = after_ms;
	s->unsynced = calloc(hf_host_files_count(files), sizeof(*s->unsynced));
	s->timer = evtimer_new(base, on_sync_timer, s);
	if (!s->unsynced || !s->timer) {
		hf_file_syncer_free(s);
		return -ENOMEM;
	}
	*ret_syncer = s;
	return 0;
}

void hf_file_syncer_free(struct hf_file_syncer *s)
{
	if (!s)
		return;
	if (s->timer)
		event_free(s->timer);
	free(s->unsynced);
	free(s);
}
