// SPDX-License-Identifier: GPL-2.0-only
/*
 * Adding MAC addresses that were found, and removing old ones.
 */
#include "datapath/sender_map.h"

#include <bpf/bpf.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "config/failover.h"
#include "datapath/pins.h"

/* bpf_fib_lookup() does not return link-local neighbours: see sender_is() in bpf/sender.h. */
static bool is_unknown_to_fib(const struct sender_target *target)
{
	struct wgvia_gateway value = hop_value(&target->hop, 0);
	struct ip via = gateway_ip(&value);

	return via.family == AF_INET6 && ip_is_link_local(&via);
}

static bool wants(const struct sender_target *target, const uint8_t mac[6])
{
	return sender_sends_from(target, mac) ||
	       (target->has_mac && is_unknown_to_fib(target) && !memcmp(target->mac, mac, sizeof(target->mac)));
}

/* Whether a probe with this result keeps the entry. */
static bool is_to_stay(const struct sender_targets *targets, bool some, const struct wgvia_sender *key)
{
	for (size_t i = 0; i < targets->count; i++)
		if (hop_equal(&targets->all[i].hop, &key->gateway))
			return !sender_is_settled(&targets->all[i]) || wants(&targets->all[i], key->mac);
	return some;
}

/*
 * Collects entries before it removes them: when an entry is removed during iteration, the kernel restarts from the
 * beginning.
 */
static int remove_old(int fd, const struct sender_targets *targets, bool some, bool *changed)
{
	cleanup_free struct wgvia_sender *old = NULL;
	struct wgvia_sender key, *last = NULL, *entry;
	size_t count = 0;
	uint32_t source;

	while (!bpf_map_get_next_key(fd, last, &key)) {
		last = &key;
		if (bpf_map_lookup_elem(fd, &key, &source) || source != WGVIA_SENDER_PROBED ||
		    is_to_stay(targets, some, &key))
			continue;
		entry = array_grow(&old, &count, sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		*entry = key;
	}
	for (size_t i = 0; i < count; i++)
		*changed |= !bpf_map_delete_elem(fd, &old[i]);
	return 0;
}

static int add_sender(int fd, const struct sender_target *target, const uint8_t mac[6], bool *changed)
{
	const uint32_t source = WGVIA_SENDER_PROBED;
	struct wgvia_sender key = {.gateway = target->hop};

	memcpy(key.mac, mac, sizeof(key.mac));
	if (!wants(target, mac))
		return 0;
	if (!bpf_map_update_elem(fd, &key, &source, BPF_NOEXIST))
		*changed = true;
	else if (errno != EEXIST)
		return -errno;
	return 0;
}

int sender_map_write(const struct instance *instance, const struct sender_targets *targets, bool some, bool *changed)
{
	int fd = instance->maps[MAP_SENDERS], ret = 0;

	*changed = false;
	for (size_t i = 0; i < targets->count && !ret; i++) {
		ret = add_sender(fd, &targets->all[i], targets->all[i].mac, changed);
		for (int j = 0; j < SENDER_FRAMES && !ret; j++)
			ret = add_sender(fd, &targets->all[i], targets->all[i].senders[j], changed);
	}
	return ret ? ret : remove_old(fd, targets, some, changed);
}

#define ENTRIES_MAX 65536 /* limit per reading: the maps change while they are read */

bool sender_map_has(const struct instance *instance, enum map which, const uint8_t mac[6])
{
	struct wgvia_sender key, *last = NULL;
	int fd = instance->maps[which];

	for (size_t i = 0; i < ENTRIES_MAX && !bpf_map_get_next_key(fd, last, &key); i++) {
		if (!memcmp(key.mac, mac, sizeof(key.mac)))
			return true;
		last = &key;
	}
	return false;
}

int sender_map_read_bounced(const struct instance *instance, uint64_t since, struct bounced_entry **entries,
			    size_t *count)
{
	struct bounced_entry *read = NULL, *entry;
	struct wgvia_bounce key, *last = NULL;
	int fd = instance->maps[MAP_BOUNCED];
	struct wgvia_bounced value;
	size_t found = 0;

	for (size_t i = 0; i < ENTRIES_MAX && !bpf_map_get_next_key(fd, last, &key); i++) {
		last = &key;
		if (bpf_map_lookup_elem(fd, &key, &value) || value.last <= since)
			continue;
		entry = array_grow(&read, &found, sizeof(*entry));
		if (!entry) {
			free(read);
			return -ENOMEM;
		}
		*entry = (struct bounced_entry){key, value};
	}
	*entries = read;
	*count = found;
	return 0;
}
