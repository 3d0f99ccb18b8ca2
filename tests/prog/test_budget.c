// SPDX-License-Identifier: GPL-2.0-only
/*
 * Budgets: how many instructions the verifier goes through, and how long the JITed code is, of each program in each
 * form in which it is loaded; and how many instructions and helper calls packets of some kinds execute, by test runs of
 * programs that count them (steps.h). Nothing is timed. budget.txt beside this file has the largest figures of some
 * compilers: one budget for all. 5 % more is a failure, on the kernel line and machine that the file was made on.
 * WGVIA_BUDGET_FIGURES names a file for the figures, and then nothing is compared: so scripts/compilers makes
 * budget.txt and its table.
 */
#include <errno.h>
#include <linux/pkt_cls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "packets.h"
#include "programs.h"
#include "steps.h"

#define TC_INDEX 0x7776 /* of a packet that the egress program has seen, or the ingress program has redirected */

/* Of a program: verified instructions, JITed bytes. Of a "packet": executed instructions, helper calls. */
struct figure {
	char program[32];
	char form[32];
	unsigned int cost[2];
};

static const struct {
	const char *name;
	struct programs_options options;
} forms[] = {
	{"wireguard", {.l3 = true}},
	{"ethernet", {.tunnel_ether = true}},
	{"stack", {.l3 = true, .stack = true}},
	{"no_check_mtu", {.l3 = true, .no_check_mtu = true}},
	{"no_counts", {.l3 = true, .no_counts = true}},
	{"counters", {.l3 = true, .count = true}},
	{"counters_stack", {.l3 = true, .count = true, .stack = true}},
};

#define FROM4 .family = 4, .source = "8.0.16.1", .destination = "203.0.113.9"
#define FROM6 .family = 6, .source = "2001:db8:86dd:4000::1", .destination = "2001:db8:ff::9"
#define TO4 .family = 4, .source = "203.0.113.9", .destination = "8.0.16.1"
#define TO6 .family = 6, .source = "2001:db8:ff::9", .destination = "2001:db8:86dd:4000::1"
#define OUTSIDE4 .family = 4, .source = "8.0.15.9", .destination = "203.0.113.9"
#define OUTSIDE6 .family = 6, .source = "2001:db8:86dd:3000::9", .destination = "2001:db8:ff::9"

/* The sources are such that a test run takes a packet without link header for what it is (test_decisions). */
static const struct {
	const char *name;
	enum wgvia_direction direction;
	bool l3;
	bool again; /* the egress program sees the packet of the row before, on its way to the gateway */
	struct packet_spec packet;
	int action;
} packets[] = {
	{"out_4", WGVIA_OUT, true, false, {FROM4}, TC_ACT_REDIRECT},
	{"out_then_egress_4", WGVIA_EGRESS, false, true, {FROM4}, TC_ACT_UNSPEC},
	{"out_6", WGVIA_OUT, true, false, {FROM6}, TC_ACT_REDIRECT},
	{"out_then_egress_6", WGVIA_EGRESS, false, true, {FROM6}, TC_ACT_UNSPEC},
	{"out_long_4", WGVIA_OUT, true, false, {FROM4, .payload = SET(1480)}, TC_ACT_REDIRECT},
	{"outside_4", WGVIA_OUT, true, false, {OUTSIDE4}, TC_ACT_UNSPEC},
	{"outside_6", WGVIA_OUT, true, false, {OUTSIDE6}, TC_ACT_UNSPEC},
	{"back_4", WGVIA_BACK, false, false, {TO4}, TC_ACT_REDIRECT},
	{"back_6", WGVIA_BACK, false, false, {TO6}, TC_ACT_REDIRECT},
	{"back_other_4", WGVIA_BACK, false, false, {OUTSIDE4}, TC_ACT_UNSPEC},
	{"back_other_6", WGVIA_BACK, false, false, {OUTSIDE6}, TC_ACT_UNSPEC},
	{"egress_4", WGVIA_EGRESS, false, false, {FROM4}, TC_ACT_REDIRECT},
	{"egress_again_4", WGVIA_EGRESS, false, true, {FROM4}, TC_ACT_UNSPEC},
	{"egress_6", WGVIA_EGRESS, false, false, {FROM6}, TC_ACT_REDIRECT},
	{"egress_again_6", WGVIA_EGRESS, false, true, {FROM6}, TC_ACT_UNSPEC},
	{"egress_other_4", WGVIA_EGRESS, false, false, {OUTSIDE4}, TC_ACT_UNSPEC},
	{"egress_other_6", WGVIA_EGRESS, false, false, {OUTSIDE6}, TC_ACT_UNSPEC},
};

static struct figure figures[128];
static unsigned int figure_count;

static struct figure budgets[256];
static unsigned int budget_count;

/* `relative` to the folder of this program; NULL: it is not there. */
static FILE *open_beside(const char *relative)
{
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 128);
	char *slash;

	path[len < 0 ? 0 : len] = '\0';
	slash = strrchr(path, '/');
	snprintf(slash ? slash + 1 : path, 128, "%s", relative);
	return fopen(path, "r");
}

/* In the source tree, which is found from the compiler's path of this file or from the build's location. */
static FILE *open_budget(void)
{
	char path[4096];
	FILE *file;
	char *slash;

	snprintf(path, sizeof(path), "%s", __FILE__);
	slash = strrchr(path, '/');
	strcpy(slash ? slash + 1 : path, "budget.txt");
	file = fopen(path, "r");
	return file ? file : open_beside("../../../tests/prog/budget.txt");
}

/* Linux 5.16 and later report the count with the program, Linux 5.2 and later at the end of the verifier log. */
static unsigned int verified_insns(const struct bpf_program *program, const struct bpf_prog_info *info)
{
	unsigned int insns = 0;
	const char *line;
	size_t len;

	if (info->verified_insns)
		return info->verified_insns;
	line = bpf_program__log_buf(program, &len);
	line = line ? strstr(line, "processed ") : NULL;
	if (line)
		sscanf(line, "processed %u insns", &insns);
	return insns;
}

static void add_figure(const char *program, const char *form, unsigned int first, unsigned int second)
{
	struct figure *figure = &figures[figure_count++];

	assert_true(figure_count <= sizeof(figures) / sizeof(figures[0]));
	snprintf(figure->program, sizeof(figure->program), "%s", program);
	snprintf(figure->form, sizeof(figure->form), "%s", form);
	figure->cost[0] = first;
	figure->cost[1] = second;
}

static void measure(const char *form, struct wgvia_bpf *skel)
{
	struct bpf_program *program;

	bpf_object__for_each_program (program, skel->obj) {
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);

		assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len), 0);
		add_figure(bpf_program__name(program), form, verified_insns(program, &info), info.jited_prog_len);
	}
}

static void fill_maps(struct programs *programs)
{
	struct wgvia_gateway gateway4 = {.family = 2, .addr = {192, 0, 2, 1}},
			     gateway6 = {.family = 10, .addr = {0x20, 1}};
	const struct wgvia_sender gateway = {.mac = {2, 0, 0, 0, 0xaa, 1}}; /* of all packets that do not say */
	const uint32_t source = WGVIA_SENDER_NAMED;

	gateway4.ifindex = gateway6.ifindex = devices[DEVICE_LAN].ifindex;
	programs_set_prefix(programs, "8.0.16.0/20", &gateway4);
	programs_set_prefix(programs, "2001:db8:86dd:4000::/50", &gateway6);
	programs_set_bypass(programs, "8.0.16.0/20", WGVIA_TUNNEL);
	programs_set_bypass(programs, "2001:db8:86dd:4000::/50", WGVIA_TUNNEL);
	programs_set_bypass(programs, "192.0.2.2/32", WGVIA_LOCAL);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(programs->skel->maps.senders), &gateway, &source, BPF_ANY), 0);
}

/* `run` has the marks of the row before; `suffix` of the figure's name, NULL: there is none. */
static void count_packet(struct programs *programs, size_t i, struct run *run, const char *suffix)
{
	char name[sizeof(figures[0].form)];
	enum wgvia_direction direction = packets[i].direction;
	enum device device = direction == WGVIA_OUT ? DEVICE_TUNNEL : DEVICE_LAN;
	struct packet_spec spec = packets[i].packet;
	struct frame frame;
	unsigned int insns, calls;

	spec.mac = packets[i].again ? MAC_OTHER : MAC_DEVICE;
	packets_build(&spec, devices[device].mac, &frame);
	if (packets[i].l3) {
		frame.len -= LINK_LEN;
		memmove(frame.data, frame.data + LINK_LEN, frame.len);
	}
	if (!packets[i].again)
		memset(run->cb, 0, sizeof(run->cb));
	run->tc_index = packets[i].again ? TC_INDEX : 0;
	run->ifindex = devices[device].ifindex;
	run->ingress_ifindex = direction == WGVIA_EGRESS ? devices[DEVICE_TUNNEL].ifindex : 0;
	if (packets[i].again)
		programs_set_passes(programs, &(struct programs_passes){
						      .count = run->cb[3],
						      .redirected = run->cb[3],
						      .ifindex = run->ifindex,
					      });
	steps_take(programs->steps[direction], &insns, &calls);
	assert_int_equal(programs_run(programs, direction, &frame, run), 0);
	steps_take(programs->steps[direction], &insns, &calls);
	if (run->action != packets[i].action)
		fail_msg("%s: action %d, not %d", packets[i].name, run->action, packets[i].action);
	snprintf(name, sizeof(name), "%s%s", packets[i].name, suffix);
	add_figure("packet", name, insns, calls);
}

/*
 * Nothing where the verifier of an old kernel refuses programs that count: they are more to go through. Before 5.12 a
 * test run can have no ingress device, which egress programs ask for.
 */
static void count_packets(bool no_counts)
{
	static struct run run;
	struct programs programs[2];
	bool can[WGVIA_DIRECTION_COUNT];

	programs_load(&programs[false], &(struct programs_options){.count_steps = true, .no_counts = no_counts});
	programs_load(&programs[true], &(struct programs_options){.l3 = true,
								  .count_steps = true,
								  .no_counts = no_counts,
								  .maps_of = programs[false].skel});
	fill_maps(&programs[false]);
	programs_stay_on_a_cpu();
	for (int i = 0; i < WGVIA_DIRECTION_COUNT; i++)
		can[i] = programs[false].steps[i] && programs[true].steps[i] &&
			 (i != WGVIA_EGRESS || programs_can_set_ingress(&programs[false]));
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++)
		if (can[packets[i].direction])
			count_packet(&programs[packets[i].l3], i, &run, no_counts ? "_plain" : "");
	/* the first time the maps are asked, and what they say is kept */
	programs_keep_decisions(&programs[false], true);
	for (int again = 0; again < 2 && !no_counts; again++)
		for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++)
			if (can[packets[i].direction] && !packets[i].again)
				count_packet(&programs[packets[i].l3], i, &run, again ? "_kept" : "_asked");
	programs_unload(&programs[true]);
	programs_unload(&programs[false]);
}

static int set_up(void **state)
{
	(void)state;
	programs_namespace();
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct programs programs;

		programs_load(&programs, &forms[i].options);
		measure(forms[i].name, programs.skel);
		programs_unload(&programs);
	}
	count_packets(false);
	count_packets(true);
	return 0;
}

/* "6.18 x86_64": the verifier differs between kernel series, the JIT between machines. */
static void kernel_line(char *text, size_t size)
{
	struct utsname name;
	int major = 0, minor = 0;

	uname(&name);
	sscanf(name.release, "%d.%d", &major, &minor);
	snprintf(text, size, "%d.%d %s", major, minor, name.machine);
}

/* The compiler of the programs, in its own words. */
static void compiler(char *text, size_t size)
{
	FILE *file = open_beside("../../bpf/wgvia.bpf.compiler");

	if (!file || !fgets(text, size, file))
		snprintf(text, size, "an unknown compiler");
	text[strcspn(text, "\n")] = '\0';
	if (file)
		fclose(file);
}

static void write_figures(const char *path)
{
	char line[128], clang[128];
	FILE *file = fopen(path, "w");

	if (!file)
		fail_msg("cannot write %s: %s", path, strerror(errno));
	kernel_line(line, sizeof(line));
	compiler(clang, sizeof(clang));
	fprintf(file, "# compiler: %s\n# kernel: %s\n", clang, line);
	for (unsigned int i = 0; i < figure_count; i++)
		fprintf(file, "%-18s %-18s %8u %8u\n", figures[i].program, figures[i].form, figures[i].cost[0],
			figures[i].cost[1]);
	fclose(file);
}

/* Reads budget.txt into budgets; `kernel` is the line that it was made on. */
static void read_budgets(char kernel[64])
{
	char line[256];
	FILE *file = open_budget();

	if (!file)
		fail_msg("cannot open budget.txt: %s", strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		struct figure *figure = &budgets[budget_count];

		sscanf(line, "# kernel: %63[^\n]", kernel);
		if (line[0] == '#')
			continue;
		assert_true(budget_count < sizeof(budgets) / sizeof(budgets[0]));
		if (sscanf(line, "%31s %31s %u %u", figure->program, figure->form, &figure->cost[0],
			   &figure->cost[1]) != 4)
			fail_msg("budget.txt: cannot parse line: %s", line);
		budget_count++;
	}
	fclose(file);
}

/* 0: it has none. */
static unsigned int find_budget(const struct figure *of, int which)
{
	for (unsigned int i = 0; i < budget_count; i++)
		if (!strcmp(budgets[i].program, of->program) && !strcmp(budgets[i].form, of->form))
			return budgets[i].cost[which];
	return 0;
}

static bool within(const struct figure *now, int which)
{
	static const char *const words[2][2] = {{"verified", "jited"}, {"executed", "helpers"}};
	unsigned int allowed = find_budget(now, which);
	bool ok = now->cost[which] <= allowed + allowed / 20;

	printf("# %-16s %-18s %-9s %6u, budget %6u%s\n", now->program, now->form,
	       words[!strcmp(now->program, "packet")][which], now->cost[which], allowed, ok ? "" : "  OVER");
	return ok;
}

static void costs_stay_within_their_budgets(void **state)
{
	char ours[64], theirs[64] = "", clang[128];
	unsigned int over = 0, over_anywhere = 0;

	(void)state;
	if (!figures[0].cost[1]) {
		printf("# SKIP no JIT\n");
		skip();
	}
	if (getenv("WGVIA_BUDGET_FIGURES")) {
		write_figures(getenv("WGVIA_BUDGET_FIGURES"));
		return;
	}
	compiler(clang, sizeof(clang));
	printf("# %s\n", clang);
	read_budgets(theirs);
	for (unsigned int i = 0; i < figure_count; i++)
		for (int which = 0; which < 2; which++) {
			bool is_over = !within(&figures[i], which);

			over += is_over;
			over_anywhere += is_over && !strcmp(figures[i].program, "packet");
		}
	kernel_line(ours, sizeof(ours));
	/* what packets execute is the same on every kernel */
	assert_int_equal(over_anywhere, 0);
	if (strcmp(ours, theirs) != 0) {
		printf("# SKIP the rest of the budget is for %s, this is %s\n", theirs, ours);
		skip();
	}
	if (over)
		printf("# %u over their budget: make it cheaper, or record it (scripts/compilers --budget)\n", over);
	assert_int_equal(budget_count, figure_count);
	assert_int_equal(over, 0);
}

/* By hand: 2 instructions, three rounds of 5 with a call in each that enters a subprogram of 2, then 2. */
static void each_instruction_that_is_executed_is_counted_once(void **state)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 6, .imm = 3},
		{.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 6, .off = 8},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_smp_processor_id},
		{.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = 8},
		{.code = BPF_LD | BPF_DW, .dst_reg = 1, .imm = 1}, /* BPF_IMM is 0 */
		{},
		{.code = BPF_ALU64 | BPF_SUB | BPF_X, .dst_reg = 6, .src_reg = 1},
		{.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = 6, .off = -6},
		{.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 6, .off = 1},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_smp_processor_id}, /* jumped over */
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 7},
		{.code = BPF_JMP | BPF_EXIT},
	};
	uint8_t frame[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame), .repeat = 1);
	static struct steps steps;
	unsigned int executed, calls;

	(void)state;
	assert_int_equal(steps_load("loop", insns, sizeof(insns) / sizeof(insns[0]), &steps), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(bpf_prog_test_run_opts(steps.fd, &opts), 0);
		steps_take(&steps, &executed, &calls);
		assert_int_equal(executed, 2 + 3 * (5 + 2) + 1 + 2);
		assert_int_equal(calls, 3);
	}
	steps_unload(&steps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_instruction_that_is_executed_is_counted_once),
		cmocka_unit_test(costs_stay_within_their_budgets),
	};

	programs_need_root();
	return cmocka_run_group_tests_name("budget", tests, set_up, NULL);
}
