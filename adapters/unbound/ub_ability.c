/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/unbound/ub_ability.h"

#include <string.h>

#include "zone/own_labels.h"

/*
 * The record is nowhere. One that looks for it says "error no local data for rr" (or no zone, where
 * 'invalid' was opened); one that takes all of it for a name finds nothing there, either, and says
 * "ok". It came with 1.26.
 */
static bool looks_for_record(const char *reply)
{
	return strncmp(reply, "error no ", 9) == 0;
}

const struct hf_ub_ability hf_ub_abilities[] = {
	{ HF_UB_RECORDS, "UBCT1 local_data_remove " HF_OWN_LABEL_ASKS ".invalid. 1 IN AAAA ::1\n",
	    looks_for_record,
	    "it can only remove all of a name: one that gets another address is away for less than a millisecond, and one that has records of others is left alone" },
};
const size_t hf_ub_n_abilities = sizeof(hf_ub_abilities) / sizeof(hf_ub_abilities[0]);
