/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/dnsmasq_clash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/dns_client.h"
#include "adapters/hosts_line.h"

enum { TYPE_A = 1, TYPE_AAAA = 28, RCODE_NOERROR = 0, AT_ONCE = 16 };

struct clash_question {
	struct hf_dnsmasq_clash *clash;
	const struct hf_change *change; /* lent until the batch ends */
	uint8_t *fate;                  /* likewise */
};

struct hf_dnsmasq_clash {
	struct hf_dns_client *ask;
	hf_dnsmasq_clash_cb cb;
	void *arg;
	struct clash_question *questions; /* owned */
	size_t room;
	size_t n;
	size_t sent;
	size_t open;
	bool away; /* nobody answers: there is no sense in asking on */
};

int hf_dnsmasq_clash_new(struct hf_dns_client *ask, hf_dnsmasq_clash_cb cb, void *arg,
    struct hf_dnsmasq_clash **ret_clash)
{
	struct hf_dnsmasq_clash *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->ask = ask;
	c->cb = cb;
	c->arg = arg;
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
		c->cb(c->arg);
}

/* No address of the other family, no alias: then nobody has it. */
static void on_clash_a(const struct hf_asked *a, void *arg)
{
	struct clash_question *q = arg;

	if (!a->code && a->n_records)
		*q->fate = HF_FATE_CLASH;
	clash_answered(q->clash, a->code);
}

static bool is_expected(const struct hf_change *c, const uint8_t addr[static 16])
{
	return !memcmp(addr, c->record.addr, 16) || (c->had && !memcmp(addr, c->was, 16));
}

static void on_clash_aaaa(const struct hf_asked *a, void *arg)
{
	struct clash_question *q = arg;

	if (!a->code && (a->has_target || a->n_records > a->n_addrs))
		*q->fate = HF_FATE_CLASH;
	for (size_t i = 0; i < a->n_addrs && !a->code; i++) {
		if (!is_expected(q->change, a->addrs[i]))
			*q->fate = HF_FATE_CLASH;
	}
	/* The name exists, but not with this type: it may have another. */
	if (!a->code && a->rcode == RCODE_NOERROR && !a->n_records && !*q->fate &&
	    !hf_dns_client_send(q->clash->ask, &q->change->record.name, TYPE_A, on_clash_a, q))
		return;
	clash_answered(q->clash, a->code);
}

/* A few at once, and more with each answer. */
static int send_some(struct hf_dnsmasq_clash *c)
{
	int rc = 0;

	while (c->sent < c->n && c->open < AT_ONCE && !c->away && !rc) {
		struct clash_question *q = &c->questions[c->sent];

		rc = hf_dns_client_send(
		    c->ask, &q->change->record.name, TYPE_AAAA, on_clash_aaaa, q);
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

int hf_dnsmasq_clash_begin(struct hf_dnsmasq_clash *c, const struct hf_record_table *table,
    const struct hf_batch *batch, uint8_t *fates)
{
	int rc = clash_make_room(c, batch->n);

	c->n = c->sent = c->open = 0;
	c->away = false;
	for (size_t i = 0; i < batch->n && !rc; i++) {
		const struct hf_change *change = &batch->at[i];

		if (change->op != HF_CHANGE_PUT || !hf_hosts_line_fits(&change->record) ||
		    hf_record_table_find(table, &change->record.name))
			continue;
		c->questions[c->n++] =
		    (struct clash_question){ .clash = c, .change = change, .fate = &fates[i] };
	}
	if (!rc)
		rc = send_some(c);
	/* Without memory for all: those that were asked are enough to wait for. */
	return c->open ? (int)c->open : rc;
}
