#pragma once
/*
 * restore: what the published zone still knows, when the store was lost.
 */
#include <stddef.h>

#include "bridge/types/rows.h"

struct hf_clock;
struct hf_config;

/* Told before any name: a source by its number in the configuration, with its suffix. */
typedef void (*hf_restore_suffix_cb)(uint32_t source, const struct hf_name *suffix, void *arg);

/*
 * Reads all names of the zone in `dir` as restored rows. A name's source is found by its name in
 * the configuration
 * (`sources[i].rid` is i's number); names of sources that are no longer there are left out.
 * The caller owns *ret_rows (free()). 0 and none where there is no readable zone, or -ENOMEM.
 */
int hf_restore_read(const char *dir, const struct hf_clock *clock, const struct hf_config *config,
    hf_restore_suffix_cb cb, void *arg, struct hf_restored_row **ret_rows, size_t *ret_n);
