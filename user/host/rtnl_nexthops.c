// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the objects, then resolves groups of them.
 */
#include "host/rtnl_nexthops.h"

#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/util.h"
#include "host/attributes.h"
#include "host/rtnl_message.h"

struct group_member {
	uint32_t group, id;
};

struct query {
	struct nexthop_objects found;
	struct group_member *groups;
	size_t group_count;
};

static int add_member(struct nexthop_objects *objects, const struct nexthop_member *like, uint32_t id)
{
	struct nexthop_member *member = array_grow(&objects->all, &objects->count, sizeof(*member));

	if (!member)
		return -ENOMEM;
	*member = *like;
	member->id = id;
	return 0;
}

static int add_group(struct query *query, uint32_t id, const struct nlattr *attribute)
{
	size_t count = mnl_attr_get_payload_len(attribute) / sizeof(struct nexthop_grp);
	const char *members = mnl_attr_get_payload(attribute);

	for (size_t i = 0; i < count; i++) {
		struct group_member *member = array_grow(&query->groups, &query->group_count, sizeof(*member));
		struct nexthop_grp entry;

		if (!member)
			return netlink_fail(ENOMEM);
		memcpy(&entry, members + i * sizeof(entry), sizeof(entry));
		*member = (struct group_member){id, entry.id};
	}
	return MNL_CB_OK;
}

static int on_nexthop(const struct nlmsghdr *header, void *data)
{
	const struct nhmsg *info = mnl_nlmsg_get_payload(header);
	struct attributes attributes = attributes_of(header, sizeof(*info));
	uint32_t id = attribute_u32(attributes.of[NHA_ID], 0);
	struct nexthop_member member = {.nexthop.ifindex = attribute_u32(attributes.of[NHA_OIF], 0),
					.encapsulates = message_encapsulates(attributes.of[NHA_ENCAP_TYPE])};
	struct query *query = data;

	if (attributes.of[NHA_GROUP])
		return add_group(query, id, attributes.of[NHA_GROUP]);
	if (!member.nexthop.ifindex) /* a blackhole, or a bridge's */
		return MNL_CB_OK;
	if (attributes.of[NHA_GATEWAY])
		member.nexthop.via = attribute_ip(attributes.of[NHA_GATEWAY], info->nh_family);
	return add_member(&query->found, &member, id) ? netlink_fail(ENOMEM) : MNL_CB_OK;
}

static int nexthops_once(struct netlink *netlink, void *data)
{
	struct nlmsghdr *header = netlink_request(netlink, RTM_GETNEXTHOP, NLM_F_DUMP, sizeof(struct nhmsg));

	return netlink_ask(netlink, header, on_nexthop, data);
}

static void nexthops_reset(void *data)
{
	struct query *query = data;

	free(query->found.all);
	free(query->groups);
	*query = (struct query){};
}

/* The members of a group cannot be groups. */
static int resolve_groups(struct query *query)
{
	size_t single = query->found.count;

	for (size_t g = 0; g < query->group_count; g++)
		for (size_t i = 0; i < single; i++)
			if (query->found.all[i].id == query->groups[g].id) {
				struct nexthop_member member = query->found.all[i];

				if (add_member(&query->found, &member, query->groups[g].group))
					return -ENOMEM;
			}
	return 0;
}

int rtnl_get_nexthops(struct netlink *netlink, struct nexthop_objects *objects)
{
	struct query query = {};
	int ret = netlink_ask_again(netlink, nexthops_once, nexthops_reset, &query);

	if (!ret)
		ret = resolve_groups(&query);
	free(query.groups);
	if (ret)
		free(query.found.all);
	else
		*objects = query.found;
	return ret;
}
