/* SPDX-License-Identifier: Apache-2.0 */
/*
 * saver: the smallest program that keeps a value safe, and three that only seem to. It shows that
 * the tools of this folder see the difference, and how a driver and a check behave.
 *
 *   saver KIND DIR SEED STEPS   a driver: KIND is right, no-sync, no-folder-sync or in-place
 *   saver check DIR LAST_ACK    the check
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEAD = 32, VALUE_MAX = HEAD + 20000 };

/* The value of a generation follows from its number alone: so a mixture is found out. */
static size_t value_make(long generation, char *out)
{
	size_t len = HEAD + (size_t)generation * 7919 % 20000;

	memset(out, 'a' + (int)(generation % 26), len);
	snprintf(out, HEAD, "%ld", generation);
	return len;
}

/* The generation on disk, 0 if there is none, -1 if it is not whole, -2 if it cannot be read. */
static long value_read(int dir)
{
	static char have[VALUE_MAX + 1], want[VALUE_MAX];
	int fd = openat(dir, "value", O_RDONLY | O_CLOEXEC);
	long generation;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? 0 : -2;
	n = read(fd, have, VALUE_MAX);
	close(fd);
	if (n < 0)
		return -2;
	if (n < HEAD)
		return -1;
	generation = strtol(have, NULL, 10);
	if (generation <= 0 || (size_t)n != value_make(generation, want))
		return -1;
	return memcmp(have, want, (size_t)n) == 0 ? generation : -1;
}

static int write_whole(
    int dir, const char *name, int flags, const char *bytes, size_t len, int sync)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
	int rc = fd < 0 ? -1 : 0;

	if (!rc && write(fd, bytes, len) != (ssize_t)len)
		rc = -1;
	if (!rc && ftruncate(fd, (off_t)len) < 0)
		rc = -1;
	if (!rc && sync)
		rc = fdatasync(fd);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int save(int dir, const char *kind, long generation)
{
	static char bytes[VALUE_MAX];
	size_t len = value_make(generation, bytes);
	int sync = strcmp(kind, "no-sync") != 0;

	if (strcmp(kind, "in-place") == 0)
		return write_whole(dir, "value", 0, bytes, len, sync);
	if (write_whole(dir, ".value.tmp", O_TRUNC, bytes, len, sync) < 0)
		return -1;
	if (renameat(dir, ".value.tmp", dir, "value") < 0)
		return -1;
	return strcmp(kind, "no-folder-sync") == 0 ? 0 : fsync(dir);
}

static int drive(const char *kind, int dir, long steps)
{
	long generation = value_read(dir), last = generation + steps;
	int tries = 0;

	if (generation < 0)
		return generation == -1 ? 1 : 3;
	while (generation < last) {
		if (save(dir, kind, generation + 1) == 0) {
			printf("ack %ld\n", ++generation);
			fflush(stdout);
			tries = 0;
		} else if (++tries > 3) {
			fprintf(stderr, "saver: the disk does not take it: %s\n", strerror(errno));
			return 3;
		}
	}
	return 0;
}

static int check(int dir, long acked)
{
	long generation = value_read(dir);

	if (generation < 0)
		printf("the value %s\n", generation == -1 ? "is not whole" : "cannot be read");
	else if (generation < acked)
		printf("generation %ld was acknowledged, %ld is there\n", acked, generation);
	return generation < acked;
}

int main(int argc, char **argv)
{
	int dir;

	if (argc < 4)
		return 2;
	dir = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return 3;
	return argc == 4 ? check(dir, atol(argv[3])) : drive(argv[1], dir, atol(argv[4]));
}
