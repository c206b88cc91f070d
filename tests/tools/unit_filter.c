/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit_filter: loads the system call filters that a unit file asks for, as systemd 252 makes them,
 * and then runs a program. tests/lib/units.py has read the unit and does the rest: mounts, user,
 * capabilities.
 *
 *   unit_filter [--deny NAME,...] [--families NAME,...] [--no-exec] [--no-suid]
 *               [--no-realtime] [--no-personality] [--no-namespaces] [--allow FILE ERRNO]
 *               -- PROGRAM [ARGUMENT...]
 *
 * Each option is a filter of its own, as with systemd; the list of FILE (one system call a line)
 * comes last.
 */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void check(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "unit_filter: %s: %s\n", what, strerror(-rc));
	exit(125);
}

static scmp_filter_ctx begin(uint32_t action)
{
	scmp_filter_ctx ctx = seccomp_init(action);

	check(ctx ? 0 : -ENOMEM, "seccomp_init");
	/* The caller has set it already where it has to be. */
	check(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0), "no_new_privs");
	return ctx;
}

static void finish(scmp_filter_ctx ctx, const char *what)
{
	check(seccomp_load(ctx), what);
	seccomp_release(ctx);
}

/* Names that this machine has no such call for are left out, as systemd does. */
static void add_name(scmp_filter_ctx ctx, uint32_t action, const char *name)
{
	int call = seccomp_syscall_resolve_name(name), rc;

	if (call == __NR_SCMP_ERROR)
		return;
	rc = seccomp_rule_add(ctx, action, call, 0);
	if (rc && rc != -EDOM && rc != -EEXIST)
		check(rc, name);
}

static void deny(char *names)
{
	scmp_filter_ctx ctx = begin(SCMP_ACT_ALLOW);

	for (char *name = strtok(names, ","); name; name = strtok(NULL, ","))
		add_name(ctx, SCMP_ACT_ERRNO(EPERM), name);
	finish(ctx, "--deny");
}

static void allow(const char *file, const char *error)
{
	scmp_filter_ctx ctx = begin(SCMP_ACT_ERRNO((uint32_t)atoi(error)));
	FILE *f = fopen(file, "re");
	char line[128];

	check(f ? 0 : -errno, file);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		add_name(ctx, SCMP_ACT_ALLOW, line);
	}
	fclose(f);
	finish(ctx, "--allow");
}

static int family_number(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} known[] = { { "AF_UNIX", AF_UNIX }, { "AF_INET", AF_INET }, { "AF_INET6", AF_INET6 },
		{ "AF_NETLINK", AF_NETLINK }, { "AF_PACKET", AF_PACKET } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i].name, name))
			return known[i].number;
	fprintf(stderr, "unit_filter: family '%s'?\n", name);
	exit(125);
}

/* `error` where `op` is true of argument `arg` and `value`. */
static void deny_where(scmp_filter_ctx ctx, uint16_t error, int call, unsigned arg,
    enum scmp_compare op, uint64_t value)
{
	struct scmp_arg_cmp cmp = { .arg = arg, .op = op, .datum_a = value };

	check(seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(error), call, 1, &cmp), "a rule");
}

static void families(char *names)
{
	scmp_filter_ctx ctx = begin(SCMP_ACT_ALLOW);
	unsigned char listed[AF_MAX] = { 0 };

	for (char *name = strtok(names, ","); name; name = strtok(NULL, ","))
		if (strcmp(name, "none"))
			listed[family_number(name)] = 1;
	for (unsigned f = 0; f < AF_MAX; f++)
		if (!listed[f])
			deny_where(ctx, EAFNOSUPPORT, SCMP_SYS(socket), 0, SCMP_CMP_EQ, f);
	deny_where(ctx, EAFNOSUPPORT, SCMP_SYS(socket), 0, SCMP_CMP_GE, AF_MAX);
	finish(ctx, "--families");
}

/* EPERM where all the bits of `value` are set in argument `arg`. */
static void deny_bits(scmp_filter_ctx ctx, int call, unsigned arg, uint64_t value)
{
	struct scmp_arg_cmp cmp = { arg, SCMP_CMP_MASKED_EQ, value, value };
	int rc = seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(EPERM), call, 1, &cmp);

	check(rc == -EDOM ? 0 : rc, "a rule for an argument");
}

/* MemoryDenyWriteExecute= */
static void no_exec(void)
{
	scmp_filter_ctx ctx = begin(SCMP_ACT_ALLOW);

	deny_bits(ctx, SCMP_SYS(mmap), 2, PROT_EXEC | PROT_WRITE);
	deny_bits(ctx, SCMP_SYS(mprotect), 2, PROT_EXEC);
	deny_bits(ctx, SCMP_SYS(pkey_mprotect), 2, PROT_EXEC);
	deny_bits(ctx, SCMP_SYS(shmat), 2, SHM_EXEC);
	finish(ctx, "--no-exec");
}

/* RestrictSUIDSGID= */
static void no_suid(void)
{
	static const struct {
		int call;
		unsigned mode;
	} calls[] = { { SCMP_SYS(chmod), 1 }, { SCMP_SYS(fchmod), 1 }, { SCMP_SYS(fchmodat), 2 },
		{ SCMP_SYS(mkdir), 1 }, { SCMP_SYS(mkdirat), 2 }, { SCMP_SYS(mknod), 1 },
		{ SCMP_SYS(mknodat), 2 }, { SCMP_SYS(creat), 1 } };
	scmp_filter_ctx ctx = begin(SCMP_ACT_ALLOW);

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		deny_bits(ctx, calls[i].call, calls[i].mode, S_ISUID);
		deny_bits(ctx, calls[i].call, calls[i].mode, S_ISGID);
	}
	finish(ctx, "--no-suid");
}

/* RestrictRealtime= */
static void no_realtime(void)
{
	scmp_filter_ctx ctx = begin(SCMP_ACT_ALLOW);

	deny_where(ctx, EPERM, SCMP_SYS(sched_setscheduler), 1, SCMP_CMP_EQ, SCHED_FIFO);
	deny_where(ctx, EPERM, SCMP_SYS(sched_setscheduler), 1, SCMP_CMP_EQ, SCHED_RR);
	finish(ctx, "--no-realtime");
}

/* LockPersonality= */
static void no_personality(void)
{
	scmp_filter_ctx ctx = begin(SCMP_ACT_ALLOW);

	deny_where(ctx, EPERM, SCMP_SYS(personality), 0, SCMP_CMP_NE, 0);
	finish(ctx, "--no-personality");
}

/* RestrictNamespaces=yes. clone3() cannot be looked into. */
static void no_namespaces(void)
{
	static const uint64_t kinds[] = { CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS,
		CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWUTS };
	scmp_filter_ctx ctx = begin(SCMP_ACT_ALLOW);

	check(seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0), "clone3");
	check(seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(setns), 0), "setns");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		deny_bits(ctx, SCMP_SYS(unshare), 0, kinds[i]);
		deny_bits(ctx, SCMP_SYS(clone), 0, kinds[i]);
	}
	finish(ctx, "--no-namespaces");
}

static const struct {
	const char *name;
	void (*plain)(void);
	void (*listed)(char *names);
} options[] = {
	{ "--deny", NULL, deny },
	{ "--families", NULL, families },
	{ "--no-exec", no_exec, NULL },
	{ "--no-suid", no_suid, NULL },
	{ "--no-realtime", no_realtime, NULL },
	{ "--no-personality", no_personality, NULL },
	{ "--no-namespaces", no_namespaces, NULL },
};

/* Returns how many words it took. */
static int take_option(char **word)
{
	if (!strcmp(word[0], "--allow") && word[1] && word[2]) {
		allow(word[1], word[2]);
		return 3;
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (strcmp(word[0], options[i].name))
			continue;
		if (options[i].plain) {
			options[i].plain();
			return 1;
		}
		check(word[1] ? 0 : -EINVAL, word[0]);
		options[i].listed(word[1]);
		return 2;
	}
	fprintf(stderr, "unit_filter: '%s'?\n", word[0]);
	exit(125);
}

int main(int argc, char **argv)
{
	char **word = argv + 1;

	while (*word && strcmp(*word, "--"))
		word += take_option(word);
	check(*word && word[1] ? 0 : -EINVAL, "usage");
	execv(word[1], word + 1);
	fprintf(stderr, "unit_filter: %s: %s\n", word[1], strerror(errno));
	return 126;
}
