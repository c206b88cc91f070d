/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/model/rest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/scenario/message.h"

/*
 * "1:alice:yes" or "1:alice::listed": a number, a name, "yes", "no" or nothing, whether the list of
 * all has it.
 */
static bool tell_owner(struct hf_server_info *t, char *word)
{
	char *part[4] = { word };
	struct hf_owner_info o = { .readable = READABLE_UNKNOWN };

	for (int i = 1; i < 4 && part[i - 1]; i++) {
		part[i] = strchr(part[i - 1], ':');
		if (part[i])
			*part[i]++ = '\0';
	}
	if (!part[2])
		return false;
	o.id = message_id((unsigned)strtoul(part[0], NULL, 10));
	snprintf(o.name, sizeof(o.name), "%s", part[1]);
	o.listed = part[3];
	if (*part[2])
		o.readable = strcmp(part[2], "yes") ? READABLE_NO : READABLE_YES;
	return hf_server_info_add(t, &o) == 0;
}

static bool tell_owners(struct hf_server_info *t, const char *text)
{
	char *copy = strdup(text ? text : ""), *rest = NULL;
	bool ok = copy;

	for (char *w = strtok_r(copy, ",", &rest); ok && w; w = strtok_r(NULL, ",", &rest))
		ok = tell_owner(t, w);
	free(copy);
	return ok;
}

static size_t count_words(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == ',';
	return n;
}

/* "1,unknown,open,list": what REST said to each word of the configuration. */
static bool tell_words(struct hf_server_info *t, const char *text)
{
	char *copy = text ? strdup(text) : NULL, *rest = NULL;
	bool ok = copy && hf_server_info_set_words(t, count_words(text)) == 0;
	size_t i = 0;

	for (char *w = ok ? strtok_r(copy, ",", &rest) : NULL; w; w = strtok_r(NULL, ",", &rest)) {
		struct hf_word_info *word = &t->words[i++];

		word->is = !strcmp(w, "unknown") ? WORD_UNKNOWN
			   : !strcmp(w, "open")  ? WORD_OPEN
						 : WORD_FOUND;
		t->n_unknown += word->is == WORD_UNKNOWN;
		t->complete = t->complete && word->is != WORD_OPEN;
		if (word->is == WORD_FOUND && strcmp(w, "list"))
			word->owner = message_id((unsigned)strtoul(w, NULL, 10));
	}
	free(copy);
	return ok;
}

static void tell_text(char *room, size_t size, const char *text)
{
	snprintf(room, size, "%s", text ? text : "");
}

/* Words are parted by "+" in a line, by a space in the message. */
static void tell_rights(struct hf_server_info *t, const char *text)
{
	tell_text(t->rights, sizeof(t->rights), text);
	for (char *c = t->rights; *c; c++)
		if (*c == '+')
			*c = ' ';
}

static bool tell_user(struct hf_server_info *t, const char *text)
{
	const char *name = text ? strchr(text, ':') : NULL;

	if (!name)
		return false;
	t->user = message_id((unsigned)strtoul(text, NULL, 10));
	tell_text(t->user_name, sizeof(t->user_name), name + 1);
	return true;
}

struct hf_server_info *rest_told(const struct words *a)
{
	struct hf_server_info *t = calloc(1, sizeof(*t));

	if (t)
		t->complete = true;
	if (!t || !tell_user(t, words_option(a, "user")) ||
	    !tell_owners(t, words_option(a, "owners")) ||
	    !tell_words(t, words_option(a, "words"))) {
		hf_server_info_free(t);
		return NULL;
	}
	tell_text(t->deployment_id, sizeof(t->deployment_id), words_option(a, "deployment"));
	tell_text(t->suffix, sizeof(t->suffix), words_option(a, "suffix"));
	tell_rights(t, words_option(a, "rights"));
	if (!t->complete || t->n_unknown)
		hf_problem_set(&t->missing, HF_PROBLEM_NO_USER, "a word is not known");
	return t;
}
