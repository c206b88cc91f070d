/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* session_upgrade: the stack of a new connection, with the request of the upgrade in its output. */
#include "bridge/stream/client/http.h"
#include "bridge/stream/wire/stack.h"

/* Returns what hf_stack_new() returns; `limits` outlives the stack, `target` is read here alone. */
int hf_session_upgrade(const struct hf_target *target, const struct hf_stream_limits *limits,
    struct hf_stack **ret_stack);
