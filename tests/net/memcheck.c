/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For LD_PRELOAD below valgrind: teaches its memcheck (3.19) about bpf(2), so that nothing must be suppressed.
 *
 * - memcheck reads members of the attributes after the size that the caller passed: here the kernel gets a copy with
 *   zeros after it.
 * - It reports a NULL pointer as an error where the kernel allows it: BPF_MAP_GET_NEXT_KEY without a key means the
 *   first one (4.12), a test run without room for the packet returns none.
 * - It does not see that the kernel writes the verifier's log, the result of a batch, and the output of a test run.
 *
 * It also prints "unhandled eBPF command" for newer commands; that is not an error.
 */
#include <dlfcn.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <valgrind/memcheck.h>

typedef long system_call(long number, ...);

static void *pointer(uint64_t value)
{
	return (void *)(uintptr_t)value;
}

static void is_written(uint64_t start, size_t size)
{
	if (start)
		VALGRIND_MAKE_MEM_DEFINED(pointer(start), size);
}

static void batch_is_written(system_call *next, const union bpf_attr *attr)
{
	struct bpf_map_info map = {};
	union bpf_attr ask = {.info = {.bpf_fd = attr->batch.map_fd, .info_len = sizeof(map), .info = (uintptr_t)&map}};

	if (next(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &ask, sizeof(ask)))
		return;
	is_written(attr->batch.keys, (size_t)attr->batch.count * map.key_size);
	is_written(attr->batch.values, (size_t)attr->batch.count * map.value_size);
	is_written(attr->batch.out_batch, map.key_size);
}

static void written_by(system_call *next, int command, const union bpf_attr *attr)
{
	switch (command) {
	case BPF_PROG_LOAD:
		/* also after a failure; the kernel terminates it with a 0 */
		for (uint32_t i = 0; attr->log_buf && i < attr->log_size; i++) {
			is_written(attr->log_buf + i, 1);
			if (!((const char *)pointer(attr->log_buf))[i])
				break;
		}
		break;
	case BPF_MAP_LOOKUP_BATCH:
		batch_is_written(next, attr);
		break;
	case BPF_PROG_TEST_RUN:
		is_written(attr->test.data_out, attr->test.data_size_out);
		is_written(attr->test.ctx_out, attr->test.ctx_size_out);
		break;
	}
}

long syscall(long number, ...)
{
	system_call *next = (system_call *)dlsym(RTLD_NEXT, "syscall");
	union bpf_attr attr = {};
	bool may_be_null;
	va_list args;
	long a[6], ret;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (number != SYS_bpf || a[2] < 0 || (size_t)a[2] > sizeof(attr))
		return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	memcpy(&attr, pointer(a[1]), a[2]);
	may_be_null = (a[0] == BPF_MAP_GET_NEXT_KEY && !attr.key) || (a[0] == BPF_PROG_TEST_RUN && !attr.test.data_out);
	if (may_be_null)
		VALGRIND_DISABLE_ERROR_REPORTING;
	ret = next(SYS_bpf, a[0], &attr, a[2]);
	if (may_be_null)
		VALGRIND_ENABLE_ERROR_REPORTING;
	written_by(next, a[0], &attr);
	memcpy(pointer(a[1]), &attr, a[2]);
	return ret;
}
