/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ctl_client: a question to the running bridge, over its control socket.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { HF_CTL_CLIENT_WHY_MAX = 500 };

/* A row of the answer, lent. Non-zero ends the answer and is returned. */
typedef int (*hf_row_cb)(json_t *row, void *arg);
/*
 * The same, not parsed: what stands after "=" of a row in a form of its own, or an object of JSON.
 */
typedef int (*hf_line_cb)(const char *line, size_t len, void *arg);

/*
 * Asks; takes `request` over. 0 when the answer came to its end. -ENOENT or -ECONNREFUSED: no
 * bridge is there. -EACCES: this user may not ask. HF_EREFUSED: it said no. Else a code. `ret_why`
 * is filled with a text whenever it fails.
 */
int hf_ctl_client_ask(const char *socket_path, json_t *request, hf_row_cb cb, void *arg,
    char ret_why[static HF_CTL_CLIENT_WHY_MAX]);
int hf_ctl_client_ask_lines(const char *socket_path, json_t *request, hf_line_cb cb, void *arg,
    char ret_why[static HF_CTL_CLIENT_WHY_MAX]);

/* No bridge listens there, as opposed to one that does not answer as it should. */
bool hf_ctl_client_is_down(int rc);
