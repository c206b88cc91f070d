/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form of dnsmasq's dhcp-script (dnsmasq(8), --dhcp-script): add|old|del, an id, an address and
 * a name as arguments, more in the environment.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "adapters/hook/hook_private.h"

unsigned hf_hook_calls(const struct hf_change *c)
{
	return c->op == HF_CHANGE_PUT && c->had && memcmp(c->was, c->record.addr, 16) ? 2 : 1;
}

static const char *script_verb(const struct hf_change *c, unsigned i)
{
	if (c->op == HF_CHANGE_TAKE || (hf_hook_calls(c) == 2 && i == 0))
		return "del";
	return c->had && hf_hook_calls(c) == 1 ? "old" : "add";
}

static bool env_is_plain(const char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			return false;
	return true;
}

/* A variable; one that is not known, too long, or has bytes that could end a line is left out. */
static void env_set(struct hf_hook_call *call, size_t *n, const char *name, const char *value)
{
	char *at = call->text[*n];

	if (!value || !env_is_plain(value) || *n == HF_HOOK_ENV_MAX ||
	    snprintf(at, HF_HOOK_ENV_LEN, "HOLDFAST_%s=%s", name, value) >= HF_HOOK_ENV_LEN)
		return;
	call->env[(*n)++] = at;
}

/* The suffix that the name is under. */
static const struct hf_name *suffix_of(const struct hf_adapter *a, const struct hf_name *name)
{
	for (size_t i = 0; i < a->n_suffixes; i++)
		if (hf_name_is_under(name, &a->suffixes[i]))
			return &a->suffixes[i];
	return NULL;
}

static void set_environment(struct hf_hook_call *call, const struct hf_adapter *a,
    const struct hf_batch *batch, const struct hf_change *c)
{
	const struct hf_name *suffix = suffix_of(a, &c->record.name);
	char number[32], text[HF_NAME_TEXT_MAX];
	size_t n = 0;

	env_set(call, &n, "ADAPTER", a->config->name);
	env_set(call, &n, "SOURCE", c->subject.source);
	env_set(call, &n, "OWNER", c->subject.owner);
	env_set(call, &n, "WORKSPACE", c->subject.workspace);
	env_set(call, &n, "AGENT", c->subject.agent);
	env_set(call, &n, "AGENT_ID", c->subject.agent_id);
	env_set(call, &n, "HELD", c->subject.held ? "1" : "0");
	env_set(call, &n, "PRIMARY", c->record.primary ? "1" : "0");
	env_set(call, &n, "SUFFIX", suffix ? hf_name_text(suffix, text) : NULL);
	snprintf(number, sizeof(number), "%u", a->ttl_s);
	env_set(call, &n, "TTL", number);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)batch->generation);
	env_set(call, &n, "GENERATION", number);
	call->env[n] = NULL;
}

void hf_hook_call_make(const struct hf_adapter *a, const struct hf_batch *batch,
    const struct hf_change *c, unsigned i, struct hf_hook_call *ret_call)
{
	const struct hf_strings *command = &a->config->hook.command;
	bool was = hf_hook_calls(c) == 2 && i == 0;
	size_t n = 0;

	while (n < command->n && n < HF_HOOK_ARGS_MAX) {
		ret_call->argv[n] = command->at[n];
		n++;
	}
	ret_call->argv[n++] = script_verb(c, i);
	/* dnsmasq has a hardware address here, and scripts count on a word. */
	ret_call->argv[n++] =
	    c->subject.agent_id && *c->subject.agent_id ? c->subject.agent_id : "unknown";
	ret_call->argv[n++] = hf_addr_text(was ? c->was : c->record.addr, ret_call->addr);
	ret_call->argv[n++] = hf_name_text(&c->record.name, ret_call->name);
	ret_call->argv[n] = NULL;
	set_environment(ret_call, a, batch, c);
}
