/* nflog: how the kernel hands over whole packets that its table does not know (nfnetlink_log). */
#include "router/router_internal.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <string.h>

#define REQUEST_MAX 128
#define WHOLE       0xffff /* bytes of a packet to copy */

static struct nlmsghdr *begin(uint8_t *out, uint16_t group)
{
    struct nlmsghdr *h = mnl_nlmsg_put_header(out);
    h->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
    h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    h->nlmsg_seq = 1;
    struct nfgenmsg *head = mnl_nlmsg_put_extra_header(h, sizeof(*head));
    head->nfgen_family = AF_INET;
    head->version = NFNETLINK_V0;
    head->res_id = htons(group);
    return h;
}

size_t nflog_bind_request(uint8_t *out, size_t cap, uint16_t group)
{
    if (cap < REQUEST_MAX)
        return 0;
    struct nlmsghdr *h = begin(out, group);
    const struct nfulnl_msg_config_cmd command = {.command = NFULNL_CFG_CMD_BIND};
    mnl_attr_put(h, NFULA_CFG_CMD, sizeof(command), &command);
    return h->nlmsg_len;
}

size_t nflog_mode_request(uint8_t *out, size_t cap, uint16_t group)
{
    if (cap < REQUEST_MAX)
        return 0;
    struct nlmsghdr *h = begin(out, group);
    const struct nfulnl_msg_config_mode mode = {.copy_range = htonl(WHOLE), .copy_mode = NFULNL_COPY_PACKET};
    mnl_attr_put(h, NFULA_CFG_MODE, sizeof(mode), &mode);
    mnl_attr_put_u32(h, NFULA_CFG_QTHRESH, htonl(1)); /* nobody waits for a second packet */
    mnl_attr_put_u16(h, NFULA_CFG_FLAGS, htons(NFULNL_CFG_F_SEQ));
    return h->nlmsg_len;
}

static int take(const struct nlattr *a, void *ctx)
{
    struct nflog_packet *out = ctx;
    switch (mnl_attr_get_type(a)) {
    case NFULA_PAYLOAD:
        out->p = mnl_attr_get_payload(a);
        out->n = mnl_attr_get_payload_len(a);
        break;
    case NFULA_SEQ:
        if (mnl_attr_validate(a, MNL_TYPE_U32) >= 0) {
            out->sequence = ntohl(mnl_attr_get_u32(a));
            out->numbered = true;
        }
        break;
    default:
        break;
    }
    return MNL_CB_OK;
}

bool message_is_whole(const void *message, int left)
{
    const struct nlmsghdr *h = message;
    return mnl_nlmsg_ok(h, left) && h->nlmsg_len <= (uint32_t)left && MNL_ALIGN(h->nlmsg_len) <= (uint32_t)left;
}

bool nflog_next(uint8_t **datagram, size_t *n, struct nflog_packet *out)
{
    int left = *n > INT32_MAX ? 0 : (int)*n;
    struct nlmsghdr *h = (struct nlmsghdr *)(void *)*datagram;
    while (message_is_whole(h, left)) {
        struct nflog_packet found = {.p = NULL};
        if (h->nlmsg_type == (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET) &&
            mnl_nlmsg_get_payload_len(h) >= sizeof(struct nfgenmsg))
            (void)mnl_attr_parse(h, sizeof(struct nfgenmsg), take, &found);
        h = mnl_nlmsg_next(h, &left);
        if (found.p) {
            *datagram = (uint8_t *)h;
            *n = left > 0 ? (size_t)left : 0;
            *out = found;
            return true;
        }
    }
    *n = 0;
    return false;
}
