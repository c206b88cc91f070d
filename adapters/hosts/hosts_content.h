/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hosts_content: the bytes of an open hosts file, and what a file looks like from outside. It
 * neither opens nor changes one.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

enum { HF_HOSTS_CONTENT_MAX = 16 * 1024 * 1024 };

/*
 * All of an open file. The caller owns *ret_bytes, which has a NUL behind it; end it with free().
 * Returns 0, HF_ELIMIT if it is larger than HF_HOSTS_CONTENT_MAX, or another code.
 */
int hf_hosts_content_read(int fd, char **ret_bytes, size_t *ret_len);

/* What it looks like, to see whether others changed it. Zeros where it is not there. */
void hf_hosts_content_look(const char *path, struct stat *ret_st);
bool hf_hosts_content_same(const struct stat *a, const struct stat *b);
