/* ID payloads (RFC 2407 4.6.2): as identities of phase 1, as selectors of phase 2, and as the shape of NAT-OA. */
#include "ike/ike_message.h"

#include <stdio.h>
#include <string.h>

enum drop identity_parse(struct view body, struct identity *out)
{
    struct reader r = rd_init(body);
    out->type = rd_u8(&r);
    out->protocol = rd_u8(&r);
    out->port = rd_u16(&r);
    out->data = rd_rest(&r);
    if (!rd_ok(&r) || out->data.n > IKE_IDENTITY_MAX)
        return DROP_IKE_ID;
    if ((out->type == IKE_ID_IPV4_ADDR && out->data.n != 4) || (out->type == IKE_ID_IPV6_ADDR && out->data.n != 16))
        return DROP_IKE_ID;
    return out->type == 0 ? DROP_IKE_ID : DROP_NONE;
}

struct ip_addr identity_address(const struct identity *id)
{
    struct ip_addr a = {0};
    struct reader r = rd_init(id->data);
    if (id->type == IKE_ID_IPV4_ADDR)
        a.family = 4;
    else if (id->type == IKE_ID_IPV6_ADDR)
        a.family = 6;
    rd_copy(&r, a.b, ip_addr_size(&a));
    return a;
}

static void text_of_bytes(struct view v, char *out, size_t cap)
{
    struct reader r = rd_init(v);
    size_t n = 0;
    while (rd_left(&r) > 0 && n + 5 < cap) {
        const uint8_t b = rd_u8(&r);
        if (b > 0x20 && b < 0x7f && b != '\\')
            out[n++] = (char)b;
        else
            n += (size_t)snprintf(out + n, cap - n, "\\x%02x", b);
    }
    out[n] = '\0';
}

static void text_of_digits(struct view v, const char *prefix, char *out, size_t cap)
{
    struct reader r = rd_init(v);
    size_t n = (size_t)snprintf(out, cap, "%s", prefix);
    while (rd_left(&r) > 0 && n + 3 < cap)
        n += (size_t)snprintf(out + n, cap - n, "%02x", rd_u8(&r));
}

void identity_text(const struct identity *id, char out[static IDENTITY_TEXT_MAX])
{
    char text[IP_TEXT_MAX];
    struct ip_addr a;
    switch (id->type) {
    case IKE_ID_IPV4_ADDR:
    case IKE_ID_IPV6_ADDR:
        a = identity_address(id);
        snprintf(out, IDENTITY_TEXT_MAX, "%s", ip_text(&a, text));
        break;
    case IKE_ID_FQDN:
    case IKE_ID_USER_FQDN:
        text_of_bytes(id->data, out, IDENTITY_TEXT_MAX);
        break;
    case IKE_ID_KEY_ID:
        out[0] = '@';
        text_of_bytes(id->data, out + 1, IDENTITY_TEXT_MAX - 1);
        break;
    case IKE_ID_DER_ASN1_DN:
        if (!name_text(id->data, out, IDENTITY_TEXT_MAX))
            text_of_digits(id->data, "der:", out, IDENTITY_TEXT_MAX);
        break;
    case IKE_ID_DER_ASN1_GN:
        text_of_digits(id->data, "der:", out, IDENTITY_TEXT_MAX);
        break;
    default:
        text_of_digits(id->data, "id:", out, IDENTITY_TEXT_MAX);
        break;
    }
}

void identity_write(struct writer *w, const struct ip_addr *a, uint8_t protocol, uint16_t port)
{
    wr_u8(w, a->family == 6 ? IKE_ID_IPV6_ADDR : IKE_ID_IPV4_ADDR);
    wr_u8(w, protocol);
    wr_u16(w, port);
    wr_bytes(w, a->b, ip_addr_size(a));
}

void identity_write_text(struct writer *w, const char *text)
{
    struct ip_addr a;
    if (ip_parse(text, &a) == ERR_OK) {
        identity_write(w, &a, 0, 0);
        return;
    }
    const bool is_key_id = text[0] == '@';
    const uint8_t named = strchr(text, '@') ? IKE_ID_USER_FQDN : IKE_ID_FQDN;
    wr_u8(w, is_key_id ? IKE_ID_KEY_ID : named);
    wr_zero(w, ID_FIXED - 1);
    wr_view(w, view_str(is_key_id ? text + 1 : text));
}
