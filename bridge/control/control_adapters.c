/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What status shows of the adapters, and what can be asked of them.
 */
#include <string.h>

#include "base/clock.h"
#include "bridge/control/control_json.h"
#include "bridge/control/control_private.h"
#include "bridge/feeding/feeds.h"
#include "bridge/front/survey.h"

static void control_adapter_warn(
    json_t *warnings, const char *name, const char *code, const char *text, int64_t since_s)
{
	json_array_append_new(warnings, json_pack("{s:s, s:o, s:o}", "code", code, "text",
					    json_sprintf("adapter '%s': %s", name, text), "since",
					    hf_control_json_time(since_s)));
}

/* Names that are tried again by themselves. */
static void warn_aside(const struct hf_feed_status *a, uint64_t n, const char *code,
    const char *why, const char *what, json_t *warnings)
{
	char text[HF_FEED_WHY_MAX + 120];

	if (!n)
		return;
	snprintf(text, sizeof(text), "%llu names %s%s%s", (unsigned long long)n, what,
	    *why ? ", the first " : "", why);
	control_adapter_warn(warnings, a->name, code, text, 0);
}

static void add_warnings(const struct hf_feed_status *a, json_t *warnings)
{
	char text[100];

	if (a->state == HF_FEED_FAILED)
		control_adapter_warn(
		    warnings, a->name, "adapter-failed", a->last_error, a->since_s);
	if (a->verified == 0)
		control_adapter_warn(warnings, a->name, "adapter-wrong",
		    "its resolver does not answer as it should", 0);
	if (a->skipped) {
		snprintf(text, sizeof(text),
		    "%llu names are left out: others have them there, or they do not fit",
		    (unsigned long long)a->skipped);
		control_adapter_warn(warnings, a->name, "adapter-skipped", text, 0);
	}
	warn_aside(a, a->failing, "adapter-failing", a->failing_why, "could not be put or taken",
	    warnings);
	warn_aside(a, a->stuck, "adapter-stuck", a->stuck_why,
	    "were taken and are still answered: others have them there", warnings);
	for (size_t i = 0; i < a->n_warnings; i++)
		control_adapter_warn(warnings, a->name, a->warnings[i].code, a->warnings[i].text,
		    a->warnings[i].since_s);
}

static json_t *control_json_number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *check_of(const struct hf_feed_check *c)
{
	return json_pack("{s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "number",
	    control_json_number(c->number), "running", c->running, "full", c->full, "asked",
	    control_json_number(c->asked), "right", control_json_number(c->right), "wrong",
	    control_json_number(c->wrong), "foreign", control_json_number(c->foreign), "silent",
	    control_json_number(c->silent), "unexpected",
	    c->unexpected < 0 ? json_null() : json_integer(c->unexpected));
}

/* Where its resolver answers DNS; null where it has none that can be asked. */
static json_t *control_adapter_ask_of(const struct hf_control_env *env, const char *name)
{
	const struct hf_config_adapters *all = &env->config->adapters;
	const struct hf_endpoint *at = NULL;
	char text[HF_ENDPOINT_TEXT_MAX];

	for (size_t i = 0; i < all->n; i++) {
		if (strcmp(all->at[i].name, name))
			continue;
		if (all->at[i].kind == HF_ADAPTER_UNBOUND)
			at = &all->at[i].unbound.ask;
		else if (all->at[i].kind == HF_ADAPTER_DNSMASQ)
			at = &all->at[i].dnsmasq.ask;
	}
	return at && at->len ? json_string(hf_front_endpoint_text(at, text)) : json_null();
}

static json_t *adapter_of(const struct hf_control_env *env, const struct hf_feed_status *a)
{
	json_t *next = a->next_try_ms < 0
			   ? json_null()
			   : hf_control_json_time((hf_wall_ms(env->clock) + a->next_try_ms) / 1000);

	return json_pack(
	    "{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o}",
	    "name", a->name, "type", a->type, "state", hf_feed_state_name(a->state), "since",
	    hf_control_json_time(a->since_s), "generation", control_json_number(a->generation),
	    "owned", control_json_number(a->owned), "skipped", control_json_number(a->skipped),
	    "leaving", control_json_number(a->leaving), "failing", control_json_number(a->failing),
	    "stuck", control_json_number(a->stuck), "verified",
	    a->verified < 0 ? json_null() : json_boolean(a->verified), "attempts", (int)a->attempts,
	    "last_error", hf_control_json_text(a->last_error), "next_try", next, "round_seconds",
	    json_integer(a->round_ms / 1000), "check", check_of(&a->check), "ask",
	    control_adapter_ask_of(env, a->name));
}

json_t *hf_control_adapters(const struct hf_control_env *env, json_t *warnings)
{
	json_t *list = json_array();
	struct hf_feed_status a;

	for (size_t i = 0; env->feeds && i < hf_feeds_n(env->feeds); i++) {
		hf_feed_status(hf_feeds_at(env->feeds, i), &a);
		json_array_append_new(list, adapter_of(env, &a));
		if (warnings)
			add_warnings(&a, warnings);
	}
	return list;
}

/* --- orders --- */

static void control_adapter_tell(const struct hf_control_env *env, struct hf_feed *f, FILE *out)
{
	struct hf_feed_status a;

	hf_feed_status(f, &a);
	hf_control_json_row(out, adapter_of(env, &a));
}

static struct hf_feed *control_adapter_find(
    const struct hf_control_env *env, const char *name, FILE *out)
{
	struct hf_feed *f = env->feeds ? hf_feeds_find(env->feeds, name) : NULL;

	if (!f)
		hf_control_error(out, "no adapter of that name is configured");
	return f;
}

void hf_control_refill(
    const struct hf_control_env *env, const struct hf_control_request *r, FILE *out)
{
	struct hf_feed *f = control_adapter_find(env, r->adapter, out);

	if (!f)
		return;
	hf_feed_refill(f, "the operator asks for it");
	control_adapter_tell(env, f, out);
	hf_control_json_end(out);
}

void hf_control_verify(
    const struct hf_control_env *env, const struct hf_control_request *r, FILE *out)
{
	if (r->adapter[0] && !control_adapter_find(env, r->adapter, out))
		return;
	for (size_t i = 0; env->feeds && i < hf_feeds_n(env->feeds); i++) {
		struct hf_feed *f = hf_feeds_at(env->feeds, i);

		if (r->adapter[0] && f != hf_feeds_find(env->feeds, r->adapter))
			continue;
		hf_feed_verify(f, r->full);
		control_adapter_tell(env, f, out);
	}
	hf_control_json_end(out);
}
