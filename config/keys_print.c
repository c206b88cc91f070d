/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the struct that a table describes as YAML that reads back to the same. */
#include <stdlib.h>
#include <string.h>

#include "config/key.h"
#include "config/type.h"

struct printer {
	FILE *out;
	int indent;
	bool dash; /* the next line begins an entry of a list */
};

static void print_map(struct printer *p, const struct hf_key *map, const void *base);

#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.@%+-"

/*
 * Whether YAML takes it as it stands for the text that it is; more is quoted than would have to be.
 */
static bool print_is_plain(const char *text)
{
	const char *url = strstr(text, "://");

	if (!*text || strchr("@%+-", *text) || !strcasecmp(text, "null"))
		return false;
	/* The one colon that people are used to see without quotes. */
	if (url && strspn(text, PLAIN) == (size_t)(url - text))
		text = url + 3;
	return !text[strspn(text, PLAIN)];
}

static void print_yaml_text(FILE *out, const char *text)
{
	if (print_is_plain(text)) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

char *hf_key_plain(const struct hf_key *key, const void *value)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	/* A number that has a default may well be 0. */
	if (key->def || key->type->is_set(value))
		key->type->print(key, value, out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static void print_value(FILE *out, const struct hf_key *key, const void *value)
{
	char *text = hf_key_plain(key, value);

	if (text)
		print_yaml_text(out, text);
	free(text);
}

static void print_field(FILE *out, const struct hf_key *key, const void *field)
{
	struct hf_list list;

	if (key->kind == HF_KEY_VALUE) {
		print_value(out, key, field);
		return;
	}
	list = hf_key_list_get(field);
	fputc('[', out);
	for (size_t i = 0; i < list.n; i++) {
		fputs(i ? ", " : "", out);
		print_value(out, key, (const char *)list.at + i * hf_key_size(key));
	}
	fputc(']', out);
}

char *hf_key_text(const struct hf_key *key, const void *field)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	print_field(out, key, field);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static bool any_set(const struct hf_keys *keys, const void *base)
{
	for (size_t i = 0; keys && i < keys->n; i++) {
		if (hf_key_is_set(&keys->at[i], (const char *)base + keys->at[i].offset))
			return true;
	}
	return false;
}

bool hf_key_is_set(const struct hf_key *key, const void *field)
{
	switch (key->kind) {
	case HF_KEY_VALUE:
		return key->def || key->type->is_set(field);
	case HF_KEY_VALUES:
	case HF_KEY_ENTRIES:
		return key->def || hf_key_list_get(field).n;
	case HF_KEY_MAP:
		break;
	}
	return any_set(&key->keys, field) || any_set(hf_keys_variant(key, field), field);
}

static void print_begin_line(struct printer *p, const char *name)
{
	fprintf(p->out, "%*s%s%s:", p->indent - (p->dash ? 2 : 0), "", p->dash ? "- " : "", name);
	p->dash = false;
}

static void print_entries(struct printer *p, const struct hf_key *key, const void *field)
{
	struct hf_list list = hf_key_list_get(field);

	if (!list.n) {
		fputs(" []\n", p->out);
		return;
	}
	fputc('\n', p->out);
	for (size_t i = 0; i < list.n; i++) {
		struct printer entry = { .out = p->out, .indent = p->indent + 4, .dash = true };

		print_map(&entry, key, (const char *)list.at + i * key->size);
		if (entry.dash)
			fprintf(p->out, "%*s- {}\n", p->indent + 2, "");
	}
}

static void print_key(struct printer *p, const struct hf_key *key, const void *field)
{
	struct printer below;

	if (!hf_key_is_set(key, field))
		return;
	print_begin_line(p, key->name);
	switch (key->kind) {
	case HF_KEY_VALUE:
	case HF_KEY_VALUES:
		fputc(' ', p->out);
		print_field(p->out, key, field);
		fputc('\n', p->out);
		break;
	case HF_KEY_MAP:
		fputc('\n', p->out);
		below = (struct printer){ .out = p->out, .indent = p->indent + 2 };
		print_map(&below, key, field);
		break;
	case HF_KEY_ENTRIES:
		print_entries(p, key, field);
		break;
	}
}

static void print_keys(struct printer *p, const struct hf_keys *keys, const void *base)
{
	for (size_t i = 0; keys && i < keys->n; i++)
		print_key(p, &keys->at[i], (const char *)base + keys->at[i].offset);
}

static void print_map(struct printer *p, const struct hf_key *map, const void *base)
{
	print_keys(p, &map->keys, base);
	print_keys(p, hf_keys_variant(map, base), base);
}

void hf_keys_print(const struct hf_key *map, const void *base, FILE *out)
{
	struct printer p = { .out = out };

	print_map(&p, map, base);
}
