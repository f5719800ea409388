/* The header of data messages (RFC 2661 3.1), on the packet path. Nearly every packet has six bytes of header with
 * the flags 0x0002; the other forms take the longer way. */
#include "l2tp/l2tp_internal.h"

#include <string.h>

#define FORM_MASK  (FLAG_TYPE | FLAG_LENGTH | FLAG_SEQUENCE | FLAG_OFFSET | FLAG_VERSION)
#define FORM_SHORT L2TP_VERSION

struct data_header {
    uint16_t tunnel_id, session_id;
    bool sequenced;
    uint16_t ns;
    uint32_t size;   /* bytes before PPP */
    uint32_t length; /* bytes of the message, header included */
};

static enum drop parse_long(const struct packet *p, struct data_header *h)
{
    struct reader r = rd_init(view_of(p->data, p->len));
    const uint16_t flags = rd_u16(&r);
    if ((flags & FLAG_VERSION) != L2TP_VERSION)
        return DROP_L2TP_VERSION;
    if (flags & FLAG_TYPE)
        return DROP_L2TP_HEADER;
    h->length = flags & FLAG_LENGTH ? rd_u16(&r) : p->len;
    h->tunnel_id = rd_u16(&r);
    h->session_id = rd_u16(&r);
    h->sequenced = flags & FLAG_SEQUENCE;
    h->ns = h->sequenced ? rd_u16(&r) : 0;
    if (h->sequenced)
        rd_skip(&r, 2); /* Nr: reserved in data messages */
    if (flags & FLAG_OFFSET)
        rd_skip(&r, rd_u16(&r));
    h->size = p->len - (uint32_t)rd_left(&r);
    if (!rd_ok(&r) || h->length > p->len || h->length < h->size)
        return DROP_L2TP_SHORT;
    return DROP_NONE;
}

static struct session *find(const struct l2tp *l, uint32_t carrier, const struct data_header *h, enum drop *verdict)
{
    *verdict = DROP_L2TP_TUNNEL;
    const struct tunnel *t = l2tp_table_find(l, carrier, h->tunnel_id);
    if (!t)
        return NULL;
    *verdict = DROP_L2TP_SESSION;
    struct session *s = l2tp_table_session(t, h->session_id);
    return s && s->state == SESSION_ESTABLISHED ? s : NULL;
}

/* RFC 2661 5.4: a late or repeated packet is dropped, lost ones are not waited for. Whether a LAC numbers its packets
 * is the LNS's choice, unless the LAC required it. */
static enum drop judge_sequence(struct session *s, const struct data_header *h)
{
    if (s->lac && !s->sequencing)
        s->sequenced = h->sequenced;
    if (!h->sequenced)
        return DROP_NONE;
    if ((int16_t)(uint16_t)(h->ns - s->data_nr) < 0)
        return DROP_L2TP_SEQUENCE;
    s->data_nr = (uint16_t)(h->ns + 1);
    return DROP_NONE;
}

enum drop l2tp_data_open(struct l2tp *l2tp, uint32_t carrier, struct packet *packet)
{
    if (packet->len < DATA_HEADER_SIZE)
        return DROP_L2TP_SHORT;
    struct data_header h = {.size = DATA_HEADER_SIZE, .length = packet->len};
    enum drop verdict;
    if ((be16_get(packet->data) & FORM_MASK) == FORM_SHORT) {
        h.tunnel_id = be16_get(packet->data + 2);
        h.session_id = be16_get(packet->data + 4);
    } else if ((verdict = parse_long(packet, &h)) != DROP_NONE) {
        return verdict;
    }
    struct session *s = find(l2tp, carrier, &h, &verdict);
    if (!s)
        return verdict;
    verdict = judge_sequence(s, &h);
    if (verdict != DROP_NONE)
        return verdict;
    packet->tailroom = (uint16_t)(packet->tailroom + (packet->len - h.length));
    packet->len = h.length;
    packet_pull(packet, h.size);
    packet->owner = s->number;
    return DROP_NONE;
}

static struct session *established(const struct l2tp *l, uint32_t number)
{
    struct session *s = number < l->n_numbers ? l->numbers[number].session : NULL;
    return s && s->state == SESSION_ESTABLISHED ? s : NULL;
}

uint32_t l2tp_data_overhead(const struct l2tp *l2tp, uint32_t session)
{
    const struct session *s = established(l2tp, session);
    return s && s->sequenced ? DATA_HEADER_MAX : DATA_HEADER_SIZE;
}

bool l2tp_data_seal(struct l2tp *l2tp, uint32_t session, struct packet *packet)
{
    struct session *s = established(l2tp, session);
    if (!s)
        return false;
    if (!s->sequenced) {
        if (!packet_push(packet, DATA_HEADER_SIZE))
            return false;
        be16_put(s->header, L2TP_VERSION);
        memcpy(packet->data, s->header, DATA_HEADER_SIZE);
        return true;
    }
    if (!packet_push(packet, DATA_HEADER_MAX))
        return false;
    be16_put(s->header, FLAG_SEQUENCE | L2TP_VERSION);
    be16_put(s->header + DATA_HEADER_SIZE, s->data_ns++);
    memcpy(packet->data, s->header, DATA_HEADER_MAX);
    return true;
}

bool l2tp_is_control(struct view datagram)
{
    return datagram.n >= 2 && be16_get(datagram.p) & FLAG_TYPE;
}
