/*
 * What changes with whatever somebody logs in by: a login to the portal ends when it does. Sealed and salted values are
 * new each time, so that also the same password anew makes another stamp.
 */
#include "aaa/aaa_internal.h"

#define STAMP 16 /* bytes of the MAC */

static void write_stamp(const struct aaa *a, const struct view *parts, size_t n, char out[static AAA_STAMP_MAX])
{
    uint8_t mac[HASH_SIZE_MAX] = {0};
    out[0] = '\0';
    if (hmac_digest(HASH_SHA256, VIEW(a->grid_key), parts, n, mac) == ERR_OK)
        base32_text(view_of(mac, STAMP), out);
}

/* Numbers first, of a fixed size, and the lengths of what follows. */
void aaa_stamp_user(const struct aaa *a, struct store_row *row)
{
    uint8_t head[40];
    struct writer w = wr_init(head, sizeof head);
    const size_t totp_n = row->user.totp ? row->totp_n : 0; /* one that was never confirmed opens nothing */
    wr_u64(&w, (uint64_t)row->id);
    wr_u64(&w, (uint64_t)row->user.created);
    wr_u64(&w, row->sealed_n);
    wr_u64(&w, row->pattern_n);
    wr_u64(&w, totp_n);
    const struct view parts[] = {view_str("user"), VIEW(head), view_of(row->sealed, row->sealed_n),
                                 view_of(row->pattern, row->pattern_n), view_of(row->totp, totp_n)};
    write_stamp(a, parts, ARRAY_LEN(parts), row->user.stamp);
}

void aaa_stamp_admin(const struct aaa *a, struct store_admin *row)
{
    uint8_t created[8];
    struct writer w = wr_init(created, sizeof created);
    wr_u64(&w, (uint64_t)row->admin.created);
    const struct view parts[] = {view_str("admin"), VIEW(created), VIEW(row->salt), VIEW(row->hash), VIEW(row->totp)};
    write_stamp(a, parts, ARRAY_LEN(parts), row->admin.stamp);
}
