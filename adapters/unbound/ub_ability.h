/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ub_ability: what one unbound can do and another cannot, as far as the adapter makes use of it.
 * Each is found out by asking the unbound that is fed: distributions carry changes from one version
 * into another, and take some back. The questions change nothing in unbound.
 */
#include <stdbool.h>
#include <stddef.h>

/* Bits. */
enum {
	HF_UB_RECORDS = 1 << 0, /* it removes single records, not only all of a name */
};

struct hf_ub_ability {
	unsigned bit;
	const char *command;                /* what it is asked, a whole command */
	bool (*is_able)(const char *reply); /* of its reply */
	const char *without;                /* for people: what it means that it cannot */
};

extern const struct hf_ub_ability hf_ub_abilities[];
extern const size_t hf_ub_n_abilities;
