/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * module_location: where the module finds its zone. By default where the bridge puts it; an
 * environment variable, or a file beside the module, says otherwise. That file may also name
 * suffixes and what to answer under them as long as there is no zone at all. Read once, when the
 * module is loaded.
 */
#include <limits.h>
#include <stddef.h>

#include "zone/name.h"
#include "zone/record.h"

#define HF_MODULE_LOCATION_ZONE_DEFAULT "/var/lib/holdfast/zone"
#define HF_MODULE_LOCATION_ZONE_ENV "HOLDFAST_ZONE"

enum { HF_MODULE_LOCATION_SUFFIXES_MAX = 16, HF_MODULE_LOCATION_WHY_MAX = 512 };

struct hf_module_location {
	char zone[PATH_MAX];
	struct hf_name
	    /* none: without a zone everything is passed on */
	    suffixes[HF_MODULE_LOCATION_SUFFIXES_MAX];
	size_t n_suffixes;
	enum hf_not_ready not_ready;
};

/*
 * Where the module `so` (its path) is to look; `env` is the variable's value, or NULL. Always fills
 * *ret_place with something usable. A file beside it that is missing is no error. Returns 0, or a
 * code of the first thing that is wrong, which ret_why tells; what is wrong is left out, the rest
 * is in force.
 */
int hf_module_location_find(const char *so, const char *env, struct hf_module_location *ret_place,
    char ret_why[static HF_MODULE_LOCATION_WHY_MAX]);

/* Takes what the text of such a file says. As above; `name` is the file's, for ret_why. */
int hf_module_location_read(const char *name, const char *text, struct hf_module_location *place,
    char ret_why[static HF_MODULE_LOCATION_WHY_MAX]);
