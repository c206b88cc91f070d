/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/dns/server.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "plugin/dns/acl.h"
#include "plugin/dns/sock.h"
#include "plugin/dns/udp.h"
#include "zone/reader.h"

enum { TROUBLE_MAX = 160 };

struct hf_server {
	struct hf_acl_box acl;
	bool has_acl;
	const struct hf_clock *clock;   /* borrowed */
	struct hf_zone *zone;           /* owned */
	size_t n_workers;               /* UDP threads, and the one for TCP */
	struct hf_zone_reader **reader; /* owned; one a worker, and the watch's own */
	struct hf_counters *counters;   /* owned; one a worker */
	struct hf_udp **udp;            /* owned; NULL where a socket is a stream */
	struct hf_tcp *tcp;             /* owned */
	size_t n_socks;
	struct hf_fault trouble;
	bool told_zone;
};

static int make_readers(struct hf_server *s)
{
	int rc = 0;

	s->reader = calloc(s->n_workers + 1, sizeof(*s->reader));
	/* Cache lines of their own, as the type asks for. */
	s->counters =
	    aligned_alloc(_Alignof(struct hf_counters), s->n_workers * sizeof(*s->counters));
	s->udp = calloc(s->n_socks + 1, sizeof(*s->udp));
	if (!s->reader || !s->counters || !s->udp)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_workers; i++)
		s->counters[i] = (struct hf_counters){ 0 };
	for (size_t i = 0; !rc && i <= s->n_workers; i++)
		rc = hf_zone_reader_new(s->zone, &s->reader[i]);
	return rc;
}

static struct hf_responder worker_responder(const struct hf_server *s, size_t worker)
{
	return (struct hf_responder){ .reader = s->reader[worker],
		.own = &s->counters[worker],
		.all = s->counters,
		.n_all = s->n_workers };
}

static int start_workers(struct hf_server *s, const struct hf_server_opts *opts)
{
	struct hf_responder r;
	size_t worker = 0;
	int rc = 0;

	for (size_t i = 0; !rc && i < s->n_socks; i++) {
		if (opts->socks->at[i].stream)
			continue;
		r = worker_responder(s, worker++);
		rc = hf_udp_start(&opts->socks->at[i], &r, &s->acl, s->clock, &s->udp[i]);
	}
	if (rc)
		return rc;
	r = worker_responder(s, worker);
	return hf_tcp_start(opts->socks, &r, &s->acl, s->clock, &opts->tcp, &s->tcp);
}

int hf_server_start(const struct hf_server_opts *opts, struct hf_server **ret_server)
{
	struct hf_server *s = calloc(1, sizeof(*s));
	int rc = -ENOMEM;

	if (!s)
		return rc;
	s->clock = opts->clock;
	s->n_socks = opts->socks->n;
	s->n_workers = 1;
	for (size_t i = 0; i < s->n_socks; i++)
		s->n_workers += !opts->socks->at[i].stream;
	rc = hf_acl_box_init(&s->acl, opts->allow);
	if (rc)
		goto fail;
	s->has_acl = true;
	rc = hf_zone_open(opts->zone, opts->clock, &s->zone);
	if (!rc)
		rc = make_readers(s);
	if (rc)
		goto fail;
	/* Right from the first query: what is there is loaded before anybody can ask. */
	hf_zone_reader_load(s->reader[s->n_workers]);
	hf_zone_begin(s->zone);
	hf_server_watch(s);
	rc = start_workers(s, opts);
	if (rc)
		goto fail;
	*ret_server = s;
	return 0;
fail:
	hf_server_free(s);
	return rc;
}

void hf_server_free(struct hf_server *s)
{
	if (!s)
		return;
	for (size_t i = 0; s->udp && i < s->n_socks; i++)
		hf_udp_free(s->udp[i]);
	hf_tcp_free(s->tcp);
	for (size_t i = 0; s->reader && i <= s->n_workers; i++)
		hf_zone_reader_free(s->reader[i]);
	hf_zone_close(s->zone);
	if (s->has_acl)
		hf_acl_box_done(&s->acl);
	free(s->udp);
	free(s->counters);
	free(s->reader);
	free(s);
}

int hf_server_allow(struct hf_server *s, const struct hf_prefixes *allow)
{
	return hf_acl_box_set(&s->acl, allow);
}

static void tell_zone(struct hf_server *s, struct hf_zone_reader *r)
{
	struct hf_zone_stamp stamp;

	if (s->told_zone || !hf_zone_reader_stamp(r, &stamp))
		return;
	s->told_zone = true;
	hf_log_info("answering from generation %llu, %llu names",
	    (unsigned long long)stamp.generation, (unsigned long long)stamp.n_names);
}

void hf_server_watch(struct hf_server *s)
{
	struct hf_zone_reader *r = s->reader[s->n_workers];
	bool has_picture = hf_zone_reader_refresh(r);
	char why[TROUBLE_MAX];

	tell_zone(s, r);
	if (hf_zone_trouble(s->zone, why, sizeof(why)) > 0)
		hf_fault_set(&s->trouble, s->clock, HF_LOG_WARN, "zone: %s; %s", why,
		    has_picture ? "answering from the last good picture" : "answering REFUSED");
	else if (has_picture)
		hf_fault_clear(&s->trouble, s->clock, "zone");
	hf_zone_reader_rest(r);
}
