/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_doctor: the real unbound, as it is now: whether it takes commands, what it answers for our
 * suffixes, what leaks, and whether it could read the start file.
 */
#include "adapters/unbound/ub_private.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "base/error.h"
#include "zone/own_labels.h"

enum { ABILITIES_MAX = 8, TTL_MAX_S = 30 };

#define APPARMOR "/etc/apparmor.d/usr.sbin.unbound"
/* Not there where the kernel has none: then a profile is a file and no more. */
#define APPARMOR_ON "/sys/kernel/security/apparmor"

/* unbound gives its control socket to this user's group. */
#define LINE_ROOT_GROUP                                                                            \
	"server: username: \"unbound\"   # in unbound.conf; then usermod -a -G unbound HOLDFAST-USER"

/* A question, and the suffix that it is about. */
struct ub_doctor_question {
	struct hf_ub_doctor *d;
	struct hf_name zone;
	bool is_reverse;
};

struct ability_question {
	struct hf_ub_doctor *d;
	const struct hf_ub_ability *row;
};

struct hf_ub_doctor {
	struct hf_ub *a;
	size_t left; /* answers */
	bool silent; /* DNS is not answered: told once */
	struct ub_doctor_question questions[2 * HF_UB_ZONES_MAX + 1];
	struct ability_question abilities[ABILITIES_MAX];
};

static void ub_doctor_end_one(struct hf_ub_doctor *d)
{
	if (--d->left == 0) {
		hf_adapter_answers_examined(&d->a->base.answers);
	}
}

/* --- the control socket --- */

static void find_control(struct hf_ub_doctor *d, int code)
{
	const char *path = d->a->base.config->unbound.control;
	char line[HF_UB_TEXT_MAX] = "";
	struct stat st;

	if (code == -EACCES && stat(path, &st) == 0 && !st.st_gid)
		/* Nobody is to join the group of root: unbound can give the socket another. */
		snprintf(line, sizeof(line), "%s", LINE_ROOT_GROUP);
	else if (code == -EACCES && stat(path, &st) == 0)
		snprintf(line, sizeof(line),
		    "usermod -a -G %u HOLDFAST-USER   # the socket's group", (unsigned)st.st_gid);
	else if (code == -ENOENT || code == -ECONNREFUSED)
		snprintf(line, sizeof(line),
		    "remote-control: control-enable: yes, control-interface: %s", path);
	hf_adapter_found(&d->a->base, HF_FINDING_BAD, line, "unbound takes no commands at '%s': %s",
	    path, hf_strerror(code));
}

static void on_ub_doctor_status(const struct hf_ub_reply *reply, void *arg)
{
	struct hf_ub_doctor *d = arg;
	const char *path = d->a->base.config->unbound.control;
	unsigned v = reply->code ? 0 : hf_ub_command_version(reply->text);

	if (reply->code) {
		find_control(d, reply->code);
	} else if (!v) {
		hf_adapter_found(
		    &d->a->base, HF_FINDING_BAD, "", "what listens at '%s' is not unbound", path);
	} else {
		hf_adapter_found(&d->a->base, HF_FINDING_GOOD, "",
		    "unbound %u.%u.%u takes commands at '%s'", v / 1000000, v / 1000 % 1000,
		    v % 1000, path);
	}
	ub_doctor_end_one(d);
}

/* Each question has its row. */
static void on_ub_doctor_ability(const struct hf_ub_reply *reply, void *arg)
{
	struct ability_question *q = arg;

	/* One that takes no commands was told once. */
	if (!reply->code && !q->row->is_able(reply->text))
		hf_adapter_found(&q->d->a->base, HF_FINDING_NOTE, "",
		    "this unbound can do less than the newest: %s", q->row->without);
	ub_doctor_end_one(q->d);
}

static void ub_doctor_ask_abilities(struct hf_ub_doctor *d, struct hf_ub_command *c)
{
	for (size_t i = 0; i < hf_ub_n_abilities && i < ABILITIES_MAX; i++) {
		struct ability_question *q = &d->abilities[i];

		*q = (struct ability_question){ .d = d, .row = &hf_ub_abilities[i] };
		d->left++;
		hf_ub_command_ability(c, q->row);
		if (hf_ub_control_send(d->a->control, c->bytes, c->len, on_ub_doctor_ability, q))
			ub_doctor_end_one(d);
	}
}

/* --- DNS --- */

static bool has_answer(struct hf_ub_doctor *d, const struct hf_asked *asked)
{
	if (asked->code && !d->silent)
		hf_adapter_found(&d->a->base, HF_FINDING_BAD, "ask: ADDRESS@PORT",
		    "unbound does not answer DNS at the address of 'ask': %s",
		    hf_strerror(asked->code));
	d->silent |= asked->code != 0;
	return asked->code == 0;
}

static void on_ub_doctor_canary(const struct hf_asked *asked, void *arg)
{
	struct ub_doctor_question *q = arg;
	char name[HF_NAME_TEXT_MAX];

	hf_name_text(&q->zone, name);
	if (!has_answer(q->d, asked)) {
		ub_doctor_end_one(q->d);
		return;
	}
	if (!asked->n_records)
		hf_adapter_found(&q->d->a->base, HF_FINDING_NOTE, "",
		    "unbound has not been filled with '%s' yet", name);
	else if (asked->ttl_s < 1 || asked->ttl_s > TTL_MAX_S)
		hf_adapter_found(&q->d->a->base, HF_FINDING_BAD, "",
		    "the TTL of '%s' is %u, not 1 to %u", name, asked->ttl_s, TTL_MAX_S);
	else
		hf_adapter_found(&q->d->a->base, HF_FINDING_GOOD, "", "unbound has '%s' (%s)", name,
		    asked->text_len && asked->text[0] == 'w' ? "whole" : "it is being filled");
	ub_doctor_end_one(q->d);
}

static void on_missing(const struct hf_asked *asked, void *arg)
{
	struct ub_doctor_question *q = arg;
	char name[HF_NAME_TEXT_MAX], line[HF_UB_TEXT_MAX];

	hf_name_text(&q->zone, name);
	snprintf(line, sizeof(line), "server: local-zone: \"%.400s.\" static", name);
	if (!has_answer(q->d, asked)) {
		ub_doctor_end_one(q->d);
		return;
	}
	if (!asked->aa)
		hf_adapter_found(&q->d->a->base, HF_FINDING_BAD, q->is_reverse ? line : "",
		    "questions for what is not there under '%s' leave this unbound%s", name,
		    q->is_reverse ? "" : " until it has been filled");
	else if (!asked->has_soa)
		hf_adapter_found(&q->d->a->base, HF_FINDING_NOTE, "",
		    "a negative answer under '%s' has no SOA: whoever asks may not keep it", name);
	else if (asked->negative_ttl_s > TTL_MAX_S && !q->is_reverse)
		hf_adapter_found(&q->d->a->base, HF_FINDING_BAD, "",
		    "a negative answer under '%s' may be kept for %u seconds: a new name shows late",
		    name, asked->negative_ttl_s);
	else
		hf_adapter_found(&q->d->a->base, HF_FINDING_GOOD, "",
		    "what is not there under '%s' is answered by this unbound itself", name);
	if (asked->ad)
		hf_adapter_found(&q->d->a->base, HF_FINDING_NOTE, "",
		    "answers under '%s' come as validated: they are not ours", name);
	ub_doctor_end_one(q->d);
}

static void ub_doctor_ask(struct hf_ub_doctor *d, const struct hf_name *name, uint16_t type,
    struct ub_doctor_question *q, hf_asked_cb cb)
{
	d->left++;
	if (hf_dns_client_send(d->a->asks, name, type, cb, q))
		ub_doctor_end_one(d);
}

static void ask_all(struct hf_ub_doctor *d)
{
	static const char label[] = HF_OWN_LABEL_ABSENT;
	/* An address of the prefix that no agent has: its id would be zero. */
	static const uint8_t addr[16] = { 0xfd, 0x60, 0x62, 0x7a, 0xa4, 0x2b };
	struct hf_ub *a = d->a;
	struct ub_doctor_question *q = d->questions;
	struct hf_name name;

	for (size_t i = 0; i < a->n_zones; i++) {
		*q = (struct ub_doctor_question){ .d = d, .zone = a->zones[i].name };
		ub_doctor_ask(d, &a->zones[i].canary_name, HF_TYPE_TXT, q, on_ub_doctor_canary);
		name = a->zones[i].name;
		if (hf_name_prepend(&name, label, sizeof(label) - 1) == 0)
			ub_doctor_ask(d, &name, HF_TYPE_AAAA, q, on_missing);
		q++;
	}
	*q =
	    (struct ub_doctor_question){ .d = d, .zone = hf_addr_reverse_apex, .is_reverse = true };
	hf_ptr_name(addr, &name);
	ub_doctor_ask(d, &name, HF_TYPE_PTR, q, on_missing);
}

/* --- the start file --- */

static bool is_under_folder(const char *path, const char *folder)
{
	return strncmp(path, folder, strlen(folder)) == 0;
}

static void find_apparmor(struct hf_ub_doctor *d, const char *path)
{
	char line[HF_UB_TEXT_MAX];

	if (access(APPARMOR, F_OK) || access(APPARMOR_ON, F_OK) ||
	    is_under_folder(path, "/etc/unbound/") || is_under_folder(path, "/var/lib/unbound/"))
		return;
	snprintf(
	    line, sizeof(line), "%.400s* r,   # in /etc/apparmor.d/local/usr.sbin.unbound", path);
	hf_adapter_found(&d->a->base, HF_FINDING_BAD, line,
	    "AppArmor's profile of unbound does not let it read the start file '%s'", path);
}

static void find_start_file(struct hf_ub_doctor *d)
{
	const char *path = d->a->base.config->unbound.start_file;
	char folder[PATH_MAX];
	struct stat st;

	if (!path) {
		hf_adapter_found(&d->a->base, HF_FINDING_NOTE,
		    "start-file: /var/lib/unbound/holdfast/start.zone",
		    "there is no start file: unbound knows no names from its start until the bridge has filled it");
		return;
	}
	snprintf(folder, sizeof(folder), "%s", path);
	dirname(folder);
	if (stat(path, &st))
		hf_adapter_found(&d->a->base, HF_FINDING_BAD, "",
		    "the start file '%s': %s; unbound may not start", path, hf_strerror(-errno));
	else if (!(st.st_mode & S_IROTH))
		hf_adapter_found(&d->a->base, HF_FINDING_BAD, "",
		    "the start file '%s' may not be read by unbound's user", path);
	else
		hf_adapter_found(
		    &d->a->base, HF_FINDING_GOOD, "", "the start file '%s' is there", path);
	if (access(folder, W_OK)) {
		char line[HF_UB_TEXT_MAX];

		snprintf(line, sizeof(line),
		    "install -d -o HOLDFAST-USER -g unbound -m 0755 %.400s", folder);
		hf_adapter_found(&d->a->base, HF_FINDING_BAD, line,
		    "we may not write into the folder '%s'", folder);
	}
	find_apparmor(d, path);
}

/* --- from outside --- */

static void examine_all(struct hf_ub *a)
{
	struct hf_ub_doctor *d = a->doctor;
	struct hf_ub_command *c = malloc(sizeof(*c));

	d->a = a;
	d->left = 2;
	if (!c) {
		d->left = 1;
		ub_doctor_end_one(d);
		return;
	}
	/* Not the command of the job under way. */
	hf_ub_command_status(c);
	if (hf_ub_control_send(a->control, c->bytes, c->len, on_ub_doctor_status, d))
		ub_doctor_end_one(d);
	ub_doctor_ask_abilities(d, c);
	free(c);
	find_start_file(d);
	ask_all(d);
	ub_doctor_end_one(d);
}

void hf_ub_doctor_turn(struct hf_ub *a)
{
	const struct hf_adapter_host *host = a->base.host;

	if (!a->doctor) {
		a->doctor = calloc(1, sizeof(*a->doctor));
		if (a->doctor) {
			examine_all(a);
			return;
		}
	}
	hf_ub_doctor_free(a);
	host->examined(host->arg);
}

void hf_ub_doctor_free(struct hf_ub *a)
{
	free(a->doctor);
	a->doctor = NULL;
}
