/* SPDX-License-Identifier: Apache-2.0 */
#include "examples/simulator/sim_records.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "bridge/stream/wire/tailnet.pb-c.h"

/* Fields of WorkspaceUpdate. */
enum field { UPSERTED_WORKSPACE = 1, UPSERTED_AGENT, DELETED_WORKSPACE, DELETED_AGENT };
enum { NAME_MAX_BYTES = 65536 };

/* Where words go: nothing but checked where `world` is NULL; not told where `message` is. */
struct record_sink {
	struct sim_world *world;
	struct sim_user *user;
	struct sim_message *message;
};

int hf_sim_message_init(struct sim_message *m)
{
	*m = (struct sim_message){ .bytes = evbuffer_new() };
	return m->bytes ? 0 : -ENOMEM;
}

void hf_sim_message_done(struct sim_message *m)
{
	if (m->bytes)
		evbuffer_free(m->bytes);
	free(m->parts);
	*m = (struct sim_message){ 0 };
}

static int add_part(struct sim_message *m, size_t len, unsigned org)
{
	size_t room = m->room ? 2 * m->room : 64;
	struct sim_part *more = m->parts;

	if (m->n_parts == m->room) {
		more = realloc(m->parts, room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		m->parts = more;
		m->room = room;
	}
	m->parts[m->n_parts++] = (struct sim_part){ .len = len, .org = org };
	return 0;
}

int hf_sim_message_seen(const struct sim_message *m, const struct sim_rights *rights,
    const uint8_t owner[SIM_ID], struct evbuffer *out)
{
	size_t len = evbuffer_get_length(m->bytes);
	const uint8_t *at = evbuffer_pullup(m->bytes, -1);
	int rc = len && !at ? -ENOMEM : 0;

	for (size_t i = 0; !rc && i < m->n_parts; at += m->parts[i++].len) {
		if (hf_sim_rights_read(rights, owner, m->parts[i].org))
			rc = evbuffer_add(out, at, m->parts[i].len) ? -ENOMEM : 0;
	}
	return rc;
}

static int add_field(
    struct sim_message *to, enum field field, const void *body, size_t len, unsigned org)
{
	struct evbuffer *message = to->bytes;
	uint8_t head[11] = { (uint8_t)(field << 3 | 2) };
	size_t n = 1;

	for (size_t rest = len; n == 1 || rest; rest >>= 7)
		head[n++] = (uint8_t)((rest & 0x7f) | (rest >> 7 ? 0x80 : 0));
	if (evbuffer_add(message, head, n) || evbuffer_add(message, body, len))
		return -ENOMEM;
	return add_part(to, n + len, org);
}

static int add_record(
    struct sim_message *message, enum field field, const ProtobufCMessage *record, unsigned org)
{
	uint8_t small[512], *body = small;
	size_t len = protobuf_c_message_get_packed_size(record);
	int rc;

	if (len > sizeof(small))
		body = malloc(len);
	if (!body)
		return -ENOMEM;
	protobuf_c_message_pack(record, body);
	rc = add_field(message, field, body, len, org);
	if (body != small)
		free(body);
	return rc;
}

static int tell_workspace(
    const struct sim_world *w, uint32_t number, enum field field, struct sim_message *message)
{
	const struct sim_workspace *ws = hf_sim_world_workspace(w, number);
	Tailnet__Workspace record = TAILNET__WORKSPACE__INIT;
	uint8_t id[SIM_ID];

	hf_sim_world_id(number, id);
	record.id = (ProtobufCBinaryData){ .data = id, .len = SIM_ID };
	if (ws)
		record.name = (ProtobufCBinaryData){ .data = ws->name.at, .len = ws->name.len };
	record.status = ws ? ws->status : SIM_RUNNING;
	return add_record(message, field, &record.base, ws ? ws->org : 0);
}

static int tell_agent(
    const struct sim_world *w, uint32_t number, enum field field, struct sim_message *message)
{
	const struct sim_agent *a = hf_sim_world_agent(w, number);
	Tailnet__Agent record = TAILNET__AGENT__INIT;
	uint8_t id[SIM_ID], workspace[SIM_ID];

	hf_sim_world_agent_id(number, id);
	record.id = (ProtobufCBinaryData){ .data = id, .len = SIM_ID };
	if (a) {
		hf_sim_world_id(a->workspace, workspace);
		record.name = (ProtobufCBinaryData){ .data = a->name.at, .len = a->name.len };
		record.workspace_id = (ProtobufCBinaryData){ .data = workspace, .len = SIM_ID };
	}
	return add_record(message, field, &record.base, a ? w->workspaces[a->workspace].org : 0);
}

static int put_workspace(const struct record_sink *to, uint32_t number, const struct sim_text *name)
{
	int rc = to->world ? hf_sim_world_workspace_set(to->world, number, to->user, name) : 0;

	if (!rc && to->message)
		rc = tell_workspace(to->world, number, UPSERTED_WORKSPACE, to->message);
	return rc;
}

static int put_agent(
    const struct record_sink *to, uint32_t workspace, uint32_t number, const struct sim_text *name)
{
	int rc = to->world ? hf_sim_world_agent_set(to->world, number, workspace, name) : 0;

	if (!rc && to->message)
		rc = tell_agent(to->world, number, UPSERTED_AGENT, to->message);
	return rc;
}

static int drop_agent(const struct record_sink *to, uint32_t number)
{
	int rc = to->message ? tell_agent(to->world, number, DELETED_AGENT, to->message) : 0;

	if (!rc && to->world && hf_sim_world_agent(to->world, number))
		hf_sim_world_agent_del(to->world, number);
	return rc;
}

/* The server tells of its agents, too. Another user's is told of, but stays. */
static int drop_workspace(const struct record_sink *to, uint32_t number)
{
	const struct sim_workspace *ws =
	    to->world ? hf_sim_world_workspace(to->world, number) : NULL;
	int rc =
	    to->message ? tell_workspace(to->world, number, DELETED_WORKSPACE, to->message) : 0;

	if (!ws || ws->owner != to->user)
		return rc;
	while (!rc && ws->first_agent)
		rc = drop_agent(to, ws->first_agent);
	if (!rc)
		hf_sim_world_workspace_del(to->world, number);
	return rc;
}

/* Up to one of `ends`; %41 is A, so that a name can hold anything. NULL where it is too long. */
static const char *records_take_name(
    const char *at, const char *ends, uint8_t *room, struct sim_text *ret_name)
{
	ret_name->at = room;
	ret_name->len = 0;
	while (*at && !strchr(ends, *at)) {
		if (ret_name->len == NAME_MAX_BYTES)
			return NULL;
		if (*at == '%' && hf_hex_value(at[1]) >= 0 && hf_hex_value(at[2]) >= 0) {
			room[ret_name->len++] =
			    (uint8_t)(hf_hex_value(at[1]) << 4 | hf_hex_value(at[2]));
			at += 3;
		} else {
			room[ret_name->len++] = (uint8_t)*at++;
		}
	}
	return at;
}

static const char *records_take_number(const char *at, uint32_t *ret_number)
{
	char *end;
	unsigned long n;

	if (*at < '0' || *at > '9')
		return NULL;
	n = strtoul(at, &end, 10);
	if (!n || n > SIM_NUMBER_MAX)
		return NULL;
	*ret_number = (uint32_t)n;
	return end;
}

/* "7=main,8=gpu" */
static int put_agents(
    const struct record_sink *to, uint32_t workspace, const char *at, uint8_t *room)
{
	struct sim_text name;
	uint32_t number;
	int rc = 0;

	while (!rc && *at++) {
		at = records_take_number(at, &number);
		if (!at || *at != '=')
			return -EINVAL;
		at = records_take_name(at + 1, ",", room, &name);
		if (!at)
			return -EINVAL;
		rc = put_agent(to, workspace, number, &name);
	}
	return rc;
}

/* "1..500=dev:main": dev1 to dev500, each with an agent of its number. */
static int put_many(const struct record_sink *to, uint32_t from, const char *at, uint8_t *room)
{
	struct sim_text prefix, agent = { 0 };
	uint32_t last;
	int rc = 0;

	at = records_take_number(at, &last);
	if (!at || *at != '=' || last < from)
		return -EINVAL;
	at = records_take_name(at + 1, ":", room, &prefix);
	if (!at || prefix.len > NAME_MAX_BYTES - 12)
		return -EINVAL;
	if (*at == ':' && !records_take_name(at + 1, "", room + NAME_MAX_BYTES, &agent))
		return -EINVAL;
	for (uint32_t n = from; !rc && to->world && n <= last; n++) {
		char digits[12];
		int len = snprintf(digits, sizeof(digits), "%u", n);
		struct sim_text name = { .at = room, .len = prefix.len + (uint32_t)len };

		memcpy(room + prefix.len, digits, (size_t)len);
		rc = put_workspace(to, n, &name);
		if (!rc && *at)
			rc = put_agent(to, n, n, &agent);
	}
	return rc;
}

/* "1=dev:7=main,8=gpu" */
static int put_word(const struct record_sink *to, const char *word)
{
	static uint8_t room[2 * NAME_MAX_BYTES + 16]; /* one thread; the names are copied from it */
	struct sim_text name;
	uint32_t number;
	const char *at = records_take_number(word, &number);
	int rc;

	if (at && at[0] == '.' && at[1] == '.')
		return put_many(to, number, at + 2, room);
	if (!at || *at != '=')
		return -EINVAL;
	at = records_take_name(at + 1, ":", room, &name);
	if (!at)
		return -EINVAL;
	rc = put_workspace(to, number, &name);
	return rc ? rc : put_agents(to, number, at, room);
}

/* "2", ":8" or "1..500" */
static int drop_word(const struct record_sink *to, const char *word)
{
	bool agent = *word == ':';
	uint32_t number = 0, last;
	const char *at = records_take_number(word + agent, &number);
	int rc = 0;

	last = number;
	if (at && !agent && at[0] == '.' && at[1] == '.')
		at = records_take_number(at + 2, &last);
	if (!at || *at)
		return -EINVAL;
	for (; !rc && to->world && number <= last; number++)
		rc = agent ? drop_agent(to, number) : drop_workspace(to, number);
	return rc;
}

static int change_word(const struct record_sink *to, const char *word)
{
	if (*word == '+')
		return put_word(to, word + 1);
	return *word == '-' ? drop_word(to, word + 1) : -EINVAL;
}

static int each_word(const struct record_sink *to,
    int (*take)(const struct record_sink *, const char *), char *const *words, size_t n_words)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < n_words; i++)
		rc = take(to, words[i]);
	return rc;
}

int hf_sim_records_snapshot(
    struct sim_world *w, struct sim_user *user, char *const *words, size_t n_words)
{
	const struct record_sink nowhere = { 0 }, to = { .world = w, .user = user };

	if (each_word(&nowhere, put_word, words, n_words))
		return -EINVAL;
	hf_sim_world_clear(w, user);
	return each_word(&to, put_word, words, n_words);
}

int hf_sim_records_diff(struct sim_world *w, struct sim_user *user, char *const *words,
    size_t n_words, struct sim_message *message)
{
	const struct record_sink nowhere = { 0 },
				 to = { .world = w, .user = user, .message = message };

	if (each_word(&nowhere, change_word, words, n_words))
		return -EINVAL;
	return each_word(&to, change_word, words, n_words);
}

int hf_sim_records_workspace(
    const struct sim_world *w, uint32_t number, bool gone, struct sim_message *message)
{
	const struct sim_workspace *ws = hf_sim_world_workspace(w, number);
	int rc = tell_workspace(w, number, gone ? DELETED_WORKSPACE : UPSERTED_WORKSPACE, message);

	for (uint32_t n = ws->first_agent; !rc && n; n = w->agents[n].next)
		rc = tell_agent(w, n, gone ? DELETED_AGENT : UPSERTED_AGENT, message);
	return rc;
}

/* In the streams of that user, as far as these rights go. */
static bool is_seen(const struct sim_world *w, uint32_t number, const struct sim_user *user,
    const struct sim_rights *rights)
{
	const struct sim_workspace *ws = &w->workspaces[number];

	if (!ws->owner || (ws->owner != user && !hf_sim_world_shared(w, number, user)))
		return false;
	return hf_sim_rights_read(rights, ws->owner->id, ws->org);
}

int hf_sim_records_all(const struct sim_world *w, const struct sim_user *user,
    const struct sim_rights *rights, struct evbuffer *message)
{
	struct sim_message all;
	int rc = hf_sim_message_init(&all);

	for (uint32_t n = 0; !rc && n < w->n_workspaces; n++) {
		if (is_seen(w, n, user, rights))
			rc = tell_workspace(w, n, UPSERTED_WORKSPACE, &all);
	}
	for (uint32_t n = 0; !rc && n < w->n_agents; n++) {
		const struct sim_agent *a = hf_sim_world_agent(w, n);

		if (a && is_seen(w, a->workspace, user, rights))
			rc = tell_agent(w, n, UPSERTED_AGENT, &all);
	}
	if (!rc)
		rc = evbuffer_add_buffer(message, all.bytes) ? -ENOMEM : 0;
	hf_sim_message_done(&all);
	return rc;
}

int hf_sim_records_request(const uint8_t *request, size_t len, uint8_t ret_id[SIM_ID])
{
	Tailnet__WorkspaceUpdatesRequest *r =
	    tailnet__workspace_updates_request__unpack(NULL, len, request);
	int rc = -EINVAL;

	if (r && r->workspace_owner_id.len == SIM_ID) {
		memcpy(ret_id, r->workspace_owner_id.data, SIM_ID);
		rc = 0;
	}
	tailnet__workspace_updates_request__free_unpacked(r, NULL);
	return rc;
}
