/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * server_info: what a server tells about itself and its users over REST, read out of its answers.
 * Each answer is hostile until its form is checked. Pure: bytes in, values out.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/stream/wire/problem.h"
#include "bridge/stream/wire/rights_list.h"
#include "bridge/types/rights.h"
#include "zone/addr.h"

enum { HF_USER_MAX = 64, HF_OWNERS_MAX = 10000 };

struct hf_owner_info {
	struct hf_uuid id;
	char name[HF_USER_MAX];
	bool me;     /* the token's own user */
	bool listed; /* found in the list of all users */
	enum hf_readable readable;
};

/* What REST said to one word of the configured owners. */
enum hf_word_is {
	WORD_OPEN,    /* no answer: not asked, forbidden, or an error */
	WORD_FOUND,   /* `owner` is its user; of "all": every page of the list came */
	WORD_UNKNOWN, /* there is no such user, or none that this token may read (404) */
};

struct hf_word_info {
	enum hf_word_is is;
	struct hf_uuid owner; /* of WORD_FOUND, but for "all" */
};

struct hf_server_info {
	char version[64]; /* printable; "" where unknown, as all below */
	char deployment_id[128];
	struct hf_uuid user;
	char user_name[HF_USER_MAX];
	char suffix[256];
	char rights[HF_RIGHTS_MAX];   /* of the token, see rights.h */
	int64_t asked_ms;             /* boottime at which the first question was sent */
	int64_t token_expires_s;      /* 0: unknown, or never */
	struct hf_owner_info *owners; /* owned; each once */
	size_t n_owners;
	size_t room;
	struct hf_word_info *words; /* owned; of the configured owners, in their order */
	size_t n_words;
	size_t n_unknown;          /* words that are WORD_UNKNOWN */
	bool complete;             /* no word is WORD_OPEN, and nobody was left out */
	struct hf_problem missing; /* code NONE, or what became of one of the others */
};

void hf_server_info_free(struct hf_server_info *t); /* NULL is fine */
/*
 * Adds an owner; `me` is set where it is the token's user. One that is there already stays as it
 * is, but for `listed`. 0; -ENOMEM; HF_ELIMIT when there are too many.
 */
int hf_server_info_add(struct hf_server_info *t, const struct hf_owner_info *owner);
/* Makes room for so many words; all are WORD_OPEN. 0 or -ENOMEM. */
int hf_server_info_set_words(struct hf_server_info *t, size_t n);

/*
 * Each reads an answer with status 200. 0, or HF_EFORMAT where it has not the form that Coder gives
 * it; then nothing was taken.
 */
int hf_server_info_buildinfo(struct hf_server_info *t, const char *body, size_t len);
int hf_server_info_suffix(struct hf_server_info *t, const char *body, size_t len);
int hf_server_info_expiry(struct hf_server_info *t, const char *body, size_t len);
int hf_server_info_user(struct hf_owner_info *ret_user, const char *body, size_t len);
/* A page of all users; *ret_n: how many it had, *ret_count: how many there are in all. */
int hf_server_info_users(
    struct hf_server_info *t, const char *body, size_t len, size_t *ret_n, size_t *ret_count);
/* Of workspaces/ID: which it is, and whose. */
int hf_server_info_workspace(
    struct hf_uuid *ret_workspace, struct hf_uuid *ret_owner, const char *body, size_t len);
/* Is this an answer of Coder's that says why it is none: {"message": ...}? */
bool hf_server_info_is_message(const char *body, size_t len);
/* The answer to hf_server_info_ask_readable() for the same owners. */
int hf_server_info_readable(
    struct hf_server_info *t, size_t first, size_t n, const char *body, size_t len);
/*
 * The body of that question, which also asks for the organisations of `rights` (may be NULL). The
 * caller owns it (free()); NULL: no memory.
 */
char *hf_server_info_ask_readable(
    const struct hf_server_info *t, size_t first, size_t n, const struct hf_rights_list *rights);

/* Is a version such as "v2.17.3+abc" known to be older than 2.18? Development builds are not. */
bool hf_server_info_is_old(const char *version);
