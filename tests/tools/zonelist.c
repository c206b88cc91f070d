/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zonelist: the names of a published zone, through the reader as resolvers have it. For tests.
 *
 *   zonelist DIR
 *
 * A line for each name with addresses, "NAME ADDR[,ADDR...]", in no order, after the first line,
 * which is
 * "GENERATION NAMES". It exits with 1 and says why if there is no zone that can be read.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "zone/reader.h"

static int on_name(const struct hf_name *name, const struct hf_zone_entry *e, void *arg)
{
	char text[HF_NAME_TEXT_MAX], addr[HF_ADDR_TEXT_MAX];

	(void)arg;
	fputs(hf_name_text(name, text), stdout);
	for (size_t i = 0; i < e->n_addrs; i++)
		printf("%c%s", i ? ',' : ' ', hf_addr_text(e->addrs[i], addr));
	putchar('\n');
	return 0;
}

static int list(struct hf_zone *zone)
{
	struct hf_zone_reader *reader = NULL;
	struct hf_zone_stamp stamp;
	int rc = hf_zone_reader_new(zone, &reader);

	if (!rc)
		rc = hf_zone_reader_load(reader);
	if (!rc && !hf_zone_reader_stamp(reader, &stamp))
		rc = HF_ECLOSED;
	if (!rc) {
		printf("%llu %llu\n", (unsigned long long)stamp.generation,
		    (unsigned long long)stamp.n_names);
		rc = hf_zone_reader_walk(reader, on_name, NULL);
	}
	hf_zone_reader_free(reader);
	return rc;
}

int main(int argc, char **argv)
{
	struct hf_zone *zone = NULL;
	int rc = argc == 2 ? hf_zone_open(argv[1], &hf_clock_system, &zone) : HF_EREFUSED;

	if (!rc)
		rc = list(zone);
	hf_zone_close(zone);
	if (rc)
		fprintf(stderr, "zonelist: %s\n", hf_strerror(rc));
	return rc != 0;
}
