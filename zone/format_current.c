/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_current: the text of `current`, the names of the files beside it, and their checksum. The
 * text is read loosely and then written again: what does not come out the same, byte for byte, is
 * refused.
 */
#include "zone/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/hex.h"
#include "zone/hash.h"

static const char magic[] = "holdfast-zone ";
static const char end_word[] = "end ";

enum {
	HEX_LEN = 2 * HF_FMT_HASH_LEN,
	END_LINE_LEN = sizeof(end_word) - 1 + HEX_LEN + 1,
	TOKEN_MAX = 80,
};

void hf_fmt_hash(const void *bytes, size_t len, uint8_t ret_hash[static HF_FMT_HASH_LEN])
{
	hf_hash_store(XXH3_128bits(bytes, len), ret_hash);
}

/* --- file names --- */

/* Digits without leading zeros, up to 2^64 - 1. Returns what follows them, or NULL. */
static const char *current_read_number(const char *at, uint64_t *ret_number)
{
	uint64_t n = 0;
	const char *start = at;

	for (; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (n > (UINT64_MAX - digit) / 10)
			return NULL;
		n = n * 10 + digit;
	}
	if (at == start || (*start == '0' && at - start > 1))
		return NULL;
	*ret_number = n;
	return at;
}

static const char *current_skip_word(const char *at, const char *word)
{
	size_t len = strlen(word);

	return at && !strncmp(at, word, len) ? at + len : NULL;
}

enum hf_fmt_file_kind hf_fmt_file_kind(const char *name, uint64_t *ret_n, uint64_t *ret_m)
{
	enum hf_fmt_file_kind kind = HF_FMT_FILE_BASE;
	const char *at = current_skip_word(name, "base-");
	uint64_t n = 0, m = 0;

	if (at) {
		at = current_read_number(at, &n);
	} else {
		kind = HF_FMT_FILE_DELTA;
		at = current_skip_word(name, "delta-");
		at = at ? current_read_number(at, &n) : NULL;
		at = current_skip_word(at, "-");
		at = at ? current_read_number(at, &m) : NULL;
	}
	at = current_skip_word(at, ".cdb");
	if (!at || *at || at - name >= HF_FMT_FILE_NAME_MAX)
		return HF_FMT_FILE_OTHER;
	if (ret_n)
		*ret_n = n;
	if (ret_m)
		*ret_m = m;
	return kind;
}

/* --- the text --- */

/* A word that is a hash or an epoch, and no more. */
static int get_hash(const char *word, uint8_t ret_bytes[static HF_FMT_HASH_LEN])
{
	int rc = hf_hex_get(word, HF_FMT_HASH_LEN, ret_bytes);

	return rc ? rc : word[HEX_LEN] ? HF_EFORMAT : 0;
}

static int put_file(const char *word, const struct hf_fmt_file *file, char *out, size_t size)
{
	char hex[HEX_LEN + 1];

	if (!file->name[0])
		return snprintf(out, size, "%s - 0 -\n", word);
	hf_hex_put(file->hash, sizeof(file->hash), hex);
	return snprintf(out, size, "%s %s %" PRIu64 " %s\n", word, file->name, file->size, hex);
}

int hf_fmt_current_put(const struct hf_fmt_current *c, char *out, size_t size)
{
	char epoch[HEX_LEN + 1], base[200], delta[200], hex[HEX_LEN + 1];
	uint8_t hash[HF_FMT_HASH_LEN];
	int len, n;

	if (hf_fmt_file_kind(c->base.name, NULL, NULL) != HF_FMT_FILE_BASE ||
	    (c->delta.name[0] && hf_fmt_file_kind(c->delta.name, NULL, NULL) != HF_FMT_FILE_DELTA))
		return HF_EFORMAT;
	hf_hex_put(c->epoch, sizeof(c->epoch), epoch);
	put_file("base", &c->base, base, sizeof(base));
	put_file("delta", &c->delta, delta, sizeof(delta));
	len = snprintf(out, size, "%s1\nepoch %s\ngeneration %" PRIu64 "\n%s%s", magic, epoch,
	    c->generation, base, delta);
	if (len < 0 || (size_t)len >= size)
		return HF_ELIMIT;
	hf_fmt_hash(out, (size_t)len, hash);
	hf_hex_put(hash, sizeof(hash), hex);
	n = snprintf(out + len, size - (size_t)len, "%s%s\n", end_word, hex);
	if (n < 0 || (size_t)n >= size - (size_t)len)
		return HF_ELIMIT;
	return len + n;
}

/*
 * The next word, up to a space or the end of the line, which goes with it. "" when there is none.
 */
struct words {
	const char *at;
	const char *end;
	char word[TOKEN_MAX];
};

static const char *current_next_word(struct words *w)
{
	size_t n = 0;

	while (w->at < w->end && *w->at != ' ' && *w->at != '\n' && n + 1 < sizeof(w->word))
		w->word[n++] = *w->at++;
	w->word[n] = '\0';
	if (w->at < w->end)
		w->at++;
	return w->word;
}

static int get_number(struct words *w, uint64_t *ret_number)
{
	const char *end = current_read_number(current_next_word(w), ret_number);

	return end && !*end ? 0 : HF_EFORMAT;
}

static int get_file(struct words *w, struct hf_fmt_file *ret_file)
{
	const char *name;

	current_next_word(w); /* "base" or "delta": the comparison at the end sees to it */
	name = current_next_word(w);
	if (!strcmp(name, "-"))
		return get_number(w, &ret_file->size) || strcmp(current_next_word(w), "-")
			   ? HF_EFORMAT
			   : 0;
	if (strlen(name) >= sizeof(ret_file->name))
		return HF_EFORMAT;
	memcpy(ret_file->name, name, strlen(name) + 1);
	return get_number(w, &ret_file->size) ? HF_EFORMAT
					      : get_hash(current_next_word(w), ret_file->hash);
}

static int get_fields(const char *text, size_t len, struct hf_fmt_current *c)
{
	struct words w = { .at = text, .end = text + len };
	int rc;

	current_next_word(&w);
	current_next_word(&w);
	current_next_word(&w);
	rc = get_hash(current_next_word(&w), c->epoch);
	current_next_word(&w);
	if (!rc)
		rc = get_number(&w, &c->generation);
	if (!rc)
		rc = get_file(&w, &c->base);
	if (!rc)
		rc = get_file(&w, &c->delta);
	return rc;
}

/* Of another version is what says so in its first line, whatever follows. */
static int check_version(const char *text, size_t len)
{
	size_t magic_len = sizeof(magic) - 1;
	struct words w = { .end = text + len };
	uint64_t version;

	if (len < magic_len || memcmp(text, magic, magic_len))
		return HF_EFORMAT;
	w.at = text + magic_len;
	if (get_number(&w, &version) || w.at[-1] != '\n')
		return HF_EFORMAT;
	return version == 1 ? 0 : HF_ESCHEMA;
}

int hf_fmt_current_get(const void *bytes, size_t len, struct hf_fmt_current *ret_current)
{
	const char *text = bytes;
	char again[HF_FMT_CURRENT_MAX], hex[HEX_LEN + 1] = "";
	uint8_t want[HF_FMT_HASH_LEN], hash[HF_FMT_HASH_LEN];
	struct hf_fmt_current c = { 0 };
	int rc;

	if (len > HF_FMT_CURRENT_MAX)
		return HF_EFORMAT;
	rc = check_version(text, len);
	if (rc)
		return rc;
	if (len < END_LINE_LEN || memcmp(text + len - END_LINE_LEN, end_word, sizeof(end_word) - 1))
		return HF_EFORMAT;
	memcpy(hex, text + len - 1 - HEX_LEN, HEX_LEN);
	if (hf_hex_get(hex, sizeof(want), want))
		return HF_EFORMAT;
	hf_fmt_hash(text, len - END_LINE_LEN, hash);
	if (memcmp(hash, want, sizeof(hash)))
		return HF_ECHECKSUM;
	rc = get_fields(text, len - END_LINE_LEN, &c);
	if (rc)
		return rc;
	rc = hf_fmt_current_put(&c, again, sizeof(again));
	if (rc < 0 || (size_t)rc != len || memcmp(again, text, len))
		return HF_EFORMAT;
	*ret_current = c;
	return 0;
}
