/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/provenance.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"

enum {
	STRING_MAX = 255,
	DAY_S = 86400,
	TIME_TEXT_MAX = 32,
};

static const int64_t year_10000_s = INT64_C(253402300800);

static void put_string(struct hf_wr *wr, const char *key, const char *value)
{
	size_t key_len = strlen(key), len = key_len + strlen(value);

	if (len > STRING_MAX)
		return;
	hf_wr_u8(wr, (uint8_t)len);
	hf_wr_bytes(wr, key, key_len);
	hf_wr_bytes(wr, value, len - key_len);
}

/*
 * The civil date of a day since 1970, in years that begin in March, so that the leap day is the
 * last.
 */
static void civil_date(int64_t day, int64_t *ret_year, int *ret_month, int *ret_day)
{
	enum { ERA_DAYS = 146097, TO_1970 = 719468 };
	int64_t z = day + TO_1970, era = z / ERA_DAYS;
	int64_t of_era = z % ERA_DAYS;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	*ret_day = (int)(of_year - (153 * month + 2) / 5 + 1);
	*ret_month = (int)(month < 10 ? month + 3 : month - 9);
	*ret_year = year + era * 400 + (*ret_month <= 2);
}

/*
 * RFC 3339 in UTC. By hand: gmtime_r() takes a lock and may read files. False for times that it
 * cannot tell.
 */
static bool time_text(int64_t s, char out[static TIME_TEXT_MAX])
{
	int64_t year, of_day = s % DAY_S;
	int month, day;

	if (s <= 0 || s >= year_10000_s)
		return false;
	civil_date(s / DAY_S, &year, &month, &day);
	snprintf(out, TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)year, month, day,
	    (int)(of_day / 3600), (int)(of_day / 60 % 60), (int)(of_day % 60));
	return true;
}

static void provenance_put_time(struct hf_wr *wr, const char *key, int64_t s)
{
	char text[TIME_TEXT_MAX];

	if (time_text(s, text))
		put_string(wr, key, text);
}

static const char *state_text(const struct hf_zone_reader *r, const struct hf_zone_entry *entry)
{
	if (entry->flags & HF_REC_HELD)
		return "held";
	if (entry->flags & HF_REC_RESTORED)
		return "restored";
	return hf_zone_reader_fresh(r, entry->source, entry->owner) ? "live" : "stale";
}

void hf_provenance_of_name(
    struct hf_wr *wr, const struct hf_zone_reader *r, const struct hf_zone_entry *entry)
{
	const struct hf_zone_meta *meta = hf_zone_reader_meta(r);
	struct hf_pulse_stamp owner = { 0 };

	/* Who owned a restored name is not known any more. */
	if (!(entry->flags & HF_REC_RESTORED))
		owner = hf_pulse_get_owner(hf_zone_reader_pulse(r), entry->owner);
	put_string(wr, "", state_text(r, entry));
	provenance_put_time(wr, "first-seen=", entry->first_seen_s);
	if (owner.known)
		provenance_put_time(wr, "last-confirmed=", owner.wall_ms / 1000);
	if (entry->source < meta->n_sources)
		put_string(wr, "source=", meta->sources[entry->source].name);
}

void hf_provenance_of_zone(struct hf_wr *wr, const struct hf_zone_stamp *stamp, bool fresh)
{
	char text[2 * sizeof(stamp->epoch) + 1];

	put_string(wr, "", fresh ? "live" : "stale");
	hf_hex_put(stamp->epoch, sizeof(stamp->epoch), text);
	put_string(wr, "epoch=", text);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)stamp->generation);
	put_string(wr, "generation=", text);
}
