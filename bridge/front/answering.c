/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/front/answering.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

enum { RCODE_NOERROR = 0, RCODE_REFUSED = 5 };

const char *hf_answering_rcode_text(unsigned rcode, char out[static HF_RCODE_TEXT_MAX])
{
	static const char *const names[] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",
		"REFUSED" };

	if (rcode < sizeof(names) / sizeof(names[0]))
		return names[rcode];
	snprintf(out, HF_RCODE_TEXT_MAX, "RCODE %u", rcode);
	return out;
}

const char *hf_answering_state_name(enum hf_listener_state state)
{
	static const char *const names[] = { "unknown", "answers", "silent", "wrong", "absent" };

	return names[state];
}

enum hf_listener_state hf_answering_state_of(const char *name)
{
	for (int i = HF_LISTENER_UNKNOWN; i <= HF_LISTENER_ABSENT; i++)
		if (!strcmp(name, hf_answering_state_name(i)))
			return i;
	return HF_LISTENER_UNKNOWN;
}

/* --- suffixes --- */

enum { QUESTIONS = 256 };

void hf_answering_suffixes_add(struct hf_suffixes *s, const struct hf_name *suffix)
{
	for (size_t i = 0; i < s->n; i++)
		if (hf_name_equal(&s->at[i], suffix))
			return;
	if (s->n < HF_SUFFIXES_MAX && suffix->len > 1)
		s->at[s->n++] = *suffix;
}

size_t hf_answering_suffixes_asked(const struct hf_suffixes *s, size_t n_listeners)
{
	size_t most = n_listeners ? QUESTIONS / n_listeners : 0;

	if (!most)
		most = 1;
	return s->n < most ? s->n : most;
}

/* --- one listener --- */

/* Bits of an address that are those of the prefix. */
static bool has_prefix(const uint8_t *addr, const struct hf_prefix *p)
{
	unsigned whole = p->bits / 8, rest = p->bits % 8;

	if (memcmp(addr, p->addr, whole))
		return false;
	return !rest || (addr[whole] ^ p->addr[whole]) >> (8 - rest) == 0;
}

/*
 * Whether we, who ask from this machine, are among the clients that it serves: a question to one of
 * our own addresses comes from that same address.
 */
static bool serves_us(const struct hf_endpoint *at, const struct hf_prefixes *allow)
{
	bool six = at->sa.sa_family == AF_INET6;
	struct in6_addr six_addr = at->in6.sin6_addr;
	struct in_addr four_addr = at->in4.sin_addr;
	const uint8_t *addr = six ? six_addr.s6_addr : (const uint8_t *)&four_addr;

	if (six && IN6_IS_ADDR_UNSPECIFIED(&six_addr))
		six_addr = in6addr_loopback;
	if (!six && four_addr.s_addr == htonl(INADDR_ANY))
		four_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (size_t i = 0; i < allow->n; i++)
		if (allow->at[i].family == at->sa.sa_family && has_prefix(addr, &allow->at[i]))
			return true;
	return false;
}

static bool is_absent(int code)
{
	return code == -EADDRNOTAVAIL || code == -ENETUNREACH || code == -EAFNOSUPPORT ||
	       code == -EPROTONOSUPPORT || code == -EHOSTUNREACH;
}

void hf_answering_judge_one(
    struct hf_listener *l, const struct hf_asked *asked, const struct hf_prefixes *allow)
{
	l->code = asked->code;
	l->rcode = asked->code ? 0 : asked->rcode;
	if (asked->code)
		l->state = is_absent(asked->code) ? HF_LISTENER_ABSENT : HF_LISTENER_SILENT;
	else if (asked->rcode == RCODE_NOERROR ||
		 (asked->rcode == RCODE_REFUSED && !serves_us(&l->at, allow)))
		l->state = HF_LISTENER_ANSWERS;
	else
		l->state = HF_LISTENER_WRONG;
	l->seen |= l->state == HF_LISTENER_ANSWERS;
}

void hf_answering_judge_suffixes(struct hf_listener *l, const struct hf_survey_question *questions,
    size_t n, const struct hf_prefixes *allow)
{
	const struct hf_survey_question *worst = NULL;

	for (size_t i = 0; i < n; i++) {
		struct hf_listener one = *l;

		hf_answering_judge_one(&one, &questions[i].asked, allow);
		/* One answer that got lost is none of the others'. */
		if (!worst || one.state == HF_LISTENER_WRONG ||
		    (worst->asked.code && one.state == HF_LISTENER_ANSWERS))
			worst = &questions[i];
		if (one.state == HF_LISTENER_WRONG)
			break;
	}
	if (!worst)
		return;
	hf_answering_judge_one(l, &worst->asked, allow);
	l->suffix.len = 0;
	if (l->state == HF_LISTENER_WRONG && n > 1)
		l->suffix = worst->name;
}

bool hf_answering_expected(const struct hf_listener *l, const struct hf_answering_facts *f)
{
	return f->given || l->seen || !f->others;
}

/* --- all of them --- */

static bool listener_is_missing(const struct hf_listener *l, const struct hf_answering_facts *f)
{
	if (l->state == HF_LISTENER_ABSENT)
		return f->given || l->seen;
	return (l->state == HF_LISTENER_SILENT || l->state == HF_LISTENER_WRONG) &&
	       hf_answering_expected(l, f);
}

static bool same_reason(const struct hf_listener *a, const struct hf_listener *b)
{
	return (a->state == HF_LISTENER_WRONG) == (b->state == HF_LISTENER_WRONG) &&
	       a->code == b->code && a->rcode == b->rcode && a->suffix.len == b->suffix.len &&
	       (!a->suffix.len || hf_name_equal(&a->suffix, &b->suffix));
}

static void add_reason(char *text, const struct hf_listener *l)
{
	size_t len = strlen(text);
	char rcode[HF_RCODE_TEXT_MAX], suffix[HF_NAME_TEXT_MAX] = "";

	if (l->suffix.len)
		hf_name_text(&l->suffix, suffix);
	if (l->state == HF_LISTENER_WRONG)
		snprintf(text + len, HF_ANSWERING_TEXT_MAX - len, " (it answers %s%s%.80s)",
		    hf_answering_rcode_text(l->rcode, rcode), suffix[0] ? " for " : "", suffix);
	else
		snprintf(text + len, HF_ANSWERING_TEXT_MAX - len, " (%s)", hf_strerror(l->code));
}

/* Those with one reason are named in a row, the reason once. */
static void answering_describe(
    const struct hf_listener *listeners, size_t n, const struct hf_answering_facts *f, char *text)
{
	const struct hf_listener *last = NULL;
	char place[HF_ENDPOINT_TEXT_MAX];

	for (size_t i = 0; i < n; i++) {
		const struct hf_listener *l = &listeners[i];
		size_t len;

		if (!listener_is_missing(l, f))
			continue;
		if (last && !same_reason(last, l))
			add_reason(text, last);
		len = strlen(text);
		snprintf(text + len, HF_ANSWERING_TEXT_MAX - len, "%s%s",
		    last ? ", " : "holdfast-dns at ", hf_front_endpoint_text(&l->at, place));
		last = l;
	}
	if (last)
		add_reason(text, last);
}

void hf_answering_judge(const struct hf_listener *listeners, size_t n,
    const struct hf_answering_facts *f, struct hf_answering *ret_answering)
{
	struct hf_answering a = { 0 };
	size_t answers = 0, unknown = 0;

	for (size_t i = 0; i < n; i++) {
		a.missing += listener_is_missing(&listeners[i], f);
		answers += listeners[i].state == HF_LISTENER_ANSWERS;
		unknown += listeners[i].state == HF_LISTENER_UNKNOWN;
	}
	a.nobody = n && !answers && !unknown && !f->others_answer;
	if (a.missing)
		answering_describe(listeners, n, f, a.text);
	else if (a.nobody && !f->others)
		snprintf(a.text, sizeof(a.text),
		    "holdfast-dns: this machine has no address of dns.listen");
	*ret_answering = a;
}
