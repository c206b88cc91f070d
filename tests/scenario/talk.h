/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * talk: a scenario whose lines come from another program, which sees what came of each.
 *
 * Each line is answered with "ok" or "no: WHY". The line "?" is answered with everything that is to
 * be seen, and "." at its end:
 *
 *     n NAME ADDRESS FLAGS SOURCE FIRST-SEEN    a published name (zone/record.h has the flags)
 *     c NAME                                    a name that changed since the last "?"
 *     s SOURCE AWAY-MS WITHDRAWN                a source
 *     h SOURCE OWNER KIND WORKSPACES REJECTED FRESH-MS    a hold; owner 0: of the source
 *     r N                                       as many records are refused
 */
#include "tests/scenario/world.h"

void talk_all(struct world *w); /* until the end of standard input */
