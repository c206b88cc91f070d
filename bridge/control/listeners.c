/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/control/listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/timing.h"
#include "bridge/engine/engine.h"
#include "bridge/feeding/feeds.h"
#include "bridge/front/nameservers.h"
#include "config/config.h"
#include "zone/own_labels.h"

enum {
	TRY_MS = 500,
	TRIES = 3,
	MODULES_MAX = 2 + HF_NAMESERVERS_MAX,
	TYPE_SOA = 6,
	TYPE_TXT = 16,
	DNS_PORT = 53,
};

static const char resolv_conf[] = "/etc/resolv.conf";
static const char counters[] = HF_OWN_LABEL_COUNTERS, responder[] = "name=holdfast-dns";

struct hf_listeners {
	struct hf_listeners_env env;
	const struct hf_config *config;       /* borrowed */
	struct event *timer;                  /* owned */
	struct hf_survey *survey;             /* owned; NULL while nothing is asked */
	struct hf_survey_question *questions; /* owned; of the survey */
	size_t n_questions;
	/* as many of the questions for each listener in turn; the rest are places of the module */
	size_t n_suffixes;
	struct hf_listener listeners[HF_LISTENERS_MAX];
	size_t n;
	bool module; /* it was found, the last time it was looked for */
	char told[HF_ANSWERING_TEXT_MAX];
};

/* --- what follows from it --- */

static bool feed_answers(struct hf_feed *f)
{
	struct hf_feed_status s;

	hf_feed_status(f, &s);
	return s.verified != 0 && (s.state == HF_FEED_SYNCED || s.state == HF_FEED_APPLYING);
}

static struct hf_answering_facts facts_of(const struct hf_listeners *l)
{
	struct hf_answering_facts f = { .given = l->config->dns.listen_given,
		.others = l->module || l->config->adapters.n > 0,
		.others_answer = l->module };

	for (size_t i = 0; i < hf_feeds_n(l->env.feeds) && !f.others_answer; i++)
		f.others_answer = feed_answers(hf_feeds_at(l->env.feeds, i));
	return f;
}

void hf_listeners_answering(const struct hf_listeners *l, struct hf_answering *ret_answering)
{
	const struct hf_answering_facts f = facts_of(l);

	hf_answering_judge(l->listeners, l->n, &f, ret_answering);
}

const struct hf_listener *hf_listeners_get(const struct hf_listeners *l, size_t *ret_n)
{
	*ret_n = l->n;
	return l->listeners;
}

/* Once when it begins, when it changes and when it ends. */
static void listeners_tell(struct hf_listeners *l)
{
	struct hf_answering a;

	hf_listeners_answering(l, &a);
	if (!strcmp(a.text, l->told))
		return;
	if (a.text[0])
		hf_log_warn("dns: no answer to queries: %s; the names stay published", a.text);
	else
		hf_log_info("dns: every listener answers again");
	memcpy(l->told, a.text, sizeof(l->told));
}

/* --- asking --- */

static int listeners_take_suffix(const struct hf_source_view *view, void *arg)
{
	hf_answering_suffixes_add(arg, &view->row->suffix);
	return 0;
}

static void listeners_add_question(
    struct hf_listeners *l, const struct hf_endpoint *at, const struct hf_name *name, uint16_t type)
{
	l->questions[l->n_questions++] = (struct hf_survey_question){
		.at = *at, .name = *name, .type = type, .timeout_ms = TRY_MS, .tries = TRIES
	};
}

/* An unbound with the module answers at port 53 of loopback, and says so to loopback only. */
static void listeners_add_modules(struct hf_listeners *l, const struct hf_name *suffix)
{
	struct hf_endpoint at[MODULES_MAX] = {
		{ .in4 = { .sin_family = AF_INET,
		      .sin_port = htons(DNS_PORT),
		      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
		    .len = sizeof(struct sockaddr_in) },
		{ .in6 = { .sin6_family = AF_INET6,
		      .sin6_port = htons(DNS_PORT),
		      .sin6_addr = IN6ADDR_LOOPBACK_INIT },
		    .len = sizeof(struct sockaddr_in6) },
	};
	size_t n = 2 + hf_nameservers_read(resolv_conf, &at[2]);
	struct hf_name name = *suffix;

	if (hf_name_prepend(&name, counters, sizeof(counters) - 1))
		return;
	for (size_t i = 0; i < n; i++) {
		bool twice = false;

		for (size_t j = 0; j < i; j++)
			twice |= hf_front_endpoint_equal(&at[i], &at[j]);
		if (!twice && hf_front_endpoint_is_loopback(&at[i]))
			listeners_add_question(l, &at[i], &name, TYPE_TXT);
	}
}

static bool any_answers(const struct hf_listeners *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->listeners[i].state == HF_LISTENER_ANSWERS)
			return true;
	return false;
}

/* A counter that holdfast-dns gave, through a resolver that forwards to it, is no module's. */
static bool listeners_is_module(const struct hf_asked *a)
{
	return !a->code && a->text_len && !strncmp(a->text, "name=", 5) &&
	       strncmp(a->text, responder, sizeof(responder) - 1) != 0;
}

static void on_listeners_asked(void *arg);

static void stop_asking(struct hf_listeners *l)
{
	hf_survey_free(l->survey);
	l->survey = NULL;
	free(l->questions);
	l->questions = NULL;
	l->n_questions = 0;
}

static void listeners_ask(struct hf_listeners *l)
{
	struct hf_suffixes suffixes = { .n = 0 };

	hf_state_each_source(hf_engine_state(l->env.engine), hf_engine_now(l->env.engine),
	    listeners_take_suffix, &suffixes);
	if (!suffixes.n)
		return;
	l->n_suffixes = hf_answering_suffixes_asked(&suffixes, l->n);
	l->questions = calloc(l->n * l->n_suffixes + MODULES_MAX, sizeof(*l->questions));
	if (!l->questions)
		return;
	for (size_t i = 0; i < l->n; i++)
		for (size_t j = 0; j < l->n_suffixes; j++)
			listeners_add_question(l, &l->listeners[i].at, &suffixes.at[j], TYPE_SOA);
	if (!any_answers(l))
		listeners_add_modules(l, &suffixes.at[0]);
	hf_survey_new(l->env.base, l->questions, l->n_questions, on_listeners_asked, l, &l->survey);
}

static void listeners_arm(struct hf_listeners *l, int64_t ms)
{
	const struct timeval tv = hf_time_of_ms(ms);

	event_add(l->timer, &tv);
}

/* A survey is not freed within its own callback: the timer's next turn does it. */
static void on_listeners_asked(void *arg)
{
	struct hf_listeners *l = arg;

	size_t n = l->n * l->n_suffixes;

	for (size_t i = 0; i < l->n; i++)
		hf_answering_judge_suffixes(&l->listeners[i], &l->questions[i * l->n_suffixes],
		    l->n_suffixes, &l->config->dns.allow);
	if (l->n_questions > n) {
		l->module = false;
		for (size_t i = n; i < l->n_questions; i++)
			l->module |= listeners_is_module(&l->questions[i].asked);
	}
	listeners_tell(l);
	listeners_arm(l, l->config->dns.probe_interval_ms);
}

static void on_listeners_timer(evutil_socket_t fd, short what, void *arg)
{
	struct hf_listeners *l = arg;

	(void)fd;
	(void)what;
	stop_asking(l);
	listeners_ask(l);
	if (!l->survey)
		listeners_arm(l, l->config->dns.probe_interval_ms);
}

/* --- all --- */

/* A responder that starts beside the bridge has its time. */
static int64_t first_ms(const struct hf_config *config)
{
	return config->dns.probe_interval_ms / 3;
}

/* What is known of an address that stays is kept. */
static void take_config(struct hf_listeners *l, const struct hf_config *config)
{
	struct hf_listener before[HF_LISTENERS_MAX];
	size_t n_before = l->n;

	memcpy(before, l->listeners, sizeof(before));
	memset(l->listeners, 0, sizeof(l->listeners));
	l->config = config;
	l->n = config->dns.listen.n < HF_LISTENERS_MAX ? config->dns.listen.n : HF_LISTENERS_MAX;
	for (size_t i = 0; i < l->n; i++) {
		l->listeners[i].at = config->dns.listen.at[i];
		for (size_t j = 0; j < n_before; j++)
			if (hf_front_endpoint_equal(&before[j].at, &l->listeners[i].at))
				l->listeners[i] = before[j];
	}
}

int hf_listeners_new(const struct hf_listeners_env *env, const struct hf_config *config,
    struct hf_listeners **ret_listeners)
{
	struct hf_listeners *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->env = *env;
	take_config(l, config);
	l->timer = evtimer_new(env->base, on_listeners_timer, l);
	if (!l->timer) {
		hf_listeners_free(l);
		return -ENOMEM;
	}
	listeners_arm(l, first_ms(config));
	*ret_listeners = l;
	return 0;
}

void hf_listeners_configure(struct hf_listeners *l, const struct hf_config *config)
{
	stop_asking(l);
	take_config(l, config);
	listeners_arm(l, first_ms(config));
}

void hf_listeners_free(struct hf_listeners *l)
{
	if (!l)
		return;
	stop_asking(l);
	if (l->timer)
		event_free(l->timer);
	free(l);
}
