/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone_driver DIR SEED STEPS: publishes STEPS generations of the zone DIR/zone, going on from what
 * is there (README.md). The seed decides what is not visible: the order of changes, whether a
 * publication is made durable at once or by the next one, and when the writer gets to do its work.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "tests/chaos/zone_content.h"
#include "zone/writer.h"

enum { TRIES = 4, FOLD_EVERY_MS = 10, PATIENCE_MS = 30000, EXIT_REFUSED = 3 };

static struct hf_zone_writer *writer;
static struct hf_fake_clock fake;
static unsigned seed;
static const uint8_t epoch[16] = "zone driver";

static unsigned roll(unsigned n)
{
	return (unsigned)rand_r(&seed) % n;
}

static int refused(const char *what, int rc)
{
	fprintf(stderr, "zone_driver: %s: %s\n", what, hf_strerror(rc));
	return EXIT_REFUSED;
}

static int set_name(unsigned i, uint64_t version)
{
	struct hf_name name;
	uint8_t addrs[1][16];
	struct hf_zone_rec rec = { .name = &name,
		.n_addrs = 1,
		.flags = HF_REC_PRIMARY,
		.first_seen_s = (int64_t)version };

	zone_name(i, &name);
	if (!version)
		return hf_zone_writer_del(writer, &name);
	zone_addr(i, version, addrs[0]);
	rec.addrs = (const uint8_t(*)[16])addrs;
	return hf_zone_writer_set(writer, &rec);
}

static int set_all(uint64_t generation)
{
	unsigned first = roll(ZONE_NAMES);
	int rc = 0;

	for (unsigned i = 0; !rc && i < ZONE_NAMES; i++) {
		unsigned k = (first + i) % ZONE_NAMES;

		rc = set_name(k, zone_version(k, generation));
	}
	return rc;
}

/* The time after which the writer tries again, or the end of a fold. */
static int work(void)
{
	struct pollfd p = { .fd = hf_zone_writer_fd(writer), .events = POLLIN };
	int64_t wait_ms = hf_zone_writer_wait_ms(writer);

	/* Where a fault hits what would wake us, we look all the same. */
	if (wait_ms < 0)
		poll(&p, 1, 100);
	hf_fake_clock_add(&fake, wait_ms < 0 ? 1 : wait_ms);
	return hf_zone_writer_work(writer);
}

static int publish(uint64_t generation)
{
	int rc = hf_zone_writer_publish(writer, epoch, generation);

	int64_t begun = hf_boot_ms(&hf_clock_system);

	for (int tries = 0; hf_zone_writer_published(writer) != generation;) {
		if (rc < 0 && ++tries == TRIES)
			return rc;
		if (hf_boot_ms(&hf_clock_system) - begun > PATIENCE_MS)
			return -ETIMEDOUT;
		rc = work();
	}
	return 0;
}

/* What a publication promises by itself is a whole generation; it is durable after this. */
static int acknowledge(uint64_t generation)
{
	int rc = 0;

	for (int tries = 0; tries < TRIES; tries++) {
		rc = hf_zone_writer_sync(writer);
		if (!rc) {
			printf("ack %llu\n", (unsigned long long)generation);
			fflush(stdout);
			break;
		}
	}
	return rc;
}

static int drive(uint64_t generation, uint64_t last)
{
	int rc = 0;

	while (!rc && generation < last) {
		/* All anew, as after the loss of a store. */
		if (!roll(15) && hf_zone_writer_clear(writer) < 0)
			abort();
		rc = set_all(generation + 1);
		if (!rc)
			rc = publish(generation + 1);
		if (rc)
			break;
		generation++;
		if (roll(3) || generation == last)
			rc = acknowledge(generation);
		hf_fake_clock_add(&fake, roll(FOLD_EVERY_MS));
		if (!roll(3) && hf_zone_writer_wait_ms(writer) >= 0)
			work(); /* what fails there is tried again */
	}
	return rc ? refused("the disk does not take it", rc) : 0;
}

int main(int argc, char **argv)
{
	struct hf_zone_writer_opts opts = { .clock = &fake.clock,
		.fold_names = ZONE_FOLD,
		.direct_names = ZONE_DIRECT,
		.fold_every_ms = FOLD_EVERY_MS };
	static struct hf_zone_meta meta = { .ttl_s = 30, .ready = true, .n_sources = 1 };
	struct hf_zone_stamp stamp = { .generation = 0 };
	char path[4096];
	int rc;

	if (argc != 4)
		return 2;
	hf_log_set_level(HF_LOG_ERROR);
	hf_fake_clock_init(&fake, 1000, 1700000000000);
	seed = (unsigned)atol(argv[2]);
	snprintf(path, sizeof(path), "%s/zone", argv[1]);
	rc = hf_zone_writer_open(path, &opts, &stamp, &writer);
	if (rc < 0)
		return refused(path, rc);
	meta.sources[0] =
	    (struct hf_zone_source){ .name = "main", .fresh_ms = 60000, .snapshot_ms = 600000 };
	if (hf_name_parse("coder", &meta.sources[0].suffix))
		abort();
	hf_zone_writer_set_meta(writer, &meta);
	rc = drive(stamp.generation, stamp.generation + strtoull(argv[3], NULL, 10));
	hf_zone_writer_free(writer);
	return rc;
}
