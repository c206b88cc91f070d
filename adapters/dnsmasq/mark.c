/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/mark.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/hosts_line.h"
#include "adapters/record_table.h"
#include "base/error.h"
#include "base/file.h"

static const char begin[] = "# Holdfast wrote this file and rewrites it: do not edit. Sum ";

size_t hf_mark_line(const char *bytes, size_t len, char out[static HF_MARK_MAX])
{
	int n =
	    snprintf(out, HF_MARK_MAX, "%s%016" PRIx64 "\n", begin, hf_hosts_line_sum(bytes, len));

	return (size_t)n;
}

int hf_mark_check(const char *bytes, size_t len, size_t *ret_len)
{
	const size_t n = sizeof(begin) - 1;
	char expected[HF_MARK_MAX];
	const char *lf;
	size_t n_line;

	*ret_len = 0;
	/* A power cut leaves an empty file, or zeros where the disk did not get the bytes. */
	if (!len || !bytes[0])
		return HF_EFORMAT;
	if (memcmp(bytes, begin, len < n ? len : n))
		return HF_EREFUSED;
	lf = memchr(bytes, '\n', len);
	*ret_len = lf ? (size_t)(lf + 1 - bytes) : len;
	n_line = hf_mark_line(bytes + *ret_len, len - *ret_len, expected);
	if (n_line != *ret_len || memcmp(bytes, expected, n_line))
		return HF_EFORMAT;
	return 0;
}

int hf_mark_load(int dir, const char *name, size_t max, struct hf_record_table *table)
{
	uint8_t *bytes = NULL;
	size_t len, mark;
	int rc = hf_file_read(dir, name, max, &bytes, &len);

	if (rc == -ENOENT || rc == HF_EUNSAFE || rc == HF_ELIMIT)
		return 0;
	if (rc)
		return rc;
	if (hf_mark_check((char *)bytes, len, &mark) != HF_EREFUSED)
		rc = hf_record_table_load(table, (char *)bytes + mark, len - mark, NULL, NULL);
	free(bytes);
	return rc < 0 ? rc : 0;
}
