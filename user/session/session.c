// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lock, recover, open, read, plan, commit: in this order, for every caller.
 */
#include "session/session.h"

#include <stdio.h>

#include "base/journal.h"
#include "base/util.h"
#include "config/parse.h"
#include "datapath/dataplane.h"
#include "datapath/pin_folders.h"
#include "datapath/pins.h"
#include "datapath/sender_map.h"
#include "datapath/state_maps.h"
#include "host/event_bus.h"
#include "plan/sources.h"
#include "session/agent_lock.h"
#include "session/change_list.h"

static struct error *error_of(const struct session *session)
{
	return &session->context->error;
}

static struct host_view *host_of(struct session *session, const char *tunnel)
{
	if (!session->host)
		session->host = &session->own_host;
	snprintf(session->host->tunnel, sizeof(session->host->tunnel), "%s", tunnel);
	return session->host;
}

/* -ENOENT, without an error: there is no pin folder. */
static int take_lock(struct session *session)
{
	session->lock = pins_lock(session->context->pin_dir, error_of(session));
	return session->lock < 0 ? session->lock : 0;
}

static void give_lock_back(struct session *session)
{
	cleanup_close_fd(&session->lock);
	session->lock = -1;
}

static int mend(const struct session *session, const char *tunnel)
{
	return session->lock < 0 ? 0 : dataplane_recover(session->context->pin_dir, tunnel, error_of(session));
}

/* Opens an instance, if there is one, and reads its state. Only a file defines what is accepted: `up` keeps it. */
static int open_any(struct session *session, const struct request *request)
{
	int ret = instance_open(session->context->pin_dir, request->tunnel, &session->instance, error_of(session));

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	session->is_running = instance_is_running(&session->instance);
	if (!session->is_running)
		return 0;
	ret = session_read_running(session, &session->state);
	if (ret || request->is_file)
		return ret;
	free(session->plan.state.accepted.all);
	session->plan.state.accepted = (struct accepted){};
	if (accepted_copy(&session->state.accepted, &session->plan.state.accepted))
		return error_system(error_of(session), ENOMEM, "cannot process the accepted findings");
	return 0;
}

static int keep_prefixes(struct session *session)
{
	return session->is_running ? sources_keep(session->host, &session->state, &session->plan, error_of(session))
				   : 0;
}

static int open_running(struct session *session, const char *tunnel)
{
	int ret = instance_open_running(session->context->pin_dir, tunnel, &session->instance, error_of(session));

	session->tunnel = tunnel;
	session->is_running = !ret;
	return ret ? ret : session_read_running(session, &session->state);
}

int session_begin(struct session *session, const char *tunnel)
{
	int ret = take_lock(session);

	host_of(session, tunnel);
	if (ret && ret != -ENOENT)
		return ret;
	ret = mend(session, tunnel);
	if (ret == -ENOTEMPTY && session->maps_only) {
		*error_of(session) = (struct error){};
		ret = 0;
	}
	return ret ? ret : open_running(session, tunnel);
}

int session_read(struct session *session, const char *tunnel)
{
	int ret = pins_probe(session->context->pin_dir, error_of(session));

	host_of(session, tunnel);
	if (!ret)
		ret = take_lock(session);
	if (ret && ret != -ENOENT)
		return ret;
	ret = open_running(session, tunnel);
	give_lock_back(session);
	return ret;
}

/*
 * Without a pin folder, an impossible request is refused before the folder is created. Then the host is read again,
 * with the lock held.
 */
static int prepare_folder(struct session *session, const struct request *request)
{
	int ret = plan_up(session->host, request, &session->plan, error_of(session));

	if (ret)
		return ret;
	ret = pins_prepare(session->context->pin_dir, error_of(session));
	if (ret)
		return ret;
	ret = take_lock(session);
	if (ret == -ENOENT)
		return error_system(error_of(session), ENOENT, "cannot open '%s'", session->context->pin_dir);
	plan_free(&session->plan);
	host_view_free(session->host);
	host_of(session, request->tunnel);
	return ret;
}

int session_begin_request(struct session *session, const struct request *request)
{
	int ret = pins_probe(session->context->pin_dir, error_of(session));

	session->tunnel = request->tunnel;
	session->may_be_first = true;
	host_of(session, request->tunnel);
	if (!ret)
		ret = take_lock(session);
	if (ret == -ENOENT) {
		*error_of(session) = (struct error){};
		ret = prepare_folder(session, request);
	}
	if (ret)
		return ret;
	ret = plan_up(session->host, request, &session->plan, error_of(session));
	if (ret)
		return ret;
	ret = mend(session, request->tunnel);
	ret = ret ? ret : open_any(session, request);
	return ret ? ret : keep_prefixes(session);
}

int session_try_request(struct session *session, const struct request *request)
{
	int ret = plan_up(host_of(session, request->tunnel), request, &session->plan, error_of(session));

	session->tunnel = request->tunnel;
	if (ret)
		return ret;
	ret = pins_probe(session->context->pin_dir, error_of(session));
	if (!ret)
		ret = take_lock(session);
	if (!ret)
		ret = open_any(session, request);
	if (!ret)
		ret = keep_prefixes(session);
	else if (ret == -ENOENT)
		*error_of(session) = (struct error){};
	give_lock_back(session);
	if (ret && ret != -ENOENT)
		return ret;
	ret = instance_check(&session->instance, error_of(session));
	ret = ret ? ret : programs_check(&session->plan.state, error_of(session));
	return ret ? ret : state_maps_check(&session->plan.state, error_of(session));
}

int session_read_host(struct session *session, unsigned int parts)
{
	int ret = host_view_read(session->host, parts);

	return ret ? error_system(error_of(session), -ret, "cannot read this host's devices and addresses") : 0;
}

int session_read_running(const struct session *session, struct state *state)
{
	return state_maps_read(&session->instance, state, error_of(session));
}

int session_plan(struct session *session)
{
	return plan_running(session->host, &session->state, &session->plan, error_of(session));
}

/*
 * Collects the plan's changes for listeners; an agent, which holds programs, reports them itself. This needs the
 * running state, because the caller has changed `state`.
 */
static void gather_changes(const struct session *session, struct change_list *list)
{
	cleanup(state_free) struct state running = {};
	struct error ignored = {};

	if (session->programs || !event_bus_has_listeners())
		return;
	if (!session->is_running)
		change_list_plan(list, &session->instance, NULL, &session->plan);
	else if (!state_maps_read(&session->instance, &running, &ignored))
		change_list_plan(list, &session->instance, &running, &session->plan);
}

static void publish_changes(const struct change_list *list)
{
	change_list_visit(list, event_bus_add);
	event_bus_flush();
}

int session_commit(struct session *session)
{
	cleanup(change_list_free) struct change_list changes = {};
	cleanup(programs_close) struct programs own = PROGRAMS_NONE;
	const char *root = session->context->pin_dir;
	bool in_force;
	int ret;

	gather_changes(session, &changes);
	session->plan.state.keep_choice = !session->is_choosing && agent_is_alive(root, session->tunnel);
	ret = dataplane_apply(root, &session->plan, &session->instance, session->programs ? session->programs : &own,
			      &session->changed, &in_force, error_of(session));
	if (!in_force)
		return ret;
	session->committed = true;
	if (ret)
		change_list_keep_attached(&changes, &session->instance, &session->plan);
	publish_changes(&changes); /* before another command can publish: in the order of the changes */
	give_lock_back(session);
	if (!session->programs) /* an agent knows about its own changes */
		agent_poke(root, session->tunnel);
	return ret;
}

int session_write(struct session *session)
{
	return state_maps_write(&session->instance, &session->state, error_of(session));
}

void session_end(struct session *session)
{
	if (session->may_be_first && !session->committed && session->lock >= 0)
		pins_tidy(session->context->pin_dir);
	cleanup_close_fd(&session->lock);
	instance_close(&session->instance);
	state_free(&session->state);
	plan_free(&session->plan);
	host_view_free(&session->own_host);
	*session = (struct session)SESSION(session->context);
}

/* Removes what dataplane_remove() does not remove. */
static int remove_rest(struct context *context, const char *tunnel)
{
	int ret = 0;

	if (agent_is_alive(context->pin_dir, tunnel))
		agent_poke(context->pin_dir, tunnel);
	else
		ret = agent_lock_remove(context->pin_dir, tunnel, &context->error);
	pins_tidy(context->pin_dir);
	return ret;
}

/* The steps that remove an instance. What does not belong to wgvia stays, and `left` names it. */
static int remove_instance(struct context *context, const char *tunnel, struct error *left)
{
	int (*const steps[])(const char *root, const char *tunnel, struct error *error) = {dataplane_recover,
											   dataplane_remove};
	int ret = pins_check_folder(context->pin_dir, tunnel, PINS_CURRENT, &context->error);

	if (ret)
		return ret;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		ret = steps[i](context->pin_dir, tunnel, &context->error);
		if (ret == -ENOTEMPTY)
			*left = context->error;
		else if (ret && ret != -ENOENT)
			return ret;
	}
	return 0;
}

static void publish_removal(const char *tunnel)
{
	cleanup(event_free) struct event event =
		event_make(EVENT_INSTANCE, JOURNAL_NOTICE, tunnel, "the instance was removed");

	event_add_text(&event, "state", "down");
	event_bus_add(&event);
	event_bus_flush();
}

int session_remove(struct context *context, const char *tunnel, struct error *left)
{
	cleanup_fd int lock = -1;
	int ret = pins_probe(context->pin_dir, &context->error);
	bool was_there;

	*left = (struct error){};
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	lock = pins_lock(context->pin_dir, &context->error);
	if (lock < 0)
		return lock == -ENOENT ? 0 : lock;
	was_there = pins_exist(context->pin_dir, tunnel, PINS_CURRENT);
	ret = remove_instance(context, tunnel, left);
	if (ret)
		return ret;
	if (was_there)
		publish_removal(tunnel);
	ret = remove_rest(context, tunnel);
	if (ret == -ENOTEMPTY) {
		*left = left->text[0] ? *left : context->error;
		ret = 0;
	}
	if (left->text[0])
		error_prefix(left, "'%s' is down; ", tunnel);
	return ret;
}

int session_write_senders(const char *pin_dir, const char *tunnel, const struct sender_targets *targets, bool some,
			  bool *changed)
{
	cleanup(instance_close) struct instance instance = INSTANCE_NONE;
	struct error ignored = {};
	cleanup_fd int lock = pins_lock(pin_dir, &ignored);
	int ret = lock < 0 ? lock : instance_open_running(pin_dir, tunnel, &instance, &ignored);

	*changed = false;
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	return sender_map_write(&instance, targets, some, changed);
}
