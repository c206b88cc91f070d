/*
 * An answer to the upgrade, whole and in pieces (the first byte says how small): the same
 * judgement, the same texts, and the same bytes left after the head.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/stream/retry_after.h"
#include "bridge/stream/upgrade.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size && run(data + 1, size - 1, SIZE_MAX / 2) != run(data + 1, size - 1, 1u + data[0]))
		abort();
	return 0;
}
