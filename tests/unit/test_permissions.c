// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hint for each set of capabilities.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/capability.h>

#include "base/permissions.h"
#include "base/util.h"

#define BPF CAPABILITY(CAP_BPF)
#define ADMIN CAPABILITY(CAP_NET_ADMIN)
#define PERFMON CAPABILITY(CAP_PERFMON)
#define RAW CAPABILITY(CAP_NET_RAW)
#define SYS CAPABILITY(CAP_SYS_ADMIN)
#define CONTAINER(object) ": add " object " to the container (--cap-add) or to the unit (CapabilityBoundingSet=)"

static const struct {
	struct permissions own;
	uint64_t needed;
	int errnum;
	const char *hint;
} rows[] = {
	{{ADMIN | PERFMON, true, false}, BPF | ADMIN | PERFMON, EPERM, "CAP_BPF is missing" CONTAINER("it")},
	{{BPF | PERFMON, true, false}, BPF | ADMIN | PERFMON, EPERM, "CAP_NET_ADMIN is missing" CONTAINER("it")},
	{{BPF | ADMIN, true, false}, BPF | ADMIN | PERFMON, EACCES, "CAP_PERFMON is missing" CONTAINER("it")},
	{{ADMIN, true, true}, BPF | ADMIN | PERFMON, EPERM, "CAP_BPF and CAP_PERFMON are missing" CONTAINER("them")},
	{{0, false, false},
	 BPF | ADMIN | PERFMON,
	 EACCES,
	 "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are missing: run it as root"},
	{{SYS, true, false}, BPF | ADMIN | PERFMON, EPERM, "CAP_NET_ADMIN is missing" CONTAINER("it")},
	{{BPF | ADMIN | PERFMON, true, false}, RAW, EPERM, "CAP_NET_RAW is missing" CONTAINER("it")},
	{{SYS | ADMIN, true, true},
	 BPF | ADMIN | PERFMON,
	 EPERM,
	 "this process is in a user namespace, whose capabilities do not count here (a rootless container)"},
	{{BPF | ADMIN | PERFMON, false, false},
	 BPF | ADMIN | PERFMON,
	 EACCES,
	 "no capability is missing: file permissions or a security module forbid it"},
	{{SYS | ADMIN, true, false},
	 BPF | ADMIN | PERFMON,
	 EPERM,
	 "no capability is missing: seccomp, a security module or, before Linux 5.11, the limit of locked memory (ulimit -l) "
	 "forbids it"},
};

static void the_hint_names_what_is_missing(void **context)
{
	char text[PERMISSIONS_TEXT_MAX];

	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(permissions_hint(&rows[i].own, rows[i].needed, rows[i].errnum, text), rows[i].hint);
}

static void bpf_takes_three_capabilities(void **context)
{
	(void)context;
	assert_int_equal(permissions_for_bpf(), BPF | ADMIN | PERFMON);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hint_names_what_is_missing),
		cmocka_unit_test(bpf_takes_three_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
