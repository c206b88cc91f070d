/*
 * Any answer of a server to the questions before a stream; the first byte says to which. What is taken is
 * printable and within its limits; an answer that is refused changes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bridge/stream/told.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends in its field, and holds no control characters: hf_clip() leaves none. */
static void check_text(const char *text, size_t room)
{
	size_t n = strnlen(text, room);

	if (n == room)
		abort();
	while (n--)
		if ((unsigned char)text[n] < ' ' || text[n] == 0x7f)
			abort();
}

static void check(const struct hf_told *t)
{
	check_text(t->version, sizeof(t->version));
	check_text(t->deployment_id, sizeof(t->deployment_id));
	check_text(t->suffix, sizeof(t->suffix));
	if (t->n_owners > HF_OWNERS_MAX || t->n_owners > t->room || t->token_expires_s < 0)
		abort();
	for (size_t i = 0; i < t->n_owners; i++) {
		check_text(t->owners[i].name, sizeof(t->owners[i].name));
		if (!t->owners[i].name[0] || hf_uuid_is_zero(&t->owners[i].id))
			abort();
	}
}

static int read_answer(struct hf_told *t, uint8_t which, const char *body, size_t len)
{
	struct hf_owner_told user = { .me = false };
	size_t n = 0, count = 0;
	int rc;

	switch (which) {
	case '0':
		rc = hf_told_buildinfo(t, body, len);
		(void)hf_told_is_old(t->version);
		return rc;
	case '1':
		return hf_told_suffix(t, body, len);
	case '2':
		return hf_told_expiry(t, body, len);
	case '3':
		rc = hf_told_user(&user, body, len);
		return rc ? rc : hf_told_add(t, &user);
	case '4':
		return hf_told_users(t, body, len, &n, &count);
	case '5':
		return hf_told_is_message(body, len) ? 0 : HF_EFORMAT;
	default:
		return hf_told_readable(t, 0, t->n_owners, body, len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hf_owner_told known[] = { { .id = { { 1 } }, .name = "alice" },
		{ .id = { { 2 } }, .name = "bob" } };
	struct hf_told *t, before;
	char *ask;

	if (!size || !(t = calloc(1, sizeof(*t))))
		return 0;
	hf_told_add(t, &known[0]);
	hf_told_add(t, &known[1]);
	before = *t;
	if (read_answer(t, data[0], (const char *)data + 1, size - 1) &&
	    memcmp(t, &before, sizeof(before)))
		abort();
	check(t);
	ask = hf_told_ask_readable(t, 0, t->n_owners);
	if (!ask)
		abort();
	free(ask);
	hf_told_free(t);
	return 0;
}
