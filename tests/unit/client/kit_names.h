/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kit_names: the client's other ways out, without a network and without a process: libunbound's
 * functions, hf_child_run(), and getrandom(), which here gives what a seed does. The test sees what
 * is asked and answers it, or does not.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Questions of DNS that are under way; answers the first one: with an address, or not. */
size_t names_asked(void);
void names_answer(bool found);
/* Contexts that were made and not freed. */
size_t names_contexts(void);

/* Header commands that run; ends the first one: well, with two lines, or not. */
size_t names_children(void);
void names_child_ends(bool well);

/* All random bytes come of it; the nonce of an upgrade is always the same. */
void names_seed(uint64_t seed);
