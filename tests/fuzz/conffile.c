// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer on configuration files: the input is the file, followed by its drop-ins, separated by form feeds. What is
 * accepted must match what parse_up() accepts for the same words; a refusal must be one line that names the file.
 *
 *   make fuzz && build/tests/fuzz/conffile tests/fuzz/corpus/conffile
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/util.h"
#include "config/conffile.h"

static void require(bool holds)
{
	if (!holds)
		__builtin_trap();
}

/* The words of the file, without comments, in one line after `up wg6`. It has no NUL, because it was accepted. */
static int as_words(char *text, char **words)
{
	char *line, *rest = text, *word;
	int count = 1;

	words[0] = "wg6";
	while ((line = strsep(&rest, "\n")))
		while ((word = strsep(&line, " \t\r")) && *word != '#')
			if (*word)
				words[count++] = word;
	return count;
}

static void check_same(const struct request *request, char *text, size_t size)
{
	char **words = calloc(size + 1, sizeof(*words));
	struct error error = {};
	struct request other;

	require(!parse_up(as_words(text, words), words, &other, &error));
	require(request->route_count == other.route_count && request->bypass_count == other.bypass_count);
	require(request->source_count == other.source_count);
	for (size_t i = 0; i < other.source_count; i++)
		require(request->sources[i].place.line && request->sources[i].source == other.sources[i].source &&
			ip_equal(&request->sources[i].via, &other.sources[i].via));
	require(request->mode == other.mode && request->on_fail == other.on_fail);
	for (size_t i = 0; i < other.route_count; i++) {
		require(request->routes[i].place.line);
		other.routes[i].place = request->routes[i].place;
	}
	require(!other.route_count ||
		!memcmp(request->routes, other.routes, other.route_count * sizeof(*other.routes)));
	require(!other.bypass_count ||
		!memcmp(request->bypass, other.bypass, other.bypass_count * sizeof(*other.bypass)));
	request_free(&other);
	free(words);
}

#define DROPINS 4
static char folder[] = "/dev/shm/wgvia-fuzz-XXXXXX", main_path[64], paths[DROPINS][64];

static void remove_files(void)
{
	char path[64];

	for (size_t i = 0; i < DROPINS; i++)
		unlink(paths[i]);
	unlink(main_path);
	snprintf(path, sizeof(path), "%s/c.d", folder);
	rmdir(path);
	rmdir(folder);
}

static void make_folder(void)
{
	char path[64];

	require(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/c.d", folder);
	require(!mkdir(path, 0700));
	snprintf(main_path, sizeof(main_path), "%s/c", folder);
	for (int i = 0; i < DROPINS; i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/%d.conf", path, i);
	atexit(remove_files);
}

static void write_file(const char *path, const char *text, size_t size)
{
	struct stat st;
	FILE *file;

	if (!size && !stat(path, &st) && !st.st_size) /* the most frequent case, and the slowest */
		return;
	file = fopen(path, "we");
	require(file && fwrite(text, 1, size, file) == size && !fclose(file));
}

/*
 * Writes the files and, into `whole`, which has room, their texts one after the other, without byte order marks.
 * Returns its size.
 */
static size_t write_files(const char *data, size_t size, char *whole)
{
	size_t at = 0, len = 0;

	for (int i = -1; i < DROPINS; i++) {
		const char *end = i < DROPINS - 1 ? memchr(data + at, '\f', size - at) : NULL;
		size_t piece = end ? (size_t)(end - data) - at : size - at, mark = file_mark_len(data + at, piece);

		write_file(i < 0 ? main_path : paths[i], data + at, piece);
		memcpy(whole + len, data + at + mark, piece - mark);
		len += piece - mark;
		at += piece + !!end;
	}
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error = {};
	struct request request;
	char *text;
	size_t len;

	if (!main_path[0])
		make_folder();
	text = calloc(1, size + 1);
	require(text);
	len = write_files((const char *)data, size, text);
	if (conffile_read(main_path, "wg6", &request, &error))
		require(error.status == 2 && !strncmp(error.text, main_path, strlen(main_path)) &&
			!strchr(error.text, '\n'));
	else if (!request.accepted.count) /* `up` has no words for it */
		check_same(&request, text, len);
	request_free(&request);
	free(text);
	return 0;
}
