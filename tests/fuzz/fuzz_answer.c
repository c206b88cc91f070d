/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any question to a fixed zone: a byte of how, a type, a class, and a name in wire form (or labels
 * before the suffix or the reverse zone).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/support/answer_check.h"
#include "tests/support/zone_build.h"
#include "zone/folder_watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LOOPBACK = 1, ANY_CLASS = 2, UNDER_SUFFIX = 4, UNDER_REVERSE = 8, HEAD = 5 };

static struct hf_fake_clock fake;
static struct hf_zone_reader *r;
static struct hf_name suffix;

static void open_zone(void)
{
	static const uint8_t epoch[16] = { 1 };
	struct hf_zone_build b;
	struct hf_sealed *base;
	struct hf_picture *p;
	struct hf_zone *z;
	uint8_t *bytes;
	size_t len;

	hf_fake_clock_init(&fake, 1000000, 1700000000000);
	hf_zone_build_init(&b);
	hf_name_parse("x.b.coder", &b.meta.sources[1].suffix);
	b.meta.n_sources = 2;
	suffix = b.meta.sources[0].suffix;
	hf_zone_build_base(&b);
	hf_zone_build_empty(&b, "coder");
	hf_zone_build_empty(&b, "me.coder");
	hf_zone_build_name(&b, "a.me.coder", 1, HF_REC_PRIMARY);
	hf_zone_build_name(&b, "h.coder", 2, HF_REC_HELD);
	hf_zone_build_name(&b, "w.coder", 3, HF_REC_WITHDRAWN);
	hf_zone_build_ptr(&b, 1, "a.me.coder");
	hf_zone_build_ptr(&b, 3, "w.coder");
	bytes = hf_zone_build_bytes(&b, &len);
	if (hf_sealed_copy(bytes, len, &base) || hf_picture_make(base, NULL, epoch, 7, &p) ||
	    hf_zone_open("/nonexistent", &fake.clock, &z))
		abort();
	free(bytes);
	hf_zone_show(z, p);
	if (hf_zone_reader_new(z, &r) || !hf_zone_reader_refresh(r))
		abort();
}

/* The labels of the input, and then those of `under`. */
static int get_name(
    const uint8_t *data, size_t size, const struct hf_name *under, struct hf_name *ret_name)
{
	uint8_t wire[2 * HF_NAME_MAX];

	if (!under)
		return hf_name_from_wire(data, size, ret_name);
	if (size > HF_NAME_MAX)
		return -1;
	memcpy(wire, data, size);
	memcpy(wire + size, under->wire, under->len);
	return hf_name_from_wire(wire, size + under->len, ret_name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct hf_name *under = NULL;
	struct hf_name name;
	struct hf_question q = { .name = &name };
	struct hf_answer a;

	if (!r)
		open_zone();
	if (size < HEAD)
		return 0;
	q.from_loopback = data[0] & LOOPBACK;
	q.type = (uint16_t)(data[1] << 8 | data[2]);
	q.class = data[0] & ANY_CLASS ? (uint16_t)(data[3] << 8 | data[4]) : HF_CLASS_IN;
	if (data[0] & (UNDER_SUFFIX | UNDER_REVERSE))
		under = data[0] & UNDER_SUFFIX ? &suffix : &hf_addr_reverse_apex;
	if (get_name(data + HEAD, size - HEAD, under, &name) < 0)
		return 0;
	hf_answer(r, &q, &a);
	hf_answer_check(&q, &a);
	if (under && q.class == HF_CLASS_IN && hf_name_is_under(&name, under) && !a.ours)
		abort();
	return 0;
}
