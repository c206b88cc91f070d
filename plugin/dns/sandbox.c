#include "plugin/dns/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

enum { GROUPS_MAX = 64 };

static uint64_t permitted_caps(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &head, data) < 0)
		return 0;
	return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

static int set_caps(uint64_t caps)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (int i = 0; i < 2; i++)
		data[i].permitted = data[i].effective = (uint32_t)(caps >> (32 * i));
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

/* Root without any right but that to read: what is left where there is no user to become. */
static int stay_root(const char *user)
{
	uint64_t have = permitted_caps();
	uint64_t keep = have & (UINT64_C(1) << CAP_DAC_READ_SEARCH);

	if (!keep)
		keep = have & (UINT64_C(1) << CAP_DAC_OVERRIDE);
	hf_log_warn("there is no user '%s' to become: running on as root, able to read and no more",
	    user);
	return set_caps(keep);
}

/* The user's groups and that of the zone folder. Root's own group is never kept. */
static int take_groups(const struct passwd *pw, const char *zone)
{
	gid_t groups[GROUPS_MAX];
	int n = GROUPS_MAX - 1;
	struct stat st;

	if (getgrouplist(pw->pw_name, pw->pw_gid, groups, &n) < 0)
		n = GROUPS_MAX - 1;
	if (stat(zone, &st) == 0 && st.st_gid != 0)
		groups[n++] = st.st_gid;
	return setgroups((size_t)n, groups) < 0 ? -errno : 0;
}

static int become(const struct passwd *pw, const char *zone)
{
	int rc = take_groups(pw, zone);

	if (rc)
		return rc;
	if (setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return -errno;
	/* The way back must be closed. */
	if (pw->pw_uid && setuid(0) == 0)
		return -EPERM;
	return set_caps(0);
}

int hf_sandbox_drop(const char *user, const char *zone, char *why, size_t size)
{
	const struct passwd *pw;
	int rc;

	if (geteuid() != 0) {
		rc = set_caps(0);
	} else {
		pw = getpwnam(user);
		rc = pw ? become(pw, zone) : stay_root(user);
	}
	if (rc)
		snprintf(why, size, "cannot give up the rights of root: %s", hf_strerror(rc));
	return rc;
}

/* What needs no look at its arguments. */
static const int allowed[] = {
	/* sockets that are open already */
	SCMP_SYS(accept4), SCMP_SYS(recvmmsg), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom),
	SCMP_SYS(sendmmsg), SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(setsockopt),
	SCMP_SYS(getsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(connect),
	SCMP_SYS(shutdown), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait), SCMP_SYS(poll), SCMP_SYS(ppoll),
	/* files, and the log */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(write),
	SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(close), SCMP_SYS(lseek), SCMP_SYS(fstat),
	SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(fstatfs),
	SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
	SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(fcntl), SCMP_SYS(fadvise64),
	SCMP_SYS(dup), SCMP_SYS(flock),
	/* memory and threads */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
	SCMP_SYS(set_robust_list), SCMP_SYS(set_tid_address), SCMP_SYS(rseq), SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_setaffinity), SCMP_SYS(membarrier),
	SCMP_SYS(prlimit64), SCMP_SYS(getrlimit), SCMP_SYS(getrusage), SCMP_SYS(sysinfo),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(getrandom), SCMP_SYS(restart_syscall),
	/* time and signals */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(rt_sigpending), SCMP_SYS(sigaltstack), SCMP_SYS(tgkill), SCMP_SYS(gettid),
	/* who we are */
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
	SCMP_SYS(getegid), SCMP_SYS(getgroups), SCMP_SYS(getresuid), SCMP_SYS(getresgid),
	SCMP_SYS(uname), SCMP_SYS(umask), SCMP_SYS(getcwd),
#if defined(__SANITIZE_ADDRESS__)
	/* how its search for leaks stops the other threads */
	SCMP_SYS(clone), SCMP_SYS(ptrace), SCMP_SYS(wait4), SCMP_SYS(prctl), SCMP_SYS(getdents),
#endif
};

/* Those that are allowed only where (argument & mask) == value. */
static const struct {
	int call;
	unsigned arg;
	uint64_t mask;
	uint64_t value;
} limited[] = {
	/* files are opened for reading */
	{ SCMP_SYS(open), 1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY },
	{ SCMP_SYS(openat), 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY },
	/* memory holds data, not code */
	{ SCMP_SYS(mmap), 2, PROT_EXEC, 0 },
	{ SCMP_SYS(mprotect), 2, PROT_EXEC, 0 },
	/* a thread, no process */
	{ SCMP_SYS(clone), 0, CLONE_VM | CLONE_THREAD, CLONE_VM | CLONE_THREAD },
	/* towards the service manager */
	{ SCMP_SYS(socket), 0, UINT64_MAX, AF_UNIX },
};

static int add_rules(scmp_filter_ctx ctx)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; !rc && i < sizeof(limited) / sizeof(limited[0]); i++) {
		struct scmp_arg_cmp cmp = SCMP_CMP(limited[i].arg, SCMP_CMP_MASKED_EQ,
		    limited[i].mask, limited[i].value);

		rc = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, limited[i].call, 1, &cmp);
	}
	return rc;
}

int hf_sandbox_enter(void)
{
	scmp_filter_ctx ctx;
	int rc;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
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
