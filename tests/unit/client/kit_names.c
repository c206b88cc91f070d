/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client/kit_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <event2/event.h>
#include <unbound.h>
#include <unbound-event.h>

#include "base/child.h"
#include "base/timing.h"
#include "tests/unit/client/kit_loop.h"
#include "tests/unit/prng.h"
#include "tests/unit/stream/kit_server.h"

/* --- libunbound --- */

enum { QUESTIONS_MAX = 8 };

static struct question {
	struct ub_ctx *ctx;
	void *arg;
	ub_event_callback_type cb;
} questions[QUESTIONS_MAX];
static size_t n_questions, n_contexts;

/* A header, no question, and one A record: 192.0.2.7. */
static uint8_t answer[] = { 0, 1, 0x81, 0x80, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 30, 0,
	4, 192, 0, 2, 7 };

struct ub_ctx *ub_ctx_create_event(struct event_base *base)
{
	void *ctx = calloc(1, 1);

	n_contexts += ctx != NULL;
	return ctx;
}

void ub_ctx_delete(struct ub_ctx *ctx)
{
	size_t n = 0;

	for (size_t i = 0; i < n_questions; i++)
		if (questions[i].ctx != ctx)
			questions[n++] = questions[i];
	n_questions = n;
	n_contexts--;
	free(ctx);
}

int ub_ctx_debuglevel(struct ub_ctx *ctx, int level)
{
	return 0;
}

int ub_ctx_debugout(struct ub_ctx *ctx, void *out)
{
	return 0;
}

int ub_ctx_set_option(struct ub_ctx *ctx, const char *option, const char *value)
{
	return 0;
}

int ub_ctx_set_fwd(struct ub_ctx *ctx, const char *address)
{
	return 0;
}

int ub_ctx_zone_remove(struct ub_ctx *ctx, const char *zone)
{
	return 0;
}

int ub_resolve_event(struct ub_ctx *ctx, const char *name, int type, int class, void *arg,
    ub_event_callback_type cb, int *ret_id)
{
	if (n_questions == QUESTIONS_MAX)
		return -1;
	questions[n_questions++] = (struct question){ .ctx = ctx, .arg = arg, .cb = cb };
	return 0;
}

const char *ub_version(void)
{
	return "of the tests";
}

size_t names_asked(void)
{
	return n_questions;
}

void names_answer(bool found)
{
	struct question q = questions[0];

	memmove(questions, questions + 1, --n_questions * sizeof(questions[0]));
	q.cb(q.arg, found ? 0 : 2, found ? answer : NULL, found ? sizeof(answer) : 0, 0, NULL, 0);
}

size_t names_contexts(void)
{
	return n_contexts;
}

/* --- header commands --- */

struct hf_child {
	struct hf_child *next;
	struct event *limit;
	hf_child_cb cb;
	void *arg;
};

static struct hf_child *children;

static void child_ends(struct hf_child *c, int code, const char *what)
{
	char output[] = "One=1\nTwo=2\n", errors[] = "";
	struct hf_child_end end = {
		.code = code, .output = output, .output_len = strlen(output), .errors = errors
	};

	snprintf(end.what, sizeof(end.what), "%s", what);
	c->cb(c->arg, &end);
}

static void on_child_limit(evutil_socket_t fd, short what, void *arg)
{
	child_ends(arg, -ETIMEDOUT, "took too long and was ended");
}

int hf_child_run(struct event_base *base, const struct hf_child_opts *opts, hf_child_cb cb,
    void *arg, struct hf_child **ret_child, char ret_why[static HF_CHILD_WHY_MAX])
{
	struct hf_child *c = calloc(1, sizeof(*c));
	struct timeval tv = hf_time_of_ms(opts->limit_ms);

	if (!c)
		return -ENOMEM;
	*c = (struct hf_child){ .next = children, .cb = cb, .arg = arg };
	c->limit = event_new(base, -1, 0, on_child_limit, c);
	if (!c->limit) {
		free(c);
		return -ENOMEM;
	}
	event_add(c->limit, &tv);
	children = *ret_child = c;
	return 0;
}

void hf_child_free(struct hf_child *c)
{
	struct hf_child **at = &children;

	if (!c)
		return;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	event_free(c->limit);
	free(c);
}

size_t names_children(void)
{
	size_t n = 0;

	for (const struct hf_child *c = children; c; c = c->next)
		n++;
	return n;
}

void names_child_ends(bool well)
{
	child_ends(children, well ? 0 : 1, well ? "" : "ended with status 1");
}

/* --- random numbers --- */

static struct prng random_bytes;

void names_seed(uint64_t seed)
{
	random_bytes.state = seed;
}

ssize_t getrandom(void *out, size_t len, unsigned flags)
{
	if (len == HF_UPGRADE_NONCE)
		memcpy(out, server_sample_nonce, len);
	else
		prng_bytes(&random_bytes, out, len);
	return (ssize_t)len;
}
