/* SPDX-License-Identifier: Apache-2.0 */
/*
 * module: the six functions that unbound's dynlib calls, and the one place that sees unbound's own
 * headers: what plugin/unbound/module_core.h answers is put into unbound's form. Each query is
 * answered anew and never cached.
 *
 * Loaded by an unbound that it was not built for it touches none of unbound's structs: see
 * switch_off().
 */
#include "config.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "services/cache/dns.h"
#include "services/cache/rrset.h"
#include "services/mesh.h"
#include "services/modstack.h"
#include "sldns/rrdef.h"
#include "util/data/dname.h"
#include "util/data/msgreply.h"
#include "util/data/packed_rrset.h"
#include "util/locks.h"
#include "util/log.h"
#include "util/module.h"
#include "util/net_help.h"
#include "util/netevent.h"
#include "util/regional.h"

#include "base/clock.h"
#include "plugin/peer_addr.h"
#include "plugin/unbound/build_id.h"
#include "plugin/unbound/module_location.h"
#include "plugin/unbound/module_core.h"
#include "unbound_build_id.h"
#include "zone/answer.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int init(struct module_env *env, int id);
EXPORT void deinit(struct module_env *env, int id);
EXPORT void operate(
    struct module_qstate *q, enum module_ev event, int id, struct outbound_entry *outbound);
EXPORT void inform_super(struct module_qstate *q, int id, struct module_qstate *super);
EXPORT void clear(struct module_qstate *q, int id);
EXPORT size_t get_mem(struct module_env *env, int id);

typedef void (*operate_cb)(struct module_qstate *, enum module_ev, int, struct outbound_entry *);

static struct hf_module_core *module_core;
static unsigned uses;         /* several "dynlib" in module-config are one library */
static operate_cb pass_blind; /* set: off, and this passes queries on */

/* --- an unbound that it was not built for --- */

/* unbound's own log, by name: it is not known to have anything but names. */
__attribute__((format(printf, 1, 2))) static void module_complain(const char *format, ...)
{
	void (*say)(const char *, ...) __attribute__((format(printf, 1, 2)));
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	*(void **)&say = dlsym(RTLD_DEFAULT, "log_err");
	if (say)
		say("holdfast: %s", text);
	else
		fprintf(stderr, "holdfast: %s\n", text);
}

/*
 * Even to pass a query on one has to know where in a struct to write. respip, a module that each
 * unbound has, does just that as long as it is not configured, and knows.
 */
static int switch_off(const char *found)
{
	module_complain(
	    "OFF: this module was built for the unbound with build id %s, not for this one (%s); its names are not answered, all else is. Build it for this unbound",
	    HF_UNBOUND_BUILD_ID, *found ? found : "which has none");
	*(void **)&pass_blind = dlsym(RTLD_DEFAULT, "respip_operate");
	if (!pass_blind)
		module_complain(
		    "this unbound gives no way to pass queries on: it cannot start with this module");
	return pass_blind != NULL;
}

/* --- life --- */

static struct hf_module_core *module_load(void)
{
	char why[HF_MODULE_LOCATION_WHY_MAX];
	struct hf_module_core *p = NULL;
	struct hf_module_location *place = calloc(1, sizeof(*place));
	Dl_info self = { 0 };

	if (!place)
		return NULL;
	dladdr((void *)(uintptr_t)init, &self);
	if (hf_module_location_find(self.dli_fname ? self.dli_fname : "",
		secure_getenv(HF_MODULE_LOCATION_ZONE_ENV), place, why))
		log_err("holdfast: %s; going on without it", why);
	log_info("holdfast: module %s, zone %s", HF_VERSION, place->zone);
	if (hf_module_core_new(place, &hf_clock_system, &p))
		p = NULL;
	free(place);
	return p;
}

int init(struct module_env *env, int id)
{
	char found[HF_BUILD_ID_TEXT_MAX];

	(void)env;
	(void)id;
	if (uses++)
		return module_core || pass_blind;
	if (strcmp(hf_build_id_program(found), HF_UNBOUND_BUILD_ID) != 0)
		return switch_off(found);
	module_core = module_load();
	if (!module_core)
		log_err("holdfast: out of memory");
#ifndef THREADS_DISABLED
	/*
	 * Processes instead of threads are forked after this: those begin with their first
	 * question.
	 */
	else
		hf_module_core_begin(module_core);
#endif
	return module_core != NULL;
}

/* unbound's configuration is gone by now: nothing of env is looked at. */
void deinit(struct module_env *env, int id)
{
	(void)env;
	(void)id;
	if (!uses || --uses)
		return;
	hf_module_core_free(module_core);
	module_core = NULL;
	pass_blind = NULL;
}

void inform_super(struct module_qstate *q, int id, struct module_qstate *super)
{
	(void)q;
	(void)id;
	(void)super;
}

/* An answer lies in the query's own region, which unbound ends. */
void clear(struct module_qstate *q, int id)
{
	(void)q;
	(void)id;
}

size_t get_mem(struct module_env *env, int id)
{
	(void)env;
	(void)id;
	return 0;
}

/* --- answers in unbound's form --- */

struct owner {
	uint8_t *name;
	size_t len;
};

static struct ub_packed_rrset_key *make_rrset(
    struct regional *region, const struct hf_rrset *set, struct owner owner)
{
	size_t each = sizeof(size_t) + sizeof(uint8_t *) + sizeof(time_t) + 2 + set->rdlen;
	struct ub_packed_rrset_key *key = regional_alloc_zero(region, sizeof(*key));
	struct packed_rrset_data *d = regional_alloc_zero(region, sizeof(*d) + set->n * each);
	uint8_t *at;

	if (!key || !d)
		return NULL;
	if (set->owner) {
		owner.name = regional_alloc_init(region, set->owner, set->owner_len);
		owner.len = set->owner_len;
		if (!owner.name)
			return NULL;
	}
	key->entry.key = key;
	key->entry.data = d;
	key->rk.dname = owner.name;
	key->rk.dname_len = owner.len;
	key->rk.type = htons(set->type);
	key->rk.rrset_class = htons(LDNS_RR_CLASS_IN);
	d->ttl = set->ttl_s;
	d->count = set->n;
	d->trust = rrset_trust_ans_AA;
	d->security = sec_status_insecure;
	d->rr_len = (size_t *)(d + 1);
	d->rr_data = (uint8_t **)(d->rr_len + set->n);
	d->rr_ttl = (time_t *)(d->rr_data + set->n);
	at = (uint8_t *)(d->rr_ttl + set->n);
	for (size_t i = 0; i < set->n; i++) {
		d->rr_len[i] = 2 + (size_t)set->rdlen;
		d->rr_data[i] = at;
		d->rr_ttl[i] = set->ttl_s;
		*at++ = (uint8_t)(set->rdlen >> 8);
		*at++ = (uint8_t)set->rdlen;
		memcpy(at, set->rdata + i * set->rdlen, set->rdlen);
		at += set->rdlen;
	}
	return key;
}

/*
 * What leads to one of our names: the first `n` rrsets of an answer, and the name. n 0: the
 * question itself.
 */
struct chain {
	struct ub_packed_rrset_key **rrsets;
	size_t n;
	struct owner target;
};

static bool add_rrset(struct reply_info *rep, struct ub_packed_rrset_key *rrset)
{
	const struct packed_rrset_data *d;

	if (!rrset)
		return false;
	d = rrset->entry.data;
	if (!rep->rrset_count || d->ttl < rep->ttl)
		rep->ttl = d->ttl;
	rep->rrsets[rep->rrset_count++] = rrset;
	return true;
}

/* The rrsets of a reply: those of the chain, then ours. False: out of memory. */
static bool fill_reply(struct module_qstate *q, struct reply_info *rep, const struct chain *c,
    const struct hf_answer *a)
{
	if (a->rcode != LDNS_RCODE_SERVFAIL)
		for (size_t i = 0; i < c->n; i++)
			add_rrset(rep, c->rrsets[i]);
	if (a->has_answer && !add_rrset(rep, make_rrset(q->region, &a->answer, c->target)))
		return false;
	rep->an_numrrsets = rep->rrset_count;
	if (a->has_soa && !add_rrset(rep, make_rrset(q->region, &a->soa, c->target)))
		return false;
	rep->ns_numrrsets = rep->rrset_count - rep->an_numrrsets;
	return true;
}

/*
 * The query's answer is `a`. The rcode goes into the reply's own flags and never into return_rcode:
 * with that unbound makes a reply of its own, without SOA and extended error. Never stored: nothing
 * but a module stores.
 */
static bool query_give(struct module_qstate *q, const struct chain *c, const struct hf_answer *a)
{
	struct dns_msg *msg = dns_msg_create(q->qinfo.qname, q->qinfo.qname_len, q->qinfo.qtype,
	    q->qinfo.qclass, q->region, c->n + 2);
	struct reply_info *rep;

	if (!msg)
		return false;
	rep = msg->rep;
	rep->flags = BIT_QR | BIT_RA | a->rcode;
	rep->security = sec_status_insecure;
	/* Of an alias the first name is another's. Without `authoritative` unbound takes AA off. */
	if (!c->n) {
		rep->flags |= BIT_AA;
		rep->authoritative = 1;
	}
	if (!fill_reply(q, rep, c, a))
		return false;
	rep->prefetch_ttl = rep->ttl;
	rep->serve_expired_ttl = rep->ttl;
	if (a->ede >= 0 && !edns_opt_list_append_ede(
			       &q->edns_opts_front_out, q->region, (sldns_ede_code)a->ede, NULL))
		return false;
	q->return_msg = msg;
	q->return_rcode = LDNS_RCODE_NOERROR;
	return true;
}

/* --- questions --- */

static bool from_loopback(const struct module_qstate *q)
{
	const struct mesh_reply *first = q->mesh_info->reply_list;

	return first && !first->next &&
	       hf_peer_addr_is_loopback(
		   (const struct sockaddr *)&first->query_reply.HF_CLIENT_ADDR);
}

static const struct hf_answer *module_ask(
    const struct module_qstate *q, struct owner name, bool loopback)
{
	struct hf_module_core_question question = {
		.name = name.name,
		.name_len = name.len,
		.type = q->qinfo.qtype,
		.class = LDNS_RR_CLASS_IN,
		.from_loopback = loopback,
	};

	return hf_module_core_ask(module_core, &question);
}

/* --- aliases: somebody's CNAME that leads to one of our names --- */

/*
 * unbound has followed it by itself, out into the world, and has put what it was told there into
 * its cache under our own names, from where it would answer without asking us. With query
 * minimisation that holds for the names above, too.
 */
static void cache_forget(struct module_qstate *q, struct owner name)
{
	static const uint16_t minimised[] = { LDNS_RR_TYPE_A, LDNS_RR_TYPE_NS };
	static const uint16_t flags[] = { 0, BIT_CD };

	for (size_t f = 0; f < sizeof(flags) / sizeof(flags[0]); f++) {
		struct owner at = name;

		msg_cache_remove(
		    q->env, at.name, at.len, q->qinfo.qtype, q->qinfo.qclass, flags[f]);
		for (; at.len > 1; dname_remove_label(&at.name, &at.len))
			for (size_t t = 0; t < sizeof(minimised) / sizeof(minimised[0]); t++)
				msg_cache_remove(q->env, at.name, at.len, minimised[t],
				    q->qinfo.qclass, flags[f]);
	}
}

static bool is_cname_of(const struct ub_packed_rrset_key *rrset, struct owner name)
{
	return ntohs(rrset->rk.type) == LDNS_RR_TYPE_CNAME &&
	       !query_dname_compare(rrset->rk.dname, name.name);
}

/*
 * The part of unbound's answer that leads to a name of ours. Also forgets each name of ours that it
 * passes, further on, too: an alias that we do not have may have been made up there.
 */
static const struct hf_answer *follow_reply(struct module_qstate *q, struct chain *ret_chain)
{
	struct reply_info *rep = q->return_msg->rep;
	struct owner at = { q->qinfo.qname, q->qinfo.qname_len };
	struct chain c = { .rrsets = rep->rrsets };

	for (size_t i = 0; i < rep->an_numrrsets; i++) {
		if (!is_cname_of(rep->rrsets[i], at))
			continue;
		get_cname_target(rep->rrsets[i], &at.name, &at.len);
		if (!at.name || !module_ask(q, at, false))
			continue;
		cache_forget(q, at);
		if (!c.n) {
			c.n = i + 1;
			c.target = at;
		}
	}
	*ret_chain = c;
	return c.n ? module_ask(q, c.target, false) : NULL;
}

enum { HOPS_MAX = 12 };

/* The name's CNAME out of the cache, copied; NULL if there is none that may be told. */
static struct ub_packed_rrset_key *cached_cname(
    struct module_qstate *q, struct owner name, bool validates)
{
	time_t now = *q->env->now;
	struct ub_packed_rrset_key *found = rrset_cache_lookup(q->env->rrset_cache, name.name,
	    name.len, LDNS_RR_TYPE_CNAME, q->qinfo.qclass, 0, now, 0);
	struct ub_packed_rrset_key *copy = NULL;
	const struct packed_rrset_data *d;

	if (!found)
		return NULL;
	d = found->entry.data;
	if (d->security != sec_status_bogus &&
	    (!validates || d->security == sec_status_secure || d->security == sec_status_insecure))
		copy = packed_rrset_copy_region(found, q->region, now);
	lock_rw_unlock(&found->entry.lock);
	return copy;
}

/* The way to a name of ours as it is known from earlier: then nobody needs to be asked. */
static const struct hf_answer *follow_cache(struct module_qstate *q, struct chain *ret_chain)
{
	bool validates = modstack_find(&q->env->mesh->mods, "validator") >= 0;
	struct owner at = { q->qinfo.qname, q->qinfo.qname_len };
	const struct hf_answer *a;
	struct chain c = { .rrsets = regional_alloc(q->region, HOPS_MAX * sizeof(*c.rrsets)) };

	while (c.rrsets && c.n < HOPS_MAX) {
		struct ub_packed_rrset_key *cname = cached_cname(q, at, validates);

		if (!cname)
			return NULL;
		c.rrsets[c.n++] = cname;
		get_cname_target(cname, &at.name, &at.len);
		if (!at.name)
			return NULL;
		a = module_ask(q, at, false);
		if (a) {
			cache_forget(q, at);
			c.target = at;
			*ret_chain = c;
			return a;
		}
	}
	return NULL;
}

static bool may_be_alias(const struct module_qstate *q)
{
	return q->qinfo.qclass == LDNS_RR_CLASS_IN && q->qinfo.qtype != LDNS_RR_TYPE_CNAME &&
	       q->qinfo.qtype != LDNS_RR_TYPE_ANY;
}

/* --- the two moments at which unbound asks us --- */

static enum module_ext_state query_finish(
    struct module_qstate *q, const struct chain *c, const struct hf_answer *a)
{
	if (query_give(q, c, a))
		return module_finished;
	q->return_rcode = LDNS_RCODE_SERVFAIL;
	return module_error;
}

static enum module_ext_state on_module_question(struct module_qstate *q)
{
	struct chain c = { .target = { q->qinfo.qname, q->qinfo.qname_len } };
	const struct hf_answer *a = module_ask(q, c.target, from_loopback(q));

	/* Of class ANY unbound would make a question of each class, and ask us that one. */
	if (a && q->qinfo.qclass != LDNS_RR_CLASS_IN) {
		q->return_rcode = LDNS_RCODE_REFUSED;
		return module_finished;
	}
	if (!a && may_be_alias(q))
		a = follow_cache(q, &c);
	return a ? query_finish(q, &c, a) : module_wait_module; /* the next module's */
}

static bool has_failed(const struct module_qstate *q)
{
	return q->return_rcode != LDNS_RCODE_NOERROR || !q->return_msg || !q->return_msg->rep;
}

/* The other modules have an answer. One that says what our names are is put right. */
static enum module_ext_state on_module_answer(struct module_qstate *q)
{
	const struct hf_answer *a;
	struct chain c;

	if (!may_be_alias(q))
		return module_finished;
	if (has_failed(q)) /* nobody there knows our name */
		a = follow_cache(q, &c);
	else if (q->return_msg->rep->security == sec_status_bogus)
		return module_finished;
	else
		a = follow_reply(q, &c);
	if (!a)
		return module_finished;
	cache_forget(q, (struct owner){ q->qinfo.qname, q->qinfo.qname_len });
	return query_finish(q, &c, a);
}

static void tell_news(const struct module_qstate *q)
{
	char text[HF_MODULE_CORE_NEWS_MAX];

	switch (hf_module_core_news(module_core, *q->env->now, text)) {
	case HF_MODULE_CORE_GOOD:
		log_info("holdfast: %s", text);
		break;
	case HF_MODULE_CORE_TROUBLE:
		log_err("holdfast: %s", text);
		break;
	case HF_MODULE_CORE_NOTHING:
		break;
	}
}

void operate(struct module_qstate *q, enum module_ev event, int id, struct outbound_entry *outbound)
{
	if (pass_blind) {
		pass_blind(q, event, id, outbound);
		return;
	}
	switch (event) {
	case module_event_new:
	case module_event_pass:
		q->ext_state[id] = on_module_question(q);
		break;
	case module_event_moddone:
		q->ext_state[id] = on_module_answer(q);
		break;
	default:
		q->ext_state[id] = module_error;
		break;
	}
	tell_news(q);
	hf_module_core_rest(module_core);
}
