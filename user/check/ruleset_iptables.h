/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the files ruleset_iptables*.c alone: a rule in the form of iptables-save.
 */
#ifndef WGVIA_RULESET_IPTABLES_H
#define WGVIA_RULESET_IPTABLES_H

#include <stdbool.h>

#include "check/ruleset_condition.h"

struct iptables_rule {
	struct condition condition;
	unsigned int flags; /* of its conditions, enum rule_flag */
	const char *target; /* in the line; NULL: none */
	bool is_goto;	    /* the target is a chain, and does not come back */
};

/* The next word, without its quotes, in place; NULL: none is left. */
char *iptables_word(char **line);
/* Narrows the rule's condition by those in the line, as far as the target, and sets the rest. Changes the line. */
void iptables_read_rule(const struct traffic *traffic, const char *family, char *line, struct iptables_rule *rule);

#endif
