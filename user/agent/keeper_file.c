// SPDX-License-Identifier: GPL-2.0-only
/*
 * When an agent reads its file: to put it into force, or to learn what it has to follow after a command.
 */
#include <errno.h>
#include <sys/stat.h>

#include "agent/converge.h"
#include "config/conffile.h"

/* On failure the old content stays. */
static int read_request(struct keeper *keeper)
{
	struct request request;
	int ret = conffile_read(keeper->words->path, keeper->words->tunnel, &request, &keeper->context->error);

	if (ret) {
		request_free(&request);
		return ret;
	}
	request_free(&keeper->request);
	keeper->request = request;
	keeper->request.by_agent = true;
	return 0;
}

int keeper_read_file(struct keeper *keeper)
{
	int ret = keeper->words->path ? read_request(keeper) : 0;

	if (keeper->words->path && !ret)
		keeper->pending = true;
	return ret;
}

/* A pipe, for example, cannot be read twice. */
static bool is_readable_again(const char *path)
{
	struct stat st;

	return stat(path, &st) || S_ISREG(st.st_mode);
}

int keeper_read_again(struct keeper *keeper)
{
	struct error *error = &keeper->context->error;
	uint64_t before = keeper->request.text_hash;
	int ret;

	if (!keeper->words->path || !is_readable_again(keeper->words->path))
		return 0;
	ret = read_request(keeper);
	if (ret && !error->hint[0])
		error_hint(error, "the agent follows what it read before");
	if (!ret && keeper->request.text_hash != before)
		state_free(&keeper->base);
	return ret;
}
