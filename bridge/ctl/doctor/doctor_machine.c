/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_machine: what is about Holdfast itself: the bridge, its tokens, the clock, the zone
 * folder, holdfast-dns.
 */
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "bridge/ctl/doctor/doctor.h"
#include "bridge/ctl/doctor/doctor_report.h"
#include "bridge/ctl/dns_probe.h"
#include "bridge/ctl/row_text.h"
#include "zone/answer.h"

enum { DAY_S = 86400, TOKEN_NOTE_DAYS = 7 };

/* Each error of the file: a reload would be refused for any one of them. */
void hf_doctor_config(struct hf_doctor *d)
{
	char text[1024];

	for (size_t i = 0; i < d->errors->n; i++)
		hf_doctor_report(d, "configuration", GRADE_BAD, "holdfastd --check", "%s",
		    hf_config_error_text(d->errors, i, text, sizeof(text)));
	if (d->errors->more)
		hf_doctor_report(d, "configuration", GRADE_BAD, "holdfastd --check",
		    "%s: %zu more errors", d->errors->file, d->errors->more);
	if (!d->errors->n)
		hf_doctor_report(
		    d, "configuration", GRADE_GOOD, "", "%s has no errors", d->errors->file);
}

/* Holdfast was never started here, or never with this configuration. */
static bool never_ran(const struct hf_doctor *d)
{
	struct stat st;

	return stat(d->config->store, &st) && errno == ENOENT && stat(d->config->zone, &st) &&
	       errno == ENOENT;
}

static void look_at_dead_bridge(struct hf_doctor *d)
{
	if (never_ran(d))
		hf_doctor_report(d, "bridge", GRADE_BAD,
		    "write " HF_CONFIG_PATH " (sample: " HF_SAMPLE_PATH
		    "), then systemctl start holdfastd",
		    "holdfastd has never run here: there is neither '%s' nor '%s'",
		    d->config->store, d->config->zone);
	else
		hf_doctor_report(d, "bridge", GRADE_BAD, "systemctl start holdfastd",
		    "it does not run; %s",
		    d->status ? "the last published names stay in use"
			      : "and the published zone cannot be read, either");
}

/* What an examination may do as root the bridge may not. */
static void note_user(struct hf_doctor *d)
{
	const struct passwd *user;
	char line[HF_DOCTOR_LINE_MAX];
	struct stat st;

	if (geteuid() != 0 || stat(d->config->control, &st) || st.st_uid == 0)
		return;
	user = getpwuid(st.st_uid);
	snprintf(line, sizeof(line), "runuser -u %s -- holdfastctl doctor",
	    user ? user->pw_name : "holdfast");
	hf_doctor_report(d, "user", GRADE_NOTE, line,
	    "this is examined as root, and the bridge runs as %s: what only root may do looks good here",
	    user ? user->pw_name : "another user");
}

void hf_doctor_bridge(struct hf_doctor *d)
{
	const json_t *store = json_object_get(d->status, "store");
	const char *bridge = hf_ctl_row_text(d->status, "bridge", "");
	const json_t *warning = json_array_get(json_object_get(d->status, "warnings"), 0);

	if (!strcmp(bridge, "unknown"))
		hf_doctor_report(
		    d, "bridge", GRADE_BAD, "", "%s", hf_ctl_row_text(warning, "text", ""));
	else if (!d->status && d->denied)
		hf_doctor_report(d, "bridge", GRADE_BAD, "", "%s", d->unreached);
	else if (!d->status || !strcmp(bridge, "down"))
		look_at_dead_bridge(d);
	else if (strcmp(hf_ctl_row_text(store, "state", ""), "ok"))
		hf_doctor_report(d, "bridge", GRADE_BAD, "holdfastctl status",
		    "its store is %s: %s", hf_ctl_row_text(store, "state", "not known"),
		    hf_ctl_row_text(store, "reason", ""));
	else
		hf_doctor_report(d, "bridge", GRADE_GOOD, "", "it runs, and publishes %lld names",
		    (long long)json_integer_value(json_object_get(d->status, "names")));
	note_user(d);
}

/* Seconds since 1970 of an RFC 3339 time in UTC; 0: none. */
static int64_t seconds_of(const json_t *time)
{
	struct tm tm = { 0 };

	if (!json_is_string(time) || !strptime(json_string_value(time), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return 0;
	return timegm(&tm);
}

static const char *token_file(const struct hf_doctor *d, const char *source)
{
	const struct hf_config_source *s = hf_config_source(d->config, source);

	return s && s->token_file ? s->token_file : "the file that token-file names";
}

static void look_at_token(struct hf_doctor *d, const json_t *source)
{
	const char *name = hf_ctl_row_text(source, "name", "?");
	int64_t left = seconds_of(json_object_get(source, "token_expires")) - d->now_s;
	char line[HF_DOCTOR_LINE_MAX];

	snprintf(
	    line, sizeof(line), "coder tokens create, and put it into %.400s", token_file(d, name));
	if (!strcmp(hf_ctl_row_text(source, "state", ""), "unauthorised"))
		hf_doctor_report(d, "token", GRADE_BAD, line,
		    "source %s: the server refuses it: %s", name,
		    hf_ctl_row_text(source, "reason", ""));
	else if (!json_is_string(json_object_get(source, "token_expires")))
		hf_doctor_report(
		    d, "token", GRADE_GOOD, "", "source %s: token expiry unknown", name);
	else if (left < TOKEN_NOTE_DAYS * DAY_S)
		hf_doctor_report(d, "token", left < DAY_S ? GRADE_BAD : GRADE_NOTE, line,
		    "source %s: it %s at %s", name, left < 0 ? "expired" : "expires",
		    hf_ctl_row_text(source, "token_expires", ""));
	else
		hf_doctor_report(d, "token", GRADE_GOOD, "", "source %s: it is valid for %lld days",
		    name, (long long)(left / DAY_S));
}

void hf_doctor_tokens(struct hf_doctor *d)
{
	const json_t *source;
	size_t i;

	/* Out of the zone nothing is known of them. */
	if (!d->status || !strcmp(hf_ctl_row_text(d->status, "bridge", ""), "down"))
		return;
	json_array_foreach(json_object_get(d->status, "sources"), i, source)
	    look_at_token(d, source);
}

void hf_doctor_clock(struct hf_doctor *d)
{
	if (hf_wall_synced())
		hf_doctor_report(d, "clock", GRADE_GOOD, "", "it is synchronised");
	else
		hf_doctor_report(d, "clock", GRADE_NOTE, "timedatectl set-ntp true",
		    "it is not synchronised (NTP): certificates and ages are judged by it");
}

void hf_doctor_zone(struct hf_doctor *d)
{
	char line[HF_DOCTOR_LINE_MAX];
	const char *zone = d->config->zone;
	struct stat st;

	if (stat(zone, &st) < 0) {
		hf_doctor_report(d, "zone", GRADE_BAD,
		    errno == EACCES ? "usermod -a -G holdfast USER" : "systemctl start holdfastd",
		    "'%s' cannot be reached: %s", zone, strerror(errno));
		return;
	}
	snprintf(line, sizeof(line), "chmod 0750 %.500s", zone);
	if (st.st_mode & 022)
		hf_doctor_report(d, "zone", GRADE_BAD, line,
		    "others than the bridge may write '%s' (mode %04o)", zone, st.st_mode & 07777);
	else if (!(st.st_mode & 0010))
		hf_doctor_report(d, "zone", GRADE_BAD, line,
		    "its group, which are the readers, cannot enter '%s' (mode %04o)", zone,
		    st.st_mode & 07777);
	else
		hf_doctor_report(d, "zone", GRADE_GOOD, "", "only the bridge may write '%s'", zone);
}

static void look_at_listener(struct hf_doctor *d, const struct hf_listener *l)
{
	bool expected = hf_answering_expected(l, &d->reach->facts);
	char place[HF_ENDPOINT_TEXT_MAX], rcode[HF_RCODE_TEXT_MAX], suffix[HF_NAME_TEXT_MAX];

	hf_front_endpoint_text(&l->at, place);
	switch (l->state) {
	case HF_LISTENER_UNKNOWN:
		break;
	case HF_LISTENER_ANSWERS:
		hf_doctor_report(d, "holdfast-dns", GRADE_GOOD, "", "it answers at %s", place);
		break;
	case HF_LISTENER_SILENT:
		hf_doctor_report(d, "holdfast-dns", expected ? GRADE_BAD : GRADE_NOTE,
		    expected ? "systemctl start holdfast-dns" : "",
		    expected ? "nobody answers at %s: %s"
			     : "nobody answers at %s (%s), and nobody has to: others answer here",
		    place, hf_strerror(l->code));
		break;
	case HF_LISTENER_WRONG:
		hf_doctor_report(d, "holdfast-dns", expected ? GRADE_BAD : GRADE_NOTE,
		    "holdfastctl why NAME", "%s answers %s for the suffix%s%s", place,
		    hf_answering_rcode_text(l->rcode, rcode), l->suffix.len ? " " : "",
		    l->suffix.len ? hf_name_text(&l->suffix, suffix) : "");
		break;
	case HF_LISTENER_ABSENT:
		hf_doctor_report(d, "holdfast-dns", d->reach->facts.given ? GRADE_BAD : GRADE_NOTE,
		    d->reach->facts.given ? "dns.listen" : "", "this machine has no address %s",
		    place);
		break;
	}
}

static void look_elsewhere(struct hf_doctor *d)
{
	const struct hf_answering *a = &d->reach->answering;

	if (a->text[0] || a->nobody)
		hf_doctor_report(d, "holdfast-dns", GRADE_BAD, "holdfastctl doctor",
		    "%s, says the bridge; it is in another network namespace, such as another container: ask there",
		    a->text[0] ? a->text : "nobody answers");
	else
		hf_doctor_report(d, "holdfast-dns", GRADE_NOTE, "",
		    "whoever should answer does, says the bridge; it is in another network namespace, such as another container, whose addresses cannot be asked from here");
}

/* Where others answer for us, and dns.listen was not written, nobody needs it. */
void hf_doctor_responder(struct hf_doctor *d)
{
	if (!d->has_suffix) {
		hf_doctor_report(d, "suffix", GRADE_BAD, d->denied ? "" : "holdfastctl status",
		    d->denied ? "not known: this user may read neither bridge nor zone"
			      : "none is known yet: no source was ever live");
		return;
	}
	if (d->reach->elsewhere) {
		look_elsewhere(d);
		return;
	}
	if (!d->reach->n_listeners && !d->reach->facts.others)
		hf_doctor_report(d, "holdfast-dns", GRADE_NOTE, "",
		    "dns.listen is empty and nothing is fed: nobody is asked whether it answers");
	for (size_t i = 0; i < d->reach->n_listeners; i++)
		look_at_listener(d, &d->reach->listeners[i]);
}
