/* SPDX-License-Identifier: Apache-2.0 */
/* holdfastd: main only wires. */
#include <stdio.h>

#include "bridge/daemon/check_command.h"
#include "bridge/daemon/daemon_options.h"
#include "bridge/daemon/daemon.h"
#include "bridge/version.h"

int main(int argc, char **argv)
{
	struct hf_options o;

	if (hf_options_parse(argc, argv, &o, stderr))
		return 2;
	switch (o.mode) {
	case HF_OPTIONS_RUN:
		return hf_run(o.config);
	case HF_OPTIONS_CHECK:
		return hf_check(o.config, o.verbose, stdout, stderr);
	case HF_OPTIONS_VERSION:
		hf_version_print(stdout);
		return 0;
	case HF_OPTIONS_HELP:
		hf_options_usage(stdout);
		return 0;
	}
	return 2;
}
