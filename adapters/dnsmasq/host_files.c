/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/host_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/dnsmasq/hostsdir.h"
#include "adapters/dnsmasq/dnsmasq_signal.h"
#include "adapters/dnsmasq/addn_hosts.h"
#include "base/error.h"
#include "config/config.h"

struct hf_host_files {
	const struct hf_config_dnsmasq *d; /* borrowed */
	struct hf_record_table *table;     /* owned */
	struct hf_hostsdir *shards;        /* owned; or */
	struct hf_addn_hosts *single;      /* owned */
	char what[512];
};

int hf_host_files_new(const struct hf_config_dnsmasq *d, struct hf_host_files **ret_files)
{
	struct hf_host_files *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return -ENOMEM;
	f->d = d;
	rc = hf_record_table_new(d->hostsdir ? HF_HOSTSDIR_FILES : 1, &f->table);
	if (!rc && d->hostsdir)
		rc = hf_hostsdir_new(d->hostsdir, f->table, &f->shards);
	else if (!rc)
		rc = hf_addn_hosts_new(d->hosts_file, f->table, &f->single);
	snprintf(f->what, sizeof(f->what), "the %s %s", d->hostsdir ? "folder" : "file",
	    d->hostsdir ? d->hostsdir : d->hosts_file);
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
	return f->shards ? HF_HOSTSDIR_FILES : 1;
}

const char *hf_host_files_what(const struct hf_host_files *f)
{
	return f->what;
}

int hf_host_files_open(struct hf_host_files *f, char *ret_why, size_t why_size)
{
	return f->shards ? hf_hostsdir_open(f->shards, ret_why, why_size)
			 : hf_addn_hosts_open(f->single, ret_why, why_size);
}

void hf_host_files_sweep(struct hf_host_files *f)
{
	if (f->shards)
		hf_hostsdir_sweep(f->shards);
	else
		hf_addn_hosts_sweep(f->single);
}

static int host_files_explain(
    const struct hf_host_files *f, unsigned i, int rc, char *why, size_t size)
{
	char name[HF_HOSTSDIR_FILE_NAME_MAX] = "";

	if (f->shards)
		hf_hostsdir_file_name(i, name);
	if (rc == HF_EREFUSED)
		snprintf(why, size,
		    "%s%s%s was not written by Holdfast, which does not write over it: move it away",
		    f->what, f->shards ? ": its file " : "", name);
	else if (rc < 0)
		snprintf(why, size, "%s%s%s: %s", f->what, f->shards ? ", file " : "", name,
		    hf_strerror(rc));
	return rc;
}

int hf_host_files_load(struct hf_host_files *f, unsigned i, char *ret_why, size_t why_size)
{
	int rc = f->shards ? hf_hostsdir_load(f->shards, i) : hf_addn_hosts_load(f->single);

	return host_files_explain(f, i, rc, ret_why, why_size);
}

int hf_host_files_peek(const struct hf_host_files *f, unsigned i, struct hf_record_table *ret_table)
{
	return f->shards ? hf_hostsdir_peek(f->shards, i, ret_table)
			 : hf_addn_hosts_peek(f->single, ret_table);
}

int hf_host_files_write(struct hf_host_files *f, unsigned i, char *ret_why, size_t why_size)
{
	int rc;

	if (f->shards)
		return host_files_explain(f, i, hf_hostsdir_write(f->shards, i), ret_why, why_size);
	/* Its folder may be another one by now. */
	rc = hf_addn_hosts_open(f->single, ret_why, why_size);
	if (rc)
		return rc;
	rc = hf_addn_hosts_write(f->single);
	if (rc || !f->d->pid_file)
		return host_files_explain(f, i, rc, ret_why, why_size);
	rc = hf_dnsmasq_hup(f->d->pid_file, ret_why, why_size);
	/* One that does not run reads the file when it starts. */
	return rc == -ESRCH || rc == -ENOENT ? 0 : rc;
}

int hf_host_files_sync(struct hf_host_files *f, unsigned i)
{
	return f->shards ? hf_hostsdir_sync(f->shards, i) : 0;
}

int hf_host_files_sync_folder(struct hf_host_files *f)
{
	return f->shards ? hf_hostsdir_sync_folder(f->shards) : 0;
}

bool hf_host_files_changed(const struct hf_host_files *f, unsigned i)
{
	return f->shards ? hf_hostsdir_changed(f->shards, i) : hf_addn_hosts_changed(f->single);
}

bool hf_host_files_blocked(const struct hf_host_files *f, unsigned i)
{
	return f->shards && hf_hostsdir_blocked(f->shards, i);
}

bool hf_host_files_replaced(const struct hf_host_files *f)
{
	return f->shards && hf_hostsdir_replaced(f->shards);
}

int hf_host_files_foreign(const struct hf_host_files *f, char *ret_name)
{
	return f->shards ? hf_hostsdir_foreign(f->shards, ret_name) : 0;
}
