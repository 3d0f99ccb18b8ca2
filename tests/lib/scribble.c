/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes nonsense into an instance's maps, fast and reproducibly: random bytes, damaged values, and values in which
 * each field by itself is plausible.
 *
 *	scribble SEED COUNT PINS MAP...		COUNT writes, spread over those maps in the folder PINS
 *
 * It knows a map only from the kernel's information, not from wgvia's headers: readers must decide what is a prefix
 * length, an ifindex or a verdict.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define MAPS 8
#define SIZE_MAX_BYTES 4096

struct map {
	int fd, cpus;
	struct bpf_map_info info;
};

static struct map maps[MAPS];
static uint64_t state;

/* xorshift64* */
static uint32_t draw(uint32_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)((state * 0x2545f4914f6cdd1dull) >> 32) % below;
}

static void draw_bytes(uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = draw(256);
}

/* Meaningful words: ifindexes, address families, flags, verdicts, modes, addresses. */
static uint32_t draw_word(void)
{
	static const uint32_t words[] = {0,	     1,		 2,	     3,		 4,	     5,
					 6,	     7,		 8,	     10,	 12,	     13,
					 255,	     0x7fffffff, 0xffffffff, 0x010200c0, 0x030200c0, 0x0100007f,
					 0x010000e0, 0xb80d0120, 0x000080fe, 0x02ff};

	return draw(8) ? words[draw(sizeof(words) / sizeof(words[0]))] : draw(UINT32_MAX);
}

static void draw_value(uint8_t *value, size_t size)
{
	switch (draw(3)) {
	case 0:
		draw_bytes(value, size);
		break;
	case 1:
		value[draw(size)] ^= 1 << draw(8);
		break;
	default:
		for (size_t i = 0; i + 4 <= size; i += 4) {
			uint32_t word = draw_word();

			if (draw(2))
				memcpy(value + i, &word, 4);
		}
	}
}

/* An existing key, or a possible one. */
static void draw_key(const struct map *map, uint8_t *key)
{
	uint32_t length = draw((map->info.key_size - 4) * 8 + 1);
	int steps = draw(16);

	if (map->info.type != BPF_MAP_TYPE_LPM_TRIE && map->info.key_size == sizeof(uint32_t)) {
		uint32_t index = draw(map->info.max_entries);

		memcpy(key, &index, sizeof(index));
		return;
	}
	if (draw(3) && !bpf_map_get_next_key(map->fd, NULL, key)) {
		while (steps-- && !bpf_map_get_next_key(map->fd, key, key))
			;
		return;
	}
	draw_bytes(key, map->info.key_size);
	if (map->info.type == BPF_MAP_TYPE_LPM_TRIE)
		memcpy(key, &length, sizeof(length));
}

static int scribble(const struct map *map)
{
	static uint8_t key[SIZE_MAX_BYTES], value[SIZE_MAX_BYTES * 64];

	draw_key(map, key);
	if (map->info.type == BPF_MAP_TYPE_LPM_TRIE && !draw(8))
		return bpf_map_delete_elem(map->fd, key) && errno != ENOENT ? -errno : 0;
	memset(value, 0, (size_t)map->info.value_size * map->cpus);
	bpf_map_lookup_elem(map->fd, key, value);
	draw_value(value, (size_t)map->info.value_size * map->cpus);
	return bpf_map_update_elem(map->fd, key, value, BPF_ANY) ? -errno : 0;
}

static int map_open(struct map *map, const char *folder, const char *name)
{
	__u32 len = sizeof(map->info);
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	map->fd = bpf_obj_get(path);
	if (map->fd < 0 || bpf_obj_get_info_by_fd(map->fd, &map->info, &len)) {
		fprintf(stderr, "scribble: %s: %s\n", path, strerror(errno));
		return 1;
	}
	map->cpus = map->info.type == BPF_MAP_TYPE_PERCPU_ARRAY ? libbpf_num_possible_cpus() : 1;
	return map->cpus < 1 || map->cpus > 64 || map->info.value_size > SIZE_MAX_BYTES;
}

int main(int argc, char **argv)
{
	int count = argc - 4;

	if (count < 1 || count > MAPS) {
		fprintf(stderr, "usage: scribble SEED COUNT PINS MAP...\n");
		return 2;
	}
	state = strtoull(argv[1], NULL, 10) * 0x9e3779b97f4a7c15ull + 1;
	for (int i = 0; i < count; i++)
		if (map_open(&maps[i], argv[3], argv[4 + i]))
			return 1;
	for (long i = strtol(argv[2], NULL, 10); i > 0; i--) {
		int ret = scribble(&maps[draw(count)]);

		if (ret) {
			fprintf(stderr, "scribble: %s\n", strerror(-ret));
			return 1;
		}
	}
	return 0;
}
