/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dnsmasq_doctor: looks at the folder as dnsmasq's user would, and asks the running dnsmasq: does
 * it have what we wrote, with which TTL, and does it keep what it does not have to itself?
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/dnsmasq/dnsmasq_private.h"
#include "adapters/dnsmasq/hostsdir.h"
#include "adapters/dnsmasq/dnsmasq_signal.h"
#include "adapters/dnsmasq/dnsmasq_version.h"
#include "base/error.h"
#include "zone/own_labels.h"

enum { TYPE_A = 1, TYPE_PTR = 12, TYPE_AAAA = 28, RCODE_NXDOMAIN = 3, VERSION_MS = 300 };
enum { SEES_DELETES = 288, TTL_MAX = 30, TABLE_MIN = 1000 };

struct hf_dnsmasq_doctor {
	struct hf_dnsmasq *a;               /* borrowed: whose it is */
	bool waits;                         /* for the files */
	struct hf_dnsmasq_version *version; /* owned */
	bool has_sample;
	struct hf_record sample; /* a name that is in the files */
	struct hf_name unknown;  /* one beside it that is not */
	char suffix[HF_NAME_TEXT_MAX];
};

static const char *dnsmasq_path_of(const struct hf_dnsmasq *a)
{
	return a->d->hostsdir ? a->d->hostsdir : a->d->hosts_file;
}

/* "hostsdir=/x": what dnsmasq's configuration must have. */
static const char *key_line(const struct hf_dnsmasq *a, char *out, size_t size)
{
	snprintf(
	    out, size, "%s=%s", a->d->hostsdir ? "hostsdir" : "addn-hosts", dnsmasq_path_of(a));
	return out;
}

/* dnsmasq gives its rights up: each folder above must let everybody through. */
static void check_way(struct hf_dnsmasq *a)
{
	char path[PATH_MAX], line[PATH_MAX + 32];
	mode_t need = a->d->hostsdir ? 0005 : 0004;
	struct stat st;
	const char *up;

	snprintf(path, sizeof(path), "%s", dnsmasq_path_of(a));
	while (!stat(path, &st)) {
		if ((st.st_mode & need) != need) {
			snprintf(line, sizeof(line), "chmod o+%s %.4000s",
			    need == 0005   ? "rx"
			    : need == 0001 ? "x"
					   : "r",
			    path);
			hf_adapter_found(&a->base, HF_FINDING_BAD, line,
			    "dnsmasq's own user cannot reach %s: %s has mode %04o",
			    hf_host_files_what(a->files), path, st.st_mode & 07777);
			return;
		}
		if (!strcmp(path, "/"))
			break;
		up = dirname(path);
		memmove(path, up, strlen(up) + 1);
		need = 0001;
	}
	hf_adapter_found(&a->base, HF_FINDING_GOOD, "", "dnsmasq's own user can read %s",
	    hf_host_files_what(a->files));
}

static void check_apparmor(struct hf_dnsmasq *a)
{
	char line[2 * PATH_MAX];

	if (access("/etc/apparmor.d/usr.sbin.dnsmasq", F_OK) ||
	    access("/sys/kernel/security/apparmor", F_OK))
		return;
	snprintf(
	    line, sizeof(line), "%.4000s%s r,", dnsmasq_path_of(a), a->d->hostsdir ? "/{,**}" : "");
	hf_adapter_found(&a->base, HF_FINDING_NOTE, line,
	    "AppArmor has a profile for dnsmasq; /etc/apparmor.d/local/usr.sbin.dnsmasq must let it read %s",
	    hf_host_files_what(a->files));
}

static void check_size(struct hf_dnsmasq *a)
{
	size_t n = hf_record_table_count(a->table);
	size_t limit = hf_dnsmasq_names_warn(a);

	if (n > limit)
		hf_adapter_found(&a->base, HF_FINDING_BAD, "holdfastctl setup dnsmasq-forward",
		    "%zu names are in %s; above %zu each change makes dnsmasq silent for long", n,
		    hf_host_files_what(a->files), limit);
	else
		hf_adapter_found(&a->base, HF_FINDING_GOOD, "",
		    "%zu names are in %s; up to %zu are fine", n, hf_host_files_what(a->files),
		    limit);
}

static void check_others(struct hf_dnsmasq *a)
{
	char name[HF_HOSTSDIR_FILE_NAME_MAX], why[WHY_MAX];

	if (hf_host_files_foreign(a->files, name) > 0)
		hf_adapter_found(&a->base, HF_FINDING_NOTE, "",
		    "%s has files that are not Holdfast's, such as '%s'; dnsmasq reads them too",
		    hf_host_files_what(a->files), name);
	if (!a->d->pid_file)
		return;
	if (hf_dnsmasq_pid(a->d->pid_file, why, sizeof(why)) < 0)
		hf_adapter_found(&a->base, HF_FINDING_BAD, "", "%s", why);
	else
		hf_adapter_found(&a->base, HF_FINDING_GOOD, "",
		    "the process of %s can be signalled", a->d->pid_file);
}

static void doctor_end(struct hf_dnsmasq_doctor *d)
{
	hf_adapter_answers_examined(&d->a->base.answers);
}

/* Asks, or ends. */
static void dnsmasq_doctor_ask(
    struct hf_dnsmasq_doctor *d, const struct hf_name *name, uint16_t type, hf_asked_cb cb)
{
	if (hf_dns_client_send(d->a->back, name, type, cb, d))
		doctor_end(d);
}

static void on_cache_size(const char *text, void *arg)
{
	struct hf_dnsmasq_doctor *d = arg;
	size_t n = hf_record_table_count(d->a->table);
	unsigned long size = strtoul(text, NULL, 10);

	if (*text && n > TABLE_MIN && size < n)
		hf_adapter_found(&d->a->base, HF_FINDING_NOTE, "cache-size=10000",
		    "its table was laid out for %lu names and has %zu of ours: each answer is slower until its next restart or SIGHUP",
		    size, n);
	hf_dnsmasq_version_free(d->version);
	d->version = NULL;
	doctor_end(d);
}

/* Asks dnsmasq about itself, or ends. */
static void ask_self(struct hf_dnsmasq_doctor *d, const char *name, hf_dnsmasq_version_cb cb)
{
	hf_dnsmasq_version_free(d->version);
	d->version = NULL;
	if (hf_dnsmasq_version_ask(
		d->a->base.host->base, &d->a->d->ask, name, VERSION_MS, cb, d, &d->version))
		doctor_end(d);
}

static void on_version(const char *text, void *arg)
{
	struct hf_dnsmasq_doctor *d = arg;
	unsigned number = hf_dnsmasq_version_number(text);

	if (!number)
		hf_adapter_found(&d->a->base, HF_FINDING_NOTE, "",
		    "the version of dnsmasq is not known: it says '%s'", text);
	else if (number < SEES_DELETES && d->a->d->hostsdir)
		hf_adapter_found(&d->a->base, HF_FINDING_BAD,
		    "use hosts-file and pid-file instead of hostsdir",
		    "%s does not notice files that are removed from a hostsdir; 2.88 does", text);
	else
		hf_adapter_found(&d->a->base, HF_FINDING_GOOD, "", "it is %s", text);
	ask_self(d, "cachesize.bind.", on_cache_size);
}

static void ask_version(struct hf_dnsmasq_doctor *d)
{
	ask_self(d, "version.bind.", on_version);
}

static void tell_leak(struct hf_dnsmasq_doctor *d, const char *what)
{
	char line[HF_NAME_TEXT_MAX + 16];

	snprintf(line, sizeof(line), "local=/%s/", d->suffix);
	hf_adapter_found(&d->a->base, HF_FINDING_BAD, line, "%s is asked of other servers", what);
}

/* dnsmasq's own negative answers have no SOA; one that has was somebody else's. */
static void on_unknown(const struct hf_asked *asked, void *arg)
{
	struct hf_dnsmasq_doctor *d = arg;

	if (asked->code || asked->rcode != RCODE_NXDOMAIN || asked->has_soa)
		tell_leak(d, "a name of the suffix that does not exist");
	else
		hf_adapter_found(&d->a->base, HF_FINDING_GOOD, "",
		    "a name that does not exist is answered at once");
	ask_version(d);
}

static void on_dnsmasq_doctor_a(const struct hf_asked *asked, void *arg)
{
	struct hf_dnsmasq_doctor *d = arg;

	if (asked->code || asked->rcode || asked->has_soa)
		tell_leak(d, "the A of a name that has an AAAA only");
	else
		hf_adapter_found(&d->a->base, HF_FINDING_GOOD, "",
		    "the A of a name that has an AAAA only is empty");
	dnsmasq_doctor_ask(d, &d->unknown, TYPE_AAAA, on_unknown);
}

static void on_dnsmasq_doctor_ptr(const struct hf_asked *asked, void *arg)
{
	struct hf_dnsmasq_doctor *d = arg;
	char addr[HF_ADDR_TEXT_MAX], name[HF_NAME_TEXT_MAX];

	hf_addr_text(d->sample.addr, addr);
	if (asked->code || !asked->has_target)
		hf_adapter_found(
		    &d->a->base, HF_FINDING_BAD, "", "the PTR of %s is not answered", addr);
	else
		hf_adapter_found(&d->a->base,
		    hf_name_equal(&asked->target, &d->sample.name) ? HF_FINDING_GOOD
								   : HF_FINDING_NOTE,
		    "", "the PTR of %s is %.200s", addr, hf_name_text(&asked->target, name));
	dnsmasq_doctor_ask(d, &d->sample.name, TYPE_A, on_dnsmasq_doctor_a);
}

static void check_ttl(struct hf_dnsmasq *a, uint32_t ttl_s)
{
	uint32_t max = a->base.ttl_s ? a->base.ttl_s : TTL_MAX;
	char line[32];

	snprintf(line, sizeof(line), "local-ttl=%u", max);
	if (!ttl_s || ttl_s > max)
		hf_adapter_found(&a->base, HF_FINDING_BAD, line, "its answers have TTL %u", ttl_s);
	else
		hf_adapter_found(&a->base, HF_FINDING_GOOD, "", "its answers have TTL %u", ttl_s);
}

static bool answer_has_addr(const struct hf_asked *asked, const uint8_t addr[static 16])
{
	for (size_t i = 0; i < asked->n_addrs; i++) {
		if (!memcmp(asked->addrs[i], addr, 16))
			return true;
	}
	return false;
}

static void on_sample(const struct hf_asked *asked, void *arg)
{
	struct hf_dnsmasq_doctor *d = arg;
	char name[HF_NAME_TEXT_MAX], line[PATH_MAX + 32];
	struct hf_name ptr;

	if (asked->code) {
		hf_adapter_found(&d->a->base, HF_FINDING_BAD, "",
		    "dnsmasq does not answer at the address of 'ask': %s",
		    hf_strerror(asked->code));
		doctor_end(d);
		return;
	}
	hf_name_text(&d->sample.name, name);
	if (d->has_sample && !answer_has_addr(asked, d->sample.addr))
		hf_adapter_found(&d->a->base, HF_FINDING_BAD, key_line(d->a, line, sizeof(line)),
		    "%s is in %s, but dnsmasq does not have it", name,
		    hf_host_files_what(d->a->files));
	else if (d->has_sample)
		hf_adapter_found(
		    &d->a->base, HF_FINDING_GOOD, "", "it answers %s as it should", name);
	if (d->has_sample && answer_has_addr(asked, d->sample.addr))
		check_ttl(d->a, asked->ttl_s);
	hf_ptr_name(d->sample.addr, &ptr);
	if (!d->has_sample)
		dnsmasq_doctor_ask(d, &d->unknown, TYPE_AAAA, on_unknown);
	else if (d->sample.primary)
		dnsmasq_doctor_ask(d, &ptr, TYPE_PTR, on_dnsmasq_doctor_ptr);
	else
		dnsmasq_doctor_ask(d, &d->sample.name, TYPE_A, on_dnsmasq_doctor_a);
}

static int dnsmasq_doctor_take_sample(const struct hf_record *r, void *arg)
{
	struct hf_dnsmasq_doctor *d = arg;

	if (d->has_sample && !r->primary)
		return 0;
	d->has_sample = true;
	d->sample = *r;
	return r->primary;
}

/* The suffix that we were told, else the last label of a name. */
static void dnsmasq_doctor_find_suffix(struct hf_dnsmasq_doctor *d, struct hf_name *ret_beside)
{
	const struct hf_name *suffix = &d->a->base.suffixes[0];
	struct hf_name up = d->has_sample ? d->sample.name : *suffix;

	*ret_beside = *suffix;
	if (d->has_sample)
		hf_name_get_parent(&up, ret_beside);
	while (hf_name_labels(&up) > 1)
		hf_name_get_parent(&up, &up);
	hf_name_text(d->a->base.n_suffixes ? suffix : &up, d->suffix);
}

static void begin_asking(struct hf_dnsmasq_doctor *d)
{
	struct hf_name beside;
	uint32_t number = 0;
	char label[32];

	for (unsigned i = 0;
	     i < hf_host_files_count(d->a->files) && hf_file_loader_is_done(d->a->loader); i++) {
		if (hf_record_table_walk(d->a->table, i, dnsmasq_doctor_take_sample, d))
			break;
	}
	if (!d->has_sample && !d->a->base.n_suffixes) {
		hf_adapter_found(
		    &d->a->base, HF_FINDING_NOTE, "", "there are no names yet to ask dnsmasq for");
		ask_version(d);
		return;
	}
	dnsmasq_doctor_find_suffix(d, &beside);
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = 1;
	snprintf(label, sizeof(label), HF_OWN_LABEL_DOCTOR "%x", number);
	d->unknown = beside;
	hf_name_prepend(&d->unknown, label, strlen(label));
	dnsmasq_doctor_ask(d, d->has_sample ? &d->sample.name : &d->unknown, TYPE_AAAA, on_sample);
}

/* The files were read, or `code` and `why`. */
void hf_dnsmasq_doctor_loaded(struct hf_dnsmasq *a, int code, const char *why)
{
	if (!a->doctor || !a->doctor->waits)
		return;
	a->doctor->waits = false;
	if (code) {
		hf_adapter_found(&a->base, HF_FINDING_BAD, "", "%s", why);
	} else {
		check_size(a);
		check_others(a);
		check_way(a);
	}
	check_apparmor(a);
	begin_asking(a->doctor);
}

void hf_dnsmasq_doctor(struct hf_adapter *adapter)
{
	struct hf_dnsmasq *a = hf_dnsmasq_of(adapter);

	if (!a->doctor)
		a->doctor = calloc(1, sizeof(*a->doctor));
	if (!a->doctor) {
		hf_adapter_answers_examined(&adapter->answers);
		return;
	}
	a->doctor->a = a;
	a->doctor->has_sample = false;
	a->doctor->waits = true;
	if (hf_file_loader_is_done(a->loader))
		hf_adapter_answers_due(&adapter->answers, HF_ANSWER_DOCTOR);
	else
		hf_file_loader_begin(a->loader);
}

void hf_dnsmasq_reply_doctor(struct hf_adapter *adapter)
{
	struct hf_dnsmasq *a = hf_dnsmasq_of(adapter);

	if (a->doctor && a->doctor->waits)
		hf_dnsmasq_doctor_loaded(a, 0, "");
	else
		adapter->host->examined(adapter->host->arg);
}

void hf_dnsmasq_doctor_free(struct hf_dnsmasq_doctor *d)
{
	if (!d)
		return;
	hf_dnsmasq_version_free(d->version);
	free(d);
}
