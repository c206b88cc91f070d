/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer to the upgrade, whole and in pieces (the first byte says how small): the same
 * judgement, the same texts, and the same bytes left after the head.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/stream/wire/retry_after.h"
#include "bridge/stream/wire/upgrade.h"
#include "tests/fuzz/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct hf_stream_limits limits = { .head = 2000, .head_fields = 12 };

static uint64_t digest_text(uint64_t digest, const char *text)
{
	int64_t wait = hf_retry_after(text, 1000000000);

	if (wait < -1 || wait > HF_RETRY_AFTER_MAX_S)
		abort();
	return digest_bytes(
	    digest_number(digest, (uint64_t)wait), 1, (const uint8_t *)text, strlen(text));
}

static uint64_t run(const uint8_t *data, size_t size, size_t piece)
{
	struct hf_upgrade u;
	uint64_t digest = 1;
	size_t left = size;
	int rc = 0;

	hf_upgrade_init(&u, &limits, (const uint8_t *)"the sample nonce");
	for (size_t at = 0; at < size && !rc; at += piece) {
		size_t n = size - at < piece ? size - at : piece;
		struct hf_rd in = hf_rd(data + at, n);

		rc = hf_upgrade_feed(&u, &in);
		left -= n - hf_rd_left(&in);
	}
	if (!rc)
		rc = hf_upgrade_eof(&u);
	if (rc == 1)
		digest = digest_number(digest, left);
	digest = digest_number(digest, u.trouble + 1000u * (unsigned)u.status);
	digest = digest_text(digest, u.location);
	digest = digest_text(digest, u.retry_after);
	digest = digest_text(digest, u.content_type);
	digest = digest_bytes(digest, 2, (const uint8_t *)u.body, u.n_body);
	hf_upgrade_done(&u);
	return digest;
}

/* A request of any strings has the lines that it should have, or is refused. */
static void write_request(const char *strings[5])
{
	const struct hf_upgrade_header header = { strings[3], strings[4] };
	const struct hf_upgrade_request r = { .host = strings[0],
		.prefix = strings[1],
		.token = strings[2],
		.headers = &header,
		.n_headers = *strings[3] != '\0' };
	char head[4096];
	struct hf_wr w = hf_wr(head, sizeof(head));
	size_t lines = 0;

	if (hf_upgrade_write(&r, (const uint8_t *)"the sample nonce", &w))
		return;
	for (size_t i = 0; i < hf_wr_len(&w); i++)
		lines += head[i] == '\n' || head[i] == '\r';
	if (lines != 2 * (9 + r.n_headers))
		abort();
}

/* "host|prefix|token|name|value" */
static void split_request(const uint8_t *data, size_t size)
{
	char text[1000] = { 0 }, *next = text;
	const char *strings[5] = { "h", "", "t", "", "" };

	memcpy(text, data, size < sizeof(text) - 1 ? size : sizeof(text) - 1);
	for (int i = 0; i < 5 && next; i++)
		strings[i] = strsep(&next, "|");
	write_request(strings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size && run(data + 1, size - 1, SIZE_MAX / 2) != run(data + 1, size - 1, 1u + data[0]))
		abort();
	split_request(data, size);
	return 0;
}
