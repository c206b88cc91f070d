/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * health_request: the head of an HTTP request to the health listener, read and checked.
 */
#include <stddef.h>

enum { HF_HEALTH_HEAD_MAX = 4096 };

enum hf_health_path { HF_HEALTH_LIVE, HF_HEALTH_READY, HF_HEALTH_OTHER };

struct hf_health_request {
	enum hf_health_path path;
	int head; /* asked with HEAD: no body */
};

/*
 * `head` is what came so far, any bytes. Returns 1 and the request when the head is whole, 0 when
 * more is to come, or the negative of the HTTP status that refuses it: -400, -405, -431, -505.
 */
int hf_health_parse(const char *head, size_t len, struct hf_health_request *ret_request);
