/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/model/driver.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/error.h"
#include "base/log.h"
#include "tests/model/peer.h"
#include "tests/model/rest.h"
#include "tests/scenario/message.h"
#include "tests/scenario/boot.h"
#include "tests/scenario/files.h"

enum { WALL_START_S = 1750000000, BOOT_START_MS = 20000, PONG_MS = 5000, SETTLE_MS = 100 };

static bool __attribute__((format(printf, 2, 3))) fail(struct driver *d, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(d->why, sizeof(d->why), format, ap);
	va_end(ap);
	return false;
}

static bool answered(const char *text)
{
	printf("%s\n", text);
	return true;
}

/* --- work --- */

static bool in_slices;

int __real_hf_store_step(struct hf_store *s, uint32_t budget_us);
int __wrap_hf_store_step(struct hf_store *s, uint32_t budget_us);

/* A slice of the store's work is as small as can be while a line wants to come into the middle. */
int __wrap_hf_store_step(struct hf_store *s, uint32_t budget_us)
{
	return __real_hf_store_step(s, in_slices ? 0 : budget_us);
}

/* The copy that stands by is made by a thread, which this clock does not move. */
static void wait_for_copy(struct driver *d)
{
	struct hf_store_stats stats;

	for (hf_store_get_stats(hf_engine_store(d->engine), &stats); stats.copying;
	     hf_store_get_stats(hf_engine_store(d->engine), &stats))
		usleep(200);
}

/* All that is due now. Returns how long until something is. */
static int64_t work(struct driver *d)
{
	int64_t wait = 0;

	while (d->engine && wait == 0) {
		wait = hf_engine_work(d->engine);
		hf_sources_poke(d->sources);
	}
	if (d->engine)
		wait_for_copy(d);
	return wait;
}

static void pong(struct driver *d)
{
	for (size_t i = 0; i < d->n_conf && d->engine; i++) {
		struct hf_client *c = d->in_contact[i] ? peer_find(d->conf[i].name) : NULL;

		if (c && peer_contact(c) == PEER_UNREAL)
			d->in_contact[i] = false;
	}
}

/* Time goes on: the bridge works when it asked for it, pongs come. */
static void pass(struct driver *d, int64_t ms)
{
	int64_t next = work(d), pong_in = PONG_MS;

	while (ms > 0) {
		int64_t step = ms < pong_in ? ms : pong_in;

		if (d->engine && next < step)
			step = next;
		hf_fake_clock_add(&d->clock, step);
		ms -= step;
		pong_in -= step;
		if (!pong_in) {
			pong(d);
			pong_in = PONG_MS;
		}
		next = work(d);
	}
}

/*
 * What a line began is over, as a reader sees it; or only a part of it, where the line before said
 * so.
 */
static bool settle(struct driver *d)
{
	if (!d->engine)
		return true;
	if (!d->slices) {
		pass(d, SETTLE_MS);
		return true;
	}
	hf_fake_clock_add(&d->clock, SETTLE_MS);
	in_slices = true;
	while (d->slices && d->engine) {
		hf_engine_work(d->engine);
		d->slices--;
	}
	in_slices = false;
	return true;
}

/* While a changeset is lent no client passes on what came. */
static void finish(struct driver *d)
{
	while (d->engine && hf_engine_busy(d->engine))
		hf_engine_work(d->engine);
}

/* --- configuration --- */

static size_t conf_at(const struct driver *d, const char *name)
{
	size_t i = 0;

	while (i < d->n_conf && strcmp(d->conf[i].name, name))
		i++;
	return i;
}

static size_t key_at(const struct driver *d, const char *key)
{
	size_t i = 0;

	while (i < d->n_keys && strcmp(d->keys[i].key, key))
		i++;
	return i;
}

/* One word of a line as YAML: "url=x" is "url: 'x'", "owners=a,b" a list, another word itself. */
static size_t yaml_word(const char *word, char *out, size_t size)
{
	const char *value = strchr(word, '=');
	int len = value ? (int)(value - word) : 0;

	if (!value)
		return (size_t)snprintf(out, size, "%s", word);
	if (!strncmp(word, "owners", (size_t)len))
		return (size_t)snprintf(out, size, "owners: [%s]", value + 1);
	if (!strncmp(word, "url", (size_t)len))
		return (size_t)snprintf(out, size, "url: '%s'", value + 1);
	return (size_t)snprintf(out, size, "%.*s: %s", len, word, value + 1);
}

/* Words from the i-th on, as the inside of a map. */
static void join(const struct words *a, size_t i, char *out, size_t size)
{
	size_t at = 0, first = i;

	*out = '\0';
	for (; i < a->n && at < size; i++) {
		at += (size_t)snprintf(out + at, size - at, "%s", i > first ? ", " : "");
		if (at < size)
			at += yaml_word(a->at[i], out + at, size - at);
	}
}

static bool do_conf(struct driver *d, const struct words *a)
{
	size_t i = conf_at(d, words_at(a, 1));

	if (i == DRIVER_SOURCES || a->n < 3)
		return fail(d, "conf NAME KEYS");
	if (i == d->n_conf) {
		d->in_contact[i] = false;
		d->n_conf++;
	}
	snprintf(d->conf[i].name, sizeof(d->conf[i].name), "%s", a->at[1]);
	join(a, 2, d->conf[i].text, sizeof(d->conf[i].text));
	return answered("ok");
}

static bool do_unconf(struct driver *d, const struct words *a)
{
	size_t i = conf_at(d, words_at(a, 1));

	if (i == d->n_conf)
		return answered("unreal");
	d->n_conf--;
	memmove(&d->conf[i], &d->conf[i + 1], (d->n_conf - i) * sizeof(d->conf[0]));
	memmove(
	    &d->in_contact[i], &d->in_contact[i + 1], (d->n_conf - i) * sizeof(d->in_contact[0]));
	return answered("ok");
}

static bool do_set(struct driver *d, const struct words *a)
{
	size_t i = key_at(d, words_at(a, 1));

	if (i == DRIVER_KEYS || a->n < 3)
		return fail(d, "set KEY VALUE");
	d->n_keys += i == d->n_keys;
	snprintf(d->keys[i].key, sizeof(d->keys[i].key), "%s", a->at[1]);
	join(a, 2, d->keys[i].value, sizeof(d->keys[i].value));
	return answered("ok");
}

static bool do_unset(struct driver *d, const struct words *a)
{
	size_t i = key_at(d, words_at(a, 1));

	if (i == d->n_keys)
		return answered("unreal");
	d->n_keys--;
	memmove(&d->keys[i], &d->keys[i + 1], (d->n_keys - i) * sizeof(d->keys[0]));
	return answered("ok");
}

static bool load_config(struct driver *d, struct hf_config **ret_config)
{
	struct hf_config_errors errors;
	char *text = NULL, why[700];
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int rc;

	if (!out)
		return fail(d, "out of memory");
	fprintf(out, "store: %s/store.db\nzone: %s/zone\nsources:\n", d->dir, d->dir);
	for (size_t i = 0; i < d->n_conf; i++)
		fprintf(out, "  - { name: %s, token-file: %s/token, %s }\n", d->conf[i].name,
		    d->dir, d->conf[i].text);
	for (size_t i = 0; i < d->n_keys; i++)
		fprintf(out, strchr(d->keys[i].value, ':') ? "%s: { %s }\n" : "%s: %s\n",
		    d->keys[i].key, d->keys[i].value);
	fclose(out);
	rc = hf_config_parse("model", text, len, 0, ret_config, &errors);
	free(text);
	return !rc || fail(d, "%s", hf_config_error_text(&errors, 0, why, sizeof(why)));
}

/* --- life --- */

static void ignore_work(void *arg)
{
	(void)arg;
}

/* The engine is to know by itself that it is busy. */
static void on_lent(const char *function)
{
	fprintf(stderr, "%s() while the state is lent\n", function);
	abort();
}

static bool do_start(struct driver *d, const struct words *a)
{
	struct hf_source_env env = { .clock = &d->clock.clock, .work = ignore_work };
	struct hf_config *config;
	int rc;

	(void)a;
	if (d->engine || !d->n_conf)
		return answered("unreal");
	if (!load_config(d, &config))
		return false;
	hf_config_free(d->config);
	d->config = config;
	hf_state_on_lent = on_lent;
	rc = hf_engine_open(d->config, &d->clock.clock, &d->engine);
	if (rc)
		return fail(d, "the bridge does not start: %s", hf_strerror(rc));
	env.engine = d->engine;
	rc = hf_sources_new(d->base, &env, d->config, &d->sources);
	if (rc)
		return fail(d, "the sources do not start: %s", hf_strerror(rc));
	return answered("ok") && settle(d);
}

/* As bridge/daemon/daemon.c does it. */
static bool do_reload(struct driver *d, const struct words *a)
{
	struct hf_config *config;
	int rc;

	(void)a;
	if (!d->engine || !d->n_conf)
		return answered("unreal");
	if (!load_config(d, &config))
		return false;
	if (hf_engine_busy(d->engine)) {
		if (hf_engine_configure(d->engine, config) != -EBUSY)
			return fail(d, "it is taken up while a changeset is lent");
		finish(d);
	}
	rc = hf_engine_configure(d->engine, config);
	hf_sources_configure(d->sources, config);
	hf_config_free(d->config);
	d->config = config;
	if (rc)
		return fail(d, "it is not taken up: %s", hf_strerror(rc));
	return answered("ok") && settle(d);
}

static void stop(struct driver *d)
{
	hf_sources_free(d->sources);
	hf_engine_free(d->engine);
	d->sources = NULL;
	d->engine = NULL;
	memset(d->in_contact, 0, sizeof(d->in_contact));
}

static bool do_stop(struct driver *d, const struct words *a)
{
	(void)a;
	if (!d->engine)
		return answered("unreal");
	stop(d);
	return answered("ok");
}

/* Its files as they are now, and nothing that it would write at its end. */
static bool do_kill(struct driver *d, const struct words *a)
{
	struct files *files;

	(void)a;
	if (!d->engine)
		return answered("unreal");
	files = files_take(d->dir);
	stop(d);
	if (!files_put(files, d->dir))
		return fail(d, "the files could not be put back");
	return answered("ok");
}

static void stop_reading(struct driver *d)
{
	hf_zone_reader_free(d->reader);
	hf_zone_close(d->zone);
	d->reader = NULL;
	d->zone = NULL;
}

/* The power goes; "reboot 2h": the machine is down for so long. */
static bool do_reboot(struct driver *d, const struct words *a)
{
	int64_t ms;

	if (!words_span(words_at(a, 1), &ms))
		return fail(d, "reboot 2h");
	if (d->engine)
		return answered("unreal");
	stop_reading(d);
	boot_again();
	d->clock.wall += ms;
	d->clock.boot = BOOT_START_MS;
	return answered("ok");
}

/* --- files --- */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int damage_file(const char *path)
{
	static const char junk[4096] = "this is not what was here";
	FILE *f = fopen(path, "r+");
	long size;

	if (!f)
		return 0;
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	/* The head stays: it still looks like a file of its kind. */
	for (long at = 100; at < size; at += (long)sizeof(junk)) {
		long left = size - at;

		fseek(f, at, SEEK_SET);
		fwrite(junk, 1, left < (long)sizeof(junk) ? (size_t)left : sizeof(junk), f);
	}
	fclose(f);
	return 1;
}

static int damage_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_F)
		damage_file(path);
	return 0;
}

static bool file_exists(const struct driver *d, const char *end)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", d->dir, end);
	return access(path, F_OK) == 0;
}

/* "lose store": with its log; "lose copy", "lose zone", "lose all". */
static bool do_lose(struct driver *d, const struct words *a)
{
	static const char *const store[] = { "store.db", "store.db-wal", "store.db-shm" };
	const char *what = words_at(a, 1);
	bool all = !strcmp(what, "all");
	char path[300];

	if (d->engine)
		return answered("unreal");
	for (size_t i = 0; (all || !strcmp(what, "store")) && i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", d->dir, store[i]);
		unlink(path);
	}
	if (all || !strcmp(what, "copy")) {
		snprintf(path, sizeof(path), "%s/store.db.copy", d->dir);
		unlink(path);
	}
	if (all || !strcmp(what, "zone")) {
		stop_reading(d);
		snprintf(path, sizeof(path), "%s/zone", d->dir);
		nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	}
	return answered("ok");
}

static bool do_damage(struct driver *d, const struct words *a)
{
	const char *what = words_at(a, 1);
	char path[300];

	if (d->engine)
		return answered("unreal");
	if (!strcmp(what, "zone")) {
		stop_reading(d);
		snprintf(path, sizeof(path), "%s/zone", d->dir);
		nftw(path, damage_entry, 8, FTW_PHYS);
		return answered("ok");
	}
	what = strcmp(what, "copy") ? "store.db" : "store.db.copy";
	if (!file_exists(d, what))
		return answered("unreal");
	snprintf(path, sizeof(path), "%s/%s", d->dir, what);
	damage_file(path);
	/* What the log has would mend it. */
	if (!strcmp(what, "store.db")) {
		snprintf(path, sizeof(path), "%s/store.db-wal", d->dir);
		unlink(path);
		snprintf(path, sizeof(path), "%s/store.db-shm", d->dir);
		unlink(path);
	}
	return answered("ok");
}

/* --- time --- */

static bool do_after(struct driver *d, const struct words *a)
{
	int64_t ms;

	if (!words_span(words_at(a, 1), &ms))
		return fail(d, "after 10m");
	answered("ok");
	pass(d, ms);
	return true;
}

/* Nothing runs meanwhile. */
static bool do_sleep(struct driver *d, const struct words *a)
{
	int64_t ms;

	if (!words_span(words_at(a, 1), &ms))
		return fail(d, "sleep 8h");
	hf_fake_clock_add(&d->clock, ms);
	return answered("ok") && settle(d);
}

static bool do_wall(struct driver *d, const struct words *a)
{
	int64_t ms;

	if (!words_span(words_at(a, 1), &ms))
		return fail(d, "wall +40d");
	d->clock.wall += ms;
	return answered("ok") && settle(d);
}

static bool do_synced(struct driver *d, const struct words *a)
{
	(void)d;
	boot_synced(!strcmp(words_at(a, 1), "yes"));
	return answered("ok");
}

/* The next line gets so many small steps of work, so that the one after it comes in the middle. */
static bool do_slices(struct driver *d, const struct words *a)
{
	if (!d->engine)
		return answered("unreal");
	d->slices = (unsigned)strtoul(words_at(a, 1), NULL, 10);
	return answered("ok");
}

/* --- what the server brings --- */

static void set_contact(struct driver *d, const char *source, bool contact)
{
	size_t i = conf_at(d, source);

	if (i < d->n_conf)
		d->in_contact[i] = contact;
}

static bool answered_result(struct driver *d, enum peer_result result)
{
	if (result == PEER_UNREAL)
		return answered("unreal");
	printf("ok %s\n", peer_result_name(result));
	return settle(d);
}

static bool do_told(struct driver *d, const struct words *a)
{
	struct hf_client *c = peer_find(words_at(a, 1));
	const char *ago = words_option(a, "ago");
	struct hf_server_info *told;
	int64_t ago_ms = 0;

	if (!d->engine || !c)
		return answered("unreal");
	told = rest_told(a);
	if (!told || (ago && !words_span(ago, &ago_ms))) {
		hf_server_info_free(told);
		return fail(d, "told NAME user=1:alice ...");
	}
	finish(d);
	return answered_result(d, peer_told(c, told, ago_ms));
}

static bool do_message(struct driver *d, const struct words *a)
{
	struct hf_client *c = peer_find(words_at(a, 1));
	bool diff = !strcmp(words_at(a, 0), "diff");
	struct message *r;
	enum peer_result result;

	if (!d->engine || !c || a->n < 3)
		return answered("unreal");
	r = message_parse(diff ? HF_UPDATE_DIFF : HF_UPDATE_SNAPSHOT,
	    (unsigned)strtoul(a->at[2], NULL, 10), 0, a->at + 3, a->n - 3);
	if (!r)
		return fail(d, "a record of another form");
	finish(d);
	result = diff ? peer_diff(c, message_update(r)) : peer_snapshot(c, message_update(r));
	message_free(r);
	if (result != PEER_UNREAL)
		set_contact(d, a->at[1], peer_live(c));
	return answered_result(d, result);
}

static bool do_contact(struct driver *d, const struct words *a)
{
	struct hf_client *c = peer_find(words_at(a, 1));
	enum peer_result result = d->engine && c ? peer_contact(c) : PEER_UNREAL;

	if (result != PEER_UNREAL)
		set_contact(d, words_at(a, 1), true);
	return answered_result(d, result);
}

/* "ask main": the workspace whose owner it wants to be told, 0: none. */
static bool do_ask(struct driver *d, const struct words *a)
{
	struct hf_client *c = peer_find(words_at(a, 1));
	struct hf_uuid id;

	if (!d->engine || !c || !peer_live(c))
		return answered("unreal");
	finish(d);
	printf("ok %u\n", peer_disputed(c, &id) ? message_number(&id) : 0);
	return settle(d);
}

/* "tells main 5 2": REST says that workspace 5 is user 2's; 0: nobody's. */
static bool do_tells(struct driver *d, const struct words *a)
{
	struct hf_client *c = peer_find(words_at(a, 1));
	unsigned n = (unsigned)strtoul(words_at(a, 3), NULL, 10);
	struct hf_uuid ws = message_id((unsigned)strtoul(words_at(a, 2), NULL, 10));
	struct hf_uuid owner = n ? message_id(n) : (struct hf_uuid){ { 0 } };

	if (!d->engine || !c || !peer_live(c))
		return answered("unreal");
	finish(d);
	peer_workspace_owner(c, &ws, &owner);
	return answered("ok") && settle(d);
}

/* The connection is there, and nothing comes. */
static bool do_silence(struct driver *d, const struct words *a)
{
	set_contact(d, words_at(a, 1), false);
	return answered("ok");
}

static bool do_away(struct driver *d, const struct words *a)
{
	struct hf_client *c = peer_find(words_at(a, 1));

	if (!d->engine || !c)
		return answered("unreal");
	set_contact(d, words_at(a, 1), false);
	return answered_result(d, peer_away(c));
}

/* The connection ends without a failure: the client wants a new one. */
static bool do_redial(struct driver *d, const struct words *a)
{
	struct hf_client *c = peer_find(words_at(a, 1));

	if (!d->engine || !c || !peer_connected(c))
		return answered("unreal");
	set_contact(d, words_at(a, 1), false);
	hf_client_redial(c);
	return answered("ok") && settle(d);
}

/* --- the operator --- */

/* "accept main removal 2": what waits of that kind, of owner 2; without a number: of all. */
static bool do_decide(struct driver *d, const struct words *a)
{
	bool accept = !strcmp(words_at(a, 0), "accept");
	struct hf_uuid id;
	int rc;

	if (!d->engine || conf_at(d, words_at(a, 1)) == d->n_conf)
		return answered("unreal");
	id = message_id((unsigned)strtoul(words_at(a, 3), NULL, 10));
	rc = hf_engine_busy(d->engine) ? -EBUSY : 0;
	for (int once = 0; once < 2; once++) {
		int busy = rc;

		rc = hf_engine_decide(d->engine, words_at(a, 1), a->n > 3 ? &id : NULL,
		    words_at(a, 2), accept ? HF_DECISION_ACCEPT : HF_DECISION_REJECT);
		if (!busy)
			break;
		if (rc != -EBUSY)
			return fail(d, "it is decided while a changeset is lent");
		finish(d);
		rc = 0;
	}
	/* Of an owner or a source that nobody knows nothing waits. */
	rc = rc == -ENOENT ? 0 : rc;
	if (rc < 0)
		return fail(d, "%s", hf_strerror(rc));
	printf("ok %d\n", rc);
	return settle(d);
}

/* The one recovery may run again. */
static bool do_rearm(struct driver *d, const struct words *a)
{
	(void)a;
	if (!d->engine)
		return answered("unreal");
	finish(d);
	printf("ok %d\n", hf_engine_rearm(d->engine));
	return settle(d);
}

/* --- the zone --- */

int driver_read(struct driver *d)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/zone", d->dir);
	if (!d->reader && (hf_zone_open(path, &d->clock.clock, &d->zone) ||
			      hf_zone_reader_new(d->zone, &d->reader)))
		return -ENOMEM;
	return hf_zone_reader_load(d->reader);
}

/* --- the table --- */

static const struct {
	const char *name;
	bool (*run)(struct driver *d, const struct words *a);
} verbs[] = {
	{ "conf", do_conf },
	{ "unconf", do_unconf },
	{ "set", do_set },
	{ "unset", do_unset },
	{ "start", do_start },
	{ "reload", do_reload },
	{ "stop", do_stop },
	{ "kill", do_kill },
	{ "reboot", do_reboot },
	{ "lose", do_lose },
	{ "damage", do_damage },
	{ "after", do_after },
	{ "sleep", do_sleep },
	{ "wall", do_wall },
	{ "synced", do_synced },
	{ "slices", do_slices },
	{ "told", do_told },
	{ "snapshot", do_message },
	{ "diff", do_message },
	{ "ask", do_ask },
	{ "tells", do_tells },
	{ "contact", do_contact },
	{ "silence", do_silence },
	{ "away", do_away },
	{ "redial", do_redial },
	{ "accept", do_decide },
	{ "reject", do_decide },
	{ "rearm", do_rearm },
};

static bool run(struct driver *d, const struct words *a)
{
	bool middle = d->slices;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		bool ok;

		if (strcmp(verbs[i].name, a->at[0]))
			continue;
		ok = verbs[i].run(d, a);
		if (middle)
			d->slices = 0;
		return ok;
	}
	return fail(d, "there is no word '%s'", a->at[0]);
}

/* "again DIR": another life, from nothing. */
static void begin(struct driver *d, const char *dir)
{
	boot_begin();
	hf_fake_clock_init(&d->clock, 1000000, (int64_t)WALL_START_S * 1000);
	snprintf(d->dir, sizeof(d->dir), "%s", dir);
}

static void end(struct driver *d)
{
	stop_reading(d);
	if (d->engine)
		stop(d);
	hf_config_free(d->config);
	event_base_free(d->base);
}

int main(int argc, char **argv)
{
	static struct driver d;
	static char line[65536];
	const char *log = getenv("HF_MODEL_LOG");
	int fd = open(log ? log : "/dev/null", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	signal(SIGXFSZ, SIG_IGN);
	if (argc != 2 || fd < 0)
		return EXIT_FAILURE;
	hf_log_init(fd, log ? HF_LOG_INFO : HF_LOG_ERROR, HF_LOG_TEXT, NULL);
	d.base = event_base_new();
	begin(&d, argv[1]);
	while (d.base && fgets(line, sizeof(line), stdin)) {
		static struct words a;

		words_split(line, &a);
		if (!a.n)
			continue;
		if (!strcmp(a.at[0], "?"))
			show(&d, &a);
		else if (!run(&d, &a))
			printf("failed %s\n", d.why);
		fflush(stdout);
	}
	end(&d);
	return EXIT_SUCCESS;
}
