// SPDX-License-Identifier: GPL-2.0-only
/*
 * The real programs in test runs; see programs.h. A failure in this file is not an error of the programs under test, so
 * it ends the test immediately with a message.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "index/index_lines.h"
#include "programs.h"
#include "steps.h"

#ifndef BPF_F_TEST_SKB_CHECKSUM_COMPLETE /* kernel 6.15 */
#define BPF_F_TEST_SKB_CHECKSUM_COMPLETE (1U << 2)
#endif

enum { STAGE_TC_INDEX, STAGE_VLAN, STAGE_LEN, STAGE_SLOT, STAGE_INPUTS }; /* stage_input[] */

struct device_info devices[DEVICE_COUNT] = {
	[DEVICE_TUNNEL] = {.name = "tunnel", .mtu = 1420},   [DEVICE_LAN] = {.name = "lan", .mtu = 1500},
	[DEVICE_JUMBO] = {.name = "jumbo", .mtu = 9000},     [DEVICE_NARROW] = {.name = "narrow", .mtu = 1300},
	[DEVICE_FOREIGN] = {.name = "foreign", .mtu = 1500}, [DEVICE_GONE] = {.name = "gone", .mtu = 1500},
};

static void __attribute__((format(printf, 1, 2), noreturn)) give_up(const char *format, ...)
{
	va_list args;

	fprintf(stdout, "Bail out! ");
	va_start(args, format);
	vfprintf(stdout, format, args);
	va_end(args);
	fprintf(stdout, "\n");
	fflush(stdout);
	_exit(1);
}

void programs_need_root(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (geteuid()) {
		printf("1..0 # SKIP test runs need root\n");
		exit(0);
	}
}

void programs_sysctl(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		give_up("cannot write %s: %s", path, strerror(errno));
	close(fd);
}

static void shell(const char *command)
{
	if (system(command))
		give_up("failed: %s", command);
}

static void add_device(struct device_info *device)
{
	int i = device - devices;
	char text[240];

	snprintf(text, sizeof(text),
		 "ip link add %s mtu %u address 02:00:00:00:00:%02x "
		 "type veth peer name %s.peer mtu %u && ip link set %s up",
		 device->name, device->mtu, i, device->name, device->mtu, device->name);
	shell(text);
	device->ifindex = if_nametoindex(device->name);
	memcpy(device->mac, (uint8_t[]){2, 0, 0, 0, 0, i}, 6);
}

void programs_namespace(void)
{
	if (unshare(CLONE_NEWNET))
		give_up("unshare: %s", strerror(errno));
	shell("ip link set lo up");
	for (int i = DEVICE_TUNNEL; i <= DEVICE_FOREIGN; i++)
		add_device(&devices[i]);
}

#define INSN(c, d, s, o, i) ((struct bpf_insn){.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)})
#define MOV_REG(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define MOV_IMM(d, i) INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define LOAD32(d, s, o) INSN(BPF_LDX | BPF_MEM | BPF_W, d, s, o, 0)
#define STORE32(d, o, s) INSN(BPF_STX | BPF_MEM | BPF_W, d, s, o, 0)
#define STORE32_IMM(d, o, i) INSN(BPF_ST | BPF_MEM | BPF_W, d, 0, o, i)
#define JUMP(o) INSN(BPF_JMP | BPF_JA, 0, 0, o, 0)
#define JUMP_IF_ZERO(d, o) INSN(BPF_JMP | BPF_JEQ | BPF_K, d, 0, o, 0)
#define CALL(i) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, i)
#define EXIT() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define MAP_FD(d, fd) INSN(BPF_LD | BPF_DW | BPF_IMM, d, BPF_PSEUDO_MAP_FD, 0, fd), INSN(0, 0, 0, 0, 0)
#define MAP_VALUE(d, fd) INSN(BPF_LD | BPF_DW | BPF_IMM, d, BPF_PSEUDO_MAP_VALUE, 0, fd), INSN(0, 0, 0, 0, 0)

/* An array of one value that programs and this process share. */
static int shared_map(const char *name, uint32_t size, void *address)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(uint32_t), size, 1, &opts);
	void *memory;

	if (fd < 0)
		give_up("cannot make map %s: %s", name, strerror(errno));
	memory = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		give_up("cannot map %s: %s", name, strerror(errno));
	*(void **)address = memory;
	return fd;
}

/* Redirects each call of a redirect helper to the program's end, where its arguments are recorded first. */
static void add_recorder(struct bpf_program *program, int map)
{
	struct bpf_insn insns[8192];
	size_t old = bpf_program__insn_cnt(program), len = old;

	if (old + 512 > sizeof(insns) / sizeof(insns[0]))
		give_up("%s is too long for the recorder", bpf_program__name(program));
	memcpy(insns, bpf_program__insns(program), old * sizeof(insns[0]));
	for (size_t i = 0; i < old; i++) {
		struct bpf_insn call = insns[i];
		bool neigh = call.imm == BPF_FUNC_redirect_neigh;

		if (call.code != (BPF_JMP | BPF_CALL) || call.src_reg || (!neigh && call.imm != BPF_FUNC_redirect))
			continue;
		insns[i] = JUMP(len - i - 1);
		const struct bpf_insn head[] = {
			MAP_VALUE(0, map),
			STORE32(0, offsetof(struct recorded, ifindex), 1),
			STORE32_IMM(0, offsetof(struct recorded, has_next_hop), 0),
			STORE32_IMM(0, offsetof(struct recorded, helper), call.imm),
			LOAD32(5, 0, offsetof(struct recorded, calls)),
			INSN(BPF_ALU64 | BPF_ADD | BPF_K, 5, 0, 0, 1),
			STORE32(0, offsetof(struct recorded, calls), 5),
		};
		const struct bpf_insn next_hop[] = {
			JUMP_IF_ZERO(2, 11), STORE32_IMM(0, offsetof(struct recorded, has_next_hop), 1),
			LOAD32(5, 2, 0),     STORE32(0, offsetof(struct recorded, family), 5),
			LOAD32(5, 2, 4),     STORE32(0, offsetof(struct recorded, addr), 5),
			LOAD32(5, 2, 8),     STORE32(0, offsetof(struct recorded, addr) + 4, 5),
			LOAD32(5, 2, 12),    STORE32(0, offsetof(struct recorded, addr) + 8, 5),
			LOAD32(5, 2, 16),    STORE32(0, offsetof(struct recorded, addr) + 12, 5),
		};

		memcpy(insns + len, head, sizeof(head));
		len += sizeof(head) / sizeof(head[0]);
		if (neigh) {
			memcpy(insns + len, next_hop, sizeof(next_hop));
			len += sizeof(next_hop) / sizeof(next_hop[0]);
		}
		insns[len++] = call;
		insns[len] = JUMP((int)i + 1 - (int)len - 1);
		len++;
	}
	if (bpf_program__set_insns(program, insns, len))
		give_up("cannot change %s", bpf_program__name(program));
}

static int load_stage(struct programs *programs)
{
	int input = shared_map("stage_input", STAGE_INPUTS * 4, &programs->stage_input);
	int table = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "stage_table", 4, 4, WGVIA_DIRECTION_COUNT, NULL);
	const struct bpf_insn insns[] = {
		MOV_REG(6, 1),
		MAP_VALUE(7, input),
		LOAD32(1, 7, 4 * STAGE_TC_INDEX),
		STORE32(6, offsetof(struct __sk_buff, tc_index), 1),
		LOAD32(3, 7, 4 * STAGE_VLAN),
		JUMP_IF_ZERO(3, 3),
		MOV_REG(1, 6),
		MOV_IMM(2, htobe16(0x8100)),
		CALL(BPF_FUNC_skb_vlan_push),
		LOAD32(2, 7, 4 * STAGE_LEN),
		JUMP_IF_ZERO(2, 3),
		MOV_REG(1, 6),
		MOV_IMM(3, 0),
		CALL(BPF_FUNC_skb_change_tail),
		LOAD32(3, 7, 4 * STAGE_SLOT),
		MAP_FD(2, table),
		MOV_REG(1, 6),
		CALL(BPF_FUNC_tail_call),
		MOV_IMM(0, 99),
		EXIT(),
	};
	char log[4096] = "";
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_buf = log, .log_size = sizeof(log));
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "stage", "GPL", insns, sizeof(insns) / sizeof(insns[0]), &opts);

	if (fd < 0 || table < 0)
		give_up("cannot load the stage: %s\n%s", strerror(errno), log);
	for (uint32_t i = 0; i < WGVIA_DIRECTION_COUNT; i++)
		if (bpf_map_update_elem(table, &i, &programs->fd[i], BPF_ANY))
			give_up("cannot fill the stage's table: %s", strerror(errno));
	/*
	 * the program keeps its maps, the process keeps the memory; the table is emptied when its last file is closed,
	 * so that one stays open
	 */
	close(input);
	return fd;
}

static void share_maps(struct wgvia_bpf *skel, struct wgvia_bpf *of)
{
#define SHARE(map) bpf_map__reuse_fd(skel->maps.map, bpf_map__fd(of->maps.map))
	if (SHARE(prefixes4) || SHARE(prefixes6) || SHARE(bypass4) || SHARE(bypass6) || SHARE(changes) ||
	    SHARE(indexes) || SHARE(devices) || SHARE(counters) || SHARE(meta) || SHARE(passes) || SHARE(trace) ||
	    SHARE(events) || SHARE(failover) || SHARE(senders) || SHARE(learnt) || SHARE(bounced) || SHARE(recent) ||
	    SHARE(recent_counters) || SHARE(prefix_counters))
		give_up("cannot share maps");
	/* without "counters prefix" the programs do not know where a prefix of an index is counted */
	if (SHARE(decision_ages) ||
	    (skel->rodata->config.count_prefixes == of->rodata->config.count_prefixes && SHARE(decisions)))
		give_up("cannot share the kept decisions");
#undef SHARE
}

/* Removes one of them again, which removes it from the map. */
static void fill_devices(int map)
{
	struct device_info *gone = &devices[DEVICE_GONE];

	add_device(gone);
	for (int i = DEVICE_LAN; i <= DEVICE_GONE; i++)
		if (i != DEVICE_FOREIGN &&
		    bpf_map_update_elem(map, &devices[i].ifindex, &devices[i].ifindex, BPF_NOEXIST))
			give_up("cannot fill the map of devices: %s", strerror(errno));
	shell("ip link delete gone");
}

static void add_prefix_counters(struct wgvia_bpf *skel)
{
	int outer = bpf_map__fd(skel->maps.prefix_counters), fd;
	uint32_t first = 0, id;

	if (!bpf_map_lookup_elem(outer, &first, &id)) /* those of other programs */
		return;
	fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "prefix_chunk", sizeof(uint32_t),
			    sizeof(struct wgvia_prefix_counter), WGVIA_PREFIX_CHUNK, NULL);
	if (fd < 0 || bpf_map_update_elem(outer, &first, &fd, BPF_ANY))
		give_up("cannot add counters of prefixes: %s", strerror(errno));
	close(fd);
}

/* What the verifier says of each program at the end: bpf_program__log_buf(). Of a failure it says more. */
static void keep_statistics(struct bpf_object *object)
{
	static char logs[16][4096];
	struct bpf_program *program;
	int i = 0;

	bpf_object__for_each_program (program, object) {
		bpf_program__set_log_level(program, 4); /* BPF_LOG_STATS */
		bpf_program__set_log_buf(program, logs[i], sizeof(logs[i]));
		i++;
	}
}

/* In the place of the programs. */
static void count_steps(struct programs *programs, const struct bpf_program *const of[WGVIA_DIRECTION_COUNT])
{
	for (int i = 0; i < WGVIA_DIRECTION_COUNT; i++) {
		struct steps *steps = calloc(1, sizeof(*steps));

		if (!steps || steps_load(bpf_program__name(of[i]), bpf_program__insns(of[i]),
					 bpf_program__insn_cnt(of[i]), steps)) {
			free(steps);
			continue;
		}
		programs->steps[i] = steps;
		programs->fd[i] = steps->fd;
	}
}

void programs_load(struct programs *programs, const struct programs_options *options)
{
	struct wgvia_bpf *skel = wgvia_bpf__open();
	struct config *config;
	int recorder = -1;

	memset(programs, 0, sizeof(*programs));
	programs->options = *options;
	programs->skel = skel;
	if (!skel)
		give_up("cannot open the programs: %s", strerror(errno));
	config = &skel->rodata->config;
	config->tunnel_link_len = options->l3 ? 0 : LINK_LEN;
	config->tunnel_ether = options->tunnel_ether;
	config->has_trace = !options->no_trace;
	config->stack = options->stack;
	config->has_index = !options->no_counts;
	config->keeps_decisions = !options->no_counts && !options->no_keeping;
	config->count_prefixes = options->count;
	config->has_check_mtu = !options->no_check_mtu && programs_can_check_mtu();
	if (options->maps_of) {
		share_maps(skel, options->maps_of);
	} else if (options->flat_counters) {
		bpf_map__set_type(skel->maps.counters, BPF_MAP_TYPE_ARRAY);
		bpf_map__set_map_flags(skel->maps.counters, BPF_F_MMAPABLE);
	}
	if (options->record) {
		recorder = shared_map("recorder", sizeof(struct recorded), &programs->recorded);
		add_recorder(skel->progs.wgvia_out, recorder);
		add_recorder(skel->progs.wgvia_back, recorder);
		add_recorder(skel->progs.wgvia_back_l3, recorder);
		add_recorder(skel->progs.wgvia_egress, recorder);
		add_recorder(skel->progs.wgvia_egress_l3, recorder);
	}
	keep_statistics(skel->obj);
	if (wgvia_bpf__load(skel))
		give_up("cannot load the programs: %s", strerror(errno));
	if (options->record)
		close(recorder);
	if (options->count)
		add_prefix_counters(skel);
	if (!options->maps_of) {
		fill_devices(bpf_map__fd(skel->maps.devices));
		programs_set_tunnel(programs, DEVICE_TUNNEL);
	}
	if (options->flat_counters) {
		programs->counters = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED,
					  bpf_map__fd(skel->maps.counters), 0);
		if (programs->counters == MAP_FAILED)
			give_up("cannot map the counters: %s", strerror(errno));
	}
	const struct bpf_program *const of[] = {
		[WGVIA_OUT] = skel->progs.wgvia_out,
		[WGVIA_BACK] = options->l3 ? skel->progs.wgvia_back_l3 : skel->progs.wgvia_back,
		[WGVIA_EGRESS] = options->l3 ? skel->progs.wgvia_egress_l3 : skel->progs.wgvia_egress,
	};
	for (int i = 0; i < WGVIA_DIRECTION_COUNT; i++)
		programs->fd[i] = bpf_program__fd(of[i]);
	if (options->count_steps)
		count_steps(programs, of);
	programs->stage = load_stage(programs);
}

void programs_unload(struct programs *programs)
{
	for (int i = 0; i < WGVIA_DIRECTION_COUNT; i++)
		if (programs->steps[i]) {
			steps_unload(programs->steps[i]);
			free(programs->steps[i]);
		}
	wgvia_bpf__destroy(programs->skel);
	close(programs->stage);
}

/*
 * The kernels of 2026 refuse a test run with a packet that is shorter than an IP header. Such a packet is extended, and
 * the stage truncates it.
 */
static uint32_t least_len(const struct frame *frame)
{
	return frame->data[12] == 0x86 && frame->data[13] == 0xdd ? LINK_LEN + 40 : LINK_LEN + 20;
}

int programs_run(struct programs *programs, enum wgvia_direction direction, const struct frame *frame, struct run *run)
{
	struct __sk_buff ctx = {
		.mark = run->skb_mark,
		.ifindex = run->ifindex,
		.ingress_ifindex = run->ingress_ifindex,
		.gso_size = run->gso_size,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->data, .data_size_in = frame->len,
		    .data_out = run->out.data, .data_size_out = sizeof(run->out.data), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .ctx_out = &ctx, .ctx_size_out = sizeof(ctx), .repeat = 1,
		    .flags = run->checksum_complete ? BPF_F_TEST_SKB_CHECKSUM_COMPLETE : 0);
	uint32_t shown = least_len(frame);
	int fd = programs->fd[direction], error;

	if (run->tc_index || run->vlan || shown > frame->len) {
		programs->stage_input[STAGE_TC_INDEX] = run->tc_index;
		programs->stage_input[STAGE_VLAN] = run->vlan;
		programs->stage_input[STAGE_LEN] = shown > frame->len ? frame->len : 0;
		programs->stage_input[STAGE_SLOT] = direction;
		fd = programs->stage;
	}
	if (shown > frame->len)
		opts.data_size_in = shown;
	memcpy(ctx.cb, run->cb, sizeof(ctx.cb));
	error = bpf_prog_test_run_opts(fd, &opts);
	if (error)
		return error;
	run->action = opts.retval;
	run->out.len = opts.data_size_out;
	memcpy(run->cb, ctx.cb, sizeof(ctx.cb));
	run->skb_mark = ctx.mark;
	return 0;
}

bool programs_can_check_mtu(void)
{
	static int known = -1;

	if (known < 0)
		known = libbpf_probe_bpf_helper(BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_check_mtu, NULL) == 1;
	return known;
}

bool programs_can_set_ingress(struct programs *programs)
{
	struct frame frame = {.len = 64};
	struct run run = {.ifindex = devices[DEVICE_LAN].ifindex, .ingress_ifindex = devices[DEVICE_TUNNEL].ifindex};

	return !programs_run(programs, WGVIA_BACK, &frame, &run);
}

static uint32_t own_cpu;

uint32_t programs_stay_on_a_cpu(void)
{
	cpu_set_t allowed, own;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		give_up("sched_getaffinity: %s", strerror(errno));
	for (uint32_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed))
			own_cpu = cpu;
	CPU_ZERO(&own);
	CPU_SET(own_cpu, &own);
	if (sched_setaffinity(0, sizeof(own), &own))
		give_up("sched_setaffinity: %s", strerror(errno));
	return own_cpu;
}

void programs_keep_decisions(struct programs *programs, bool keep)
{
	int map = bpf_map__fd(programs->skel->maps.changes), ages = bpf_map__fd(programs->skel->maps.decision_ages);

	for (uint32_t key = CHANGES_IPV4; key <= CHANGES_IPV6; key++) {
		uint64_t count, *values = calloc(libbpf_num_possible_cpus(), 2 * sizeof(*values));
		uint32_t age = key == CHANGES_IPV4;

		if (!values || bpf_map_lookup_elem(map, &key, &count))
			give_up("cannot read changes: %s", strerror(errno));
		count = ((count & ~CHANGES_COUNTED) + 1) | (keep ? CHANGES_COUNTED : 0);
		values[2 * own_cpu] = age ? count : ~count; /* since long ago */
		if (bpf_map_update_elem(map, &key, &count, BPF_ANY) || bpf_map_update_elem(ages, &age, values, BPF_ANY))
			give_up("cannot write to changes: %s", strerror(errno));
		free(values);
	}
}

/* Room for a value per CPU, as the kernel lays them out. */
static struct programs_passes *cpu_values(void)
{
	static struct programs_passes *values;

	if (!values)
		values = calloc(libbpf_num_possible_cpus(), sizeof(*values));
	return values;
}

struct programs_passes programs_get_passes(struct programs *programs)
{
	struct programs_passes *values = cpu_values();
	uint32_t key = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(programs->skel->maps.passes), &key, values))
		give_up("cannot read the passes: %s", strerror(errno));
	return values[own_cpu];
}

void programs_set_passes(struct programs *programs, const struct programs_passes *passes)
{
	struct programs_passes *values = cpu_values();
	uint32_t key = 0;

	for (uint32_t cpu = 0; cpu < (uint32_t)libbpf_num_possible_cpus(); cpu++) {
		values[cpu] = *passes;
		if (cpu != own_cpu)
			values[cpu].count = ~passes->count;
	}
	if (bpf_map_update_elem(bpf_map__fd(programs->skel->maps.passes), &key, values, BPF_ANY))
		give_up("cannot set the passes: %s", strerror(errno));
}

/* Other kernels may accept the flag and check nothing, so this tries a program that makes the sum wrong. */
bool programs_can_check_sums(void)
{
	const struct bpf_insn insns[] = {
		INSN(BPF_ST | BPF_MEM | BPF_B, 10, 0, -1, 0x55),
		MOV_IMM(2, 20),
		MOV_REG(3, 10),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 3, 0, 0, -1),
		MOV_IMM(4, 1),
		MOV_IMM(5, 0),
		CALL(BPF_FUNC_skb_store_bytes),
		MOV_IMM(0, 0),
		EXIT(),
	};
	uint8_t frame[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame), .repeat = 1,
		    .flags = BPF_F_TEST_SKB_CHECKSUM_COMPLETE);
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "wrong_sum", "GPL", insns, sizeof(insns) / sizeof(insns[0]),
			       NULL);
	int error;

	if (fd < 0)
		give_up("cannot load a program: %s", strerror(errno));
	error = bpf_prog_test_run_opts(fd, &opts);
	close(fd);
	return error == -EBADMSG;
}

static int map_of(struct programs *programs, int family, bool prefixes)
{
	struct wgvia_bpf *skel = programs->skel;

	if (family == 4)
		return bpf_map__fd(prefixes ? skel->maps.prefixes4 : skel->maps.bypass4);
	return bpf_map__fd(prefixes ? skel->maps.prefixes6 : skel->maps.bypass6);
}

static void set_entry(struct programs *programs, const char *prefix, bool prefixes, const void *value)
{
	struct wgvia_key6 key; /* begins like struct wgvia_key4 */
	int family = packets_address(prefix, key.addr, &key.prefixlen);

	if (bpf_map_update_elem(map_of(programs, family, prefixes), &key, value, BPF_ANY))
		give_up("cannot set %s: %s", prefix, strerror(errno));
}

void programs_set_prefix(struct programs *programs, const char *prefix, const struct wgvia_gateway *gateway)
{
	set_entry(programs, prefix, true, gateway);
}

void programs_set_bypass(struct programs *programs, const char *prefix, uint32_t verdict)
{
	programs_set_bypass_flags(programs, prefix, verdict, 0);
}

void programs_set_bypass_flags(struct programs *programs, const char *prefix, uint32_t verdict, uint32_t flags)
{
	const struct wgvia_bypass value = {verdict, flags};

	set_entry(programs, prefix, false, &value);
}

void programs_clear_maps(struct programs *programs)
{
	struct wgvia_key6 key;

	for (int family = 4; family <= 6; family += 2)
		for (int prefixes = 0; prefixes <= 1; prefixes++) {
			int fd = map_of(programs, family, prefixes);

			while (!bpf_map_get_next_key(fd, NULL, &key))
				if (bpf_map_delete_elem(fd, &key))
					give_up("cannot delete an entry: %s", strerror(errno));
		}
}

void programs_set_index(struct programs *programs, uint32_t family, const void *lines, uint32_t count)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP);
	int outer = bpf_map__fd(programs->skel->maps.indexes), fd;

	bpf_map_delete_elem(outer, &family);
	if (!count)
		return;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "index", sizeof(uint32_t), INDEX_LINE, count, &opts);
	if (fd < 0)
		give_up("cannot make an index: %s", strerror(errno));
	for (uint32_t line = 0; line < count; line++)
		if (bpf_map_update_elem(fd, &line, (const uint8_t *)lines + line * INDEX_LINE, BPF_ANY))
			give_up("cannot fill an index: %s", strerror(errno));
	if (bpf_map_update_elem(outer, &family, &fd, BPF_ANY))
		give_up("cannot set an index: %s", strerror(errno));
	close(fd);
}

void programs_set_tunnel(struct programs *programs, enum device device)
{
	int map = bpf_map__fd(programs->skel->maps.devices);
	uint32_t key = CONFIG_TUNNEL;

	if (device ? bpf_map_update_elem(map, &key, &devices[device].ifindex, BPF_ANY)
		   : bpf_map_delete_elem(map, &key) && errno != ENOENT)
		give_up("cannot set the tunnel: %s", strerror(errno));
}

void programs_set_meta(struct programs *programs, struct wgvia_meta settings)
{
	uint32_t key = 0;

	settings.abi = WGVIA_ABI;
	if (bpf_map_update_elem(bpf_map__fd(programs->skel->maps.meta), &key, &settings, BPF_ANY))
		give_up("cannot write meta: %s", strerror(errno));
}

static void empty_map(const struct bpf_map *map)
{
	uint8_t key[64];

	while (!bpf_map_get_next_key(bpf_map__fd(map), NULL, key))
		if (bpf_map_delete_elem(bpf_map__fd(map), key) && errno != ENOENT)
			give_up("cannot empty a map: %s", strerror(errno));
}

/* Clears `recent` with one call where the kernel can (5.13); an emulated machine takes minutes for the others. */
static void clear_recent(int map, uint32_t slots, size_t slot_size)
{
	static uint8_t *nothing;
	static uint32_t *keys;
	uint32_t count = slots;

	if (!nothing) {
		nothing = calloc(slots, libbpf_num_possible_cpus() * slot_size);
		keys = calloc(slots, sizeof(*keys));
		if (!nothing || !keys)
			give_up("no memory");
		for (uint32_t i = 0; i < slots; i++)
			keys[i] = i;
	}
	if (!bpf_map_update_batch(map, keys, nothing, &count, NULL))
		return;
	for (uint32_t i = 0; i < slots; i++)
		if (bpf_map_update_elem(map, &i, nothing, BPF_ANY))
			give_up("cannot clear a slot: %s", strerror(errno));
}

void programs_forget(struct programs *programs)
{
	const struct bpf_map *recent = programs->skel->maps.recent;

	programs->skel->bss->sender_wanted = 0;
	empty_map(programs->skel->maps.bounced);
	empty_map(programs->skel->maps.learnt);
	clear_recent(bpf_map__fd(recent), bpf_map__max_entries(recent), bpf_map__value_size(recent));
}

struct wgvia_prefix_counter programs_prefix_counter(struct programs *programs, uint32_t number)
{
	int cpus = libbpf_num_possible_cpus(), fd;
	struct wgvia_prefix_counter *values = calloc(cpus, sizeof(*values)), sum = {};
	uint32_t first = 0, id;

	if (bpf_map_lookup_elem(bpf_map__fd(programs->skel->maps.prefix_counters), &first, &id))
		give_up("there are no counters of prefixes: %s", strerror(errno));
	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0 || bpf_map_lookup_elem(fd, &number, values))
		give_up("cannot read counter %u: %s", number, strerror(errno));
	for (int cpu = 0; cpu < cpus; cpu++) {
		sum.out.packets += values[cpu].out.packets;
		sum.out.bytes += values[cpu].out.bytes;
		sum.back.packets += values[cpu].back.packets;
		sum.back.bytes += values[cpu].back.bytes;
	}
	close(fd);
	free(values);
	return sum;
}

/* read_counters: all of them, each with a value per CPU; with one call where the kernel can. */
static void read_counters(int map, struct wgvia_counter *values, int cpus)
{
	uint32_t keys[WGVIA_COUNTERS], next, count = WGVIA_COUNTERS;

	/* ENOENT: the end was reached */
	if ((!bpf_map_lookup_batch(map, NULL, &next, keys, values, &count, NULL) || errno == ENOENT) &&
	    count == WGVIA_COUNTERS)
		return;
	for (uint32_t i = 0; i < WGVIA_COUNTERS; i++)
		if (bpf_map_lookup_elem(map, &i, values + i * cpus))
			give_up("cannot read the counters: %s", strerror(errno));
}

void programs_counters(struct programs *programs, struct wgvia_counter sums[WGVIA_COUNTERS])
{
	static int cpus;
	static struct wgvia_counter *values;

	if (programs->counters) {
		memcpy(sums, programs->counters, WGVIA_COUNTERS * sizeof(*sums));
		return;
	}
	if (!values) {
		cpus = libbpf_num_possible_cpus();
		values = calloc(cpus * WGVIA_COUNTERS, sizeof(*values));
	}
	read_counters(bpf_map__fd(programs->skel->maps.counters), values, cpus);
	memset(sums, 0, WGVIA_COUNTERS * sizeof(*sums));
	for (int i = 0; i < WGVIA_COUNTERS * cpus; i++) {
		sums[i / cpus].packets += values[i].packets;
		sums[i / cpus].bytes += values[i].bytes;
	}
}
