/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kit_bytes: a growing buffer for tests, and a short notation for bytes on the wire:
 *
 *   0a ff        bytes in hexadecimal
 *   'text'       as it stands
 *   $a           an id: 16 times the letter (here 0x61); $0 is the id of zeros
 *   { ... }      what is inside, after its length as a varint
 *   x300:61      a byte 300 times
 *   *9(...)      what is inside 9 times
 *
 * So "0a{ 0a{$a} 12{'dev'} 18 03 }" is a WorkspaceUpdate with one upserted workspace.
 */
#include <stddef.h>
#include <stdint.h>

struct bytes {
	uint8_t *at; /* owned */
	size_t len;
	size_t room;
};

void bytes_add(struct bytes *b, const void *at, size_t len);
void bytes_u8(struct bytes *b, uint8_t v);
void bytes_varint(struct bytes *b, uint64_t v);
/* Reads the notation; a fault in it ends the program. */
void bytes_parse(struct bytes *b, const char *text);
void bytes_done(struct bytes *b);
