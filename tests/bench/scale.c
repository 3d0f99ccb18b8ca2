// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of many prefixes: seconds and peak memory of the commands on 1,000, 10,000 and 100,000 of them, half IPv4
 * and half IPv6, with the program itself. Each runs with batches of map entries and without, in turn, so that the two
 * can be compared on any machine. It judges nothing.
 *
 *   make all bench && build/tests/bench/scale      WGVIA=FILE measures another program
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../prog/programs.h"
#include "base/util.h"

#define ROUNDS 2

static const size_t sizes[] = {1000, 10000, 100000};

/* In this order; each step finds the result of the previous one. */
enum { APPLY, AGAIN, ONE_LINE, SAVE, SHOW, SHOW_JSON, DOWN, STEPS };
static const char *const titles[STEPS] = {
	[APPLY] = "apply, nothing was running",
	[AGAIN] = "apply, nothing changes",
	[ONE_LINE] = "apply, one line changes",
	[SAVE] = "save",
	[SHOW] = "show",
	[SHOW_JSON] = "show -j",
	[DOWN] = "down",
};

struct cost {
	double seconds;
	double megabytes;
};

/* A private mount namespace: nothing remains when this process ends in any way. */
#define FOLDER "/mnt"
#define PINS FOLDER "/bpf"
#define CONFIG FOLDER "/config"
#define CHANGED FOLDER "/changed"

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(1);
}

static void prepare(void)
{
	char text[200];

	programs_need_root();
	programs_namespace();
	snprintf(text, sizeof(text),
		 "ip address add 192.0.2.2/24 dev %s && ip address add 2001:db8:2::2/64 dev %s nodad",
		 devices[DEVICE_LAN].name, devices[DEVICE_LAN].name);
	if (system(text))
		exit(1);
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("scale", FOLDER, "tmpfs", 0, NULL) || mkdir(PINS, 0700) || mount("scale", PINS, "bpf", 0, NULL))
		die("cannot mount");
}

static void write_config(const char *path, size_t count, size_t other)
{
	FILE *file = fopen(path, "we");

	if (!file)
		die(path);
	for (size_t i = 0; i < count / 2; i++) {
		fprintf(file, "from 20.%zu.%zu.%zu/28 via 192.0.2.%d dev %s\n", i / 4096, i / 16 % 256, i % 16 * 16,
			i == other ? 9 : 1, devices[DEVICE_LAN].name);
		fprintf(file, "from 2001:db8:77:%zx::/64 via 2001:db8:2::1 dev %s\n", i, devices[DEVICE_LAN].name);
	}
	if (fclose(file))
		die(path);
}

static struct cost run(const char *batch, const char *const words[])
{
	static const char *program;
	const char *argv[16] = {"wgvia", "--pin-dir", PINS};
	struct timespec begin, end;
	struct rusage usage;
	int status;
	pid_t child;

	if (!program)
		program = getenv("WGVIA") ?: "build/wgvia";
	for (size_t i = 0; words[i]; i++)
		argv[3 + i] = words[i];
	clock_gettime(CLOCK_MONOTONIC, &begin);
	child = fork();
	if (!child) {
		int null = open("/dev/null", O_WRONLY);

		setenv("WGVIA_BATCH", batch, 1);
		if (null < 0 || dup2(null, STDOUT_FILENO) < 0)
			_exit(127);
		execv(program, (char *const *)argv);
		perror(program);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) < 0)
		die("fork");
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (status) {
		fprintf(stderr, "wgvia %s: status %d\n", words[0], WEXITSTATUS(status));
		exit(1);
	}
	return (struct cost){(double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9,
			     (double)usage.ru_maxrss / 1024};
}

static struct cost run_step(int step, const char *batch)
{
	const char *tunnel = devices[DEVICE_TUNNEL].name;

	switch (step) {
	case APPLY:
	case AGAIN:
		return run(batch, (const char *[]){"apply", tunnel, CONFIG, NULL});
	case ONE_LINE:
		return run(batch, (const char *[]){"apply", tunnel, CHANGED, NULL});
	case SAVE:
		return run(batch, (const char *[]){"save", tunnel, NULL});
	case SHOW:
		return run(batch, (const char *[]){"show", tunnel, NULL});
	case SHOW_JSON:
		return run(batch, (const char *[]){"-j", "show", tunnel, NULL});
	default:
		return run(batch, (const char *[]){"down", tunnel, NULL});
	}
}

/*
 * Memory that the kernel uses for the prefixes and for the entries that keep them in the tunnel; 0 if it does not
 * report it.
 */
static double kernel_megabytes(void)
{
	static const char *const maps[] = {"prefixes4", "prefixes6", "bypass4", "bypass6"};
	char path[160], line[160];
	double sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		unsigned long long bytes = 0;
		FILE *info;
		int fd;

		snprintf(path, sizeof(path), PINS "/%s/%s", devices[DEVICE_TUNNEL].name, maps[i]);
		fd = bpf_obj_get(path);
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		info = fopen(path, "re");
		while (info && fgets(line, sizeof(line), info))
			if (sscanf(line, "memlock: %llu", &bytes) == 1)
				sum += (double)bytes / (1 << 20);
		if (info)
			fclose(info);
		if (fd >= 0)
			close(fd);
	}
	return sum;
}

static int compare(const void *a, const void *b)
{
	const struct cost *first = a, *second = b;

	return (first->seconds > second->seconds) - (first->seconds < second->seconds);
}

static void measure(size_t count)
{
	static struct cost costs[STEPS][2][ROUNDS]; /* with batches, without */
	double kernel = 0;

	write_config(CONFIG, count, count);
	write_config(CHANGED, count, count / 4);
	for (int round = 0; round < ROUNDS; round++)
		for (int without = 0; without < 2; without++)
			for (int step = 0; step < STEPS; step++) {
				costs[step][without][round] = run_step(step, without ? "no" : "yes");
				if (step == APPLY)
					kernel = kernel_megabytes();
			}
	for (int step = 0; step < STEPS; step++) {
		struct cost *with = costs[step][0], *without = costs[step][1];

		qsort(with, ROUNDS, sizeof(*with), compare);
		qsort(without, ROUNDS, sizeof(*without), compare);
		printf("%7zu %-28s %8.3f %8.1f %14.3f %6.2f\n", count, titles[step], with[0].seconds, with[0].megabytes,
		       without[0].seconds, without[0].seconds / with[0].seconds);
	}
	printf("%7zu %-28s %8s %8.1f\n", count, "the kernel's maps", "", kernel);
}

int main(void)
{
	prepare();
	printf("many prefixes: the better of %d rounds; down returns "
	       "before the kernel has given all of the memory back\n",
	       ROUNDS);
	printf("%-36s %8s %8s %14s %6s\n", "", "seconds", "peak MB", "entry by entry", "ratio");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		measure(sizes[i]);
	return 0;
}
