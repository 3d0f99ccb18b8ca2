// SPDX-License-Identifier: GPL-2.0-only
/*
 * The output of iptables-save and ip6tables-save. It contains rules of iptables-legacy, which nft does not see, and
 * rules of iptables-nft that nft does not translate. iptables-legacy is only asked if the kernel has such tables,
 * because asking would create them. ruleset_iptables_match.c reads the conditions of a rule.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "check/ruleset.h"
#include "check/ruleset_iptables.h"

struct reader {
	struct ruleset *ruleset;
	const struct traffic *traffic;
	const struct iptables *iptables;
	char table[64];
};

/* Chains of iptables-legacy may have the same names as others. */
static const char *family_of_chains(const struct reader *reader)
{
	bool is_ip6 = !strcmp(reader->iptables->family, "ip6");

	if (reader->iptables->is_nft)
		return reader->iptables->family;
	return is_ip6 ? "ip6tables-legacy" : "iptables-legacy";
}

static size_t find_chain(const struct reader *reader, const char *name)
{
	return ruleset_find_chain(reader->ruleset, family_of_chains(reader), reader->table, name);
}

static bool has_tables(const char *path)
{
	FILE *file = fopen(path, "re");
	bool some = file && fgetc(file) != EOF;

	if (file)
		fclose(file);
	return some;
}

/* ":FORWARD DROP [0:0]"; a user-defined chain has the policy "-". */
static void read_chain(struct reader *reader, char *line)
{
	static const char *const hooks[][2] = {
		{"PREROUTING", "prerouting"}, {"FORWARD", "forward"}, {"POSTROUTING", "postrouting"}};
	char *name = iptables_word(&line), *policy = iptables_word(&line);
	size_t chain = name ? ruleset_chain(reader->ruleset, family_of_chains(reader), reader->table, name) : SIZE_MAX;

	for (size_t i = 0; chain != SIZE_MAX && policy && i < ARRAY_SIZE(hooks); i++)
		if (!strcmp(name, hooks[i][0]))
			ruleset_hook(&reader->ruleset->chains[chain], hooks[i][1],
				     scope_of_family(reader->traffic, reader->iptables->family),
				     !strcmp(policy, "DROP"));
}

/*
 * A target that is not here acts on packets, or is a user-defined chain. Targets with flags 0 only affect connection
 * tracking, which never sees redirected packets.
 */
static const struct target {
	const char *name;
	unsigned int flags;
	enum rule_verdict verdict;
} targets[] = {
	{"MASQUERADE", RULE_NAT, VERDICT_ACCEPT},
	{"SNAT", RULE_NAT, VERDICT_ACCEPT},
	{"DNAT", RULE_NAT, VERDICT_ACCEPT},
	{"REDIRECT", RULE_NAT, VERDICT_ACCEPT},
	{"NETMAP", RULE_NAT, VERDICT_ACCEPT},
	{"TCPMSS", RULE_CLAMP, VERDICT_CONTINUE},
	{"DROP", RULE_DROPS, VERDICT_DROP},
	{"REJECT", RULE_DROPS, VERDICT_DROP},
	{"NFQUEUE", RULE_DROPS, VERDICT_UNKNOWN},
	{"QUEUE", RULE_DROPS, VERDICT_UNKNOWN},
	{"RETURN", 0, VERDICT_RETURN},
	{"CT", 0, VERDICT_CONTINUE},
	{"NOTRACK", 0, VERDICT_CONTINUE},
	{"CONNMARK", 0, VERDICT_CONTINUE},
	{"CONNSECMARK", 0, VERDICT_CONTINUE},
	{"ACCEPT", RULE_ACCEPTS, VERDICT_ACCEPT},
	{"LOG", RULE_ACTS, VERDICT_CONTINUE},
	{"NFLOG", RULE_ACTS, VERDICT_CONTINUE},
	{"MARK", RULE_ACTS, VERDICT_CONTINUE},
	{"CLASSIFY", RULE_ACTS, VERDICT_CONTINUE},
	{"DSCP", RULE_ACTS, VERDICT_CONTINUE},
	{"TOS", RULE_ACTS, VERDICT_CONTINUE},
	{"TTL", RULE_ACTS, VERDICT_CONTINUE},
	{"HL", RULE_ACTS, VERDICT_CONTINUE},
	{"SET", RULE_ACTS, VERDICT_CONTINUE},
	{"CHECKSUM", RULE_ACTS, VERDICT_CONTINUE},
	{"TRACE", RULE_ACTS, VERDICT_CONTINUE},
	{"TEE", RULE_ACTS, VERDICT_CONTINUE},
};

static struct target find_target(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		if (!strcmp(name, targets[i].name))
			return targets[i];
	return (struct target){name, RULE_ACTS, VERDICT_UNKNOWN};
}

/* The number of "--set-mss N", 0 without one. */
static unsigned int mss_of(const char *line)
{
	const char *option = strstr(line, "--set-mss ");

	return option ? strtoul(option + strlen("--set-mss "), NULL, 10) & 0xffff : 0;
}

/* Adds the rule's verdict, its flags, and the chain that it jumps to. */
static void add_target(struct reader *reader, size_t chain, struct iptables_rule *rule, const char *line)
{
	size_t to = find_chain(reader, rule->target);
	struct target target = find_target(rule->target);
	char text[256];

	snprintf(text, sizeof(text), "%s -t %s -A %.*s", reader->iptables->program, reader->table,
		 (int)strcspn(line, "\n"), line);
	if (to != SIZE_MAX) {
		target = (struct target){rule->target, 0, rule->is_goto ? VERDICT_GOTO : VERDICT_JUMP};
		ruleset_add_jump(reader->ruleset, chain, to, rule->condition.scope);
	}
	rule->flags |= target.flags;
	if (target.flags & RULE_CLAMP)
		rule->flags |= mss_of(line) << RULE_MSS_SHIFT;
	ruleset_add_step(reader->ruleset, chain, &rule->condition, target.verdict, to, text);
}

/* "iptables -t TABLE -D CHAIN ..." */
static char *command_to_delete(const struct reader *reader, const char *line)
{
	char *command;

	if (asprintf(&command, "%s -t %s -D %.*s", reader->iptables->program, reader->table, (int)strcspn(line, "\n"),
		     line) < 0)
		return NULL;
	return command;
}

/* "CHAIN ..." of "-A CHAIN ..." */
static void read_rule(struct reader *reader, char *line)
{
	struct ruleset *ruleset = reader->ruleset;
	struct iptables_rule rule = {.condition = condition_family(reader->traffic, reader->iptables->family)};
	cleanup_free char *copy = strdup(line);
	char *name = iptables_word(&line);
	size_t chain = name ? find_chain(reader, name) : SIZE_MAX;

	if (!copy || chain == SIZE_MAX || (reader->iptables->is_nft && !ruleset->chains[chain].has_extensions))
		return;
	ruleset->chains[chain].is_read = true;
	iptables_read_rule(reader->traffic, reader->iptables->family, line, &rule);
	if (rule.target)
		add_target(reader, chain, &rule, copy);
	ruleset_add_rule(ruleset, chain, rule.condition.scope, rule.flags,
			 rule.flags & RULE_NAT ? command_to_delete(reader, copy) : NULL);
}

bool ruleset_add_iptables(struct ruleset *ruleset, const struct traffic *traffic, const struct iptables *iptables,
			  FILE *save)
{
	struct reader reader = {ruleset, traffic, iptables, ""};
	char *line = NULL;
	bool told = false;
	size_t room = 0;

	while (getline(&line, &room, save) > 0) {
		told = true;
		if (*line == '*')
			snprintf(reader.table, sizeof(reader.table), "%.*s", (int)strcspn(line + 1, "\n"), line + 1);
		else if (*line == ':' && !iptables->is_nft)
			read_chain(&reader, line + 1);
		else if (!strncmp(line, "-A ", 3))
			read_rule(&reader, line + 3);
	}
	free(line);
	return told;
}

/* False if the command prints nothing. */
static bool ask(struct ruleset *ruleset, const struct traffic *traffic, const struct iptables *iptables,
		const char *command)
{
	char line[256];
	bool told;
	FILE *save;

	snprintf(line, sizeof(line), "PATH=$PATH:/usr/sbin:/sbin; %s", command);
	save = popen(line, "re");
	if (!save)
		return false;
	told = ruleset_add_iptables(ruleset, traffic, iptables, save);
	pclose(save);
	return told;
}

void ruleset_read_iptables_nft(struct ruleset *ruleset, const struct traffic *traffic, const char *family)
{
	bool is_ip6 = !strcmp(family, "ip6");
	struct iptables nft = {family, is_ip6 ? "ip6tables-nft" : "iptables-nft", true},
			other = {family, is_ip6 ? "ip6tables" : "iptables", true};

	if (ask(ruleset, traffic, &nft, is_ip6 ? "ip6tables-nft-save 2>/dev/null" : "iptables-nft-save 2>/dev/null"))
		return;
	/* if it has only this name, and is not iptables-legacy */
	ask(ruleset, traffic, &other,
	    is_ip6 ? "ip6tables-save -V 2>/dev/null | grep -q nf_tables && ip6tables-save 2>/dev/null"
		   : "iptables-save -V 2>/dev/null | grep -q nf_tables && iptables-save 2>/dev/null");
}

void ruleset_read_iptables(struct ruleset *ruleset, const struct traffic *traffic)
{
	static const struct iptables ip = {"ip", "iptables-legacy", false}, ip6 = {"ip6", "ip6tables-legacy", false};

	if (has_tables("/proc/net/ip_tables_names") &&
	    !ask(ruleset, traffic, &ip, "iptables-legacy-save 2>/dev/null || iptables-save 2>/dev/null"))
		ruleset->legacy_unread = true;
	if (has_tables("/proc/net/ip6_tables_names") &&
	    !ask(ruleset, traffic, &ip6, "ip6tables-legacy-save 2>/dev/null || ip6tables-save 2>/dev/null"))
		ruleset->legacy_unread = true;
}
