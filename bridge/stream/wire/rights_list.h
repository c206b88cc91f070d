/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * rights_list: gathers the words of types/rights.h out of REST's answers. Names are the server's: a
 * byte of theirs that is not printable, a space and '%' become "%20", so that no name can look like
 * two words or like another one.
 */
#include <stdbool.h>
#include <stddef.h>

#include "bridge/types/rights.h"
#include "zone/addr.h"

enum { HF_ORGS_MAX = 64 }; /* organisations that are asked for one by one */

/* Zero it before first use. */
struct hf_rights_list {
	char words[HF_RIGHTS_MAX]; /* a NUL after each, in the order in which they came */
	size_t len;
	size_t n;
	bool unknown;                     /* an answer failed, or there was more than fits */
	struct hf_uuid orgs[HF_ORGS_MAX]; /* of "org:ID" */
	size_t n_orgs;                    /* more than HF_ORGS_MAX: not all of them are here */
};

/* Each reads an answer with status 200; what has not the form that Coder gives it is unknown. */
void hf_rights_list_of_user(struct hf_rights_list *r, const char *body, size_t len); /* users/me */
/* users/me/roles */
void hf_rights_list_of_roles(struct hf_rights_list *r, const char *body, size_t len);
/* users/me/keys/ID */
void hf_rights_list_of_key(struct hf_rights_list *r, const char *body, size_t len);
/* The answer to checks with the keys that hf_rights_list_check_key() gives. */
void hf_rights_list_of_check(struct hf_rights_list *r, const char *body, size_t len);

/* How many organisations are to be asked for. */
size_t hf_rights_list_n_checks(const struct hf_rights_list *r);
/* The key of a check in authcheck: of all workspaces of organisation `i`. */
void hf_rights_list_check_key(size_t i, char ret_key[static 24]);
/* "" where anything is unknown. */
void hf_rights_list_text(const struct hf_rights_list *r, char ret_text[static HF_RIGHTS_MAX]);
