/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flood: asks for AAAA of aI.wI.me.coder, I random in 1 to N, as fast as the server answers, and
 * checks every answer against the address that mkzone's "many" gave it. WINDOW (256) questions are
 * on their way at a time.
 *
 *   flood [-w WINDOW] [-r RATE] [-e] [-x] ADDR PORT SECONDS N
 *
 *   -r  so many a second instead    -e  the server only echoes    -x  ask for names that are not
 *   there
 *
 * Prints one line: sent N answered N lost N wrong N seconds S qps N p50_us N p99_us N p999_us N
 * max_us N
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 32, SIZE = 512, IDS = 65536, LOST_MS = 1000, BUCKETS = 200000 };

/* A question on its way, by its id. */
static struct {
	uint64_t sent_ns; /* 0: none */
	uint32_t index;
} open_[IDS];

static struct {
	int fd;
	uint32_t n_names;
	unsigned window;
	uint64_t rate; /* a second; 0: as fast as can be */
	bool echo;
	bool absent;
	uint64_t random;
	uint16_t next_id;
	unsigned n_open;
	uint64_t sent, answered, lost, wrong;
	uint32_t bucket[BUCKETS]; /* answers by microseconds */
} f = { .window = 256, .random = 88172645463325252u };

static struct mmsghdr out[BATCH], in[BATCH];
static struct iovec out_iov[BATCH], in_iov[BATCH];
static uint8_t query[BATCH][SIZE], reply[BATCH][SIZE];

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint32_t next_index(void)
{
	f.random ^= f.random << 13;
	f.random ^= f.random >> 7;
	f.random ^= f.random << 17;
	return (uint32_t)(f.random >> 20) % f.n_names + 1;
}

static size_t put_query(uint8_t *q, uint16_t id, uint32_t index)
{
	static const uint8_t rest[] = "\2me\5coder\0\0\x1c\0\1";
	uint8_t *at = q + 12;

	memset(q, 0, 12);
	q[0] = (uint8_t)(id >> 8);
	q[1] = (uint8_t)id;
	q[2] = 1;
	q[5] = 1;
	at[0] = (uint8_t)sprintf((char *)at + 1, f.absent ? "x%u" : "a%u", index);
	at += at[0] + 1;
	at[0] = (uint8_t)sprintf((char *)at + 1, "w%u", index);
	at += at[0] + 1;
	memcpy(at, rest, sizeof(rest) - 1);
	return (size_t)(at - q) + sizeof(rest) - 1;
}

/* The next id that no question on its way has. */
static uint16_t take_id(void)
{
	while (open_[f.next_id].sent_ns)
		f.next_id++;
	return f.next_id++;
}

static void send_some(unsigned n)
{
	uint64_t now = now_ns();
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++) {
		uint32_t index = next_index();
		uint16_t id = take_id();

		open_[id].sent_ns = now;
		open_[id].index = index;
		out_iov[i] = (struct iovec){ query[i], put_query(query[i], id, index) };
		out[i].msg_hdr.msg_iov = &out_iov[i];
		out[i].msg_hdr.msg_iovlen = 1;
	}
	while (done < n) {
		int sent = sendmmsg(f.fd, out + done, n - done, 0);

		if (sent < 0 && errno != EINTR && errno != ECONNREFUSED) {
			perror("flood: send");
			exit(2);
		}
		done += sent > 0 ? (unsigned)sent : 0;
	}
	f.n_open += n;
	f.sent += n;
}

/* The address of the first record, whose owner is a pointer; NULL if there is none. */
static const uint8_t *first_address(const uint8_t *r, size_t len)
{
	size_t at = 12;

	while (at < len && r[at])
		at += r[at] + 1u;
	at += 5 + 12;
	return !(r[3] & 0xf) && r[7] == 1 && at + 16 <= len ? r + at : NULL;
}

static bool right(const uint8_t *r, size_t len, uint32_t index)
{
	static const uint8_t prefix[12] = { 0xfd, 0x60, 0x62, 0x7a, 0xa4, 0x2b };
	const uint8_t *addr = first_address(r, len);

	if (f.echo)
		return true;
	if (f.absent)
		return (r[3] & 0xf) == 3 && !addr;
	return addr && !memcmp(addr, prefix, 12) &&
	       ((uint32_t)addr[12] << 24 | (uint32_t)addr[13] << 16 | (uint32_t)addr[14] << 8 |
		   addr[15]) == index;
}

static void take_reply(const uint8_t *r, size_t len, uint64_t now)
{
	uint16_t id = (uint16_t)(r[0] << 8 | r[1]);
	uint64_t us;

	if (len < 12 || !open_[id].sent_ns)
		return;
	us = (now - open_[id].sent_ns) / 1000;
	f.bucket[us < BUCKETS ? us : BUCKETS - 1]++;
	f.wrong += !right(r, len, open_[id].index);
	f.answered++;
	f.n_open--;
	open_[id].sent_ns = 0;
}

static void receive_some(int wait_ms)
{
	struct pollfd p = { .fd = f.fd, .events = POLLIN };
	int n;

	if (wait_ms && poll(&p, 1, wait_ms) < 1)
		return;
	do {
		for (unsigned i = 0; i < BATCH; i++) {
			in_iov[i] = (struct iovec){ reply[i], SIZE };
			in[i].msg_hdr.msg_iov = &in_iov[i];
			in[i].msg_hdr.msg_iovlen = 1;
		}
		n = recvmmsg(f.fd, in, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++)
			take_reply(reply[i], in[i].msg_len, now_ns());
	} while (n == BATCH);
}

static void forget_lost(uint64_t now)
{
	for (size_t i = 0; i < IDS; i++) {
		if (!open_[i].sent_ns || open_[i].sent_ns + LOST_MS * 1000000ull > now)
			continue;
		open_[i].sent_ns = 0;
		f.n_open--;
		f.lost++;
	}
}

static void run(uint64_t seconds)
{
	uint64_t start = now_ns(), end = start + seconds * 1000000000u, sweep = start, now;

	while ((now = now_ns()) < end) {
		unsigned room = f.n_open < f.window ? f.window - f.n_open : 0;

		if (f.rate) {
			uint64_t due = (now - start) * f.rate / 1000000000u;

			room = due > f.sent ? (unsigned)(due - f.sent) : 0;
		}
		if (room > BATCH)
			room = BATCH;
		/* By whole batches, so that client and server both work on many at a time. */
		if (room >= BATCH || (f.rate && room) || f.window - f.n_open < BATCH)
			send_some(f.n_open >= IDS / 2 ? 0 : room);
		receive_some(f.rate ? 1 : room >= BATCH ? 0 : 10);
		if (now > sweep + 200000000u) {
			forget_lost(now);
			sweep = now;
		}
	}
	for (int i = 0; i < 20 && f.n_open; i++)
		receive_some(50);
	f.lost += f.n_open;
}

static unsigned percentile(double part)
{
	uint64_t want = (uint64_t)((double)f.answered * part), n = 0;

	for (unsigned i = 0; i < BUCKETS; i++)
		if ((n += f.bucket[i]) > want)
			return i;
	return BUCKETS - 1;
}

static void connect_to(const char *addr, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int size = 4 << 20;

	f.fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (setsockopt(f.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(f.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (inet_pton(AF_INET, addr, &at.sin_addr) != 1 ||
	    connect(f.fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		perror("flood: connect");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	uint64_t seconds, start;
	double took;
	int option;

	while ((option = getopt(argc, argv, "w:r:ex")) != -1) {
		if (option == 'w')
			f.window = (unsigned)atoi(optarg);
		else if (option == 'r')
			f.rate = (uint64_t)atoll(optarg);
		else if (option == 'e')
			f.echo = true;
		else if (option == 'x')
			f.absent = true;
		else
			return 2;
	}
	if (argc - optind != 4) {
		fputs("usage: flood [-w WINDOW] [-r RATE] [-e] [-x] ADDR PORT SECONDS N\n", stderr);
		return 2;
	}
	connect_to(argv[optind], atoi(argv[optind + 1]));
	seconds = (uint64_t)atoi(argv[optind + 2]);
	f.n_names = (uint32_t)atoi(argv[optind + 3]);
	start = now_ns();
	run(seconds);
	took = (double)(now_ns() - start) / 1e9;
	printf(
	    "sent %llu answered %llu lost %llu wrong %llu seconds %.3f qps %.0f p50_us %u p99_us %u p999_us %u max_us %u\n",
	    (unsigned long long)f.sent, (unsigned long long)f.answered, (unsigned long long)f.lost,
	    (unsigned long long)f.wrong, took, (double)f.answered / (double)seconds,
	    percentile(0.5), percentile(0.99), percentile(0.999), percentile(0.999999));
	return f.wrong ? 1 : 0;
}
