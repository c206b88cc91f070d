/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * rights: what REST said of the token's own rights and of an owner. A server freezes the rights of
 * a stream when its websocket is opened, while REST answers with today's: so each answer is handed
 * over with the time at which it was asked for, and each message with that of its connection.
 */

/* Whether an owner exists and may be read. */
enum hf_readable { READABLE_UNKNOWN, READABLE_NO, READABLE_YES };

/*
 * Rights as a text: each a word, in ascending order of their bytes, one space between them:
 * "org:ID" (a member of it), "org-role:ID:NAME", "role:NAME", "reads:ID" (every workspace of that
 * organisation), "scope:NAME" and "allow:TYPE:ID" (what the token is limited to). "" where the
 * server does not say, an answer failed, or there are more than fit. They are compared as sets, and
 * shown; nobody reads a meaning into them.
 */
enum { HF_RIGHTS_MAX = 4096 };
