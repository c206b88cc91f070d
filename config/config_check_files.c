/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that the configuration names: what is there must be safe, and for --check it must be
 * there.
 */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "config/config_check.h"
#include "config/config_errors.h"
#include "config/secret.h"

struct files {
	const struct hf_node *root;
	struct hf_config_errors *errors;
	bool all;         /* what is not there is told, too */
	const char *list; /* "sources", "adapters" */
	size_t entry;
};

static void file_problem(const struct files *f, const char *key, const char *file, const char *text)
{
	char path[64];
	const struct hf_node *at;

	snprintf(path, sizeof(path), "%s[%zu].%s", f->list, f->entry, key);
	at = hf_yaml_tree_find(f->root, path);
	hf_config_errors_add(f->errors, at ? at->line : 0, at ? at->column : 0, path, "%s%s%s",
	    file, *file ? ": " : "", text);
}

/* True if it may be used, or if whether it may is none of our business now. */
static bool check_file(const struct files *f, const char *key, const char *file, unsigned checks)
{
	char why[HF_SECRET_WHY_MAX] = "";
	int fd;

	if (!file)
		return true;
	fd = hf_file_open_checked(file, checks, why, sizeof(why));
	if (fd >= 0) {
		close(fd);
		return true;
	}
	if (fd != HF_EUNSAFE && !f->all)
		return true;
	file_problem(f, key, file, why[0] ? why : hf_strerror(fd));
	return false;
}

static void check_program(const struct files *f, const char *key, const struct hf_strings *command)
{
	const char *program = command->n ? command->at[0] : NULL;

	if (check_file(f, key, program, HF_FILE_OWN | HF_FILE_NO_OTHER_WRITE) && program &&
	    f->all && access(program, X_OK) < 0)
		file_problem(f, key, program, "it cannot be run; chmod +x it");
}

static void check_token(const struct files *f, const struct hf_config_source *s, bool sole)
{
	unsigned checks = HF_FILE_OWN | HF_FILE_NO_OTHER_READ | HF_FILE_NO_SYMLINK;
	char why[HF_SECRET_WHY_MAX];
	struct hf_token token;

	if (!s->token_file || !check_file(f, "token-file", s->token_file, checks) || !f->all)
		return;
	if (hf_secret_token(s, s->url ? s->url : "", sole, &token, why))
		file_problem(f, "token-file", "", why);
	else
		hf_secret_wipe(&token);
}

static void check_source_files(const struct files *f, const struct hf_config_source *s, bool sole)
{
	check_token(f, s, sole);
	/* Who may write these says whom we trust; who may read that one may be us. */
	check_file(f, "ca-file", s->ca_file, HF_FILE_OWN | HF_FILE_NO_OTHER_WRITE);
	check_file(f, "client-cert", s->client_cert, 0);
	check_file(f, "client-key", s->client_key, HF_FILE_OWN | HF_FILE_NO_OTHER_READ);
	check_program(f, "header-command", &s->header_command);
}

/* --- adapters: what they write to --- */

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void check_target_folder(const struct files *f, const char *key, const char *path)
{
	if (!is_folder(path))
		file_problem(
		    f, key, path, "there is no such folder; make it, for the bridge to write to");
	else if (access(path, W_OK | X_OK) < 0)
		file_problem(
		    f, key, path, "the bridge may not write there; chown it to the bridge's user");
}

/*
 * It is replaced by rename, so that its folder counts; where that is not possible it is written
 * itself.
 */
static void check_written(const struct files *f, const char *key, const char *path)
{
	char folder[PATH_MAX];
	char *slash;

	if (!path)
		return;
	if (is_folder(path)) {
		file_problem(f, key, path, "this is a folder, and has to be a file");
		return;
	}
	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (!slash || access(path, W_OK) == 0)
		return;
	slash[slash == folder] = '\0';
	check_target_folder(f, key, folder);
}

/* One that is not there comes with its resolver. */
static void check_socket(const struct files *f, const char *key, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return;
	if (!S_ISSOCK(st.st_mode))
		file_problem(f, key, path, "this is no socket");
	else if (access(path, W_OK) < 0)
		file_problem(f, key, path,
		    "the bridge may not use it; put the bridge's user into the socket's group");
}

static void check_adapter_files(const struct files *f, const struct hf_config_adapter *a)
{
	switch (a->kind) {
	case HF_ADAPTER_UNBOUND:
		if (f->all) {
			check_socket(f, "control", a->unbound.control);
			check_written(f, "start-file", a->unbound.start_file);
		}
		break;
	case HF_ADAPTER_DNSMASQ:
		if (f->all && a->dnsmasq.hostsdir)
			check_target_folder(f, "hostsdir", a->dnsmasq.hostsdir);
		if (f->all)
			check_written(f, "hosts-file", a->dnsmasq.hosts_file);
		break;
	case HF_ADAPTER_HOSTS:
		if (f->all)
			check_written(f, "path", a->hosts.path);
		break;
	case HF_ADAPTER_HOOK:
		check_program(f, "command", &a->hook.command);
		break;
	}
}

static void check_group(const struct files *f, const char *key, const char *group)
{
	const struct hf_node *at = hf_yaml_tree_find(f->root, key);

	if (group && !getgrnam(group))
		hf_config_errors_add(f->errors, at ? at->line : 0, at ? at->column : 0, key,
		    "there is no group '%s' on this system", group);
}

void hf_config_check_files(const struct hf_config *c, const struct hf_node *root, unsigned flags,
    struct hf_config_errors *errors)
{
	struct files f = { .root = root, .errors = errors, .all = flags & HF_CONFIG_FILES_ALL };

	f.list = "sources";
	for (f.entry = 0; f.entry < c->sources.n; f.entry++)
		check_source_files(&f, &c->sources.at[f.entry], c->sources.n == 1);
	f.list = "adapters";
	for (f.entry = 0; f.entry < c->adapters.n; f.entry++)
		check_adapter_files(&f, &c->adapters.at[f.entry]);
	if (f.all) {
		check_group(&f, "control-group", c->control_group);
		check_group(&f, "read-group", c->read_group);
	}
}
