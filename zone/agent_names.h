/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * agent_names: the names under which an agent is published, in the fixed order that decides which
 * one its PTR tells: A.W.me.S (the source's own user only), A.W.O.S, W.S (workspace of one agent).
 */
#include <stddef.h>
#include <stdint.h>

#include "zone/name.h"

/* Bits: which of an agent's names are meant. Their order is that of the values. */
enum {
	HF_NAME_ME = 1,
	HF_NAME_OWNER = 2,
	HF_NAME_SHORT = 4,
	HF_NAME_ALL = 7,
};

struct hf_agent_label {
	const char *agent;
	const char *workspace;
	const char *owner;
	const struct hf_name *suffix;
};

/* One name; `which` is one bit. Returns 0, or HF_ENAME: a bad label, or longer than 255 octets. */
int hf_agent_name(const struct hf_agent_label *label, unsigned which, struct hf_name *ret_name);

/*
 * Labels that upstream may not use at that place: "me" as an owner, anything that begins
 * "_holdfast". Returns 0, or HF_ENAME and a static text in ret_why (may be NULL).
 */
int hf_agent_label_check(const char *text, size_t len, const char **ret_why);
int hf_agent_owner_check(const char *text, size_t len, const char **ret_why);
