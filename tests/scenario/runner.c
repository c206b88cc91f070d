/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runner: plays scenarios, one test a file, as TAP. A failed one says which line, what was
 * expected, and what is there.
 *
 *   runner FILE...           each in a folder of its own, removed afterwards
 *   runner --keep DIR FILE   in DIR, which stays: what it published can be asked
 *   runner --talk DIR        lines come from standard input, each is answered with "ok" or "no:
 * WHY";
 *                            "?" tells everything (talk.h)
 *
 * With HF_SCENARIO_LOG in the environment it shows what the bridge logged.
 */
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "tests/scenario/talk.h"

static bool play(const char *path, const char *dir, FILE *log, char *why, size_t size)
{
	FILE *f = fopen(path, "r");
	struct world *w = calloc(1, sizeof(*w));
	char line[65536];
	unsigned n = 0;
	bool ok = f && w;

	if (!ok)
		snprintf(why, size, ": cannot be read");
	if (w)
		world_open(w, dir, log);
	while (ok && fgets(line, sizeof(line), f)) {
		n++;
		ok = world_line(w, line) && world_sum_is_right(w);
		if (!ok)
			snprintf(why, size, ":%u: %s", n, w->error);
	}
	if (f)
		fclose(f);
	if (w)
		world_close(w);
	free(w);
	return ok;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static bool play_apart(const char *path, FILE *log, char *why, size_t size)
{
	char dir[64];
	bool ok;

	/* In memory, where there is such a folder: what a sync is for, no story tells. */
	snprintf(dir, sizeof(dir), "%s/holdfast-scenario-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(dir)) {
		snprintf(why, size, ": no folder to play in");
		return false;
	}
	ok = play(path, dir, log, why, size);
	nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	return ok;
}

/*
 * What the bridge logs, for `expect log`: a file that nobody else sees, written at its end whatever
 * is read of it.
 */
static FILE *open_log(void)
{
	/* the log's; a day later each time: no story uses up another one's lines */
	static struct hf_fake_clock clock;
	char path[] = "/tmp/holdfast-scenario-log-XXXXXX";
	int fd = mkostemp(path, O_APPEND | O_CLOEXEC);

	if (!clock.boot)
		hf_fake_clock_init(&clock, 1, 1750000000000);
	hf_fake_clock_add(&clock, 24 * 3600 * 1000);

	if (fd < 0)
		return NULL;
	unlink(path);
	hf_log_init(fd, HF_LOG_INFO, HF_LOG_TEXT, &clock.clock);
	return fdopen(fd, "r");
}

static void show_log(FILE *log)
{
	char line[8192];

	fseek(log, 0, SEEK_SET);
	while (fgets(line, sizeof(line), log))
		fputs(line, stderr);
}

static bool one(const char *path, const char *keep, char *why, size_t size)
{
	FILE *log = open_log();
	bool ok;

	if (!log) {
		snprintf(why, size, ": no log");
		return false;
	}
	ok = keep ? play(path, keep, log, why, size) : play_apart(path, log, why, size);
	if (getenv("HF_SCENARIO_LOG"))
		show_log(log);
	hf_log_init(STDERR_FILENO, HF_LOG_ERROR, HF_LOG_TEXT, NULL);
	fclose(log);
	return ok;
}

static int talk(const char *dir)
{
	FILE *log = open_log();
	struct world *w = calloc(1, sizeof(*w));
	int status = EXIT_FAILURE;

	if (log && w) {
		world_open(w, dir, log);
		talk_all(w);
		world_close(w);
		status = EXIT_SUCCESS;
	}
	free(w);
	return status;
}

int main(int argc, char **argv)
{
	const char *keep = argc > 3 && !strcmp(argv[1], "--keep") ? argv[2] : NULL;
	int first = keep ? 3 : 1, failed = 0;

	signal(SIGXFSZ, SIG_IGN);
	if (argc == 3 && !strcmp(argv[1], "--talk"))
		return talk(argv[2]);
	for (int i = first; i < argc; i++) {
		char why[700] = "";
		bool ok = one(argv[i], keep, why, sizeof(why));

		printf("%s %d - %s%s\n", ok ? "ok" : "not ok", i - first + 1, argv[i], why);
		failed += !ok;
	}
	printf("1..%d\n", argc - first);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
