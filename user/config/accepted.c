// SPDX-License-Identifier: GPL-2.0-only
/*
 * A sorted list of names with their reasons.
 */
#include "config/accepted.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

const char *const finding_names[] = {
	"agent",
	"any_source",
	"attachment",
	"bpffs",
	"bypass",
	"bypassed_route",
	"bypassed_rule",
	"capabilities",
	"changes",
	"ct_invalid",
	"device",
	"direct",
	"egress_rules",
	"encapsulation",
	"flowtable",
	"forward_rules",
	"forwarding",
	"gateway",
	"health",
	"index",
	"ingress_rules",
	"ipsec",
	"kernel",
	"lan",
	"left_out",
	"mss",
	"mss_clamp",
	"mtu",
	"nat",
	"neighbour",
	"netfilter",
	"no_prefix",
	"no_route",
	"outside",
	"own_address",
	"pins",
	"plan",
	"postrouting_rules",
	"prerouting_rules",
	"probe",
	"probe_duplicate",
	"probe_forward",
	"probe_neighbour",
	"probe_redirects",
	"probe_return",
	"probe_sender",
	"probe_skipped",
	"program_before",
	"program_behind",
	"reach",
	"rp_filter",
	"rule",
	"sources",
	"threaded_napi",
	"uncovered_peer",
	"unused_acceptance",
	"value",
	"wireguard",
	"xdp",
};
const size_t finding_name_count = ARRAY_SIZE(finding_names);

#define NAME_MAX_LEN (sizeof(((struct wgvia_finding *)0)->name) - 1)
#define REASON_MAX_LEN (sizeof(((struct wgvia_acceptance *)0)->reason) - 1)

/* Number of letters that differ, are missing or are superfluous (Levenshtein distance). Both words are short. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1], len = strlen(b);

	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (; *a; a++) {
		size_t diagonal = row[0]++;

		for (size_t j = 1; j <= len; j++) {
			size_t change = diagonal + (*a != b[j - 1]);

			diagonal = row[j];
			row[j] = diagonal < row[j - 1] ? diagonal + 1 : row[j - 1] + 1;
			row[j] = change < row[j] ? change : row[j];
		}
	}
	return row[len];
}

static int refuse_name(const char *finding, struct error *error)
{
	const char *nearest = NULL;
	size_t least = 4; /* a larger distance is a different word */

	for (size_t i = 0; i < finding_name_count && strlen(finding) <= NAME_MAX_LEN; i++) {
		size_t found = distance(finding, finding_names[i]);

		if (found < least) {
			least = found;
			nearest = finding_names[i];
		}
	}
	if (nearest)
		error_usage(error, "'%s' is not a finding of 'check': do you mean '%s'?", finding, nearest);
	else
		error_usage(error, "'%s' is not a finding of 'check': FINDINGS in wgvia(8) lists them", finding);
	return -EINVAL;
}

static bool is_finding(const char *name)
{
	for (size_t i = 0; i < finding_name_count; i++)
		if (!strcmp(finding_names[i], name))
			return true;
	return false;
}

/*
 * Reads the character at `*text` in UTF-8 (RFC 3629), and moves `*text` to the next one; -1: invalid. JSON and
 * terminals accept no other bytes.
 */
static int32_t next_character(const char **text)
{
	static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *at = (const unsigned char *)*text;
	int len = at[0] < 0x80 ? 1 : at[0] < 0xc0 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf8 ? 4 : 0;
	int32_t value = len == 1 ? at[0] : at[0] & (0x7f >> len);

	for (int i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return -1;
		value = value << 6 | (at[i] & 0x3f);
	}
	*text += len;
	return len && value >= least[len] && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff) ? value : -1;
}

/* Control characters of both ranges, and those that change the direction of the text after them (Unicode, UAX #9). */
static bool is_control(int32_t character)
{
	return character < ' ' || (character >= 0x7f && character < 0xa0) ||
	       (character >= 0x202a && character <= 0x202e) || (character >= 0x2066 && character <= 0x2069);
}

/*
 * Checks that a line of a file can hold the reason: words with one space between them, none of which begins a comment.
 */
static int check_reason(const char *reason, struct error *error)
{
	int32_t last = ' ', character;

	if (strlen(reason) > REASON_MAX_LEN)
		return error_usage(error, "the reason is too long: %zu bytes at most", REASON_MAX_LEN);
	for (const char *at = reason; *at; last = character) {
		character = next_character(&at);
		if (character < 0)
			return error_usage(error, "the reason is not valid UTF-8");
		if (is_control(character))
			return error_usage(error, "the reason has a control character");
		if (last == ' ' && (character == ' ' || character == '#'))
			return error_usage(error, "the reason has an empty word, or one that begins with '#'");
	}
	return last == ' ' ? error_usage(error, "the reason is empty, or ends with a space") : 0;
}

static int compare(const void *a, const void *b)
{
	const struct acceptance *one = a, *other = b;

	return strcmp(one->finding.name, other->finding.name);
}

int accepted_add(struct accepted *accepted, const char *finding, const char *reason, struct error *error)
{
	struct acceptance *added;

	if (!is_finding(finding))
		return refuse_name(finding, error);
	if (accepted_reason(accepted, finding))
		return error_usage(error, "'accept %s' is given twice", finding);
	if (check_reason(reason, error))
		return -EINVAL;
	added = array_grow(&accepted->all, &accepted->count, sizeof(*added));
	if (!added)
		return error_system(error, ENOMEM, "cannot read 'accept'");
	*added = (struct acceptance){};
	strcpy(added->finding.name, finding);
	strcpy(added->why.reason, reason);
	qsort(accepted->all, accepted->count, sizeof(*added), compare);
	return 0;
}

const char *accepted_reason(const struct accepted *accepted, const char *finding)
{
	for (size_t i = 0; i < accepted->count; i++)
		if (!strcmp(accepted->all[i].finding.name, finding))
			return accepted->all[i].why.reason;
	return NULL;
}

bool accepted_equal(const struct accepted *a, const struct accepted *b)
{
	return a->count == b->count && (!a->count || !memcmp(a->all, b->all, a->count * sizeof(*a->all)));
}

int accepted_copy(const struct accepted *from, struct accepted *to)
{
	to->all = calloc(from->count + 1, sizeof(*to->all));
	if (!to->all)
		return -ENOMEM;
	for (size_t i = 0; i < from->count; i++)
		to->all[to->count++] = from->all[i];
	return 0;
}
