/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names out of any bytes: what a parser lets through is well formed, lower case and comes back
 * the same by every way.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "zone/addr.h"
#include "zone/agent_names.h"
#include "zone/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_form(const struct hf_name *name)
{
	struct hf_name again;
	size_t at = 0;

	while (name->wire[at]) {
		must(name->wire[at] <= HF_LABEL_MAX && at + 1 + name->wire[at] < name->len);
		for (size_t i = at + 1; i <= at + name->wire[at]; i++)
			must(name->wire[i] < 'A' || name->wire[i] > 'Z');
		at += 1 + (size_t)name->wire[at];
	}
	must(at + 1 == name->len);
	must(hf_name_from_wire(name->wire, name->len, &again) == name->len);
	must(hf_name_equal(name, &again));
}

static void check_relations(const struct hf_name *name)
{
	struct hf_name up = *name, child = *name;
	unsigned n = 0;

	if (!hf_name_prepend(&child, "x", 1)) {
		check_form(&child);
		must(hf_name_get_parent(&child, &child) && hf_name_equal(&child, name));
	}
	while (hf_name_get_parent(&up, &up)) {
		check_form(&up);
		must(hf_name_is_under(name, &up) && !hf_name_is_under(&up, name));
		n++;
	}
	must(up.len == 1 && n == hf_name_labels(name));
}

static void check_ptr(const struct hf_name *name)
{
	uint8_t addr[16];
	struct hf_name back;
	enum hf_ptr_kind kind = hf_ptr_parse(name, addr);

	must((kind == HF_PTR_OUTSIDE) == !hf_name_is_under(name, &hf_addr_reverse_apex));
	must((kind == HF_PTR_APEX) == hf_name_equal(name, &hf_addr_reverse_apex));
	if (kind != HF_PTR_ADDR)
		return;
	must(hf_addr_is_ours(addr));
	hf_ptr_name(addr, &back);
	must(hf_name_equal(name, &back));
}

/* Every name, whatever it came from. `clean`: of letters, digits, '-' and '_' only. */
static void check_name(const struct hf_name *name, bool clean)
{
	char text[HF_NAME_TEXT_MAX];
	struct hf_name again;

	check_form(name);
	check_relations(name);
	check_ptr(name);
	memset(text, 'x', sizeof(text));
	must(hf_name_text(name, text) == text && memchr(text, 0, sizeof(text)));
	if (hf_name_parse(text, &again) == 0)
		must(hf_name_equal(name, &again));
	else
		must(!clean && strchr(text, '\\'));
}

static void check_text(const char *text, size_t len)
{
	char out[HF_UUID_TEXT_MAX];
	struct hf_name name, suffix;
	struct hf_uuid id, again;
	const char *why = NULL;

	if (!hf_name_parse(text, &name))
		check_name(&name, true);
	if (!hf_suffix_check(text, HF_SUFFIX_ASKED, &suffix, &why)) {
		must(!why && hf_name_equal(&name, &suffix) && hf_name_labels(&suffix) == 1);
		must(!hf_suffix_check(text, HF_SUFFIX_TYPED, &suffix, &why));
	} else {
		must(why);
	}
	if (!hf_uuid_parse(text, &id))
		must(!hf_uuid_parse(hf_uuid_text(&id, out), &again) && hf_uuid_equal(&id, &again));
	if (!hf_agent_owner_check(text, len, NULL)) {
		must(!hf_agent_label_check(text, len, NULL) && hf_label_ok(text, len));
		must(!hf_name_parse("coder", &suffix) && !hf_name_prepend(&suffix, text, len));
		check_name(&suffix, true);
	}
	must(!hf_label_ok(text, len) || hf_name_parse(text, &name) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_name name;
	char *text = malloc(size + 1);
	int rc = hf_name_from_wire(data, size, &name);

	if (rc >= 0) {
		must((size_t)rc <= size && rc == name.len);
		check_name(&name, false);
	}
	if (text) {
		if (size)
			memcpy(text, data, size);
		text[size] = '\0';
		check_text(text, size);
	}
	free(text);
	return 0;
}
