/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/dns/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "config/config.h"

/*
 * The kernel cuts the backlog down to its own limit. A connection that finds no room there is not
 * refused, but stands still for a second; in a storm of connections that would be anybody's.
 */
enum { FIRST_INHERITED = 3, TCP_BACKLOG = 4096, RCVBUF = 4 << 20 };

union addr {
	struct sockaddr sa;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
	struct sockaddr_storage any;
};

char *hf_sock_text(const struct sockaddr *sa, char out[static HF_SOCK_TEXT_MAX])
{
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
	bool v4 = sa->sa_family == AF_INET;
	char addr[INET6_ADDRSTRLEN] = "?";

	inet_ntop(
	    sa->sa_family, v4 ? (const void *)&in4->sin_addr : &in6->sin6_addr, addr, sizeof(addr));
	snprintf(out, HF_SOCK_TEXT_MAX, "%s@%u", addr, ntohs(v4 ? in4->sin_port : in6->sin6_port));
	return out;
}

static int sock_set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

static void set_blocking(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, on ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

static bool is_wildcard(const union addr *a)
{
	if (a->sa.sa_family == AF_INET)
		return a->in4.sin_addr.s_addr == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

/* What every UDP socket has, ours or handed over. */
static void prepare_udp(int fd, int family, bool wildcard)
{
	struct timeval wait = { .tv_sec = HF_SOCK_WAIT_S };

	/* Idle threads look up now and then, and let go of a picture that nobody else holds. */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	/* More than the system's limit, while we may: a burst waits rather than is lost. */
	if (sock_set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, RCVBUF) < 0)
		sock_set_option(fd, SOL_SOCKET, SO_RCVBUF, RCVBUF);
	/* A forged "packet too big" must not make us cut replies into fragments. */
	sock_set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
	if (family == AF_INET6)
		sock_set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
	if (!wildcard)
		return;
	sock_set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
	if (family == AF_INET6)
		sock_set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

/* A new socket at `addr`. `shared`: the port may be had by others of ours already. */
static int open_one(const struct hf_endpoint *addr, int type, bool shared)
{
	int fd = socket(addr->sa.sa_family, type | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -errno;
	if (addr->sa.sa_family == AF_INET6)
		sock_set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (type == SOCK_STREAM)
		sock_set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (shared)
		sock_set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (bind(fd, &addr->sa, addr->len) == 0 &&
	    (type != SOCK_STREAM || listen(fd, TCP_BACKLOG) == 0)) {
		/*
		 * The first one was bound without it, so that it fails if another program has
		 * the port, also another one of ours; now it may be shared.
		 */
		if (type == SOCK_DGRAM)
			sock_set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
		return fd;
	}
	error = -errno;
	close(fd);
	return error;
}

static void sock_add(struct hf_socks *socks, int fd, bool stream, const union addr *addr)
{
	struct hf_sock *s = &socks->at[socks->n++];

	s->fd = fd;
	s->stream = stream;
	s->wildcard = is_wildcard(addr);
	hf_sock_text(&addr->sa, s->text);
	set_blocking(fd, !stream);
	if (!stream)
		prepare_udp(fd, addr->sa.sa_family, s->wildcard);
}

static int open_endpoint(struct hf_socks *socks, const struct hf_endpoint *e, size_t threads)
{
	union addr addr = { 0 };
	int fd;

	memcpy(&addr, &e->sa, e->len);
	for (size_t i = 0; i < threads; i++) {
		fd = open_one(e, SOCK_DGRAM, i > 0);
		if (fd < 0)
			return fd;
		sock_add(socks, fd, false, &addr);
	}
	fd = open_one(e, SOCK_STREAM, false);
	if (fd < 0)
		return fd;
	sock_add(socks, fd, true, &addr);
	return 0;
}

static const char *sock_expectation(int code)
{
	switch (code) {
	case -EADDRINUSE:
		return "another program has this port: stop it, or choose another in dns.listen";
	case -EADDRNOTAVAIL:
		return "dns.listen must name addresses of this machine";
	case -EACCES:
		return "a port below 1024 needs root, CAP_NET_BIND_SERVICE or socket activation";
	case -EMFILE:
		return "the limit of open files is too low";
	default:
		return "dns.listen must name addresses and ports that can be had";
	}
}

static bool without_ipv6(const struct hf_endpoint *e, int code)
{
	return e->sa.sa_family == AF_INET6 &&
	       (code == -EAFNOSUPPORT ||
		   (code == -EADDRNOTAVAIL && IN6_IS_ADDR_LOOPBACK(&e->in6.sin6_addr)));
}

int hf_socks_open(const struct hf_endpoints *listen, size_t threads, struct hf_socks *ret_socks,
    char *why, size_t size)
{
	struct hf_socks socks = { 0 };
	char text[HF_SOCK_TEXT_MAX];
	int rc = -ENOMEM;

	socks.at = calloc(listen->n * (threads + 1), sizeof(*socks.at));
	if (!socks.at)
		goto fail;
	for (size_t i = 0; i < listen->n; i++) {
		const struct hf_endpoint *e = &listen->at[i];

		rc = open_endpoint(&socks, e, threads);
		if (rc && without_ipv6(e, rc) && (socks.n || i + 1 < listen->n)) {
			hf_log_warn("not listening on %s: no IPv6 on this machine (%s)",
			    hf_sock_text(&e->sa, text), hf_errname(rc));
			continue;
		}
		if (rc) {
			snprintf(why, size, "cannot listen on %s: %s (%s)",
			    hf_sock_text(&e->sa, text), sock_expectation(rc), hf_errname(rc));
			hf_socks_close(&socks);
			return rc;
		}
	}
	*ret_socks = socks;
	return 0;
fail:
	snprintf(why, size, "cannot listen: %s", hf_strerror(rc));
	hf_socks_close(&socks);
	return rc;
}

/* How many descriptors were handed to this very process. */
static int n_inherited(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	long n = pid && fds && strtol(pid, NULL, 10) == getpid() ? strtol(fds, NULL, 10) : 0;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return n < 0 || n > HF_SOCKS_MAX ? 0 : (int)n;
}

/* What kind of socket it is; an error if it is none that questions can come in by. */
static int sock_look_at(int fd, union addr *addr, bool *stream)
{
	int type = 0, listens = 0;
	socklen_t len = sizeof(*addr), int_len = sizeof(int);

	if (getsockname(fd, &addr->sa, &len) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &int_len) < 0)
		return -errno;
	if (addr->sa.sa_family != AF_INET && addr->sa.sa_family != AF_INET6)
		return -EAFNOSUPPORT;
	*stream = type == SOCK_STREAM;
	if (type == SOCK_DGRAM)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_len) < 0)
		return -errno;
	return *stream && listens ? 0 : -EPROTOTYPE;
}

int hf_socks_inherit(size_t threads, struct hf_socks *ret_socks, char *why, size_t size)
{
	struct hf_socks socks = { 0 };
	int n = n_inherited(), rc = 0;

	socks.at = n ? calloc((size_t)n * threads, sizeof(*socks.at)) : NULL;
	for (int fd = FIRST_INHERITED; socks.at && fd < FIRST_INHERITED + n; fd++) {
		union addr addr = { 0 };
		bool stream = false;

		rc = sock_look_at(fd, &addr, &stream);
		if (rc) {
			snprintf(why, size,
			    "descriptor %d of the service manager cannot be used: expected UDP or listening TCP sockets (%s)",
			    fd, hf_errname(rc));
			hf_socks_close(&socks);
			return rc;
		}
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		/* Duplicates: the threads take turns at one queue. */
		for (size_t i = 0; i < (stream ? 1 : threads); i++) {
			int each = i ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : fd;

			if (each >= 0)
				sock_add(&socks, each, stream, &addr);
		}
	}
	*ret_socks = socks;
	return n && !socks.at ? -ENOMEM : 0;
}

void hf_socks_close(struct hf_socks *socks)
{
	for (size_t i = 0; i < socks->n; i++)
		close(socks->at[i].fd);
	free(socks->at);
	*socks = (struct hf_socks){ 0 };
}
