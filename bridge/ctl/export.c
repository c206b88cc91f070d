#include "bridge/ctl/export.h"

#include <errno.h>
#include <string.h>

#include "bridge/ctl/show.h"

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
	json_array_foreach(json_object_get(status, "sources"), i, row) {
		if (hf_name_parse(hf_row_text(row, "suffix", ""), &name) || name.len < 2 ||
		    (wanted && !hf_name_equal(&name, &want)))
			continue;
		if (found && !hf_name_equal(&name, ret_suffix)) {
			fputs("holdfastctl: there are several suffixes, and a zone is of one: "
			      "holdfastctl export zone SUFFIX\n",
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

void hf_export_begin(const struct hf_export *e, uint32_t serial)
{
	char suffix[HF_NAME_TEXT_MAX];

	if (e->form != EXPORT_ZONE)
		return;
	hf_name_text(&e->suffix, suffix);
	fprintf(e->out,
	    "%s. 30 IN SOA localhost. nobody.localhost. %u 60 60 2419200 30\n"
	    "%s. 30 IN NS localhost.\n",
	    suffix, serial, suffix);
}

void hf_export_record(const struct hf_export *e, const json_t *r)
{
	const char *name = hf_row_text(r, "name", ""), *data = hf_row_text(r, "data", "");
	struct hf_name parsed;

	if (!strcmp(hf_row_text(r, "state", ""), "withdrawn"))
		return;
	if (e->form == EXPORT_HOSTS)
		fprintf(e->out, "%s %s\n", data, name);
	else if (!hf_name_parse(name, &parsed) && hf_name_is_under(&parsed, &e->suffix))
		fprintf(e->out, "%s. %lld IN AAAA %s\n", name,
		    (long long)json_integer_value(json_object_get(r, "ttl")), data);
}
