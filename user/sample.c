// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking samples of instances' counters.
 */
#include "sample.h"

#include <string.h>
#include <time.h>

#include "running.h"
#include "tables.h"
#include "util.h"

void samples_free(struct samples *samples)
{
	free(samples->all);
	*samples = (struct samples){};
}

static int take(struct context *context, const struct instance *instance, void *data)
{
	struct samples *samples = data;
	struct sample *sample = array_grow(&samples->all, &samples->count, sizeof(*sample));

	if (!sample)
		return error_system(&context->error, ENOMEM, "cannot read the counters of '%s'", instance->tunnel);
	memcpy(sample->tunnel, instance->tunnel, sizeof(sample->tunnel));
	return tables_read_counters(instance, sample->counters, &context->error);
}

int samples_take(struct context *context, int argc, char **argv, struct samples *samples)
{
	struct timespec now;
	int ret;

	*samples = (struct samples){};
	ret = running_each(context, argc, argv, take, samples);
	clock_gettime(CLOCK_MONOTONIC, &now);
	samples->time = now.tv_sec + now.tv_nsec / 1e9;
	return ret;
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
