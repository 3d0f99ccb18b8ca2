// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test runs of programs that are loaded only for this purpose, with the running maps.
 */
#include "datapath/test_run.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "bpf/config.h" /* the skeleton refers to struct config */
#include "datapath/device_map.h"
#include "datapath/programs.h"
#include "wgvia.skel.h"

/* The only counter of these maps that is not 0. */
static int read_verdict(const struct wgvia_bpf *skeleton, struct test_run *trial)
{
	int cpus = libbpf_num_possible_cpus();
	cleanup_free struct wgvia_counter *values = cpus > 0 ? calloc(cpus, sizeof(*values)) : NULL;

	if (!values)
		return -ENOMEM;
	for (__u32 verdict = 0; verdict < WGVIA_VERDICT_COUNT; verdict++) {
		__u32 key = WGVIA_COUNTER(trial->point.direction, verdict);

		if (bpf_map_lookup_elem(bpf_map__fd(skeleton->maps.counters), &key, values))
			return -errno;
		for (int cpu = 0; cpu < cpus; cpu++)
			if (values[cpu].packets) {
				trial->counted = true;
				trial->verdict = verdict;
			}
	}
	return 0;
}

/*
 * The device by which a packet came in, if the program uses it: whether it is one of ours (decide_egress()), and with
 * `outside drop` whether it is the tunnel. Before 5.12 a test run cannot have one. Any other device is treated like
 * none.
 */
static uint32_t ingress_that_matters(const struct instance *instance, const struct test_run *trial)
{
	if (trial->point.direction == WGVIA_EGRESS &&
	    (instance->meta.outside == WGVIA_OUTSIDE_DROP ||
	     device_map_has(instance->maps[MAP_DEVICES], trial->ingress_ifindex)))
		return trial->ingress_ifindex;
	return 0;
}

int test_run_run(const struct instance *instance, struct test_run *trial, struct error *error)
{
	cleanup(instance_close) struct instance copy = INSTANCE_NONE;
	uint32_t ingress_ifindex = ingress_that_matters(instance, trial);
	struct __sk_buff context = {.ifindex = trial->point.direction == WGVIA_EGRESS ? trial->point.ifindex : 0,
				    .ingress_ifindex = ingress_ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = trial->frame, .data_size_in = trial->frame_len,
		    .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = 1);
	/* in a test run every program gets an Ethernet frame: a link header, then the packet as on an L3 device */
	struct wgvia_bpf *skeleton = programs_open(false, instance->meta.mode, WGVIA_COUNT_VERDICTS);
	struct config *config;
	int ret;

	trial->counted = false;
	if (!skeleton)
		return error_system(error, errno, "cannot open the programs");
	config = &skeleton->rodata->config;
	config->tunnel_ether = 0;
	config->has_trace = 0;
	for (int i = 0; i < PROGRAM_COUNT; i++) /* verification takes time for each */
		bpf_program__set_autoload(programs_find(skeleton, i),
					  i == (int)program_at(trial->point.direction, trial->point.l3));
	for (int i = 0; i < MAP_COUNT; i++)
		copy.maps[i] = i == MAP_COUNTERS || i == MAP_BOUNCED ? -1 : dup(instance->maps[i]);
	ret = programs_load(skeleton, &copy, error);
	if (ret)
		goto out;
	ret = bpf_prog_test_run_opts(
		bpf_program__fd(programs_find(skeleton, program_at(trial->point.direction, trial->point.l3))), &opts);
	trial->action = (int)opts.retval;
	ret = ret ? ret : read_verdict(skeleton, trial);
	if (ret)
		error_system(error, -ret, "cannot run the program on the packet");
	if (ret == -EINVAL && ingress_ifindex)
		error_hint(error, "Linux before 5.12 cannot try a packet that came in by another device");
out:
	wgvia_bpf__destroy(skeleton);
	return ret;
}
