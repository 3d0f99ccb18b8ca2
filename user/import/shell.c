// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parses a line of shell (POSIX.1-2017, XCU 2.2 and 2.3), within the limits in shell.h.
 */
#include "import/shell.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/abi_words.h"
#include "base/util.h"

struct reader {
	const char *line;
	const char *at;
	char *word; /* the current word; as large as the line */
	size_t word_len;
	bool quoted; /* part of it was quoted */
	bool expands;
};

void shell_free(struct shell_command *commands, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < commands[i].word_count; j++)
			free(commands[i].words[j]);
		free(commands[i].words);
	}
	free(commands);
}

static void skip_blanks(struct reader *reader)
{
	while (isspace((unsigned char)*reader->at))
		reader->at++;
}

static void put_char(struct reader *reader, char c)
{
	reader->word[reader->word_len++] = c;
}

/* `$NAME` stays as it is, and is marked; `$(...)` is a command of its own, which this does not read. */
static int take_dollar(struct reader *reader)
{
	if (reader->at[1] == '(')
		return -EINVAL;
	reader->expands = true;
	put_char(reader, *reader->at++);
	return 0;
}

static int take_single_quoted(struct reader *reader)
{
	for (reader->at++; *reader->at != '\''; reader->at++) {
		if (!*reader->at)
			return -EINVAL;
		put_char(reader, *reader->at);
	}
	reader->at++;
	return 0;
}

static int take_double_quoted(struct reader *reader)
{
	for (reader->at++; *reader->at != '"';) {
		if (!*reader->at || *reader->at == '`')
			return -EINVAL;
		if (*reader->at == '$') {
			if (take_dollar(reader))
				return -EINVAL;
			continue;
		}
		if (*reader->at == '\\' && reader->at[1] && strchr("$`\"\\", reader->at[1]))
			reader->at++;
		put_char(reader, *reader->at++);
	}
	reader->at++;
	return 0;
}

/* Reads the rest of a word. Its terminator, unless blank, stays at the cursor. */
static int take_word(struct reader *reader)
{
	reader->word_len = 0;
	reader->quoted = false;
	while (*reader->at && !isspace((unsigned char)*reader->at) && !strchr(";&|<>()`", *reader->at)) {
		int ret = 0;

		switch (*reader->at) {
		case '\'':
		case '"':
			reader->quoted = true;
			ret = *reader->at == '"' ? take_double_quoted(reader) : take_single_quoted(reader);
			break;
		case '\\':
			reader->quoted = true;
			if (!*++reader->at)
				return -EINVAL;
			put_char(reader, *reader->at++);
			break;
		case '$':
			ret = take_dollar(reader);
			break;
		default:
			if (strchr("*?[{~", *reader->at))
				reader->expands = true;
			put_char(reader, *reader->at++);
		}
		if (ret)
			return ret;
	}
	reader->word[reader->word_len] = '\0';
	return 0;
}

/* The cursor is at '>', or at '&' before it. Accepts only redirections that discard output. */
static int take_redirection(struct reader *reader)
{
	bool both = *reader->at == '&';

	reader->at += both ? 2 : 1;
	if (*reader->at == '>' && !both)
		reader->at++;
	if (*reader->at == '&' && !both) {
		reader->at++;
		if (take_word(reader) || reader->word_len != 1 || !strchr("12", reader->word[0]))
			return -EINVAL;
		return 0;
	}
	skip_blanks(reader);
	return take_word(reader) || strcmp(reader->word, "/dev/null") != 0 ? -EINVAL : 0;
}

/* Words that begin more than a simple command. */
static bool is_reserved(const char *word)
{
	static const char *const reserved[] = {"!",    "{",    "}",	 "[[",	 "case", "coproc", "do",
					       "done", "elif", "else",	 "esac", "fi",	 "for",	   "function",
					       "if",   "in",   "select", "then", "time", "until",  "while"};

	return word_find(reserved, ARRAY_SIZE(reserved), word) >= 0;
}

static int add_word(struct reader *reader, struct shell_command *command)
{
	char **word;

	if (!command->word_count && !reader->quoted && is_reserved(reader->word))
		return -EINVAL;
	word = array_grow(&command->words, &command->word_count, sizeof(*word));
	if (!word)
		return -ENOMEM;
	*word = strdup(reader->word);
	return *word ? 0 : -ENOMEM;
}

static bool at_redirection(const struct reader *reader)
{
	return *reader->at == '>' || (*reader->at == '&' && reader->at[1] == '>');
}

/* Reads up to the separator after this command. */
static int take_command(struct reader *reader, struct shell_command *command)
{
	int ret = 0;

	reader->expands = false;
	command->start = (size_t)(reader->at - reader->line);
	while (!ret) {
		command->len = (size_t)(reader->at - reader->line) - command->start;
		skip_blanks(reader);
		if (at_redirection(reader)) {
			ret = take_redirection(reader);
			continue;
		}
		if (!*reader->at || strchr(";&|", *reader->at))
			break;
		if (strchr("<()`", *reader->at))
			return -EINVAL;
		ret = take_word(reader);
		/* the 2 of 2>/dev/null */
		if (!ret && *reader->at == '>' && !reader->quoted &&
		    (!strcmp(reader->word, "1") || !strcmp(reader->word, "2")))
			continue;
		ret = ret ? ret : add_word(reader, command);
	}
	command->expands = reader->expands;
	return ret ? ret : command->word_count ? 0 : -EINVAL;
}

/* `|| true` after a command makes it one that cannot fail; any other `||` is a branch. */
static int take_or_true(struct reader *reader, struct shell_command *command)
{
	struct shell_command other = {};
	int ret;

	reader->at += 2;
	skip_blanks(reader);
	ret = take_command(reader, &other);
	if (!ret &&
	    (other.word_count != 1 || (strcmp(other.words[0], "true") != 0 && strcmp(other.words[0], ":") != 0)))
		ret = -EINVAL;
	command->len = other.start + other.len - command->start;
	for (size_t i = 0; i < other.word_count; i++)
		free(other.words[i]);
	free(other.words);
	return ret;
}

/* The separator at the cursor, or the end of the line. */
static int take_separator(struct reader *reader, const char **separator)
{
	*separator = "";
	if (!*reader->at)
		return 0;
	if (!strncmp(reader->at, "&&", 2)) {
		*separator = "&&";
		reader->at += 2;
	} else if (*reader->at == ';' && reader->at[1] != ';') {
		*separator = ";";
		reader->at++;
	} else {
		return -EINVAL;
	}
	skip_blanks(reader);
	return *reader->at || **separator == ';' ? 0 : -EINVAL;
}

static int split_command(struct reader *reader, struct shell_command **commands, size_t *count)
{
	const char *separator = "";
	int ret = 0;

	skip_blanks(reader);
	while (!ret && *reader->at) {
		struct shell_command *command = array_grow(commands, count, sizeof(*command));

		if (!command)
			return -ENOMEM;
		command->separator = separator;
		ret = take_command(reader, command);
		while (!ret && !strncmp(reader->at, "||", 2))
			ret = take_or_true(reader, command);
		ret = ret ? ret : take_separator(reader, &separator);
	}
	return ret;
}

int shell_split(const char *line, struct shell_command **commands, size_t *count)
{
	struct reader reader = {.line = line, .at = line, .word = malloc(strlen(line) + 1)};
	struct shell_command *result = NULL;
	size_t result_count = 0;
	int ret = reader.word ? split_command(&reader, &result, &result_count) : -ENOMEM;

	free(reader.word);
	if (ret) {
		shell_free(result, result_count);
		return ret;
	}
	*commands = result;
	*count = result_count;
	return 0;
}
