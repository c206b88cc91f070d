/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * config_check: what a table cannot say: keys that do not go together, and the files that keys
 * name.
 */
#include "config/config.h"
#include "config/yaml_tree.h"

/* Adds to `errors` what does not go together; `root` tells where. */
void hf_config_check(
    const struct hf_config *c, const struct hf_node *root, struct hf_config_errors *errors);

/* The same for files: flags are those of hf_config_load(). */
void hf_config_check_files(const struct hf_config *c, const struct hf_node *root, unsigned flags,
    struct hf_config_errors *errors);
