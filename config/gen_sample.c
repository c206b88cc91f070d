/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sample: "# text" explains, "#key: value" is a key that can be switched on by taking its '#'
 * away (and those of the maps that it is in).
 */
#include "config/gen.h"

#include <stdlib.h>
#include <string.h>

#include "config/type.h"

enum { WIDTH = 96 };

struct gen_sample {
	FILE *out;
	int indent;
	bool dash; /* the next key begins an entry of a list */
	bool off;  /* all of this map is commented out: its '#' is at `base` */
	int base;
};

static void sample_key(struct gen_sample *s, const struct hf_key *key);
static void sample_keys(struct gen_sample *s, const struct hf_keys *keys);

/* Words up to the width, each line behind "# ". */
static void sample_comment(const struct gen_sample *s, const char *text)
{
	int indent = s->off ? s->base : s->indent;
	int at = 0;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (at && at + 1 + len > WIDTH) {
			fputc('\n', s->out);
			at = 0;
		}
		if (!at)
			at = fprintf(s->out, "%*s# %.*s", indent, "", len, text);
		else
			at += fprintf(s->out, " %.*s", len, text);
		text += len;
		text += strspn(text, " ");
	}
	fputc('\n', s->out);
}

static void sample_explain(const struct gen_sample *s, const struct hf_key *key)
{
	char text[1024], expect[HF_EXPECT_MAX] = "";
	int n = snprintf(text, sizeof(text), "%s", key->help);

	if (key->type)
		key->type->expect(key, expect);
	if (expect[0])
		n += snprintf(text + n, sizeof(text) - (size_t)n, " Expected: %s%s.",
		    key->kind == HF_KEY_VALUES ? "one or more of " : "", expect);
	if (key->without)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " Without it: %s.", key->without);
	if (key->flags & HF_KEY_RESTART)
		snprintf(text + n, sizeof(text) - (size_t)n, " Read at start only.");
	sample_comment(s, text);
}

/* "#key:", "- key:" or "key:" at its place. */
static void sample_begin(struct gen_sample *s, const char *name, bool on)
{
	if (s->off)
		fprintf(s->out, "%*s#%*s%s%s:", s->base, "",
		    s->indent - s->base - (s->dash ? 2 : 0), "", s->dash ? "- " : "", name);
	else if (!on)
		fprintf(s->out, "%*s#%s:", s->indent, "", name);
	else
		fprintf(s->out, "%*s%s%s:", s->indent - (s->dash ? 2 : 0), "", s->dash ? "- " : "",
		    name);
	s->dash = false;
}

static void sample_map(struct gen_sample *s, const struct hf_key *key)
{
	struct gen_sample below = {
		.out = s->out, .indent = s->indent + 2, .off = true, .base = s->indent
	};

	if (s->off)
		below.base = s->base;
	sample_begin(s, key->name, false);
	fputc('\n', s->out);
	sample_keys(&below, &key->keys);
}

static void sample_entries(struct gen_sample *s, const struct hf_key *key)
{
	struct gen_sample below = { .out = s->out, .indent = s->indent + 4, .dash = true };

	sample_begin(s, key->name, true);
	fputc('\n', s->out);
	sample_keys(&below, &key->keys);
}

/*
 * A list whose entries are of several kinds is switched off: one entry of each, all keys of the
 * first.
 */
static void sample_variants(struct gen_sample *s, const struct hf_key *key)
{
	const struct hf_key *kind = hf_keys_flagged(&key->keys, HF_KEY_VARIANT);

	sample_begin(s, key->name, false);
	fputc('\n', s->out);
	for (const struct hf_variant *v = key->variants; v->word; v++) {
		struct gen_sample below = { .out = s->out,
			.indent = s->indent + 4,
			.dash = true,
			.off = true,
			.base = s->indent };

		if (v == key->variants)
			sample_explain(&below, kind);
		sample_begin(&below, kind->name, false);
		fprintf(s->out, " %s\n", v->word);
		sample_keys(&below, &v->keys);
		for (size_t i = 0; v == key->variants && i < key->keys.n; i++)
			if (&key->keys.at[i] != kind)
				sample_key(&below, &key->keys.at[i]);
	}
}

static void sample_key(struct gen_sample *s, const struct hf_key *key)
{
	char *text;

	if (!s->indent)
		fputc('\n', s->out);
	sample_explain(s, key);
	if (key->kind == HF_KEY_MAP) {
		sample_map(s, key);
	} else if (key->variants) {
		sample_variants(s, key);
	} else if (key->kind == HF_KEY_ENTRIES) {
		sample_entries(s, key);
	} else {
		sample_begin(s, key->name, key->flags & HF_KEY_SAMPLE);
		text = hf_gen_value(key);
		fprintf(s->out, " %s\n", text ? text : "");
		free(text);
	}
}

static void sample_keys(struct gen_sample *s, const struct hf_keys *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		sample_key(s, &keys->at[i]);
}

void hf_gen_sample(const struct hf_key *table, FILE *out)
{
	struct gen_sample s = { .out = out };

	sample_comment(&s,
	    "The configuration of Holdfast: /etc/holdfast/holdfast.yaml. Every key is here with its default; those without a default have an example. A line that begins with '#' and no blank is a key that is switched off.");
	sample_comment(&s,
	    "'holdfastd --check -c FILE' tells what is wrong with a file, 'holdfastd --check -v' what is in force. holdfast.yaml(5) says more.");
	sample_comment(&s, "This file is made by 'hf-config-gen sample'.");
	sample_keys(&s, &table->keys);
}
