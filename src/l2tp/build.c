/* Writing control messages. Only AVPs of the dictionary leave this host, with the M bits it gives: Windows tears a
 * tunnel down over a wrong one. */
#include "l2tp/l2tp_internal.h"

#include <string.h>

static void write_avp(struct build *b, const struct avp_rule *rule, bool hidden, struct view value)
{
    const uint16_t flags = (uint16_t)((rule->mandatory ? AVP_MANDATORY : 0) | (hidden ? AVP_HIDDEN : 0));
    wr_u16(&b->w, (uint16_t)(flags | (AVP_HEADER_SIZE + value.n)));
    wr_u16(&b->w, 0);
    wr_u16(&b->w, rule->attribute);
    wr_view(&b->w, value);
}

void l2tp_build_begin(struct build *b, const struct l2tp_config *config, const struct random *random, uint16_t type,
                      uint16_t tunnel_id, uint16_t session_id)
{
    b->w = wr_init(b->bytes, sizeof(b->bytes));
    b->type = type;
    b->secret = config->hide_avps ? secret_view(&config->secret) : VIEW_NONE;
    l2tp_header_write(&b->w, &(struct header){.tunnel_id = tunnel_id, .session_id = session_id}, 0);
    l2tp_build_u16(b, AVP_MESSAGE_TYPE, type);
    if (b->secret.n == 0)
        return;
    random_fill(random, b->vector, sizeof(b->vector));
    l2tp_build_avp(b, AVP_RANDOM_VECTOR, VIEW(b->vector));
}

void l2tp_build_avp(struct build *b, enum avp attribute, struct view value)
{
    const struct avp_rule *rule = l2tp_avp_rule((uint16_t)attribute);
    uint8_t covered[256];
    if (value.n > sizeof(covered) - 2) {
        b->w.failed = true;
        return;
    }
    if (!rule->hide || b->secret.n == 0) {
        write_avp(b, rule, false, value);
        return;
    }
    if (l2tp_hidden_cover(b->secret, VIEW(b->vector), rule->attribute, value, covered) != ERR_OK) {
        b->w.failed = true;
        return;
    }
    write_avp(b, rule, true, view_of(covered, value.n + 2));
}

void l2tp_build_u16(struct build *b, enum avp attribute, uint16_t value)
{
    uint8_t bytes[2];
    be16_put(bytes, value);
    l2tp_build_avp(b, attribute, VIEW(bytes));
}

void l2tp_build_u32(struct build *b, enum avp attribute, uint32_t value)
{
    uint8_t bytes[4];
    be32_put(bytes, value);
    l2tp_build_avp(b, attribute, VIEW(bytes));
}

void l2tp_build_result(struct build *b, uint16_t result, uint16_t error)
{
    l2tp_build_u32(b, AVP_RESULT_CODE, (uint32_t)result << 16 | error);
}

struct view l2tp_build_end(struct build *b)
{
    wr_patch16(&b->w, HEADER_AT_LENGTH, (uint16_t)b->w.n);
    return wr_written(&b->w);
}
