/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dns_client_packet.h"

#include <string.h>

#include <ldns/ldns.h>

#include "base/error.h"

enum { HEADER = 12, CLASS_IN = 1, FLAG_RD = 0x01, TYPE_OPT = 41, OPTION_EDE = 15 };

static void put_be16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static uint16_t get_be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

size_t hf_dns_client_packet_query(const struct hf_name *name, uint16_t type, uint16_t id,
    bool recurse, uint8_t out[static HF_DNS_CLIENT_QUERY_MAX])
{
	uint8_t *at = out + HEADER;

	memset(out, 0, HF_DNS_CLIENT_QUERY_MAX);
	put_be16(out, id);
	out[2] = recurse ? FLAG_RD : 0;
	put_be16(out + 4, 1);
	put_be16(out + 10, 1);
	memcpy(at, name->wire, name->len);
	at += name->len;
	put_be16(at, type);
	put_be16(at + 2, CLASS_IN);
	at += 4;
	/* The root as its owner, no flags, no options. */
	put_be16(at + 1, TYPE_OPT);
	put_be16(at + 3, HF_DNS_CLIENT_UDP_SIZE);
	return (size_t)(at + 11 - out);
}

int hf_dns_client_packet_id(const uint8_t *packet, size_t len)
{
	/* QR is set and the opcode is that of a query. */
	if (len < HEADER || (packet[2] & 0xf8) != 0x80)
		return -1;
	return get_be16(packet);
}

/* A server that refuses before it has read the question need not repeat it. */
static bool has_question(
    const uint8_t *packet, size_t len, const struct hf_name *name, uint16_t type)
{
	struct hf_name asked;
	int n;

	if (get_be16(packet + 4) == 0)
		return (packet[3] & 0x0f) == LDNS_RCODE_FORMERR && len == HEADER;
	n = hf_name_from_wire(packet + HEADER, len - HEADER, &asked);
	if (get_be16(packet + 4) != 1 || n < 0 || len - HEADER < (size_t)n + 4)
		return false;
	packet += HEADER + n;
	return hf_name_equal(&asked, name) && get_be16(packet) == type &&
	       get_be16(packet + 2) == CLASS_IN;
}

static int read_target(const ldns_rr *rr, struct hf_asked *asked)
{
	const ldns_rdf *rdf = ldns_rr_rdf(rr, 0);

	if (!rdf || hf_name_from_wire(ldns_rdf_data(rdf), ldns_rdf_size(rdf), &asked->target) < 0)
		return HF_EFORMAT;
	asked->has_target = true;
	return 0;
}

static void read_text(const ldns_rr *rr, struct hf_asked *asked)
{
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *rdf = ldns_rr_rdf(rr, i);
		size_t n = ldns_rdf_size(rdf) ? ldns_rdf_size(rdf) - 1 : 0;

		/* The first byte of a string is its length. */
		if (n > sizeof(asked->text) - asked->text_len)
			n = sizeof(asked->text) - asked->text_len;
		memcpy(asked->text + asked->text_len, ldns_rdf_data(rdf) + 1, n);
		asked->text_len += n;
	}
}

static int read_asked_type(const ldns_rr *rr, struct hf_asked *asked)
{
	const ldns_rdf *rdf = ldns_rr_rdf(rr, 0);

	asked->n_records++;
	switch (ldns_rr_get_type(rr)) {
	case LDNS_RR_TYPE_AAAA:
		if (!rdf || ldns_rdf_size(rdf) != 16)
			return HF_EFORMAT;
		if (asked->n_addrs < HF_DNS_CLIENT_ADDRS_MAX)
			memcpy(asked->addrs[asked->n_addrs++], ldns_rdf_data(rdf), 16);
		return 0;
	case LDNS_RR_TYPE_TXT:
		if (asked->n_records == 1)
			read_text(rr, asked);
		return 0;
	case LDNS_RR_TYPE_PTR:
	case LDNS_RR_TYPE_CNAME:
	case LDNS_RR_TYPE_SOA:
		return asked->has_target ? 0 : read_target(rr, asked);
	default:
		return 0;
	}
}

static int read_answers(const ldns_rr_list *list, uint16_t type, struct hf_asked *asked)
{
	int rc = 0;

	for (size_t i = 0; i < ldns_rr_list_rr_count(list) && !rc; i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);

		if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN)
			continue;
		if (i == 0 || ldns_rr_ttl(rr) < asked->ttl_s)
			asked->ttl_s = ldns_rr_ttl(rr);
		if (ldns_rr_get_type(rr) == type)
			rc = read_asked_type(rr, asked);
		else if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME && !asked->has_target)
			rc = read_target(rr, asked);
	}
	return rc;
}

/* A negative answer may be kept for the smaller of the SOA's TTL and its last number. */
static void read_soa(const ldns_rr_list *list, struct hf_asked *asked)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		uint32_t minimum;

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_SOA || ldns_rr_rd_count(rr) != 7)
			continue;
		minimum = ldns_rdf2native_int32(ldns_rr_rdf(rr, 6));
		asked->has_soa = true;
		asked->negative_ttl_s = minimum < ldns_rr_ttl(rr) ? minimum : ldns_rr_ttl(rr);
		return;
	}
}

static void read_ede(const ldns_pkt *pkt, struct hf_asked *asked)
{
	const ldns_rdf *rdf = ldns_pkt_edns_data(pkt);
	const uint8_t *at = rdf ? ldns_rdf_data(rdf) : NULL;
	size_t left = rdf ? ldns_rdf_size(rdf) : 0;

	while (left >= 4) {
		size_t n = get_be16(at + 2);

		if (n > left - 4)
			return;
		if (get_be16(at) == OPTION_EDE && n >= 2) {
			asked->ede = get_be16(at + 4);
			return;
		}
		at += 4 + n;
		left -= 4 + n;
	}
}

int hf_dns_client_packet_answer(const uint8_t *packet, size_t len, const struct hf_name *name,
    uint16_t type, struct hf_asked *ret_asked, bool *ret_cut)
{
	struct hf_asked asked = { .ede = -1 };
	ldns_pkt *pkt = NULL;
	int rc;

	if (hf_dns_client_packet_id(packet, len) < 0 || !has_question(packet, len, name, type))
		return HF_EPEER;
	if (ldns_wire2pkt(&pkt, packet, len) != LDNS_STATUS_OK)
		return HF_EFORMAT;
	asked.rcode = (uint8_t)ldns_pkt_get_rcode(pkt);
	asked.aa = ldns_pkt_aa(pkt);
	asked.ad = ldns_pkt_ad(pkt);
	rc = read_answers(ldns_pkt_answer(pkt), type, &asked);
	read_soa(ldns_pkt_authority(pkt), &asked);
	read_ede(pkt, &asked);
	if (!rc) {
		*ret_cut = ldns_pkt_tc(pkt);
		*ret_asked = asked;
	}
	ldns_pkt_free(pkt);
	return rc;
}
