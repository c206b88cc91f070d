/* SPDX-License-Identifier: Apache-2.0 */
/*
 * life: the configuration, the bridge's life and death, its files, and time.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/scenario/boot.h"
#include "tests/scenario/files.h"
#include "tests/scenario/verbs.h"

/* Boottime when the bridge begins after a reboot. */
enum { BOOT_START_MS = 20000 };

/* --- configuration and life --- */

bool do_source(struct world *w, const struct words *a)
{
	const char *url = words_option(a, "url");
	struct world_source *s = &w->sources[w->n_sources];

	if (w->n_sources == WORLD_SOURCES || a->n < 3)
		return world_fail(w, "source NAME SUFFIX [url=HOST]");
	memset(s, 0, sizeof(*s));
	snprintf(s->name, sizeof(s->name), "%s", a->at[1]);
	snprintf(s->suffix, sizeof(s->suffix), "%s", a->at[2]);
	snprintf(s->url, sizeof(s->url), "%s", url ? url : s->name);
	snprintf(s->owners, sizeof(s->owners), "me");
	w->n_sources++;
	return true;
}

bool do_source_key(struct world *w, const struct words *a)
{
	struct world_source *s = world_source(w, words_at(a, 1));
	size_t i = 0;

	if (!s)
		return false;
	while (i < s->n_keys && strcmp(s->keys[i].key, words_at(a, 2)))
		i++;
	if (i == WORLD_SOURCE_KEYS)
		return world_fail(w, "too many keys");
	s->n_keys += i == s->n_keys;
	snprintf(s->keys[i].key, sizeof(s->keys[i].key), "%s", words_at(a, 2));
	snprintf(s->keys[i].value, sizeof(s->keys[i].value), "%s", words_at(a, 3));
	return true;
}

bool do_drop(struct world *w, const struct words *a)
{
	struct world_source *s = world_source(w, words_at(a, 1));
	size_t i = s ? (size_t)(s - w->sources) : 0;

	if (!s)
		return false;
	w->n_sources--;
	memmove(&w->sources[i], &w->sources[i + 1], (w->n_sources - i) * sizeof(w->sources[0]));
	memmove(&w->in_contact[i], &w->in_contact[i + 1],
	    (w->n_sources - i) * sizeof(w->in_contact[0]));
	w->in_contact[w->n_sources] = false;
	return true;
}

/* The same server under another name. */
bool do_rename_source(struct world *w, const struct words *a)
{
	struct world_source *s = world_source(w, words_at(a, 1));

	if (!s || !*words_at(a, 2))
		return s && world_fail(w, "rename-source NAME NEW-NAME");
	snprintf(s->name, sizeof(s->name), "%s", words_at(a, 2));
	w->in_contact[s - w->sources] = false;
	return true;
}

bool do_set(struct world *w, const struct words *a)
{
	size_t i = 0;

	if (a->n < 3)
		return world_fail(w, "set KEY VALUE");
	while (i < w->n_keys && strcmp(w->keys[i].key, a->at[1]))
		i++;
	if (i == WORLD_KEYS)
		return world_fail(w, "too many keys");
	w->n_keys += i == w->n_keys;
	snprintf(w->keys[i].key, sizeof(w->keys[i].key), "%s", a->at[1]);
	snprintf(w->keys[i].value, sizeof(w->keys[i].value), "%s", a->at[2]);
	return true;
}

bool do_unset(struct world *w, const struct words *a)
{
	for (size_t i = 0; i < w->n_keys; i++) {
		if (strcmp(w->keys[i].key, words_at(a, 1)))
			continue;
		memmove(&w->keys[i], &w->keys[i + 1], (--w->n_keys - i) * sizeof(w->keys[0]));
		return true;
	}
	return world_fail(w, "'%s' is not set", words_at(a, 1));
}

bool do_start(struct world *w, const struct words *a)
{
	return world_start(w);
}

bool do_reload(struct world *w, const struct words *a)
{
	if (!verbs_need_core(w) || !world_reload(w))
		return false;
	world_settle(w);
	return true;
}

bool do_stop(struct world *w, const struct words *a)
{
	hf_engine_free(w->engine);
	w->engine = NULL;
	memset(w->in_contact, 0, sizeof(w->in_contact));
	return true;
}

bool do_restart(struct world *w, const struct words *a)
{
	return do_stop(w, a) && world_start(w);
}

/* Its files as they are now, and nothing that it would write at its end. */
bool do_kill(struct world *w, const struct words *a)
{
	struct files *files;

	if (!verbs_need_core(w))
		return false;
	files = files_take(w->dir);
	do_stop(w, a);
	return files_put(files, w->dir) || world_fail(w, "its files could not be put back");
}

bool do_reboot(struct world *w, const struct words *a)
{
	int64_t ms;

	if (!words_span(words_at(a, 1), &ms))
		return world_fail(w, "reboot 2h: how long the machine is down");
	do_stop(w, a);
	world_stop_reading(w);
	boot_again();
	w->clock.wall += ms;
	w->clock.boot = BOOT_START_MS;
	return true;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

bool do_lose(struct world *w, const struct words *a)
{
	char path[400];

	if (w->engine && strcmp(words_at(a, 1), "zone"))
		return world_fail(w, "stop the bridge first");
	if (!strcmp(words_at(a, 1), "zone")) {
		snprintf(path, sizeof(path), "%s/zone", w->dir);
		nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
		return true;
	}
	for (const char *const *end =
		 (const char *const[]){ "", "-wal", "-shm", ".copy", ".recovery", NULL };
	     *end; end++) {
		snprintf(path, sizeof(path), "%s/store.db%s", w->dir, *end);
		unlink(path);
	}
	return true;
}

bool do_damage(struct world *w, const struct words *a)
{
	static const char junk[4096] = "this is no page of a database";
	char path[400];
	FILE *f;
	long size;

	if (w->engine)
		return world_fail(w, "stop the bridge first");
	snprintf(path, sizeof(path), "%s/%s", w->dir,
	    strcmp(words_at(a, 1), "copy") ? "store.db" : "store.db.copy");
	f = fopen(path, "r+");
	if (!f)
		return world_fail(w, "there is no '%s'", path);
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	/* The header stays: it still looks like a store. */
	for (long at = 4096; at < size; at += (long)sizeof(junk)) {
		fseek(f, at, SEEK_SET);
		fwrite(junk, 1, sizeof(junk), f);
	}
	fclose(f);
	return true;
}

/* --- time --- */

bool do_after(struct world *w, const struct words *a)
{
	int64_t ms;

	if (!words_span(words_at(a, 1), &ms))
		return world_fail(w, "after 10m: a number and ms, s, m, h, d or y");
	world_after(w, ms);
	return true;
}

bool do_sleep(struct world *w, const struct words *a)
{
	int64_t ms;

	if (!words_span(words_at(a, 1), &ms))
		return world_fail(w, "sleep 8h");
	hf_fake_clock_add(&w->clock, ms);
	if (strcmp(words_at(a, 2), "unnoticed"))
		world_settle(w);
	return true;
}

bool do_wall(struct world *w, const struct words *a)
{
	int64_t ms;

	if (!words_span(words_at(a, 1), &ms))
		return world_fail(w, "wall +40d");
	w->clock.wall += ms;
	world_settle(w);
	return true;
}

bool do_at_once(struct world *w, const struct words *a)
{
	w->at_once = true;
	return true;
}

bool do_settle(struct world *w, const struct words *a)
{
	w->at_once = false;
	world_settle(w);
	return true;
}

bool do_synced(struct world *w, const struct words *a)
{
	boot_synced(!strcmp(words_at(a, 1), "yes"));
	return true;
}
