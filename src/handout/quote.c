/* How each format spells a value. The only code that puts a value into a file. */
#include "handout/handout_internal.h"

#include <stdio.h>
#include <string.h>

void put(struct writer *w, const char *ours)
{
    wr_view(w, view_str(ours));
}

void put_number(struct writer *w, uint32_t n)
{
    char text[16];
    snprintf(text, sizeof text, "%u", n);
    put(w, text);
}

void put_base64(struct writer *w, struct view bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct reader r = rd_init(bytes);
    while (rd_left(&r) > 0) {
        uint32_t n = rd_left(&r) < 3 ? (uint32_t)rd_left(&r) : 3, bits = 0;
        for (uint32_t i = 0; i < 3; i++)
            bits = bits << 8 | (i < n ? rd_u8(&r) : 0u);
        for (uint32_t i = 0; i < 4; i++)
            wr_u8(w, i <= n ? (uint8_t)digits[bits >> (18 - 6 * i) & 63] : '=');
    }
}

void put_pem(struct writer *w, struct view pem)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    const uint8_t *at = pem.n > 0 ? memmem(pem.p, pem.n, begin, sizeof begin - 1) : NULL;
    if (at == NULL)
        return;
    const size_t from = (size_t)(at - pem.p) + sizeof begin - 1;
    for (size_t i = from; i < pem.n && pem.p[i] != '-'; i++)
        if (pem.p[i] != '\0' && strchr(digits, pem.p[i]) != NULL)
            wr_u8(w, pem.p[i]);
}

void put_address(struct writer *w, const struct ip_addr *a)
{
    char text[IP_TEXT_MAX];
    put(w, ip_text(a, text));
}

void put_prefix(struct writer *w, const struct ip_prefix *p)
{
    put_address(w, &p->addr);
    wr_u8(w, '/');
    put_number(w, p->bits);
}

/* ---- values ---- */

/* PowerShell takes typographic quotes for straight ones, and any of them doubled for one: U+2018, U+2019, U+201A and
 * U+201B, E2 80 98 to E2 80 9B. */
static size_t powershell_quote(struct view v)
{
    if (v.p[0] == '\'')
        return 1;
    return v.n >= 3 && v.p[0] == 0xe2 && v.p[1] == 0x80 && v.p[2] >= 0x98 && v.p[2] <= 0x9b ? 3 : 0;
}

void quote_powershell(struct writer *w, struct view value)
{
    wr_u8(w, '\'');
    while (value.n > 0) {
        size_t quote = powershell_quote(value), n = quote > 0 ? quote : 1;
        wr_bytes(w, value.p, n);
        wr_bytes(w, value.p, quote);
        value = view_of(value.p + n, value.n - n);
    }
    wr_u8(w, '\'');
}

void quote_shell(struct writer *w, struct view value)
{
    wr_u8(w, '\'');
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] == '\'')
            put(w, "'\\''");
        else
            wr_u8(w, value.p[i]);
    wr_u8(w, '\'');
}

void quote_json(struct writer *w, struct view value)
{
    wr_u8(w, '"');
    for (size_t i = 0; i < value.n; i++) {
        char escape[8];
        if (value.p[i] == '"' || value.p[i] == '\\')
            wr_u8(w, '\\');
        snprintf(escape, sizeof escape, "\\u%04x", value.p[i]);
        if (value.p[i] < ' ')
            put(w, escape);
        else
            wr_u8(w, value.p[i]);
    }
    wr_u8(w, '"');
}

/* A list of what is harmless: its own language has variables, commands in brackets and help in the middle of strings.
 */
void quote_routeros(struct writer *w, struct view value)
{
    wr_u8(w, '"');
    for (size_t i = 0; i < value.n; i++) {
        const char c = (char)value.p[i];
        char escape[4];
        snprintf(escape, sizeof escape, "\\%02X", value.p[i]);
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            (c != '\0' && strchr(" -_.@:/+=", c) != NULL))
            wr_u8(w, value.p[i]);
        else
            put(w, escape);
    }
    wr_u8(w, '"');
}

void quote_xml(struct writer *w, struct view value)
{
    for (size_t i = 0; i < value.n; i++)
        switch (value.p[i]) {
        case '&':
            put(w, "&amp;");
            break;
        case '<':
            put(w, "&lt;");
            break;
        case '>':
            put(w, "&gt;");
            break;
        case '"':
            put(w, "&quot;");
            break;
        case '\'':
            put(w, "&apos;");
            break;
        default:
            wr_u8(w, value.p[i]);
        }
}

/* Blanks at the ends would be cut off. */
void quote_keyfile(struct writer *w, struct view value)
{
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] == '\\')
            put(w, "\\\\");
        else if (value.p[i] == ' ' && (i == 0 || i + 1 == value.n))
            put(w, "\\s");
        else
            wr_u8(w, value.p[i]);
}
