/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/unbound/ub_known.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>

#include "adapters/dns_client.h"
#include "adapters/unbound/ub_private.h"
#include "adapters/unbound/ub_sums.h"
#include "base/hash_table.h"

/* All that one name has. */
struct known_entry {
	UT_hash_handle hh;
	struct hf_name name;
	uint32_t ttl_s; /* the lowest */
	size_t n_aaaa, n_ptr, n_others;
	size_t n_addrs; /* of n_aaaa, those that there is room for */
	uint8_t addrs[HF_DNS_CLIENT_ADDRS_MAX][16];
	bool alias;
	bool has_target;
	struct hf_name target; /* of the first PTR */
};

struct hf_ub_known {
	struct known_entry *entries; /* uthash */
	struct hf_ub_sums touched;   /* names */
};

static struct known_entry *known_find(const struct hf_ub_known *k, const struct hf_name *name)
{
	struct known_entry *e;

	HASH_FIND(hh, k->entries, name->wire, name->len, e);
	return e;
}

static int known_add_line(struct hf_ub_known *k, const struct hf_ub_line *line)
{
	struct hf_name name;
	struct known_entry *e;

	/* What is no name as ours are is none of ours. */
	if (hf_name_parse(line->owner, &name))
		return 0;
	e = known_find(k, &name);
	if (!e) {
		e = calloc(1, sizeof(*e));
		if (!e)
			return -ENOMEM;
		e->name = name;
		e->ttl_s = line->ttl_s;
		HASH_ADD_KEYPTR(hh, k->entries, e->name.wire, e->name.len, e);
		if (!hf_hash_added(e)) {
			free(e);
			return -ENOMEM;
		}
	}
	if (line->ttl_s < e->ttl_s)
		e->ttl_s = line->ttl_s;
	if (strcmp(line->type, "AAAA") == 0) {
		e->n_aaaa++;
		if (e->n_addrs < HF_DNS_CLIENT_ADDRS_MAX &&
		    inet_pton(AF_INET6, line->data, e->addrs[e->n_addrs]) == 1)
			e->n_addrs++;
	} else if (strcmp(line->type, "PTR") == 0) {
		if (!e->n_ptr++)
			e->has_target = hf_name_parse(line->data, &e->target) == 0;
	} else {
		e->n_others++;
		e->alias = e->alias || strcmp(line->type, "CNAME") == 0;
	}
	return 0;
}

int hf_ub_known_new(const char *listing, struct hf_ub_known **ret_known)
{
	struct hf_ub_known *k = calloc(1, sizeof(*k));
	int rc = k ? 0 : -ENOMEM;

	for (const char *at = listing; !rc && *at; at = hf_ub_line_next(at)) {
		struct hf_ub_line line;

		if (hf_ub_line_read(at, &line))
			rc = known_add_line(k, &line);
	}
	if (rc) {
		hf_ub_known_free(k);
		return rc;
	}
	*ret_known = k;
	return 0;
}

void hf_ub_known_free(struct hf_ub_known *k)
{
	struct known_entry *e, *next;

	if (!k)
		return;
	HASH_ITER (hh, k->entries, e, next) {
		HASH_DEL(k->entries, e);
		free(e);
	}
	hf_ub_sums_free(&k->touched);
	free(k);
}

/* --- what was touched --- */

int hf_ub_known_touch(struct hf_ub_known *k, const struct hf_name *name)
{
	int rc = hf_ub_sums_add(&k->touched, hf_ub_sum(0, name->wire, name->len));

	return rc < 0 ? rc : 0;
}

/* --- answers --- */

bool hf_ub_known_answer(const struct hf_ub_known *k, const struct hf_name *name, uint16_t type,
    struct hf_asked *ret_asked)
{
	const struct known_entry *e;

	if (hf_ub_sums_has(&k->touched, hf_ub_sum(0, name->wire, name->len)))
		return false;
	*ret_asked = (struct hf_asked){ .ede = -1 };
	e = known_find(k, name);
	if (!e)
		return true;
	ret_asked->aa = true;
	ret_asked->ttl_s = e->ttl_s;
	if (e->alias || type == HF_TYPE_PTR) {
		ret_asked->n_records = e->alias ? 1 : e->n_ptr;
		ret_asked->has_target = e->alias || e->has_target;
		ret_asked->target = e->target;
	} else if (type == HF_TYPE_AAAA) {
		ret_asked->n_records = e->n_aaaa;
		ret_asked->n_addrs = e->n_addrs;
		memcpy(ret_asked->addrs, e->addrs, sizeof(e->addrs));
	} else {
		ret_asked->n_records = e->n_others;
	}
	return true;
}
