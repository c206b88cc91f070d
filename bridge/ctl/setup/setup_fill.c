/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/ctl/setup/setup_fill.h"

#include <errno.h>
#include <string.h>

/* Coder's /48, which all addresses of agents are in. */
static const char reverse_zone[] = "b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa";

static const char each_mark[] = "@*@", loopback_mark[] = "@?loopback@";

struct fill {
	const struct hf_setup_words *w;
	FILE *out;
	const char *now; /* the name that @suffix@ and @ours@ stand for; NULL: none */
	int rc;
};

/* One line or paragraph of the template. */
struct span {
	const char *at;
	size_t len;
};

static bool span_begins(struct span s, const char *with)
{
	return s.len >= strlen(with) && !memcmp(s.at, with, strlen(with));
}

static bool span_is(struct span s, const char *what)
{
	return s.len == strlen(what) && span_begins(s, what);
}

static bool span_holds(struct span s, const char *what)
{
	return memmem(s.at, s.len, what, strlen(what)) != NULL;
}

/* The line at `at`, with its end. */
static struct span line_at(const char *at, const char *end)
{
	const char *nl = memchr(at, '\n', (size_t)(end - at));

	return (struct span){ at, nl ? (size_t)(nl + 1 - at) : (size_t)(end - at) };
}

static void write_word(struct fill *f, struct span word)
{
	const struct hf_setup_words *w = f->w;
	bool v6 = strchr(w->dns_addr, ':') != NULL;

	if (span_begins(word, "file "))
		fprintf(f->out, "==> %.*s", (int)word.len - 5, word.at + 5);
	else if (f->now && (span_is(word, "suffix") || span_is(word, "ours")))
		fputs(f->now, f->out);
	else if (span_is(word, "reverse"))
		fputs(reverse_zone, f->out);
	else if (span_is(word, "dns-addr"))
		fputs(w->dns_addr, f->out);
	else if (span_is(word, "dns-port"))
		fprintf(f->out, "%u", w->dns_port);
	else if (span_is(word, "dns-hostport"))
		fprintf(f->out, v6 ? "[%s]:%u" : "%s:%u", w->dns_addr, w->dns_port);
	else if (span_is(word, "dns"))
		fprintf(f->out, "%s@%u", w->dns_addr, w->dns_port);
	else if (span_is(word, "zone"))
		fputs(w->zone, f->out);
	else if (span_is(word, "module-conf")) /* beside the module: X.so has X.conf */
		fprintf(f->out, "%.*s.conf", (int)strlen(w->module) - 3, w->module);
	else if (span_is(word, "module"))
		fputs(w->module, f->out);
	else
		f->rc = -EINVAL;
}

/* What may stand between two @: words are of small letters and '-', or a file. */
static bool is_word(struct span s)
{
	if (span_begins(s, "file "))
		return true;
	for (size_t i = 0; i < s.len; i++)
		if ((s.at[i] < 'a' || s.at[i] > 'z') && s.at[i] != '-')
			return false;
	return s.len > 0;
}

static void write_line(struct fill *f, struct span line)
{
	const char *at = line.at, *end = line.at + line.len;

	while (at < end && !f->rc) {
		const char *open = memchr(at, '@', (size_t)(end - at)), *close;
		struct span word;

		if (!open) {
			fwrite(at, 1, (size_t)(end - at), f->out);
			return;
		}
		close = memchr(open + 1, '@', (size_t)(end - open - 1));
		word = (struct span){ open + 1, close ? (size_t)(close - open - 1) : 0 };
		fwrite(at, 1, (size_t)(open - at), f->out);
		if (close && is_word(word)) {
			write_word(f, word);
			at = close + 1;
		} else {
			fputc('@', f->out);
			at = open + 1;
		}
	}
}

/* Calls `write` for each name that the span is to be repeated for, or once. */
static void span_repeat(struct fill *f, struct span s, bool ours, bool suffix,
    void (*write)(struct fill *f, struct span s))
{
	const char *before = f->now;
	char text[HF_NAME_TEXT_MAX];

	if (!ours && !suffix) {
		write(f, s);
		return;
	}
	for (size_t i = 0; i < f->w->n_suffixes; i++) {
		f->now = hf_name_text(&f->w->suffixes[i], text);
		write(f, s);
	}
	if (ours) {
		f->now = reverse_zone;
		write(f, s);
	}
	f->now = before;
}

static bool take_mark(struct span *line, const char *mark)
{
	size_t len = strlen(mark);

	if (!span_begins(*line, mark))
		return false;
	line->at += len;
	line->len -= len;
	return true;
}

static void write_paragraph(struct fill *f, struct span p)
{
	const char *end = p.at + p.len;

	for (const char *at = p.at; at < end && !f->rc;) {
		struct span line = line_at(at, end);

		at += line.len;
		if (take_mark(&line, loopback_mark) && !f->w->loopback)
			continue;
		if (take_mark(&line, each_mark)) {
			span_repeat(f, line, span_holds(line, "@ours@"),
			    span_holds(line, "@suffix@"), write_line);
		} else {
			write_line(f, line);
		}
	}
}

/* Whether a line of the paragraph that is not repeated by itself has the word. */
static bool paragraph_repeats(struct span p, const char *word)
{
	const char *end = p.at + p.len;

	for (const char *at = p.at; at < end;) {
		struct span line = line_at(at, end);

		at += line.len;
		if (!span_begins(line, each_mark) && span_holds(line, word))
			return true;
	}
	return false;
}

int hf_setup_fill(const char *text, const struct hf_setup_words *words, FILE *out)
{
	struct fill f = { .w = words, .out = out };
	const char *end = text + strlen(text);

	while (text < end && !f.rc) {
		const char *empty = strstr(text, "\n\n");
		struct span p = { text, empty ? (size_t)(empty + 2 - text) : (size_t)(end - text) };

		span_repeat(&f, p, paragraph_repeats(p, "@ours@"), paragraph_repeats(p, "@suffix@"),
		    write_paragraph);
		text += p.len;
	}
	return f.rc;
}
