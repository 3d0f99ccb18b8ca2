// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/index/counting.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/util.h"

bool counting_is_set(const char *word)
{
	const char *wanted = getenv("WGVIA_INDEX");

	return wanted && !strcmp(wanted, word);
}

/*
 * Loads a program that does nothing, for a function where changes are counted. It is not attached: see
 * counting_is_switched_off(). 0 or -errno.
 */
static int try_to_load(void)
{
	static const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY);
	int id = libbpf_find_vmlinux_btf_id("trie_update_elem", BPF_TRACE_FENTRY);
	cleanup_fd int program = -1;

	if (id < 0)
		return id;
	opts.attach_btf_id = id;
	program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "wgvia_probe", "GPL", nothing, ARRAY_SIZE(nothing), &opts);
	return program < 0 ? program : 0;
}

/* Other errors may pass, such as a lack of memory. */
static bool is_final(int ret)
{
	return ret == -ENOENT || ret == -ESRCH || ret == -EINVAL || ret == -EOPNOTSUPP || ret == -EPERM ||
	       ret == -EACCES;
}

bool counting_is_possible(void)
{
	static int answer = -1;

	if (counting_is_set("no"))
		return false;
	if (counting_is_set("blind"))
		return true;
	if (answer < 0)
		answer = !is_final(try_to_load());
	return answer;
}

bool counting_is_switched_off(void)
{
	cleanup_fd int fd = open("/proc/sys/kernel/ftrace_enabled", O_RDONLY | O_CLOEXEC);
	char value;

	return fd >= 0 && read(fd, &value, 1) == 1 && value == '0';
}

bool counting_allows_keeping(void)
{
	struct utsname name;

	return !uname(&name) && !strstr(name.version, "PREEMPT_RT");
}
