/* Transactions of nf_tables, written through libmnl: what changes in the sets and maps of our table while it stands. */
#include "router/router_internal.h"

#include <arpa/inet.h>
#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#define CHANGE_MAX 256 /* bytes of one message at most, the end of the transaction included */

static const uint8_t families[TABLES] = {[TABLE_RULES] = NFPROTO_IPV4, [TABLE_SHORTCUT] = NFPROTO_NETDEV};

static struct nlmsghdr *put_message(struct batch *b, uint16_t type, uint16_t flags, uint8_t family, uint16_t resource)
{
    struct nlmsghdr *h = mnl_nlmsg_put_header(b->bytes + b->n);
    h->nlmsg_type = type;
    h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    h->nlmsg_seq = b->sequence++;
    struct nfgenmsg *head = mnl_nlmsg_put_extra_header(h, sizeof(*head));
    head->nfgen_family = family;
    head->version = NFNETLINK_V0;
    head->res_id = htons(resource);
    return h;
}

static uint16_t table_message(uint16_t type)
{
    return (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
}

void batch_begin(struct batch *b)
{
    b->n = 0;
    b->changes = 0;
    b->n += put_message(b, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES)->nlmsg_len;
}

void batch_end(struct batch *b)
{
    b->n += put_message(b, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES)->nlmsg_len;
}

static bool has_room(const struct batch *b)
{
    return sizeof(b->bytes) - b->n >= 2 * CHANGE_MAX;
}

static void put_value(struct nlmsghdr *h, uint16_t type, const uint32_t *words, size_t n)
{
    uint32_t network[KEY_WORDS];
    for (size_t i = 0; i < n; i++)
        network[i] = htonl(words[i]);
    struct nlattr *value = mnl_attr_nest_start(h, type);
    mnl_attr_put(h, NFTA_DATA_VALUE, n * sizeof(network[0]), network);
    mnl_attr_nest_end(h, value);
}

static void put_element(struct nlmsghdr *h, const struct element *e, bool is_new)
{
    struct nlattr *one = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
    put_value(h, NFTA_SET_ELEM_KEY, e->key, e->words);
    if (e->end)
        mnl_attr_put_u32(h, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
    if (is_new && e->has_data)
        put_value(h, NFTA_SET_ELEM_DATA, &e->data, 1);
    if (is_new && e->expiry)
        mnl_attr_put_u64(h, NFTA_SET_ELEM_TIMEOUT, htobe64(e->expiry / USEC_MSEC));
    mnl_attr_nest_end(h, one);
}

static bool change(struct batch *b, uint16_t type, uint16_t flags, enum router_table table, const char *set,
                   const struct element *e)
{
    if (!has_room(b))
        return false;
    struct nlmsghdr *h = put_message(b, table_message(type), flags, families[table], 0);
    mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, ROUTER_TABLE);
    mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, set);
    if (e) {
        struct nlattr *list = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
        put_element(h, e, type == NFT_MSG_NEWSETELEM);
        mnl_attr_nest_end(h, list);
    }
    b->n += MNL_ALIGN(h->nlmsg_len);
    b->changes++;
    return true;
}

bool batch_add(struct batch *b, const struct element *e)
{
    return change(b, NFT_MSG_NEWSETELEM, NLM_F_CREATE, e->table, e->set, e);
}

bool batch_delete(struct batch *b, const struct element *e)
{
    return change(b, NFT_MSG_DELSETELEM, 0, e->table, e->set, e);
}

bool batch_flush_set(struct batch *b, enum router_table table, const char *set)
{
    return change(b, NFT_MSG_DELSETELEM, 0, table, set, NULL);
}

bool batch_delete_table(struct batch *b, enum router_table table)
{
    if (!has_room(b))
        return false;
    struct nlmsghdr *h = put_message(b, table_message(NFT_MSG_DELTABLE), 0, families[table], 0);
    mnl_attr_put_strz(h, NFTA_TABLE_NAME, ROUTER_TABLE);
    b->n += MNL_ALIGN(h->nlmsg_len);
    b->changes++;
    return true;
}
