/*
 * The files that the configuration names: what is there must be safe, and for --check it must be
 * there.
 */
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "config/check.h"
#include "config/errors.h"
#include "config/secret.h"

struct files {
	const struct hf_node *root;
	struct hf_config_errors *errors;
	bool all; /* what is not there is told, too */
	size_t source;
};

static void problem(const struct files *f, const char *key, const char *file, const char *text)
{
	char path[64];
	const struct hf_node *at;

	snprintf(path, sizeof(path), "sources[%zu].%s", f->source, key);
	at = hf_tree_find(f->root, path);
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
	problem(f, key, file, why[0] ? why : hf_strerror(fd));
	return false;
}

static void check_program(const struct files *f, const struct hf_config_source *s)
{
	const char *program = s->header_command.n ? s->header_command.at[0] : NULL;

	if (check_file(f, "header-command", program, HF_FILE_OWN | HF_FILE_NO_OTHER_WRITE) &&
	    program && f->all && access(program, X_OK) < 0)
		problem(f, "header-command", program, "it cannot be run; chmod +x it");
}

static void check_token(const struct files *f, const struct hf_config_source *s, bool sole)
{
	unsigned checks = HF_FILE_OWN | HF_FILE_NO_OTHER_READ | HF_FILE_NO_SYMLINK;
	char why[HF_SECRET_WHY_MAX];
	struct hf_token token;

	if (!s->token_file || !check_file(f, "token-file", s->token_file, checks) || !f->all)
		return;
	if (hf_secret_token(s, s->url ? s->url : "", sole, &token, why))
		problem(f, "token-file", "", why);
	else
		hf_token_wipe(&token);
}

static void check_source(const struct files *f, const struct hf_config_source *s, bool sole)
{
	check_token(f, s, sole);
	/* Who may write these says whom we trust; who may read that one may be us. */
	check_file(f, "ca-file", s->ca_file, HF_FILE_OWN | HF_FILE_NO_OTHER_WRITE);
	check_file(f, "client-cert", s->client_cert, 0);
	check_file(f, "client-key", s->client_key, HF_FILE_OWN | HF_FILE_NO_OTHER_READ);
	check_program(f, s);
}

static void check_group(const struct files *f, const char *key, const char *group)
{
	const struct hf_node *at = hf_tree_find(f->root, key);

	if (group && !getgrnam(group))
		hf_config_errors_add(f->errors, at ? at->line : 0, at ? at->column : 0, key,
		    "there is no group '%s' on this system", group);
}

void hf_config_check_files(const struct hf_config *c, const struct hf_node *root, unsigned flags,
    struct hf_config_errors *errors)
{
	struct files f = { .root = root, .errors = errors, .all = flags & HF_CONFIG_FILES_ALL };

	for (f.source = 0; f.source < c->sources.n; f.source++)
		check_source(&f, &c->sources.at[f.source], c->sources.n == 1);
	if (f.all) {
		check_group(&f, "control-group", c->control_group);
		check_group(&f, "read-group", c->read_group);
	}
}
