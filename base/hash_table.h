/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hash_table: uthash, without the exit(-1) that it has for memory that has run out. After
 * HASH_ADD...() the element is in the table if hf_hash_added() says so; else the table is as it
 * was, and the element is still the caller's.
 */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define hf_hash_added(element) ((element)->hh.tbl != NULL)
