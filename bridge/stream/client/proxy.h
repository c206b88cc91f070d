/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * proxy: through which proxy a host is reached, by the configuration or by the environment
 * variables that curl and others know (http_proxy, https_proxy, all_proxy, no_proxy).
 */
#include <stdbool.h>

/* Looks up a variable: getenv, or a test's own. */
typedef char *(*hf_env_cb)(const char *name);

/*
 * The proxy, or "": none. Lent from `configured` or the environment. An entry of no_proxy is a host
 * (with all below it), an address, a network as 10.0.0.0/8, each but the last also with a port, or
 * "*".
 */
const char *hf_proxy_for(
    const char *configured, bool tls, const char *host, unsigned port, hf_env_cb env);
