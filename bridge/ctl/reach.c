#include "bridge/ctl/reach.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "zone/answer.h"

enum { TRY_MS = 150, TRIES = 2, READERS_MAX = 16 };

char *hf_endpoint_text(const struct hf_endpoint *at, char out[static HF_ENDPOINT_TEXT_MAX])
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

/* One question under way. */
struct question {
	struct hf_ask *ask; /* owned */
	struct hf_asked asked;
	bool done;
};

static void on_asked(const struct hf_asked *asked, void *arg)
{
	struct question *q = arg;

	q->asked = *asked;
	q->done = true;
}

static int begin(struct event_base *base, const struct hf_endpoint *at, const struct hf_name *name,
    uint16_t type, struct question *q)
{
	const struct hf_ask_opts opts = { .server = at, .timeout_ms = TRY_MS, .tries = TRIES };
	int rc = hf_ask_new(base, &opts, &q->ask);

	return rc ? rc : hf_ask_send(q->ask, name, type, on_asked, q);
}

/* Until all have their answer, or none comes any more. */
static void wait_for_all(struct event_base *base, const struct question *q, size_t n)
{
	const struct timeval patience = { .tv_sec = 3 };
	size_t done = 0;

	event_base_loopexit(base, &patience);
	while (done < n && event_base_loop(base, EVLOOP_ONCE) == 0 && !event_base_got_exit(base)) {
		done = 0;
		for (size_t i = 0; i < n; i++)
			done += q[i].done || !q[i].ask;
	}
}

int hf_reach(const struct hf_endpoint *at, const struct hf_name *name, uint16_t type,
    struct hf_asked *ret_asked)
{
	struct event_base *base = event_base_new();
	struct question q = { .asked.code = -ETIMEDOUT };
	int rc = base ? begin(base, at, name, type, &q) : -ENOMEM;

	if (!rc)
		wait_for_all(base, &q, 1);
	hf_ask_free(q.ask);
	if (base)
		event_base_free(base);
	*ret_asked = q.asked;
	return rc ? rc : q.asked.code;
}

/* --- counters --- */

/* "name=holdfast-dnsanswers=5negative=3...": the strings of the TXT record in a row. */
static json_t *number_at(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? json_integer(strtoll(at + strlen(key), NULL, 10)) : json_null();
}

static json_t *reader_row(const struct hf_endpoint *at, const struct hf_asked *a)
{
	char place[HF_ENDPOINT_TEXT_MAX], name[64] = "";
	const char *end = strstr(a->text, "answers=");

	if (!strncmp(a->text, "name=", 5) && end && (size_t)(end - a->text) - 5 < sizeof(name))
		memcpy(name, a->text + 5, (size_t)(end - a->text) - 5);
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "name", name, "address",
	    hf_endpoint_text(at, place), "answers", number_at(a->text, "answers="), "negative",
	    number_at(a->text, "negative="), "stale", number_at(a->text, "stale="), "refused",
	    number_at(a->text, "refused="), "errors", number_at(a->text, "errors="));
}

json_t *hf_reach_readers(const struct hf_config *config, const char *suffix)
{
	static const char label[] = "_holdfast-counters";
	const struct hf_endpoints *listen = &config->dns.listen;
	struct question q[READERS_MAX] = { 0 };
	size_t n = listen->n < READERS_MAX ? listen->n : READERS_MAX;
	struct event_base *base = event_base_new();
	json_t *list = json_array();
	struct hf_name name;

	if (base && suffix && !hf_name_parse(suffix, &name) &&
	    !hf_name_prepend(&name, label, sizeof(label) - 1)) {
		for (size_t i = 0; i < n; i++)
			begin(base, &listen->at[i], &name, HF_TYPE_TXT, &q[i]);
		wait_for_all(base, q, n);
	}
	for (size_t i = 0; i < n; i++) {
		if (q[i].done && !q[i].asked.code && q[i].asked.text_len)
			json_array_append_new(list, reader_row(&listen->at[i], &q[i].asked));
		hf_ask_free(q[i].ask);
	}
	if (base)
		event_base_free(base);
	return list;
}
