#pragma once
/*
 * export: the names in forms that other programs read. Records come one by one.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "bridge/ctl/options.h"
#include "zone/name.h"

struct hf_export {
	enum hf_export_form form;
	struct hf_name suffix; /* zone: of which one */
	FILE *out;
};

/* Before the first record. `serial` is the generation. */
void hf_export_begin(const struct hf_export *e, uint32_t serial);
/* A withdrawn name is left out, and in a zone one that is not below the suffix. */
void hf_export_record(const struct hf_export *e, const json_t *record);

/*
 * The suffix that a zone is of: `wanted`, or the only one that the status has. 0, or -EINVAL after
 * telling on `err`.
 */
int hf_export_suffix(
    const json_t *status, const char *wanted, struct hf_name *ret_suffix, FILE *err);
