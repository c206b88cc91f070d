/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/unbound/ub_command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "zone/addr.h"

#define MAGIC "UBCT1 "
/* The end of the lines, for which there is always room. */
#define END_OF_LINES "\x04\n"

bool hf_ub_command_name_ok(const struct hf_name *name)
{
	size_t at = 0;

	while (at < name->len && name->wire[at]) {
		size_t n = name->wire[at];

		if (at + 1 + n >= name->len || !hf_label_ok((const char *)name->wire + at + 1, n))
			return false;
		at += 1 + n;
	}
	return at > 0 && at + 1 == name->len;
}

static __attribute__((format(printf, 2, 3))) bool ub_command_add(
    struct hf_ub_command *c, const char *format, ...)
{
	size_t room = sizeof(c->bytes) - c->len - (c->lines ? strlen(END_OF_LINES) : 0);
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(c->bytes + c->len, room, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room)
		return false;
	c->len += (size_t)n;
	return true;
}

void hf_ub_command_begin(struct hf_ub_command *c, const char *verb)
{
	c->len = 0;
	c->n = c->n_zones = 0;
	c->lines = true;
	ub_command_add(c, MAGIC "%s\n", verb);
}

static bool ub_command_count(struct hf_ub_command *c, bool added)
{
	c->n += added;
	return added;
}

bool hf_ub_command_aaaa(struct hf_ub_command *c, const struct hf_name *name, uint32_t ttl_s,
    const uint8_t addr[static 16])
{
	char text[HF_NAME_TEXT_MAX], addr_text[HF_ADDR_TEXT_MAX];

	return hf_ub_command_name_ok(name) &&
	       ub_command_count(c, ub_command_add(c, "%s %u AAAA %s\n", hf_name_text(name, text),
				       ttl_s, hf_addr_text(addr, addr_text)));
}

bool hf_ub_command_ptr(struct hf_ub_command *c, const uint8_t addr[static 16], uint32_t ttl_s,
    const struct hf_name *target)
{
	char text[HF_NAME_TEXT_MAX], target_text[HF_NAME_TEXT_MAX];
	struct hf_name ptr;

	hf_ptr_name(addr, &ptr);
	return hf_ub_command_name_ok(target) &&
	       ub_command_count(c, ub_command_add(c, "%s %u PTR %s\n", hf_name_text(&ptr, text),
				       ttl_s, hf_name_text(target, target_text)));
}

bool hf_ub_command_soa(struct hf_ub_command *c, const struct hf_name *zone, uint32_t ttl_s)
{
	char text[HF_NAME_TEXT_MAX];
	bool added =
	    hf_ub_command_name_ok(zone) && ub_command_add(c, "%s %u SOA " HF_UB_SOA " %u\n",
					       hf_name_text(zone, text), ttl_s, ttl_s);

	c->n_zones += added;
	return added;
}

bool hf_ub_command_txt(
    struct hf_ub_command *c, const struct hf_name *name, uint32_t ttl_s, const char *text)
{
	char name_text[HF_NAME_TEXT_MAX];

	return ub_command_count(
	    c, ub_command_add(c, "%s %u TXT %s\n", hf_name_text(name, name_text), ttl_s, text));
}

bool hf_ub_command_remove(struct hf_ub_command *c, const struct hf_name *name)
{
	char text[HF_NAME_TEXT_MAX];

	return hf_ub_command_name_ok(name) &&
	       ub_command_count(c, ub_command_add(c, "%s\n", hf_name_text(name, text)));
}

/* unbound compares name, type and data; the TTL is there to be parsed. */
bool hf_ub_command_remove_aaaa(
    struct hf_ub_command *c, const struct hf_name *name, const uint8_t addr[static 16])
{
	return hf_ub_command_aaaa(c, name, 1, addr);
}

void hf_ub_command_end(struct hf_ub_command *c)
{
	c->lines = false;
	ub_command_add(c, END_OF_LINES);
}

static void begin_one(struct hf_ub_command *c)
{
	c->len = 0;
	c->n = 1;
	c->n_zones = 0;
	c->lines = false;
}

void hf_ub_command_status(struct hf_ub_command *c)
{
	begin_one(c);
	ub_command_add(c, MAGIC "status\n");
}

void hf_ub_command_ability(struct hf_ub_command *c, const struct hf_ub_ability *ability)
{
	begin_one(c);
	ub_command_add(c, "%s", ability->command);
}

void hf_ub_command_option(struct hf_ub_command *c, const char *option)
{
	begin_one(c);
	ub_command_add(c, MAGIC "get_option %s\n", option);
}

void hf_ub_command_zone(struct hf_ub_command *c, const struct hf_name *zone, const char *type)
{
	char text[HF_NAME_TEXT_MAX];

	begin_one(c);
	ub_command_add(c, MAGIC "local_zone %s %s\n", hf_name_text(zone, text), type);
}

void hf_ub_command_zone_remove(struct hf_ub_command *c, const struct hf_name *zone)
{
	char text[HF_NAME_TEXT_MAX];

	begin_one(c);
	ub_command_add(c, MAGIC "local_zone_remove %s\n", hf_name_text(zone, text));
}

void hf_ub_command_auth_reload(struct hf_ub_command *c, const struct hf_name *zone)
{
	char text[HF_NAME_TEXT_MAX];

	begin_one(c);
	ub_command_add(c, MAGIC "auth_zone_reload %s\n", hf_name_text(zone, text));
}

void hf_ub_command_remove_one(struct hf_ub_command *c, const struct hf_name *name)
{
	char text[HF_NAME_TEXT_MAX];

	begin_one(c);
	ub_command_add(c, MAGIC "local_data_remove %s\n", hf_name_text(name, text));
}

/* --- replies --- */

/* Printable, for a log and for people. */
static void copy_line(const char *from, char *ret_text, size_t size)
{
	size_t n = strcspn(from, "\n");

	snprintf(ret_text, size, "%.*s", (int)(n < 400 ? n : 400), from);
	for (char *at = ret_text; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
}

int hf_ub_command_is_ok(const char *reply, char *ret_text, size_t size)
{
	if (strcmp(reply, "ok\n") == 0)
		return 0;
	copy_line(reply, ret_text, size);
	return HF_EREFUSED;
}

long hf_ub_command_n_taken(const char *reply, char *ret_text, size_t size)
{
	const char *at = reply;
	long n;

	*ret_text = '\0';
	while (*at) {
		const char *end = strchr(at, '\n');

		if (sscanf(at, "added %ld datas", &n) == 1 ||
		    sscanf(at, "removed %ld datas", &n) == 1)
			return n;
		if (!*ret_text)
			copy_line(at, ret_text, size);
		if (!end)
			break;
		at = end + 1;
	}
	return HF_EFORMAT;
}

unsigned hf_ub_command_version(const char *reply)
{
	unsigned major, minor, patch = 0;

	if (sscanf(reply, "version: %3u.%3u.%3u", &major, &minor, &patch) < 2)
		return 0;
	return major * 1000000 + minor * 1000 + patch;
}
