/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/ctl/ctl_client.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

enum { PATIENCE_S = 20, BUFFER = 1 << 16 };

static int bridge_dial(const char *path)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd, rc;

	if ((size_t)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path) >= sizeof(at.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
	    connect(fd, (const struct sockaddr *)&at, sizeof(at))) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

static int send_request(int fd, json_t *request)
{
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : 0;
	int rc = -ENOMEM;

	if (text) {
		text[len] = '\n'; /* in place of the NUL */
		rc = hf_file_write_all(fd, text, len + 1);
	}
	free(text);
	/* One that refuses us at once has its answer there already. */
	return rc == -EPIPE ? 0 : rc;
}

/* What a line is. A row's text and its length are in *ret_row. */
enum line_kind { LINE_ROW, LINE_END, LINE_ERROR, LINE_WRONG };

static bool answer_begins(const char *line, size_t len, const char *with)
{
	return len >= strlen(with) && !memcmp(line, with, strlen(with));
}

static enum line_kind line_kind(const char *line, size_t len, const char **ret_row, size_t *ret_len)
{
	static const char row[] = "{\"row\":";

	if (len && line[0] == '=') {
		*ret_row = line + 1;
		*ret_len = len - 1;
		return LINE_ROW;
	}
	if (answer_begins(line, len, row) && line[len - 1] == '}') {
		*ret_row = line + sizeof(row) - 1;
		*ret_len = len - sizeof(row);
		return LINE_ROW;
	}
	if (answer_begins(line, len, "{\"end\":"))
		return LINE_END;
	return answer_begins(line, len, "{\"error\":") ? LINE_ERROR : LINE_WRONG;
}

static int answer_take_error(const char *line, size_t len, char *ret_why)
{
	json_t *object = json_loadb(line, len, 0, NULL);
	const char *error = json_string_value(json_object_get(object, "error"));
	bool denied = json_is_true(json_object_get(object, "denied"));

	if (error)
		snprintf(ret_why, HF_CTL_CLIENT_WHY_MAX, "%s", error);
	json_decref(object);
	return !error ? HF_EFORMAT : denied ? -EACCES : HF_EREFUSED;
}

/* One line. 1: the end; 0: go on; or a code. */
static int answer_take_line(const char *line, size_t len, hf_line_cb cb, void *arg, char *ret_why)
{
	const char *row;
	size_t row_len;

	switch (line_kind(line, len, &row, &row_len)) {
	case LINE_ROW:
		return cb(row, row_len, arg);
	case LINE_END:
		return 1;
	case LINE_ERROR:
		return answer_take_error(line, len, ret_why);
	case LINE_WRONG:
		break;
	}
	return HF_EFORMAT;
}

static int bridge_take_answer(int fd, hf_line_cb cb, void *arg, char *ret_why)
{
	FILE *in = fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;
	int rc = 0;

	if (!in) {
		close(fd);
		return -ENOMEM;
	}
	setvbuf(in, NULL, _IOFBF, BUFFER);
	while (!rc) {
		ssize_t len;

		errno = 0;
		len = getline(&line, &size, in);
		if (len > 0 && line[len - 1] == '\n')
			line[--len] = '\0';
		if (len < 0)
			rc = errno == EAGAIN ? -ETIMEDOUT : HF_ECLOSED;
		else
			rc = answer_take_line(line, (size_t)len, cb, arg, ret_why);
	}
	free(line);
	fclose(in);
	return rc == 1 ? 0 : rc;
}

/* --- why it cannot be asked --- */

static const char *user_name(uid_t uid)
{
	const struct passwd *user = getpwuid(uid);

	return user ? user->pw_name : "an unknown user";
}

/*
 * What has to be done so that this user may ask: the group of the socket, or of the folder around
 * it.
 */
static void say_denied(const char *socket_path, char *ret_why)
{
	const char *slash = strrchr(socket_path, '/'), *me = user_name(geteuid());
	const struct group *group = NULL;
	struct stat st;
	char folder[108];

	errno = 0;
	if (stat(socket_path, &st) == 0 && st.st_mode & S_IWGRP) {
		group = getgrgid(st.st_gid);
	} else if (errno == EACCES && slash) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - socket_path), socket_path);
		if (stat(folder, &st) == 0 && st.st_mode & S_IXGRP)
			group = getgrgid(st.st_gid);
	}
	if (group)
		snprintf(ret_why, HF_CTL_CLIENT_WHY_MAX,
		    "user '%s' may not use '%s' (permission denied): it is open to the group '%s'; as root: usermod -aG %s %s, then log in again",
		    me, socket_path, group->gr_name, group->gr_name, me);
	else
		snprintf(ret_why, HF_CTL_CLIENT_WHY_MAX,
		    "user '%s' may not use '%s' (permission denied): only root and the bridge's own user may; read-group in the configuration names a group that may look",
		    me, socket_path);
}

static void say_why(const char *socket_path, int rc, char *ret_why)
{
	if (rc == -EACCES)
		say_denied(socket_path, ret_why);
	else if (rc == -ENOENT)
		snprintf(ret_why, HF_CTL_CLIENT_WHY_MAX, "no bridge runs: there is no '%s'",
		    socket_path);
	else if (rc == -ECONNREFUSED)
		snprintf(ret_why, HF_CTL_CLIENT_WHY_MAX, "no bridge runs: nobody listens on '%s'",
		    socket_path);
	else
		snprintf(ret_why, HF_CTL_CLIENT_WHY_MAX, "the bridge does not answer on '%s': %s",
		    socket_path, hf_strerror(rc));
}

int hf_ctl_client_ask_lines(const char *socket_path, json_t *request, hf_line_cb cb, void *arg,
    char ret_why[static HF_CTL_CLIENT_WHY_MAX])
{
	int fd = bridge_dial(socket_path), rc = fd;

	ret_why[0] = '\0';
	if (fd >= 0) {
		rc = send_request(fd, request);
		if (rc)
			close(fd);
		else
			rc = bridge_take_answer(fd, cb, arg, ret_why);
	}
	json_decref(request);
	if (rc && !ret_why[0])
		say_why(socket_path, rc, ret_why);
	return rc;
}

/* --- rows as objects --- */

struct rows {
	hf_row_cb cb;
	void *arg;
};

static int on_answer_line(const char *line, size_t len, void *arg)
{
	const struct rows *rows = arg;
	json_t *row = json_loadb(line, len, 0, NULL);
	int rc = row ? rows->cb(row, rows->arg) : HF_EFORMAT;

	json_decref(row);
	return rc;
}

int hf_ctl_client_ask(const char *socket_path, json_t *request, hf_row_cb cb, void *arg,
    char ret_why[static HF_CTL_CLIENT_WHY_MAX])
{
	struct rows rows = { cb, arg };

	return hf_ctl_client_ask_lines(socket_path, request, on_answer_line, &rows, ret_why);
}

bool hf_ctl_client_is_down(int rc)
{
	return rc == -ENOENT || rc == -ECONNREFUSED;
}
