/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/answer.h"

#include <string.h>

#include "base/wire.h"
#include "zone/own_labels.h"
#include "zone/picture.h"
#include "zone/provenance.h"

enum {
	TTL_MAX_S = 30,
	SOA_REFRESH_S = 60,
	SOA_RETRY_S = 60,
	SOA_EXPIRE_S = 2419200, /* four weeks: a secondary outlives a long absence */
};

static const uint8_t soa_mname[] = "\010holdfast\007invalid"; /* the NUL is the root */
static const uint8_t soa_rname[] = "\006nobody\007invalid";
static const uint8_t provenance_label[] = "\011" HF_OWN_LABEL;
_Static_assert(sizeof(HF_OWN_LABEL) - 1 == 011, "the length is the first byte of provenance_label");

/* A question of ours on its way to its answer. */
struct ask {
	struct hf_zone_reader *r;
	const struct hf_picture *p;
	const struct hf_question *q;
	const struct hf_name *apex; /* of the zone that it is in */
	uint64_t sources;           /* those that publish in that zone */
	enum hf_not_ready not_ready;
	uint32_t serial;
	uint32_t ttl_s;
	struct hf_answer *a;
};

static bool asks_for(const struct ask *k, uint16_t type)
{
	return k->q->type == type || k->q->type == HF_TYPE_ANY;
}

/*
 * Whether what the zone says as a whole is stale. It is as fresh as its stalest source: that a name
 * is not there is only known if each source that could have it says so.
 */
static bool zone_is_fresh(const struct ask *k)
{
	for (uint64_t left = k->sources; left; left &= left - 1)
		if (!hf_zone_reader_source_fresh(k->r, (uint16_t)__builtin_ctzll(left)))
			return false;
	return k->sources;
}

static bool entry_is_fresh(const struct ask *k, const struct hf_zone_entry *e)
{
	return !(e->flags & (HF_REC_HELD | HF_REC_RESTORED)) &&
	       hf_zone_reader_fresh(k->r, e->source, e->owner);
}

/* --- the forms that an answer has --- */

static struct hf_rrset soa_of(struct ask *k)
{
	struct hf_wr wr = hf_wr(k->a->scratch, sizeof(k->a->scratch));
	/* Network order, unlike what base/wire.h writes. */
	const uint32_t numbers[] = { k->serial, SOA_REFRESH_S, SOA_RETRY_S, SOA_EXPIRE_S,
		k->ttl_s };

	hf_wr_bytes(&wr, soa_mname, sizeof(soa_mname));
	hf_wr_bytes(&wr, soa_rname, sizeof(soa_rname));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		hf_wr_u32(&wr, __builtin_bswap32(numbers[i]));
	return (struct hf_rrset){
		.owner = k->apex->wire,
		.owner_len = k->apex->len,
		.type = HF_TYPE_SOA,
		.ttl_s = k->ttl_s,
		.n = 1,
		.rdlen = (uint16_t)hf_wr_len(&wr),
		.rdata = k->a->scratch,
	};
}

static void answer_give(struct ask *k, bool fresh, struct hf_rrset set)
{
	k->a->answer = set;
	k->a->has_answer = true;
	k->a->ede = fresh ? HF_EDE_NONE : HF_EDE_STALE;
}

static void give_records(
    struct ask *k, bool fresh, uint16_t type, const uint8_t *rdata, size_t rdlen, size_t n)
{
	answer_give(k, fresh,
	    (struct hf_rrset){
		.type = type,
		.ttl_s = k->ttl_s,
		.n = (uint16_t)n,
		.rdlen = (uint16_t)rdlen,
		.rdata = rdata,
	    });
}

static void give_nodata(struct ask *k, bool fresh)
{
	k->a->soa = soa_of(k);
	k->a->has_soa = true;
	k->a->ede = fresh ? HF_EDE_NONE : HF_EDE_STALE;
}

static void give_nxdomain(struct ask *k)
{
	give_nodata(k, true);
	k->a->rcode = HF_RCODE_NXDOMAIN;
	k->a->ede = zone_is_fresh(k) ? HF_EDE_NONE : HF_EDE_STALE_NXDOMAIN;
}

static void give_servfail(struct ask *k)
{
	k->a->rcode = HF_RCODE_SERVFAIL;
}

/* --- what is asked for --- */

static void answer_apex(struct ask *k)
{
	struct hf_rrset soa;

	if (!asks_for(k, HF_TYPE_SOA)) {
		give_nodata(k, zone_is_fresh(k));
		return;
	}
	soa = soa_of(k);
	soa.owner = NULL;
	soa.owner_len = 0;
	answer_give(k, zone_is_fresh(k), soa);
}

/*
 * Nothing accepted yet, so that no name's absence is known. Even where the operator has chosen
 * NXDOMAIN the zone itself exists.
 */
static void answer_not_ready(struct ask *k)
{
	if (k->not_ready == HF_NOT_READY_SERVFAIL)
		give_servfail(k);
	else if (hf_name_equal(k->q->name, k->apex))
		answer_apex(k);
	else
		give_nxdomain(k);
	k->a->ede = HF_EDE_NOT_READY;
}

/*
 * A suffix of another source below this name makes it an empty non-terminal, of which no file
 * tells.
 */
static bool leads_to_suffix(const struct ask *k)
{
	for (size_t i = 0; i < k->p->n_suffixes; i++)
		if (hf_name_is_under(k->p->suffixes[i].name, k->q->name))
			return true;
	return false;
}

static bool may_see_provenance(const struct ask *k)
{
	enum hf_provenance who = k->p->meta.provenance;

	return who == HF_PROVENANCE_ON || (who == HF_PROVENANCE_LOOPBACK && k->q->from_loopback);
}

static void give_text(struct ask *k, bool fresh, const struct hf_wr *wr)
{
	if (asks_for(k, HF_TYPE_TXT))
		give_records(k, fresh, HF_TYPE_TXT, k->a->scratch, hf_wr_len(wr), 1);
	else
		give_nodata(k, fresh);
}

/*
 * `_holdfast` before a name with addresses, or before the suffix. Returns false if it is neither.
 */
static bool answer_provenance(struct ask *k)
{
	struct hf_wr wr = hf_wr(k->a->scratch, sizeof(k->a->scratch));
	const uint8_t *name;
	struct hf_zone_entry e;
	size_t len;

	if (k->q->name->len < sizeof(provenance_label) ||
	    memcmp(k->q->name->wire, provenance_label, sizeof(provenance_label) - 1) != 0 ||
	    !may_see_provenance(k))
		return false;
	name = hf_name_parent(k->q->name, &len);
	if (len == k->apex->len) {
		hf_provenance_of_zone(&wr, &k->p->stamp, zone_is_fresh(k));
		give_text(k, zone_is_fresh(k), &wr);
		return true;
	}
	if (hf_zone_reader_find(k->r, name, len, &e) <= 0 || e.kind != HF_ENTRY_ADDRS ||
	    (e.flags & HF_REC_WITHDRAWN))
		return false;
	hf_provenance_of_name(&wr, k->r, &e);
	give_text(k, entry_is_fresh(k, &e), &wr);
	return true;
}

static void answer_name(struct ask *k)
{
	struct hf_zone_entry e;
	int rc;

	if (k->q->name->len == k->apex->len) {
		answer_apex(k);
		return;
	}
	rc = hf_zone_reader_find(k->r, k->q->name->wire, k->q->name->len, &e);
	if (rc < 0) {
		give_servfail(k);
	} else if (rc > 0 && e.kind == HF_ENTRY_ADDRS && !(e.flags & HF_REC_WITHDRAWN)) {
		if (asks_for(k, HF_TYPE_AAAA))
			give_records(k, entry_is_fresh(k, &e), HF_TYPE_AAAA, e.addrs[0],
			    sizeof(e.addrs[0]), e.n_addrs);
		else
			give_nodata(k, entry_is_fresh(k, &e));
	} else if ((rc > 0 && (e.kind == HF_ENTRY_EMPTY || e.has_children)) || leads_to_suffix(k)) {
		give_nodata(k, zone_is_fresh(k));
	} else if (!answer_provenance(k)) {
		give_nxdomain(k);
	}
}

static bool zone_entry_has_addr(const struct hf_zone_entry *e, const uint8_t addr[static 16])
{
	for (size_t i = 0; i < e->n_addrs; i++)
		if (!memcmp(e->addrs[i], addr, sizeof(e->addrs[i])))
			return true;
	return false;
}

/* A PTR is told only as long as its name has that address: a withdrawn name has none. */
static void answer_addr(struct ask *k, const uint8_t addr[static 16])
{
	const uint8_t *name;
	struct hf_zone_entry e;
	size_t len;
	int rc = hf_zone_reader_find_ptr(k->r, addr, &name, &len);

	if (rc > 0)
		rc = hf_zone_reader_find(k->r, name, len, &e);
	if (rc < 0)
		give_servfail(k);
	else if (rc == 0 || (e.flags & HF_REC_WITHDRAWN) || !zone_entry_has_addr(&e, addr))
		give_nxdomain(k);
	else if (asks_for(k, HF_TYPE_PTR))
		give_records(k, entry_is_fresh(k, &e), HF_TYPE_PTR, name, len, 1);
	else
		give_nodata(k, entry_is_fresh(k, &e));
}

static void answer_reverse(struct ask *k, enum hf_ptr_kind kind, const uint8_t addr[static 16])
{
	switch (kind) {
	case HF_PTR_APEX:
		answer_apex(k);
		break;
	case HF_PTR_PARTIAL:
		/*
		 * Whether there are addresses below is not written down; that it exists is the safe
		 * side.
		 */
		give_nodata(k, zone_is_fresh(k));
		break;
	case HF_PTR_ADDR:
		answer_addr(k, addr);
		break;
	case HF_PTR_BELOW:
	case HF_PTR_OUTSIDE:
		give_nxdomain(k);
		break;
	}
}

/* The longest suffix that the name is under. */
static bool answer_find_suffix(struct ask *k)
{
	for (size_t i = 0; i < k->p->n_suffixes; i++) {
		const struct hf_picture_suffix *s = &k->p->suffixes[i];

		if (hf_name_is_under(k->q->name, s->name)) {
			k->apex = s->name;
			k->sources = s->sources;
			return true;
		}
	}
	return false;
}

static uint64_t all_sources(const struct hf_picture *p)
{
	uint64_t sources = 0;

	for (size_t i = 0; i < p->n_suffixes; i++)
		sources |= p->suffixes[i].sources;
	return sources;
}

static uint32_t clamp_ttl(uint32_t ttl_s)
{
	if (ttl_s < 1)
		return 1;
	return ttl_s < TTL_MAX_S ? ttl_s : TTL_MAX_S;
}

static void answer_begin(struct hf_answer *a)
{
	/* Not all of it: the scratch is filled where it is used. */
	a->ours = false;
	a->rcode = HF_RCODE_NOERROR;
	a->ede = HF_EDE_NONE;
	a->has_answer = false;
	a->has_soa = false;
}

void hf_answer(struct hf_zone_reader *r, const struct hf_question *q, struct hf_answer *ret_answer)
{
	struct ask k = { .r = r, .p = hf_zone_reader_picture(r), .q = q, .a = ret_answer };
	enum hf_ptr_kind kind = HF_PTR_OUTSIDE;
	uint8_t addr[16];

	answer_begin(ret_answer);
	if (!k.p || q->class != HF_CLASS_IN)
		return;
	k.not_ready = k.p->meta.not_ready;
	k.serial = (uint32_t)k.p->stamp.generation;
	k.ttl_s = clamp_ttl(k.p->meta.ttl_s);
	if (!answer_find_suffix(&k)) {
		kind = hf_ptr_parse(q->name, addr);
		if (kind == HF_PTR_OUTSIDE)
			return;
		k.apex = &hf_addr_reverse_apex;
		k.sources = all_sources(k.p);
	}
	ret_answer->ours = true;
	if (!k.p->meta.ready)
		answer_not_ready(&k);
	else if (kind == HF_PTR_OUTSIDE)
		answer_name(&k);
	else
		answer_reverse(&k, kind, addr);
}

void hf_answer_unpublished(const struct hf_name *suffix, enum hf_not_ready policy,
    const struct hf_question *q, struct hf_answer *ret_answer)
{
	struct ask k = { .q = q, .a = ret_answer, .not_ready = policy, .ttl_s = TTL_MAX_S };
	uint8_t addr[16];

	answer_begin(ret_answer);
	if (q->class != HF_CLASS_IN)
		return;
	if (hf_name_is_under(q->name, suffix))
		k.apex = suffix;
	else if (hf_ptr_parse(q->name, addr) != HF_PTR_OUTSIDE)
		k.apex = &hf_addr_reverse_apex;
	else
		return;
	ret_answer->ours = true;
	answer_not_ready(&k);
}
