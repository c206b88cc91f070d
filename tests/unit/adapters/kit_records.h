/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kit_records: a record out of text, for tests.
 */
#include <check.h>
#include <arpa/inet.h>
#include <string.h>

#include "adapters/adapter.h"

static inline struct hf_record record(const char *name, const char *addr, bool primary)
{
	struct hf_record r = { .primary = primary };

	ck_assert_int_eq(hf_name_parse(name, &r.name), 0);
	ck_assert_int_eq(inet_pton(AF_INET6, addr, r.addr), 1);
	return r;
}
