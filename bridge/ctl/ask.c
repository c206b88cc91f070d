#include "bridge/ctl/ask.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

enum { PATIENCE_S = 20 };

static int dial(const char *path)
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

/* One line. 1: the end; 0: go on; or a code. */
static int take_line(const char *line, hf_row_cb cb, void *arg, char *ret_why)
{
	json_t *object = json_loads(line, 0, NULL);
	json_t *row = json_object_get(object, "row");
	const char *error = json_string_value(json_object_get(object, "error"));
	int rc = HF_EFORMAT;

	if (error) {
		snprintf(ret_why, HF_ASK_WHY_MAX, "%s", error);
		rc = HF_EREFUSED;
	} else if (row) {
		rc = cb(row, arg);
	} else if (json_is_true(json_object_get(object, "end"))) {
		rc = 1;
	}
	json_decref(object);
	return rc;
}

static int take_answer(int fd, hf_row_cb cb, void *arg, char *ret_why)
{
	FILE *in = fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;
	int rc = 0;

	if (!in) {
		close(fd);
		return -ENOMEM;
	}
	while (!rc) {
		errno = 0;
		if (getline(&line, &size, in) < 0)
			rc = errno == EAGAIN ? -ETIMEDOUT : HF_ECLOSED;
		else
			rc = take_line(line, cb, arg, ret_why);
	}
	free(line);
	fclose(in);
	return rc == 1 ? 0 : rc;
}

int hf_ask(const char *socket_path, json_t *request, hf_row_cb cb, void *arg,
    char ret_why[static HF_ASK_WHY_MAX])
{
	int fd = dial(socket_path), rc = fd;

	ret_why[0] = '\0';
	if (fd >= 0) {
		rc = send_request(fd, request);
		if (rc)
			close(fd);
		else
			rc = take_answer(fd, cb, arg, ret_why);
	}
	json_decref(request);
	if (rc && !ret_why[0])
		snprintf(ret_why, HF_ASK_WHY_MAX, "the bridge cannot be asked on '%s': %s",
		    socket_path, hf_strerror(rc));
	return rc;
}
