/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_start_out: one start file of a write under way: opened under another name, with its head.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "adapters/unbound/ub_start_private.h"

void hf_ub_start_out_head(
    struct hf_ub_start_file *f, struct evbuffer *lines, const struct hf_name *zone)
{
	char text[HF_NAME_TEXT_MAX];
	uint32_t ttl_s = f->a->ttl_s;

	hf_name_text(zone, text);
	if (hf_ub_start_is_include(f))
		evbuffer_add_printf(lines,
		    "local-zone: \"%s.\" static\n"
		    "local-data: \"%s. %u SOA " HF_UB_SOA " %u\"\n",
		    text, text, ttl_s, ttl_s);
	else
		evbuffer_add_printf(lines,
		    "%s. %u IN SOA holdfast.invalid. nobody.invalid. %u 60 60 2419200 %u\n", text,
		    ttl_s, (unsigned)f->writing, ttl_s);
}

int hf_ub_start_out_add(struct hf_ub_start_file *f, const char *name, const struct hf_name *zone)
{
	struct hf_ub_start_out *out = &f->outs[f->n_outs++];

	memset(out, 0, sizeof(*out));
	out->fd = -1;
	snprintf(out->name, sizeof(out->name), "%s", name);
	snprintf(out->temp, sizeof(out->temp), ".%s.tmp", name);
	out->lines = evbuffer_new();
	if (!out->lines)
		return -ENOMEM;
	unlinkat(f->dir, out->temp, 0);
	out->fd =
	    openat(f->dir, out->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (out->fd < 0)
		return -errno;
	if (zone)
		hf_ub_start_out_head(f, out->lines, zone);
	return 0;
}
