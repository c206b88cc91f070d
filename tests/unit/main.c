/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main program of every unit test: runs the suites that its meson.build lists.
 * CK_RUN_SUITE=name runs one of them; CK_FORK=no keeps a debugger attached.
 */
#include <check.h>
#include <stdlib.h>

#define X(name) Suite *name##_suite(void);
SUITES
#undef X

int main(void)
{
	SRunner *r = srunner_create(NULL);
	int failed;

#define X(name) srunner_add_suite(r, name##_suite());
	SUITES
#undef X
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
