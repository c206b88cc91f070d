/* SPDX-License-Identifier: Apache-2.0 */
/* holdfastd: main only wires. */
#include <stdio.h>

#include "bridge/daemon/check_command.h"
#include "bridge/daemon/daemon_options.h"
#include "bridge/daemon/daemon.h"
#include "bridge/version.h"

int main(int argc, char **argv)
{
	struct hf_daemon_options o;

	if (hf_daemon_options_parse(argc, argv, &o, stderr))
		return 2;
	switch (o.mode) {
	case HF_DAEMON_OPTIONS_RUN:
		return hf_daemon_run(o.config);
	case HF_DAEMON_OPTIONS_CHECK:
		return hf_check_command(o.config, o.verbose, stdout, stderr);
	case HF_DAEMON_OPTIONS_VERSION:
		hf_version_print(stdout);
		return 0;
	case HF_DAEMON_OPTIONS_HELP:
		hf_daemon_options_usage(stdout);
		return 0;
	}
	return 2;
}
