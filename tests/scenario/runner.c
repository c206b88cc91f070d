/*
 * runner: plays scenarios, one test a file, as TAP. A failed one says which line and why.
 *
 *   runner FILE...           each in a folder of its own, removed afterwards
 *   runner --keep DIR FILE   in DIR, which stays: what it published can be asked
 */
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/scenario/world.h"

static bool play(const char *path, const char *dir, char *why, size_t size)
{
	FILE *f = fopen(path, "r");
	struct world *w = calloc(1, sizeof(*w));
	char line[65536];
	unsigned n = 0;
	bool ok = f && w;

	if (!ok)
		snprintf(why, size, "cannot be read");
	if (w)
		world_open(w, dir);
	while (ok && fgets(line, sizeof(line), f)) {
		n++;
		ok = world_line(w, line);
		if (!ok)
			snprintf(why, size, "line %u: %s", n, w->error);
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

static bool play_apart(const char *path, char *why, size_t size)
{
	char dir[] = "/tmp/holdfast-scenario-XXXXXX";
	bool ok;

	if (!mkdtemp(dir)) {
		snprintf(why, size, "no folder to play in");
		return false;
	}
	ok = play(path, dir, why, size);
	nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	return ok;
}

int main(int argc, char **argv)
{
	const char *keep = argc > 3 && !strcmp(argv[1], "--keep") ? argv[2] : NULL;
	int first = keep ? 3 : 1, failed = 0;

	signal(SIGXFSZ, SIG_IGN);
	hf_log_init(STDERR_FILENO, getenv("HF_SCENARIO_LOG") ? HF_LOG_DEBUG : HF_LOG_ERROR,
	    HF_LOG_TEXT, NULL);
	for (int i = first; i < argc; i++) {
		char why[600] = "";
		bool ok = keep ? play(argv[i], keep, why, sizeof(why))
			       : play_apart(argv[i], why, sizeof(why));

		printf("%s %d - %s%s%s\n", ok ? "ok" : "not ok", i - first + 1, argv[i],
		    ok ? "" : ": ", why);
		failed += !ok;
	}
	printf("1..%d\n", argc - first);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
