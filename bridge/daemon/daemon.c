/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/no_dump.h"
#include "base/notify.h"
#include "base/timing.h"
#include "bridge/control/control.h"
#include "bridge/engine/engine.h"
#include "bridge/feeding/feeds.h"
#include "bridge/control/health.h"
#include "bridge/control/listeners.h"
#include "bridge/daemon/reload_preview.h"
#include "bridge/daemon/service_manager.h"
#include "bridge/follow/sources.h"
#include "config/config.h"

enum {
	EXIT_CONFIG = 1,
	EXIT_FILES = 2,
	CLEAN_MS = 5000, /* what teardown: clean may take at the end */
};

struct daemon {
	const char *path;                   /* of the configuration; borrowed */
	struct hf_config *config;           /* owned */
	struct event_base *base;            /* owned */
	struct hf_engine *engine;           /* owned */
	struct hf_sources *sources;         /* owned */
	struct hf_feeds *feeds;             /* owned */
	struct hf_listeners *listeners;     /* owned */
	struct hf_control *control;         /* owned */
	struct hf_health *health;           /* owned */
	struct hf_service_manager *service; /* owned */
	struct event *work;                 /* owned: when the engine wants to be called */
	struct event *zone;                 /* owned: the zone's worker has something */
	struct event *signals[3];           /* owned */
	bool hup;                           /* a reload waits for its turn */
	struct hf_reloads reloads;
};

static void daemon_work_soon(void *arg)
{
	struct daemon *r = arg;

	event_active(r->work, EV_TIMEOUT, 0);
}

/* libevent's own words: without this they go to stderr, which may block. */
static void on_event_log(int severity, const char *text)
{
	static const enum hf_log_level levels[] = { [EVENT_LOG_DEBUG] = HF_LOG_DEBUG,
		[EVENT_LOG_MSG] = HF_LOG_INFO,
		[EVENT_LOG_WARN] = HF_LOG_WARN,
		[EVENT_LOG_ERR] = HF_LOG_ERROR };

	hf_log(severity < 0 || severity > EVENT_LOG_ERR ? HF_LOG_ERROR : levels[severity],
	    "libevent: %s", text);
}

/* --- configuration --- */

static int daemon_load(const char *path, struct hf_config **ret_config)
{
	struct hf_config_errors errors;
	char text[1024];
	int rc = hf_config_load(path, HF_CONFIG_FILES, ret_config, &errors);

	for (size_t i = 0; rc && i < errors.n; i++)
		hf_log_error("%s", hf_config_error_text(&errors, i, text, sizeof(text)));
	if (rc && errors.more)
		hf_log_error("%zu more errors in '%s'", errors.more, path);
	return rc;
}

static void log_change(const struct hf_config_change *change, void *arg)
{
	hf_log_info("reload: %s: %s -> %s%s", change->path,
	    change->before ? change->before : "(none)", change->after ? change->after : "(none)",
	    change->restart ? " (at the next start)" : "");
}

static void log_removed(const char *text, void *arg)
{
	(void)arg;
	hf_log_warn("reload: %s", text);
}

static void daemon_reject(struct daemon *r)
{
	hf_log_error("reload rejected: '%s' has errors; the running configuration stays", r->path);
}

/* In the engine all of it or nothing: what it could not take up whole is taken back. */
static int configure_core(struct daemon *r, const struct hf_config *next)
{
	int rc = hf_engine_configure(r->engine, next);

	if (!rc)
		return 0;
	hf_log_error(
	    "reload rejected: the new configuration does not fit (%s); the running configuration stays",
	    hf_strerror(rc));
	hf_engine_configure(r->engine, r->config);
	return rc;
}

static int daemon_reserve(struct daemon *r)
{
	int rc = hf_feeds_reserve(r->feeds);

	if (rc)
		hf_log_error("reload rejected: out of memory; the running configuration stays");
	return rc;
}

static bool daemon_adopt(struct daemon *r, struct hf_config *next)
{
	struct hf_config *before = r->config;

	if (hf_config_diff(before, next, log_change, NULL) == 0)
		hf_log_info("reload: '%s' has not changed", r->path);
	hf_reload_preview_state(
	    hf_engine_state(r->engine), hf_engine_now(r->engine), next, log_removed, NULL);
	if (daemon_reserve(r) || configure_core(r, next)) {
		hf_config_free(next);
		return false;
	}
	hf_log_set_level(next->log.level);
	r->config = next;
	hf_sources_configure(r->sources, next);
	hf_control_configure(r->control, next);
	hf_health_configure(r->health, next);
	hf_listeners_configure(r->listeners, next);
	hf_feeds_configure(r->feeds, next, before);
	daemon_work_soon(r);
	return true;
}

static void daemon_reload(struct daemon *r)
{
	struct hf_config *next;
	bool adopted = false;

	if (daemon_load(r->path, &next))
		daemon_reject(r);
	else
		adopted = daemon_adopt(r, next);
	if (adopted)
		r->reloads.done++;
	else
		r->reloads.rejected++;
	hf_notify("READY=1");
}

/*
 * What changes the model waits while that is lent to the store (guard rule 10). The file is read
 * when the reload's turn comes: of several signals the newest file counts, and it is checked
 * against the world as it is then.
 */
static void take_turns(struct daemon *r)
{
	if (hf_engine_busy(r->engine))
		return;
	if (r->hup) {
		r->hup = false;
		daemon_reload(r);
	}
	hf_control_poke(r->control);
}

static void on_hup(struct daemon *r)
{
	hf_notify_reloading();
	if (hf_engine_busy(r->engine) && !r->hup) {
		hf_log_info("reload: waits for the end of the change that is under way");
		r->reloads.waited++;
	}
	r->hup = true;
	take_turns(r);
}

/* --- loop --- */

static int watch_zone(struct daemon *r);

static void on_work(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *r = arg;
	int64_t wait = hf_engine_work(r->engine);
	struct timeval tv = hf_time_of_ms(wait);

	if (watch_zone(r) < 0)
		hf_log_error(
		    "out of memory; the zone is looked at a little later than it could be");
	event_add(r->work, &tv);
	hf_service_manager_worked(r->service, wait);
	take_turns(r);
	hf_sources_poke(r->sources);
	hf_feeds_poke(r->feeds);
	hf_health_poke(r->health);
}

static void daemon_end(void *arg)
{
	struct daemon *r = arg;

	event_base_loopbreak(r->base);
}

static void on_daemon_signal(evutil_socket_t number, short what, void *arg)
{
	struct daemon *r = arg;

	if (number == SIGHUP) {
		on_hup(r);
		return;
	}
	hf_log_info("ends (%s); what is published stays where it is",
	    number == SIGTERM ? "SIGTERM" : "SIGINT");
	hf_notify("STOPPING=1");
	if (r->feeds)
		hf_feeds_end(r->feeds, CLEAN_MS, daemon_end, r);
	else
		daemon_end(r);
}

/*
 * Before anything that takes time: a signal that comes early waits for the loop, and does not kill
 * us.
 */
static int catch_signals(struct daemon *r)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
	bool ok;

	r->base = event_base_new();
	ok = r->base;
	for (size_t i = 0; ok && i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		r->signals[i] = evsignal_new(r->base, numbers[i], on_daemon_signal, r);
		ok = r->signals[i] && event_add(r->signals[i], NULL) == 0;
	}
	return ok ? 0 : -ENOMEM;
}

/* The descriptor is another one after the zone's folder was replaced. */
static int watch_zone(struct daemon *r)
{
	int fd = hf_engine_fd(r->engine);

	if (r->zone && event_get_fd(r->zone) == fd)
		return 0;
	if (r->zone)
		event_free(r->zone);
	r->zone = NULL;
	if (fd < 0)
		return 0;
	r->zone = event_new(r->base, fd, EV_READ | EV_PERSIST, on_work, r);
	return r->zone ? event_add(r->zone, NULL) : -ENOMEM;
}

static int start_work(struct daemon *r)
{
	const struct hf_source_env env = { .engine = r->engine,
		.clock = &hf_clock_system,
		.work = daemon_work_soon,
		.work_arg = r };

	r->work = evtimer_new(r->base, on_work, r);
	if (!r->work || watch_zone(r) < 0 ||
	    hf_service_manager_new(r->base, &hf_clock_system, r->engine, &r->service) ||
	    hf_sources_new(r->base, &env, r->config, &r->sources))
		return -ENOMEM;
	event_active(r->work, EV_TIMEOUT, 0);
	return hf_feeds_new(r->base, r->engine, &hf_clock_system, r->config, &r->feeds);
}

static int start_listeners(struct daemon *r)
{
	const struct hf_listeners_env env = {
		.base = r->base, .clock = &hf_clock_system, .engine = r->engine, .feeds = r->feeds
	};
	int rc = hf_listeners_new(&env, r->config, &r->listeners);

	if (!rc)
		hf_service_manager_watch(r->service, r->listeners);
	return rc;
}

static int start_control(struct daemon *r)
{
	struct hf_control_env env = { .engine = r->engine,
		.sources = r->sources,
		.feeds = r->feeds,
		.reloads = &r->reloads,
		.config = r->config,
		.clock = &hf_clock_system,
		.work = daemon_work_soon,
		.work_arg = r };
	int rc = start_listeners(r);

	env.listeners = r->listeners;
	if (!rc)
		rc = hf_control_new(r->base, &env, &r->control);
	return rc ? rc : hf_health_new(r->base, r->engine, r->listeners, r->config, &r->health);
}

static void daemon_finish(struct daemon *r)
{
	hf_health_free(r->health);
	hf_control_free(r->control);
	hf_listeners_free(r->listeners);
	for (size_t i = 0; i < sizeof(r->signals) / sizeof(r->signals[0]); i++)
		if (r->signals[i])
			event_free(r->signals[i]);
	hf_feeds_free(r->feeds);
	hf_sources_free(r->sources);
	if (r->zone)
		event_free(r->zone);
	if (r->work)
		event_free(r->work);
	hf_service_manager_free(r->service);
	if (r->base)
		event_base_free(r->base);
	hf_engine_free(r->engine);
	hf_config_free(r->config);
}

int hf_daemon_run(const char *config_path)
{
	struct daemon r = { .path = config_path };
	bool private = hf_no_dump();
	int status = 0;

	/* A file size limit and a peer that went away are errors like others, not the end. */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	event_set_log_callback(on_event_log);
	if (catch_signals(&r) || daemon_load(config_path, &r.config)) {
		status = EXIT_CONFIG;
		goto out;
	}
	hf_log_init(STDERR_FILENO, r.config->log.level, r.config->log.format, NULL);
	hf_log_info("holdfastd " HF_VERSION " begins with '%s'", config_path);
	if (!private)
		hf_log_warn(
		    "HOLDFAST_DUMPABLE is set: core files and debuggers show this process's memory, with the session token");
	if (hf_engine_open(r.config, &hf_clock_system, &r.engine) || start_work(&r) ||
	    start_control(&r)) {
		status = EXIT_FILES;
		goto out;
	}
	hf_notify("READY=1");
	event_base_dispatch(r.base);
out:
	daemon_finish(&r);
	return status;
}
