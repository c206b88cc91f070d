/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target over every file of the folders that it is given: the normal test run's
 * share of fuzzing, with any compiler. One line of TAP a file.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(int dirfd, const char *name)
{
	uint8_t *bytes = NULL, *exact;
	size_t len = 0;
	int rc = hf_file_read(dirfd, name, 64 << 20, &bytes, &len);

	if (rc)
		return rc;
	/* Exactly as long as the input, so that a sanitizer sees one byte too far. */
	exact = malloc(len ? len : 1);
	if (exact) {
		memcpy(exact, bytes, len);
		LLVMFuzzerTestOneInput(exact, len);
	}
	free(exact);
	free(bytes);
	return exact ? 0 : -1;
}

static int replay_folder(const char *path, int *n)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	int failed = 0;

	if (!dir) {
		printf("not ok %d - %s cannot be opened\n", ++*n, path);
		return 1;
	}
	while ((e = readdir(dir))) {
		int rc;

		if (e->d_name[0] == '.')
			continue;
		printf("# %s\n", e->d_name);
		fflush(stdout);
		rc = replay_file(dirfd(dir), e->d_name);
		printf("%s %d - %s %s\n", rc ? "not ok" : "ok", ++*n, e->d_name,
		    rc ? hf_strerror(rc) : "");
		failed += rc != 0;
	}
	closedir(dir);
	return failed;
}

int main(int argc, char **argv)
{
	int n = 0, failed = 0;

	for (int i = 1; i < argc; i++)
		failed += replay_folder(argv[i], &n);
	printf("1..%d\n", n);
	return failed || !n;
}
