/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/follow/sources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "bridge/engine/engine.h"
#include "bridge/stream/client/http.h"
#include "bridge/stream/client/system_events.h"
#include "config/config.h"

enum { AGAIN_MS = 1000 };

struct hf_sources {
	struct hf_source_env env;       /* it owns env.http */
	const struct hf_config *config; /* borrowed */
	/* owned; NULL: the system does not tell */
	struct hf_system_events *wake;
	struct hf_source *at[HF_CONFIG_SOURCES_MAX]; /* owned */
	size_t n;
	uint64_t lives;   /* of the engine's state */
	int64_t again_ms; /* boottime: when those that memory was missing for are tried again */
};

static void kick_all(
    struct hf_sources *s, enum hf_client_event event, const struct hf_interfaces *at)
{
	for (size_t i = 0; i < s->n; i++)
		hf_client_kick(hf_source_client(s->at[i]), event, at);
}

static void on_system_event(
    void *arg, enum hf_system_events_why why, const struct hf_interfaces *at)
{
	static const struct {
		const char *text;
		enum hf_client_event event;
	} all[] = {
		[HF_SYSTEM_EVENTS_SLEPT] = { "the machine slept", CLIENT_EVENT_WAKE },
		[HF_SYSTEM_EVENTS_CLOCK] = { "the wall clock was set", CLIENT_EVENT_CLOCK },
		[HF_SYSTEM_EVENTS_NETWORK] = { "network or routes changed", CLIENT_EVENT_NETWORK },
	};

	hf_log_debug("%s", all[why].text);
	kick_all(arg, all[why].event, at);
}

static void sources_add(struct hf_sources *s, const struct hf_config_source *conf)
{
	bool sole = s->config->sources.n == 1;

	if (s->n == HF_CONFIG_SOURCES_MAX)
		return;
	if (hf_source_new(&s->env, conf, sole, &s->at[s->n]))
		hf_log_error(
		    "source '%s' cannot be followed: out of memory; tried again each second",
		    conf->name);
	else
		s->n++;
}

/* Once a second, while one that is configured is missing: there was no memory for it. */
static void sources_add_missing(struct hf_sources *s)
{
	int64_t now = hf_boot_ms(s->env.clock);

	if (s->n >= s->config->sources.n || now < s->again_ms)
		return;
	s->again_ms = now + AGAIN_MS;
	for (size_t i = 0; i < s->config->sources.n; i++)
		if (!hf_sources_find(s, s->config->sources.at[i].name))
			sources_add(s, &s->config->sources.at[i]);
}

int hf_sources_new(struct event_base *base, const struct hf_source_env *env,
    const struct hf_config *config, struct hf_sources **ret_sources)
{
	struct hf_sources *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->env = *env;
	s->config = config;
	if (hf_http_new(base, &s->env.http)) {
		free(s);
		return -ENOMEM;
	}
	if (hf_system_events_new(base, on_system_event, s, &s->wake))
		hf_log_warn("sleep and changes of the network are not seen; the pings will tell");
	for (size_t i = 0; i < config->sources.n; i++)
		sources_add(s, &config->sources.at[i]);
	*ret_sources = s;
	return 0;
}

void hf_sources_free(struct hf_sources *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		hf_source_free(s->at[i]);
	hf_system_events_free(s->wake);
	hf_http_free(s->env.http);
	free(s);
}

/* --- reload --- */

struct changed {
	const struct hf_config *config;
	bool sources[HF_CONFIG_SOURCES_MAX];
};

/* "sources[NAME].key" */
static void note_change(const struct hf_config_change *change, void *arg)
{
	struct changed *c = arg;

	for (size_t i = 0; i < c->config->sources.n; i++) {
		const char *name = c->config->sources.at[i].name;
		size_t n = strlen(name);

		c->sources[i] |= !strncmp(change->path, "sources[", 8) &&
				 !strncmp(change->path + 8, name, n) && change->path[8 + n] == ']';
	}
}

static struct hf_source *sources_take(struct hf_sources *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++) {
		struct hf_source *found = s->at[i];

		if (strcmp(hf_source_name(found), name))
			continue;
		s->at[i] = s->at[--s->n];
		return found;
	}
	return NULL;
}

void hf_sources_configure(struct hf_sources *s, const struct hf_config *config)
{
	struct changed changed = { .config = config };
	struct hf_source *kept[HF_CONFIG_SOURCES_MAX] = { NULL };

	hf_config_diff(s->config, config, note_change, &changed);
	for (size_t i = 0; i < config->sources.n; i++)
		if (!changed.sources[i])
			kept[i] = sources_take(s, config->sources.at[i].name);
	/* What is left has changed or is no more. */
	while (s->n)
		hf_source_free(s->at[--s->n]);
	s->config = config;
	for (size_t i = 0; i < config->sources.n; i++) {
		if (!kept[i]) {
			sources_add(s, &config->sources.at[i]);
			continue;
		}
		hf_source_rebind(kept[i], &config->sources.at[i], config->sources.n == 1);
		hf_client_kick(hf_source_client(kept[i]), CLIENT_EVENT_RELOAD, NULL);
		s->at[s->n++] = kept[i];
	}
}

void hf_sources_redial(struct hf_sources *s)
{
	for (size_t i = 0; i < s->n; i++)
		hf_client_redial(hf_source_client(s->at[i]));
}

void hf_sources_poke(struct hf_sources *s)
{
	uint64_t lives = hf_engine_lives(s->env.engine);

	sources_add_missing(s);
	for (size_t i = 0; i < s->n; i++)
		hf_source_poke(s->at[i]);
	if (lives != s->lives) {
		s->lives = lives;
		hf_sources_redial(s);
		return;
	}
	for (size_t i = 0; i < s->n; i++)
		hf_client_poke(hf_source_client(s->at[i]));
}

size_t hf_sources_n(const struct hf_sources *s)
{
	return s->n;
}

struct hf_source *hf_sources_at(const struct hf_sources *s, size_t i)
{
	return s->at[i];
}

struct hf_source *hf_sources_find(const struct hf_sources *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(hf_source_name(s->at[i]), name))
			return s->at[i];
	return NULL;
}
