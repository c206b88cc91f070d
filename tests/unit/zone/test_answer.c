/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/support/zone_build.h"
#include "zone/answer.h"

Suite *answer_suite(void);

enum { NONE = 0, EDE_NONE = HF_EDE_NONE, TYPE_MX = 15, TYPE_ZERO = 0, TYPE_MAX = 65535 };

static struct hf_zone_build b;
static struct hf_fake_clock now;
static struct hf_zone *z;
static struct hf_zone_reader *r;
static struct hf_answer a;

static void put_addrs(const char *name, uint32_t first, size_t n, uint8_t source, uint16_t owner,
    uint8_t flags, uint32_t children)
{
	uint8_t addrs[HF_REC_ADDRS_MAX][16];
	struct hf_fmt_value v = { .kind = HF_FMT_ADDRS,
		.flags = flags,
		.source = source,
		.owner = owner,
		.first_seen_s = 1709210096,
		.children = children,
		.n_addrs = n,
		.addrs = (const uint8_t(*)[16])addrs };

	for (uint32_t i = 0; i < n; i++)
		hf_zone_build_addr(first + i, addrs[i]);
	hf_zone_build_put(&b, name, &v);
}

/*
 * Two sources share "coder", a third has a suffix below it. Owner 0 is main's, 1 second's.
 */
static void build_zone(void)
{
	static const char *const ents[] = { "coder", "me.coder", "dev.me.coder", "alice.coder",
		"dev.alice.coder", "x.b.coder" };
	struct hf_name bad;

	b.meta.n_sources = 3;
	b.meta.sources[1] = b.meta.sources[0];
	b.meta.sources[1].name[0] = 's';
	b.meta.sources[2] = b.meta.sources[0];
	ck_assert_int_eq(hf_name_parse("x.b.coder", &b.meta.sources[2].suffix), 0);
	hf_zone_build_base(&b);
	for (size_t i = 0; i < sizeof(ents) / sizeof(ents[0]); i++)
		hf_zone_build_empty(&b, ents[i]);
	put_addrs("main.dev.me.coder", 1, 1, 0, 0, HF_REC_PRIMARY, 0);
	put_addrs("main.dev.alice.coder", 1, 1, 0, 0, 0, 0);
	put_addrs("dev.coder", 1, 1, 0, 0, 0, 0);
	put_addrs("hundred.coder", 100, 100, 0, 0, HF_REC_PRIMARY, 0);
	put_addrs("second.coder", 2, 1, 1, 1, HF_REC_PRIMARY, 0);
	put_addrs("held.coder", 3, 1, 0, 0, HF_REC_PRIMARY | HF_REC_HELD, 0);
	put_addrs("restored.coder", 4, 1, 0, 0, HF_REC_PRIMARY | HF_REC_RESTORED, 0);
	put_addrs("gone.coder", 5, 1, 0, 0, HF_REC_PRIMARY | HF_REC_WITHDRAWN, 0);
	put_addrs("gone-above.coder", 6, 1, 0, 0, HF_REC_PRIMARY | HF_REC_WITHDRAWN, 1);
	put_addrs("kid.gone-above.coder", 7, 1, 0, 0, HF_REC_PRIMARY, 0);
	put_addrs("leaf.x.b.coder", 8, 1, 2, 2, HF_REC_PRIMARY, 0);
	hf_zone_build_ptr(&b, 1, "main.dev.me.coder");
	hf_zone_build_ptr(&b, 2, "second.coder");
	hf_zone_build_ptr(&b, 3, "held.coder");
	hf_zone_build_ptr(&b, 4, "restored.coder");
	hf_zone_build_ptr(&b, 5, "gone.coder");
	hf_zone_build_ptr(&b, 9, "nowhere.coder");
	hf_zone_build_ptr(&b, 10, "main.dev.me.coder"); /* which has another address */
	hf_name_parse("bad.coder", &bad);
	hf_zone_build_raw(&b, bad.wire, bad.len, "\x07", 1);
	hf_zone_build_end(&b);
}

static void publish(void)
{
	build_zone();
	hf_zone_build_publish(&b);
	ck_assert_int_eq(hf_zone_reader_load(r), 0);
}

/* Bits of the sources that are live, and of the owners that were just confirmed. */
static void stamp(unsigned sources, unsigned owners)
{
	struct hf_pulse_writer *w;

	ck_assert_int_eq(hf_pulse_writer_open(b.dirfd, &now.clock, &w), 0);
	for (uint16_t i = 0; i < 3; i++) {
		if (sources & (1u << i))
			ck_assert_int_eq(hf_pulse_source(w, i, true), 0);
		if (owners & (1u << i))
			ck_assert_int_eq(hf_pulse_owner(w, i), 0);
	}
	hf_pulse_writer_free(w);
	hf_fake_clock_add(&now, 1000);
	ck_assert(hf_zone_reader_refresh(r));
}

static void setup(void)
{
	hf_zone_build_open(&b);
	hf_fake_clock_init(&now, 100000000, 1700000000000);
	ck_assert_int_eq(hf_zone_open(b.dir, &now.clock, &z), 0);
	ck_assert_int_eq(hf_zone_reader_new(z, &r), 0);
}

static void setup_fresh(void)
{
	setup();
	publish();
	stamp(7, 7);
}

static void setup_stale(void)
{
	setup();
	publish();
}

static void teardown(void)
{
	hf_zone_reader_free(r);
	hf_zone_close(z);
	hf_zone_build_close(&b);
}

static struct hf_name name_of(const char *text)
{
	struct hf_name name;

	ck_assert_int_eq(hf_name_parse(text, &name), 0);
	return name;
}

static void ask_name(const struct hf_name *name, uint16_t type)
{
	struct hf_question q = {
		.name = name, .type = type, .class = HF_CLASS_IN, .from_loopback = true
	};

	memset(&a, 0xee, sizeof(a));
	hf_answer(r, &q, &a);
}

static void ask(const char *text, uint16_t type)
{
	struct hf_name name = name_of(text);

	ask_name(&name, type);
}

static void ask_ptr(uint32_t k, uint16_t type)
{
	struct hf_name name;
	uint8_t addr[16];

	hf_zone_build_addr(k, addr);
	hf_ptr_name(addr, &name);
	ask_name(&name, type);
}

#define REVERSE "b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa"
#define ADDR_1 "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0." REVERSE

/* What the answer is, whole: every case is one of these three. */
static void check_positive(uint16_t type, uint16_t n)
{
	ck_assert(a.ours);
	ck_assert_uint_eq(a.rcode, HF_RCODE_NOERROR);
	ck_assert(a.has_answer && !a.has_soa);
	ck_assert_uint_eq(a.answer.type, type);
	ck_assert_uint_eq(a.answer.n, n);
	ck_assert_ptr_null(a.answer.owner);
	ck_assert_uint_ge(a.answer.ttl_s, 1);
	ck_assert_uint_le(a.answer.ttl_s, 30);
}

static void check_negative(uint8_t rcode, const char *apex)
{
	struct hf_name name = name_of(apex);

	ck_assert(a.ours);
	ck_assert_uint_eq(a.rcode, rcode);
	ck_assert(!a.has_answer && a.has_soa);
	ck_assert_uint_eq(a.soa.type, HF_TYPE_SOA);
	ck_assert_uint_eq(a.soa.n, 1);
	ck_assert_uint_eq(a.soa.owner_len, name.len);
	ck_assert_mem_eq(a.soa.owner, name.wire, name.len);
	ck_assert_uint_ge(a.soa.ttl_s, 1);
	ck_assert_uint_le(a.soa.ttl_s, 30);
}

/* Every kind of question, and what it gets of a fresh and of a stale zone. */
static const struct row {
	const char *name;
	uint16_t type;
	uint8_t rcode;
	uint16_t answer; /* 0: none, and then apex is the SOA's */
	const char *apex;
	int ede_fresh, ede_stale;
} rows[] = {
	/* a name with addresses, by any of its names */
	{ "main.dev.me.coder", HF_TYPE_AAAA, 0, HF_TYPE_AAAA, NULL, EDE_NONE, 3 },
	{ "main.dev.alice.coder", HF_TYPE_AAAA, 0, HF_TYPE_AAAA, NULL, EDE_NONE, 3 },
	{ "dev.coder", HF_TYPE_AAAA, 0, HF_TYPE_AAAA, NULL, EDE_NONE, 3 },
	/* RFC 8482: one RRset that exists */
	{ "main.dev.me.coder", HF_TYPE_ANY, 0, HF_TYPE_AAAA, NULL, EDE_NONE, 3 },
	{ ADDR_1, HF_TYPE_ANY, 0, HF_TYPE_PTR, NULL, EDE_NONE, 3 },
	{ "coder", HF_TYPE_ANY, 0, HF_TYPE_SOA, NULL, EDE_NONE, 3 },
	{ "me.coder", HF_TYPE_ANY, 0, NONE, "coder", EDE_NONE, 3 },
	{ "nobody.coder", HF_TYPE_ANY, 3, NONE, "coder", EDE_NONE, 19 },
	/* types that it has not: NODATA, never NXDOMAIN */
	{ "main.dev.me.coder", HF_TYPE_A, 0, NONE, "coder", EDE_NONE, 3 },
	{ "main.dev.me.coder", HF_TYPE_HTTPS, 0, NONE, "coder", EDE_NONE, 3 },
	{ "main.dev.me.coder", HF_TYPE_SVCB, 0, NONE, "coder", EDE_NONE, 3 },
	{ "main.dev.me.coder", HF_TYPE_DS, 0, NONE, "coder", EDE_NONE, 3 },
	{ "main.dev.me.coder", HF_TYPE_DNSKEY, 0, NONE, "coder", EDE_NONE, 3 },
	{ "main.dev.me.coder", HF_TYPE_TXT, 0, NONE, "coder", EDE_NONE, 3 },
	{ "main.dev.me.coder", HF_TYPE_CNAME, 0, NONE, "coder", EDE_NONE, 3 },
	{ "main.dev.me.coder", HF_TYPE_SOA, 0, NONE, "coder", EDE_NONE, 3 },
	{ "main.dev.me.coder", HF_TYPE_NS, 0, NONE, "coder", EDE_NONE, 3 },
	{ "main.dev.me.coder", HF_TYPE_PTR, 0, NONE, "coder", EDE_NONE, 3 },
	{ "main.dev.me.coder", TYPE_MX, 0, NONE, "coder", EDE_NONE, 3 },
	{ "main.dev.me.coder", TYPE_ZERO, 0, NONE, "coder", EDE_NONE, 3 },
	{ "main.dev.me.coder", TYPE_MAX, 0, NONE, "coder", EDE_NONE, 3 },
	/* RFC 8020, 4592: empty non-terminals, and below a leaf */
	{ "me.coder", HF_TYPE_AAAA, 0, NONE, "coder", EDE_NONE, 3 },
	{ "dev.me.coder", HF_TYPE_AAAA, 0, NONE, "coder", EDE_NONE, 3 },
	{ "b.coder", HF_TYPE_AAAA, 0, NONE, "coder", EDE_NONE, 3 }, /* x.b.coder is a suffix */
	{ "x.main.dev.me.coder", HF_TYPE_AAAA, 3, NONE, "coder", EDE_NONE, 19 },
	{ "nobody.coder", HF_TYPE_AAAA, 3, NONE, "coder", EDE_NONE, 19 },
	{ "c.b.coder", HF_TYPE_AAAA, 3, NONE, "coder", EDE_NONE, 19 },
	{ "nobody.dev.me.coder", HF_TYPE_A, 3, NONE, "coder", EDE_NONE, 19 },
	/* apexes */
	{ "coder", HF_TYPE_SOA, 0, HF_TYPE_SOA, NULL, EDE_NONE, 3 },
	{ "x.b.coder", HF_TYPE_SOA, 0, HF_TYPE_SOA, NULL, EDE_NONE, 3 },
	{ REVERSE, HF_TYPE_SOA, 0, HF_TYPE_SOA, NULL, EDE_NONE, 3 },
	{ "coder", HF_TYPE_NS, 0, NONE, "coder", EDE_NONE, 3 },
	{ "coder", HF_TYPE_DS, 0, NONE, "coder", EDE_NONE, 3 },
	{ "coder", HF_TYPE_DNSKEY, 0, NONE, "coder", EDE_NONE, 3 },
	{ "coder", HF_TYPE_AAAA, 0, NONE, "coder", EDE_NONE, 3 },
	{ "x.b.coder", HF_TYPE_NS, 0, NONE, "x.b.coder", EDE_NONE, 3 },
	{ REVERSE, HF_TYPE_NS, 0, NONE, REVERSE, EDE_NONE, 3 },
	/* the longest suffix's zone */
	{ "leaf.x.b.coder", HF_TYPE_AAAA, 0, HF_TYPE_AAAA, NULL, EDE_NONE, 3 },
	{ "leaf.x.b.coder", HF_TYPE_A, 0, NONE, "x.b.coder", EDE_NONE, 3 },
	{ "nobody.x.b.coder", HF_TYPE_A, 3, NONE, "x.b.coder", EDE_NONE, 19 },
	/* the reverse zone of the /48, its own SOA */
	{ ADDR_1, HF_TYPE_PTR, 0, HF_TYPE_PTR, NULL, EDE_NONE, 3 },
	{ ADDR_1, HF_TYPE_AAAA, 0, NONE, REVERSE, EDE_NONE, 3 },
	{ "f." ADDR_1, HF_TYPE_PTR, 3, NONE, REVERSE, EDE_NONE, 19 },
	{ "0." REVERSE, HF_TYPE_PTR, 0, NONE, REVERSE, EDE_NONE, 3 },
	{ "f.f.f." REVERSE, HF_TYPE_PTR, 0, NONE, REVERSE, EDE_NONE, 3 },
	{ "xyz." REVERSE, HF_TYPE_PTR, 3, NONE, REVERSE, EDE_NONE, 19 },
	/* withdrawn: as if it were not there */
	{ "gone.coder", HF_TYPE_AAAA, 3, NONE, "coder", EDE_NONE, 19 },
	{ "gone.coder", HF_TYPE_A, 3, NONE, "coder", EDE_NONE, 19 },
	{ "_holdfast.gone.coder", HF_TYPE_TXT, 3, NONE, "coder", EDE_NONE, 19 },
	{ "gone-above.coder", HF_TYPE_AAAA, 0, NONE, "coder", EDE_NONE, 3 },
	{ "kid.gone-above.coder", HF_TYPE_AAAA, 0, HF_TYPE_AAAA, NULL, EDE_NONE, 3 },
	/* held and restored: answered, never fresh */
	{ "held.coder", HF_TYPE_AAAA, 0, HF_TYPE_AAAA, NULL, 3, 3 },
	{ "held.coder", HF_TYPE_A, 0, NONE, "coder", 3, 3 },
	{ "restored.coder", HF_TYPE_AAAA, 0, HF_TYPE_AAAA, NULL, 3, 3 },
	/* provenance */
	{ "_holdfast.main.dev.me.coder", HF_TYPE_TXT, 0, HF_TYPE_TXT, NULL, EDE_NONE, 3 },
	{ "_holdfast.main.dev.me.coder", HF_TYPE_ANY, 0, HF_TYPE_TXT, NULL, EDE_NONE, 3 },
	{ "_holdfast.main.dev.me.coder", HF_TYPE_AAAA, 0, NONE, "coder", EDE_NONE, 3 },
	{ "_holdfast.coder", HF_TYPE_TXT, 0, HF_TYPE_TXT, NULL, EDE_NONE, 3 },
	{ "_holdfast.x.b.coder", HF_TYPE_TXT, 0, HF_TYPE_TXT, NULL, EDE_NONE, 3 },
	{ "_holdfast.coder", HF_TYPE_A, 0, NONE, "coder", EDE_NONE, 3 },
	{ "_holdfast.me.coder", HF_TYPE_TXT, 3, NONE, "coder", EDE_NONE, 19 },
	{ "_holdfast.nobody.coder", HF_TYPE_TXT, 3, NONE, "coder", EDE_NONE, 19 },
	{ "x._holdfast.dev.coder", HF_TYPE_TXT, 3, NONE, "coder", EDE_NONE, 19 },
	{ "_holdfast." ADDR_1, HF_TYPE_TXT, 3, NONE, REVERSE, EDE_NONE, 19 },
	/* the caller's business, to whoever it does not want to tell */
	{ "_holdfast-counters.coder", HF_TYPE_TXT, 3, NONE, "coder", EDE_NONE, 19 },
	{ "x._holdfast-counters.coder", HF_TYPE_TXT, 3, NONE, "coder", EDE_NONE, 19 },
};
enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

static void check_row(const struct row *row)
{
	ask(row->name, row->type);
	if (row->answer)
		check_positive(row->answer, 1);
	else
		check_negative(row->rcode, row->apex);
}

START_TEST(fresh_zone_answers)
{
	check_row(&rows[_i]);
	ck_assert_int_eq(a.ede, rows[_i].ede_fresh);
}
END_TEST

START_TEST(stale_zone_answers)
{
	check_row(&rows[_i]);
	ck_assert_int_eq(a.ede, rows[_i].ede_stale);
}
END_TEST

static bool same_rrset(const struct hf_rrset *x, const struct hf_rrset *y)
{
	return x->type == y->type && x->ttl_s == y->ttl_s && x->n == y->n && x->rdlen == y->rdlen &&
	       x->owner_len == y->owner_len &&
	       (!x->owner_len || !memcmp(x->owner, y->owner, x->owner_len)) &&
	       !memcmp(x->rdata, y->rdata, (size_t)x->n * x->rdlen);
}

START_TEST(stale_differs_from_fresh_by_its_ede_alone)
{
	static struct hf_answer fresh[N_ROWS];

	for (int i = 0; i < N_ROWS; i++) {
		ask(rows[i].name, rows[i].type);
		fresh[i] = a;
		if (a.has_soa || a.answer.rdata == a.scratch)
			fresh[i].answer.rdata = fresh[i].soa.rdata = fresh[i].scratch;
	}
	hf_fake_clock_add(&now, 10000000);
	ck_assert(hf_zone_reader_refresh(r));
	for (int i = 0; i < N_ROWS; i++) {
		ask(rows[i].name, rows[i].type);
		ck_assert_int_eq(a.ede, rows[i].ede_stale);
		ck_assert_uint_eq(a.rcode, fresh[i].rcode);
		ck_assert_uint_eq(a.has_answer, fresh[i].has_answer);
		ck_assert_uint_eq(a.has_soa, fresh[i].has_soa);
		if (a.has_soa)
			ck_assert(same_rrset(&a.soa, &fresh[i].soa));
		if (a.has_answer && rows[i].answer != HF_TYPE_TXT)
			ck_assert(same_rrset(&a.answer, &fresh[i].answer));
	}
}
END_TEST

START_TEST(addresses_and_ptr_are_those_of_the_record)
{
	struct hf_name want = name_of("main.dev.me.coder");
	uint8_t addr[16];

	hf_zone_build_addr(1, addr);
	ask("main.dev.alice.coder", HF_TYPE_AAAA);
	check_positive(HF_TYPE_AAAA, 1);
	ck_assert_uint_eq(a.answer.rdlen, 16);
	ck_assert_mem_eq(a.answer.rdata, addr, 16);
	ask_ptr(1, HF_TYPE_PTR);
	check_positive(HF_TYPE_PTR, 1);
	ck_assert_uint_eq(a.answer.rdlen, want.len);
	ck_assert_mem_eq(a.answer.rdata, want.wire, want.len);
}
END_TEST

START_TEST(all_addresses_of_a_name_are_one_rrset)
{
	uint8_t addr[16];

	ask("hundred.coder", HF_TYPE_AAAA);
	check_positive(HF_TYPE_AAAA, 100);
	for (uint32_t i = 0; i < 100; i++) {
		hf_zone_build_addr(100 + i, addr);
		ck_assert_mem_eq(a.answer.rdata + 16 * i, addr, 16);
	}
}
END_TEST

static const struct {
	uint32_t k;
	uint8_t rcode;
	int ede;
} ptrs[] = {
	{ 1, 0, EDE_NONE },
	{ 2, 0, EDE_NONE },
	{ 3, 0, 3 },
	{ 4, 0, 3 },
	{ 5, 3, EDE_NONE },  /* its name is withdrawn */
	{ 9, 3, EDE_NONE },  /* its name is not there */
	{ 10, 3, EDE_NONE }, /* its name has another address */
	{ 77, 3, EDE_NONE },
};

START_TEST(ptr_is_told_as_long_as_its_name_has_the_address)
{
	ask_ptr(ptrs[_i].k, HF_TYPE_PTR);
	if (ptrs[_i].rcode)
		check_negative(ptrs[_i].rcode, REVERSE);
	else
		check_positive(HF_TYPE_PTR, 1);
	ck_assert_int_eq(a.ede, ptrs[_i].ede);
}
END_TEST

static const struct {
	const char *name;
	uint16_t class;
} foreign[] = {
	{ "example.com", HF_CLASS_IN },
	{ ".", HF_CLASS_IN },
	{ "notcoder", HF_CLASS_IN },
	{ "coder.example.com", HF_CLASS_IN },
	{ "xcoder", HF_CLASS_IN },
	{ "_dns.resolver.arpa", HF_CLASS_IN },
	{ "d.f.ip6.arpa", HF_CLASS_IN },
	{ "2.4.a.a.7.2.6.0.6.d.f.ip6.arpa", HF_CLASS_IN },
	{ "c.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa", HF_CLASS_IN },
	{ "8.e.f.ip6.arpa", HF_CLASS_IN },
	{ "main.dev.me.coder", 3 },   /* CH */
	{ "main.dev.me.coder", 4 },   /* HS */
	{ "main.dev.me.coder", 254 }, /* NONE */
	{ "main.dev.me.coder", 255 }, /* ANY */
	{ ADDR_1, 3 },
};

START_TEST(other_names_and_classes_are_not_ours)
{
	struct hf_name name = name_of(foreign[_i].name);
	struct hf_question q = { .name = &name, .type = HF_TYPE_AAAA, .class = foreign[_i].class };

	hf_answer(r, &q, &a);
	ck_assert(!a.ours);
}
END_TEST

START_TEST(a_label_holds_any_byte_and_matches_only_itself)
{
	static const uint8_t wires[][24] = { "\7main\0me\5coder", "\5*\0\0\0\0\5coder",
		"\1*\5coder", "\011\3dev\2me\0\0\5coder", "\77" };

	for (size_t i = 0; i < sizeof(wires) / sizeof(wires[0]); i++) {
		struct hf_name name;

		if (hf_name_from_wire(wires[i], sizeof(wires[i]), &name) < 0)
			continue;
		ask_name(&name, HF_TYPE_AAAA);
		check_negative(HF_RCODE_NXDOMAIN, "coder");
	}
}
END_TEST

START_TEST(soa_has_the_generation_and_the_fixed_times)
{
	static const uint8_t names[] = "\010holdfast\007invalid\0\006nobody\007invalid";
	static const uint8_t times[] = { 0, 0, 0, 60, 0, 0, 0, 60, 0, 0x24, 0xea, 0, 0, 0, 0, 30 };
	uint32_t serial;

	b.current.generation = UINT64_C(0x165f3a7c1);
	hf_zone_build_publish(&b);
	ck_assert_int_eq(hf_zone_reader_load(r), 0);
	ask("coder", HF_TYPE_SOA);
	check_positive(HF_TYPE_SOA, 1);
	ck_assert_uint_eq(a.answer.rdlen, sizeof(names) + 20);
	ck_assert_mem_eq(a.answer.rdata, names, sizeof(names));
	serial = (uint32_t)a.answer.rdata[sizeof(names)] << 24 |
		 (uint32_t)a.answer.rdata[sizeof(names) + 1] << 16 |
		 (uint32_t)a.answer.rdata[sizeof(names) + 2] << 8 |
		 a.answer.rdata[sizeof(names) + 3];
	ck_assert_uint_eq(serial, 0x65f3a7c2);
	ck_assert_mem_eq(a.answer.rdata + sizeof(names) + 4, times, sizeof(times));
}
END_TEST

static const uint32_t ttls[] = { 1, 7, 30 };

START_TEST(ttl_is_that_of_the_zone)
{
	b.meta.ttl_s = ttls[_i];
	publish();
	ask("main.dev.me.coder", HF_TYPE_AAAA);
	ck_assert_uint_eq(a.answer.ttl_s, ttls[_i]);
	ask_ptr(1, HF_TYPE_PTR);
	ck_assert_uint_eq(a.answer.ttl_s, ttls[_i]);
	ask("nobody.coder", HF_TYPE_AAAA);
	ck_assert_uint_eq(a.soa.ttl_s, ttls[_i]);
	ck_assert_uint_eq(a.soa.rdata[a.soa.rdlen - 1], ttls[_i]); /* minimum */
}
END_TEST

/* Which sources and owners are fresh, and what an answer then carries. */
static const struct {
	unsigned sources, owners;
	int main_name, second_name, no_name, no_addr;
} partly[] = {
	{ 7, 7, EDE_NONE, EDE_NONE, EDE_NONE, EDE_NONE },
	{ 3, 7, EDE_NONE, EDE_NONE, EDE_NONE, 19 }, /* the reverse zone is of all sources */
	{ 6, 7, 3, EDE_NONE, 19, 19 },
	{ 5, 7, EDE_NONE, 3, 19, 19 },
	{ 7, 6, 3, EDE_NONE, EDE_NONE, EDE_NONE },
	{ 7, 5, EDE_NONE, 3, EDE_NONE, EDE_NONE },
	{ 0, 7, 3, 3, 19, 19 },
};

START_TEST(a_negative_answer_is_as_fresh_as_its_stalest_source)
{
	stamp(partly[_i].sources, partly[_i].owners);
	ask("main.dev.me.coder", HF_TYPE_AAAA);
	ck_assert_int_eq(a.ede, partly[_i].main_name);
	ask("second.coder", HF_TYPE_AAAA);
	ck_assert_int_eq(a.ede, partly[_i].second_name);
	ask("nobody.coder", HF_TYPE_AAAA);
	ck_assert_int_eq(a.ede, partly[_i].no_name);
	ask_ptr(77, HF_TYPE_PTR);
	ck_assert_int_eq(a.ede, partly[_i].no_addr);
}
END_TEST

/* --- provenance --- */

/* A TXT record's strings, each with a '|' behind it. */
static const char *text_of(void)
{
	static char out[1024];
	size_t at = 0, n = 0;

	check_positive(HF_TYPE_TXT, 1);
	while (at < a.answer.rdlen) {
		size_t len = a.answer.rdata[at++];

		ck_assert_uint_le(at + len, a.answer.rdlen);
		ck_assert_uint_lt(n + len + 2, sizeof(out));
		memcpy(out + n, a.answer.rdata + at, len);
		n += len;
		out[n++] = '|';
		at += len;
	}
	out[n] = '\0';
	return out;
}

static const struct {
	const char *name;
	const char *want_fresh;
	const char *want_stale;
} texts[] = {
	{ "_holdfast.main.dev.me.coder",
	    "live|first-seen=2024-02-29T12:34:56Z|last-confirmed=2023-11-14T22:13:20Z|source=main|",
	    "stale|first-seen=2024-02-29T12:34:56Z|source=main|" },
	{ "_holdfast.second.coder",
	    "live|first-seen=2024-02-29T12:34:56Z|last-confirmed=2023-11-14T22:13:20Z|source=sain|",
	    "stale|first-seen=2024-02-29T12:34:56Z|source=sain|" },
	{ "_holdfast.held.coder",
	    "held|first-seen=2024-02-29T12:34:56Z|last-confirmed=2023-11-14T22:13:20Z|source=main|",
	    "held|first-seen=2024-02-29T12:34:56Z|source=main|" },
	{ "_holdfast.restored.coder", "restored|first-seen=2024-02-29T12:34:56Z|source=main|",
	    "restored|first-seen=2024-02-29T12:34:56Z|source=main|" },
	{ "_holdfast.coder", "live|epoch=e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1|generation=1001|",
	    "stale|epoch=e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1|generation=1001|" },
};

START_TEST(provenance_tells_state_age_and_source)
{
	ask(texts[_i].name, HF_TYPE_TXT);
	ck_assert_str_eq(text_of(), texts[_i].want_stale);
	stamp(7, 7);
	ask(texts[_i].name, HF_TYPE_TXT);
	ck_assert_str_eq(text_of(), texts[_i].want_fresh);
}
END_TEST

static const struct {
	enum hf_provenance provenance;
	bool from_loopback, want;
} who[] = {
	{ HF_PROVENANCE_OFF, true, false },
	{ HF_PROVENANCE_OFF, false, false },
	{ HF_PROVENANCE_LOOPBACK, true, true },
	{ HF_PROVENANCE_LOOPBACK, false, false },
	{ HF_PROVENANCE_ON, true, true },
	{ HF_PROVENANCE_ON, false, true },
};

START_TEST(provenance_is_told_to_whom_the_setting_says)
{
	static const char *const names[] = { "_holdfast.dev.coder", "_holdfast.coder" };

	b.meta.provenance = who[_i].provenance;
	publish();
	for (size_t i = 0; i < 2; i++) {
		struct hf_name name = name_of(names[i]);
		struct hf_question q = { .name = &name,
			.type = HF_TYPE_TXT,
			.class = HF_CLASS_IN,
			.from_loopback = who[_i].from_loopback };

		hf_answer(r, &q, &a);
		if (who[_i].want)
			check_positive(HF_TYPE_TXT, 1);
		else
			check_negative(HF_RCODE_NXDOMAIN, "coder");
	}
}
END_TEST

static const struct {
	uint32_t first_seen_s;
	const char *want;
} times[] = {
	{ 0, "stale|source=main|" },
	{ 1, "stale|first-seen=1970-01-01T00:00:01Z|source=main|" },
	{ 951782400, "stale|first-seen=2000-02-29T00:00:00Z|source=main|" },
	{ 1735689599, "stale|first-seen=2024-12-31T23:59:59Z|source=main|" },
	{ 1735689600, "stale|first-seen=2025-01-01T00:00:00Z|source=main|" },
	{ 4107542399, "stale|first-seen=2100-02-28T23:59:59Z|source=main|" },
	{ 4107542400, "stale|first-seen=2100-03-01T00:00:00Z|source=main|" },
	{ UINT32_MAX, "stale|first-seen=2106-02-07T06:28:15Z|source=main|" },
};

START_TEST(times_are_rfc_3339)
{
	uint8_t addr[1][16];
	struct hf_fmt_value v = { .kind = HF_FMT_ADDRS,
		.n_addrs = 1,
		.first_seen_s = times[_i].first_seen_s,
		.addrs = (const uint8_t(*)[16])addr };

	hf_zone_build_addr(1, addr[0]);
	hf_zone_build_delta(&b);
	hf_zone_build_put(&b, "t.coder", &v);
	hf_zone_build_end(&b);
	hf_zone_build_publish(&b);
	ck_assert_int_eq(hf_zone_reader_load(r), 0);
	ask("_holdfast.t.coder", HF_TYPE_TXT);
	ck_assert_str_eq(text_of(), times[_i].want);
}
END_TEST

/* --- not ready, no picture, damaged --- */

START_TEST(without_a_picture_nothing_is_ours)
{
	ck_assert(!hf_zone_reader_refresh(r));
	ask("main.dev.me.coder", HF_TYPE_AAAA);
	ck_assert(!a.ours);
	ask(ADDR_1, HF_TYPE_PTR);
	ck_assert(!a.ours);
}
END_TEST

static const char *const unknown[] = { "main.dev.me.coder", "nobody.coder", "me.coder", (ADDR_1),
	("0." REVERSE), "_holdfast.coder" };

START_TEST(not_ready_is_servfail)
{
	static const char *const apexes[] = { "coder", REVERSE };

	b.meta.ready = false;
	publish();
	for (size_t i = 0; i < 8; i++) {
		ask(i < 6 ? unknown[i] : apexes[i - 6], HF_TYPE_SOA);
		ck_assert(a.ours);
		ck_assert_uint_eq(a.rcode, HF_RCODE_SERVFAIL);
		ck_assert(!a.has_answer && !a.has_soa);
		ck_assert_int_eq(a.ede, HF_EDE_NOT_READY);
	}
	ask("example.com", HF_TYPE_AAAA);
	ck_assert(!a.ours);
}
END_TEST

static const struct {
	const char *name;
	uint16_t type;
	enum hf_not_ready policy;
	bool ours;
	uint8_t rcode;
	const char *soa; /* whose, in the authority section */
} unpublished[] = {
	{ "main.dev.me.coder", HF_TYPE_AAAA, HF_NOT_READY_SERVFAIL, true, HF_RCODE_SERVFAIL, NULL },
	{ "main.dev.me.coder", HF_TYPE_AAAA, HF_NOT_READY_NXDOMAIN, true, HF_RCODE_NXDOMAIN,
	    "coder" },
	{ "coder", HF_TYPE_SOA, HF_NOT_READY_SERVFAIL, true, HF_RCODE_SERVFAIL, NULL },
	{ "coder", HF_TYPE_SOA, HF_NOT_READY_NXDOMAIN, true, HF_RCODE_NOERROR, NULL },
	{ "coder", HF_TYPE_AAAA, HF_NOT_READY_NXDOMAIN, true, HF_RCODE_NOERROR, "coder" },
	{ ADDR_1, HF_TYPE_PTR, HF_NOT_READY_SERVFAIL, true, HF_RCODE_SERVFAIL, NULL },
	{ ADDR_1, HF_TYPE_PTR, HF_NOT_READY_NXDOMAIN, true, HF_RCODE_NXDOMAIN, REVERSE },
	{ "example.com", HF_TYPE_AAAA, HF_NOT_READY_SERVFAIL, false, 0, NULL },
	{ "notcoder", HF_TYPE_AAAA, HF_NOT_READY_NXDOMAIN, false, 0, NULL },
};

START_TEST(a_suffix_without_a_zone_is_not_ready)
{
	struct hf_question q = { &(struct hf_name){ 0 }, unpublished[_i].type, HF_CLASS_IN, true };
	struct hf_name name, suffix, soa;

	ck_assert_int_eq(hf_name_parse(unpublished[_i].name, &name), 0);
	ck_assert_int_eq(hf_name_parse("coder", &suffix), 0);
	q.name = &name;
	hf_answer_unpublished(&suffix, unpublished[_i].policy, &q, &a);
	ck_assert_int_eq(a.ours, unpublished[_i].ours);
	if (!a.ours)
		return;
	ck_assert_uint_eq(a.rcode, unpublished[_i].rcode);
	ck_assert_int_eq(a.ede, HF_EDE_NOT_READY);
	ck_assert_int_eq(a.has_soa, unpublished[_i].soa != NULL);
	if (a.has_soa) {
		ck_assert_int_eq(hf_name_parse(unpublished[_i].soa, &soa), 0);
		ck_assert_mem_eq(a.soa.owner, soa.wire, soa.len);
	}
	q.class = 3;
	hf_answer_unpublished(&suffix, unpublished[_i].policy, &q, &a);
	ck_assert(!a.ours);
}
END_TEST

START_TEST(not_ready_is_nxdomain_where_the_operator_said_so)
{
	b.meta.ready = false;
	b.meta.not_ready = HF_NOT_READY_NXDOMAIN;
	publish();
	for (size_t i = 0; i < 6; i++) {
		ask(unknown[i], HF_TYPE_AAAA);
		check_negative(HF_RCODE_NXDOMAIN, strstr(unknown[i], "arpa") ? REVERSE : "coder");
		ck_assert_int_eq(a.ede, HF_EDE_NOT_READY);
	}
	ask("coder", HF_TYPE_SOA);
	check_positive(HF_TYPE_SOA, 1);
	ck_assert_int_eq(a.ede, HF_EDE_NOT_READY);
	ask(REVERSE, HF_TYPE_NS);
	check_negative(HF_RCODE_NOERROR, REVERSE);
	ck_assert_int_eq(a.ede, HF_EDE_NOT_READY);
}
END_TEST

START_TEST(a_damaged_record_is_servfail_and_no_other_is)
{
	ask("bad.coder", HF_TYPE_AAAA);
	ck_assert(a.ours);
	ck_assert_uint_eq(a.rcode, HF_RCODE_SERVFAIL);
	ck_assert(!a.has_answer && !a.has_soa);
	ask("dev.coder", HF_TYPE_AAAA);
	check_positive(HF_TYPE_AAAA, 1);
}
END_TEST

static void add(Suite *s, const char *name, void (*before)(void), const TTest *test, int n)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, before, teardown);
	tcase_add_loop_test(tc, test, 0, n);
	suite_add_tcase(s, tc);
}

#define N(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *answer_suite(void)
{
	Suite *s = suite_create("answer");

	add(s, "fresh", setup_fresh, fresh_zone_answers, N_ROWS);
	add(s, "stale", setup_stale, stale_zone_answers, N_ROWS);
	add(s, "stale", setup_fresh, stale_differs_from_fresh_by_its_ede_alone, 1);
	add(s, "stale", setup_stale, a_negative_answer_is_as_fresh_as_its_stalest_source,
	    N(partly));
	add(s, "data", setup_fresh, addresses_and_ptr_are_those_of_the_record, 1);
	add(s, "data", setup_fresh, all_addresses_of_a_name_are_one_rrset, 1);
	add(s, "data", setup_fresh, ptr_is_told_as_long_as_its_name_has_the_address, N(ptrs));
	add(s, "data", setup_fresh, soa_has_the_generation_and_the_fixed_times, 1);
	add(s, "data", setup_fresh, ttl_is_that_of_the_zone, N(ttls));
	add(s, "ours", setup_fresh, other_names_and_classes_are_not_ours, N(foreign));
	add(s, "ours", setup_fresh, a_label_holds_any_byte_and_matches_only_itself, 1);
	add(s, "provenance", setup_stale, provenance_tells_state_age_and_source, N(texts));
	add(s, "provenance", setup_fresh, provenance_is_told_to_whom_the_setting_says, N(who));
	add(s, "provenance", setup_stale, times_are_rfc_3339, N(times));
	add(s, "trouble", setup, without_a_picture_nothing_is_ours, 1);
	add(s, "trouble", setup, not_ready_is_servfail, 1);
	add(s, "trouble", setup, not_ready_is_nxdomain_where_the_operator_said_so, 1);
	add(s, "trouble", setup, a_suffix_without_a_zone_is_not_ready,
	    sizeof(unpublished) / sizeof(unpublished[0]));
	add(s, "trouble", setup_fresh, a_damaged_record_is_servfail_and_no_other_is, 1);
	return s;
}
