// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer on a whole wg-quick file. What is accepted must be something that `up` accepts, in lines that a shell reads
 * as intended and that contain neither a key nor the recipe; a refusal must be one line.
 *
 *   make fuzz && build/tests/fuzz/import tests/fuzz/corpus/import
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "import/import.h"
#include "import/shell.h"
#include "import/wgquick.h"

static void require(bool holds)
{
	if (!holds)
		__builtin_trap();
}

static void check_clean(const char *text)
{
	require(!wgquick_holds_key(text, strlen(text)) && !strchr(text, '\n') && !strchr(text, '\r'));
}

/* Checks "wgvia up %i ...", the only new line, with the parsers of shell lines and of `up`. */
static void check_up(const char *value, const struct import *import)
{
	struct shell_command *commands;
	struct request request;
	struct error error;
	size_t count;

	require(!shell_split(value, &commands, &count) && count == 1 && !commands[0].expands);
	require(!parse_up((int)commands[0].word_count - 2, commands[0].words + 2, &request, &error));
	require(request.route_count == import->request.route_count);
	require(request.bypass_count == import->request.bypass_count);
	request_free(&request);
	shell_free(commands, count);
}

static char *file_of(const struct import *import)
{
	size_t size = 32, len = 0;
	char *text;

	for (size_t i = 0; i < import->line_count; i++)
		size += strlen(import->lines[i].key) + strlen(import->lines[i].value) + 4;
	text = malloc(size);
	require(text);
	len = (size_t)sprintf(text, "[Interface]\n");
	for (size_t i = 0; i < import->line_count; i++)
		len += (size_t)sprintf(text + len, "%s = %s\n", import->lines[i].key, import->lines[i].value);
	return text;
}

/* Without a remark, the whole recipe must be gone. */
static void check_again(const struct import *import)
{
	char *text = file_of(import);
	struct import again;
	struct error error = {};

	if (!import_read("wg6", text, strlen(text), &again, &error))
		require(import->remark_count); /* a rule that remains must have a remark */
	import_free(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct import import;
	struct error error = {};
	const char *up = NULL;

	if (import_read("wg6", (const char *)data, size, &import, &error)) {
		require(error.text[0] && !strchr(error.text, '\n') && error.status == 1);
		check_clean(error.text);
		check_clean(error.hint);
		import_free(&import);
		return 0;
	}
	require(import.request.route_count);
	for (size_t i = 0; i < import.line_count; i++) {
		check_clean(import.lines[i].value);
		if (!strcmp(import.lines[i].key, "PostUp"))
			up = import.lines[i].value; /* ours is the last one */
	}
	check_up(up, &import);
	for (size_t i = 0; i < import.remark_count; i++) {
		require(import.remarks[i].line && import.remarks[i].remark[0]);
		check_clean(import.remarks[i].command);
		check_clean(import.remarks[i].remark);
	}
	check_again(&import);
	import_free(&import);
	return 0;
}
