/*
 * A browser that is remembered. Its user was given a text, by which it is shown true grids where strangers get none; it
 * opens nothing by itself. The text is kept nowhere: it is a MAC under the key of grids over the name, the day on which
 * it ends, and what the store has of password and pattern, so that a change of either ends it at once. It does not even
 * tell its day: each that it may be is tried.
 */
#include "aaa/aaa_internal.h"

#include <string.h>

#define DAY         86400
#define DEVICE_DAYS 90

static enum err text_of(const struct aaa *a, const struct store_row *row, const char *name, int64_t day,
                        char out[static AAA_DEVICE_MAX])
{
    const struct view sealed = view_of(row->sealed, row->sealed_n), pattern = view_of(row->pattern, row->pattern_n);
    uint8_t mac[HASH_SIZE_MAX] = {0}, of_password[HASH_SIZE_MAX] = {0}, of_pattern[HASH_SIZE_MAX] = {0}, end[8];
    const size_t n = hash_size(HASH_SHA256);
    char folded[AAA_NAME_MAX];
    struct writer w = wr_init(end, sizeof end);
    wr_u64(&w, (uint64_t)day);
    enum err e = hash_digest(HASH_SHA256, &sealed, 1, of_password);
    if (e == ERR_OK)
        e = hash_digest(HASH_SHA256, &pattern, 1, of_pattern);
    const struct view parts[] = {view_str("device"), VIEW(end), view_of(of_password, n), view_of(of_pattern, n),
                                 view_str(name_fold(name, folded))};
    if (e == ERR_OK)
        e = hmac_digest(HASH_SHA256, VIEW(a->grid_key), parts, ARRAY_LEN(parts), mac);
    if (e == ERR_OK)
        base32_text(view_of(mac, n), out);
    bytes_wipe(mac, sizeof mac);
    return e;
}

enum err aaa_device_make(struct aaa *aaa, const char *name, int64_t wall, char out[static AAA_DEVICE_MAX],
                         int64_t *expires, struct aaa_why *why)
{
    struct store_row row;
    const int64_t day = wall / DAY + DEVICE_DAYS;
    enum err e = store_get(aaa->store, name, &row);
    if (e == ERR_OK)
        e = text_of(aaa, &row, row.user.name, day, out);
    if (e == ERR_NOTFOUND)
        return aaa_why(why, e, TOLD(USER_UNKNOWN), name);
    if (e != ERR_OK)
        return aaa_why(why, e, TOLD(STORE_BROKEN));
    *expires = day * DAY;
    return ERR_OK;
}

/* The work is the same for every name and every text of this length. */
bool aaa_device_known(const struct aaa *a, const struct proving *p, const char *text, int64_t wall)
{
    char want[AAA_DEVICE_MAX];
    bool found = false;
    if (strlen(text) != sizeof want - 1 || p->name == NULL) /* no name: what the store has of it is damaged */
        return false;
    for (int64_t day = wall / DAY + 1; day <= wall / DAY + DEVICE_DAYS; day++)
        if (text_of(a, &p->row, p->name, day, want) == ERR_OK)
            found |= bytes_equal_ct(want, text, sizeof want - 1);
    bytes_wipe(want, sizeof want);
    return found && p->record.found;
}
