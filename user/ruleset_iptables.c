// SPDX-License-Identifier: GPL-2.0-only
/*
 * What iptables-legacy-save and its sister for IPv6 tell of, which nft does not see. Asked only where the kernel has
 * such tables: asking would make them.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "ruleset.h"
#include "util.h"

static const struct {
	const char *family, *tables, *command;
} programs[] = {
	{"ip", "/proc/net/ip_tables_names", "iptables"},
	{"ip6", "/proc/net/ip6_tables_names", "ip6tables"},
};

struct reader {
	struct ruleset *ruleset;
	const struct traffic *traffic;
	const char *family, *command;
	char table[64];
};

static bool has_tables(const char *path)
{
	FILE *file = fopen(path, "re");
	bool some = file && fgetc(file) != EOF;

	if (file)
		fclose(file);
	return some;
}

/* The next word, without its quotes, in place; NULL: none is left. */
static char *next_word(char **line)
{
	char *begin = *line + strspn(*line, " \n"), *end;

	if (!*begin)
		return NULL;
	if (*begin == '"') {
		begin++;
		for (end = begin; *end && *end != '"'; end++)
			if (*end == '\\' && end[1])
				end++;
	} else {
		end = begin + strcspn(begin, " \n");
	}
	*line = *end ? end + 1 : end;
	*end = '\0';
	return begin;
}

/* ":FORWARD DROP [0:0]"; a chain of the user's own has the policy "-". */
static void read_chain(struct reader *reader, char *line)
{
	static const char *const hooks[][2] = {
		{"PREROUTING", "prerouting"}, {"FORWARD", "forward"}, {"POSTROUTING", "postrouting"}};
	char *name = next_word(&line), *policy = next_word(&line);
	size_t chain = name ? ruleset_chain(reader->ruleset, reader->family, reader->table, name) : SIZE_MAX;

	for (size_t i = 0; chain != SIZE_MAX && policy && i < ARRAY_SIZE(hooks); i++)
		if (!strcmp(name, hooks[i][0]) && scope_of_family(reader->traffic, reader->family).out)
			ruleset_hook(&reader->ruleset->chains[chain], hooks[i][1], !strcmp(policy, "DROP"));
}

static const struct {
	const char *target;
	unsigned int flags;
} targets[] = {
	{"MASQUERADE", RULE_NAT}, {"SNAT", RULE_NAT},	  {"DNAT", RULE_NAT},
	{"REDIRECT", RULE_NAT},	  {"NETMAP", RULE_NAT},	  {"TCPMSS", RULE_CLAMP},
	{"DROP", RULE_DROPS},	  {"REJECT", RULE_DROPS}, {"RETURN", 0},
};

static void read_target(struct reader *reader, size_t chain, const char *target, unsigned int *flags)
{
	const struct ruleset *ruleset = reader->ruleset;

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		if (!strcmp(target, targets[i].target)) {
			*flags |= targets[i].flags ? targets[i].flags | RULE_ACTS : 0;
			return;
		}
	for (size_t i = 0; i < ruleset->chain_count && !(*flags & RULE_NOT_US); i++)
		if (!strcmp(ruleset->chains[i].name, target) && !strcmp(ruleset->chains[i].table, reader->table) &&
		    !strcmp(ruleset->chains[i].family, reader->family)) {
			ruleset_add_jump(reader->ruleset, chain, i);
			return;
		}
	*flags |= RULE_ACTS;
}

/* "-A CHAIN [!] -s PREFIX ... -j TARGET ..."; conditions come before the target. */
static void read_rule(struct reader *reader, char *line)
{
	struct scope scope = scope_of_family(reader->traffic, reader->family);
	char *name, *word, *undo = NULL, *copy = strdup(line);
	unsigned int flags = 0;
	bool not = false;
	size_t chain;

	name = next_word(&line);
	chain = name ? ruleset_chain(reader->ruleset, reader->family, reader->table, name) : SIZE_MAX;
	while ((word = next_word(&line))) {
		bool negated = not, from = !strcmp(word, "-i") || !strcmp(word, "-s");
		char *value;

		not = !strcmp(word, "!");
		if (from || !strcmp(word, "-o") || !strcmp(word, "-d")) {
			value = next_word(&line);
			if (value && !negated)
				scope_narrow(&scope, from ? SCOPE_FROM : SCOPE_TO,
					     strchr("io", word[1]) ? traffic_device(reader->traffic, value)
								   : traffic_prefix(reader->traffic, value));
		} else if (!strcmp(word, "--dst-type") || !strcmp(word, "--src-type")) {
			value = next_word(&line);
			if (value && !negated && !strcmp(value, "LOCAL"))
				flags |= RULE_NOT_US;
		} else if (!strcmp(word, "--ctstate") || !strcmp(word, "--state")) {
			value = next_word(&line);
			if (value && strstr(value, "INVALID"))
				flags |= RULE_INVALID;
		} else if (!strcmp(word, "-j") || !strcmp(word, "-g")) {
			value = next_word(&line);
			if (!scope.out && !scope.back)
				flags |= RULE_NOT_US;
			if (value)
				read_target(reader, chain, value, &flags);
			break;
		}
	}
	if (!scope.out && !scope.back)
		flags |= RULE_NOT_US;
	if (copy && (flags & RULE_NAT) &&
	    asprintf(&undo, "%s-legacy -t %s -D %s", reader->command, reader->table, copy) < 0)
		undo = NULL;
	if (undo)
		undo[strcspn(undo, "\n")] = '\0';
	free(copy);
	ruleset_add_rule(reader->ruleset, chain, flags, undo);
}

/* False where no program could be asked. */
static bool read_all(struct reader *reader)
{
	char command[256], *line = NULL;
	bool told = false;
	size_t room = 0;
	FILE *save;

	snprintf(command, sizeof(command),
		 "PATH=$PATH:/usr/sbin:/sbin; %s-legacy-save 2>/dev/null || %s-save 2>/dev/null", reader->command,
		 reader->command);
	save = popen(command, "re");
	while (save && getline(&line, &room, save) > 0) {
		told = true;
		if (*line == '*')
			snprintf(reader->table, sizeof(reader->table), "%.*s", (int)strcspn(line + 1, "\n"), line + 1);
		else if (*line == ':')
			read_chain(reader, line + 1);
		else if (!strncmp(line, "-A ", 3))
			read_rule(reader, line + 3);
	}
	free(line);
	if (save)
		pclose(save);
	return told;
}

void ruleset_read_iptables(struct ruleset *ruleset, const struct traffic *traffic)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		struct reader reader = {ruleset, traffic, programs[i].family, programs[i].command, ""};

		if (has_tables(programs[i].tables) && !read_all(&reader))
			ruleset->legacy_unread = true;
	}
}
