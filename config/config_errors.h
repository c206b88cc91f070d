/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * config_errors: collects what is wrong with a configuration. Whatever is put in comes out
 * printable.
 */
#include <stddef.h>

#include "config/config.h"

void hf_config_errors_init(struct hf_config_errors *e, const char *file);
/* Beyond HF_CONFIG_ERRORS_MAX it is counted only. */
void hf_config_errors_add(struct hf_config_errors *e, unsigned line, unsigned column,
    const char *path, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* By line and column; those of the file as a whole first. */
void hf_config_errors_sort(struct hf_config_errors *e);

/* Text from outside, clipped and with '?' for all that is not printable ASCII. Returns out. */
char *hf_config_errors_printable(const char *text, char *out, size_t size);
