/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_zone_names: names in our zones: what is below which, and where its canary and its mark are.
 */
#include "adapters/unbound/ub_private.h"
#include "zone/own_labels.h"

bool hf_ub_is_below(const struct hf_ub *a, const struct hf_name *name)
{
	for (size_t i = 0; i < a->n_zones; i++)
		if (name->len > a->zones[i].name.len && hf_name_is_under(name, &a->zones[i].name))
			return true;
	return false;
}

int hf_ub_zone_of(const struct hf_ub *a, const struct hf_name *name)
{
	int best = -1;

	for (size_t i = 0; i < a->n_zones; i++)
		if (hf_name_is_under(name, &a->zones[i].name) &&
		    (best < 0 || a->zones[i].name.len > a->zones[best].name.len))
			best = (int)i;
	return best;
}

static int own_name(
    const struct hf_name *zone, const char *label, size_t n, struct hf_name *ret_name)
{
	*ret_name = *zone;
	return hf_name_prepend(ret_name, label, n);
}

int hf_ub_canary_name(const struct hf_name *zone, struct hf_name *ret_name)
{
	static const char label[] = HF_OWN_LABEL_CANARY;

	return own_name(zone, label, sizeof(label) - 1, ret_name);
}

int hf_ub_fill_name(const struct hf_name *zone, struct hf_name *ret_name)
{
	static const char label[] = HF_OWN_LABEL_FILL;

	return own_name(zone, label, sizeof(label) - 1, ret_name);
}

bool hf_ub_has_opened_reverse(const struct hf_ub *a)
{
	const struct hf_config_unbound *u = &a->base.config->unbound;

	return u->start_file && u->start_form == HF_START_ZONEFILE;
}
