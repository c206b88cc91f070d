/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * build_id: which program this is, exactly. unbound's structs differ between versions, and no
 * symbol tells: the build id that the linker put into the program does.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HF_BUILD_ID_TEXT_MAX = 129 };

/* The program's build id in hex, "" if it has none. Returns out. */
char *hf_build_id_program(char out[static HF_BUILD_ID_TEXT_MAX]);

/*
 * The build id among `len` bytes of ELF notes, in hex. Returns false, and out "", if there is none,
 * if it is too long to be one, or if the notes are cut.
 */
bool hf_build_id_in_notes(const uint8_t *notes, size_t len, char out[static HF_BUILD_ID_TEXT_MAX]);
