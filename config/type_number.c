/* SPDX-License-Identifier: Apache-2.0 */
/* Types whose value is a number or a word. */
#include "config/type.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "config/key.h"

/* In falling order, so that a value prints in the largest unit that fits. */
struct unit {
	const char *name;
	int64_t worth;
};

static const struct unit durations[] = {
	{ "d", 86400000 },
	{ "h", 3600000 },
	{ "m", 60000 },
	{ "s", 1000 },
	{ "ms", 1 },
	{ NULL, 0 },
};

static const struct unit sizes[] = {
	{ "GiB", 1 << 30 },
	{ "MiB", 1 << 20 },
	{ "KiB", 1 << 10 },
	{ NULL, 0 },
};

static bool always_set(const void *value)
{
	return true;
}

static bool int_is_set(const void *value)
{
	return *(const int64_t *)value != 0;
}

/* Digits only: no sign, no blanks, no other base. Moves *at behind them. */
static int parse_digits(const char **at, int64_t *ret)
{
	const char *p = *at;
	int64_t v = 0;

	if (*p < '0' || *p > '9')
		return HF_EFORMAT;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (v > (INT64_MAX - 9) / 10)
			return HF_ELIMIT;
		v = v * 10 + (*p - '0');
	}
	*at = p;
	*ret = v;
	return 0;
}

/* "1h30m": digits and a unit, again and again, each unit smaller than the one before. */
static int parse_units(const char *text, const struct unit *units, int64_t *ret)
{
	int64_t sum = 0, v;

	do {
		size_t len;
		int rc = parse_digits(&text, &v);

		if (rc)
			return rc;
		len = strcspn(text, "0123456789");
		while (units->name &&
		       (strlen(units->name) != len || strncasecmp(units->name, text, len)))
			units++;
		if (!units->name)
			return HF_EFORMAT;
		if (v > (INT64_MAX - sum) / units->worth)
			return HF_ELIMIT;
		sum += v * units->worth;
		text += len;
		units++;
	} while (*text);
	*ret = sum;
	return 0;
}

static int in_range(const struct hf_key *key, int64_t v, void *ret)
{
	if (v < key->min || v > key->max)
		return HF_ELIMIT;
	*(int64_t *)ret = v;
	return 0;
}

static void text_units(
    const struct unit *units, int64_t v, const char *zero, char *out, size_t size)
{
	while (units->name && (!v || v % units->worth))
		units++;
	if (v && units->name)
		snprintf(out, size, "%" PRId64 "%s", v / units->worth, units->name);
	else
		snprintf(out, size, "%" PRId64 "%s", v, zero);
}

/* --- bool --- */

static int flag_parse(const struct hf_key *key, const char *text, void *ret, const char **ret_why)
{
	if (strcmp(text, "true") && strcmp(text, "false"))
		return HF_EFORMAT;
	*(bool *)ret = *text == 't';
	return 0;
}

static void flag_print(const struct hf_key *key, const void *value, FILE *out)
{
	fputs(*(const bool *)value ? "true" : "false", out);
}

static void flag_expect(const struct hf_key *key, char out[static HF_EXPECT_MAX])
{
	snprintf(out, HF_EXPECT_MAX, "true or false");
}

const struct hf_type hf_type_flag = {
	.noun = "a truth value",
	.size = sizeof(bool),
	.parse = flag_parse,
	.print = flag_print,
	.expect = flag_expect,
	.is_set = always_set,
};

/* --- int --- */

static int int_parse(const struct hf_key *key, const char *text, void *ret, const char **ret_why)
{
	int64_t v = 0;
	int rc = parse_digits(&text, &v);

	if (rc || *text)
		return rc ? rc : HF_EFORMAT;
	return in_range(key, v, ret);
}

static void int_print(const struct hf_key *key, const void *value, FILE *out)
{
	fprintf(out, "%" PRId64, *(const int64_t *)value);
}

static void int_expect(const struct hf_key *key, char out[static HF_EXPECT_MAX])
{
	int n = snprintf(out, HF_EXPECT_MAX, "%" PRId64 " to %" PRId64, key->min, key->max);

	if (key->unit)
		snprintf(out + n, HF_EXPECT_MAX - (size_t)n, " (%s)", key->unit);
}

const struct hf_type hf_type_int = {
	.noun = "a number",
	.size = sizeof(int64_t),
	.parse = int_parse,
	.print = int_print,
	.expect = int_expect,
	.is_set = int_is_set,
};

/* --- duration --- */

static int duration_parse(
    const struct hf_key *key, const char *text, void *ret, const char **ret_why)
{
	int64_t v = 0;
	int rc = parse_units(text, durations, &v);

	return rc ? rc : in_range(key, v, ret);
}

static void duration_print(const struct hf_key *key, const void *value, FILE *out)
{
	char text[32];

	text_units(durations, *(const int64_t *)value, "ms", text, sizeof(text));
	fputs(text, out);
}

static void duration_expect(const struct hf_key *key, char out[static HF_EXPECT_MAX])
{
	char min[32], max[32];

	text_units(durations, key->min, "ms", min, sizeof(min));
	text_units(durations, key->max, "ms", max, sizeof(max));
	snprintf(out, HF_EXPECT_MAX, "a duration with its unit, %s to %s", min, max);
}

const struct hf_type hf_type_duration = {
	.noun = "a duration",
	.size = sizeof(int64_t),
	.parse = duration_parse,
	.print = duration_print,
	.expect = duration_expect,
	.is_set = int_is_set,
};

/* --- size --- */

static int size_parse(const struct hf_key *key, const char *text, void *ret, const char **ret_why)
{
	const char *end = text;
	int64_t v = 0;
	int rc = parse_digits(&end, &v);

	if (!rc && *end)
		rc = parse_units(text, sizes, &v);
	return rc ? rc : in_range(key, v, ret);
}

static void size_print(const struct hf_key *key, const void *value, FILE *out)
{
	char text[32];

	text_units(sizes, *(const int64_t *)value, "", text, sizeof(text));
	fputs(text, out);
}

static void size_expect(const struct hf_key *key, char out[static HF_EXPECT_MAX])
{
	char min[32], max[32];

	text_units(sizes, key->min, "", min, sizeof(min));
	text_units(sizes, key->max, "", max, sizeof(max));
	snprintf(out, HF_EXPECT_MAX, "a size, %s to %s", min, max);
}

const struct hf_type hf_type_size = {
	.noun = "a size",
	.size = sizeof(int64_t),
	.parse = size_parse,
	.print = size_print,
	.expect = size_expect,
	.is_set = int_is_set,
};

/* --- percent --- */

static int percent_parse(
    const struct hf_key *key, const char *text, void *ret, const char **ret_why)
{
	int64_t v = 0;
	int rc = parse_digits(&text, &v);

	if (rc || strcmp(text, "%"))
		return rc ? rc : HF_EFORMAT;
	return in_range(key, v, ret);
}

static void percent_print(const struct hf_key *key, const void *value, FILE *out)
{
	fprintf(out, "%" PRId64 "%%", *(const int64_t *)value);
}

static void percent_expect(const struct hf_key *key, char out[static HF_EXPECT_MAX])
{
	snprintf(out, HF_EXPECT_MAX, "%" PRId64 "%% to %" PRId64 "%%", key->min, key->max);
}

const struct hf_type hf_type_percent = {
	.noun = "a percentage",
	.size = sizeof(int64_t),
	.parse = percent_parse,
	.print = percent_print,
	.expect = percent_expect,
	.is_set = always_set,
};

/* --- enum: the struct's own enum type, which is as large as an int --- */

static int enum_parse(const struct hf_key *key, const char *text, void *ret, const char **ret_why)
{
	for (int i = 0; key->words[i]; i++) {
		if (!strcmp(key->words[i], text)) {
			memcpy(ret, &i, sizeof(i));
			return 0;
		}
	}
	return HF_EFORMAT;
}

static void enum_print(const struct hf_key *key, const void *value, FILE *out)
{
	int i;

	memcpy(&i, value, sizeof(i));
	fputs(key->words[i], out);
}

static void enum_expect(const struct hf_key *key, char out[static HF_EXPECT_MAX])
{
	size_t n = 0;

	*out = '\0';
	for (int i = 0; key->words[i] && n < HF_EXPECT_MAX; i++) {
		const char *before = !i ? "" : key->words[i + 1] ? ", " : " or ";

		n += (size_t)snprintf(out + n, HF_EXPECT_MAX - n, "%s%s", before, key->words[i]);
	}
}

const struct hf_type hf_type_enum = {
	.noun = "a known word",
	.size = sizeof(int),
	.parse = enum_parse,
	.print = enum_print,
	.expect = enum_expect,
	.is_set = always_set,
};
