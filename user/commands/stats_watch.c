// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live rates by verdict, between two samples.
 */
#include <math.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "commands/counters.h"
#include "commands/output.h"
#include "commands/terminal.h"

#define ROW_MAX 160

static volatile sig_atomic_t ended, resized;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

static void resize(int signal)
{
	(void)signal;
	resized = 1;
}

/* "12.3 k", with an SI prefix. */
static const char *scaled(double number, char text[16])
{
	static const char prefixes[] = " kMGTP";
	int prefix = 0;

	while (number >= 999.95 && prefix < 5) {
		number /= 1000;
		prefix++;
	}
	snprintf(text, 16, "%.1f %.*s", number, prefix > 0, &prefixes[prefix]);
	return text;
}

static const struct sample *find_sample(const struct samples *samples, const char *tunnel)
{
	for (size_t i = 0; i < samples->count; i++)
		if (!strcmp(samples->all[i].tunnel, tunnel))
			return &samples->all[i];
	return NULL;
}

/* One row per verdict that changed, with -v all. Counters that decreased belong to a new instance, which began at 0. */
static json *rates(const struct samples *before, const struct samples *now)
{
	uint64_t time = print_realtime();
	double seconds = now->time - before->time;
	json *rows = print_array();

	for (size_t i = 0; i < now->count; i++) {
		const struct sample *old = find_sample(before, now->all[i].tunnel);

		for (int verdict = 0; verdict < WGVIA_VERDICT_COUNT; verdict++) {
			struct wgvia_counter new = sample_sum(&now->all[i], verdict), last = {};
			json *row = print_object();

			if (old)
				last = sample_sum(old, verdict);
			if (last.packets > new.packets)
				last = (struct wgvia_counter){};
			print_add_time(row, time);
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

/* The rates since `before`, which is replaced by the present sample. */
static int take_rates(struct context *context, int argc, char **argv, struct samples *before, json **rows)
{
	struct samples now;
	int ret = samples_take(context, argc, argv, false, &now);

	if (ret && !now.count) {
		samples_free(&now);
		return ret;
	}
	context->error = (struct error){};
	print_release(rows);
	*rows = rates(before, &now);
	samples_free(before);
	*before = now;
	return 0;
}

/* Prints the line; returns the number of lines it takes on the terminal. */
static int print_row(const char *row)
{
	size_t width = terminal_width(stdout), len = terminal_count(row);

	puts(row);
	return width && len > width ? (int)((len + width - 1) / width) : 1;
}

static const char *idle_line(const json *rows, double seconds, char line[ROW_MAX])
{
	if (!json_object_array_length(rows))
		return "no instance is running";
	snprintf(line, ROW_MAX, "idle: no packets in the last %g s", seconds);
	return line;
}

/* Returns the number of lines it takes on a terminal. */
static int print_rates(const struct context *context, const json *rows, bool terminal, double seconds)
{
	char packets[16], bits[16], stamp[32] = "", line[ROW_MAX];
	time_t now = time(NULL);
	struct tm tm;
	int lines = 0, heading;

	if (context->json) {
		print_line(rows);
		return 1;
	}
	if (!terminal)
		strftime(stamp, sizeof(stamp), "%FT%T ", localtime_r(&now, &tm));
	snprintf(line, sizeof(line), "%-15s %-10s %16s %16s", "interface", "verdict", "packets", "bits");
	lines = heading = terminal ? print_row(line) : 0;
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		const json *row = json_object_array_get_idx(rows, i);

		if (rate(row, "packets_per_second") == 0 && !context->verbose)
			continue;
		snprintf(line, sizeof(line), "%s%-15s %-10s %9spackets/s %9sbit/s", stamp, print_text(row, "interface"),
			 print_text(row, "verdict"), scaled(rate(row, "packets_per_second"), packets),
			 scaled(rate(row, "bits_per_second"), bits));
		lines += print_row(line);
	}
	if (terminal && lines == heading)
		lines += print_row(idle_line(rows, seconds, line));
	return lines;
}

/* After a change of size it is unknown how the terminal shows the old lines: erases all of them. */
static void erase(int lines)
{
	if (resized)
		printf("\033[H\033[2J");
	else if (lines)
		printf("\033[%dA\033[J", lines);
	resized = 0;
}

/* Waits until then, or for a signal. */
static void wait_until(double when)
{
	struct timespec until = {.tv_sec = (time_t)when, .tv_nsec = (long)((when - floor(when)) * 1e9)};

	while (!ended && !resized && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

static void catch_signals(bool terminal)
{
	struct sigaction action = {.sa_handler = end}; /* no SA_RESTART: a signal ends the sleep */

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	action.sa_handler = resize;
	if (terminal)
		sigaction(SIGWINCH, &action, NULL);
}

int samples_watch(struct context *context, int argc, char **argv, double seconds)
{
	cleanup(samples_free) struct samples before = {};
	cleanup(print_release) json *rows = NULL;
	bool terminal = isatty(STDOUT_FILENO) && !context->json;
	int lines = 0;
	int ret = samples_take(context, argc, argv, false, &before);

	if (ret && !before.count)
		return ret;
	catch_signals(terminal);
	for (double next = before.time + seconds;;) {
		wait_until(next);
		if (ended)
			return 0;
		if (!rows)
			resized = 0; /* nothing is drawn yet */
		if (!resized) {
			ret = take_rates(context, argc, argv, &before, &rows);
			if (ret)
				return ret;
			/* stopped for a while: skip missed intervals */
			next = (next < before.time ? before.time : next) + seconds;
		}
		if (terminal)
			erase(lines);
		lines = print_rates(context, rows, terminal, seconds);
		if (fflush(stdout))
			return error_system(&context->error, errno, "cannot write the output");
	}
}
