/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_precheck: where the names of a batch stand in unbound before anything is written: out of its
 * listing where that is short, else asked by DNS. A removal takes all that a name has, so a name
 * that has anything of others is neither fed nor taken. But for an unbound that removes single
 * records (ub_ability.h): there others'
 * records of other types are no hindrance, and ours goes from between theirs. An address or an
 * alias of others at the name is: half of those who ask would be led astray.
 *
 * What is ours shows: an address of the prefix, for a name below a suffix of ours. So what an
 * earlier run left there is taken over.
 */
#include "adapters/unbound/ub_private.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "zone/own_labels.h"

/*
 * What else a name may have, where local data is too much to be listed; it says nothing to
 * questions for ANY.
 */
static const uint16_t other_types[] = { HF_TYPE_A, HF_TYPE_TXT, 15 /* MX */, 33 /* SRV */,
	65 /* HTTPS */, 64 /* SVCB */, 257 /* CAA */, 44 /* SSHFP */, 2 /* NS */, 52 /* TLSA */,
	35 /* NAPTR */, 256 /* URI */, 29 /* LOC */, 13 /* HINFO */, 43 /* DS */, 17 /* RP */,
	53 /* SMIMEA */, 61 /* OPENPGPKEY */ };

enum { N_OTHER_TYPES = sizeof(other_types) / sizeof(other_types[0]) };

static bool can_records(const struct hf_ub *a)
{
	return a->session.able & HF_UB_RECORDS;
}

static void fail_asked(struct hf_ub *a, int code)
{
	hf_ub_step_fail(
	    a, code, "unbound does not answer DNS at the address of 'ask': %s", hf_strerror(code));
}

static void look_ask(
    struct hf_ub_look *look, const struct hf_name *name, uint16_t type, hf_asked_cb cb)
{
	struct hf_asked asked;

	hf_ub_step_wait(look->a);
	if (look->a->session.known &&
	    hf_ub_known_answer(look->a->session.known, name, type, &asked)) {
		cb(&asked, look);
		return;
	}
	if (hf_dns_client_send(look->a->looks, name, type, cb, look)) {
		hf_ub_step_fail(look->a, -ENOMEM, "%s", hf_strerror(-ENOMEM));
		hf_ub_step_end(look->a);
	}
}

/* --- addresses --- */

/* Without AA it is not local data, or nothing at all. */
static enum hf_ub_look_is answer_stands(const struct hf_asked *asked)
{
	if (!asked->aa || asked->rcode == HF_RCODE_NXDOMAIN)
		return HF_LOOK_FREE;
	if (asked->has_target)
		return HF_LOOK_FOREIGN;
	if (!asked->n_records)
		return HF_LOOK_NODATA;
	if (asked->n_records > asked->n_addrs)
		return HF_LOOK_FOREIGN;
	for (size_t i = 0; i < asked->n_addrs; i++)
		if (!hf_addr_is_ours(asked->addrs[i]))
			return HF_LOOK_FOREIGN;
	return HF_LOOK_OURS;
}

static void on_look_name(const struct hf_asked *asked, void *arg)
{
	struct hf_ub_look *look = arg;

	if (asked->code) {
		fail_asked(look->a, asked->code);
	} else {
		look->is = answer_stands(asked);
		look->ttl_ok = asked->ttl_s == look->a->ttl_s;
		look->alias = asked->has_target;
		look->n_addrs = asked->n_addrs;
		memcpy(look->addrs, asked->addrs, sizeof(look->addrs));
	}
	hf_ub_step_end(look->a);
}

static void on_other(const struct hf_asked *asked, void *arg)
{
	struct hf_ub_look *look = arg;

	if (asked->code) {
		fail_asked(look->a, asked->code);
	} else if (asked->aa && (asked->n_records || asked->has_target)) {
		look->others = true;
		/* An alias answers all types, from 1.26 on but those that are there. */
		look->alias = look->alias || asked->has_target;
		if (!can_records(look->a) || (look->alias && look->change->op == HF_CHANGE_PUT))
			look->is = HF_LOOK_FOREIGN;
	}
	hf_ub_step_end(look->a);
}

/* --- PTR --- */

static void take_ptr(
    struct hf_ub_look *look, struct hf_ub_look_ptr *ptr, const struct hf_asked *asked)
{
	if (asked->code) {
		fail_asked(look->a, asked->code);
	} else if (!asked->aa || !asked->n_records) {
		ptr->is = HF_LOOK_FREE;
	} else {
		ptr->is = asked->has_target && hf_ub_is_below(look->a, &asked->target)
			      ? HF_LOOK_OURS
			      : HF_LOOK_FOREIGN;
		ptr->same = asked->n_records == 1 &&
			    hf_name_equal(&asked->target, &look->change->record.name);
		ptr->ttl_ok = asked->ttl_s == look->a->ttl_s;
	}
	hf_ub_step_end(look->a);
}

static void on_look_ptr(const struct hf_asked *asked, void *arg)
{
	struct hf_ub_look *look = arg;

	take_ptr(look, &look->ptr, asked);
}

static void on_old_ptr(const struct hf_asked *asked, void *arg)
{
	struct hf_ub_look *look = arg;

	take_ptr(look, &look->old_ptr, asked);
}

/* --- two rounds --- */

static bool has_only(const struct hf_ub_look *look, const uint8_t addr[static 16])
{
	return look->n_addrs == 1 && memcmp(look->addrs[0], addr, 16) == 0;
}

static bool look_has_addr(const struct hf_ub_look *look, const uint8_t addr[static 16])
{
	for (size_t i = 0; i < look->n_addrs; i++)
		if (memcmp(look->addrs[i], addr, 16) == 0)
			return true;
	return false;
}

/* What is to be done with the name, if all of it is ours. */
static enum hf_plan plan_name(const struct hf_ub_look *look)
{
	const struct hf_change *c = look->change;

	if (c->op == HF_CHANGE_TAKE) {
		/*
		 * Ours among others', or hidden by an alias (which hides nothing where single
		 * records can be removed): it would go, if it could.
		 */
		if (look->is == HF_LOOK_FOREIGN &&
		    (look_has_addr(look, c->record.addr) || (look->alias && !can_records(look->a))))
			return HF_PLAN_TAKE;
		if (look->is != HF_LOOK_OURS || !look_has_addr(look, c->record.addr))
			return HF_PLAN_NONE;
		return look->n_addrs > 1 && !can_records(look->a) ? HF_PLAN_SWAP : HF_PLAN_TAKE;
	}
	if (look->is != HF_LOOK_OURS)
		return HF_PLAN_ADD;
	if (has_only(look, c->record.addr) && look->ttl_ok)
		return HF_PLAN_ADD;
	/* A record that is there is not added with another TTL. */
	return can_records(look->a) && look->ttl_ok ? HF_PLAN_MOVE : HF_PLAN_SWAP;
}

/*
 * How many of the other types the name is asked for: all of them where all that it has would go,
 * and one, which shows an alias, where something is only added. What is to be added where nothing
 * is, or beside the same, is not worth a question.
 */
static size_t n_other_types(const struct hf_ub_look *look)
{
	if (look->is == HF_LOOK_FOREIGN && can_records(look->a))
		return 0;
	if (look->plan == HF_PLAN_SWAP || look->plan == HF_PLAN_TAKE)
		return N_OTHER_TYPES;
	if (look->is == HF_LOOK_NODATA)
		return can_records(look->a) ? 1 : N_OTHER_TYPES;
	return look->plan == HF_PLAN_MOVE;
}

static void second_round(struct hf_ub *a)
{
	hf_ub_step_begin(a, a->session.after_session);
	for (size_t i = 0; i < a->batch.lent->n && !a->base.job.code; i++) {
		struct hf_ub_look *look = &a->batch.looked[i];

		look->plan = plan_name(look);
		for (size_t t = 0, n = n_other_types(look); t < n; t++)
			look_ask(look, &look->change->record.name, other_types[t], on_other);
	}
	hf_ub_step_end(a);
}

/* Labels that begin so are for canaries and the like. */
static bool ub_name_is_reserved(const struct hf_name *name)
{
	static const char prefix[] = HF_OWN_LABEL;
	size_t n = sizeof(prefix) - 1;

	return name->wire[0] >= n && memcmp(name->wire + 1, prefix, n) == 0;
}

static bool ub_record_is_ours(const struct hf_ub *a, const struct hf_record *record)
{
	return !ub_name_is_reserved(&record->name) && hf_ub_command_name_ok(&record->name) &&
	       hf_ub_is_below(a, &record->name) && hf_addr_is_ours(record->addr);
}

static void look_begin(struct hf_ub_look *look)
{
	const struct hf_change *c = look->change;
	struct hf_name ptr;

	look_ask(look, &c->record.name, HF_TYPE_AAAA, on_look_name);
	if (c->record.primary) {
		hf_ptr_name(c->record.addr, &ptr);
		look_ask(look, &ptr, HF_TYPE_PTR, on_look_ptr);
	}
	if (c->op == HF_CHANGE_PUT && c->had && memcmp(c->was, c->record.addr, 16) != 0 &&
	    hf_addr_is_ours(c->was)) {
		hf_ptr_name(c->was, &ptr);
		look_ask(look, &ptr, HF_TYPE_PTR, on_old_ptr);
	}
}

static void first_round(struct hf_ub *a)
{
	hf_ub_step_begin(a, second_round);
	for (size_t i = 0; i < a->batch.lent->n && !a->base.job.code; i++) {
		struct hf_ub_look *look = &a->batch.looked[i];

		memset(look, 0, sizeof(*look));
		look->a = a;
		look->change = &a->batch.lent->at[i];
		a->batch.fates[i] = HF_FATE_DONE;
		if (ub_record_is_ours(a, &look->change->record))
			look_begin(look);
		else
			a->batch.fates[i] = HF_FATE_UNFIT;
	}
	hf_ub_step_end(a);
}

/* Whether all that a name has may go. */
static bool removes_any(const struct hf_batch *batch)
{
	for (size_t i = 0; i < batch->n; i++) {
		const struct hf_change *c = &batch->at[i];

		if (c->op == HF_CHANGE_TAKE ||
		    (c->had && memcmp(c->was, c->record.addr, sizeof(c->was)) != 0))
			return true;
	}
	return false;
}

void hf_ub_look_all(struct hf_ub *a, hf_ub_step then)
{
	a->session.after_session = then;
	if (removes_any(a->batch.lent))
		hf_ub_cover_data(a, first_round);
	else
		first_round(a);
}
