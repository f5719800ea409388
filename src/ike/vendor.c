/* Vendor IDs (RFC 2408 3.16): which extensions a peer has, and what it probably is. We send few and never those of
 * Microsoft: Windows changes its behaviour for peers that do (clients.md rules 12 and 13). */
#include "ike/ike_message.h"

#include <string.h>

#define FRAGMENTS_MAIN_MODE 0x80000000u

static uint8_t digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

size_t vendor_bytes(enum vendor which, uint8_t out[static 20])
{
    static const char *const hex[] = {
#define VENDOR(name, hex) hex,
#include "ike/vendor.def"
#undef VENDOR
    };
    const char *h = hex[which];
    size_t n = 0;
    for (; h[2 * n] != '\0'; n++)
        out[n] = (uint8_t)(digit(h[2 * n]) << 4 | digit(h[2 * n + 1]));
    return n;
}

/* The word behind the fragmentation ID tells of which exchanges; Windows sends none. */
static bool fragments_main_mode(struct reader r)
{
    return rd_left(&r) < 4 || rd_u32(&r) & FRAGMENTS_MAIN_MODE;
}

static void note(struct view id, struct vendors *v)
{
    for (enum vendor i = 0; i < VENDOR_COUNT; i++) {
        uint8_t known[20];
        const size_t n = vendor_bytes(i, known);
        struct reader r = rd_init(id);
        if (!view_equal(rd_view(&r, n), view_of(known, n)))
            continue;
        v->seen |= 1u << i;
        if (i == VENDOR_MICROSOFT)
            v->microsoft_version = rd_u32(&r);
        if (i == VENDOR_FRAGMENTATION && !fragments_main_mode(r))
            v->seen &= ~(1u << i);
    }
}

void vendors_read(const struct payloads *p, struct vendors *v)
{
    *v = (struct vendors){0};
    for (size_t i = 0; i < p->n; i++) {
        if (p->at[i].type == PAYLOAD_VENDOR)
            note(p->at[i].body, v);
    }
}

enum natt vendors_natt(const struct vendors *v)
{
    /* Apple's own VID and the drafts 04 to 08 use other payload numbers and hash orders; every client that sends them
     * sends RFC 3947 too (clients.md rule 14). */
    if (vendors_have(v, VENDOR_NATT_RFC))
        return NATT_RFC_3947;
    if (vendors_have(v, VENDOR_NATT_03))
        return NATT_DRAFT_03;
    if (vendors_have(v, VENDOR_NATT_02_N))
        return NATT_DRAFT_02_N;
    return vendors_have(v, VENDOR_NATT_02) ? NATT_DRAFT_02 : NATT_NONE;
}

bool vendors_weak_sha256(const struct vendors *v)
{
    return vendors_have(v, VENDOR_NATT_00) && vendors_have(v, VENDOR_DPD) && !vendors_have(v, VENDOR_NATT_APPLE) &&
           !vendors_have(v, VENDOR_XAUTH) && !vendors_have(v, VENDOR_MICROSOFT);
}

/* The last word of the MS NT5 vendor ID. 7 SP1 carries 2008 R2's number. */
static const char *windows_name(uint32_t version)
{
    static const char *const names[] = {
        [2] = "Windows 2000", [3] = "Windows XP", [4] = "Windows XP/2003",   [5] = "Windows Vista",
        [6] = "Windows 2008", [7] = "Windows 7",  [8] = "Windows 7/2008 R2", [9] = "Windows 8+",
    };
    if (version >= ARRAY_LEN(names))
        return "Windows 8+";
    return names[version] ? names[version] : "Windows";
}

const char *vendors_kind(const struct vendors *v)
{
    if (vendors_have(v, VENDOR_SEKISHO))
        return "Sekisho";
    if (vendors_have(v, VENDOR_MICROSOFT))
        return windows_name(v->microsoft_version);
    if (vendors_have(v, VENDOR_NATT_APPLE))
        return "Apple";
    if (vendors_have(v, VENDOR_STRONGSWAN) || (vendors_have(v, VENDOR_XAUTH) && vendors_have(v, VENDOR_DPD)))
        return "strongSwan";
    if (vendors_weak_sha256(v))
        return "Android/racoon";
    if (vendors_have(v, VENDOR_RACOON))
        return "racoon";
    if (vendors_have(v, VENDOR_CISCO_UNITY))
        return "Cisco";
    if (vendors_have(v, VENDOR_DPD) && vendors_have(v, VENDOR_NATT_03) && vendors_have(v, VENDOR_FRAGMENTATION))
        return "libreswan";
    return "?";
}
