/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * doctor_validator: one question to one resolver as a full resolver behind it would ask it: by
 * libunbound, with or without the root's trust anchor.
 */
#include <stdbool.h>
#include <stdint.h>

#include "zone/name.h"

struct hf_endpoint;

struct hf_seen {
	int rcode;
	bool answered; /* within its time */
	bool bogus;    /* a validator takes it for forged */
	bool has_soa;  /* a negative answer says whose it is */
	struct hf_name soa;
};

/* Waits for the answer, `wait_ms` at most. anchor: a file, or NULL. 0 or a code. */
int hf_doctor_validator_ask(const struct hf_endpoint *server, const char *anchor, const char *name,
    uint16_t type, int wait_ms, struct hf_seen *ret_seen);
