/* The dictionaries of messages and AVPs as tables, and the outer form of an AVP (RFC 2661 4.1). */
#include "l2tp/l2tp_internal.h"

static const struct message_rule message_rules[] = {
#define MESSAGE(type, NAME, name, scope, required) {type, SCOPE_##scope, name, required},
#include "l2tp/message.def"
#undef MESSAGE
};

static const struct avp_rule avp_rules[] = {
#define AVP(attribute, NAME, name, mandatory, hide, min, max, messages)                                                \
    [attribute] = {attribute, name, mandatory, hide, min, max, messages},
#include "l2tp/avp.def"
#undef AVP
};

const struct message_rule *l2tp_message_rule(uint16_t type)
{
    for (size_t i = 0; i < ARRAY_LEN(message_rules); i++)
        if (message_rules[i].type == type)
            return &message_rules[i];
    return NULL;
}

const char *l2tp_message_name(uint16_t type)
{
    const struct message_rule *rule = l2tp_message_rule(type);
    return rule ? rule->name : "an unknown message";
}

const struct avp_rule *l2tp_avp_rule(uint16_t attribute)
{
    if (attribute >= ARRAY_LEN(avp_rules) || !avp_rules[attribute].name)
        return NULL;
    return &avp_rules[attribute];
}

void l2tp_avp_next(struct reader *r, struct avp_raw *out)
{
    const uint16_t word = rd_u16(r);
    const uint16_t length = word & AVP_LENGTH;
    *out = (struct avp_raw){
        .mandatory = word & AVP_MANDATORY,
        .hidden = word & AVP_HIDDEN,
        .reserved = word & AVP_RESERVED,
    };
    out->vendor = rd_u16(r);
    out->attribute = rd_u16(r);
    if (length < AVP_HEADER_SIZE)
        rd_fail(r);
    out->value = rd_view(r, rd_ok(r) ? length - AVP_HEADER_SIZE : 0);
}
