/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/start_audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/timing.h"
#include "adapters/hosts_line.h"

enum { AUDIT_SLICE = 500 };

struct hf_start_audit {
	const struct hf_adapter_host *host;
	const struct hf_record_table *table;
	char *what;                  /* owned */
	struct event *timer;         /* owned */
	struct hf_record_walk *walk; /* owned while it is under way */
	size_t missing;
	bool over;
};

static int audit_look_at(const struct hf_record *r, void *arg)
{
	struct hf_start_audit *a = arg;

	a->missing +=
	    hf_hosts_line_fits(r) && !hf_record_table_find_addr(a->table, &r->name, r->addr);
	return 0;
}

static void audit_end(struct hf_start_audit *a)
{
	char why[512];

	a->over = true;
	a->host->walk_free(a->walk);
	a->walk = NULL;
	if (!a->missing)
		return;
	snprintf(
	    why, sizeof(why), "%zu names were missing in %s when it was read", a->missing, a->what);
	a->host->lost(a->host->arg, why);
}

static void again_in_ms(struct hf_start_audit *a, long ms)
{
	const struct timeval tv = hf_time_of_ms(ms);

	event_add(a->timer, &tv);
}

static void on_audit_timer(evutil_socket_t fd, short what, void *arg)
{
	struct hf_start_audit *a = arg;
	int rc = a->walk ? 0 : a->host->walk_new(a->host->arg, &a->walk);

	if (rc) {
		a->walk = NULL;
		again_in_ms(a, 1000);
		return;
	}
	rc = a->host->walk_step(a->walk, AUDIT_SLICE, audit_look_at, a);
	if (rc == 1) {
		again_in_ms(a, 1);
		return;
	}
	if (rc < 0)
		a->missing = 0; /* nothing was found out */
	audit_end(a);
}

int hf_start_audit_new(const struct hf_adapter_host *host, const struct hf_record_table *table,
    const char *what, struct hf_start_audit **ret_audit)
{
	struct hf_start_audit *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->host = host;
	a->table = table;
	a->what = strdup(what);
	a->timer = evtimer_new(host->base, on_audit_timer, a);
	if (!a->what || !a->timer) {
		hf_start_audit_free(a);
		return -ENOMEM;
	}
	*ret_audit = a;
	return 0;
}

void hf_start_audit_free(struct hf_start_audit *a)
{
	if (!a)
		return;
	if (a->walk)
		a->host->walk_free(a->walk);
	if (a->timer)
		event_free(a->timer);
	free(a->what);
	free(a);
}

void hf_start_audit_begin(struct hf_start_audit *a)
{
	if (a->over || !a->host->walk_new || event_pending(a->timer, EV_TIMEOUT, NULL))
		return;
	again_in_ms(a, 10);
}
