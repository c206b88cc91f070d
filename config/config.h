/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * config: the configuration as the programs see it: plain values, all defaults filled in, checked.
 * Immutable after the load; owned by whoever loaded it; end it with hf_config_free().
 *
 * Every field comes from one row of the table in config/config_table.c, which has its meaning,
 * default and range. Text that was not given is NULL, a number without default that was not given
 * is 0. Times are milliseconds, sizes are bytes. Strings are owned by the struct that holds them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/log.h"
#include "zone/record.h"

#define HF_CONFIG_PATH "/etc/holdfast/holdfast.yaml"

enum {
	HF_CONFIG_BYTES_MAX = 1 << 20,
	HF_CONFIG_SOURCES_MAX = HF_ZONE_SOURCES_MAX,
	HF_CONFIG_ADAPTERS_MAX = 32,
	HF_CONFIG_ERRORS_MAX = 20,
};

/* at[0] to at[n - 1]; NULL and 0 where none was given. */
struct hf_strings {
	char **at;
	size_t n;
};

/* ADDRESS@PORT, ready for bind() and connect(). */
struct hf_endpoint {
	union {
		struct sockaddr sa;
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;
	};
	socklen_t len; /* 0: not given */
};

struct hf_endpoints {
	struct hf_endpoint *at;
	size_t n;
};

/* ADDRESS/BITS; the bits beyond are zero. */
struct hf_prefix {
	sa_family_t family; /* AF_INET (4 bytes of addr) or AF_INET6 */
	uint8_t bits;
	uint8_t addr[16];
};

struct hf_prefixes {
	struct hf_prefix *at;
	size_t n;
};

enum hf_config_hold_policy { HF_CONFIG_HOLD_FOREVER, HF_CONFIG_HOLD_MAX_AGE };

/* How long each phase of talking to a source may take. */
struct hf_config_timeouts {
	int64_t resolve_ms;         /* the server's own name */
	int64_t address_delay_ms;   /* until the next address is tried beside the last */
	int64_t connect_ms;         /* TCP, proxy and TLS of one address */
	int64_t head_ms;            /* the answer to the upgrade */
	int64_t request_ms;         /* one REST request as a whole */
	int64_t first_message_ms;   /* without a byte of the snapshot */
	int64_t second_snapshot_ms; /* after the first of a connection: once to twice this */
	int64_t header_command_ms;
	int64_t ping_interval_ms;
	int64_t ping_timeout_ms; /* unanswered for so long: the path is dead */
	int64_t doubt_ms;        /* without a byte after a change of the network */
};

struct hf_config_retry {
	int64_t floor_ms;
	int64_t cap_ms;
	int64_t steady_ms;    /* live for so long: the next wait is the floor again */
	int64_t permanent_ms; /* what will not mend itself */
	int64_t unauthorised_ms;
	int64_t events_ms;  /* wake, network change, SIGHUP count at most once in this time */
	int64_t per_minute; /* connections at most, whatever asks for them */
};

/* How far the other end can make something grow; in the order of bridge/stream/wire/limits.h. */
struct hf_config_limits {
	int64_t record;
	int64_t results;
	int64_t drpc_frame;
	int64_t drpc_frames;
	int64_t streams;
	int64_t ws_frame;
	int64_t head;
	int64_t head_fields;
	int64_t pongs;
	int64_t control;
	int64_t control_span_ms;
	int64_t unsent;
};

struct hf_config_source {
	char *name;       /* a label; unique */
	char *url;        /* NULL: from the environment, see config/secret.h */
	char *token_file; /* NULL: likewise */
	bool allow_http;
	struct hf_strings owners; /* "me", "all", user names, user ids; never empty */
	struct hf_name suffix;    /* len 0: auto */
	bool sentinel;
	int64_t snapshot_interval_ms;
	int64_t fresh_window_ms;
	char *ca_file;
	char *client_cert;
	char *client_key;
	char *proxy;
	struct hf_strings headers;        /* "Name: value", as HTTP has it */
	struct hf_strings header_command; /* argv, [0] is a path; n 0: none */
	int64_t max_message;
	struct hf_config_limits limits;
	struct hf_config_timeouts timeouts;
	struct hf_config_retry retry;
};

struct hf_config_sources {
	struct hf_config_source *at;
	size_t n;
};

struct hf_config_hold {
	enum hf_config_hold_policy policy;
	int64_t max_age_ms; /* set exactly with HF_CONFIG_HOLD_MAX_AGE */
};

struct hf_config_guard {
	int64_t max_removal; /* percent */
	int64_t min_workspaces;
	int64_t grace_ms;
};

/* What holdfast-dns needs. */
struct hf_config_dns {
	struct hf_endpoints listen; /* empty: no holdfast-dns is expected, and none starts */
	int64_t threads;
	struct hf_prefixes allow;
	int64_t tcp_connections;
	int64_t tcp_per_client;
	int64_t tcp_idle_ms;
	int64_t probe_interval_ms; /* of the bridge: does each of `listen` answer? */
	bool listen_given;         /* `listen` is in the file, it is not the default */
};

struct hf_config_status {
	struct hf_endpoint listen; /* len 0: no listener */
};

struct hf_config_log {
	enum hf_log_level level;
	enum hf_log_format format;
};

enum hf_adapter_kind {
	HF_ADAPTER_UNBOUND,
	HF_ADAPTER_DNSMASQ,
	HF_ADAPTER_HOSTS,
	HF_ADAPTER_HOOK,
};
enum hf_teardown { HF_TEARDOWN_KEEP, HF_TEARDOWN_CLEAN };
enum hf_start_form { HF_START_ZONEFILE, HF_START_INCLUDE };
enum hf_hook_form { HF_HOOK_DHCP_SCRIPT, HF_HOOK_JSON };

struct hf_config_unbound {
	char *control; /* path of its control socket */
	struct hf_endpoint ask;
	char *start_file; /* NULL: none */
	enum hf_start_form start_form;
	int64_t start_interval_ms; /* start_file is written at most so often */
	int64_t timeout_ms;        /* of a command */
};

/* Either hostsdir or hosts_file is set. */
struct hf_config_dnsmasq {
	char *hostsdir;
	char *hosts_file;
	char *pid_file; /* NULL: somebody else signals it */
	struct hf_endpoint ask;
};

struct hf_config_hosts {
	char *path;
	int64_t max_names;
};

struct hf_config_hook {
	struct hf_strings command; /* argv, [0] is an absolute path; never empty */
	enum hf_hook_form form;
	int64_t timeout_ms;
};

struct hf_config_adapter_retry {
	int64_t floor_ms;
	int64_t cap_ms;
	int64_t failed_after_ms; /* the state becomes failed; it is tried on */
	int64_t skipped_ms;      /* names that others had there, or that did not fit */
};

struct hf_config_adapter {
	char *name; /* unique; the word of its kind where none was given */
	enum hf_adapter_kind kind;
	enum hf_teardown teardown;
	int64_t verify_interval_ms;
	struct hf_config_adapter_retry retry;
	union { /* by kind */
		struct hf_config_unbound unbound;
		struct hf_config_dnsmasq dnsmasq;
		struct hf_config_hosts hosts;
		struct hf_config_hook hook;
	};
};

struct hf_config_adapters {
	struct hf_config_adapter *at;
	size_t n;
};

struct hf_config {
	char *store;
	char *zone;
	char *control;
	char *control_group; /* NULL: only root and the bridge's own user */
	char *read_group;
	int64_t ttl_s;
	enum hf_provenance provenance;
	enum hf_not_ready not_ready;
	int64_t pulse_interval_ms;
	struct hf_config_sources sources;
	struct hf_config_hold hold;
	struct hf_config_guard guard;
	struct hf_config_adapters adapters;
	struct hf_config_dns dns;
	struct hf_config_status status;
	struct hf_config_log log;
};

/* One thing that is wrong, and where. */
struct hf_config_error {
	unsigned line; /* from 1; 0: the file as a whole */
	unsigned column;
	char path[128]; /* "sources[0].token-file"; "" for the file as a whole */
	char text[512]; /* what is wrong and what was expected; printable, holds no secret */
};

struct hf_config_errors {
	char file[512];
	struct hf_config_error at[HF_CONFIG_ERRORS_MAX]; /* by line */
	size_t n;
	size_t more; /* beyond those of `at` */
};

/* "FILE:LINE:COLUMN: PATH: TEXT", or less where there is no line or path. Returns out. */
char *hf_config_error_text(const struct hf_config_errors *e, size_t i, char *out, size_t size);

/*
 * What is looked at beyond the text of the configuration. Neither is for programs that only read
 * the zone: they may not be allowed to see the bridge's files.
 */
enum {
	HF_CONFIG_FILES = 1,     /* the files that it names and that are there have safe rights */
	HF_CONFIG_FILES_ALL = 2, /* the same, and they are there, readable and of the right form */
};

/*
 * All or nothing: 0 and *ret_config, or a code and at least one line in *ret_errors (always
 * filled). The file must belong to us or root and not be writable by others.
 */
int hf_config_load(const char *path, unsigned flags, struct hf_config **ret_config,
    struct hf_config_errors *ret_errors);
/* The same from memory; `name` stands for the file in errors. */
int hf_config_parse(const char *name, const void *bytes, size_t len, unsigned flags,
    struct hf_config **ret_config, struct hf_config_errors *ret_errors);
/*
 * For programs that only ask a running bridge: a file with errors does not stop them. *ret_config
 * has what could be read, and the default of everything else; a list of sources or adapters with an
 * error in it is empty or its default as a whole. Of a file that is no YAML, what stands before the
 * broken part counts; of one that is not safe or cannot be read, nothing. All errors are in
 * *ret_errors. 0: there are none; HF_ECONFIG or the code of the file: there are, and *ret_config is
 * set as well; -ENOMEM: it is not.
 */
int hf_config_salvage(
    const char *path, struct hf_config **ret_config, struct hf_config_errors *ret_errors);
void hf_config_free(struct hf_config *c); /* NULL is fine */

/* Write it as YAML that loads to the same, headers and proxy passwords included. 0 or -errno. */
int hf_config_dump(const struct hf_config *c, FILE *out);

struct hf_config_change {
	const char *path;   /* "ttl", "sources[main].url", "sources[lab]" */
	const char *before; /* as YAML; NULL: was not there; "(hidden)" for a secret */
	const char *after;  /* NULL: is no more */
	bool restart;       /* takes effect at the next start only */
};
/* Everything is lent for the call. */
typedef void (*hf_config_change_cb)(const struct hf_config_change *change, void *arg);

/* Tells each difference, entries of lists matched by name. Returns how many, or -ENOMEM. */
int hf_config_diff(const struct hf_config *before, const struct hf_config *after,
    hf_config_change_cb cb, void *arg);

/* NULL if there is none of that name. Lent from c. */
const struct hf_config_source *hf_config_source(const struct hf_config *c, const char *name);

/* libyaml's version, of the library that runs. */
const char *hf_config_library(void);
