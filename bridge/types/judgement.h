/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* judgement: what state says of a message of the server. */
#include <stdbool.h>
#include <stdint.h>

enum hf_verdict {
	HF_VERDICT_ACCEPTED,
	HF_VERDICT_HELD,    /* identity: nothing is applied until the operator accepts it */
	HF_VERDICT_REFUSED, /* the message changes nothing; ask for a new snapshot */
};

struct hf_judgement {
	enum hf_verdict verdict;
	const char *reason; /* static; NULL if accepted without a remark */
	bool want_snapshot; /* unknown ids were deleted: ask for one (at most one a minute) */
	uint32_t held;      /* workspaces whose removal was held by this message */
	uint32_t records_refused;
};
