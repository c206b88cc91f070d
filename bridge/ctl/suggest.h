/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * suggest: a word that is not known, and the one that was probably meant.
 */
#include <stddef.h>
#include <stdio.h>

/* Tells on `err` that there is no `what` of that name, and of the `known` ones which is near. */
void hf_suggest(FILE *err, const char *what, const char *word, const char *const *known, size_t n);
