/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/ctl/ctl.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "bridge/ctl/why_missing.h"
#include "bridge/ctl/offline.h"

/* --- asking --- */

int hf_ctl_keep(json_t *row, void *arg)
{
	struct hf_ctl *c = arg;

	json_decref(c->kept);
	c->kept = json_incref(row);
	return 0;
}

bool hf_ctl_goes_offline(struct hf_ctl *c, int rc, bool quiet)
{
	if (!hf_ctl_client_is_down(rc) && rc != -EACCES)
		return false;
	if (!c->offline && !quiet)
		fprintf(stderr, "holdfastctl: %s; this is the published zone\n", c->why);
	return true;
}

int hf_ctl_no_zone(struct hf_ctl *c, int rc)
{
	size_t len = strlen(c->why);

	snprintf(c->why + len, sizeof(c->why) - len, "; and the zone in '%s' cannot be read: %s",
	    c->config->zone, rc == -ENOENT ? "there is none" : hf_strerror(rc));
	return rc;
}

int hf_ctl_get_status(struct hf_ctl *c)
{
	int rc = hf_ctl_client_ask(
	    c->socket, json_pack("{s:s}", "command", "status"), hf_ctl_keep, c, c->why);

	c->denied = rc == -EACCES;
	if (!rc)
		return c->kept ? 0 : HF_EFORMAT;
	if (!hf_ctl_goes_offline(c, rc, true))
		return rc;
	rc = hf_offline_status(c->config->zone, hf_ctl_keep, c);
	if (rc)
		return hf_ctl_no_zone(c, rc);
	c->offline = true;
	/* That this user may not ask says nothing about the bridge. */
	if (c->denied)
		hf_offline_denied(c->kept, c->why);
	return 0;
}

int hf_ctl_failed(const struct hf_ctl *c, int rc)
{
	const char *why = c->why[0] ? c->why : hf_strerror(rc);

	if (c->o.json) {
		json_t *row = json_pack("{s:s}", "error", why);

		hf_ctl_print_json(row);
		json_decref(row);
	}
	fprintf(stderr, "holdfastctl: %s\n", why);
	return rc == HF_EREFUSED ? HF_EXIT_DEGRADED : HF_EXIT_UNREACHED;
}

/* --- printing --- */

void hf_ctl_print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2));
	putchar('\n');
}

void hf_ctl_print_element(struct hf_ctl *c, const char *json, size_t len)
{
	fputs(c->n++ ? ",\n" : "[\n", stdout);
	fwrite(json, 1, len, stdout);
}

void hf_ctl_end_list(const struct hf_ctl *c)
{
	puts(c->n ? "\n]" : "[]");
}

bool hf_ctl_unread(void)
{
	return ferror(stdout) != 0;
}

/* A pattern can mean anything, a name cannot. */
void hf_ctl_explain_missing(struct hf_ctl *c, const char *what)
{
	char why[HF_WHY_MISSING_MAX];

	fprintf(stderr, "holdfastctl: %s", what);
	json_decref(c->kept);
	c->kept = NULL;
	if (!c->offline && c->o.name && !strpbrk(c->o.name, "*?[\\") &&
	    hf_ctl_client_ask(
		c->socket, json_pack("{s:s}", "command", "status"), hf_ctl_keep, c, c->why) == 0)
		fprintf(stderr, ": %s", hf_why_missing_explain(c->socket, c->kept, c->o.name, why));
	fputc('\n', stderr);
}
