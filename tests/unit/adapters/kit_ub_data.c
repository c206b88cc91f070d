/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/adapters/kit_ub_data.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>

#include <check.h>

#include "zone/name.h"

enum { AA = 0x0400, NXDOMAIN = 3, REFUSED = 5 };

static const struct {
	const char *name;
	uint16_t number;
} types[] = { { "A", 1 }, { "CNAME", 5 }, { "SOA", 6 }, { "PTR", 12 }, { "TXT", 16 },
	{ "AAAA", 28 } };

void ub_data_reset(struct ub_data *d, bool has_reverse)
{
	size_t more = d->more;

	memset(d, 0, sizeof(*d));
	d->more = more;
	ub_data_zone_set(d, "localhost", "static");
	ub_data_add(d, "localhost 10800 AAAA ::1");
	if (!has_reverse)
		return;
	ub_data_zone_set(d, "d.f.ip6.arpa", "static");
	ub_data_add(
	    d, "d.f.ip6.arpa 10800 SOA localhost. nobody.invalid. 1 3600 1200 604800 10800");
}

/* --- zones --- */

/* The name itself counts. */
static bool is_below(const char *name, const char *zone)
{
	size_t n = strlen(name), m = strlen(zone);

	return n >= m && strcmp(name + n - m, zone) == 0 && (n == m || name[n - m - 1] == '.');
}

static const struct ub_data_zone *zone_of(const struct ub_data *d, const char *name)
{
	const struct ub_data_zone *best = NULL;

	for (size_t i = 0; i < d->n_zones; i++)
		if (is_below(name, d->zones[i].name) &&
		    (!best || strlen(d->zones[i].name) > strlen(best->name)))
			best = &d->zones[i];
	return best;
}

const char *ub_data_zone_type(const struct ub_data *d, const char *zone)
{
	for (size_t i = 0; i < d->n_zones; i++)
		if (strcmp(d->zones[i].name, zone) == 0)
			return d->zones[i].type;
	return "";
}

void ub_data_zone_set(struct ub_data *d, const char *zone, const char *type)
{
	size_t i = 0;

	while (i < d->n_zones && strcmp(d->zones[i].name, zone) != 0)
		i++;
	ck_assert_uint_lt(i, UB_DATA_ZONES);
	d->n_zones += i == d->n_zones;
	snprintf(d->zones[i].name, sizeof(d->zones[i].name), "%s", zone);
	snprintf(d->zones[i].type, sizeof(d->zones[i].type), "%s", type);
}

void ub_data_zone_remove(struct ub_data *d, const char *zone)
{
	size_t n = 0, n_zones = 0;

	for (size_t i = 0; i < d->n; i++) {
		const struct ub_data_zone *z = zone_of(d, d->records[i].owner);

		if (!z || strcmp(z->name, zone) != 0)
			d->records[n++] = d->records[i];
	}
	d->n = n;
	for (size_t i = 0; i < d->n_zones; i++)
		if (strcmp(d->zones[i].name, zone) != 0)
			d->zones[n_zones++] = d->zones[i];
	d->n_zones = n_zones;
}

/* --- records --- */

static struct ub_data_record read_record(const char *line)
{
	struct ub_data_record r = { 0 };

	ck_assert_int_eq(
	    sscanf(line, "%255s %u %15s %255[^\n]", r.owner, &r.ttl_s, r.type, r.data), 4);
	return r;
}

static struct ub_data_record *find_record(struct ub_data *d, const struct ub_data_record *r)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->records[i].owner, r->owner) == 0 &&
		    strcmp(d->records[i].type, r->type) == 0 &&
		    strcmp(d->records[i].data, r->data) == 0)
			return &d->records[i];
	return NULL;
}

void ub_data_add(struct ub_data *d, const char *line)
{
	struct ub_data_record r = read_record(line);

	if (!zone_of(d, r.owner))
		ub_data_zone_set(d, r.owner, "transparent");
	if (find_record(d, &r))
		return;
	ck_assert_uint_lt(d->n, UB_DATA_RECORDS);
	d->records[d->n++] = r;
}

void ub_data_remove(struct ub_data *d, const char *owner)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->records[i].owner, owner) != 0)
			d->records[n++] = d->records[i];
	d->n = n;
}

static bool has_owner(const struct ub_data *d, const char *owner)
{
	for (size_t i = 0; i < d->n; i++)
		if (is_below(d->records[i].owner, owner))
			return true;
	return false;
}

const char *ub_data_remove_record(struct ub_data *d, const char *line)
{
	struct ub_data_record r = read_record(line), *at = find_record(d, &r);

	if (at) {
		at->type[0] = at->data[0] = '\0';
		return NULL;
	}
	return !zone_of(d, r.owner) ? "no zone" : !has_owner(d, r.owner) ? "no local data" : "rr";
}

bool ub_data_has(const struct ub_data *d, const char *text)
{
	char line[2 * UB_DATA_NAME_MAX + UB_DATA_TEXT_MAX];

	for (size_t i = 0; i < d->n; i++) {
		snprintf(line, sizeof(line), "%s %s %s", d->records[i].owner, d->records[i].type,
		    d->records[i].data);
		if (*d->records[i].type && strncmp(line, text, strlen(text)) == 0)
			return true;
	}
	return false;
}

/* --- listings --- */

static void add_text(char *all, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_text(char *all, const char *format, ...)
{
	size_t len = strlen(all);
	va_list ap;

	va_start(ap, format);
	len += (size_t)vsnprintf(all + len, UB_DATA_LISTING_MAX - len, format, ap);
	va_end(ap);
	ck_assert_uint_lt(len, UB_DATA_LISTING_MAX);
}

char *ub_data_list(const struct ub_data *d)
{
	static const char other[] = "host.example.\t3600\tIN\tA\t192.0.2.1\n\n";
	char *all = calloc(1, UB_DATA_LISTING_MAX);

	ck_assert_ptr_nonnull(all);
	for (size_t i = 0; i < d->n; i++) {
		const struct ub_data_record *r = &d->records[i];
		const char *quote = strcmp(r->type, "TXT") == 0 ? "\"" : "";
		const char *dot = strcmp(r->type, "PTR") == 0 ? "." : "";

		if (*r->type)
			add_text(all, "%s.\t%u\tIN\t%s\t%s%s%s%s\n\n", r->owner, r->ttl_s, r->type,
			    quote, r->data, dot, quote);
	}
	for (size_t n = 0, len = strlen(all); n < d->more; n += sizeof(other) - 1)
		memcpy(all + len + n, other, sizeof(other));
	return all;
}

char *ub_data_list_zones(const struct ub_data *d)
{
	char *all = calloc(1, UB_DATA_LISTING_MAX);

	ck_assert_ptr_nonnull(all);
	for (size_t i = 0; i < d->n_zones; i++)
		add_text(all, "%s. %s\n", d->zones[i].name, d->zones[i].type);
	return all;
}

/* --- DNS --- */

static uint16_t read_question(const struct resolver_question *q, char ret_name[static 256])
{
	size_t at = 12, n = 0;

	while (q->packet[at]) {
		size_t len = q->packet[at];

		ck_assert_uint_lt(n + len + 1, UB_DATA_NAME_MAX);
		memcpy(ret_name + n, q->packet + at + 1, len);
		n += len;
		ret_name[n++] = '.';
		at += 1 + len;
	}
	ret_name[n ? n - 1 : 0] = '\0';
	return (uint16_t)(q->packet[at + 1] << 8 | q->packet[at + 2]);
}

static size_t wire_of(const struct ub_data_record *r, uint8_t wire[static 512])
{
	/* Two names of the root, five numbers; only the last one is looked at. */
	uint32_t last = htonl((uint32_t)atol(strrchr(r->data, ' ') ? strrchr(r->data, ' ') : "0"));
	struct hf_name name;

	if (strcmp(r->type, "AAAA") == 0 || strcmp(r->type, "A") == 0) {
		bool six = r->type[1];

		ck_assert_int_eq(inet_pton(six ? AF_INET6 : AF_INET, r->data, wire), 1);
		return six ? 16 : 4;
	}
	if (strcmp(r->type, "SOA") == 0) {
		memset(wire, 0, 22);
		memcpy(wire + 18, &last, sizeof(last));
		return 22;
	}
	if (strcmp(r->type, "TXT") == 0) {
		wire[0] = (uint8_t)strlen(r->data);
		memcpy(wire + 1, r->data, wire[0]);
		return wire[0] + 1u;
	}
	ck_assert_int_eq(hf_name_parse(r->data, &name), 0);
	memcpy(wire, name.wire, name.len);
	return name.len;
}

static uint16_t type_number(const char *type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, type) == 0)
			return types[i].number;
	return 0; /* "", of a record that went */
}

/* With the zone's SOA, if it has one; its owner is the question's name here, which nobody reads. */
static size_t answer_none(const struct ub_data *d, const struct ub_data_zone *zone, size_t len,
    uint8_t out[static RESOLVER_PACKET_MAX])
{
	uint8_t wire[512];

	for (size_t i = 0; i < d->n; i++) {
		const struct ub_data_record *r = &d->records[i];

		if (strcmp(r->type, "SOA") != 0 || strcmp(r->owner, zone->name) != 0)
			continue;
		len = resolver_add(out, len, 6, r->ttl_s, wire, wire_of(r, wire));
		out[7]--;
		out[9]++;
		break;
	}
	return len;
}

size_t ub_data_answer(const struct ub_data *d, const struct resolver_question *q,
    uint8_t out[static RESOLVER_PACKET_MAX])
{
	char name[UB_DATA_NAME_MAX];
	uint16_t type = read_question(q, name);
	const struct ub_data_zone *zone = zone_of(d, name);
	uint8_t wire[512];
	size_t len;

	if (!zone || (!has_owner(d, name) && strcmp(zone->type, "static") != 0))
		return resolver_answer(q, REFUSED, out);
	len = resolver_answer(q, AA | (has_owner(d, name) ? 0 : NXDOMAIN), out);
	for (size_t i = 0; i < d->n; i++) {
		const struct ub_data_record *r = &d->records[i];
		uint16_t number = type_number(r->type);

		if (strcmp(r->owner, name) == 0 && (number == type || number == 5))
			len = resolver_add(out, len, number, r->ttl_s, wire, wire_of(r, wire));
	}
	return out[7] ? len : answer_none(d, zone, len, out);
}
