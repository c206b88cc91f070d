/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * message: the text form of a stream message, and the small ids that scenarios and the model use.
 */
#include <stdbool.h>
#include <stddef.h>

#include "bridge/types/update.h"

struct message; /* opaque */

struct hf_uuid message_id(unsigned n); /* of owners and workspaces */
/* The number of such an id. */
unsigned message_number(const struct hf_uuid *id);
/* From 100000 on: another agent with the address of agent n - 100000. */
enum { MESSAGE_TWIN = 100000 };
struct hf_uuid message_agent_id(unsigned n);

/* NULL if a word is not of the form that README.md tells. End it with message_free(). */
struct message *message_parse(
    enum hf_update_kind kind, unsigned owner, int64_t connected_ms, char *const *words, size_t n);
struct hf_update *message_update(struct message *m);
void message_free(struct message *m);
