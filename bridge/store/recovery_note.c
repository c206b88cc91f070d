/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/store/recovery_note.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hex.h"

static const char head[] = "holdfast-recovery 1\n";
static const char *const state_names[] = { "none", "started", "spent" };
static const char *const from_names[] = {
	[HF_STORE_COPY] = "copy",
	[HF_STORE_EMPTY] = "empty",
	[HF_STORE_IMAGE] = "memory",
};
enum { N_STATES = 3, N_FROM = sizeof(from_names) / sizeof(from_names[0]) };

/* The rest of the line "key: value" in `text`, into out. */
static bool note_find(const char *text, const char *key, char *out, size_t size)
{
	char start[32];
	const char *at, *end;

	snprintf(start, sizeof(start), "\n%s: ", key);
	at = strstr(text, start);
	if (!at)
		return false;
	at += strlen(start);
	end = strchr(at, '\n');
	if (!end || (size_t)(end - at) >= size)
		return false;
	memcpy(out, at, (size_t)(end - at));
	out[end - at] = '\0';
	return true;
}

static bool find_index(
    const char *text, const char *key, const char *const *names, size_t n, int *ret)
{
	char value[32];

	if (!note_find(text, key, value, sizeof(value)))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (names[i] && !strcmp(names[i], value)) {
			*ret = (int)i;
			return true;
		}
	}
	return false;
}

static bool find_number(const char *text, const char *key, int64_t *ret)
{
	char value[32], *end;

	if (!note_find(text, key, value, sizeof(value)) || !*value)
		return false;
	errno = 0;
	*ret = strtoll(value, &end, 10);
	return !*end && !errno && *ret >= 0;
}

static bool find_epoch(const char *text, uint8_t ret[16])
{
	char value[33];

	return note_find(text, "epoch", value, sizeof(value)) && strlen(value) == 32 &&
	       !hf_hex_get(value, 16, ret);
}

static bool note_parse(const char *text, struct hf_recovery_note *a)
{
	int64_t tries = 0, generation = 0, zone_due = 0;
	int state = 0, from = 0;

	if (strncmp(text, head, sizeof(head) - 1) ||
	    !find_index(text, "state", state_names, N_STATES, &state) ||
	    !find_index(text, "from", from_names, N_FROM, &from) ||
	    !find_number(text, "tries", &tries) || !find_number(text, "began", &a->began_s) ||
	    !find_epoch(text, a->epoch) || !note_find(text, "aside", a->aside, sizeof(a->aside)) ||
	    strchr(a->aside, '/') || !note_find(text, "reason", a->reason, sizeof(a->reason)))
		return false;
	a->state = (enum hf_recovery_note_state)state;
	a->from = (enum hf_store_origin)from;
	a->tries = tries > 1000 ? 1000 : (unsigned)tries;
	/* Lines that a note of before has not. */
	find_number(text, "generation", &generation);
	find_number(text, "zone-due", &zone_due);
	a->generation = (uint64_t)generation;
	a->zone_due = zone_due == 1;
	return true;
}

void hf_recovery_note_read(const struct hf_store_files *f, struct hf_recovery_note *ret_attempt)
{
	struct hf_recovery_note a = { 0 };
	char name[NAME_MAX + 1];
	uint8_t *bytes = NULL;
	size_t len = 0;
	int rc =
	    hf_file_read(f->dirfd, hf_store_files_name(f, ".recovery", name), 4096, &bytes, &len);
	bool none = rc == -ENOENT || (!rc && len == 0);

	if (!none && (rc || strlen((char *)bytes) != len || !note_parse((char *)bytes, &a))) {
		a = (struct hf_recovery_note){ .state = HF_RECOVERY_NOTE_SPENT,
			.from = HF_STORE_EMPTY };
		snprintf(
		    a.reason, sizeof(a.reason), "its note '%.200s' cannot be understood", name);
	}
	free(bytes);
	*ret_attempt = a;
}

int hf_recovery_note_write(const struct hf_store_files *f, const struct hf_recovery_note *attempt)
{
	char text[1024], hex[33], name[NAME_MAX + 1], reason[256];
	int len, rc;

	hf_hex_put(attempt->epoch, sizeof(attempt->epoch), hex);
	snprintf(reason, sizeof(reason), "%s", attempt->reason);
	for (char *c = reason; *c; c++)
		*c = *c == '\n' ? ' ' : *c;
	len = snprintf(text, sizeof(text),
	    "%sstate: %s\nfrom: %s\ntries: %u\nbegan: %" PRId64
	    "\nepoch: %s\naside: %s\nreason: %s\n"
	    "generation: %" PRIu64 "\nzone-due: %d\n",
	    head, state_names[attempt->state], from_names[attempt->from], attempt->tries,
	    attempt->began_s, hex, attempt->aside, reason, attempt->generation, attempt->zone_due);
	rc = hf_file_replace(
	    f->dirfd, hf_store_files_name(f, ".recovery", name), text, (size_t)len, 0600);
	return rc ? rc : hf_file_sync_dir(f->dirfd);
}

int hf_recovery_note_remove(const struct hf_store_files *f)
{
	char name[NAME_MAX + 1];

	if (unlinkat(f->dirfd, hf_store_files_name(f, ".recovery", name), 0) < 0 && errno != ENOENT)
		return -errno;
	return hf_file_sync_dir(f->dirfd);
}
