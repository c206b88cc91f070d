/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/error.h"
#include "zone/name.h"
#include "zone/own_labels.h"
#include "zone/tlds.h"

/* The last label of `name`, lent from within it; `name` is not the root. */
static const uint8_t *last_label(const struct hf_name *name)
{
	const uint8_t *label = name->wire;

	while (label[1 + *label])
		label += 1 + *label;
	return label;
}

static bool label_is(const uint8_t *label, const char *text)
{
	return *label == strlen(text) && !memcmp(label + 1, text, *label);
}

static bool all_digits(const uint8_t *label)
{
	for (size_t i = 1; i <= *label; i++)
		if (label[i] < '0' || label[i] > '9')
			return false;
	return true;
}

static bool has_reserved_label(const struct hf_name *name)
{
	static const char reserved[] = HF_OWN_LABEL;
	const size_t len = sizeof(reserved) - 1;

	for (const uint8_t *label = name->wire; *label; label += 1 + *label)
		if (*label >= len && !memcmp(label + 1, reserved, len))
			return true;
	return false;
}

static bool is_home_arpa(const struct hf_name *name)
{
	static const struct hf_name home = { 11, "\4home\4arpa" };

	return hf_name_is_under(name, &home);
}

/* What nobody may serve, whoever asks for it. NULL if there is nothing against it. */
static const char *suffix_why_never(const struct hf_name *name)
{
	const uint8_t *last = last_label(name);
	bool single = hf_name_labels(name) == 1;

	if (label_is(last, "arpa") && !is_home_arpa(name))
		return "\"arpa\" belongs to the infrastructure of the DNS; only home.arpa is free";
	if (label_is(last, "localhost"))
		return "\"localhost\" is the machine itself (RFC 6761)";
	if (label_is(last, "invalid"))
		return "\"invalid\" is promised never to exist (RFC 6761)";
	if (label_is(last, "onion"))
		return "\"onion\" belongs to Tor and is never asked of the DNS (RFC 7686)";
	if (single && label_is(last, "local"))
		return "\"local\" belongs to multicast DNS (RFC 6762)";
	if (all_digits(last))
		return "a name that ends in a number is read as an address";
	if (has_reserved_label(name))
		return "labels that begin \"_holdfast\" are Holdfast's own";
	/* All two-letter ones are or may become a country's. */
	if (single && (*last == 2 || hf_tld_is_public((const char *)last + 1, *last)))
		return "it is a public top-level domain";
	return NULL;
}

/*
 * What people call their own networks. A server that names one of them would have all that is below
 * it at home answered by us; the operator may type it.
 */
static bool is_used_at_home(const struct hf_name *name)
{
	static const char *const names[] = { "alt", "corp", "example", "home", "intern", "internal",
		"intra", "intranet", "lan", "local", "localdomain", "localnet", "mail", "office",
		"private", "router", "test", "workgroup" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (hf_name_labels(name) == 1 && label_is(name->wire, names[i]))
			return true;
	return false;
}

int hf_suffix_check(
    const char *text, enum hf_suffix_origin origin, struct hf_name *ret_name, const char **ret_why)
{
	const char *why = NULL;
	struct hf_name name;

	if (hf_name_parse(text, &name))
		why =
		    "labels are 1 to 63 letters, digits, '-' and '_', and a name has at most 255 octets";
	else if (hf_name_labels(&name) == 0)
		why = "the root is not ours to serve";
	else if (origin == HF_SUFFIX_ASKED && hf_name_labels(&name) > 1)
		why = "a server may only name a single label; a longer suffix has to be configured";
	else if (origin == HF_SUFFIX_ASKED && is_used_at_home(&name))
		why = "networks at home and in offices use that name; it has to be configured";
	else
		why = suffix_why_never(&name);
	if (why) {
		if (ret_why)
			*ret_why = why;
		return HF_ESUFFIX;
	}
	*ret_name = name;
	return 0;
}
