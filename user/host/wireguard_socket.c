// SPDX-License-Identifier: GPL-2.0-only
/*
 * A WireGuard in user space, such as wireguard-go: "get=1" on its socket, and lines of KEY=VALUE as the answer
 * (https://www.wireguard.com/xplatform/). It ignores keys other than those of peers and ranges, including private keys,
 * and no message shows received data.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include "base/file.h"
#include "base/util.h"
#include "host/unix_listener.h"
#include "host/wireguard_read.h"

#define FOLDER "/var/run/wireguard"
#define LINE_MAX_LEN 512 /* the longest is a key with 64 digits, or an endpoint with its zone */

/* --- the text --- */

/* A decimal number without other characters; -1 if it is larger than `max`, or not a number. */
static int number_of(const char *text, int max)
{
	int number = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return -1;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text))
			return -1;
		number = number * 10 + *text - '0';
		if (number > max)
			return -1;
	}
	return number;
}

static int digit_of(char digit)
{
	return isdigit((unsigned char)digit) ? digit - '0' : tolower((unsigned char)digit) - 'a' + 10;
}

static int take_key(struct wireguard *wireguard, const char *text)
{
	uint8_t key[WIREGUARD_KEY];

	if (strspn(text, "0123456789abcdefABCDEF") != 2 * sizeof(key) || text[2 * sizeof(key)])
		return -EBADMSG;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = digit_of(text[2 * i]) << 4 | digit_of(text[2 * i + 1]);
	return wireguard_add_peer(wireguard, key);
}

/* ADDRESS/LENGTH; `text` is overwritten. */
static int take_range(struct wireguard *wireguard, char *text)
{
	char *slash = strchr(text, '/');
	struct ip ip = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};
	int len;

	if (!slash)
		return -EBADMSG;
	*slash = '\0';
	len = number_of(slash + 1, (int)ip_bits(ip.family));
	if (len < 0 || inet_pton(ip.family, text, ip.addr) != 1)
		return -EBADMSG;
	return wireguard_add_allowed(wireguard, &ip, len);
}

static int take_errno(struct wireguard_answer *answer, const char *text)
{
	if (*text == '-') /* wireguard-go's numbers are negative */
		text++;
	answer->errnum = number_of(text, 4095);
	answer->has_errno = true;
	return answer->errnum < 0 ? -EBADMSG : 0;
}

static int take_line(struct wireguard_answer *answer, char *line)
{
	char *value = strchr(line, '=');

	if (!*line && answer->has_errno) {
		answer->is_ended = true;
		return 0;
	}
	if (!value || answer->has_errno)
		return -EBADMSG;
	*value++ = '\0';
	if (!strcmp(line, "public_key"))
		return take_key(answer->wireguard, value);
	if (!strcmp(line, "allowed_ip"))
		return take_range(answer->wireguard, value);
	return strcmp(line, "errno") ? 0 : take_errno(answer, value);
}

ssize_t wireguard_take_lines(struct wireguard_answer *answer, char *text, size_t len)
{
	char *line = text, *end;

	while (!answer->is_ended && (end = memchr(line, '\n', text + len - line))) {
		int ret;

		if (memchr(line, '\0', end - line))
			return -EBADMSG;
		*end = '\0';
		ret = take_line(answer, line);
		if (ret)
			return ret;
		answer->lines++;
		line = end + 1;
	}
	return line - text;
}

/* --- the socket --- */

struct connection {
	int fd;
	int64_t end; /* deadline, in milliseconds */
	const char *path;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static int64_t left_ms(const struct connection *connection)
{
	int64_t left = connection->end - now_ms();

	return left > 0 ? left : 0;
}

/* With a full queue, connect() waits for as long as a send may (unix_stream_connect()). */
static int say_get(struct connection *connection)
{
	static const char get[] = "get=1\n\n";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int64_t left = left_ms(connection);
	const struct timeval limit = {left / 1000, left % 1000 * 1000 + 1}; /* 0 would mean no limit */

	if (strlen(connection->path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, connection->path);
	connection->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connection->fd < 0 || setsockopt(connection->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ||
	    connect(connection->fd, (const struct sockaddr *)&address, sizeof(address)))
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return send(connection->fd, get, strlen(get), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Receives at least one byte, returns the number; -EBADMSG: the answer is truncated. */
static ssize_t receive(const struct connection *connection, char *text, size_t size)
{
	struct pollfd polled = {connection->fd, POLLIN, 0};
	ssize_t len;
	int ret;

	do {
		ret = poll(&polled, 1, (int)left_ms(connection));
	} while (ret < 0 && errno == EINTR);
	if (ret <= 0)
		return ret ? -errno : -ETIMEDOUT;
	len = recv(connection->fd, text, size, MSG_DONTWAIT);
	if (len < 0)
		return -errno;
	return len ? len : -EBADMSG;
}

static int receive_answer(const struct connection *connection, struct wireguard_answer *answer)
{
	char text[16 * LINE_MAX_LEN] = "";
	size_t len = 0;
	ssize_t ret = 0;

	while (!answer->is_ended && ret >= 0) {
		ret = len < LINE_MAX_LEN ? receive(connection, text + len, sizeof(text) - len) : -EBADMSG;
		if (ret < 0)
			break;
		len += ret;
		ret = wireguard_take_lines(answer, text, len);
		if (ret > 0) {
			len -= ret;
			memmove(text, text + ret, len);
		}
	}
	explicit_bzero(text, sizeof(text)); /* it contains the private key, and the peers' preshared keys */
	return ret < 0 ? (int)ret : -answer->errnum;
}

/* Reports what is wrong with the answer. */
static int fail(const char *path, int ret, const struct wireguard_answer *answer, struct error *error)
{
	if (answer->errnum > 0)
		return error_system(error, answer->errnum, "WireGuard refuses to answer at '%s'", path);
	if (ret == -EBADMSG)
		error_refuse(error, "the answer from '%s' is incomplete or not WireGuard's: line %u", path,
			     answer->lines + 1);
	else if (ret == -ETIMEDOUT)
		error_refuse(error, "WireGuard did not answer in time at '%s'", path);
	else
		error_system(error, -ret, "cannot read the peers of WireGuard from '%s'", path);
	return ret;
}

/* Sends the request; reports what went wrong. A server that exited leaves a socket without an owner. */
static int ask(struct connection *connection, struct error *error)
{
	int ret = say_get(connection);

	if (ret == -ENOENT || ret == -ENOTDIR)
		return -EOPNOTSUPP;
	if (ret == -ETIMEDOUT)
		return fail(connection->path, ret, &(struct wireguard_answer){}, error);
	if (ret) {
		errno = -ret;
		file_error(error, "connect to", connection->path);
		return ret;
	}
	if (unix_listener_is_own(connection->path))
		return 0;
	error_refuse(error, "'%s' belongs to a WireGuard in another network namespace", connection->path);
	return -EXDEV;
}

int wireguard_read_socket(const char *name, int timeout_ms, struct wireguard *wireguard, struct error *error)
{
	char path[sizeof(FOLDER) + IFNAMSIZ + sizeof("/.sock")];
	struct connection connection = {-1, now_ms() + timeout_ms, path};
	struct wireguard_answer answer = {.wireguard = wireguard};
	int ret;

	snprintf(path, sizeof(path), FOLDER "/%s.sock", name);
	ret = ask(&connection, error);
	if (!ret) {
		ret = receive_answer(&connection, &answer);
		if (ret)
			ret = fail(path, ret, &answer, error);
	}
	cleanup_close_fd(&connection.fd);
	return ret;
}
