// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capabilities by name. Only permissions_own() asks the kernel.
 */
#include "base/permissions.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"

/* In alphabetical order, as in messages. */
static const struct {
	int number;
	const char *name;
} capabilities[] = {
	{CAP_BPF, "CAP_BPF"},	      {CAP_NET_ADMIN, "CAP_NET_ADMIN"}, {CAP_NET_RAW, "CAP_NET_RAW"},
	{CAP_PERFMON, "CAP_PERFMON"}, {CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},
};

/* user_namespaces(7): the first one maps every user id to itself. */
static bool has_own_user_namespace(void)
{
	unsigned long inside, outside, count;
	FILE *file = fopen("/proc/self/uid_map", "re");
	bool own = false;

	if (!file)
		return false;
	if (fscanf(file, "%lu %lu %lu", &inside, &outside, &count) == 3)
		own = inside || outside || count != UINT32_MAX;
	fclose(file);
	return own;
}

struct permissions permissions_own(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
	struct permissions own = {.is_root = !geteuid(), .in_user_namespace = has_own_user_namespace()};

	if (!syscall(SYS_capget, &header, data))
		own.capabilities = (uint64_t)data[1].effective << 32 | data[0].effective;
	return own;
}

uint64_t permissions_for_bpf(void)
{
	return CAPABILITY(CAP_BPF) | CAPABILITY(CAP_NET_ADMIN) | CAPABILITY(CAP_PERFMON);
}

uint64_t permissions_missing(const struct permissions *own, uint64_t needed)
{
	uint64_t has = own->capabilities;

	if (has & CAPABILITY(CAP_SYS_ADMIN))
		has |= CAPABILITY(CAP_BPF) | CAPABILITY(CAP_PERFMON);
	return needed & ~has;
}

/* "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are missing" */
static void put_names(FILE *out, uint64_t missing)
{
	size_t count = (size_t)__builtin_popcountll(missing), number = 0;

	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
		if (missing & CAPABILITY(capabilities[i].number)) {
			fprintf(out, "%s%s", !number ? "" : number + 1 < count ? ", " : " and ", capabilities[i].name);
			number++;
		}
	fprintf(out, " %s missing", count == 1 ? "is" : "are");
}

const char *permissions_hint(const struct permissions *own, uint64_t needed, int errnum,
			     char text[PERMISSIONS_TEXT_MAX])
{
	uint64_t missing = permissions_missing(own, needed);
	FILE *out = fmemopen(text, PERMISSIONS_TEXT_MAX, "w");

	text[0] = '\0';
	if (!out)
		return text;
	if (missing) {
		put_names(out, missing);
		if (own->is_root)
			fprintf(out, ": add %s to the container (--cap-add) or to the unit (CapabilityBoundingSet=)",
				missing & (missing - 1) ? "them" : "it");
		else
			fprintf(out, ": run it as root");
	} else if (own->in_user_namespace) {
		fprintf(out, "this process is in a user namespace, whose capabilities do not count here (a rootless "
			     "container)");
	} else if (errnum == EACCES) {
		fprintf(out, "no capability is missing: file permissions or a security module forbid it");
	} else {
		fprintf(out, "no capability is missing: seccomp, a security module or, before Linux 5.11, the limit "
			     "of locked memory (ulimit -l) forbids it");
	}
	fclose(out);
	return text;
}
