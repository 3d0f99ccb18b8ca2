/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbered datagrams at a steady rate, for tests that count lost and reordered packets, in both directions.
 *
 *	load echo PORT						answers every datagram, IPv4 and IPv6
 *	load send RATE PORT [SOURCE DESTINATION]...		RATE packets per second in total, until SIGTERM
 *	load send RATE,SECONDS ...				for that time
 *
 * The sender prints one JSON object at its end: sent; out and back, each {received, lost, reordered, duplicated};
 * refused, packets that its own kernel did not accept; asked, its requests at the end, which are packets as well. A
 * packet is reordered if it arrives after a later one (RFC 4737).
 *
 * A sender that could not run for a while skips what it missed: a burst would cause losses by the test itself.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FLOWS 4096
#define TICK 1000000 /* ns */
#define QUERY UINT64_MAX
#define NUMBERS (1u << 24) /* of one flow */

/* What one end saw of one flow. */
struct seen {
	uint64_t received, reordered, duplicated;
};

struct datagram {
	uint64_t flow;
	uint64_t number;  /* QUERY: the sender has finished, and asks for the result */
	struct seen seen; /* of the echo, in its answer to QUERY */
	uint8_t padding[40];
};

struct flow {
	uint64_t id, next, highest;
	struct seen seen, far;
	uint8_t *bits;
	int fd;
	bool done;
};

static struct flow flows[FLOWS];
static int flow_count;
static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct flow *flow_add(uint64_t id)
{
	struct flow *flow = &flows[flow_count];

	if (flow_count == FLOWS)
		return NULL;
	flow->id = id;
	flow->bits = calloc(NUMBERS / 8, 1);
	if (!flow->bits)
		die("calloc");
	flow_count++;
	return flow;
}

static struct flow *flow_find(uint64_t id)
{
	for (int i = 0; i < flow_count; i++)
		if (flows[i].id == id)
			return &flows[i];
	return NULL;
}

static void see(struct flow *flow, uint64_t number)
{
	uint8_t bit = 1 << (number % 8), *byte = &flow->bits[number % NUMBERS / 8];

	if (*byte & bit) {
		flow->seen.duplicated++;
		return;
	}
	*byte |= bit;
	flow->seen.received++;
	if (number < flow->highest)
		flow->seen.reordered++;
	else
		flow->highest = number;
}

static int udp_socket(int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), size = 32 << 20;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		die("socket");
	return fd;
}

/* ---- the far end ---- */

static void echo(uint16_t port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct pollfd poller = {udp_socket(AF_INET6), POLLIN, 0};

	if (bind(poller.fd, (void *)&address, sizeof(address)))
		die("bind");
	while (!stop) {
		struct datagram datagram;
		socklen_t len = sizeof(address);
		struct flow *flow;

		if (recvfrom(poller.fd, &datagram, sizeof(datagram), 0, (void *)&address, &len) != sizeof(datagram)) {
			poll(&poller, 1, 100);
			continue;
		}
		flow = flow_find(datagram.flow);
		if (!flow && !(flow = flow_add(datagram.flow)))
			continue;
		if (datagram.number != QUERY)
			see(flow, datagram.number);
		datagram.seen = flow->seen;
		sendto(poller.fd, &datagram, sizeof(datagram), 0, (void *)&address, len);
	}
}

/* ---- the near end ---- */

static socklen_t parse(const char *text, uint16_t port, struct sockaddr_storage *address)
{
	struct sockaddr_in *four = (void *)address;
	struct sockaddr_in6 *six = (void *)address;

	*address = (struct sockaddr_storage){};
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		return sizeof(*four);
	}
	if (inet_pton(AF_INET6, text, &six->sin6_addr) != 1)
		die(text);
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	return sizeof(*six);
}

static void flow_open(const char *source, const char *destination, uint16_t port)
{
	struct flow *flow = flow_add((uint64_t)getpid() << 32 | (uint64_t)flow_count << 24 | (time(NULL) & 0xffffff));
	struct sockaddr_storage address;
	socklen_t len;

	if (!flow)
		die("too many flows");
	len = parse(source, 0, &address);
	flow->fd = udp_socket(address.ss_family);
	if (bind(flow->fd, (void *)&address, len))
		die(source);
	len = parse(destination, port, &address);
	if (connect(flow->fd, (void *)&address, len))
		die(destination);
}

static bool flow_send(struct flow *flow, uint64_t number)
{
	struct datagram datagram = {.flow = flow->id, .number = number};

	return send(flow->fd, &datagram, sizeof(datagram), 0) == sizeof(datagram);
}

static void flow_receive(struct flow *flow)
{
	struct datagram datagram;
	ssize_t len;

	/* an incoming ICMP error is read here, and ends nothing */
	while ((len = recv(flow->fd, &datagram, sizeof(datagram), 0)) >= 0 || (errno != EAGAIN && errno != EINTR)) {
		if (len != sizeof(datagram) || datagram.flow != flow->id)
			continue;
		if (datagram.number == QUERY) {
			flow->far = datagram.seen;
			flow->done = true;
		} else {
			see(flow, datagram.number);
		}
	}
}

static void wait_until(uint64_t ns)
{
	struct timespec until = {ns / 1000000000, ns % 1000000000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR && !stop)
		;
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

/* A flow that worked, and whose far end has not said yet what it received. */
static bool is_awaited(void)
{
	for (int i = 0; i < flow_count; i++)
		if (!flows[i].done && flows[i].seen.received)
			return true;
	return false;
}

/*
 * Waits for packets on their way, then asks the far end repeatedly, because a request may be lost as well: for a
 * second, and on a busy machine for ten. Returns the number of requests.
 */
static uint64_t finish(void)
{
	uint64_t received = 0, before = UINT64_MAX, asked = 0;

	for (int rounds = 0; rounds < 100 && received != before; rounds++) {
		before = received;
		wait_until(now() + 300 * TICK);
		received = 0;
		for (int i = 0; i < flow_count; i++) {
			flow_receive(&flows[i]);
			received += flows[i].seen.received;
		}
	}
	for (int tries = 0; tries < 20 || (tries < 200 && is_awaited()); tries++) {
		for (int i = 0; i < flow_count; i++)
			if (!flows[i].done)
				asked += flow_send(&flows[i], QUERY);
		wait_until(now() + 50 * TICK);
		for (int i = 0; i < flow_count; i++)
			flow_receive(&flows[i]);
	}
	return asked;
}

static void print_seen(const char *name, uint64_t sent, const struct seen *seen)
{
	printf("\"%s\":{\"received\":%ju,\"lost\":%jd,\"reordered\":%ju,\"duplicated\":%ju}", name, seen->received,
	       (intmax_t)(sent - seen->received), seen->reordered, seen->duplicated);
}

static void send_all(unsigned int rate)
{
	struct seen out = {}, back = {};
	uint64_t begin = now(), ticks = 0, due = 0, refused = 0, sent = 0, asked;

	while (!stop) {
		uint64_t owed = ++ticks * TICK * rate / 1000000000;

		wait_until(begin + ticks * TICK);
		if (now() >
		    begin + (ticks + 20) * TICK) /* the process did not run for a while: skip the missed ticks */
			ticks = (now() - begin) / TICK;
		for (; due < owed; due++) {
			struct flow *flow = &flows[due % flow_count];

			if (flow_send(flow, flow->next))
				flow->next++;
			else
				refused++;
		}
		if (ticks * TICK * rate / 1000000000 > due)
			due = ticks * TICK * rate / 1000000000;
		for (int i = 0; i < flow_count; i++)
			flow_receive(&flows[i]);
	}
	asked = finish();
	for (int i = 0; i < flow_count; i++) {
		const struct flow *flow = &flows[i];

		sent += flow->next;
		out.received += flow->far.received;
		out.reordered += flow->far.reordered;
		out.duplicated += flow->far.duplicated;
		back.received += flow->seen.received;
		back.reordered += flow->seen.reordered;
		back.duplicated += flow->seen.duplicated;
	}
	printf("{\"sent\":%ju,\"refused\":%ju,\"asked\":%ju,", sent, refused, asked);
	print_seen("out", sent, &out);
	printf(",");
	print_seen("back", out.received, &back);
	printf("}\n");
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	if (argc == 3 && !strcmp(argv[1], "echo")) {
		echo(atoi(argv[2]));
		return 0;
	}
	if (argc >= 6 && argc % 2 == 0 && !strcmp(argv[1], "send")) {
		for (int i = 4; i < argc; i += 2)
			flow_open(argv[i], argv[i + 1], atoi(argv[3]));
		if (strchr(argv[2], ','))
			alarm(atoi(strchr(argv[2], ',') + 1));
		send_all(atoi(argv[2]));
		return 0;
	}
	fprintf(stderr, "usage: load echo PORT | load send RATE[,SECONDS] PORT [SOURCE DESTINATION]...\n");
	return 2;
}
