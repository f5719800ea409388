/* Distinguished names for people: just enough DER (X.690) to read an X.501 Name, written by RFC 4514 but for a blank
 * after each comma. Whom a name belongs to is not judged here. */
#include "ike/ike_message.h"

#include <stdio.h>
#include <string.h>

#define RDNS_MAX 32 /* parts of a name */

enum tag {
    TAG_OID = 0x06,
    TAG_BMP_STRING = 0x1e,
    TAG_SEQUENCE = 0x30,
    TAG_SET = 0x31,
};

/* OIDs as they are in DER. Words by RFC 4514 3, and what else certificates have. */
static const struct {
    const char *word;
    uint8_t n;
    uint8_t oid[10];
} attributes[] = {
    {"CN", 3, {0x55, 4, 3}},
    {"serialNumber", 3, {0x55, 4, 5}},
    {"C", 3, {0x55, 4, 6}},
    {"L", 3, {0x55, 4, 7}},
    {"ST", 3, {0x55, 4, 8}},
    {"STREET", 3, {0x55, 4, 9}},
    {"O", 3, {0x55, 4, 10}},
    {"OU", 3, {0x55, 4, 11}},
    {"title", 3, {0x55, 4, 12}},
    {"UID", 10, {0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1}},
    {"DC", 10, {0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25}},
    {"emailAddress", 9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1}},
};

/* The next element: its tag of one byte, and its content; the reader fails when it is not whole. */
static struct view next_element(struct reader *r, uint8_t *tag)
{
    *tag = rd_u8(r);
    uint32_t n = rd_u8(r);
    if (n > 0x82) /* nobody's name is longer than 64 KB */
        rd_fail(r);
    else if (n == 0x82)
        n = rd_u16(r);
    else if (n == 0x81)
        n = rd_u8(r);
    else if (n == 0x80) /* BER's indefinite length */
        rd_fail(r);
    return rd_view(r, n);
}

/* One of a certain tag; the reader fails when it is another. */
static struct view element(struct reader *r, enum tag wanted)
{
    uint8_t tag;
    const struct view body = next_element(r, &tag);
    if (tag == wanted)
        return body;
    rd_fail(r);
    return VIEW_NONE;
}

/* Text that ends when it is full, always between two characters. */
struct text {
    char *out;
    size_t n, cap;
    bool full;
};

static void put(struct text *t, const char *piece)
{
    const size_t n = strlen(piece);
    t->full |= t->n + n >= t->cap;
    if (t->full)
        return;
    memcpy(t->out + t->n, piece, n + 1);
    t->n += n;
}

static void put_hex(struct text *t, uint8_t b)
{
    char piece[4];
    snprintf(piece, sizeof(piece), "\\%02X", b);
    put(t, piece);
}

/* RFC 4514 2.4 */
static void put_byte(struct text *t, uint8_t b, bool at_edge)
{
    const bool special = (b != 0 && strchr(",+\"\\<>;", b)) || (at_edge && (b == ' ' || b == '#'));
    const char piece[] = {special ? '\\' : (char)b, special ? (char)b : '\0', '\0'};
    if (b < ' ' || b >= 0x7f)
        put_hex(t, b);
    else
        put(t, piece);
}

static void put_string(struct text *t, struct view value)
{
    struct reader r = rd_init(value);
    bool first = true;
    while (rd_left(&r) > 0) {
        const uint8_t b = rd_u8(&r);
        put_byte(t, b, first || rd_left(&r) == 0);
        first = false;
    }
}

/* UTF-16 of the basic plane; what is not ASCII is written as the bytes of its UTF-8. */
static void put_bmp(struct text *t, struct view value)
{
    struct reader r = rd_init(value);
    while (rd_left(&r) >= 2) {
        const uint16_t c = rd_u16(&r);
        if (c < 0x80) {
            put_byte(t, (uint8_t)c, false);
            continue;
        }
        if (c >= 0x800)
            put_hex(t, (uint8_t)(0xe0 | c >> 12));
        put_hex(t, c >= 0x800 ? (uint8_t)(0x80 | (c >> 6 & 0x3f)) : (uint8_t)(0xc0 | c >> 6));
        put_hex(t, (uint8_t)(0x80 | (c & 0x3f)));
    }
}

/* "1.3.6.1.4.1.311" */
static void put_oid(struct text *t, struct view oid)
{
    struct reader r = rd_init(oid);
    char piece[24];
    uint64_t arc = 0;
    for (bool first = true; rd_left(&r) > 0;) {
        const uint8_t b = rd_u8(&r);
        arc = (arc & UINT64_MAX >> 8) << 7 | (b & 0x7f);
        if (b & 0x80)
            continue;
        const uint64_t root = arc < 80 ? arc / 40 : 2;
        if (first)
            snprintf(piece, sizeof(piece), "%u.%llu", (unsigned)root, (unsigned long long)(arc - root * 40));
        else
            snprintf(piece, sizeof(piece), ".%llu", (unsigned long long)arc);
        put(t, piece);
        first = false;
        arc = 0;
    }
}

static void put_attribute(struct text *t, struct view oid, uint8_t tag, struct view value)
{
    const char *word = NULL;
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
        if (view_equal(oid, view_of(attributes[i].oid, attributes[i].n)))
            word = attributes[i].word;
    }
    if (word)
        put(t, word);
    else
        put_oid(t, oid);
    put(t, "=");
    if (tag == TAG_BMP_STRING)
        put_bmp(t, value);
    else
        put_string(t, value);
}

/* One relative name: attributes that belong together. */
static bool put_rdn(struct text *t, struct view set)
{
    struct reader r = rd_init(set);
    for (bool first = true; rd_left(&r) > 0; first = false) {
        struct reader pair = rd_init(element(&r, TAG_SEQUENCE));
        uint8_t tag;
        const struct view oid = element(&pair, TAG_OID);
        const struct view value = next_element(&pair, &tag);
        if (!rd_ok(&r) || !rd_done(&pair) || oid.n == 0)
            return false;
        if (!first)
            put(t, "+");
        put_attribute(t, oid, tag, value);
    }
    return set.n > 0;
}

bool name_text(struct view der, char *out, size_t cap)
{
    struct text t = {.out = out, .cap = cap};
    struct view rdns[RDNS_MAX];
    size_t n = 0;
    out[0] = '\0';
    struct reader r = rd_init(der);
    struct reader name = rd_init(element(&r, TAG_SEQUENCE));
    bool ok = rd_done(&r);
    while (ok && rd_left(&name) > 0 && n < RDNS_MAX) {
        rdns[n++] = element(&name, TAG_SET);
        ok = rd_ok(&name);
    }
    ok = ok && rd_done(&name) && n > 0;
    while (ok && n > 0) {
        ok = put_rdn(&t, rdns[--n]);
        if (n > 0)
            put(&t, ", ");
    }
    if (!ok)
        out[0] = '\0';
    return ok;
}
