/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/scenario/message.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/types/rows.h"

enum { RECORDS = 2000 };

struct message {
	struct hf_update u;
	struct hf_update_workspace ws[RECORDS], ws_gone[RECORDS];
	struct hf_update_agent agents[RECORDS], agents_gone[RECORDS];
	struct hf_update_refused odd;
	char text[65536]; /* of the names */
	size_t n_text;
};

struct hf_uuid message_id(unsigned n)
{
	struct hf_uuid id = { { 0x10 } };

	id.b[14] = (uint8_t)(n >> 8);
	id.b[15] = (uint8_t)n;
	return id;
}

unsigned message_number(const struct hf_uuid *id)
{
	return id->b[14] * 256u + id->b[15];
}

struct hf_uuid message_agent_id(unsigned n)
{
	/* The first six bytes are not in the address. */
	struct hf_uuid id = { { 0x20, (uint8_t)(n / MESSAGE_TWIN) } };

	n %= MESSAGE_TWIN;
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
static void take_name(struct hf_bytes *ret, const char *from, size_t len, char *room)
{
	ret->at = room;
	ret->len = 0;
	for (size_t i = 0; i < len; i++) {
		bool escaped = i + 2 < len && from[i] == '%' && nibble(from[i + 1]) >= 0 &&
			       nibble(from[i + 2]) >= 0;

		room[ret->len++] =
		    escaped ? (char)(nibble(from[i + 1]) << 4 | nibble(from[i + 2])) : from[i];
		i += escaped ? 2 : 0;
	}
}

/* "7=main" up to one of `ends`; returns what follows it, NULL if it is not of that form. */
static const char *numbered(
    struct message *m, const char *at, const char *ends, unsigned *ret_n, struct hf_bytes *ret_name)
{
	size_t len;
	char *end;

	*ret_n = (unsigned)strtoul(at, &end, 10);
	if (end == at || *end != '=')
		return NULL;
	len = strcspn(end + 1, ends);
	if (len > sizeof(m->text) - m->n_text)
		return NULL;
	take_name(ret_name, end + 1, len, m->text + m->n_text);
	m->n_text += ret_name->len;
	return end + 1 + len;
}

static bool upsert_agents(struct message *m, const struct hf_uuid *workspace, const char *at)
{
	while (*at) {
		struct hf_update_agent *a = &m->agents[m->u.n_upserted_agents];
		unsigned n;

		if (m->u.n_upserted_agents == RECORDS)
			return false;
		at = numbered(m, at + 1, ",", &n, &a->name);
		if (!at)
			return false;
		m->u.n_upserted_agents++;
		a->id = message_agent_id(n);
		a->workspace = *workspace;
	}
	return true;
}

/*
 * Of a workspace, after its name: "/running" without agents, "!3" as the number says, else by
 * whether there are agents.
 */
static const char *status(const char *at, int32_t *ret_status)
{
	static const char running[] = "/running";
	char *end;

	*ret_status = *at ? HF_WS_RUNNING : HF_WS_STOPPED;
	if (!strncmp(at, running, sizeof(running) - 1))
		return at + sizeof(running) - 1;
	if (*at != '!')
		return at;
	*ret_status = (int32_t)strtol(at + 1, &end, 10);
	return end;
}

/* "1=dev:7=main", or "1:7=main": the agents alone. */
static bool upsert(struct message *m, const char *word)
{
	struct hf_update_workspace *w = &m->ws[m->u.n_upserted_workspaces];
	char *end;
	unsigned n = (unsigned)strtoul(word, &end, 10);
	struct hf_uuid id = message_id(n);
	const char *at = end;

	if (end == word || (*end != ':' && *end != '='))
		return false;
	if (*end == '=') {
		at = numbered(m, word, "/:!", &n, &w->name);
		if (!at || m->u.n_upserted_workspaces == RECORDS)
			return false;
		m->u.n_upserted_workspaces++;
		w->id = id;
		at = status(at, &w->status);
	}
	return (!*at || *at == ':') && upsert_agents(m, &id, at);
}

static bool gone(struct message *m, const char *word)
{
	bool agent = *word == ':';
	unsigned n = (unsigned)strtoul(word + agent, NULL, 10);

	if (m->u.n_deleted_agents == RECORDS || m->u.n_deleted_workspaces == RECORDS)
		return false;
	if (agent)
		m->agents_gone[m->u.n_deleted_agents++].id = message_agent_id(n);
	else
		m->ws_gone[m->u.n_deleted_workspaces++].id = message_id(n);
	return n;
}

/* "?": a record that could not be read. */
static bool unreadable(struct message *m)
{
	m->odd = (struct hf_update_refused){ .what = "agent", .reason = "its id is no id" };
	m->u.refused = &m->odd;
	m->u.n_refused = m->u.refused_total = 1;
	return true;
}

/* A plus before an upsert says to people that it is one of a diff. */
static bool record(struct message *m, const char *word)
{
	if (!strcmp(word, "?"))
		return unreadable(m);
	return *word == '-' ? gone(m, word + 1) : upsert(m, word + (*word == '+'));
}

struct message *message_parse(
    enum hf_update_kind kind, unsigned owner, int64_t connected_ms, char *const *words, size_t n)
{
	struct message *m = calloc(1, sizeof(*m));
	bool ok = m;

	for (size_t i = 0; ok && i < n; i++)
		ok = record(m, words[i]);
	if (!ok) {
		free(m);
		return NULL;
	}
	m->u.kind = kind;
	m->u.owner = message_id(owner);
	m->u.connected_ms = connected_ms;
	m->u.upserted_workspaces = m->ws;
	m->u.upserted_agents = m->agents;
	m->u.deleted_workspaces = m->ws_gone;
	m->u.deleted_agents = m->agents_gone;
	return m;
}

struct hf_update *message_update(struct message *m)
{
	return &m->u;
}

void message_free(struct message *m)
{
	free(m);
}
