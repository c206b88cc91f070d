/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/inquiry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "bridge/stream/wire/printable.h"
#include "bridge/stream/client/dial.h"

enum { PAGE = 100, CHECKS = 200 };

enum ask_at {
	ASK_BUILDINFO,
	ASK_ME,
	ASK_ROLES,
	ASK_SUFFIX,
	ASK_KEY,
	ASK_OWNER,
	ASK_ALL,
	ASK_READABLE,
};

struct hf_inquiry {
	struct hf_inquiry_config config;
	struct hf_addresses addresses; /* after the first answer only the one it came by */
	size_t which;
	bool answered;
	struct hf_dial *race; /* owned */
	enum ask_at at;
	size_t i; /* of the owners that were asked for; of the users; of the owners found */
	char path[512];
	bool checked; /* a question whether owners may be read was asked */
	struct hf_rights_list rights;
	char *body;                  /* owned */
	struct hf_server_info *told; /* owned */
	hf_inquiry_cb cb;
	void *arg;
};

static void on_inquiry_answer(
    void *arg, struct hf_http_handle *h, size_t which, const struct hf_problem *problem);
static int inquiry_step(struct hf_inquiry *a);

/* The end. */
static void inquiry_tell(struct hf_inquiry *a, const struct hf_problem *problem)
{
	hf_inquiry_cb cb = a->cb;
	void *arg = a->arg;
	size_t which = a->which;
	struct hf_server_info *told = problem ? NULL : a->told;

	if (!problem)
		a->told = NULL;
	hf_inquiry_free(a);
	cb(arg, told, which, problem);
}

static void tell_code(struct hf_inquiry *a, enum hf_problem_code code)
{
	struct hf_problem p;

	hf_problem_set(&p, code, NULL);
	inquiry_tell(a, &p);
}

/* Of owners, in one question. */
static size_t n_checks(const struct hf_inquiry *a)
{
	size_t left = a->told->n_owners - a->i;

	return left < CHECKS ? left : CHECKS;
}

/* Sends one question. 0 or a code. */
static int send_question(struct hf_inquiry *a)
{
	bool last = a->at == ASK_READABLE && a->i + n_checks(a) == a->told->n_owners;
	const struct hf_dial_config race = { .http = a->config.http,
		.clock = a->config.clock,
		.target = a->config.target,
		.addresses = &a->addresses,
		.path = a->path,
		.body = a->body,
		.fresh = a->at == ASK_BUILDINFO,
		.last = last };

	return hf_dial_new(&race, on_inquiry_answer, a, &a->race);
}

/* "ID" of a token "ID-SECRET"; false where it has no such form. */
static bool token_id(const struct hf_inquiry *a, char *out, size_t size)
{
	const char *token = a->config.target->token;
	size_t n = strcspn(token, "-");

	if (!token[n] || !n || n >= size ||
	    strspn(token, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") < n)
		return false;
	memcpy(out, token, n);
	out[n] = '\0';
	return true;
}

static const char *owner_asked(const struct hf_inquiry *a)
{
	const struct hf_texts *owners = &a->config.target->settings->owners;

	return a->i < owners->n ? owners->at[a->i] : NULL;
}

/* What became of the word that is asked for. */
static void note_word(struct hf_inquiry *a, enum hf_word_is is, const struct hf_uuid *owner)
{
	struct hf_word_info *word = &a->told->words[a->i];

	word->is = is;
	if (owner)
		word->owner = *owner;
	a->told->n_unknown += is == WORD_UNKNOWN;
	if (is == WORD_OPEN)
		a->told->complete = false;
}

/* Adds the token's own user. */
static int inquiry_add_me(struct hf_inquiry *a)
{
	struct hf_owner_info me = { .id = a->told->user };

	snprintf(me.name, sizeof(me.name), "%s", a->told->user_name);
	note_word(a, WORD_FOUND, &me.id);
	return hf_server_info_add(a->told, &me);
}

static int add_known(struct hf_inquiry *a)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < a->config.n_all; i++)
		rc = hf_server_info_add(a->told, &a->config.all[i]);
	note_word(a, WORD_FOUND, NULL);
	return rc;
}

static int ask_owner(struct hf_inquiry *a)
{
	const char *name = owner_asked(a);
	char *escaped;

	if (!name) {
		a->at = ASK_READABLE;
		a->i = 0;
		return inquiry_step(a);
	}
	if (!strcmp(name, "me") || (!strcmp(name, "all") && a->config.all)) {
		int rc = *name == 'm' ? inquiry_add_me(a) : add_known(a);

		a->i++;
		return rc ? rc : ask_owner(a);
	}
	if (!strcmp(name, "all")) {
		a->at = ASK_ALL;
		a->i = 0;
		return inquiry_step(a);
	}
	escaped = curl_easy_escape(NULL, name, 0);
	if (!escaped)
		return -ENOMEM;
	snprintf(a->path, sizeof(a->path), "/api/v2/users/%s", escaped);
	curl_free(escaped);
	return send_question(a);
}

static int ask_readable(struct hf_inquiry *a)
{
	if (!n_checks(a) && a->checked) {
		hf_rights_list_text(&a->rights, a->told->rights);
		inquiry_tell(a, NULL);
		return 0;
	}
	/* The organisations are asked for once, even where there is no owner. */
	snprintf(a->path, sizeof(a->path), "/api/v2/authcheck");
	a->body =
	    hf_server_info_ask_readable(a->told, a->i, n_checks(a), a->checked ? NULL : &a->rights);
	return a->body ? send_question(a) : -ENOMEM;
}

/* Asks what is next; may be the end of the ask. */
static int inquiry_step(struct hf_inquiry *a)
{
	char id[64];

	switch (a->at) {
	case ASK_BUILDINFO:
		snprintf(a->path, sizeof(a->path), "/api/v2/buildinfo");
		return send_question(a);
	case ASK_ME:
		snprintf(a->path, sizeof(a->path), "/api/v2/users/me");
		return send_question(a);
	case ASK_ROLES:
		snprintf(a->path, sizeof(a->path), "/api/v2/users/me/roles");
		return send_question(a);
	case ASK_SUFFIX:
		if (a->config.target->settings->ask_suffix) {
			snprintf(a->path, sizeof(a->path), "/api/v2/workspaceagents/connection");
			return send_question(a);
		}
		a->at = ASK_KEY;
		/* fall through */
	case ASK_KEY:
		if (token_id(a, id, sizeof(id))) {
			snprintf(a->path, sizeof(a->path), "/api/v2/users/me/keys/%s", id);
			return send_question(a);
		}
		a->at = ASK_OWNER;
		a->i = 0;
		/* fall through */
	case ASK_OWNER:
		return ask_owner(a);
	case ASK_ALL:
		snprintf(a->path, sizeof(a->path), "/api/v2/users?limit=%d&offset=%zu", PAGE, a->i);
		return send_question(a);
	case ASK_READABLE:
		return ask_readable(a);
	}
	return 0;
}

/* --- answers --- */

static void note_missing(
    struct hf_inquiry *a, const char *name, const struct hf_http_answer *answer)
{
	char shown[80];

	hf_printable_copy(shown, sizeof(shown), name, strlen(name));
	hf_problem_set(&a->told->missing, HF_PROBLEM_NO_USER,
	    "there is no user '%s', or this token may not read that user (status %ld)", shown,
	    answer->status);
}

/* Coder's own word, and not that of a proxy before it. A name that can be none may get 400. */
static bool inquiry_is_unknown(const struct hf_http_answer *answer)
{
	return (answer->status == 404 || answer->status == 400) &&
	       hf_server_info_is_message(answer->body, answer->body_len);
}

/*
 * An error of REST is no word on an owner: `problem` says what it is. NONE where the inquiry goes
 * on without that owner.
 */
static enum hf_problem_code give_up_owner(
    struct hf_inquiry *a, const struct hf_http_answer *answer, const struct hf_problem *problem)
{
	if (answer->status == 403)
		note_missing(a, owner_asked(a), answer);
	else if (!a->config.partial)
		return problem->code;
	else
		a->told->missing = *problem;
	note_word(a, WORD_OPEN, NULL);
	return HF_PROBLEM_NONE;
}

static enum hf_problem_code inquiry_take_owner(
    struct hf_inquiry *a, const struct hf_http_answer *answer, const struct hf_problem *problem)
{
	enum hf_problem_code code = HF_PROBLEM_NONE;
	struct hf_owner_info owner;

	if (answer->status == 200 &&
	    hf_server_info_user(&owner, answer->body, answer->body_len) == 0) {
		note_word(a, WORD_FOUND, &owner.id);
		if (hf_server_info_add(a->told, &owner))
			a->told->complete = false;
	} else if (inquiry_is_unknown(answer)) {
		note_missing(a, owner_asked(a), answer);
		note_word(a, WORD_UNKNOWN, NULL);
	} else {
		code = give_up_owner(a, answer, problem);
	}
	a->i++;
	return code;
}

/* The position in the list of owners of "all". */
static void to_all(struct hf_inquiry *a)
{
	const struct hf_texts *owners = &a->config.target->settings->owners;

	a->at = ASK_OWNER;
	for (a->i = 0; a->i < owners->n && strcmp(owners->at[a->i], "all"); a->i++)
		;
}

static enum hf_problem_code take_page(
    struct hf_inquiry *a, const struct hf_http_answer *answer, const struct hf_problem *problem)
{
	enum hf_problem_code code = HF_PROBLEM_NONE;
	size_t n = 0, count = 0;
	bool good = answer->status == 200 &&
		    hf_server_info_users(a->told, answer->body, answer->body_len, &n, &count) == 0;

	a->i += n;
	if (good && n && a->i < count)
		return HF_PROBLEM_NONE;
	/* A list that ends before its own count is not whole. */
	good = good && a->i >= count;
	to_all(a);
	if (good)
		note_word(a, WORD_FOUND, NULL);
	else
		code = give_up_owner(a, answer, problem);
	a->i++;
	return code;
}

static void take_readable(struct hf_inquiry *a, const struct hf_http_answer *answer)
{
	size_t n = n_checks(a);

	if (answer->status == 200)
		hf_server_info_readable(a->told, a->i, n, answer->body, answer->body_len);
	if (!a->checked && answer->status == 200)
		hf_rights_list_of_check(&a->rights, answer->body, answer->body_len);
	else if (answer->status != 200)
		a->rights.unknown = true;
	a->checked = true;
	a->i += n;
	free(a->body);
	a->body = NULL;
}

static enum hf_problem_code take_me(struct hf_inquiry *a, const struct hf_http_answer *answer)
{
	struct hf_owner_info me;

	if (hf_server_info_user(&me, answer->body, answer->body_len))
		return HF_PROBLEM_NOT_CODER;
	a->told->user = me.id;
	memcpy(a->told->user_name, me.name, sizeof(me.name));
	hf_rights_list_of_user(&a->rights, answer->body, answer->body_len);
	return HF_PROBLEM_NONE;
}

/*
 * Part of the token's rights. A server that has no such question, or that forbids it to this token,
 * does so each time: that is no word. Any other answer makes the rights unknown.
 */
static void take_rights(struct hf_inquiry *a, const struct hf_http_answer *answer,
    void (*read)(struct hf_rights_list *r, const char *body, size_t len))
{
	bool none = (answer->status == 404 || answer->status == 403) &&
		    hf_server_info_is_message(answer->body, answer->body_len);

	if (answer->status == 200)
		read(&a->rights, answer->body, answer->body_len);
	else if (!none)
		a->rights.unknown = true;
}

static enum hf_problem_code take_buildinfo(
    struct hf_inquiry *a, const struct hf_http_answer *answer)
{
	if (hf_server_info_buildinfo(a->told, answer->body, answer->body_len))
		return HF_PROBLEM_NOT_CODER;
	return hf_server_info_is_old(a->told->version) ? HF_PROBLEM_OLD : HF_PROBLEM_NONE;
}

/* Takes one answer and moves on. NONE, or what is wrong with it. */
static enum hf_problem_code inquiry_take(
    struct hf_inquiry *a, const struct hf_http_answer *answer, const struct hf_problem *problem)
{
	enum hf_problem_code code = HF_PROBLEM_NONE;
	bool good = answer->status == 200;

	switch (a->at) {
	case ASK_BUILDINFO:
		code = take_buildinfo(a, answer);
		a->at = ASK_ME;
		break;
	case ASK_ME:
		code = take_me(a, answer);
		a->at = ASK_ROLES;
		break;
	case ASK_ROLES:
		take_rights(a, answer, hf_rights_list_of_roles);
		a->at = ASK_SUFFIX;
		break;
	case ASK_SUFFIX:
		if (good)
			hf_server_info_suffix(a->told, answer->body, answer->body_len);
		a->at = ASK_KEY;
		break;
	case ASK_KEY:
		if (good)
			hf_server_info_expiry(a->told, answer->body, answer->body_len);
		take_rights(a, answer, hf_rights_list_of_key);
		a->at = ASK_OWNER;
		a->i = 0;
		break;
	case ASK_OWNER:
		code = inquiry_take_owner(a, answer, problem);
		break;
	case ASK_ALL:
		code = take_page(a, answer, problem);
		break;
	case ASK_READABLE:
		take_readable(a, answer);
		break;
	}
	return code;
}

/* Is this an answer that ends the asking, whatever was asked? */
static bool is_final(const struct hf_inquiry *a, long status)
{
	if (status == 401 || status == 429 || status == 407)
		return true;
	return status != 200 && a->at <= ASK_ME;
}

static void on_inquiry_answer(
    void *arg, struct hf_http_handle *h, size_t which, const struct hf_problem *problem)
{
	struct hf_inquiry *a = arg;
	struct hf_http_answer answer = { .status = 0 };
	enum hf_problem_code code;
	struct hf_problem p;
	char what[64];
	const char *type = NULL;

	a->race = NULL;
	if (!h) {
		inquiry_tell(a, problem);
		return;
	}
	if (!a->answered && a->addresses.n) {
		a->which = which;
		hf_addresses_prefer(&a->addresses, which);
		a->addresses.n = 1;
	}
	a->answered = true;
	curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &answer.status);
	curl_easy_getinfo(h->easy, CURLINFO_CONTENT_TYPE, &type);
	answer.content_type = type;
	answer.location = h->location[0] ? h->location : NULL;
	answer.retry_after = h->retry_after[0] ? h->retry_after : NULL;
	answer.body = h->body;
	answer.body_len = h->body_len;
	snprintf(what, sizeof(what), "%s %.40s", a->body ? "POST" : "GET", a->path);
	hf_problem_of_answer(&p, what, &answer, hf_wall_ms(a->config.clock) / 1000);
	if (is_final(a, answer.status)) {
		hf_http_handle_free(h);
		inquiry_tell(a, &p);
		return;
	}
	code = inquiry_take(a, &answer, &p);
	hf_http_handle_free(h);
	if (code == HF_PROBLEM_OLD) {
		hf_problem_set(&p, code,
		    "the server is too old: it is %s, and Coder v2.18 or newer is needed",
		    a->told->version);
		inquiry_tell(a, &p);
	} else if (code) {
		inquiry_tell(a, &p);
	} else if (inquiry_step(a)) {
		tell_code(a, HF_PROBLEM_MEMORY);
	}
}

int hf_inquiry_new(const struct hf_inquiry_config *config, hf_inquiry_cb cb, void *arg,
    struct hf_inquiry **ret_ask)
{
	struct hf_inquiry *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->config = *config;
	a->addresses = *config->addresses;
	a->cb = cb;
	a->arg = arg;
	a->told = calloc(1, sizeof(*a->told));
	if (!a->told || hf_server_info_set_words(a->told, config->target->settings->owners.n)) {
		hf_inquiry_free(a);
		return -ENOMEM;
	}
	a->told->complete = true;
	a->told->asked_ms = hf_boot_ms(config->clock);
	if (inquiry_step(a)) {
		hf_inquiry_free(a);
		return -ENOMEM;
	}
	*ret_ask = a;
	return 0;
}

void hf_inquiry_free(struct hf_inquiry *a)
{
	if (!a)
		return;
	hf_dial_free(a->race);
	hf_server_info_free(a->told);
	free(a->body);
	free(a);
}
