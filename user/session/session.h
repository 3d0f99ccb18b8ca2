/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The door to an instance. A session begins (lock, mend, open, read), its owner changes `state`, or gives the words of
 * a request, and looks at the plan; session_commit() puts it into force. session_end(), for cleanup(), discards a
 * change that was not committed.
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
	struct host_view *host;	   /* that the caller shares among sessions; else the session's own, `own_host` */
	struct programs *programs; /* that the process holds, and then those of the instance; NULL: it holds none */
	bool is_choosing;	   /* the caller has chosen among gateways; else the choice in force stays */
	bool maps_only; /* values of maps alone change: something else in the place of a pin does not matter */

	struct instance instance; /* nothing in it where nothing is running */
	bool is_running;
	struct state state; /* the running one; session_plan() moves it into the plan */
	struct plan plan;   /* the new state, and where programs are needed */
	bool changed;	    /* session_commit(): a program or an attachment has changed */
	const char *tunnel; /* the caller's */
	int lock;	    /* -1: it is not held */
	bool may_be_first;  /* this session may have made the folder of pins */
	bool committed;
	struct host_view own_host;
};

#define SESSION(context_) {.context = (context_), .lock = -1, .instance = INSTANCE_NONE}

/* All below return 0, or negative with context->error set and nothing done. */

/* Opens the running instance; -ENOENT: none is running. */
int session_begin(struct session *session, const char *tunnel);
/*
 * Makes the plan for a request, which replaces a running instance or creates one. `plan.refused` may say
 * which route of the request an error is about. The host is read with the lock held: waiting for it may take long.
 */
int session_begin_request(struct session *session, const struct request *request);
/*
 * As above, to look at it and to see what would be refused. It mends nothing, makes no folder and releases the
 * lock; session_commit() is not allowed.
 */
int session_try_request(struct session *session, const struct request *request);
/* Reads the running instance while no command changes it, and releases the lock. -ENOENT: none is running. */
int session_read(struct session *session, const char *tunnel);

/* Reads parts of the host (enum host_part). */
int session_read_host(struct session *session, unsigned int parts);
/* Reads the running state again, after the caller has changed `state`. The caller frees it. */
int session_read_running(const struct session *session, struct state *state);
/* The plan for `state`, and for the host as it is. */
int session_plan(struct session *session);
/*
 * Puts the plan into force, and releases the lock. Where something could not be detached, all else is done and told to
 * those who listen, and the error says so.
 */
int session_commit(struct session *session);
/*
 * Writes `state` in which prefixes have moved among devices that the instance knows: nothing is asked of the host, and
 * nothing attached.
 */
int session_write(struct session *session);

/* Discards a change that was not committed, and releases the lock. For cleanup(), too. */
void session_end(struct session *session);

/*
 * Takes an instance down. Nothing to take down is a success, and so is somebody's pin or folder that is left beside it:
 * `left` names it then, and has an empty text otherwise.
 */
int session_remove(struct context *context, const char *tunnel, struct error *left);

/*
 * Writes the results of a probe to the map `senders`; `some`: the instance has other gateways, too. No
 * instance is a success. `*changed`: an entry has changed. 0 or -errno.
 */
int session_write_senders(const char *pin_dir, const char *tunnel, const struct sender_targets *targets, bool some,
			  bool *changed);

#endif
