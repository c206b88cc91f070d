/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept and reject: first what would happen, then the question, then the deed. Without a terminal
 * there is nobody to ask: then it takes --yes.
 */
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "bridge/ctl/ctl.h"
#include "bridge/ctl/row_text.h"

static bool decide_accepts(const struct hf_ctl *c)
{
	return c->o.command == CTL_ACCEPT;
}

static const char *decide_verb(const struct hf_ctl *c)
{
	return decide_accepts(c) ? "accept" : "reject";
}

static const char *preview_plural(long long n)
{
	return n == 1 ? "" : "s";
}

/* --- what would happen --- */

/* "alice (source main)", "source main" */
static void print_whom(const json_t *hold, FILE *out)
{
	const char *owner = hf_ctl_row_text(hold, "owner", NULL);

	if (owner)
		fprintf(out, "%s (source %s)", owner, hf_ctl_row_text(hold, "source", "?"));
	else
		fprintf(out, "source %s", hf_ctl_row_text(hold, "source", "?"));
}

static void print_hold(const json_t *hold, FILE *out)
{
	const char *kind = hf_ctl_row_text(hold, "kind", ""),
		   *detail = hf_ctl_row_text(hold, "detail", "no id");
	long long n = hf_ctl_row_number(hold, "workspaces");

	fputs("  ", out);
	print_whom(hold, out);
	if (!strcmp(kind, "suffix"))
		fprintf(out, ": Coder now says suffix '%s'", detail);
	else if (!strcmp(kind, "deployment"))
		fprintf(out, ": another Coder deployment answers, %s", detail);
	else if (!strcmp(kind, "restored"))
		fprintf(out, ": %lld name%s from the published zone, which Coder does not confirm",
		    n, preview_plural(n));
	else if (!strcmp(kind, "user"))
		fprintf(out, ": %s", hf_ctl_row_text(hold, "reason", ""));
	else
		fprintf(out, ": Coder no longer lists %lld workspace%s (%s)", n, preview_plural(n),
		    hf_ctl_row_text(hold, "reason", "?"));
	fputs(json_is_true(json_object_get(hold, "rejected")) ? "; rejected before\n" : "\n", out);
}

static void print_names(const json_t *names, long long all, FILE *out)
{
	size_t i;
	const json_t *name;

	json_array_foreach(names, i, name) fprintf(out, "    %s\n", json_string_value(name));
	if (all > (long long)json_array_size(names))
		fprintf(out, "    and %lld more\n", all - (long long)json_array_size(names));
}

static void print_preview(const struct hf_ctl *c, const json_t *p, FILE *out)
{
	long long removed = hf_ctl_row_number(p, "removed"),
		  renamed = hf_ctl_row_number(p, "renamed");
	long long workspaces = hf_ctl_row_number(p, "workspaces");
	const json_t *hold;
	size_t i;

	json_array_foreach(json_object_get(p, "held"), i, hold) print_hold(hold, out);
	if (!decide_accepts(c)) {
		fputs("rejecting keeps what there is, until Coder lists it again or you accept\n",
		    out);
		return;
	}
	if (removed)
		fprintf(out, "accepting removes %lld name%s:\n", removed, preview_plural(removed));
	if (renamed)
		fprintf(out, "accepting renames %lld name%s, that is all of this source:\n",
		    renamed, preview_plural(renamed));
	print_names(json_object_get(p, "names"), removed + renamed, out);
	if (json_is_true(json_object_get(p, "other_deployment")))
		fputs(
		    "accepting follows that deployment from now on; the names of the one before go by the guard's rules\n",
		    out);
	else if (!removed && !renamed && workspaces)
		fprintf(out, "accepting removes %lld workspace%s without names\n", workspaces,
		    preview_plural(workspaces));
}

/* --- what was done --- */

static void print_done(const struct hf_ctl *c, const json_t *p)
{
	const json_t *held = json_object_get(p, "held"), *first = json_array_get(held, 0);
	long long removed = hf_ctl_row_number(p, "removed"),
		  renamed = hf_ctl_row_number(p, "renamed");

	printf("%sed: ", decide_verb(c));
	if (!decide_accepts(c))
		fputs("the names of ", stdout);
	else if (renamed)
		printf("%lld name%s of ", renamed, preview_plural(renamed));
	else if (json_is_true(json_object_get(p, "other_deployment")))
		fputs("the other deployment of ", stdout);
	else
		printf("%lld name%s of ", removed, preview_plural(removed));
	if (json_array_size(held) == 1)
		print_whom(first, stdout);
	else
		printf("%zu decisions (source %s)", json_array_size(held),
		    hf_ctl_row_text(p, "source", "?"));
	puts(!decide_accepts(c)                                     ? " are kept"
	     : renamed                                              ? " renamed"
	     : json_is_true(json_object_get(p, "other_deployment")) ? " is followed"
								    : " removed");
}

/* --- asking --- */

static json_t *request_of(const struct hf_ctl *c, const char *command)
{
	return json_pack("{s:s, s:s, s:s?, s:s?, s:s?}", "command", command, "decision",
	    decide_verb(c), "source", c->o.source, "owner", c->o.owner, "what", c->o.what);
}

/* What was typed, and more: "holdfastctl accept main alice --yes". */
static void decide_print_command(const struct hf_ctl *c, const char *more, FILE *out)
{
	fprintf(out, "holdfastctl %s", decide_verb(c));
	if (c->o.source)
		fprintf(out, " %s", c->o.source);
	if (c->o.owner)
		fprintf(out, " %s", c->o.owner);
	if (c->o.what)
		fprintf(out, " --%s", c->o.what);
	fprintf(out, " %s\n", more);
}

static int nothing_waits(const struct hf_ctl *c, const json_t *p)
{
	const json_t *others = json_object_get(p, "others"), *command;
	size_t i;

	if (c->o.json) {
		hf_ctl_print_json(p);
		return HF_EXIT_DEGRADED;
	}
	puts(json_array_size(others) ? "no removal waits for a decision; what waits is decided by:"
				     : "nothing waits for a decision");
	json_array_foreach(others, i, command) printf("  %s\n", json_string_value(command));
	return HF_EXIT_DEGRADED;
}

static bool is_yes(void)
{
	char line[16];

	fflush(stdout);
	return fgets(line, sizeof(line), stdin) &&
	       (!strcasecmp(line, "y\n") || !strcasecmp(line, "yes\n"));
}

/* 0: go on; else the exit status, with nothing done. */
static int decide_confirm(struct hf_ctl *c, const json_t *p)
{
	bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !c->o.json;

	if (c->o.yes && !c->o.dry_run)
		return 0;
	if (c->o.json)
		hf_ctl_print_json(p);
	else
		print_preview(c, p, stdout);
	if (c->o.dry_run)
		return -1;
	if (!terminal) {
		fputs("holdfastctl: nothing was done: there is no terminal to ask on; to do it: ",
		    stderr);
		decide_print_command(c, "--yes", stderr);
		return HF_EXIT_USAGE;
	}
	printf("%s? [y/N] ", decide_accepts(c) ? "accept" : "reject");
	if (is_yes())
		return 0;
	puts("nothing was done");
	return HF_EXIT_DEGRADED;
}

static int decide_send(struct hf_ctl *c, json_t *p)
{
	json_t *request = request_of(c, decide_verb(c));
	int rc;

	json_object_set(request, "ticket", json_object_get(p, "ticket"));
	rc = hf_ctl_client_ask(c->socket, request, hf_ctl_keep, c, c->why);
	if (rc)
		return hf_ctl_failed(c, rc);
	if (!hf_ctl_row_number(c->kept, "settled"))
		return nothing_waits(c, p);
	if (c->o.json) {
		json_object_update_missing(c->kept, p);
		hf_ctl_print_json(c->kept);
	} else {
		print_done(c, p);
	}
	return HF_EXIT_WELL;
}

int hf_ctl_decide(struct hf_ctl *c)
{
	json_t *preview;
	int rc = hf_ctl_client_ask(c->socket, request_of(c, "preview"), hf_ctl_keep, c, c->why);

	if (rc)
		return hf_ctl_failed(c, rc);
	preview = json_incref(c->kept);
	if (!hf_ctl_row_number(preview, "holds"))
		rc = nothing_waits(c, preview);
	else
		rc = decide_confirm(c, preview);
	/* A dry run ends well. */
	if (hf_ctl_row_number(preview, "holds") && !rc)
		rc = decide_send(c, preview);
	else if (rc < 0)
		rc = HF_EXIT_WELL;
	json_decref(preview);
	return rc;
}
