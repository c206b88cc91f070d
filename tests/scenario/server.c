/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server: what REST says of the token, of users and of workspaces, and when the connection of the
 * messages was opened.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tests/scenario/message.h"
#include "tests/scenario/verbs.h"

/* --- the token --- */

/* "role:owner,org:a" as rights.h has it: in order, a space between two. */
static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void canonical_rights(const char *from, char *out, size_t size)
{
	char copy[1024], *words[64], *rest = NULL;
	size_t n = 0, len = 0;

	snprintf(copy, sizeof(copy), "%s", from);
	for (char *t = strtok_r(copy, ",", &rest); t && n < 64; t = strtok_r(NULL, ",", &rest))
		words[n++] = t;
	qsort(words, n, sizeof(words[0]), compare_texts);
	out[0] = '\0';
	for (size_t i = 0; i < n && len < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s", i ? " " : "", words[i]);
}

/* Keeps the line, for those who ask the same again. */
static void keep_line(struct world_source *s, const struct words *a)
{
	size_t len = 0;

	for (size_t i = 0; i < a->n && len < sizeof(s->login); i++)
		len += (size_t)snprintf(
		    s->login + len, sizeof(s->login) - len, "%s%s", i ? " " : "", a->at[i]);
}

static enum hf_readable readable_of(const char *text)
{
	if (!text || !strcmp(text, "yes") || !strcmp(text, "readable"))
		return READABLE_YES;
	return !strcmp(text, "no") || !strcmp(text, "unreadable") ? READABLE_NO : READABLE_UNKNOWN;
}

static int identify(struct world *w, struct world_source *s, const struct words *a, bool *ret_held)
{
	const char *told = words_option(a, "rights");
	const char *renamed = words_option(a, "renamed");
	char rights[1024];
	struct hf_identity id = { .user = message_id(verbs_user(w, words_at(a, 2))),
		.user_name = renamed ? renamed : words_at(a, 2),
		.deployment_id = words_option(a, "deployment"),
		.suffix = words_option(a, "suffix"),
		.asked_ms = s->asked_ms };
	struct hf_judgement j;
	int rc;

	if (told) {
		canonical_rights(told, rights, sizeof(rights));
		id.rights = rights;
	}
	rc = hf_engine_identify(w->engine, s->name, &id, &j);
	*ret_held = j.verdict != HF_VERDICT_ACCEPTED;
	if (rc || *ret_held)
		return rc;
	rc = hf_engine_owner_set(w->engine, s->name, &id.user, id.user_name);
	/* A name that can be no label: it has its `me` names all the same. */
	return rc == HF_ENAME ? 0 : rc;
}

/* `login`: REST, and then a new connection; `ask`: REST on the connection that is open. */
bool do_login(struct world *w, const struct words *a)
{
	struct world_source *s = world_source(w, words_at(a, 1));
	struct hf_uuid id = message_id(verbs_user(w, words_at(a, 2)));
	bool held = false;
	int rc;

	if (!verbs_need_core(w) || !s)
		return false;
	s->asked_ms = hf_engine_now(w->engine).boot_ms;
	if (!strcmp(words_at(a, 0), "login"))
		s->connected_ms = s->asked_ms;
	keep_line(s, a);
	rc = identify(w, s, a, &held);
	if (!rc && !held)
		hf_engine_owner_readable(
		    w->engine, s->name, &id, readable_of(words_option(a, "readable")), s->asked_ms);
	return verbs_done(w, rc);
}

bool do_connect(struct world *w, const struct words *a)
{
	struct world_source *s = world_source(w, words_at(a, 1));

	if (!verbs_need_core(w) || !s)
		return false;
	s->connected_ms = hf_engine_now(w->engine).boot_ms;
	world_settle(w);
	return true;
}

/* --- owners --- */

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		if (n == len && !strncasecmp(at, word, len))
			return true;
		at += n;
	}
	return false;
}

static void drop_word(char *list, const char *word)
{
	size_t len = strlen(word);

	for (char *at = list; *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		if (n == len && !strncasecmp(at, word, len)) {
			memmove(at, at + n, strlen(at + n) + 1);
			return;
		}
		at += n;
	}
}

static bool names_its_owners(const struct world_source *s)
{
	for (size_t i = 0; i < s->n_keys; i++)
		if (!strcmp(s->keys[i].key, "owners"))
			return true;
	return false;
}

/* Whom the configuration does not name yet it names from now on. */
static bool name_owner(struct world *w, struct world_source *s, const char *user, const char *name)
{
	size_t len = strlen(s->owners);

	if (names_its_owners(s) || has_word(s->owners, user) || has_word(s->owners, name))
		return true;
	snprintf(s->owners + len, sizeof(s->owners) - len, " %s", name);
	return world_reload(w);
}

bool do_owner(struct world *w, const struct words *a)
{
	struct world_source *s = world_source(w, words_at(a, 1));
	struct hf_uuid id = message_id(verbs_user(w, words_at(a, 2)));
	const char *renamed = words_option(a, "renamed");
	const char *name = renamed ? renamed : words_at(a, 2);
	bool refused = strchr(words_at(a, 0), '!');
	int rc;

	if (!verbs_need_core(w) || !s || (!refused && !name_owner(w, s, words_at(a, 2), name)))
		return false;
	rc = hf_engine_owner_set(w->engine, s->name, &id, name);
	hf_engine_owner_readable(
	    w->engine, s->name, &id, readable_of(words_option(a, "readable")), s->asked_ms);
	if (refused)
		return rc == HF_ENAME ? verbs_done(w, 0)
				      : world_fail(w, "the name was not refused");
	return verbs_done(w, rc);
}

struct others {
	struct world *w;
	const struct world_source *source;
	const struct hf_uuid *but;
	int rc;
};

static int name_again(
    const struct hf_source_view *source, const struct hf_owner_view *owner, void *arg)
{
	struct others *o = arg;

	if (!strcmp(source->row->name, o->source->name) && !hf_uuid_equal(&owner->row->id, o->but))
		o->rc = hf_engine_owner_set(
		    o->w->engine, o->source->name, &owner->row->id, owner->row->name);
	return 0;
}

/*
 * The operator takes one out. The bridge takes the configuration up, asks REST again and has a
 * snapshot of each of the others.
 */
bool do_forget(struct world *w, const struct words *a)
{
	struct world_source *s = world_source(w, words_at(a, 1));
	struct hf_uuid id = message_id(verbs_user(w, words_at(a, 2)));
	struct others others = { w, s, &id, 0 };
	struct words login;
	char line[256];
	bool held = false;
	int rc;

	if (!verbs_need_core(w) || !s)
		return false;
	drop_word(s->owners, words_at(a, 2));
	if (!world_reload(w))
		return false;
	snprintf(line, sizeof(line), "%s", s->login);
	words_split(line, &login);
	rc = login.n ? identify(w, s, &login, &held) : 0;
	if (!rc)
		hf_state_each_owner(
		    hf_engine_state(w->engine), hf_engine_now(w->engine), name_again, &others);
	return verbs_done(w, rc ? rc : hf_engine_owners_settled(w->engine, s->name));
}

bool do_readable(struct world *w, const struct words *a)
{
	struct world_source *s = world_source(w, words_at(a, 1));
	struct hf_uuid id = message_id(verbs_user(w, words_at(a, 2)));

	if (!verbs_need_core(w) || !s)
		return false;
	hf_engine_owner_readable(
	    w->engine, s->name, &id, readable_of(words_at(a, 0)), hf_engine_now(w->engine).boot_ms);
	return true;
}

/* `missing!`, `settled!`: and it is refused. */
static bool done_or_refused(struct world *w, const struct words *a, int rc)
{
	if (!strchr(words_at(a, 0), '!'))
		return verbs_done(w, rc);
	return rc == HF_EREFUSED ? verbs_done(w, 0) : world_fail(w, "it was not refused");
}

bool do_missing(struct world *w, const struct words *a)
{
	return verbs_need_core(w) &&
	       done_or_refused(
		   w, a, hf_engine_owner_missing(w->engine, words_at(a, 1), words_at(a, 2)));
}

bool do_settled(struct world *w, const struct words *a)
{
	return verbs_need_core(w) &&
	       done_or_refused(w, a, hf_engine_owners_settled(w->engine, words_at(a, 1)));
}

/* --- workspaces --- */

/* "belongs main 3 bob", "belongs main 3 nobody": REST does not know or does not tell. */
bool do_belongs(struct world *w, const struct words *a)
{
	struct hf_uuid workspace = message_id((unsigned)strtoul(words_at(a, 2), NULL, 10));
	struct hf_uuid owner = { { 0 } };

	if (!verbs_need_core(w))
		return false;
	if (strcmp(words_at(a, 3), "nobody"))
		owner = message_id(verbs_user(w, words_at(a, 3)));
	return verbs_done(
	    w, hf_engine_workspace_owner(w->engine, words_at(a, 1), &workspace, &owner));
}
