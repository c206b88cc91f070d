/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * client_settings: what the operator says about one source, as far as the stream needs it. Plain
 * values, all borrowed from the configuration; whoever hands them over keeps them until the client
 * is freed or has got others.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/stream/wire/limits.h"

struct hf_texts {
	const char *const *at;
	size_t n;
};

/* How long each phase may take. */
struct hf_stream_timeouts {
	int64_t resolve_ms;
	int64_t address_delay_ms; /* until the next address is tried beside the last */
	int64_t connect_ms;       /* TCP, proxy and TLS of one address */
	int64_t head_ms;          /* the answer to the upgrade */
	int64_t request_ms;       /* one REST request as a whole */
	int64_t first_message_ms;
	int64_t second_snapshot_ms; /* after the first of a connection: once to twice this */
	int64_t header_command_ms;
	int64_t ping_interval_ms;
	int64_t ping_timeout_ms;
	int64_t doubt_ms; /* without a byte after a change of the network */
};

struct hf_stream_retry {
	int64_t floor_ms;
	int64_t cap_ms;
	int64_t steady_ms;    /* live for so long: the next wait is the floor again */
	int64_t permanent_ms; /* what will not mend itself */
	int64_t unauthorised_ms;
	int64_t events_ms;   /* wake, network change, ... count at most once in this time */
	unsigned per_minute; /* connections at most, whatever asks for them */
};

struct hf_stream_settings {
	const char *name; /* of the source, for the log */
	const char *url;
	const char *ca_file; /* NULL: the system's; so below: none */
	const char *client_cert;
	const char *client_key;
	const char *proxy;              /* NULL: as the environment says */
	struct hf_texts headers;        /* "Name: value" */
	struct hf_texts header_command; /* argv */
	struct hf_texts owners;         /* "me", "all", user names, user ids */
	bool ask_suffix;
	int64_t snapshot_interval_ms;
	struct hf_stream_limits limits;
	struct hf_stream_timeouts timeouts;
	struct hf_stream_retry retry;
	const char *resolv_conf; /* NULL: /etc/resolv.conf */
	const char *hosts;       /* NULL: /etc/hosts */
};
