/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yamux_ops: our yamux against hashicorp's ("peer yamux") over a plain connection: opens, writes,
 * half-closes, gives up, consumes and pings at random, then ends all streams in order. Prints what
 * it saw of each: "ID wrote BYTES HASH read BYTES HASH HOW", where HOW is fin, rst or given-up.
 * `yamux_ops PORT SEED OPERATIONS`
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "bridge/stream/wire/yamux.h"
#include "tests/unit/prng.h"

enum { STREAMS_MAX = 4096, WRITE_MAX = 70000, PATIENCE_MS = 60000 };

static const uint64_t hash_start = 0xcbf29ce484222325u;

struct stream {
	uint64_t wrote, wrote_hash;
	uint64_t read, read_hash;
	size_t held; /* came, and was not consumed */
	bool fin_sent, given_up;
	const char *end; /* NULL: open */
};

struct ops {
	int fd;
	struct prng prng;
	struct hf_stream_limits limits;
	struct hf_sendq out;
	struct hf_pongs pongs;
	struct hf_yamux y;
	struct stream streams[STREAMS_MAX]; /* stream 2 i + 1 */
	size_t n;
	unsigned pings, pongs_seen;
	bool goaway;
};

/* FNV-1a, as the peer has it. */
static uint64_t hash(uint64_t h, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ bytes[i]) * 0x100000001b3u;
	return h;
}

static uint32_t id_of(size_t i)
{
	return (uint32_t)(2 * i + 1);
}

static bool over(struct ops *o, int rc)
{
	return rc == HF_ELIMIT || rc == -ENOMEM || o->y.trouble;
}

/* --- operations --- */

static void open_one(struct ops *o)
{
	uint32_t id;

	if (o->n == STREAMS_MAX || hf_yamux_open(&o->y, &id))
		return;
	o->streams[o->n] = (struct stream){ .wrote_hash = hash_start, .read_hash = hash_start };
	o->n++;
}

static void write_some(struct ops *o, size_t i)
{
	static uint8_t bytes[WRITE_MAX];
	struct stream *s = &o->streams[i];
	size_t len = prng_below(&o->prng, prng_below(&o->prng, 4) ? 500 : WRITE_MAX);

	if (s->fin_sent || s->end)
		return;
	prng_bytes(&o->prng, bytes, len);
	if (hf_yamux_write(&o->y, id_of(i), bytes, len))
		return;
	s->wrote += len;
	s->wrote_hash = hash(s->wrote_hash, bytes, len);
}

static void consume(struct ops *o, size_t i, size_t n)
{
	(void)hf_yamux_consumed(&o->y, id_of(i), n);
	o->streams[i].held -= n;
}

static void end_ours(struct ops *o, size_t i)
{
	struct stream *s = &o->streams[i];

	if (!s->fin_sent && !s->end)
		s->fin_sent = !hf_yamux_fin(&o->y, id_of(i));
}

static void give_up(struct ops *o, size_t i)
{
	struct stream *s = &o->streams[i];

	if (s->given_up || s->end)
		return;
	(void)hf_yamux_close(&o->y, id_of(i));
	s->given_up = s->fin_sent = true;
}

static void random_op(struct ops *o)
{
	size_t what = prng_below(&o->prng, 100), i;

	if (what < 10 || !o->n) {
		open_one(o);
		return;
	}
	i = prng_below(&o->prng, o->n);
	if (what < 60)
		write_some(o, i);
	else if (what < 90)
		consume(o, i, prng_below(&o->prng, o->streams[i].held + 1));
	else if (what < 96)
		end_ours(o, i);
	else if (what < 98)
		give_up(o, i);
	else if (!hf_yamux_ping(&o->y))
		o->pings++;
}

/* --- what comes --- */

static void take(struct ops *o, const struct hf_yamux_event *e)
{
	struct stream *s = &o->streams[e->stream / 2];

	switch (e->what) {
	case YAMUX_DATA:
		s->read += e->len;
		s->read_hash = hash(s->read_hash, e->bytes, e->len);
		s->held += e->len;
		break;
	case YAMUX_FIN:
		s->end = "fin";
		break;
	case YAMUX_RST:
		s->end = "rst";
		break;
	case YAMUX_PONG:
		o->pongs_seen++;
		break;
	case YAMUX_GOAWAY:
		o->goaway = true;
		break;
	}
}

/* 1: bytes were read, 0: there are none, negative: it is over. */
static int receive(struct ops *o)
{
	static uint8_t buf[64 << 10];
	ssize_t n = recv(o->fd, buf, 1 + prng_below(&o->prng, sizeof(buf)), 0);
	struct hf_yamux_event e;
	struct hf_rd in;
	int rc;

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
	in = hf_rd(buf, (size_t)n);
	while ((rc = hf_yamux_next(&o->y, &in, hf_boot_ms(&hf_clock_system), &e)) == 1)
		take(o, &e);
	return rc ? rc : 1;
}

static int transmit(struct ops *o)
{
	const uint8_t *bytes;
	size_t n;

	while ((n = hf_sendq_peek(&o->out, &bytes))) {
		ssize_t sent = send(o->fd, bytes, n, MSG_NOSIGNAL);

		if (sent < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		hf_sendq_sent(&o->out, (size_t)sent);
	}
	o->pongs.unsent = 0;
	return 0;
}

/* Moves what there is, and waits for more for so long. */
static int turn(struct ops *o, int wait_ms)
{
	struct pollfd p = { .fd = o->fd, .events = POLLIN };
	int rc;

	if (transmit(o))
		return -1;
	if (hf_sendq_len(&o->out))
		p.events |= POLLOUT;
	poll(&p, 1, wait_ms);
	rc = p.revents & (POLLIN | POLLHUP | POLLERR) ? receive(o) : 0;
	return rc < 0 || over(o, 0) ? -1 : 0;
}

static bool all_ended(const struct ops *o)
{
	for (size_t i = 0; i < o->n; i++)
		if (!o->streams[i].end && !o->streams[i].given_up)
			return false;
	return o->pongs_seen == o->pings;
}

static int run(struct ops *o, unsigned ops)
{
	int64_t end = hf_boot_ms(&hf_clock_system) + PATIENCE_MS;

	for (unsigned i = 0; i < ops; i++) {
		while (hf_sendq_len(&o->out) > 128 << 10)
			if (turn(o, 10) || hf_boot_ms(&hf_clock_system) > end)
				return -1;
		random_op(o);
		if (turn(o, 0))
			return -1;
	}
	while (!all_ended(o)) {
		for (size_t i = 0; i < o->n; i++) {
			end_ours(o, i);
			consume(o, i, o->streams[i].held);
		}
		if (turn(o, 10) || hf_boot_ms(&hf_clock_system) > end)
			return -1;
	}
	/* The other side has to see how ours ended. */
	while (hf_sendq_len(&o->out))
		if (turn(o, 10) || hf_boot_ms(&hf_clock_system) > end)
			return -1;
	return 0;
}

static void tell(const struct ops *o)
{
	for (size_t i = 0; i < o->n; i++) {
		const struct stream *s = &o->streams[i];

		printf("%u wrote %" PRIu64 " %016" PRIx64 " read %" PRIu64 " %016" PRIx64 " %s\n",
		    id_of(i), s->wrote, s->wrote_hash, s->read, s->read_hash,
		    s->given_up ? "given-up"
		    : s->end    ? s->end
				: "open");
	}
	printf("goaway %d\n", o->goaway);
}

static int dial(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 &&
	    (connect(fd, (struct sockaddr *)&to, sizeof(to)) || fcntl(fd, F_SETFL, O_NONBLOCK))) {
		close(fd);
		return -1;
	}
	return fd;
}

int main(int argc, char **argv)
{
	static struct ops o;
	int rc = -1;

	if (argc != 4) {
		fputs("usage: yamux_ops PORT SEED OPERATIONS\n", stderr);
		return 2;
	}
	o.limits = (struct hf_stream_limits)HF_STREAM_LIMITS_DEFAULT;
	o.limits.unsent = 1 << 20;
	/* The peer is a fast one: what is a flood is not to be found out here. */
	o.limits.control = UINT32_MAX;
	o.pongs.max = o.limits.pongs;
	o.prng.state = strtoull(argv[2], NULL, 10);
	hf_sendq_init(&o.out, o.limits.unsent);
	o.fd = dial((int)strtol(argv[1], NULL, 10));
	if (o.fd >= 0 && !hf_yamux_init(&o.y, &o.limits, &o.out, &o.pongs))
		rc = run(&o, (unsigned)strtoul(argv[3], NULL, 10));
	if (rc)
		fprintf(stderr, "yamux_ops: %s\n", hf_stream_fault_text(o.y.trouble));
	else
		tell(&o);
	if (o.fd >= 0)
		close(o.fd);
	hf_yamux_done(&o.y);
	hf_sendq_done(&o.out);
	return rc ? 1 : 0;
}
