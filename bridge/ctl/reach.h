#pragma once
/*
 * reach: questions by DNS to those who answer for us, each with a short patience.
 */
#include <jansson.h>
#include <stdint.h>

#include "adapters/ask.h"

struct hf_config;
struct hf_endpoint;

enum { HF_ENDPOINT_TEXT_MAX = 64 };
/* "127.0.0.1@5453". Returns out. */
char *hf_endpoint_text(const struct hf_endpoint *at, char out[static HF_ENDPOINT_TEXT_MAX]);

/* Waits for the answer. 0, or a code: nobody was reached. */
int hf_reach(const struct hf_endpoint *at, const struct hf_name *name, uint16_t type,
    struct hf_asked *ret_asked);

/*
 * What each reader that answers at an address of dns.listen has counted: a list as status has it. `suffix` is one that is
 * served; NULL: none is known, and nobody can be asked. All are asked at once.
 */
json_t *hf_reach_readers(const struct hf_config *config, const char *suffix);
