/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the files of a zone, as if their hashes were right: 4 bytes that say how long the
 * base is, the base, the delta. Whatever is in them is looked up, walked and answered.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tests/support/answer_check.h"
#include "zone/folder_watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(struct hf_zone_reader *r, const struct hf_name *name)
{
	static const uint16_t types[] = { HF_TYPE_AAAA, HF_TYPE_PTR, HF_TYPE_TXT, HF_TYPE_ANY };
	struct hf_question q = { .name = name, .class = HF_CLASS_IN, .from_loopback = true };
	struct hf_answer a;

	hf_zone_reader_warm(r, &name, 1);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		q.type = types[i];
		hf_answer(r, &q, &a);
		hf_answer_check(&q, &a);
	}
}

static int ask_all(const struct hf_name *name, const struct hf_zone_entry *entry, void *arg)
{
	struct hf_name other = *name;

	ask(arg, name);
	for (size_t i = 0; i < entry->n_addrs; i++) {
		hf_ptr_name(entry->addrs[i], &other);
		ask(arg, &other);
	}
	other = *name;
	if (!hf_name_prepend(&other, "_holdfast", 9))
		ask(arg, &other);
	return 0;
}

static void look_into(struct hf_picture *p)
{
	struct hf_fake_clock clock;
	struct hf_zone_reader *r;
	struct hf_name name;
	struct hf_zone *z;

	hf_fake_clock_init(&clock, 1000000, 1700000000000);
	if (hf_zone_open("/nonexistent", &clock.clock, &z))
		abort();
	hf_zone_show(z, p);
	if (hf_zone_reader_new(z, &r) || !hf_zone_reader_refresh(r))
		abort();
	hf_zone_reader_walk(r, ask_all, r);
	for (size_t i = 0; i < p->n_suffixes; i++)
		ask(r, p->suffixes[i].name);
	if (!hf_name_parse("main.dev.me.coder", &name))
		ask(r, &name);
	hf_zone_reader_free(r);
	hf_zone_close(z);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t epoch[16];
	struct hf_sealed *base, *delta = NULL;
	struct hf_picture *p;
	size_t base_len;

	if (size < 5)
		return 0;
	base_len = data[0] | (size_t)data[1] << 8 | (size_t)data[2] << 16 | (size_t)data[3] << 24;
	data += 4, size -= 4;
	if (base_len > size)
		base_len = size;
	if (hf_sealed_copy(data, base_len, &base))
		return 0;
	if (size > base_len && hf_sealed_copy(data + base_len, size - base_len, &delta))
		abort();
	if (!hf_picture_make(base, delta, epoch, 1, &p))
		look_into(p);
	return 0;
}
