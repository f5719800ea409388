/* What the kernel tells of our table: the elements of a map with their counters, and the named counters. */
#include "router/router_internal.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#define ERRNO_MAX  4095
#define ATTRIBUTES 32 /* numbers that are looked at are below */

size_t dump_request(uint8_t *out, size_t cap, enum router_table table, const char *set)
{
    if (cap < 256)
        return 0;
    struct nlmsghdr *h = mnl_nlmsg_put_header(out);
    h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | (set ? NFT_MSG_GETSETELEM : NFT_MSG_GETOBJ));
    h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    h->nlmsg_seq = 1;
    struct nfgenmsg *head = mnl_nlmsg_put_extra_header(h, sizeof(*head));
    head->nfgen_family = table == TABLE_SHORTCUT ? NFPROTO_NETDEV : NFPROTO_IPV4;
    head->version = NFNETLINK_V0;
    if (set) {
        mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, ROUTER_TABLE);
        mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, set);
    } else {
        mnl_attr_put_strz(h, NFTA_OBJ_TABLE, ROUTER_TABLE);
        mnl_attr_put_u32(h, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
    }
    return h->nlmsg_len;
}

/* ---- attributes ---- */

struct attributes {
    const struct nlattr *at[ATTRIBUTES];
};

static int take(const struct nlattr *a, void *ctx)
{
    struct attributes *out = ctx;
    const uint16_t type = mnl_attr_get_type(a);
    if (type < ATTRIBUTES)
        out->at[type] = a;
    return MNL_CB_OK;
}

static struct attributes nested(const struct nlattr *a)
{
    struct attributes out = {{NULL}};
    if (a)
        (void)mnl_attr_parse_nested(a, take, &out);
    return out;
}

static bool is_text(const struct nlattr *a, const char *text)
{
    return a && mnl_attr_get_payload_len(a) == strlen(text) + 1 &&
           memcmp(mnl_attr_get_payload(a), text, strlen(text) + 1) == 0;
}

static uint64_t number(const struct nlattr *a)
{
    uint64_t v = 0;
    if (a && mnl_attr_get_payload_len(a) == sizeof(v))
        memcpy(&v, mnl_attr_get_payload(a), sizeof(v));
    return be64toh(v);
}

static bool take_key(const struct nlattr *key, struct dump_element *out)
{
    const struct nlattr *value = nested(key).at[NFTA_DATA_VALUE];
    const size_t n = value ? mnl_attr_get_payload_len(value) : 0;
    if (n == 0 || n % sizeof(uint32_t) != 0 || n > sizeof(out->key))
        return false;
    memcpy(out->key, mnl_attr_get_payload(value), n);
    out->words = (uint8_t)(n / sizeof(uint32_t));
    for (size_t i = 0; i < out->words; i++)
        out->key[i] = ntohl(out->key[i]);
    return true;
}

/* ---- messages ---- */

static void take_counter(const struct nlattr *expression, struct dump_element *out)
{
    const struct attributes e = nested(expression);
    if (!is_text(e.at[NFTA_EXPR_NAME], "counter"))
        return;
    const struct attributes c = nested(e.at[NFTA_EXPR_DATA]);
    out->packets = number(c.at[NFTA_COUNTER_PACKETS]);
    out->bytes = number(c.at[NFTA_COUNTER_BYTES]);
}

static int take_expression(const struct nlattr *expression, void *ctx)
{
    take_counter(expression, ctx);
    return MNL_CB_OK;
}

static int take_element(const struct nlattr *one, void *ctx)
{
    const struct dump_sink *sink = ctx;
    struct dump_element e = {.words = 0};
    const struct attributes a = nested(one);
    if (!take_key(a.at[NFTA_SET_ELEM_KEY], &e))
        return MNL_CB_OK;
    if (a.at[NFTA_SET_ELEM_EXPR])
        take_counter(a.at[NFTA_SET_ELEM_EXPR], &e);
    if (a.at[NFTA_SET_ELEM_EXPRESSIONS])
        (void)mnl_attr_parse_nested(a.at[NFTA_SET_ELEM_EXPRESSIONS], take_expression, &e);
    sink->element(sink->ctx, &e);
    return MNL_CB_OK;
}

static void take_elements(const struct attributes *message, const struct dump_sink *sink)
{
    const struct nlattr *list = message->at[NFTA_SET_ELEM_LIST_ELEMENTS];
    struct dump_sink each = *sink;
    if (list && sink->element)
        (void)mnl_attr_parse_nested(list, take_element, &each);
}

static void take_object(const struct attributes *message, const struct dump_sink *sink)
{
    const struct nlattr *name = message->at[NFTA_OBJ_NAME];
    if (!sink->counter || !is_text(message->at[NFTA_OBJ_TABLE], ROUTER_TABLE) || !name)
        return;
    const struct attributes c = nested(message->at[NFTA_OBJ_DATA]);
    struct dump_counter out = {.packets = number(c.at[NFTA_COUNTER_PACKETS]),
                               .bytes = number(c.at[NFTA_COUNTER_BYTES])};
    view_copy_text(
        out.name, sizeof(out.name),
        view_of(mnl_attr_get_payload(name), strnlen(mnl_attr_get_payload(name), mnl_attr_get_payload_len(name))));
    sink->counter(sink->ctx, &out);
}

static enum err kernel_error(const struct nlmsghdr *h)
{
    int error = -EPROTO;
    if (mnl_nlmsg_get_payload_len(h) >= sizeof(error))
        memcpy(&error, mnl_nlmsg_get_payload(h), sizeof(error));
    if (error > 0 || error < -ERRNO_MAX)
        error = -EPROTO;
    errno = -error;
    return error == 0 ? ERR_OK : error == -ENOENT ? ERR_NOTFOUND : error == -EEXIST ? ERR_EXISTS : ERR_SYSTEM;
}

static void take_message(const struct nlmsghdr *h, const struct dump_sink *sink)
{
    struct attributes a = {{NULL}};
    const uint16_t type = h->nlmsg_type & 0xff;
    if (h->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES || mnl_nlmsg_get_payload_len(h) < sizeof(struct nfgenmsg))
        return;
    (void)mnl_attr_parse(h, sizeof(struct nfgenmsg), take, &a);
    if (type == NFT_MSG_NEWSETELEM)
        take_elements(&a, sink);
    else if (type == NFT_MSG_NEWOBJ)
        take_object(&a, sink);
}

enum err dump_read(const uint8_t *datagram, size_t n, const struct dump_sink *sink, bool *over)
{
    int left = n > INT32_MAX ? 0 : (int)n;
    const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)datagram;
    enum err e = ERR_OK;
    for (; message_is_whole(h, left); h = mnl_nlmsg_next(h, &left)) {
        if (h->nlmsg_type == NLMSG_DONE) {
            *over = true;
        } else if (h->nlmsg_type == NLMSG_ERROR) {
            const enum err told = kernel_error(h);
            e = e == ERR_OK ? told : e;
            *over = true;
        } else {
            take_message(h, sink);
        }
    }
    return e;
}
