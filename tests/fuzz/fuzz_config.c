/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration out of any bytes: refused with at least one printable line, or taken; and what
 * is taken is printed as a file that is taken for the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_errors(const struct hf_config_errors *e)
{
	char line[1400];

	must(
	    e->n > 0 && e->n <= HF_CONFIG_ERRORS_MAX && (!e->more || e->n == HF_CONFIG_ERRORS_MAX));
	for (size_t i = 0; i < e->n; i++) {
		must(!i || e->at[i].line >= e->at[i - 1].line);
		must(e->at[i].text[0] != '\0');
		for (const char *p = hf_config_error_text(e, i, line, sizeof(line)); *p; p++)
			must(*p >= 0x20 && *p < 0x7f);
	}
}

static void check_roundtrip(const struct hf_config *c)
{
	struct hf_config_errors e;
	struct hf_config *again = NULL;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	must(out && !hf_config_dump(c, out) && !fclose(out));
	/* What fits into a file may be larger when all defaults are written out. */
	if (size <= HF_CONFIG_BYTES_MAX) {
		must(!hf_config_parse("again", text, size, 0, &again, &e));
		must(hf_config_diff(c, again, NULL, NULL) == 0);
	}
	hf_config_free(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_config_errors e;
	struct hf_config *c = NULL;

	if (hf_config_parse("fuzz", data, size, 0, &c, &e)) {
		must(!c);
		check_errors(&e);
		return 0;
	}
	must(c && !e.n);
	check_roundtrip(c);
	hf_config_free(c);
	return 0;
}
