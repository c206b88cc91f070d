/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/dns/responder.h"

#include "plugin/counters_query.h"
#include "plugin/wire_answer.h"
#include "zone/reader.h"

enum { WARM_MAX = 64 };

static size_t responder_refuse(
    struct hf_responder *r, const struct hf_wire_query *q, uint16_t rcode, uint8_t *out)
{
	hf_counters_add(r->own, rcode == HF_RCODE_REFUSED ? HF_COUNT_REFUSED : HF_COUNT_ERRORS, 1);
	return hf_wire_answer_put_error(q, rcode, out);
}

void hf_responder_read(
    const uint8_t *packet, size_t len, struct hf_peer peer, struct hf_job *ret_job)
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
		return responder_refuse(r, q, HF_RCODE_REFUSED, out);
	if (q->verdict == HF_WIRE_ERROR)
		return responder_refuse(r, q, q->rcode, out);
	question = (struct hf_question){ &q->name, q->type, q->class, job->peer.loopback };
	if (!hf_counters_query(
		r->reader, &question, r->all, r->n_all, "holdfast-dns", &r->answer)) {
		hf_answer(r->reader, &question, &r->answer);
		hf_counters_add_answer(r->own, &r->answer);
	}
	return hf_wire_answer_put(q, &r->answer, over == HF_OVER_UDP ? q->udp_size : room, out);
}
