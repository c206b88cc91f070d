/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/wire/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "bridge/stream/wire/printable.h"
#include "bridge/stream/wire/retry_after.h"

static const struct {
	enum hf_mends mends;
	const char *name;
	const char *text;
} problems[] = {
#define X(id, mends_, name_, text_) { MENDS_##mends_, name_, text_ },
	HF_PROBLEM_TABLE(X)
#undef X
};

const char *hf_problem_name(enum hf_problem_code code)
{
	return problems[code].name;
}

const char *hf_problem_text(enum hf_problem_code code)
{
	return problems[code].text;
}

enum hf_mends hf_problem_mends(enum hf_problem_code code)
{
	return problems[code].mends;
}

void hf_problem_set(struct hf_problem *p, enum hf_problem_code code, const char *format, ...)
{
	va_list ap;

	*p = (struct hf_problem){ .code = code, .wait_s = -1 };
	if (!format) {
		snprintf(p->text, sizeof(p->text), "%s", problems[code].text);
		return;
	}
	va_start(ap, format);
	vsnprintf(p->text, sizeof(p->text), format, ap);
	va_end(ap);
}

/* What names the cause before what only says that it did not work. */
static int problem_weight(const struct hf_problem *p)
{
	switch (p->code) {
	case HF_PROBLEM_NONE:
		return 0;
	case HF_PROBLEM_MEMORY:
	case HF_PROBLEM_TIMEOUT:
		return 1;
	case HF_PROBLEM_CONNECT:
		return 2;
	default:
		return 3;
	}
}

bool hf_problem_tells_more(const struct hf_problem *a, const struct hf_problem *b)
{
	return problem_weight(b) > problem_weight(a);
}

static bool text_begins(const char *text, const char *with)
{
	return text && !strncasecmp(text, with, strlen(with));
}

static bool is_page(const struct hf_http_answer *a)
{
	size_t n = a->body ? a->body_len : 0;
	size_t i = 0;

	while (i < n && (a->body[i] == ' ' || (a->body[i] >= '\t' && a->body[i] <= '\r')))
		i++;
	return text_begins(a->content_type, "text/html") ||
	       (n - i >= 5 && !strncasecmp(a->body + i, "<html", 5)) ||
	       (n - i >= 9 && !strncasecmp(a->body + i, "<!doctype", 9));
}

/* Coder's errors are {"message": ...}: what it says, printable; or "". */
static void server_says(const struct hf_http_answer *a, char *out, size_t size)
{
	json_t *root = a->body ? json_loadb(a->body, a->body_len, 0, NULL) : NULL;
	const char *message = json_string_value(json_object_get(root, "message"));
	char clipped[160];

	*out = '\0';
	if (message) {
		hf_printable_copy(clipped, sizeof(clipped), message, strlen(message));
		snprintf(out, size, ": %s", clipped);
	}
	json_decref(root);
}

static enum hf_problem_code code_of(const struct hf_http_answer *a, const char *says)
{
	switch (a->status) {
	case 400:
		return strstr(says, "API version") ? HF_PROBLEM_OLD : HF_PROBLEM_REFUSED;
	case 401:
		return is_page(a) ? HF_PROBLEM_NOT_CODER : HF_PROBLEM_SIGNED_OUT;
	case 403:
		return is_page(a) ? HF_PROBLEM_CAPTIVE : HF_PROBLEM_FORBIDDEN;
	case 404:
		return HF_PROBLEM_NOT_CODER;
	case 407:
		return HF_PROBLEM_PROXY;
	case 409:
		return HF_PROBLEM_REFUSED;
	case 429:
		return HF_PROBLEM_BUSY;
	case 511:
		return HF_PROBLEM_CAPTIVE;
	default:
		break;
	}
	if (a->status >= 300 && a->status < 400)
		return HF_PROBLEM_REDIRECT;
	if (a->status >= 200 && a->status < 300)
		return is_page(a) ? HF_PROBLEM_CAPTIVE : HF_PROBLEM_NOT_CODER;
	return a->status >= 500 ? HF_PROBLEM_STATUS : HF_PROBLEM_REFUSED;
}

void hf_problem_of_answer(
    struct hf_problem *p, const char *what, const struct hf_http_answer *a, int64_t wall_s)
{
	char says[170], where[160] = "";
	enum hf_problem_code code;

	server_says(a, says, sizeof(says));
	code = code_of(a, says);
	if (code == HF_PROBLEM_REDIRECT && a->location) {
		snprintf(where, sizeof(where), ", to ");
		hf_printable_copy(where + 5, sizeof(where) - 5, a->location, strlen(a->location));
	}
	hf_problem_set(
	    p, code, "%s (%s: %ld%s%s)", problems[code].text, what, a->status, where, says);
	if (a->retry_after && (a->status == 429 || a->status == 503))
		p->wait_s = hf_retry_after(a->retry_after, wall_s);
}
