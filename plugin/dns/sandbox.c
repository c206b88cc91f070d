/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/dns/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "plugin/dns/landlock.h"

/* gcc says it by a macro, clang by a feature. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAKS_ARE_LOOKED_FOR 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define LEAKS_ARE_LOOKED_FOR 1
#endif

/* --- files --- */

/* The folder that the path's last component is in. */
static void sandbox_parent_of(const char *path, char out[static PATH_MAX])
{
	char *slash;

	snprintf(out, PATH_MAX, "%s", path);
	for (size_t len = strlen(out); len > 1 && out[len - 1] == '/'; len--)
		out[len - 1] = '\0';
	slash = strrchr(out, '/');
	if (!slash)
		snprintf(out, PATH_MAX, ".");
	else
		slash[slash == out] = '\0';
}

/* Nobody but root or this user can put another folder in its place; or there is none above it. */
static bool is_firm(const char *folder)
{
	struct stat st;

	if (!strcmp(folder, "/") || !strcmp(folder, "."))
		return true;
	return stat(folder, &st) == 0 && S_ISDIR(st.st_mode) &&
	       (st.st_uid == 0 || st.st_uid == geteuid());
}

static void firm_parent_of(const char *path, char out[static PATH_MAX])
{
	char above[PATH_MAX];

	sandbox_parent_of(path, out);
	while (!is_firm(out)) {
		sandbox_parent_of(out, above);
		memcpy(out, above, sizeof(above));
	}
}

/* `find` for a path as it is written, and for where its links lead now, if that can be seen. */
static void both_ways(const char *path, void (*find)(const char *, char *), char out[2][PATH_MAX])
{
	char *real = realpath(path, NULL);

	find(path, out[0]);
	find(real ? real : path, out[1]);
	free(real);
}

static int limit_files(const char *zone, const char *config)
{
	char zones[2][PATH_MAX], configs[2][PATH_MAX];
	const char *folders[] = {
		zones[0], zones[1], NULL, NULL,
#ifdef LEAKS_ARE_LOOKED_FOR
		"/proc", /* which memory and which threads there are */
#endif
	};

	both_ways(zone, firm_parent_of, zones);
	if (config) {
		both_ways(config, sandbox_parent_of, configs);
		folders[2] = configs[0];
		folders[3] = configs[1];
	}
	return hf_landlock_enter(folders, sizeof(folders) / sizeof(folders[0]));
}

/* --- system calls --- */

/* What needs no look at its arguments. */
/* clang-format off */
static const int allowed[] = {
	/* sockets that are open already */
	SCMP_SYS(accept4), SCMP_SYS(recvmmsg), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom),
	SCMP_SYS(sendmmsg), SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(shutdown),
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
	SCMP_SYS(poll), SCMP_SYS(ppoll),
	/* files, and the log */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(write),
	SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(close), SCMP_SYS(lseek), SCMP_SYS(fstat),
	SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(fstatfs),
	SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
	SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(fadvise64),
	/* memory and threads */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
	SCMP_SYS(set_robust_list), SCMP_SYS(set_tid_address), SCMP_SYS(rseq), SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(membarrier), SCMP_SYS(getrlimit), SCMP_SYS(getrusage),
	SCMP_SYS(sysinfo), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(getrandom),
	SCMP_SYS(restart_syscall),
	/* time and signals */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(rt_sigpending), SCMP_SYS(sigaltstack), SCMP_SYS(gettid),
	/* who we are */
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
	SCMP_SYS(getegid), SCMP_SYS(getgroups), SCMP_SYS(getresuid), SCMP_SYS(getresgid),
	SCMP_SYS(uname), SCMP_SYS(getcwd),
#ifdef LEAKS_ARE_LOOKED_FOR
	/* how the search for leaks stops the other threads */
	SCMP_SYS(clone), SCMP_SYS(ptrace), SCMP_SYS(wait4), SCMP_SYS(prctl), SCMP_SYS(getdents),
#endif
};
/* clang-format on */

struct condition {
	unsigned arg;
	uint64_t mask;
	uint64_t value;
};

/* A call that is allowed where both conditions hold; a second one without a mask always does. */
struct limited {
	int call;
	struct condition is[2];
};

#define ARG(number, wanted)                                                                        \
	{                                                                                          \
		number, UINT64_MAX, wanted                                                         \
	}

static const struct limited limited[] = {
	/* files are opened for reading */
	{ SCMP_SYS(open), { { 1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY } } },
	{ SCMP_SYS(openat), { { 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY } } },
	/* no locks, no signals by way of a descriptor */
	{ SCMP_SYS(fcntl), { ARG(1, F_GETFD) } },
	{ SCMP_SYS(fcntl), { ARG(1, F_SETFD) } },
	{ SCMP_SYS(fcntl), { ARG(1, F_GETFL) } },
	{ SCMP_SYS(fcntl), { ARG(1, F_SETFL) } },
	{ SCMP_SYS(fcntl), { ARG(1, F_DUPFD_CLOEXEC) } },
	/* memory holds data, not code */
	{ SCMP_SYS(mmap), { { 2, PROT_EXEC, 0 } } },
	{ SCMP_SYS(mprotect), { { 2, PROT_EXEC, 0 } } },
	/* a thread, no process */
	{ SCMP_SYS(clone), { { 0, CLONE_VM | CLONE_THREAD, CLONE_VM | CLONE_THREAD } } },
	/* our own limits, to look at */
	{ SCMP_SYS(prlimit64), { ARG(0, 0), ARG(2, 0) } },
	/* what a new connection is given */
	{ SCMP_SYS(setsockopt), { ARG(1, IPPROTO_TCP), ARG(2, TCP_NODELAY) } },
};

static int add_limited(scmp_filter_ctx ctx, const struct limited *l)
{
	struct scmp_arg_cmp cmp[2];
	unsigned n = 0;

	for (size_t i = 0; i < 2 && l->is[i].mask; i++)
		cmp[n++] =
		    SCMP_CMP(l->is[i].arg, SCMP_CMP_MASKED_EQ, l->is[i].mask, l->is[i].value);
	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, l->call, n, cmp);
}

static int add_rules(scmp_filter_ctx ctx)
{
	/* A signal to a thread of our own. */
	const struct limited wake = { SCMP_SYS(tgkill), { ARG(0, (uint64_t)getpid()) } };
	int rc = add_limited(ctx, &wake);

	for (size_t i = 0; !rc && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; !rc && i < sizeof(limited) / sizeof(limited[0]); i++)
		rc = add_limited(ctx, &limited[i]);
	return rc;
}

static int limit_calls(void)
{
	scmp_filter_ctx ctx;
	int rc;

	/* ENOSYS makes the C library take its older ways, for instance clone() for clone3(). */
	ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (!ctx)
		return -ENOMEM;
	rc = add_rules(ctx);
	if (!rc)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	return rc;
}

void hf_sandbox_enter(const char *zone, const char *config)
{
	int rc = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;

	if (!rc)
		rc = limit_files(zone, config);
	if (rc)
		hf_log_info("no Landlock: %s; file permissions alone say what can be read",
		    hf_strerror(rc));
	rc = limit_calls();
	if (rc)
		hf_log_warn("no system call filter: %s; running without it", hf_strerror(rc));
}
