/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/scenario/world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "tests/scenario/boot.h"

enum { WALL_START_S = 1750000000 };

bool world_fail(struct world *w, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(w->error, sizeof(w->error), format, ap);
	va_end(ap);
	return false;
}

void world_open(struct world *w, const char *dir, FILE *log)
{
	memset(w, 0, sizeof(*w));
	w->log = log;
	boot_begin();
	hf_fake_clock_init(&w->clock, 1000000, (int64_t)WALL_START_S * 1000);
	snprintf(w->dir, sizeof(w->dir), "%s", dir);
}

void world_stop_reading(struct world *w)
{
	hf_zone_reader_free(w->reader);
	hf_zone_close(w->zone);
	w->reader = NULL;
	w->zone = NULL;
}

void world_close(struct world *w)
{
	world_stop_reading(w);
	hf_engine_free(w->engine);
	hf_config_free(w->config);
}

/* --- configuration --- */

/*
 * "guard.grace" is written as a map of one key; a second one of the same map would be a duplicate
 * key.
 */
static void put_key(FILE *out, const char *key, const char *value)
{
	const char *dot = strchr(key, '.');

	if (dot)
		fprintf(out, "%.*s: { %s: %s }\n", (int)(dot - key), key, dot + 1, value);
	else
		fprintf(out, "%s: %s\n", key, value);
}

static void put_map(FILE *out, const struct world *w, size_t from)
{
	size_t len = (size_t)(strchr(w->keys[from].key, '.') - w->keys[from].key);

	fprintf(out, "%.*s: {", (int)len, w->keys[from].key);
	for (size_t i = from; i < w->n_keys; i++)
		if (!strncmp(w->keys[i].key, w->keys[from].key, len + 1))
			fprintf(out, "%s %s: %s", i > from ? "," : "", w->keys[i].key + len + 1,
			    w->keys[i].value);
	fprintf(out, " }\n");
}

static bool map_was_put(const struct world *w, size_t at)
{
	size_t len = (size_t)(strchr(w->keys[at].key, '.') - w->keys[at].key);

	for (size_t i = 0; i < at; i++)
		if (!strncmp(w->keys[i].key, w->keys[at].key, len + 1))
			return true;
	return false;
}

static bool has_key(const struct world_source *s, const char *key)
{
	for (size_t i = 0; i < s->n_keys; i++)
		if (!strcmp(s->keys[i].key, key))
			return true;
	return false;
}

static void write_source(FILE *out, const struct world *w, const struct world_source *s)
{
	fprintf(out, "  - { name: %s, url: 'https://%s.example', token-file: %s/token, suffix: %s",
	    s->name, s->url, w->dir, s->suffix);
	for (size_t i = 0; i < s->n_keys; i++)
		fprintf(out, ", %s: %s", s->keys[i].key, s->keys[i].value);
	if (!has_key(s, "owners")) {
		const char *first = s->owners + strspn(s->owners, " ");

		fprintf(out, ", owners: [");
		for (const char *at = first; *at; at += strspn(at, " ")) {
			int len = (int)strcspn(at, " ");

			fprintf(out, "%s'%.*s'", at > first ? "," : "", len, at);
			at += len;
		}
		fprintf(out, "]");
	}
	fprintf(out, " }\n");
}

static void write_config(FILE *out, const struct world *w)
{
	fprintf(out, "store: %s/store.db\nzone: %s/zone\nsources:\n", w->dir, w->dir);
	for (size_t i = 0; i < w->n_sources; i++)
		write_source(out, w, &w->sources[i]);
	for (size_t i = 0; i < w->n_keys; i++) {
		if (!strchr(w->keys[i].key, '.'))
			put_key(out, w->keys[i].key, w->keys[i].value);
		else if (!map_was_put(w, i))
			put_map(out, w, i);
	}
}

static bool load_config(struct world *w, struct hf_config **ret_config)
{
	struct hf_config_errors errors;
	char *text = NULL, why[700];
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int rc;

	if (!out)
		return world_fail(w, "out of memory");
	write_config(out, w);
	fclose(out);
	rc = hf_config_parse("scenario", text, len, 0, ret_config, &errors);
	free(text);
	return !rc || world_fail(w, "%s", hf_config_error_text(&errors, 0, why, sizeof(why)));
}

struct world_source *world_source(struct world *w, const char *name)
{
	for (size_t i = 0; i < w->n_sources; i++)
		if (!strcmp(w->sources[i].name, name))
			return &w->sources[i];
	world_fail(w, "there is no source '%s'", name);
	return NULL;
}

/* The engine is to know by itself that it is busy. */
static void on_lent(const char *function)
{
	fprintf(stderr, "%s() while the state is lent\n", function);
	abort();
}

bool world_start(struct world *w)
{
	struct hf_config *config;
	int rc;

	if (w->engine)
		return world_fail(w, "the bridge runs already");
	if (!load_config(w, &config))
		return false;
	hf_config_free(w->config);
	w->config = config;
	hf_state_on_lent = on_lent;
	rc = hf_engine_open(w->config, &w->clock.clock, &w->engine);
	return !rc || world_fail(w, "the bridge does not start: %s", hf_strerror(rc));
}

bool world_reload(struct world *w)
{
	struct hf_config *config;
	int rc;

	if (!load_config(w, &config))
		return false;
	rc = hf_engine_configure(w->engine, config);
	hf_config_free(w->config);
	w->config = config;
	return !rc || world_fail(w, "%s", hf_strerror(rc));
}

/* --- time --- */

static void work(struct world *w)
{
	while (w->engine && hf_engine_work(w->engine) == 0)
		;
}

/* The copy that stands by is made by a thread, which this clock does not move. */
static void wait_for_copy(struct world *w)
{
	struct hf_store_stats stats;

	if (!w->engine)
		return;
	for (hf_store_get_stats(hf_engine_store(w->engine), &stats); stats.copying;
	     hf_store_get_stats(hf_engine_store(w->engine), &stats))
		usleep(1000);
}

static void one_second(struct world *w)
{
	hf_fake_clock_add(&w->clock, 1000);
	for (size_t i = 0; i < w->n_sources && w->engine; i++)
		if (w->in_contact[i])
			hf_engine_contact(w->engine, w->sources[i].name);
	work(w);
	wait_for_copy(w);
}

void world_after(struct world *w, int64_t ms)
{
	for (; ms >= 1000; ms -= 1000)
		one_second(w);
	hf_fake_clock_add(&w->clock, ms);
	work(w);
}

/*
 * A message is followed by as much time as the commit wants, so that a reader sees what came of it.
 */
void world_settle(struct world *w)
{
	if (!w->at_once)
		world_after(w, 100);
}

bool world_sum_is_right(struct world *w)
{
	const struct hf_state *s = w->engine ? hf_engine_state(w->engine) : NULL;

	if (!s || hf_state_dirty(s) || hf_state_spent(s) ||
	    hf_state_sum(s) == hf_state_count_sum(s))
		return true;
	return world_fail(w, "the sum of the names is not kept as they change");
}

/* --- what readers see --- */

static bool open_reader(struct world *w)
{
	char path[300];

	if (w->reader)
		return true;
	snprintf(path, sizeof(path), "%s/zone", w->dir);
	if (hf_zone_open(path, &w->clock.clock, &w->zone) ||
	    hf_zone_reader_new(w->zone, &w->reader))
		return world_fail(w, "out of memory");
	return true;
}

bool world_ask(struct world *w, const char *text, uint16_t type, struct hf_answer *ret_answer)
{
	struct hf_question q = { .type = type, .class = HF_CLASS_IN, .from_loopback = true };
	struct hf_name name;
	int rc;

	if (hf_name_parse(text, &name))
		return world_fail(w, "'%s' is no name", text);
	if (!open_reader(w))
		return false;
	rc = hf_zone_reader_load(w->reader);
	memset(ret_answer, 0, sizeof(*ret_answer));
	/* Without a zone nothing is ours. */
	if (rc == -ENOENT)
		return true;
	if (rc)
		return world_fail(w, "the zone cannot be read: %s", hf_strerror(rc));
	q.name = &name;
	hf_answer(w->reader, &q, ret_answer);
	return true;
}

static int count_name(const struct hf_name *name, const struct hf_zone_entry *entry, void *arg)
{
	*(unsigned long long *)arg += !(entry->flags & HF_REC_WITHDRAWN);
	return 0;
}

bool world_count(struct world *w, unsigned long long *ret_n)
{
	*ret_n = 0;
	if (!open_reader(w))
		return false;
	if (hf_zone_reader_load(w->reader) == 0)
		hf_zone_reader_walk(w->reader, count_name, ret_n);
	return true;
}
