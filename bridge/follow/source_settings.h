/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * source_settings: what the stream needs of a source's configuration, as the stream has it.
 */
#include "bridge/stream/client/client_settings.h"

struct hf_config_source;

/* All texts are borrowed from `conf` and `url`. */
void hf_source_settings_fill(
    const struct hf_config_source *conf, const char *url, struct hf_stream_settings *ret_settings);
