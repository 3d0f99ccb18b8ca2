/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Features of the running kernel, found by trying and not by its version, for tests that depend on them:
 *
 *	kernel check_mtu	succeeds if programs at TC may call bpf_check_mtu() (5.12)
 *	kernel ingress		succeeds if a test run may have an ingress device (5.12)
 *
 * For tcx see tcx.c.
 */
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/* BPF_MOV64_IMM(BPF_REG_0, 0); BPF_EXIT_INSN() */
static const struct bpf_insn nothing[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K}, {.code = BPF_JMP | BPF_EXIT}};

static int can_check_mtu(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_check_mtu, NULL) == 1;
}

/* lo has index 1 in every network namespace */
static int can_have_ingress(void)
{
	unsigned char frame[64] = {};
	struct __sk_buff context = {.ifindex = 1, .ingress_ifindex = 1};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame), .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = 1);
	int prog = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "nothing", "GPL", nothing, 2, NULL);

	if (prog < 0) {
		perror("kernel: cannot load a program");
		return 0;
	}
	return !bpf_prog_test_run_opts(prog, &opts);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*can)(void);
	} abilities[] = {{"check_mtu", can_check_mtu}, {"ingress", can_have_ingress}};

	for (size_t i = 0; i < sizeof(abilities) / sizeof(abilities[0]); i++)
		if (argc == 2 && !strcmp(argv[1], abilities[i].name))
			return !abilities[i].can();
	fprintf(stderr, "usage: kernel check_mtu|ingress\n");
	return 2;
}
