/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/dnsmasq_version.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <ldns/ldns.h>

#include "base/timing.h"
#include "config/config.h"

enum { PACKET_MAX = 512, ASKED_MAX = 3 };

struct hf_dnsmasq_version {
	int fd;
	struct event *event; /* owned */
	uint16_t id;
	uint8_t *query; /* owned */
	size_t query_len;
	unsigned asked;
	struct timeval timeout;
	hf_dnsmasq_version_cb cb;
	void *arg;
};

unsigned hf_dnsmasq_version_number(const char *text)
{
	unsigned major, minor;

	return sscanf(text, "dnsmasq-%2u.%2u", &major, &minor) == 2 ? major * 100 + minor : 0;
}

/* The first string of a TXT record, if it is the answer to our question. */
static int read_answer(
    const struct hf_dnsmasq_version *v, const uint8_t *bytes, size_t len, char *out)
{
	ldns_pkt *p = NULL;
	const ldns_rr_list *answer;
	const ldns_rdf *text = NULL;
	size_t n;

	if (ldns_wire2pkt(&p, bytes, len) != LDNS_STATUS_OK)
		return -EBADMSG;
	answer = ldns_pkt_answer(p);
	if (ldns_pkt_qr(p) && ldns_pkt_id(p) == v->id && ldns_rr_list_rr_count(answer) &&
	    ldns_rr_get_type(ldns_rr_list_rr(answer, 0)) == LDNS_RR_TYPE_TXT)
		text = ldns_rr_rdf(ldns_rr_list_rr(answer, 0), 0);
	n = text ? ldns_rdf_size(text) : 0;
	if (n > HF_DNSMASQ_VERSION_MAX)
		n = HF_DNSMASQ_VERSION_MAX;
	for (size_t i = 1; i < n; i++)
		out[i - 1] = isprint(ldns_rdf_data(text)[i]) ? (char)ldns_rdf_data(text)[i] : '?';
	out[n ? n - 1 : 0] = '\0';
	n = ldns_pkt_id(p) == v->id;
	ldns_pkt_free(p);
	return n ? 0 : -EBADMSG;
}

static void on_dnsmasq_version_event(evutil_socket_t fd, short what, void *arg)
{
	struct hf_dnsmasq_version *v = arg;
	char text[HF_DNSMASQ_VERSION_MAX] = "";
	uint8_t bytes[PACKET_MAX];
	ssize_t n = what & EV_READ ? recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) : -1;

	if (n >= 0 && !read_answer(v, bytes, (size_t)n, text)) {
		v->cb(text, v->arg);
		return;
	}
	if (!(what & EV_TIMEOUT) && n >= 0)
		goto wait;
	if (v->asked++ >= ASKED_MAX) {
		v->cb("", v->arg);
		return;
	}
	/* A refusal by the kernel comes with the next send; the time limit is enough. */
	if (send(v->fd, v->query, v->query_len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		v->asked = ASKED_MAX;
wait:
	event_add(v->event, &v->timeout);
}

static int make_query(struct hf_dnsmasq_version *v, const char *name)
{
	ldns_pkt *p = NULL;
	int rc = -ENOMEM;

	if (getrandom(&v->id, sizeof(v->id), 0) != sizeof(v->id))
		return -errno;
	if (ldns_pkt_query_new_frm_str(
		&p, "version.bind.", LDNS_RR_TYPE_TXT, LDNS_RR_CLASS_CH, LDNS_RD) != LDNS_STATUS_OK)
		return rc;
	ldns_pkt_set_id(p, v->id);
	if (ldns_pkt2wire(&v->query, p, &v->query_len) == LDNS_STATUS_OK)
		rc = 0;
	ldns_pkt_free(p);
	return rc;
}

static int version_begin(struct hf_dnsmasq_version *v, struct event_base *base,
    const struct hf_endpoint *server, const char *name)
{
	const struct timeval now = { 0 };
	int rc = make_query(v, name);

	if (rc)
		return rc;
	v->fd = socket(server->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (v->fd < 0 || connect(v->fd, &server->sa, server->len) < 0)
		return -errno;
	v->event = event_new(base, v->fd, EV_READ, on_dnsmasq_version_event, v);
	return v->event && !event_add(v->event, &now) ? 0 : -ENOMEM;
}

int hf_dnsmasq_version_ask(struct event_base *base, const struct hf_endpoint *server,
    const char *name, uint32_t timeout_ms, hf_dnsmasq_version_cb cb, void *arg,
    struct hf_dnsmasq_version **ret_version)
{
	struct hf_dnsmasq_version *v = calloc(1, sizeof(*v));
	int rc;

	if (!v)
		return -ENOMEM;
	v->fd = -1;
	v->timeout = hf_time_of_ms(timeout_ms);
	v->cb = cb;
	v->arg = arg;
	rc = version_begin(v, base, server, name);
	if (rc)
		hf_dnsmasq_version_free(v);
	else
		*ret_version = v;
	return rc;
}

void hf_dnsmasq_version_free(struct hf_dnsmasq_version *v)
{
	if (!v)
		return;
	if (v->event)
		event_free(v->event);
	if (v->fd >= 0)
		close(v->fd);
	LDNS_FREE(v->query);
	free(v);
}
