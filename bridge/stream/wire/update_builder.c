/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/wire/update_builder.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bridge/stream/wire/printable.h"

enum { FIRST_ROOM = 4, FIRST_TEXT = 256, TEXT_MAX = 64 << 10, REFUSED_MAX = 16 };
enum { UPSERTED_WORKSPACES, UPSERTED_AGENTS, DELETED_WORKSPACES, DELETED_AGENTS };

/* One chunk of name bytes; the newest is the first of the list. */
struct hf_update_text {
	struct hf_update_text *next; /* owned */
	size_t used;
	size_t size;
	char bytes[];
};

static int budget_charge(struct hf_update_builder *r, size_t n)
{
	if (n > r->budget->max - r->budget->used)
		return HF_ELIMIT;
	r->budget->used += n;
	r->charged += n;
	return 0;
}

static void budget_refund(struct hf_update_builder *r, size_t n)
{
	r->budget->used -= n;
	r->charged -= n;
}

/* How many items more: double while small, half as much again when large, else what is left. */
static size_t more_room(const struct hf_update_builder *r, size_t room, size_t item)
{
	size_t want = !room ? FIRST_ROOM : room < 65536 ? room : room / 2;
	size_t left = (r->budget->max - r->budget->used) / item;

	return want < left ? want : left;
}

/* Room for one item more. Returns `items`, perhaps moved, also when *ret_rc says that it failed. */
static void *array_reserve(
    struct hf_update_builder *r, void *items, size_t n, size_t *room, size_t item, int *ret_rc)
{
	size_t more;
	void *grown;

	*ret_rc = 0;
	if (n < *room)
		return items;
	more = more_room(r, *room, item);
	grown = more ? realloc(items, (*room + more) * item) : NULL;
	if (!grown) {
		*ret_rc = more ? -ENOMEM : HF_ELIMIT;
		return items;
	}
	(void)budget_charge(r, more * item); /* more_room() looked */
	*room += more;
	return grown;
}

static int add_text_chunk(struct hf_update_builder *r, size_t least)
{
	struct hf_update *u = r->update;
	size_t size = u->text ? u->text->size * 2 : FIRST_TEXT;
	struct hf_update_text *t;

	if (size > TEXT_MAX)
		size = TEXT_MAX;
	if (size < least)
		size = least;
	if (budget_charge(r, sizeof(*t) + size))
		return HF_ELIMIT;
	t = malloc(sizeof(*t) + size);
	if (!t) {
		budget_refund(r, sizeof(*t) + size);
		return -ENOMEM;
	}
	*t = (struct hf_update_text){ .next = u->text, .size = size };
	u->text = t;
	return 0;
}

static bool same_bytes(const struct hf_bytes *a, const struct hf_bytes *b)
{
	return a->len == b->len && !memcmp(a->at, b->at, a->len);
}

static int keep_name(struct hf_update_builder *r, struct hf_bytes *name)
{
	struct hf_update_text *t = r->update->text;

	if (!name->len) {
		name->at = "";
		return 0;
	}
	if (same_bytes(name, &r->last)) {
		*name = r->last;
		return 0;
	}
	if (!t || t->size - t->used < name->len) {
		int rc = add_text_chunk(r, name->len);

		if (rc)
			return rc;
		t = r->update->text;
	}
	memcpy(t->bytes + t->used, name->at, name->len);
	name->at = t->bytes + t->used;
	t->used += name->len;
	r->last = *name;
	return 0;
}

int hf_update_builder_begin(struct hf_update_builder *r, struct hf_budget *budget,
    enum hf_update_kind kind, const struct hf_uuid *owner)
{
	*r = (struct hf_update_builder){ .budget = budget, .last = { .at = "" } };
	if (budget_charge(r, sizeof(*r->update)))
		return HF_ELIMIT;
	r->update = calloc(1, sizeof(*r->update));
	if (!r->update) {
		hf_update_builder_drop(r);
		return -ENOMEM;
	}
	r->update->kind = kind;
	r->update->owner = *owner;
	return 0;
}

/* What both kinds of record need: room in the list, and a name that lasts. */
static void *make_place(struct hf_update_builder *r, void *items, size_t n, size_t *room,
    size_t item, struct hf_bytes *name, int *ret_rc)
{
	items = array_reserve(r, items, n, room, item, ret_rc);
	if (!*ret_rc)
		*ret_rc = keep_name(r, name);
	return items;
}

int hf_update_builder_add_workspace(
    struct hf_update_builder *r, bool deleted, const struct hf_update_workspace *w)
{
	struct hf_update *u = r->update;
	struct hf_update_workspace **list =
	    deleted ? &u->deleted_workspaces : &u->upserted_workspaces;
	size_t *n = deleted ? &u->n_deleted_workspaces : &u->n_upserted_workspaces;
	size_t *room = &r->room[deleted ? DELETED_WORKSPACES : UPSERTED_WORKSPACES];
	struct hf_update_workspace kept = *w;
	int rc;

	*list = make_place(r, *list, *n, room, sizeof(kept), &kept.name, &rc);
	if (!rc)
		(*list)[(*n)++] = kept;
	return rc;
}

int hf_update_builder_add_agent(
    struct hf_update_builder *r, bool deleted, const struct hf_update_agent *a)
{
	struct hf_update *u = r->update;
	struct hf_update_agent **list = deleted ? &u->deleted_agents : &u->upserted_agents;
	size_t *n = deleted ? &u->n_deleted_agents : &u->n_upserted_agents;
	size_t *room = &r->room[deleted ? DELETED_AGENTS : UPSERTED_AGENTS];
	struct hf_update_agent kept = *a;
	int rc;

	*list = make_place(r, *list, *n, room, sizeof(kept), &kept.name, &rc);
	if (!rc)
		(*list)[(*n)++] = kept;
	return rc;
}

void hf_update_builder_refuse(struct hf_update_builder *r, const char *what,
    const struct hf_bytes *name, const char *why, ...)
{
	struct hf_update *u = r->update;
	struct hf_update_refused *kept;
	va_list ap;

	u->refused_total++;
	if (u->n_refused == REFUSED_MAX)
		return;
	if (!u->refused)
		u->refused = calloc(REFUSED_MAX, sizeof(*u->refused));
	if (!u->refused)
		return; /* still counted */
	kept = &u->refused[u->n_refused++];
	snprintf(kept->what, sizeof(kept->what), "%s", what);
	hf_printable_copy(kept->name, sizeof(kept->name), name->at, name->len);
	va_start(ap, why);
	vsnprintf(kept->reason, sizeof(kept->reason), why, ap);
	va_end(ap);
}

static void *array_trimmed(void *items, size_t n, size_t room, size_t item)
{
	void *smaller = n && n < room ? realloc(items, n * item) : NULL;

	return smaller ? smaller : items;
}

struct hf_update *hf_update_builder_take(struct hf_update_builder *r)
{
	struct hf_update *u = r->update;

	u->upserted_workspaces = array_trimmed(u->upserted_workspaces, u->n_upserted_workspaces,
	    r->room[UPSERTED_WORKSPACES], sizeof(*u->upserted_workspaces));
	u->upserted_agents = array_trimmed(u->upserted_agents, u->n_upserted_agents,
	    r->room[UPSERTED_AGENTS], sizeof(*u->upserted_agents));
	u->deleted_workspaces = array_trimmed(u->deleted_workspaces, u->n_deleted_workspaces,
	    r->room[DELETED_WORKSPACES], sizeof(*u->deleted_workspaces));
	u->deleted_agents = array_trimmed(u->deleted_agents, u->n_deleted_agents,
	    r->room[DELETED_AGENTS], sizeof(*u->deleted_agents));
	r->update = NULL;
	hf_update_builder_drop(r);
	return u;
}

void hf_update_builder_drop(struct hf_update_builder *r)
{
	if (r->budget)
		budget_refund(r, r->charged);
	hf_update_free(r->update);
	*r = (struct hf_update_builder){ 0 };
}

void hf_update_free(struct hf_update *u)
{
	struct hf_update_text *t, *next;

	if (!u)
		return;
	for (t = u->text; t; t = next) {
		next = t->next;
		free(t);
	}
	free(u->upserted_workspaces);
	free(u->upserted_agents);
	free(u->deleted_workspaces);
	free(u->deleted_agents);
	free(u->refused);
	free(u);
}
