/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/dnsmasq_clash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/dns_client.h"

enum { TYPE_A = 1, TYPE_AAAA = 28, RCODE_NOERROR = 0, AT_ONCE = 16 };

struct clash_question {
	struct hf_dnsmasq_clash *clash;
	const struct hf_change *change; /* lent until the batch ends */
	uint8_t *fate;                  /* likewise */
	bool doubt;
};

struct hf_dnsmasq_clash {
	struct hf_dnsmasq_clash_opts o;
	const struct hf_batch *batch;     /* lent until it ends */
	uint8_t *fates;                   /* likewise */
	struct clash_question *questions; /* owned */
	size_t room;
	size_t n;
	size_t sent;
	size_t open;
	bool settles; /* dnsmasq reads our files: what is in doubt is others' */
	bool away;    /* nobody answers: there is no sense in asking on */
};

int hf_dnsmasq_clash_new(
    const struct hf_dnsmasq_clash_opts *opts, struct hf_dnsmasq_clash **ret_clash)
{
	struct hf_dnsmasq_clash *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->o = *opts;
	*ret_clash = c;
	return 0;
}

void hf_dnsmasq_clash_free(struct hf_dnsmasq_clash *c)
{
	if (!c)
		return;
	free(c->questions);
	free(c);
}

static int send_some(struct hf_dnsmasq_clash *c);

static void clash_answered(struct hf_dnsmasq_clash *c, int code)
{
	c->open--;
	c->away |= code != 0;
	send_some(c);
	if (!c->open)
		c->o.done(c->o.arg);
}

/* No address of the other family, no alias: then nobody has it. */
static void on_clash_a(const struct hf_asked *a, void *arg)
{
	struct clash_question *q = arg;

	if (!a->code && a->n_records)
		*q->fate = HF_FATE_CLASH;
	clash_answered(q->clash, a->code);
}

static bool clash_has_addr(const struct hf_asked *a, const uint8_t addr[static 16])
{
	for (size_t i = 0; i < a->n_addrs; i++)
		if (!memcmp(a->addrs[i], addr, 16))
			return true;
	return false;
}

/* What is answered to a name that our files do not have, before it is put. */
static void clash_judge_put(struct clash_question *q, const struct hf_asked *a)
{
	const struct hf_change *c = q->change;

	if (a->has_target || a->n_records > a->n_addrs)
		*q->fate = HF_FATE_CLASH;
	for (size_t i = 0; i < a->n_addrs; i++) {
		/* What we have had there is what dnsmasq was not told yet. */
		if (c->had && !memcmp(a->addrs[i], c->was, 16))
			continue;
		if (memcmp(a->addrs[i], c->record.addr, 16))
			*q->fate = HF_FATE_CLASH;
		else
			q->doubt = !c->had;
	}
}

static void clash_settle_one(struct clash_question *q, const struct hf_asked *a)
{
	q->doubt = false;
	if (clash_has_addr(a, q->change->record.addr))
		*q->fate = HF_FATE_CLASH;
}

static void on_clash_aaaa(const struct hf_asked *a, void *arg)
{
	struct clash_question *q = arg;
	struct hf_dnsmasq_clash *c = q->clash;
	bool put = q->change->op == HF_CHANGE_PUT;

	if (!a->code && c->settles)
		clash_settle_one(q, a);
	else if (!a->code && put)
		clash_judge_put(q, a);
	else if (!a->code)
		q->doubt = clash_has_addr(a, q->change->record.addr);
	/* The name exists, but not with this type: it may have another. */
	if (!a->code && put && !c->settles && a->rcode == RCODE_NOERROR && !a->n_records &&
	    !*q->fate &&
	    !hf_dns_client_send(c->o.ask, &q->change->record.name, TYPE_A, on_clash_a, q))
		return;
	clash_answered(c, a->code);
}

/* It was put, and our file was read: what shadows its address is others'. */
static void on_clash_shadow(const struct hf_asked *a, void *arg)
{
	struct clash_question *q = arg;

	if (!a->code && !clash_has_addr(a, q->change->record.addr))
		*q->fate = HF_FATE_CLASH;
	clash_answered(q->clash, a->code);
}

/* A few at once, and more with each answer. */
static int send_some(struct hf_dnsmasq_clash *c)
{
	int rc = 0;

	while (c->sent < c->n && c->open < AT_ONCE && !c->away && !rc) {
		struct clash_question *q = &c->questions[c->sent];

		rc = hf_dns_client_send(
		    c->o.ask, &q->change->record.name, TYPE_AAAA, on_clash_aaaa, q);
		c->sent += !rc;
		c->open += !rc;
	}
	return rc;
}

static int clash_make_room(struct hf_dnsmasq_clash *c, size_t n)
{
	struct clash_question *q;

	if (n <= c->room)
		return 0;
	q = realloc(c->questions, n * sizeof(*q));
	if (!q)
		return -ENOMEM;
	c->questions = q;
	c->room = n;
	return 0;
}

static void clash_add(struct hf_dnsmasq_clash *c, size_t i)
{
	c->questions[c->n++] =
	    (struct clash_question){ .clash = c, .change = &c->batch->at[i], .fate = &c->fates[i] };
}

/* Without memory for all: those that were asked are enough to wait for. */
static int clash_ask(struct hf_dnsmasq_clash *c)
{
	int rc = send_some(c);

	return c->open ? (int)c->open : rc;
}

static void clash_restart(struct hf_dnsmasq_clash *c, bool settles)
{
	c->n = c->sent = c->open = 0;
	c->away = false;
	c->settles = settles;
}

int hf_dnsmasq_clash_begin(struct hf_dnsmasq_clash *c, const struct hf_batch *batch, uint8_t *fates)
{
	int rc = clash_make_room(c, batch->n);

	clash_restart(c, false);
	c->batch = batch;
	c->fates = fates;
	for (size_t i = 0; i < batch->n && !rc; i++)
		if (c->o.asks(c->o.arg, &batch->at[i]))
			clash_add(c, i);
	return rc ? rc : clash_ask(c);
}

bool hf_dnsmasq_clash_doubts(const struct hf_dnsmasq_clash *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->questions[i].doubt && !*c->questions[i].fate)
			return true;
	return false;
}

int hf_dnsmasq_clash_settle(struct hf_dnsmasq_clash *c)
{
	size_t n = c->n;

	clash_restart(c, true);
	for (size_t i = 0; i < n; i++) {
		const struct clash_question q = c->questions[i];

		if (q.doubt && !*q.fate)
			c->questions[c->n++] = q;
	}
	return clash_ask(c);
}

int hf_dnsmasq_clash_settle_takes(struct hf_dnsmasq_clash *c)
{
	clash_restart(c, true);
	for (size_t i = 0; i < c->batch->n; i++)
		if (c->batch->at[i].op == HF_CHANGE_TAKE && !c->fates[i])
			clash_add(c, i);
	return clash_ask(c);
}

int hf_dnsmasq_clash_settle_put(struct hf_dnsmasq_clash *c, const struct hf_record *record)
{
	int rc = 0;

	clash_restart(c, true);
	for (size_t i = 0; i < c->batch->n && !c->n; i++)
		if (c->batch->at[i].op == HF_CHANGE_PUT && !c->fates[i] &&
		    hf_name_equal(&c->batch->at[i].record.name, &record->name))
			clash_add(c, i);
	if (c->n)
		rc = hf_dns_client_send(
		    c->o.ask, &record->name, TYPE_AAAA, on_clash_shadow, &c->questions[0]);
	c->sent = c->n;
	c->open = c->n && !rc;
	return c->open ? 1 : rc;
}
