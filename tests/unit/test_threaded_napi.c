// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which kernels stall, by release.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/util.h"
#include "check/threaded_napi.h"

static const struct {
	const char *release;
	bool stalls;
} rows[] = {
	{"5.10.0-46-amd64", false},
	{"5.14.0-503.el9.x86_64", false},
	{"5.15.0", true},
	{"5.15.0-170-generic", true},
	{"5.15.200", true},
	{"5.19.17", true},
	{"6.0.1", true},
	{"6.1.0-56-amd64", true},
	{"6.6.94", true},
	{"6.8.0-117-generic", true},
	{"6.12.74+deb13-amd64", true},
	{"6.12", true},
	{"6.13.0", false},
	{"6.18.15+deb13-amd64", false},
	{"7.3.4+deb13-amd64", false},
	{"4.19.300", false},
	{"5.1.2", false},
	{"6", false},
	{"", false},
	{"linux", false},
};

static void the_series_decides(void **context)
{
	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (threaded_napi_stalls(rows[i].release) != rows[i].stalls)
			fail_msg("%s: should be %d", rows[i].release, rows[i].stalls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_series_decides)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
