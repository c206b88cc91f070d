/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * setup_fill: a template of a resolver's lines, filled in. Its words are @word@; its paragraphs end
 * at an empty line.
 *
 * A paragraph that names @suffix@ comes once for each suffix, one that names @ours@ once for each
 * suffix and once for the reverse zone. A line that begins @*@ is so repeated by itself, and makes
 * no paragraph repeat. One that begins @?loopback@ is there only where holdfast-dns listens on this
 * machine alone. A line with @file PATH@ says into which file go the lines that follow; what is
 * before that word opens a comment there.
 */
#include <stdbool.h>
#include <stdio.h>

#include "zone/name.h"

enum { HF_SETUP_SUFFIXES_MAX = 64, HF_SETUP_ADDR_MAX = 64 };

struct hf_setup_words {
	struct hf_name suffixes[HF_SETUP_SUFFIXES_MAX];
	size_t n_suffixes;
	char dns_addr[HF_SETUP_ADDR_MAX]; /* where holdfast-dns answers */
	unsigned dns_port; /* 0: no holdfast-dns is expected; every template needs one */
	bool loopback;
	const char *zone;   /* its folder; borrowed */
	const char *module; /* unbound's; borrowed */
};

/* 0, or -EINVAL for a word that there is none of. */
int hf_setup_fill(const char *text, const struct hf_setup_words *words, FILE *out);
