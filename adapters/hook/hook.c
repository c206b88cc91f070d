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

#include <event2/event.h>

#include "adapters/hook/hook_private.h"
#include "base/error.h"
#include "base/file.h"

enum {
	CALLS_MAX = 64,    /* changes in a batch, where each is a process */
	LINES_MAX = 1000,  /* changes in a batch of lines */
	PRINTED_MAX = 300, /* of a script's output, for messages */
	FAILED_MAX = 8,    /* calls that fail one after the other: the rest of the batch waits */
};

struct hf_adapter {
	const struct hf_config_adapter *config; /* borrowed */
	const struct hf_adapter_host *host;     /* borrowed */
	struct hf_hook_zones zones;
	struct hf_batch batch;     /* lent until its receipt */
	size_t at;                 /* dhcp-script: the change that is under way */
	unsigned call;             /* and which of its calls */
	unsigned n_failed;         /* of its calls, one after the other */
	struct hf_child *child;    /* owned */
	struct hf_hook_call *made; /* owned: the call under way */
	char *lines;               /* owned: json: what the program is given */
	struct hf_hook_fates fates;
	struct event *soon;    /* owned: an answer, or the first call, from the loop */
	struct event *examine; /* owned */
	char text[HF_HOOK_TEXT_MAX];
};

static const char *hook_program(const struct hf_adapter *a)
{
	return a->config->hook.command.at[0];
}

/* --- the receipt --- */

static void hook_answer(struct hf_adapter *a, int code)
{
	struct hf_receipt r = { .n_done = a->fates.n,
		.fates = a->fates.at,
		.whys = (const char *const *)a->fates.whys,
		.code = code,
		.text = code ? a->text : "",
		.next_max = a->config->hook.form == HF_HOOK_JSON ? LINES_MAX : CALLS_MAX };

	free(a->lines);
	a->lines = NULL;
	a->batch = (struct hf_batch){ 0 };
	a->host->applied(a->host->arg, &r);
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
    struct hf_adapter *a, const char *call, const char *what, const char *printed)
{
	snprintf(a->text, sizeof(a->text), "'%.150s' %.130s%s%.60s%s%.200s", hook_program(a), call,
	    *call ? " " : "", what, *printed ? ": " : "", printed);
}

/* --- dhcp-script: a call after the other --- */

static void next_call(struct hf_adapter *a);

static void change_ended(struct hf_adapter *a, uint8_t fate)
{
	hf_hook_fates_add(&a->fates, fate, fate == HF_FATE_FAILED ? a->text : NULL);
	a->n_failed = fate == HF_FATE_FAILED ? a->n_failed + 1 : 0;
	a->call = 0;
	a->at++;
}

/* A call that fails is the matter of its change: the others go on. */
static void on_call_end(void *arg, struct hf_child_end *end)
{
	struct hf_adapter *a = arg;
	const struct hf_change *c = &a->batch.at[a->at];
	size_t n = a->config->hook.command.n;
	bool failed = end->code;
	char call[160];

	if (failed) {
		snprintf(call, sizeof(call), "%s %.120s", a->made->argv[n], a->made->name);
		hook_describe(
		    a, call, end->what, last_line(*end->errors ? end->errors : end->output));
	}
	hf_child_free(a->child);
	a->child = NULL;
	if (failed || ++a->call == hf_hook_calls(c))
		change_ended(a, failed ? HF_FATE_FAILED : HF_FATE_DONE);
	next_call(a);
}

static void next_call(struct hf_adapter *a)
{
	struct hf_child_opts o = { .argv = a->made->argv,
		.env = a->made->env,
		.output_max = PRINTED_MAX,
		.output_clipped = true,
		.errors_kept = true,
		.limit_ms = a->config->hook.timeout_ms };
	char why[HF_CHILD_WHY_MAX];
	int rc;

	if (a->at == a->batch.n || a->n_failed == FAILED_MAX) {
		hook_answer(a, 0);
		return;
	}
	hf_hook_call_make(a->config, &a->zones, &a->batch, &a->batch.at[a->at], a->call, a->made);
	rc = hf_child_run(a->host->base, &o, on_call_end, a, &a->child, why);
	if (rc) {
		hook_describe(a, "", "cannot be run", why);
		hook_answer(a, rc);
	}
}

/* --- json: a batch is a call --- */

static void on_batch_end(void *arg, struct hf_child_end *end)
{
	struct hf_adapter *a = arg;
	char said[HF_HOOK_TEXT_MAX];
	int code = hf_hook_receipt(end->output, a->batch.n, &a->fates, said);

	/* How it ended says more than that lines are missing; what was told before that holds. */
	if (end->code) {
		code = end->code;
		hook_describe(a, "", end->what, last_line(end->errors));
	} else if (code) {
		snprintf(a->text, sizeof(a->text), "'%.100s' %.480s", hook_program(a), said);
	}
	hf_child_free(a->child);
	a->child = NULL;
	hook_answer(a, code);
}

static void run_batch(struct hf_adapter *a)
{
	const char *argv[HF_HOOK_ARGS_MAX + 1] = { NULL };
	struct hf_child_opts o = { .argv = argv,
		.output_max = hf_hook_output_max(a->batch.n),
		.errors_kept = true,
		.limit_ms = a->config->hook.timeout_ms };
	char why[HF_CHILD_WHY_MAX];
	int rc = -ENOMEM;

	for (size_t i = 0; i < a->config->hook.command.n && i < HF_HOOK_ARGS_MAX; i++)
		argv[i] = a->config->hook.command.at[i];
	a->lines = hf_hook_lines(a->config, &a->zones, &a->batch, &o.input_len);
	o.input = a->lines;
	snprintf(why, sizeof(why), "%s", hf_strerror(rc));
	if (a->lines)
		rc = hf_child_run(a->host->base, &o, on_batch_end, a, &a->child, why);
	if (rc) {
		hook_describe(a, "", "cannot be run", why);
		hook_answer(a, rc);
	}
}

/* --- the type's functions --- */

/* From the loop: an answer never comes from within the call. */
static void on_hook_soon(evutil_socket_t fd, short what, void *arg)
{
	struct hf_adapter *a = arg;

	a->at = 0;
	a->call = a->n_failed = 0;
	if (hf_hook_fates_make(&a->fates, a->batch.n)) {
		snprintf(a->text, sizeof(a->text), "%s", hf_strerror(-ENOMEM));
		hook_answer(a, -ENOMEM);
	} else if (a->config->hook.form == HF_HOOK_JSON && a->batch.n)
		run_batch(a);
	else
		next_call(a);
}

static void hook_apply(struct hf_adapter *a, const struct hf_batch *batch)
{
	a->batch = *batch;
	event_active(a->soon, EV_TIMEOUT, 0);
}

static void hook_zones(
    struct hf_adapter *a, const struct hf_name *suffixes, size_t n, uint32_t ttl_s)
{
	a->zones.n = n < HF_HOOK_SUFFIXES_MAX ? n : HF_HOOK_SUFFIXES_MAX;
	if (n)
		memcpy(a->zones.suffixes, suffixes, a->zones.n * sizeof(*suffixes));
	a->zones.ttl_s = ttl_s;
}

static void hook_doctor_report(struct hf_adapter *a, int grade, const char *line, const char *what)
{
	struct hf_finding f = { .text = a->text, .line = line };

	f.grade = grade;
	snprintf(a->text, sizeof(a->text), "the program '%.150s' %.300s", hook_program(a), what);
	a->host->found(a->host->arg, &f);
}

/* The program is not run to see: whatever it does, it does. */
static void on_examine(evutil_socket_t fd, short what, void *arg)
{
	struct hf_adapter *a = arg;
	char why[200] = "", said[260], line[400];
	int file = hf_file_open_checked(
	    hook_program(a), HF_FILE_OWN | HF_FILE_NO_OTHER_WRITE, why, sizeof(why));

	if (file >= 0)
		close(file);
	if (file < 0) {
		snprintf(line, sizeof(line),
		    file == HF_EUNSAFE
			? "chown root %.150s; chmod go-w %.150s; its folder likewise"
			: "command: the path of a program that is there, not %.150s%.0s",
		    hook_program(a), hook_program(a));
		snprintf(
		    said, sizeof(said), "cannot be used: %s", why[0] ? why : hf_strerror(file));
		hook_doctor_report(a, HF_FINDING_BAD, line, said);
	} else if (access(hook_program(a), X_OK) < 0) {
		snprintf(line, sizeof(line), "chmod +x %.150s", hook_program(a));
		hook_doctor_report(a, HF_FINDING_BAD, line, "cannot be run");
	} else {
		hook_doctor_report(
		    a, HF_FINDING_GOOD, "", "is there, and only its owner may write it");
	}
	a->host->examined(a->host->arg);
}

static void hook_doctor(struct hf_adapter *a)
{
	event_active(a->examine, EV_TIMEOUT, 0);
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
	if (!a)
		return;
	hf_child_free(a->child);
	if (a->soon)
		event_free(a->soon);
	if (a->examine)
		event_free(a->examine);
	free(a->made);
	free(a->lines);
	hf_hook_fates_free(&a->fates);
	free(a);
}

static int hook_open(const struct hf_config_adapter *config, const struct hf_adapter_host *host,
    struct hf_adapter **ret_adapter)
{
	struct hf_adapter *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->config = config;
	a->host = host;
	a->made = calloc(1, sizeof(*a->made));
	a->soon = event_new(host->base, -1, EV_TIMEOUT, on_hook_soon, a);
	a->examine = event_new(host->base, -1, EV_TIMEOUT, on_examine, a);
	if (!a->made || !a->soon || !a->examine) {
		hook_close(a);
		return -ENOMEM;
	}
	*ret_adapter = a;
	return 0;
}

const struct hf_adapter_type hf_hook_adapter_type = {
	.name = "hook",
	.open = hook_open,
	.close = hook_close,
	.zones = hook_zones,
	.apply = hook_apply,
	.doctor = hook_doctor,
	.setup = hook_setup,
};
