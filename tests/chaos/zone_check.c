/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone_check DIR LAST_ACK: looks at the zone DIR/zone as a resolver does and says whether it is one
 * whole generation, not older than LAST_ACK (README.md).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "tests/chaos/zone_content.h"
#include "zone/reader.h"

static struct hf_zone_reader *reader;

static int wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int wrong(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
	return 1;
}

/* The PTR of what name i was in `version` tells it, or is not there. */
static int check_ptr(unsigned i, const struct hf_name *name, uint64_t version, bool want)
{
	uint8_t addr[16];
	const uint8_t *wire;
	size_t len;
	int rc;

	zone_addr(i, version, addr);
	rc = hf_zone_reader_find_ptr(reader, addr, &wire, &len);
	if (rc != want)
		return wrong("PTR of name %u, set in %" PRIu64 ": %d", i, version, rc);
	if (want && (len != name->len || memcmp(wire, name->wire, len)))
		return wrong("PTR of name %u, set in %" PRIu64 ", tells another", i, version);
	return 0;
}

static int check_name(unsigned i, uint64_t generation)
{
	uint64_t version = zone_version(i, generation);
	struct hf_name name, parent;
	uint8_t addr[16];
	struct hf_zone_entry e;
	int rc;

	zone_name(i, &name);
	hf_name_get_parent(&name, &parent);
	rc = hf_zone_reader_find(reader, parent.wire, parent.len, &e);
	if (rc != (version != 0) || (rc && e.kind != HF_ENTRY_EMPTY))
		return wrong("parent of name %u in %" PRIu64 ": %d", i, generation, rc);
	rc = hf_zone_reader_find(reader, name.wire, name.len, &e);
	if (rc != (version != 0))
		return wrong("name %u in %" PRIu64 ": %d", i, generation, rc);
	for (uint64_t v = generation; v && v + 20 > generation; v--) {
		if (check_ptr(i, &name, v, v == version))
			return 1;
	}
	if (!version)
		return 0;
	zone_addr(i, version, addr);
	if (e.kind != HF_ENTRY_ADDRS || e.n_addrs != 1 || memcmp(e.addrs[0], addr, 16) ||
	    e.first_seen_s != (int64_t)version)
		return wrong("name %u in %" PRIu64 " is not what was set in %" PRIu64, i,
		    generation, version);
	return 0;
}

static int count(const struct hf_name *name, const struct hf_zone_entry *entry, void *arg)
{
	(void)name;
	(void)entry;
	++*(uint64_t *)arg;
	return 0;
}

static int check(uint64_t acked)
{
	struct hf_zone_stamp stamp;
	uint64_t n = 0, n_there = 0;
	int rc = hf_zone_reader_load(reader), bad = 0;

	if (rc == -ENOENT && !acked)
		return 0;
	if (rc)
		return wrong("the zone cannot be read: %s", hf_strerror(rc));
	if (!hf_zone_reader_stamp(reader, &stamp))
		return wrong("there is no picture");
	if (stamp.generation < acked)
		return wrong("generation %" PRIu64 " was acknowledged, %" PRIu64 " is there", acked,
		    stamp.generation);
	for (unsigned i = 0; !bad && i < ZONE_NAMES; i++) {
		n += zone_version(i, stamp.generation) != 0;
		bad = check_name(i, stamp.generation);
	}
	if (bad)
		return bad;
	hf_zone_reader_walk(reader, count, &n_there);
	if (n_there != n || stamp.n_names != n)
		return wrong("%" PRIu64 " names, %" PRIu64 " by the walk, should be %" PRIu64,
		    stamp.n_names, n_there, n);
	return 0;
}

int main(int argc, char **argv)
{
	struct hf_zone *zone = NULL;
	char path[4096];
	int rc;

	if (argc != 3)
		return 2;
	snprintf(path, sizeof(path), "%s/zone", argv[1]);
	if (hf_zone_open(path, &hf_clock_system, &zone) || hf_zone_reader_new(zone, &reader))
		return 2;
	rc = check(strtoull(argv[2], NULL, 10));
	hf_zone_reader_free(reader);
	hf_zone_close(zone);
	return rc;
}
