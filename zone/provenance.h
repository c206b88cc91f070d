/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * provenance: what the TXT records under `_holdfast` tell: where a name's answer comes from and how
 * old it is, and which zone is being served. Each function writes one record's character-strings
 * into the caller's writer. No memory, no locale, no time zone. For answer.c.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/wire.h"
#include "zone/picture.h"
#include "zone/reader.h"

/* "live" or "stale", "held", "restored"; "first-seen=", "last-confirmed=" (if known), "source=". */
void hf_provenance_of_name(
    struct hf_wr *wr, const struct hf_zone_reader *r, const struct hf_zone_entry *entry);

/* "live" or "stale"; "epoch=", "generation=". */
void hf_provenance_of_zone(struct hf_wr *wr, const struct hf_zone_stamp *stamp, bool fresh);
