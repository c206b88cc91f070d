/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kit_ub_data: an unbound's local data, as unbound keeps it: zones and the records in them, what
 * DNS answers out of both, and what its listing says. Names are text without the last dot.
 */
#include <stdbool.h>
#include <stddef.h>

#include "tests/unit/adapters/kit_resolver.h"

enum {
	UB_DATA_ZONES = 16,
	UB_DATA_RECORDS = 64,
	UB_DATA_NAME_MAX = 256,
	UB_DATA_TEXT_MAX = 256,
	UB_DATA_LISTING_MAX = 128 * 1024,
};

struct ub_data_record {
	char owner[UB_DATA_NAME_MAX];
	unsigned ttl_s;
	char type[16]; /* "": the record went, and the name goes on to be there */
	char data[UB_DATA_TEXT_MAX];
};

struct ub_data_zone {
	char name[UB_DATA_NAME_MAX];
	char type[32];
};

struct ub_data {
	struct ub_data_zone zones[UB_DATA_ZONES];
	size_t n_zones;
	struct ub_data_record records[UB_DATA_RECORDS];
	size_t n;
	size_t more; /* so many bytes of others' records are in its listing, too */
};

/* As after a start: `localhost`, and if `has_reverse` its own zone for fd00::/8. */
void ub_data_reset(struct ub_data *d, bool has_reverse);

/* Its type, or "": there is none of that very name. */
const char *ub_data_zone_type(const struct ub_data *d, const char *zone);
void ub_data_zone_set(struct ub_data *d, const char *zone, const char *type);
/* With the records of which it is the zone. */
void ub_data_zone_remove(struct ub_data *d, const char *zone);

/* "OWNER TTL TYPE DATA". A name in no zone makes one of its own; what is there is there once. */
void ub_data_add(struct ub_data *d, const char *line);
/* All that the name has. */
void ub_data_remove(struct ub_data *d, const char *owner);
/* The same record, whatever its TTL. NULL: it went; else what unbound 1.26 says: "no zone", ... */
const char *ub_data_remove_record(struct ub_data *d, const char *line);
/* Whether it has "OWNER TYPE DATA"; of DATA the beginning is enough. */
bool ub_data_has(const struct ub_data *d, const char *text);

/* The text of list_local_data and list_local_zones, to be freed. */
char *ub_data_list(const struct ub_data *d);
char *ub_data_list_zones(const struct ub_data *d);

/* What unbound answers to a question without RD. */
size_t ub_data_answer(const struct ub_data *d, const struct resolver_question *q,
    uint8_t out[static RESOLVER_PACKET_MAX]);
