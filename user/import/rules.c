// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recognises netfilter tools by name. It does not evaluate their arguments fully: wgvia never runs a hook.
 */
#include "import/rules.h"

#include <string.h>

#include "base/util.h"
#include "import/import.h"

static bool is_append(const char *word)
{
	static const char *const options[] = {"-A", "-I", "--append", "--insert"};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (!strcmp(word, options[i]))
			return true;
	return false;
}

/* iptables rules for packets to or from this host. */
static bool is_own_chain(const struct shell_command *command)
{
	for (size_t i = 0; i + 1 < command->word_count; i++)
		if (is_append(command->words[i]))
			return !strcmp(command->words[i + 1], "INPUT") || !strcmp(command->words[i + 1], "OUTPUT");
	return false;
}

bool rules_is_clamp(const struct step *step)
{
	return memmem(step->text, step->len, "TCPMSS", 6) || memmem(step->text, step->len, "maxseg", 6);
}

static bool sets_rules(const struct step *step)
{
	static const char *const tools[] = {"iptables", "ip6tables", "nft ", "ufw ", "firewall-cmd "};
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(tools) && !found; i++)
		found = memmem(step->text, step->len, tools[i], strlen(tools[i]));
	return found && !is_own_chain(&step->command);
}

static bool is_in_force(const struct step *step)
{
	return !step->gone && !step->line->misplaced && step->line->key < WGQUICK_HOOK_END && sets_rules(step);
}

/* "--set-mss N" of iptables, "maxseg size set N" of nft; 0: it depends on an MTU. */
static unsigned int mss_of(const struct step *step)
{
	static const char *const before[] = {"--set-mss", "set"};

	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		for (size_t j = 0; j + 1 < step->command.word_count; j++)
			if (!strcmp(step->command.words[j], before[i]))
				return strtoul(step->command.words[j + 1], NULL, 10);
	return 0;
}

uint32_t rules_find_mss(const struct translation *translation)
{
	uint32_t found = WGVIA_MSS_OFF;

	for (size_t i = 0; i < translation->step_count; i++) {
		const struct step *step = &translation->steps[i];
		unsigned int mss = is_in_force(step) && rules_is_clamp(step) ? mss_of(step) : WGVIA_MSS_MAX + 1;

		if (mss <= WGVIA_MSS_MAX)
			found = import_least_mss(found, mss < WGVIA_MSS_MIN ? WGVIA_MSS_AUTO : mss);
	}
	return found;
}

unsigned int rules_find(const struct translation *translation)
{
	for (size_t i = 0; i < translation->step_count; i++) {
		const struct step *step = &translation->steps[i];

		if (is_in_force(step) && !rules_is_clamp(step))
			return step->line->line;
	}
	return 0;
}
