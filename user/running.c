// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sequences that commands share.
 */
#include "running.h"

#include <string.h>

#include "agent_lock.h"
#include "dataplane.h"
#include "parse.h"
#include "pins.h"
#include "programs.h"
#include "rtnl.h"
#include "tables.h"
#include "util.h"

/* `running` as instance_open() left it: empty where there is no instance. */
static int review_plan(struct context *context, const struct instance *running, struct plan *plan,
		       running_review review, void *data)
{
	cleanup(state_free) struct state state = {};
	bool is_running = instance_is_running(running);
	int ret = is_running ? tables_read(running, &state, &context->error) : 0;

	return ret ? ret : review(context, is_running ? &state : NULL, plan, data);
}

/* `held`: the programs that the process holds; NULL: none. */
static int apply(struct context *context, const struct plan *plan, struct instance *running, struct programs *held,
		 bool *changed)
{
	cleanup(programs_close) struct programs own = PROGRAMS_NONE;

	return dataplane_apply(context->pin_dir, plan, running, held ? held : &own, changed, &context->error);
}

static int apply_locked(struct context *context, struct plan *plan, running_review review, void *data,
			struct programs *held, bool *changed)
{
	cleanup(instance_close) struct instance running = INSTANCE_NONE;
	int ret = dataplane_recover(context->pin_dir, plan->state.tunnel, &context->error);

	if (ret)
		return ret;
	ret = instance_open(context->pin_dir, plan->state.tunnel, &running, &context->error);
	if (ret && ret != -ENOENT)
		return ret;
	ret = review ? review_plan(context, &running, plan, review, data) : 0;
	return ret ? ret : apply(context, plan, &running, held, changed);
}

/*
 * The host is read with the lock held: waiting for it may take long. Where there is no folder yet, what cannot be is
 * refused before one is made. The lock is the caller's to close, on failure too.
 */
static int resolve_locked(struct context *context, const struct request *request, running_resolve resolve,
			  struct plan *plan, int *lock)
{
	cleanup(rtnl_close) struct rtnl *rtnl = NULL;
	struct error *error = &context->error;
	int ret = rtnl_open(&rtnl);

	if (ret)
		return error_system(error, -ret, "cannot open rtnetlink");
	ret = pins_probe(context->pin_dir, error);
	if (!ret)
		*lock = ret = pins_lock(context->pin_dir, error);
	if (ret < 0 && ret != -ENOENT)
		return ret;
	*error = (struct error){};
	ret = resolve(rtnl, request, plan, error);
	ret = ret ? ret : pins_prepare(context->pin_dir, error);
	if (ret || *lock >= 0)
		return ret;
	*lock = pins_lock(context->pin_dir, error);
	if (*lock < 0)
		return *lock == -ENOENT ? error_system(error, ENOENT, "cannot open '%s'", context->pin_dir) : *lock;
	plan_free(plan);
	return resolve(rtnl, request, plan, error);
}

int running_apply(struct context *context, const struct request *request, running_resolve resolve, struct plan *plan,
		  running_review review, void *data, struct programs *held, bool *changed)
{
	cleanup_fd int lock = -1;
	int ret = resolve_locked(context, request, resolve, plan, &lock);

	if (ret) {
		if (lock >= 0)
			pins_tidy(context->pin_dir);
		return ret;
	}
	plan->state.keep_choice = agent_is_alive(context->pin_dir, plan->state.tunnel);
	ret = apply_locked(context, plan, review, data, held, changed);
	if (ret)
		pins_tidy(context->pin_dir);
	else
		agent_poke(context->pin_dir, plan->state.tunnel);
	return ret;
}

int running_try(struct context *context, struct plan *plan, running_review review, void *data)
{
	cleanup(instance_close) struct instance running = INSTANCE_NONE;
	struct error *error = &context->error;
	cleanup_fd int lock = -1;
	int ret = pins_probe(context->pin_dir, error);

	if (!ret) {
		lock = pins_lock(context->pin_dir, error);
		ret = lock < 0 ? lock : instance_open(context->pin_dir, plan->state.tunnel, &running, error);
	}
	if (ret && ret != -ENOENT)
		return ret;
	ret = instance_check(&running, error);
	ret = ret ? ret : tables_check(&plan->state, error);
	return ret ? ret : review_plan(context, &running, plan, review, data);
}

int running_read(struct context *context, const char *tunnel, struct instance *instance, struct state *state)
{
	cleanup_fd int lock = -1;
	int ret = pins_probe(context->pin_dir, &context->error);

	if (!ret) {
		lock = pins_lock(context->pin_dir, &context->error);
		ret = lock < 0 ? lock : 0;
	}
	if (ret && ret != -ENOENT)
		return ret;
	ret = instance_open_running(context->pin_dir, tunnel, instance, &context->error);
	return ret ? ret : tables_read(instance, state, &context->error);
}

/* Takes the lock and opens what is running. The lock is the caller's to close, on failure too. */
static int open_locked(struct context *context, const char *tunnel, int *lock, struct instance *running,
		       struct state *state)
{
	struct error *error = &context->error;
	int ret = 0;

	*lock = pins_lock(context->pin_dir, error);
	if (*lock < 0 && *lock != -ENOENT)
		return *lock;
	if (*lock >= 0)
		ret = dataplane_recover(context->pin_dir, tunnel, error);
	ret = ret ? ret : instance_open_running(context->pin_dir, tunnel, running, error);
	return ret ? ret : tables_read(running, state, error);
}

int running_edit(struct context *context, const char *tunnel, running_change change, void *data)
{
	cleanup(instance_close) struct instance running = INSTANCE_NONE;
	cleanup(state_free) struct state state = {};
	cleanup(plan_free) struct plan plan = {};
	cleanup(rtnl_close) struct rtnl *rtnl = NULL;
	struct error *error = &context->error;
	cleanup_fd int lock = -1;
	bool changed;
	int ret = rtnl_open(&rtnl);

	if (ret)
		return error_system(error, -ret, "cannot open rtnetlink");
	ret = open_locked(context, tunnel, &lock, &running, &state);
	ret = ret ? ret : change(context, rtnl, &state, data);
	ret = ret ? ret : resolve_running(rtnl, &state, &plan, error);
	if (ret)
		return ret;
	plan.state.keep_choice = agent_is_alive(context->pin_dir, tunnel);
	ret = apply(context, &plan, &running, NULL, &changed);
	if (!ret)
		agent_poke(context->pin_dir, tunnel);
	return ret;
}

int running_follow(struct context *context, const char *tunnel, running_change change, running_review review,
		   void *data, struct programs *held, bool *changed)
{
	cleanup(instance_close) struct instance running = INSTANCE_NONE;
	cleanup(state_free) struct state state = {};
	cleanup(plan_free) struct plan plan = {};
	cleanup(rtnl_close) struct rtnl *rtnl = NULL;
	struct error *error = &context->error;
	cleanup_fd int lock = -1;
	int ret = rtnl_open(&rtnl);

	if (ret)
		return error_system(error, -ret, "cannot open rtnetlink");
	ret = open_locked(context, tunnel, &lock, &running, &state);
	ret = ret ? ret : change(context, rtnl, &state, data);
	ret = ret ? ret : resolve_running(rtnl, &state, &plan, error);
	ret = ret ? ret : review_plan(context, &running, &plan, review, data);
	return ret ? ret : apply(context, &plan, &running, held, changed);
}

int running_rewrite(struct context *context, const char *tunnel, running_change change, void *data)
{
	cleanup(instance_close) struct instance running = INSTANCE_NONE;
	cleanup(state_free) struct state state = {};
	cleanup_fd int lock = -1;
	int ret = open_locked(context, tunnel, &lock, &running, &state);

	ret = ret ? ret : change(context, NULL, &state, data);
	return ret == 1 ? 0 : ret ? ret : tables_write(&running, &state, &context->error);
}

static int describe_one(struct context *context, const char *tunnel, running_describe describe, void *data)
{
	cleanup(instance_close) struct instance instance = INSTANCE_NONE;
	int ret = instance_open_running(context->pin_dir, tunnel, &instance, &context->error);

	return ret ? ret : describe(context, &instance, data);
}

int running_each(struct context *context, int argc, char **argv, running_describe describe, void *data)
{
	cleanup_free char(*names)[IFNAMSIZ] = NULL;
	char tunnel[IFNAMSIZ];
	size_t count = 0;
	int ret;

	if (argc > 1)
		return error_usage(&context->error, "unexpected word '%s': one IFACE at most", argv[1]);
	if (argc && parse_ifname(argv[0], tunnel, &context->error))
		return -EINVAL;
	ret = pins_probe(context->pin_dir, &context->error);
	if (ret && ret != -ENOENT)
		return ret;
	if (argc)
		return describe_one(context, tunnel, describe, data);
	if (ret)
		return 0; /* no folder, no instances */
	ret = pins_list(context->pin_dir, &names, &count);
	if (ret)
		return error_system(&context->error, -ret, "cannot read '%s'", context->pin_dir);
	for (size_t i = 0; i < count; i++) {
		ret = describe_one(context, names[i], describe, data);
		/* another namespace's, or taken down in between */
		if (ret && ret != -EBUSY && ret != -ENOENT)
			return ret;
		context->error = (struct error){};
	}
	return 0;
}
