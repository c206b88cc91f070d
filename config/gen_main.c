/* SPDX-License-Identifier: Apache-2.0 */
/* hf-config-gen: writes the sample file or the manual page to standard output. */
#include "config/gen.h"

#include <string.h>

#include "config/config_table.h"

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (!strcmp(what, "sample")) {
		hf_gen_sample(&hf_config_table, stdout);
	} else if (!strcmp(what, "manual")) {
		hf_gen_manual(&hf_config_table, stdout);
	} else {
		fputs("usage: hf-config-gen sample | manual\n", stderr);
		return 2;
	}
	return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
