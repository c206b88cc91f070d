/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: lookups in a loaded configuration. Needs nothing of how it is loaded.
 */
#include "config/config.h"

#include <string.h>

const struct hf_config_source *hf_config_source(const struct hf_config *c, const char *name)
{
	for (size_t i = 0; i < c->sources.n; i++) {
		if (!strcmp(c->sources.at[i].name, name))
			return &c->sources.at[i];
	}
	return NULL;
}
