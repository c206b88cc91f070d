/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/unbound/ub_line.h"

#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>

#include "zone/addr.h"

bool hf_ub_line_read(const char *at, struct hf_ub_line *ret_line)
{
	return sscanf(at, "%1023[^\t]\t%9u\tIN\t%15[^\t]\t%1023[^\n]", ret_line->owner,
		   &ret_line->ttl_s, ret_line->type, ret_line->data) == 4;
}

/* unbound writes an empty line after each record. */
const char *hf_ub_line_next(const char *at)
{
	at += strcspn(at, "\n");
	return at + strspn(at, "\n");
}

bool hf_ub_line_read_start(const char *line, struct hf_ub_line *ret_line)
{
	static const char include[] = "local-data: \"";
	struct hf_ub_line *l = ret_line;

	if (strncmp(line, include, sizeof(include) - 1) == 0)
		return sscanf(line + sizeof(include) - 1, "%1023s %9u %15s %1023[^ \"\n]", l->owner,
			   &l->ttl_s, l->type, l->data) == 4;
	return sscanf(line, "%1023s %9u IN %15s %1023[^ \n]", l->owner, &l->ttl_s, l->type,
		   l->data) == 4;
}

static bool read_address(const struct hf_ub_line *line, struct hf_record *ret_record)
{
	return strcmp(line->type, "AAAA") == 0 &&
	       hf_name_parse(line->owner, &ret_record->name) == 0 &&
	       inet_pton(AF_INET6, line->data, ret_record->addr) == 1;
}

/* As a record of its own: the address may have come to another name, or to none, since. */
static bool read_pointer(const struct hf_ub_line *line, struct hf_record *ret_record)
{
	struct hf_name ptr;

	ret_record->primary = true;
	return strcmp(line->type, "PTR") == 0 && hf_name_parse(line->owner, &ptr) == 0 &&
	       hf_ptr_parse(&ptr, ret_record->addr) == HF_PTR_ADDR &&
	       hf_name_parse(line->data, &ret_record->name) == 0;
}

bool hf_ub_line_record(const struct hf_ub_line *line, bool pointers, struct hf_record *ret_record)
{
	memset(ret_record, 0, sizeof(*ret_record));
	return (pointers ? read_pointer(line, ret_record) : read_address(line, ret_record)) &&
	       hf_addr_is_ours(ret_record->addr);
}
