// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the packet path costs: nanoseconds per packet in test runs over those of an empty program, all in one run and
 * interleaved, so that a machine's moods meet all of them alike. Prints the median of the rounds and the targets.
 *
 * The runs of one test run see the same packet again, and each takes one hop: so few are made at a time. What pushes a
 * link header (a WireGuard tunnel's packet) or sets a mark cannot be shown twice: that is measured on wires.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../prog/packets.h"
#include "../prog/programs.h"

#define REPEAT 250 /* hop limit 255 lasts as long */
#define SERIES 40  /* test runs of one case in a row */
#define ROUNDS 101

enum program { EMPTY = WGVIA_DIRECTION_COUNT };

static const struct {
	const char *name;
	int program;
	struct packet_spec packet;
	int target; /* ns over the empty program; 0 for none */
} cases[] = {
	{"empty program", EMPTY, {.family = 4, .source = "8.0.16.1", .destination = "203.0.113.9"}, 0},
	{"out, redirected, IPv4", WGVIA_OUT, {.family = 4, .source = "8.0.16.1", .destination = "203.0.113.9"}, 60},
	{"out, redirected, IPv6",
	 WGVIA_OUT,
	 {.family = 6, .source = "2001:db8:86dd:4000::1", .destination = "2001:db8::9"},
	 60},
	{"out, redirected, IPv4, 1,500 bytes",
	 WGVIA_OUT,
	 {.family = 4, .source = "8.0.16.1", .destination = "203.0.113.9", .payload = SET(1480)},
	 0},
	{"out, redirected, IPv6, 1,500 bytes",
	 WGVIA_OUT,
	 {.family = 6, .source = "2001:db8:86dd:4000::1", .destination = "2001:db8::9", .payload = SET(1460)},
	 0},
	{"out, outside, IPv4", WGVIA_OUT, {.family = 4, .source = "192.0.2.1", .destination = "203.0.113.9"}, 25},
	{"out, outside, IPv6", WGVIA_OUT, {.family = 6, .source = "2001:db8::1", .destination = "2001:db8::9"}, 25},
	{"back, returned, IPv4", WGVIA_BACK, {.family = 4, .source = "203.0.113.9", .destination = "8.0.16.1"}, 0},
	{"back, returned, IPv6",
	 WGVIA_BACK,
	 {.family = 6, .source = "2001:db8::9", .destination = "2001:db8:86dd:4000::1"},
	 0},
	{"back, not ours, IPv4", WGVIA_BACK, {.family = 4, .source = "203.0.113.9", .destination = "192.0.2.1"}, 0},
	{"back, not ours, IPv6", WGVIA_BACK, {.family = 6, .source = "2001:db8::9", .destination = "2001:db8::1"}, 0},
	{"egress, not ours, IPv4", WGVIA_EGRESS, {.family = 4, .source = "192.0.2.1", .destination = "203.0.113.9"}, 0},
	{"egress, not ours, IPv6",
	 WGVIA_EGRESS,
	 {.family = 6, .source = "2001:db8::1", .destination = "2001:db8::9"},
	 0},
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

/* Mean ns of one run. */
static double measure(int fd, const struct frame *frame)
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
	}
	return sum / SERIES;
}

int main(void)
{
	/* `duration` is in whole ns, which the mean over many evens out */
	static double results[CASES][ROUNDS], over[ROUNDS];
	static struct frame frames[CASES];
	static const uint8_t no_mac[6]; /* the loopback device's, where a test run is by default */
	struct wgvia_gateway gateway4 = {.family = 2, .addr = {192, 0, 2, 1}},
			     gateway6 = {.family = 10, .addr = {0x20, 1}};
	struct programs programs;
	struct packet_spec spec;
	int empty;

	programs_need_root();
	programs_namespace();
	programs_load(&programs, &(struct programs_options){});
	gateway4.ifindex = gateway6.ifindex = devices[DEVICE_LAN].ifindex;
	programs_set_prefix(&programs, "8.0.16.0/20", &gateway4);
	programs_set_prefix(&programs, "2001:db8:86dd:4000::/50", &gateway6);
	programs_set_bypass(&programs, "8.0.16.0/20", WGVIA_TUNNEL);
	programs_set_bypass(&programs, "2001:db8:86dd:4000::/50", WGVIA_TUNNEL);
	programs_set_bypass(&programs, "192.0.2.2/32", WGVIA_LOCAL);
	programs_set_bypass(&programs, "224.0.0.0/4", WGVIA_SCOPE);
	programs_set_bypass(&programs, "ff00::/8", WGVIA_SCOPE);
	programs_set_bypass(&programs, "fe80::/10", WGVIA_SCOPE);
	empty = load_empty();
	for (size_t i = 0; i < CASES; i++) {
		spec = cases[i].packet;
		spec.hop_limit = SET(255);
		packets_build(&spec, no_mac, &frames[i]);
	}
	for (int round = -1; round < ROUNDS; round++) /* the first one to warm up */
		for (size_t i = 0; i < CASES; i++) {
			double ns =
				measure(cases[i].program == EMPTY ? empty : programs.fd[cases[i].program], &frames[i]);

			if (round >= 0)
				results[i][round] = ns;
		}
	if (!programs_can_check_mtu())
		printf("this kernel has no bpf_check_mtu(), so that nothing here asks for an MTU\n");
	printf("%-36s %8s %8s %8s\n", "ns per packet, median", "all", "over", "target");
	for (size_t i = 0; i < CASES; i++) {
		for (int round = 0; round < ROUNDS; round++)
			over[round] = results[i][round] - results[0][round];
		qsort(over, ROUNDS, sizeof(over[0]), compare);
		printf("%-36s %8.1f %8.1f", cases[i].name, results[0][ROUNDS / 2] + over[ROUNDS / 2], over[ROUNDS / 2]);
		if (cases[i].target)
			printf(" %8d  %s", cases[i].target, over[ROUNDS / 2] <= cases[i].target ? "met" : "MISSED");
		printf("\n");
	}
	printf("%d runs of each case\n", ROUNDS * SERIES * REPEAT);
	return 0;
}
