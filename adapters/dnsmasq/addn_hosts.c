/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/addn_hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/dnsmasq/mark.h"
#include "base/error.h"
#include "base/file.h"

enum { SINGLE_BYTES_MAX = 64 * 1024 * 1024 };

struct hf_addn_hosts {
	const char *path; /* borrowed */
	const char *name; /* its last part */
	struct hf_record_table *table;
	int dir; /* -1: not open */
	bool there;
	ino_t ino;
	off_t size;
	struct timespec mtime;
};

int hf_addn_hosts_new(
    const char *path, struct hf_record_table *table, struct hf_addn_hosts **ret_single)
{
	const char *slash = strrchr(path, '/');
	struct hf_addn_hosts *s;

	if (!slash || !slash[1])
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->path = path;
	s->name = slash + 1;
	s->table = table;
	s->dir = -1;
	*ret_single = s;
	return 0;
}

void hf_addn_hosts_free(struct hf_addn_hosts *s)
{
	if (!s)
		return;
	if (s->dir >= 0)
		close(s->dir);
	free(s);
}

int hf_addn_hosts_open(struct hf_addn_hosts *s, char *ret_why, size_t why_size)
{
	char folder[PATH_MAX];
	int dir, error = 0, n = s->name - s->path > 1 ? (int)(s->name - s->path) - 1 : 1;

	snprintf(folder, sizeof(folder), "%.*s", n, s->path);
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || faccessat(dir, ".", W_OK | X_OK, AT_EACCESS) < 0)
		error = errno;
	if (error && dir >= 0)
		close(dir);
	if (error == ENOENT)
		snprintf(ret_why, why_size,
		    "the folder %s does not exist: install -d -m 0755 -o %u %s", folder,
		    (unsigned)geteuid(), folder);
	else if (error)
		snprintf(ret_why, why_size,
		    "user %u may not write into %s, the folder of hosts-file: %s",
		    (unsigned)geteuid(), folder, strerror(error));
	if (error)
		return -error;
	if (s->dir >= 0)
		close(s->dir);
	s->dir = dir;
	return 0;
}

void hf_addn_hosts_sweep(struct hf_addn_hosts *s)
{
	char tmp[NAME_MAX + 1];

	if (snprintf(tmp, sizeof(tmp), ".%s.tmp", s->name) < (int)sizeof(tmp))
		unlinkat(s->dir, tmp, 0);
}

static int addn_hosts_look(struct hf_addn_hosts *s)
{
	struct stat st;

	s->there = !fstatat(s->dir, s->name, &st, AT_SYMLINK_NOFOLLOW);
	if (!s->there)
		return errno == ENOENT ? 0 : -errno;
	s->ino = st.st_ino;
	s->size = st.st_size;
	s->mtime = st.st_mtim;
	return S_ISREG(st.st_mode) ? 1 : HF_EREFUSED;
}

static int addn_hosts_read(
    struct hf_addn_hosts *s, char **ret_bytes, size_t *ret_len, size_t *ret_mark)
{
	uint8_t *bytes;
	int rc = addn_hosts_look(s);

	if (rc <= 0)
		return rc;
	rc = hf_file_read(s->dir, s->name, SINGLE_BYTES_MAX, &bytes, ret_len);
	if (rc)
		return rc == HF_ELIMIT ? HF_EREFUSED : rc;
	rc = hf_mark_check((char *)bytes, *ret_len, ret_mark);
	if (rc == HF_EREFUSED)
		free(bytes);
	else
		*ret_bytes = (char *)bytes;
	return rc ? rc : 1;
}

int hf_addn_hosts_load(struct hf_addn_hosts *s)
{
	char *bytes = NULL;
	size_t len, mark;
	int odd, rc = addn_hosts_read(s, &bytes, &len, &mark);

	if (rc == HF_EREFUSED)
		s->there = false; /* it is looked at again before it is written */
	if (!bytes)
		return rc;
	odd = hf_record_table_load(s->table, bytes + mark, len - mark, NULL, NULL);
	free(bytes);
	if (odd < 0)
		return odd;
	return odd ? HF_EFORMAT : rc;
}

int hf_addn_hosts_peek(const struct hf_addn_hosts *s, struct hf_record_table *table)
{
	return hf_mark_load(s->dir, s->name, SINGLE_BYTES_MAX, table);
}

int hf_addn_hosts_write(struct hf_addn_hosts *s)
{
	char *text = NULL, *whole, mark[HF_MARK_MAX], *bytes = NULL;
	size_t len, n_mark;
	int rc = 0;

	if (!s->there)
		rc = addn_hosts_read(s, &bytes, &len, &n_mark);
	if (rc == HF_EREFUSED)
		s->there = false;
	free(bytes);
	if (rc < 0 && rc != HF_EFORMAT)
		return rc;
	rc = hf_record_table_text(s->table, 0, false, &text, &len);
	if (rc)
		return rc;
	n_mark = hf_mark_line(text, len, mark);
	whole = malloc(n_mark + len + 1);
	if (whole) {
		memcpy(whole, mark, n_mark);
		memcpy(whole + n_mark, text, len);
		rc = hf_file_replace(s->dir, s->name, whole, n_mark + len, 0644);
	}
	free(text);
	free(whole);
	if (!whole)
		return -ENOMEM;
	if (!rc)
		rc = hf_file_sync_dir(s->dir);
	if (!rc)
		rc = addn_hosts_look(s);
	/* Somebody may have been at it in the meantime. */
	s->there &= s->size == (off_t)(n_mark + len);
	return rc < 0 ? rc : 0;
}

bool hf_addn_hosts_changed(const struct hf_addn_hosts *s)
{
	struct stat st;

	if (stat(s->path, &st) < 0)
		return true;
	return !s->there || st.st_ino != s->ino || st.st_size != s->size ||
	       st.st_mtim.tv_sec != s->mtime.tv_sec || st.st_mtim.tv_nsec != s->mtime.tv_nsec;
}
