/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/dns/dns_rights.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

enum { GROUPS_MAX = 64 };

#define NOBODY "nobody"
#define CAP(number) (UINT64_C(1) << (number))

/* --- capabilities --- */

static int get_caps(uint64_t *ret_permitted, uint64_t *ret_effective)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &head, data) < 0)
		return -errno;
	*ret_permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	*ret_effective = data[0].effective | (uint64_t)data[1].effective << 32;
	return 0;
}

/*
 * Has no capability but those of `keep`. A service manager that has taken them away already may
 * also have forbidden the call that does it, so that is not made without need.
 */
static int keep_caps(uint64_t keep)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	uint64_t permitted = UINT64_MAX, effective = UINT64_MAX;

	get_caps(&permitted, &effective);
	if (!((permitted | effective) & ~keep))
		return 0;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (int i = 0; i < 2; i++)
		data[i].permitted = data[i].effective = (uint32_t)((keep & permitted) >> (32 * i));
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

/* --- whom to become --- */

struct who {
	const char *name;
	uid_t uid;
	gid_t gid;
	gid_t groups[GROUPS_MAX];
	size_t n_groups;
};

/* The folder's group, by which it can be read. Root's own group is never taken. */
static void add_group_of(struct who *w, const char *zone)
{
	struct stat st;

	if (stat(zone, &st) == 0 && st.st_gid != 0)
		w->groups[w->n_groups++] = st.st_gid;
}

static bool find_user(const char *name, bool with_groups, const char *zone, struct who *ret_who)
{
	const struct passwd *pw = getpwnam(name);
	int n = GROUPS_MAX - 1;

	if (!pw || !pw->pw_uid)
		return false;
	*ret_who = (struct who){ .name = name, .uid = pw->pw_uid, .gid = pw->pw_gid };
	if (with_groups && getgrouplist(name, pw->pw_gid, ret_who->groups, &n) < 0)
		n = GROUPS_MAX - 1;
	ret_who->n_groups = with_groups ? (size_t)n : 0;
	add_group_of(ret_who, zone);
	return true;
}

/* 0 if the zone can be read now, -ENOENT if it is not there, or what is in the way. */
static int try_zone(const char *zone)
{
	int dir = open(zone, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd, rc = 0;

	if (dir < 0)
		return -errno;
	fd = openat(dir, "current", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		rc = errno == EACCES ? -EACCES : 0;
	else
		close(fd);
	close(dir);
	return rc;
}

static int set_effective(uid_t uid, gid_t gid)
{
	/* Root first where it is to come back: it alone may set the group. */
	if (uid == 0 && seteuid(0) < 0)
		return -errno;
	if (setegid(gid) < 0 || (uid != 0 && seteuid(uid) < 0))
		return -errno;
	return 0;
}

/*
 * What try_zone() returns as that user; HF_EREFUSED if this system does not let root change its
 * user. *ret_back is a code if the way back to root failed.
 */
static int try_zone_as(const struct who *w, const char *zone, int *ret_back)
{
	int n = getgroups(0, NULL), rc = HF_EREFUSED;
	gid_t *groups = calloc((size_t)(n > 0 ? n : 0) + 1, sizeof(*groups));

	*ret_back = 0;
	if (groups && n >= 0 && getgroups(n, groups) == n &&
	    setgroups(w->n_groups, w->groups) == 0) {
		if (set_effective(w->uid, w->gid) == 0)
			rc = try_zone(zone);
		*ret_back = set_effective(0, 0);
		if (!*ret_back && setgroups((size_t)n, groups) < 0)
			*ret_back = -errno;
	}
	free(groups);
	return rc;
}

/* --- the steps --- */

static int become_user(const struct who *w)
{
	if (setgroups(w->n_groups, w->groups) < 0 || setresgid(w->gid, w->gid, w->gid) < 0 ||
	    setresuid(w->uid, w->uid, w->uid) < 0)
		return -errno;
	/* The way back must be closed. */
	return setuid(0) == 0 ? -EPERM : keep_caps(0);
}

static int stay_root(void)
{
	uint64_t have = 0, effective, keep;

	get_caps(&have, &effective);
	keep = have & CAP(CAP_DAC_READ_SEARCH) ? CAP(CAP_DAC_READ_SEARCH) : CAP(CAP_DAC_OVERRIDE);
	return keep_caps(keep);
}

#define STAYS "continuing as root, with no right but to read files"

/* True if *ret_who is whom to become; else the reason to stay root is logged. */
static bool choose_user(const char *zone, struct who *ret_who, int *ret_back)
{
	bool own = find_user(HF_DNS_RIGHTS_USER, true, zone, ret_who);
	int rc;

	if (!own && !find_user(NOBODY, false, zone, ret_who)) {
		hf_log_warn("no user '" HF_DNS_RIGHTS_USER "' on this system: " STAYS);
		return false;
	}
	rc = try_zone_as(ret_who, zone, ret_back);
	if (rc == HF_EREFUSED)
		hf_log_warn("root may not change its user here: " STAYS);
	else if (rc == -EACCES)
		hf_log_warn("user '%s' cannot read zone '%s': " STAYS, ret_who->name, zone);
	else if (!own && rc == -ENOENT)
		hf_log_warn(
		    "no user '" HF_DNS_RIGHTS_USER "' on this system, and no zone yet: " STAYS);
	else if (!own)
		hf_log_warn(
		    "no user '" HF_DNS_RIGHTS_USER "' on this system: continuing as '" NOBODY "'");
	return rc != HF_EREFUSED && rc != -EACCES && (own || rc != -ENOENT);
}

static int leave_root(const char *zone)
{
	struct who who;
	int back = 0, rc;

	if (!choose_user(zone, &who, &back))
		return back ? back : stay_root();
	rc = back ? back : become_user(&who);
	if (!rc || geteuid() != 0)
		return rc;
	hf_log_warn("cannot become user '%s' (%s): " STAYS, who.name, hf_strerror(rc));
	return stay_root();
}

int hf_dns_rights_drop(const char *zone, char *why, size_t size)
{
	int rc;

	if (geteuid() != 0) {
		rc = keep_caps(0);
		if (rc)
			hf_log_warn("cannot give up capabilities: %s", hf_strerror(rc));
		return 0;
	}
	rc = leave_root(zone);
	if (rc)
		snprintf(why, size, "cannot give up the rights of root: %s", hf_strerror(rc));
	return rc;
}
