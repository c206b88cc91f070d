/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_sources: the Coder servers, and whatever else the bridge warns of: what `status` shows as
 * wrong is bad here, too.
 */
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#include "bridge/ctl/doctor/doctor.h"
#include "bridge/ctl/doctor/doctor_report.h"
#include "bridge/ctl/row_text.h"

/* By the code of the problem: what to do. What is not here mends itself, or says it in its text. */
static const struct {
	const char *code;
	const char *line;
} cures[] = {
	{ "bad-url", "set the source's url in the configuration" },
	{ "no-token", "coder tokens create, and put it into the source's token-file" },
	{ "unauthorised", "coder tokens create, and put it into the source's token-file" },
	{ "forbidden", "use a token of a user who may read these workspaces" },
	{ "header-command", "run the source's header-command by hand" },
	{ "name-resolution", "getent hosts NAME; the source's url names the server" },
	{ "certificate-expired", "renew the server's certificate" },
	{ "certificate-not-yet-valid", "timedatectl" },
	{ "clock", "timedatectl set-ntp true" },
	{ "certificate-host", "set the source's url to the name that the certificate has" },
	{ "certificate", "set the source's ca-file to the CA's certificate" },
	{ "client-certificate", "check the source's client-cert and client-key" },
	{ "no-tls", "check the source's url: http:// needs allow-http: true" },
	{ "captive-portal", "sign in to the network with a browser" },
	{ "not-coder", "check the source's url" },
	{ "redirect", "check the source's url" },
	{ "server-too-old", "upgrade Coder" },
	{ "user-not-found", "check the source's owners" },
	{ "user-not-readable", "use a token that may read them, such as a Template Admin's" },
	{ "deployment-held", "holdfastctl accept --deployment --dry-run" },
};

static const char *cure_of(const char *code)
{
	for (size_t i = 0; i < sizeof(cures) / sizeof(cures[0]); i++)
		if (!strcmp(cures[i].code, code))
			return cures[i].line;
	return "";
}

static void look_at_source(struct hf_doctor *d, const json_t *s)
{
	const char *state = hf_ctl_row_text(s, "state", "not followed");
	const char *reason = hf_ctl_row_text(s, "reason", NULL);
	char area[80], when[HF_WHEN_MAX];

	snprintf(area, sizeof(area), "source %.60s", hf_ctl_row_text(s, "name", "?"));
	if (!strcmp(state, "live") && json_is_true(json_object_get(s, "fresh")))
		hf_doctor_report(d, area, GRADE_GOOD, "", "live, %lld names under '%s'",
		    (long long)json_integer_value(json_object_get(s, "names")),
		    hf_ctl_row_text(s, "suffix", "?"));
	else
		hf_doctor_report(d, area, GRADE_BAD, cure_of(hf_ctl_row_text(s, "problem", "")),
		    "%s since %s: %s", state,
		    hf_ctl_when_text(json_object_get(s, "since"), d->now_s, when),
		    reason ? reason : "it was not heard from lately");
}

void hf_doctor_sources(struct hf_doctor *d)
{
	const json_t *source;
	size_t i;

	/* From the zone nothing is known of them. */
	if (strcmp(hf_ctl_row_text(d->status, "bridge", ""), "running") != 0)
		return;
	json_array_foreach(json_object_get(d->status, "sources"), i, source)
	    look_at_source(d, source);
}

/* --- adapters, as the bridge sees them --- */

/* unbound's control socket is its group's; a process has the groups that it was started with. */
static bool line_for_group(const struct hf_doctor *d, const json_t *adapter, char *out, size_t size)
{
	const char *name = hf_ctl_row_text(adapter, "name", ""),
		   *error = hf_ctl_row_text(adapter, "last_error", "");
	const struct hf_config_adapter *a = NULL;
	const struct passwd *user = NULL;
	const struct group *group;
	struct stat st, own;

	for (size_t i = 0; i < d->config->adapters.n; i++)
		if (!strcmp(d->config->adapters.at[i].name, name))
			a = &d->config->adapters.at[i];
	if (!a || a->kind != HF_ADAPTER_UNBOUND || stat(a->unbound.control, &st) ||
	    (!strstr(error, "group") && !strstr(error, "EACCES") &&
		!strcasestr(error, "permission")))
		return false;
	/* Nobody is to join the group of root. */
	if (!st.st_gid) {
		snprintf(out, size,
		    "server: username: \"unbound\"   # in unbound.conf: it gives the socket to that user's group");
		return true;
	}
	group = getgrgid(st.st_gid);
	if (stat(d->config->control, &own) == 0)
		user = getpwuid(own.st_uid);
	snprintf(out, size,
	    "usermod -a -G %s %s && systemctl restart holdfastd   # a reload does not give it the group",
	    group ? group->gr_name : "unbound", user ? user->pw_name : "holdfast");
	return true;
}

void hf_doctor_fed(struct hf_doctor *d)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(d->status, "adapters"), i, row)
	{
		const char *state = hf_ctl_row_text(row, "state", "");
		char area[80], line[HF_DOCTOR_LINE_MAX] = "holdfastctl adapters";

		if (strcmp(state, "retrying") && strcmp(state, "failed"))
			continue;
		snprintf(area, sizeof(area), "adapter %.60s", hf_ctl_row_text(row, "name", "?"));
		line_for_group(d, row, line, sizeof(line));
		hf_doctor_report(d, area, GRADE_BAD, line,
		    "the bridge cannot feed its resolver (%s): %s", state,
		    hf_ctl_row_text(row, "last_error", "no reason is known"));
	}
}

/* --- what else status warns of --- */

static bool reason_begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* Of these another examination has said it already. */
static bool warning_is_told(const json_t *warning)
{
	static const char *const codes[] = { "store", "not-answering", "bridge-down",
		"bridge-denied", "unreached", "adapter-wrong", "adapter-failed" };
	const char *code = hf_ctl_row_text(warning, "code", "");

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (!strcmp(code, codes[i]))
			return true;
	return json_is_true(json_object_get(warning, "source_state"));
}

void hf_doctor_warnings(struct hf_doctor *d)
{
	const json_t *w;
	size_t i;

	json_array_foreach(json_object_get(d->status, "warnings"), i, w)
	{
		const char *code = hf_ctl_row_text(w, "code", "");
		const char *area = reason_begins(code, "adapter-") ? "adapter"
				   : !strcmp(code, "held")         ? "guard"
				   : reason_begins(code, "rights") ? "rights"
								   : "status";

		if (!warning_is_told(w))
			hf_doctor_report(d, area, GRADE_BAD,
			    hf_ctl_row_text(w, "command", "holdfastctl status"), "%s",
			    hf_ctl_row_text(w, "text", "?"));
	}
}
