// SPDX-License-Identifier: GPL-2.0-only
/*
 * One request to all, and everybody who answers it.
 */
#include "answers.h"

#include <poll.h>
#include <string.h>

#include "solicit.h"
#include "util.h"

#define QUIET_MS 200 /* without a further answer */
#define RECEIVE_MAX 1024

static bool is_first_of_gateway(const struct probe *probes, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (probes[j].ifindex == probes[i].ifindex && ip_equal(&probes[j].via, &probes[i].via))
			return false;
	return true;
}

static void take(const struct solicit_answer *answer, struct answers *answers)
{
	for (size_t i = 0; i < answers->count; i++)
		if (!memcmp(answers->macs[i], answer->mac, sizeof(answer->mac)))
			return;
	if (answer->has_mac && answers->count < ANSWERS_MAX)
		memcpy(answers->macs[answers->count++], answer->mac, sizeof(answer->mac));
}

void answers_get(const struct probe *probes, size_t count, struct answers *answers)
{
	cleanup(solicit_close) struct solicit *solicit = NULL;
	struct pollfd polled[SOLICIT_FDS] = {};
	struct solicit_answer answer;
	int fds[SOLICIT_FDS], left = RECEIVE_MAX;

	if (solicit_open(&solicit))
		return;
	for (size_t i = 0; i < count; i++)
		if (is_first_of_gateway(probes, i))
			solicit_send(solicit, probes[i].ifindex, &probes[i].via);
	solicit_fds(solicit, fds);
	for (int i = 0; i < SOLICIT_FDS; i++)
		polled[i] = (struct pollfd){fds[i], POLLIN, 0};
	do {
		while (left-- > 0 && solicit_receive(solicit, &answer))
			for (size_t i = 0; i < count; i++)
				if (probes[i].ifindex == answer.ifindex && ip_equal(&probes[i].via, &answer.ip) &&
				    is_first_of_gateway(probes, i))
					take(&answer, &answers[i]);
	} while (left > 0 && poll(polled, SOLICIT_FDS, QUIET_MS) > 0);
}
