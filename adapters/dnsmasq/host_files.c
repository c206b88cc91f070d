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

struct hf_hostfiles {
	const struct hf_config_dnsmasq *d; /* borrowed */
	struct hf_table *table;            /* owned */
	struct hf_shards *shards;          /* owned; or */
	struct hf_single *single;          /* owned */
	char what[512];
};

int hf_hostfiles_new(const struct hf_config_dnsmasq *d, struct hf_hostfiles **ret_files)
{
	struct hf_hostfiles *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return -ENOMEM;
	f->d = d;
	rc = hf_table_new(d->hostsdir ? HF_SHARDS : 1, &f->table);
	if (!rc && d->hostsdir)
		rc = hf_shards_new(d->hostsdir, f->table, &f->shards);
	else if (!rc)
		rc = hf_single_new(d->hosts_file, f->table, &f->single);
	snprintf(f->what, sizeof(f->what), "the %s %s", d->hostsdir ? "folder" : "file",
	    d->hostsdir ? d->hostsdir : d->hosts_file);
	if (rc)
		hf_hostfiles_free(f);
	else
		*ret_files = f;
	return rc;
}

void hf_hostfiles_free(struct hf_hostfiles *f)
{
	if (!f)
		return;
	hf_shards_free(f->shards);
	hf_single_free(f->single);
	hf_table_free(f->table);
	free(f);
}

struct hf_table *hf_hostfiles_table(const struct hf_hostfiles *f)
{
	return f->table;
}

unsigned hf_hostfiles_count(const struct hf_hostfiles *f)
{
	return f->shards ? HF_SHARDS : 1;
}

const char *hf_hostfiles_what(const struct hf_hostfiles *f)
{
	return f->what;
}

int hf_hostfiles_open(struct hf_hostfiles *f, char *ret_why, size_t why_size)
{
	return f->shards ? hf_shards_open(f->shards, ret_why, why_size)
			 : hf_single_open(f->single, ret_why, why_size);
}

void hf_hostfiles_sweep(struct hf_hostfiles *f)
{
	if (f->shards)
		hf_shards_sweep(f->shards);
	else
		hf_single_sweep(f->single);
}

static int explain(const struct hf_hostfiles *f, unsigned i, int rc, char *why, size_t size)
{
	char name[HF_SHARD_NAME_MAX] = "";

	if (f->shards)
		hf_shard_name(i, name);
	if (rc == HF_EREFUSED)
		snprintf(why, size,
		    "%s%s%s was not written by Holdfast, which does not write over it: move it "
		    "away",
		    f->what, f->shards ? ": its file " : "", name);
	else if (rc < 0)
		snprintf(why, size, "%s%s%s: %s", f->what, f->shards ? ", file " : "", name,
		    hf_strerror(rc));
	return rc;
}

int hf_hostfiles_load(struct hf_hostfiles *f, unsigned i, char *ret_why, size_t why_size)
{
	int rc = f->shards ? hf_shards_load(f->shards, i) : hf_single_load(f->single);

	return explain(f, i, rc, ret_why, why_size);
}

int hf_hostfiles_write(struct hf_hostfiles *f, unsigned i, char *ret_why, size_t why_size)
{
	int rc;

	if (f->shards)
		return explain(f, i, hf_shards_write(f->shards, i), ret_why, why_size);
	/* Its folder may be another one by now. */
	rc = hf_single_open(f->single, ret_why, why_size);
	if (rc)
		return rc;
	rc = hf_single_write(f->single);
	if (rc || !f->d->pid_file)
		return explain(f, i, rc, ret_why, why_size);
	rc = hf_dnsmasq_hup(f->d->pid_file, ret_why, why_size);
	/* One that does not run reads the file when it starts. */
	return rc == -ESRCH || rc == -ENOENT ? 0 : rc;
}

int hf_hostfiles_sync(struct hf_hostfiles *f, unsigned i)
{
	return f->shards ? hf_shards_sync(f->shards, i) : 0;
}

int hf_hostfiles_sync_folder(struct hf_hostfiles *f)
{
	return f->shards ? hf_shards_sync_folder(f->shards) : 0;
}

bool hf_hostfiles_changed(const struct hf_hostfiles *f, unsigned i)
{
	return f->shards ? hf_shards_changed(f->shards, i) : hf_single_changed(f->single);
}

bool hf_hostfiles_blocked(const struct hf_hostfiles *f, unsigned i)
{
	return f->shards && hf_shards_blocked(f->shards, i);
}

bool hf_hostfiles_replaced(const struct hf_hostfiles *f)
{
	return f->shards && hf_shards_replaced(f->shards);
}

int hf_hostfiles_foreign(const struct hf_hostfiles *f, char *ret_name)
{
	return f->shards ? hf_shards_foreign(f->shards, ret_name) : 0;
}
