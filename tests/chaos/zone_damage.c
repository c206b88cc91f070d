/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone_damage [ROUNDS] [SEED]: harms the files of a published zone in every way while threads look
 * names up in it. Each address carries its name's number, its generation and a checksum of both, so
 * that a wrong one is known as such. In every round all names must answer, rightly; after it a good
 * generation must show again.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/wire.h"
#include "tests/support/answer_check.h"
#include "tests/support/fast_clock.h"
#include "tests/support/zone_build.h"
#include "zone/reader.h"

enum { NAMES = 200, THREADS = 4, ROUNDS = 300, ROUNDS_LONG = 10000 };

static struct hf_zone_build b;
static struct hf_zone *z;
static uint64_t rng;
static atomic_bool over;
static atomic_uint written; /* the newest generation that there is a file of */
static atomic_ulong n_lookups, n_wrong;

static uint32_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}

static uint32_t mix(uint32_t i, uint32_t version)
{
	uint64_t state = (uint64_t)i << 32 | version;

	next_random(&state);
	return next_random(&state) ^ next_random(&state) << 16;
}

/* What name i has in a generation: the /48, i (2 bytes), version (4), their checksum (4). */
static void make_addr(uint32_t i, uint32_t version, uint8_t out[static 16])
{
	struct hf_wr wr = hf_wr(out, 16);

	hf_wr_bytes(&wr, hf_addr_prefix, sizeof(hf_addr_prefix));
	hf_wr_u16(&wr, (uint16_t)i);
	hf_wr_u32(&wr, version);
	hf_wr_u32(&wr, mix(i, version));
}

static bool addr_is_right(uint32_t i, const uint8_t addr[static 16])
{
	struct hf_rd rd = hf_rd(addr + 8, 4);
	uint32_t version = hf_rd_u32(&rd);
	uint8_t want[16];

	make_addr(i, version, want);
	return version <= atomic_load(&written) && !memcmp(addr, want, sizeof(want));
}

static void name_text(uint32_t i, char out[static 32])
{
	snprintf(out, 32, "n%u.w.me.coder", i);
}

/* --- looking --- */

static void wrong(const char *what, uint32_t i)
{
	fprintf(stderr, "name %u: %s\n", i, what);
	atomic_fetch_add(&n_wrong, 1);
}

static void look_up(struct hf_zone_reader *r, uint32_t i)
{
	struct hf_question q = { .type = HF_TYPE_AAAA, .class = HF_CLASS_IN };
	struct hf_answer a;
	struct hf_name name;
	char text[32];

	name_text(i, text);
	hf_name_parse(text, &name);
	q.name = &name;
	hf_answer(r, &q, &a);
	hf_answer_check(&q, &a);
	atomic_fetch_add_explicit(&n_lookups, 1, memory_order_relaxed);
	if (!a.ours || !a.has_answer)
		wrong("no answer", i);
	else if (!addr_is_right(i, a.answer.rdata))
		wrong("wrong address", i);
}

static void *look_all_the_time(void *arg)
{
	uint64_t state = (uintptr_t)arg;
	struct hf_zone_reader *r;

	if (hf_zone_reader_new(z, &r))
		abort();
	while (!atomic_load(&over)) {
		if (!hf_zone_reader_refresh(r))
			wrong("no picture", 0);
		for (int i = 0; i < 20; i++)
			look_up(r, next_random(&state) % NAMES);
		usleep(100);
	}
	hf_zone_reader_free(r);
	return NULL;
}

/* A resolver that starts just now may have no picture, but none that is wrong. */
static void look_anew(void)
{
	struct hf_zone_reader *r;
	struct hf_zone *fresh;

	if (hf_zone_open(b.dir, &hf_fast_clock, &fresh) || hf_zone_reader_new(fresh, &r))
		abort();
	if (hf_zone_reader_refresh(r))
		for (uint32_t i = 0; i < NAMES; i += 10)
			look_up(r, i);
	hf_zone_reader_free(r);
	hf_zone_close(fresh);
}

/* --- publishing --- */

static void put_names(uint32_t version, uint32_t every)
{
	uint8_t addr[1][16];
	struct hf_fmt_value v = { .kind = HF_FMT_ADDRS,
		.n_addrs = 1,
		.flags = HF_REC_PRIMARY,
		.addrs = (const uint8_t(*)[16])addr };
	char text[32];

	for (uint32_t i = 0; i < NAMES; i += every) {
		make_addr(i, version, addr[0]);
		name_text(i, text);
		hf_zone_build_put(&b, text, &v);
	}
	hf_zone_build_end(&b);
}

static void write_generation(bool new_base)
{
	uint32_t version = atomic_fetch_add(&written, 1) + 1;

	if (new_base) {
		hf_zone_build_base(&b);
		put_names(version, 1);
		hf_zone_build_no_delta(&b);
	}
	hf_zone_build_delta(&b);
	put_names(version, 7);
}

static void write_pulse(void)
{
	struct hf_pulse_writer *w;

	unlinkat(b.dirfd, "pulse", 0);
	if (hf_pulse_writer_open(b.dirfd, &hf_fast_clock, &w))
		abort();
	if (hf_pulse_source(w, 0, true) || hf_pulse_owner(w, 0))
		abort();
	hf_pulse_writer_free(w);
}

/* --- harm --- */

static void overwrite(const char *name, uint8_t with, size_t len)
{
	int fd = openat(b.dirfd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	if (!fstat(fd, &st) && st.st_size > 0) {
		off_t at = (off_t)(next_random(&rng) % (uint64_t)st.st_size);

		for (size_t i = 0; i < len && at + (off_t)i < st.st_size; i++) {
			uint8_t byte = 0;

			/* `with` is a bit to turn, or 0: zeros. */
			if (with && pread(fd, &byte, 1, at + (off_t)i) == 1)
				byte ^= with;
			if (pwrite(fd, &byte, 1, at + (off_t)i) != 1)
				break;
		}
	}
	close(fd);
}

/* Only files: what an earlier harm has put there may be something else. */
static void truncate_it(const char *name)
{
	int fd = openat(b.dirfd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) &&
	    ftruncate(fd, (off_t)(next_random(&rng) % ((uint64_t)st.st_size + 1))))
		abort();
	close(fd);
}

static void remove_it(const char *name)
{
	if (unlinkat(b.dirfd, name, 0))
		unlinkat(b.dirfd, name, AT_REMOVEDIR);
}

static void replace_it(const char *name, uint32_t with)
{
	static const char *const targets[] = { "nowhere", "/dev/zero", "current", "/", "pulse" };

	remove_it(name);
	switch (with) {
	case 0:
		break;
	case 1:
		mkdirat(b.dirfd, name, 0700);
		break;
	case 2:
		mkfifoat(b.dirfd, name, 0600);
		break;
	default:
		if (symlinkat(targets[next_random(&rng) % 5], b.dirfd, name))
			abort();
	}
}

static void harm(void)
{
	const char *names[] = { "current", b.current.base.name, b.current.delta.name, "pulse" };
	const char *name = names[next_random(&rng) % 4];

	switch (next_random(&rng) % 8) {
	case 0:
	case 1:
		truncate_it(name);
		break;
	case 2:
		overwrite(name, 0, 1 + next_random(&rng) % 4096);
		break;
	case 3:
	case 4:
		overwrite(name, (uint8_t)(1u << next_random(&rng) % 8), 1);
		break;
	default:
		replace_it(name, next_random(&rng) % 4);
	}
}

static void round_of(struct hf_zone_reader *r)
{
	uint32_t how = next_random(&rng);

	write_generation(how & 1);
	if (how & 2)
		harm();
	unlinkat(b.dirfd, "current", AT_REMOVEDIR); /* where it is a folder by now */
	hf_zone_build_publish(&b);
	usleep(how >> 8 & 1023);
	harm();
	if (how & 4)
		harm();
	if (how & 8)
		look_anew();
	usleep(1000);
	/* And good again. What is in the way of a new file goes. */
	remove_it("current");
	write_generation(true);
	hf_zone_build_publish(&b);
	remove_it("pulse");
	write_pulse();
	if (hf_zone_reader_load(r))
		wrong("no good picture after the harm", 0);
	look_up(r, next_random(&rng) % NAMES);
}

int main(int argc, char **argv)
{
	const char *is_long = getenv("HF_LONG");
	int rounds = is_long && *is_long == '1' ? ROUNDS_LONG : ROUNDS;
	pthread_t threads[THREADS];
	struct hf_zone_reader *r;

	if (argc > 1)
		rounds = atoi(argv[1]);
	rng = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)getpid();
	printf("%d rounds, seed %llu\n", rounds, (unsigned long long)rng);
	fflush(stdout);
	hf_zone_build_open(&b);
	write_generation(true);
	hf_zone_build_publish(&b);
	write_pulse();
	/* The good generation is loaded before the first harm. */
	if (hf_zone_open(b.dir, &hf_fast_clock, &z) || hf_zone_reader_new(z, &r) ||
	    hf_zone_reader_load(r))
		abort();
	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, look_all_the_time, (void *)(i + 1)))
			abort();
	for (int i = 0; i < rounds; i++) {
		round_of(r);
		if (i % 50 == 49) {
			/* Nothing of the last rounds is needed any more. */
			hf_zone_build_clear(&b);
		}
	}
	atomic_store(&over, true);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	hf_zone_reader_free(r);
	hf_zone_close(z);
	hf_zone_build_close(&b);
	printf("%d rounds, %lu lookups, %lu wrong\n", rounds, atomic_load(&n_lookups),
	    atomic_load(&n_wrong));
	return atomic_load(&n_wrong) != 0;
}
