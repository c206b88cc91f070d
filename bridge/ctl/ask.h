#pragma once
/*
 * ask: a question to the running bridge, over its control socket.
 */
#include <jansson.h>

enum { HF_ASK_WHY_MAX = 300 };

/* A row of the answer, lent. Non-zero ends the answer and is returned. */
typedef int (*hf_row_cb)(json_t *row, void *arg);

/*
 * Asks; takes `request` over. 0 when the answer came to its end. -ENOENT or -ECONNREFUSED: no
 * bridge is there. HF_EREFUSED: it said no. Else a code. `ret_why` is filled with a text whenever
 * it fails.
 */
int hf_ask(const char *socket_path, json_t *request, hf_row_cb cb, void *arg,
    char ret_why[static HF_ASK_WHY_MAX]);
