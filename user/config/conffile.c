// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines to statements.
 */
#include "config/conffile.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/util.h"

/* Of a path that is longer than this, an error line shows the end: its own text is to have room. */
#define PATH_SHOWN 160

struct source {
	FILE *stream;
	const char *path;
	unsigned int line; /* from 1 */
	char text[CONFIG_LINE_MAX + 1];
};

/* 1: there is a line, in `text` without its end; 0: there is none any more. */
static int read_line(struct source *source, struct error *error)
{
	size_t len = 0, mark;
	int c;

	source->line++;
	while ((c = getc_unlocked(source->stream)) != EOF && c != '\n') {
		if (!c)
			return error_usage(error, "a NUL byte: this is not text");
		if (len == CONFIG_LINE_MAX)
			return error_usage(error, "the line is too long: %d bytes at most", CONFIG_LINE_MAX);
		source->text[len++] = (char)c;
	}
	if (ferror(source->stream))
		return file_error(error, "read", source->path);
	if (c == EOF)
		return len ? error_usage(error, "the last line has no end: the file may have been cut short") : 0;
	if (len && source->text[len - 1] == '\r')
		len--;
	source->text[len] = '\0';
	mark = source->line == 1 ? file_mark_len(source->text, len) : 0;
	memmove(source->text, source->text + mark, len + 1 - mark);
	return 1;
}

/* `is_free`: of a text, whose length its statement limits. */
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

/* Words into `words`, which has room for every second byte of a line, up to a comment. Returns how many. */
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

		ret = read_statement(source, request, error);
		if (ret)
			return ret;
		if (request->route_count > count)
			request->routes[count].line = source->line;
		if (request->source_count > source_count)
			request->sources[source_count].line = source->line;
	}
	return ret;
}

static int check_twice(struct source *source, const struct request *request, struct error *error)
{
	char text[PREFIX_TEXT_LEN];
	size_t first, second;
	int ret = parse_find_twice(request, &first, &second, error);

	if (ret <= 0)
		return ret;
	source->line = request->routes[second].line;
	return error_usage(error, "from '%s' is given twice, first in line %u",
			   prefix_text(&request->routes[second].from, text), request->routes[first].line);
}

void config_name_place(struct error *error, const char *path, unsigned int line)
{
	size_t len = strlen(path);
	bool is_long = len > PATH_SHOWN;
	const char *shown = is_long ? path + len - PATH_SHOWN : path;

	if (line)
		error_prefix(error, "%s%s:%u: ", is_long ? "..." : "", shown, line);
	else
		error_prefix(error, "%s%s: ", is_long ? "..." : "", shown);
}

static int read_stream(FILE *stream, const char *path, struct request *request, struct error *error)
{
	struct source source = {.stream = stream, .path = path};
	int ret = read_all(&source, request, error);

	ret = ret ? ret : check_twice(&source, request, error);
	if (!ret && !request->from_given) {
		source.line = 0;
		ret = error_usage(error, "no 'from': an empty configuration is not taken for one");
	}
	if (ret && error->status == 2)
		config_name_place(error, path, source.line);
	if (ret && !source.line)
		error_hint(error, "'wgvia down %s' takes the instance away", request->tunnel);
	return ret;
}

int conffile_read(const char *path, const char *tunnel, struct request *request, struct error *error)
{
	FILE *stream;
	int ret;

	*request = (struct request){};
	ret = parse_ifname(tunnel, request->tunnel, error);
	if (ret)
		return ret;
	if (!strcmp(path, "-"))
		return read_stream(stdin, path, request, error);
	stream = file_open(path);
	if (!stream)
		return file_error(error, "open", path);
	ret = read_stream(stream, path, request, error);
	fclose(stream);
	return ret;
}
