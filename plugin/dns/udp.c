/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/dns/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "plugin/dns/acl.h"
#include "plugin/dns/sock.h"
#include "plugin/dns/worker.h"
#include "plugin/peer_addr.h"
#include "plugin/wire_query.h"
#include "zone/reader.h"

/*
 * A query longer than QUERY_MAX is cut, and then answered with FORMERR. No power of two: the first
 * bytes of all buffers would fall into the same few places of the cache.
 */
enum { BATCH = 32, QUERY_MAX = 2048 + 64, PAUSE_MS = 50 };

union from {
	struct sockaddr sa;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

/* Room for the address that was asked: IP_PKTINFO or IPV6_PKTINFO. */
struct control {
	_Alignas(struct cmsghdr) uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct hf_udp {
	struct hf_worker worker;
	int fd;        /* borrowed */
	bool wildcard; /* replies must say from which address they come */
	struct hf_responder responder;
	struct hf_acl_box *acl; /* borrowed */
	struct hf_acl_view view;
	const struct hf_clock *clock; /* borrowed */
	struct hf_fault fault;
	struct mmsghdr in[BATCH];
	struct mmsghdr out[BATCH];
	struct iovec in_iov[BATCH];
	struct iovec out_iov[BATCH];
	union from from[BATCH];
	struct hf_job job[BATCH];
	struct control control[BATCH];
	uint8_t query[BATCH][QUERY_MAX];
	uint8_t reply[BATCH][HF_WIRE_UDP_MAX];
};

static void udp_prepare(struct hf_udp *u)
{
	for (size_t i = 0; i < BATCH; i++) {
		u->in_iov[i] = (struct iovec){ u->query[i], QUERY_MAX };
		u->in[i].msg_hdr.msg_iov = &u->in_iov[i];
		u->in[i].msg_hdr.msg_iovlen = 1;
		u->in[i].msg_hdr.msg_name = &u->from[i];
		u->in[i].msg_hdr.msg_namelen = sizeof(u->from[i]);
		u->out[i].msg_hdr.msg_iov = &u->out_iov[i];
		u->out[i].msg_hdr.msg_iovlen = 1;
	}
}

/* What recvmmsg() wrote over, made ready for the next one. */
static void udp_prepare_again(struct hf_udp *u, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		u->in[i].msg_hdr.msg_namelen = sizeof(u->from[i]);
		u->in[i].msg_hdr.msg_control = u->wildcard ? &u->control[i] : NULL;
		u->in[i].msg_hdr.msg_controllen = u->wildcard ? sizeof(u->control[i]) : 0;
	}
}

/*
 * The reply leaves from the address that was asked, by whatever interface the routes say; only
 * link-local addresses mean nothing without theirs.
 */
static void keep_address(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	if (!c)
		return;
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo *info = (struct in_pktinfo *)(void *)CMSG_DATA(c);

		info->ipi_ifindex = 0;
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo *info = (struct in6_pktinfo *)(void *)CMSG_DATA(c);

		if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
			info->ipi6_ifindex = 0;
	}
}

/* All are read before the first is answered, so that what they ask for is fetched at once. */
static void read_batch(struct hf_udp *u, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct sockaddr *from = &u->from[i].sa;
		struct hf_peer peer = { hf_acl_allows(&u->view, from),
			hf_peer_addr_is_loopback(from) };

		hf_responder_read(u->query[i], u->in[i].msg_len, peer, &u->job[i]);
	}
	if (n > 1)
		hf_responder_warm(&u->responder, u->job, n);
}

/* Returns the number of replies in u->out. */
static size_t answer_batch(struct hf_udp *u, size_t n)
{
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		struct msghdr *to = &u->out[m].msg_hdr, *in = &u->in[i].msg_hdr;
		size_t len = hf_responder_reply(
		    &u->responder, &u->job[i], HF_OVER_UDP, u->reply[m], HF_WIRE_UDP_MAX);

		if (!len)
			continue;
		u->out_iov[m] = (struct iovec){ u->reply[m], len };
		to->msg_name = in->msg_name;
		to->msg_namelen = in->msg_namelen;
		to->msg_control = NULL;
		to->msg_controllen = 0;
		if (u->wildcard) {
			keep_address(in);
			to->msg_control = in->msg_control;
			to->msg_controllen = in->msg_controllen;
		}
		m++;
	}
	return m;
}

/* A reply that cannot be sent is dropped, as the net itself would; the others go on. */
static void send_batch(struct hf_udp *u, size_t n)
{
	size_t at = 0;

	while (at < n) {
		int sent = sendmmsg(u->fd, u->out + at, (unsigned)(n - at), MSG_DONTWAIT);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			hf_counters_add(u->responder.own, HF_COUNT_ERRORS, 1);
		at += sent > 0 ? (size_t)sent : 1;
	}
}

/* Nothing came: the wake-up, the wait's end, or trouble that must not turn into a busy loop. */
static void on_silence(struct hf_udp *u, int error)
{
	if (error == EINTR || error == EAGAIN)
		return;
	hf_fault_set(&u->fault, u->clock, HF_LOG_WARN, "cannot receive by UDP: %s; trying again",
	    strerror(error));
	poll(NULL, 0, PAUSE_MS);
}

static void udp_run(struct hf_worker *w, void *arg)
{
	struct hf_udp *u = arg;

	udp_prepare_again(u, BATCH);
	while (!hf_worker_stopped(w)) {
		int n = recvmmsg(u->fd, u->in, BATCH, MSG_WAITFORONE, NULL);

		if (n <= 0)
			on_silence(u, n < 0 ? errno : EAGAIN);
		else
			hf_fault_clear(&u->fault, u->clock, "receiving by UDP");
		hf_acl_view_refresh(&u->view, u->acl);
		if (n <= 0)
			continue;
		hf_zone_reader_refresh(u->responder.reader);
		read_batch(u, (size_t)n);
		send_batch(u, answer_batch(u, (size_t)n));
		udp_prepare_again(u, (size_t)n);
		hf_zone_reader_rest(u->responder.reader);
	}
}

int hf_udp_start(const struct hf_sock *sock, const struct hf_responder *responder,
    struct hf_acl_box *acl, const struct hf_clock *clock, struct hf_udp **ret_udp)
{
	struct hf_udp *u = calloc(1, sizeof(*u));
	int rc;

	if (!u)
		return -ENOMEM;
	u->fd = sock->fd;
	u->wildcard = sock->wildcard;
	u->responder = *responder;
	u->acl = acl;
	u->clock = clock;
	udp_prepare(u);
	rc = hf_worker_start(&u->worker, udp_run, u);
	if (rc) {
		free(u);
		return rc;
	}
	*ret_udp = u;
	return 0;
}

void hf_udp_free(struct hf_udp *u)
{
	if (!u)
		return;
	hf_worker_join(&u->worker);
	hf_acl_view_done(&u->view);
	free(u);
}
