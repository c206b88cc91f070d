/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_start_write: what is in which start file. Each is written beside itself and renamed.
 *
 * zonefile: data only. One file a zone, since a zone file has one: NAME.SUFFIX, but for one suffix
 * (the first there ever was) in the file NAME itself; the addresses in NAME.ptr.
 * include: configuration. One file with all; PTR records only where they are few, since each costs
 * unbound as much time at its start as fifty others.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "adapters/unbound/ub_start_private.h"
#include "base/file.h"

/* --- lines --- */

static void add_ptr(struct hf_ub_start_file *f, const struct hf_record *r, const char *name)
{
	char text[HF_NAME_TEXT_MAX];
	struct hf_name ptr;

	hf_ptr_name(r->addr, &ptr);
	hf_name_text(&ptr, text);
	if (!hf_ub_start_is_include(f))
		/* The file of the addresses is the one after those of the zones. */
		evbuffer_add_printf(
		    f->outs[f->a->n_zones].lines, "%s. %u IN PTR %s.\n", text, f->a->ttl_s, name);
	else if (f->n_ptrs++ < HF_UB_START_INCLUDE_PTR_MAX)
		evbuffer_add_printf(
		    f->ptrs, "local-data: \"%s. %u PTR %s.\"\n", text, f->a->ttl_s, name);
}

static struct hf_ub_start_out *out_of(struct hf_ub_start_file *f, const struct hf_name *name)
{
	const struct hf_ub *a = f->a;
	size_t best = a->n_zones;

	for (size_t i = 0; i < a->n_zones; i++)
		if (hf_name_is_under(name, &a->zones[i].name) &&
		    (best == a->n_zones || a->zones[i].name.len > a->zones[best].name.len))
			best = i;
	if (best == a->n_zones)
		return NULL;
	return &f->outs[hf_ub_start_is_include(f) ? 0 : best];
}

int hf_ub_start_outs_record(const struct hf_record *r, void *arg)
{
	struct hf_ub_start_file *f = arg;
	struct hf_ub_start_out *out = out_of(f, &r->name);
	char name[HF_NAME_TEXT_MAX], addr[HF_ADDR_TEXT_MAX];

	/* The file is read by a parser of configuration: the same checks as before a command. */
	if (!out || !hf_ub_command_name_ok(&r->name) || !hf_addr_is_ours(r->addr))
		return 0;
	hf_name_text(&r->name, name);
	hf_addr_text(r->addr, addr);
	if (evbuffer_add_printf(out->lines,
		hf_ub_start_is_include(f) ? "local-data: \"%s. %u AAAA %s\"\n"
					  : "%s. %u IN AAAA %s\n",
		name, f->a->ttl_s, addr) < 0)
		return -ENOMEM;
	if (r->primary)
		add_ptr(f, r, name);
	return 0;
}

/* --- files --- */

int hf_ub_start_name(const struct hf_ub_start_file *f, const char *base, const struct hf_name *zone,
    char ret_name[static NAME_MAX + 1])
{
	char text[HF_NAME_TEXT_MAX];
	bool bare = f->has_bare && hf_name_equal(&f->bare, zone);
	int n = snprintf(ret_name, NAME_MAX + 1, "%s%s%s", base, bare ? "" : ".",
	    bare ? "" : hf_name_text(zone, text));

	return n < 0 || n > NAME_MAX ? -ENAMETOOLONG : 0;
}

static int open_include(struct hf_ub_start_file *f, const char *base)
{
	int rc = hf_ub_start_out_add(f, base, NULL);

	if (rc)
		return rc;
	evbuffer_add_printf(f->outs[0].lines, "server:\n");
	for (size_t i = 0; i < f->a->n_zones; i++)
		hf_ub_start_out_head(f, f->outs[0].lines, &f->a->zones[i].name);
	f->ptrs = evbuffer_new();
	return f->ptrs ? 0 : -ENOMEM;
}

static int open_zonefiles(struct hf_ub_start_file *f, const char *base)
{
	const struct hf_ub *a = f->a;
	char name[NAME_MAX + 1];
	int rc = 0;

	hf_ub_start_bare_choose(f, base);
	for (size_t i = 0; i < a->n_zones && !rc; i++) {
		rc = hf_ub_start_name(f, base, &a->zones[i].name, name);
		if (!rc)
			rc = hf_ub_start_out_add(f, name, &a->zones[i].name);
	}
	if (!rc && snprintf(name, sizeof(name), "%s.ptr", base) > NAME_MAX)
		rc = -ENAMETOOLONG;
	return rc ? rc : hf_ub_start_out_add(f, name, &hf_addr_reverse_apex);
}

int hf_ub_start_outs_open(struct hf_ub_start_file *f)
{
	const char *base;
	int rc = hf_ub_start_folder_open(f, &base);

	if (rc)
		return rc;
	f->writing = f->a->generation;
	if (hf_ub_start_is_include(f))
		return open_include(f, base);
	rc = open_zonefiles(f, base);
	return rc ? rc : hf_ub_start_left_open(f, base);
}

static int write_lines(struct hf_ub_start_out *out)
{
	while (evbuffer_get_length(out->lines)) {
		int n = evbuffer_write(out->lines, out->fd);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
	}
	/* Begun early, so that the sync at the end is short. */
	sync_file_range(out->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return 0;
}

int hf_ub_start_outs_flush(struct hf_ub_start_file *f)
{
	int rc = 0;

	for (size_t i = 0; i < f->n_outs && !rc; i++)
		rc = write_lines(&f->outs[i]);
	return rc;
}

static int rename_out(struct hf_ub_start_file *f, struct hf_ub_start_out *out)
{
	hf_ub_start_former_keep(f, out->name);
	if (fstat(out->fd, &out->st) || renameat(f->dir, out->temp, f->dir, out->name))
		return -errno;
	close(out->fd);
	out->fd = -1;
	hf_ub_start_note_seen(f, out);
	return 0;
}

int hf_ub_start_outs_finish(struct hf_ub_start_file *f, bool only_missing)
{
	int rc = 0;

	if (f->ptrs && f->n_ptrs <= HF_UB_START_INCLUDE_PTR_MAX)
		evbuffer_add_buffer(f->outs[0].lines, f->ptrs);
	for (size_t i = 0; i < f->n_outs && !rc; i++) {
		rc = write_lines(&f->outs[i]);
		if (!rc && (fchmod(f->outs[i].fd, 0644) || fdatasync(f->outs[i].fd)))
			rc = -errno;
	}
	for (size_t i = 0; i < f->n_outs && !rc; i++) {
		if (only_missing && faccessat(f->dir, f->outs[i].name, F_OK, 0) == 0)
			continue;
		rc = rename_out(f, &f->outs[i]);
	}
	return rc ? rc : hf_file_sync_dir(f->dir);
}

void hf_ub_start_outs_close(struct hf_ub_start_file *f)
{
	for (size_t i = 0; i < f->n_outs; i++) {
		struct hf_ub_start_out *out = &f->outs[i];

		if (out->fd >= 0) {
			close(out->fd);
			unlinkat(f->dir, out->temp, 0);
		}
		if (out->lines)
			evbuffer_free(out->lines);
	}
	f->n_outs = 0;
	if (f->walk)
		f->a->base.host->walk_free(f->walk);
	f->walk = NULL;
	if (f->ptrs)
		evbuffer_free(f->ptrs);
	f->ptrs = NULL;
	f->n_ptrs = 0;
	if (f->dir >= 0)
		close(f->dir);
	f->dir = -1;
}
