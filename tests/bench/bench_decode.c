/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_decode: what the control stream's decoders cost. Snapshots of 50,000 and 500,000 workspaces
 * of one agent each, through the reader of messages alone and through the whole stack below TLS;
 * and 16 MiB of each kind of bytes that cost most and are not refused at once.
 *
 *   bench_decode [--json] [--check]
 *
 * --check fails under 200 MB/s, over 1 s of CPU for 16 MiB, or over 4 MiB and 1.6 bytes of memory a
 * byte on the wire. Each row is measured in a process of its own; the bytes are made as they are
 * needed and their making is not counted.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bridge/stream/wire/update_decoder.h"
#include "bridge/stream/wire/stack.h"

enum { PAIR = 78, PIECE = 16384, FRAME = 65536, HOSTILE = 16 << 20, FIXED = 4 << 20 };
enum layer { LAYER_WS, LAYER_YAMUX, LAYER_DRPC, LAYER_PROTOBUF, LAYER_READER };

struct row {
	const char *name;
	enum layer layer;
	size_t pairs;        /* of a snapshot; 0: hostile */
	const char *pattern; /* repeated; '#' in it is the next id of a packet */
	size_t pattern_len;
	const char *prefix; /* once, before it */
	size_t prefix_len;
};

#define P(bytes) bytes, sizeof(bytes) - 1
#define ID                                                                                         \
	"\x0a\x10"                                                                                 \
	"aaaaaaaaaaaaaaaa"

/* A yamux frame of stream 1; one that begins a dRPC frame of 16 MiB. */
#define DATA(len) "\0\0\0\0\0\0\0\x01\0\0\0" len
#define LARGE DATA("\x07") "\x04\x01\x01\x80\x80\x80\x08"

static const struct row rows[] = {
	{ "reader, 50k", LAYER_READER, 50000, NULL, 0, NULL, 0 },
	{ "reader, 500k", LAYER_READER, 500000, NULL, 0, NULL, 0 },
	{ "stack, 50k", LAYER_PROTOBUF, 50000, NULL, 0, NULL, 0 },
	{ "stack, 500k", LAYER_PROTOBUF, 500000, NULL, 0, NULL, 0 },
	{ "ws: empty fragments", LAYER_WS, 0, P("\x02\0\0\0\0\0\0\0\x80\0"), NULL, 0 },
	{ "ws: empty messages", LAYER_WS, 0, P("\x82\0"), NULL, 0 },
	{ "ws: ping, 2 bytes of data", LAYER_WS, 0, P("\x89\0\x82\x0e" DATA("\x02") "\x28\1"),
	    P("\x82\x13" LARGE) },
	{ "ws: pings", LAYER_WS, 0, P("\x89\0"), NULL, 0 },
	{ "yamux: 2 bytes of data", LAYER_YAMUX, 0, P(DATA("\x02") "\x28\1"), P(LARGE) },
	{ "yamux: pings", LAYER_YAMUX, 0, P("\0\x02\0\x01\0\0\0\0\0\0\0\0"), NULL, 0 },
	{ "drpc: empty messages", LAYER_DRPC, 0, P("\x05\x01#\0"), NULL, 0 },
	{ "drpc: unknown control packets", LAYER_DRPC, 0, P("\xc1\x01#\0"), NULL, 0 },
	{ "protobuf: empty records", LAYER_PROTOBUF, 0, P("\x0a\0"), NULL, 0 },
	{ "protobuf: records without id", LAYER_PROTOBUF, 0, P("\x12\x03\x12\x01x"), NULL, 0 },
	{ "protobuf: smallest records", LAYER_PROTOBUF, 0, P("\x0a\x12" ID), NULL, 0 },
	{ "protobuf: unknown varints", LAYER_PROTOBUF, 0, P("\x28\x01"), NULL, 0 },
	{ "protobuf: unknown in records", LAYER_PROTOBUF, 0,
	    P("\x0a\x26" ID "\x28\1\x28\1\x28\1\x28\1\x28\1\x28\1\x28\1\x28\1\x28\1\x28\1"), NULL,
	    0 },
};

/* What is fed, and what it costs. */
struct run {
	const struct row *row;
	size_t fed;
	double cpu_s;
	uint64_t records;
	/* one of the two */
	struct hf_update_decoder reader;
	struct hf_stack *stack;
	bool over;
	uint64_t packet; /* ids for '#' */
};

static const struct hf_stream_limits limits = HF_STREAM_LIMITS_DEFAULT;

static void die(const char *what)
{
	fprintf(stderr, "bench_decode: %s\n", what);
	exit(2);
}

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int not_random(void *arg, uint8_t *out, size_t len)
{
	(void)arg;
	memcpy(out, "the sample nonce", len < 16 ? len : 16);
	return 0;
}

static void take_events(struct run *r)
{
	static const struct hf_uuid owner = { .b = { 9 } };
	struct hf_stack_event e;
	const uint8_t *out;
	uint32_t call;

	while (hf_stack_next(r->stack, &e)) {
		if (e.what == STACK_OPEN && hf_stack_call(r->stack, &owner, &call))
			die("no call");
		if (e.what == STACK_UPDATE) {
			r->records += e.update->n_upserted_workspaces + e.update->n_upserted_agents;
			hf_update_free(e.update);
		}
		r->over |= e.what == STACK_ENDED;
	}
	hf_stack_sent(r->stack, hf_stack_output(r->stack, &out));
}

/* Bytes on the wire below TLS, in pieces as TLS gives them. */
static void feed(struct run *r, const uint8_t *bytes, size_t len)
{
	double t = cpu_s();

	for (size_t n; len && !r->over; bytes += n, len -= n) {
		n = len < PIECE ? len : PIECE;
		if (r->stack) {
			hf_stack_input(r->stack, 0, bytes, n);
			take_events(r);
		} else if (hf_update_decoder_feed(&r->reader, bytes, n)) {
			die("the reader refuses");
		}
	}
	r->cpu_s += cpu_s() - t;
}

static uint8_t *put_varint(uint8_t *at, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*at++ = (uint8_t)(v | 0x80);
	*at++ = (uint8_t)v;
	return at;
}

/* A frame of 64 KiB at most, in those of the layers below its own, for which there is room. */
static void feed_frame(struct run *r, uint8_t *body, size_t len, bool done)
{
	uint8_t drpc[8] = { done ? 5 : 4, 1, 1 };
	uint8_t yamux[] = { 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0 };
	uint8_t ws[10] = { 0x82 };
	uint8_t *at = body;

	if (r->row->layer == LAYER_PROTOBUF) {
		size_t n = (size_t)(put_varint(drpc + 3, len) - drpc);

		at -= n;
		memcpy(at, drpc, n);
		len += n;
	}
	if (r->row->layer >= LAYER_DRPC && r->row->layer != LAYER_READER) {
		for (int i = 0; i < 4; i++)
			yamux[11 - i] = (uint8_t)(len >> (8 * i));
		at -= sizeof(yamux);
		memcpy(at, yamux, sizeof(yamux));
		len += sizeof(yamux);
	}
	if (r->row->layer >= LAYER_YAMUX && r->row->layer != LAYER_READER) {
		size_t n = len < 126 ? 0 : len < 65536 ? 2 : 8;

		ws[1] = n == 8 ? 127 : n ? 126 : (uint8_t)len;
		for (size_t i = 0; i < n; i++)
			ws[2 + i] = (uint8_t)((uint64_t)len >> (8 * (n - 1 - i)));
		at -= 2 + n;
		memcpy(at, ws, 2 + n);
		len += 2 + n;
	}
	r->fed += len;
	feed(r, at, len);
}

static size_t put_pair(uint8_t *at, size_t n)
{
	static const char form[] = "\x0a\x20\x0a\x10Wxxxxxxxxxxxxxxx\x12\x0a"
				   "bulk000000\x18\x03"
				   "\x12\x2a\x0a\x10"
				   "Axxxxxxxxxxxxxxx\x12\x04main\x1a\x10"
				   "Wxxxxxxxxxxxxxxx";

	memcpy(at, form, PAIR);
	memcpy(at + 8, &n, sizeof(n));
	memcpy(at + 42, &n, sizeof(n));
	memcpy(at + 66, &n, sizeof(n));
	for (int i = 31; n; n /= 10)
		at[i--] = (uint8_t)('0' + n % 10);
	return PAIR;
}

static size_t put_pattern(struct run *r, uint8_t *at)
{
	const struct row *row = r->row;
	const char *id = memchr(row->pattern, '#', row->pattern_len);
	size_t head = id ? (size_t)(id - row->pattern) : row->pattern_len;
	uint8_t *p = at;

	memcpy(p, row->pattern, head);
	p += head;
	if (!id)
		return (size_t)(p - at);
	p = put_varint(p, ++r->packet);
	memcpy(p, id + 1, row->pattern_len - head - 1);
	return (size_t)(p - at) + row->pattern_len - head - 1;
}

/* All bytes of a row, in frames that are whole records or packets (as any cut would do). */
static void feed_row(struct run *r)
{
	uint8_t *buf = malloc(64 + FRAME), *body = buf + 64;
	size_t pairs = r->row->pairs, done = 0, n = r->row->prefix_len;

	if (!buf)
		die("out of memory");
	if (n)
		memcpy(body, r->row->prefix, n);
	while (!r->over && (pairs ? done < pairs : r->fed < HOSTILE)) {
		n += pairs ? put_pair(body + n, done++) : put_pattern(r, body + n);
		if (FRAME - n < 128) {
			feed_frame(r, body, n, false);
			n = 0;
		}
	}
	feed_frame(r, body, n, true);
	free(buf);
}

static void run_stack(struct run *r)
{
	static const char head[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
				   "Connection: Upgrade\r\n"
				   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
	const struct hf_stack_config config = { .limits = &limits, .random = not_random };
	const struct hf_upgrade_request request = { .host = "h", .prefix = "", .token = "t" };

	if (hf_stack_new(&config, &request, &r->stack))
		die("no stack");
	feed(r, (const uint8_t *)head, strlen(head));
	feed_row(r);
	if (r->row->pairs && r->records != 2 * r->row->pairs)
		die("records are missing");
	hf_stack_free(r->stack);
}

static void run_reader(struct run *r)
{
	static const struct hf_uuid owner = { .b = { 9 } };
	struct hf_budget budget = { .max = limits.results };
	struct hf_arena arena;
	struct hf_update *u;
	double t;

	if (hf_arena_init(&arena, hf_update_decoder_arena_size(&limits)) ||
	    hf_update_decoder_init(&r->reader, &limits, &budget, &arena, &owner) ||
	    hf_update_decoder_begin(&r->reader, HF_UPDATE_SNAPSHOT))
		die("no reader");
	feed_row(r);
	t = cpu_s();
	if (hf_update_decoder_end(&r->reader, &u))
		die("the reader refuses");
	r->cpu_s += cpu_s() - t;
	r->records = u->n_upserted_workspaces + u->n_upserted_agents;
	hf_update_free(u);
	hf_update_decoder_done(&r->reader);
	hf_arena_done(&arena);
}

struct result {
	size_t fed;
	double cpu_s;
	double peak_kib;
	bool over;
};

static double peak_kib(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_maxrss;
}

/* In a child, so that the peak of memory is its own. */
static struct result measure(const struct row *row)
{
	struct result result = { 0 };
	int fds[2], status;
	pid_t pid = -1;

	if (pipe(fds) || (pid = fork()) < 0)
		die("no child");
	if (!pid) {
		struct run r = { .row = row };
		double before = peak_kib();

		row->layer == LAYER_READER ? run_reader(&r) : run_stack(&r);
		result = (struct result){ r.fed, r.cpu_s, peak_kib() - before, r.over };
		_exit(write(fds[1], &result, sizeof(result)) != sizeof(result));
	}
	close(fds[1]);
	if (read(fds[0], &result, sizeof(result)) != sizeof(result) ||
	    waitpid(pid, &status, 0) != pid || status)
		die("a child failed");
	close(fds[0]);
	return result;
}

static bool is_good(const struct row *row, const struct result *r)
{
	if (!row->pairs)
		return r->cpu_s * HOSTILE / (double)r->fed <= 1 || r->over;
	return (double)r->fed / r->cpu_s >= 200e6 &&
	       r->peak_kib * 1024 <= 1.6 * (double)r->fed + FIXED;
}

static void print(const struct row *row, const struct result *r, bool json)
{
	double mb_s = (double)r->fed / r->cpu_s / 1e6;

	if (json)
		printf(
		    "{\"name\": \"%s\", \"bytes\": %zu, \"cpu_s\": %.4f, \"mb_s\": %.0f, \"peak_kib\": %.0f, \"refused\": %s}\n",
		    row->name, r->fed, r->cpu_s, mb_s, r->peak_kib, r->over ? "true" : "false");
	else
		printf("%-32s %10zu bytes %8.3f s %6.0f MB/s %8.0f KiB%s\n", row->name, r->fed,
		    r->cpu_s, mb_s, r->peak_kib, r->over ? "  (refused)" : "");
}

int main(int argc, char **argv)
{
	bool json = false, check = false, good = true;

	for (int i = 1; i < argc; i++) {
		json |= !strcmp(argv[i], "--json");
		check |= !strcmp(argv[i], "--check");
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct result r = measure(&rows[i]);

		print(&rows[i], &r, json);
		fflush(stdout);
		good &= is_good(&rows[i], &r);
	}
	if (check && !good)
		fprintf(stderr, "bench_decode: a goal was missed\n");
	return check && !good;
}
