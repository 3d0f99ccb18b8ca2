// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines to statements.
 */
#include "config/conffile.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/util.h"
#include "config/dropins.h"

/* Of a path that is longer than this, an error line shows the end, so that there is room for the error itself. */
#define PATH_SHOWN 160
#define PLACE_LEN (PATH_SHOWN + 24)

struct source {
	FILE *stream;
	const char *path;
	unsigned int file; /* of the request's */
	unsigned int line; /* from 1 */
	char text[CONFIG_LINE_MAX + 1];
};

/* 1: `text` holds a line without its line end; 0: end of file. */
static int read_line(struct source *source, struct error *error)
{
	size_t len = 0, mark;
	int c;

	source->line++;
	while ((c = getc_unlocked(source->stream)) != EOF && c != '\n') {
		if (!c)
			return error_usage(error, "the file is not text: it has a NUL byte");
		if (len == CONFIG_LINE_MAX)
			return error_usage(error, "the line is too long: %d bytes at most", CONFIG_LINE_MAX);
		source->text[len++] = (char)c;
	}
	if (ferror(source->stream))
		return file_error(error, "read", source->path);
	if (c == EOF)
		return len ? error_usage(error, "the last line does not end with a newline: the file may be "
						"truncated")
			   : 0;
	if (len && source->text[len - 1] == '\r')
		len--;
	source->text[len] = '\0';
	mark = source->line == 1 ? file_mark_len(source->text, len) : 0;
	memmove(source->text, source->text + mark, len + 1 - mark);
	return 1;
}

/* `is_free`: the word belongs to a text, whose length its statement limits. */
static int check_word(const char *word, bool is_free, struct error *error)
{
	size_t len = strlen(word);

	for (const char *c = word; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return error_usage(error, "a control character (0x%02x) in a word", (unsigned char)*c);
	if (len > CONFIG_WORD_MAX && !is_free)
		return error_usage(error, "'%.*s...' does not belong here: it has %zu characters", CONFIG_WORD_MAX,
				   word, len);
	return 0;
}

/*
 * Splits a line, up to a comment, into `words`, which has room for half as many words as the line has bytes. Returns
 * their number.
 */
static int split(char *line, char **words, struct error *error)
{
	int count = 0, ret;

	for (char *rest = line, *word; (word = strtok_r(rest, " \t", &rest)) && *word != '#';) {
		ret = check_word(word, count && !strcmp(words[0], "accept"), error);
		if (ret)
			return ret;
		words[count++] = word;
	}
	return count;
}

static int read_statement(struct source *source, struct request *request, struct error *error)
{
	char *words[CONFIG_LINE_MAX / 2 + 1];
	int count = split(source->text, words, error);

	return count > 0 ? parse_statement(count, words, request, error) : count;
}

static int read_all(struct source *source, struct request *request, struct error *error)
{
	int ret;

	while ((ret = read_line(source, error)) > 0) {
		size_t count = request->route_count, source_count = request->source_count;

		request->text_hash = hash_bytes(request->text_hash, source->text, strlen(source->text) + 1);
		ret = read_statement(source, request, error);
		if (ret)
			return ret;
		if (request->route_count > count)
			request->routes[count].place = (struct place){source->file, source->line};
		if (request->source_count > source_count)
			request->sources[source_count].place = (struct place){source->file, source->line};
	}
	return ret;
}

/* "FILE:LINE", or "FILE" if `line` is 0. Returns `text`. */
static const char *place_text(const char *path, unsigned int line, char text[PLACE_LEN])
{
	size_t len = strlen(path);
	bool is_long = len > PATH_SHOWN;
	int end = snprintf(text, PLACE_LEN, "%s%s", is_long ? "..." : "", is_long ? path + len - PATH_SHOWN : path);

	if (line)
		snprintf(text + end, PLACE_LEN - end, ":%u", line);
	return text;
}

static void name_place(struct error *error, const char *path, unsigned int line)
{
	char place[PLACE_LEN];

	error_prefix(error, "%s: ", place_text(path, line, place));
}

void conffile_name_route(struct error *error, const struct request *request, const struct route_words *route)
{
	if (request->file_count)
		name_place(error, request->files[route->place.file], route->place.line);
}

static int check_twice(const struct request *request, struct error *error)
{
	char prefix[PREFIX_TEXT_LEN], place[PLACE_LEN];
	const struct route_words *before, *again;
	size_t first, second;
	int ret = parse_find_twice(request, &first, &second, error);

	if (ret <= 0)
		return ret;
	before = &request->routes[first];
	again = &request->routes[second];
	if (before->place.file == again->place.file)
		snprintf(place, sizeof(place), "line %u", before->place.line);
	else
		place_text(request->files[before->place.file], before->place.line, place);
	error_usage(error, "from '%s' is given twice, first in %s", prefix_text(&again->from, prefix), place);
	conffile_name_route(error, request, again);
	return -EINVAL;
}

static int read_stream(FILE *stream, const char *path, struct request *request, struct error *error)
{
	struct source source = {.stream = stream, .path = path, .file = request->file_count};
	char **name = array_grow(&request->files, &request->file_count, sizeof(*name));
	int ret;

	if (name)
		*name = strdup(path);
	if (!name || !*name)
		return error_system(error, ENOMEM, "cannot read '%s'", path);
	ret = read_all(&source, request, error);
	if (ret && error->status == 2)
		name_place(error, path, source.line);
	return ret;
}

/* A package may bring a prefix in a drop-in, but not an instance: that needs the main file. */
static void hint_at_dropins(const char *path, struct error *error)
{
	cleanup(dropins_free) struct dropins dropins = {};
	struct error ignored = {};

	if (!dropins_list(path, &dropins, &ignored) && dropins.count)
		error_hint(error, "the files in '%s.d' are read together with this one only; it may be empty", path);
}

/* A drop-in may be removed after its folder was listed. */
static int read_file(const char *path, bool is_dropin, struct request *request, struct error *error)
{
	FILE *stream = file_open(path);
	int ret;

	if (!stream)
		return is_dropin && dropins_is_gone(path) ? 0 : file_error(error, "open", path);
	ret = read_stream(stream, path, request, error);
	fclose(stream);
	return ret;
}

static int read_dropins(const char *path, struct request *request, struct error *error)
{
	cleanup(dropins_free) struct dropins dropins = {};
	int ret = dropins_list(path, &dropins, error);

	for (size_t i = 0; i < dropins.count && !ret; i++)
		ret = read_file(dropins.paths[i], true, request, error);
	return ret;
}

static int read_with_dropins(const char *path, struct request *request, struct error *error)
{
	int ret = read_file(path, false, request, error);

	if (ret == -ENOENT)
		hint_at_dropins(path, error);
	return ret ? ret : read_dropins(path, request, error);
}

/* Checks all files together. */
static int check_whole(const char *path, const struct request *request, struct error *error)
{
	int ret = check_twice(request, error);

	if (ret || request->from_given)
		return ret;
	error_usage(error, "the configuration has no 'from' statement");
	name_place(error, path, 0);
	error_hint(error, "to remove the instance: wgvia down %s", request->tunnel);
	return -EINVAL;
}

int conffile_read(const char *path, const char *tunnel, struct request *request, struct error *error)
{
	int ret;

	*request = (struct request){.text_hash = HASH_EMPTY};
	ret = parse_ifname(tunnel, request->tunnel, error);
	if (ret)
		return ret;
	if (!strcmp(path, "-"))
		ret = read_stream(stdin, path, request, error);
	else
		ret = read_with_dropins(path, request, error);
	return ret ? ret : check_whole(path, request, error);
}
