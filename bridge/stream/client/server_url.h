/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * server_url: where a source's URL leads: scheme, host, port and path, each as the layers want it.
 */
#include <stdbool.h>

struct hf_server_url {
	bool tls;
	char host[256]; /* lower case; IPv6 without brackets */
	unsigned port;
	char authority[272]; /* for Host: with brackets, the port where it is not the usual one */
	char prefix[512];    /* the path without a slash at its end; "" mostly */
	char base[800];      /* scheme, authority and prefix */
};

/* 0, HF_EFORMAT where it is no http or https URL without user, query and fragment, or -ENOMEM. */
int hf_server_url_parse(const char *url, struct hf_server_url *ret_place);
