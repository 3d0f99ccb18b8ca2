// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live rates by verdict, between one sample and the next.
 */
#include <math.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "print.h"
#include "sample.h"
#include "util.h"
#include "words.h"

static volatile sig_atomic_t ended;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

/* "12.3 k", with the usual prefix of a power of 1000. */
static const char *scaled(double number, char text[16])
{
	static const char prefixes[] = " kMGTP";
	int prefix = 0;

	while (number >= 999.95 && prefix < 5) {
		number /= 1000;
		prefix++;
	}
	snprintf(text, 16, "%.1f %.1s", number, prefix ? &prefixes[prefix] : "");
	return text;
}

static const struct sample *find(const struct samples *samples, const char *tunnel)
{
	for (size_t i = 0; i < samples->count; i++)
		if (!strcmp(samples->all[i].tunnel, tunnel))
			return &samples->all[i];
	return NULL;
}

/* One row a verdict that moves, all with -v. Counters that have fallen belong to a new instance: they began at 0. */
static json *rates(const struct samples *before, const struct samples *now)
{
	double seconds = now->time - before->time;
	json *rows = print_array();

	for (size_t i = 0; i < now->count; i++) {
		const struct sample *old = find(before, now->all[i].tunnel);

		for (int verdict = 0; verdict < WGVIA_VERDICT_COUNT; verdict++) {
			struct wgvia_counter new = sample_sum(&now->all[i], verdict), last = {};
			json *row = print_object();

			if (old)
				last = sample_sum(old, verdict);
			if (last.packets > new.packets)
				last = (struct wgvia_counter){};
			print_add_text(row, "interface", now->all[i].tunnel);
			print_add_text(row, "verdict", verdict_words[verdict]);
			print_add(row, "packets_per_second",
				  json_object_new_double((new.packets - last.packets) / seconds));
			print_add(row, "bits_per_second",
				  json_object_new_double((new.bytes - last.bytes) * 8 / seconds));
			print_append(rows, row);
		}
	}
	return rows;
}

static double rate(const json *row, const char *name)
{
	return json_object_get_double(print_member(row, name));
}

/* Returns the lines printed. */
static int print_rates(const struct context *context, const json *rows, bool terminal)
{
	char packets[16], bits[16], stamp[32] = "";
	time_t now = time(NULL);
	struct tm tm;
	int lines = 0;

	if (context->json) {
		puts(json_object_to_json_string_ext((json *)rows, JSON_C_TO_STRING_PLAIN));
		return 1;
	}
	if (!terminal)
		strftime(stamp, sizeof(stamp), "%FT%T ", localtime_r(&now, &tm));
	else
		lines += printf("%-15s %-10s %16s %16s\n", "interface", "verdict", "packets", "bits") > 0;
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		const json *row = json_object_array_get_idx(rows, i);

		if (rate(row, "packets_per_second") == 0 && !context->verbose)
			continue;
		printf("%s%-15s %-10s %9spackets/s %9sbit/s\n", stamp, print_text(row, "interface"),
		       print_text(row, "verdict"), scaled(rate(row, "packets_per_second"), packets),
		       scaled(rate(row, "bits_per_second"), bits));
		lines++;
	}
	return lines;
}

static void wait_until(double when)
{
	struct timespec until = {.tv_sec = (time_t)when, .tv_nsec = (long)((when - floor(when)) * 1e9)};

	while (!ended && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

int samples_watch(struct context *context, int argc, char **argv, double seconds)
{
	cleanup(samples_free) struct samples before = {};
	struct sigaction action = {.sa_handler = end}; /* no SA_RESTART: the sleep is to end */
	bool terminal = isatty(STDOUT_FILENO) && !context->json;
	int lines = 0;
	int ret = samples_take(context, argc, argv, &before);

	if (ret)
		return ret;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	for (double next = before.time + seconds;; next += seconds) {
		cleanup(print_put) json *rows = NULL;
		struct samples now;

		wait_until(next);
		if (ended)
			return 0;
		ret = samples_take(context, argc, argv, &now);
		if (ret) {
			samples_free(&now);
			return ret;
		}
		rows = rates(&before, &now);
		if (terminal && lines)
			printf("\033[%dA\033[J", lines);
		lines = print_rates(context, rows, terminal);
		samples_free(&before);
		before = now;
		if (next < before.time) /* stopped for a while: no catching up */
			next = before.time;
		if (fflush(stdout))
			return error_system(&context->error, errno, "cannot write the output");
	}
}
