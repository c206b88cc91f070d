/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of keys. A new key is a row here and a field in config.h; parser, checks, --check
 * -v, the sample file and the manual page take it up by themselves. A row comes with the code that
 * reads its field.
 */
#include "config/config_table.h"

#include "config/config.h"
#include "config/type.h"

#define MS 1
#define SECOND 1000
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (INT64_C(24) * HOUR)
#define MIB (INT64_C(1) << 20)

/* A row: its struct and field, type, name; then what it has beside. */
#define VALUE(st, field, ty, nm, ...)                                                              \
	{                                                                                          \
		.name = nm, .kind = HF_KEY_VALUE, .type = &hf_type_##ty,                           \
		.offset = offsetof(struct st, field), __VA_ARGS__                                  \
	}
#define VALUES(st, field, ty, nm, ...)                                                             \
	{                                                                                          \
		.name = nm, .kind = HF_KEY_VALUES, .type = &hf_type_##ty,                          \
		.offset = offsetof(struct st, field), __VA_ARGS__                                  \
	}
#define MAP(st, field, table, nm, ...)                                                             \
	{                                                                                          \
		.name = nm, .kind = HF_KEY_MAP, .offset = offsetof(struct st, field),              \
		.keys = HF_KEYS(table), .size = sizeof(((struct st *)0)->field), __VA_ARGS__       \
	}
#define ENTRIES(st, field, table, nm, ...)                                                         \
	{                                                                                          \
		.name = nm, .kind = HF_KEY_ENTRIES, .offset = offsetof(struct st, field),          \
		.keys = HF_KEYS(table), .size = sizeof(*((struct st *)0)->field.at), __VA_ARGS__   \
	}

static const char *const provenance_words[] = { "off", "loopback", "on", NULL };
static const char *const not_ready_words[] = { "servfail", "nxdomain", NULL };
static const char *const policy_words[] = { "forever", "max-age", NULL };
/* In the order of enum hf_adapter_kind, hf_teardown, hf_start_form, hf_hook_form. */
static const char *const adapter_words[] = { "unbound", "dnsmasq", "hosts", "hook", NULL };
static const char *const teardown_words[] = { "keep", "clean", NULL };
static const char *const start_words[] = { "zonefile", "include", NULL };
static const char *const hook_words[] = { "dhcp-script", "json", NULL };
static const char *const level_words[] = { "error", "warn", "info", "debug", NULL };
static const char *const format_words[] = { "text", "json", NULL };

#define L(field, type, nm, ...) VALUE(hf_config_limits, field, type, nm, __VA_ARGS__)
static const struct hf_key limit_keys[] = {
	L(record, size, "record", .min = 256, .max = MIB, .def = "4KiB",
	    .help = "One workspace or agent of a message. A larger one is refused alone."),
	L(results, size, "results", .min = 64 * 1024, .max = 4096 * MIB, .def = "128MiB",
	    .help = "The memory for all messages that are being received."),
	L(drpc_frame, size, "drpc-frame", .min = 64 * 1024, .max = 1024 * MIB, .def = "16MiB",
	    .help = "One dRPC frame."),
	L(drpc_frames, int, "drpc-frames", .min = 1, .max = 10000000, .def = "8192",
	    .help = "The dRPC frames of one message."),
	L(streams, int, "streams", .min = 1, .max = 100000, .def = "10000",
	    .help = "The streams of one connection: one for each owner that is followed."),
	L(ws_frame, size, "websocket-frame", .min = 64 * 1024, .max = 1024 * MIB, .def = "16MiB",
	    .help = "One websocket frame."),
	L(head, size, "head", .min = 1024, .max = 16 * MIB, .def = "64KiB",
	    .help = "The head of the answer to the upgrade."),
	L(head_fields, int, "head-fields", .min = 8, .max = 100000, .def = "128",
	    .help = "The lines of that head."),
	L(pongs, int, "pongs", .min = 1, .max = 100000, .def = "256",
	    .help = "Answers to pings that the server has not taken yet."),
	L(control, int, "control-frames", .min = 1, .max = 1000000, .def = "1000",
	    .help = "Control frames, without data between them, within control-span."),
	L(control_span_ms, duration, "control-span", .min = MS, .max = HOUR, .def = "10s",
	    .help = "The time for which control-frames counts."),
	L(unsent, size, "unsent", .min = 4096, .max = 64 * MIB, .def = "256KiB",
	    .help = "Bytes that the server has not taken yet."),
};
#undef L

#define T(field, nm, ...)                                                                          \
	VALUE(hf_config_timeouts, field, duration, nm, .min = MS, .max = HOUR, __VA_ARGS__)
static const struct hf_key timeout_keys[] = {
	T(resolve_ms, "resolve", .def = "5s",
	    .help =
		"Until the server's own name is resolved; then its last good addresses are tried."),
	T(address_delay_ms, "address-delay", .def = "250ms",
	    .help = "Until the server's next address is tried beside the one before."),
	T(connect_ms, "connect", .def = "10s", .help = "For TCP, proxy and TLS of one address."),
	T(head_ms, "head", .def = "10s",
	    .help = "For the server's answer to the upgrade to a websocket."),
	T(request_ms, "request", .def = "30s", .help = "For one REST request as a whole."),
	T(first_message_ms, "first-message", .def = "1m",
	    .help =
		"Without a byte of the first message of a stream; other streams' bytes do not count."),
	T(second_snapshot_ms, "second-snapshot", .def = "30s",
	    .help =
		"After the first snapshot of a connection a second one of each owner comes within once to twice this time: the server may lose a change while a stream begins."),
	T(header_command_ms, "header-command", .def = "10s",
	    .help = "For header-command; then it is killed."),
	T(ping_interval_ms, "ping-interval", .def = "15s",
	    .help = "Between the pings to the server."),
	T(ping_timeout_ms, "ping-timeout", .def = "20s",
	    .help = "A ping that is unanswered for so long ends the connection."),
	T(doubt_ms, "doubt", .def = "3s",
	    .help =
		"After a change of the network or the clock a connection on which no byte comes for so long is ended."),
};
#undef T

#define T(field, nm, ...)                                                                          \
	VALUE(hf_config_retry, field, duration, nm, .min = MS, .max = DAY, __VA_ARGS__)
static const struct hf_key retry_keys[] = {
	T(floor_ms, "floor", .def = "50ms",
	    .help = "The first wait after a failure; it doubles with each, with jitter."),
	T(cap_ms, "cap", .def = "10s", .help = "The longest wait."),
	T(steady_ms, "steady", .def = "10s",
	    .help = "After so long live the next wait is the first again."),
	T(permanent_ms, "permanent", .def = "5m",
	    .help = "The wait after what will not mend itself: a wrong server, a bad certificate."),
	T(unauthorised_ms, "unauthorised", .def = "1m",
	    .help = "The wait after the server refused the token."),
	T(events_ms, "events", .def = "5s",
	    .help =
		"Wake from sleep, network change, new token and SIGHUP end a wait at once, at most once in this time."),
	VALUE(hf_config_retry, per_minute, int, "per-minute", .min = 1, .max = 1000, .def = "20",
	    .help = "The connections in a minute, at most, whatever asks for them."),
};
#undef T

#define S(field, type, nm, ...) VALUE(hf_config_source, field, type, nm, __VA_ARGS__)
static const struct hf_key source_keys[] = {
	S(name, label, "name", .flags = HF_KEY_IDENTITY | HF_KEY_SAMPLE, .def = "main",
	    .help = "What the source is called in status and logs. Each needs a name of its own."),
	S(url, url, "url", .flags = HF_KEY_UNTOLD | HF_KEY_SAMPLE,
	    .example = "https://coder.example.com",
	    .without = "CODER_URL, else the url file of the coder CLI", .help = "Where Coder is."),
	S(token_file, path, "token-file", .flags = HF_KEY_UNTOLD | HF_KEY_SAMPLE,
	    .example = "/etc/holdfast/token",
	    .without =
		"the systemd credential holdfast-token, else CODER_SESSION_TOKEN, else the session file of the coder CLI",
	    .help =
		"A file with nothing but a session token in it, readable by the bridge's user only and no symlink. It is watched."),
	VALUES(hf_config_source, owners, owner, "owners", .flags = HF_KEY_NONEMPTY, .n_max = 10000,
	    .def = "[me]", .help = "Whose workspaces to follow: me, all, user names, user ids."),
	S(suffix, suffix, "suffix", .def = "auto",
	    .help =
		"The DNS suffix of the names. auto asks the server once and keeps the answer if it is a single label."),
	S(sentinel, flag, "sentinel", .def = "false",
	    .help =
		"Publish the name by which the coder CLI knows that it is behind a Coder tunnel. Only where all who ask are."),
	S(snapshot_interval_ms, duration, "snapshot-interval", .min = 10 * MS, .max = DAY,
	    .def = "10m", .help = "A new snapshot is taken so often, on the open connection."),
	S(fresh_window_ms, duration, "fresh-window", .min = 10 * MS, .max = HOUR, .def = "60s",
	    .help = "So long after the last proof of life answers still count as fresh."),
	S(allow_http, flag, "allow-http", .def = "false",
	    .help =
		"Allow an http:// url to a host that is not this one: the token then crosses the network in clear."),
	S(ca_file, path, "ca-file", .example = "/etc/ssl/own-ca.pem", .without = "the system's",
	    .help = "The certificate authorities to trust, in PEM form."),
	S(client_cert, path, "client-cert", .example = "/etc/holdfast/client.pem",
	    .help =
		"The certificate to show to the server or to a gateway before it; with client-key."),
	S(client_key, path, "client-key", .flags = HF_KEY_UNTOLD,
	    .example = "/etc/holdfast/client.key",
	    .help = "The key of client-cert; readable by the bridge's user only."),
	S(proxy, proxy, "proxy", .flags = HF_KEY_SECRET, .example = "http://proxy.example.com:3128",
	    .without = "the usual environment variables (https_proxy, no_proxy)",
	    .help = "The proxy to go through."),
	VALUES(hf_config_source, headers, header, "headers", .flags = HF_KEY_SECRET, .n_max = 32,
	    .example = "[X-Gateway: abc]",
	    .help =
		"Further HTTP headers for each request. If they hold a secret, nobody else should be able to read this file."),
	VALUES(hf_config_source, header_command, string, "header-command", .n_max = 32,
	    .example = "[/usr/local/bin/headers, --coder]",
	    .help =
		"A program, run without a shell before each dial, that prints further headers, NAME=VALUE a line."),
	S(max_message, size, "max-message", .min = 4096, .max = 1024 * MIB, .def = "64MiB",
	    .help = "A message of the stream that is larger is refused."),
	MAP(hf_config_source, limits, limit_keys, "limits",
	    .help =
		"How far the server can make something grow; beyond, the connection is dropped."),
	MAP(hf_config_source, timeouts, timeout_keys, "timeouts",
	    .help = "How long each phase of talking to the server may take."),
	MAP(hf_config_source, retry, retry_keys, "retry", .help = "When to try again."),
};
#undef S

static const struct hf_key hold_keys[] = {
	VALUE(hf_config_hold, policy, enum, "policy", .words = policy_words, .def = "forever",
	    .help =
		"How long the last known names are answered while Coder cannot be reached: forever, or up to max-age."),
	VALUE(hf_config_hold, max_age_ms, duration, "max-age", .min = SECOND, .max = 3650 * DAY,
	    .example = "7d",
	    .help =
		"With policy max-age: names of a source that was away for longer are no longer answered, until it is back."),
};

static const struct hf_key guard_keys[] = {
	VALUE(hf_config_guard, max_removal, percent, "max-removal", .min = 0, .max = 100,
	    .def = "50%",
	    .help = "A removal of more than this part of an owner's workspaces waits."),
	VALUE(hf_config_guard, min_workspaces, int, "min-workspaces", .min = 1, .max = 1000000,
	    .def = "3",
	    .help =
		"A removal of no more workspaces than this never waits, unless nothing would be left."),
	VALUE(hf_config_guard, grace_ms, duration, "grace", .min = MS, .max = 30 * DAY,
	    .def = "10m", .help = "How much fresh time a removal waits before it is believed."),
};

#define U(field, type, nm, ...) VALUE(hf_config_adapter, unbound.field, type, nm, __VA_ARGS__)
static const struct hf_key unbound_keys[] = {
	U(control, socket, "control", .flags = HF_KEY_REQUIRED, .example = "/run/unbound.ctl",
	    .help = "The control socket of unbound (remote-control: control-interface)."),
	U(ask, endpoint, "ask", .def = "127.0.0.1@53",
	    .help = "Where it answers DNS: it is asked whether it has what it was given."),
	U(start_file, path, "start-file", .example = "/var/lib/unbound/holdfast/start.zone",
	    .without = "unbound knows no names from its start until the bridge has filled it",
	    .help =
		"A file with the names, for unbound's own start while the bridge is down; in a folder of its own that the bridge may write."),
	U(start_form, enum, "start-form", .words = start_words, .def = "zonefile",
	    .help =
		"What start-file is: the zonefile of an auth-zone, or an include of local-data lines."),
	U(start_interval_ms, duration, "start-interval", .min = MS, .max = DAY, .def = "30s",
	    .help = "The file is written at most so often."),
	U(timeout_ms, duration, "timeout", .min = MS, .max = HOUR, .def = "5s",
	    .help = "For one command to unbound; then the adapter tries again."),
};
#undef U

#define D(field, type, nm, ...) VALUE(hf_config_adapter, dnsmasq.field, type, nm, __VA_ARGS__)
static const struct hf_key dnsmasq_keys[] = {
	D(hostsdir, path, "hostsdir", .example = "/var/lib/holdfast/dnsmasq",
	    .help =
		"A folder of nothing but our files, the hostsdir of dnsmasq; it sees each change by itself."),
	D(hosts_file, path, "hosts-file", .example = "/var/lib/holdfast/dnsmasq.hosts",
	    .help =
		"Instead of hostsdir: one file, an addn-hosts of dnsmasq, which reads it when it is signalled."),
	D(pid_file, path, "pid-file", .example = "/run/dnsmasq/dnsmasq.pid",
	    .without = "somebody else signals it, such as a path unit",
	    .help =
		"With hosts-file: the process to signal after a change, where the rights allow it."),
	D(ask, endpoint, "ask", .def = "127.0.0.1@53",
	    .help = "Where it answers DNS: it is asked whether it has what it was given."),
};
#undef D

static const struct hf_key hosts_keys[] = {
	VALUE(hf_config_adapter, hosts.path, path, "path", .flags = HF_KEY_REQUIRED,
	    .example = "/etc/hosts", .help = "The hosts file. Only a marked block of it is ours."),
	VALUE(hf_config_adapter, hosts.max_names, int, "max-names", .min = 1, .max = 30000,
	    .def = "1000",
	    .help =
		"More names than this are not written: each process on the machine reads this file."),
};

static const struct hf_key hook_keys[] = {
	VALUES(hf_config_adapter, hook.command, string, "command",
	    .flags = HF_KEY_REQUIRED | HF_KEY_NONEMPTY, .n_max = 32,
	    .example = "[/usr/local/bin/on-change]",
	    .help =
		"The program, run without a shell; an absolute path, with arguments if it needs some."),
	VALUE(hf_config_adapter, hook.form, enum, "form", .words = hook_words, .def = "dhcp-script",
	    .help =
		"How it is called: once a change as dnsmasq calls its dhcp-script, or with batches of JSON lines."),
	VALUE(hf_config_adapter, hook.timeout_ms, duration, "timeout", .min = MS, .max = HOUR,
	    .def = "10s", .help = "For one call; then it is killed."),
};

static const struct hf_variant adapter_variants[] = {
	{ "unbound", HF_KEYS(unbound_keys) },
	{ "dnsmasq", HF_KEYS(dnsmasq_keys) },
	{ "hosts", HF_KEYS(hosts_keys) },
	{ "hook", HF_KEYS(hook_keys) },
	{ NULL, { NULL, 0 } },
};

static const struct hf_key adapter_retry_keys[] = {
	VALUE(hf_config_adapter_retry, floor_ms, duration, "floor", .min = MS, .max = HOUR,
	    .def = "50ms", .help = "The first wait after a failure; it doubles with each."),
	VALUE(hf_config_adapter_retry, cap_ms, duration, "cap", .min = MS, .max = DAY, .def = "5s",
	    .help = "The longest wait."),
	VALUE(hf_config_adapter_retry, failed_after_ms, duration, "failed-after", .min = MS,
	    .max = DAY, .def = "30s",
	    .help =
		"After so long without success its state is failed; it is tried on all the same."),
	VALUE(hf_config_adapter_retry, skipped_ms, duration, "skipped", .min = MS, .max = DAY,
	    .def = "1m",
	    .help =
		"When names that others have, or that did not fit, are tried again; up to ten times as long if nothing changes. Also the longest wait of a name that failed."),
};

#define A(field, type, nm, ...) VALUE(hf_config_adapter, field, type, nm, __VA_ARGS__)
static const struct hf_key adapter_keys[] = {
	A(kind, enum, "type", .flags = HF_KEY_VARIANT, .words = adapter_words, .example = "unbound",
	    .help = "What it feeds."),
	A(name, label, "name", .flags = HF_KEY_IDENTITY | HF_KEY_AS_VARIANT, .example = "resolver",
	    .without = "its type",
	    .help = "What it is called in status and logs. Each needs a name of its own."),
	A(teardown, enum, "teardown", .words = teardown_words, .def = "keep",
	    .help =
		"What happens to our names there when the adapter is taken out of the configuration, and with clean also when the bridge ends: they stay, or they go."),
	A(verify_interval_ms, duration, "verify-interval", .min = 100 * MS, .max = DAY,
	    .def = "10s", .help = "A few of its names are asked for so often, in turn."),
	MAP(hf_config_adapter, retry, adapter_retry_keys, "retry", .help = "When to try again."),
};
#undef A

static const struct hf_key dns_keys[] = {
	VALUES(hf_config_dns, listen, endpoint, "listen", .flags = HF_KEY_RESTART, .n_max = 32,
	    .def = "[127.0.0.1@5453, ::1@5453]",
	    .help =
		"Where holdfast-dns answers, by UDP and TCP. Empty ([]): none is expected, and none starts."),
	VALUE(hf_config_dns, threads, int, "threads", .flags = HF_KEY_RESTART, .min = 1, .max = 64,
	    .def = "1", .help = "How many threads answer."),
	VALUES(hf_config_dns, allow, prefix, "allow", .n_max = 1000, .def = "[127.0.0.0/8, ::1]",
	    .help = "Who may ask. Others are refused."),
	VALUE(hf_config_dns, tcp_connections, int, "tcp-connections", .flags = HF_KEY_RESTART,
	    .min = 1, .max = 100000, .def = "256",
	    .help = "How many TCP connections there may be; one more ends the longest silent one."),
	VALUE(hf_config_dns, tcp_per_client, int, "tcp-per-client", .flags = HF_KEY_RESTART,
	    .min = 1, .max = 100000, .def = "64",
	    .help = "The same for each client: an IPv4 address, or an IPv6 /64."),
	VALUE(hf_config_dns, tcp_idle_ms, duration, "tcp-idle", .flags = HF_KEY_RESTART, .min = 50,
	    .max = 600000, .def = "10s",
	    .help =
		"A TCP connection ends when it has brought no question, or taken no answer, for so long."),
	VALUE(hf_config_dns, probe_interval_ms, duration, "probe-interval", .min = 10, .max = HOUR,
	    .def = "10s",
	    .help = "Interval at which holdfastd checks that each address of listen answers."),
};

static const struct hf_key status_keys[] = {
	VALUE(hf_config_status, listen, endpoint, "listen", .example = "127.0.0.1@9453",
	    .without = "none",
	    .help = "Where holdfastd answers HTTP requests for /healthz and /readyz."),
};

static const struct hf_key log_keys[] = {
	VALUE(hf_config_log, level, enum, "level", .words = level_words, .def = "info",
	    .help = "The least important lines that are logged."),
	VALUE(hf_config_log, format, enum, "format", .words = format_words, .def = "text",
	    .help = "A line of text, or an object of JSON, for each event."),
};

static const struct hf_key keys[] = {
	VALUE(hf_config, store, path, "store", .flags = HF_KEY_RESTART,
	    .def = "/var/lib/holdfast/store.db",
	    .help = "The database of the bridge: its last known state."),
	VALUE(hf_config, zone, path, "zone", .flags = HF_KEY_RESTART,
	    .def = "/var/lib/holdfast/zone",
	    .help =
		"The folder of the published zone: what holdfast-dns and the unbound module read."),
	VALUE(hf_config, control, socket, "control", .flags = HF_KEY_RESTART,
	    .def = "/run/holdfast/control.sock",
	    .help = "The socket on which holdfastctl talks to the bridge."),
	VALUE(hf_config, control_group, group, "control-group", .example = "holdfast-admin",
	    .without = "only root and the bridge's own user",
	    .help = "The group whose members may give orders by holdfastctl."),
	VALUE(hf_config, read_group, group, "read-group", .example = "holdfast",
	    .without = "only root, the bridge's own user and control-group",
	    .help = "The group whose members may look by holdfastctl."),
	VALUE(hf_config, ttl_s, int, "ttl", .unit = "seconds", .min = 1, .max = 30, .def = "30",
	    .help = "The TTL of all answers."),
	VALUE(hf_config, provenance, enum, "provenance", .words = provenance_words,
	    .def = "loopback",
	    .help =
		"Who may ask for the origin of a name (TXT _holdfast.NAME): nobody, this machine, everybody."),
	VALUE(hf_config, not_ready, enum, "not-ready", .words = not_ready_words, .def = "servfail",
	    .help = "The answer before the first snapshot ever was accepted."),
	VALUE(hf_config, pulse_interval_ms, duration, "pulse-interval", .min = MS, .max = HOUR,
	    .def = "15s", .help = "Readers of the zone are told so often that a source is live."),
	ENTRIES(hf_config, sources, source_keys, "sources", .n_max = HF_CONFIG_SOURCES_MAX,
	    .def = "[{}]", .without = "one source that takes all from the environment",
	    .help =
		"The Coder deployments to follow. Where two give the same name, the first in this list has it."),
	MAP(hf_config, hold, hold_keys, "hold",
	    .help = "What happens to names while their source cannot be reached."),
	MAP(hf_config, guard, guard_keys, "guard",
	    .help = "A valid message that removes unusually much is not believed at once."),
	ENTRIES(hf_config, adapters, adapter_keys, "adapters", .variants = adapter_variants,
	    .n_max = HF_CONFIG_ADAPTERS_MAX,
	    .without = "none: the names are in the published zone only",
	    .help = "The resolvers to feed, each by itself."),
	MAP(hf_config, dns, dns_keys, "dns", .help = "The responder holdfast-dns."),
	MAP(hf_config, status, status_keys, "status",
	    .help = "The health of the bridge for supervisors."),
	MAP(hf_config, log, log_keys, "log", .help = "The log, which goes to standard error."),
};

const struct hf_key hf_config_table = {
	.name = "",
	.kind = HF_KEY_MAP,
	.keys = HF_KEYS(keys),
	.size = sizeof(struct hf_config),
	.help = "The configuration of Holdfast.",
};
