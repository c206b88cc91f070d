/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any answer of a server to the questions before a stream; the first byte says to which. What is
 * taken is printable and within its limits; an answer that is refused changes nothing. Rights are
 * words in order.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bridge/stream/wire/server_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends in its field, and holds no control characters: hf_printable_copy() leaves none. */
static void check_text(const char *text, size_t room)
{
	size_t n = strnlen(text, room);

	if (n == room)
		abort();
	while (n--)
		if ((unsigned char)text[n] < ' ' || text[n] == 0x7f)
			abort();
}

static void check(const struct hf_server_info *t)
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

static int read_answer(struct hf_server_info *t, uint8_t which, const char *body, size_t len)
{
	struct hf_owner_info user = { .me = false };
	struct hf_uuid workspace, owner;
	size_t n = 0, count = 0;
	int rc;

	switch (which) {
	case '0':
		rc = hf_server_info_buildinfo(t, body, len);
		(void)hf_server_info_is_old(t->version);
		return rc;
	case '1':
		return hf_server_info_suffix(t, body, len);
	case '2':
		return hf_server_info_expiry(t, body, len);
	case '3':
		rc = hf_server_info_user(&user, body, len);
		return rc ? rc : hf_server_info_add(t, &user);
	case '4':
		return hf_server_info_users(t, body, len, &n, &count);
	case '6':
		rc = hf_server_info_workspace(&workspace, &owner, body, len);
		if (!rc && hf_uuid_is_zero(&owner))
			abort();
		return rc;
	case '5':
		return hf_server_info_is_message(body, len) ? 0 : HF_EFORMAT;
	default:
		return hf_server_info_readable(t, 0, t->n_owners, body, len);
	}
}

/* Words in ascending order, each once, one space between, none without a kind and a name. */
static void check_rights(const char *text)
{
	const char *last = NULL;
	size_t last_len = 0;

	check_text(text, HF_RIGHTS_MAX);
	for (const char *at = text; *at;) {
		size_t len = strcspn(at, " ");
		const char *colon = memchr(at, ':', len);
		size_t least = len < last_len ? len : last_len;
		int order = last ? memcmp(last, at, least) : -1;

		if (!len || !colon || colon == at || colon + 1 == at + len ||
		    (at[len] && !at[len + 1]) || order > 0 || (!order && last_len >= len))
			abort();
		last = at;
		last_len = len;
		at += len + (at[len] == ' ');
	}
}

/* One answer after another, so that they add up; `which` says which is first. */
static void read_rights(uint8_t which, const char *body, size_t len)
{
	static void (*const readers[])(
	    struct hf_rights_list *, const char *, size_t) = { hf_rights_list_of_user,
		hf_rights_list_of_roles, hf_rights_list_of_key, hf_rights_list_of_check };
	struct hf_rights_list list = { .n = 0 };
	char text[HF_RIGHTS_MAX];
	size_t half = len / 2;

	readers[which % 4](&list, body, len);
	hf_rights_list_text(&list, text);
	check_rights(text);
	readers[which / 4 % 4](&list, body, half);
	hf_rights_list_text(&list, text);
	check_rights(text);
	hf_rights_list_of_user(&list, body, len);
	hf_rights_list_of_check(&list, body, len);
	hf_rights_list_text(&list, text);
	check_rights(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hf_owner_info known[] = { { .id = { { 1 } }, .name = "alice" },
		{ .id = { { 2 } }, .name = "bob" } };
	struct hf_server_info *t, before;
	char *ask;

	if (!size || !(t = calloc(1, sizeof(*t))))
		return 0;
	hf_server_info_add(t, &known[0]);
	hf_server_info_add(t, &known[1]);
	before = *t;
	if (read_answer(t, data[0], (const char *)data + 1, size - 1) &&
	    memcmp(t, &before, sizeof(before)))
		abort();
	check(t);
	read_rights(data[0], (const char *)data + 1, size - 1);
	ask = hf_server_info_ask_readable(t, 0, t->n_owners, NULL);
	if (!ask)
		abort();
	free(ask);
	hf_server_info_free(t);
	return 0;
}
