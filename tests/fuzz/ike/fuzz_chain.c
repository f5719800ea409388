/* The chain of payloads, and the decoder of each payload found in it. */
#include "fuzz_rig.h"

static void decode(const struct payload *p)
{
    struct identity id;
    struct notify n;
    struct delete_list d;
    char text[IDENTITY_TEXT_MAX];
    if (identity_parse(p->body, &id) == DROP_NONE) {
        (void)identity_address(&id);
        identity_text(&id, text);
        MUST(strlen(text) < sizeof(text));
    }
    if (notify_parse(p->body, &n) == DROP_NONE)
        MUST(n.spi.n + n.data.n + 8 == p->body.n && notify_word(n.type));
    if (delete_parse(p->body, &d) == DROP_NONE)
        MUST(d.spis.n == (size_t)d.count * d.spi_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = rd_init(view_of(data, size));
    const uint8_t first = rd_u8(&r);
    const bool padded = rd_u8(&r) & 1;
    const struct view body = rd_rest(&r);
    struct payloads p;
    if (payloads_parse(first, body, padded, &p) != DROP_NONE)
        return 0;
    MUST(p.n > 0 && p.n <= PAYLOADS_MAX);
    size_t total = 0;
    for (size_t i = 0; i < p.n; i++) {
        total += 4 + p.at[i].body.n;
        decode(&p.at[i]);
    }
    MUST(total <= body.n && (padded || body.n - total < 4)); /* in clear filled up to words at most */
    MUST(p.after_first.n == total - 4 - p.at[0].body.n);
    for (enum form f = FORM_MM_SA; f <= FORM_INFO; f++)
        (void)form_check(f, &p);
    struct vendors v;
    vendors_read(&p, &v);
    (void)vendors_natt(&v);
    MUST(vendors_kind(&v));
    struct ip_addr i = {0}, o = {0};
    (void)natoa_read(&p, &i, &o);
    return 0;
}
