/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What forwarding costs on a wire: writes packets into devices, from a CPU of its own, and takes the CPU time that the
 * kernel needs until they are in the other device's driver. All of it happens within write(). Rows are interleaved, in
 * another order in each round; each counts that all has arrived, and shows before and after all rounds by one packet
 * that what it measures does what its name says. Some rows are timed by the clock as well, one packet at a time.
 *
 *	wire prefixes COUNT		the prefixes of a lane with a list, after 4 or 6
 *	wire run NETNS ROWS ROUNDS PACKETS INJECTOR OTHER OUTPUT
 *
 * ROWS is a file like the one beside this; NETNS-LANE are its lanes' namespaces. INJECTOR and OTHER are CPUs. It prints
 * "ready" when the devices exist, continues when it reads a line, and writes the results to OUTPUT as JSON.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <json-c/json.h>

#include "floors.h"
#include "lane.h"
#include "traffic.h"

#define LANES_MAX 32
#define ROWS_MAX 128
#define WARM_UP 1000 /* packets, before each series */
#define SINGLE 200   /* packets of a series that are timed one at a time */

struct row {
	char key[32], base[32], lane_name[24], direction[8], sources[16], expects[16], verdict[16];
	struct lane *lane;
	int family, queues;
	bool back;
	struct traffic traffic[LANE_QUEUES];
	uint64_t packets;     /* sent, ever */
	json_object *series;  /* CPU ns per packet */
	json_object *latency; /* ns by the clock of each packet that was sent alone; NULL: this is not asked */
};

static struct lane lanes[LANES_MAX];
static struct row rows[ROWS_MAX];
static int lane_count_all, row_count;
static int cpus[LANE_QUEUES];

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "wire: %s: %s\n", what, strerror(errno));
	exit(1);
}

static _Noreturn void wrong(const struct row *row, const char *what, uint64_t is, uint64_t should)
{
	fprintf(stderr, "wire: %s, IPv%d: %s: %ju, not %ju\n", row->key, row->family, what, (uintmax_t)is,
		(uintmax_t)should);
	exit(1);
}

/* ---- input ---- */

static struct lane *find_lane(const char *name)
{
	for (int i = 0; i < lane_count_all; i++)
		if (!strcmp(lanes[i].name, name))
			return &lanes[i];
	errno = ENOENT;
	die(name);
}

static void add_row(const struct row *from, int family)
{
	struct row *row = &rows[row_count];

	if (row_count == ROWS_MAX) {
		errno = E2BIG;
		die(from->key);
	}
	row_count++;
	*row = *from;
	row->family = family;
	row->back = !strcmp(row->direction, "back");
	row->lane = find_lane(row->lane_name);
	row->queues = !strcmp(row->direction, "both") ? LANE_QUEUES : 1;
	row->series = json_object_new_array();
	for (int i = 0; i < row->queues; i++)
		traffic_build(&row->traffic[i], family, row->back, row->sources, lane_mac);
}

static void add_lane(const struct lane *from, const char *netns)
{
	struct lane *lane = &lanes[lane_count_all];
	char name[64];

	if (lane_count_all == LANES_MAX || from->queues < 1 || from->queues > LANE_QUEUES) {
		errno = E2BIG;
		die(from->name);
	}
	lane_count_all++;
	*lane = *from;
	snprintf(name, sizeof(name), "%s-%s", netns, lane->name);
	lane_open(lane, name);
}

/* Lines for report.py only are skipped, anything else is an error. */
static bool is_for_report(const char *line)
{
	static const char *const words[] = {"#", "group ", "title ", "target ", "scaling ", "scaled "};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strncmp(line, words[i], strlen(words[i])))
			return true;
	return !*line;
}

/* "needs LANE WHAT": the lane is set up, so the kernel has it. */
static bool read_needs(const char *line)
{
	char lane[24], what[16];

	if (sscanf(line, "needs %23s %15s", lane, what) != 2)
		return false;
	find_lane(lane)->flows = !strcmp(what, "flowtable");
	return true;
}

/* "latency KEY" */
static bool read_latency(const char *line)
{
	char key[32];
	int found = 0;

	if (sscanf(line, "latency %31s", key) != 1)
		return false;
	for (int i = 0; i < row_count; i++)
		if (!strcmp(rows[i].key, key) && rows[i].queues == 1) {
			rows[i].latency = json_object_new_array();
			found++;
		}
	return found;
}

static void read_line(const char *line, const char *netns)
{
	struct lane lane = {};
	struct row row = {};

	if (is_for_report(line))
		return;
	if (sscanf(line, "lane %23s %7s %d", lane.name, lane.floor, &lane.queues) == 3) {
		add_lane(&lane, netns);
	} else if (sscanf(line, "row %31s %23s %7s %15s %31s %15s %15s", row.key, row.lane_name, row.direction,
			  row.sources, row.base, row.expects, row.verdict) == 7) {
		add_row(&row, 4);
		add_row(&row, 6);
	} else if (!read_needs(line) && !read_latency(line)) {
		errno = EINVAL;
		die(line);
	}
}

static void read_rows(const char *path, const char *netns)
{
	FILE *file = fopen(path, "re");
	char line[256];

	if (!file)
		die(path);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		read_line(line, netns);
	}
	fclose(file);
}

static int device(const struct row *row, int queue)
{
	return row->back ? row->lane->tap[queue] : row->lane->tun[queue];
}

/* ---- that it does what its name says ---- */

/* A flowtable takes a connection when packets of both directions have been seen: of the lane's rows in turn. */
static void converse(void)
{
	for (int i = 0; i < 3 * row_count; i++) {
		struct row *row = &rows[i % row_count];

		if (!row->lane->flows)
			continue;
		lane_set_sinks(row->lane, true);
		traffic_send(&row->traffic[0], device(row, 0), 1);
		row->packets++;
	}
}

static void prove(struct row *row)
{
	/* only real forwarding takes a hop, a mere redirect does not */
	bool forwards = !strcmp(row->lane->floor, "-") || !strcmp(row->lane->floor, "empty");
	const uint8_t *mac = !strcmp(row->expects, "service") ? lane_service_mac : lane_firewall_mac;
	uint8_t frame[LANE_FRAME_MAX], hop_limit, *ip = frame + LINK_LEN;
	uint64_t before = lane_count(row->lane);
	int len;

	lane_set_sinks(row->lane, false);
	traffic_send(&row->traffic[0], device(row, 0), 1);
	row->packets++;
	len = lane_read(row->lane, !row->back, frame);
	lane_set_sinks(row->lane, true);

	if (!strcmp(row->expects, "nothing")) {
		if (len || lane_count(row->lane) != before + 1)
			wrong(row, "a packet that is to be dropped at once has gone on, length", len, 0);
		return;
	}
	if (!len)
		wrong(row, "packets that have arrived", 0, 1);
	if (!row->back && memcmp(frame, mac, 6) != 0)
		wrong(row, "the frame goes to the MAC that ends in", frame[5], mac[5]);
	if (memcmp(ip + 40, row->traffic[0].frame.data + LINK_LEN + 40, FLOORS_PACKET_LEN - 40) != 0)
		wrong(row, "the payload has changed: bytes", len, 0);
	hop_limit = row->family == 4 ? ip[8] : ip[7];
	if (hop_limit != (forwards ? 63 : 64))
		wrong(row, "the hop limit that has arrived", hop_limit, forwards ? 63 : 64);
}

/* ---- measuring ---- */

struct injector {
	struct row *row;
	int queue, count;
	pthread_barrier_t *barrier;
	double ns;
};

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("cannot stay on a CPU");
}

static double cpu_time(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

static void *inject(void *data)
{
	struct injector *injector = data;
	struct row *row = injector->row;
	int fd = device(row, injector->queue);

	stay_on(cpus[injector->queue]);
	traffic_send(&row->traffic[injector->queue], fd, WARM_UP);
	if (injector->barrier)
		pthread_barrier_wait(injector->barrier);
	injector->ns = -cpu_time();
	traffic_send(&row->traffic[injector->queue], fd, injector->count);
	injector->ns += cpu_time();
	return NULL;
}

/* CPU ns per packet, the mean of all injectors. */
static double inject_from_all(struct row *row, int count)
{
	struct injector injectors[LANE_QUEUES];
	pthread_barrier_t barrier;
	pthread_t thread;

	for (int i = 0; i < row->queues; i++)
		injectors[i] = (struct injector){row, i, count, row->queues > 1 ? &barrier : NULL, 0};
	if (row->queues == 1) {
		inject(&injectors[0]);
		return injectors[0].ns / count;
	}
	pthread_barrier_init(&barrier, NULL, row->queues);
	if (pthread_create(&thread, NULL, inject, &injectors[1]))
		die("cannot start a second injector");
	inject(&injectors[0]);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&barrier);
	return (injectors[0].ns + injectors[1].ns) / count / 2;
}

static void measure(struct row *row, int count)
{
	uint64_t before = lane_count(row->lane), sent = (uint64_t)row->queues * (WARM_UP + count), arrived;
	double ns = inject_from_all(row, count);

	row->packets += sent;
	arrived = lane_count(row->lane) - before;
	if (arrived != sent)
		wrong(row, "packets that have arrived", arrived, sent);
	json_object_array_add(row->series, json_object_new_double(ns));
}

static double clock_time(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

/* The next packet is sent when the one before it has left, and has been counted. */
static void time_each(struct row *row)
{
	uint64_t before = lane_count(row->lane);

	for (int i = 1; i <= SINGLE; i++) {
		double ns = -clock_time();

		traffic_send(&row->traffic[0], device(row, 0), 1);
		ns += clock_time();
		if (lane_count(row->lane) != before + i)
			wrong(row, "packets that have left one by one", lane_count(row->lane) - before, i);
		json_object_array_add(row->latency, json_object_new_int64(ns));
	}
	row->packets += SINGLE;
}

/* Fisher and Yates; the order is of no other interest than to be another one. */
static void shuffle(int order[], int count)
{
	for (int i = count - 1; i > 0; i--) {
		int other = rand() % (i + 1), kept = order[i];

		order[i] = order[other];
		order[other] = kept;
	}
}

static void measure_all(int rounds, int count)
{
	int order[ROWS_MAX];

	converse();
	for (int i = 0; i < row_count; i++) {
		order[i] = i;
		prove(&rows[i]);
	}
	for (int round = 0; round < rounds; round++) {
		shuffle(order, row_count);
		for (int i = 0; i < row_count; i++) {
			measure(&rows[order[i]], count);
			if (rows[order[i]].latency)
				time_each(&rows[order[i]]);
		}
	}
	for (int i = 0; i < row_count; i++)
		prove(&rows[i]);
}

static void write_json(const char *path, int rounds, int count)
{
	json_object *all = json_object_new_object(), *list = json_object_new_array();

	json_object_object_add(all, "rounds", json_object_new_int(rounds));
	json_object_object_add(all, "packets", json_object_new_int(count));
	for (int i = 0; i < row_count; i++) {
		json_object *row = json_object_new_object();

		json_object_object_add(row, "key", json_object_new_string(rows[i].key));
		json_object_object_add(row, "family", json_object_new_int(rows[i].family));
		json_object_object_add(row, "lane", json_object_new_string(rows[i].lane_name));
		json_object_object_add(row, "base", json_object_new_string(rows[i].base));
		json_object_object_add(row, "verdict", json_object_new_string(rows[i].verdict));
		json_object_object_add(row, "sent", json_object_new_int64(rows[i].packets));
		json_object_object_add(row, "ns", rows[i].series);
		json_object_object_add(row, "latency", rows[i].latency);
		json_object_array_add(list, row);
	}
	json_object_object_add(all, "rows", list);
	if (json_object_to_file_ext(path, all, JSON_C_TO_STRING_PLAIN))
		die(path);
	json_object_put(all);
}

static int run(char **argv)
{
	int rounds = atoi(argv[2]), count = atoi(argv[3]);

	cpus[0] = atoi(argv[4]);
	cpus[1] = atoi(argv[5]);
	read_rows(argv[1], argv[0]);
	puts("ready");
	fflush(stdout);
	if (getchar() == EOF)
		return 1;
	stay_on(cpus[0]);
	setpriority(PRIO_PROCESS, 0, -20); /* other processes cost cache lines even if they cost no CPU time */
	measure_all(rounds, count);
	write_json(argv[6], rounds, count);
	return 0;
}

static int print_prefixes(uint32_t count)
{
	static const struct {
		int number, family, length;
	} families[] = {{4, AF_INET, PREFIX4_LEN}, {6, AF_INET6, PREFIX6_LEN}};

	for (int f = 0; f < 2; f++)
		for (uint32_t i = 0; i < count; i++) {
			char text[INET6_ADDRSTRLEN];
			uint8_t addr[16];

			traffic_prefix(families[f].number, i, addr);
			inet_ntop(families[f].family, addr, text, sizeof(text));
			printf("%d %s/%d\n", families[f].number, text, families[f].length);
		}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "prefixes"))
		return print_prefixes(strtoul(argv[2], NULL, 10));
	if (argc == 9 && !strcmp(argv[1], "run"))
		return run(argv + 2);
	fprintf(stderr, "usage: wire prefixes COUNT | wire run NETNS ROWS ROUNDS PACKETS INJECTOR OTHER OUTPUT\n");
	return 2;
}
