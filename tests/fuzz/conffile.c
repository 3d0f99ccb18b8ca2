// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer on configuration files: the input is the file. What is taken is what parse_up() takes of the same words;
 * what is refused is refused in one line that names the file.
 *
 *   make fuzz && build/tests/fuzz/conffile tests/fuzz/corpus/conffile
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/file.h"
#include "base/util.h"
#include "config/conffile.h"

static void require(bool holds)
{
	if (!holds)
		__builtin_trap();
}

/* The words of the file, comments left out, in one line behind `up wg6`. It has no NUL: it was taken. */
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
		require(request->sources[i].line && request->sources[i].source == other.sources[i].source &&
			ip_equal(&request->sources[i].via, &other.sources[i].via));
	require(request->mode == other.mode && request->on_fail == other.on_fail);
	for (size_t i = 0; i < other.route_count; i++) {
		require(request->routes[i].line);
		other.routes[i].line = request->routes[i].line;
	}
	require(!other.route_count ||
		!memcmp(request->routes, other.routes, other.route_count * sizeof(*other.routes)));
	require(!other.bypass_count ||
		!memcmp(request->bypass, other.bypass, other.bypass_count * sizeof(*other.bypass)));
	request_free(&other);
	free(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	static char path[64];
	struct error error = {};
	struct request request;
	char *text;

	if (fd < 0) {
		fd = memfd_create("config", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	text = calloc(1, size + 1);
	if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size || !text)
		abort();
	memcpy(text, data, size);
	if (conffile_read(path, "wg6", &request, &error))
		require(error.status == 2 && !strncmp(error.text, path, strlen(path)) && !strchr(error.text, '\n'));
	else if (!request.accepted.count) /* which `up` has no words for */
		check_same(&request, text + file_mark_len(text, size), size);
	request_free(&request);
	free(text);
	return 0;
}
