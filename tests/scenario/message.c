#include "tests/scenario/message.h"

#include <stdlib.h>
#include <string.h>

enum { RECORDS = 2000 };

struct message {
	struct hf_update u;
	struct hf_update_workspace ws[RECORDS], ws_gone[RECORDS];
	struct hf_update_agent agents[RECORDS], agents_gone[RECORDS];
};

struct hf_uuid message_id(unsigned n)
{
	struct hf_uuid id = { { 0x10 } };

	id.b[14] = (uint8_t)(n >> 8);
	id.b[15] = (uint8_t)n;
	return id;
}

struct hf_uuid message_agent_id(unsigned n)
{
	struct hf_uuid id = { { 0x20 } };

	id.b[13] = (uint8_t)(n >> 16);
	id.b[14] = (uint8_t)(n >> 8);
	id.b[15] = (uint8_t)n;
	return id;
}

/* "7=main" up to one of `ends`; returns what follows it, NULL if it is not of that form. */
static const char *numbered(
    const char *at, const char *ends, unsigned *ret_n, struct hf_bytes *ret_name)
{
	char *end;

	*ret_n = (unsigned)strtoul(at, &end, 10);
	if (end == at || *end != '=')
		return NULL;
	ret_name->at = end + 1;
	ret_name->len = (uint32_t)strcspn(end + 1, ends);
	return end + 1 + ret_name->len;
}

static bool upsert(struct message *m, const char *word)
{
	struct hf_update_workspace *w = &m->ws[m->u.n_upserted_workspaces++];
	unsigned n;
	const char *at = numbered(word, ":", &n, &w->name);

	if (!at || m->u.n_upserted_workspaces == RECORDS)
		return false;
	w->id = message_id(n);
	w->status = 3;
	while (*at) {
		struct hf_update_agent *a = &m->agents[m->u.n_upserted_agents++];

		at = numbered(at + 1, ",", &n, &a->name);
		if (!at || m->u.n_upserted_agents == RECORDS)
			return false;
		a->id = message_agent_id(n);
		a->workspace = w->id;
	}
	return true;
}

static bool gone(struct message *m, const char *word)
{
	bool agent = *word == ':';
	unsigned n = (unsigned)strtoul(word + agent, NULL, 10);

	if (agent)
		m->agents_gone[m->u.n_deleted_agents++].id = message_agent_id(n);
	else
		m->ws_gone[m->u.n_deleted_workspaces++].id = message_id(n);
	return n && m->u.n_deleted_agents < RECORDS && m->u.n_deleted_workspaces < RECORDS;
}

struct message *message_parse(
    enum hf_update_kind kind, unsigned owner, char *const *words, size_t n)
{
	struct message *m = calloc(1, sizeof(*m));
	bool ok = m;

	for (size_t i = 0; ok && i < n; i++) {
		const char *word = words[i];

		if (kind == HF_UPDATE_SNAPSHOT)
			ok = upsert(m, word);
		else
			ok = *word == '+' ? upsert(m, word + 1) : *word == '-' && gone(m, word + 1);
	}
	if (!ok) {
		free(m);
		return NULL;
	}
	m->u.kind = kind;
	m->u.owner = message_id(owner);
	m->u.upserted_workspaces = m->ws;
	m->u.upserted_agents = m->agents;
	m->u.deleted_workspaces = m->ws_gone;
	m->u.deleted_agents = m->agents_gone;
	return m;
}

const struct hf_update *message_update(const struct message *m)
{
	return &m->u;
}

void message_free(struct message *m)
{
	free(m);
}
