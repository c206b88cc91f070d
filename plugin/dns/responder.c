#include "plugin/dns/responder.h"

#include <string.h>

#include "plugin/wire_answer.h"
#include "zone/reader.h"

enum { WARM_MAX = 64 };

static bool is_suffix(const struct hf_zone_meta *meta, const uint8_t *wire, size_t len)
{
	for (size_t i = 0; meta && i < meta->n_sources; i++) {
		const struct hf_name *suffix = &meta->sources[i].suffix;

		if (suffix->len == len && !memcmp(suffix->wire, wire, len))
			return true;
	}
	return false;
}

/* The counters' own name is no part of the zone: true if the question was about it. */
static bool answer_counters(struct hf_responder *r, const struct hf_question *q)
{
	struct hf_answer *a = &r->answer;
	size_t at;

	if (!q->from_loopback || (q->type != HF_TYPE_TXT && q->type != HF_TYPE_ANY) ||
	    !hf_counters_name(q->name, &at) ||
	    !is_suffix(hf_zone_reader_meta(r->reader), q->name->wire + at, q->name->len - at))
		return false;
	_Static_assert(sizeof(a->scratch) >= HF_COUNTERS_TXT_MAX, "the counters fit");
	a->ours = true;
	a->rcode = HF_RCODE_NOERROR;
	a->ede = HF_EDE_NONE;
	a->has_answer = true;
	a->has_soa = false;
	a->answer = (struct hf_rrset){ .type = HF_TYPE_TXT, .ttl_s = 1, .n = 1,
		.rdata = a->scratch };
	a->answer.rdlen =
	    (uint16_t)hf_counters_txt(r->all, r->n_all, "holdfast-dns", a->scratch);
	return true;
}

static size_t refuse(struct hf_responder *r, const struct hf_wire_query *q, uint16_t rcode,
    uint8_t *out)
{
	hf_counters_add(r->own, rcode == HF_RCODE_REFUSED ? HF_COUNT_REFUSED : HF_COUNT_ERRORS, 1);
	return hf_wire_error_put(q, rcode, out);
}

void hf_responder_read(const uint8_t *packet, size_t len, struct hf_peer peer, struct hf_job *ret_job)
{
	ret_job->peer = peer;
	hf_wire_query_parse(packet, len, &ret_job->query);
}

void hf_responder_warm(struct hf_responder *r, const struct hf_job *jobs, size_t n)
{
	const struct hf_name *names[WARM_MAX];

	for (size_t i = 0; i < n && i < WARM_MAX; i++) {
		bool asks = jobs[i].query.verdict == HF_WIRE_ASK && jobs[i].peer.allowed;

		names[i] = asks ? &jobs[i].query.name : NULL;
	}
	hf_zone_reader_warm(r->reader, names, n < WARM_MAX ? n : WARM_MAX);
}

size_t hf_responder_reply(struct hf_responder *r, const struct hf_job *job, enum hf_transport over,
    uint8_t *out, size_t room)
{
	const struct hf_wire_query *q = &job->query;
	struct hf_question question;

	if (q->verdict == HF_WIRE_DROP) {
		hf_counters_add(r->own, HF_COUNT_ERRORS, 1);
		return 0;
	}
	if (!job->peer.allowed)
		return refuse(r, q, HF_RCODE_REFUSED, out);
	if (q->verdict == HF_WIRE_ERROR)
		return refuse(r, q, q->rcode, out);
	question = (struct hf_question){ &q->name, q->type, q->class, job->peer.loopback };
	if (!answer_counters(r, &question)) {
		hf_answer(r->reader, &question, &r->answer);
		hf_counters_add_answer(r->own, &r->answer);
	}
	return hf_wire_answer_put(q, &r->answer, over == HF_OVER_UDP ? q->udp_size : room, out);
}
