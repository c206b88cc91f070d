/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook: an adapter that is an operator's program. One call or one batch at a time, each for a
 * limited time; what the program says is all that is known: it is not asked what the resolver has.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/hook/hook_private.h"
#include "base/error.h"
#include "base/file.h"

enum {
	CALLS_MAX = 64,    /* changes in a batch, where each is a process */
	LINES_MAX = 1000,  /* changes in a batch of lines */
	PRINTED_MAX = 300, /* of a script's output, for messages */
	FAILED_MAX = 8,    /* calls that fail one after the other: the rest of the batch waits */
};

struct hf_hook {
	struct hf_adapter base;
	struct hf_batch batch;     /* lent until its receipt */
	size_t at;                 /* dhcp-script: the change that is under way */
	unsigned call;             /* and which of its calls */
	unsigned n_failed;         /* of its calls, one after the other */
	struct hf_child *child;    /* owned */
	struct hf_hook_call *made; /* owned: the call under way */
	char *lines;               /* owned: json: what the program is given */
	struct hf_hook_fates fates;
	char text[HF_HOOK_TEXT_MAX];
};

static struct hf_hook *hook_of(struct hf_adapter *a)
{
	return (struct hf_hook *)a;
}

static const char *hook_program(const struct hf_hook *h)
{
	return h->base.config->hook.command.at[0];
}

/* --- the receipt --- */

static void hook_answer(struct hf_hook *h, int code)
{
	struct hf_receipt r = { .n_done = h->fates.n,
		.fates = h->fates.at,
		.whys = (const char *const *)h->fates.whys,
		.code = code,
		.text = code ? h->text : "",
		.next_max = h->base.config->hook.form == HF_HOOK_JSON ? LINES_MAX : CALLS_MAX };

	free(h->lines);
	h->lines = NULL;
	h->batch = (struct hf_batch){ 0 };
	h->base.host->applied(h->base.host->arg, &r);
}

/* The last line of a text, without what could spoil a line of the log. */
static const char *last_line(char *text)
{
	char *end = text + strlen(text), *begin;

	while (end > text && end[-1] == '\n')
		*--end = '\0';
	begin = strrchr(text, '\n');
	begin = begin ? begin + 1 : text;
	for (char *p = begin; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return begin;
}

/* "'/usr/local/bin/x' add main.dev.me.coder ended with status 3: what it printed last" */
static void hook_describe(
    struct hf_hook *h, const char *call, const char *what, const char *printed)
{
	snprintf(h->text, sizeof(h->text), "'%.150s' %.130s%s%.60s%s%.200s", hook_program(h), call,
	    *call ? " " : "", what, *printed ? ": " : "", printed);
}

/* --- dhcp-script: a call after the other --- */

static void next_call(struct hf_hook *h);

static void change_ended(struct hf_hook *h, uint8_t fate)
{
	hf_hook_fates_add(&h->fates, fate, fate == HF_FATE_FAILED ? h->text : NULL);
	h->n_failed = fate == HF_FATE_FAILED ? h->n_failed + 1 : 0;
	h->call = 0;
	h->at++;
}

/* A call that fails is the matter of its change: the others go on. */
static void on_call_end(void *arg, struct hf_child_end *end)
{
	struct hf_hook *h = arg;
	const struct hf_change *c = &h->batch.at[h->at];
	size_t n = h->base.config->hook.command.n;
	bool failed = end->code;
	char call[160];

	if (failed) {
		snprintf(call, sizeof(call), "%s %.120s", h->made->argv[n], h->made->name);
		hook_describe(
		    h, call, end->what, last_line(*end->errors ? end->errors : end->output));
	}
	hf_child_free(h->child);
	h->child = NULL;
	if (failed || ++h->call == hf_hook_calls(c))
		change_ended(h, failed ? HF_FATE_FAILED : HF_FATE_DONE);
	next_call(h);
}

static void next_call(struct hf_hook *h)
{
	struct hf_child_opts o = { .argv = h->made->argv,
		.env = h->made->env,
		.output_max = PRINTED_MAX,
		.output_clipped = true,
		.errors_kept = true,
		.limit_ms = h->base.config->hook.timeout_ms };
	char why[HF_CHILD_WHY_MAX];
	int rc;

	if (h->at == h->batch.n || h->n_failed == FAILED_MAX) {
		hook_answer(h, 0);
		return;
	}
	hf_hook_call_make(&h->base, &h->batch, &h->batch.at[h->at], h->call, h->made);
	rc = hf_child_run(h->base.host->base, &o, on_call_end, h, &h->child, why);
	if (rc) {
		hook_describe(h, "", "cannot be run", why);
		hook_answer(h, rc);
	}
}

/* --- json: a batch is a call --- */

static void on_batch_end(void *arg, struct hf_child_end *end)
{
	struct hf_hook *h = arg;
	char said[HF_HOOK_TEXT_MAX];
	int code = hf_hook_receipt(end->output, h->batch.n, &h->fates, said);

	/* How it ended says more than that lines are missing; what was told before that holds. */
	if (end->code) {
		code = end->code;
		hook_describe(h, "", end->what, last_line(end->errors));
	} else if (code) {
		snprintf(h->text, sizeof(h->text), "'%.100s' %.480s", hook_program(h), said);
	}
	hf_child_free(h->child);
	h->child = NULL;
	hook_answer(h, code);
}

static void run_batch(struct hf_hook *h)
{
	const char *argv[HF_HOOK_ARGS_MAX + 1] = { NULL };
	struct hf_child_opts o = { .argv = argv,
		.output_max = hf_hook_output_max(h->batch.n),
		.errors_kept = true,
		.limit_ms = h->base.config->hook.timeout_ms };
	char why[HF_CHILD_WHY_MAX];
	int rc = -ENOMEM;

	for (size_t i = 0; i < h->base.config->hook.command.n && i < HF_HOOK_ARGS_MAX; i++)
		argv[i] = h->base.config->hook.command.at[i];
	h->lines = hf_hook_lines(&h->base, &h->batch, &o.input_len);
	o.input = h->lines;
	snprintf(why, sizeof(why), "%s", hf_strerror(rc));
	if (h->lines)
		rc = hf_child_run(h->base.host->base, &o, on_batch_end, h, &h->child, why);
	if (rc) {
		hook_describe(h, "", "cannot be run", why);
		hook_answer(h, rc);
	}
}

/* --- the type's functions --- */

/* In a turn of its own: an answer never comes from within apply(). */
static void hook_begin(struct hf_adapter *a)
{
	struct hf_hook *h = hook_of(a);

	h->at = 0;
	h->call = h->n_failed = 0;
	if (hf_hook_fates_make(&h->fates, h->batch.n)) {
		snprintf(h->text, sizeof(h->text), "%s", hf_strerror(-ENOMEM));
		hook_answer(h, -ENOMEM);
	} else if (h->base.config->hook.form == HF_HOOK_JSON && h->batch.n)
		run_batch(h);
	else
		next_call(h);
}

static void hook_apply(struct hf_adapter *a, const struct hf_batch *batch)
{
	hook_of(a)->batch = *batch;
	hf_adapter_answers_due(&a->answers, HF_ANSWER_APPLY);
}

/* The program is not run to see: whatever it does, it does. */
static void hook_examine(struct hf_adapter *a)
{
	const char *program = hook_program(hook_of(a));
	char why[200] = "", line[400];
	int file =
	    hf_file_open_checked(program, HF_FILE_OWN | HF_FILE_NO_OTHER_WRITE, why, sizeof(why));

	if (file >= 0)
		close(file);
	if (file < 0) {
		snprintf(line, sizeof(line),
		    file == HF_EUNSAFE
			? "chown root %.150s; chmod go-w %.150s; its folder likewise"
			: "command: the path of a program that is there, not %.150s%.0s",
		    program, program);
		hf_adapter_found(a, HF_FINDING_BAD, line, "the program '%.150s' cannot be used: %s",
		    program, why[0] ? why : hf_strerror(file));
	} else if (access(program, X_OK) < 0) {
		snprintf(line, sizeof(line), "chmod +x %.150s", program);
		hf_adapter_found(
		    a, HF_FINDING_BAD, line, "the program '%.150s' cannot be run", program);
	} else {
		hf_adapter_found(a, HF_FINDING_GOOD, "",
		    "the program '%.150s' is there, and only its owner may write it", program);
	}
	a->host->examined(a->host->arg);
}

static void hook_doctor(struct hf_adapter *a)
{
	hf_adapter_answers_due(&a->answers, HF_ANSWER_DOCTOR);
}

static void hook_setup(
    const struct hf_config *config, const struct hf_config_adapter *adapter, FILE *out)
{
	const struct hf_config_hook *h = &adapter->hook;

	fprintf(out,
	    "# The hook '%s' runs '%s', which has to be there, and which nobody but root or the bridge's user may write:\n",
	    adapter->name, h->command.at[0]);
	if (h->form == HF_HOOK_JSON)
		fputs(
		    "# once for each batch of changes, with a JSON object a line on standard input:\n"
		    "#   {\"op\":\"begin\",...}, then {\"op\":\"put|take\",\"name\":...,\"address\":...} for each, then {\"op\":\"end\"}.\n"
		    "# It answers each put and take, in order, with a line {\"fate\":\"done\"} on standard output.\n",
		    out);
	else
		fputs(
		    "# once for each change:\n"
		    "#   PROGRAM add|old|del AGENT-ID ADDRESS NAME\n"
		    "# with more in HOLDFAST_* of its environment. Status 0 says that it is done.\n",
		    out);
}

static void hook_close(struct hf_adapter *a)
{
	struct hf_hook *h = hook_of(a);

	if (!a)
		return;
	hf_adapter_done(a);
	hf_child_free(h->child);
	free(h->made);
	free(h->lines);
	hf_hook_fates_free(&h->fates);
	free(h);
}

static const struct hf_adapter_parts hook_parts = {
	.type = &hf_hook_adapter_type,
	.answers = { [HF_ANSWER_APPLY] = hook_begin, [HF_ANSWER_DOCTOR] = hook_examine },
};

static int hook_open(const struct hf_config_adapter *config, const struct hf_adapter_host *host,
    struct hf_adapter **ret_adapter)
{
	struct hf_hook *h = calloc(1, sizeof(*h));
	int rc = h ? hf_adapter_init(&h->base, &hook_parts, config, host) : -ENOMEM;

	if (!rc) {
		h->made = calloc(1, sizeof(*h->made));
		rc = h->made ? 0 : -ENOMEM;
	}
	if (rc) {
		hook_close(h ? &h->base : NULL);
		return rc;
	}
	*ret_adapter = &h->base;
	return 0;
}

const struct hf_adapter_type hf_hook_adapter_type = {
	.name = "hook",
	.open = hook_open,
	.close = hook_close,
	.zones = hf_adapter_keep_zones,
	.apply = hook_apply,
	.doctor = hook_doctor,
	.setup = hook_setup,
};
