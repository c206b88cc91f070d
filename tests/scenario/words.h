/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * words: a line of a scenario as words, and what its arguments mean.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORDS = 2000 };

struct words {
	char *at[WORDS]; /* borrowed from the line */
	size_t n;
};

/* Cuts the line up where it lies; what follows a hash is a comment. */
void words_split(char *line, struct words *ret_words);
/* The i-th, "" where there are fewer. */
const char *words_at(const struct words *a, size_t i);
/* The value of "key=value" among the words, NULL if it is not there. */
const char *words_option(const struct words *a, const char *key);
/* "10m", "-90s": a number and ms, s, m, h, d or y. */
bool words_span(const char *text, int64_t *ret_ms);
