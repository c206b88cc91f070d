/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * file_loader: what the files hold is the adapter's memory. It is read once, in slices, before the
 * first thing that needs it.
 */
#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct hf_file_loader; /* opaque */
struct hf_host_files;

struct hf_file_loader_opts {
	struct event_base *base;
	struct hf_host_files *files; /* and its table, which is filled */
	/* All of these get `arg`. Borrowed; outlives the object. */
	void *arg;
	/* The file is not what the table says of it: it is to be written. */
	void (*odd)(void *arg, unsigned file);
	/* All were read, or `code` and why not: then the table is empty. From the loop. */
	void (*done)(void *arg, int code, const char *why);
};

int hf_file_loader_new(const struct hf_file_loader_opts *opts, struct hf_file_loader **ret_loader);
void hf_file_loader_free(struct hf_file_loader *l); /* NULL is fine */

/* done() will be called, once for all calls before it. After a failure it reads again. */
void hf_file_loader_begin(struct hf_file_loader *l);
bool hf_file_loader_is_done(const struct hf_file_loader *l);

/* How many files were not as they had been left. */
unsigned hf_file_loader_damaged(const struct hf_file_loader *l);
/* Of those that have our name and are not ours: the first one's text, or NULL. */
const char *hf_file_loader_refused(const struct hf_file_loader *l);
