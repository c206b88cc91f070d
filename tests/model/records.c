#include "tests/model/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/types/rows.h"

enum { RECORDS = 2000 };

struct records {
	struct hf_update u;
	struct hf_update_workspace ws[RECORDS], ws_gone[RECORDS];
	struct hf_update_agent agents[RECORDS], agents_gone[RECORDS];
	struct hf_update_refused odd;
	char text[65536]; /* of the names */
	size_t n_text;
};

struct hf_uuid records_id(unsigned n)
{
	struct hf_uuid id = { { 0x10 } };

	id.b[14] = (uint8_t)(n >> 8);
	id.b[15] = (uint8_t)n;
	return id;
}

unsigned records_number(const struct hf_uuid *id)
{
	return id->b[14] * 256u + id->b[15];
}

struct hf_uuid records_agent_id(unsigned n)
{
	/* The first six bytes are not in the address. */
	struct hf_uuid id = { { 0x20, (uint8_t)(n / RECORDS_TWIN) } };

	n %= RECORDS_TWIN;
	id.b[13] = (uint8_t)(n >> 16);
	id.b[14] = (uint8_t)(n >> 8);
	id.b[15] = (uint8_t)n;
	return id;
}

static int nibble(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* "%0a" is that byte. */
static bool take_name(struct records *r, const char *from, size_t len, struct hf_bytes *ret)
{
	char *room = r->text + r->n_text;

	if (len > sizeof(r->text) - r->n_text)
		return false;
	ret->at = room;
	ret->len = 0;
	for (size_t i = 0; i < len; i++) {
		bool escaped = from[i] == '%' && i + 2 < len && nibble(from[i + 1]) >= 0 &&
			       nibble(from[i + 2]) >= 0;

		room[ret->len++] =
		    escaped ? (char)(nibble(from[i + 1]) << 4 | nibble(from[i + 2])) : from[i];
		i += escaped ? 2 : 0;
	}
	r->n_text += ret->len;
	return true;
}

/* "7=main" up to one of `ends`; returns where that lies, NULL if it has another form. */
static const char *numbered(
    struct records *r, const char *at, const char *ends, unsigned *ret_n, struct hf_bytes *ret_name)
{
	size_t len;
	char *end;

	*ret_n = (unsigned)strtoul(at, &end, 10);
	if (end == at || *end != '=')
		return NULL;
	len = strcspn(end + 1, ends);
	return take_name(r, end + 1, len, ret_name) ? end + 1 + len : NULL;
}

static bool upsert_agents(struct records *r, const struct hf_uuid *workspace, const char *at)
{
	while (*at) {
		struct hf_update_agent *a = &r->agents[r->u.n_upserted_agents];
		unsigned n;

		if (r->u.n_upserted_agents == RECORDS)
			return false;
		at = numbered(r, at + 1, ",", &n, &a->name);
		if (!at)
			return false;
		r->u.n_upserted_agents++;
		a->id = records_agent_id(n);
		a->workspace = *workspace;
	}
	return true;
}

/* "1=dev:7=main", "1=dev!3:7=main" with a status, "1:7=main": the agents alone. */
static bool upsert(struct records *r, const char *word)
{
	struct hf_update_workspace *w = &r->ws[r->u.n_upserted_workspaces];
	char *end;
	unsigned n = (unsigned)strtoul(word, &end, 10);
	struct hf_uuid id = records_id(n);
	const char *at = end;

	if (end == word || (*end != ':' && *end != '='))
		return false;
	if (*end == '=') {
		at = numbered(r, word, ":!", &n, &w->name);
		if (!at || r->u.n_upserted_workspaces == RECORDS)
			return false;
		w->id = id;
		w->status = HF_WS_UNKNOWN;
		if (*at == '!') {
			w->status = (int32_t)strtol(at + 1, &end, 10);
			at = end;
		} else {
			w->status = *at ? HF_WS_RUNNING : HF_WS_STOPPED;
		}
		r->u.n_upserted_workspaces++;
	}
	return (!*at || *at == ':') && upsert_agents(r, &id, at);
}

static bool gone(struct records *r, const char *word)
{
	bool agent = *word == ':';
	unsigned n = (unsigned)strtoul(word + agent, NULL, 10);

	if (r->u.n_deleted_agents == RECORDS || r->u.n_deleted_workspaces == RECORDS)
		return false;
	if (agent)
		r->agents_gone[r->u.n_deleted_agents++].id = records_agent_id(n);
	else
		r->ws_gone[r->u.n_deleted_workspaces++].id = records_id(n);
	return n;
}

/* "?": a record that could not be read. */
static bool unreadable(struct records *r)
{
	r->odd = (struct hf_update_refused){ .what = "agent", .reason = "its id is no id" };
	r->u.refused = &r->odd;
	r->u.n_refused = r->u.refused_total = 1;
	return true;
}

static bool record(struct records *r, const char *word)
{
	if (!strcmp(word, "?"))
		return unreadable(r);
	return *word == '-' ? gone(r, word + 1) : upsert(r, word);
}

struct records *records_parse(
    enum hf_update_kind kind, unsigned owner, const struct words *a, size_t from)
{
	struct records *r = calloc(1, sizeof(*r));
	bool ok = r;

	for (size_t i = from; ok && i < a->n; i++)
		ok = record(r, a->at[i]);
	if (!ok) {
		free(r);
		return NULL;
	}
	r->u.kind = kind;
	r->u.owner = records_id(owner);
	r->u.upserted_workspaces = r->ws;
	r->u.upserted_agents = r->agents;
	r->u.deleted_workspaces = r->ws_gone;
	r->u.deleted_agents = r->agents_gone;
	return r;
}

struct hf_update *records_update(struct records *r)
{
	return &r->u;
}

void records_free(struct records *r)
{
	free(r);
}

/* --- REST --- */

/* "1:alice:yes" or "1:alice::listed": a number, a name, "yes", "no" or nothing, whether the list of all has it. */
static bool tell_owner(struct hf_told *t, char *word)
{
	char *part[4] = { word };
	struct hf_owner_told o = { .readable = READABLE_UNKNOWN };

	for (int i = 1; i < 4 && part[i - 1]; i++) {
		part[i] = strchr(part[i - 1], ':');
		if (part[i])
			*part[i]++ = '\0';
	}
	if (!part[2])
		return false;
	o.id = records_id((unsigned)strtoul(part[0], NULL, 10));
	snprintf(o.name, sizeof(o.name), "%s", part[1]);
	o.listed = part[3];
	if (*part[2])
		o.readable = strcmp(part[2], "yes") ? READABLE_NO : READABLE_YES;
	return hf_told_add(t, &o) == 0;
}

static bool tell_owners(struct hf_told *t, const char *text)
{
	char *copy = strdup(text ? text : ""), *rest = NULL;
	bool ok = copy;

	for (char *w = strtok_r(copy, ",", &rest); ok && w; w = strtok_r(NULL, ",", &rest))
		ok = tell_owner(t, w);
	free(copy);
	return ok;
}

static size_t count_words(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == ',';
	return n;
}

/* "1,unknown,open,list": what REST said to each word of the configuration. */
static bool tell_words(struct hf_told *t, const char *text)
{
	char *copy = text ? strdup(text) : NULL, *rest = NULL;
	bool ok = copy && hf_told_set_words(t, count_words(text)) == 0;
	size_t i = 0;

	for (char *w = ok ? strtok_r(copy, ",", &rest) : NULL; w; w = strtok_r(NULL, ",", &rest)) {
		struct hf_word_told *word = &t->words[i++];

		word->is = !strcmp(w, "unknown") ? WORD_UNKNOWN : !strcmp(w, "open") ? WORD_OPEN : WORD_FOUND;
		t->n_unknown += word->is == WORD_UNKNOWN;
		t->complete = t->complete && word->is != WORD_OPEN;
		if (word->is == WORD_FOUND && strcmp(w, "list"))
			word->owner = records_id((unsigned)strtoul(w, NULL, 10));
	}
	free(copy);
	return ok;
}

static void tell_text(char *room, size_t size, const char *text)
{
	snprintf(room, size, "%s", text ? text : "");
}

/* Words are parted by "+" in a line, by a space in the message. */
static void tell_rights(struct hf_told *t, const char *text)
{
	tell_text(t->rights, sizeof(t->rights), text);
	for (char *c = t->rights; *c; c++)
		if (*c == '+')
			*c = ' ';
}

static bool tell_user(struct hf_told *t, const char *text)
{
	const char *name = text ? strchr(text, ':') : NULL;

	if (!name)
		return false;
	t->user = records_id((unsigned)strtoul(text, NULL, 10));
	tell_text(t->user_name, sizeof(t->user_name), name + 1);
	return true;
}

struct hf_told *records_told(const struct words *a)
{
	struct hf_told *t = calloc(1, sizeof(*t));

	if (t)
		t->complete = true;
	if (!t || !tell_user(t, words_option(a, "user")) ||
	    !tell_owners(t, words_option(a, "owners")) || !tell_words(t, words_option(a, "words"))) {
		hf_told_free(t);
		return NULL;
	}
	tell_text(t->deployment_id, sizeof(t->deployment_id), words_option(a, "deployment"));
	tell_text(t->suffix, sizeof(t->suffix), words_option(a, "suffix"));
	tell_rights(t, words_option(a, "rights"));
	if (!t->complete || t->n_unknown)
		hf_problem_set(&t->missing, HF_PROBLEM_NO_USER, "a word is not known");
	return t;
}
