// SPDX-License-Identifier: GPL-2.0-only
/*
 * One step per point, undone in reverse order.
 */
#include "datapath/transaction.h"

#include <bpf/bpf.h>
#include <string.h>

#include "base/util.h"
#include "datapath/attach.h"
#include "datapath/bpf_object.h"
#include "datapath/device_map.h"
#include "datapath/qdisc.h"
#include "host/conntrack.h"

enum { STEP_ADDED = -1, STEP_LEFT = -2, STEP_FINAL = -3, STEP_LATER = -4 };

/* The change at one point, for undoing it. */
struct step {
	struct attachment attachment;
	int old_program; /* or STEP_ADDED; STEP_LEFT: it had the program; STEP_FINAL: no undo; STEP_LATER: not done */
	int new_program; /* with STEP_LATER; owned by the caller */
};

/* Removes a pin of the same name whose link or filter no longer exists. */
static void remove_dead(const struct transaction *transaction, const struct attachment *point)
{
	for (size_t i = 0; i < transaction->running->attachment_count; i++) {
		const struct attachment *old = &transaction->running->attachments[i];

		if (!old->alive && old->direction == point->direction && old->ifindex == point->ifindex)
			attach_remove(transaction->next->folder, old);
	}
}

static int make_qdisc(struct transaction *transaction, uint32_t ifindex, struct error *error)
{
	uint32_t *made;
	bool is_new;
	int ret = qdisc_make(transaction->next->folder, ifindex, &is_new, error);

	if (ret || !is_new)
		return ret;
	made = array_grow(&transaction->qdiscs, &transaction->qdisc_count, sizeof(*made));
	if (made)
		*made = ifindex;
	return 0;
}

/*
 * Without CAP_SYS_ADMIN a program without a pin, such as that of a link of an older version, can be replaced but not
 * restored. If the maps are the same, the new program serves as well.
 */
static int replace(struct transaction *transaction, struct step *step, const struct attachment *old, int prog_fd,
		   struct error *error)
{
	int old_program = programs_get(transaction->running, old), ret;

	step->attachment = *old;
	step->old_program = old_program < 0 ? STEP_FINAL : old_program;
	if (old_program < 0 && old_program != -EPERM)
		return error_system(error, -old_program, "cannot read the running program");
	ret = attach_replace(transaction->running->folder, old, prog_fd, error);
	transaction->is_final |= !ret && old_program < 0;
	if (!ret) /* what an undo must replace */
		step->attachment.prog_id = bpf_object_id(prog_fd);
	return ret;
}

static bool has_direction(const struct instance *instance, enum wgvia_direction direction)
{
	for (size_t i = 0; i < instance->attachment_count; i++)
		if (instance->attachments[i].alive && instance->attachments[i].direction == direction)
			return true;
	return false;
}

/*
 * From fast to stack: while the outward shortcut is in force, replies must take the return shortcut. Otherwise a
 * connection tracker on this host would see replies to requests that it has not seen.
 */
static bool has_to_wait(const struct transaction *transaction, const struct point *point)
{
	return point->direction == WGVIA_BACK && transaction->plan->state.mode == WGVIA_STACK &&
	       has_direction(transaction->running, WGVIA_OUT);
}

static int attach_point(struct transaction *transaction, const struct point *point, enum attach_kind kind, int prog_fd,
			struct error *error)
{
	const struct attachment *old = instance_attachment(transaction->running, point);
	struct step *step = array_grow(&transaction->steps, &transaction->step_count, sizeof(*step));
	int ret = 0;

	if (!step)
		return error_system(error, ENOMEM, "cannot attach");
	if (old && old->kind == kind && programs_is(prog_fd, old->prog_id)) {
		step->attachment = *old;
		step->old_program = STEP_LEFT;
	} else if (old && old->kind == kind && has_to_wait(transaction, point)) {
		*step = (struct step){*old, STEP_LATER, prog_fd};
	} else if (old && old->kind == kind) {
		ret = replace(transaction, step, old, prog_fd, error);
	} else {
		step->attachment = (struct attachment){
			.kind = kind,
			.direction = point->direction,
			.ifindex = point->ifindex,
			/* as its pin's name will express it: is_step() */
			.handle = kind == ATTACH_CLSACT ? attach_handle(transaction->plan->state.tunnel_ifindex,
									transaction->plan->state.tunnel)
							: 0};
		step->old_program = STEP_ADDED;
		remove_dead(transaction, &step->attachment);
		if (kind == ATTACH_CLSACT)
			ret = make_qdisc(transaction, point->ifindex, error);
		ret = ret ? ret : attach_add(transaction->next->folder, &step->attachment, prog_fd, error);
	}
	if (ret) {
		if (step->old_program >= 0)
			close(step->old_program);
		transaction->step_count--;
	}
	return ret;
}

void transaction_undo(struct transaction *transaction)
{
	struct error ignored = {};

	while (transaction->device_count)
		device_map_remove(transaction->next->maps[MAP_DEVICES],
				  transaction->devices[--transaction->device_count]);
	device_map_set_tunnel(transaction->next->maps[MAP_DEVICES], transaction->tunnel);
	while (transaction->step_count) {
		struct step *step = &transaction->steps[--transaction->step_count];

		if (step->old_program >= 0) {
			attach_replace(transaction->running->folder, &step->attachment, step->old_program, &ignored);
			close(step->old_program);
			step->old_program = STEP_ADDED;
		} else if (step->old_program == STEP_ADDED) {
			attach_remove(transaction->next->folder, &step->attachment);
		}
	}
	while (transaction->qdisc_count)
		qdisc_remove(transaction->next->folder, transaction->qdiscs[--transaction->qdisc_count]);
}

void transaction_free(struct transaction *transaction)
{
	for (size_t i = 0; i < transaction->step_count; i++)
		if (transaction->steps[i].old_program >= 0)
			close(transaction->steps[i].old_program);
	free(transaction->steps);
	free(transaction->qdiscs);
	free(transaction->devices);
}

/* Before a program that needs them is in force. */
static int add_devices(struct transaction *transaction, struct error *error)
{
	int map = transaction->next->maps[MAP_DEVICES], ret;
	char name[IFNAMSIZ];

	ret = device_map_set_tunnel(map, transaction->plan->state.tunnel_ifindex);
	if (ret)
		return error_system(error, -ret, "cannot use '%s'", transaction->plan->state.tunnel);
	for (size_t i = 0; i < transaction->plan->points.count; i++) {
		const struct point *point = &transaction->plan->points.all[i];
		uint32_t *added, key;

		ret = device_map_add(map, point, &key);
		if (ret) {
			attach_device_name(point->ifindex, name);
			return error_system(error, -ret, "cannot use '%s'", name);
		}
		added = key ? array_grow(&transaction->devices, &transaction->device_count, sizeof(*added)) : NULL;
		if (added)
			*added = key;
	}
	return 0;
}

int transaction_attach(struct transaction *transaction, const struct programs *programs, struct error *error)
{
	const struct plan *plan = transaction->plan;
	enum attach_kind kind;
	int ret = add_devices(transaction, error);

	if (ret || !plan->points.count)
		return ret;
	ret = attach_choose_kind(programs->fds[program_at(plan->points.all[0].direction, plan->points.all[0].l3)],
				 &kind, error);
	/* if the tracker cannot be read, continue */
	if (!ret && plan->state.mode == WGVIA_FAST && !has_direction(transaction->running, WGVIA_OUT))
		conntrack_relax(&plan->state);
	/* also for the tunnel, in both modes: a change of mode must not lose packets */
	if (!ret && kind == ATTACH_CLSACT && plan->state.tunnel_ifindex)
		ret = make_qdisc(transaction, plan->state.tunnel_ifindex, error);
	for (size_t i = 0; i < plan->points.count && !ret; i++) {
		const struct point *point = &plan->points.all[i];

		ret = attach_point(transaction, point, kind, programs->fds[program_at(point->direction, point->l3)],
				   error);
	}
	return ret;
}

static bool is_step(const struct transaction *transaction, const struct attachment *attachment)
{
	for (size_t i = 0; i < transaction->step_count; i++) {
		const struct attachment *done = &transaction->steps[i].attachment;

		if (done->kind == attachment->kind && done->direction == attachment->direction &&
		    done->ifindex == attachment->ifindex && done->handle == attachment->handle)
			return true;
	}
	return false;
}

static int replace_late(const struct transaction *transaction, struct error *error)
{
	struct error ignored = {};
	int ret = 0;

	for (size_t i = 0; i < transaction->step_count && !ret; i++) {
		const struct step *step = &transaction->steps[i];

		/* all else has changed: retry a temporary failure, such as lack of memory */
		if (step->old_program == STEP_LATER &&
		    attach_replace(transaction->running->folder, &step->attachment, step->new_program, &ignored))
			ret = attach_replace(transaction->running->folder, &step->attachment, step->new_program, error);
	}
	return ret;
}

/*
 * Detaches what is no longer wanted: points of the previous plan, and the same points with the other kind of
 * attachment. The outward shortcut goes first, so that a connection tracker on this host sees the request before the
 * reply. What cannot be detached keeps its pin; the change itself is in force by now, and repeating the command
 * detaches it.
 */
int transaction_detach(struct transaction *transaction, struct error *error)
{
	const struct attachment *left = NULL;
	char name[IFNAMSIZ];
	int ret = 0;

	device_map_keep(transaction->next->maps[MAP_DEVICES], transaction->plan->points.all,
			transaction->plan->points.count);
	/* a tracker that cannot be read is no reason to keep the old mode */
	if (transaction->plan->state.mode == WGVIA_STACK && has_direction(transaction->running, WGVIA_OUT))
		conntrack_forget(&transaction->plan->state);
	for (int direction = 0; direction < WGVIA_DIRECTION_COUNT; direction++)
		for (size_t i = 0; i < transaction->running->attachment_count; i++) {
			const struct attachment *old = &transaction->running->attachments[i];
			int failed = 0;

			if ((int)old->direction == direction && !is_step(transaction, old))
				failed = attach_remove(transaction->next->folder, old);
			if (failed && !left) {
				left = old;
				ret = failed;
			}
		}
	qdisc_forget_gone(transaction->next->folder);
	if (!left)
		return replace_late(transaction, error);
	attach_device_name(left->ifindex, name);
	error_system(error, -ret, "cannot detach from '%s', the rest of the change is complete", name);
	error_hint(error, "run the same command again to detach it");
	return ret;
}
