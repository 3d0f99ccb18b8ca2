/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A lossless tunnel, for tests that count: two TUN devices, and each packet into one comes out of the other. A real
 * tunnel drops packets when its processes do not run for some 50 ms, as on a busy machine.
 *
 *	cable NAMESPACE DEVICE NAMESPACE DEVICE		until it is ended; the devices vanish with it
 *
 * NAMESPACE is a path such as /run/netns/NAME. The devices are up when "ready" is printed, and have no addresses.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define QUEUE 20000 /* packets */
#define PACKET_MAX 65536

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "cable: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void device_ioctl(int fd, unsigned long request, struct ifreq *ifr, const char *device)
{
	if (ioctl(fd, request, ifr))
		die(device);
}

/* A TUN device with that name in that namespace, in which this process stays. */
static int open_end(const char *namespace, const char *device)
{
	int netns = open(namespace, O_RDONLY | O_CLOEXEC), fd, control;
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};

	if (netns < 0 || setns(netns, CLONE_NEWNET))
		die(namespace);
	close(netns);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || control < 0)
		die("/dev/net/tun");
	strncpy(ifr.ifr_name, device, IFNAMSIZ - 1);
	device_ioctl(fd, TUNSETIFF, &ifr, device);
	ifr.ifr_qlen = QUEUE;
	device_ioctl(control, SIOCSIFTXQLEN, &ifr, device);
	ifr.ifr_mtu = 1420;
	device_ioctl(control, SIOCSIFMTU, &ifr, device);
	device_ioctl(control, SIOCGIFFLAGS, &ifr, device);
	ifr.ifr_flags |= IFF_UP;
	device_ioctl(control, SIOCSIFFLAGS, &ifr, device);
	close(control);
	return fd;
}

/* A few packets, so that the other direction gets its turn. */
static void carry(int from, int to)
{
	static char packet[PACKET_MAX];

	for (int i = 0; i < 64; i++) {
		ssize_t len = read(from, packet, sizeof(packet));

		if (len < 0 && errno == EAGAIN)
			return;
		if (len < 0)
			die("read");
		/* EIO: the device is down; packets that it does not accept are lost as on any link */
		if (write(to, packet, len) != len && errno != EIO && errno != EINVAL)
			die("write");
	}
}

int main(int argc, char **argv)
{
	struct pollfd ends[2];

	if (argc != 5) {
		fprintf(stderr, "usage: cable NAMESPACE DEVICE NAMESPACE DEVICE\n");
		return 2;
	}
	for (int i = 0; i < 2; i++)
		ends[i] = (struct pollfd){open_end(argv[1 + 2 * i], argv[2 + 2 * i]), POLLIN, 0};
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (poll(ends, 2, -1) < 0)
			die("poll");
		for (int i = 0; i < 2; i++)
			if (ends[i].revents)
				carry(ends[i].fd, ends[!i].fd);
	}
}
