/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/paced_writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "adapters/dns_client.h"
#include "base/error.h"
#include "base/timing.h"

enum {
	TYPE_AAAA = 28,
	STEP_AIM_US = 2500,
	AGAIN_FIRST_MS = 5,
	AGAIN_MAX_MS = 200,
	SILENT_GAP_MS = 1, /* nobody is served: only the loop is to be left alone */
};

struct hf_paced_writer {
	struct hf_paced_writer_opts o;
	struct event *timer; /* owned */
	bool *dirty;         /* owned; o.n_files */
	size_t n_dirty;
	unsigned at;   /* where the next step begins to look */
	unsigned step; /* how many files it writes */
	bool running;
	bool asking;
	bool unsure; /* the last canary was not answered as it should */
	bool trusts; /* what a canary answers needs not be looked at */

	bool has_canary;
	enum { WANT_ADDR, WANT_NO_ADDR, WANT_ANSWER } want;
	struct hf_name name;
	uint8_t addr[16];
	bool has_gone;   /* `gone` was in a file of ours once */
	bool gone_fresh; /* it is to go with what is noted */
	struct hf_name gone;
	uint8_t gone_addr[16];

	int64_t wrote_us; /* when the step was written */
	int64_t asked_us;
	uint32_t again_ms;
	bool silent;
	int code; /* of a write that failed */
	char why[512];
};

static void in_us(struct hf_paced_writer *p, int64_t us)
{
	const struct timeval tv = hf_time_of_us(us);

	event_add(p->timer, &tv);
}

void hf_paced_writer_dirty(struct hf_paced_writer *p, unsigned file)
{
	if (p->dirty[file])
		return;
	p->dirty[file] = true;
	p->n_dirty++;
}

bool hf_paced_writer_is_dirty(const struct hf_paced_writer *p, unsigned file)
{
	return p->dirty[file];
}

bool hf_paced_writer_any(const struct hf_paced_writer *p)
{
	return p->n_dirty != 0;
}

static void paced_writer_clean(struct hf_paced_writer *p, unsigned file)
{
	p->dirty[file] = false;
	p->n_dirty--;
}

void hf_paced_writer_gone(struct hf_paced_writer *p, const struct hf_record_entry *e)
{
	p->has_gone = p->gone_fresh = true;
	hf_record_table_entry_name(e, &p->gone);
	memcpy(p->gone_addr, e->addr, 16);
}

static void paced_writer_stop(struct hf_paced_writer *p, int code, const char *why)
{
	bool silent = p->silent;

	p->running = false;
	p->silent = false;
	p->gone_fresh = p->gone_fresh && code;
	p->code = 0;
	p->o.drained(p->o.arg, code, why, silent); /* last: the owner may begin anew */
}

/* Its file was written without it, and nothing was known of it before. */
static bool gone_is_written(const struct hf_paced_writer *p)
{
	return p->gone_fresh && !p->dirty[hf_record_table_bucket_of(p->o.table, p->gone_addr)] &&
	       !hf_record_table_find_addr(p->o.table, &p->gone, p->gone_addr);
}

/*
 * The newest name of what was written last tells whether it was read; of a file that is gone, a
 * name that was in it. Any other name only tells when dnsmasq has come that far.
 */
static void choose_canary(struct hf_paced_writer *p, unsigned file)
{
	const struct hf_record_entry *e = hf_record_table_bucket(p->o.table, file);

	p->has_canary = e || p->has_gone;
	if (e) {
		p->want = WANT_ADDR;
		hf_record_table_entry_name(e, &p->name);
		memcpy(p->addr, e->addr, 16);
	} else if (p->has_gone) {
		p->want = gone_is_written(p) ? WANT_NO_ADDR : WANT_ANSWER;
		p->name = p->gone;
		memcpy(p->addr, p->gone_addr, 16);
	}
	if (p->trusts)
		p->want = WANT_ANSWER;
}

/* A few files. Returns how many were written; p->code says if one could not be. */
static unsigned write_step(struct hf_paced_writer *p)
{
	unsigned n = 0, last = 0;

	for (unsigned looked = 0; looked < p->o.n_files && n < p->step && !p->code; looked++) {
		unsigned file = p->at;

		p->at = (p->at + 1) % p->o.n_files;
		if (!p->dirty[file])
			continue;
		p->code = p->o.write(p->o.arg, file, p->why, sizeof(p->why));
		/* What is not ours is not tried again before somebody wants it anew. */
		if (!p->code || p->code == HF_EREFUSED)
			paced_writer_clean(p, file);
		if (!p->code) {
			n++;
			last = file;
		}
	}
	if (n)
		choose_canary(p, last);
	return n;
}

static bool canary_answered(const struct hf_paced_writer *p, const struct hf_asked *a)
{
	/* A name with more addresses than were kept may have this one too. */
	bool has = a->n_records > a->n_addrs;

	if (p->want == WANT_ANSWER)
		return true;
	for (size_t i = 0; i < a->n_addrs && !has; i++)
		has = !memcmp(a->addrs[i], p->addr, 16);
	return has == (p->want == WANT_ADDR);
}

static void next_step(struct hf_paced_writer *p)
{
	int64_t took = hf_time_now_us() - p->asked_us, gap = (int64_t)p->o.min_gap_ms * 1000;

	p->unsure = false;
	if (took > STEP_AIM_US)
		p->step = p->step > 1 ? p->step / 2 : 1;
	else if (took * 2 < STEP_AIM_US && p->step < p->o.step_max)
		p->step++;
	if (p->code || !p->n_dirty) {
		paced_writer_stop(p, p->code, p->why);
		return;
	}
	in_us(p, took > gap ? took : gap);
}

static void fail_canary(struct hf_paced_writer *p, const struct hf_asked *a)
{
	char name[HF_NAME_TEXT_MAX], text[sizeof(p->why)];

	p->unsure = true;
	p->step = 1;
	if (a->code)
		snprintf(text, sizeof(text), "dnsmasq does not answer: %s", hf_strerror(a->code));
	else
		snprintf(text, sizeof(text), "dnsmasq answers, but %s '%.200s': %s",
		    p->want == WANT_ADDR ? "without" : "still with", hf_name_text(&p->name, name),
		    p->o.min_gap_ms
			? "it has not read the file: it needs addn-hosts with this file, and SIGHUP after each change"
			: "it does not read the folder: it needs hostsdir with this folder, version 2.88 or later, and a restart if the folder was replaced");
	paced_writer_stop(p, a->code ? a->code : HF_ENOTREADY, text);
}

static void ask_canary(struct hf_paced_writer *p);

static int64_t canary_patience(const struct hf_paced_writer *p)
{
	return p->want == WANT_NO_ADDR ? p->o.gone_ms : p->o.patience_ms;
}

static void on_paced_writer_canary(const struct hf_asked *a, void *arg)
{
	struct hf_paced_writer *p = arg;
	int64_t waited = hf_time_now_us() - p->asked_us;

	p->asking = false;
	if (a->code == -ECONNREFUSED) {
		/* Nobody is served: it will read the files when it starts. */
		p->silent = true;
		p->unsure = true;
		if (p->code || !p->n_dirty)
			paced_writer_stop(p, p->code, p->why);
		else
			in_us(p, SILENT_GAP_MS * 1000);
	} else if (!a->code && canary_answered(p, a)) {
		next_step(p);
	} else if (a->code || waited / 1000 > canary_patience(p)) {
		fail_canary(p, a);
	} else {
		in_us(p, (int64_t)p->again_ms * 1000);
		p->again_ms = p->again_ms < AGAIN_MAX_MS / 2 ? p->again_ms * 2 : AGAIN_MAX_MS;
		p->asking = true; /* the timer asks again */
	}
}

static void ask_canary(struct hf_paced_writer *p)
{
	int rc = hf_dns_client_send(p->o.ask, &p->name, TYPE_AAAA, on_paced_writer_canary, p);

	p->asking = false;
	if (rc)
		paced_writer_stop(p, rc, "no memory for a question");
}

static void on_paced_writer_timer(evutil_socket_t fd, short what, void *arg)
{
	struct hf_paced_writer *p = arg;
	unsigned n;

	if (p->asking) {
		ask_canary(p);
		return;
	}
	if (p->silent)
		p->step = p->o.step_max;
	n = write_step(p);
	if (!n && !(p->unsure && p->has_canary && !p->code)) {
		paced_writer_stop(p, p->code, p->why);
		return;
	}
	p->asked_us = hf_time_now_us();
	if (n)
		p->wrote_us = p->asked_us;
	p->again_ms = AGAIN_FIRST_MS;
	if (p->silent && p->n_dirty && !p->code)
		in_us(p, SILENT_GAP_MS * 1000);
	else if (p->has_canary)
		ask_canary(p);
	else
		next_step(p);
}

bool hf_paced_writer_stuck(
    const struct hf_paced_writer *p, struct hf_record *ret_record, bool *ret_taken)
{
	if (!p->unsure || !p->has_canary || p->want == WANT_ANSWER)
		return false;
	*ret_record = (struct hf_record){ .name = p->name };
	memcpy(ret_record->addr, p->addr, 16);
	*ret_taken = p->want == WANT_NO_ADDR;
	return true;
}

void hf_paced_writer_trust(struct hf_paced_writer *p, bool trusts)
{
	p->trusts = trusts;
	if (trusts)
		p->unsure = p->gone_fresh = false;
}

int64_t hf_paced_writer_wait_us(const struct hf_paced_writer *p)
{
	int64_t wait = p->wrote_us + (int64_t)p->o.min_gap_ms * 1000 - hf_time_now_us();

	return p->wrote_us && wait > 0 ? wait : 0;
}

void hf_paced_writer_wrote(struct hf_paced_writer *p)
{
	p->wrote_us = hf_time_now_us();
}

void hf_paced_writer_go(struct hf_paced_writer *p)
{
	if (p->running)
		return;
	p->running = true;
	p->code = 0;
	in_us(p, p->n_dirty ? hf_paced_writer_wait_us(p) : 0);
}

int hf_paced_writer_new(const struct hf_paced_writer_opts *opts, struct hf_paced_writer **ret_pump)
{
	struct hf_paced_writer *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->o = *opts;
	p->step = 1;
	p->dirty = calloc(opts->n_files, sizeof(*p->dirty));
	p->timer = evtimer_new(opts->base, on_paced_writer_timer, p);
	if (!p->dirty || !p->timer) {
		hf_paced_writer_free(p);
		return -ENOMEM;
	}
	*ret_pump = p;
	return 0;
}

void hf_paced_writer_free(struct hf_paced_writer *p)
{
	if (!p)
		return;
	if (p->timer)
		event_free(p->timer);
	free(p->dirty);
	free(p);
}
