/* SPDX-License-Identifier: Apache-2.0 */
/* The manual page, in the macros of man(7). */
#include "config/gen.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/type.h"

char *hf_gen_value(const struct hf_key *key)
{
	union {
		char bytes[512];
		max_align_t align;
	} field = { .bytes = { 0 } };
	struct hf_key k = *key;
	char *text = NULL;

	k.def = key->def ? key->def : key->example;
	if (k.def && !hf_key_default(&k, &field))
		text = hf_key_text(&k, &field);
	hf_key_done(&k, &field);
	return text;
}

/*
 * Text of ours as roff shows it: hyphens stay what people type, and no line begins with a control
 * character.
 */
static void manual_text(FILE *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++) {
		switch (*text) {
		case '\\':
			fputs("\\e", out);
			break;
		case '-':
			fputs("\\-", out);
			break;
		case '\'':
			fputs("\\(aq", out);
			break;
		case '~':
			fputs("\\(ti", out);
			break;
		case '^':
			fputs("\\(ha", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

static void manual_line(FILE *out, const char *text)
{
	manual_text(out, text);
	fputc('\n', out);
}

static void manual_labelled(FILE *out, const char *label, const char *text, const char *end)
{
	fputs(".br\n", out);
	fprintf(out, "%s: ", label);
	manual_text(out, text);
	fprintf(out, "%s\n", end);
}

static void manual_key(FILE *out, const struct hf_key *key)
{
	char expect[HF_EXPECT_MAX];
	char *text = key->def ? hf_gen_value(key) : NULL;

	fputs(".TP\n.B ", out);
	manual_line(out, key->name);
	manual_line(out, key->help);
	key->type->expect(key, expect);
	manual_labelled(
	    out, key->kind == HF_KEY_VALUES ? "One or more of" : "Expected", expect, ".");
	if (text)
		manual_labelled(out, "Default", text, "");
	else if (key->without)
		manual_labelled(out, "Without it", key->without, ".");
	if (key->flags & HF_KEY_RESTART)
		fputs(".br\nRead at start only.\n", out);
	free(text);
}

static void manual_variants(FILE *out, const struct hf_key *map, const char *path);

/* The keys of one map; those that are maps themselves follow under headings of their own. */
static void manual_keys(FILE *out, const struct hf_key *map, const char *path)
{
	for (size_t i = 0; i < map->keys.n; i++) {
		const struct hf_key *key = &map->keys.at[i];

		if (key->type)
			manual_key(out, key);
	}
	for (size_t i = 0; i < map->keys.n; i++) {
		const struct hf_key *key = &map->keys.at[i];
		char below[128];

		if (key->type)
			continue;
		snprintf(below, sizeof(below), "%s%s%s%s", path, *path ? "." : "", key->name,
		    key->kind == HF_KEY_ENTRIES ? "[]" : "");
		fputs(".SS ", out);
		manual_line(out, below);
		manual_line(out, key->help);
		if (key->kind == HF_KEY_ENTRIES)
			manual_line(out, "A list: each entry is a map that begins with '- '.");
		if (key->without)
			manual_labelled(out, "Without it", key->without, ".");
		manual_keys(out, key, below);
		manual_variants(out, key, below);
	}
}

static void manual_variants(FILE *out, const struct hf_key *map, const char *path)
{
	const struct hf_key *kind = hf_keys_flagged(&map->keys, HF_KEY_VARIANT);

	for (const struct hf_variant *v = map->variants; v && v->word; v++) {
		const struct hf_key keys = { .keys = v->keys };
		char heading[200];

		snprintf(heading, sizeof(heading), "%s with %s: %s", path, kind->name, v->word);
		fputs(".SS ", out);
		manual_line(out, heading);
		manual_keys(out, &keys, path);
	}
}

static const char head[] =
    ".\\\" Made by 'hf-config-gen manual'.\n"
    ".TH HOLDFAST.YAML 5 \"\" Holdfast \"File formats\"\n"
    ".SH NAME\n"
    "holdfast.yaml \\- configuration of Holdfast\n"
    ".SH SYNOPSIS\n"
    ".I " HF_CONFIG_PATH "\n"
    ".SH DESCRIPTION\n"
    "The programs of Holdfast read this file.\n"
    "It is YAML: maps, lists and text; anchors, aliases, tags and further documents are refused.\n"
    "Every key has a default; an empty file is one that follows the server of the coder CLI.\n"
    "An unknown key, a value of the wrong form and keys that do not go together are errors; all of a file are\n"
    "told at once, with line, column and what was expected.\n"
    ".PP\n"
    "The file must belong to root or to the user that reads it, and neither it nor its folder may be writable\n"
    "by others.\n"
    ".PP\n"
    ".B holdfastd \\-\\-check\n"
    "tells whether a file is right;\n"
    ".B holdfastd \\-\\-check \\-v\n"
    "prints the configuration that is in force, defaults included.\n"
    ".PP\n"
    "Durations are numbers with a unit (ms, s, m, h, d), also several: 1h30m.\n"
    "Sizes are bytes, or numbers with KiB, MiB or GiB.\n"
    "Text that holds a colon, or begins with a character that has a meaning in YAML, needs quotes.\n"
    ".SH KEYS\n";

static const char tail[] =
    ".SH URL AND TOKEN\n"
    "The URL of a source is the key url, else the variable CODER_URL, else what the url file of the coder CLI\n"
    "holds.\n"
    ".PP\n"
    "Its session token is what the file of the key token\\-file holds, else the systemd credential\n"
    "holdfast\\-token.NAME (NAME being that of the source) or holdfast\\-token,\n"
    "else the variable CODER_SESSION_TOKEN, else what the session file of the coder CLI holds.\n"
    "The first place that has one decides; if it is not usable, no other is tried.\n"
    "A token of the environment goes only to the server of CODER_URL or, where that is not set, to the only source\n"
    "that there is; a token of the CLI only to the server of its url file.\n"
    "Tokens are never read from a command line.\n"
    ".PP\n"
    "A token file must belong to root or to the user that reads it, must not be readable by others,\n"
    "and must be no symlink.\n"
    "The files of the coder CLI are in CODER_CONFIG_DIR, else in XDG_CONFIG_HOME/coderv2, else in\n"
    "HOME/.config/coderv2.\n"
    ".SH EXAMPLE\n"
    ".nf\n"
    "sources:\n"
    "  \\- url: https://coder.example.com\n"
    "    token\\-file: /etc/holdfast/token\n"
    ".fi\n"
    ".SH FILES\n"
    ".TP\n"
    ".I " HF_CONFIG_PATH "\n"
    "Read where \\-c names no other.\n";

void hf_gen_manual(const struct hf_key *table, FILE *out)
{
	fputs(head, out);
	manual_keys(out, table, "");
	fputs(tail, out);
}
