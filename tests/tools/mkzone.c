/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkzone: a published zone out of lines of text, kept alive for as long as it runs. For tests and
 * benchmarks of what reads zones; it uses the writer as the bridge does.
 *
 *   mkzone DIR < LINES
 *
 * Every line is answered by one line: "ok", "ok GENERATION" to publish, or "error TEXT"; -q answers
 * publish and errors only. At the end of the input it ends, publishing first if something waits;
 * with -k it goes on keeping pulses until it is killed.
 *
 *   NAME ADDR[,ADDR...] [FLAG...]   set; ADDR may be #N, address number N of the /48. Flags: held
 *                                   withdrawn restored second (no PTR to it) source=N owner=N
 *                                   first=SECONDS
 *   - NAME                          take out
 *   many N [FIRST]                  N names aI.wI.me.SUFFIX with address #I, I from FIRST (1)
 *   agents N [FIRST]                N agents with the three names that the bridge gives each:
 *                                   aI.wI.me.SUFFIX (with the PTR), aI.wI.alice.SUFFIX, wI.SUFFIX
 *   clear                           take all out
 *   publish [GENERATION]            make visible; by default the last generation + 1
 *   source NAME SUFFIX [FRESH_MS [SNAPSHOT_MS]]   one more; before any, there is
 *                                                 "main coder 60000 600000"
 *   no-source       a number that no source has; then the next source
 *   pin DEPLOYMENT  what the last source is pinned to, with the user 01010101-...
 *   ttl N | ready yes|no | not-ready servfail|nxdomain | provenance off|loopback|on | epoch HEX32
 *   live | stale | quiet [SOURCE]   keep its pulse (as at the start), tell it is down, fall
 *                                   silent; default: all
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fcntl.h>

#include "base/clock.h"
#include "base/error.h"
#include "zone/pulse.h"
#include "zone/writer.h"

enum { LINE_SIZE = 16384, WORDS_MAX = 16 };
enum pulse_state { PULSE_LIVE, PULSE_STALE, PULSE_QUIET };

static struct {
	struct hf_zone_writer *writer;
	struct hf_pulse_writer *pulse;
	struct hf_zone_meta meta;
	bool has_sources; /* by a line */
	enum pulse_state state[HF_ZONE_SOURCES_MAX];
	uint16_t owner_of[HF_ZONE_OWNERS_MAX + 1]; /* 0: none, else its source + 1 */
	unsigned n_owners;
	uint8_t epoch[16];
	uint64_t generation;
	bool waiting; /* changed since the last publication */
	bool quiet;
	bool keep;
	char in[LINE_SIZE];
	size_t in_len;
	bool ended;
} z;

/* What a line's work may end in: 0, or a code; text is told instead where there is one. */
static char trouble[256];

__attribute__((format(printf, 1, 2))) static int wrong(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(trouble, sizeof(trouble), format, ap);
	va_end(ap);
	return HF_EFORMAT;
}

static void answer(int rc, uint64_t generation)
{
	if (rc < 0)
		printf("error %s\n", trouble[0] ? trouble : hf_strerror(rc));
	else if (generation)
		printf("ok %llu\n", (unsigned long long)generation);
	else if (!z.quiet)
		puts("ok");
	trouble[0] = '\0';
	fflush(stdout);
}

static void die(const char *what, int code)
{
	fprintf(stderr, "mkzone: %s: %s\n", what, hf_strerror(code));
	exit(1);
}

static bool number(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	return !errno && end != text && !*end;
}

/* --- pulse --- */

static int64_t pulse_every_ms(void)
{
	int64_t every = 15000;

	for (size_t i = 0; i < z.meta.n_sources; i++)
		if (z.meta.sources[i].fresh_ms / 4 < every)
			every = z.meta.sources[i].fresh_ms / 4;
	return every > 10 ? every : 10;
}

static void keep_pulse(void)
{
	hf_pulse_writer_pace(z.pulse, (uint32_t)pulse_every_ms());
	for (uint16_t i = 0; i < z.meta.n_sources; i++)
		if (z.state[i] != PULSE_QUIET)
			hf_pulse_source(z.pulse, i, z.state[i] == PULSE_LIVE);
	for (unsigned i = 0; i < z.n_owners; i++)
		if (z.owner_of[i] && z.state[z.owner_of[i] - 1] == PULSE_LIVE)
			hf_pulse_owner(z.pulse, (uint16_t)i);
}

static void note_owner(uint16_t owner, uint16_t source)
{
	z.owner_of[owner] = (uint16_t)(source + 1);
	if (owner >= z.n_owners)
		z.n_owners = owner + 1u;
}

/* --- lines --- */

static void addr_number(uint64_t n, uint8_t ret_addr[static 16])
{
	memset(ret_addr, 0, 16);
	memcpy(ret_addr, hf_addr_prefix, sizeof(hf_addr_prefix));
	for (int i = 0; i < 8; i++)
		ret_addr[15 - i] = (uint8_t)(n >> (8 * i));
}

static int parse_addrs(char *text, uint8_t (*addrs)[16], size_t *ret_n)
{
	char *save = NULL;
	size_t n = 0;

	for (char *a = strtok_r(text, ",", &save); a; a = strtok_r(NULL, ",", &save)) {
		uint64_t k;

		if (n == HF_REC_ADDRS_MAX)
			return wrong("more than %d addresses", HF_REC_ADDRS_MAX);
		if (*a == '#' && number(a + 1, &k))
			addr_number(k, addrs[n]);
		else if (inet_pton(AF_INET6, a, addrs[n]) != 1)
			return wrong("'%s' is no address", a);
		n++;
	}
	*ret_n = n;
	return n ? 0 : wrong("no address");
}

static int parse_flag(const char *word, struct hf_zone_rec *rec)
{
	static const struct {
		const char *word;
		uint8_t flag;
	} flags[] = { { "held", HF_REC_HELD }, { "withdrawn", HF_REC_WITHDRAWN },
		{ "restored", HF_REC_RESTORED } };
	uint64_t n;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcmp(word, flags[i].word))
			continue;
		rec->flags |= flags[i].flag;
		return 0;
	}
	if (!strcmp(word, "second"))
		rec->flags &= (uint8_t)~HF_REC_PRIMARY;
	else if (!strncmp(word, "source=", 7) && number(word + 7, &n) && n < z.meta.n_sources)
		rec->source = (uint16_t)n;
	else if (!strncmp(word, "owner=", 6) && number(word + 6, &n) && n <= HF_ZONE_OWNERS_MAX)
		rec->owner = (uint16_t)n;
	else if (!strncmp(word, "first=", 6) && number(word + 6, &n))
		rec->first_seen_s = (int64_t)n;
	else
		return wrong("'%s' is no flag", word);
	return 0;
}

static int set_rec(const struct hf_zone_rec *rec)
{
	z.waiting = true;
	note_owner(rec->owner, rec->source);
	return hf_zone_writer_set(z.writer, rec);
}

static int do_set(char **word, int n)
{
	static uint8_t addrs[HF_REC_ADDRS_MAX][16];
	struct hf_name name;
	struct hf_zone_rec rec = { .name = &name,
		.addrs = (const uint8_t(*)[16])addrs,
		.flags = HF_REC_PRIMARY,
		.first_seen_s = hf_wall_ms(&hf_clock_system) / 1000 };
	int rc = 0;

	if (n < 2)
		return wrong("'%s' is no command, and a name needs an address", word[0]);
	if (hf_name_parse(word[0], &name))
		return wrong("'%s' is no name", word[0]);
	rc = parse_addrs(word[1], addrs, &rec.n_addrs);
	for (int i = 2; !rc && i < n; i++)
		rc = parse_flag(word[i], &rec);
	return rc ? rc : set_rec(&rec);
}

static int do_del(char **word, int n)
{
	struct hf_name name;

	if (n != 2 || hf_name_parse(word[1], &name))
		return wrong("expected - NAME");
	z.waiting = true;
	return hf_zone_writer_del(z.writer, &name);
}

/* "aI.wI" or "wI", then the owner's part and the suffix. */
static int set_form(uint64_t i, bool has_agent, const char *owner, uint8_t flags)
{
	char suffix[HF_NAME_TEXT_MAX], text[HF_NAME_TEXT_MAX + 64], agent[32] = "";
	uint8_t addr[1][16];
	struct hf_name name;
	struct hf_zone_rec rec = { .name = &name,
		.addrs = (const uint8_t(*)[16])addr,
		.n_addrs = 1,
		.flags = flags,
		.first_seen_s = 1700000000 };

	hf_name_text(&z.meta.sources[0].suffix, suffix);
	if (has_agent)
		snprintf(agent, sizeof(agent), "a%llu.", (unsigned long long)i);
	snprintf(text, sizeof(text), "%sw%llu.%s%s", agent, (unsigned long long)i, owner, suffix);
	addr_number(i, addr[0]);
	return hf_name_parse(text, &name) ? wrong("'%s' is no name", text) : set_rec(&rec);
}

static int do_many(char **word, int n)
{
	bool agents = !strcmp(word[0], "agents");
	uint64_t count, first = 1;
	int rc = 0;

	if (n < 2 || !number(word[1], &count) || (n > 2 && !number(word[2], &first)))
		return wrong("expected %s N [FIRST]", word[0]);
	for (uint64_t i = first; !rc && i < first + count; i++) {
		rc = set_form(i, true, "me.", HF_REC_PRIMARY);
		if (!rc && agents)
			rc = set_form(i, true, "alice.", 0);
		if (!rc && agents)
			rc = set_form(i, false, "", 0);
	}
	return rc;
}

static int do_clear(char **word, int n)
{
	z.waiting = true;
	return hf_zone_writer_clear(z.writer);
}

static int do_source(char **word, int n)
{
	struct hf_zone_source *s;
	uint64_t fresh = 60000, snapshot = 600000;

	if (!z.has_sources)
		z.meta.n_sources = 0;
	if (z.meta.n_sources == HF_ZONE_SOURCES_MAX)
		return wrong("more than %d sources", HF_ZONE_SOURCES_MAX);
	s = &z.meta.sources[z.meta.n_sources];
	memset(s, 0, sizeof(*s));
	if (n < 3 || strlen(word[1]) > HF_LABEL_MAX || hf_name_parse(word[2], &s->suffix) ||
	    (n > 3 && !number(word[3], &fresh)) || (n > 4 && !number(word[4], &snapshot)))
		return wrong("expected source NAME SUFFIX [FRESH_MS [SNAPSHOT_MS]]");
	snprintf(s->name, sizeof(s->name), "%s", word[1]);
	s->fresh_ms = (uint32_t)fresh;
	s->snapshot_ms = (uint32_t)snapshot;
	z.meta.n_sources++;
	z.has_sources = z.waiting = true;
	hf_zone_writer_set_meta(z.writer, &z.meta);
	return 0;
}

static int do_no_source(char **word, int n)
{
	if (!z.has_sources)
		z.meta.n_sources = 0;
	if (z.meta.n_sources == HF_ZONE_SOURCES_MAX)
		return wrong("more than %d sources", HF_ZONE_SOURCES_MAX);
	memset(&z.meta.sources[z.meta.n_sources++], 0, sizeof(z.meta.sources[0]));
	z.has_sources = z.waiting = true;
	hf_zone_writer_set_meta(z.writer, &z.meta);
	return 0;
}

static int do_pin(char **word, int n)
{
	struct hf_zone_source *s = &z.meta.sources[z.meta.n_sources - 1];

	if (n != 2 || strlen(word[1]) >= sizeof(s->deployment))
		return wrong("expected pin DEPLOYMENT");
	snprintf(s->deployment, sizeof(s->deployment), "%s", word[1]);
	memset(s->user, 1, sizeof(s->user));
	z.waiting = true;
	hf_zone_writer_set_meta(z.writer, &z.meta);
	return 0;
}

/* The index of a word in a list that ends with NULL, -1 if it is not there. */
static int one_of(const char *word, const char *const *list)
{
	for (int i = 0; list[i]; i++)
		if (!strcmp(word, list[i]))
			return i;
	return -1;
}

static int do_setting(char **word, int n)
{
	static const char *const yes_no[] = { "no", "yes", NULL };
	static const char *const not_ready[] = { "servfail", "nxdomain", NULL };
	static const char *const provenance[] = { "off", "loopback", "on", NULL };
	uint64_t ttl;
	int i = -1;

	if (n != 2)
		return wrong("expected one value");
	if (!strcmp(word[0], "ttl") && number(word[1], &ttl))
		z.meta.ttl_s = (uint32_t)ttl, i = 0;
	else if (!strcmp(word[0], "ready") && (i = one_of(word[1], yes_no)) >= 0)
		z.meta.ready = i;
	else if (!strcmp(word[0], "not-ready") && (i = one_of(word[1], not_ready)) >= 0)
		z.meta.not_ready = (enum hf_not_ready)i;
	else if (!strcmp(word[0], "provenance") && (i = one_of(word[1], provenance)) >= 0)
		z.meta.provenance = (enum hf_provenance)i;
	if (i < 0)
		return wrong("'%s' is no value of %s", word[1], word[0]);
	z.waiting = true;
	hf_zone_writer_set_meta(z.writer, &z.meta);
	return 0;
}

static int do_epoch(char **word, int n)
{
	if (n != 2 || strlen(word[1]) != 32)
		return wrong("expected epoch HEX32");
	for (size_t i = 0; i < 16; i++) {
		char two[3] = { word[1][2 * i], word[1][2 * i + 1] };

		z.epoch[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	z.waiting = true;
	return 0;
}

static int do_pulse(char **word, int n)
{
	static const char *const states[] = { "live", "stale", "quiet", NULL };
	enum pulse_state state = (enum pulse_state)one_of(word[0], states);
	uint64_t which = 0;
	bool all = n < 2;

	if (!all && (!number(word[1], &which) || which >= z.meta.n_sources))
		return wrong("'%s' is no source", word[1]);
	for (size_t i = 0; i < z.meta.n_sources; i++)
		if (all || i == which)
			z.state[i] = state;
	keep_pulse();
	return 0;
}

static void wait_for(struct pollfd *fds, nfds_t n)
{
	int64_t wait = hf_zone_writer_wait_ms(z.writer), pulse = pulse_every_ms();

	if (wait < 0 || wait > pulse)
		wait = pulse;
	poll(fds, n, (int)wait);
	keep_pulse();
	hf_zone_writer_work(z.writer);
}

static int do_publish(char **word, int n)
{
	uint64_t generation = z.generation + 1;
	struct pollfd fd = { .fd = hf_zone_writer_fd(z.writer), .events = POLLIN };
	int rc;

	if (n > 1 && !number(word[1], &generation))
		return wrong("expected publish [GENERATION]");
	keep_pulse();
	rc = hf_zone_writer_publish(z.writer, z.epoch, generation);
	if (rc < 0)
		return rc;
	while (hf_zone_writer_published(z.writer) != generation)
		wait_for(&fd, 1);
	z.generation = generation;
	z.waiting = false;
	return 0;
}

static const struct {
	const char *word;
	int (*run)(char **word, int n);
} commands[] = {
	{ "-", do_del },
	{ "many", do_many },
	{ "agents", do_many },
	{ "clear", do_clear },
	{ "publish", do_publish },
	{ "source", do_source },
	{ "no-source", do_no_source },
	{ "pin", do_pin },
	{ "ttl", do_setting },
	{ "ready", do_setting },
	{ "not-ready", do_setting },
	{ "provenance", do_setting },
	{ "epoch", do_epoch },
	{ "live", do_pulse },
	{ "stale", do_pulse },
	{ "quiet", do_pulse },
};

static void do_line(char *line)
{
	char *word[WORDS_MAX], *save = NULL;
	int n = 0, rc;

	for (char *w = strtok_r(line, " \t", &save); w && n < WORDS_MAX;
	     w = strtok_r(NULL, " \t", &save))
		word[n++] = w;
	if (!n || word[0][0] == '#')
		return;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(word[0], commands[i].word))
			continue;
		rc = commands[i].run(word, n);
		answer(rc, commands[i].run == do_publish && !rc ? z.generation : 0);
		return;
	}
	answer(do_set(word, n), 0);
}

static void read_lines(void)
{
	ssize_t n = read(STDIN_FILENO, z.in + z.in_len, sizeof(z.in) - 1 - z.in_len);
	char *line = z.in, *end;

	if (n <= 0) {
		z.ended = true;
		return;
	}
	z.in_len += (size_t)n;
	z.in[z.in_len] = '\0';
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		do_line(line);
		line = end + 1;
	}
	z.in_len -= (size_t)(line - z.in);
	memmove(z.in, line, z.in_len);
	if (z.in_len == sizeof(z.in) - 1)
		die("a line is too long", HF_ELIMIT);
}

static void start(const char *dir)
{
	struct hf_zone_writer_opts opts = { .clock = &hf_clock_system };
	struct hf_zone_stamp stamp = { 0 };
	int dirfd, rc = hf_zone_writer_open(dir, &opts, &stamp, &z.writer);

	if (rc < 0)
		die(dir, rc);
	z.generation = stamp.generation;
	memcpy(z.epoch, stamp.epoch, sizeof(z.epoch));
	if (!rc)
		memset(z.epoch, 0xe0, sizeof(z.epoch));
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = dirfd < 0 ? -errno : hf_pulse_writer_open(dirfd, &hf_clock_system, &z.pulse);
	if (rc < 0)
		die("pulse", rc);
	close(dirfd);
	z.meta = (struct hf_zone_meta){
		.ttl_s = 30, .provenance = HF_PROVENANCE_LOOPBACK, .ready = true, .n_sources = 1
	};
	snprintf(z.meta.sources[0].name, sizeof(z.meta.sources[0].name), "main");
	hf_name_parse("coder", &z.meta.sources[0].suffix);
	z.meta.sources[0].fresh_ms = 60000;
	z.meta.sources[0].snapshot_ms = 600000;
	hf_zone_writer_set_meta(z.writer, &z.meta);
	note_owner(0, 0);
	z.waiting = true;
}

int main(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "qk")) != -1) {
		if (option == '?')
			return 2;
		z.quiet |= option == 'q';
		z.keep |= option == 'k';
	}
	if (optind + 1 != argc) {
		fputs("usage: mkzone [-q] [-k] DIR < LINES\n", stderr);
		return 2;
	}
	start(argv[optind]);
	while (!z.ended) {
		struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
			{ .fd = hf_zone_writer_fd(z.writer), .events = POLLIN } };

		wait_for(fds, 2);
		if (fds[0].revents)
			read_lines();
	}
	if (z.waiting)
		answer(do_publish(NULL, 0), z.generation);
	while (z.keep) {
		struct pollfd fd = { .fd = hf_zone_writer_fd(z.writer), .events = POLLIN };

		wait_for(&fd, 1);
	}
	hf_pulse_writer_free(z.pulse);
	hf_zone_writer_free(z.writer);
	return 0;
}
