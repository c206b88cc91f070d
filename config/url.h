/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * url: whether the text is a URL of a Coder server that we would talk to, and what lies behind it.
 */
#include <stdbool.h>
#include <stddef.h>

enum { HF_URL_MAX = 511 };

struct hf_url {
	bool tls;
	char host[256]; /* lower case; IPv6 without brackets */
	unsigned port;
};

/*
 * http or https, a host, a port and a path if need be; no user, no query. 0, HF_EFORMAT if it is no
 * URL of that kind, or HF_EREFUSED and a static text in *ret_why.
 */
int hf_url_parse(const char *text, struct hf_url *ret_url, const char **ret_why);
/* localhost and below, 127.0.0.0/8, ::1. */
bool hf_url_is_loopback(const struct hf_url *url);
/* Same scheme, host and port: a token that is for one is for the other. */
bool hf_url_same_origin(const char *a, const char *b);
