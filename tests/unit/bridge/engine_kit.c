/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/bridge/engine_kit.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "config/config.h"
#include "zone/reader.h"

enum { WALL_S = 1700000000, WORKSPACES_MAX = 6000 };

static struct hf_uuid id(uint8_t kind, unsigned n)
{
	struct hf_uuid u = { { kind } };

	u.b[14] = (uint8_t)(n >> 8);
	u.b[15] = (uint8_t)n;
	return u;
}

static const char one_source[] =
    "  - { name: main, url: 'https://c.example', token-file: /nowhere, suffix: coder }\n";

static struct hf_config *parse(const struct engine_kit *k, const char *sources)
{
	struct hf_config *config = NULL;
	struct hf_config_errors errors;
	char yaml[1000];
	int len = snprintf(yaml, sizeof(yaml), "store: %s/store.db\nzone: %s/zone\nsources:\n%s",
	    k->dir.path, k->dir.path, sources);

	ck_assert_int_eq(hf_config_parse("kit", yaml, (size_t)len, 0, &config, &errors), 0);
	return config;
}

/* The engine is to know by itself that it is busy. */
static void on_lent(const char *function)
{
	ck_abort_msg("%s() while the state is lent", function);
}

void engine_kit_init(struct engine_kit *k)
{
	memset(k, 0, sizeof(*k));
	hf_state_on_lent = on_lent;
	tmpdir_make(&k->dir);
	hf_fake_clock_init(&k->clock, 1000000, (int64_t)WALL_S * 1000);
	/* What is logged is not what is tested here. */
	hf_log_init(open("/dev/null", O_WRONLY | O_CLOEXEC), HF_LOG_ERROR, HF_LOG_TEXT, NULL);
	k->config = parse(k, one_source);
}

void engine_kit_sources(struct engine_kit *k, const char *sources)
{
	struct hf_config *before = k->config;

	k->config = parse(k, sources);
	if (k->engine)
		ck_assert_int_eq(hf_engine_configure(k->engine, k->config), 0);
	hf_config_free(before);
}

void engine_kit_more(struct engine_kit *k, const char *lines)
{
	char text[800];

	snprintf(text, sizeof(text), "%s%s", one_source, lines);
	engine_kit_sources(k, text);
}

void engine_kit_done(struct engine_kit *k)
{
	engine_kit_stop(k);
	hf_config_free(k->config);
	tmpdir_remove(&k->dir);
}

int engine_kit_try_open(struct engine_kit *k)
{
	return hf_engine_open(k->config, &k->clock.clock, &k->engine);
}

void engine_kit_open(struct engine_kit *k)
{
	const struct hf_identity alice = { .user = id(9, 1), .user_name = "alice" };
	struct hf_judgement j;

	ck_assert_int_eq(engine_kit_try_open(k), 0);
	ck_assert_int_eq(hf_engine_identify(k->engine, "main", &alice, &j), 0);
	ck_assert_int_eq(hf_engine_owner_set(k->engine, "main", &alice.user, "alice"), 0);
	hf_engine_owner_readable(
	    k->engine, "main", &alice.user, READABLE_YES, hf_engine_now(k->engine).boot_ms);
}

void engine_kit_stop(struct engine_kit *k)
{
	hf_engine_free(k->engine);
	k->engine = NULL;
}

void engine_kit_killed_life(struct engine_kit *k, unsigned n)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		engine_kit_open(k);
		engine_kit_snapshot(k, n);
		raise(SIGKILL);
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* A slice ends as soon as it can. */
static bool slices_are_small;

int __real_hf_store_step(struct hf_store *s, uint32_t budget_us);
int __wrap_hf_store_step(struct hf_store *s, uint32_t budget_us);
int __wrap_hf_store_step(struct hf_store *s, uint32_t budget_us)
{
	return __real_hf_store_step(s, slices_are_small ? 0 : budget_us);
}

void engine_kit_begin_writing(struct engine_kit *k)
{
	slices_are_small = true;
	for (int i = 0; i < 1000 && !hf_engine_busy(k->engine); i++) {
		hf_fake_clock_add(&k->clock, 10);
		hf_engine_work(k->engine);
	}
	slices_are_small = false;
	ck_assert(hf_engine_busy(k->engine));
}

void engine_kit_settle(struct engine_kit *k)
{
	for (int i = 0; i < 10000; i++) {
		int64_t wait = hf_engine_work(k->engine);
		struct hf_store *store = hf_engine_store(k->engine);

		if (hf_store_get_state(store, NULL, NULL) == HF_STORE_FAILED)
			return;
		if (wait > 0 && !hf_state_dirty(hf_engine_state(k->engine)) &&
		    (wait > 100 || hf_engine_published(k->engine) == hf_store_generation(store)))
			return;
		hf_fake_clock_add(&k->clock, 10);
		if (wait > 0)
			usleep(1000);
	}
	ck_abort_msg("it does not settle");
}

const struct hf_update *engine_kit_message(unsigned n)
{
	static struct hf_update_workspace ws[WORKSPACES_MAX];
	static struct hf_update_agent agents[WORKSPACES_MAX];
	static char names[WORKSPACES_MAX][16];
	static struct hf_update u;

	ck_assert_uint_le(n, WORKSPACES_MAX);
	for (unsigned i = 0; i < n; i++) {
		int len = snprintf(names[i], sizeof(names[i]), "w%u", i + 1);

		ws[i] =
		    (struct hf_update_workspace){ id(1, i + 1), { names[i], (uint32_t)len }, 3 };
		agents[i] = (struct hf_update_agent){ id(2, i + 1), id(1, i + 1), { "main", 4 } };
	}
	u = (struct hf_update){ .kind = HF_UPDATE_SNAPSHOT,
		.owner = id(9, 1),
		.upserted_workspaces = ws,
		.n_upserted_workspaces = n,
		.upserted_agents = agents,
		.n_upserted_agents = n };
	return &u;
}

int engine_kit_try_snapshot(struct engine_kit *k, unsigned n)
{
	struct hf_judgement j;
	int rc = hf_engine_update(k->engine, "main", engine_kit_message(n), &j);

	return rc ? rc : j.verdict == HF_VERDICT_ACCEPTED ? 0 : HF_EREFUSED;
}

void engine_kit_snapshot(struct engine_kit *k, unsigned n)
{
	ck_assert_int_eq(engine_kit_try_snapshot(k, n), 0);
	engine_kit_settle(k);
}

static int count(const struct hf_name *name, const struct hf_zone_entry *entry, void *arg)
{
	(void)name;
	*(size_t *)arg += entry->n_addrs;
	return 0;
}

size_t engine_kit_published(const struct engine_kit *k)
{
	struct hf_zone_reader *reader;
	struct hf_zone *zone;
	size_t n = 0;

	ck_assert_int_eq(hf_zone_open(k->config->zone, &hf_clock_system, &zone), 0);
	ck_assert_int_eq(hf_zone_reader_new(zone, &reader), 0);
	ck_assert_int_eq(hf_zone_reader_load(reader), 0);
	ck_assert_int_eq(hf_zone_reader_walk(reader, count, &n), 0);
	hf_zone_reader_free(reader);
	hf_zone_close(zone);
	return n;
}

enum hf_store_state engine_kit_store(const struct engine_kit *k)
{
	return hf_store_get_state(hf_engine_store(k->engine), NULL, NULL);
}

const char *engine_kit_file(const struct engine_kit *k, const char *tail)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/store.db%s", k->dir.path, tail);
	return path;
}

bool engine_kit_exists(const struct engine_kit *k, const char *tail)
{
	return access(engine_kit_file(k, tail), F_OK) == 0;
}

size_t engine_kit_aside(const struct engine_kit *k)
{
	DIR *dir = opendir(k->dir.path);
	struct dirent *e;
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((e = readdir(dir)))
		n += !strncmp(e->d_name, "store.db.damaged-", 17) && !strstr(e->d_name, "-wal") &&
		     !strstr(e->d_name, "-shm");
	closedir(dir);
	return n;
}

void engine_kit_damage(const struct engine_kit *k)
{
	static const char junk[8192] = "this is no database";
	int fd = open(engine_kit_file(k, ""), O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, junk, sizeof(junk), 0), sizeof(junk));
	close(fd);
}
