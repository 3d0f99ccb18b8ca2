// SPDX-License-Identifier: GPL-2.0-only
/*
 * Datagrams between processes of this host, in a folder that only root can use.
 */
#include "host/event_bus.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "base/util.h"
#include "host/netns.h"

#define FOLDER "/run/wgvia/monitor"
#define SOCKET ".socket"
#define LOST ".lost"
#define BATCH_MAX 60000	       /* bytes of events per datagram, except for the last event: a socket accepts 200 KB */
#define DATAGRAM_MAX (1 << 18) /* capacity of a socket with the kernel's defaults */
#define JSON_PLAIN (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

/* WGVIA_MONITOR, for tests: another folder. */
static const char *folder_path(void)
{
	const char *path = getenv("WGVIA_MONITOR");

	return path ? path : FOLDER;
}

/*
 * The canonical path of the pin folder, so that both ends match however the user wrote it. The last `down` removes the
 * folder; its own event carries the path that it had.
 */
static const char *real_path(const char *path, char known[PATH_MAX])
{
	char real[PATH_MAX];

	if (realpath(path, real))
		snprintf(known, PATH_MAX, "%s", real);
	else if (!known[0])
		snprintf(known, PATH_MAX, "%s", path);
	return known;
}

/* --- events as JSON --- */

static void add(json_object *object, const char *name, json_object *value)
{
	if (value && json_object_object_add(object, name, value))
		json_object_put(value);
}

static void add_text(json_object *object, const char *name, const char *text)
{
	add(object, name, text ? json_object_new_string(text) : NULL);
}

static json_object *time_json(uint64_t realtime)
{
	char seconds[32];

	snprintf(seconds, sizeof(seconds), "%" PRIu64 ".%06" PRIu64, realtime / 1000000000,
		 realtime % 1000000000 / 1000);
	return json_object_new_double_s((double)realtime / 1e9, seconds);
}

json_object *event_json(const struct event *event, uint64_t realtime)
{
	json_object *object = json_object_new_object();

	if (!object)
		return NULL;
	add(object, "time", time_json(realtime));
	add_text(object, "interface", event->tunnel);
	add_text(object, "event", event_words[event->kind]);
	add_text(object, "priority", event_priority_word(event->priority));
	for (size_t i = 0; i < event->field_count; i++)
		if (event->fields[i].text)
			add_text(object, event->fields[i].name, event->fields[i].text);
		else
			add(object, event->fields[i].name, json_object_new_uint64(event->fields[i].number));
	add_text(object, "text", event->text ? event->text : "");
	return object;
}

/* --- publishing --- */

static struct {
	const char *command, *pin_dir; /* NULL: event_bus_begin() was not called */
	char folder[PATH_MAX];	       /* canonical path of `pin_dir` */
	char *events;		       /* in JSON, comma-separated; NULL: none */
	size_t len;
	unsigned int count;
} batch;

void event_bus_begin(const char *command, const char *pin_dir)
{
	batch.command = command;
	batch.pin_dir = pin_dir;
	batch.folder[0] = '\0';
	if (event_bus_has_listeners())
		real_path(pin_dir, batch.folder);
}

static void drop_batch(void)
{
	free(batch.events);
	batch.events = NULL;
	batch.len = 0;
	batch.count = 0;
}

void event_bus_add(const struct event *event)
{
	struct timespec now;
	json_object *object;
	const char *text;
	char *grown;
	size_t len;

	if (!batch.command)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	object = event_json(event, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
	text = object ? json_object_to_json_string_ext(object, JSON_PLAIN) : NULL;
	len = text ? strlen(text) : 0;
	grown = len ? realloc(batch.events, batch.len + len + 2) : NULL;
	if (grown) {
		batch.events = grown;
		if (batch.len)
			batch.events[batch.len++] = ',';
		memcpy(batch.events + batch.len, text, len + 1);
		batch.len += len;
		batch.count++;
	}
	json_object_put(object);
	if (batch.len > BATCH_MAX)
		event_bus_flush();
}

/* The datagram, freed by the caller; NULL: out of memory. */
static char *make_datagram(void)
{
	json_object *head = json_object_new_object(), *place = json_object_new_object();
	struct netns netns = netns_own();
	const char *words;
	char *text = NULL;

	if (head && place) {
		add(place, "inode", json_object_new_uint64(netns.inode));
		add(place, "cookie", json_object_new_uint64(netns.cookie));
		add(head, "version", json_object_new_int(EVENT_BUS_VERSION));
		add_text(head, "command", batch.command);
		add(head, "pid", json_object_new_int(getpid()));
		add_text(head, "pin_dir", real_path(batch.pin_dir, batch.folder));
		add(head, "netns", json_object_get(place));
		words = json_object_to_json_string_ext(head, JSON_PLAIN);
		/* the events go before the object's closing brace */
		if (!words || asprintf(&text, "%.*s,\"events\":[%s]}", (int)strlen(words) - 1, words, batch.events) < 0)
			text = NULL;
	}
	json_object_put(place);
	json_object_put(head);
	return text;
}

/*
 * Limits the file of a listener that is stopped for days, because the file is in memory. Counted are the blocks that it
 * occupies: event_listener_lost() frees those that were reported, and the size keeps growing.
 */
#define LOST_MAX (1 << 20)

/* Appends a byte per event to the file beside the socket; only the listener creates that file. */
static void note_loss(int folder, const char *name)
{
	int len = (int)(strlen(name) - strlen(SOCKET));
	char path[NAME_MAX + 1], bytes[256] = {};
	cleanup_fd int fd = -1;
	unsigned int left = batch.count;
	struct stat st;

	snprintf(path, sizeof(path), "%.*s%s", len, name, LOST);
	fd = openat(folder, path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && (fstat(fd, &st) || st.st_blocks * 512 > LOST_MAX))
		return;
	while (fd >= 0 && left) {
		ssize_t written = write(fd, bytes, left < sizeof(bytes) ? left : sizeof(bytes));

		if (written <= 0)
			break;
		left -= written;
	}
}

/* Removes the socket and the file of a listener that was killed. */
static void remove_stale(int folder, const char *name)
{
	int len = (int)(strlen(name) - strlen(SOCKET));
	char path[NAME_MAX + 1];

	snprintf(path, sizeof(path), "%.*s%s", len, name, LOST);
	unlinkat(folder, name, 0);
	unlinkat(folder, path, 0);
}

static bool is_socket(const char *name)
{
	size_t len = strlen(name);

	return len > strlen(SOCKET) && !strcmp(name + len - strlen(SOCKET), SOCKET);
}

static void send_to(int fd, int folder, const char *name, const char *datagram)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int len = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", folder_path(), name);

	if (folder < 0 || len >= (int)sizeof(address.sun_path))
		return;
	if (sendto(fd, datagram, strlen(datagram), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address,
		   sizeof(address)) >= 0)
		return;
	if (errno == ECONNREFUSED)
		remove_stale(folder, name);
	else if (errno != ENOENT)
		note_loss(folder, name);
}

bool event_bus_has_listeners(void)
{
	DIR *folder = batch.command ? opendir(folder_path()) : NULL;
	struct dirent *entry;
	bool found = false;

	while (folder && !found && (entry = readdir(folder)))
		found = is_socket(entry->d_name);
	if (folder)
		closedir(folder);
	return found;
}

void event_bus_flush(void)
{
	DIR *folder = batch.count ? opendir(folder_path()) : NULL;
	cleanup_free char *datagram = NULL;
	cleanup_fd int fd = -1;
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		if (!is_socket(entry->d_name))
			continue;
		if (!datagram)
			datagram = make_datagram();
		if (fd < 0)
			fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (datagram && fd >= 0)
			send_to(fd, dirfd(folder), entry->d_name, datagram);
	}
	if (folder)
		closedir(folder);
	drop_batch();
}

/* --- listening --- */

struct event_listener {
	int fd, lost, changes; /* the socket, the file beside it, and inotify */
	uint64_t told;	       /* bytes of the file that were already reported */
	char buffer[DATAGRAM_MAX];
	char name[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* both paths, without their suffixes */
	char folder[PATH_MAX];					/* of the pins, when it last existed */
};

/* Creates the folder and its parent. 0 or -errno. */
static int make_folder(void)
{
	char outer[PATH_MAX], *slash;

	snprintf(outer, sizeof(outer), "%s", folder_path());
	slash = strrchr(outer, '/');
	if (slash && slash != outer) {
		*slash = '\0';
		if (mkdir(outer, 0755) && errno != EEXIST)
			return -errno;
	}
	return mkdir(folder_path(), 0700) && errno != EEXIST ? -errno : 0;
}

/*
 * Creates the file first, so that a sender that finds the socket also finds the file. The socket gets its final name
 * when it listens: bind() creates it before anybody can send to it, and senders remove a socket that refuses. 0 or
 * -errno.
 */
static int open_both(struct event_listener *listener)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char path[sizeof(listener->name) + sizeof(SOCKET)];
	uint32_t number = 0;
	int len;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
		number = (uint32_t)time(NULL);
	len = snprintf(listener->name, sizeof(listener->name), "%s/%d-%08x", folder_path(), getpid(), number);
	if (len + sizeof(SOCKET) > sizeof(address.sun_path))
		return -ENAMETOOLONG;
	snprintf(path, sizeof(path), "%s%s", listener->name, LOST);
	listener->lost = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	listener->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (listener->lost < 0 || listener->changes < 0 || inotify_add_watch(listener->changes, path, IN_MODIFY) < 0)
		return -errno;
	listener->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	memcpy(address.sun_path, listener->name, len);
	snprintf(path, sizeof(path), "%s%s", listener->name, SOCKET);
	if (listener->fd < 0 || bind(listener->fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return rename(listener->name, path) ? -errno : 0;
}

int event_listener_open(struct event_listener **listener, struct error *error)
{
	struct event_listener *opened = calloc(1, sizeof(*opened));
	int ret = opened ? make_folder() : -ENOMEM;

	if (opened)
		opened->fd = opened->lost = opened->changes = -1;
	ret = ret ? ret : open_both(opened);
	if (ret) {
		event_listener_close(&opened);
		error_system(error, -ret, "cannot listen in '%s'", folder_path());
		if (ret == -EACCES || ret == -EPERM)
			error_hint(error, "only root can use this folder: run it as root");
		return ret;
	}
	*listener = opened;
	return 0;
}

static void remove_file(const struct event_listener *listener, const char *end)
{
	char path[sizeof(listener->name) + sizeof(SOCKET)];

	snprintf(path, sizeof(path), "%s%s", listener->name, end);
	unlink(path);
}

void event_listener_close(struct event_listener **listener)
{
	if (!*listener)
		return;
	if ((*listener)->fd >= 0)
		remove_file(*listener, SOCKET);
	if ((*listener)->lost >= 0)
		remove_file(*listener, LOST);
	cleanup_close_fd(&(*listener)->fd);
	cleanup_close_fd(&(*listener)->lost);
	cleanup_close_fd(&(*listener)->changes);
	free(*listener);
	*listener = NULL;
}

void event_listener_fds(const struct event_listener *listener, int *datagrams, int *losses)
{
	*datagrams = listener->fd;
	*losses = listener->changes;
}

static json_object *member(json_object *object, const char *name)
{
	json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	return value;
}

static bool is_ours(struct event_listener *listener, json_object *datagram, const char *pin_dir)
{
	json_object *place = member(datagram, "netns"), *folder = member(datagram, "pin_dir");
	struct netns own = netns_own(), there = {json_object_get_uint64(member(place, "inode")),
						 json_object_get_uint64(member(place, "cookie"))};

	return json_object_get_int(member(datagram, "version")) == EVENT_BUS_VERSION &&
	       json_object_is_type(member(datagram, "events"), json_type_array) && folder &&
	       netns_is_same(&own, &there) &&
	       !strcmp(json_object_get_string(folder), real_path(pin_dir, listener->folder));
}

json_object *event_listener_next(struct event_listener *listener, const char *pin_dir)
{
	ssize_t len;

	while ((len = recv(listener->fd, listener->buffer, sizeof(listener->buffer) - 1, MSG_DONTWAIT)) >= 0) {
		json_object *datagram;

		listener->buffer[len] = '\0';
		datagram = json_tokener_parse(listener->buffer);
		if (datagram && is_ours(listener, datagram, pin_dir))
			return datagram;
		json_object_put(datagram);
	}
	return NULL;
}

uint64_t event_listener_lost(struct event_listener *listener)
{
	char notes[4096];
	struct stat st;
	uint64_t count = 0;

	while (read(listener->changes, notes, sizeof(notes)) > 0)
		;
	if (!fstat(listener->lost, &st) && (uint64_t)st.st_size > listener->told) {
		count = (uint64_t)st.st_size - listener->told;
		listener->told = (uint64_t)st.st_size;
		fallocate(listener->lost, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, st.st_size);
	}
	return count;
}
