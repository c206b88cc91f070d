/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * token_watch: tells when a file was written or replaced. It watches the file's folder, so a file
 * that is not there yet, or is renamed into its place, is seen too, and so is a folder that is
 * replaced. One that is not there is looked for every 2 s.
 */
struct event_base;
struct hf_token_watch; /* opaque */

/* It may free the watch. */
typedef void (*hf_token_watch_cb)(void *arg);

/* 0 or a code. End it with hf_token_watch_free(). */
int hf_token_watch_new(struct event_base *base, const char *path, hf_token_watch_cb cb, void *arg,
    struct hf_token_watch **ret_watch);
void hf_token_watch_free(struct hf_token_watch *w); /* NULL is fine */
