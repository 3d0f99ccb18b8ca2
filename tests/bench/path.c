// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of the packet path: nanoseconds per packet in test runs, minus those of an empty program, all in one
 * interleaved run, so that the machine's variations affect all alike. Prints the median of the rounds and the targets.
 *
 * The repetitions in one test run see the same packet again, and each takes one hop, so there are few. A packet that
 * gets a link header (from a WireGuard tunnel) or a mark cannot be shown twice: it is measured on wires.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../prog/packets.h"
#include "../prog/programs.h"

#define REPEAT 250 /* hop limit 255 allows this many */
#define SERIES 40  /* test runs of one case in a row */
#define ROUNDS 101

enum program { EMPTY = WGVIA_DIRECTION_COUNT };
/* nobody reads; the program lacks that part; somebody reads other packets; somebody reads all */
enum trace { TRACE_OFF, TRACE_ABSENT, TRACE_OTHERS, TRACE_ALL };

static const struct {
	const char *name;
	int program;
	struct packet_spec packet;
	enum trace trace;
	bool count, stack; /* "counters prefix"; mode stack */
	int target;	   /* ns over the empty program; 0 for none */
} cases[] = {
#define FROM4 {.family = 4, .source = "8.0.16.1", .destination = "203.0.113.9"}
#define FROM6 {.family = 6, .source = "2001:db8:86dd:4000::1", .destination = "2001:db8::9"}
#define TO4 {.family = 4, .source = "203.0.113.9", .destination = "8.0.16.1"}
#define TO6 {.family = 6, .source = "2001:db8::9", .destination = "2001:db8:86dd:4000::1"}
#define OTHER4 {.family = 4, .source = "203.0.113.9", .destination = "192.0.2.1"}
#define OTHER6 {.family = 6, .source = "2001:db8::9", .destination = "2001:db8::1"}
	{"empty program", EMPTY, .packet = FROM4},
	{"out, redirected, IPv4", WGVIA_OUT, .packet = FROM4, .target = 60},
	{"out, redirected, IPv6", WGVIA_OUT, .packet = FROM6, .target = 60},
	{"out, redirected, IPv4, 1,500 bytes", WGVIA_OUT, .packet = FROM4, .packet.payload = SET(1480)},
	{"out, redirected, IPv6, 1,500 bytes", WGVIA_OUT, .packet = FROM6, .packet.payload = SET(1460)},
	{"out, redirected, IPv4, no trace in it", WGVIA_OUT, .packet = FROM4, .trace = TRACE_ABSENT},
	{"out, redirected, IPv4, others traced", WGVIA_OUT, .packet = FROM4, .trace = TRACE_OTHERS},
	{"out, redirected, IPv4, traced", WGVIA_OUT, .packet = FROM4, .trace = TRACE_ALL},
	{"out, redirected, IPv4, by prefix", WGVIA_OUT, .packet = FROM4, .count = true},
	{"out, redirected, IPv6, by prefix", WGVIA_OUT, .packet = FROM6, .count = true},
	{"out, outside, IPv4", WGVIA_OUT, .packet = OTHER4, .target = 25},
	{"out, outside, IPv6", WGVIA_OUT, .packet = OTHER6, .target = 25},
	{"out, outside, IPv4, no trace in it", WGVIA_OUT, .packet = OTHER4, .trace = TRACE_ABSENT},
	{"back, returned, IPv4", WGVIA_BACK, .packet = TO4},
	{"back, returned, IPv6", WGVIA_BACK, .packet = TO6},
	{"back, returned, IPv4, no trace in it", WGVIA_BACK, .packet = TO4, .trace = TRACE_ABSENT},
	{"back, returned, IPv4, by prefix", WGVIA_BACK, .packet = TO4, .count = true},
	{"back, returned, IPv6, by prefix", WGVIA_BACK, .packet = TO6, .count = true},
	{"back, mode stack, IPv4", WGVIA_BACK, .packet = TO4, .stack = true},
	{"back, mode stack, IPv6", WGVIA_BACK, .packet = TO6, .stack = true},
	{"back, mode stack, IPv4, by prefix", WGVIA_BACK, .packet = TO4, .stack = true, .count = true},
	{"back, mode stack, IPv6, by prefix", WGVIA_BACK, .packet = TO6, .stack = true, .count = true},
	{"back, not ours, IPv4", WGVIA_BACK, .packet = OTHER4},
	{"back, not ours, IPv6", WGVIA_BACK, .packet = OTHER6},
	{"egress, not ours, IPv4", WGVIA_EGRESS, .packet = OTHER4},
	{"egress, not ours, IPv6", WGVIA_EGRESS, .packet = OTHER6},
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int load_empty(void)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = -1},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "empty", "GPL", insns, 2, NULL);
}

static int drop_event(void *data, void *event, size_t size)
{
	(void)data, (void)event, (void)size;
	return 0;
}

static void set_trace(struct programs *programs, enum trace trace)
{
	struct wgvia_trace value = {.verdicts = trace == TRACE_OTHERS ? 1 << WGVIA_HOP_LIMIT : ~0u};
	uint32_t key = 0;

	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	if (trace == TRACE_OTHERS || trace == TRACE_ALL)
		value.until = time.tv_sec * 1000000000ull + WGVIA_TRACE_MAX / 2;
	if (bpf_map_update_elem(bpf_map__fd(programs->skel->maps.trace), &key, &value, BPF_ANY)) {
		perror("trace");
		exit(1);
	}
}

/* The frames come from a gateway. */
static void name_sender(struct programs *programs)
{
	const struct wgvia_sender key = {.mac = {2, 0, 0, 0, 0xaa, 1}};
	const uint32_t source = WGVIA_SENDER_NAMED;

	if (bpf_map_update_elem(bpf_map__fd(programs->skel->maps.senders), &key, &source, BPF_ANY)) {
		perror("senders");
		exit(1);
	}
}

/* Mean ns of one run. */
static double measure(int fd, const struct frame *frame, struct ring_buffer *events)
{
	double sum = 0;

	for (int i = 0; i < SERIES; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->data, .data_size_in = frame->len,
			    .repeat = REPEAT);

		if (bpf_prog_test_run_opts(fd, &opts)) {
			perror("test run");
			exit(1);
		}
		sum += opts.duration;
		ring_buffer__consume(events);
	}
	return sum / SERIES;
}

int main(void)
{
	/* `duration` is in whole ns, which the mean over many runs compensates */
	static double results[CASES][ROUNDS], over[ROUNDS];
	static struct frame frames[CASES];
	static const uint8_t no_mac[6]; /* of the loopback device, the default in a test run */
	struct wgvia_gateway gateway4 = {.family = 2, .addr = {192, 0, 2, 1}},
			     gateway6 = {.family = 10, .addr = {0x20, 1}};
	struct programs programs, without, counting, stack, counting_stack;
	struct ring_buffer *events;
	struct packet_spec spec;
	int empty;

	programs_need_root();
	programs_namespace();
	programs_load(&programs, &(struct programs_options){});
	programs_load(&without, &(struct programs_options){.no_trace = true, .maps_of = programs.skel});
	programs_load(&counting, &(struct programs_options){.count = true, .maps_of = programs.skel});
	programs_load(&stack, &(struct programs_options){.stack = true, .maps_of = programs.skel});
	programs_load(&counting_stack,
		      &(struct programs_options){.count = true, .stack = true, .maps_of = programs.skel});
	events = ring_buffer__new(bpf_map__fd(programs.skel->maps.events), drop_event, NULL, NULL);
	if (!events) {
		perror("events");
		return 1;
	}
	gateway4.ifindex = gateway6.ifindex = devices[DEVICE_LAN].ifindex;
	programs_set_prefix(&programs, "8.0.16.0/20", &gateway4);
	programs_set_prefix(&programs, "2001:db8:86dd:4000::/50", &gateway6);
	programs_set_bypass(&programs, "8.0.16.0/20", WGVIA_TUNNEL);
	programs_set_bypass(&programs, "2001:db8:86dd:4000::/50", WGVIA_TUNNEL);
	programs_set_bypass(&programs, "192.0.2.2/32", WGVIA_LOCAL);
	programs_set_bypass(&programs, "224.0.0.0/4", WGVIA_SCOPE);
	programs_set_bypass(&programs, "ff00::/8", WGVIA_SCOPE);
	programs_set_bypass(&programs, "fe80::/10", WGVIA_SCOPE);
	name_sender(&programs);
	empty = load_empty();
	for (size_t i = 0; i < CASES; i++) {
		spec = cases[i].packet;
		spec.hop_limit = SET(255);
		packets_build(&spec, no_mac, &frames[i]);
	}
	for (int round = -1; round < ROUNDS; round++) /* the first round is a warm-up */
		for (size_t i = 0; i < CASES; i++) {
			const struct programs *of = cases[i].count   ? (cases[i].stack ? &counting_stack : &counting)
						    : cases[i].stack ? &stack
						    : cases[i].trace == TRACE_ABSENT ? &without
										     : &programs;
			double ns;

			set_trace(&programs, cases[i].trace);
			ns = measure(cases[i].program == EMPTY ? empty : of->fd[cases[i].program], &frames[i], events);
			if (round >= 0)
				results[i][round] = ns;
		}
	if (!programs_can_check_mtu())
		printf("this kernel has no bpf_check_mtu(), so that nothing here asks for an MTU\n");
	printf("%-38s %8s %8s %8s\n", "ns per packet, median", "all", "over", "target");
	for (size_t i = 0; i < CASES; i++) {
		for (int round = 0; round < ROUNDS; round++)
			over[round] = results[i][round] - results[0][round];
		qsort(over, ROUNDS, sizeof(over[0]), compare);
		printf("%-38s %8.1f %8.1f", cases[i].name, results[0][ROUNDS / 2] + over[ROUNDS / 2], over[ROUNDS / 2]);
		if (cases[i].target)
			printf(" %8d  %s", cases[i].target, over[ROUNDS / 2] <= cases[i].target ? "met" : "MISSED");
		printf("\n");
	}
	printf("%d runs of each case\n", ROUNDS * SERIES * REPEAT);
	return 0;
}
