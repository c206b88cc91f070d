/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ub_control: commands to unbound by its control socket, one after the other, each on a connection
 * of its own.
 *
 * unbound reads a command byte by byte in the thread that answers, and waits for whoever is slow.
 * So a command goes out whole, in one send() that the socket's buffer takes at once: whatever
 * happens to us then, unbound has all of it and nothing to wait for. (Before 1.19 a list of lines
 * that ends without its mark, U+0004, makes it loop for ever.)
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct hf_ub_control; /* opaque */

enum {
	HF_UB_CONTROL_COMMAND_MAX = 64 * 1024, /* fits the buffer of a socket */
	HF_UB_CONTROL_REPLY_MAX = 64 * 1024,   /* what is kept; the rest is read and dropped */
};

/* What unbound said. Lent for the call. */
struct hf_ub_reply {
	int code;         /* 0: it took the command and said something, -ETIMEDOUT, -ENOENT, ... */
	const char *text; /* ends with NUL */
	size_t len;
	int64_t took_us; /* from the first byte sent to the end of the reply */
};
typedef void (*hf_ub_reply_cb)(const struct hf_ub_reply *reply, void *arg);

/* `path` is borrowed. */
int hf_ub_control_new(struct event_base *base, const char *path, int64_t timeout_ms,
    struct hf_ub_control **ret_control);
/* No callback any more. What was sent has been sent. Not within a callback. NULL is fine. */
void hf_ub_control_free(struct hf_ub_control *c);

/*
 * `bytes` are copied. cb is called once, from the loop. What waits behind a command that found no
 * unbound fails with it. 0, HF_ELIMIT or -ENOMEM.
 */
int hf_ub_control_send(
    struct hf_ub_control *c, const char *bytes, size_t len, hf_ub_reply_cb cb, void *arg);

/*
 * The same for a listing, which may be long: at most `max` bytes are read, then the connection ends
 * (as unbound's listing does) and the code is HF_ELIMIT. A listing of nothing is HF_ECLOSED: it
 * looks like an unbound that went away.
 */
int hf_ub_control_list(
    struct hf_ub_control *c, const char *command, size_t max, hf_ub_reply_cb cb, void *arg);
