/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * control: the control socket, which holdfastctl asks. One request a connection, a line of JSON;
 * the answer is lines of JSON: {"row": ...} any number of times, and at the end {"end": true} or
 * {"error": "..."}. The rights of the peer decide (bridge/control/control_socket.h). Nothing that a
 * client does holds the loop: a long listing is written by a process of its own.
 */
#include "bridge/control/control_answer.h"

struct event_base;
struct hf_control; /* opaque */

/*
 * Listens. `env` is copied, what it points to is borrowed. Where the socket cannot be made that is
 * logged and *ret_control is there all the same, without ears: names matter more. -EADDRINUSE:
 * another bridge lives there. -ENOMEM.
 */
int hf_control_new(
    struct event_base *base, const struct hf_control_env *env, struct hf_control **ret_control);
/* The configuration has changed; the old one may go. The socket stays where it is. */
void hf_control_configure(struct hf_control *c, const struct hf_config *config);
/*
 * The engine may have time again: orders that came while it was busy (hf_engine_busy()) are done
 * now,
 * in the order in which they came. One that waits for longer than a client's time is refused. Where
 * the socket could not be made it is tried again. Cheap.
 */
void hf_control_poke(struct hf_control *c);
/* Takes the socket file away. NULL is fine. */
void hf_control_free(struct hf_control *c);
