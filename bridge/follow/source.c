/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/follow/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "bridge/engine/engine.h"
#include "bridge/follow/source_settings.h"
#include "bridge/stream/client/token_watch.h"
#include "bridge/stream/client/http.h"
#include "bridge/stream/wire/update_builder.h"
#include "config/config.h"
#include "config/secret.h"

struct hf_source {
	struct hf_source_env env;
	const struct hf_config_source *conf; /* borrowed */
	bool sole;
	char url[HF_URL_MAX + 1];
	struct hf_stream_settings settings; /* the client borrows it */
	struct hf_client *client;           /* owned */
	struct hf_token_watch *watch;       /* owned; NULL: the token is in no file */
	char watched[HF_SECRET_PLACE_MAX];
	struct hf_addresses good; /* the last good ones, while they are not in the store */
	int64_t good_again_ms;    /* boottime: not before are they tried again; 0: they are in it */
};

enum { GOOD_AGAIN_MS = 1000 };

static void source_work_soon(struct hf_source *s)
{
	s->env.work(s->env.work_arg);
}

/* --- what the client asks --- */

static void on_token_changed(void *arg)
{
	struct hf_source *s = arg;

	hf_client_kick(s->client, CLIENT_EVENT_TOKEN, NULL);
}

/* Follows the file that the token is in. */
static void watch_token(struct hf_source *s, const char *place)
{
	if (*place != '/' || !strcmp(place, s->watched))
		return;
	hf_token_watch_free(s->watch);
	s->watch = NULL;
	snprintf(s->watched, sizeof(s->watched), "%s", place);
	if (hf_token_watch_new(hf_http_base(s->env.http), place, on_token_changed, s, &s->watch))
		hf_log_warn(
		    "source '%s': '%s' cannot be watched; a new token in it is seen at the next attempt",
		    s->conf->name, place);
}

static int source_get_token(void *arg, char ret_token[static HF_CLIENT_TOKEN_MAX + 1],
    char ret_why[static HF_CLIENT_WHY_MAX])
{
	struct hf_source *s = arg;
	struct hf_token token;
	int rc = hf_secret_token(s->conf, s->url, s->sole, &token, ret_why);

	if (s->conf->token_file)
		watch_token(s, s->conf->token_file);
	if (rc)
		return rc;
	if (token.from != HF_SECRET_ENV)
		watch_token(s, token.place);
	snprintf(ret_token, HF_CLIENT_TOKEN_MAX + 1, "%s", token.text);
	hf_secret_wipe(&token);
	return 0;
}

/* Words of the configuration by which REST knows nobody. */
static void source_tell_missing(struct hf_source *s, const struct hf_server_info *told)
{
	for (size_t i = 0; i < told->n_words && i < s->conf->owners.n; i++)
		if (told->words[i].is == WORD_UNKNOWN)
			hf_engine_owner_missing(
			    s->env.engine, s->conf->name, s->conf->owners.at[i]);
}

static enum hf_verdict source_identify(void *arg, const struct hf_server_info *told)
{
	struct hf_source *s = arg;
	const struct hf_identity id = { .user = told->user,
		.user_name = told->user_name,
		.suffix = told->suffix[0] ? told->suffix : NULL,
		.deployment_id = told->deployment_id,
		.rights = told->rights,
		.asked_ms = told->asked_ms };
	struct hf_judgement j = { .verdict = HF_VERDICT_REFUSED };

	source_work_soon(s);
	if (hf_engine_identify(s->env.engine, s->conf->name, &id, &j) < 0)
		return HF_VERDICT_REFUSED;
	/* Nobody is left whose snapshot could settle it. */
	if (j.verdict == HF_VERDICT_ACCEPTED && told->complete && !told->n_owners)
		source_tell_missing(s, told);
	return j.verdict;
}

static void set_owner(void *arg, const struct hf_owner_info *owner, int64_t asked_ms)
{
	struct hf_source *s = arg;
	int rc = hf_engine_owner_set(s->env.engine, s->conf->name, &owner->id, owner->name);

	source_work_soon(s);
	if (rc < 0)
		hf_log_warn("source '%s': the owner '%s' cannot be followed (%s)", s->conf->name,
		    owner->name, hf_strerror(rc));
	hf_engine_owner_readable(
	    s->env.engine, s->conf->name, &owner->id, owner->readable, asked_ms);
}

static void source_settled(void *arg, const struct hf_server_info *told)
{
	struct hf_source *s = arg;

	source_tell_missing(s, told);
	hf_engine_owners_settled(s->env.engine, s->conf->name);
	source_work_soon(s);
}

static int source_judged(struct hf_source *s, int rc, const struct hf_judgement *j)
{
	if (rc != 1 && j->held)
		hf_log_warn("source '%s': the removal of %u workspace%s waits", s->conf->name,
		    j->held, j->held == 1 ? "" : "s");
	return rc;
}

static int source_update(void *arg, struct hf_update *u, struct hf_judgement *ret_judgement)
{
	struct hf_source *s = arg;
	int rc =
	    hf_engine_update_begin(s->env.engine, s->conf->name, u, hf_update_free, ret_judgement);

	source_work_soon(s);
	return source_judged(s, rc, ret_judgement);
}

static int source_updated(void *arg, struct hf_judgement *ret_judgement)
{
	struct hf_source *s = arg;

	return source_judged(
	    s, hf_engine_outcome(s->env.engine, s->conf->name, ret_judgement), ret_judgement);
}

static bool wants_snapshot(void *arg, const struct hf_uuid *owner)
{
	struct hf_source *s = arg;

	return hf_state_wants_snapshot(
	    hf_engine_state(s->env.engine), s->conf->name, owner, hf_engine_now(s->env.engine));
}

static bool source_wants_connection(void *arg)
{
	struct hf_source *s = arg;

	return hf_state_wants_connection(
	    hf_engine_state(s->env.engine), s->conf->name, hf_engine_now(s->env.engine));
}

static bool source_disputed(void *arg, struct hf_uuid *ret_workspace)
{
	struct hf_source *s = arg;

	return hf_engine_disputed(s->env.engine, s->conf->name, ret_workspace);
}

static void workspace_owner(void *arg, const struct hf_uuid *workspace, const struct hf_uuid *owner)
{
	struct hf_source *s = arg;

	hf_engine_workspace_owner(s->env.engine, s->conf->name, workspace, owner);
	source_work_soon(s);
}

static bool source_busy(void *arg)
{
	struct hf_source *s = arg;

	return hf_engine_busy(s->env.engine);
}

static void source_contact(void *arg)
{
	struct hf_source *s = arg;

	hf_engine_contact(s->env.engine, s->conf->name);
	source_work_soon(s);
}

static void source_away(void *arg)
{
	struct hf_source *s = arg;

	hf_engine_away(s->env.engine, s->conf->name);
	source_work_soon(s);
}

/* The store may be busy with a changeset, or not take anything: they are kept until it does. */
static void write_good(struct hf_source *s)
{
	const char *texts[HF_ADDRESSES_MAX];
	int rc;

	for (size_t i = 0; i < s->good.n; i++)
		texts[i] = s->good.at[i];
	rc =
	    hf_store_addresses_set(hf_engine_store(s->env.engine), s->conf->name, texts, s->good.n);
	s->good_again_ms = !rc ? 0 : rc == -EBUSY ? 1 : hf_boot_ms(s->env.clock) + GOOD_AGAIN_MS;
}

static void keep_good(void *arg, const struct hf_addresses *addresses)
{
	struct hf_source *s = arg;

	s->good = *addresses;
	write_good(s);
}

void hf_source_poke(struct hf_source *s)
{
	if (s->good_again_ms && !hf_engine_busy(s->env.engine) &&
	    hf_boot_ms(s->env.clock) >= s->good_again_ms)
		write_good(s);
}

static int add_good(const char *address, void *arg)
{
	hf_addresses_add(arg, address);
	return 0;
}

static const struct hf_client_ops ops = {
	.token = source_get_token,
	.identify = source_identify,
	.owner = set_owner,
	.settled = source_settled,
	.update = source_update,
	.updated = source_updated,
	.wants_snapshot = wants_snapshot,
	.wants_connection = source_wants_connection,
	.disputed = source_disputed,
	.workspace_owner = workspace_owner,
	.busy = source_busy,
	.contact = source_contact,
	.away = source_away,
	.good = keep_good,
};

/* --- life --- */

/* Where the server is, as configuration or environment say; "" and a line in the log if nowhere. */
static void find_url(struct hf_source *s)
{
	struct hf_place_url found;
	char why[HF_SECRET_WHY_MAX];

	s->url[0] = '\0';
	if (hf_secret_url(s->conf, &found, why))
		hf_log_error("source '%s': %s", s->conf->name, why);
	else
		snprintf(s->url, sizeof(s->url), "%s", found.text);
}

void hf_source_rebind(struct hf_source *s, const struct hf_config_source *conf, bool sole)
{
	s->conf = conf;
	s->sole = sole;
	hf_source_settings_fill(conf, s->url, &s->settings);
}

int hf_source_new(const struct hf_source_env *env, const struct hf_config_source *conf, bool sole,
    struct hf_source **ret_source)
{
	struct hf_source *s = calloc(1, sizeof(*s));
	struct hf_addresses good = { .n = 0 };

	if (!s)
		return -ENOMEM;
	s->env = *env;
	s->conf = conf;
	find_url(s);
	hf_source_rebind(s, conf, sole);
	hf_store_addresses(hf_engine_store(env->engine), conf->name, add_good, &good);
	if (hf_client_new(env->http, env->clock, &s->settings, &good, &ops, s, &s->client)) {
		hf_source_free(s);
		return -ENOMEM;
	}
	*ret_source = s;
	return 0;
}

void hf_source_free(struct hf_source *s)
{
	if (!s)
		return;
	hf_client_free(s->client);
	hf_token_watch_free(s->watch);
	free(s);
}

const char *hf_source_name(const struct hf_source *s)
{
	return s->conf->name;
}

const char *hf_source_url(const struct hf_source *s)
{
	return s->url;
}

struct hf_client *hf_source_client(struct hf_source *s)
{
	return s->client;
}
