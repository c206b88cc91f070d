/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/host_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/dnsmasq/dnsmasq_signal.h"
#include "base/error.h"
#include "config/config.h"

/* What both forms do, each in its way. NULL: there is nothing to do, or it is never so. */
struct host_files_form {
	const char *noun;
	unsigned n_files;
	const char *(*path)(const struct hf_config_dnsmasq *d);
	int (*make)(struct hf_host_files *f);
	int (*open)(struct hf_host_files *f, char *why, size_t size);
	void (*sweep)(struct hf_host_files *f);
	int (*load)(struct hf_host_files *f, unsigned i);
	int (*peek)(const struct hf_host_files *f, unsigned i, struct hf_record_table *table);
	/* `why` is filled in where the code alone does not say it. */
	int (*write)(struct hf_host_files *f, unsigned i, char *why, size_t size);
	int (*sync)(struct hf_host_files *f, unsigned i);
	int (*sync_folder)(struct hf_host_files *f);
	bool (*changed)(const struct hf_host_files *f, unsigned i);
	bool (*blocked)(const struct hf_host_files *f, unsigned i);
	bool (*replaced)(const struct hf_host_files *f);
	int (*foreign)(const struct hf_host_files *f, char *name);
};

struct hf_host_files {
	const struct host_files_form *form;
	const struct hf_config_dnsmasq *d; /* borrowed */
	struct hf_record_table *table;     /* owned */
	struct hf_hostsdir *shards;        /* owned; or */
	struct hf_addn_hosts *single;      /* owned */
	char what[512];
};

static int host_files_explain(
    const struct hf_host_files *f, unsigned i, int rc, char *why, size_t size)
{
	char name[HF_HOSTSDIR_FILE_NAME_MAX];
	bool many = f->form->n_files > 1;

	hf_host_files_name(f, i, name);
	if (rc == HF_EREFUSED)
		snprintf(why, size,
		    "%s%s%s was not written by Holdfast, which does not write over it: move it away",
		    f->what, many ? ": its file " : "", many ? name : "");
	else if (rc < 0)
		snprintf(why, size, "%s%s%s: %s", f->what, many ? ", file " : "", many ? name : "",
		    hf_strerror(rc));
	return rc;
}

/* --- a hostsdir --- */

static const char *shards_path(const struct hf_config_dnsmasq *d)
{
	return d->hostsdir;
}

static int shards_make(struct hf_host_files *f)
{
	return hf_hostsdir_new(f->d->hostsdir, f->table, &f->shards);
}

static int shards_open(struct hf_host_files *f, char *why, size_t size)
{
	return hf_hostsdir_open(f->shards, why, size);
}

static void shards_sweep(struct hf_host_files *f)
{
	hf_hostsdir_sweep(f->shards);
}

static int shards_load(struct hf_host_files *f, unsigned i)
{
	return hf_hostsdir_load(f->shards, i);
}

static int shards_peek(const struct hf_host_files *f, unsigned i, struct hf_record_table *table)
{
	return hf_hostsdir_peek(f->shards, i, table);
}

static int shards_write(struct hf_host_files *f, unsigned i, char *why, size_t size)
{
	return host_files_explain(f, i, hf_hostsdir_write(f->shards, i), why, size);
}

static int shards_sync(struct hf_host_files *f, unsigned i)
{
	return hf_hostsdir_sync(f->shards, i);
}

static int shards_sync_folder(struct hf_host_files *f)
{
	return hf_hostsdir_sync_folder(f->shards);
}

static bool shards_changed(const struct hf_host_files *f, unsigned i)
{
	return hf_hostsdir_changed(f->shards, i);
}

static bool shards_blocked(const struct hf_host_files *f, unsigned i)
{
	return hf_hostsdir_blocked(f->shards, i);
}

static bool shards_replaced(const struct hf_host_files *f)
{
	return hf_hostsdir_replaced(f->shards);
}

static int shards_foreign(const struct hf_host_files *f, char *name)
{
	return hf_hostsdir_foreign(f->shards, name);
}

static const struct host_files_form hostsdir_form = {
	.noun = "folder",
	.n_files = HF_HOSTSDIR_FILES,
	.path = shards_path,
	.make = shards_make,
	.open = shards_open,
	.sweep = shards_sweep,
	.load = shards_load,
	.peek = shards_peek,
	.write = shards_write,
	.sync = shards_sync,
	.sync_folder = shards_sync_folder,
	.changed = shards_changed,
	.blocked = shards_blocked,
	.replaced = shards_replaced,
	.foreign = shards_foreign,
};

/* --- an addn-hosts file: durable when it is written, and dnsmasq is told --- */

static const char *single_path(const struct hf_config_dnsmasq *d)
{
	return d->hosts_file;
}

static int single_make(struct hf_host_files *f)
{
	return hf_addn_hosts_new(f->d->hosts_file, f->table, &f->single);
}

static int single_open(struct hf_host_files *f, char *why, size_t size)
{
	return hf_addn_hosts_open(f->single, why, size);
}

static void single_sweep(struct hf_host_files *f)
{
	hf_addn_hosts_sweep(f->single);
}

static int single_load(struct hf_host_files *f, unsigned i)
{
	return hf_addn_hosts_load(f->single);
}

static int single_peek(const struct hf_host_files *f, unsigned i, struct hf_record_table *table)
{
	return hf_addn_hosts_peek(f->single, table);
}

static int single_write(struct hf_host_files *f, unsigned i, char *why, size_t size)
{
	/* Its folder may be another one by now. */
	int rc = hf_addn_hosts_open(f->single, why, size);

	if (rc)
		return rc;
	rc = hf_addn_hosts_write(f->single);
	if (rc || !f->d->pid_file)
		return host_files_explain(f, i, rc, why, size);
	rc = hf_dnsmasq_hup(f->d->pid_file, why, size);
	/* One that does not run reads the file when it starts. */
	return rc == -ESRCH || rc == -ENOENT ? 0 : rc;
}

static bool single_changed(const struct hf_host_files *f, unsigned i)
{
	return hf_addn_hosts_changed(f->single);
}

static const struct host_files_form addn_hosts_form = {
	.noun = "file",
	.n_files = 1,
	.path = single_path,
	.make = single_make,
	.open = single_open,
	.sweep = single_sweep,
	.load = single_load,
	.peek = single_peek,
	.write = single_write,
	.changed = single_changed,
};

/* --- either --- */

int hf_host_files_new(const struct hf_config_dnsmasq *d, struct hf_host_files **ret_files)
{
	struct hf_host_files *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return -ENOMEM;
	f->d = d;
	f->form = d->hostsdir ? &hostsdir_form : &addn_hosts_form;
	rc = hf_record_table_new(f->form->n_files, &f->table);
	if (!rc)
		rc = f->form->make(f);
	snprintf(f->what, sizeof(f->what), "the %s %s", f->form->noun, f->form->path(d));
	if (rc)
		hf_host_files_free(f);
	else
		*ret_files = f;
	return rc;
}

void hf_host_files_free(struct hf_host_files *f)
{
	if (!f)
		return;
	hf_hostsdir_free(f->shards);
	hf_addn_hosts_free(f->single);
	hf_record_table_free(f->table);
	free(f);
}

struct hf_record_table *hf_host_files_table(const struct hf_host_files *f)
{
	return f->table;
}

unsigned hf_host_files_count(const struct hf_host_files *f)
{
	return f->form->n_files;
}

const char *hf_host_files_what(const struct hf_host_files *f)
{
	return f->what;
}

const char *hf_host_files_name(
    const struct hf_host_files *f, unsigned i, char out[static HF_HOSTSDIR_FILE_NAME_MAX])
{
	if (f->form->n_files > 1)
		return hf_hostsdir_file_name(i, out);
	snprintf(out, HF_HOSTSDIR_FILE_NAME_MAX, "it");
	return out;
}

int hf_host_files_open(struct hf_host_files *f, char *ret_why, size_t why_size)
{
	return f->form->open(f, ret_why, why_size);
}

void hf_host_files_sweep(struct hf_host_files *f)
{
	f->form->sweep(f);
}

int hf_host_files_load(struct hf_host_files *f, unsigned i, char *ret_why, size_t why_size)
{
	return host_files_explain(f, i, f->form->load(f, i), ret_why, why_size);
}

int hf_host_files_peek(const struct hf_host_files *f, unsigned i, struct hf_record_table *ret_table)
{
	return f->form->peek(f, i, ret_table);
}

int hf_host_files_write(struct hf_host_files *f, unsigned i, char *ret_why, size_t why_size)
{
	return f->form->write(f, i, ret_why, why_size);
}

int hf_host_files_sync(struct hf_host_files *f, unsigned i)
{
	return f->form->sync ? f->form->sync(f, i) : 0;
}

int hf_host_files_sync_folder(struct hf_host_files *f)
{
	return f->form->sync_folder ? f->form->sync_folder(f) : 0;
}

bool hf_host_files_changed(const struct hf_host_files *f, unsigned i)
{
	return f->form->changed(f, i);
}

bool hf_host_files_blocked(const struct hf_host_files *f, unsigned i)
{
	return f->form->blocked && f->form->blocked(f, i);
}

bool hf_host_files_replaced(const struct hf_host_files *f)
{
	return f->form->replaced && f->form->replaced(f);
}

int hf_host_files_foreign(const struct hf_host_files *f, char *ret_name)
{
	return f->form->foreign ? f->form->foreign(f, ret_name) : 0;
}
