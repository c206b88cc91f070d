/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ws_echo: what Autobahn's cases are run against: the websocket of bridge/stream behind a plain
 * blocking socket. Sends each message back, case after case, as Autobahn's fuzzing server asks of
 * a client. `ws_echo PORT AGENT`; the server is on 127.0.0.1.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "bridge/stream/wire/upgrade.h"
#include "bridge/stream/wire/websocket.h"

enum { MESSAGE_MAX = 32 << 20, READ_SIZE = 256 << 10, PATIENCE_S = 30 };

struct echo {
	int fd;
	struct hf_stream_limits limits;
	struct hf_sendq out;
	struct hf_pongs pongs;
	struct hf_ws *ws;
	uint8_t *message; /* the one that is coming in, of MESSAGE_MAX */
	size_t len;
	bool send_back; /* else it is kept */
	bool too_long;
};

static int fill_random(void *arg, uint8_t *out, size_t len)
{
	return getrandom(out, len, 0) == (ssize_t)len ? 0 : -1;
}

static void on_data(void *arg, const uint8_t *bytes, size_t len)
{
	struct echo *e = arg;

	if (len > MESSAGE_MAX - e->len) {
		e->too_long = true;
		return;
	}
	memcpy(e->message + e->len, bytes, len);
	e->len += len;
}

static void on_message_end(void *arg, bool text)
{
	struct echo *e = arg;

	if (!e->send_back)
		return;
	(void)hf_ws_send(e->ws, text, e->message, e->len);
	e->len = 0;
}

static int dial(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one))) {
		close(fd);
		return -1;
	}
	return fd;
}

static int send_all(struct echo *e)
{
	const uint8_t *bytes;
	size_t n;

	while ((n = hf_sendq_peek(&e->out, &bytes))) {
		ssize_t sent = send(e->fd, bytes, n, MSG_NOSIGNAL);

		if (sent < 0)
			return -1;
		hf_sendq_sent(&e->out, (size_t)sent);
	}
	e->pongs.unsent = 0;
	return 0;
}

/* The upgrade for `path`, which takes the place of a prefix: the rest is behind a "?" in it. */
static int upgrade(struct echo *e, struct hf_upgrade *u, const char *path)
{
	const struct hf_upgrade_request request = {
		.host = "127.0.0.1", .prefix = path, .token = "none"
	};
	uint8_t nonce[HF_UPGRADE_NONCE], text[1024];
	struct hf_wr w = hf_wr(text, sizeof(text));

	if (fill_random(NULL, nonce, sizeof(nonce)) || hf_upgrade_write(&request, nonce, &w))
		return -1;
	hf_upgrade_init(u, &e->limits, nonce);
	return hf_sendq_add(&e->out, text, hf_wr_len(&w)) || send_all(e) ? -1 : 0;
}

/* Moves bytes until either side ends it. 0 when the websocket was open. */
static int follow(struct echo *e, struct hf_upgrade *u, uint8_t *buf)
{
	bool open = false;
	ssize_t n;

	while ((n = recv(e->fd, buf, READ_SIZE, 0)) > 0) {
		struct hf_rd in = hf_rd(buf, (size_t)n);

		if (!open) {
			int rc = hf_upgrade_feed(u, &in);

			if (rc < 0)
				return -1;
			open = rc > 0;
		}
		/* After its end the websocket takes nothing; the server is waited for. */
		if (open)
			(void)hf_ws_recv(
			    e->ws, hf_boot_ms(&hf_clock_system), in.at, hf_rd_left(&in));
		if (send_all(e))
			break;
		if (hf_ws_trouble(e->ws))
			shutdown(e->fd, SHUT_WR);
	}
	return open && !e->too_long ? 0 : -1;
}

static int run(struct echo *e, int port, const char *path, uint8_t *buf)
{
	const struct hf_ws_config config = { .limits = &e->limits,
		.out = &e->out,
		.pongs = &e->pongs,
		.random = fill_random,
		.data = on_data,
		.message_end = on_message_end,
		.arg = e };
	struct hf_upgrade u = { 0 };
	int rc = -1;

	e->len = 0;
	e->pongs = (struct hf_pongs){ .max = e->limits.pongs };
	hf_sendq_init(&e->out, e->limits.unsent);
	e->fd = dial(port);
	if (e->fd >= 0 && !hf_ws_new(&config, &e->ws) && !upgrade(e, &u, path))
		rc = follow(e, &u, buf);
	if (e->fd >= 0)
		close(e->fd);
	hf_upgrade_done(&u);
	hf_ws_free(e->ws);
	e->ws = NULL;
	hf_sendq_done(&e->out);
	if (rc)
		fprintf(stderr, "ws_echo: no websocket at %s\n", path);
	return rc;
}

/* The number of cases, which comes as a message. */
static int count_cases(struct echo *e, int port, uint8_t *buf)
{
	char text[16];

	e->send_back = false;
	if (run(e, port, "/getCaseCount?", buf) || e->len >= sizeof(text))
		return -1;
	memcpy(text, e->message, e->len);
	text[e->len] = '\0';
	e->send_back = true;
	return (int)strtol(text, NULL, 10);
}

static int run_all(struct echo *e, int port, const char *agent, uint8_t *buf)
{
	int n = count_cases(e, port, buf);
	char path[200];

	for (int i = 1; i <= n; i++) {
		snprintf(path, sizeof(path), "/runCase?case=%d&agent=%s&rest=", i, agent);
		if (run(e, port, path, buf))
			return -1;
	}
	snprintf(path, sizeof(path), "/updateReports?agent=%s&rest=", agent);
	if (n <= 0 || run(e, port, path, buf))
		return -1;
	printf("%d cases\n", n);
	return 0;
}

int main(int argc, char **argv)
{
	struct echo e = { .limits = HF_STREAM_LIMITS_DEFAULT };
	uint8_t *buf;
	int rc;

	if (argc != 3) {
		fputs("usage: ws_echo PORT AGENT\n", stderr);
		return 2;
	}
	e.limits.unsent = 2 * MESSAGE_MAX; /* the largest messages come back in one piece */
	e.message = malloc(MESSAGE_MAX);
	buf = malloc(READ_SIZE);
	rc = e.message && buf ? run_all(&e, (int)strtol(argv[1], NULL, 10), argv[2], buf) : -1;
	free(e.message);
	free(buf);
	return rc ? 1 : 0;
}
