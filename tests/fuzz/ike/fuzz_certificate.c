/* CERT and CERTREQ payloads; and requests of our own, which must come back as they were written. */
#include "fuzz_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct view body = view_of(data, size);
    struct view authority = VIEW_NONE, back;
    const struct view der = certificate_read(body);
    MUST(der.n == 0 || der.n == size - 1);
    if (!request_read(body, &authority))
        return 0;
    struct draft d;
    struct header h;
    struct payloads p;
    struct view payloads;
    const struct header cookies = {0};
    draft_begin(&d, &cookies, EXCHANGE_MAIN, 0);
    requests_write(&d, &authority, 1);
    MUST(header_parse(draft_finish(&d), &h, &payloads) == DROP_NONE);
    MUST(payloads_parse(h.next, payloads, false, &p) == DROP_NONE && p.n == 1);
    MUST(request_read(p.at[0].body, &back));
    MUST(back.n == 0 || view_equal(back, authority));
    return 0;
}
