/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/adapters/kit_dnsmasq.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/hosts_line.h"
#include "base/file.h"
#include "tests/unit/adapters/kit_records.h"

enum { PTR = 12, CNAME = 5, AAAA = 28, NXDOMAIN = 3 };

static void read_lines(struct kit_dnsmasq *k, const char *at, size_t len)
{
	const char *end = at + len, *line;

	while (hf_hosts_line_next(&at, end, &line, &len)) {
		ck_assert_uint_lt(k->n, KIT_DNSMASQ_RECORDS);
		k->n += hf_hosts_line_parse(line, len, &k->has[k->n]) == 1;
	}
}

static void read_folder(struct kit_dnsmasq *k)
{
	DIR *d = opendir(k->dir.path);
	const struct dirent *e;
	uint8_t *bytes;
	size_t len;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.' || hf_file_read(dirfd(d), e->d_name, 65536, &bytes, &len))
			continue;
		read_lines(k, (char *)bytes, len);
		free(bytes);
	}
	closedir(d);
}

static void kit_read_all(struct kit_dnsmasq *k)
{
	if (!k->keeps)
		k->n = 0;
	if (k->theirs)
		read_lines(k, k->theirs, strlen(k->theirs));
	read_folder(k);
}

static void question_name(const struct resolver_question *q, struct hf_name *name, uint16_t *type)
{
	const uint8_t *at = q->packet + 12;

	while (*at)
		at += 1 + *at;
	memset(name, 0, sizeof(*name));
	name->len = (uint8_t)(at + 1 - (q->packet + 12));
	memcpy(name->wire, q->packet + 12, name->len);
	*type = (uint16_t)(at[1] << 8 | at[2]);
}

static bool is_alias(const struct kit_dnsmasq *k, const struct hf_name *name)
{
	struct hf_name alias;

	return k->alias && !hf_name_parse(k->alias, &alias) && hf_name_equal(&alias, name);
}

static size_t kit_answer(const struct resolver_question *q, uint8_t *out, void *arg)
{
	struct kit_dnsmasq *k = arg;
	size_t len, first = resolver_answer(q, 0x0400, out);
	struct hf_name name, ptr;
	uint16_t type;

	if (k->silent)
		return 0;
	if (!k->stuck)
		kit_read_all(k);
	question_name(q, &name, &type);
	len = first;
	if (is_alias(k, &name))
		return resolver_add(out, len, CNAME, 30, "\1x", 3);
	for (size_t i = 0; i < k->n; i++) {
		const struct hf_record *r = &k->has[i];

		hf_ptr_name(r->addr, &ptr);
		if (type == AAAA && hf_name_equal(&r->name, &name))
			len = resolver_add(out, len, AAAA, 30, r->addr, 16);
		else if (type == PTR && len == first && hf_name_equal(&ptr, &name))
			len = resolver_add(out, len, PTR, 30, r->name.wire, r->name.len);
	}
	return len > first ? len : resolver_answer(q, 0x0400 | NXDOMAIN, out);
}

void kit_dnsmasq_open(struct kit_dnsmasq *k)
{
	struct hf_dns_client_opts o = { .server = &k->server.at, .timeout_ms = 20 };
	char why[200];

	memset(k, 0, sizeof(*k));
	tmpdir_make(&k->dir);
	k->base = event_base_new();
	resolver_open(&k->server, k->base, kit_answer, k);
	ck_assert_int_eq(hf_dns_client_new(k->base, &o, &k->ask), 0);
	k->config = (struct hf_config_dnsmasq){ .hostsdir = k->dir.path };
	ck_assert_int_eq(hf_host_files_new(&k->config, &k->files), 0);
	ck_assert_int_eq(hf_host_files_open(k->files, why, sizeof(why)), 0);
	k->table = hf_host_files_table(k->files);
}

void kit_dnsmasq_end_asking(struct kit_dnsmasq *k)
{
	hf_dns_client_free(k->ask);
	k->ask = NULL;
}

void kit_dnsmasq_close(struct kit_dnsmasq *k)
{
	kit_dnsmasq_end_asking(k);
	hf_host_files_free(k->files);
	resolver_close(&k->server);
	event_base_free(k->base);
	tmpdir_remove(&k->dir);
}

size_t kit_dnsmasq_written(struct kit_dnsmasq *k)
{
	struct kit_dnsmasq now = { .dir = k->dir };

	read_folder(&now);
	return now.n;
}

bool kit_dnsmasq_has(struct kit_dnsmasq *k, const char *name, const char *addr)
{
	struct kit_dnsmasq now = { .dir = k->dir };
	struct hf_record r = record(name, addr, true);

	read_folder(&now);
	for (size_t i = 0; i < now.n; i++)
		if (hf_name_equal(&now.has[i].name, &r.name) &&
		    !memcmp(now.has[i].addr, r.addr, 16))
			return true;
	return false;
}

int kit_dnsmasq_write(void *arg, unsigned file, char *ret_why, size_t why_size)
{
	struct kit_dnsmasq *k = arg;

	return hf_host_files_write(k->files, file, ret_why, why_size);
}

unsigned kit_dnsmasq_put(struct kit_dnsmasq *k, const char *name, const char *addr, bool primary)
{
	struct hf_record r = record(name, addr, primary);

	ck_assert_int_ge(hf_record_table_put(k->table, &r), 0);
	return hf_record_table_bucket_of(k->table, r.addr);
}
