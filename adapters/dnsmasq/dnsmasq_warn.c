/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dnsmasq_warn: the states that a person should know of, reported when they begin and end.
 */
#include "adapters/dnsmasq/dnsmasq_private.h"

static const char *const warning_codes[] = {
	[WARN_NOT_RUNNING] = "not-running",
	[WARN_MANY] = "many-names",
	[WARN_FOREIGN] = "foreign-files",
	[WARN_FOLDER] = "folder",
	[WARN_RESTART] = "restart",
};

void hf_dnsmasq_warn(struct hf_adapter *a, enum warning which, const char *text)
{
	if (a->warned[which] == (text != NULL))
		return;
	a->warned[which] = text != NULL;
	a->host->warn(a->host->arg, warning_codes[which], text);
}
