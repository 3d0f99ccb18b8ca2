/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Access to an instance. A session begins (lock, recover, open, read). Its owner changes `state`, or passes a request,
 * and looks at the plan; session_commit() puts the plan into force. session_end(), for cleanup(), discards a change
 * that was not committed.
 *
 *	cleanup(session_end) struct session session = SESSION(context);
 *	int ret = session_begin(&session, "wg0");
 *	... session.state ...
 *	if (!ret)
 *		ret = session_plan(&session);
 *	if (!ret)
 *		ret = session_commit(&session);
 */
#ifndef WGVIA_SESSION_H
#define WGVIA_SESSION_H

#include "base/context.h"
#include "config/state.h"
#include "datapath/instance.h"
#include "datapath/programs.h"
#include "host/host_view.h"
#include "host/sender_probe.h"
#include "plan/plan.h"

struct session {
	struct context *context;
	struct host_view *host;	   /* shared by the caller among sessions; otherwise the session's own, `own_host` */
	struct programs *programs; /* held by the process, and afterwards those of the instance; NULL: it holds none */
	bool is_choosing;	   /* the caller chose among gateways; otherwise the choice in force stays */
	bool maps_only;		   /* only values in maps change: a damaged pin does not matter */

	struct instance instance; /* empty if nothing is running */
	bool is_running;
	struct state state; /* the running one; session_plan() moves it into the plan */
	struct plan plan;   /* the new state, and the points for programs */
	bool changed;	    /* session_commit(): a program or an attachment changed */
	const char *tunnel; /* owned by the caller */
	int lock;	    /* -1: not held */
	bool may_be_first;  /* this session may have created the pin folder */
	bool committed;
	struct host_view own_host;
};

#define SESSION(context_) {.context = (context_), .lock = -1, .instance = INSTANCE_NONE}

/* All functions below return 0, or negative with context->error set and nothing changed. */

/* Opens the running instance; -ENOENT: none is running. */
int session_begin(struct session *session, const char *tunnel);
/*
 * Makes the plan for a request, which replaces a running instance or creates one. `plan.refused` may name the request's
 * route that caused an error. The host is read with the lock held, because waiting for the lock may take long.
 */
int session_begin_request(struct session *session, const struct request *request);
/*
 * The same, for a look at the plan or at a refusal. It recovers nothing, creates no folder and releases the lock;
 * session_commit() is not allowed.
 */
int session_try_request(struct session *session, const struct request *request);
/* Reads the running instance while no command can change it, and releases the lock. -ENOENT: none is running. */
int session_read(struct session *session, const char *tunnel);

/* Reads parts of the host (enum host_part). */
int session_read_host(struct session *session, unsigned int parts);
/* Reads the running state again, after the caller has changed `state`. The caller frees it. */
int session_read_running(const struct session *session, struct state *state);
/* Makes the plan for `state` on the present host. */
int session_plan(struct session *session);
/*
 * Puts the plan into force, and releases the lock. If something cannot be detached, the rest of the change is complete
 * and is published, and the error says so.
 */
int session_commit(struct session *session);
/*
 * Writes `state`, in which prefixes have moved among devices that the instance knows: it does not read the host, and
 * attaches nothing.
 */
int session_write(struct session *session);

/* Discards a change that was not committed, and releases the lock. Also for cleanup(). */
void session_end(struct session *session);

/*
 * Removes an instance. A missing instance is a success. A pin or folder of another program that remains beside it is a
 * success as well: `left` names it then, and otherwise has an empty text.
 */
int session_remove(struct context *context, const char *tunnel, struct error *left);

/*
 * Writes the results of a probe to the map `senders`; `some`: the instance has other gateways as well. A missing
 * instance is a success. `*changed`: an entry has changed. 0 or -errno.
 */
int session_write_senders(const char *pin_dir, const char *tunnel, const struct sender_targets *targets, bool some,
			  bool *changed);

#endif
