/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adapter_driver CONFIG NAME: one adapter of a configuration on a loop of its own, fed by a test
 * instead of the feed. Lines on standard input, a JSON object a line on standard output, in which
 * "event" says what it is:
 *
 *   zones TTL SUFFIX...        nothing is printed
 *   put NAME ADDRESS [primary] wanted; goes with the next apply
 *   take NAME ADDRESS [primary]
 *   adopt NAME ADDRESS         as an earlier run's: in force, nothing is done
 *   forget                     what the driver knows to be in force, as when the store is lost
 *   load FILE                  a file of such lines
 *   apply [GENERATION]         in batches, as receipts ask for; a "receipt" for each, then
 * "applied" clean              no zone is ours any more, and a batch of nothing; as apply says it
 *   complete [GENERATION]      "completed" (told at once, the adapter may work on) expect
 * NAME ADDRESS, absent NAME ADDRESS    for the next verify verify                     "verified"
 * with what did not hold; without expectations: everything that is in force list "listed" doctor
 * "finding"s, then "examined" setup                      "setup" with the text wait MS the loop
 * goes on; "waited" quit
 *
 * Beside these "lost" and "warn" come when the adapter says so. A line waits until the one before
 * it has ended. A change that failed stays for the next apply.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>

#include <event2/event.h>
#include <event2/buffer.h>
#include <jansson.h>
#include <uthash.h>

#include "adapters/adapter.h"
#include "base/clock.h"
#include "base/error.h"
#include "config/config.h"

enum { SUFFIXES_MAX = 8, BATCH_FIRST = 20, LIST_TOLD_MAX = 100000 };

/* A name that is in force, as the feed would own it. */
struct owned {
	UT_hash_handle hh;
	struct hf_record record;
};

struct hf_record_walk {
	struct owned *at;
};

static struct event_base *base;
static const struct hf_adapter_type *type;
static struct hf_adapter *adapter;
static const struct hf_config *config;
static const struct hf_config_adapter *entry;
static struct hf_adapter_host host;
static struct owned *owned; /* by the name's wire form */
static struct hf_change *changes;
static size_t n_changes, changes_cap;
static struct hf_change *failed; /* by themselves: behind the rest of the next apply */
static size_t n_failed;
static struct hf_expect *expects;
static size_t n_expects;
static size_t batch_max = BATCH_FIRST;
static struct hf_batch batch;
static uint64_t generation;
static bool busy; /* an answer is awaited */
static bool ended;
static struct evbuffer *in;
static struct event *readable;
static struct event *pause_end;
static json_t *list_json;

static void say(json_t *o)
{
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(o);
}

static void die(const char *what, const char *which)
{
	fprintf(stderr, "adapter_driver: %s: %s\n", what, which);
	exit(2);
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static json_t *record_json(const struct hf_record *r)
{
	char name[HF_NAME_TEXT_MAX], addr[HF_ADDR_TEXT_MAX];

	return json_pack("{s:s,s:s,s:b}", "name", hf_name_text(&r->name, name), "addr",
	    hf_addr_text(r->addr, addr), "primary", r->primary);
}

/* --- what is in force --- */

static struct owned *find(const struct hf_name *name)
{
	struct owned *o;

	HASH_FIND(hh, owned, name->wire, name->len, o);
	return o;
}

static void own(const struct hf_record *record)
{
	struct owned *o = find(&record->name);

	if (!o) {
		o = calloc(1, sizeof(*o));
		if (!o)
			die("no memory", "");
		o->record.name = record->name;
		HASH_ADD_KEYPTR(hh, owned, o->record.name.wire, o->record.name.len, o);
	}
	o->record = *record;
}

static void disown(const struct hf_name *name)
{
	struct owned *o = find(name);

	if (o) {
		HASH_DEL(owned, o);
		free(o);
	}
}

static void forget(void)
{
	while (owned)
		disown(&owned->record.name);
}

static int walk_new(void *arg, struct hf_record_walk **ret_walk)
{
	*ret_walk = calloc(1, sizeof(**ret_walk));
	if (!*ret_walk)
		return -ENOMEM;
	(*ret_walk)->at = owned;
	return 0;
}

static int walk_step(struct hf_record_walk *walk, size_t max, hf_record_cb cb, void *cb_arg)
{
	int rc = 0;

	for (; max && walk->at && !rc; max--) {
		rc = cb(&walk->at->record, cb_arg);
		walk->at = walk->at->hh.next;
	}
	return rc ? rc : walk->at != NULL;
}

static void walk_free(struct hf_record_walk *walk)
{
	free(walk);
}

/* --- changes --- */

static void add_change(enum hf_change_op op, const struct hf_record *record)
{
	struct owned *o = find(&record->name);
	struct hf_change *c;

	if (n_changes == changes_cap) {
		changes_cap = changes_cap ? changes_cap * 2 : 64;
		changes = realloc(changes, changes_cap * sizeof(*changes));
		if (!changes)
			die("no memory", "");
	}
	c = &changes[n_changes++];
	memset(c, 0, sizeof(*c));
	c->op = op;
	c->record = *record;
	if (o && op == HF_CHANGE_PUT) {
		c->had = true;
		memcpy(c->was, o->record.addr, 16);
	}
}

static void *grown(void *at, size_t n, size_t size)
{
	at = reallocarray(at, n, size);
	if (!at)
		die("no memory", "");
	return at;
}

static void keep_failed(const struct hf_change *change, const char *why, json_t *o)
{
	json_object_set_new(o, "why", why ? json_string(why) : json_null());
	failed = grown(failed, n_failed + 1, sizeof(*failed));
	failed[n_failed++] = *change;
}

static void take_failed(void)
{
	if (n_changes + n_failed > changes_cap) {
		changes_cap = n_changes + n_failed;
		changes = grown(changes, changes_cap, sizeof(*changes));
	}
	if (n_failed)
		memcpy(changes + n_changes, failed, n_failed * sizeof(*changes));
	n_changes += n_failed;
	n_failed = 0;
}

static void apply_next(void)
{
	if (!n_changes) {
		busy = false;
		say(json_pack("{s:s,s:I}", "event", "applied", "left", (json_int_t)n_failed));
		return;
	}
	batch = (struct hf_batch){ .at = changes, .n = n_changes, .generation = generation };
	if (batch.n > batch_max)
		batch.n = batch_max;
	busy = true;
	type->apply(adapter, &batch);
}

/* As the feed does it for an adapter that is taken out of the configuration. */
static void clean(void)
{
	type->zones(adapter, &hf_addr_reverse_apex, 0, 30);
	batch = (struct hf_batch){ .generation = generation };
	busy = true;
	type->apply(adapter, &batch);
}

static void on_pause_end(evutil_socket_t fd, short what, void *arg)
{
	apply_next();
}

static void applied(void *arg, const struct hf_receipt *r)
{
	struct timeval tv = { .tv_sec = r->pause_us / 1000000, .tv_usec = r->pause_us % 1000000 };
	json_t *fates = json_array();

	for (size_t i = 0; i < r->n_done; i++) {
		static const char *const words[] = { [HF_FATE_CLASH] = "clash",
			[HF_FATE_UNFIT] = "unfit",
			[HF_FATE_FAILED] = "failed" };
		int fate = r->fates ? r->fates[i] : HF_FATE_DONE;

		if (fate != HF_FATE_DONE) {
			json_t *o = record_json(&batch.at[i].record);

			json_object_set_new(o, "fate", json_string(words[fate]));
			if (fate == HF_FATE_FAILED)
				keep_failed(&batch.at[i], r->whys ? r->whys[i] : NULL, o);
			json_array_append_new(fates, o);
		} else if (batch.at[i].op == HF_CHANGE_PUT) {
			own(&batch.at[i].record);
		} else {
			disown(&batch.at[i].record.name);
		}
	}
	say(json_pack("{s:s,s:I,s:I,s:o,s:s,s:s,s:I,s:I,s:f}", "event", "receipt", "n",
	    (json_int_t)batch.n, "done", (json_int_t)r->n_done, "not", fates, "code",
	    r->code ? hf_errname(r->code) : "", "text", r->text ? r->text : "", "pause_us",
	    (json_int_t)r->pause_us, "next_max", (json_int_t)r->next_max, "ms", now_ms()));
	n_changes -= r->n_done;
	memmove(changes, changes + r->n_done, n_changes * sizeof(*changes));
	if (r->next_max)
		batch_max = r->next_max;
	if (r->code) {
		busy = false;
		say(json_pack(
		    "{s:s,s:I}", "event", "applied", "left", (json_int_t)(n_changes + n_failed)));
		return;
	}
	event_add(pause_end, &tv);
}

/* --- the other answers --- */

static void listed(void *arg, const struct hf_record *records, size_t n, int code, const char *text)
{
	if (!list_json)
		list_json = json_array();
	for (size_t i = 0; i < n && json_array_size(list_json) < LIST_TOLD_MAX; i++)
		json_array_append_new(list_json, record_json(&records[i]));
	if (n)
		return;
	busy = false;
	say(json_pack("{s:s,s:s,s:s,s:o}", "event", "listed", "code", code ? hf_errname(code) : "",
	    "text", text ? text : "", "records", list_json));
	list_json = NULL;
}

static void verified(void *arg, int code, const char *text)
{
	static const char *const words[] = { "unknown", "so", "not-so", "foreign" };
	json_t *bad = json_array();
	size_t n_so = 0;

	for (size_t i = 0; i < n_expects; i++) {
		json_t *o;

		if (expects[i].is == HF_IS_SO) {
			n_so++;
			continue;
		}
		o = record_json(&expects[i].record);
		json_object_set_new(o, "is", json_string(words[expects[i].is]));
		json_array_append_new(bad, o);
	}
	busy = false;
	n_expects = 0;
	say(json_pack("{s:s,s:s,s:s,s:I,s:o}", "event", "verified", "code",
	    code ? hf_errname(code) : "", "text", text ? text : "", "so", (json_int_t)n_so, "not",
	    bad));
}

static void found(void *arg, const struct hf_finding *f)
{
	static const char *const words[] = { "good", "note", "bad" };

	say(json_pack("{s:s,s:s,s:s,s:s}", "event", "finding", "grade", words[f->grade], "text",
	    f->text, "line", f->line));
}

static void examined(void *arg)
{
	busy = false;
	say(json_pack("{s:s}", "event", "examined"));
}

static void lost(void *arg, const char *why)
{
	say(json_pack("{s:s,s:s}", "event", "lost", "why", why));
}

static void former(void *arg, const struct hf_name *suffix)
{
	char text[HF_NAME_TEXT_MAX];

	say(json_pack("{s:s,s:s}", "event", "former", "suffix", hf_name_text(suffix, text)));
}

static void warn(void *arg, const char *code, const char *text)
{
	say(json_pack("{s:s,s:s,s:s?}", "event", "warn", "code", code, "text", text));
}

/* --- lines --- */

static bool read_record(const char *words, struct hf_record *ret_record)
{
	char name[HF_NAME_TEXT_MAX], addr[HF_ADDR_TEXT_MAX], flag[16] = "";

	memset(ret_record, 0, sizeof(*ret_record));
	if (sscanf(words, "%1023s %45s %15s", name, addr, flag) < 2 ||
	    inet_pton(AF_INET6, addr, ret_record->addr) != 1)
		return false;
	ret_record->primary = strcmp(flag, "primary") == 0;
	/* A hostile name comes as bytes: 0x and the wire form. */
	if (strncmp(name, "0x", 2) == 0) {
		ret_record->name.len = 0;
		for (const char *h = name + 2; h[0] && h[1] && ret_record->name.len < 255; h += 2) {
			unsigned v;

			if (sscanf(h, "%2x", &v) != 1)
				return false;
			ret_record->name.wire[ret_record->name.len++] = (uint8_t)v;
		}
		return true;
	}
	return hf_name_parse(name, &ret_record->name) == 0;
}

static void set_zones(char *words)
{
	struct hf_name suffixes[SUFFIXES_MAX];
	uint32_t ttl_s = (uint32_t)strtoul(words, &words, 10);
	size_t n = 0;

	for (char *w = strtok(words, " "); w && n < SUFFIXES_MAX; w = strtok(NULL, " "))
		if (hf_name_parse(w, &suffixes[n++]))
			die("no suffix", w);
	type->zones(adapter, suffixes, n, ttl_s);
}

static void add_expect(const struct hf_record *record, bool absent)
{
	expects = realloc(expects, (n_expects + 1) * sizeof(*expects));
	if (!expects)
		die("no memory", "");
	expects[n_expects++] = (struct hf_expect){ .record = *record, .absent = absent };
}

static void run_verify(void)
{
	if (!n_expects)
		for (struct owned *o = owned; o; o = o->hh.next)
			add_expect(&o->record, false);
	busy = true;
	type->verify(adapter, expects, n_expects);
}

static void run_setup(void)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	type->setup(config, entry, out);
	fclose(out);
	say(json_pack("{s:s,s:s}", "event", "setup", "text", text));
	free(text);
}

static void on_waited(evutil_socket_t fd, short what, void *arg);

static void run_wait(unsigned ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	busy = true;
	event_base_once(base, -1, EV_TIMEOUT, on_waited, NULL, &tv);
}

static void do_line(char *line);

static void load(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[2048];

	if (!f)
		die(path, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		do_line(line);
	}
	fclose(f);
}

static bool record_line(const char *word, const char *rest)
{
	struct hf_record r;

	if (!read_record(rest, &r))
		return false;
	if (strcmp(word, "put") == 0)
		add_change(HF_CHANGE_PUT, &r);
	else if (strcmp(word, "take") == 0)
		add_change(HF_CHANGE_TAKE, &r);
	else if (strcmp(word, "adopt") == 0)
		own(&r);
	else if (strcmp(word, "expect") == 0)
		add_expect(&r, false);
	else if (strcmp(word, "absent") == 0)
		add_expect(&r, true);
	else
		return false;
	return true;
}

static void do_line(char *line)
{
	size_t n = strcspn(line, " ");
	char *rest = line[n] ? line + n + 1 : line + n;

	line[n] = '\0';
	if (strcmp(line, "zones") == 0) {
		set_zones(rest);
	} else if (strcmp(line, "load") == 0) {
		load(rest);
	} else if (strcmp(line, "forget") == 0) {
		forget();
	} else if (strcmp(line, "apply") == 0) {
		generation = *rest ? strtoull(rest, NULL, 10) : generation + 1;
		take_failed();
		apply_next();
	} else if (strcmp(line, "clean") == 0) {
		clean();
	} else if (strcmp(line, "complete") == 0) {
		if (type->complete)
			type->complete(adapter, generation);
		say(json_pack("{s:s}", "event", "completed"));
	} else if (strcmp(line, "verify") == 0 && type->verify) {
		run_verify();
	} else if (strcmp(line, "list") == 0 && type->list) {
		busy = true;
		type->list(adapter);
	} else if (strcmp(line, "doctor") == 0) {
		busy = true;
		type->doctor(adapter);
	} else if (strcmp(line, "setup") == 0) {
		run_setup();
	} else if (strcmp(line, "wait") == 0) {
		run_wait((unsigned)strtoul(rest, NULL, 10));
	} else if (strcmp(line, "quit") == 0) {
		ended = true;
	} else if (!record_line(line, rest)) {
		die("what is this", line);
	}
}

static void go_on(void)
{
	char *line;

	while (!busy && !ended && (line = evbuffer_readln(in, NULL, EVBUFFER_EOL_LF)) != NULL) {
		do_line(line);
		free(line);
	}
	if (ended && !busy)
		event_base_loopexit(base, NULL);
}

static void on_waited(evutil_socket_t fd, short what, void *arg)
{
	busy = false;
	say(json_pack("{s:s}", "event", "waited"));
}

static void on_input(evutil_socket_t fd, short what, void *arg)
{
	if (evbuffer_read(in, fd, 65536) <= 0) {
		event_del(readable);
		evbuffer_add(in, "quit\n", 5);
	}
}

int main(int argc, char **argv)
{
	static struct hf_config_errors errors;
	struct hf_config *c;
	char text[1024];

	if (argc != 3)
		die("two arguments", "CONFIG NAME");
	if (hf_config_load(argv[1], 0, &c, &errors))
		die("configuration", hf_config_error_text(&errors, 0, text, sizeof(text)));
	config = c;
	for (size_t i = 0; i < c->adapters.n; i++)
		if (strcmp(c->adapters.at[i].name, argv[2]) == 0)
			entry = &c->adapters.at[i];
	if (entry)
		type = hf_adapter_type((int)entry->kind);
	if (!type)
		die("no adapter", argv[2]);
	/* Whoever reads may go first. */
	signal(SIGPIPE, SIG_IGN);
	base = event_base_new();
	in = evbuffer_new();
	readable = event_new(base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, NULL);
	pause_end = evtimer_new(base, on_pause_end, NULL);
	host = (struct hf_adapter_host){ .base = base,
		.clock = &hf_clock_system,
		.applied = applied,
		.listed = listed,
		.verified = verified,
		.found = found,
		.examined = examined,
		.lost = lost,
		.former = former,
		.warn = warn,
		.walk_new = walk_new,
		.walk_step = walk_step,
		.walk_free = walk_free };
	event_add(readable, NULL);
	if (type->open(entry, &host, &adapter))
		die("open", argv[2]);
	while (event_base_loop(base, EVLOOP_ONCE) == 0 && !event_base_got_exit(base))
		go_on();
	type->close(adapter);
	forget();
	free(changes);
	free(expects);
	evbuffer_free(in);
	event_free(readable);
	event_free(pause_end);
	event_base_free(base);
	hf_config_free(c);
	return 0;
}
