/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/control/control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "config/config.h"

#define NO_GROUP ((gid_t)-1)

enum { BACKLOG = 64 };

/* Whether somebody listens there: connecting costs him nothing. */
static bool is_alive(const struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive;

	if (fd < 0)
		return true;
	/* EAGAIN: his queue is full, so he is there. */
	alive = connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0 || errno == EAGAIN;
	close(fd);
	return alive;
}

/* Makes room at the path. 0 or a code. */
static int clear_way(const struct sockaddr_un *at)
{
	struct stat st;

	if (lstat(at->sun_path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return HF_EUNSAFE;
	if (is_alive(at))
		return -EADDRINUSE;
	return unlink(at->sun_path) && errno != ENOENT ? -errno : 0;
}

/*
 * One group gets the file; for two it has to be open to all, and only the look at the peer decides,
 * as it does in any case.
 */
int hf_control_rights(const char *path, const struct hf_config *config)
{
	const char *name = config->control_group ? config->control_group : config->read_group;
	const struct group *group;
	mode_t mode = 0660;
	struct stat st;

	if (lstat(path, &st))
		return -errno;
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
		return HF_EUNSAFE;
	if (!name) {
		mode = 0600;
	} else if (config->control_group && config->read_group) {
		mode = 0666;
	} else {
		group = getgrnam(name);
		if (!group || lchown(path, (uid_t)-1, group->gr_gid)) {
			hf_log_warn(
			    "control: '%s' cannot be given to the group '%s': all may connect, and who is not of it is refused then",
			    path, name);
			mode = 0666;
		}
	}
	return chmod(path, mode) ? -errno : 0;
}

int hf_control_listen(const struct hf_config *config)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd, rc;

	if ((size_t)snprintf(at.sun_path, sizeof(at.sun_path), "%s", config->control) >=
	    sizeof(at.sun_path))
		return -ENAMETOOLONG;
	rc = clear_way(&at);
	if (rc)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/*
	 * bind() makes the file with the rights of the descriptor: it is never open for a moment.
	 */
	if (fchmod(fd, 0600) || bind(fd, (const struct sockaddr *)&at, sizeof(at))) {
		rc = -errno;
		close(fd);
		return rc;
	}
	rc = hf_control_rights(at.sun_path, config);
	if (!rc && listen(fd, BACKLOG))
		rc = -errno;
	if (rc) {
		unlink(at.sun_path);
		close(fd);
		return rc;
	}
	return fd;
}

struct peer {
	gid_t gid;
	gid_t *groups;
	size_t n;
};

static bool peer_is_in(const struct peer *p, gid_t group)
{
	bool in = group != NO_GROUP && group == p->gid;

	for (size_t i = 0; group != NO_GROUP && i < p->n && !in; i++)
		in = p->groups[i] == group;
	return in;
}

static gid_t find_group(const char *name)
{
	const struct group *group = name ? getgrnam(name) : NULL;

	return group ? group->gr_gid : NO_GROUP;
}

void hf_control_groups(const struct hf_config *config, struct hf_control_groups *ret_groups)
{
	ret_groups->order = find_group(config->control_group);
	ret_groups->look = find_group(config->read_group);
}

static enum hf_right right_of(const struct peer *p, const struct hf_control_groups *of)
{
	if (peer_is_in(p, of->order))
		return HF_RIGHT_ORDER;
	return peer_is_in(p, of->look) ? HF_RIGHT_LOOK : HF_RIGHT_NONE;
}

void hf_control_peer(int fd, const struct hf_control_groups *of, struct hf_control_peer *ret_peer)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	gid_t groups[1024];
	socklen_t groups_len = sizeof(groups);
	struct peer p = { .groups = groups };

	*ret_peer = (struct hf_control_peer){ .uid = (uid_t)-1, .right = HF_RIGHT_NONE };
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return;
	ret_peer->uid = cred.uid;
	/* One with more groups than that counts by his first group alone. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &groups_len))
		groups_len = 0;
	p.gid = cred.gid;
	p.n = groups_len / sizeof(*groups);
	ret_peer->right =
	    cred.uid == 0 || cred.uid == geteuid() ? HF_RIGHT_ORDER : right_of(&p, of);
}
