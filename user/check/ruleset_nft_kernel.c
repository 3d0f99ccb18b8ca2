// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel reports about chains of nftables: whether there are any, in case nft is not installed, and the
 * devices of chains at the hooks ingress and egress, which nft's JSON may lack.
 */
#include <json-c/json.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "check/ruleset_nft.h"
#include "host/attributes.h"
#include "host/netlink.h"

#define DEVICE_PREFIX 2 /* NFTA_DEVICE_PREFIX, from newer headers */

static void add_device(struct json_object *devices, const struct nlattr *attribute, bool is_prefix)
{
	char name[64] = "";

	attribute_text(attribute, name, sizeof(name) - 1);
	if (is_prefix)
		strcat(name, "*");
	json_object_array_add(devices, json_object_new_string(name));
}

static void add_chain(struct json_object *all, const char *family, const struct attributes *chain,
		      const struct attributes *hook)
{
	const struct nlattr *list = hook->of[NFTA_HOOK_DEVS], *one;
	struct json_object *devices = json_object_new_array();
	char table[256] = "", name[256] = "", key[RULESET_NFT_KEY];

	attribute_text(chain->of[NFTA_CHAIN_TABLE], table, sizeof(table));
	attribute_text(chain->of[NFTA_CHAIN_NAME], name, sizeof(name));
	if (list)
		mnl_attr_for_each_nested(one, list) add_device(devices, one, mnl_attr_get_type(one) == DEVICE_PREFIX);
	else
		add_device(devices, hook->of[NFTA_HOOK_DEV], false);
	ruleset_nft_key(key, family, table, name);
	json_object_object_add(all, key, devices);
}

/* The number of chains at a hook, and their devices, if any. */
struct kernel_chains {
	size_t count;
	struct json_object *devices;
};

static int on_chain(const struct nlmsghdr *header, void *data)
{
	const struct nfgenmsg *message = mnl_nlmsg_get_payload(header);
	struct attributes attributes = attributes_of(header, sizeof(*message)), hook;
	struct kernel_chains *chains = data;

	if (!attributes.of[NFTA_CHAIN_HOOK])
		return MNL_CB_OK;
	chains->count++;
	hook = attributes_in(attributes.of[NFTA_CHAIN_HOOK]);
	if (chains->devices && (hook.of[NFTA_HOOK_DEV] || hook.of[NFTA_HOOK_DEVS]))
		add_chain(chains->devices, message->nfgen_family == NFPROTO_INET ? "inet" : "netdev", &attributes,
			  &hook);
	return MNL_CB_OK;
}

static int read_chains(struct kernel_chains *chains)
{
	cleanup(netlink_close) struct netlink *netlink = NULL;
	struct nlmsghdr *header;
	struct nfgenmsg *message;
	int ret = netlink_open(&netlink, NETLINK_NETFILTER);

	if (ret)
		return ret;
	header = netlink_request(netlink, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN, NLM_F_DUMP, sizeof(*message));
	message = mnl_nlmsg_get_payload(header);
	message->nfgen_family = AF_UNSPEC;
	message->version = NFNETLINK_V0;
	return netlink_ask(netlink, header, on_chain, chains);
}

bool ruleset_nft_kernel_has_chains(void)
{
	struct kernel_chains chains = {};

	read_chains(&chains);
	return chains.count;
}

bool ruleset_nft_kernel_is_refused(void)
{
	struct kernel_chains chains = {};
	int ret = read_chains(&chains);

	return ret == -EPERM || ret == -EACCES;
}

struct json_object *ruleset_nft_kernel_devices(void)
{
	struct kernel_chains chains = {.devices = json_object_new_object()};

	read_chains(&chains);
	return chains.devices;
}
