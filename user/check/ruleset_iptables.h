/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Internal to ruleset_iptables*.c: a rule in the format of iptables-save.
 */
#ifndef WGVIA_RULESET_IPTABLES_H
#define WGVIA_RULESET_IPTABLES_H

#include <stdbool.h>

#include "check/ruleset_condition.h"

struct iptables_rule {
	struct condition condition;
	unsigned int flags; /* from its conditions, enum rule_flag */
	const char *target; /* points into the line; NULL: none */
	bool is_goto;	    /* the target is a chain that does not return */
};

/* The next word, unquoted in place; NULL: none is left. */
char *iptables_word(char **line);
/*
 * Restricts the rule's condition by those in the line, up to the target, and sets the other fields. Changes the line.
 */
void iptables_read_rule(const struct traffic *traffic, const char *family, char *line, struct iptables_rule *rule);

#endif
