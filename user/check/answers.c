// SPDX-License-Identifier: GPL-2.0-only
/*
 * One request to all gateways, and all hosts that answer it.
 */
#include "check/answers.h"

#include <poll.h>
#include <string.h>

#include "base/util.h"
#include "host/neighbour_probe.h"

#define QUIET_MS 200 /* without a further answer */
#define RECEIVE_MAX 1024

static bool is_first_of_gateway(const struct probe *probes, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (probes[j].ifindex == probes[i].ifindex && ip_equal(&probes[j].via, &probes[i].via))
			return false;
	return true;
}

static void take_answer(const struct neighbour_answer *answer, struct answers *answers)
{
	for (size_t i = 0; i < answers->count; i++)
		if (!memcmp(answers->macs[i], answer->mac, sizeof(answer->mac)))
			return;
	if (answer->has_mac && answers->count < ANSWERS_MAX)
		memcpy(answers->macs[answers->count++], answer->mac, sizeof(answer->mac));
}

void answers_get(const struct probe *probes, size_t count, struct answers *answers)
{
	cleanup(neighbour_probe_close) struct neighbour_probe *solicit = NULL;
	struct pollfd polled[NEIGHBOUR_PROBE_FDS] = {};
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct neighbour_answer answer;
	int ret;
	int fds[NEIGHBOUR_PROBE_FDS], left = RECEIVE_MAX;

	if (neighbour_probe_open(&solicit))
		return;
	for (size_t i = 0; i < count; i++)
		if (is_first_of_gateway(probes, i))
			neighbour_probe_send(solicit, probes[i].ifindex, &probes[i].via);
	neighbour_probe_fds(solicit, fds);
	for (int i = 0; i < NEIGHBOUR_PROBE_FDS; i++)
		polled[i] = (struct pollfd){fds[i], POLLIN, 0};
	do {
		for (size_t f = 0; f < ARRAY_SIZE(families); f++)
			while (left-- > 0 && (ret = neighbour_probe_receive(solicit, families[f], &answer)) >= 0)
				for (size_t i = 0; i < count && ret; i++)
					if (probes[i].ifindex == answer.ifindex &&
					    ip_equal(&probes[i].via, &answer.ip) && is_first_of_gateway(probes, i))
						take_answer(&answer, &answers[i]);
	} while (left > 0 && poll(polled, NEIGHBOUR_PROBE_FDS, QUIET_MS) > 0);
}
