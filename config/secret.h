/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * secret: where a source's URL and session token come from. The first place that has one decides,
 * and trouble with it is told, never passed over: a token is not quietly taken from elsewhere.
 *
 *   token: token-file of the source; the systemd credential holdfast-token.NAME (NAME: the
 *          source's), else holdfast-token, in $CREDENTIALS_DIRECTORY; CODER_SESSION_TOKEN; the
 *          coder CLI's session file
 *   URL:   url of the source; CODER_URL; the coder CLI's url file
 *
 * A token of the environment or of the CLI goes only to the server that it is for: the one of
 * CODER_URL, or of the CLI's url file, or, where CODER_URL is not set, to the only source there is.
 * Nothing here is ever logged but the place; memory that held a token is wiped.
 */
#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "config/url.h"

enum {
	HF_TOKEN_MAX = 1024,
	HF_SECRET_PLACE_MAX = 4096,
	HF_SECRET_WHY_MAX = 768,
};

#define HF_CREDENTIAL_TOKEN "holdfast-token"

enum hf_secret_from {
	HF_SECRET_CONFIG,     /* url of the configuration, or the token-file that it names */
	HF_SECRET_CREDENTIAL, /* systemd's */
	HF_SECRET_ENV,
	HF_SECRET_CLI, /* a file of the coder CLI */
};

/* A plain value: nothing to free, but hf_secret_wipe() ends it. */
struct hf_token {
	char text[HF_TOKEN_MAX + 1]; /* printable ASCII, not empty */
	enum hf_secret_from from;
	char place[HF_SECRET_PLACE_MAX]; /* file or variable; a file's is a path to watch */
};

struct hf_place_url {
	char text[HF_URL_MAX + 1];
	enum hf_secret_from from;
	char place[HF_SECRET_PLACE_MAX];
};

/*
 * The URL of a source. -ENOENT: no place has one; HF_EUNSAFE, HF_EFORMAT, HF_EREFUSED (http:// to
 * another host) or -errno: the place that has it is not usable. ret_why then is a line for people.
 */
int hf_secret_url(const struct hf_config_source *source, struct hf_place_url *ret_url,
    char ret_why[static HF_SECRET_WHY_MAX]);

/* Likewise its token, for that URL; `sole`: the configuration has no other source. */
int hf_secret_token(const struct hf_config_source *source, const char *url, bool sole,
    struct hf_token *ret_token, char ret_why[static HF_SECRET_WHY_MAX]);

/* NULL is fine. */
void hf_secret_wipe(struct hf_token *token);
