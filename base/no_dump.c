/* SPDX-License-Identifier: Apache-2.0 */
#include "base/no_dump.h"

#include <stdlib.h>
#include <sys/prctl.h>

bool hf_no_dump(void)
{
	const char *wish = secure_getenv("HOLDFAST_DUMPABLE");

	/*
	 * A limit of 0 for core files would be inherited by programs that we run, and ignored by a
	 * piped core_pattern.
	 */
	return !(wish && *wish) && prctl(PR_SET_DUMPABLE, 0) == 0;
}
