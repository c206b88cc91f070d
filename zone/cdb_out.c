/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/cdb_out.h"

#include <cdb.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "zone/cdb_in.h"
#include "zone/writer_folder.h"

enum { TOC_LEN = 2048 };

struct hf_cdb_out {
	const struct hf_folder *folder; /* borrowed */
	char name[HF_FMT_FILE_NAME_MAX];
	int fd;
	struct cdb_make make;
	uint64_t size; /* that the file will have */
	uint64_t size_max;
};

int hf_cdb_out_begin(const struct hf_folder *folder, const char *name, uint64_t size_max,
    struct hf_cdb_out **ret_out)
{
	struct hf_cdb_out *o = calloc(1, sizeof(*o));
	int rc;

	if (!o)
		return -ENOMEM;
	o->folder = folder;
	o->size = TOC_LEN;
	o->size_max = size_max;
	snprintf(o->name, sizeof(o->name), "%s", name);
	o->fd = hf_folder_create(folder, o->name);
	rc = o->fd;
	if (rc >= 0 && cdb_make_start(&o->make, o->fd) < 0) {
		rc = -errno;
		hf_folder_discard(folder, o->name, o->fd);
	}
	if (rc < 0) {
		free(o);
		return rc;
	}
	*ret_out = o;
	return 0;
}

int hf_cdb_out_add(struct hf_cdb_out *o, const uint8_t *key, size_t key_len, const uint8_t *value,
    size_t value_len)
{
	uint64_t size = o->size + key_len + value_len + HF_CDB_RECORD_COST;

	if (size > o->size_max)
		return HF_ELIMIT;
	if (cdb_make_add(&o->make, key, (unsigned)key_len, value, (unsigned)value_len) < 0)
		return -errno;
	o->size = size;
	return 0;
}

int hf_cdb_out_add_settings(struct hf_cdb_out *o, const struct hf_fmt_settings *s)
{
	int rc = hf_cdb_out_add(o, hf_fmt_meta_key, HF_FMT_META_KEY_LEN, s->meta, s->meta_len);

	if (!rc && s->identity_len)
		rc = hf_cdb_out_add(
		    o, hf_fmt_identity_key, HF_FMT_META_KEY_LEN, s->identity, s->identity_len);
	if (!rc && s->urls_len)
		rc = hf_cdb_out_add(o, hf_fmt_urls_key, HF_FMT_META_KEY_LEN, s->urls, s->urls_len);
	return rc;
}

int hf_cdb_out_commit(struct hf_cdb_out *o, struct hf_fmt_file *ret_file)
{
	struct hf_fmt_file file = { .size = 0 };
	int rc = cdb_make_finish(&o->make) < 0 ? -errno : 0;

	if (!rc)
		rc = hf_cdb_in_measure(o->fd, &file);
	if (rc)
		hf_folder_discard(o->folder, o->name, o->fd);
	else
		rc = hf_folder_finish(o->folder, o->name, o->fd);
	if (!rc) {
		rc = hf_folder_rename(o->folder, o->name);
		if (rc)
			hf_folder_discard(o->folder, o->name, -1);
	}
	if (!rc) {
		memcpy(file.name, o->name, sizeof(file.name));
		*ret_file = file;
	}
	free(o);
	return rc;
}

void hf_cdb_out_abort(struct hf_cdb_out *o)
{
	if (!o)
		return;
	cdb_make_finish(&o->make); /* the only way to have its memory back */
	hf_folder_discard(o->folder, o->name, o->fd);
	free(o);
}
