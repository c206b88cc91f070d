/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/dns/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * What newer kernels know and this machine's header may not. Each version of the interface takes
 * all that earlier ones do; a longer struct is fine where its end is not used.
 */
struct attr {
	uint64_t fs;
	uint64_t net;    /* since version 4 */
	uint64_t scoped; /* since version 6 */
};

enum {
	FS_V1 = (1 << 13) - 1,  /* run, write, read, list, remove, make */
	FS_REFER = 1 << 13,     /* since version 2 */
	FS_TRUNCATE = 1 << 14,  /* 3 */
	FS_IOCTL_DEV = 1 << 15, /* 5 */
	NET_BIND_TCP = 1 << 0,
	NET_CONNECT_TCP = 1 << 1,
	SCOPE_ABSTRACT_UNIX = 1 << 0,
	SCOPE_SIGNAL = 1 << 1,
};

/* All that this kernel can forbid. */
static struct attr attr_everything(long version)
{
	struct attr a = { .fs = FS_V1 };

	if (version >= 2)
		a.fs |= FS_REFER;
	if (version >= 3)
		a.fs |= FS_TRUNCATE;
	if (version >= 4)
		a.net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (version >= 5)
		a.fs |= FS_IOCTL_DEV;
	if (version >= 6)
		a.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
	return a;
}

static size_t attr_size(long version)
{
	if (version >= 6)
		return sizeof(struct attr);
	return version >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

static int allow_reading(int ruleset, const char *folder)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
		.parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC),
	};
	int rc = 0;

	if (rule.parent_fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -errno;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		rc = -errno;
	close(rule.parent_fd);
	return rc;
}

int hf_landlock_enter(const char *const *folders, size_t n)
{
	long version =
	    syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct attr attr = attr_everything(version);
	int ruleset, rc = 0;

	if (version < 1)
		return version < 0 ? -errno : -ENOSYS;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, attr_size(version), 0);
	if (ruleset < 0)
		return -errno;
	for (size_t i = 0; !rc && i < n; i++)
		if (folders[i])
			rc = allow_reading(ruleset, folders[i]);
	if (!rc && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		rc = -errno;
	close(ruleset);
	return rc;
}
