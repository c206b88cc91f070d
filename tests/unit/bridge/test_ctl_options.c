/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "bridge/ctl/ctl_options.h"

Suite *ctl_options_suite(void);

static const struct {
	const char *words[6];
	int rc;
	enum hf_ctl_command command;
	const char *said; /* on a refusal */
} rows[] = {
	{ { "status" }, 0, CTL_STATUS, NULL },
	{ { "records", "--name", "*.coder", "--stale" }, 0, CTL_RECORDS, NULL },
	{ { "--json", "history", "--name", "a.coder" }, 0, CTL_HISTORY, NULL },
	{ { "accept", "main", "alice", "--suffix" }, 0, CTL_ACCEPT, NULL },
	{ { "-y", "accept" }, 0, CTL_ACCEPT, NULL },
	{ { "reject", "--dry-run" }, 0, CTL_REJECT, NULL },
	{ { "export", "zone", "coder" }, 0, CTL_EXPORT, NULL },
	{ { "setup" }, 0, CTL_SETUP, NULL },
	{ { "setup", "bind" }, 0, CTL_SETUP, NULL },
	{ { "setup", "bind", "unbound" }, -EINVAL, 0,
	    "too many arguments for 'setup'\nusage: holdfastctl setup" },
	{ { "--help" }, 0, CTL_HELP, NULL },
	{ { "help" }, 0, CTL_HELP, NULL },
	{ { "help", "why" }, 0, CTL_HELP, NULL },
	{ { "why", "--help" }, 0, CTL_HELP, NULL },
	{ { "help", "wy" }, -EINVAL, 0, "did you mean 'why'?" },
	{ { "version" }, 0, CTL_VERSION, NULL },
	{ { "--version" }, 0, CTL_VERSION, NULL },
	{ { NULL }, -EINVAL, 0, "commands: status records" },
	{ { "recrods" }, -EINVAL, 0, "did you mean 'records'?" },
	{ { "frobnicate" }, -EINVAL, 0, "holdfastctl help" },
	{ { "export" }, -EINVAL, 0,
	    "too few arguments for 'export'\nusage: holdfastctl export hosts|json|zone" },
	{ { "why" }, -EINVAL, 0, "usage: holdfastctl why NAME" },
	{ { "export", "hosts", "coder" }, -EINVAL, 0, "belongs to 'export zone'" },
	{ { "accept", "a", "b", "c" }, -EINVAL, 0, "too many arguments for 'accept'" },
	{ { "accept", "--suffix", "--deployment" }, -EINVAL, 0, "one at a time" },
	{ { "history", "--stale" }, -EINVAL, 0, "unknown option '--stale' for 'history'" },
	{ { "--yes", "status" }, -EINVAL, 0, "unknown option '--yes' for 'status'" },
	{ { "status", "-w" }, -EINVAL, 0,
	    "unknown option '-w' for 'status'\nusage: holdfastctl status" },
	{ { "status", "--watch" }, -EINVAL, 0, "unknown option '--watch' for 'status'" },
	{ { "--frob", "status", "-c", "x" }, -EINVAL, 0, "unknown option '--frob' for 'status'" },
	{ { "-q" }, -EINVAL, 0, "unknown option '-q'\nusage: " },
	{ { "status", "-c" }, -EINVAL, 0, "option '-c' needs a value" },
	{ { "records", "--name" }, -EINVAL, 0, "option '--name' needs a value" },
};

START_TEST(a_command_line_is_taken_or_explained)
{
	char *argv[8] = { (char *)"holdfastctl" }, said[600] = "";
	FILE *err = fmemopen(said, sizeof(said), "w");
	struct hf_ctl_options o;
	int argc = 1;

	while (argc < 7 && rows[_i].words[argc - 1]) {
		argv[argc] = (char *)rows[_i].words[argc - 1];
		argc++;
	}
	ck_assert_int_eq(hf_ctl_options_parse(argc, argv, &o, err), rows[_i].rc);
	fclose(err);
	if (rows[_i].rc)
		ck_assert_msg(strstr(said, rows[_i].said) != NULL, "%s", said);
	else
		ck_assert_int_eq(o.command, rows[_i].command);
}
END_TEST

Suite *ctl_options_suite(void)
{
	Suite *s = suite_create("ctl_options");
	TCase *tc = tcase_create("parse");

	tcase_add_loop_test(
	    tc, a_command_line_is_taken_or_explained, 0, sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(s, tc);
	return s;
}
