/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ub_known: what unbound had as local data when a fill began, out of its own listing, so that a
 * fill asks no question for each name. Only a small listing is read (unbound answers nobody
 * meanwhile); what the fill itself has put since is not in it, and has to be asked for.
 *
 * Asking would be the other way, but a name that is missing in a transparent zone is an error to
 * unbound (REFUSED), and from 1.25 on it answers at most 100 errors a second, and the others not at
 * all.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/name.h"

struct hf_ub_known; /* opaque */
struct hf_asked;    /* adapters/dns_client.h */

/* Of the text of list_local_data. 0 or -ENOMEM. */
int hf_ub_known_new(const char *listing, struct hf_ub_known **ret_known);
void hf_ub_known_free(struct hf_ub_known *k); /* NULL is fine */

/* A command was sent for the name: from now on it has to be asked for. 0 or -ENOMEM. */
int hf_ub_known_touch(struct hf_ub_known *k, const struct hf_name *name);

/*
 * What unbound would answer. False: it has to be asked. For a type that is neither AAAA nor PTR
 * there is a record if the name has any of another type.
 */
bool hf_ub_known_answer(const struct hf_ub_known *k, const struct hf_name *name, uint16_t type,
    struct hf_asked *ret_asked);
