/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor and setup of the hosts adapter.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/hosts/hosts_private.h"
#include "adapters/hosts/hosts_read.h"
#include "adapters/hosts_line.h"
#include "base/error.h"
#include "base/file.h"

static const char system_hosts[] = "/etc/hosts";

/* Whether this process may give a file of its own to whomever it likes: CAP_CHOWN. */
static bool may_chown(void)
{
	unsigned long long effective = 0;
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "CapEff: %llx", &effective) == 1)
			break;
	if (f)
		fclose(f);
	return effective & 1;
}

static bool has_group(gid_t gid)
{
	gid_t groups[NGROUPS_MAX];
	int n = getgroups(NGROUPS_MAX, groups);

	for (int i = 0; i < n; i++)
		if (groups[i] == gid)
			return true;
	return gid == getegid();
}

/* A new file would have the owner and the group of the old one. */
static bool keeps_owner(const struct stat *st)
{
	return (st->st_uid == geteuid() && has_group(st->st_gid)) || may_chown();
}

/* In a folder as /tmp only who owns the file may replace it. */
static bool may_unlink(const struct stat *folder, const struct stat *st)
{
	return !(folder->st_mode & S_ISVTX) || !geteuid() || folder->st_uid == geteuid() ||
	       st->st_uid == geteuid();
}

struct hosts_rights {
	bool exists, folder, file; /* the last two: may be written */
	bool owner;                /* can be kept */
	bool replaced;             /* can be, by rename */
	struct stat st;
};

static void look_at_rights(const char *path, struct hosts_rights *r)
{
	char copy[PATH_MAX];
	struct stat folder = { 0 };
	const char *up;

	snprintf(copy, sizeof(copy), "%s", path);
	up = dirname(copy);
	memset(r, 0, sizeof(*r));
	r->exists = !stat(path, &r->st);
	r->folder = !faccessat(AT_FDCWD, up, W_OK | X_OK, AT_EACCESS) && !stat(up, &folder);
	r->file = !faccessat(AT_FDCWD, path, W_OK, AT_EACCESS);
	r->owner = !r->exists || keeps_owner(&r->st);
	r->replaced = r->folder && r->owner &&
		      (!r->exists || (r->st.st_nlink == 1 && may_unlink(&folder, &r->st)));
}

static void check_rights(struct hf_hosts *h)
{
	const char *path = h->conf->path;
	char line[PATH_MAX + 32];
	struct hosts_rights r;

	look_at_rights(path, &r);
	snprintf(line, sizeof(line), "chown %u %.4000s", (unsigned)geteuid(), path);
	if (r.replaced)
		hf_adapter_found(&h->base, HF_FINDING_GOOD, "", "%s can be replaced", path);
	else if (r.file)
		hf_adapter_found(&h->base, HF_FINDING_NOTE, "",
		    "%s can only be written in place: readers may see it half written", path);
	else if (r.folder && strcmp(path, system_hosts))
		hf_adapter_found(&h->base, HF_FINDING_BAD, line,
		    "user %u may not write %s, and a new file in its place could not have its owner (user %u, group %u)",
		    (unsigned)geteuid(), path, (unsigned)r.st.st_uid, (unsigned)r.st.st_gid);
	else
		hf_adapter_found(&h->base, HF_FINDING_BAD,
		    "systemctl enable --now holdfast-hosts.path",
		    "user %u may not write %s: let the adapter write a file of its own, which holdfast-hosts.path copies into it",
		    (unsigned)geteuid(), path);
	if (r.exists && !(r.st.st_mode & 0004))
		hf_adapter_found(&h->base, HF_FINDING_BAD, "chmod o+r",
		    "%s may not be read by others (mode %04o)", path, r.st.st_mode & 07777);
}

static void check_content(struct hf_hosts *h)
{
	struct hf_hosts_foreign *foreign;
	struct hf_record_table *table;
	char why[WHY_MAX] = "";
	size_t n;

	if (hf_hosts_read(h->conf->path, &table, &foreign, why, sizeof(why))) {
		hf_adapter_found(&h->base, HF_FINDING_BAD, "", "%s", why);
		return;
	}
	n = hf_record_table_count(table);
	hf_adapter_found(&h->base,
	    n < (size_t)h->conf->max_names ? HF_FINDING_GOOD : HF_FINDING_BAD,
	    n < (size_t)h->conf->max_names ? "" : "max-names, or a resolver",
	    "its block has %zu names, of at most %lld", n, (long long)h->conf->max_names);
	hf_record_table_free(table);
	hf_hosts_foreign_free(foreign);
}

/* Whether programs of this machine look into hosts files at all. */
static void check_switch(struct hf_hosts *h)
{
	uint8_t *bytes;
	const char *at, *end, *line;
	bool files = false;
	size_t len;

	if (strcmp(h->conf->path, system_hosts) ||
	    hf_file_read(AT_FDCWD, "/etc/nsswitch.conf", 65536, &bytes, &len))
		return;
	at = (char *)bytes;
	end = at + len;
	while (hf_hosts_line_next(&at, end, &line, &len)) {
		char word[64];
		const char *stop = line + len;

		if (hf_hosts_line_word(&line, stop, word, sizeof(word)) != 1 ||
		    strcmp(word, "hosts:"))
			continue;
		while (hf_hosts_line_word(&line, stop, word, sizeof(word)) == 1)
			files |= !strcmp(word, "files");
	}
	free(bytes);
	hf_adapter_found(&h->base, files ? HF_FINDING_GOOD : HF_FINDING_BAD,
	    files ? "" : "/etc/nsswitch.conf: hosts: files dns",
	    "programs of this machine %s /etc/hosts", files ? "look into" : "do not look into");
}

void hf_hosts_doctor(struct hf_adapter *a)
{
	struct hf_hosts *h = hf_hosts_of(a);

	check_rights(h);
	check_content(h);
	check_switch(h);
	a->host->examined(a->host->arg);
}

void hf_hosts_setup(
    const struct hf_config *config, const struct hf_config_adapter *adapter, FILE *out)
{
	const char *path = adapter->hosts.path;

	fprintf(out,
	    "# Nothing is needed in %s: the adapter makes its block between\n"
	    "# '# BEGIN HOLDFAST' and '# END HOLDFAST', and takes no other line.\n",
	    path);
	if (strcmp(path, system_hosts))
		return;
	fputs("# The bridge's user may not write it. Let the adapter write a file of its own:\n"
	      "#   adapters: [{ type: hosts, path: /var/lib/holdfast/hosts/hosts }]\n"
	      "# and let a unit with no other right copy its block:\n"
	      "install -d -m 0750 -o holdfast /var/lib/holdfast/hosts\n"
	      "systemctl enable --now holdfast-hosts.path\n",
	    out);
}
