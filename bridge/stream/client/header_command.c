/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/header_command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/error.h"

enum { OUTPUT_MAX = 16 << 10, LINES_MAX = 32 };

struct hf_header_command {
	char *program;          /* owned: for messages */
	struct hf_child *child; /* owned */
	hf_header_command_cb cb;
	void *arg;
};

int hf_header_command_lines(char *text, char **ret_lines, int max)
{
	int n = 0;

	for (char *save, *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		size_t len = strlen(line), name = strcspn(line, "=");

		if (len && line[len - 1] == '\r')
			line[--len] = '\0';
		if (!len)
			continue;
		if (!name || !line[name] || n == max)
			return -1;
		line[name] = ':';
		ret_lines[n++] = line;
	}
	return n;
}

static void tell_problem(struct hf_header_command *h, const char *what)
{
	hf_header_command_cb cb = h->cb;
	void *arg = h->arg;
	struct hf_problem p;

	hf_problem_set(&p, HF_PROBLEM_HEADERS, "header-command '%.150s' %s", h->program, what);
	hf_header_command_free(h);
	cb(arg, NULL, &p);
}

static void on_header_command_end(void *arg, struct hf_child_end *end)
{
	struct hf_header_command *h = arg;
	char *lines[LINES_MAX];
	const char *borrowed[LINES_MAX];
	struct hf_texts texts = { .at = borrowed };
	int n;

	if (end->code) {
		tell_problem(h, end->what);
		return;
	}
	n = hf_header_command_lines(end->output, lines, LINES_MAX);
	if (n < 0) {
		tell_problem(h, "printed a line that is not NAME=VALUE");
		return;
	}
	for (texts.n = 0; texts.n < (size_t)n; texts.n++)
		borrowed[texts.n] = lines[texts.n];
	/* The lines live in the child: it goes after they were taken. */
	h->cb(h->arg, &texts, NULL);
	hf_header_command_free(h);
}

int hf_header_command_new(struct event_base *base, const struct hf_texts *argv, int64_t limit_ms,
    hf_header_command_cb cb, void *arg, struct hf_header_command **ret_command,
    struct hf_problem *ret_problem)
{
	struct hf_header_command *h = calloc(1, sizeof(*h));
	const char **args = calloc(argv->n + 1, sizeof(*args));
	struct hf_child_opts opts = {
		.argv = args, .output_max = OUTPUT_MAX, .limit_ms = limit_ms
	};
	char why[HF_CHILD_WHY_MAX] = "";
	int rc = -ENOMEM;

	if (!h || !args)
		goto fail;
	for (size_t i = 0; i < argv->n; i++)
		args[i] = argv->at[i];
	h->cb = cb;
	h->arg = arg;
	h->program = strdup(argv->at[0]);
	if (!h->program)
		goto fail;
	rc = hf_child_run(base, &opts, on_header_command_end, h, &h->child, why);
	if (!rc) {
		free(args);
		*ret_command = h;
		return 0;
	}
fail:
	hf_problem_set(ret_problem, HF_PROBLEM_HEADERS, "header-command '%.150s' cannot be run: %s",
	    argv->at[0], why[0] ? why : hf_strerror(rc));
	free(args);
	hf_header_command_free(h);
	return rc;
}

void hf_header_command_free(struct hf_header_command *h)
{
	if (!h)
		return;
	hf_child_free(h->child);
	free(h->program);
	free(h);
}
