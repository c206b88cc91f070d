/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ctl_adapters: what the bridge tells of its adapters, and asking them what they have.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bridge/ctl/ctl_client.h"

void hf_ctl_adapters_print(const json_t *adapters, int64_t now_s, FILE *out);
/* None fails, and none is known to answer wrong. */
bool hf_ctl_adapters_are_well(const json_t *adapters);

/*
 * Has the bridge ask one adapter (NULL: each) and waits until it has. *ret_adapters (a list, the
 * caller's) is as status has them, with what was found in "check". 0, or a code and why in `why`;
 * -ETIMEDOUT: some are still at it.
 */
int hf_ctl_adapters_verify(const char *socket, const char *adapter, bool full,
    json_t **ret_adapters, char why[static HF_CTL_CLIENT_WHY_MAX]);
void hf_ctl_adapters_print_verified(const json_t *adapters, FILE *out);
/* All that was asked for was answered right, and nothing was found that should not be there. */
bool hf_ctl_adapters_verified(const json_t *adapters);
