/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugin/unbound/build_id.h"

Suite *build_id_suite(void);

static uint8_t notes[512];
static size_t len;
static char out[HF_BUILD_ID_TEXT_MAX];

/* A note as the linker writes it; lengths may be lies. */
static void put_note(const char *name, uint32_t name_len, uint32_t type, size_t n, uint32_t said)
{
	uint32_t head[3] = { name_len, said, type };

	memcpy(notes + len, head, sizeof(head));
	len += sizeof(head);
	memcpy(notes + len, name, strlen(name) + 1);
	len += 4;
	for (size_t i = 0; i < n; i++)
		notes[len + i] = (uint8_t)(0xa0 + i);
	len += (n + 3) & ~(size_t)3;
}

static void setup(void)
{
	memset(notes, 0, sizeof(notes));
	len = 0;
}

START_TEST(it_is_found_among_other_notes)
{
	put_note("GNU", 4, NT_GNU_ABI_TAG, 16, 16);
	put_note("Odd", 4, NT_GNU_BUILD_ID, 3, 3);
	put_note("GNU", 4, NT_GNU_BUILD_ID, 5, 5);
	ck_assert(hf_build_id_in_notes(notes, len, out));
	ck_assert_str_eq(out, "a0a1a2a3a4");
}
END_TEST

START_TEST(the_longest_one_fits)
{
	put_note("GNU", 4, NT_GNU_BUILD_ID, 64, 64);
	ck_assert(hf_build_id_in_notes(notes, len, out));
	ck_assert_uint_eq(strlen(out), 128);
	setup();
	put_note("GNU", 4, NT_GNU_BUILD_ID, 65, 65);
	ck_assert(!hf_build_id_in_notes(notes, len, out));
	ck_assert_str_eq(out, "");
}
END_TEST

static const struct {
	uint32_t name_len, type, said;
	size_t cut; /* bytes that are missing at the end */
} wrong[] = {
	{ 4, NT_GNU_ABI_TAG, 8, 0 },
	{ 4, NT_GNU_BUILD_ID, 0, 0 },
	{ 4, NT_GNU_BUILD_ID, 9, 0 },
	{ 4, NT_GNU_BUILD_ID, UINT32_MAX, 0 },
	{ UINT32_MAX, NT_GNU_BUILD_ID, 8, 0 },
	{ UINT32_MAX - 2, NT_GNU_BUILD_ID, 8, 0 },
	{ 3, NT_GNU_BUILD_ID, 8, 0 },
	{ 4, NT_GNU_BUILD_ID, 8, 1 },
	{ 4, NT_GNU_BUILD_ID, 8, 9 },
	{ 4, NT_GNU_BUILD_ID, 8, 13 },
	{ 4, NT_GNU_BUILD_ID, 8, 24 },
};

START_TEST(what_is_none_is_not_read_past_its_end)
{
	uint8_t *exact;

	put_note("GNU", wrong[_i].name_len, wrong[_i].type, 8, wrong[_i].said);
	len -= wrong[_i].cut;
	exact = malloc(len ? len : 1); /* for the sanitizer */
	memcpy(exact, notes, len);
	ck_assert(!hf_build_id_in_notes(exact, len, out));
	ck_assert_str_eq(out, "");
	free(exact);
}
END_TEST

START_TEST(the_program_has_the_one_that_readelf_shows)
{
	char command[64], line[512], said[200] = "";
	FILE *f;

	snprintf(command, sizeof(command), "readelf -n /proc/%d/exe", (int)getpid());
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		sscanf(line, " Build ID: %199s", said);
	pclose(f);
	ck_assert_str_ne(said, "");
	ck_assert_str_eq(hf_build_id_program(out), said);
}
END_TEST

Suite *build_id_suite(void)
{
	Suite *s = suite_create("build_id");
	TCase *tc = tcase_create("notes");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, it_is_found_among_other_notes);
	tcase_add_test(tc, the_longest_one_fits);
	tcase_add_loop_test(
	    tc, what_is_none_is_not_read_past_its_end, 0, sizeof(wrong) / sizeof(wrong[0]));
	if (!getenv("HF_VALGRIND")) /* the program is Valgrind then */
		tcase_add_test(tc, the_program_has_the_one_that_readelf_shows);
	suite_add_tcase(s, tc);
	return s;
}
