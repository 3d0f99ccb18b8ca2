// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a file to its steps, and from the translated recipe to the lines and remarks of the result.
 */
#include "import/import.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/util.h"
#include "config/statement.h"
#include "import/rules.h"
#include "import/translate.h"

int import_parse_name(const char *text, char name[IFNAMSIZ], struct error *error)
{
	for (const char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_=+.-", *c))
			return error_usage(error,
					   "'%s' is not a valid interface name to wg-quick: letters, digits and _=+.-",
					   text);
	return parse_ifname(text, name, error);
}

int import_parse_path(const char *path, char name[IFNAMSIZ], struct error *error)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	size_t len = strlen(base);
	char text[IFNAMSIZ];

	if (len < 6 || len - 5 >= IFNAMSIZ || strcmp(base + len - 5, ".conf") != 0) {
		error_usage(error, "IFACE is missing: '%s' is not named IFACE.conf", path);
		error_hint(error, "wgvia import FILE IFACE");
		return -EINVAL;
	}
	snprintf(text, sizeof(text), "%.*s", (int)(len - 5), base);
	return import_parse_name(text, name, error);
}

/* ---- the steps ---- */

static struct step *add_step(struct translation *recipe, const struct wgquick_line *line)
{
	struct step *step = array_grow(&recipe->steps, &recipe->step_count, sizeof(*step));

	if (!step) {
		recipe->no_memory = true;
		return NULL;
	}
	step->line = line;
	step->text = line->value;
	step->len = strlen(line->value);
	return step;
}

/*
 * wg-quick replaces %i by the interface's name before the shell sees the line. The name cannot contain characters that
 * are special to the shell.
 */
static char *expand_tunnel(char *word, const char *tunnel)
{
	size_t size = strlen(word) + 1;
	char *result, *out;

	for (const char *at = word; (at = strstr(at, "%i")); at += 2)
		size += strlen(tunnel);
	result = out = malloc(size);
	for (const char *at = word; result && *at;) {
		if (at[0] == '%' && at[1] == 'i') {
			out = stpcpy(out, tunnel);
			at += 2;
		} else {
			*out++ = *at++;
		}
	}
	if (result)
		*out = '\0';
	free(word);
	return result;
}

/* Takes ownership of the words. */
static void take_command(struct translation *recipe, struct step *step, struct shell_command *command)
{
	step->text = step->line->value + command->start;
	step->len = command->len;
	step->command = *command;
	command->words = NULL;
	command->word_count = 0;
	for (size_t i = 0; i < step->command.word_count; i++) {
		step->command.words[i] = expand_tunnel(step->command.words[i], recipe->tunnel);
		if (!step->command.words[i]) {
			recipe->no_memory = true;
			return;
		}
	}
	step->ip = iproute_read(step->command.words, step->command.word_count);
}

static void take_hook(struct translation *recipe, const struct wgquick_line *line)
{
	struct shell_command *commands = NULL;
	struct step *step;
	size_t count = 0;
	int ret = shell_split(line->value, &commands, &count);

	if (ret == -ENOMEM)
		recipe->no_memory = true;
	if (ret) {
		step = add_step(recipe, line);
		if (step &&
		    (strstr(line->value, "rule") || strstr(line->value, "table") || strstr(line->value, "lookup")))
			translation_remark(recipe, step,
					   "stays as it is: import cannot read this shell code; remove the parts "
					   "that belong to the second table by hand");
		return;
	}
	for (size_t i = 0; i < count && (step = add_step(recipe, line)); i++)
		take_command(recipe, step, &commands[i]);
	shell_free(commands, count);
}

static void take_line(struct translation *recipe, const struct wgquick_line *line)
{
	struct step *step;

	if (line->misplaced || line->key == WGQUICK_TABLE || line->key == WGQUICK_SAVE_CONFIG) {
		step = add_step(recipe, line);
		if (!step)
			return;
		if (line->misplaced)
			translation_remark(recipe, step, "not used: wg-quick takes '%s' in %s only",
					   wgquick_keys[line->key],
					   line->key == WGQUICK_ALLOWED_IPS ? "[Peer]" : "[Interface]");
		else if (line->key == WGQUICK_TABLE)
			recipe->table_word = line->value;
		else if (!strcasecmp(line->value, "true"))
			translation_remark(
				recipe, step,
				"take the tunnel down before you edit the file: SaveConfig writes the old lines back");
	} else if (line->key < WGQUICK_HOOK_END) {
		take_hook(recipe, line);
	}
}

/* ---- the result ---- */

static bool add_line(struct import *import, struct translation *recipe, enum wgquick_key key, char *value)
{
	struct import_line *line = value ? array_grow(&import->lines, &import->line_count, sizeof(*line)) : NULL;

	if (!line) {
		free(value);
		recipe->no_memory = true;
		return false;
	}
	*line = (struct import_line){.key = wgquick_keys[key], .value = value};
	return true;
}

/* Adds the rest of a line, from the step at `*index` on; moves `*index` past the line's last step. */
static void add_rest(struct import *import, struct translation *recipe, size_t *index)
{
	const struct wgquick_line *line = recipe->steps[*index].line;
	char *value = malloc(2 * strlen(line->value) + 1), *end = value;

	for (; *index < recipe->step_count && recipe->steps[*index].line == line; ++*index) {
		struct step *step = &recipe->steps[*index];

		if (step->gone || !value)
			continue;
		if (wgquick_holds_key(step->text, step->len)) {
			translation_remark(recipe, step, "stays as it is, and is not shown: it holds a key");
			continue;
		}
		if (end != value)
			end = stpcpy(end, strcmp(step->command.separator, ";") ? " && " : "; ");
		end = mempcpy(end, step->text, step->len);
	}
	if (value)
		*end = '\0';
	if (value && !*value)
		free(value);
	else
		add_line(import, recipe, line->key, value);
}

/* Adds all remaining lines of one key. */
static void add_rests(struct import *import, struct translation *recipe, enum wgquick_key key)
{
	for (size_t i = 0; i < recipe->step_count && !recipe->no_memory;) {
		const struct wgquick_line *line = recipe->steps[i].line;

		if (line->key == key && !line->misplaced && key != WGQUICK_TABLE)
			add_rest(import, recipe, &i);
		else
			i++;
	}
}

/* "wgvia up %i from ... bypass ..." */
static char *up_words(const struct request *request)
{
	size_t size = 32 + request->route_count * RECIPE_STATEMENT + request->bypass_count * (PREFIX_TEXT_LEN + 8);
	char *text = malloc(size), *end = text;
	char statement[RECIPE_STATEMENT], prefix[PREFIX_TEXT_LEN];

	if (!text)
		return NULL;
	end = stpcpy(end, "wgvia up %i");
	for (size_t i = 0; i < request->route_count; i++)
		end += sprintf(end, " %s", translation_statement(&request->routes[i], statement));
	for (size_t i = 0; i < request->bypass_count; i++)
		end += sprintf(end, " bypass %s", prefix_text(&request->bypass[i], prefix));
	return text;
}

static void add_up(struct import *import, struct translation *recipe, enum wgquick_key key)
{
	if (add_line(import, recipe, key, up_words(&import->request)))
		import->lines[import->line_count - 1].is_up = true;
}

uint32_t import_least_mss(uint32_t one, uint32_t other)
{
	if (one <= WGVIA_MSS_AUTO || other <= WGVIA_MSS_AUTO)
		return one > other ? one : other;
	return one < other ? one : other;
}

int import_set_mode(struct import *import, enum wgvia_mode mode, uint32_t mss)
{
	const struct state settings = {.mode = mode, .mss = mss};
	char *value, words[STATEMENT_MAX] = "";

	import->request.mode = mode;
	import->request.mss = mode == WGVIA_FAST ? mss : WGVIA_MSS_OFF; /* in mode stack the host clamps */
	if (mode != WGVIA_FAST)
		statement_of_mode(&settings, words);
	else if (mss != WGVIA_MSS_OFF)
		statement_of_mss(&settings, words);
	for (size_t i = 0; i < import->line_count && *words; i++) {
		if (!import->lines[i].is_up)
			continue;
		if (asprintf(&value, "%s %s", import->lines[i].value, words) < 0)
			return -ENOMEM;
		free(import->lines[i].value);
		import->lines[i].value = value;
	}
	return 0;
}

/*
 * `up` runs before the tunnel exists, so that not even its first packet bypasses the firewall, and again when the
 * tunnel has its routes; `down` runs when the tunnel no longer exists. Routes of a device vanish with it, so moved ones
 * need no PreDown.
 */
static void add_lines(struct import *import, struct translation *recipe)
{
	char text[PREFIX_TEXT_LEN], *value;

	if (recipe->table_word && !wgquick_holds_key(recipe->table_word, strlen(recipe->table_word)))
		add_line(import, recipe, WGQUICK_TABLE,
			 strdup(translation_table_is_gone(recipe, recipe->table_word) ? "off" : recipe->table_word));
	add_rests(import, recipe, WGQUICK_PRE_UP);
	add_rests(import, recipe, WGQUICK_POST_UP);
	for (size_t i = 0; i < recipe->moved_count; i++) {
		const struct prefix *moved = &recipe->moved[i];

		if (asprintf(&value, "ip -%d route add %s dev %%i", moved->ip.family == AF_INET ? 4 : 6,
			     prefix_text(moved, text)) < 0)
			value = NULL;
		add_line(import, recipe, WGQUICK_POST_UP, value);
	}
	add_up(import, recipe, WGQUICK_PRE_UP);
	add_up(import, recipe, WGQUICK_POST_UP);
	add_line(import, recipe, WGQUICK_POST_DOWN, strdup("wgvia down %i"));
	add_rests(import, recipe, WGQUICK_PRE_DOWN);
	add_rests(import, recipe, WGQUICK_POST_DOWN);
}

static void add_remarks(struct import *import, struct translation *recipe)
{
	for (size_t i = 0; i < recipe->step_count; i++) {
		const struct step *step = &recipe->steps[i];
		struct import_remark *result;

		if (!step->remark)
			continue;
		result = array_grow(&import->remarks, &import->remark_count, sizeof(*result));
		if (result)
			result->command = wgquick_holds_key(step->text, step->len) ? strdup("(holds a key)")
										   : strndup(step->text, step->len);
		if (!result || !result->command) {
			recipe->no_memory = true;
			return;
		}
		result->line = step->line->line;
		snprintf(result->remark, sizeof(result->remark), "%s", step->remark);
	}
}

static int refuse(const struct translation *recipe, struct error *error)
{
	error_refuse(error,
		     "no second routing table for '%s' in this file: import looks for 'ip rule add from PREFIX "
		     "table T' with 'ip route add "
		     "default via ADDRESS table T'",
		     recipe->tunnel);
	for (size_t i = 0; i < recipe->step_count; i++)
		if (recipe->steps[i].remark && recipe->steps[i].ip.object) {
			error_hint(error, "line %u: %s", recipe->steps[i].line->line, recipe->steps[i].remark);
			break;
		}
	return -EINVAL;
}

static void translation_free(struct translation *recipe)
{
	for (size_t i = 0; i < recipe->step_count; i++) {
		struct step *step = &recipe->steps[i];

		for (size_t j = 0; j < step->command.word_count; j++)
			free(step->command.words[j]);
		free(step->command.words);
		free(step->remark);
	}
	free(recipe->steps);
	free(recipe->tables);
	free(recipe->moved);
	wgquick_free(recipe->lines, recipe->line_count);
}

static int interpret(struct import *import, struct translation *recipe, struct error *error)
{
	for (size_t i = 0; i < recipe->line_count && !recipe->no_memory; i++)
		take_line(recipe, &recipe->lines[i]);
	if (!recipe->no_memory)
		translate(recipe);
	if (!recipe->no_memory && !recipe->table_count)
		return refuse(recipe, error);
	if (!recipe->no_memory) {
		add_lines(import, recipe);
		add_remarks(import, recipe);
		import->rules_line = rules_find(recipe);
		import->request.mss = rules_find_mss(recipe);
	}
	return recipe->no_memory ? error_system(error, ENOMEM, "cannot read the file") : 0;
}

int import_read(const char *name, const char *text, size_t len, struct import *import, struct error *error)
{
	cleanup(translation_free) struct translation recipe = {.request = &import->request,
							       .tunnel = import->request.tunnel};
	size_t mark = file_mark_len(text, len);
	int ret;

	*import = (struct import){};
	ret = import_parse_name(name, import->request.tunnel, error);
	if (ret)
		return ret;
	if (len > IMPORT_SIZE_MAX)
		return error_refuse(error, "the file is too long: %d bytes at most", IMPORT_SIZE_MAX);
	ret = wgquick_read(text + mark, len - mark, &recipe.lines, &recipe.line_count, error);
	return ret ? ret : interpret(import, &recipe, error);
}

void import_free(struct import *import)
{
	request_free(&import->request);
	for (size_t i = 0; i < import->line_count; i++)
		free(import->lines[i].value);
	for (size_t i = 0; i < import->remark_count; i++)
		free(import->remarks[i].command);
	free(import->lines);
	free(import->remarks);
	*import = (struct import){};
}
