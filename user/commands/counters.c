// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking samples of instances' counters.
 */
#include "commands/counters.h"

#include <string.h>
#include <time.h>

#include "base/util.h"
#include "datapath/state_maps.h"
#include "session/instance_list.h"

json *counter_value(const struct wgvia_counter *counter)
{
	json *value = print_object();

	print_add_number(value, "packets", counter->packets);
	print_add_number(value, "bytes", counter->bytes);
	return value;
}

void samples_free(struct samples *samples)
{
	for (size_t i = 0; i < samples->count; i++)
		lost_free(&samples->all[i].lost);
	free(samples->all);
	*samples = (struct samples){};
}

struct request {
	struct samples *samples;
	bool lost;
};

static int take_sample(struct context *context, const struct instance *instance, void *data)
{
	const struct request *request = data;
	struct samples *samples = request->samples;
	struct sample *sample = array_grow(&samples->all, &samples->count, sizeof(*sample));
	int ret;

	if (!sample)
		return error_system(&context->error, ENOMEM, "cannot read the counters of '%s'", instance->tunnel);
	memcpy(sample->tunnel, instance->tunnel, sizeof(sample->tunnel));
	ret = state_maps_read_counters(instance, sample->counters, &context->error);
	if (!ret && request->lost)
		ret = lost_read(instance, &sample->lost, &context->error);
	if (ret)
		samples->count--;
	return ret;
}

int samples_take(struct context *context, int argc, char **argv, bool lost, struct samples *samples)
{
	cleanup(instance_list_free) struct instance_list list = {};
	struct request request = {samples, lost};
	struct timespec now;
	int ret;

	*samples = (struct samples){};
	ret = instance_list_visit(context, argc, argv, &list, take_sample, &request);
	if (ret)
		return ret;
	clock_gettime(CLOCK_MONOTONIC, &now);
	samples->time = now.tv_sec + now.tv_nsec / 1e9;
	return instance_list_end(context, &list);
}

struct wgvia_counter sample_sum(const struct sample *sample, enum wgvia_verdict verdict)
{
	struct wgvia_counter sum = {};

	for (int direction = 0; direction < WGVIA_DIRECTION_COUNT; direction++) {
		sum.packets += sample->counters[WGVIA_COUNTER(direction, verdict)].packets;
		sum.bytes += sample->counters[WGVIA_COUNTER(direction, verdict)].bytes;
	}
	return sum;
}
