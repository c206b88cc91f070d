/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/config/config_kit.h"

Suite *config_check_suite(void);

static const struct {
	const char *yaml;
	const char *want;
} rows[] = {
	{ "hold: { policy: max-age }\n",
	    "t.yaml:1:17: hold.policy: max-age needs the key max-age beside it, such as max-age: 7d" },
	{ "hold: { max-age: 7d }\n",
	    "t.yaml:1:18: hold.max-age: has no effect without policy: max-age" },
	{ "hold: { policy: max-age, max-age: 7d }\n", "" },
	{ "sources: [ { client-cert: /x } ]\n",
	    "t.yaml:1:27: sources[0].client-cert: needs client-key beside it" },
	{ "sources: [ { client-key: /x } ]\n",
	    "t.yaml:1:26: sources[0].client-key: needs client-cert beside it" },
	{ "sources: [ { client-key: /x, client-cert: /y } ]\n", "" },
	{ "sources: [ { url: http://coder } ]\n",
	    "t.yaml:1:19: sources[0].url: http:// to another host would send the token in clear; expected https:// (or allow-http: true)" },
	{ "sources: [ { url: http://coder, allow-http: true } ]\n", "" },
	{ "sources: [ { url: http://127.0.0.1:3000 } ]\n", "" },
	{ "sources: [ { url: \"http://[::1]\" } ]\n", "" },
	{ "sources: [ { owners: [bob, me, Bob] } ]\n",
	    "t.yaml:1:32: sources[0].owners[2]: 'Bob' is in the list twice" },
	{ "sources: [ { owners: [bob, bob, bob] } ]\n",
	    "t.yaml:1:28: sources[0].owners[1]: 'bob' is in the list twice\n"
	    "t.yaml:1:33: sources[0].owners[2]: 'bob' is in the list twice" },
	{ "sources: [ { header-command: [x, /y] } ]\n",
	    "t.yaml:1:30: sources[0].header-command: the program must be an absolute path; no shell and no PATH is used" },
	{ "sources: [ { retry: { floor: 20s } } ]\n",
	    "t.yaml:1:30: sources[0].retry.floor: is longer than retry.cap" },
	{ "sources: [ { fresh-window: 10s } ]\n",
	    "t.yaml:1:28: sources[0].fresh-window: is not longer than timeouts.ping-interval: answers would count as stale between two pings" },
	{ "sources: [ { max-message: 5000, limits: { record: 8KiB } } ]\n",
	    "t.yaml:1:51: sources[0].limits.record: is larger than max-message" },
	{ "pulse-interval: 2m\n",
	    "t.yaml:1:1: sources[0].fresh-window: is not longer than pulse-interval: answers would count as stale in between" },
	{ "sources: [ { fresh-window: 100ms, timeouts: { ping-interval: 20ms } } ]\npulse-interval: 50ms\n",
	    "" },
	{ "sources: [ { name: a, suffix: x }, { name: b, suffix: x } ]\n", "" },
	{ "sources: []\n", "" },
	{ "dns: { listen: [127.0.0.1@53, \"::1@53\", 127.0.0.1@53] }\n",
	    "t.yaml:1:41: dns.listen[2]: is in the list twice" },
	{ "dns: { listen: [127.0.0.1@53] }\nstatus: { listen: 127.0.0.1@53 }\n",
	    "t.yaml:2:19: status.listen: is also in dns.listen" },
	{ "dns: { listen: [127.0.0.1@53] }\nstatus: { listen: 127.0.0.1@54 }\n", "" },
	{ "zone: /var/lib/x/\nstore: /var/lib/x/store.db\n",
	    "t.yaml:2:8: store: lies in the folder of the zone, which is for its readers" },
	{ "zone: /var/lib/x\nstore: /var/lib/xy\n", "" },
	{ "zone: /run/holdfast\n",
	    "t.yaml:1:1: control: lies in the folder of the zone, which is for its readers" },
	{ "store: /a/b\ncontrol: /a/b\n", "t.yaml:2:10: control: is the same as store" },
	{ "adapters: [ { type: dnsmasq } ]\n",
	    "t.yaml:1:13: adapters[0]: needs the key 'hostsdir', or 'hosts-file'" },
	{ "adapters: [ { type: dnsmasq, hostsdir: /a, hosts-file: /b } ]\n",
	    "t.yaml:1:56: adapters[0].hosts-file: goes instead of hostsdir, not beside it" },
	{ "adapters: [ { type: dnsmasq, hostsdir: /a, pid-file: /b } ]\n",
	    "t.yaml:1:54: adapters[0].pid-file: has no effect with hostsdir: dnsmasq sees it change" },
	{ "adapters: [ { type: hook, command: [x, /y] } ]\n",
	    "t.yaml:1:36: adapters[0].command: the program must be an absolute path; no shell and no PATH is used" },
	{ "adapters: [ { type: hosts, path: /a }, { type: hosts, name: b, path: /a } ]\n",
	    "t.yaml:1:70: adapters[1].path: is that of the adapter 'hosts', too; each needs its own" },
	{ "adapters: [ { type: hosts, path: /a }, { type: hosts, name: b, path: /b } ]\n", "" },
	{ "adapters: [ { type: hosts, path: /a }, { type: hosts, path: /b } ]\n",
	    "t.yaml:1:40: adapters[1].name: 'hosts' is also that of adapters[0]; each needs its own" },
	{ "adapters: [ { type: hosts, path: /a, retry: { floor: 1m } } ]\n",
	    "t.yaml:1:54: adapters[0].retry.floor: is longer than retry.cap" },
	{ "zone: /a\nadapters: [ { type: hosts, path: /a/b } ]\n",
	    "t.yaml:2:34: adapters[0].path: lies in the folder of the zone, which is for its readers" },
};

START_TEST(keys_that_do_not_go_together_are_told)
{
	ck_assert_str_eq(errors_of(rows[_i].yaml, 0), rows[_i].want);
}
END_TEST

static const struct {
	const char *key;
	unsigned mode;
	const char *want;     /* with HF_CONFIG_FILES; after the path of the file */
	const char *want_all; /* with HF_CONFIG_FILES_ALL */
} files[] = {
	{ "token-file", 0600, "", "" },
	{ "token-file", 0644, "others may read it (mode 0644); chmod 0600 it", "" },
	{ "ca-file", 0644, "", "" },
	{ "ca-file", 0666, "others may write it (mode 0666); chmod go-w it", "" },
	{ "header-command", 0755, "", "" },
	{ "header-command", 0777, "others may write it (mode 0777); chmod go-w it", "" },
	{ "header-command", 0644, "", "it cannot be run; chmod +x it" },
};

START_TEST(a_file_that_others_reach_is_refused)
{
	const char *path = temp_file("f", "token\n", files[_i].mode);
	char yaml[400], want[600];
	const char *end = files[_i].want_all[0] ? files[_i].want_all : files[_i].want;
	int at = 14 + (int)strlen(files[_i].key) + 1;

	snprintf(yaml, sizeof(yaml), "sources: [ { %s: %s } ]\n", files[_i].key, path);
	snprintf(want, sizeof(want), "t.yaml:1:%d: sources[0].%s: %s: %s", at + 1, files[_i].key,
	    path, end);
	ck_assert_str_eq(errors_of(yaml, 0), "");
	ck_assert_str_eq(errors_of(yaml, HF_CONFIG_FILES), files[_i].want[0] ? want : "");
	ck_assert_str_eq(errors_of(yaml, HF_CONFIG_FILES_ALL), end[0] ? want : "");
}
END_TEST

START_TEST(a_key_that_others_may_read_is_refused)
{
	char cert[200], yaml[500];
	const char *said;

	snprintf(cert, sizeof(cert), "%s", temp_file("cert", "x", 0644));
	snprintf(yaml, sizeof(yaml), "sources: [ { client-cert: %s, client-key: %s } ]\n", cert,
	    temp_file("key", "x", 0640 | 04));
	said = errors_of(yaml, HF_CONFIG_FILES);
	ck_assert_ptr_nonnull(strstr(said, "client-key"));
	ck_assert_ptr_nonnull(strstr(said, "others may read it (mode 0644)"));
	ck_assert_ptr_null(strstr(said, "client-cert"));
}
END_TEST

START_TEST(what_is_not_there_is_told_by_check_only)
{
	static const char yaml[] =
	    "control-group: no-such-group\nread-group: root\nsources:\n"
	    "  - token-file: /nonexistent/token\n    ca-file: /nonexistent/ca\n";

	ck_assert_str_eq(errors_of(yaml, HF_CONFIG_FILES), "");
	ck_assert_str_eq(errors_of(yaml, HF_CONFIG_FILES_ALL),
	    "t.yaml:1:16: control-group: there is no group 'no-such-group' on this system\n"
	    "t.yaml:4:17: sources[0].token-file: /nonexistent/token: No such file or directory\n"
	    "t.yaml:5:14: sources[0].ca-file: /nonexistent/ca: No such file or directory");
}
END_TEST

/* What an adapter writes to; a socket that is not there comes with its resolver. */
static const struct {
	const char *yaml;
	const char *want; /* with HF_CONFIG_FILES_ALL */
} adapters[] = {
	{ "adapters: [ { type: unbound, control: /nonexistent/s } ]\n", "" },
	{ "adapters: [ { type: unbound, control: /dev/null } ]\n",
	    "t.yaml:1:39: adapters[0].control: /dev/null: this is no socket" },
	{ "adapters: [ { type: unbound, control: /x, start-file: /nonexistent/s } ]\n",
	    "t.yaml:1:55: adapters[0].start-file: /nonexistent: there is no such folder; make it, for the bridge to write to" },
	{ "adapters: [ { type: dnsmasq, hostsdir: /nonexistent } ]\n",
	    "t.yaml:1:40: adapters[0].hostsdir: /nonexistent: there is no such folder; make it, for the bridge to write to" },
	{ "adapters: [ { type: dnsmasq, hostsdir: /tmp } ]\n", "" },
	{ "adapters: [ { type: dnsmasq, hosts-file: /tmp } ]\n",
	    "t.yaml:1:42: adapters[0].hosts-file: /tmp: this is a folder, and has to be a file" },
	{ "adapters: [ { type: hosts, path: /tmp/not-there-yet } ]\n", "" },
	{ "adapters: [ { type: hosts, path: /nonexistent/hosts } ]\n",
	    "t.yaml:1:34: adapters[0].path: /nonexistent: there is no such folder; make it, for the bridge to write to" },
	{ "adapters: [ { type: hook, command: [/nonexistent] } ]\n",
	    "t.yaml:1:36: adapters[0].command: /nonexistent: No such file or directory" },
};

START_TEST(what_an_adapter_needs_is_told_by_check_only)
{
	char yaml[500];

	snprintf(yaml, sizeof(yaml), "%ssources: [ { owners: me } ]\n", adapters[_i].yaml);
	ck_assert_str_eq(errors_of(yaml, HF_CONFIG_FILES), "");
	ck_assert_str_eq(errors_of(yaml, HF_CONFIG_FILES_ALL), adapters[_i].want);
}
END_TEST

START_TEST(a_token_file_that_is_a_symlink_is_refused)
{
	char target[200], path[300], yaml[400];

	snprintf(target, sizeof(target), "%s", temp_file("token", "x", 0600));
	snprintf(path, sizeof(path), "%s.link", target);
	ck_assert_int_eq(symlink(target, path), 0);
	snprintf(yaml, sizeof(yaml), "sources: [ { token-file: %s } ]\n", path);
	ck_assert_ptr_nonnull(strstr(errors_of(yaml, HF_CONFIG_FILES), ": it is a symlink"));
}
END_TEST

START_TEST(a_token_file_of_another_user_is_refused)
{
	const char *path = temp_file("token", "x", 0600);
	char yaml[400];

	if (geteuid() != 0)
		return; /* only root can give a file away */
	ck_assert_int_eq(chown(path, 12345, 12345), 0);
	snprintf(yaml, sizeof(yaml), "sources: [ { token-file: %s } ]\n", path);
	ck_assert_ptr_nonnull(
	    strstr(errors_of(yaml, HF_CONFIG_FILES), ": it belongs to user 12345"));
}
END_TEST

START_TEST(a_token_file_without_a_token_is_told_by_check)
{
	char yaml[400];

	snprintf(yaml, sizeof(yaml), "sources: [ { token-file: %s } ]\n",
	    temp_file("token", "two words", 0600));
	ck_assert_str_eq(errors_of(yaml, HF_CONFIG_FILES), "");
	ck_assert_ptr_nonnull(
	    strstr(errors_of(yaml, HF_CONFIG_FILES_ALL), "one word of printable ASCII"));
	ck_assert_ptr_null(strstr(errors_of(yaml, HF_CONFIG_FILES_ALL), "two"));
}
END_TEST

Suite *config_check_suite(void)
{
	Suite *s = suite_create("config_check");
	TCase *tc = tcase_create("together");

	tcase_add_loop_test(tc, keys_that_do_not_go_together_are_told, 0, N(rows));
	suite_add_tcase(s, tc);
	tc = tcase_create("files");
	tcase_add_loop_test(tc, a_file_that_others_reach_is_refused, 0, N(files));
	tcase_add_test(tc, a_key_that_others_may_read_is_refused);
	tcase_add_test(tc, what_is_not_there_is_told_by_check_only);
	tcase_add_loop_test(tc, what_an_adapter_needs_is_told_by_check_only, 0,
	    sizeof(adapters) / sizeof(adapters[0]));
	tcase_add_test(tc, a_token_file_that_is_a_symlink_is_refused);
	tcase_add_test(tc, a_token_file_of_another_user_is_refused);
	tcase_add_test(tc, a_token_file_without_a_token_is_told_by_check);
	suite_add_tcase(s, tc);
	return s;
}
