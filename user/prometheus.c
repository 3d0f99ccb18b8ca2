// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters in Prometheus' text exposition format: base units, `_total` for counters, HELP and TYPE once for each
 * metric.
 */
#include <inttypes.h>

#include "sample.h"
#include "util.h"
#include "words.h"

/* The verdicts that a direction can give, so that a series exists from the first scrape on, and none that never moves.
 */
static const uint32_t possible[WGVIA_DIRECTION_COUNT] = {
	[WGVIA_OUT] = (1u << (WGVIA_REDIRECTED + 1)) - 1,
	[WGVIA_BACK] = 1u << WGVIA_HOP_LIMIT | 1u << WGVIA_TOO_BIG | 1u << WGVIA_NO_GATEWAY | 1u << WGVIA_RETURNED |
		       1u << WGVIA_BOUNCED | 1u << WGVIA_DIRECT | 1u << WGVIA_REFUSED,
	[WGVIA_EGRESS] = 1u << WGVIA_TOO_BIG | 1u << WGVIA_NO_GATEWAY | 1u << WGVIA_RETARGETED,
};

static const struct {
	const char *name, *help;
	size_t offset; /* in struct wgvia_counter */
} metrics[] = {
	{"wgvia_packets_total", "Packets by verdict, segments of GSO packets counted singly.",
	 offsetof(struct wgvia_counter, packets)},
	{"wgvia_bytes_total", "Bytes of IP packets by verdict.", offsetof(struct wgvia_counter, bytes)},
};

/* A label's value: an interface name may hold any character but '/', ':' and white space. */
static void print_label(const char *value, FILE *out)
{
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', out);
		fputc(*value, out);
	}
}

void samples_print_prometheus(const struct samples *samples, FILE *out)
{
	for (size_t m = 0; m < ARRAY_SIZE(metrics); m++) {
		fprintf(out, "# HELP %s %s\n# TYPE %s counter\n", metrics[m].name, metrics[m].help, metrics[m].name);
		for (size_t i = 0; i < samples->count; i++)
			for (int index = 0; index < WGVIA_COUNTERS; index++) {
				const struct wgvia_counter *counter = &samples->all[i].counters[index];
				int direction = index / WGVIA_VERDICT_COUNT, verdict = index % WGVIA_VERDICT_COUNT;

				if (!(possible[direction] & 1u << verdict))
					continue;
				fprintf(out, "%s{interface=\"", metrics[m].name);
				print_label(samples->all[i].tunnel, out);
				fprintf(out, "\",direction=\"%s\",verdict=\"%s\"} %" PRIu64 "\n",
					direction_words[direction], verdict_words[verdict],
					(uint64_t)*(const __u64 *)((const char *)counter + metrics[m].offset));
			}
	}
}
