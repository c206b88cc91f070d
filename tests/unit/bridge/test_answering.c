/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <string.h>

#include "bridge/front/answering.h"
#include "bridge/front/nameservers.h"
#include "tests/unit/tmpdir.h"

Suite *answering_suite(void);

#define U HF_LISTENER_UNKNOWN
#define A HF_LISTENER_ANSWERS
#define S HF_LISTENER_SILENT
#define W HF_LISTENER_WRONG
#define N HF_LISTENER_ABSENT

static struct hf_listener listener(const char *at, enum hf_listener_state state, bool seen)
{
	struct hf_listener l = { .state = state, .seen = seen };

	ck_assert(hf_front_endpoint_parse(at, &l.at));
	if (state == HF_LISTENER_SILENT)
		l.code = -ECONNREFUSED;
	if (state == HF_LISTENER_ABSENT)
		l.code = -EADDRNOTAVAIL;
	if (state == HF_LISTENER_WRONG)
		l.rcode = 2;
	return l;
}

/* The two default listeners, 127.0.0.1 and ::1; in every row the operator that it is about. */
static const struct {
	const char *who;
	enum hf_listener_state four, six;
	bool seen, given, others, others_answer;
	size_t missing;
	bool nobody;
	const char *text;
} rows[] = {
	{ "all is well", A, A, true, false, false, false, 0, false, "" },
	{ "just started", U, U, false, true, false, false, 0, false, "" },
	{ "nobody else, holdfast-dns never started", S, S, false, false, false, false, 2, true,
	    "holdfast-dns at 127.0.0.1@5453, ::1@5453 (Connection refused)" },
	{ "feeds unbound, never had holdfast-dns", S, S, false, false, true, true, 0, false, "" },
	{ "feeds unbound, which is down", S, S, false, false, true, false, 0, true, "" },
	{ "module only", S, S, false, false, true, true, 0, false, "" },
	{ "feeds unbound, had holdfast-dns, which died", S, S, true, false, true, true, 2, false,
	    "holdfast-dns at 127.0.0.1@5453, ::1@5453 (Connection refused)" },
	{ "feeds unbound, wrote dns.listen", S, S, false, true, true, true, 2, false,
	    "holdfast-dns at 127.0.0.1@5453, ::1@5453 (Connection refused)" },
	{ "machine without IPv6", A, N, false, false, false, false, 0, false, "" },
	{ "machine without IPv6, who wrote it", A, N, false, true, false, false, 1, false,
	    "holdfast-dns at ::1@5453 (Cannot assign requested address)" },
	{ "one of two died", A, S, false, false, false, false, 1, false,
	    "holdfast-dns at ::1@5453 (Connection refused)" },
	{ "no such addresses at all", N, N, false, false, false, false, 0, true,
	    "holdfast-dns: this machine has no address of dns.listen" },
	{ "answers SERVFAIL", W, S, false, true, false, false, 2, true,
	    "holdfast-dns at 127.0.0.1@5453 (it answers SERVFAIL), ::1@5453 (Connection refused)" },
};

START_TEST(who_should_answer_and_does_not_is_named)
{
	const struct hf_listener l[] = { listener("127.0.0.1@5453", rows[_i].four, rows[_i].seen),
		listener("::1@5453", rows[_i].six, rows[_i].seen) };
	const struct hf_answering_facts f = { rows[_i].given, rows[_i].others,
		rows[_i].others_answer };
	struct hf_answering a;

	hf_answering_judge(l, 2, &f, &a);
	ck_assert_msg(a.missing == rows[_i].missing && a.nobody == rows[_i].nobody, "%s: %zu, %d",
	    rows[_i].who, a.missing, a.nobody);
	ck_assert_str_eq(a.text, rows[_i].text);
}
END_TEST

/*
 * What one listener answers for three suffixes: codes and rcodes; and of which suffix that is said.
 */
static const struct {
	int code[3];
	uint8_t rcode[3];
	enum hf_listener_state want;
	const char *suffix;
} suffixes[] = {
	{ { 0, 0, 0 }, { 0, 0, 0 }, A, "" },
	{ { 0, 0, 0 }, { 5, 0, 0 }, W, "one" },
	{ { 0, 0, 0 }, { 0, 0, 5 }, W, "three" },
	{ { 0, 0, 0 }, { 0, 2, 5 }, W, "two" },
	{ { -ETIMEDOUT, 0, -ETIMEDOUT }, { 0, 0, 0 }, A, "" },
	{ { 0, -ETIMEDOUT, 0 }, { 0, 0, 5 }, W, "three" },
	{ { -ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT }, { 0, 0, 0 }, S, "" },
};

START_TEST(a_listener_has_to_serve_each_suffix)
{
	static const char *const names[] = { "one", "two", "three" };
	struct hf_prefix loopback = { .family = AF_INET, .addr = { 127 }, .bits = 8 };
	const struct hf_prefixes allow = { .at = &loopback, .n = 1 };
	struct hf_listener l = listener("127.0.0.1@5453", U, false);
	struct hf_survey_question q[3] = { { .done = true } };
	char text[HF_NAME_TEXT_MAX] = "";

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(hf_name_parse(names[i], &q[i].name), 0);
		q[i].asked = (struct hf_asked){ .code = suffixes[_i].code[i],
			.rcode = suffixes[_i].rcode[i] };
	}
	hf_answering_judge_suffixes(&l, q, 3, &allow);
	ck_assert_int_eq(l.state, suffixes[_i].want);
	if (l.suffix.len)
		hf_name_text(&l.suffix, text);
	ck_assert_str_eq(text, suffixes[_i].suffix);
	/* Of one suffix alone nobody needs its name. */
	hf_answering_judge_suffixes(&l, q, 1, &allow);
	ck_assert_uint_eq(l.suffix.len, 0);
}
END_TEST

START_TEST(however_many_suffixes_there_are_the_questions_are_few)
{
	static struct hf_suffixes s;
	char text[16];
	struct hf_name name;

	ck_assert_uint_eq(hf_answering_suffixes_asked(&s, 2), 0);
	for (int i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "s%d", i / 2);
		ck_assert_int_eq(hf_name_parse(text, &name), 0);
		hf_answering_suffixes_add(&s, &name);
	}
	ck_assert_uint_eq(s.n, HF_SUFFIXES_MAX);
	ck_assert_uint_eq(hf_answering_suffixes_asked(&s, 0), 1);
	ck_assert_uint_eq(hf_answering_suffixes_asked(&s, 2), 64);
	ck_assert_uint_eq(hf_answering_suffixes_asked(&s, 32), 8);
	ck_assert_uint_eq(hf_answering_suffixes_asked(&s, 1000), 1);
}
END_TEST

START_TEST(however_many_there_are_the_text_ends)
{
	struct hf_listener l[32];
	const struct hf_answering_facts f = { .given = true };
	struct hf_answering a;

	for (size_t i = 0; i < 32; i++)
		l[i] = listener("2001:db8:1111:2222:3333:4444:5555:6666@65535", S, false);
	hf_answering_judge(l, 32, &f, &a);
	ck_assert_uint_eq(a.missing, 32);
	ck_assert_uint_lt(strlen(a.text), HF_ANSWERING_TEXT_MAX);
}
END_TEST

/* allow is 10.0.0.0/9, 127.0.0.0/8, ::1. */
static const struct {
	const char *at;
	int code;
	uint8_t rcode;
	enum hf_listener_state want;
} answers[] = {
	{ "127.0.0.1@53", 0, 0, A },
	{ "127.0.0.1@53", 0, 2, W },
	{ "127.0.0.1@53", 0, 3, W },
	{ "127.0.0.1@53", 0, 5, W },
	/* We are not among those that it serves; others may well be. */
	{ "192.0.2.1@53", 0, 5, A },
	{ "10.200.0.1@53", 0, 5, A },
	{ "10.100.0.1@53", 0, 5, W },
	{ "2001:db8::1@53", 0, 5, A },
	/* Asked on loopback. */
	{ "0.0.0.0@53", 0, 5, W },
	{ "::@53", 0, 5, W },
	{ "127.0.0.1@53", -ETIMEDOUT, 0, S },
	{ "127.0.0.1@53", -ECONNREFUSED, 0, S },
	{ "::1@53", -EADDRNOTAVAIL, 0, N },
	{ "::1@53", -EAFNOSUPPORT, 0, N },
	{ "192.0.2.1@53", -ENETUNREACH, 0, N },
};

START_TEST(an_answer_is_judged)
{
	struct hf_prefix allowed[] = { { AF_INET, 9, { 10 } }, { AF_INET, 8, { 127 } },
		{ AF_INET6, 128, { [15] = 1 } } };
	const struct hf_prefixes allow = { allowed, 3 };
	const struct hf_asked asked = { .code = answers[_i].code, .rcode = answers[_i].rcode };
	struct hf_listener l = listener(answers[_i].at, U, false);

	hf_answering_judge_one(&l, &asked, &allow);
	ck_assert_int_eq(l.state, answers[_i].want);
	ck_assert_int_eq(l.seen, answers[_i].want == A);
	/* Once seen it stays seen. */
	l.seen = true;
	hf_answering_judge_one(&l, &asked, &allow);
	ck_assert(l.seen);
}
END_TEST

static const struct {
	const char *file;
	const char *want[3];
} files[] = {
	{ "search x\nnameserver 127.0.0.1\nnameserver  ::1\noptions trust-ad\n",
	    { "127.0.0.1@53", "::1@53" } },
	{ "# nameserver 192.0.2.1\n;nameserver 192.0.2.2\nnameserverx 192.0.2.3\n", { NULL } },
	{ "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4",
	    { "192.0.2.1@53", "192.0.2.2@53", "192.0.2.3@53" } },
	{ "nameserver localhost\nnameserver fe80::1%eth0\nnameserver\t192.0.2.9 # comment\n",
	    { "192.0.2.9@53" } },
	{ " nameserver 192.0.2.1\nnameserver192.0.2.2\nnameserver\n", { NULL } },
	{ "", { NULL } },
};

START_TEST(resolv_conf_is_read_as_the_c_library_reads_it)
{
	struct tmpdir dir;
	struct hf_endpoint at[HF_NAMESERVERS_MAX];
	char path[300], text[HF_ENDPOINT_TEXT_MAX];
	size_t n, want = 0;
	FILE *f;

	tmpdir_make(&dir);
	f = fopen(tmpdir_path(&dir, "resolv.conf", path, sizeof(path)), "w");
	fputs(files[_i].file, f);
	fclose(f);
	n = hf_nameservers_read(path, at);
	while (want < 3 && files[_i].want[want])
		want++;
	ck_assert_uint_eq(n, want);
	for (size_t i = 0; i < n; i++)
		ck_assert_str_eq(hf_front_endpoint_text(&at[i], text), files[_i].want[i]);
	ck_assert_uint_eq(hf_nameservers_read("/nowhere/resolv.conf", at), 0);
	tmpdir_remove(&dir);
}
END_TEST

static const struct {
	const char *text;
	bool ok;
} endpoints[] = { { "127.0.0.1@53", true }, { "::1@5453", true }, { "127.0.0.1", false },
	{ "@53", false }, { "127.0.0.1@", false }, { "127.0.0.1@70000", false },
	{ "host@53", false }, { "", false } };

START_TEST(an_endpoint_is_text_and_back)
{
	char text[HF_ENDPOINT_TEXT_MAX];
	struct hf_endpoint at;

	ck_assert_int_eq(hf_front_endpoint_parse(endpoints[_i].text, &at), endpoints[_i].ok);
	if (endpoints[_i].ok)
		ck_assert_str_eq(hf_front_endpoint_text(&at, text), endpoints[_i].text);
}
END_TEST

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

Suite *answering_suite(void)
{
	Suite *s = suite_create("answering");
	TCase *tc = tcase_create("answering");

	tcase_add_loop_test(tc, who_should_answer_and_does_not_is_named, 0, N_OF(rows));
	tcase_add_test(tc, however_many_there_are_the_text_ends);
	tcase_add_test(tc, however_many_suffixes_there_are_the_questions_are_few);
	tcase_add_loop_test(
	    tc, a_listener_has_to_serve_each_suffix, 0, sizeof(suffixes) / sizeof(suffixes[0]));
	tcase_add_loop_test(tc, an_answer_is_judged, 0, N_OF(answers));
	tcase_add_loop_test(tc, resolv_conf_is_read_as_the_c_library_reads_it, 0, N_OF(files));
	tcase_add_loop_test(tc, an_endpoint_is_text_and_back, 0, N_OF(endpoints));
	suite_add_tcase(s, tc);
	return s;
}
