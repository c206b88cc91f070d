/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * glob: a pattern as shells have it, matched in bounded time: no more steps than the product of
 * both lengths, whatever the pattern is.
 */
#include <stdbool.h>

/*
 * Case of ASCII letters does not count. "*" is any text, "?" any byte, "[a-z]" one of these and
 * "[!a-z]" or "[^a-z]" none of them, "\" takes the next byte as it is. A "[" without its "]" is
 * itself.
 */
bool hf_glob_match(const char *pattern, const char *text);
