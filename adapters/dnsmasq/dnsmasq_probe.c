/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/dnsmasq_probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <event2/event.h>

#include "adapters/dns_client.h"
#include "base/error.h"
#include "base/timing.h"
#include "zone/addr.h"
#include "zone/own_labels.h"

enum { TYPE_AAAA = 28, AGAIN_FIRST_MS = 5, AGAIN_MAX_MS = 200, WHY_MAX = 512 };

struct hf_dnsmasq_probe {
	struct hf_dnsmasq_probe_opts o;
	struct event *timer;   /* owned */
	struct hf_name suffix; /* len 0: not told yet */
	struct hf_record record;
	enum { PROBE_IDLE, PROBE_COMES, PROBE_GOES } phase;
	bool writes;  /* the timer writes; else it asks */
	bool in_file; /* the record is, as far as we know */
	int64_t wrote_us;
	uint32_t again_ms;
};

static const char probe_label[] = HF_OWN_LABEL_PROBE;

bool hf_dnsmasq_is_probe(const struct hf_name *name)
{
	const size_t n = sizeof(probe_label) - 1;

	return name->wire[0] == n && !memcmp(name->wire + 1, probe_label, n);
}

int hf_dnsmasq_probe_make(const struct hf_name *suffix, struct hf_record *ret_record)
{
	*ret_record = (struct hf_record){ .name = *suffix };
	memcpy(ret_record->addr, hf_addr_prefix, sizeof(hf_addr_prefix));
	if (getrandom(ret_record->addr + 6, 10, 0) != 10)
		return -EIO;
	return hf_name_prepend(&ret_record->name, probe_label, sizeof(probe_label) - 1);
}

static void probe_in_us(struct hf_dnsmasq_probe *p, int64_t us)
{
	const struct timeval tv = hf_time_of_us(us);

	event_add(p->timer, &tv);
}

static unsigned probe_file(const struct hf_dnsmasq_probe *p)
{
	return hf_record_table_bucket_of(p->o.table, p->record.addr);
}

/* Out of the table; and out of its file, now or with its next write. */
static void probe_withdraw(struct hf_dnsmasq_probe *p)
{
	struct hf_record_entry *e =
	    hf_record_table_find_addr(p->o.table, &p->record.name, p->record.addr);
	char why[WHY_MAX];

	if (e)
		hf_record_table_del(p->o.table, e);
	if (p->in_file && p->o.write(p->o.arg, probe_file(p), why, sizeof(why)))
		p->o.left(p->o.arg, probe_file(p));
	p->in_file = false;
}

static void probe_end(struct hf_dnsmasq_probe *p, int code)
{
	if (code)
		probe_withdraw(p);
	p->phase = PROBE_IDLE;
	p->o.done(p->o.arg, code); /* last: the owner may begin again */
}

static void probe_next(struct hf_dnsmasq_probe *p, bool comes)
{
	p->phase = comes ? PROBE_COMES : PROBE_GOES;
	p->writes = true;
	p->again_ms = AGAIN_FIRST_MS;
	probe_in_us(p, p->o.gap_us(p->o.arg));
}

static int probe_write(struct hf_dnsmasq_probe *p)
{
	char why[WHY_MAX];
	struct hf_record_entry *e;
	int rc;

	if (p->phase == PROBE_GOES) {
		e = hf_record_table_find_addr(p->o.table, &p->record.name, p->record.addr);
		if (e)
			hf_record_table_del(p->o.table, e);
	}
	rc = p->o.write(p->o.arg, probe_file(p), why, sizeof(why));
	if (!rc)
		p->in_file = p->phase == PROBE_COMES;
	p->writes = false;
	p->wrote_us = hf_time_now_us();
	return rc;
}

static bool probe_is_answered(const struct hf_dnsmasq_probe *p, const struct hf_asked *a)
{
	for (size_t i = 0; i < a->n_addrs; i++)
		if (!memcmp(a->addrs[i], p->record.addr, sizeof(p->record.addr)))
			return true;
	return false;
}

static void on_probe_answer(const struct hf_asked *a, void *arg)
{
	struct hf_dnsmasq_probe *p = arg;
	bool comes = p->phase == PROBE_COMES;

	if (a->code) {
		probe_end(p, a->code);
	} else if (probe_is_answered(p, a) == comes) {
		if (comes)
			probe_next(p, false);
		else
			probe_end(p, 0);
	} else if (hf_time_now_us() - p->wrote_us > (int64_t)p->o.patience_ms * 1000) {
		probe_end(p, HF_ENOTREADY);
	} else {
		probe_in_us(p, (int64_t)p->again_ms * 1000);
		p->again_ms = p->again_ms < AGAIN_MAX_MS / 2 ? p->again_ms * 2 : AGAIN_MAX_MS;
	}
}

static void on_probe_timer(evutil_socket_t fd, short what, void *arg)
{
	struct hf_dnsmasq_probe *p = arg;
	int rc = p->writes ? probe_write(p) : 0;

	if (!rc)
		rc = hf_dns_client_send(p->o.ask, &p->record.name, TYPE_AAAA, on_probe_answer, p);
	if (rc)
		probe_end(p, rc);
}

int hf_dnsmasq_probe_begin(struct hf_dnsmasq_probe *p)
{
	int rc = p->suffix.len ? hf_dnsmasq_probe_make(&p->suffix, &p->record) : -EAGAIN;

	if (!rc && hf_record_table_put(p->o.table, &p->record) < 0)
		rc = -ENOMEM;
	if (!rc)
		probe_next(p, true);
	return rc;
}

void hf_dnsmasq_probe_suffix(struct hf_dnsmasq_probe *p, const struct hf_name *suffix)
{
	p->suffix = *suffix;
}

int hf_dnsmasq_probe_new(
    const struct hf_dnsmasq_probe_opts *opts, struct hf_dnsmasq_probe **ret_probe)
{
	struct hf_dnsmasq_probe *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->o = *opts;
	p->timer = evtimer_new(opts->base, on_probe_timer, p);
	if (!p->timer) {
		free(p);
		return -ENOMEM;
	}
	*ret_probe = p;
	return 0;
}

void hf_dnsmasq_probe_free(struct hf_dnsmasq_probe *p)
{
	if (!p)
		return;
	if (p->phase != PROBE_IDLE)
		probe_withdraw(p);
	event_free(p->timer);
	free(p);
}
