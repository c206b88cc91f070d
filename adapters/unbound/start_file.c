/*
 * start_file: the names in a file that unbound reads at its own start, so that it has them also
 * while the bridge is down. Written whole beside itself and renamed, in slices, at most once in
 * start-interval; only what is confirmed in unbound gets into it.
 *
 * zonefile: data only. One file a zone, since a zone file has one: the first suffix in the file of
 * that name, each other in NAME.SUFFIX, and the addresses in NAME.ptr.
 * include: configuration. One file with all; PTR records only where they are few, since each costs
 * unbound as much time at its start as fifty others.
 */
#include "adapters/unbound/inner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"

enum {
	SLICE = 500, /* records a turn of the loop */
	INCLUDE_PTR_MAX = 5000,
	PATH_MAX_LEN = 4096,
	OUTS_MAX = HF_UNBOUND_ZONES_MAX + 1,
};

struct out {
	int fd; /* -1: not open */
	char name[NAME_MAX + 1];
	char temp[NAME_MAX + 8];
	struct evbuffer *lines; /* owned: not written yet */
};

struct hf_ub_start_file {
	struct hf_adapter *a; /* borrowed: the owner */
	struct event *turn;   /* owned */
	int dir;              /* the folder while it is written; -1 */
	struct out outs[OUTS_MAX];
	size_t n_outs;
	struct hf_record_walk *walk; /* owned */
	struct evbuffer *ptrs;       /* owned: of an include, until it is known how many */
	size_t n_ptrs;
	bool changed;
	bool prepared;
	bool warned;
	int64_t next_ms; /* not before */
};

static bool is_include(const struct hf_ub_start_file *f)
{
	return f->a->config->unbound.start_form == HF_START_INCLUDE;
}

/* --- lines --- */

static void add_head(struct hf_ub_start_file *f, struct out *out, const struct hf_name *zone)
{
	char text[HF_NAME_TEXT_MAX];
	uint32_t ttl_s = f->a->ttl_s;

	hf_name_text(zone, text);
	if (is_include(f))
		evbuffer_add_printf(out->lines,
		    "local-zone: \"%s.\" static\n"
		    "local-data: \"%s. %u SOA " HF_UNBOUND_SOA " %u\"\n",
		    text, text, ttl_s, ttl_s);
	else
		evbuffer_add_printf(out->lines,
		    "%s. %u IN SOA holdfast.invalid. nobody.invalid. %u 60 60 2419200 %u\n", text,
		    ttl_s, (unsigned)f->a->generation, ttl_s);
}

static void add_ptr(struct hf_ub_start_file *f, const struct hf_record *r, const char *name)
{
	char text[HF_NAME_TEXT_MAX];
	struct hf_name ptr;

	hf_ptr_name(r->addr, &ptr);
	hf_name_text(&ptr, text);
	if (!is_include(f))
		evbuffer_add_printf(
		    f->outs[f->n_outs - 1].lines, "%s. %u IN PTR %s.\n", text, f->a->ttl_s, name);
	else if (f->n_ptrs++ < INCLUDE_PTR_MAX)
		evbuffer_add_printf(
		    f->ptrs, "local-data: \"%s. %u PTR %s.\"\n", text, f->a->ttl_s, name);
}

static struct out *out_of(struct hf_ub_start_file *f, const struct hf_name *name)
{
	const struct hf_adapter *a = f->a;
	size_t best = a->n_zones;

	for (size_t i = 0; i < a->n_zones; i++)
		if (hf_name_is_under(name, &a->zones[i].name) &&
		    (best == a->n_zones || a->zones[i].name.len > a->zones[best].name.len))
			best = i;
	if (best == a->n_zones)
		return NULL;
	return &f->outs[is_include(f) ? 0 : best];
}

static int on_record(const struct hf_record *r, void *arg)
{
	struct hf_ub_start_file *f = arg;
	struct out *out = out_of(f, &r->name);
	char name[HF_NAME_TEXT_MAX], addr[HF_ADDR_TEXT_MAX];

	/* The file is read by a parser of configuration: the same checks as before a command. */
	if (!out || !hf_ub_command_name_ok(&r->name) || !hf_addr_is_ours(r->addr))
		return 0;
	hf_name_text(&r->name, name);
	hf_addr_text(r->addr, addr);
	if (evbuffer_add_printf(out->lines,
		is_include(f) ? "local-data: \"%s. %u AAAA %s\"\n" : "%s. %u IN AAAA %s\n", name,
		f->a->ttl_s, addr) < 0)
		return -ENOMEM;
	if (r->primary)
		add_ptr(f, r, name);
	return 0;
}

/* --- files --- */

static int write_lines(struct out *out)
{
	while (evbuffer_get_length(out->lines)) {
		int n = evbuffer_write(out->lines, out->fd);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
	}
	/* Begun early, so that the sync at the end is short. */
	sync_file_range(out->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return 0;
}

static void close_outs(struct hf_ub_start_file *f)
{
	for (size_t i = 0; i < f->n_outs; i++) {
		struct out *out = &f->outs[i];

		if (out->fd >= 0) {
			close(out->fd);
			unlinkat(f->dir, out->temp, 0);
		}
		if (out->lines)
			evbuffer_free(out->lines);
	}
	f->n_outs = 0;
	if (f->walk)
		f->a->host->walk_free(f->walk);
	f->walk = NULL;
	if (f->ptrs)
		evbuffer_free(f->ptrs);
	f->ptrs = NULL;
	f->n_ptrs = 0;
	if (f->dir >= 0)
		close(f->dir);
	f->dir = -1;
}

/* Opens the folder; the file's own name is left in ret_base. */
static int open_folder(struct hf_ub_start_file *f, const char **ret_base)
{
	const char *path = f->a->config->unbound.start_file, *slash = strrchr(path, '/');
	char folder[PATH_MAX_LEN];

	if (!slash || (size_t)(slash - path) >= sizeof(folder))
		return -ENAMETOOLONG;
	memcpy(folder, path, (size_t)(slash - path) + 1);
	folder[slash - path + 1] = '\0';
	f->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*ret_base = slash + 1;
	return f->dir < 0 ? -errno : 0;
}

static int add_out(struct hf_ub_start_file *f, const char *base, const char *suffix)
{
	struct out *out = &f->outs[f->n_outs++];
	int n;

	memset(out, 0, sizeof(*out));
	out->fd = -1;
	n = snprintf(out->name, sizeof(out->name), "%s%s%s", base, *suffix ? "." : "", suffix);
	if (n < 0 || (size_t)n >= sizeof(out->name))
		return -ENAMETOOLONG;
	snprintf(out->temp, sizeof(out->temp), ".%s%s%s.tmp", base, *suffix ? "." : "", suffix);
	out->lines = evbuffer_new();
	if (!out->lines)
		return -ENOMEM;
	unlinkat(f->dir, out->temp, 0);
	out->fd =
	    openat(f->dir, out->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return out->fd < 0 ? -errno : 0;
}

static int open_outs(struct hf_ub_start_file *f)
{
	const struct hf_adapter *a = f->a;
	const char *base = "";
	char text[HF_NAME_TEXT_MAX];
	int rc = open_folder(f, &base);

	for (size_t i = 0; i < a->n_zones && !rc; i++) {
		if (i == 0 || !is_include(f))
			rc = add_out(f, base, i ? hf_name_text(&a->zones[i].name, text) : "");
		if (!rc && i == 0 && is_include(f))
			evbuffer_add_printf(f->outs[0].lines, "server:\n");
		if (!rc)
			add_head(f, &f->outs[is_include(f) ? 0 : i], &a->zones[i].name);
	}
	if (!rc && !is_include(f)) {
		rc = add_out(f, base, "ptr");
		if (!rc)
			add_head(f, &f->outs[f->n_outs - 1], &hf_reverse_apex);
	}
	if (!rc && is_include(f)) {
		f->ptrs = evbuffer_new();
		if (!f->ptrs)
			rc = -ENOMEM;
	}
	return rc;
}

/* All are whole before the first is renamed. `only_missing`: those that are there stay. */
static int finish_outs(struct hf_ub_start_file *f, bool only_missing)
{
	int rc = 0;

	if (f->ptrs && f->n_ptrs <= INCLUDE_PTR_MAX)
		evbuffer_add_buffer(f->outs[0].lines, f->ptrs);
	for (size_t i = 0; i < f->n_outs && !rc; i++) {
		rc = write_lines(&f->outs[i]);
		if (!rc && (fchmod(f->outs[i].fd, 0644) || fdatasync(f->outs[i].fd)))
			rc = -errno;
	}
	for (size_t i = 0; i < f->n_outs && !rc; i++) {
		struct out *out = &f->outs[i];

		if (only_missing && faccessat(f->dir, out->name, F_OK, 0) == 0)
			continue;
		if (renameat(f->dir, out->temp, f->dir, out->name)) {
			rc = -errno;
		} else {
			close(out->fd);
			out->fd = -1;
		}
	}
	return rc;
}

/* --- when --- */

static void told(struct hf_ub_start_file *f, int code)
{
	struct hf_adapter *a = f->a;
	char text[HF_UNBOUND_TEXT_MAX];

	if (code) {
		snprintf(text, sizeof(text), "the start file '%s' cannot be written: %s",
		    a->config->unbound.start_file, hf_strerror(code));
		if (!f->warned)
			a->host->warn(a->host->arg, "start-file", text);
	} else if (f->warned) {
		a->host->warn(a->host->arg, "start-file", NULL);
	}
	f->warned = code != 0;
}

static void arm(struct hf_ub_start_file *f, int64_t ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	event_add(f->turn, &tv);
}

static void end(struct hf_ub_start_file *f, int code)
{
	struct hf_adapter *a = f->a;
	int64_t interval_ms = a->config->unbound.start_interval_ms;

	close_outs(f);
	f->next_ms = hf_boot_ms(a->host->clock) + interval_ms;
	if (code)
		f->changed = true;
	if (f->changed)
		arm(f, interval_ms);
	told(f, code);
}

static int begin(struct hf_ub_start_file *f)
{
	struct hf_adapter *a = f->a;
	int rc = a->host->walk_new(a->host->arg, &f->walk);

	if (rc)
		f->walk = NULL;
	if (!rc)
		rc = open_outs(f);
	if (!rc)
		f->changed = false;
	return rc;
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct hf_ub_start_file *f = arg;
	int rc = 0;

	if (!f->walk) {
		if (!f->a->n_zones)
			return;
		rc = begin(f);
		if (rc) {
			end(f, rc);
			return;
		}
	}
	rc = f->a->host->walk_step(f->walk, SLICE, on_record, f);
	for (size_t i = 0; i < f->n_outs && rc >= 0; i++) {
		int wrote = write_lines(&f->outs[i]);

		if (wrote)
			rc = wrote;
	}
	if (rc > 0) {
		arm(f, 0);
		return;
	}
	if (!rc)
		rc = finish_outs(f, false);
	end(f, rc);
}

void hf_ub_start_file_changed(struct hf_ub_start_file *f)
{
	int64_t wait_ms;

	if (!f)
		return;
	f->changed = true;
	wait_ms = f->next_ms - hf_boot_ms(f->a->host->clock);
	if (!f->walk && !evtimer_pending(f->turn, NULL))
		arm(f, wait_ms > 0 ? wait_ms : 0);
}

void hf_ub_start_file_rezone(struct hf_ub_start_file *f)
{
	if (!f)
		return;
	f->prepared = false;
	if (f->walk) {
		close_outs(f);
		f->changed = true;
		arm(f, 0);
	}
}

void hf_ub_start_file_prepare(struct hf_ub_start_file *f)
{
	int rc;

	if (!f || f->prepared || f->walk || !f->a->n_zones ||
	    access(f->a->config->unbound.start_file, F_OK) == 0)
		return;
	rc = open_outs(f);
	if (!rc)
		rc = finish_outs(f, true);
	close_outs(f);
	f->prepared = true;
	if (rc)
		hf_log_warn("adapter '%s': the start file '%s' cannot be written: %s",
		    f->a->config->name, f->a->config->unbound.start_file, hf_strerror(rc));
}

int hf_ub_start_file_new(struct hf_adapter *a, struct hf_ub_start_file **ret_file)
{
	struct hf_ub_start_file *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->a = a;
	f->dir = -1;
	f->turn = evtimer_new(a->host->base, on_turn, f);
	if (!f->turn) {
		free(f);
		return -ENOMEM;
	}
	*ret_file = f;
	return 0;
}

void hf_ub_start_file_free(struct hf_ub_start_file *f)
{
	if (!f)
		return;
	close_outs(f);
	event_free(f->turn);
	free(f);
}
