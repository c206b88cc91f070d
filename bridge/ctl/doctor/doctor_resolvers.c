/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_resolvers: what each resolver says of our names: does it know them, does it keep what it
 * does not know to itself, and what does a client behind it see that validates?
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/error.h"
#include "bridge/ctl/doctor/doctor.h"
#include "bridge/ctl/doctor/doctor_report.h"
#include "bridge/ctl/doctor/doctor_validator.h"
#include "bridge/ctl/dns_probe.h"
#include "zone/addr.h"
#include "zone/answer.h"
#include "zone/own_labels.h"

enum { WAIT_MS = 4000, RCODE_NXDOMAIN = 3, RCODE_SERVFAIL = 2 };

static const char anchor_file[] = "/usr/share/dns/root.key"; /* of Debian's dns-root-data */

static bool has_sample(const struct hf_doctor *d, const struct hf_asked *a)
{
	for (size_t i = 0; i < a->n_addrs; i++)
		if (!memcmp(a->addrs[i], d->sample_addr, 16))
			return true;
	return false;
}

/* What to do so that this one knows our names. */
static const char *line_for(const struct hf_doctor *d, const struct hf_doctor_resolver *r,
    char out[static HF_DOCTOR_LINE_MAX])
{
	char place[HF_ENDPOINT_TEXT_MAX];

	if (r->ours)
		return "holdfastctl resync";
	for (size_t i = 0; i < d->n_resolvers; i++) {
		const struct hf_endpoint *at = &d->resolvers[i].at;
		unsigned port = at->sa.sa_family == AF_INET6 ? at->in6.sin6_port : at->in4.sin_port;

		if (d->resolvers[i].ours && port == htons(53)) {
			snprintf(out, HF_DOCTOR_LINE_MAX, "nameserver %.*s",
			    (int)strcspn(hf_front_endpoint_text(at, place), "@"), place);
			return out;
		}
	}
	return "holdfastctl setup";
}

/* True if it answers at all. */
static bool look_for_sample(struct hf_doctor *d, const struct hf_doctor_resolver *r)
{
	char place[HF_ENDPOINT_TEXT_MAX], name[HF_NAME_TEXT_MAX], line[HF_DOCTOR_LINE_MAX];
	enum hf_grade worst =
	    r->ours || !hf_dns_probe_resolves_here(d->reach) ? GRADE_BAD : GRADE_NOTE;
	const char *whose = r->ours ? "" : ": programs on this machine do not find our names";
	const struct hf_name *ask = d->has_sample ? &d->sample : &d->suffix;
	char rcode[HF_RCODE_TEXT_MAX];
	struct hf_asked a;

	hf_front_endpoint_text(&r->at, place);
	if (hf_dns_probe_one(&r->at, ask, d->has_sample ? HF_TYPE_AAAA : HF_TYPE_SOA, &a)) {
		hf_doctor_report(d, r->area, worst, r->ours ? "" : line_for(d, r, line),
		    "nobody answers at %s: %s%s", place, hf_strerror(a.code), whose);
		return false;
	}
	if (!d->has_sample)
		return true;
	hf_name_text(&d->sample, name);
	if (has_sample(d, &a))
		hf_doctor_report(d, r->area, GRADE_GOOD, "",
		    "%s answers %s with our address, TTL %u", place, name, a.ttl_s);
	else if (!a.rcode && !a.n_addrs)
		hf_doctor_report(d, r->area, worst,
		    "unbound: private-domain; dnsmasq: rebind-domain-ok (holdfastctl setup)",
		    "%s answers %s without an address: it does not know it, or takes private addresses out of answers%s",
		    place, name, whose);
	else if (!a.rcode)
		hf_doctor_report(d, r->area, worst, line_for(d, r, line),
		    "%s answers %s with another address than we publish%s", place, name, whose);
	else
		hf_doctor_report(d, r->area, worst, line_for(d, r, line), "%s answers %s with %s%s",
		    place, name, hf_answering_rcode_text(a.rcode, rcode),
		    *whose ? whose : ": its clients do not find our names");
	return true;
}

/* A name that nobody has: whose negative answer is it? */
static void look_for_leak(struct hf_doctor *d, const struct hf_doctor_resolver *r)
{
	char name[HF_NAME_TEXT_MAX + 40], suffix[HF_NAME_TEXT_MAX], soa[HF_NAME_TEXT_MAX];
	char place[HF_ENDPOINT_TEXT_MAX];
	struct hf_seen seen;
	uint32_t id = 0;

	if (getrandom(&id, sizeof(id), 0) < 0)
		return;
	hf_name_text(&d->suffix, suffix);
	hf_front_endpoint_text(&r->at, place);
	snprintf(name, sizeof(name), HF_OWN_LABEL_LEAK "%08x.%s", id, suffix);
	if (hf_doctor_validator_ask(&r->at, NULL, name, HF_TYPE_AAAA, WAIT_MS, &seen))
		return;
	if (!seen.answered || seen.rcode == RCODE_SERVFAIL)
		hf_doctor_report(d, r->area, r->ours ? GRADE_BAD : GRADE_NOTE, "holdfastctl setup",
		    "%s does not answer at once for a name of ours that does not exist: it seems to ask elsewhere",
		    place);
	else if (seen.has_soa && !hf_name_is_under(&seen.soa, &d->suffix))
		hf_doctor_report(d, r->area, r->ours ? GRADE_BAD : GRADE_NOTE, "holdfastctl setup",
		    "names of the suffix leak from %s: the servers of '%s' answered for one that does not exist",
		    place, hf_name_text(&seen.soa, soa));
	else
		hf_doctor_report(d, r->area, GRADE_GOOD, "",
		    "%s itself answers for names of ours that do not exist", place);
}

/* The root proves that a suffix of our own is not there; our names are then taken for forged. */
static void look_as_validator(struct hf_doctor *d, const struct hf_doctor_resolver *r)
{
	char name[HF_NAME_TEXT_MAX], place[HF_ENDPOINT_TEXT_MAX], suffix[HF_NAME_TEXT_MAX];
	char line[HF_DOCTOR_LINE_MAX];
	struct hf_seen seen;

	if (!d->has_sample || access(anchor_file, R_OK))
		return;
	hf_name_text(&d->sample, name);
	if (hf_doctor_validator_ask(&r->at, anchor_file, name, HF_TYPE_AAAA, WAIT_MS, &seen) ||
	    !seen.answered)
		return;
	hf_name_text(&d->suffix, suffix);
	snprintf(line, sizeof(line), "unbound: domain-insecure: \"%.250s.\" (holdfastctl setup)",
	    suffix);
	hf_front_endpoint_text(&r->at, place);
	if (seen.bogus || seen.rcode == RCODE_SERVFAIL)
		hf_doctor_report(d, r->area, GRADE_NOTE, line,
		    "a client or resolver behind %s that validates takes our names for forged unless it is told that they are not signed",
		    place);
	else
		hf_doctor_report(d, r->area, GRADE_GOOD, "",
		    "a client behind %s that validates sees our names, too", place);
}

void hf_doctor_resolvers(struct hf_doctor *d)
{
	if (!d->has_suffix)
		return;
	for (size_t i = 0; i < d->n_resolvers; i++) {
		const struct hf_doctor_resolver *r = &d->resolvers[i];

		if (!look_for_sample(d, r))
			continue;
		look_for_leak(d, r);
		look_as_validator(d, r);
	}
}
