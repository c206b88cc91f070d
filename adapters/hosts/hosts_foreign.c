/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/hosts/hosts_foreign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/hosts_line.h"

enum { WORD_MAX = 256 };

struct foreign_name {
	UT_hash_handle hh;
	struct hf_name name;
};

struct hf_hosts_foreign {
	struct foreign_name *names; /* uthash */
};

static int foreign_note(struct hf_hosts_foreign *f, const char *text)
{
	struct hf_name name;
	struct foreign_name *o;

	/* What is no name as ours are cannot be one of ours. */
	if (hf_name_parse(text, &name))
		return 0;
	HASH_FIND(hh, f->names, name.wire, name.len, o);
	if (o)
		return 0;
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->name = name;
	HASH_ADD_KEYPTR(hh, f->names, o->name.wire, o->name.len, o);
	if (hf_hash_added(o))
		return 0;
	free(o);
	return -ENOMEM;
}

static int foreign_read_line(struct hf_hosts_foreign *f, const char *line, size_t len)
{
	const char *end = line + len;
	char word[WORD_MAX];
	int rc = hf_hosts_line_word(&line, end, word, sizeof(word));

	if (rc != 1)
		return 0;
	while ((rc = hf_hosts_line_word(&line, end, word, sizeof(word)))) {
		/* A word that is too long is gone through in pieces, which are no names of ours. */
		if (rc == 1 && foreign_note(f, word))
			return -ENOMEM;
		if (rc < 0 && line < end)
			line++;
	}
	return 0;
}

static int read_part(struct hf_hosts_foreign *f, const char *bytes, size_t len)
{
	const char *at = bytes, *end = bytes + len, *line;
	int rc = 0;

	while (!rc && hf_hosts_line_next(&at, end, &line, &len))
		rc = foreign_read_line(f, line, len);
	return rc;
}

int hf_hosts_foreign_new(const char *bytes, size_t len, const struct hf_hosts_block *block,
    struct hf_hosts_foreign **ret_foreign)
{
	struct hf_hosts_foreign *f = calloc(1, sizeof(*f));
	int rc = f ? read_part(f, bytes, block->start) : -ENOMEM;

	if (!rc)
		rc = read_part(f, bytes + block->end, len - block->end);
	if (rc)
		hf_hosts_foreign_free(f);
	else
		*ret_foreign = f;
	return rc;
}

void hf_hosts_foreign_free(struct hf_hosts_foreign *f)
{
	struct foreign_name *o, *next;

	if (!f)
		return;
	HASH_ITER (hh, f->names, o, next) {
		HASH_DEL(f->names, o);
		free(o);
	}
	free(f);
}

bool hf_hosts_foreign_has(const struct hf_hosts_foreign *f, const struct hf_name *name)
{
	struct foreign_name *o;

	HASH_FIND(hh, f->names, name->wire, name->len, o);
	return o != NULL;
}
