/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/ctl/export.h"

#include <errno.h>
#include <string.h>

#include "bridge/ctl/row_text.h"

int hf_export_suffix(
    const json_t *status, const char *wanted, struct hf_name *ret_suffix, FILE *err)
{
	struct hf_name name, want;
	bool found = false;
	const json_t *row;
	size_t i;

	if (wanted && hf_name_parse(wanted, &want)) {
		fprintf(err, "holdfastctl: '%s' is no name\n", wanted);
		return -EINVAL;
	}
	json_array_foreach(json_object_get(status, "sources"), i, row)
	{
		if (hf_name_parse(hf_ctl_row_text(row, "suffix", ""), &name) || name.len < 2 ||
		    (wanted && !hf_name_equal(&name, &want)))
			continue;
		if (found && !hf_name_equal(&name, ret_suffix)) {
			fputs(
			    "holdfastctl: there are several suffixes, and a zone is of one: holdfastctl export zone SUFFIX\n",
			    err);
			return -EINVAL;
		}
		*ret_suffix = name;
		found = true;
	}
	if (!found)
		fprintf(err, "holdfastctl: %s\n",
		    wanted ? "no source has this suffix" : "no suffix is known yet");
	return found ? 0 : -EINVAL;
}

void hf_export_zone_head(const struct hf_name *suffix, uint32_t serial, FILE *out)
{
	char text[HF_NAME_TEXT_MAX];

	hf_name_text(suffix, text);
	fprintf(out,
	    "%s. 30 IN SOA localhost. nobody.localhost. %u 60 60 2419200 30\n"
	    "%s. 30 IN NS localhost.\n",
	    text, serial, text);
}
