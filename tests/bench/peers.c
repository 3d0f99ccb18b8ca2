// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of many peers: seconds and memory for reading 10,000 peers with 40,000 ranges from WireGuard, the kernel's
 * if available, else wireguard-go, and for aggregating the ranges. Half of them are IPv4, half IPv6, and some join. It
 * judges nothing.
 *
 *   make bench && build/tests/bench/peers [PEERS]
 */
#include <net/if_arp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "host/wireguard.h"
#include "plan/allowed_ips.h"

#define PEERS 10000
#define ROUNDS 3
#define FOLDER "/run/wireguard"
#define CONFIG FOLDER "/config"

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(1);
}

/* Private network and mounts: nothing remains when this process ends in any way. */
static void prepare(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("needs root");
	mkdir(FOLDER, 0700);
	if (mount("peers", FOLDER, "tmpfs", 0, NULL))
		die("cannot mount");
}

/* It ends with this process. wg(8) cannot wait for it, because it removes a socket without a listener. */
static void start_wireguard_go(void)
{
	pid_t child = fork();

	if (child < 0)
		die("fork");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execlp("sh", "sh", "-c", "exec wireguard-go -f wg0 >/dev/null 2>&1", NULL);
		die("sh");
	}
	for (int tries = 0; system("ss -Hxl | grep -q /wg0.sock"); tries++) {
		if (tries == 500 || waitpid(child, NULL, WNOHANG))
			exit(1);
		usleep(20000);
	}
}

static struct netdev make_tunnel(void)
{
	struct netdev netdev = {.name = "wg0", .kind = "wireguard", .type = ARPHRD_NONE};

	if (!system("ip link add wg0 type wireguard 2>/dev/null"))
		return netdev;
	strcpy(netdev.kind, "tun");
	start_wireguard_go();
	return netdev;
}

/* Each has two addresses and two networks. */
static void write_config(size_t peers)
{
	FILE *file = fopen(CONFIG, "we");

	if (!file)
		die(CONFIG);
	for (size_t i = 0; i < peers; i++) {
		uint8_t key[WIREGUARD_KEY] = {1, i >> 16, i >> 8, i};
		char text[WIREGUARD_KEY_TEXT];
		size_t n = i + i / 2; /* every third is omitted */

		fprintf(file, "[Peer]\nPublicKey = %s\nAllowedIPs = 10.%zu.%zu.%zu/32, 172.%zu.%zu.%zu/28, ",
			wireguard_key_text(key, text), n >> 16, n >> 8 & 255, n & 255, 16 + (n >> 12), n >> 4 & 255,
			n % 16 * 16);
		fprintf(file, "2001:db8:%zx::/64, 2001:db8:ffff::%zx/128\n", n, n);
	}
	if (fclose(file))
		die(CONFIG);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double peak_megabytes(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_maxrss / 1024;
}

struct cost {
	double read, aggregate;
};

static struct cost measure(const struct netdev *netdev, bool show)
{
	cleanup(wireguard_free) struct wireguard wireguard = {};
	double before = peak_megabytes(), begin = now(), middle, end;
	struct prefixes prefixes = {};
	struct error error = {};

	if (wireguard_read(netdev, 60000, &wireguard, &error)) {
		fprintf(stderr, "%s\n", error.text);
		exit(1);
	}
	middle = now();
	if (allowed_ips_aggregate(&wireguard, false, &prefixes, &error))
		exit(1);
	end = now();
	if (show)
		printf("%zu peers, %zu ranges, %zu prefixes; %.1f MB of memory\n", wireguard.peer_count,
		       wireguard.allowed_count, prefixes.count, peak_megabytes() - before);
	free(prefixes.all);
	return (struct cost){middle - begin, end - middle};
}

int main(int argc, char **argv)
{
	size_t peers = argc > 1 ? strtoul(argv[1], NULL, 10) : PEERS;
	struct cost best = {1e9, 1e9};
	struct netdev netdev;

	prepare();
	netdev = make_tunnel();
	write_config(peers);
	if (system("wg setconf wg0 " CONFIG))
		return 1;
	printf("many peers, of %s; the better of %d rounds\n",
	       strcmp(netdev.kind, "tun") ? "the kernel's WireGuard" : "wireguard-go", ROUNDS);
	for (int round = 0; round < ROUNDS; round++) {
		struct cost cost = measure(&netdev, !round);

		best.read = cost.read < best.read ? cost.read : best.read;
		best.aggregate = cost.aggregate < best.aggregate ? cost.aggregate : best.aggregate;
	}
	printf("%-28s %8.3f seconds\n%-28s %8.3f seconds\n", "reading", best.read, "aggregating", best.aggregate);
	return 0;
}
