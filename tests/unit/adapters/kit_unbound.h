/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kit_unbound: an unbound adapter that a test looks into: its DNS server is the test's, its control
 * socket is not there, its start file is in a folder of the test's.
 */
#include "adapters/unbound/ub_private.h"
#include "tests/unit/adapters/kit_host.h"
#include "tests/unit/adapters/kit_resolver.h"
#include "tests/unit/tmpdir.h"

struct kit_unbound {
	struct kit_host host;
	struct resolver server;
	struct tmpdir dir;
	char path[TMPDIR_MAX + 16]; /* of the start file */
	struct hf_config_adapter config;
	struct hf_adapter *base;
	struct hf_ub *a;
};

/* With the one suffix `coder`. */
void kit_unbound_open(struct kit_unbound *k, resolver_cb cb, void *arg, enum hf_start_form form);
void kit_unbound_close(struct kit_unbound *k);
/* Until the host was told something. */
void kit_unbound_wait(struct kit_unbound *k);
struct hf_name kit_unbound_name(const char *text);
/* A file in the folder of start files. */
void kit_unbound_write(struct kit_unbound *k, const char *name, const char *text);
