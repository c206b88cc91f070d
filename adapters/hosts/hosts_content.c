/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/hosts/hosts_content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

int hf_hosts_content_read(int fd, char **ret_bytes, size_t *ret_len)
{
	size_t len = 0, size;
	struct stat st;
	char *bytes;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > HF_HOSTS_CONTENT_MAX)
		return HF_ELIMIT;
	size = (size_t)st.st_size;
	bytes = malloc(size + 1);
	if (!bytes)
		return -ENOMEM;
	while (len < size) {
		ssize_t n = pread(fd, bytes + len, size - len, (off_t)len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			free(bytes);
			return -EIO;
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}
	bytes[len] = '\0';
	*ret_bytes = bytes;
	*ret_len = len;
	return 0;
}

void hf_hosts_content_look(const char *path, struct stat *ret_st)
{
	if (lstat(path, ret_st) < 0)
		memset(ret_st, 0, sizeof(*ret_st));
}

bool hf_hosts_content_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}
