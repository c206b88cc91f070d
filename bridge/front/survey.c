/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/front/survey.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a question's callback needs. */
struct pending {
	struct hf_survey *survey;
	struct hf_survey_question *question;
};

struct hf_survey {
	struct hf_survey_question *questions; /* borrowed */
	struct pending *pending;              /* owned; one for each question */
	size_t n;
	size_t n_done;
	struct hf_dns_client **asks; /* owned, each of them too */
	struct event *end;           /* owned; reports from the loop, never from within a call */
	void (*done)(void *arg);
	void *arg;
};

/* --- addresses --- */

char *hf_front_endpoint_text(const struct hf_endpoint *at, char out[static HF_ENDPOINT_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN] = "?";
	bool six = at->sa.sa_family == AF_INET6;

	inet_ntop(at->sa.sa_family,
	    six ? (const void *)&at->in6.sin6_addr : (const void *)&at->in4.sin_addr, host,
	    sizeof(host));
	snprintf(out, HF_ENDPOINT_TEXT_MAX, "%s@%u", host,
	    ntohs(six ? at->in6.sin6_port : at->in4.sin_port));
	return out;
}

bool hf_front_endpoint_parse(const char *text, struct hf_endpoint *ret_at)
{
	struct hf_endpoint at = { .len = 0 };
	const char *mark = strrchr(text, '@');
	char host[INET6_ADDRSTRLEN];
	unsigned port;

	if (!mark || (size_t)(mark - text) >= sizeof(host) || sscanf(mark + 1, "%u", &port) != 1)
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)(mark - text), text);
	if (inet_pton(AF_INET, host, &at.in4.sin_addr) == 1) {
		at.in4.sin_family = AF_INET;
		at.in4.sin_port = htons((uint16_t)port);
		at.len = sizeof(at.in4);
	} else if (inet_pton(AF_INET6, host, &at.in6.sin6_addr) == 1) {
		at.in6.sin6_family = AF_INET6;
		at.in6.sin6_port = htons((uint16_t)port);
		at.len = sizeof(at.in6);
	}
	*ret_at = at;
	return at.len > 0 && port <= UINT16_MAX;
}

bool hf_front_endpoint_equal(const struct hf_endpoint *a, const struct hf_endpoint *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET6)
		return a->in6.sin6_port == b->in6.sin6_port &&
		       IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr);
	return a->in4.sin_port == b->in4.sin_port &&
	       a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr;
}

bool hf_front_endpoint_is_loopback(const struct hf_endpoint *at)
{
	if (at->sa.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&at->in6.sin6_addr);
	return at->sa.sa_family == AF_INET &&
	       ntohl(at->in4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* One that listens everywhere listens on loopback, too. */
static struct hf_endpoint survey_reachable(const struct hf_endpoint *at)
{
	struct hf_endpoint to = *at;

	if (to.sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&to.in6.sin6_addr))
		to.in6.sin6_addr = in6addr_loopback;
	if (to.sa.sa_family == AF_INET && to.in4.sin_addr.s_addr == htonl(INADDR_ANY))
		to.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return to;
}

/* --- asking --- */

static void survey_finish(struct hf_survey *s)
{
	if (++s->n_done == s->n)
		event_active(s->end, EV_TIMEOUT, 0);
}

static void on_survey_asked(const struct hf_asked *asked, void *arg)
{
	const struct pending *p = arg;

	p->question->asked = *asked;
	p->question->done = true;
	survey_finish(p->survey);
}

static void on_survey_end(evutil_socket_t fd, short what, void *arg)
{
	struct hf_survey *s = arg;

	(void)fd;
	(void)what;
	s->done(s->arg);
}

/* A question that cannot be asked is one without an answer. */
static void survey_ask(struct event_base *base, struct hf_survey *s, size_t i)
{
	struct hf_survey_question *q = &s->questions[i];
	struct hf_endpoint to = survey_reachable(&q->at);
	const struct hf_dns_client_opts opts = {
		.server = &to, .timeout_ms = q->timeout_ms, .tries = q->tries, .window = 1
	};
	int rc = hf_dns_client_new(base, &opts, &s->asks[i]);

	q->done = false;
	s->pending[i] = (struct pending){ s, q };
	if (!rc)
		rc = hf_dns_client_send(
		    s->asks[i], &q->name, q->type, on_survey_asked, &s->pending[i]);
	if (!rc)
		return;
	q->done = true;
	q->asked = (struct hf_asked){ .code = rc, .ede = -1 };
	survey_finish(s);
}

int hf_survey_new(struct event_base *base, struct hf_survey_question *questions, size_t n,
    void (*done)(void *arg), void *arg, struct hf_survey **ret_survey)
{
	struct hf_survey *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->questions = questions;
	s->n = n;
	s->done = done;
	s->arg = arg;
	s->asks = calloc(n ? n : 1, sizeof(struct hf_dns_client *));
	s->pending = calloc(n ? n : 1, sizeof(*s->pending));
	s->end = evtimer_new(base, on_survey_end, s);
	if (!s->asks || !s->pending || !s->end) {
		hf_survey_free(s);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		survey_ask(base, s, i);
	if (!n)
		event_active(s->end, EV_TIMEOUT, 0);
	*ret_survey = s;
	return 0;
}

void hf_survey_free(struct hf_survey *s)
{
	if (!s)
		return;
	for (size_t i = 0; s->asks && i < s->n; i++)
		hf_dns_client_free(s->asks[i]);
	if (s->end)
		event_free(s->end);
	free(s->asks);
	free(s->pending);
	free(s);
}

static void on_all(void *arg)
{
	event_base_loopbreak(arg);
}

int hf_survey_wait(struct hf_survey_question *questions, size_t n)
{
	struct event_base *base = event_base_new();
	struct hf_survey *s = NULL;
	int rc = base ? hf_survey_new(base, questions, n, on_all, base, &s) : -ENOMEM;

	if (!rc)
		event_base_dispatch(base);
	hf_survey_free(s);
	if (base)
		event_base_free(base);
	return rc;
}
