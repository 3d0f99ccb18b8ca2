/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tcx links of other programs, for the tests: Debian 12's bpftool and tc do not support tcx.
 *
 *	tcx attach DEV ingress|egress PROG LINK [first]	attaches the pinned program, last or first, and pins the link
 *	tcx list DEV					prints "ingress|egress ID" for each attached program, in order
 *	tcx probe					succeeds if the kernel has tcx
 *
 * It does not load programs (bpftool does) and detaches none: remove the pinned link.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

/* Missing in libbpf 1.1's linux/bpf.h. */
#define TCX_INGRESS 46
#define TCX_EGRESS 47
#define TCX_BEFORE (1 << 3) /* BPF_F_BEFORE */

static int fail(const char *what)
{
	fprintf(stderr, "tcx: %s: %s\n", what, strerror(errno));
	return 1;
}

static int attach(unsigned int ifindex, const char *direction, const char *prog_pin, const char *link_pin, int first)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = first ? TCX_BEFORE : 0);
	int type = strcmp(direction, "egress") ? TCX_INGRESS : TCX_EGRESS;
	int prog, link;

	prog = bpf_obj_get(prog_pin);
	if (prog < 0)
		return fail(prog_pin);
	link = bpf_link_create(prog, ifindex, type, &opts);
	if (link < 0)
		return fail("cannot attach");
	if (bpf_obj_pin(link, link_pin))
		return fail(link_pin);
	return 0;
}

static int list(unsigned int ifindex, const char *direction, int type)
{
	__u32 ids[64], count = 64;

	/* The query's target_fd is also its target_ifindex. Kernels before 6.6 have no tcx, and so no such programs. */
	if (bpf_prog_query(ifindex, type, 0, NULL, ids, &count))
		return errno == EINVAL ? 0 : fail("cannot list");
	for (__u32 i = 0; i < count; i++)
		printf("%s %u\n", direction, ids[i]);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int ifindex = argc > 2 ? if_nametoindex(argv[2]) : 0;
	__u32 count = 0;

	if (argc == 2 && !strcmp(argv[1], "probe"))
		return bpf_prog_query(1, TCX_INGRESS, 0, NULL, NULL, &count) != 0;
	if (argc > 2 && !ifindex)
		return fail(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "list"))
		return list(ifindex, "ingress", TCX_INGRESS) || list(ifindex, "egress", TCX_EGRESS);
	if ((argc == 6 || argc == 7) && !strcmp(argv[1], "attach"))
		return attach(ifindex, argv[3], argv[4], argv[5], argc == 7);
	fprintf(stderr, "usage: tcx attach DEV ingress|egress PROG LINK [first] | tcx list DEV | tcx probe\n");
	return 2;
}
