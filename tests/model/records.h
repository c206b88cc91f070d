#pragma once
/*
 * records: what a server says, from the words of a line: the messages of a stream, and REST's
 * answers.
 */
#include <stdbool.h>
#include <stddef.h>

#include "bridge/stream/told.h"
#include "bridge/types/update.h"
#include "tests/scenario/words.h"

struct records; /* opaque: a message and its memory */

/* Small numbers stand for ids: a user or a workspace, and an agent. */
struct hf_uuid records_id(unsigned n);
/* From 100000 on: another agent with the address of agent n - 100000. */
enum { RECORDS_TWIN = 100000 };
struct hf_uuid records_agent_id(unsigned n);
/* The number of an id that records_id() made. */
unsigned records_number(const struct hf_uuid *id);

/*
 * Words from the `from`-th on; README.md has their form. NULL: a word has another form, or there is
 * no memory. End it with records_free().
 */
struct records *records_parse(
    enum hf_update_kind kind, unsigned owner, const struct words *a, size_t from);
struct hf_update *records_update(struct records *r);
void records_free(struct records *r); /* NULL is fine */

/* REST's answers. The caller frees it with hf_told_free(). NULL as above. */
struct hf_told *records_told(const struct words *a);
